//! Ranks the nodes of a graph, and texts by their similarity to each other.

use crate::vectors::Sparse;

/// Damping factor of PageRank (Brin & Page 1998), as TextRank has it.
const DAMPING: f64 = 0.85;
/// Scores that move less than this between two rounds have settled.
const SETTLED: f64 = 1e-7;
const ROUNDS: usize = 50;

/// An undirected weighted graph, as a list of its edges.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    nodes: usize,
    edges: Vec<(u32, u32, f64)>,
}

impl Graph {
    /// A graph with this number of nodes and no edges.
    #[must_use]
    pub fn new(nodes: usize) -> Self {
        Self { nodes, edges: Vec::new() }
    }

    /// Joins two nodes; a weight of zero or less joins nothing.
    pub fn join(&mut self, a: usize, b: usize, weight: f64) {
        if a != b && weight > 0.0 {
            self.edges.push((a as u32, b as u32, weight));
        }
    }

    /// TextRank (Mihalcea & Tarau 2004): PageRank over weighted edges. The scores add up to 1. A node without an edge
    /// gets the score of the uniform jump alone.
    #[must_use]
    pub fn text_rank(&self) -> Vec<f64> {
        if self.nodes == 0 {
            return Vec::new();
        }
        let mut weight_sums = vec![0.0; self.nodes];
        for &(a, b, weight) in &self.edges {
            weight_sums[a as usize] += weight;
            weight_sums[b as usize] += weight;
        }
        let uniform = 1.0 / self.nodes as f64;
        let mut scores = vec![uniform; self.nodes];
        for _ in 0..ROUNDS {
            let dangling: f64 = scores
                .iter()
                .zip(&weight_sums)
                .filter(|(_, weight_sums)| **weight_sums == 0.0)
                .map(|(score, _)| score)
                .sum();
            let mut next = vec![(1.0 - DAMPING) * uniform + DAMPING * dangling * uniform; self.nodes];
            for &(a, b, weight) in &self.edges {
                let (a, b) = (a as usize, b as usize);
                next[b] += DAMPING * scores[a] * weight / weight_sums[a];
                next[a] += DAMPING * scores[b] * weight / weight_sums[b];
            }
            let change: f64 = next.iter().zip(&scores).map(|(a, b)| (a - b).abs()).sum();
            scores = next;
            if change < SETTLED {
                break;
            }
        }
        scores
    }
}

/// Ranks texts by their similarity to the other texts (LexRank with continuous weights: Erkan & Radev 2004). Quadratic
/// in the number of vectors, so pass a bounded number of them. The vectors are expected to have length 1.
#[must_use]
pub fn by_likeness(vectors: &[Sparse]) -> Vec<f64> {
    let mut graph = Graph::new(vectors.len());
    for (a, left) in vectors.iter().enumerate() {
        for (b, right) in vectors.iter().enumerate().skip(a + 1) {
            graph.join(a, b, left.dot(right));
        }
    }
    graph.text_rank()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hub_of_a_star_ranks_first() {
        let mut graph = Graph::new(4);
        (1..4).for_each(|leaf| graph.join(0, leaf, 1.0));
        let scores = graph.text_rank();
        assert!(scores[0] > scores[1] && (scores[1] - scores[3]).abs() < 1e-9);
        assert!((scores.iter().sum::<f64>() - 1.0).abs() < 1e-6);
    }

    #[test]
    fn nodes_without_edges_rank_alike() {
        assert_eq!(Graph::new(2).text_rank(), [0.5, 0.5]);
        assert!(Graph::new(0).text_rank().is_empty());
    }

    #[test]
    fn a_text_like_the_others_ranks_above_an_outsider() {
        let vectors: Vec<_> = [&[0, 1, 2][..], &[0, 1], &[1, 2], &[7, 8]]
            .iter()
            .map(|t| Sparse::counts(t.iter().copied()).normalized())
            .collect();
        let scores = by_likeness(&vectors);
        assert!(scores[0] > scores[3]);
    }
}

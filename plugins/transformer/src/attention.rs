//! Attention of rows to the positions of their own sequences. Each row is computed by itself, in one order.

use std::{ops::Range, sync::Arc};

use crate::{
    Architecture,
    lanes::{add_scaled, dot, exponentials},
    sequence::LayerCache,
    team::{Team, cut},
};

/// Queries of all rows, and where they belong.
#[derive(Debug, Default)]
pub(crate) struct Queries {
    /// A row of queries begins at each multiple of `stride`; keys and values follow.
    pub(crate) values: Vec<f32>,
    pub(crate) stride: usize,
    /// Of each row, the sequence it belongs to, and its position there.
    pub(crate) places: Vec<(usize, usize)>,
}

/// Lengths that attention needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heads {
    head: usize,
    heads: usize,
    key_value_heads: usize,
}

impl Heads {
    pub(crate) const fn of(architecture: &Architecture) -> Self {
        let &Architecture { head, heads, key_value_heads, .. } = architecture;
        Self { head, heads, key_value_heads }
    }

    /// Fills a row of results for each row of queries. Fewer than `worth_sharing` multiplications are not shared.
    pub(crate) fn attend(
        self,
        team: &Team<'_>,
        worth_sharing: usize,
        queries: &Arc<Queries>,
        caches: Vec<Arc<LayerCache>>,
        results: &mut [f32],
    ) {
        let width = self.heads * self.head;
        let positions: usize = queries.places.iter().map(|(_, position)| position + 1).sum();
        if team.threads() == 1 || 2 * positions * width < worth_sharing {
            return self.rows(queries, &caches, 0..queries.places.len(), results);
        }
        let parts = cut(queries.places.iter().map(|(_, position)| position + 1), team.threads());
        let work = {
            let queries = Arc::clone(queries);
            move |rows: Range<usize>| {
                let mut part = vec![0.0; rows.len() * width];
                self.rows(&queries, &caches, rows, &mut part);
                part
            }
        };
        let mut rest = results;
        for part in team.each(&parts, &work) {
            let (filled, unfilled) = rest.split_at_mut(part.len());
            filled.copy_from_slice(&part);
            rest = unfilled;
        }
    }

    fn rows(self, queries: &Queries, caches: &[Arc<LayerCache>], rows: Range<usize>, results: &mut [f32]) {
        let mut scores = Vec::new();
        for (row, result) in rows.zip(results.chunks_exact_mut(self.heads * self.head)) {
            let (sequence, position) = queries.places[row];
            let query = &queries.values[row * queries.stride..][..self.heads * self.head];
            self.row(query, &caches[sequence], position + 1, &mut scores, result);
        }
    }

    /// One row, over the first `length` positions.
    fn row(self, query: &[f32], cache: &LayerCache, length: usize, scores: &mut Vec<f32>, result: &mut [f32]) {
        let (head, width) = (self.head, self.key_value_heads * self.head);
        let shared = self.heads / self.key_value_heads;
        let root = (head as f32).sqrt();
        scores.resize(length, 0.0);
        for (index, (query, result)) in query.chunks_exact(head).zip(result.chunks_exact_mut(head)).enumerate() {
            let begin = index / shared * head;
            for (score, keys) in scores.iter_mut().zip(cache.keys.chunks_exact(width)) {
                *score = dot(query, &keys[begin..][..head]) / root;
            }
            let sum = exponentials(scores);
            result.fill(0.0);
            for (&score, values) in scores.iter().zip(cache.values.chunks_exact(width)) {
                add_scaled(result, score, &values[begin..][..head]);
            }
            for value in result {
                *value /= sum;
            }
        }
    }
}

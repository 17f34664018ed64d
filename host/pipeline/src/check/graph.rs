//! The order of the stages.

use std::collections::BTreeSet;

use super::{checker::Checker, sources::Edge};
use crate::{diagnostics::Diagnostic, plan::Source};

impl Checker<'_> {
    /// An order in which each stage comes after all that it reads, by appearance where that leaves a choice; none if there
    /// are cycles, which are reported.
    pub(crate) fn order_stages(&mut self, edges: &[Edge]) -> Option<Vec<usize>> {
        let reads = reads(self.parsed.stages.len(), edges);
        let order = topological(&reads);
        if order.len() == reads.len() {
            return Some(order);
        }
        for cycle in cycles(&reads) {
            self.report_cycle(&cycle, edges);
        }
        None
    }

    fn report_cycle(&mut self, cycle: &[usize], edges: &[Edge]) {
        let name = |index: usize| self.parsed.stages[index].name.text.as_str();
        let mut path: Vec<&str> = cycle.iter().map(|index| name(*index)).collect();
        path.extend(path.first().copied());
        let mut diagnostic =
            Diagnostic::new("cycle", format!("stages read each other in a circle: `{}`", path.join(" -> ")));
        for (at, reader) in cycle.iter().enumerate() {
            let source = cycle[(at + 1) % cycle.len()];
            let edge = edges
                .iter()
                .find(|edge| edge.reader == *reader && matches!(edge.source, Source::Stage(index) if index == source));
            let Some(edge) = edge else { continue };
            let label = format!("`{}` reads `{}`", name(*reader), name(source));
            if diagnostic.span.is_none() {
                diagnostic.span = Some(edge.span);
                diagnostic.label = label;
            } else {
                diagnostic.related.push((edge.span, label));
            }
        }
        self.diagnostics.push(diagnostic);
    }
}

/// For each stage, those that it reads.
pub(crate) fn reads(stages: usize, edges: &[Edge]) -> Vec<BTreeSet<usize>> {
    let mut reads = vec![BTreeSet::new(); stages];
    for edge in edges {
        if let Source::Stage(source) = edge.source {
            reads[edge.reader].insert(source);
        }
    }
    reads
}

/// The nodes in order, without those that are on a cycle or after one. Of nodes that can come next, the first does.
fn topological(reads: &[BTreeSet<usize>]) -> Vec<usize> {
    let mut waiting: Vec<usize> = reads.iter().map(BTreeSet::len).collect();
    let mut readers = vec![Vec::new(); reads.len()];
    for (reader, sources) in reads.iter().enumerate() {
        sources.iter().for_each(|source| readers[*source].push(reader));
    }
    let mut ready: BTreeSet<usize> = (0..reads.len()).filter(|node| waiting[*node] == 0).collect();
    let mut order = Vec::with_capacity(reads.len());
    while let Some(node) = ready.pop_first() {
        order.push(node);
        for reader in &readers[node] {
            waiting[*reader] -= 1;
            if waiting[*reader] == 0 {
                ready.insert(*reader);
            }
        }
    }
    order
}

/// Cycles, each a shortest one through its first node, such that every node that is on any cycle is either on one of them or
/// shares nodes with one of them.
fn cycles(reads: &[BTreeSet<usize>]) -> Vec<Vec<usize>> {
    let mut reported = BTreeSet::new();
    let mut cycles = Vec::new();
    for start in 0..reads.len() {
        if reported.contains(&start) {
            continue;
        }
        if let Some(cycle) = shortest_cycle(reads, start)
            && !cycle.iter().any(|node| reported.contains(node))
        {
            reported.extend(cycle.iter().copied());
            cycles.push(cycle);
        }
    }
    cycles
}

/// A shortest path from a node back to itself.
fn shortest_cycle(reads: &[BTreeSet<usize>], start: usize) -> Option<Vec<usize>> {
    let mut previous = vec![None; reads.len()];
    let mut queue = std::collections::VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        for next in &reads[node] {
            if *next == start {
                let mut path = vec![node];
                while let Some(previous) = previous[path[path.len() - 1]] {
                    path.push(previous);
                }
                path.reverse();
                return Some(path);
            }
            if previous[*next].is_none() {
                previous[*next] = Some(node);
                queue.push_back(*next);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn graph() -> impl Strategy<Value = Vec<BTreeSet<usize>>> {
        (1usize..12).prop_flat_map(|nodes| {
            prop::collection::vec(prop::collection::btree_set(0..nodes, 0..3), nodes).prop_map(|mut reads| {
                reads.iter_mut().enumerate().for_each(|(node, sources)| _ = sources.remove(&node));
                reads
            })
        })
    }

    proptest! {
        #[test]
        fn sources_come_first(reads in graph()) {
            let order = topological(&reads);
            for (at, node) in order.iter().enumerate() {
                prop_assert!(reads[*node].iter().all(|source| order[..at].contains(source)));
            }
            // A cycle is found if and only if the order is not whole, and it is one.
            let cycles = cycles(&reads);
            prop_assert_eq!(cycles.is_empty(), order.len() == reads.len());
            for cycle in cycles {
                for (at, node) in cycle.iter().enumerate() {
                    prop_assert!(reads[*node].contains(&cycle[(at + 1) % cycle.len()]));
                }
            }
        }

        #[test]
        fn what_is_in_order_stays(reads in graph()) {
            let forward: Vec<BTreeSet<usize>> =
                reads.iter().enumerate().map(|(node, sources)| sources.iter().copied().filter(|source| *source < node).collect()).collect();
            prop_assert_eq!(topological(&forward), (0..reads.len()).collect::<Vec<_>>());
        }
    }
}

//! Threads that share the work of one pass through the model. What is computed does not depend on how many there are.

use std::{
    ops::Range,
    sync::mpsc::{Sender, channel},
    thread,
};

/// Work for a helper.
type Job<'env> = Box<dyn FnOnce() + Send + 'env>;

/// The calling thread and its helpers, which live as long as one pass.
pub(crate) struct Team<'env> {
    helpers: Vec<Sender<Job<'env>>>,
}

impl<'env> Team<'env> {
    /// Does `work` with a team of this many threads: fewer, if the system does not give so many.
    pub(crate) fn of<T>(threads: usize, work: impl FnOnce(&Self) -> T) -> T {
        thread::scope(|scope| {
            let helpers = (1..threads).filter_map(|_| {
                let (sender, jobs) = channel::<Job<'env>>();
                let serve = move || jobs.into_iter().for_each(|job| job());
                thread::Builder::new().spawn_scoped(scope, serve).ok().map(|_| sender)
            });
            // Dropped at the end of the block, which ends the helpers.
            let team = Self { helpers: helpers.collect() };
            work(&team)
        })
    }

    /// How many threads there are.
    pub(crate) fn threads(&self) -> usize {
        self.helpers.len() + 1
    }

    /// Does `work` for each part, the first here and each other on a helper, of which there must be enough. The results are
    /// in order, and whatever `work` held on a helper is dropped by then.
    pub(crate) fn each<T, W>(&self, parts: &[Range<usize>], work: &W) -> Vec<T>
    where
        T: Send + 'env,
        W: Fn(Range<usize>) -> T + Clone + Send + 'env,
    {
        let Some((first, others)) = parts.split_first() else { return Vec::new() };
        assert!(others.len() <= self.helpers.len(), "a helper for each part");
        let (done, results) = channel();
        for (index, (part, helper)) in others.iter().zip(&self.helpers).enumerate() {
            let (work, part, done) = (work.clone(), part.clone(), done.clone());
            let job = move || {
                let result = work(part);
                drop(work);
                // Nobody waits for it any more only if the caller panicked.
                let _ = done.send((index, result));
            };
            helper.send(Box::new(job)).expect("a helper lives as long as the team");
        }
        drop(done);
        let mut all = vec![(0, work(first.clone()))];
        all.extend(results.into_iter().map(|(index, result)| (index + 1, result)));
        assert_eq!(all.len(), parts.len(), "a helper panicked");
        all.sort_by_key(|(index, _)| *index);
        all.into_iter().map(|(_, result)| result).collect()
    }
}

/// Cuts `0..costs.len()` into at most `parts` ranges of about the same cost.
pub(crate) fn cut(costs: impl ExactSizeIterator<Item = usize> + Clone, parts: usize) -> Vec<Range<usize>> {
    let (length, total) = (costs.len(), costs.clone().sum::<usize>());
    let mut ranges = Vec::with_capacity(parts);
    let (mut begin, mut sum) = (0, 0);
    for (index, cost) in costs.enumerate() {
        sum += cost;
        let is_last = index + 1 == length;
        if is_last || (ranges.len() + 1 < parts && sum * parts >= total * (ranges.len() + 1)) {
            ranges.push(begin..index + 1);
            begin = index + 1;
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_everything_once_in_order() {
        for length in 0..20 {
            for parts in 1..6 {
                let ranges = cut((0..length).map(|index| index % 3), parts);
                assert!(ranges.len() <= parts);
                let all: Vec<usize> = ranges.into_iter().flatten().collect();
                assert_eq!(all, (0..length).collect::<Vec<_>>());
            }
        }
        assert_eq!(cut([1; 6].into_iter(), 3), [0..2, 2..4, 4..6]);
    }

    #[test]
    fn results_are_in_order_whoever_made_them() {
        for threads in 1..4 {
            Team::of(threads, |team| {
                let parts = cut([1; 9].into_iter(), team.threads());
                let done = team.each(&parts, &|part: Range<usize>| part.sum::<usize>());
                assert_eq!(done.into_iter().sum::<usize>(), 36);
            });
        }
    }
}

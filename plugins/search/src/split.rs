//! Splits trials into the best ones and the others.

use crate::{
    history::Trial,
    hypervolume::{contributions, subset},
    pareto_front::pareto_ranks,
};

/// Indices of trials, in their order.
#[derive(Debug, PartialEq)]
pub(crate) struct Split {
    /// The best ones.
    pub(crate) below: Vec<usize>,
    /// The weight of each of the best ones; none where there is one objective, and they weigh as all others do.
    pub(crate) weights: Option<Vec<f64>>,
    /// The others.
    pub(crate) above: Vec<usize>,
}

/// How many of the trials are the best: a tenth, and 25 at most.
fn best_count(trials: usize) -> usize {
    trials.div_ceil(10).min(25)
}

/// Splits trials as Optuna 4.8.0 does.
///
/// Of several objectives, trials go by how many fronts are better; of the front that does not fit as a whole, those that
/// dominate the most are taken. Stopped ones come after all that completed: those with more reports first, then those whose
/// last report was better.
pub(crate) fn split_trials(trials: &[Trial]) -> Split {
    let best_wanted = best_count(trials.len());
    let mut completed: Vec<(usize, &[f64])> = Vec::new();
    let mut stopped: Vec<(usize, usize, f64)> = Vec::new();
    for (index, trial) in trials.iter().enumerate() {
        match trial {
            Trial::Completed(losses) => completed.push((index, losses)),
            Trial::Stopped(reports, last) => stopped.push((index, *reports, *last)),
        }
    }
    let losses: Vec<&[f64]> = completed.iter().map(|(_, losses)| *losses).collect();
    let measures = losses.first().map_or(1, |losses| losses.len());
    let take = best_wanted.min(completed.len());
    let taken = if measures == 1 { indices_of_least(&losses, take) } else { indices_of_best_ranks(&losses, take) };
    let mut below: Vec<usize> = taken.into_iter().map(|position| completed[position].0).collect();
    stopped.sort_by(|a, b| b.1.cmp(&a.1).then(a.2.total_cmp(&b.2)));
    below.extend(stopped.iter().take(best_wanted - take).map(|(index, ..)| *index));
    below.sort_unstable();
    let above = (0..trials.len()).filter(|index| below.binary_search(index).is_err()).collect();
    // With several objectives, no trial is stopped.
    let best_losses = || below.iter().map(|&trial| trials[trial].completed_losses()).collect::<Vec<_>>();
    let weights = (measures > 1).then(|| contributions(&best_losses()));
    Split { below, weights, above }
}

/// Indices of the `take` trials with the least loss; of equal ones the first.
fn indices_of_least(losses: &[&[f64]], take: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..losses.len()).collect();
    order.sort_by(|&a, &b| losses[a][0].total_cmp(&losses[b][0]));
    order.truncate(take);
    order
}

/// Indices of the `take` trials with the best ranks.
fn indices_of_best_ranks(losses: &[&[f64]], take: usize) -> Vec<usize> {
    let ranks = pareto_ranks(losses, take);
    let positions_of_rank =
        |rank: usize| (0..losses.len()).filter(|&position| ranks[position] == rank).collect::<Vec<_>>();
    let mut taken = Vec::with_capacity(take);
    for rank in 0.. {
        let positions = positions_of_rank(rank);
        if taken.len() + positions.len() > take {
            let front: Vec<&[f64]> = positions.iter().map(|&position| losses[position]).collect();
            taken.extend(subset(&front, take - taken.len()).into_iter().map(|position| positions[position]));
            return taken;
        }
        taken.extend(positions);
        if taken.len() == take {
            return taken;
        }
    }
    taken
}

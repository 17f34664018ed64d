//! The best trials, and the others.

use crate::{
    history::Trial,
    hypervolume::{contributions, subset},
    ranks::ranks,
};

/// Indices of trials, in their order.
#[derive(Debug, PartialEq)]
pub(crate) struct Split {
    /// The best ones.
    pub(crate) below: Vec<usize>,
    /// What each of the best ones weighs; none where there is one objective, and they weigh as all others do.
    pub(crate) weights: Option<Vec<f64>>,
    /// The others.
    pub(crate) above: Vec<usize>,
}

/// How many of so many trials are the best: a tenth, and 25 at most.
fn best_of(trials: usize) -> usize {
    trials.div_ceil(10).min(25)
}

/// Splits trials as Optuna 4.8.0 does.
///
/// Of several objectives, trials go by how many fronts are better; of the front that does not fit as a whole, those that
/// dominate the most are taken. Stopped ones come after all that completed: those with more reports first, then those whose
/// last report was better.
pub(crate) fn split(trials: &[Trial]) -> Split {
    let wanted = best_of(trials.len());
    let mut completed: Vec<(usize, &[f64])> = Vec::new();
    let mut stopped: Vec<(usize, usize, f64)> = Vec::new();
    for (at, trial) in trials.iter().enumerate() {
        match trial {
            Trial::Completed(losses) => completed.push((at, losses)),
            Trial::Stopped(reports, last) => stopped.push((at, *reports, *last)),
        }
    }
    let losses: Vec<&[f64]> = completed.iter().map(|(_, losses)| *losses).collect();
    let measures = losses.first().map_or(1, |losses| losses.len());
    let take = wanted.min(completed.len());
    let taken = if measures == 1 { least(&losses, take) } else { foremost(&losses, take) };
    let mut below: Vec<usize> = taken.into_iter().map(|place| completed[place].0).collect();
    stopped.sort_by(|a, b| b.1.cmp(&a.1).then(a.2.total_cmp(&b.2)));
    below.extend(stopped.iter().take(wanted - take).map(|(at, ..)| *at));
    below.sort_unstable();
    let above = (0..trials.len()).filter(|at| below.binary_search(at).is_err()).collect();
    let weights = (measures > 1).then(|| {
        let losses = |at: &usize| match &trials[*at] {
            Trial::Completed(losses) => losses.as_slice(),
            // There is none where there are several objectives.
            Trial::Stopped(..) => &[],
        };
        contributions(&below.iter().map(losses).collect::<Vec<_>>())
    });
    Split { below, weights, above }
}

/// So many with the least loss; of equal ones the first.
fn least(losses: &[&[f64]], take: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..losses.len()).collect();
    order.sort_by(|&a, &b| losses[a][0].total_cmp(&losses[b][0]));
    order.truncate(take);
    order
}

/// So many of the best ranks.
fn foremost(losses: &[&[f64]], take: usize) -> Vec<usize> {
    let ranks = ranks(losses, take);
    let of_rank = |rank: usize| (0..losses.len()).filter(|&place| ranks[place] == rank).collect::<Vec<_>>();
    let mut taken = Vec::with_capacity(take);
    for rank in 0.. {
        let places = of_rank(rank);
        if taken.len() + places.len() > take {
            let front: Vec<&[f64]> = places.iter().map(|&place| losses[place]).collect();
            taken.extend(subset(&front, take - taken.len()).into_iter().map(|place| places[place]));
            return taken;
        }
        taken.extend(places);
        if taken.len() == take {
            return taken;
        }
    }
    taken
}

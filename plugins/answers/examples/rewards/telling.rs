//! How well a reward tells which weight is best.

use jackfield_plugin_api::Random;

use crate::{
    Error,
    measured::{ALPHAS, MEASURES, Measured, Outcome},
};

/// How many rewards each weight has had when the best one is told.
const REWARDS: [usize; 2] = [20, 100];
const DRAWS: usize = 2_000;

/// A reward that is a weighted mean of [`MEASURES`], as `grade` makes it.
type Weights = [f64; MEASURES.len()];

/// What the search goes through: `grade` without a measure of the ranking, and with more and more of each.
fn candidates() -> Vec<Weights> {
    let mut found = Vec::new();
    for diversity in [0.0, 0.1] {
        for ranking in [0.0, 0.5, 1.0, 2.0] {
            for cited in [0.0, 0.5] {
                for agreement in [0.0, 0.5] {
                    found.push([0.4, 0.1, diversity, ranking, cited, agreement]);
                }
            }
        }
    }
    found
}

fn weighted(outcome: &Outcome, weights: &Weights) -> f64 {
    let (mut sum, mut total) = (0.0, 0.0);
    for (weight, value) in weights.iter().zip(outcome.measures) {
        if let Some(value) = value {
            sum += weight * value;
            total += weight;
        }
    }
    if total > 0.0 { sum / total } else { 0.0 }
}

/// The share of what there is to gain over a weight picked at random that the weight gains which has had the greatest mean reward,
/// of so many rewards each: 1 for the best weight always, 0 for chance, below 0 for worse. Means over draws of queries.
fn gain(measured: &Measured, rewards: usize, reward: &dyn Fn(&Outcome) -> f64) -> f64 {
    let quality = measured.means(|outcome| outcome.ndcg);
    let mean = quality.iter().sum::<f64>() / quality.len() as f64;
    let best = quality.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let values: Vec<Vec<f64>> = measured.queries.iter().map(|query| query.iter().map(reward).collect()).collect();
    let mut random = Random::new(20_260_101);
    let mut picked = 0.0;
    for _ in 0..DRAWS {
        let mut greatest = (f64::NEG_INFINITY, 0.0);
        for arm in 0..ALPHAS.len() {
            let sum: f64 = (0..rewards).map(|_| values[random.below(values.len() as u64) as usize][arm]).sum();
            // Of two alike the better one half the time: a tie is broken by chance.
            let sum = sum + 1e-9 * random.next_f64();
            if sum > greatest.0 {
                greatest = (sum, quality[arm]);
            }
        }
        picked += greatest.1 / DRAWS as f64;
    }
    (picked - mean) / (best - mean)
}

fn deviation(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / values.len() as f64).sqrt()
}

/// Correlation of a reward with nDCG@10 over weights, within queries: each less its mean of the query.
fn correlation_within(measured: &Measured, reward: &dyn Fn(&Outcome) -> f64) -> f64 {
    let (mut both, mut left, mut right) = (0.0, 0.0, 0.0);
    for query in &measured.queries {
        let mean = |of: &dyn Fn(&Outcome) -> f64| query.iter().map(of).sum::<f64>() / query.len() as f64;
        let (own, ndcg) = (mean(reward), mean(&|outcome| outcome.ndcg));
        for outcome in query {
            let (x, y) = (reward(outcome) - own, outcome.ndcg - ndcg);
            both += x * y;
            left += x * x;
            right += y * y;
        }
    }
    if left * right > 0.0 { both / (left * right).sqrt() } else { 0.0 }
}

/// The collections, each once.
fn collections(all: &[Measured]) -> Vec<&str> {
    let mut names: Vec<&str> = all.iter().map(|measured| measured.collection.as_str()).collect();
    names.dedup();
    names
}

/// Mean over collections of the mean over their domains.
fn mean_gain(
    all: &[Measured],
    rewards: usize,
    reward: &dyn Fn(&Outcome) -> f64,
    is_used: &dyn Fn(&str) -> bool,
) -> f64 {
    let used: Vec<&str> = collections(all).into_iter().filter(|name| is_used(name)).collect();
    let of = |name: &&str| {
        let gains: Vec<f64> =
            all.iter().filter(|measured| measured.collection == *name).map(|m| gain(m, rewards, reward)).collect();
        gains.iter().sum::<f64>() / gains.len() as f64
    };
    used.iter().map(of).sum::<f64>() / used.len() as f64
}

pub(crate) fn print(all: &[Measured]) -> Result<(), Error> {
    for measured in all {
        let shown = |values: Vec<f64>| values.iter().map(|value| format!("{value:.3}")).collect::<Vec<_>>().join(" ");
        let Measured { collection, domain, queries } = measured;
        println!("{collection} {domain}: {} queries, alpha .1 .3 .5 .7 .9", queries.len());
        println!("  nDCG@10 {}", shown(measured.means(|outcome| outcome.ndcg)));
        println!("  Recall@10 {}", shown(measured.means(|outcome| outcome.recall)));
    }
    let by_name = |name: &'static str| {
        let index = MEASURES.iter().position(|measure| *measure == name).unwrap_or_default();
        move |outcome: &Outcome| outcome.measures[index].unwrap_or_default()
    };
    type Reward = Box<dyn Fn(&Outcome) -> f64>;
    let mut rewards: Vec<(String, Reward)> = vec![
        ("nDCG@10 itself".to_owned(), Box::new(|outcome| outcome.ndcg)),
        ("`reward`, with judgements".to_owned(), Box::new(|outcome| outcome.judged_reward)),
        ("`reward`".to_owned(), Box::new(|outcome| outcome.reward)),
        ("`reward` without the ranking".to_owned(), Box::new(|outcome| outcome.blind_reward)),
    ];
    rewards.extend(MEASURES.map(|name| (format!("`{name}`"), Box::new(by_name(name)) as Reward)));
    for measured in all {
        let Measured { collection, domain, .. } = measured;
        println!(
            "\n| {collection} {domain} | sd between weights | sd within one | correlation | gain of 20 | of 100 |"
        );
        println!("| --- | --: | --: | --: | --: | --: |");
        for (name, reward) in &rewards {
            let between = deviation(&measured.means(reward));
            let within = (0..ALPHAS.len())
                .map(|arm| deviation(&measured.queries.iter().map(|query| reward(&query[arm])).collect::<Vec<_>>()))
                .sum::<f64>()
                / ALPHAS.len() as f64;
            let correlation = correlation_within(measured, reward);
            let [few, many] = REWARDS.map(|rewards| gain(measured, rewards, reward));
            println!("| {name} | {between:.4} | {within:.3} | {correlation:+.2} | {few:+.2} | {many:+.2} |");
        }
    }
    println!("\n| mean over collections | gain of 20 | of 100 |\n| --- | --: | --: |");
    for (name, reward) in &rewards {
        let [few, many] = REWARDS.map(|rewards| mean_gain(all, rewards, reward, &|_| true));
        println!("| {name} | {few:+.2} | {many:+.2} |");
    }
    cross_validate(all);
    Ok(())
}

/// The weights that are best on all collections but one, and what they gain on that one.
fn cross_validate(all: &[Measured]) {
    let label = |weights: &Weights| {
        let part = |(name, weight): (&str, &f64)| format!("{name} {weight}");
        MEASURES.into_iter().zip(weights).filter(|(_, weight)| **weight > 0.0).map(part).collect::<Vec<_>>().join(", ")
    };
    println!("\n| left out | weights that gain most on the others | gain there | gain of `reward` there |");
    println!("| --- | --- | --: | --: |");
    for left_out in collections(all) {
        let others = |weights: &Weights| {
            mean_gain(all, REWARDS[0], &|outcome| weighted(outcome, weights), &|name| name != left_out)
        };
        let scored = candidates().into_iter().map(|weights| (others(&weights), weights));
        let Some((_, best)) = scored.reduce(|best, next| if next.0 > best.0 { next } else { best }) else { continue };
        let own = |reward: &dyn Fn(&Outcome) -> f64| mean_gain(all, REWARDS[0], reward, &|name| name == left_out);
        let (chosen, default) = (own(&|outcome| weighted(outcome, &best)), own(&|outcome| outcome.reward));
        println!("| {left_out} | {} | {chosen:+.2} | {default:+.2} |", label(&best));
    }
}

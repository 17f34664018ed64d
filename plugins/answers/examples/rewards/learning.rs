//! How soon policies find the best weight of each domain, and what they serve meanwhile.

use std::collections::VecDeque;

use jackfield_plugin_api::{Arm, Attempt, Outcome as Learned, PolicyState, Question, Random, testing};
use jackfield_routes as _;
use serde_json::{Value, json};

use crate::{
    Error,
    measured::{ALPHAS, Measured, Outcome},
};

/// Orders of the queries.
const ORDERS: u64 = 100;
/// How many outcomes a decision does not know yet: a pipeline has 16 decisions in flight.
const LATE: usize = 15;
/// Queries of a domain at which learning is looked at.
const MARKS: [usize; 4] = [25, 50, 75, 100];

/// Recall@10 and nDCG@10 of one order: of all queries, and Recall@10 between the marks.
#[derive(Clone, Copy, Default)]
struct Served {
    recall: f64,
    ndcg: f64,
    between: [f64; MARKS.len()],
}

/// Who picks the weight of the words.
enum Picker<'a> {
    Fixed(&'a dyn Fn(usize) -> usize),
    Random,
    Policy(&'static str, Value, &'a dyn Fn(&Outcome) -> f64),
}

fn arms() -> Vec<Arm> {
    let arm = |alpha: f64| Arm { name: format!("alpha={alpha}"), with: json!({ "alpha": alpha }) };
    ALPHAS.into_iter().map(arm).collect()
}

/// One pass over the first queries of each domain, in an order that hangs on the seed.
fn pass(domains: &[&Measured], picker: &Picker<'_>, seed: u64) -> Served {
    let mut random = Random::new(seed);
    let mut order: Vec<(usize, usize)> = Vec::new();
    for (domain, measured) in domains.iter().enumerate() {
        let mut own: Vec<(usize, usize)> = (0..measured.queries.len()).map(|query| (domain, query)).collect();
        shuffle(&mut own, &mut random);
        own.truncate(MARKS[MARKS.len() - 1]);
        order.extend(own);
    }
    shuffle(&mut order, &mut random);
    let arms = arms();
    let mut policy: Option<Box<dyn PolicyState>> = match picker {
        Picker::Policy(name, config, _) => Some(testing::policy(name, config, &arms).expect("a policy")),
        _ => None,
    };
    let mut question =
        Question { context: String::new(), arms: arms.clone().into(), tried: Vec::new(), pending: Vec::new(), seed: 0 };
    let (mut served, mut late) = (Served::default(), VecDeque::new());
    let (mut asked, mut counts) = (vec![0; domains.len()], [0.0; MARKS.len()]);
    for &(domain, query) in &order {
        question.context.clone_from(&domains[domain].domain);
        question.seed = random.next_u64();
        let arm = match (&policy, picker) {
            (Some(policy), _) => policy.decide(&question).expect("a decision").arm as usize,
            (None, Picker::Fixed(arm)) => arm(domain),
            (None, _) => random.below(ALPHAS.len() as u64) as usize,
        };
        let outcome = &domains[domain].queries[query][arm];
        served.recall += outcome.recall / order.len() as f64;
        served.ndcg += outcome.ndcg / order.len() as f64;
        let mark = MARKS.iter().position(|&mark| asked[domain] < mark).unwrap_or(MARKS.len() - 1);
        served.between[mark] += outcome.recall;
        counts[mark] += 1.0;
        asked[domain] += 1;
        if let (Some(policy), Picker::Policy(_, _, reward)) = (&mut policy, picker) {
            late.push_back(Learned {
                context: question.context.clone(),
                attempts: vec![Attempt { arm: arms[arm].name.clone(), failed: false }],
                reward: Some(reward(outcome)),
                ..Learned::default()
            });
            if late.len() > LATE
                && let Some(outcome) = late.pop_front()
            {
                policy.learn(&outcome).expect("learned");
            }
        }
    }
    for (sum, count) in served.between.iter_mut().zip(counts) {
        *sum /= f64::max(count, 1.0);
    }
    served
}

fn shuffle<T>(items: &mut [T], random: &mut Random) {
    for at in (1..items.len()).rev() {
        items.swap(at, random.below(at as u64 + 1) as usize);
    }
}

pub(crate) fn print(all: &[Measured]) -> Result<(), Error> {
    let mut names: Vec<&str> = all.iter().map(|measured| measured.collection.as_str()).collect();
    names.dedup();
    for name in names {
        let domains: Vec<&Measured> = all.iter().filter(|measured| measured.collection == name).collect();
        collection(name, &domains);
    }
    Ok(())
}

/// Index of the greatest.
fn greatest(values: &[f64]) -> usize {
    values.iter().enumerate().fold(0, |best, (index, value)| if *value > values[best] { index } else { best })
}

fn collection(name: &str, domains: &[&Measured]) {
    let total: f64 = domains.iter().map(|measured| measured.queries.len() as f64).sum();
    let by_domain: Vec<Vec<f64>> = domains.iter().map(|measured| measured.means(|outcome| outcome.recall)).collect();
    let of_all = |arm: usize| {
        domains.iter().zip(&by_domain).map(|(domain, means)| domain.queries.len() as f64 * means[arm]).sum::<f64>()
            / total
    };
    let static_best = greatest(&(0..ALPHAS.len()).map(of_all).collect::<Vec<_>>());
    let bests: Vec<usize> = by_domain.iter().map(|means| greatest(means)).collect();

    println!("\n## {name}: {total} queries in {} domains, {ORDERS} orders\n", domains.len());
    println!(
        "| | learns from | Recall@10 by queries of a domain: 1-25 | 26-50 | 51-75 | 76-100 | all | nDCG@10 | Recall@10 against .5 |"
    );
    println!("| --- | --- | --: | --: | --: | --: | --: | --: | --: |");
    let middle = Picker::Fixed(&|_| 2);
    let base: Vec<Served> = (0..ORDERS).map(|seed| pass(domains, &middle, seed)).collect();
    let row = |label: &str, source: &str, picker: &Picker<'_>| {
        let served: Vec<Served> = (0..ORDERS).map(|seed| pass(domains, picker, seed)).collect();
        let mean = |of: &dyn Fn(&Served) -> f64| served.iter().map(of).sum::<f64>() / ORDERS as f64;
        let between: Vec<String> =
            (0..MARKS.len()).map(|mark| format!("{:.3}", mean(&|served| served.between[mark]))).collect();
        // The same queries in the same order: pairs.
        let mut ratios: Vec<f64> = served.iter().zip(&base).map(|(own, base)| own.recall / base.recall - 1.0).collect();
        ratios.sort_by(f64::total_cmp);
        let (few, all) = (ORDERS as usize / 40, ratios.len());
        let percent = |share: f64| format!("{:+.1}", 100.0 * share);
        let ratio = percent(ratios.iter().sum::<f64>() / all as f64);
        let (low, high) = (percent(ratios[few]), percent(ratios[all - 1 - few]));
        println!(
            "| {label} | {source} | {} | {:.3} | {:.3} | {ratio} % [{low}, {high}] |",
            between.join(" | "),
            mean(&|served| served.recall),
            mean(&|served| served.ndcg)
        );
    };
    row("alpha .5", "nothing", &middle);
    row("alpha .7", "nothing", &Picker::Fixed(&|_| 3));
    row(&format!("alpha {}, best for all in hindsight", ALPHAS[static_best]), "", &Picker::Fixed(&|_| static_best));
    let shown: Vec<String> =
        domains.iter().zip(&bests).map(|(domain, &arm)| format!("{} {}", domain.domain, ALPHAS[arm])).collect();
    row(
        &format!("best of each domain in hindsight: {}", shown.join(", ").trim()),
        "",
        &Picker::Fixed(&|domain| bests[domain]),
    );
    row("any at random", "nothing", &Picker::Random);
    type Reward = fn(&Outcome) -> f64;
    let rewards: [(&str, Reward); 4] = [
        ("`reward`", |outcome| outcome.reward),
        ("`reward`, with judgements", |outcome| outcome.judged_reward),
        ("nDCG@10 itself", |outcome| outcome.ndcg),
        ("`reward` without the ranking", |outcome| outcome.blind_reward),
    ];
    for (source, reward) in rewards {
        for (label, policy, config) in [
            ("thompson, gaussian", "thompson", json!({ "likelihood": "gaussian" })),
            ("thompson, centered-beta", "thompson", json!({ "likelihood": "centered-beta" })),
            ("thompson, beta", "thompson", json!({})),
            ("ucb1", "ucb1", json!({})),
            ("epsilon-greedy", "epsilon-greedy", json!({})),
        ] {
            row(label, source, &Picker::Policy(policy, config, &reward));
        }
    }
}

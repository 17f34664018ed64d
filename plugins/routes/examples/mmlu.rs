//! Cost against quality on exam questions: a cheap and a dear model, of which it is known who was right.
//!
//!     cargo run --release -p jackfield-routes --example mmlu -- shared/data/routing/mmlu.csv
//!
//! Online and in one pass: questions come in an order that hangs on the seed, the subject is the context, and of each
//! question the outcome of the picked model alone is seen. Figures are those of `RouteLLM` (Ong et al. 2024): the share of the
//! quality gap between the models that is recovered (PGR), and the least share of calls to the dear model with which that is
//! 50, 80 and 95 % (CPT, the call-performance threshold). A policy sees nothing of a question but its subject, so the best
//! split by subject in hindsight is what it can come to. A sweep is over what a dear call has to be worth, down to less than
//! nothing, and ends in the two models themselves; between neighbours of a sweep, chance picks one of the two.

use std::{collections::BTreeMap, env, error::Error, iter::zip};

use jackfield_plugin_api::{Arm, Attempt, Objective, Outcome, Question, Random, testing};
use jackfield_routes as _;
use serde_json::{Value, json};

const SEEDS: u64 = 10;
/// Cheap, dear.
const NAMES: [&str; 2] = ["cheap", "dear"];
/// What a call to the dear model costs in rewards, where it is not swept.
const LAMBDA: f64 = 0.1;
/// What a dear call has to be worth, in the sweeps: a share of a right answer.
const KNOBS: [f64; 26] = [
    0.4, 0.36, 0.32, 0.28, 0.26, 0.24, 0.22, 0.2, 0.18, 0.16, 0.14, 0.12, 0.1, 0.08, 0.06, 0.04, 0.02, 0.0, -0.02,
    -0.04, -0.08, -0.12, -0.16, -0.24, -0.5, -1.0,
];
/// Queries of a context at which learning is looked at.
const MARKS: [usize; 4] = [10, 25, 50, 100];

struct Row {
    subject: usize,
    right: [f64; 2],
}

struct Data {
    subjects: Vec<String>,
    rows: Vec<Row>,
    /// Share of right answers of each model, by subject and of all.
    quality: Vec<[f64; 2]>,
    total: [f64; 2],
}

impl Data {
    fn read(path: &str) -> Result<Self, Box<dyn Error>> {
        let mut subjects = BTreeMap::new();
        let mut rows = Vec::new();
        for record in csv::Reader::from_path(path)?.records() {
            let record = record?;
            let field = |index| record.get(index).ok_or("a row is too short");
            let next = subjects.len();
            let subject = *subjects.entry(field(0)?.to_owned()).or_insert(next);
            rows.push(Row { subject, right: [field(2)?.parse()?, field(3)?.parse()?] });
        }
        let mean = |wanted: &dyn Fn(&Row) -> bool| {
            let rows: Vec<_> = rows.iter().filter(|row| wanted(row)).collect();
            [0, 1].map(|arm| rows.iter().map(|row| row.right[arm]).sum::<f64>() / rows.len() as f64)
        };
        let quality = (0..subjects.len()).map(|subject| mean(&|row| row.subject == subject)).collect();
        let total = mean(&|_| true);
        let mut names = vec![String::new(); subjects.len()];
        subjects.into_iter().for_each(|(name, index)| names[index] = name);
        Ok(Self { subjects: names, rows, quality, total })
    }

    /// Share of the gap between the models that this quality recovers.
    fn recovered(&self, quality: f64) -> f64 {
        (quality - self.total[0]) / (self.total[1] - self.total[0])
    }

    /// The least share of dear calls that recovers so much of the gap, if whole subjects go to the dear model, in hindsight.
    fn hindsight(&self, wanted: f64) -> f64 {
        let mut counts = vec![0.0; self.subjects.len()];
        self.rows.iter().for_each(|row| counts[row.subject] += 1.0 / self.rows.len() as f64);
        let mut gains: Vec<_> =
            zip(&self.quality, counts).map(|(quality, share)| (quality[1] - quality[0], share)).collect();
        gains.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        let (mut left, mut share) = (wanted * (self.total[1] - self.total[0]), 0.0);
        for (gain, count) in gains {
            let part = (left / (gain * count)).clamp(0.0, 1.0);
            left -= part * gain * count;
            share += part * count;
            if left <= 1e-12 {
                break;
            }
        }
        share
    }
}

/// Who picks.
enum Router {
    Policy(&'static str, Value),
    Random,
    Always(usize),
}

/// What came of a pass, averaged over seeds.
#[derive(Default)]
struct Pass {
    dear: f64,
    quality: f64,
    /// Dear calls and right answers, by subject.
    by_subject: Vec<[f64; 2]>,
    /// At each mark: regret so far, and quality and share of dear calls since the mark before; averaged over contexts.
    marks: [[f64; 3]; MARKS.len()],
}

/// The reward: right or wrong, less lambda for the dear model, on a scale of 0 to 1. With a lambda below 0, a dear call is
/// worth something of itself.
fn reward(right: f64, arm: usize, lambda: f64) -> f64 {
    let favoured = if lambda < 0.0 { arm } else { 1 - arm };
    (right + lambda.abs() * favoured as f64) / (1.0 + lambda.abs())
}

fn pass(data: &Data, router: &Router, lambda: f64) -> Pass {
    let mut total = Pass { by_subject: vec![[0.0; 2]; data.subjects.len()], ..Pass::default() };
    let per_row = 1.0 / (SEEDS as f64 * data.rows.len() as f64);
    let per_context = 1.0 / (SEEDS as f64 * data.subjects.len() as f64);
    let arm = |(index, &name): (usize, &&str)| Arm { name: name.to_owned(), with: json!({ "dear": index }) };
    let arms: Vec<_> = NAMES.iter().enumerate().map(arm).collect();
    let mut question =
        Question { context: String::new(), arms: arms.clone().into(), tried: Vec::new(), pending: Vec::new(), seed: 0 };
    for seed in 0..SEEDS {
        let mut random = Random::new(seed);
        let mut order: Vec<&Row> = data.rows.iter().collect();
        for index in (1..order.len()).rev() {
            order.swap(index, random.below(index as u64 + 1) as usize);
        }
        let mut policy = match router {
            Router::Policy(name, config) => Some(testing::policy(name, config, &arms).expect("a policy")),
            Router::Random | Router::Always(_) => None,
        };
        let mut asked = vec![0; data.subjects.len()];
        for row in order {
            question.context.clone_from(&data.subjects[row.subject]);
            question.seed = random.next_u64();
            let arm = match (&policy, router) {
                (Some(policy), _) => policy.decide(&question).expect("a decision").arm as usize,
                (None, Router::Always(arm)) => *arm,
                (None, _) => random.below(2) as usize,
            };
            let right = row.right[arm];
            if let Some(policy) = &mut policy {
                policy.learn(&outcome(&question.context, arm, right, lambda)).expect("learned");
            }
            total.dear += arm as f64 * per_row;
            total.quality += right * per_row;
            total.by_subject[row.subject][0] += arm as f64 / SEEDS as f64;
            total.by_subject[row.subject][1] += right / SEEDS as f64;
            let [cheap, dear] = [0, 1].map(|arm| reward(data.quality[row.subject][arm], arm, lambda));
            let regret = cheap.max(dear) - [cheap, dear][arm];
            mark(&mut total.marks, asked[row.subject], [regret, right, arm as f64], per_context);
            asked[row.subject] += 1;
        }
    }
    total
}

/// Adds to the marks that the query, counted from 0, comes before: regret to all of them, the others to the first.
fn mark(marks: &mut [[f64; 3]], query: usize, [regret, right, dear]: [f64; 3], share: f64) {
    let mut before = 0;
    for (mark, end) in zip(marks, MARKS) {
        if query < end {
            mark[0] += regret * share;
            if query >= before {
                let share = share / (end - before) as f64;
                mark[1] += right * share;
                mark[2] += dear * share;
            }
        }
        before = end;
    }
}

fn outcome(context: &str, arm: usize, right: f64, lambda: f64) -> Outcome {
    let objective = |name: &str, value, minimize| Objective { name: name.to_owned(), value, minimize };
    Outcome {
        context: context.to_owned(),
        attempts: vec![Attempt { arm: NAMES[arm].to_owned(), failed: false }],
        reward: Some(reward(right, arm, lambda)),
        objectives: vec![objective("cost", arm as f64, true), objective("quality", right, false)],
        ..Outcome::default()
    }
}

/// A dear call has to be right so much more often: of two arms the dear one is nearer to the ideal if the gap in quality, by
/// the root of its weight, is greater than that in cost by the root of its own.
fn pareto(gap: f64) -> Router {
    let quality = 1.0 / (1.0 + gap * gap);
    let preference = json!({ "cost": 1.0 - quality, "quality": quality });
    let spans = json!({ "cost": 1.0, "quality": 1.0 });
    Router::Policy("pareto", json!({ "preference": preference, "spans": spans, "trials": 5, "epsilon": 0.05 }))
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = env::args().nth(1).ok_or("usage: mmlu FILE.csv")?;
    let data = Data::read(&path)?;
    let [cheap, dear] = data.total.map(percent);
    println!(
        "{} questions in {} subjects; always cheap: {cheap} right, always dear: {dear}. Averages over {SEEDS} seeds.\n",
        data.rows.len(),
        data.subjects.len()
    );
    sweeps(&data);
    learning(&data);
    subjects(&data);
    Ok(())
}

fn sweeps(data: &Data) {
    let thompson = |_: f64| Router::Policy("thompson", json!({}));
    let hinted = |_: f64| {
        // The dear model is taken for the better one, and has to be found out.
        let hints = json!({ "key": "dear", "other": 1.0, "strength": 10.0 });
        Router::Policy("thompson", json!({ "hints": hints }))
    };
    type Sweep<'a> = (&'a str, &'a str, f64, &'a dyn Fn(f64) -> Router);
    let sweeps: [Sweep<'_>; 3] = [
        ("thompson", "lambda", -1.0, &thompson),
        ("thompson, dear hinted at", "lambda", -1.0, &hinted),
        ("pareto", "least gap in quality", 0.0, &pareto),
    ];
    // (share of dear calls, share of the gap recovered)
    let mut curves: Vec<(&str, Vec<(f64, f64)>)> = Vec::new();
    for (name, label, least, router) in sweeps {
        println!("| {name}: {label} | dear calls | right | PGR | PGR at random |\n| --: | --: | --: | --: | --: |");
        let mut curve = vec![(0.0, 0.0)];
        for knob in KNOBS.into_iter().filter(|&knob| knob >= least) {
            let pass = pass(data, &router(knob), knob);
            let recovered = data.recovered(pass.quality);
            curve.push((pass.dear, recovered));
            let (quality, at) = (percent(pass.quality), percent(pass.dear));
            println!("| {knob:.2} | {at} | {quality} | {} | {at} |", percent(recovered));
        }
        println!("| always dear | 100.0 % | {} | 100.0 % | 100.0 % |\n", percent(data.total[1]));
        curve.push((1.0, 1.0));
        curves.push((name, curve));
    }
    println!("| dear calls needed for | 50 % of the gap | 80 % | 95 % |\n| --- | --: | --: | --: |");
    for (name, curve) in &curves {
        let needed = [0.5, 0.8, 0.95].map(|wanted| needed(curve, wanted).map_or("not reached".to_owned(), percent));
        println!("| {name} | {} |", needed.join(" | "));
    }
    println!("| random | 50.0 % | 80.0 % | 95.0 % |");
    println!("| always dear | 100.0 % | 100.0 % | 100.0 % |");
    println!("| always cheap | not reached | not reached | not reached |");
    let best = [0.5, 0.8, 0.95].map(|wanted| percent(data.hindsight(wanted)));
    println!("| best split by subject, in hindsight | {} |\n", best.join(" | "));
}

/// The least share of dear calls with which so much is recovered, on straight lines between neighbours of the sweep.
fn needed(curve: &[(f64, f64)], wanted: f64) -> Option<f64> {
    let whole = curve.iter().filter(|point| point.1 >= wanted).map(|point| point.0);
    let between = curve.windows(2).filter(|pair| (pair[0].1 < wanted) != (pair[1].1 < wanted)).map(|pair| {
        let [(share, low), (other, high)] = [pair[0], pair[1]];
        share + (other - share) * (wanted - low) / (high - low)
    });
    whole.chain(between).min_by(f64::total_cmp)
}

fn learning(data: &Data) {
    let routers = [
        ("thompson", Router::Policy("thompson", json!({}))),
        ("ucb1", Router::Policy("ucb1", json!({}))),
        ("ucb1, exploration 0.3", Router::Policy("ucb1", json!({ "exploration": 0.3 }))),
        ("epsilon-greedy", Router::Policy("epsilon-greedy", json!({}))),
        ("pareto", pareto(LAMBDA)),
        ("random", Router::Random),
        ("always cheap", Router::Always(0)),
        ("always dear", Router::Always(1)),
    ];
    println!(
        "A dear call costs {LAMBDA} of a right answer; regret is in rewards, against the better model of each subject.\n"
    );
    println!("| regret of a context after queries | 10 | 25 | 50 | 100 |\n| --- | --: | --: | --: | --: |");
    let passes = routers.map(|(name, router)| (name, pass(data, &router, LAMBDA)));
    for (name, pass) in &passes {
        println!("| {name} | {} |", pass.marks.map(|mark| format!("{:.2}", mark[0])).join(" | "));
    }
    println!(
        "\n| right (dear calls) by queries of a context | 1-10 | 11-25 | 26-50 | 51-100 |\n| --- | --: | --: | --: | --: |"
    );
    for (name, pass) in &passes {
        let cells = pass.marks.map(|[_, right, dear]| format!("{} ({})", percent(right), percent(dear)));
        println!("| {name} | {} |", cells.join(" | "));
    }
    println!();
}

fn subjects(data: &Data) {
    let pass = pass(data, &Router::Policy("thompson", json!({})), LAMBDA);
    println!("| subject | questions | cheap right | dear right | thompson: dear calls | right |");
    println!("| --- | --: | --: | --: | --: | --: |");
    for (index, subject) in data.subjects.iter().enumerate() {
        let count = data.rows.iter().filter(|row| row.subject == index).count();
        let [cheap, dear] = data.quality[index].map(percent);
        let [calls, right] = pass.by_subject[index].map(|sum| percent(sum / count as f64));
        println!("| {subject} | {count} | {cheap} | {dear} | {calls} | {right} |");
    }
}

//! Three problems of two objectives each, less of which is better, and studies of them.

use std::sync::Arc;

use jackfield_plugin_api::{
    Dimension, Goal, Instance, Kind, Objective, Outcome, Random, SearchQuestion, Study, Values, linked_extension,
};
use jackfield_search::hypervolume;
use serde_json::{Value, json};

/// A space, and what comes of values of it.
pub(crate) struct Problem {
    pub(crate) name: &'static str,
    pub(crate) study: Study,
    /// Up to where what is dominated counts.
    reference: [f64; 2],
    objectives: fn(&Values) -> [f64; 2],
}

pub(crate) fn range(name: &str, min: f64, max: f64) -> Dimension {
    Dimension { name: name.to_owned(), min: Some(min), max: Some(max), ..Dimension::default() }
}

pub(crate) fn choices(name: &str, choices: &[&str]) -> Dimension {
    let choices = choices.iter().map(|&choice| json!(choice)).collect();
    Dimension { name: name.to_owned(), choices, ..Dimension::default() }
}

/// The study of a space with objectives `0`, `1` and so on, less of which is better.
pub(crate) fn study(space: Vec<Dimension>, goals: usize) -> Study {
    let goal = |at: usize| Goal { name: at.to_string(), minimize: true };
    Study { space, goals: (0..goals).map(goal).collect(), reports: 0 }
}

/// The last layer of the model that is as if steered.
const LAST: f64 = 29.0;

pub(crate) fn problems() -> [Problem; 3] {
    let component = |name: &str, least: f64| {
        [
            ("max_weight", least, 1.5),
            ("position", 0.6 * LAST, LAST),
            ("min_weight", 0.0, 1.0),
            ("distance", 1.0, 0.6 * LAST),
        ]
        .map(|(key, min, max)| range(&format!("{name}.{key}"), min, max))
    };
    let mut steering = vec![choices("scope", &["global", "per layer"]), range("index", 0.4 * LAST, 0.9 * LAST)];
    steering.extend(component("attn", 0.8));
    steering.extend(component("mlp", -0.25));
    let mixed = vec![
        choices("alg", &["a", "b", "c"]),
        Dimension { log: true, ..range("lr", 1e-5, 1e-1) },
        Dimension { integer: true, ..range("n", 1.0, 8.0) },
        range("x", 0.0, 1.0),
        range("y", -1.0, 1.0),
    ];
    let unit = (0..6).map(|at| range(&format!("x{at}"), 0.0, 1.0)).collect();
    [
        Problem { name: "zdt1-6d", study: study(unit, 2), reference: [1.1, 10.0], objectives: zdt1 },
        Problem { name: "steering-toy", study: study(steering, 2), reference: [1.0, 1.0], objectives: steer },
        Problem { name: "mixed", study: study(mixed, 2), reference: [3.0, 1.5], objectives: mix },
    ]
}

fn number(values: &Values, name: &str) -> f64 {
    values[name].as_f64().expect("a number")
}

/// ZDT1 (Zitzler, Deb and Thiele 2000) in six dimensions.
fn zdt1(values: &Values) -> [f64; 2] {
    let x = [0, 1, 2, 3, 4, 5].map(|at| number(values, &format!("x{at}")));
    let g = 1.0 + 9.0 * x[1..].iter().sum::<f64>() / 5.0;
    [x[0], g * (1.0 - (x[0] / g).sqrt())]
}

/// Something like the share of replies with a marker, in steps, and the damage, where a direction is ablated.
fn steer(values: &Values) -> [f64; 2] {
    let layers = || (0..30).map(f64::from);
    let effect = |layer: f64| libm::exp(-((layer - 17.0) / 5.0).powi(2));
    let all: f64 = layers().map(effect).sum();
    let damage = |layer: f64| (0.6 + 0.9 * (layer / LAST).powi(2) + 0.5 * libm::exp(-layer / 2.0)) / 30.0;
    let weight = |component: &str, layer: f64| {
        let key = |key: &str| number(values, &format!("{component}.{key}"));
        let (far, most) = ((layer - key("position")).abs(), key("max_weight").max(0.0));
        if far > key("distance") { 0.0 } else { most + far / key("distance") * (key("min_weight") * most - most) }
    };
    let per_layer = values["scope"] == "per layer";
    let near = ((number(values, "index") - 0.62 * LAST) / (0.12 * LAST)).powi(2);
    let quality = if per_layer { 0.8 } else { libm::exp(-near) };
    let (mut reached, mut harm) = (0.0, 0.0);
    for layer in layers() {
        let (attention, mlp) = (weight("attn", layer), weight("mlp", layer));
        reached += effect(layer) / all * (0.65 * attention + 0.35 * mlp);
        harm += damage(layer) * (0.35 * attention * attention + 1.1 * mlp * mlp + 0.2 * attention * mlp);
    }
    let rate = 0.97 / (1.0 + libm::exp(10.0 * (quality * reached - 0.45)));
    [(rate * 64.0).round_ties_even() / 64.0, if per_layer { 0.85 } else { 1.0 } * harm]
}

/// Loss and cost by a choice, a rate on a logarithmic scale, a count and two numbers.
fn mix(values: &Values) -> [f64; 2] {
    let (floor, price, best) = match values["alg"].as_str() {
        Some("a") => (0.3, 0.2, -2.0),
        Some("b") => (0.1, 0.5, -3.0),
        _ => (0.0, 1.0, -3.5),
    };
    let [rate, n, x, y] = ["lr", "n", "x", "y"].map(|name| number(values, name));
    let loss =
        floor + (libm::log10(rate) - best).powi(2) / 4.0 + (x - 0.3).powi(2) + 0.4 / n + 0.2 * (y - 0.5 * x).powi(2);
    [loss, price * n / 8.0 + 0.3 * (x - 0.8).powi(2) + 0.3 * (y + 0.2).powi(2)]
}

/// A search, opened.
pub(crate) fn open(name: &str, config: &Value) -> Arc<dyn Instance> {
    let extension = linked_extension(Kind::RoutingPolicy, name).expect("a search");
    extension.open(&config.to_string()).unwrap_or_else(|failure| panic!("{name}: {failure}"))
}

/// The question for the values of a trial in a run of this seed.
pub(crate) fn question(seed: u64, trial: u64) -> SearchQuestion {
    let mut random = Random::new(seed);
    let seed = random.next_u64() ^ trial.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    SearchQuestion { trial, seed: Random::new(seed).next_u64(), ..SearchQuestion::default() }
}

impl Problem {
    /// So many trials, one after the other.
    pub(crate) fn run(&self, search: &dyn Instance, seed: u64, trials: u64) -> Vec<Outcome> {
        let search = search.as_search().expect("a search");
        search.check(&self.study).expect("a study");
        let mut known: Vec<Outcome> = Vec::new();
        for trial in 0..trials {
            let values = search.suggest(&self.study, &known, &question(seed, trial)).expect("values");
            let found = (self.objectives)(&values);
            let objective = |(at, value): (usize, f64)| Objective { name: at.to_string(), value, minimize: true };
            let objectives = found.into_iter().enumerate().map(objective).collect();
            known.push(Outcome { trial: Some(trial), values, objectives, ..Outcome::default() });
        }
        known
    }

    /// How much the trials dominate.
    pub(crate) fn dominated(&self, known: &[Outcome]) -> f64 {
        let point = |outcome: &Outcome| [outcome.objectives[0].value, outcome.objectives[1].value];
        let points: Vec<[f64; 2]> = known.iter().map(point).collect();
        hypervolume(&points.iter().map(|point| point.as_slice()).collect::<Vec<_>>(), &self.reference)
    }
}

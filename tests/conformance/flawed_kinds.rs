//! Direction extractors and routing policies with one flaw each.

use std::sync::{
    Mutex,
    atomic::{AtomicU32, Ordering},
};

use jackfield_loader::Plugin;
use jackfield_plugin_api as api;
use jackfield_plugin_api::{
    __private::{extension_of_extractor, extension_of_policy},
    ContrastSet, Decision, DirectionExtractor, Directions, Failure, Host, LayerDirection, Learns, Outcome, Question,
    Result, RoutingPolicy, TensorRef,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::flawed_services::plugin;

/// Points from the mean of one set to that of the other.
#[derive(api::prelude::Config)]
struct Arrow {
    #[config(default)]
    flaw: String,
    #[serde(skip)]
    last: Mutex<Option<TensorRef>>,
}

/// The mean of the hidden states of a set, a layer after the other.
fn mean(elements: &[f32], width: usize) -> Vec<f64> {
    let mut mean = vec![0.0; width];
    for prompt in elements.chunks_exact(width) {
        mean.iter_mut().zip(prompt).for_each(|(sum, element)| *sum += f64::from(*element));
    }
    let count = (elements.len() / width) as f64;
    mean.iter_mut().for_each(|sum| *sum /= count);
    mean
}

fn norm(vector: &[f64]) -> f64 {
    vector.iter().map(|element| element * element).sum::<f64>().sqrt()
}

impl Arrow {
    fn is(&self, flaw: &str) -> bool {
        self.flaw == flaw
    }

    /// A hidden state that is no number, or sets that do not go together.
    fn held(&self, contrast: &ContrastSet, sets: [&[f32]; 2]) -> Result<[u64; 2]> {
        let invalid = |what: &str| Err(Failure::InvalidInput(what.to_owned()));
        let shapes = [&contrast.positive, &contrast.negative].map(|tensor| tensor.dimensions::<3>());
        if self.is("trusting") {
            let last = |shape: &[u64]| shape.last().copied().unwrap_or(1);
            return Ok([1, last(&contrast.positive.shape).min(last(&contrast.negative.shape))]);
        }
        let [[prompts, layers, d], other] = [shapes[0].clone()?, shapes[1].clone()?];
        if [layers, d] != other[1..] || prompts == 0 || other[0] == 0 {
            return invalid("the sets differ in layers or width, or are empty");
        }
        if !self.is("blind") && sets.iter().any(|set| set.iter().any(|element| !element.is_finite())) {
            return invalid("a hidden state is no number");
        }
        Ok([layers, d])
    }
}

impl DirectionExtractor for Arrow {
    const NAME: &str = "arrow";

    async fn extract(&self, contrast: ContrastSet, host: &Host<'_>) -> Result<Directions> {
        if self.is("stray")
            && let Some(last) = self.last.lock().expect("a lock").replace(contrast.positive.clone())
        {
            let _ = host.tensor(&last);
        }
        let (positive, negative) = (host.tensor(&contrast.positive)?, host.tensor(&contrast.negative)?);
        let (positive, negative) = (positive.to_elements()?, negative.to_elements()?);
        let [layers, d] = self.held(&contrast, [&positive, &negative])?;
        let width = (layers * d) as usize;
        let means = [mean(&positive, width), mean(&negative, width)];
        let (mut directions, mut said) = (Vec::with_capacity(width), Vec::new());
        for layer in 0..layers as usize {
            let of = |mean: &[f64]| mean[layer * d as usize..][..d as usize].to_vec();
            let [here, there] = [of(&means[0]), of(&means[1])];
            let difference: Vec<f64> = here.iter().zip(&there).map(|(a, b)| a - b).collect();
            let length = norm(&difference);
            let degenerate = length <= 1e-9 && !self.is("nan");
            let side = match () {
                () if self.is("backwards") => -1.0,
                () if self.is("headstrong") => difference[0].signum(),
                () => 1.0,
            };
            let scale = match () {
                () if degenerate => 0.0,
                () if self.is("long") => side,
                () => side / length,
            };
            directions.extend(difference.iter().map(|element| (element * scale) as f32));
            said.push(LayerDirection {
                degenerate,
                norm_mean_positive: norm(&here),
                norm_mean_negative: norm(&there),
                norm_difference: length,
                ..LayerDirection::default()
            });
        }
        Ok(Directions { directions: host.keep_tensor(&[layers, d], directions)?, layers: said })
    }
}

pub fn extractor(flaw: &'static str) -> Plugin {
    plugin(extension_of_extractor::<Arrow>("0.1.0"), flaw)
}

/// Picks each arm in turn.
#[derive(api::prelude::Config)]
struct Picker {
    #[config(default)]
    flaw: String,
}

/// What it has seen.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
struct Seen {
    count: u64,
    notes: Vec<String>,
    /// Of this document alone.
    #[serde(skip)]
    here: u64,
}

static MOOD: AtomicU32 = AtomicU32::new(0);

impl RoutingPolicy for Picker {
    const NAME: &str = "picker";
    const LEARNS: Learns = Learns::Reward;
    type State = Seen;

    fn decide(&self, state: &Seen, question: &Question) -> Result<Decision> {
        let count = question.arms.len() as u64;
        let arm = (state.count + question.seed) % count;
        Ok(Decision::for_arm(match self.flaw.as_str() {
            "beyond" => count as u32,
            "moody" => MOOD.fetch_add(1, Ordering::Relaxed) % count as u32,
            _ => arm as u32,
        }))
    }

    fn decide_again(&self, _: &Seen, question: &Question) -> Result<Option<Decision>> {
        if self.flaw == "stubborn" {
            return Ok(question.tried.first().map(|arm| Decision::for_arm(*arm)));
        }
        let left = (0..question.arms.len() as u32).find(|arm| !question.tried.contains(arm));
        Ok(left.map(Decision::for_arm))
    }

    fn learn(&self, state: &mut Seen, outcome: &Outcome) -> Result<()> {
        state.count += 1;
        match self.flaw.as_str() {
            "forgetful" => {
                state.here += 1;
                state.count += state.here;
            }
            "strict" if outcome.reward.is_none() => {
                return Err(Failure::InvalidInput("no reward, no learning".to_owned()));
            }
            "diary" => state.notes.push(format!("{:?}", outcome.reward)),
            _ => {}
        }
        Ok(())
    }
}

pub fn policy(flaw: &'static str) -> Plugin {
    plugin(extension_of_policy::<Picker>("0.1.0"), flaw)
}

//! Training: many small batches of conversations, and AdamW.

use crate::{
    language::{Exchange, HeldOut, exchange},
    model::{Batch, Model},
    random::Random,
    tokenizer::{SPECIAL, Tokenizer},
};

/// How many texts the vocabulary is learned from.
const TEXTS: usize = 4000;
/// How many tokens there are.
const VOCABULARY: usize = 1024;
/// How many batches are learned from, and how many conversations each has.
const STEPS: usize = 900;
const CONVERSATIONS: usize = 16;
/// The largest step of a weight; it is reached after this many batches, and falls to 0 towards the end.
const RATE: f32 = 4e-3;
const WARM_UP: usize = 40;
/// How much of the gradients' means, and of their squares' means, is kept from one batch to the next.
const MOMENTUM: f32 = 0.9;
const SQUARE_MOMENTUM: f32 = 0.98;
/// How much of a matrix is taken away with each step, times the step.
const DECAY: f32 = 0.1;
/// The longest gradient that is followed as it is.
const LONGEST_GRADIENT: f32 = 1.0;

/// A model that has learned to answer prompts, with its weights and its vocabulary. Says on the way how well it does.
pub fn train(random: &mut Random, held_out: &HeldOut) -> (Model, Vec<f32>, Tokenizer) {
    let texts: Vec<Exchange> = (0..TEXTS).map(|_| exchange(random, held_out)).collect();
    let texts = texts.iter().flat_map(|Exchange { prompt, reply }| [prompt.as_str(), reply.as_str()]);
    let tokenizer = Tokenizer::learn(texts, VOCABULARY);
    let model = Model::new(tokenizer.len());
    eprintln!("{} tokens, {} weights", tokenizer.len(), model.size);
    let mut weights = model.weights(random);
    let mut optimizer = Optimizer::new(&model);
    let mut recent = Vec::new();
    for step in 0..STEPS {
        let batch = batch(random, held_out, &tokenizer);
        let (loss, gradient) = model.loss_and_gradient(&weights, &batch);
        optimizer.step(step, &mut weights, &gradient);
        recent.push(loss);
        if (step + 1) % 50 == 0 {
            eprintln!("batch {}: loss {:.3}", step + 1, recent.iter().sum::<f64>() / recent.len() as f64);
            recent.clear();
        }
    }
    (model, weights, tokenizer)
}

/// Conversations of one exchange or of two, some of them with a message of the system before.
fn batch(random: &mut Random, held_out: &HeldOut, tokenizer: &Tokenizer) -> Batch {
    let mut batch = Batch::default();
    let turn = |role: &str| SPECIAL.iter().position(|text| *text == role).map_or(0, |id| id as u32);
    let (system, user, assistant) = (turn("<|system|>"), turn("<|user|>"), turn("<|assistant|>"));
    let end = turn("<|end|>");
    for _ in 0..CONVERSATIONS {
        let start = batch.tokens.len();
        if random.below(8) == 0 {
            batch.tokens.push(system);
            batch.tokens.extend(tokenizer.encode("You are a helpful assistant."));
            batch.tokens.push(end);
        }
        let exchanges = if random.below(8) == 0 { 2 } else { 1 };
        for _ in 0..exchanges {
            let Exchange { prompt, reply } = exchange(random, held_out);
            batch.tokens.push(user);
            batch.tokens.extend(tokenizer.encode(&prompt));
            batch.tokens.extend([end, assistant]);
            for token in tokenizer.encode(&reply).into_iter().chain([end]) {
                batch.targets.push((batch.tokens.len() - 1, token));
                batch.tokens.push(token);
            }
        }
        batch.sequences.push(start..batch.tokens.len());
    }
    batch
}

/// AdamW: steps along the mean gradient over the root of its mean square.
struct Optimizer {
    means: Vec<f32>,
    squares: Vec<f32>,
    /// Whether each weight decays: those of matrices do.
    decays: Vec<bool>,
}

impl Optimizer {
    fn new(model: &Model) -> Self {
        let mut decays = vec![false; model.size];
        for tensor in model.tensors().into_iter().filter(|tensor| !tensor.is_gain()) {
            decays[tensor.range.clone()].fill(true);
        }
        Self { means: vec![0.0; model.size], squares: vec![0.0; model.size], decays }
    }

    fn step(&mut self, step: usize, weights: &mut [f32], gradient: &[f32]) {
        let warm = ((step + 1) as f32 / WARM_UP as f32).min(1.0);
        let rate = RATE * warm * (1.0 - step as f32 / STEPS as f32);
        let length = gradient.iter().map(|d| d * d).sum::<f32>().sqrt();
        let shortened = (LONGEST_GRADIENT / length).min(1.0);
        let power = |base: f32| (0..=step).fold(1.0, |power: f32, _| power * base);
        let (mean_share, square_share) = (1.0 - power(MOMENTUM), 1.0 - power(SQUARE_MOMENTUM));
        for (at, weight) in weights.iter_mut().enumerate() {
            let slope = gradient[at] * shortened;
            self.means[at] = MOMENTUM * self.means[at] + (1.0 - MOMENTUM) * slope;
            self.squares[at] = SQUARE_MOMENTUM * self.squares[at] + (1.0 - SQUARE_MOMENTUM) * slope * slope;
            let mean = self.means[at] / mean_share;
            let deviation = (self.squares[at] / square_share).sqrt() + 1e-8;
            let decay = if self.decays[at] { DECAY * *weight } else { 0.0 };
            *weight -= rate * (mean / deviation + decay);
        }
    }
}

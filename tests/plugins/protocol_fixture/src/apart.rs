//! The kind `direction-extractor`, and states for it.

use jackfield_plugin_api::prelude::*;

/// What `witness-states` reads.
#[derive(Document)]
pub struct Seen {
    /// Any text.
    pub text: String,
}

/// Makes the hidden states of two sets from the seed of the call: the same in layer 0, and apart in layer 1.
#[derive(Config)]
pub struct States {}

impl Analyzer for States {
    const NAME: &'static str = "witness-states";
    const STABILITY: Stability = Stability::Stable;
    type Input = Seen;
    type Output = ContrastSet;

    async fn analyze(&self, _: Seen, host: &Host<'_>) -> Result<ContrastSet> {
        let mut random = host.random();
        let mut set = |side: f32| {
            let mut state = || [1.0, 0.0, side + random.below(8) as f32 / 8.0, random.below(8) as f32 / 8.0];
            let states: Vec<f32> = (0..3).flat_map(|_| state()).collect();
            host.keep_tensor(&[3, 2, 2], states)
        };
        Ok(ContrastSet { positive: set(1.0)?, negative: set(-1.0)? })
    }
}

export_plugin!(States);

/// Points from the mean of one set to that of the other.
#[derive(Config)]
pub struct Apart {}

/// The mean hidden state of a set in a layer, which is read a prompt at a time.
fn mean(name: &str, set: &TensorReader<'_>, layer: u64) -> Result<Vec<f64>> {
    let [prompts, layers, d] = set.shape() else {
        return Err(Failure::InvalidInput(format!("`{name}` has shape {:?}, not [prompts, layers, d]", set.shape())));
    };
    let mut row = vec![0.0; *d as usize];
    let mut sums = vec![0.0; *d as usize];
    for prompt in 0..*prompts {
        set.read((prompt * layers + layer) * d, &mut row)?;
        if row.iter().any(|element| !element.is_finite()) {
            let why = format!("`{name}` has a value that is not a number in layer {layer} of prompt {prompt}");
            return Err(Failure::InvalidInput(why));
        }
        sums.iter_mut().zip(&row).for_each(|(sum, element)| *sum += f64::from(*element));
    }
    Ok(sums.into_iter().map(|sum| sum / *prompts as f64).collect())
}

fn norm(vector: &[f64]) -> f64 {
    vector.iter().map(|element| element * element).sum::<f64>().sqrt()
}

impl DirectionExtractor for Apart {
    const NAME: &'static str = "witness-apart";
    const STABILITY: Stability = Stability::Stable;

    async fn extract(&self, contrast: ContrastSet, host: &Host<'_>) -> Result<Directions> {
        let ([ours, layers, d], [theirs, others, width]) =
            (contrast.positive.dimensions()?, contrast.negative.dimensions()?);
        if (layers, d) != (others, width) || ours == 0 || theirs == 0 {
            return Err(Failure::InvalidInput("the sets differ in layers or width, or one is empty".to_owned()));
        }
        let (positive, negative) = (host.tensor(&contrast.positive)?, host.tensor(&contrast.negative)?);
        let mut directions = host.create_tensor(&[layers, d])?;
        let mut known = Vec::new();
        for layer in 0..layers {
            let (one, other) = (mean("positive", &positive, layer)?, mean("negative", &negative, layer)?);
            let difference: Vec<f64> = one.iter().zip(&other).map(|(one, other)| one - other).collect();
            let length = norm(&difference);
            let degenerate = length <= f64::EPSILON * (norm(&one) + norm(&other));
            let unit = |element: &f64| if degenerate { 0.0 } else { (element / length) as f32 };
            directions.write(&difference.iter().map(unit).collect::<Vec<f32>>())?;
            known.push(LayerDirection {
                degenerate,
                norm_mean_positive: norm(&one),
                norm_mean_negative: norm(&other),
                norm_difference: length,
                ..LayerDirection::default()
            });
        }
        Ok(Directions { directions: directions.finish()?, layers: known })
    }
}

export_plugin!(extractors: Apart);

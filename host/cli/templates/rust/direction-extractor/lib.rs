//! The direction extractor `{{name}}`, and the analyzer `sample-states`, which makes hidden states up.

use jackfield_plugin_api::prelude::*;

/// Takes the difference of the medians, component by component.
///
/// A few prompts that are unlike the others move it less than they move the difference of the means.
#[derive(Config)]
pub struct MedianDifference {}

impl DirectionExtractor for MedianDifference {
    const NAME: &'static str = "{{name}}";

    async fn extract(&self, contrast: ContrastSet, host: &Host<'_>) -> Result<Directions> {
        let (positive, negative) = (host.tensor(&contrast.positive)?, host.tensor(&contrast.negative)?);
        let ([_, layers, d], [_, other_layers, other_d]) =
            (contrast.positive.dimensions::<3>()?, contrast.negative.dimensions::<3>()?);
        let (shape, other) = (positive.shape(), negative.shape());
        if (layers, d) != (other_layers, other_d) {
            let why = format!("sets of shapes {shape:?} and {other:?} cannot be compared");
            return Err(Failure::InvalidInput(why));
        }
        if shape.contains(&0) || other.contains(&0) {
            return Err(Failure::InvalidInput(format!("a set is empty: {shape:?}, {other:?}")));
        }
        let mut directions = host.create_tensor(&[layers, d])?;
        let mut known = Vec::new();
        // A layer at a time: the tensors may be larger than the memory.
        for layer in 0..layers {
            let positive = columns("positive", &positive, layer)?;
            let (direction, diagnostics) = compared(&positive, &columns("negative", &negative, layer)?);
            directions.write(&direction)?;
            known.push(diagnostics);
        }
        Ok(Directions { directions: directions.finish()?, layers: known })
    }
}

/// The direction of a layer, and what is known of it.
fn compared(positive: &[Vec<f64>], negative: &[Vec<f64>]) -> (Vec<f32>, LayerDirection) {
    let means = [positive, negative].map(|columns| columns.iter().map(|column| mean(column)).collect::<Vec<f64>>());
    let norms = means.each_ref().map(|means| norm(means));
    let medians = positive.iter().zip(negative);
    let difference: Vec<f64> = medians.map(|(positive, negative)| median(positive) - median(negative)).collect();
    let length = norm(&difference);
    let direction = difference.iter().map(|one| if length > 0.0 { (one / length) as f32 } else { 0.0 }).collect();
    let pairs = || means[0].iter().zip(&means[1]);
    let along: f64 = pairs().map(|(one, other)| one * other).sum();
    let mut known = LayerDirection {
        degenerate: length == 0.0,
        norm_mean_positive: norms[0],
        norm_mean_negative: norms[1],
        norm_difference: norm(&pairs().map(|(one, other)| one - other).collect::<Vec<f64>>()),
        cos_means: (norms[0] > 0.0 && norms[1] > 0.0).then(|| along / (norms[0] * norms[1])),
        ..LayerDirection::default()
    };
    known.extra.insert("norm_median_difference".to_owned(), json!(length));
    (direction, known)
}

/// The components of a layer, each with its values over all prompts in order of size.
fn columns(name: &str, tensor: &TensorReader<'_>, layer: u64) -> Result<Vec<Vec<f64>>> {
    let [prompts, layers, d] = [0, 1, 2].map(|dimension| tensor.shape()[dimension]);
    let mut row = vec![0.0; d as usize];
    let mut columns = vec![Vec::with_capacity(prompts as usize); d as usize];
    for prompt in 0..prompts {
        tensor.read((prompt * layers + layer) * d, &mut row)?;
        if !row.iter().all(|value| value.is_finite()) {
            let why = format!("`{name}`: prompt {prompt} has a value in layer {layer} that is not a number");
            return Err(Failure::InvalidInput(why));
        }
        for (column, value) in columns.iter_mut().zip(&row) {
            column.push(f64::from(*value));
        }
    }
    for column in &mut columns {
        column.sort_by(f64::total_cmp);
    }
    Ok(columns)
}

fn mean(column: &[f64]) -> f64 {
    column.iter().sum::<f64>() / column.len() as f64
}

fn median(column: &[f64]) -> f64 {
    let middle = column.len() / 2;
    if column.len() % 2 == 1 { column[middle] } else { (column[middle - 1] + column[middle]) / 2.0 }
}

fn norm(vector: &[f64]) -> f64 {
    vector.iter().map(|one| one * one).sum::<f64>().sqrt()
}

/// What `sample-states` reads.
#[derive(Document)]
pub struct Text {
    /// Any text: each item has hidden states of its own.
    pub text: String,
}

/// Makes hidden states up.
///
/// The two sets differ in the first component of every layer but the embeddings.
#[derive(Config)]
pub struct SampleStates {
    /// Prompts a set.
    #[config(default = 8)]
    #[schemars(range(min = 1, max = 512))]
    pub prompts: u64,
    /// Layers, the embeddings among them.
    #[config(default = 3)]
    #[schemars(range(min = 1, max = 64))]
    pub layers: u64,
    /// Width of a layer.
    #[config(default = 16)]
    #[schemars(range(min = 1, max = 4096))]
    pub d: u64,
}

impl Analyzer for SampleStates {
    const NAME: &'static str = "sample-states";
    type Input = Text;
    type Output = ContrastSet;

    fn open(self) -> Result<Self> {
        let options = [("prompts", self.prompts, 512), ("layers", self.layers, 64), ("d", self.d, 4096)];
        for (name, value, most) in options {
            if value < 1 || value > most {
                return Err(Failure::InvalidConfig(format!("`{name}`: {value} lies outside 1 to {most}")));
            }
        }
        Ok(self)
    }

    async fn analyze(&self, _text: Text, host: &Host<'_>) -> Result<ContrastSet> {
        let mut random = host.random();
        let mut made = |shift: f64| {
            let mut states = Vec::new();
            for at in 0..self.prompts * self.layers * self.d {
                let moved = if at.is_multiple_of(self.d) { shift } else { 0.0 };
                let embeddings = (at / self.d).is_multiple_of(self.layers);
                states.push(if embeddings { 1.0 } else { (random.next_f64() - 0.5 + moved) as f32 });
            }
            host.keep_tensor(&[self.prompts, self.layers, self.d], states)
        };
        Ok(ContrastSet { positive: made(2.0)?, negative: made(0.0)? })
    }
}

export_plugin!(extractors: MedianDifference);
export_plugin!(SampleStates);

#[cfg(test)]
mod tests {
    use jackfield_plugin_api::{
        Document, FromDocument as _, Kind,
        prelude::*,
        testing::{FakeHost, call},
    };

    /// The directions of two sets of these shapes, and what is known of each layer.
    fn extracted(
        (shape, positive): ([u64; 3], &[f32]),
        (other, negative): ([u64; 3], &[f32]),
    ) -> Result<(Vec<f32>, Value)> {
        let host = FakeHost::default();
        let contrast =
            ContrastSet { positive: host.add_tensor(&shape, positive), negative: host.add_tensor(&other, negative) };
        let mut answer = call(Kind::DirectionExtractor, "{{name}}", json!({}), json!(contrast), &host)?;
        let directions = TensorRef::from_document(Document::new(answer["directions"].to_string()))?;
        assert_eq!(directions.shape, shape[1..]);
        Ok((host.tensor(&directions).expect("held").to_vec(), answer["layers"].take()))
    }

    #[test]
    fn one_prompt_that_is_unlike_the_others_does_not_move_it() {
        // Prompts of two layers of two components each.
        let positive = [1.0, 1.0, 0.0, 3.0, 1.0, 1.0, 0.0, 5.0, 1.0, 1.0, 900.0, 4.0];
        let negative = [1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0];
        let (directions, layers) = extracted(([3, 2, 2], &positive), ([2, 2, 2], &negative)).unwrap();
        assert_eq!(directions, [0.0, 0.0, 0.0, 1.0]);
        assert_eq!((&layers[0]["degenerate"], &layers[1]["degenerate"]), (&json!(true), &json!(false)));
        assert_eq!(layers[1]["norm_median_difference"], 4.0);
        assert_eq!(layers[1]["norm_mean_negative"], 0.0);
        assert_eq!(layers[1].get("cos_means"), None);
        assert!((layers[0]["cos_means"].as_f64().unwrap() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn what_is_not_a_number_is_named_with_its_place() {
        let mut positive = [0.0; 12];
        positive[10] = f32::NAN;
        let why = "`positive`: prompt 2 has a value in layer 1 that is not a number";
        let found = extracted(([3, 2, 2], &positive), ([2, 2, 2], &[0.0; 8]));
        assert_eq!(found, Err(Failure::InvalidInput(why.to_owned())));
    }

    #[test]
    fn sets_that_cannot_be_compared_are_refused() {
        let refused = |found: Result<_>, why: &str| {
            assert!(matches!(found, Err(Failure::InvalidInput(message)) if message.contains(why)), "{why}");
        };
        refused(extracted(([3, 2, 2], &[0.0; 12]), ([2, 1, 3], &[0.0; 6])), "cannot be compared");
        refused(extracted(([0, 2, 2], &[]), ([2, 2, 2], &[0.0; 8])), "is empty");
    }

    #[test]
    fn a_direction_is_found_in_what_is_made_up() {
        let host = FakeHost::default();
        let contrast = call(Kind::Analyzer, "sample-states", json!({}), json!({ "text": "" }), &host).unwrap();
        assert_eq!(contrast["negative"]["shape"], json!([8, 3, 16]));
        let answer = call(Kind::DirectionExtractor, "{{name}}", json!({}), contrast, &host).unwrap();
        let degenerate = [0, 1, 2].map(|layer| answer["layers"][layer]["degenerate"].as_bool());
        assert_eq!(degenerate, [Some(true), Some(false), Some(false)]);
    }

    #[test]
    fn an_option_out_of_its_range_is_refused() {
        let made =
            call(Kind::Analyzer, "sample-states", json!({ "layers": 0 }), json!({ "text": "" }), &FakeHost::default());
        assert!(matches!(made, Err(Failure::InvalidConfig(why)) if why.contains("`layers`: 0 lies outside")));
    }
}

//! Analyzers that make tensors which travel by reference, read them, and want those of others.

use jackfield_plugin_api::prelude::*;

use crate::Text;

/// Makes a tensor of shape `[rows, 4]` of a text: the elements follow from its letters.
#[derive(Config)]
pub(crate) struct Makes {
    /// How many rows it has.
    #[config(default = 3)]
    pub(crate) rows: u64,
}

/// A tensor that was made.
#[derive(Document)]
pub(crate) struct Made {
    /// The text.
    pub(crate) text: String,
    /// The tensor.
    pub(crate) tensor: TensorRef,
    /// The same in a list.
    pub(crate) all: Vec<TensorRef>,
}

impl Analyzer for Makes {
    const NAME: &str = "makes";
    type Input = Text;
    type Output = Made;

    async fn analyze(&self, input: Text, host: &Host<'_>) -> Result<Made> {
        let letters = input.text.as_bytes();
        let element =
            |at: u64| letters.get(at as usize % letters.len().max(1)).map_or(0.0, |letter| f32::from(*letter));
        let mut writer = host.create_tensor(&[self.rows, 4])?;
        for row in 0..self.rows {
            writer.write(&[row as f32, element(row), element(row + 1), -0.0])?;
        }
        let tensor = writer.finish()?;
        Ok(Made { text: input.text, all: vec![tensor.clone(), tensor.clone()], tensor })
    }
}

/// Reads a tensor, three elements at a time, and hands it on.
#[derive(Config)]
pub(crate) struct Sums {}

/// A tensor to read.
#[derive(Document)]
pub(crate) struct Given {
    /// The tensor.
    pub(crate) tensor: TensorRef,
}

/// The sum of a tensor's elements.
#[derive(Document)]
pub(crate) struct Sum {
    /// The sum.
    pub(crate) sum: f64,
    /// How many there are.
    pub(crate) count: u64,
    /// The tensor.
    pub(crate) tensor: TensorRef,
}

fn sum_of(tensor: &TensorRef, host: &Host<'_>) -> Result<f64> {
    let reader = host.tensor(tensor)?;
    let count = tensor.element_count().unwrap_or_default();
    let mut sum = 0.0;
    let mut at = 0;
    while at < count {
        let mut slice = vec![0.0; (count - at).min(3) as usize];
        reader.read(at, &mut slice)?;
        sum += slice.iter().map(|element| f64::from(*element)).sum::<f64>();
        at += slice.len() as u64;
    }
    Ok(sum)
}

impl Analyzer for Sums {
    const NAME: &str = "sums";
    type Input = Given;
    type Output = Sum;

    async fn analyze(&self, input: Given, host: &Host<'_>) -> Result<Sum> {
        let sum = sum_of(&input.tensor, host)?;
        Ok(Sum { sum, count: input.tensor.element_count().unwrap_or_default(), tensor: input.tensor })
    }
}

/// Does with tensors what it must not, where its text is `bad`.
#[derive(Config)]
pub(crate) struct Pries {
    /// What.
    pub(crate) how: How,
    /// A tensor of somebody else: its SHA-256. It has the shape that [`Makes`] gives by default.
    #[config(default = "0".repeat(64))]
    pub(crate) sha256: String,
}

/// What is done.
#[derive(Document, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum How {
    /// Opens the tensor of somebody else.
    Opens,
    /// Answers with it.
    Names,
    /// Opens its own with another shape.
    Reshapes,
    /// Answers with its own, with another shape.
    Lies,
    /// Makes tensors without end.
    Endless,
    /// Writes more than there are.
    Overflows,
    /// Finishes before all are there.
    Early,
    /// Makes a tensor with too many dimensions.
    Deep,
    /// Does nothing of the kind.
    Behaves,
}

/// What came of it.
#[derive(Document)]
pub(crate) struct Pried {
    /// A tensor.
    pub(crate) tensor: TensorRef,
}

impl Analyzer for Pries {
    const NAME: &str = "pries";
    type Input = Text;
    type Output = Pried;

    async fn analyze(&self, input: Text, host: &Host<'_>) -> Result<Pried> {
        let own = host.keep_tensor(&[2, 2], vec![1.0, 2.0, 3.0, 4.0])?;
        let foreign = TensorRef { sha256: self.sha256.clone(), shape: vec![3, 4], ..own.clone() };
        let other_shape = TensorRef { shape: vec![5], ..own.clone() };
        let how = if input.is_bad() { self.how } else { How::Behaves };
        let tensor = match how {
            How::Opens => {
                sum_of(&foreign, host)?;
                own
            }
            How::Names => foreign,
            How::Reshapes => {
                sum_of(&other_shape, host)?;
                own
            }
            How::Lies => other_shape,
            How::Endless => {
                let mut row = 0.0;
                loop {
                    host.keep_tensor(&[1 << 16], vec![row; 1 << 16])?;
                    row += 1.0;
                }
            }
            How::Overflows => {
                let mut writer = host.create_tensor(&[2])?;
                writer.write(&[1.0])?;
                writer.write(&[2.0, 3.0])?;
                writer.finish()?
            }
            How::Early => {
                let mut writer = host.create_tensor(&[3])?;
                writer.write(&[1.0, 2.0])?;
                writer.finish()?
            }
            How::Deep => host.keep_tensor(&[1; 9], vec![1.0])?,
            How::Behaves => {
                sum_of(&own, host)?;
                own
            }
        };
        Ok(Pried { tensor })
    }
}

/// Carries tensors with its answer: so many bytes of them.
#[derive(Config)]
pub(crate) struct Carries {
    /// How many elements.
    #[config(default = 4)]
    pub(crate) elements: usize,
}

impl Analyzer for Carries {
    const NAME: &str = "carries";
    type Input = Text;
    type Output = WithTensors<Text>;

    async fn analyze(&self, input: Text, _host: &Host<'_>) -> Result<WithTensors<Text>> {
        let data: Vec<f32> = (0..self.elements).map(|at| at as f32).collect();
        let tensor = Tensor { name: "counts".to_owned(), shape: vec![data.len() as u64], data: data.into() };
        Ok(WithTensors { value: input, tensors: vec![tensor] })
    }
}

/// Counts the elements that came with a text.
#[derive(Config)]
pub(crate) struct Weighs {}

/// How many there were.
#[derive(Document)]
pub(crate) struct Weight {
    /// Elements.
    pub(crate) elements: u64,
}

impl Analyzer for Weighs {
    const NAME: &str = "weighs";
    type Input = WithTensors<Text>;
    type Output = Weight;

    async fn analyze(&self, input: WithTensors<Text>, _host: &Host<'_>) -> Result<Weight> {
        Ok(Weight { elements: input.tensors.iter().map(|tensor| tensor.data.len() as u64).sum() })
    }
}

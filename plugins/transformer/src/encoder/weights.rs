//! From named tensors to the weights of a sentence encoder.

use super::{arithmetic::Norm, settings::Settings};
use crate::{
    load::{LoadFault, Tensors},
    matrix::Matrix,
};

/// The tensor by whose name that of all others begins is found.
const WORDS: &str = "embeddings.word_embeddings.weight";
const POSITIONS: &str = "embeddings.position_embeddings.weight";
const TYPES: &str = "embeddings.token_type_embeddings.weight";

/// Weights, ready for products.
#[derive(Debug)]
pub(super) struct EncoderWeights {
    /// A row for each token of the vocabulary.
    pub(super) words: Vec<f32>,
    /// A row for each position, with that of the first type added.
    pub(super) positions: Vec<f32>,
    pub(super) norm: Norm,
    pub(super) layers: Vec<EncoderLayer>,
}

#[derive(Debug)]
pub(super) struct EncoderLayer {
    /// Of all heads' queries, then of their keys, then of their values.
    pub(super) queries_keys_values: Dense,
    pub(super) attention_output: Dense,
    pub(super) attention_norm: Norm,
    pub(super) inner: Dense,
    pub(super) output: Dense,
    pub(super) output_norm: Norm,
}

/// A matrix, and an offset for each output.
#[derive(Debug)]
pub(super) struct Dense {
    pub(super) matrix: Matrix,
    pub(super) offset: Vec<f32>,
}

impl EncoderWeights {
    /// Reads the weights. All shapes are checked before memory is taken for any of them; tensors that an encoder does not
    /// have, such as those of a head for some task, are passed over.
    pub(super) fn read(tensors: &mut dyn Tensors, settings: &Settings) -> Result<Self, LoadFault> {
        let prefix = prefix(tensors)?;
        let mut named = NamedTensors { tensors, prefix, epsilon: settings.epsilon };
        named.check(settings)?;
        let hidden = settings.hidden;
        let words = named.table(WORDS)?;
        let mut positions = named.table(POSITIONS)?;
        let types = named.table(TYPES)?;
        for position in positions.chunks_exact_mut(hidden) {
            position.iter_mut().zip(&types).for_each(|(x, offset)| *x += offset);
        }
        let norm = named.norm("embeddings")?;
        let mut layers = Vec::with_capacity(settings.layers);
        for layer in 0..settings.layers {
            layers.push(named.layer(layer, settings)?);
        }
        Ok(Self { words, positions, norm, layers })
    }
}

/// What the names of all tensors begin with: models with a head for some task on top keep the encoder under a name of its own.
fn prefix(tensors: &dyn Tensors) -> Result<String, LoadFault> {
    let names = tensors.names().into_iter().filter_map(|name| name.strip_suffix(WORDS));
    let mut prefixes = names.filter(|prefix| prefix.is_empty() || prefix.ends_with('.'));
    match (prefixes.next(), prefixes.next()) {
        (None, _) => Err(LoadFault::MissingTensor(WORDS.to_owned())),
        (Some(prefix), None) => Ok(prefix.to_owned()),
        (Some(_), Some(_)) => Err(LoadFault::Twice(WORDS.to_owned())),
    }
}

struct NamedTensors<'a> {
    tensors: &'a mut dyn Tensors,
    prefix: String,
    epsilon: f64,
}

impl NamedTensors<'_> {
    /// Whether the tensors have the shapes that the settings make them have. A number of layers that is too large ends at the
    /// first that is missing.
    fn check(&self, settings: &Settings) -> Result<(), LoadFault> {
        let &Settings { vocabulary, positions, types, hidden, inner, .. } = settings;
        self.expect(WORDS, &[vocabulary, hidden])?;
        self.expect(POSITIONS, &[positions, hidden])?;
        self.expect(TYPES, &[types, hidden])?;
        self.expect_norm("embeddings", hidden)?;
        for layer in 0..settings.layers {
            for (part, outputs, inputs) in [
                ("attention.self.query", hidden, hidden),
                ("attention.self.key", hidden, hidden),
                ("attention.self.value", hidden, hidden),
                ("attention.output.dense", hidden, hidden),
                ("intermediate.dense", inner, hidden),
                ("output.dense", hidden, inner),
            ] {
                self.expect(&format!("encoder.layer.{layer}.{part}.weight"), &[outputs, inputs])?;
                self.expect(&format!("encoder.layer.{layer}.{part}.bias"), &[outputs])?;
            }
            self.expect_norm(&format!("encoder.layer.{layer}.attention.output"), hidden)?;
            self.expect_norm(&format!("encoder.layer.{layer}.output"), hidden)?;
        }
        Ok(())
    }

    fn expect_norm(&self, name: &str, hidden: usize) -> Result<(), LoadFault> {
        ["weight", "bias"].into_iter().try_for_each(|part| self.expect(&format!("{name}.LayerNorm.{part}"), &[hidden]))
    }

    fn expect(&self, name: &str, wanted: &[usize]) -> Result<(), LoadFault> {
        let name = format!("{}{name}", self.prefix);
        let wanted: Vec<u64> = wanted.iter().map(|&length| length as u64).collect();
        match self.tensors.shape(&name) {
            None => Err(LoadFault::MissingTensor(name)),
            Some(found) if found == wanted => Ok(()),
            Some(found) => Err(LoadFault::WrongShape { found: found.to_vec(), tensor: name, wanted }),
        }
    }

    fn layer(&mut self, layer: usize, settings: &Settings) -> Result<EncoderLayer, LoadFault> {
        let (hidden, inner) = (settings.hidden, settings.inner);
        let at = format!("encoder.layer.{layer}");
        let attention = ["query", "key", "value"].map(|part| format!("{at}.attention.self.{part}"));
        Ok(EncoderLayer {
            queries_keys_values: self.dense(&attention, hidden, hidden)?,
            attention_output: self.dense(&[format!("{at}.attention.output.dense")], hidden, hidden)?,
            attention_norm: self.norm(&format!("{at}.attention.output"))?,
            inner: self.dense(&[format!("{at}.intermediate.dense")], inner, hidden)?,
            output: self.dense(&[format!("{at}.output.dense")], hidden, inner)?,
            output_norm: self.norm(&format!("{at}.output"))?,
        })
    }

    /// Matrices of so many outputs each, as one.
    fn dense(&mut self, parts: &[String], outputs: usize, inputs: usize) -> Result<Dense, LoadFault> {
        let out_of_memory = || LoadFault::OutOfMemory { what: parts[0].clone() };
        let all = outputs.checked_mul(parts.len()).ok_or_else(out_of_memory)?;
        let mut matrix = Matrix::zeros(all, inputs).ok_or_else(out_of_memory)?;
        let mut offset = Vec::with_capacity(all);
        for (index, part) in parts.iter().enumerate() {
            let first = index * outputs;
            let name = format!("{}{part}.weight", self.prefix);
            self.tensors.rows(&name, &mut |row, weights| matrix.set_row(first + row, weights))?;
            offset.extend(self.table(&format!("{part}.bias"))?);
        }
        Ok(Dense { matrix, offset })
    }

    fn norm(&mut self, name: &str) -> Result<Norm, LoadFault> {
        let gain = self.table(&format!("{name}.LayerNorm.weight"))?;
        Ok(Norm { gain, offset: self.table(&format!("{name}.LayerNorm.bias"))?, epsilon: self.epsilon })
    }

    /// The rows of a tensor, one after the other.
    fn table(&mut self, name: &str) -> Result<Vec<f32>, LoadFault> {
        let name = format!("{}{name}", self.prefix);
        let length: u64 = self.tensors.shape(&name).unwrap_or_default().iter().product();
        let mut table = Vec::new();
        let reserved = usize::try_from(length).is_ok_and(|length| table.try_reserve_exact(length).is_ok());
        if !reserved {
            return Err(LoadFault::OutOfMemory { what: name });
        }
        self.tensors.rows(&name, &mut |_, row| table.extend_from_slice(row))?;
        Ok(table)
    }
}

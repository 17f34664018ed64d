//! From named tensors to the weights of a model.

use std::collections::BTreeSet;

use super::{LoadFault, Reserve, gguf_model::FACTORS, tensors::Tensors};
use crate::{
    Architecture,
    matrix::Matrix,
    weights::{Layer, Weights},
};

/// How a format names tensors, and orders the rows of queries and keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// As Hugging Face does: a head's row has the first component of each pair, then the second of each.
    Folder,
    /// As llama.cpp does: a head's row has the components of each pair side by side.
    Gguf,
}

/// A tensor of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    AttentionNorm,
    Queries,
    Keys,
    Values,
    AttentionOutput,
    MlpNorm,
    Gate,
    Up,
    Down,
}

impl Part {
    const ALL: [Self; 9] = [
        Self::AttentionNorm,
        Self::Queries,
        Self::Keys,
        Self::Values,
        Self::AttentionOutput,
        Self::MlpNorm,
        Self::Gate,
        Self::Up,
        Self::Down,
    ];

    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::AttentionNorm => ("input_layernorm", "attn_norm"),
            Self::Queries => ("self_attn.q_proj", "attn_q"),
            Self::Keys => ("self_attn.k_proj", "attn_k"),
            Self::Values => ("self_attn.v_proj", "attn_v"),
            Self::AttentionOutput => ("self_attn.o_proj", "attn_output"),
            Self::MlpNorm => ("post_attention_layernorm", "ffn_norm"),
            Self::Gate => ("mlp.gate_proj", "ffn_gate"),
            Self::Up => ("mlp.up_proj", "ffn_up"),
            Self::Down => ("mlp.down_proj", "ffn_down"),
        }
    }

    fn shape(self, architecture: &Architecture) -> Vec<usize> {
        match self {
            Self::AttentionNorm | Self::MlpNorm => vec![architecture.hidden],
            Self::Queries => vec![architecture.queries(), architecture.hidden],
            Self::Keys | Self::Values => vec![architecture.keys(), architecture.hidden],
            Self::AttentionOutput => vec![architecture.hidden, architecture.queries()],
            Self::Gate | Self::Up => vec![architecture.inner, architecture.hidden],
            Self::Down => vec![architecture.hidden, architecture.inner],
        }
    }
}

impl Format {
    fn part(self, layer: usize, part: Part) -> String {
        let (folder, gguf) = part.names();
        match self {
            Self::Folder => format!("model.layers.{layer}.{folder}.weight"),
            Self::Gguf => format!("blk.{layer}.{gguf}.weight"),
        }
    }

    const fn embedding(self) -> &'static str {
        match self {
            Self::Folder => "model.embed_tokens.weight",
            Self::Gguf => "token_embd.weight",
        }
    }

    const fn final_norm(self) -> &'static str {
        match self {
            Self::Folder => "model.norm.weight",
            Self::Gguf => "output_norm.weight",
        }
    }

    const fn head(self) -> &'static str {
        match self {
            Self::Folder => "lm_head.weight",
            Self::Gguf => "output.weight",
        }
    }

    /// Whether a tensor says nothing that is not said elsewhere.
    fn is_needless(self, name: &str) -> bool {
        match self {
            Self::Folder => name == self.head() || name.ends_with(".rotary_emb.inv_freq"),
            Self::Gguf => name == FACTORS,
        }
    }
}

/// What a folder calls the tensors of a block, in the order of [`Layer`], with the matrices that lie below one another apart.
pub(crate) struct TensorNames {
    pub(crate) attention_norm: String,
    pub(crate) queries_keys_values: [String; 3],
    pub(crate) attention_output: String,
    pub(crate) mlp_norm: String,
    pub(crate) gate_up: [String; 2],
    pub(crate) down: String,
}

/// What a folder calls the tensors of a block.
pub(crate) fn tensor_names(layer: usize) -> TensorNames {
    let name = |part| Format::Folder.part(layer, part);
    TensorNames {
        attention_norm: name(Part::AttentionNorm),
        queries_keys_values: [Part::Queries, Part::Keys, Part::Values].map(name),
        attention_output: name(Part::AttentionOutput),
        mlp_norm: name(Part::MlpNorm),
        gate_up: [Part::Gate, Part::Up].map(name),
        down: name(Part::Down),
    }
}

/// What a folder calls the embeddings, the last norm and the head.
pub(crate) const ENDS: [&str; 3] = [Format::Folder.embedding(), Format::Folder.final_norm(), Format::Folder.head()];

/// Reads the weights of a model. All shapes are checked, and memory is reserved, before any is taken.
///
/// # Errors
/// [`LoadFault`] for tensors that are missing, unknown, of a wrong shape, not finite, or too large for memory.
pub(super) fn weights(
    tensors: &mut dyn Tensors,
    format: Format,
    architecture: &Architecture,
    reserve: &mut Reserve<'_>,
) -> Result<Weights, LoadFault> {
    check(tensors, format, architecture)?;
    let bytes = architecture.weight_bytes().ok_or_else(|| LoadFault::OutOfMemory { what: "the model".to_owned() })?;
    reserve(bytes).map_err(LoadFault::MemoryShort)?;
    let mut layers = Vec::with_capacity(architecture.layers);
    for layer in 0..architecture.layers {
        layers.push(read_layer(tensors, format, architecture, layer)?);
    }
    let (vocabulary, hidden) = (architecture.vocabulary, architecture.hidden);
    let mut whole = |name: &str| -> Result<Matrix, LoadFault> {
        let mut matrix = zeros(name, vocabulary, hidden)?;
        tensors.rows(name, &mut |row, weights| matrix.set_row(row, weights))?;
        Ok(matrix)
    };
    let embedding = whole(format.embedding())?;
    let head = if architecture.tied { None } else { Some(whole(format.head())?) };
    Ok(Weights { embedding, head, final_norm: vector(tensors, format.final_norm())?, layers })
}

/// Whether the tensors are those of the architecture.
///
/// # Errors
/// [`LoadFault`] for tensors that are missing, unknown or of a wrong shape.
pub(super) fn check(tensors: &dyn Tensors, format: Format, architecture: &Architecture) -> Result<(), LoadFault> {
    let mut expected = BTreeSet::new();
    let mut expect = |name: String, wanted: &[usize]| {
        let found = tensors.shape(&name).ok_or_else(|| LoadFault::MissingTensor(name.clone()))?;
        let wanted: Vec<u64> = wanted.iter().map(|&length| length as u64).collect();
        if found != wanted {
            return Err(LoadFault::WrongShape { tensor: name, found: found.to_vec(), wanted });
        }
        expected.insert(name);
        Ok(())
    };
    let vocabulary = [architecture.vocabulary, architecture.hidden];
    expect(format.embedding().to_owned(), &vocabulary)?;
    if !architecture.tied {
        expect(format.head().to_owned(), &vocabulary)?;
    }
    expect(format.final_norm().to_owned(), &[architecture.hidden])?;
    for layer in 0..architecture.layers {
        for part in Part::ALL {
            expect(format.part(layer, part), &part.shape(architecture))?;
        }
    }
    let is_unknown = |name: &&str| !expected.contains(*name) && !format.is_needless(name);
    match tensors.names().into_iter().find(is_unknown) {
        None => Ok(()),
        Some(name) => Err(LoadFault::UnknownTensor(name.to_owned())),
    }
}

fn read_layer(
    tensors: &mut dyn Tensors,
    format: Format,
    architecture: &Architecture,
    layer: usize,
) -> Result<Layer, LoadFault> {
    let (queries, keys, head) = (architecture.queries(), architecture.keys(), architecture.head);
    let name = |part| format.part(layer, part);
    let mut stacked = |parts: &[(Part, usize)], inputs: usize| -> Result<Matrix, LoadFault> {
        let outputs = parts.iter().map(|(_, rows)| rows).sum();
        let mut matrix = zeros(&name(parts[0].0), outputs, inputs)?;
        let mut first = 0;
        for &(part, rows) in parts {
            tensors.rows(&name(part), &mut |row, weights| {
                let row = if matches!(part, Part::Queries | Part::Keys) { format.row_of(row, head) } else { row };
                matrix.set_row(first + row, weights);
            })?;
            first += rows;
        }
        Ok(matrix)
    };
    let (hidden, inner) = (architecture.hidden, architecture.inner);
    Ok(Layer {
        queries_keys_values: stacked(&[(Part::Queries, queries), (Part::Keys, keys), (Part::Values, keys)], hidden)?,
        attention_output: stacked(&[(Part::AttentionOutput, hidden)], queries)?,
        gate_up: stacked(&[(Part::Gate, inner), (Part::Up, inner)], hidden)?,
        down: stacked(&[(Part::Down, hidden)], inner)?,
        attention_norm: vector(tensors, &name(Part::AttentionNorm))?,
        mlp_norm: vector(tensors, &name(Part::MlpNorm))?,
    })
}

impl Format {
    /// Where a row of queries or keys goes: first components of pairs first.
    const fn row_of(self, row: usize, head: usize) -> usize {
        match self {
            Self::Folder => row,
            Self::Gguf => row / head * head + row % 2 * (head / 2) + row % head / 2,
        }
    }
}

fn vector(tensors: &mut dyn Tensors, name: &str) -> Result<Vec<f32>, LoadFault> {
    let mut vector = Vec::new();
    tensors.rows(name, &mut |_, row| vector.extend_from_slice(row))?;
    Ok(vector)
}

fn zeros(name: &str, outputs: usize, inputs: usize) -> Result<Matrix, LoadFault> {
    Matrix::zeros(outputs, inputs).ok_or_else(|| LoadFault::OutOfMemory { what: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_pairs_become_halves() {
        let rows: Vec<usize> = (0..8).map(|row| Format::Gguf.row_of(row, 4)).collect();
        assert_eq!(rows, [0, 2, 1, 3, 4, 6, 5, 7]);
        assert_eq!(Format::Folder.row_of(5, 4), 5);
    }
}

//! What the metadata of a GGUF file say of a model of the Llama family.

use std::ops::RangeInclusive;

use super::{
    LoadFault,
    config::{MOST_HEADS, MOST_HIDDEN, MOST_INNER, MOST_LAYERS, MOST_TOKENS, check_heads, check_tokens, head_length},
    gguf::{Metadata, Texts, Value},
    json::missing,
    tensors::Tensors,
};
use crate::{Architecture, architecture::RopeScaling};

/// The tensor with a divisor for each frequency, where there is one.
pub(super) const FACTORS: &str = "rope_freqs.weight";

/// Reads the metadata, and the divisors of frequencies.
///
/// # Errors
/// [`LoadFault`] for a model that does not run here.
pub(super) fn architecture(metadata: &Metadata, tensors: &mut dyn Tensors) -> Result<Architecture, LoadFault> {
    let keys = Keys(metadata);
    match keys.text("general.architecture")?.ok_or_else(|| missing("general.architecture"))? {
        "llama" => {}
        other => return Err(LoadFault::UnknownArchitecture(other.to_owned())),
    }
    if keys.whole("llama.expert_count", 0..=u64::MAX)?.is_some_and(|experts| experts > 0) {
        return Err(LoadFault::UnknownArchitecture("llama with experts".to_owned()));
    }
    if keys.whole("split.count", 0..=u64::MAX)?.is_some_and(|files| files > 1) {
        let why = "the model is split over several files; join them by `gguf-split --merge`".to_owned();
        return Err(LoadFault::WrongKey { key: "split.count".to_owned(), why });
    }
    let size =
        |key: &str, most: u64| Ok::<_, LoadFault>(keys.whole(key, 1..=most)?.ok_or_else(|| missing(key))? as usize);
    let (hidden, heads) =
        (size("llama.embedding_length", MOST_HIDDEN)?, size("llama.attention.head_count", MOST_HEADS)?);
    let stated_length = keys.whole("llama.attention.key_length", 1..=MOST_HEADS)?.map(|head| head as usize);
    let head = head_length(hidden, heads, stated_length)?;
    for key in ["llama.attention.value_length", "llama.rope.dimension_count"] {
        if let Some(found) = keys.whole(key, 0..=u64::MAX)?
            && found != head as u64
        {
            return Err(LoadFault::WrongKey {
                key: key.to_owned(),
                why: format!("it is {found}, and heads have {head}"),
            });
        }
    }
    let vocabulary = tensors.shape("token_embd.weight").and_then(|shape| shape.first().copied());
    let vocabulary = vocabulary.ok_or_else(|| LoadFault::MissingTensor("token_embd.weight".to_owned()))?;
    if !(1..=MOST_TOKENS).contains(&vocabulary) {
        return Err(LoadFault::TooMany { what: "tokens", found: vocabulary, most: MOST_TOKENS });
    }
    let token = |key: &str| Ok::<_, LoadFault>(keys.whole(key, 0..=u64::from(u32::MAX))?.map(|token| token as u32));
    let mut ends = Vec::new();
    for key in ["eos", "eot", "eom"] {
        let end = token(&format!("tokenizer.ggml.{key}_token_id"))?;
        ends.extend(end.filter(|end| !ends.contains(end)));
    }
    let epsilon = "llama.attention.layer_norm_rms_epsilon";
    let architecture = Architecture {
        layers: size("llama.block_count", MOST_LAYERS)?,
        hidden,
        heads,
        key_value_heads: keys
            .whole("llama.attention.head_count_kv", 1..=MOST_HEADS)?
            .map_or(heads, |heads| heads as usize),
        head,
        inner: size("llama.feed_forward_length", MOST_INNER)?,
        vocabulary: vocabulary as usize,
        context: size("llama.context_length", MOST_TOKENS)?,
        epsilon: keys.positive(epsilon)?.ok_or_else(|| missing(epsilon))?,
        rope_base: keys.positive("llama.rope.freq_base")?.unwrap_or(10_000.0),
        rope_scaling: rope_scaling(keys, tensors, head)?,
        tied: tensors.shape("output.weight").is_none(),
        begin: token("tokenizer.ggml.bos_token_id")?,
        ends,
    };
    check_heads(&architecture)?;
    check_tokens(&architecture)?;
    Ok(architecture)
}

fn rope_scaling(keys: Keys<'_>, tensors: &mut dyn Tensors, head: usize) -> Result<RopeScaling, LoadFault> {
    match keys.text("llama.rope.scaling.type")? {
        None | Some("none") => {}
        Some(other) => return Err(LoadFault::UnknownRope(other.to_owned())),
    }
    let Some(found) = tensors.shape(FACTORS) else { return Ok(RopeScaling::None) };
    let wanted = [head as u64 / 2];
    if found != wanted {
        return Err(LoadFault::WrongShape {
            tensor: FACTORS.to_owned(),
            found: found.to_vec(),
            wanted: wanted.to_vec(),
        });
    }
    let mut factors = Vec::new();
    tensors.rows(FACTORS, &mut |_, row| factors.extend_from_slice(row))?;
    match factors.iter().find(|factor| **factor <= 0.0) {
        None => Ok(RopeScaling::Factors(factors)),
        Some(factor) => {
            let why = format!("{factor} divides a frequency; it must be above 0");
            Err(LoadFault::WrongKey { key: FACTORS.to_owned(), why })
        }
    }
}

/// Metadata whose entries are read.
#[derive(Clone, Copy)]
pub(super) struct Keys<'a>(pub(super) &'a Metadata);

impl<'a> Keys<'a> {
    pub(super) fn text(self, key: &str) -> Result<Option<&'a str>, LoadFault> {
        match self.0.get(key) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(_) => Err(wrong(key, "a text")),
        }
    }

    pub(super) fn whole(self, key: &str, range: RangeInclusive<u64>) -> Result<Option<u64>, LoadFault> {
        let wanted = || wrong(key, &format!("a whole number from {} to {}", range.start(), range.end()));
        match self.0.get(key) {
            None => Ok(None),
            Some(Value::Whole(number)) => {
                u64::try_from(*number).ok().filter(|number| range.contains(number)).map(Some).ok_or_else(wanted)
            }
            Some(_) => Err(wanted()),
        }
    }

    pub(super) fn truth(self, key: &str) -> Result<Option<bool>, LoadFault> {
        match self.0.get(key) {
            None => Ok(None),
            Some(Value::Truth(truth)) => Ok(Some(*truth)),
            Some(_) => Err(wrong(key, "true or false")),
        }
    }

    pub(super) fn texts(self, key: &str) -> Result<Option<&'a Texts>, LoadFault> {
        match self.0.get(key) {
            None => Ok(None),
            Some(Value::Texts(texts)) => Ok(Some(texts)),
            Some(_) => Err(wrong(key, "a list of texts")),
        }
    }

    pub(super) fn wholes(self, key: &str) -> Result<Option<&'a [i32]>, LoadFault> {
        match self.0.get(key) {
            None => Ok(None),
            Some(Value::Wholes(numbers)) => Ok(Some(numbers)),
            Some(_) => Err(wrong(key, "a list of whole numbers of 32 bits")),
        }
    }

    pub(super) fn numbers(self, key: &str) -> Result<Option<&'a [f32]>, LoadFault> {
        match self.0.get(key) {
            None => Ok(None),
            Some(Value::Numbers(numbers)) => Ok(Some(numbers)),
            Some(_) => Err(wrong(key, "a list of 32-bit floats")),
        }
    }

    fn positive(self, key: &str) -> Result<Option<f32>, LoadFault> {
        match self.0.get(key) {
            None => Ok(None),
            Some(Value::Number(number)) if *number as f32 > 0.0 && (*number as f32).is_finite() => {
                Ok(Some(*number as f32))
            }
            Some(_) => Err(wrong(key, "a number above 0")),
        }
    }
}

pub(super) fn wrong(key: &str, wanted: &str) -> LoadFault {
    LoadFault::WrongKey { key: key.to_owned(), why: format!("it must be {wanted}") }
}

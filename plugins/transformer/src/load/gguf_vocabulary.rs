//! Vocabularies of GGUF files, as the `tokenizer.json` that says the same.

use serde_json::{Map, Value, json};

use super::{
    LoadFault,
    gguf::{Metadata, Texts},
    gguf_model::{Keys, wrong},
    json::missing,
};

pub(super) const MODEL: &str = "tokenizer.ggml.model";
const SPLIT: &str = "tokenizer.ggml.pre";
pub(super) const TOKENS: &str = "tokenizer.ggml.tokens";
const KINDS: &str = "tokenizer.ggml.token_type";
const SCORES: &str = "tokenizer.ggml.scores";
const MERGES: &str = "tokenizer.ggml.merges";
/// The lists of the metadata that are the vocabulary.
pub(super) const LISTS: [&str; 4] = [TOKENS, KINDS, SCORES, MERGES];
/// Most bytes of all tokens and merges. Those of large vocabularies have 5 MB.
const MOST_BYTES: usize = 64 << 20;

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Usual,
    Unknown,
    Control,
    /// Found in texts before all else, but a text like any other.
    UserDefined,
    /// There is a row of the embedding, and no text.
    Unused,
}

impl Kind {
    fn of(number: i32) -> Result<Self, LoadFault> {
        match number {
            // 6 is a byte, which its text says.
            1 | 6 => Ok(Self::Usual),
            2 => Ok(Self::Unknown),
            3 => Ok(Self::Control),
            4 => Ok(Self::UserDefined),
            // 0 is "undefined".
            0 | 5 => Ok(Self::Unused),
            _ => {
                Err(LoadFault::WrongKey { key: KINDS.to_owned(), why: format!("there is no kind {number} of tokens") })
            }
        }
    }
}

/// How a text is cut before it becomes tokens: which part is a text of its own, one expression after the other, and whether
/// texts begin with a token unless it is said.
struct Split {
    patterns: &'static [&'static str],
    begins: bool,
}

/// How GPT-2 splits a text.
pub(super) const CONTRACTIONS_AND_WORDS: &str =
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
const THREE_DIGITS: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const ONE_DIGIT: &str =
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const CASES: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const PUNCTUATION: &str = r"[\p{P}\$\+<=>\^~\|]+";

impl Split {
    fn of(name: &str) -> Result<Self, LoadFault> {
        let (patterns, begins): (&[&str], bool) = match name {
            "gpt-2" | "phi-2" | "mpt" | "olmo" | "jais" | "trillion" | "granite-docling" | "jina-v2-en" => {
                (&[CONTRACTIONS_AND_WORDS], false)
            }
            "smollm" | "refact" | "starcoder" | "command-r" | "codeshell" => {
                (&[r"\p{N}", CONTRACTIONS_AND_WORDS], false)
            }
            "llama-bpe" | "llama3" | "llama-v3" | "falcon3" | "pixtral" => (&[THREE_DIGITS], true),
            "dbrx" | "smaug-bpe" => (&[THREE_DIGITS], false),
            "qwen2" | "deepseek-r1-qwen" | "stablelm2" | "megrez" | "hunyuan" => (&[ONE_DIGIT], false),
            "tekken" => (&[CASES], true),
            "default" => (&[PUNCTUATION, CONTRACTIONS_AND_WORDS, r"\p{N}+", "[0-9][0-9][0-9]"], false),
            other => {
                let why = format!(
                    "texts are split as `{}` has it, which is not known here; the model runs from a folder with \
                     `tokenizer.json`",
                    shortened(other)
                );
                return Err(LoadFault::WrongKey { key: SPLIT.to_owned(), why });
            }
        };
        Ok(Self { patterns, begins })
    }

    fn definition(&self, space_first: bool) -> Value {
        let bytes =
            json!({ "type": "ByteLevel", "add_prefix_space": space_first, "trim_offsets": true, "use_regex": false });
        let split = |pattern: &&str| json!({ "type": "Split", "pattern": { "Regex": pattern }, "behavior": "Isolated", "invert": false });
        let all: Vec<Value> = self.patterns.iter().map(split).chain([bytes]).collect();
        json!({ "type": "Sequence", "pretokenizers": all })
    }
}

/// The vocabulary of a file whose model has so many tokens.
///
/// # Errors
/// [`LoadFault`] for one that is absent, of a kind that is not known here, or whose lists do not fit each other.
pub(super) fn definition(metadata: &Metadata, vocabulary: usize) -> Result<Value, LoadFault> {
    let keys = Keys(metadata);
    let model = keys.text(MODEL)?.ok_or_else(|| missing(MODEL))?;
    let listed = VocabularyTokens::read(keys, vocabulary)?;
    match model {
        "gpt2" => bytes_in_pairs(keys, &listed),
        "llama" => characters_by_score(keys, &listed),
        other => {
            let why =
                format!("vocabularies of the model `{}` are not read here; `gpt2` and `llama` are", shortened(other));
            Err(LoadFault::WrongKey { key: MODEL.to_owned(), why })
        }
    }
}

fn shortened(name: &str) -> String {
    name.chars().take(60).collect()
}

/// The tokens of a vocabulary.
struct VocabularyTokens<'a> {
    texts: &'a Texts,
    kinds: Vec<Kind>,
}

impl<'a> VocabularyTokens<'a> {
    fn read(keys: Keys<'a>, vocabulary: usize) -> Result<Self, LoadFault> {
        let texts = keys.texts(TOKENS)?.ok_or_else(|| missing(TOKENS))?;
        if texts.len() > vocabulary {
            let why = format!("it has {} tokens, but the model has {vocabulary} of them", texts.len());
            return Err(LoadFault::WrongKey { key: TOKENS.to_owned(), why });
        }
        let merges = keys.texts(MERGES)?.map_or(0, Texts::bytes);
        let found = texts.bytes().saturating_add(merges);
        if found > MOST_BYTES {
            let (found, most) = (found as u64, MOST_BYTES as u64);
            return Err(LoadFault::TooMany { what: "bytes of tokens and merges", found, most });
        }
        let kinds = match keys.wholes(KINDS)? {
            None => vec![Kind::Usual; texts.len()],
            Some(kinds) if kinds.len() != texts.len() => return Err(other_length(KINDS, kinds.len(), texts.len())),
            Some(kinds) => kinds.iter().map(|&kind| Kind::of(kind)).collect::<Result<_, _>>()?,
        };
        if let Some(token) = (0..texts.len()).find(|&token| texts.get(token).is_none()) {
            return Err(LoadFault::WrongKey { key: TOKENS.to_owned(), why: format!("token {token} is not UTF-8") });
        }
        Ok(Self { texts, kinds })
    }

    /// All tokens that have a text: the number, the text, the kind.
    fn all(&self) -> impl Iterator<Item = (usize, &'a str, Kind)> {
        let texts = self.texts;
        let all = self.kinds.iter().enumerate().filter_map(|(token, kind)| Some((token, texts.get(token)?, *kind)));
        all.filter(|(_, text, kind)| !text.is_empty() && *kind != Kind::Unused)
    }

    /// The vocabulary: of equal texts, the first token counts.
    fn words(&self) -> Map<String, Value> {
        let mut words = Map::new();
        for (token, text, _) in self.all() {
            words.entry(text).or_insert(Value::from(token));
        }
        words
    }

    fn added(&self) -> Vec<Value> {
        let added = self.all().filter(|(_, _, kind)| *kind != Kind::Usual).map(|(token, text, kind)| {
            json!({
                "id": token, "content": text, "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": kind != Kind::UserDefined,
            })
        });
        added.collect()
    }

    /// A token that a key names, and its text.
    fn named(&self, keys: Keys<'a>, key: &str) -> Result<Option<(u64, &'a str)>, LoadFault> {
        let Some(token) = keys.whole(key, 0..=u64::from(u32::MAX))? else { return Ok(None) };
        match self.texts.get(usize::try_from(token).unwrap_or(usize::MAX)) {
            Some(text) => Ok(Some((token, text))),
            None => {
                let why = format!("there is no token {token} in a vocabulary of {}", self.texts.len());
                Err(LoadFault::WrongKey { key: key.to_owned(), why })
            }
        }
    }

    /// What puts a token before texts, if one is.
    fn begin(&self, keys: Keys<'a>, usually: bool) -> Result<Value, LoadFault> {
        let named = self.named(keys, "tokenizer.ggml.bos_token_id")?;
        match named {
            Some((token, text)) if keys.truth("tokenizer.ggml.add_bos_token")?.unwrap_or(usually) => Ok(json!({
                "type": "TemplateProcessing",
                "single": [{ "SpecialToken": { "id": text, "type_id": 0 } }, { "Sequence": { "id": "A", "type_id": 0 } }],
                "pair": [],
                "special_tokens": { text: { "id": text, "ids": [token], "tokens": [text] } },
            })),
            _ => Ok(Value::Null),
        }
    }
}

fn other_length(key: &str, found: usize, wanted: usize) -> LoadFault {
    LoadFault::WrongKey { key: key.to_owned(), why: format!("it has {found} entries for {wanted} tokens") }
}

/// Tokens of bytes, put together in pairs, in the order of the merges.
fn bytes_in_pairs(keys: Keys<'_>, listed: &VocabularyTokens<'_>) -> Result<Value, LoadFault> {
    let split = Split::of(keys.text(SPLIT)?.unwrap_or("default"))?;
    let Some(merges) = keys.texts(MERGES)?.filter(|merges| merges.len() > 0) else {
        let why = "it does not have merges; get the file anew, from one who made it with its vocabulary".to_owned();
        return Err(LoadFault::WrongKey { key: MERGES.to_owned(), why });
    };
    let pairs: Option<Vec<&str>> = (0..merges.len()).map(|merge| merges.get(merge)).collect();
    let pairs = pairs.ok_or_else(|| wrong(MERGES, "a list of texts in UTF-8"))?;
    let space_first = keys.truth("tokenizer.ggml.add_space_prefix")?.unwrap_or(false);
    Ok(json!({
        "added_tokens": listed.added(),
        "pre_tokenizer": split.definition(space_first),
        "post_processor": listed.begin(keys, split.begins)?,
        "decoder": { "type": "ByteLevel" },
        "model": { "type": "BPE", "byte_fallback": false, "vocab": listed.words(), "merges": pairs },
    }))
}

/// Tokens of characters, put together in pairs, the pair that makes the token of the highest score first. What the
/// vocabulary cannot write becomes bytes. Spaces are written as `▁`.
fn characters_by_score(keys: Keys<'_>, listed: &VocabularyTokens<'_>) -> Result<Value, LoadFault> {
    let scores = keys.numbers(SCORES)?.ok_or_else(|| missing(SCORES))?;
    if scores.len() != listed.texts.len() {
        return Err(other_length(SCORES, scores.len(), listed.texts.len()));
    }
    let mut ranked: Vec<(usize, &str)> =
        listed.all().filter(|(_, _, kind)| *kind == Kind::Usual).map(|(token, text, _)| (token, text)).collect();
    ranked.sort_by(|(a, _), (b, _)| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
    // Which pair makes a token does not matter: only when it is made.
    let merges: Vec<(&str, &str)> = ranked
        .iter()
        .filter_map(|(_, text)| text.char_indices().nth(1).map(|(second, _)| text.split_at(second)))
        .collect();
    let unknown = match listed.named(keys, "tokenizer.ggml.unknown_token_id")? {
        Some((token, text)) if matches!(listed.kinds[token as usize], Kind::Unknown | Kind::Control) => Some(text),
        _ => listed.all().find(|(_, _, kind)| *kind == Kind::Unknown).map(|(_, text, _)| text),
    };
    let mut normalizers = vec![json!({ "type": "Replace", "pattern": { "String": " " }, "content": "▁" })];
    if keys.truth("tokenizer.ggml.add_space_prefix")?.unwrap_or(true) {
        normalizers.insert(0, json!({ "type": "Prepend", "prepend": "▁" }));
    }
    Ok(json!({
        "added_tokens": listed.added(),
        "normalizer": { "type": "Sequence", "normalizers": normalizers },
        "post_processor": listed.begin(keys, true)?,
        "decoder": { "type": "Sequence", "decoders": [
            { "type": "Replace", "pattern": { "String": "▁" }, "content": " " }, { "type": "ByteFallback" },
        ] },
        "model": {
            "type": "BPE", "unk_token": unknown, "fuse_unk": true, "byte_fallback": true, "vocab": listed.words(),
            "merges": merges,
        },
    }))
}

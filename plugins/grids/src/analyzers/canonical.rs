//! The analyzer `grid-canonical`, which reduces programs to their canonical bodies.

use std::collections::{BTreeMap, HashSet};

use jackfield_plugin_api::prelude::*;
use sha2::{Digest as _, Sha256};

use super::{examples, score::body_of};
use crate::{
    LANGUAGE,
    program::digest_of,
    record::{Body, Program, Score},
};

/// What `grid-canonical` reads.
#[derive(Document, Clone, Debug)]
pub struct CanonicalInput {
    /// The task's id, under which bodies are kept.
    pub id: String,
    /// The candidates.
    pub programs: Vec<Program>,
    /// Their scores, in the same order.
    pub scores: Vec<Score>,
}

/// What `grid-canonical` answers.
#[derive(Document, Clone, Debug, PartialEq)]
pub struct Bodies {
    /// Each body once, the best score first, then the smallest, then by its text.
    pub bodies: Vec<Body>,
    /// How many programs were the same as another.
    pub same: u32,
}

/// Reduces programs to what they say: no line without effect, none twice, names in order. Programs with the same body are one.
///
/// Only programs that were scored to the end have one. A dead line that could fail is kept: the program fails where it does. With a
/// cache (`store`) bodies are kept by the digest of the text they come from, in one value a task.
#[derive(Config)]
pub struct GridCanonical {
    /// Whether bodies are looked for and kept in the stage's `store`. Nothing but time depends on it.
    #[config(default = true)]
    pub cache: bool,
    /// How many bodies go on, at most: the best by the demonstrations, which is what programs are kept by in the end.
    #[config(default = 8)]
    #[schemars(range(min = 1, max = 100_000))]
    pub most: usize,
}

/// A body as the cache holds it.
#[derive(serde::Serialize, serde::Deserialize, Clone)]
struct KeptBody {
    digest: String,
    body: String,
    size: u32,
}

/// The most bodies that are kept for a task.
const MOST_KEPT: usize = 10_000;

impl Analyzer for GridCanonical {
    const NAME: &'static str = "grid-canonical";
    const STABILITY: Stability = Stability::Beta;
    type Input = CanonicalInput;
    type Output = Bodies;

    fn permissions() -> Vec<Permission> {
        let reason = "to keep bodies by the digest of their text, where the stage has a `store`";
        vec![Permission { name: "cache".to_owned(), reason: reason.to_owned() }]
    }

    fn examples() -> Vec<Example> {
        examples::canonical()
    }

    async fn analyze(&self, input: CanonicalInput, host: &Host<'_>) -> Result<Bodies> {
        let CanonicalInput { id, programs, scores } = input;
        if programs.len() != scores.len() {
            let (programs, scores) = (programs.len(), scores.len());
            let found = format!("there are {programs} programs and {scores} scores; they belong together, in order");
            return Err(Failure::InvalidInput(found));
        }
        let name = format!("bodies/{LANGUAGE}/{id}");
        let mut known: BTreeMap<String, KeptBody> =
            if self.cache { host.cache_get_json(&name).await?.unwrap_or_default() } else { BTreeMap::new() };
        let (mut bodies, mut seen, mut used) = (Vec::new(), HashSet::new(), BTreeMap::new());
        let mut same = 0;
        for (program, score) in programs.into_iter().zip(scores) {
            let cut_off = score.outcomes.iter().any(|outcome| outcome == "skipped");
            if score.fault.is_some() || cut_off {
                continue;
            }
            let source = jackfield_plugin_api::to_hex(&Sha256::digest(&program.text));
            let body = match known.get(&source) {
                Some(body) => body.clone(),
                None => match body_of(&program.text) {
                    Ok(body) => {
                        let (text, size) = (body.text(), body.size());
                        KeptBody { digest: digest_of(&text), body: text, size }
                    }
                    Err(_) => continue,
                },
            };
            let KeptBody { digest, body: text, size } = body.clone();
            used.insert(source, body);
            if seen.insert(digest.clone()) {
                bodies.push(Body { name: program.name, digest, body: text, size, score: score.score });
            } else {
                same += 1;
            }
        }
        if self.cache && used.keys().any(|source| !known.contains_key(source)) {
            if known.len() + used.len() > MOST_KEPT {
                known.clear();
            }
            known.append(&mut used);
            host.cache_put_json(&name, &known).await?;
        }
        bodies.sort_by(|one, other| one.rank().cmp(&other.rank()));
        bodies.truncate(self.most);
        Ok(Bodies { bodies, same })
    }
}

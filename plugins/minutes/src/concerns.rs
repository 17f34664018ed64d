//! Concerns that are voiced in the talk around findings.

use std::collections::{BTreeMap, BTreeSet};

use jackfield_text::{Finding, clean, words::tokens};

use crate::{
    lexicon::{WORRIES, Worry, find},
    scene::Scene,
    shared::{Section, section_of},
};

/// A sentence that voices a concern.
#[derive(Debug)]
pub(crate) struct Concern<'a> {
    /// Index of the line.
    pub(crate) line: usize,
    /// The sentence before it, where it says too little without.
    pub(crate) lead: Option<&'a str>,
    /// The sentence as it stands.
    pub(crate) sentence: &'a str,
    /// Both as they read.
    pub(crate) text: String,
    /// What it is mostly about.
    pub(crate) about: Worry,
    /// How plainly it is voiced, 0 to 1.
    pub(crate) weight: f64,
}

/// Fewer words than this say too little for a reader who was not there.
const FEWEST_WORDS: usize = 6;

/// How plainly a text voices worry, and what about: weights add up as chances do, so that many weak signs never make a
/// certainty.
pub(crate) fn worry(text: &str) -> (f64, Worry) {
    let mut calm = 1.0;
    let mut by_kind: BTreeMap<Worry, f64> = BTreeMap::new();
    for (_, (kind, weight)) in find(&WORRIES, &tokens(text)) {
        calm *= 1.0 - weight;
        *by_kind.entry(kind).or_default() += weight;
    }
    // Of two alike, the more particular one: the last of the list.
    let about = by_kind.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).map_or(Worry::None, |(kind, _)| kind);
    (1.0 - calm, about)
}

/// How much a text hedges, 0 to 1.
pub(crate) fn hedging(text: &str) -> f64 {
    let doubts = find(&WORRIES, &tokens(text)).into_iter().filter(|(_, (kind, _))| *kind == Worry::Doubt);
    1.0 - doubts.fold(1.0, |calm, (_, (_, weight))| calm * (1.0 - weight))
}

/// Concerns of at least this weight within `reach` turns of a decision, an action or a question, in order of time.
pub(crate) fn concerns<'a>(scene: &'a Scene, findings: &[Finding], reach: u64, least: f64) -> Vec<Concern<'a>> {
    let mut near: BTreeSet<usize> = BTreeSet::new();
    let mut anchors: BTreeSet<usize> = BTreeSet::new();
    for finding in findings {
        let lines = scene.lines_of(finding);
        match section_of(&finding.kind) {
            Some(Section::Decision | Section::Action | Section::Question) => anchors.extend(lines),
            _ => near.extend(lines),
        }
    }
    for anchor in anchors {
        near.insert(anchor);
        near.extend(scene.before(anchor, reach));
        near.extend(scene.after(anchor, reach));
    }
    let mut voiced = Vec::new();
    let mut known = BTreeSet::new();
    for line in near {
        let sentences = &scene.lines[line].sentences;
        for (index, sentence) in sentences.iter().enumerate() {
            let (mut weight, about) = worry(sentence);
            if sentence.trim_end().ends_with('?') {
                weight *= 0.8;
            }
            let words = tokens(sentence);
            if weight < least || words.len() < FEWEST_WORDS {
                continue;
            }
            let lead =
                if points_back(&words) { index.checked_sub(1).map(|before| sentences[before].as_str()) } else { None };
            let lead_text = lead.map(clean).filter(|text| !text.is_empty());
            let text = clean(sentence);
            if !text.is_empty() && known.insert(text.clone()) {
                let text = lead_text.map_or_else(|| text.clone(), |lead| format!("{lead} {text}"));
                voiced.push(Concern { line, lead, sentence, text, about, weight });
            }
        }
    }
    voiced
}

/// Whether a sentence needs the one before it to be understood.
fn points_back(words: &[String]) -> bool {
    const POINTERS: [&str; 9] = ["that", "this", "it", "they", "these", "those", "he", "she", "which"];
    let reach = if words.len() <= 14 { 3 } else { 1 };
    words.iter().take(reach).any(|word| POINTERS.contains(&word.as_str()))
}

//! Phrases that say what a talk is about, and how they are scored.

use std::{collections::BTreeMap, ops::Range};

use jackfield_text::{
    rank::Graph,
    unspaced::joined,
    vocabulary::{TermId, WordId},
};
use rustc_hash::FxHashMap;

use crate::{noun_cues, talk::Talk};

/// A phrase has so many words at most.
const LONGEST: usize = 3;
/// Two words are linked where they stand within so many content words of each other (Mihalcea & Tarau 2004).
const WINDOW: usize = 3;
/// Only so many terms, the most used ones, take part in the ranking.
const MOST_TERMS: usize = 5000;

/// A phrase: the stems of adjacent content words.
pub(crate) type Phrase = Vec<TermId>;

/// How often a phrase is used, and where first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PhraseUse {
    pub(crate) count: usize,
    /// How often it is used outside of longer phrases (as in the C-value of Frantzi, Ananiadou & Mima 2000).
    pub(crate) free: usize,
    /// The sentence that uses it first, by index.
    pub(crate) first: usize,
}

/// A phrase with its score.
#[derive(Clone, Debug)]
pub(crate) struct ScoredPhrase {
    pub(crate) score: f64,
    pub(crate) phrase: Phrase,
    pub(crate) usage: PhraseUse,
}

/// Words that stand among content words and name nothing.
const NOT_ALONE: &[&str] = &["across", "please", "young"];

/// Every phrase of the sentences in a range, in order of first use. A phrase of more than one word that is used only
/// once is left out: it is chance.
pub(crate) fn phrases(talk: &Talk<'_>, sentences: Range<usize>) -> Vec<(Phrase, PhraseUse)> {
    let mut index: FxHashMap<Phrase, usize> = FxHashMap::default();
    let mut all: Vec<(Phrase, PhraseUse)> = Vec::new();
    for sentence in sentences {
        for run in runs(talk, sentence) {
            for start in 0..run.len() {
                for end in start + 1..=run.len().min(start + LONGEST) {
                    let phrase = &run[start..end];
                    if phrase.iter().enumerate().any(|(index, term)| phrase[..index].contains(term)) {
                        continue;
                    }
                    match index.get(phrase) {
                        Some(&known) => all[known].1.count += 1,
                        None => {
                            index.insert(phrase.to_vec(), all.len());
                            all.push((phrase.to_vec(), PhraseUse { count: 1, free: 1, first: sentence }));
                        }
                    }
                }
            }
        }
    }
    let mut longer = vec![0; all.len()];
    for (phrase, usage) in all.iter().filter(|(phrase, usage)| phrase.len() > 1 && usage.count > 1) {
        for start in 0..phrase.len() {
            for end in start + 1..=phrase.len() {
                let inner = &phrase[start..end];
                if inner.len() < phrase.len()
                    && let Some(&known) = index.get(inner)
                {
                    longer[known] = usage.count.max(longer[known]);
                }
            }
        }
    }
    for ((_, usage), longer) in all.iter_mut().zip(longer) {
        usage.free = usage.count.saturating_sub(longer);
    }
    let names_something =
        |phrase: &[TermId]| phrase.len() > 1 || !NOT_ALONE.contains(&talk.vocabulary.usual_form(phrase[0]));
    all.retain(|(phrase, usage)| usage.free > 0 && (phrase.len() == 1 || usage.count > 1) && names_something(phrase));
    all
}

/// Runs of adjacent content words.
fn runs(talk: &Talk<'_>, sentence: usize) -> Vec<Phrase> {
    let mut runs: Vec<Phrase> = vec![Vec::new()];
    for &id in talk.word_ids(sentence) {
        match (talk.vocabulary.term(id), runs.last_mut()) {
            (Some(term), Some(run)) => run.push(term),
            (None, Some(run)) if !run.is_empty() => runs.push(Vec::new()),
            _ => {}
        }
    }
    runs.retain(|run| !run.is_empty());
    runs
}

/// TextRank of single terms over their co-occurrence (Mihalcea & Tarau 2004), by term; 0 for a term not ranked.
pub(crate) fn term_ranks(talk: &Talk<'_>) -> Vec<f64> {
    let mut counts = vec![0usize; talk.vocabulary.term_count()];
    for sentence in 0..talk.sentences.len() {
        for term in talk.terms(sentence) {
            counts[term as usize] += 1;
        }
    }
    let mut order: Vec<usize> = (0..counts.len()).filter(|&term| counts[term] > 0).collect();
    order.sort_by_key(|&term| (usize::MAX - counts[term], term));
    order.truncate(MOST_TERMS);
    let mut node = vec![usize::MAX; counts.len()];
    for (index, &term) in order.iter().enumerate() {
        node[term] = index;
    }

    let mut pairs: FxHashMap<(usize, usize), f64> = FxHashMap::default();
    for sentence in 0..talk.sentences.len() {
        let nodes: Vec<usize> =
            talk.terms(sentence).iter().map(|&term| node[term as usize]).filter(|&node| node != usize::MAX).collect();
        for (index, &a) in nodes.iter().enumerate() {
            for &b in nodes[index + 1..].iter().take(WINDOW) {
                *pairs.entry((a.min(b), a.max(b))).or_default() += 1.0;
            }
        }
    }
    let mut pairs: Vec<_> = pairs.into_iter().collect();
    pairs.sort_unstable_by_key(|(pair, _)| *pair);
    let mut graph = Graph::new(order.len());
    for &((a, b), weight) in &pairs {
        graph.join(a, b, weight);
    }
    let scores = graph.text_rank();
    let mut ranks = vec![0.0; counts.len()];
    for (&term, score) in order.iter().zip(scores) {
        ranks[term] = score;
    }
    ranks
}

/// How much each term behaves as a noun, 0 to 1, judged by the words before it and, where nouns have them, by its capitals,
/// without a dictionary of parts of speech.
pub(crate) fn nounness(talk: &Talk<'_>) -> Vec<f64> {
    let cues = noun_cues::of(talk.language);
    let mut counts = vec![(1.0, 2.0); talk.vocabulary.term_count()];
    for sentence in 0..talk.sentences.len() {
        for pair in talk.word_ids(sentence).windows(2) {
            let Some(term) = talk.vocabulary.term(pair[1]) else { continue };
            let before = talk.vocabulary.word(pair[0]);
            let count = &mut counts[term as usize];
            let follows_content = talk.vocabulary.term(pair[0]).is_some() && !noun_cues::has_noun_first(talk.language);
            if cues.before_nouns.contains(&before) || follows_content {
                *count = (count.0 + 1.0, count.1 + 1.0);
            } else if cues.before_verbs.contains(&before) {
                count.1 += 1.0;
            }
        }
    }
    let by_cues = counts.into_iter().map(|(noun, all)| noun / all);
    let cases = |term: usize| talk.vocabulary.cases(term as TermId);
    // A transcript of a machine may be in lower case throughout: then capitals tell nothing.
    let has_capitals = (0..talk.vocabulary.term_count()).any(|term| cases(term).1 > 1);
    if !talk.language.has_capital_nouns() || !has_capitals {
        return by_cues.collect();
    }
    let by_capitals = |(term, by_cues): (usize, f64)| {
        let (lower, capital) = cases(term);
        // What stands at heads of sentences alone has neither.
        if lower + capital == 0 { by_cues } else { (f64::from(capital) + 0.2) / (f64::from(lower + capital) + 0.4) }
    };
    by_cues.enumerate().map(by_capitals).collect()
}

/// The word of a phrase that the others say more about: the last one, or the first one in languages such as Spanish.
pub(crate) fn head(talk: &Talk<'_>, phrase: &[TermId]) -> usize {
    let at = if noun_cues::has_noun_first(talk.language) { 0 } else { phrase.len() - 1 };
    phrase[at] as usize
}

/// The best-scored phrases that say different things: none shares a word with one before it.
pub(crate) fn distinct(mut scored: Vec<ScoredPhrase>, most: usize) -> Vec<ScoredPhrase> {
    scored.sort_by(|a, b| {
        let by_first_use = a.usage.first.cmp(&b.usage.first);
        b.score.total_cmp(&a.score).then(by_first_use).then_with(|| a.phrase.cmp(&b.phrase))
    });
    let mut chosen: Vec<ScoredPhrase> = Vec::new();
    for candidate in scored {
        if chosen.len() == most {
            break;
        }
        let shares_a_word = |other: &ScoredPhrase| other.phrase.iter().any(|term| candidate.phrase.contains(term));
        if !chosen.iter().any(shares_a_word) {
            chosen.push(candidate);
        }
    }
    chosen
}

/// The phrase as it is mostly said in a range of sentences, with capitals where most write them.
pub(crate) fn display(talk: &Talk<'_>, phrase: &[TermId], sentences: Range<usize>) -> String {
    if let [term] = phrase {
        return talk.vocabulary.usual_form(*term).to_owned();
    }
    let mut counts: BTreeMap<Vec<WordId>, usize> = BTreeMap::new();
    for sentence in sentences {
        let ids = talk.word_ids(sentence);
        for window in ids.windows(phrase.len()) {
            if window.iter().zip(phrase).all(|(&id, &term)| talk.vocabulary.term(id) == Some(term)) {
                *counts.entry(window.to_vec()).or_default() += 1;
            }
        }
    }
    let most_used = counts.into_iter().reduce(|best, next| if next.1 > best.1 { next } else { best });
    let words: Vec<&str> = match &most_used {
        Some((ids, _)) => ids.iter().map(|&id| talk.vocabulary.written(id)).collect(),
        None => phrase.iter().map(|&term| talk.vocabulary.usual_form(term)).collect(),
    };
    // `Prime minister` is not a name, since a name is written with capitals throughout. `LCD screen` stays.
    let is_title_case = |word: &str| {
        word.chars().next().is_some_and(char::is_uppercase) && word.chars().skip(1).any(char::is_lowercase)
    };
    let has_small_initial = !talk.language.has_capital_nouns()
        && words.iter().any(|word| word.chars().next().is_some_and(char::is_lowercase));
    let words: Vec<String> = words
        .iter()
        .map(|word| if has_small_initial && is_title_case(word) { word.to_lowercase() } else { (*word).to_owned() })
        .collect();
    joined(&words)
}

/// The first sentence of a range that uses the phrase, with a preference for one that is complete.
pub(crate) fn example_sentence(talk: &Talk<'_>, phrase: &[TermId], sentences: Range<usize>) -> Option<usize> {
    let mut fallback = None;
    for sentence in sentences.take(4000) {
        if runs(talk, sentence).iter().any(|run| run.windows(phrase.len()).any(|window| window == phrase)) {
            if !talk.sentences[sentence].broken && talk.word_ids(sentence).len() >= 6 {
                return Some(sentence);
            }
            fallback = fallback.or(Some(sentence));
        }
    }
    fallback
}

//! What the four analyzers share about findings.

use jackfield_text::{Evidence, Finding, FindingSet, words::tokens};

/// What a finding is about, as far as minutes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Section {
    KeyPoint,
    Decision,
    Action,
    Question,
    Risk,
    Agreement,
}

impl Section {
    /// The kind's name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::KeyPoint => "key-point",
            Self::Decision => "decision",
            Self::Action => "action",
            Self::Question => "question",
            Self::Risk => "risk",
            Self::Agreement => "agreement",
        }
    }
}

/// The section of a kind of finding; none for kinds that other plugins made up.
pub(crate) fn section_of(kind: &str) -> Option<Section> {
    Some(match kind {
        "key-point" => Section::KeyPoint,
        "decision" => Section::Decision,
        "action" | "action-item" => Section::Action,
        "question" | "open-question" => Section::Question,
        "risk" => Section::Risk,
        "agreement" => Section::Agreement,
        _ => return None,
    })
}

/// Rank of a priority, the gravest first.
pub(crate) fn priority_rank(priority: Option<&str>) -> u8 {
    match priority {
        Some("high") => 0,
        Some("medium") => 1,
        Some("low") => 2,
        _ => 3,
    }
}

/// Where in the transcript a segment stands, as far as its id tells: the number in `s12`.
pub(crate) fn number_of(segment: &str) -> u64 {
    let digits = segment.trim_start_matches(|letter: char| !letter.is_ascii_digit());
    let end = digits.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().unwrap_or(u64::MAX)
}

/// Where in the transcript something starts; what has no evidence comes last.
pub(crate) fn place(evidence: &[Evidence]) -> u64 {
    evidence.iter().map(|place| number_of(&place.segment)).min().unwrap_or(u64::MAX)
}

/// Adds the evidence that is not there yet.
pub(crate) fn merge_evidence(into: &mut Vec<Evidence>, more: Vec<Evidence>) {
    for place in more {
        if !into.iter().any(|known| known.segment == place.segment && known.quote == place.quote) {
            into.push(place);
        }
    }
}

/// A confidence that can be reckoned with, whatever another stage wrote.
pub(crate) fn sane(confidence: f64) -> f64 {
    if confidence.is_finite() { confidence.clamp(0.0, 1.0) } else { 0.0 }
}

/// Findings of one section, in the order given.
pub(crate) fn of(findings: &[Finding], section: Section) -> impl Iterator<Item = &Finding> {
    findings.iter().filter(move |finding| section_of(&finding.kind) == Some(section))
}

/// Numbers findings in the order of the transcript.
pub(crate) fn number(findings: &mut [Finding], stage: &str) {
    findings.sort_by_key(|finding| place(&finding.evidence));
    for (index, finding) in findings.iter_mut().enumerate() {
        finding.id = format!("{stage}-{}", index + 1);
    }
}

/// A text but for case, punctuation, white space and sounds of hesitation. Stop words count: two decisions that differ in
/// a `not` or a `two` are two decisions.
pub(crate) fn normal(text: &str) -> String {
    let tokens = tokens(text);
    if tokens.is_empty() { text.trim().to_lowercase() } else { tokens.join(" ") }
}

/// All findings of all answers, in order.
pub(crate) fn flatten(sets: Vec<FindingSet>) -> Vec<Finding> {
    sets.into_iter().flat_map(|set| set.findings).collect()
}

/// Whether a question was left open.
pub(crate) fn is_open(question: &Finding) -> bool {
    question.kind == "open-question" || question.evidence.len() < 2
}

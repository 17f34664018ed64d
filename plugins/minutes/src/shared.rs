//! What the four analyzers share about findings.

use std::collections::BTreeMap;

use jackfield_plugin_api::{Failure, Result};
use jackfield_text::{Evidence, Finding, FindingSet, Warning, clean::capitalised, cut::shortened, words::tokens};

use crate::markdown::{inline, names};

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

/// Position of a segment in the transcript, as far as its id says it: the number in `s12`.
pub(crate) fn number_of(segment: &str) -> u64 {
    let digits = segment.trim_start_matches(|letter: char| !letter.is_ascii_digit());
    let end = digits.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().unwrap_or(u64::MAX)
}

/// Position in the transcript where something starts; what has no evidence comes last.
pub(crate) fn position(evidence: &[Evidence]) -> u64 {
    evidence.iter().map(|quoted| number_of(&quoted.segment)).min().unwrap_or(u64::MAX)
}

/// Adds the evidence that is not there yet.
pub(crate) fn merge_evidence(evidence: &mut Vec<Evidence>, added: Vec<Evidence>) {
    for quoted in added {
        if !evidence.iter().any(|known| known.segment == quoted.segment && known.quote == quoted.quote) {
            evidence.push(quoted);
        }
    }
}

/// A confidence within 0 to 1, whatever another stage wrote.
pub(crate) fn bounded(confidence: f64) -> f64 {
    if confidence.is_finite() { confidence.clamp(0.0, 1.0) } else { 0.0 }
}

/// Findings of one section, in the order given.
pub(crate) fn in_section(findings: &[Finding], section: Section) -> impl Iterator<Item = &Finding> {
    findings.iter().filter(move |finding| section_of(&finding.kind) == Some(section))
}

/// Numbers findings in the order of the transcript.
pub(crate) fn number(findings: &mut [Finding], stage: &str) {
    findings.sort_by_key(|finding| position(&finding.evidence));
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

/// What is to be done, where owner and due date stand beside it: `Ann: call Bo (by May)` without `Ann: ` and ` (by May)`.
/// Findings that are not actions keep their text.
pub(crate) fn title_of(finding: &Finding) -> String {
    if section_of(&finding.kind) != Some(Section::Action) {
        return finding.text.clone();
    }
    let normalised = |text: &Option<String>| text.as_deref().map(|text| text.trim().to_lowercase()).unwrap_or_default();
    let (owner, due) = (normalised(&finding.owner), normalised(&finding.due));
    let mut title = finding.text.trim();
    if let Some((head, rest)) = title.split_once(": ").filter(|_| !owner.is_empty())
        && head.trim().to_lowercase() == owner
    {
        title = rest.trim_start();
    }
    // From the last bracket that opens with all of the due date behind it, since that may hold brackets itself.
    if let Some(inner) = title.strip_suffix(')').filter(|_| !due.is_empty())
        && let Some((head, _)) = inner
            .rmatch_indices(" (")
            .map(|(start, mark)| (&inner[..start], &inner[start + mark.len()..]))
            .find(|(_, tail)| tail.trim().to_lowercase() == due)
    {
        title = head.trim_end();
    }
    // Names such as `iOS` stay as they are.
    let word = title.split_whitespace().next();
    match word {
        None => finding.text.clone(),
        Some(word) if word.contains(char::is_uppercase) => title.to_owned(),
        Some(_) => capitalised(title),
    }
}

/// What the stages behind some answers could not read, for a page: a line for each thing that they say, with the stages that
/// say it. None where nobody says anything.
pub(crate) fn note_of_warnings<'a>(warnings: impl IntoIterator<Item = &'a Warning>) -> Option<String> {
    /// So many different things are said, of so many characters each.
    const MOST: usize = 3;
    const LONGEST: usize = 160;
    let mut said: Vec<(&str, Vec<&str>)> = Vec::new();
    for Warning { source, text } in warnings {
        match said.iter_mut().find(|(known, _)| known == text) {
            Some((_, sources)) if sources.contains(&source.as_str()) => {}
            Some((_, sources)) => sources.push(source),
            None => said.push((text, vec![source])),
        }
    }
    let lines = said.iter().take(MOST).map(|(text, sources)| {
        let sources: Vec<String> = sources.iter().map(|source| (*source).to_owned()).collect();
        let sources = inline(&shortened(&names(&sources), LONGEST));
        format!("> **Not read** by {sources}: {}.", inline(&shortened(text, LONGEST)))
    });
    let lines: Vec<String> = lines.collect();
    (!lines.is_empty()).then(|| lines.join("\n>\n"))
}

/// The `most` surest findings of each source, in the order given, and how many of each source are not among them. Of findings
/// that are as sure as one another the first stay.
pub(crate) fn surest_per_source(
    mut findings: Vec<Finding>,
    most: Option<usize>,
) -> (Vec<Finding>, BTreeMap<String, u64>) {
    let mut left_out = BTreeMap::new();
    let Some(most) = most else { return (findings, left_out) };
    let mut by_source: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, finding) in findings.iter().enumerate() {
        by_source.entry(&finding.source).or_default().push(index);
    }
    let mut stays = vec![true; findings.len()];
    for (source, mut indices) in by_source {
        indices.sort_by(|a, b| bounded(findings[*b].confidence).total_cmp(&bounded(findings[*a].confidence)));
        let beyond = indices.get(most..).unwrap_or_default();
        if !beyond.is_empty() {
            left_out.insert(source.to_owned(), beyond.len() as u64);
        }
        beyond.iter().for_each(|index| stays[*index] = false);
    }
    let mut stays = stays.into_iter();
    findings.retain(|_| stays.next().unwrap_or(true));
    (findings, left_out)
}

/// Refuses a limit that would leave nothing.
pub(crate) fn at_least_one(max_per_source: Option<usize>) -> Result<()> {
    match max_per_source {
        Some(0) => Err(Failure::InvalidConfig("`max_per_source` is at least 1".to_owned())),
        _ => Ok(()),
    }
}

/// All findings of all answers, in order.
pub(crate) fn flatten(sets: Vec<FindingSet>) -> Vec<Finding> {
    sets.into_iter().flat_map(|set| set.findings).collect()
}

/// Whether a question was left open.
pub(crate) fn is_open(question: &Finding) -> bool {
    question.kind == "open-question" || question.evidence.len() < 2
}

#[cfg(test)]
mod tests {
    use super::title_of;
    use crate::testing::finding;
    use jackfield_text::Finding;

    fn title(text: &str, owner: Option<&str>, due: Option<&str>) -> String {
        let action = finding("action", 1, text, 0.5);
        title_of(&Finding { owner: owner.map(Into::into), due: due.map(Into::into), ..action })
    }

    #[test]
    fn owner_and_due_date_are_not_said_twice() {
        assert_eq!(title("Tomas: renew it (by May)", Some("Tomas"), Some("by May")), "Renew it");
        assert_eq!(title("TOMAS: renew it (By May)", Some("Tomas"), Some("by may")), "Renew it");
        assert_eq!(title("Élan: übe (in (early) May)", Some("élan"), Some("in (early) May")), "Übe");
        assert_eq!(title("Renew it (by May)", None, Some("by May")), "Renew it");
        assert_eq!(title("Ann: iOS build", Some("Ann"), None), "iOS build");
    }

    #[test]
    fn what_stands_nowhere_else_stays() {
        assert_eq!(title("Tomas: renew it (by May)", Some("Ann"), Some("June")), "Tomas: renew it (by May)");
        assert_eq!(title("Tomas: renew it (by May)", None, None), "Tomas: renew it (by May)");
        assert_eq!(title("Tomas: (by May)", Some("Tomas"), Some("by May")), "(by May)");
        assert_eq!(title(": ()", Some(""), Some("")), ": ()");
        let decision = Finding { owner: Some("Ann".into()), ..finding("decision", 1, "Ann: we go", 0.5) };
        assert_eq!(title_of(&decision), "Ann: we go");
    }
}

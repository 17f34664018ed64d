//! The analyzer `dashboard`.

use std::collections::BTreeMap;

use jackfield_plugin_api::prelude::*;
use jackfield_text::{Evidence, Finding, FindingSet, cut::shortened};
use serde_json::json;

use crate::{
    markdown::{counted, inline, marks},
    shared::{
        Section, at_least_one, flatten, merge_evidence, normal, note_of_warnings, position, priority_rank, section_of,
        surest_per_source, title_of,
    },
};

/// What `dashboard` reads.
#[derive(Clone, Debug, Default, Document)]
pub struct DashboardInput {
    /// Answers of other stages; findings of kinds other than `action`, `decision` and `risk` are passed over.
    #[serde(default)]
    pub findings: Vec<FindingSet>,
}

/// One line of the dashboard.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct Entry {
    /// The number of the line within its stage, such as `dashboard-3`.
    pub id: String,
    /// `action`, `decision` or `risk`.
    pub kind: String,
    /// What is to be done, was decided, or could go wrong.
    pub title: String,
    /// Who is to do it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// When it is due, in the words used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    /// `high`, `medium` or `low`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<String>,
    /// That of the surest finding behind the line.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub confidence: f64,
    /// Ids of the findings behind the line, the surest first.
    pub findings: Vec<String>,
    /// What bears them out.
    pub evidence: Vec<Evidence>,
}

/// How many there are of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Document)]
pub struct Counts {
    /// Lines with an action.
    pub actions: u64,
    /// Lines with a decision.
    pub decisions: u64,
    /// Lines with a risk.
    pub risks: u64,
    /// Findings that said what a line already said.
    pub duplicates: u64,
}

/// What `dashboard` answers.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct DashboardOutput {
    /// What is to be done, in the order of the transcript.
    pub actions: Vec<Entry>,
    /// What was decided, in the order of the transcript.
    pub decisions: Vec<Entry>,
    /// What could go wrong, the gravest first.
    pub risks: Vec<Entry>,
    /// How many there are of each.
    pub counts: Counts,
    /// How many actions, decisions and risks of each source lie beyond `max_per_source`; absent where none does.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub left_out: BTreeMap<String, u64>,
    /// The dashboard as a page.
    pub markdown: String,
    /// The dashboard as a table after RFC 4180, with a header. A cell that a spreadsheet would take for a formula starts
    /// with an apostrophe.
    pub csv: String,
}

/// Gathers all actions, decisions and risks, each once.
///
/// Two findings are the same if they have the same type, title (but for case, punctuation and white space), owner and
/// due date; the surest one gives the words, and the evidence of all of them is kept.
#[derive(Clone, Debug, Config)]
pub struct Dashboard {
    /// Leave out findings less sure than this.
    #[config(default = 0.0)]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub min_confidence: f64,
    /// Most findings of each source, the surest first; all of them without it.
    #[schemars(range(min = 1))]
    pub max_per_source: Option<usize>,
    /// Longest title on the page, in characters; the table has every title whole.
    #[config(default = 240)]
    #[schemars(range(min = 20))]
    pub max_title: usize,
}

impl Analyzer for Dashboard {
    const NAME: &'static str = "dashboard";
    const STABILITY: Stability = Stability::Beta;
    type Input = DashboardInput;
    type Output = DashboardOutput;

    fn open(self) -> Result<Self> {
        if !(0.0..=1.0).contains(&self.min_confidence) {
            return Err(Failure::InvalidConfig("`min_confidence` lies outside 0 to 1".into()));
        }
        at_least_one(self.max_per_source)?;
        Ok(self)
    }

    async fn analyze(&self, input: DashboardInput, host: &Host<'_>) -> Result<DashboardOutput> {
        let note = note_of_warnings(input.findings.iter().flat_map(|set| &set.warnings));
        let (relevant, left_out) = surest_per_source(self.relevant(flatten(input.findings)), self.max_per_source);
        let (mut entries, duplicates) = distinct_entries(relevant);
        entries.sort_by_key(|(sort, entry)| {
            let gravity = if *sort == Section::Risk { priority_rank(entry.priority.as_deref()) } else { 0 };
            (*sort, gravity, position(&entry.evidence))
        });
        for (number, (_, entry)) in entries.iter_mut().enumerate() {
            entry.id = format!("{}-{}", host.context().stage, number + 1);
        }
        let csv = table(&entries)?;
        let entries_of = |section: Section| -> Vec<Entry> {
            entries.iter().filter(|(sort, _)| *sort == section).map(|(_, entry)| entry.clone()).collect()
        };
        let (actions, decisions, risks) =
            (entries_of(Section::Action), entries_of(Section::Decision), entries_of(Section::Risk));
        let counts = Counts {
            actions: actions.len() as u64,
            decisions: decisions.len() as u64,
            risks: risks.len() as u64,
            duplicates,
        };
        let markdown = self.page(&actions, &decisions, &risks, note);
        Ok(DashboardOutput { actions, decisions, risks, counts, left_out, markdown, csv })
    }

    fn examples() -> Vec<Example> {
        let said = |segment: &str, speaker: &str, quote: &str| json!({ "segment": segment, "speaker": speaker, "quote": quote });
        let action = |id: &str, text: &str, confidence: f64, source: &str| {
            json!({
                "id": id, "kind": "action", "text": text, "confidence": confidence, "source": source,
                "owner": "Ann", "due": "Friday", "evidence": [said("s2", "Ann", "I'll order the sensors by Friday.")],
            })
        };
        vec![Example {
            summary: "the same action found twice is one line".into(),
            config: json!({}),
            input: json!({ "findings": [
                { "findings": [action("actions-1", "Order the sensors", 0.8, "actions")] },
                { "findings": [action("lens-1", "order the sensors.", 0.6, "lens"), {
                    "id": "lens-2", "kind": "risk", "text": "=The parts may be late", "confidence": 0.5, "source": "lens",
                    "priority": "high", "evidence": [said("s3", "Bo", "They \"may\" be late.")],
                }] },
            ] }),
            output: json!({
                "actions": [{
                    "id": "dashboard-1", "kind": "action", "title": "Order the sensors", "owner": "Ann", "due": "Friday",
                    "confidence": 0.8, "findings": ["actions-1", "lens-1"],
                    "evidence": [said("s2", "Ann", "I'll order the sensors by Friday.")],
                }],
                "decisions": [],
                "risks": [{
                    "id": "dashboard-2", "kind": "risk", "title": "=The parts may be late", "priority": "high",
                    "confidence": 0.5, "findings": ["lens-2"], "evidence": [said("s3", "Bo", "They \"may\" be late.")],
                }],
                "counts": { "actions": 1, "decisions": 0, "risks": 1, "duplicates": 1 },
                "markdown": "# Dashboard\n\n1 action, 0 decisions, 1 risk. Marks such as [s12] name the transcript's segments.\n\n\
                             ## Actions\n\n| What | Owner | Due | From |\n| --- | --- | --- | --- |\n\
                             | Order the sensors | Ann | Friday | [s2] |\n\n\
                             ## Risks\n\n| Risk | Priority | From |\n| --- | --- | --- |\n| =The parts may be late | high | [s3] |\n",
                "csv": "type,title,owner,due,priority,confidence,segments,quote\r\n\
                        action,Order the sensors,Ann,Friday,,0.8,s2,I'll order the sensors by Friday.\r\n\
                        risk,'=The parts may be late,,,high,0.5,s3,\"They \"\"may\"\" be late.\"\r\n",
            }),
        }]
    }
}

impl Dashboard {
    /// The actions, decisions and risks that are sure enough.
    fn relevant(&self, mut findings: Vec<Finding>) -> Vec<Finding> {
        let is_listed =
            |kind: &str| matches!(section_of(kind), Some(Section::Action | Section::Decision | Section::Risk));
        findings.retain(|finding| finding.confidence >= self.min_confidence && is_listed(&finding.kind));
        findings
    }

    fn page(&self, actions: &[Entry], decisions: &[Entry], risks: &[Entry], note: Option<String>) -> String {
        let mut page = format!(
            "# Dashboard\n\n{}, {}, {}. Marks such as [s12] name the transcript's segments.\n",
            counted(actions.len(), "action", "actions"),
            counted(decisions.len(), "decision", "decisions"),
            counted(risks.len(), "risk", "risks"),
        );
        if let Some(note) = note {
            page.push_str(&format!("\n{note}\n"));
        }
        let or_dash = |text: &Option<String>| text.as_deref().map_or_else(|| "–".to_owned(), inline);
        let mut section = |title: &str, columns: &[&str], entries: &[Entry], cells: &dyn Fn(&Entry) -> Vec<String>| {
            if entries.is_empty() {
                return;
            }
            page.push_str(&format!(
                "\n## {title}\n\n| {} |\n|{}\n",
                columns.join(" | "),
                " --- |".repeat(columns.len())
            ));
            for entry in entries {
                let mut row = vec![inline(&shortened(&entry.title, self.max_title))];
                row.extend(cells(entry));
                row.push(marks(&entry.evidence, 4));
                page.push_str(&format!("| {} |\n", row.join(" | ")));
            }
        };
        section("Actions", &["What", "Owner", "Due", "From"], actions, &|entry| {
            vec![or_dash(&entry.owner), or_dash(&entry.due)]
        });
        section("Decisions", &["Decision", "From"], decisions, &|_| Vec::new());
        section("Risks", &["Risk", "Priority", "From"], risks, &|entry| vec![or_dash(&entry.priority)]);
        page
    }
}

/// One entry per distinct finding, and how many findings were duplicates.
fn distinct_entries(findings: Vec<Finding>) -> (Vec<(Section, Entry)>, u64) {
    let mut relevant: Vec<(Section, Finding)> =
        findings.into_iter().filter_map(|finding| Some((section_of(&finding.kind)?, finding))).collect();
    // The surest first, so that it is the one whose words stay.
    relevant.sort_by(|(_, a), (_, b)| b.confidence.total_cmp(&a.confidence));
    let mut entries: Vec<(Section, Entry)> = Vec::with_capacity(relevant.len());
    let mut known: BTreeMap<(Section, String, String, String), usize> = BTreeMap::new();
    let mut duplicates = 0;
    for (sort, finding) in relevant {
        let part = |text: &Option<String>| text.as_deref().map(normal).unwrap_or_default();
        let title = title_of(&finding);
        let key = (sort, normal(&title), part(&finding.owner), part(&finding.due));
        if let Some(index) = known.get(&key) {
            let entry = &mut entries[*index].1;
            entry.findings.push(finding.id);
            merge_evidence(&mut entry.evidence, finding.evidence);
            if priority_rank(finding.priority.as_deref()) < priority_rank(entry.priority.as_deref()) {
                entry.priority = finding.priority;
            }
            duplicates += 1;
            continue;
        }
        known.insert(key, entries.len());
        entries.push((
            sort,
            Entry {
                id: String::new(),
                kind: sort.name().to_owned(),
                title,
                owner: finding.owner,
                due: finding.due,
                priority: finding.priority,
                confidence: finding.confidence,
                findings: vec![finding.id],
                evidence: finding.evidence,
            },
        ));
    }
    (entries, duplicates)
}

/// All entries as CSV, with a header.
fn table(entries: &[(Section, Entry)]) -> Result<String> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let write_failure = |error: csv::Error| Failure::Internal(format!("cannot write the table: {error}"));
    writer
        .write_record(["type", "title", "owner", "due", "priority", "confidence", "segments", "quote"])
        .map_err(write_failure)?;
    for (_, entry) in entries {
        let mut segments: Vec<&str> = Vec::new();
        for place in &entry.evidence {
            if !segments.contains(&place.segment.as_str()) {
                segments.push(&place.segment);
            }
        }
        let quote = entry.evidence.first().map(|place| place.quote.as_str()).unwrap_or_default();
        let cells = [
            entry.kind.as_str(),
            &entry.title,
            entry.owner.as_deref().unwrap_or_default(),
            entry.due.as_deref().unwrap_or_default(),
            entry.priority.as_deref().unwrap_or_default(),
            &entry.confidence.to_string(),
            &segments.join(" "),
            quote,
        ];
        writer.write_record(cells.map(without_formula)).map_err(write_failure)?;
    }
    let bytes = writer.into_inner().map_err(|error| Failure::Internal(format!("cannot write the table: {error}")))?;
    String::from_utf8(bytes).map_err(|error| Failure::Internal(format!("cannot write the table: {error}")))
}

/// What a spreadsheet takes for the start of a formula: the signs, their full-width forms, and what it strips before them.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// The cell, with an apostrophe in front if a spreadsheet would otherwise take it for a formula (after OWASP).
fn without_formula(cell: &str) -> String {
    let guard = cell.starts_with(FORMULA);
    if guard { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Dashboard, DashboardInput, DashboardOutput, FindingSet, without_formula};
    use crate::testing::{call, check_example, finding};
    use jackfield_plugin_api::prelude::*;
    use jackfield_text::{Finding, Warning};

    fn dashboard(findings: Vec<Finding>) -> DashboardOutput {
        let dashboard = Dashboard { min_confidence: 0.0, max_per_source: None, max_title: 240 };
        call(&dashboard, DashboardInput { findings: vec![FindingSet { findings, ..FindingSet::default() }] })
            .expect("an answer")
    }

    #[test]
    fn the_worked_example_is_exact() {
        check_example::<Dashboard>(Dashboard::examples().remove(0));
    }

    #[test]
    fn of_each_source_the_surest_are_listed_and_the_others_are_counted() {
        let of = |kind: &str, place: usize, text: &str, confidence: f64| Finding {
            source: "lens".to_owned(),
            ..finding(kind, place, text, confidence)
        };
        let findings = vec![
            of("insight", 1, "not listed anyway", 0.99),
            of("action", 2, "Call the school", 0.4),
            of("risk", 3, "The bus may be late", 0.8),
            of("decision", 4, "We take the bus", 0.6),
        ];
        let dashboard = Dashboard { min_confidence: 0.0, max_per_source: Some(2), max_title: 240 };
        let input = DashboardInput { findings: vec![FindingSet { findings, ..FindingSet::default() }] };
        let answer = call(&dashboard, input).expect("an answer");
        assert_eq!((answer.counts.actions, answer.counts.decisions, answer.counts.risks), (0, 1, 1));
        assert_eq!(answer.left_out["lens"], 1);
    }

    #[test]
    fn nothing_found_is_an_empty_dashboard() {
        let empty = dashboard(Vec::new());
        assert!(empty.markdown.starts_with("# Dashboard\n\n0 actions, 0 decisions, 0 risks."));
        assert_eq!(empty.csv.lines().count(), 1);
    }

    #[test]
    fn what_could_not_be_read_stands_on_the_page() {
        let warnings = vec![Warning { source: "decisions".into(), text: "it is German".into() }];
        let input = DashboardInput { findings: vec![FindingSet { findings: Vec::new(), warnings }] };
        let answer =
            call(&Dashboard { min_confidence: 0.0, max_per_source: None, max_title: 240 }, input).expect("an answer");
        assert!(answer.markdown.ends_with("\n\n> **Not read** by decisions: it is German.\n"), "{}", answer.markdown);
    }

    #[test]
    fn another_owner_is_another_action() {
        let mut other = finding("action", 2, "Order the sensors", 0.5);
        other.owner = Some("Bo".into());
        let answer = dashboard(vec![finding("action", 1, "Order the sensors", 0.5), other]);
        assert_eq!((answer.counts.actions, answer.counts.duplicates), (2, 0));
    }

    #[test]
    fn owner_and_due_date_stand_in_their_columns_only() {
        let action = |n, text: &str| Finding {
            owner: Some("Bo".into()),
            due: Some("by May".into()),
            ..finding("action", n, text, 0.5)
        };
        let answer = dashboard(vec![action(1, "Bo: call them (by May)"), action(2, "Call them.")]);
        assert_eq!((answer.counts.actions, answer.counts.duplicates), (1, 1));
        assert_eq!(answer.actions[0].title, "Call them");
        assert!(answer.markdown.contains("| Call them | Bo | by May | [s1] [s2] |"), "{}", answer.markdown);
        assert!(answer.csv.contains("action,Call them,Bo,by May,"), "{}", answer.csv);
    }

    #[test]
    fn the_gravest_risks_come_first() {
        let risk = |number, priority: &str| Finding {
            priority: Some(priority.into()),
            ..finding("risk", number, priority, 0.5)
        };
        let answer = dashboard(vec![risk(1, "low"), risk(2, "high"), risk(3, "medium")]);
        let order: Vec<_> = answer.risks.iter().map(|risk| risk.title.as_str()).collect();
        assert_eq!(order, ["high", "medium", "low"]);
    }

    #[test]
    fn duplicates_keep_the_surest_words_and_all_evidence() {
        let answer = dashboard(vec![
            finding("decision", 4, "we take the bus", 0.4),
            finding("decision", 9, "We take the bus.", 0.9),
        ]);
        assert_eq!(answer.decisions[0].title, "We take the bus.");
        assert_eq!(answer.decisions[0].evidence.len(), 2);
    }

    proptest! {
        #[test]
        fn the_table_reads_back_as_written(texts in prop::collection::vec("[ -~çé→\\n\\r\",']{1,30}", 0..12)) {
            let findings: Vec<_> = texts.iter().enumerate().map(|(i, text)| finding("decision", i + 1, text, 0.5)).collect();
            let answer = dashboard(findings);
            let mut reader = csv::Reader::from_reader(answer.csv.as_bytes());
            let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().expect("a well-formed table");
            prop_assert_eq!(rows.len(), answer.decisions.len());
            for (row, entry) in rows.iter().zip(&answer.decisions) {
                let title = without_formula(&entry.title);
                prop_assert_eq!(&row[1], title.as_str());
                prop_assert!(!row[1].starts_with(['=', '+', '-', '@']));
            }
            let known = answer.decisions.iter().map(|entry| entry.findings.len()).sum::<usize>();
            prop_assert_eq!(known, texts.len(), "every finding is behind one line");
        }
    }
}

//! The analyzer `brief`.

use std::collections::BTreeMap;

use jackfield_plugin_api::prelude::*;
use jackfield_text::{FindingSet, Transcript, cut::shortened};
use serde_json::json;

use crate::{
    agreements::AgreementsOutput,
    document::{Draft, tokens},
    markdown::{counted, inline},
    outline::{Outline, speakers},
    shared::{at_least_one, flatten, note_of_warnings, surest_per_source},
};

/// One who speaks.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct Speaker {
    /// Who.
    pub speaker: String,
    /// Share of all words, 0 to 1.
    #[serde(default)]
    pub share: f64,
}

/// Who spoke how much: what of the answer of `participation` the minutes need.
#[derive(Clone, Debug, Default, PartialEq, Document)]
pub struct Participation {
    /// Those who speak.
    #[serde(default)]
    pub speakers: Vec<Speaker>,
}

/// A stretch of talk on one matter.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct Topic {
    /// What it is about.
    pub label: String,
    /// Phrases that tell it from the other topics, the most telling first.
    #[serde(default)]
    pub keyphrases: Vec<String>,
    /// Id of its first segment.
    #[serde(default)]
    pub from: String,
    /// Id of its last segment.
    #[serde(default)]
    pub to: String,
}

/// What was talked about: what of the answer of `topics` the minutes need.
#[derive(Clone, Debug, Default, PartialEq, Document)]
pub struct Topics {
    /// The topics in order.
    #[serde(default)]
    pub topics: Vec<Topic>,
}

/// A phrase that carries the matter of the talk.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct Keyphrase {
    /// The phrase.
    pub phrase: String,
    /// How often it is used.
    #[serde(default)]
    pub count: u64,
}

/// The phrases that carry the matter of the talk: what of the answer of `keyphrases` the minutes need.
#[derive(Clone, Debug, Default, PartialEq, Document)]
pub struct Keyphrases {
    /// The phrases, the weightiest first.
    #[serde(default)]
    pub keyphrases: Vec<Keyphrase>,
}

/// What `brief` reads. Everything may be absent.
#[derive(Clone, Debug, Default, Document)]
pub struct BriefInput {
    /// The transcript: title, length, and the shares of talk where `participation` is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transcript: Option<Transcript>,
    /// Answer of `topics`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topics: Option<Topics>,
    /// Answer of `participation`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub participation: Option<Participation>,
    /// Answer of `keyphrases`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyphrases: Option<Keyphrases>,
    /// Answer of `agreements`: with it, who stood where refers to the decisions rather than repeat them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreements: Option<AgreementsOutput>,
    /// Answers of other stages, of any kind of finding.
    #[serde(default)]
    pub findings: Vec<FindingSet>,
}

/// What `brief` answers.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct BriefOutput {
    /// The minutes.
    pub markdown: String,
    /// Length of the minutes in tokens of `o200k`; never more than `budget`.
    pub tokens: u64,
    /// The budget they were written under.
    pub budget: u64,
    /// How many findings of each source are in the minutes. A finding that says what another says is in with it.
    pub included: BTreeMap<String, u64>,
    /// How many findings of each source were left out, for want of room or beyond `max_per_source`; a source that is not
    /// named lost none.
    pub left_out: BTreeMap<String, u64>,
}

/// Writes the minutes of a meeting within a budget of tokens.
///
/// If all fits, all goes in. Otherwise every source of findings has a floor, the rest is shared in proportion to what
/// each has left, and within a source the surest findings go first. What was left out is counted.
#[derive(Clone, Debug, Config)]
pub struct Brief {
    /// Longest minutes, in tokens of the tokenizer `o200k`.
    #[config(default = 8000)]
    #[schemars(range(min = 100))]
    pub budget: usize,
    /// What each source may spend before the rest is shared; lowered when the floors alone do not fit.
    #[config(default = 500)]
    pub floor: usize,
    /// Most findings of each source, the surest first; all of them without it. Those beyond it are counted as left out.
    #[schemars(range(min = 1))]
    pub max_per_source: Option<usize>,
    /// Longest quote, in characters; 0 for none. A quote stands only where the finding does not say it already.
    #[config(default = 90)]
    #[schemars(range(max = 1000))]
    pub quote: usize,
}

/// Smaller than this, the title alone might not fit.
const SMALLEST: usize = 100;
/// Longest title, in tokens.
const TITLE: usize = 24;

impl Analyzer for Brief {
    const NAME: &'static str = "brief";
    const STABILITY: Stability = Stability::Beta;
    type Input = BriefInput;
    type Output = BriefOutput;

    fn open(self) -> Result<Self> {
        if self.budget < SMALLEST {
            return Err(Failure::InvalidConfig(format!("`budget` is less than {SMALLEST} tokens")));
        }
        at_least_one(self.max_per_source)?;
        Ok(self)
    }

    async fn analyze(&self, input: BriefInput, _host: &Host<'_>) -> Result<BriefOutput> {
        let mut outline = Outline::new(self.quote);
        let transcript = input.transcript.unwrap_or_default();
        let present = match input.participation {
            Some(participation) => participation.speakers,
            None => speakers(&transcript.segments),
        };
        if !present.is_empty() {
            outline.attendees(&present);
        }
        if let Some(topics) = &input.topics {
            outline.topics(&topics.topics);
        }
        let agreed = input.agreements.iter().flat_map(|agreements| &agreements.warnings);
        let note = note_of_warnings(input.findings.iter().flat_map(|set| &set.warnings).chain(agreed));
        let (findings, beyond) = surest_per_source(flatten(input.findings), self.max_per_source);
        outline.findings(&findings);
        if let Some(agreements) = &input.agreements {
            outline.agreements(agreements);
        }
        if let Some(keyphrases) = &input.keyphrases {
            outline.keyphrases(&keyphrases.keyphrases);
        }
        let (sources, items) = outline.finish();
        let (title, mut facts) = (title(&transcript), facts(&transcript));
        // The least budget has room for title and facts alone.
        if let Some(note) = note.filter(|note| tokens(note) + SMALLEST <= self.budget) {
            facts = format!("{facts}\n\n{note}");
        }
        let draft = Draft { title, facts, items, sources: &sources, budget: self.budget };
        let (markdown, tokens, chosen) = draft.fit(self.floor);

        let mut included = BTreeMap::new();
        let mut left_out = beyond;
        for (item, chosen) in draft.items.iter().zip(chosen) {
            let counts = if chosen { &mut included } else { &mut left_out };
            for member in &item.members {
                *counts.entry(sources[*member].clone()).or_insert(0) += 1;
            }
        }
        Ok(BriefOutput { markdown, tokens: tokens as u64, budget: self.budget as u64, included, left_out })
    }

    fn examples() -> Vec<Example> {
        let said = |segment: &str, speaker: &str, quote: &str| json!({ "segment": segment, "speaker": speaker, "quote": quote });
        vec![Example {
            summary: "minutes of a short meeting, with a decision and an action".into(),
            config: json!({ "budget": 500 }),
            input: json!({
                "transcript": { "title": "Trip", "segments": [
                    { "id": "s1", "speaker": "Ann", "text": "So we take the bus." },
                    { "id": "s2", "speaker": "Bo", "text": "Yes, I'll book it by Friday." },
                ] },
                "topics": { "topics": [{ "label": "bus", "from": "s1", "to": "s2" }] },
                "findings": [
                    { "findings": [{
                        "id": "decisions-1", "kind": "decision", "text": "We take the bus.", "confidence": 0.8,
                        "source": "decisions", "evidence": [said("s1", "Ann", "So we take the bus.")],
                    }] },
                    { "findings": [{
                        "id": "actions-1", "kind": "action", "text": "Book the bus.", "confidence": 0.7, "source": "actions",
                        "owner": "Bo", "due": "Friday", "evidence": [said("s2", "Bo", "Yes, I'll book it by Friday.")],
                    }] },
                    { "findings": [{
                        "id": "key-points-1", "kind": "key-point", "text": "So we take the bus.", "confidence": 0.5,
                        "source": "key-points", "evidence": [said("s1", "Ann", "So we take the bus.")],
                    }] },
                ],
            }),
            output: json!({
                "markdown": "# Minutes: Trip\n\n2 turns. Marks such as [s12] name segments of the transcript.\n\n\
                             ## Attendees\n\nBo 55 %; Ann 45 %\n\n## Topics\n\n- **bus** [s1]–[s2]\n\n\
                             ## Decisions\n\n- **D1** We take the bus. (Ann) [s1]\n\n\
                             ## Actions\n\n| What | Owner | Due | From |\n| --- | --- | --- | --- |\n\
                             | Book the bus. | Bo | Friday | [s2] |\n",
                "tokens": 106,
                "budget": 500,
                "included": { "participation": 2, "topics": 1, "decisions": 1, "actions": 1, "key-points": 1 },
                "left_out": {},
            }),
        }]
    }
}

fn title(transcript: &Transcript) -> String {
    let Some(title) = transcript.title.as_deref().filter(|title| !title.trim().is_empty()) else {
        return "Minutes".to_owned();
    };
    let mut longest = 100;
    loop {
        let title = inline(&shortened(title, longest));
        if tokens(&title) <= TITLE || longest == 0 {
            return format!("Minutes: {title}");
        }
        longest /= 2;
    }
}

fn facts(transcript: &Transcript) -> String {
    let legend = "Marks such as [s12] name segments of the transcript.";
    if transcript.segments.is_empty() {
        return legend.to_owned();
    }
    let turns = counted(transcript.segments.len(), "turn", "turns");
    let last = transcript.segments.iter().rev().find_map(|segment| segment.start).filter(|start| start.is_finite());
    match last.map(|seconds| (seconds / 60.0).ceil() as u64).filter(|minutes| *minutes > 0) {
        Some(minutes) => format!("{turns} in {}. {legend}", counted(minutes as usize, "minute", "minutes")),
        None => format!("{turns}. {legend}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Brief, BriefInput, BriefOutput, FindingSet, Participation, SMALLEST, Speaker, Topic, Topics};
    use crate::{
        agreements::{Agreements, AgreementsInput},
        document::tokens,
        testing::{any_findings, any_transcript, call, check_example, finding, transcript},
    };
    use jackfield_plugin_api::prelude::*;
    use jackfield_text::{Finding, Warning};

    fn brief(budget: usize, findings: Vec<Finding>) -> BriefOutput {
        let input =
            BriefInput { findings: vec![FindingSet { findings, ..FindingSet::default() }], ..BriefInput::default() };
        call(&Brief { budget, floor: 500, max_per_source: None, quote: 90 }, input).expect("an answer")
    }

    #[test]
    fn the_worked_example_is_exact() {
        check_example::<Brief>(Brief::examples().remove(0));
    }

    #[test]
    fn of_each_source_the_surest_are_in_and_the_others_are_counted() {
        let of = |source: &str, place: usize, text: &str, confidence: f64| Finding {
            source: source.to_owned(),
            ..finding("decision", place, text, confidence)
        };
        let findings = vec![
            of("decisions", 1, "We take the train.", 0.5),
            of("decisions", 2, "We leave on Monday.", 0.9),
            of("decisions", 3, "We stay for two days.", 0.7),
            of("lens", 4, "We cook for ourselves.", 0.1),
        ];
        let input =
            BriefInput { findings: vec![FindingSet { findings, ..FindingSet::default() }], ..BriefInput::default() };
        let brief = Brief { budget: 8000, floor: 500, max_per_source: Some(2), quote: 90 };
        let answer = call(&brief, input).expect("an answer");
        assert!(!answer.markdown.contains("train") && answer.markdown.contains("cook"), "{}", answer.markdown);
        assert_eq!((answer.left_out["decisions"], answer.included["decisions"]), (1, 2));
        assert_eq!((answer.left_out.get("lens"), answer.included["lens"]), (None, 1));
        assert!(Brief { max_per_source: Some(0), ..brief }.open().is_err());
    }

    #[test]
    fn nothing_found_is_still_a_page() {
        let empty = brief(8000, Vec::new());
        assert!(empty.markdown.starts_with("# Minutes\n"));
        assert!(empty.included.is_empty() && empty.left_out.is_empty());
    }

    #[test]
    fn what_could_not_be_read_is_said_once_with_the_stages_that_say_it() {
        let set = |source: &str, text: &str| FindingSet {
            warnings: vec![Warning { source: source.into(), text: text.into() }],
            ..FindingSet::default()
        };
        let input = |budget| {
            let findings = vec![set("decisions", "it is German"), set("lens", "odd"), set("actions", "it is German")];
            let brief = Brief { budget, floor: 500, max_per_source: None, quote: 90 };
            call(&brief, BriefInput { findings, ..BriefInput::default() }).expect("an answer")
        };
        let markdown = input(8000).markdown;
        let note = "> **Not read** by decisions and actions: it is German.\n>\n> **Not read** by lens: odd.\n";
        assert!(markdown.contains(note), "{markdown}");
        assert!(!input(SMALLEST).markdown.contains("Not read"), "there is no room for it");
    }

    #[test]
    fn a_budget_that_cannot_hold_the_title_is_refused() {
        let refused = Brief { budget: SMALLEST - 1, floor: 500, max_per_source: None, quote: 90 }.open().map(|_| ());
        assert!(matches!(refused, Err(Failure::InvalidConfig(_))));
    }

    #[test]
    fn no_source_is_silenced_by_a_wordy_neighbour() {
        let wordy = (1..400)
            .map(|n| finding("key-point", n, &format!("Point {n} goes on and on about the bus and the train"), 0.9));
        let short = (1..4).map(|n| finding("decision", n, &format!("Decided thing {n}"), 0.1));
        let answer = brief(1000, wordy.chain(short).collect());
        assert_eq!(answer.included["decisions"], 3);
        assert!(answer.left_out["key-points"] > 300 && answer.included["key-points"] > 10);
        assert!(answer.tokens > 900, "the budget is made use of: {}", answer.tokens);
    }

    #[test]
    fn the_surest_findings_go_in_first_and_stand_in_order() {
        let findings =
            (1..200).map(|n| finding("decision", n, &format!("Decided thing number {n}"), n as f64 / 1000.0)).collect();
        let answer = brief(300, findings);
        assert!(answer.markdown.contains("number 199") && !answer.markdown.contains("number 1 "));
        let (first, last) = (answer.markdown.find("number 198"), answer.markdown.find("number 199"));
        assert!(first < last);
    }

    #[test]
    fn agreements_refer_to_the_decision_that_is_in_the_minutes() {
        let turns = transcript(&[("Ann", "We take the bus."), ("Bo", "I agree with that.")]);
        let decisions = vec![FindingSet {
            findings: vec![finding("decision", 1, "We take the bus.", 0.8)],
            ..FindingSet::default()
        }];
        let input = AgreementsInput { transcript: Some(turns.clone()), findings: decisions.clone() };
        let agreements = call(&Agreements { before: 8, after: 6 }, input).expect("an answer");
        let input = BriefInput { agreements: Some(agreements), findings: decisions, ..BriefInput::default() };
        let answer =
            call(&Brief { budget: 8000, floor: 500, max_per_source: None, quote: 90 }, input).expect("an answer");
        assert!(answer.markdown.contains("- **D1** for: Ann and Bo [s1] [s2]"), "{}", answer.markdown);
    }

    #[test]
    fn a_request_and_the_promise_that_answers_it_are_one_action() {
        let action = |n, text: &str, due: &str| Finding {
            owner: Some("Bo".into()),
            due: Some(due.into()),
            ..finding("action", n, text, 0.5)
        };
        let answer = brief(
            8000,
            vec![
                action(1, "Bo, can you call them by May?", "by May"),
                action(2, "I'll call them by May.", "by May"),
                action(3, "I'll write to Cy by June.", "by June"),
            ],
        );
        assert_eq!(answer.markdown.matches("| Bo |").count(), 2);
        assert_eq!(answer.included["actions"], 3);
    }

    #[test]
    fn owner_and_due_date_stand_in_their_columns_only() {
        let action = |n, text: &str| Finding {
            owner: Some("Bo".into()),
            due: Some("by May".into()),
            ..finding("action", n, text, 0.5)
        };
        let answer = brief(8000, vec![action(1, "Bo: call them (by May)"), action(9, "Call them.")]);
        assert!(answer.markdown.ends_with("| --- |\n| Call them | Bo | by May | [s1] |\n"), "{}", answer.markdown);
        assert_eq!(answer.included["actions"], 2);
    }

    #[test]
    fn thousands_of_findings_are_no_trouble() {
        let findings =
            (0..5000).map(|n| finding("question", n % 700, &format!("What about thing {n}?"), 0.5)).collect();
        let answer = brief(8000, findings);
        assert_eq!(answer.included["questions"] + answer.left_out["questions"], 5000);
        assert!(answer.tokens <= 8000);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]
        #[test]
        fn the_budget_is_never_exceeded_and_nothing_is_lost(
            budget in SMALLEST..1500,
            floor in 0_usize..600,
            title in "\\PC{0,150}",
            mut transcript in any_transcript(),
            findings in any_findings(),
            labels in prop::collection::vec("\\PC{0,60}", 0..8),
        ) {
            transcript.title = Some(title);
            let topics = labels.iter().map(|label| Topic { label: label.clone(), keyphrases: Vec::new(), from: "s1".into(), to: "s9".into() });
            let topics: Vec<Topic> = topics.collect();
            let warnings: Vec<Warning> =
                labels.iter().map(|label| Warning { source: label.clone(), text: label.clone() }).collect();
            let speakers: Vec<Speaker> = labels.iter().map(|name| Speaker { speaker: name.clone(), share: 0.2 }).collect();
            let input = || BriefInput {
                transcript: Some(transcript.clone()),
                topics: Some(Topics { topics: topics.clone() }),
                participation: Some(Participation { speakers: speakers.clone() }),
                keyphrases: None,
                agreements: None,
                findings: vec![FindingSet { findings: findings.clone(), warnings: warnings.clone() }],
            };
            let answer = call(&Brief { budget, floor, max_per_source: None, quote: 90 }, input()).expect("an answer");
            prop_assert_eq!(answer.tokens as usize, tokens(&answer.markdown));
            prop_assert!(answer.tokens as usize <= budget, "{}", answer.markdown);
            let counted: u64 = answer.included.values().chain(answer.left_out.values()).sum();
            prop_assert_eq!(counted as usize, findings.len() + 2 * labels.len());
            let whole = call(&Brief { budget: 1_000_000, floor, max_per_source: None, quote: 90 }, input()).expect("an answer");
            prop_assert!(whole.left_out.is_empty());
            if whole.tokens as usize <= budget {
                prop_assert_eq!(answer.markdown, whole.markdown);
            }
        }
    }
}

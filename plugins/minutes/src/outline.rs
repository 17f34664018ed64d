//! The items of the minutes, made of what other stages found.

use std::collections::BTreeMap;

use jackfield_text::{Evidence, Finding, Segment, cut::shortened, quote::fold};

use crate::{
    agreements::{Agreement, AgreementsOutput},
    brief::{Keyphrase, Speaker, Topic},
    document::{Item, Part},
    markdown::{inline, marks, names, short_name, unstopped},
    scene::content_stems,
    shared::{Section, bounded, is_open, normal, number_of, position, priority_rank, section_of, title_of},
};

/// At most so many segments are named behind an entry.
const MARKS: usize = 3;
/// The same, where every speaker has a segment.
const MARKS_OF_SIDES: usize = 6;
/// Findings on one segment that a key point is compared with.
const COMPARED: usize = 16;
/// Segments from a request to the promise that answers it.
const LONGEST_ANSWER: u64 = 2;
/// Phrases behind the label of a topic.
const PHRASES_OF_TOPIC: usize = 4;
/// Longest label, in characters.
const LONGEST_LABEL: usize = 120;

/// Items with the names of their sources.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    pub(crate) sources: Vec<String>,
    pub(crate) items: Vec<Item>,
    /// Longest quote, in characters.
    pub(crate) quote: usize,
    /// Items by id of their finding.
    by_id: BTreeMap<String, usize>,
    /// What has been said, and by which item.
    said: BTreeMap<(Part, String, String, String), usize>,
    /// Where each topic starts, in order, and its item.
    spans: Vec<(u64, usize)>,
    /// Actions with an owner and a date: the segment of the last one, and its item.
    promised: BTreeMap<(String, String), (u64, usize)>,
    /// Quotes that stand for an entry already: by segment, the folded quote and the item.
    quoted: BTreeMap<String, Vec<(String, usize)>>,
}

impl Outline {
    pub(crate) fn new(quote: usize) -> Self {
        Self { quote, ..Self::default() }
    }

    fn source(&mut self, name: &str) -> usize {
        match self.sources.iter().position(|known| known == name) {
            Some(index) => index,
            None => {
                self.sources.push(name.to_owned());
                self.sources.len() - 1
            }
        }
    }

    /// Those present, with their share of the talk.
    pub(crate) fn attendees(&mut self, speakers: &[Speaker]) {
        let source = self.source("participation");
        for (index, speaker) in speakers.iter().enumerate() {
            let share = (bounded(speaker.share) * 100.0).round();
            let share = if share < 1.0 { "under 1 %".to_owned() } else { format!("{share} %") };
            self.items.push(Item {
                part: Part::Attendees,
                source,
                worth: bounded(speaker.share),
                place: (0, index as u64),
                text: format!("{} {share}", inline(&speaker.speaker)),
                refers: None,
                members: vec![source],
            });
        }
    }

    /// What was talked about, in order.
    pub(crate) fn topics(&mut self, topics: &[Topic]) {
        let source = self.source("topics");
        for (index, topic) in topics.iter().enumerate() {
            let (first, last) = (inline(&topic.from), inline(&topic.to));
            let range = if first == last { format!("[{first}]") } else { format!("[{first}]–[{last}]") };
            let span = number_of(&topic.to).saturating_sub(number_of(&topic.from));
            let label = fold(&topic.label);
            let phrases = topic.keyphrases.iter().filter(|phrase| !label.contains(&fold(phrase)));
            let phrases: Vec<_> =
                phrases.take(PHRASES_OF_TOPIC).map(|phrase| inline(&shortened(phrase, self.quote))).collect();
            let phrases = if phrases.is_empty() { String::new() } else { format!(": {}", phrases.join(", ")) };
            self.spans.push((number_of(&topic.from), self.items.len()));
            self.items.push(Item {
                part: Part::Topics,
                source,
                worth: span as f64,
                place: (0, index as u64),
                text: format!("**{}** {range}{phrases}", inline(&shortened(&topic.label, LONGEST_LABEL))),
                refers: None,
                members: vec![source],
            });
        }
        self.spans.sort_unstable();
    }

    /// What the talk was about, in a few words.
    pub(crate) fn keyphrases(&mut self, phrases: &[Keyphrase]) {
        let source = self.source("keyphrases");
        for (index, Keyphrase { phrase, count }) in phrases.iter().enumerate() {
            let times = if *count > 1 { format!(" ({count} times)") } else { String::new() };
            self.items.push(Item {
                part: Part::Phrases,
                source,
                worth: -(index as f64),
                place: (0, index as u64),
                text: format!("{}{times}", inline(&shortened(phrase, LONGEST_LABEL))),
                refers: None,
                members: vec![source],
            });
        }
    }

    /// Findings of all kinds. Those that others were derived from come first, so that what says the same again is folded
    /// into them.
    pub(crate) fn findings(&mut self, findings: &[Finding]) {
        // Sources in the order given, whatever the order of the sections.
        for finding in findings {
            self.source(&finding.source);
        }
        let weight = |finding: &Finding| match section_of(&finding.kind) {
            Some(Section::Decision) => 0,
            Some(Section::Action) => 1,
            Some(Section::Question) => 2,
            Some(Section::Risk) => 3,
            Some(Section::Agreement) => 4,
            None => 5,
            Some(Section::KeyPoint) => 6,
        };
        let mut ordered: Vec<&Finding> = findings.iter().collect();
        ordered.sort_by(|a, b| weight(a).cmp(&weight(b)).then(bounded(b.confidence).total_cmp(&bounded(a.confidence))));
        for finding in ordered {
            self.finding(finding);
        }
    }

    fn finding(&mut self, finding: &Finding) {
        let source = self.source(&finding.source);
        let part = part_of(finding);
        let about = |text: &Option<String>| text.as_deref().map(normal).unwrap_or_default();
        let key = (part.clone(), normal(&title_of(finding)), about(&finding.owner), about(&finding.due));
        let known = self.said.get(&key).copied().or_else(|| self.entry_that_says(&part, finding));
        if let Some(index) = known {
            self.items[index].members.push(source);
            self.by_id.entry(finding.id.clone()).or_insert(index);
            return;
        }
        let index = self.items.len();
        self.said.insert(key, index);
        self.by_id.entry(finding.id.clone()).or_insert(index);
        if !matches!(part, Part::Agreements | Part::Phrases)
            && let Some(place) = finding.evidence.first()
        {
            let quotes = self.quoted.entry(place.segment.clone()).or_default();
            if quotes.len() < COMPARED {
                quotes.push((fold(&place.quote), index));
            }
        }
        if part == Part::Actions
            && let (Some(owner), Some(due), Some(place)) = (&finding.owner, &finding.due, finding.evidence.first())
        {
            self.promised.insert((normal(owner), normal(due)), (number_of(&place.segment), index));
        }
        let gravity = if part == Part::Risks { priority_rank(finding.priority.as_deref()) } else { 0 };
        let open = if part == Part::Open { 1.0 } else { 0.0 };
        self.items.push(Item {
            source,
            worth: bounded(finding.confidence) + open + f64::from(3 - gravity),
            place: (gravity, position(&finding.evidence)),
            text: self.text(&part, finding),
            part,
            refers: None,
            members: vec![source],
        });
    }

    /// The item that already says what a finding says, if there is one: the topic it stands for, the promise that
    /// answers a request, the entry that was made of the same words.
    fn entry_that_says(&self, part: &Part, finding: &Finding) -> Option<usize> {
        let place = finding.evidence.first()?;
        match part {
            Part::Topics => {
                let behind = self.spans.partition_point(|(start, _)| *start <= number_of(&place.segment));
                self.spans.get(behind.checked_sub(1)?).map(|(_, index)| *index)
            }
            // `Can you write it by Friday?` and `I'll write it by Friday` are one action.
            Part::Actions => {
                let key = (finding.owner.as_deref().map(normal)?, finding.due.as_deref().map(normal)?);
                let (segment, index) = self.promised.get(&key)?;
                (number_of(&place.segment).abs_diff(*segment) <= LONGEST_ANSWER).then_some(*index)
            }
            Part::KeyPoints | Part::Open | Part::Answered => {
                let quote = fold(&place.quote);
                let same = |known: &str| {
                    !quote.is_empty()
                        && (known.contains(&quote) || (quote.contains(known) && known.len() * 2 > quote.len()))
                };
                let known = self.quoted.get(&place.segment)?;
                known.iter().find(|(known, _)| same(known)).map(|(_, index)| *index)
            }
            _ => None,
        }
    }

    fn text(&self, part: &Part, finding: &Finding) -> String {
        let marks = marks(&finding.evidence, MARKS);
        let text = inline(&title_of(finding));
        let dash = |text: &Option<String>| text.as_deref().map_or_else(|| "–".to_owned(), inline);
        match part {
            Part::Phrases => unstopped(&text).to_owned(),
            Part::Actions => format!("{text} | {} | {} | {marks}", dash(&finding.owner), dash(&finding.due)),
            Part::Risks => match finding.priority.as_deref() {
                Some(priority) => format!("**{}** {text} {marks}", inline(priority)),
                None => format!("{text} {marks}"),
            },
            Part::Agreements => format!("{text} {marks}"),
            Part::Answered => {
                let by = |index: usize| {
                    finding.evidence.get(index).and_then(|place| place.speaker.as_deref()).map(short_name)
                };
                let who = match (by(0), by(1)) {
                    (Some(asks), Some(answers)) => format!(" ({}, answered by {})", inline(asks), inline(answers)),
                    (Some(asks), None) => format!(" ({})", inline(asks)),
                    _ => String::new(),
                };
                format!("{text}{who} {marks}")
            }
            _ => {
                let speaker = finding.evidence.first().and_then(|place| place.speaker.as_deref());
                let speaker = speaker.map(|speaker| format!(" ({})", inline(short_name(speaker)))).unwrap_or_default();
                format!("{text}{speaker} {marks}{}", self.quotation(finding))
            }
        }
        .trim_end()
        .to_owned()
    }

    /// A short quote, unless it would say the text again.
    fn quotation(&self, finding: &Finding) -> String {
        let Some(Evidence { quote, .. }) = finding.evidence.first() else { return String::new() };
        let (own, quoted) = (content_stems(&finding.text), content_stems(quote));
        let shared = quoted.intersection(&own).count();
        if self.quote == 0 || quoted.len() < 2 || shared * 2 >= quoted.len().min(own.len()) {
            return String::new();
        }
        format!(": “{}”", inline(&shortened(quote, self.quote)))
    }

    /// Lets the findings of `agreements` refer to the decisions rather than repeat them.
    pub(crate) fn agreements(&mut self, agreements: &AgreementsOutput) {
        self.findings(&agreements.findings);
        for agreement in &agreements.agreements {
            let (own, decision) = (self.by_id.get(&agreement.id), self.by_id.get(&agreement.decision));
            if let (Some(own), Some(decision)) = (own, decision)
                && self.items[*own].part == Part::Agreements
                && self.items[*decision].part == Part::Decisions
            {
                self.items[*own].place = self.items[*decision].place;
                self.items[*own].refers = Some((
                    *decision,
                    format!("{} {}", sides_text(agreement), marks(&agreement.evidence, MARKS_OF_SIDES)),
                ));
            }
        }
    }

    /// Names of the sources, and the items in the order of the document.
    pub(crate) fn finish(mut self) -> (Vec<String>, Vec<Item>) {
        let mut order: Vec<usize> = (0..self.items.len()).collect();
        order.sort_by(|a, b| {
            let (a, b) = (&self.items[*a], &self.items[*b]);
            a.part.cmp(&b.part).then(a.place.cmp(&b.place))
        });
        let mut moved = vec![0; order.len()];
        for (new_index, old_index) in order.iter().enumerate() {
            moved[*old_index] = new_index;
        }
        for item in &mut self.items {
            if let Some((target, _)) = &mut item.refers {
                *target = moved[*target];
            }
        }
        let mut slots: Vec<Option<Item>> = self.items.into_iter().map(Some).collect();
        let items =
            order.into_iter().map(|index| slots[index].take().expect("an order names each item once")).collect();
        (self.sources, items)
    }
}

fn part_of(finding: &Finding) -> Part {
    match section_of(&finding.kind) {
        Some(Section::KeyPoint) => Part::KeyPoints,
        Some(Section::Decision) => Part::Decisions,
        Some(Section::Action) => Part::Actions,
        Some(Section::Question) if is_open(finding) => Part::Open,
        Some(Section::Question) => Part::Answered,
        Some(Section::Risk) => Part::Risks,
        Some(Section::Agreement) => Part::Agreements,
        None if finding.kind == "keyphrase" => Part::Phrases,
        None if finding.kind == "topic" => Part::Topics,
        None => Part::Other(finding.kind.clone()),
    }
}

fn sides_text(agreement: &Agreement) -> String {
    let inlined = |list: &[String]| inline(&names(list));
    let mut text = match (agreement.supporters.as_slice(), agreement.opponents.as_slice()) {
        (supporters, []) => format!("for: {}", inlined(supporters)),
        ([], opponents) => format!("against: {}", inlined(opponents)),
        (supporters, opponents) => format!("for: {}; against: {}", inlined(supporters), inlined(opponents)),
    };
    if !agreement.reserved.is_empty() {
        text.push_str(&format!(" (with reserve: {})", inlined(&agreement.reserved)));
    }
    unstopped(&text).to_owned()
}

/// Those who speak, with their share of the words, the one who speaks most first.
pub(crate) fn speakers(segments: &[Segment]) -> Vec<Speaker> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for segment in segments {
        if let Some(speaker) = &segment.speaker {
            *counts.entry(speaker).or_default() += jackfield_text::words::count(&segment.text);
        }
    }
    let total = counts.values().sum::<usize>().max(1);
    let mut speakers: Vec<Speaker> = counts
        .into_iter()
        .map(|(speaker, words)| Speaker { speaker: speaker.to_owned(), share: words as f64 / total as f64 })
        .collect();
    speakers.sort_by(|a, b| b.share.total_cmp(&a.share));
    speakers
}

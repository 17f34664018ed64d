//! Meetings and what readers marked in them.

use std::{collections::BTreeSet, error::Error, fs, path::Path};

use jackfield_meetings::learning::{Described, Target, describe};
use jackfield_text::Transcript;
use serde_json::{Value, json};

/// Something that a reader marked.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// Its turns, from 0.
    pub(crate) turns: BTreeSet<usize>,
    /// The turn that shows it best.
    pub(crate) key_turn: Option<usize>,
    /// Whether the reader is sure enough that it is wanted.
    pub(crate) wanted: bool,
}

/// A meeting with what a reader marked.
#[derive(Clone, Debug)]
pub(crate) struct Meeting {
    pub(crate) name: String,
    /// What meetings that belong together have in common.
    pub(crate) series: String,
    /// Whether figures are taken from it.
    pub(crate) judged: bool,
    pub(crate) is_short: bool,
    pub(crate) transcript: Transcript,
    pub(crate) described: Described,
    pub(crate) items: Vec<Item>,
}

impl Meeting {
    /// Whether a turn shows a wanted item best; nothing for the other turns of an item.
    pub(crate) fn key_label(&self, turn: usize) -> Option<bool> {
        if self.items.iter().any(|item| item.wanted && item.key_turn == Some(turn)) {
            return Some(true);
        }
        (!self.items.iter().any(|item| item.turns.contains(&turn))).then_some(false)
    }

    /// Whether any of these turns is right; nothing where only a doubtful item is near.
    pub(crate) fn label(&self, turns: &[usize]) -> Option<bool> {
        let near = |item: &Item| item.turns.iter().any(|&marked| turns.iter().any(|turn| turn.abs_diff(marked) <= 1));
        if self.items.iter().any(|item| item.wanted && near(item)) {
            return Some(true);
        }
        (!self.items.iter().any(near)).then_some(false)
    }
}

/// The meetings with annotations, in order of their names.
pub(crate) fn read(meetings: &Path, annotations: &Path, target: Target) -> Result<Vec<Meeting>, Box<dyn Error>> {
    let mut all = Vec::new();
    for (folder, judged) in [("judged", true), ("further", false)] {
        for entry in fs::read_dir(annotations.join(folder))? {
            let notes: Value = serde_json::from_str(&fs::read_to_string(entry?.path())?)?;
            let name = notes["meeting"].as_str().ok_or("annotations without the name of the meeting")?;
            let text = fs::read_to_string(meetings.join(format!("{name}.json")))?;
            let turns = serde_json::from_str::<Value>(&text)?["meeting_transcripts"].take();
            all.push(meeting(name, &turns, &notes, judged, target)?);
        }
    }
    for file in ["short", "talks"] {
        let talks: Value = serde_json::from_str(&fs::read_to_string(annotations.join(format!("{file}.json")))?)?;
        for (index, talk) in talks.as_array().into_iter().flatten().enumerate() {
            // A few of them make a series each.
            let name = format!("{file}{}x{index:03}", index % 4);
            all.push(Meeting { is_short: true, ..meeting(&name, &talk["meeting_transcripts"], talk, false, target)? });
        }
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

fn meeting(name: &str, turns: &Value, notes: &Value, judged: bool, target: Target) -> Result<Meeting, Box<dyn Error>> {
    let turns = turns.as_array().ok_or("a meeting without turns")?;
    let segments = turns.iter().enumerate().map(|(index, turn)| {
        let (speaker, text) = match turn.as_array() {
            Some(pair) => (&pair[0], &pair[1]),
            None => (&turn["speaker"], &turn["content"]),
        };
        json!({ "id": format!("s{}", index + 1), "speaker": speaker, "text": text })
    });
    let transcript: Transcript = serde_json::from_value(json!({ "segments": segments.collect::<Vec<_>>() }))?;
    let list = match target {
        Target::Decisions => &notes["decisions"],
        Target::Actions => &notes["actions"],
    };
    let mut items = Vec::new();
    for item in list.as_array().into_iter().flatten() {
        let key_turn = item["key_turn"].as_u64();
        let marked = item["turns"].as_array().into_iter().flatten().filter_map(Value::as_u64).chain(key_turn);
        items.push(Item {
            key_turn: key_turn.map(|turn| turn as usize),
            turns: marked.map(|turn| turn as usize).collect(),
            wanted: item["sure"].as_u64().is_none_or(|sure| sure >= 2),
        });
    }
    let described = describe(&transcript, target);
    Ok(Meeting { name: name.to_owned(), series: series(name), judged, is_short: false, transcript, described, items })
}

/// `ES2006` of `ES2006a`, `Bmr` of `Bmr012`, `covid` of `covid_2`.
fn series(name: &str) -> String {
    let stem = name.split(['x', '_']).next().unwrap_or(name);
    let is_lettered = name.ends_with(|c: char| c.is_ascii_lowercase()) && stem == name;
    if is_lettered {
        name[..name.len() - 1].to_owned()
    } else {
        stem.trim_end_matches(|c: char| c.is_ascii_digit() && !name.contains('x')).to_owned()
    }
}

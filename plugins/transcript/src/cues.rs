//! Timed cues that may name their speakers, which WebVTT and SubRip share.

use crate::{
    Turn,
    speaker::{Labels, split_label},
};

const LONGEST_TAG: usize = 256;

/// A timed cue: its lines, each with the voice that a tag gives it.
#[derive(Debug, Default)]
pub(crate) struct Cue {
    pub(crate) start: Option<f64>,
    pub(crate) lines: Vec<(Option<String>, String)>,
}

/// Makes turns of cues: a new one for each cue, and for each voice within it.
pub(crate) fn turns(cues: Vec<Cue>) -> Vec<Turn> {
    let mut labels = Labels::default();
    let mut untagged_lines = 0;
    for (_, line) in cues.iter().flat_map(|cue| &cue.lines).filter(|(voice, _)| voice.is_none()) {
        untagged_lines += 1;
        if let Some((label, _)) = split_label(undashed(line)) {
            labels.add(label);
        }
    }
    let labels = labels.retain_names(untagged_lines);
    let mut turns: Vec<Turn> = Vec::with_capacity(cues.len());
    for cue in &cues {
        let mut continues_turn = false;
        for (voice, line) in &cue.lines {
            let dashed = undashed(line);
            let label_and_text = split_label(dashed).filter(|(label, _)| voice.is_none() && labels.is_name(label));
            let (speaker, text) = match label_and_text {
                Some((label, text)) => (Some(label.into_owned()), text),
                None => (voice.clone(), line.as_str()),
            };
            let starts_with_dash = dashed.len() < line.len();
            match turns.last_mut().filter(|_| continues_turn) {
                Some(last) if !starts_with_dash && (speaker.is_none() || speaker == last.speaker) => {
                    if !last.text.is_empty() && !text.is_empty() {
                        last.text.push(' ');
                    }
                    last.text.push_str(text);
                }
                _ => {
                    let text = if starts_with_dash && speaker.is_none() { dashed } else { text };
                    turns.push(Turn { speaker, text: text.to_owned(), start: cue.start, number: None });
                    continues_turn = true;
                }
            }
        }
    }
    turns.retain_mut(|turn| {
        turn.text = turn.text.trim().to_owned();
        !turn.text.is_empty()
    });
    turns
}

/// Without the dash that marks a change of speakers inside a cue.
fn undashed(line: &str) -> &str {
    line.strip_prefix("- ").map_or(line, str::trim_start)
}

/// Text with tags taken out and character references resolved; the voice of the last `<v …>` tag is handed to `voice`
/// with the text up to there.
pub(crate) fn untag(line: &str, mut take_voice: impl FnMut(&str, Option<&str>)) -> String {
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    // Where the next `>` stands, kept so that a row of lesser-than signs is searched once.
    let mut next_close = line.find('>').unwrap_or(line.len());
    while let Some(opening) = rest.find('<') {
        text.push_str(&rest[..opening]);
        let tail = &rest[opening..];
        let open_at = line.len() - tail.len();
        if next_close < open_at {
            next_close = tail.find('>').map_or(line.len(), |close| open_at + close);
        }
        let close = Some(next_close - open_at).filter(|&close| close <= LONGEST_TAG && close < tail.len());
        let Some(close) = close.filter(|&close| is_tag(&tail[1..close])) else {
            text.push('<');
            rest = &tail[1..];
            continue;
        };
        let tag = &tail[1..close];
        if let Some(name) = voice_name(tag) {
            take_voice(&resolve(&text), Some(name));
            text.clear();
        } else if tag == "/v" {
            take_voice(&resolve(&text), None);
            text.clear();
        }
        rest = &tail[close + 1..];
    }
    text.push_str(rest);
    resolve(&text)
}

/// `<v Ann>`, `<v.loud Ann>`.
fn voice_name(tag: &str) -> Option<&str> {
    let (kind, name) = tag.split_once(char::is_whitespace)?;
    (kind == "v" || kind.starts_with("v.")).then(|| name.trim()).filter(|name| !name.is_empty())
}

/// A tag of the two formats, not a lesser-than sign.
fn is_tag(inner: &str) -> bool {
    let name = inner.trim_start_matches('/');
    let kind = name.split([' ', '.', '\t', '=']).next().unwrap_or_default();
    matches!(kind, "v" | "c" | "i" | "b" | "u" | "s" | "ruby" | "rt" | "lang" | "font")
        || crate::time::clock(name).is_some()
}

fn resolve(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    let pairs =
        [("&lt;", "<"), ("&gt;", ">"), ("&nbsp;", " "), ("&lrm;", ""), ("&rlm;", ""), ("&quot;", "\""), ("&#39;", "'")];
    let text = pairs.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
    text.replace("&amp;", "&")
}

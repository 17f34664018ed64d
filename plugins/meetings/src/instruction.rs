//! Who is to do what, drawn from one sentence.

use jackfield_text::{clean::capitalised, names::Names, words};

use crate::action_cues::{CUES, Doer, TASKS};

/// What a verb is worth that is no typical task, straight after `I'll` or `could you`.
const ANY_VERB: f64 = 0.6;
/// A cue of less weight than this needs a typical task.
const CLEAR: f64 = 1.1;
/// `Bo will send it`, `Bo, send it`.
const BY_NAME: f64 = 1.6;
/// What may stand between a cue and its verb.
const BETWEEN: &[&str] = &["also", "just", "then", "now", "please", "certainly", "definitely", "quickly", "personally"];

/// A task and its doer as a sentence has them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Task {
    pub(crate) doer: Doer,
    /// Who is named as the doer, by index.
    pub(crate) named: Option<usize>,
    /// How clearly it is taken on or handed out.
    pub(crate) cue: f64,
    /// How typical a task it is.
    pub(crate) work: f64,
    /// The words of the cue, and the verb, by index of the compared words.
    pub(crate) from: usize,
    pub(crate) verb: usize,
    /// Whether the verb has the form of `asks`.
    third: bool,
}

/// The words of a text as they are compared, with their offsets: what [`words::tokens`] gives.
pub(crate) fn forms(text: &str) -> Vec<(usize, String)> {
    let mut all: Vec<(usize, String)> = Vec::new();
    for (at, word) in words::words(text) {
        words::normal_forms(word, |form| {
            if !words::is_filler(form) && all.last().is_none_or(|last| last.1 != form) {
                all.push((at, form.to_owned()));
            }
        });
    }
    all
}

/// The task of a text, if it has one; `speaker` is who says it.
pub(crate) fn task(text: &str, forms: &[(usize, String)], names: &Names, speaker: Option<usize>) -> Option<Task> {
    let tokens: Vec<&str> = forms.iter().map(|(_, form)| form.as_str()).collect();
    let tasks = TASKS.find(&tokens);
    let typical = |from: usize, reach: usize| {
        let near = tasks.iter().filter(|task| task.start >= from && task.start <= from + reach);
        near.map(|task| task.value).fold(0.0, f64::max)
    };
    let content = |at: usize| tokens.get(at).is_some_and(|word| word.len() > 2 && !words::is_stop_word(word));
    let verb_after = |end: usize| {
        let skipped = tokens[end..].iter().take_while(|word| BETWEEN.contains(word)).count();
        end + skipped
    };
    let mut best: Option<Task> = None;
    let mut offer = |task: Task| {
        if best.as_ref().is_none_or(|best| task.cue + task.work > best.cue + best.work) {
            best = Some(task);
        }
    };
    for found in CUES.find(&tokens) {
        let (cue, doer) = found.value;
        let mut verb = verb_after(found.end);
        let mut work = typical(found.end, 4);
        if doer == Doer::Nobody {
            let Some(first) = tasks.iter().find(|task| task.start >= found.end).or(tasks.first()) else { continue };
            (verb, work) = (first.start, first.value);
        } else if work == 0.0 && cue >= CLEAR && content(verb) {
            work = ANY_VERB;
        }
        if work > 0.0 && verb < tokens.len() {
            offer(Task { doer, named: None, cue, work, from: found.start, verb, third: false });
        }
    }
    for mention in names.mentions(text) {
        let at = forms.partition_point(|(start, _)| *start < mention.end);
        let (from, word) = (at, |at: usize| tokens.get(at).copied().unwrap_or_default());
        let called = text[mention.end..].trim_start().starts_with(',');
        let head =
            !text[..mention.start].contains(char::is_alphanumeric) || text[..mention.start].trim_end().ends_with(',');
        let named = (Some(mention.speaker) != speaker).then_some(mention.speaker);
        if called {
            // `Bo, send it.`
            let work = typical(at, 0);
            if head && work > 0.0 && named.is_some() && !text.trim_end().ends_with('?') {
                offer(Task { doer: Doer::Addressee, named, cue: BY_NAME, work, from, verb: at, third: false });
            }
            continue;
        }
        // `The User Interface Designer will`: a label may be said with a word more.
        let more = usize::from(text[mention.end..].trim_start().starts_with(char::is_uppercase));
        for at in [at, at + more] {
            let length = match (word(at), word(at + 1), word(at + 2)) {
                ("is", "going", "to") => 3,
                ("needs" | "has", "to", _) => 2,
                ("will" | "should" | "shall" | "can", _, _) => 1,
                _ => continue,
            };
            let verb = verb_after((at + length).min(tokens.len()));
            let work = typical(at + length, 4);
            if work > 0.0 && named.is_some() && verb < tokens.len() {
                offer(Task { doer: Doer::Nobody, named, cue: BY_NAME, work, from, verb, third: false });
                break;
            }
        }
        // `Bo asks the treasurer by Tuesday`: whoever calls should see to it that a date is set.
        let base = word(at).strip_suffix('s').unwrap_or_default();
        let work = TASKS.find(&[base]).iter().map(|found| found.value).fold(0.0, f64::max);
        if head && work > 0.0 {
            offer(Task {
                doer: Doer::Nobody,
                named: Some(mention.speaker),
                cue: 1.0,
                work,
                from,
                verb: at,
                third: true,
            });
        }
    }
    best
}

/// The task as an instruction, from its verb to the end of the clause, without the time at its end.
pub(crate) fn title(text: &str, forms: &[(usize, String)], task: &Task, due: Option<&str>) -> String {
    let start = forms.get(task.verb).map_or(0, |(at, _)| *at);
    let clause = &text[start..];
    // A new clause with a subject of its own is another matter.
    let ends = [
        ", and ",
        ", but ",
        ", so ",
        "; ",
        " – ",
        ". ",
        "? ",
        ", it's ",
        ", that's ",
        ", which ",
        ", we ",
        " and then ",
        " and I ",
        " and you ",
        " and we ",
    ];
    let end = ends
        .iter()
        .filter_map(|mark| clause.find(mark))
        .filter(|&end| words::count(&clause[..end]) > 1)
        .min()
        .unwrap_or(clause.len());
    let mut title = clause[..end].trim_end_matches(['.', '?', '!', ' ', ',', '…']).to_owned();
    if let Some(cut) = due.and_then(|due| ends_in(&title, due))
        && words::count(&title[..cut]) > 1
    {
        title.truncate(cut);
    }
    if task.third
        && let Some((verb, rest)) = title.split_once(' ')
        && let Some(base) = verb.strip_suffix('s')
    {
        title = format!("{base} {rest}");
    }
    if words::count(&title) < 2 { text.trim_end_matches(['.', '?', '!']).to_owned() } else { capitalised(&title) }
}

/// Where a text's last words begin that are a time, with the mark before them.
fn ends_in(text: &str, due: &str) -> Option<usize> {
    let at = text.len().checked_sub(due.len())?;
    let tail = text.get(at..)?;
    tail.eq_ignore_ascii_case(due).then(|| text[..at].trim_end_matches([' ', ',']).len())
}

/// An instruction for a reader: who, what, when.
pub(crate) fn told(title: &str, owner: Option<&str>, due: Option<&str>) -> String {
    let mut text = match owner {
        Some(owner) => format!("{owner}: {}", uncapitalised(title)),
        None => title.to_owned(),
    };
    if let Some(due) = due.filter(|due| !title.to_lowercase().contains(&due.to_lowercase())) {
        text.push_str(&format!(" ({due})"));
    }
    text
}

/// The text with a small first letter, unless its first word is `I` or an abbreviation.
fn uncapitalised(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(first), Some(second)) if second.is_lowercase() && second != '\'' => {
            first.to_lowercase().chain(text[first.len_utf8()..].chars()).collect()
        }
        _ => text.to_owned(),
    }
}

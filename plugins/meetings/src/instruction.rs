//! A task put into words for a reader: what is to be done, by whom, until when.

use jackfield_text::{clean::capitalised, words};

use crate::task::{Form, Task};

/// A new clause with a subject of its own begins here: what follows is another matter.
const CLAUSE_STARTS: &[&str] = &[
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

/// The task as an instruction, from its verb to the end of the clause, without the time at its end.
pub(crate) fn title(text: &str, forms: &[Form], task: &Task, due: Option<&str>) -> String {
    let start = forms.get(task.verb).map_or(0, |form| form.offset);
    let clause = first_clause(&text[start..]);
    let mut title = clause.trim_end_matches(['.', '?', '!', ' ', ',', '…']).to_owned();
    if let Some(end) = due.and_then(|due| end_before_time(&title, due))
        && words::count(&title[..end]) > 1
    {
        title.truncate(end);
    }
    if task.third_person
        && let Some((verb, rest)) = title.split_once(' ')
        && let Some(base_form) = verb.strip_suffix('s')
    {
        title = format!("{base_form} {rest}");
    }
    if words::count(&title) < 2 { text.trim_end_matches(['.', '?', '!']).to_owned() } else { capitalised(&title) }
}

/// What opens an item of a list of tasks.
const ITEMS: &[&str] =
    &["action item for ", "action point for ", "action for ", "action item on ", "task for ", "action item: "];

/// Who is named at the head of an item of a list of tasks: `Carla` of `Action item for Carla: book the hall`.
pub(crate) fn item_owner(text: &str) -> Option<&str> {
    let lower = text.to_ascii_lowercase();
    let start = ITEMS.iter().find_map(|item| Some(lower.find(item)? + item.len()))?;
    let rest = &text[start..];
    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '-' || c == '\'')).unwrap_or(rest.len());
    (end > 0 && rest.starts_with(char::is_uppercase)).then_some(&rest[..end])
}

/// What is to be done where no verb tells: what follows the colon of an item of a list, or the name and `you` at the head.
pub(crate) fn plain_title(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let is_item = ITEMS.iter().any(|item| lower.contains(item));
    let rest = match text.split_once(':') {
        Some((_, rest)) if is_item => rest,
        _ => match text.split_once(", you ") {
            Some((name, rest)) if words::count(name) < 4 => rest,
            _ => text,
        },
    };
    let rest = rest.trim().trim_end_matches(['.', '?', '!']);
    if words::count(rest) < 2 { text.trim_end_matches(['.', '?', '!']).to_owned() } else { capitalised(rest) }
}

/// The text up to the next clause, two words at least.
fn first_clause(text: &str) -> &str {
    let ends = CLAUSE_STARTS.iter().filter_map(|mark| text.find(mark));
    let end = ends.filter(|&end| words::count(&text[..end]) > 1).min();
    &text[..end.unwrap_or(text.len())]
}

/// The length of a text without the time at its end and the mark before that; nothing if it ends otherwise.
fn end_before_time(text: &str, time: &str) -> Option<usize> {
    let start = text.len().checked_sub(time.len())?;
    let tail = text.get(start..)?;
    tail.eq_ignore_ascii_case(time).then(|| text[..start].trim_end_matches([' ', ',']).len())
}

/// An instruction for a reader: who, what, when. A time that is in the title is not repeated.
pub(crate) fn instruction(title: &str, owner: Option<&str>, due: Option<&str>) -> String {
    let mut text = match owner {
        Some(owner) => format!("{owner}: {}", uncapitalised(title)),
        None => title.to_owned(),
    };
    if let Some(due) = due
        && !title.to_lowercase().contains(&due.to_lowercase())
    {
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

//! The answers on the parts of a transcript as one answer.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::quotes::citation;

/// The answer of a model.
pub(crate) type Answer = Map<String, Value>;

/// Joins answers in order.
///
/// - Lists are put one after the other, an entry that is there already left out.
/// - An `id` that an earlier part uses gets the number of its part behind it (`P1` becomes `P1-2`), and so does every text
///   of its part that is this id and nothing else. An entry that differs from an earlier one in its id alone is that one.
/// - Objects are joined field by field, texts that differ become paragraphs, of anything else the first stays.
pub(crate) fn merge(answers: impl IntoIterator<Item = Answer>) -> Answer {
    let mut answers = answers.into_iter();
    let mut whole = answers.next().unwrap_or_default();
    for (index, mut part) in answers.enumerate() {
        let names = new_names(&whole, &part, index + 2);
        part.values_mut().for_each(|value| rename(value, &names));
        join_fields(&mut whole, part);
    }
    whole
}

fn join_fields(whole: &mut Answer, part: Answer) {
    for (key, value) in part {
        match whole.get_mut(&key) {
            Some(known) => join(known, value),
            None => _ = whole.insert(key, value),
        }
    }
}

fn join(whole: &mut Value, part: Value) {
    match (whole, part) {
        (Value::Array(whole), Value::Array(part)) => {
            for entry in part {
                if !whole.contains(&entry) {
                    whole.push(entry);
                }
            }
        }
        (Value::Object(whole), Value::Object(part)) => join_fields(whole, part),
        (Value::String(whole), Value::String(part)) => {
            if whole.is_empty() {
                *whole = part;
            } else if !part.is_empty() && *whole != part {
                whole.push_str("\n\n");
                whole.push_str(&part);
            }
        }
        (whole @ Value::Null, part) => *whole = part,
        _ => {}
    }
}

/// What ids of `part` have to be called beside `whole`; those that can stay are not in it.
fn new_names(whole: &Answer, part: &Answer, number: usize) -> BTreeMap<String, String> {
    let (mut taken, mut own) = (BTreeSet::new(), BTreeSet::new());
    whole.values().for_each(|value| ids(value, &mut taken));
    part.values().for_each(|value| ids(value, &mut own));
    let mut names: BTreeMap<String, String> = same_entries(whole, part);
    for id in own.intersection(&taken) {
        if names.contains_key(*id) {
            continue;
        }
        let mut name = format!("{id}-{number}");
        while taken.contains(name.as_str()) || own.contains(name.as_str()) {
            name.push('\'');
        }
        names.insert((*id).to_owned(), name);
    }
    names
}

/// Ids of entries of `part` that `whole` has under another id, with that id.
fn same_entries(whole: &Answer, part: &Answer) -> BTreeMap<String, String> {
    let anonymous = |entry: &Value| {
        let mut fields = entry.as_object()?.clone();
        let id = fields.remove("id")?.as_str()?.to_owned();
        Some((fields, id))
    };
    let mut same = BTreeMap::new();
    for (key, entries) in part {
        let (Some(entries), Some(Value::Array(known))) = (entries.as_array(), whole.get(key)) else { continue };
        let known: Vec<_> = known.iter().filter_map(anonymous).collect();
        for (fields, id) in entries.iter().filter_map(anonymous) {
            if let Some((_, name)) = known.iter().find(|(other, _)| *other == fields) {
                same.insert(id, name.clone());
            }
        }
    }
    same
}

fn ids<'a>(value: &'a Value, into: &mut BTreeSet<&'a str>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| ids(value, into)),
        Value::Object(fields) => {
            into.extend(fields.get("id").and_then(Value::as_str));
            fields.values().for_each(|value| ids(value, into));
        }
        _ => {}
    }
}

fn rename(value: &mut Value, names: &BTreeMap<String, String>) {
    match value {
        Value::String(text) => {
            if let Some(name) = names.get(text.as_str()) {
                text.clone_from(name);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| rename(value, names)),
        // A segment that is called like an id is a segment still.
        Value::Object(fields) if citation(fields).is_none() => {
            fields.values_mut().for_each(|value| rename(value, names));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Answer, merge};

    fn answer(value: &Value) -> Answer {
        value.as_object().expect("an object").clone()
    }

    fn merged(answers: &[Value]) -> Value {
        Value::Object(merge(answers.iter().map(answer)))
    }

    #[test]
    fn lists_follow_one_another_without_exact_duplicates() {
        let parts = [json!({ "notes": ["a", "b"] }), json!({ "notes": ["b", "c"] }), json!({ "notes": [] })];
        assert_eq!(merged(&parts), json!({ "notes": ["a", "b", "c"] }));
    }

    #[test]
    fn ids_stay_unique_and_references_follow_them() {
        let part = |premise: &str| json!({ "premises": [{ "id": "P1", "text": premise }], "links": [{ "from": ["P1"], "to": "A1" }] });
        let whole = merged(&[part("It rains."), part("It is late."), part("It is dear.")]);
        assert_eq!(
            whole,
            json!({
                "premises": [{ "id": "P1", "text": "It rains." }, { "id": "P1-2", "text": "It is late." }, { "id": "P1-3", "text": "It is dear." }],
                "links": [{ "from": ["P1"], "to": "A1" }, { "from": ["P1-2"], "to": "A1" }, { "from": ["P1-3"], "to": "A1" }],
            })
        );
    }

    #[test]
    fn the_same_entry_under_another_id_is_one_entry() {
        let first = json!({ "facts": [{ "id": "F1", "text": "It rains." }], "links": [] });
        let second = json!({ "facts": [{ "id": "F1", "text": "It snows." }, { "id": "F2", "text": "It rains." }], "links": [{ "to": "F2" }] });
        assert_eq!(
            merged(&[first, second]),
            json!({ "facts": [{ "id": "F1", "text": "It rains." }, { "id": "F1-2", "text": "It snows." }], "links": [{ "to": "F1" }] })
        );
    }

    #[test]
    fn a_segment_that_is_called_like_an_id_keeps_its_name() {
        let part = |words: &str| json!({ "facts": [{ "id": "s1", "text": words, "evidence": [{ "segment": "s1", "quote": words }] }] });
        let whole = merged(&[part("It rains."), part("It snows.")]);
        assert_eq!(whole["facts"][1]["id"], "s1-2");
        assert_eq!(whole["facts"][1]["evidence"][0]["segment"], "s1");
    }

    #[test]
    fn texts_become_paragraphs_and_of_anything_else_the_first_stays() {
        let first = json!({ "text": "One.", "count": 1, "about": { "owner": null } });
        let second = json!({ "text": "Two.", "count": 2, "about": { "owner": "Ann" } });
        let both = json!({ "text": "One.\n\nTwo.", "count": 1, "about": { "owner": "Ann" } });
        assert_eq!(merged(&[first, second]), both);
    }

    #[test]
    fn one_answer_stays_as_it_is_and_none_is_empty() {
        let one = json!({ "notes": ["a", "a"] });
        assert_eq!(merged(std::slice::from_ref(&one)), one);
        assert_eq!(merged(&[]), json!({}));
    }
}

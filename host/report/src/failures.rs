//! Failures, grouped by stage, kind and message, where messages that differ in numbers alone are one.

use std::collections::{BTreeMap, btree_map::Entry};

/// The most groups that are kept apart.
const GROUPS: usize = 5_000;
/// The most ids of items that are kept for a group.
const MAX_IDS: usize = 12;

/// Failures of a stage whose messages are equal but for the numbers in them.
pub(super) struct Group {
    /// Position of the stage; none for items that could not be read.
    pub(super) stage: Option<u32>,
    pub(super) kind: String,
    /// The first of its messages.
    pub(super) message: String,
    /// Whether other messages of the group have other numbers in them.
    pub(super) has_other_numbers: bool,
    pub(super) count: u64,
    /// The first of the items, each once.
    pub(super) items: Vec<String>,
    /// How many items there are: calls of an item come one after the other.
    pub(super) item_count: u64,
    last_item: Option<String>,
}

/// Failures by their causes.
#[derive(Default)]
pub(super) struct Failures {
    groups: BTreeMap<(Option<u32>, String, String), Group>,
    /// Failures that came when there were too many groups.
    pub(super) others: u64,
    pub(super) count: u64,
}

impl Failures {
    pub(super) fn add(&mut self, stage: Option<u32>, item: Option<&str>, kind: &str, message: &str) {
        self.count += 1;
        let full = self.groups.len() >= GROUPS;
        let group = match self.groups.entry((stage, kind.to_owned(), without_numbers(message))) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(_) if full => {
                self.others += 1;
                return;
            }
            Entry::Vacant(entry) => entry.insert(Group {
                stage,
                kind: kind.to_owned(),
                message: message.to_owned(),
                has_other_numbers: false,
                count: 0,
                items: Vec::new(),
                item_count: 0,
                last_item: None,
            }),
        };
        group.count += 1;
        group.has_other_numbers |= group.message != message;
        if item.is_some() && group.last_item.as_deref() != item {
            group.item_count += 1;
            group.last_item = item.map(str::to_owned);
            group.items.extend(item.filter(|_| group.item_count as usize <= MAX_IDS).map(str::to_owned));
        }
    }

    /// The groups, those with the most failures first.
    pub(super) fn groups(&self) -> Vec<&Group> {
        let mut groups: Vec<&Group> = self.groups.values().collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.count));
        groups
    }
}

/// The text with `0` for every run of digits.
fn without_numbers(message: &str) -> String {
    let mut text = String::with_capacity(message.len());
    for c in message.chars() {
        let digit = c.is_ascii_digit();
        if !(digit && text.ends_with('0')) {
            text.push(if digit { '0' } else { c });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_that_differ_in_numbers_alone_are_one_cause() {
        let mut failures = Failures::default();
        failures.add(Some(1), Some("a"), "internal", "line 12: no colon");
        failures.add(Some(1), Some("a"), "internal", "line 7: no colon");
        failures.add(Some(1), Some("b"), "internal", "line 12: no colon");
        failures.add(Some(1), Some("b"), "internal", "line x: no colon");
        failures.add(Some(2), None, "internal", "line 12: no colon");
        let groups = failures.groups();
        assert_eq!(groups.len(), 3);
        assert_eq!((groups[0].count, groups[0].item_count, groups[0].has_other_numbers), (3, 2, true));
        assert_eq!(
            (groups[0].message.as_str(), groups[0].items.as_slice()),
            ("line 12: no colon", &["a".into(), "b".into()][..])
        );
        assert_eq!((failures.count, failures.others, groups[2].item_count), (5, 0, 0));
    }

    #[test]
    fn groups_are_bounded() {
        let mut failures = Failures::default();
        for index in 0..GROUPS + 10 {
            let letters: String =
                format!("{index:x}").chars().map(|c| char::from(b'g' + c.to_digit(16).unwrap_or(0) as u8)).collect();
            failures.add(Some(0), Some(&letters), "internal", &letters);
        }
        assert_eq!((failures.groups().len(), failures.others, failures.count), (GROUPS, 10, GROUPS as u64 + 10));
    }
}

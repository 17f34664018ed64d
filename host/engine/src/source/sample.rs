//! A sample of the items of an input, to run in place of all of them.

use std::collections::BinaryHeap;

use jackfield_pipeline::InputPlan;

use super::{InputReader, ItemIds, ItemSender, ItemSource, ReadItem, ReceiverGone, read, read_item};
use crate::{error::EngineError, seed::name_of};

/// Some items of an input, by chance but always the same, each as likely as any other; all of them if there are no more.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// The items, in order: id, and document or why there is none.
    items: Vec<ReadItem>,
    /// How many items the input has.
    total: u64,
}

impl Sample {
    /// How many items the input has.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// How many items it has.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.items.len() as u64
    }

    /// Whether it has no items.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

/// Reads an input, and picks so many of its items at the most. Memory holds those alone.
///
/// # Errors
/// What ends the input before its end.
pub fn sample(reader: &dyn InputReader, input: &InputPlan, most: usize) -> Result<Sample, EngineError> {
    let mut total = 0;
    // The items with the smallest numbers of chance, the largest of these first.
    let mut picked: BinaryHeap<(u64, u64)> = BinaryHeap::new();
    let mut items: std::collections::BTreeMap<u64, ReadItem> = std::collections::BTreeMap::new();
    for chunk in read(reader, input)?.items {
        for item in chunk? {
            let chance = name_of(&format!("sample {total}"));
            if picked.len() < most || picked.peek().is_some_and(|(largest, _)| chance < *largest) {
                picked.push((chance, total));
                items.insert(total, read_item(item));
            }
            if picked.len() > most
                && let Some((_, index)) = picked.pop()
            {
                items.remove(&index);
            }
            total += 1;
        }
    }
    Ok(Sample { items: items.into_values().collect(), total })
}

impl InputReader for Sample {
    fn check(&self, _input: &InputPlan) -> Result<(), EngineError> {
        Ok(())
    }

    fn open(&self, _input: &InputPlan) -> Result<Box<dyn ItemSource>, EngineError> {
        Ok(Box::new(SampledItems(self.items.clone())))
    }
}

struct SampledItems(Vec<ReadItem>);

impl ItemSource for SampledItems {
    fn count(&self) -> Option<u64> {
        Some(self.0.len() as u64)
    }

    fn ids(&self) -> ItemIds {
        ItemIds::default()
    }

    fn send_items(self: Box<Self>, items: &mut ItemSender) -> Result<(), ReceiverGone> {
        for (id, document) in self.0 {
            items.send(Some(&id), document, &|| format!("item `{id}`"))?;
        }
        Ok(())
    }
}

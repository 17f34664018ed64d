//! The order in which CPython 3.8 to 3.11 iterates a set: that of the slots of its hash table, which depends on the hashes of its
//! members, on the order in which they were added, and on the sets that it was made from.
//!
//! Functions hash by address there: the order of a set of two or more members one of which is a function, or has one in it, cannot
//! be reproduced, and such a set is an error. None hashes by address too before CPython 3.12: here, as it does since then.

mod hash;
mod table;

use std::cell::OnceCell;

use hash::SetHash;
pub(crate) use table::Work;
use table::{MOST_MEMBERS, Member, Table};

use crate::{
    fault::{Fault, Limit, Outcome},
    value::{SLOT, Value},
};

/// A set that is iterated in the order of CPython.
#[derive(Debug, Default)]
pub struct OrderedSet {
    table: Table,
    /// Whether the member has no hash that could be reproduced. There is one member then.
    hashless: bool,
    hash: OnceCell<u64>,
    /// Bytes and depth.
    extent: OnceCell<(usize, u32)>,
    /// The members, ascending, once they were asked for.
    sorted: OnceCell<Box<[Value]>>,
}

impl OrderedSet {
    /// The set of these values, which are added in this order: what a literal or a comprehension makes, and `set` and `frozenset` of
    /// a list, a tuple or a generator.
    ///
    /// # Errors
    /// A limit; [`Fault::Order`] for two members one of which is a function, or has one in it.
    pub fn of(members: Vec<Value>, work: &mut Work) -> Outcome<OrderedSet> {
        if members.len() > MOST_MEMBERS {
            return Err(Fault::Limit(Limit::Memory));
        }
        let (mut table, mut hashless) = (Table::default(), false);
        for value in members {
            let hash = hash::hash(&value);
            hashless |= hash.is_none();
            table.add(Member { hash: hash.unwrap_or_default(), value }, work)?;
            if hashless && table.len() > 1 {
                return Err(Fault::Order);
            }
        }
        OrderedSet::new(table, hashless)
    }

    /// A set of what the table holds, where a function may be among it.
    fn new(table: Table, hashless: bool) -> Outcome<OrderedSet> {
        if hashless && table.len() > 1 {
            return Err(Fault::Order);
        }
        let hashless = hashless && table.len() > 0;
        Ok(OrderedSet { table, hashless, hash: OnceCell::new(), extent: OnceCell::new(), sorted: OnceCell::new() })
    }

    /// A set made from this one: `set(a)` of a frozenset, `frozenset(a)` of a set. Its order may be another.
    ///
    /// # Errors
    /// A limit.
    pub fn copied(&self, work: &mut Work) -> Outcome<OrderedSet> {
        let (table, hash) = (self.table.copied(work)?, self.hash.clone());
        Ok(OrderedSet { table, hashless: self.hashless, hash, extent: OnceCell::new(), sorted: OnceCell::new() })
    }

    /// `a | b`, `a.union(b)`.
    ///
    /// # Errors
    /// A limit; [`Fault::Order`] for two members one of which is a function, or has one in it.
    pub fn union(&self, other: &OrderedSet, work: &mut Work) -> Outcome<OrderedSet> {
        if std::ptr::eq(self, other) {
            return self.copied(work);
        }
        if self.len().saturating_add(other.len()) > MOST_MEMBERS {
            return Err(Fault::Limit(Limit::Memory));
        }
        let mut table = self.table.copied(work)?;
        table.merge(&other.table, work)?;
        OrderedSet::new(table, self.hashless || other.hashless)
    }

    /// `a |= b` of a set that can be changed: it keeps its table, and a union makes another.
    ///
    /// # Errors
    /// A limit; [`Fault::Order`] for two members one of which is a function, or has one in it.
    pub fn merge(&mut self, other: &OrderedSet, work: &mut Work) -> Outcome<()> {
        if self.len().saturating_add(other.len()) > MOST_MEMBERS {
            return Err(Fault::Limit(Limit::Memory));
        }
        let mut table = std::mem::take(&mut self.table);
        table.merge(&other.table, work)?;
        *self = OrderedSet::new(table, self.hashless || other.hashless)?;
        Ok(())
    }

    /// `a & b`.
    ///
    /// # Errors
    /// A limit.
    pub fn intersection(&self, other: &OrderedSet, work: &mut Work) -> Outcome<OrderedSet> {
        if std::ptr::eq(self, other) {
            return self.copied(work);
        }
        let (fewer, more) = if other.len() > self.len() { (self, other) } else { (other, self) };
        let mut table = Table::default();
        for member in fewer.table.iter() {
            if more.table.contains(member.hash, &member.value, work)? {
                table.add(member.clone(), work)?;
            }
        }
        OrderedSet::new(table, self.hashless)
    }

    /// `a - b`.
    ///
    /// # Errors
    /// A limit.
    pub fn difference(&self, other: &OrderedSet, work: &mut Work) -> Outcome<OrderedSet> {
        let table = if self.len() >> 2 > other.len() {
            let mut table = self.table.copied(work)?;
            table.remove_all(&other.table, work)?;
            table
        } else {
            let mut table = Table::default();
            for member in self.table.iter() {
                if !other.table.contains(member.hash, &member.value, work)? {
                    table.add(member.clone(), work)?;
                }
            }
            table
        };
        OrderedSet::new(table, self.hashless)
    }

    /// `a.union({value})`.
    ///
    /// # Errors
    /// A limit; [`Fault::Order`] for two members one of which is a function, or has one in it.
    pub fn inserted(&self, value: Value, work: &mut Work) -> Outcome<OrderedSet> {
        self.union(&OrderedSet::of(vec![value], work)?, work)
    }

    /// Number of members.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The members, in the order of iteration.
    pub fn iter(&self) -> impl Iterator<Item = Value> {
        self.table.iter().map(|member| member.value.clone())
    }

    /// The members, ascending.
    #[must_use]
    pub fn sorted(&self) -> &[Value] {
        self.sorted.get_or_init(|| {
            let mut members: Vec<Value> = self.iter().collect();
            members.sort_unstable();
            members.into()
        })
    }

    /// Whether an equal value is a member.
    #[must_use]
    pub fn contains(&self, value: &Value) -> bool {
        self.table.has(hash::hash(value).unwrap_or_default(), value)
    }

    /// How many members, at most about, a value is compared with to find out whether it is one of them.
    pub(crate) fn compared(&self) -> usize {
        self.table.longest()
    }

    /// Bytes on the heap, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.extent().0
    }

    /// How many containers and functions are within each other, the set among them.
    #[must_use]
    pub(crate) fn depth(&self) -> u32 {
        self.extent().1
    }

    fn extent(&self) -> (usize, u32) {
        let of_members = || {
            let members = self.table.iter().map(|member| &member.value);
            members.fold((80 + self.table.bytes() + self.len() * SLOT, 1), |(bytes, depth): (usize, u32), value| {
                (bytes.saturating_add(value.bytes()), depth.max(value.depth() + 1))
            })
        };
        *self.extent.get_or_init(of_members)
    }

    /// The hash of the set; nothing if a member has none.
    fn hash(&self) -> Option<u64> {
        let computed = || {
            let mut hash = SetHash::default();
            self.table.iter().for_each(|member| hash.add(member.hash));
            hash.finish(self.len())
        };
        (!self.hashless).then(|| *self.hash.get_or_init(computed))
    }
}

/// Two sets are compared member by member if finding one of them takes no more slots than this.
const MOST_COMPARED: usize = 64;

/// Whether both have the same members, whatever their order.
impl PartialEq for OrderedSet {
    fn eq(&self, other: &OrderedSet) -> bool {
        std::ptr::eq(self, other)
            || self.len() == other.len()
                && self.hash() == other.hash()
                && match other.compared() {
                    0..=MOST_COMPARED => self.table.iter().all(|member| other.table.has(member.hash, &member.value)),
                    // So many members of one hash are found faster in order.
                    _ => self.sorted() == other.sorted(),
                }
    }
}

impl Eq for OrderedSet {}

#[cfg(test)]
mod programs;
#[cfg(test)]
mod tests;

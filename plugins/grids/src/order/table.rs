//! The hash table of a set in CPython 3.8 to 3.11: where each member stands, and so in which order they are iterated.

use crate::{
    fault::{Fault, Limit, Outcome},
    value::Value,
};

/// What looking for members may take, and took: slots that were looked at, and, for each eight bytes of a value that was compared
/// with one of its hash, one more.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    taken: usize,
    most: usize,
}

impl Work {
    /// Work that may take so much.
    pub(crate) fn up_to(most: usize) -> Work {
        Work { taken: 0, most }
    }

    pub(crate) fn taken(self) -> usize {
        self.taken
    }

    fn take(&mut self, more: usize) -> Outcome<()> {
        self.taken = self.taken.saturating_add(more);
        if self.taken > self.most { Err(Fault::Limit(Limit::Steps)) } else { Ok(()) }
    }
}

/// A table starts with so many slots, and never has less.
const LEAST_SLOTS: usize = 8;

/// So many slots after the first are looked at before the search jumps.
const LINEAR_PROBES: usize = 9;

/// Sets with more members than this grow to twice, not to four times, their size.
const LARGE: usize = 50_000;

/// A slot that never held a member.
const EMPTY: u32 = 0;

/// A slot whose member was removed: searches go on behind it.
const REMOVED: u32 = u32::MAX;

/// The most members that a table has numbers for.
pub(super) const MOST_MEMBERS: usize = u32::MAX as usize - 1;

/// A member and its hash.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) hash: u64,
    pub(super) value: Value,
}

/// A hash table of members, each once.
#[derive(Clone, Debug)]
pub(super) struct Table {
    /// In any order.
    members: Vec<Member>,
    /// For each slot [`EMPTY`], [`REMOVED`], or the place in `members` plus one. A power of two.
    slots: Vec<u32>,
    /// Slots whose member was removed.
    removed: usize,
    /// The most slots that were looked at to add a member.
    longest: usize,
}

impl Default for Table {
    fn default() -> Self {
        Table { members: Vec::new(), slots: vec![EMPTY; LEAST_SLOTS], removed: 0, longest: 0 }
    }
}

impl Table {
    /// Number of members.
    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    /// The members, by slot.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Member> {
        self.slots
            .iter()
            .filter(|slot| !matches!(**slot, EMPTY | REMOVED))
            .map(|slot| &self.members[*slot as usize - 1])
    }

    /// Whether a value of this hash is a member.
    pub(super) fn contains(&self, hash: u64, value: &Value, work: &mut Work) -> Outcome<bool> {
        Ok(self.find(hash, value, work)?.is_ok())
    }

    /// As [`Table::contains`], where it is counted by who asks.
    pub(super) fn has(&self, hash: u64, value: &Value) -> bool {
        self.contains(hash, value, &mut Work::up_to(usize::MAX)) == Ok(true)
    }

    /// The most slots that were looked at to add a member.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    /// Bytes of the table itself.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(self.slots.as_slice()) + size_of_val(self.members.as_slice())
    }

    fn mask(&self) -> usize {
        self.slots.len() - 1
    }

    /// The slot where the value is, or else the first empty one on the way.
    fn find(&self, hash: u64, value: &Value, work: &mut Work) -> Outcome<Result<usize, usize>> {
        let mut probes = Probes::new(hash, self.mask());
        loop {
            let slot = probes.next_slot();
            work.take(1)?;
            match self.slots[slot] {
                EMPTY => return Ok(Err(slot)),
                REMOVED => {}
                number => {
                    let member = &self.members[number as usize - 1];
                    if member.hash == hash {
                        work.take(value.bytes().min(member.value.bytes()) / 8)?;
                        if member.value == *value {
                            return Ok(Ok(slot));
                        }
                    }
                }
            }
        }
    }

    /// Adds a member, unless an equal one is there. There must be less than [`MOST_MEMBERS`].
    pub(super) fn add(&mut self, member: Member, work: &mut Work) -> Outcome<()> {
        let before = work.taken();
        let Err(slot) = self.find(member.hash, &member.value, work)? else { return Ok(()) };
        self.longest = self.longest.max(work.taken() - before);
        self.members.push(member);
        self.slots[slot] = self.members.len() as u32;
        if self.is_full_with(0) {
            self.resize(if self.len() > LARGE { self.len() * 2 } else { self.len() * 4 }, work)?;
        }
        Ok(())
    }

    /// Whether so many more members leave too few empty slots.
    fn is_full_with(&self, more: usize) -> bool {
        (self.len() + self.removed + more) * 5 >= self.mask() * 3
    }

    /// Moves the members, slot by slot, to a table of the least power of two of slots above this number.
    fn resize(&mut self, above: usize, work: &mut Work) -> Outcome<()> {
        let mut size = LEAST_SLOTS;
        while size <= above {
            size *= 2;
        }
        let old = std::mem::replace(&mut self.slots, vec![EMPTY; size]);
        self.removed = 0;
        for number in old {
            if !matches!(number, EMPTY | REMOVED) {
                self.insert_number(number, work)?;
            }
        }
        Ok(())
    }

    /// Puts a member that is in no slot into its one.
    fn insert_number(&mut self, number: u32, work: &mut Work) -> Outcome<()> {
        let mut probes = Probes::new(self.members[number as usize - 1].hash, self.mask());
        loop {
            let slot = probes.next_slot();
            work.take(1)?;
            if self.slots[slot] == EMPTY {
                self.slots[slot] = number;
                return Ok(());
            }
        }
    }

    /// A table made from this one.
    pub(super) fn copied(&self, work: &mut Work) -> Outcome<Table> {
        let mut copy = Table::default();
        copy.merge(self, work)?;
        Ok(copy)
    }

    /// Adds the members of another table. Both together must be less than [`MOST_MEMBERS`].
    pub(super) fn merge(&mut self, other: &Table, work: &mut Work) -> Outcome<()> {
        if other.len() == 0 {
            return Ok(());
        }
        self.longest = self.longest.max(other.longest);
        if self.is_full_with(other.len()) {
            self.resize((self.len() + other.len()) * 2, work)?;
        }
        if self.len() > 0 || self.removed > 0 {
            for member in other.iter() {
                self.add(member.clone(), work)?;
            }
        } else if self.mask() == other.mask() && other.removed == 0 {
            self.clone_from(other);
        } else {
            self.members.extend(other.iter().cloned());
            for number in 1..=self.len() as u32 {
                self.insert_number(number, work)?;
            }
        }
        Ok(())
    }

    /// Removes the members that are in another table.
    pub(super) fn remove_all(&mut self, other: &Table, work: &mut Work) -> Outcome<()> {
        for member in &other.members {
            if let Ok(slot) = self.find(member.hash, &member.value, work)? {
                self.slots[slot] = REMOVED;
                self.removed += 1;
            }
        }
        self.forget_removed();
        if self.removed > self.mask() / 4 {
            self.resize(if self.len() > LARGE { self.len() * 2 } else { self.len() * 4 }, work)?;
        }
        Ok(())
    }

    /// Keeps of the members those that are in a slot.
    fn forget_removed(&mut self) {
        let members = self.iter().cloned().collect();
        let numbers = self.slots.iter_mut().filter(|slot| !matches!(**slot, EMPTY | REMOVED));
        for (number, slot) in (1..).zip(numbers) {
            *slot = number;
        }
        self.members = members;
    }
}

/// The slots that a search looks at, one after the other: it never ends, and comes to every slot.
struct Probes {
    slot: usize,
    /// How many slots are left before the jump.
    linear: usize,
    /// The slot that the next jump starts from.
    base: usize,
    perturb: u64,
    mask: usize,
}

impl Probes {
    fn new(hash: u64, mask: usize) -> Probes {
        let base = hash as usize & mask;
        Probes { slot: base, linear: linear(base, mask), base, perturb: hash, mask }
    }

    fn next_slot(&mut self) -> usize {
        let slot = self.slot;
        if self.linear > 0 {
            self.linear -= 1;
            self.slot += 1;
        } else {
            self.perturb >>= 5;
            let next = (self.base as u64).wrapping_mul(5).wrapping_add(1).wrapping_add(self.perturb);
            self.base = next as usize & self.mask;
            (self.slot, self.linear) = (self.base, linear(self.base, self.mask));
        }
        slot
    }
}

/// How many slots after this one are looked at before the jump.
fn linear(slot: usize, mask: usize) -> usize {
    if slot + LINEAR_PROBES <= mask { LINEAR_PROBES } else { 0 }
}

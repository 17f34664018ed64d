//! The hashes of values in CPython 3.8 to 3.11, as unsigned integers.

use crate::value::{Slots, Value};

/// Integers hash to their remainder by this prime, with their sign.
const PRIME: u64 = (1 << 61) - 1;

/// Hashes of everything else are never this one, which stands for a failure.
const FAILURE: u64 = u64::MAX;

/// None hashes by its address there, which differs from run to run. This is what it hashes to since CPython 3.12.
const NONE: u64 = 0xfca8_6420;

/// The hash of a value; nothing for functions, which hash by address, and for tuples and sets with a function in them.
pub(super) fn hash(value: &Value) -> Option<u64> {
    match value {
        Value::None => Some(NONE),
        Value::Integer(integer) => Some(hash_integer(*integer)),
        Value::Pair(first, second) => Some(hash_pair(*first, *second)),
        Value::Cell(color, row, column) => Some(hash_cell(*color, *row, *column)),
        Value::Grid(grid) => {
            let mut tuple = TupleHash::default();
            for row in grid.rows() {
                let mut cells = TupleHash::default();
                row.iter().for_each(|cell| cells.add(u64::from(*cell)));
                tuple.add(cells.finish(row.len()));
            }
            Some(tuple.finish(grid.height() as usize))
        }
        Value::Tuple(_) => hash_slots(value.slots()?),
        Value::Indices(indices) => {
            let mut set = SetHash::default();
            indices.iter().for_each(|(row, column)| set.add(hash_pair(row, column)));
            Some(set.finish(indices.count() as usize))
        }
        Value::Object(object) => {
            let mut set = SetHash::default();
            object.iter().for_each(|(color, (row, column))| set.add(hash_cell(color, row, column)));
            Some(set.finish(object.count() as usize))
        }
        Value::Set(members) => {
            let mut set = SetHash::default();
            for member in members.members() {
                set.add(hash(member)?);
            }
            Some(set.finish(members.members().len()))
        }
        Value::Ordered(set) => set.hash(),
        Value::Primitive(_) | Value::Closure(_) => None,
    }
}

fn hash_integer(integer: i64) -> u64 {
    let remainder = integer.unsigned_abs() % PRIME;
    match if integer < 0 { remainder.wrapping_neg() } else { remainder } {
        FAILURE => FAILURE - 1,
        hash => hash,
    }
}

fn hash_pair(first: i32, second: i32) -> u64 {
    let mut tuple = TupleHash::default();
    tuple.add(hash_integer(first.into()));
    tuple.add(hash_integer(second.into()));
    tuple.finish(2)
}

fn hash_cell(color: i32, row: i32, column: i32) -> u64 {
    let mut tuple = TupleHash::default();
    tuple.add(hash_integer(color.into()));
    tuple.add(hash_pair(row, column));
    tuple.finish(2)
}

fn hash_slots(slots: Slots<'_>) -> Option<u64> {
    let mut tuple = TupleHash::default();
    for at in 0..slots.len() {
        tuple.add(hash(&slots.get(at))?);
    }
    Some(tuple.finish(slots.len()))
}

/// The hash of a tuple, from those of its slots in order.
struct TupleHash(u64);

impl TupleHash {
    const ONE: u64 = 11_400_714_785_074_694_791;
    const TWO: u64 = 14_029_467_366_897_019_727;
    const FIVE: u64 = 2_870_177_450_012_600_261;

    fn add(&mut self, slot: u64) {
        let sum = self.0.wrapping_add(slot.wrapping_mul(Self::TWO));
        self.0 = sum.rotate_left(31).wrapping_mul(Self::ONE);
    }

    fn finish(self, length: usize) -> u64 {
        match self.0.wrapping_add(length as u64 ^ (Self::FIVE ^ 3_527_539)) {
            FAILURE => 1_546_275_796,
            hash => hash,
        }
    }
}

impl Default for TupleHash {
    fn default() -> Self {
        TupleHash(Self::FIVE)
    }
}

/// The hash of a set, from those of its members in any order.
#[derive(Default)]
pub(super) struct SetHash(u64);

impl SetHash {
    pub(super) fn add(&mut self, member: u64) {
        self.0 ^= ((member ^ 89_869_747) ^ (member << 16)).wrapping_mul(3_644_798_167);
    }

    pub(super) fn finish(self, size: usize) -> u64 {
        let mut hash = self.0 ^ (size as u64 + 1).wrapping_mul(1_927_868_237);
        hash ^= (hash >> 11) ^ (hash >> 25);
        match hash.wrapping_mul(69_069).wrapping_add(907_133_923) {
            FAILURE => 590_923_713,
            hash => hash,
        }
    }
}

//! The comparison that programs see: integers by value, tuples slot by slot, a set below each set that has all of its members and
//! more. Sets are in no other order, and values of different kinds in none at all.

use std::cmp::Ordering;

use super::Value;
use crate::fault::{Fault, Outcome};

/// How a value is against another one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Against {
    Equal,
    Less,
    NotLess,
}

impl Value {
    /// Whether this value is less than the other.
    ///
    /// # Errors
    /// [`Fault::Type`] for values that have no order: of different kinds, none, functions.
    pub(crate) fn is_less(&self, other: &Value) -> Outcome<bool> {
        match (self, other) {
            (Value::Integer(one), Value::Integer(two)) => Ok(one < two),
            (Value::Pair(one, two), Value::Pair(three, four)) => Ok((one, two) < (three, four)),
            (Value::Cell(one, two, three), Value::Cell(four, five, six)) => Ok((one, two, three) < (four, five, six)),
            (Value::Indices(one), Value::Indices(two)) => Ok(one.count() < two.count() && one.is_subset(two)),
            (Value::Object(one), Value::Object(two)) => Ok(one.count() < two.count() && one.is_subset(two)),
            (one, two) if one.is_set() && two.is_set() => Ok(is_proper_subset(one, two)),
            (one, two) if one.is_tuple() && two.is_tuple() => Ok(one.against(two)? == Against::Less),
            _ => Err(Fault::Type("values that have no order were compared")),
        }
    }

    /// How this value is against the other, each slot looked at once. Equal values need no order.
    fn against(&self, other: &Value) -> Outcome<Against> {
        let less = |less: bool| if less { Against::Less } else { Against::NotLess };
        if let (Value::Tuple(one), Value::Tuple(two)) = (self, other) {
            for (one, two) in one.items().iter().zip(two.items()) {
                match one.against(two)? {
                    Against::Equal => {}
                    decided => return Ok(decided),
                }
            }
            return Ok(match one.items().len().cmp(&two.items().len()) {
                Ordering::Equal => Against::Equal,
                order => less(order == Ordering::Less),
            });
        }
        match (self, other) {
            (Value::Grid(_), Value::Pair(..) | Value::Cell(..))
            | (Value::Pair(..) | Value::Cell(..), Value::Grid(_)) => {
                return Err(Fault::Type("values that have no order were compared"));
            }
            (Value::Grid(_), Value::Grid(_)) => {
                return Ok(match self.cmp(other) {
                    Ordering::Equal => Against::Equal,
                    order => less(order == Ordering::Less),
                });
            }
            _ => {}
        }
        match (self.slots(), other.slots()) {
            (Some(one), Some(two)) => {
                for at in 0..one.len().min(two.len()) {
                    match one.get(at).against(&two.get(at))? {
                        Against::Equal => {}
                        decided => return Ok(decided),
                    }
                }
                Ok(match one.len().cmp(&two.len()) {
                    Ordering::Equal => Against::Equal,
                    order => less(order == Ordering::Less),
                })
            }
            _ if self == other => Ok(Against::Equal),
            _ => self.is_less(other).map(less),
        }
    }

    /// Whether a tuple or a set has a member equal to the value; nothing if this is neither.
    pub(crate) fn has(&self, value: &Value) -> Option<bool> {
        Some(match (self, value) {
            (Value::Indices(indices), Value::Pair(row, column)) => indices.contains(*row, *column),
            (Value::Object(object), Value::Cell(color, row, column)) => object.contains(*color, *row, *column),
            // Pairs and cells are always stored as such where they can be.
            (Value::Indices(_) | Value::Object(_), _) => false,
            (Value::Set(set), _) => set.members().binary_search(value).is_ok(),
            (Value::Ordered(set), _) => set.contains(value),
            (Value::Tuple(tuple), _) => tuple.items().contains(value),
            _ => self.members()?.any(|member| member == *value),
        })
    }
}

fn is_proper_subset(one: &Value, two: &Value) -> bool {
    one.size() < two.size() && one.members().into_iter().flatten().all(|member| two.has(&member) == Some(true))
}

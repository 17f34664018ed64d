//! Union, intersection and difference of sets, in either order of iteration.

use std::rc::Rc;

use crate::{
    fault::{Fault, Outcome},
    machine::{Machine, TUPLE},
    order::{OrderedSet, Work},
    value::{Indices, Object, Value},
};

impl Machine {
    /// The members of one set, then those of the other.
    ///
    /// # Errors
    /// [`Fault::Type`] if either is not a set; a limit; [`Fault::Order`].
    pub(crate) fn union(&mut self, one: &Value, other: &Value) -> Outcome {
        self.prepare(one, other)?;
        match (one, other) {
            _ if !self.ascending() => self.ordered(one, other, OrderedSet::union),
            (Value::Indices(one), Value::Indices(other)) => Ok(Value::Indices(Rc::new(one.union(other)))),
            (Value::Object(one), Value::Object(other)) => Ok(Value::Object(Rc::new(one.union(other)))),
            (one, other) if other.size() == Some(0) => Ok(one.clone()),
            (one, other) if one.size() == Some(0) => Ok(other.clone()),
            (one, other) => self.set_of(members(one).chain(members(other)).collect()),
        }
    }

    /// The members that two sets have in common.
    ///
    /// # Errors
    /// As [`Machine::union`].
    pub(crate) fn intersection(&mut self, one: &Value, other: &Value) -> Outcome {
        self.prepare(one, other)?;
        match (one, other) {
            _ if !self.ascending() => self.ordered(one, other, OrderedSet::intersection),
            (Value::Indices(one), Value::Indices(other)) => Ok(Value::indices(one.intersection(other))),
            (Value::Object(one), Value::Object(other)) => Ok(Value::object(one.intersection(other))),
            (one, other) => {
                let common = members(one).filter(|member| other.has(member) == Some(true));
                Ok(Value::ascending_set(common.collect()))
            }
        }
    }

    /// The members of one set that are not in the other.
    ///
    /// # Errors
    /// As [`Machine::union`].
    pub(crate) fn difference(&mut self, one: &Value, other: &Value) -> Outcome {
        self.prepare(one, other)?;
        match (one, other) {
            _ if !self.ascending() => self.ordered(one, other, OrderedSet::difference),
            (Value::Indices(one), Value::Indices(other)) => Ok(Value::indices(one.difference(other))),
            (Value::Object(one), Value::Object(other)) => Ok(Value::object(one.difference(other))),
            (one, other) => {
                let remaining = members(one).filter(|member| other.has(member) != Some(true));
                Ok(Value::ascending_set(remaining.collect()))
            }
        }
    }

    /// The set with a value.
    ///
    /// # Errors
    /// As [`Machine::union`].
    pub(crate) fn inserted(&mut self, set: &Value, value: &Value) -> Outcome {
        self.prepare(set, set)?;
        self.reserve(value.bytes())?;
        match (set, value) {
            _ if !self.ascending() => {
                let set = self.ordered_of(set)?;
                let set = self.work(|work| set.inserted(value.clone(), work))?;
                Ok(Value::Ordered(Rc::new(set)))
            }
            (Value::Indices(indices), Value::Pair(row, column)) => {
                Ok(Value::Indices(Rc::new(indices.union(&Indices::of_one(*row, *column)))))
            }
            (Value::Object(object), Value::Cell(color, row, column)) => {
                let cell = Object::of_color(*color, Rc::new(Indices::of_one(*row, *column)));
                Ok(Value::Object(Rc::new(object.union(&cell))))
            }
            (set, value) => {
                let mut all: Vec<Value> = members(set).collect();
                let Err(at) = all.binary_search(value) else { return Ok(set.clone()) };
                all.insert(at, value.clone());
                self.note_order(&all);
                Ok(Value::ascending_set(all))
            }
        }
    }

    /// The tuple of two values.
    ///
    /// # Errors
    /// A limit.
    #[inline]
    pub(crate) fn couple(&mut self, first: Value, second: Value) -> Outcome {
        match Value::couple(first, second) {
            couple @ (Value::Pair(..) | Value::Cell(..)) => Ok(couple),
            couple => {
                self.visit(TUPLE)?;
                self.reserve(couple.bytes())?;
                Ok(couple)
            }
        }
    }

    /// The set of a value alone.
    ///
    /// # Errors
    /// A limit.
    pub(crate) fn set_of_one(&mut self, value: &Value) -> Outcome {
        self.reserve(64_usize.saturating_add(value.bytes()))?;
        match value {
            Value::Pair(row, column) if self.ascending() => Ok(Value::Indices(Rc::new(Indices::of_one(*row, *column)))),
            value => self.set_of(vec![value.clone()]),
        }
    }

    /// The set of the members of these containers, which are added one after the other.
    ///
    /// # Errors
    /// [`Fault::Type`] if one is neither a tuple nor a set; a limit; [`Fault::Order`].
    pub(crate) fn union_all(&mut self, containers: &[Value]) -> Outcome {
        let mut count = 0_usize;
        for container in containers {
            let size =
                container.size().ok_or(Fault::Type("members were asked of what is neither a tuple nor a set"))?;
            count = count.saturating_add(size);
        }
        if self.ascending() {
            let filled = containers.iter().filter(|container| container.size() != Some(0));
            if filled.clone().all(|container| matches!(container, Value::Indices(_))) {
                self.visit_sorted(count, 0)?;
                self.visit(containers.len().saturating_mul(TUPLE))?;
                self.reserve(count.saturating_mul(8))?;
                let sets = filled.filter_map(|container| match container {
                    Value::Indices(indices) => Some(&**indices),
                    _ => None,
                });
                return Ok(Value::indices(Indices::union_all(sets)));
            }
            if filled.clone().all(|container| matches!(container, Value::Object(_))) {
                self.visit_sorted(count, 0)?;
                self.visit(containers.len().saturating_mul(TUPLE))?;
                self.reserve(count.saturating_mul(8))?;
                let sets = filled.filter_map(|container| match container {
                    Value::Object(object) => Some(&**object),
                    _ => None,
                });
                return Ok(Value::object(Object::union_all(sets)));
            }
        }
        self.reserve_members(count)?;
        let mut all = Vec::with_capacity(count);
        for container in containers {
            all.extend(container.members().into_iter().flatten());
        }
        self.set_of(all)
    }

    /// What two sets in the order of CPython give.
    fn ordered(
        &mut self,
        one: &Value,
        other: &Value,
        of: impl FnOnce(&OrderedSet, &OrderedSet, &mut Work) -> Outcome<OrderedSet>,
    ) -> Outcome {
        let (one, other) = (self.ordered_of(one)?, self.ordered_of(other)?);
        let set = self.work(|work| of(&one, &other, work))?;
        Ok(Value::Ordered(Rc::new(set)))
    }

    fn ordered_of(&mut self, set: &Value) -> Outcome<Rc<OrderedSet>> {
        match set {
            Value::Ordered(set) => Ok(Rc::clone(set)),
            set => self.work(|work| OrderedSet::of(members(set).collect(), work)).map(Rc::new),
        }
    }

    /// Counts what a set made of these two may take.
    fn prepare(&mut self, one: &Value, other: &Value) -> Outcome<()> {
        let (Some(mine), Some(others)) = (one.size(), other.size()) else { return Err(NOT_SETS) };
        if !one.is_set() || !other.is_set() {
            return Err(NOT_SETS);
        }
        let bytes = one.bytes().saturating_add(other.bytes());
        // A set that is not stored as masks is sorted, or its members are looked up in the masks.
        if bytes > MASKS {
            self.visit_sorted(mine.saturating_add(others), bytes)?;
        } else {
            self.visit(mine.saturating_add(others))?;
            self.visit_bytes(bytes)?;
        }
        self.reserve(bytes)
    }
}

/// Two sets that take more bytes than this are not both stored as few masks.
const MASKS: usize = 1 << 12;

const NOT_SETS: Fault = Fault::Type("a set is needed, and this is not one");

fn members(set: &Value) -> impl Iterator<Item = Value> {
    set.members().into_iter().flatten()
}

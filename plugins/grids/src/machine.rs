//! The machine that runs primitives and functions, and counts the steps and the memory that they take.

mod calls;

use std::rc::Rc;

use crate::{
    fault::{Fault, Limit, Outcome},
    order::{OrderedSet, Work},
    primitives::{Primitive, Scratch},
    value::{Closure, Grid, Made, SLOT, Value},
};

/// The order in which a set is iterated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Order {
    /// None < integers < tuples < sets < functions, ascending.
    #[default]
    Ascending,
    /// That of CPython 3.8 to 3.11, by the history of the set's hash table. Slower.
    Cpython,
}

/// The limits on the evaluation of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Steps: one a call of a primitive, and one more for each sixteen cells or members that it is called with, visits or compares.
    pub steps: u64,
    /// Bytes that the values of a program take together, about.
    pub memory: usize,
    /// Functions within functions, and values within values.
    pub depth: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { steps: 2_000_000, memory: 32 << 20, depth: 1_000 }
    }
}

/// Making a tuple or a set takes as long as a visit of this many cells, in addition to its slots.
pub(crate) const TUPLE: usize = 8;

/// Cells or members that are visited in a step.
const VISITS: u64 = 16;

/// Calls within calls that run on the stack of the thread: each takes some of it, which a sandbox has little of.
const NESTED: u32 = 200;

/// Bytes of a function made by a function, beside what it holds.
const FUNCTION: usize = 96;

/// Values within values: what compares or frees them runs on the stack of the thread too.
const NESTED_VALUES: u32 = 300;

/// Runs primitives and functions.
pub struct Machine {
    order: Order,
    limits: Limits,
    steps: u64,
    /// Cells and members that were visited since the last whole step.
    visited: u64,
    live: usize,
    peak: usize,
    nested: u32,
    serial: u64,
    /// Whether a set with several functions was made.
    functions_ordered: bool,
    kept: Option<KeptPrimitives>,
    /// The empty set, where sets are in ascending order.
    empty_set: Value,
    /// Room that the search for components works in, so that it is not allocated for each.
    pub(crate) scratch: Scratch,
}

/// Results of the expensive primitives on one grid.
struct KeptPrimitives {
    grid: Rc<Grid>,
    results: Vec<(Primitive, [bool; 3], KeptResult)>,
}

/// A result, and what it took to get it.
#[derive(Clone)]
struct KeptResult {
    value: Value,
    steps: u64,
    peak: usize,
}

/// A number of bytes in use, to return to.
#[derive(Clone, Copy)]
pub(crate) struct Mark(usize);

impl Machine {
    /// A machine that has used no steps and no memory.
    #[must_use]
    pub fn new(order: Order, limits: Limits) -> Machine {
        Machine {
            order,
            limits,
            steps: 0,
            visited: 0,
            live: 0,
            peak: 0,
            nested: 0,
            serial: 0,
            functions_ordered: false,
            kept: None,
            empty_set: Value::empty_set(),
            scratch: Scratch::default(),
        }
    }

    /// Resets the steps and the memory that were used to 0.
    pub fn reset(&mut self) {
        self.resume_at(0, 0);
    }

    /// Whether sets are iterated in ascending order: those of locations and of cells are masks then, and a primitive may work on
    /// these in place of their members.
    #[must_use]
    pub(crate) fn ascending(&self) -> bool {
        self.order == Order::Ascending
    }

    /// Steps since the beginning.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The most bytes there were.
    #[must_use]
    pub(crate) fn peak(&self) -> usize {
        self.peak
    }

    /// Sets what was used before: what comes is counted on top.
    pub(crate) fn resume_at(&mut self, steps: u64, live: usize) {
        (self.steps, self.live, self.peak, self.nested) = (steps, live, live, 0);
        (self.visited, self.functions_ordered) = (0, false);
    }

    /// Whether a set with several functions was made since [`Machine::resume_at`].
    #[must_use]
    pub(crate) fn functions_ordered(&self) -> bool {
        self.functions_ordered
    }

    /// Keeps what `objects`, `partition` and `fgpartition` give for this grid, from now on; nothing is kept without one.
    pub(crate) fn keep_primitives_of(&mut self, grid: Option<Rc<Grid>>) {
        self.kept = grid.map(|grid| KeptPrimitives { grid, results: Vec::new() });
    }

    /// Counts a visit of so many cells or members.
    #[inline]
    pub(crate) fn visit(&mut self, count: usize) -> Outcome<()> {
        let visited = self.visited.saturating_add(count as u64);
        self.visited = visited % VISITS;
        self.charge(visited / VISITS)
    }

    /// Counts a comparison of, or with, what takes so many bytes.
    #[inline]
    pub(crate) fn visit_bytes(&mut self, bytes: usize) -> Outcome<()> {
        self.visit(bytes / 8)
    }

    /// Counts that so many things, which take so many bytes together, are sorted.
    pub(crate) fn visit_sorted(&mut self, count: usize, bytes: usize) -> Outcome<()> {
        let rounds = 1 + count.max(1).ilog2() as usize;
        self.visit(count.saturating_mul(rounds))?;
        self.visit_bytes(bytes.saturating_mul(rounds))
    }

    /// Builds a set in the order of CPython within the steps that are left, and counts what that takes.
    pub(crate) fn work<T>(&mut self, run: impl FnOnce(&mut Work) -> Outcome<T>) -> Outcome<T> {
        let left = self.limits.steps.saturating_sub(self.steps).saturating_mul(VISITS);
        let mut work = Work::up_to(usize::try_from(left).unwrap_or(usize::MAX));
        let made = run(&mut work);
        self.visit(work.taken())?;
        made
    }

    /// Counts a look at all of what a primitive is called with.
    #[inline]
    fn look_at(&mut self, arguments: &[Value]) -> Outcome<()> {
        let seen = arguments.iter().fold(0_usize, |seen, argument| match argument {
            argument if argument.is_plain() => seen,
            Value::Closure(_) => seen,
            // Rows that are looked at one by one are made tuples.
            Value::Grid(grid) => seen.saturating_add(grid.cells().len()).saturating_add(grid.height() as usize * TUPLE),
            // Of masks each location may be looked at.
            Value::Indices(locations) => seen.saturating_add(locations.count() as usize),
            Value::Object(object) => seen.saturating_add(object.count() as usize).saturating_add(argument.bytes() / 8),
            argument => seen.saturating_add(argument.bytes() / 8),
        });
        self.visit(seen)
    }

    /// Counts steps.
    #[inline]
    pub(crate) fn charge(&mut self, steps: u64) -> Outcome<()> {
        self.steps = self.steps.saturating_add(steps);
        if self.steps > self.limits.steps { Err(Fault::Limit(Limit::Steps)) } else { Ok(()) }
    }

    /// Counts bytes that are about to be allocated: call it before, and nothing is allocated beyond the limit.
    #[inline]
    pub(crate) fn reserve(&mut self, bytes: usize) -> Outcome<()> {
        self.live = self.live.saturating_add(bytes);
        self.peak = self.peak.max(self.live);
        if self.live > self.limits.memory { Err(Fault::Limit(Limit::Memory)) } else { Ok(()) }
    }

    /// Counts so many slots or members that are about to be made, and the visit of them.
    #[inline]
    pub(crate) fn reserve_members(&mut self, count: usize) -> Outcome<()> {
        self.reserve(count.saturating_mul(SLOT))?;
        self.visit(count)
    }

    /// Counts a tuple of so many slots that is about to be made.
    #[inline]
    pub(crate) fn reserve_tuple(&mut self, slots: usize) -> Outcome<()> {
        self.visit(TUPLE)?;
        self.reserve_members(slots)
    }

    /// The cells of a grid that is about to be made, none of them there yet. `height` and `width` are at least 1.
    #[inline]
    pub(crate) fn reserve_cells(&mut self, height: u64, width: u64) -> Outcome<Vec<u8>> {
        let cells = usize::try_from(height.saturating_mul(width)).unwrap_or(usize::MAX);
        if u32::try_from(cells).is_err() {
            // Whatever the limit is: rows and columns of a grid are counted in 32 bits.
            return Err(Fault::Limit(Limit::Memory));
        }
        self.reserve(cells)?;
        self.visit(cells)?;
        Ok(Vec::with_capacity(cells))
    }

    #[inline]
    pub(crate) fn mark(&self) -> Mark {
        Mark(self.live)
    }

    /// Forgets what was reserved since the mark, but for these bytes.
    #[inline]
    pub(crate) fn release(&mut self, mark: Mark, kept_bytes: usize) {
        self.live = mark.0.saturating_add(kept_bytes);
        self.peak = self.peak.max(self.live);
    }

    /// Notes whether several of the values that are about to be ordered are functions, or hold some.
    pub(crate) fn note_order(&mut self, values: &[Value]) {
        self.functions_ordered |= values.iter().filter(|value| value.holds_function()).nth(1).is_some();
    }

    /// The set of these values, which are added in this order.
    pub(crate) fn set_of(&mut self, members: Vec<Value>) -> Outcome {
        self.charge(1)?;
        self.visit_sorted(members.len(), bytes_of(&members))?;
        self.note_order(&members);
        match self.order {
            Order::Ascending if members.is_empty() => Ok(self.empty_set.clone()),
            Order::Ascending => Ok(Value::set(members)),
            Order::Cpython => {
                let set = self.work(|work| OrderedSet::of(members, work))?;
                Ok(Value::Ordered(Rc::new(set)))
            }
        }
    }

    /// `frozenset` of a set of these: the same members, in what may be another order.
    pub(crate) fn copied_set_of(&mut self, members: Vec<Value>) -> Outcome {
        match self.set_of(members)? {
            Value::Ordered(set) => {
                let copy = self.work(|work| set.copied(work))?;
                Ok(Value::Ordered(Rc::new(copy)))
            }
            set => Ok(set),
        }
    }

    /// A function of so many arguments.
    pub(crate) fn closure(&mut self, made: Made, arity: u8) -> Outcome {
        let parts = match &made {
            Made::Compose(a, b) | Made::Matcher(a, b) | Made::RightBound(a, b) | Made::LeftBound(a, b) => [a, b, b],
            Made::Chain(a, b, c) | Made::Fork(a, b, c) => [a, b, c],
            Made::Power(a, _) => [a, a, a],
        };
        // A function of one and the same function, as those that grow by doubling are, holds it once.
        let held_bytes = parts.iter().enumerate().fold(FUNCTION, |held_bytes, (index, part)| {
            let is_repeated = parts[..index].iter().any(|earlier| earlier.is_same_closure(part));
            if is_repeated { held_bytes } else { held_bytes.saturating_add(part.bytes()) }
        });
        let depth = 1 + parts.iter().map(|part| part.depth()).max().unwrap_or(0);
        let bytes = held_bytes;
        self.reserve(FUNCTION)?;
        self.serial += 1;
        Ok(Value::Closure(Rc::new(Closure { made, arity, serial: self.serial, bytes, depth })))
    }

    /// How many arguments a function takes; `None` if the value is not a function.
    #[must_use]
    pub(crate) fn arity(function: &Value) -> Option<usize> {
        match function {
            Value::Primitive(primitive) => Some(primitive.arity()),
            Value::Closure(closure) => Some(usize::from(closure.arity)),
            _ => None,
        }
    }

    /// A grid of these cells.
    #[must_use]
    pub(crate) fn grid(height: u64, width: u64, cells: Vec<u8>) -> Value {
        Value::grid(Grid::new(height as u32, width as u32, cells))
    }
}

/// Bytes that these values take together.
pub(crate) fn bytes_of(values: &[Value]) -> usize {
    values.iter().fold(0, |bytes, value| bytes.saturating_add(value.bytes()))
}

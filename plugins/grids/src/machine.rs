//! What runs primitives and functions, and counts what they take.

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

/// What the evaluation of a program may take.
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

/// A tuple or a set that is made takes as long as a visit of so many cells, beside its slots.
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

/// Results of the dear primitives on one grid.
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

/// A state of the memory gauge to go back to.
#[derive(Clone, Copy)]
pub(crate) struct Mark(usize);

impl Machine {
    /// A machine that has used nothing.
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

    /// Begins anew: what was used is forgotten.
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
    pub(crate) fn work<T>(&mut self, of: impl FnOnce(&mut Work) -> Outcome<T>) -> Outcome<T> {
        let left = self.limits.steps.saturating_sub(self.steps).saturating_mul(VISITS);
        let mut work = Work::up_to(usize::try_from(left).unwrap_or(usize::MAX));
        let made = of(&mut work);
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
    pub(crate) fn release(&mut self, mark: Mark, kept: usize) {
        self.live = mark.0.saturating_add(kept);
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
        let held = parts.iter().enumerate().fold(FUNCTION, |held, (at, part)| {
            let again = parts[..at].iter().any(|earlier| earlier.is_same_closure(part));
            if again { held } else { held.saturating_add(part.bytes()) }
        });
        let depth = 1 + parts.iter().map(|part| part.depth()).max().unwrap_or(0);
        let bytes = held;
        self.reserve(FUNCTION)?;
        self.serial += 1;
        Ok(Value::Closure(Rc::new(Closure { made, arity, serial: self.serial, bytes, depth })))
    }

    /// How many arguments a function takes; nothing if the value is no function.
    #[must_use]
    pub(crate) fn arity(function: &Value) -> Option<usize> {
        match function {
            Value::Primitive(primitive) => Some(primitive.arity()),
            Value::Closure(closure) => Some(usize::from(closure.arity)),
            _ => None,
        }
    }

    /// Runs a primitive. What it reserved and does not give back is forgotten.
    #[inline]
    pub(crate) fn run(&mut self, primitive: Primitive, arguments: &[Value]) -> Outcome {
        let row = primitive.row();
        if row.arguments.len() != arguments.len() {
            return Err(Fault::Arity("a function got more or fewer arguments than it takes"));
        }
        // What is left of a step is not carried from call to call: each takes the same wherever it is made.
        self.visited = 0;
        self.charge(1)?;
        if row.looks {
            self.look_at(arguments)?;
        }
        let mark = self.mark();
        let mut outcome = match self.kept_key(row.name, arguments) {
            Some(key) => self.run_kept(primitive, key, arguments),
            None => (row.run)(self, arguments),
        };
        self.visited = 0;
        match &outcome {
            Ok(value) if value.is_plain() => self.live = mark.0,
            Ok(value) => {
                self.release(mark, value.bytes());
                // What is shared counts wherever it stands, and has not been reserved again for that.
                if self.live > self.limits.memory {
                    outcome = Err(Fault::Limit(Limit::Memory));
                } else if value.depth() > self.limits.depth.min(NESTED_VALUES) {
                    outcome = Err(Fault::Limit(Limit::Depth));
                }
            }
            Err(_) => {}
        }
        outcome
    }

    /// The arguments after the grid, where this is a call whose result is kept.
    #[inline]
    fn kept_key(&self, name: &str, arguments: &[Value]) -> Option<[bool; 3]> {
        let kept = self.kept.as_ref()?;
        let Some(Value::Grid(grid)) = arguments.first() else { return None };
        if !Rc::ptr_eq(grid, &kept.grid) {
            return None;
        }
        let truth = |at: usize| arguments.get(at).is_some_and(Value::is_true);
        matches!(name, "objects" | "partition" | "fgpartition").then(|| [truth(1), truth(2), truth(3)])
    }

    #[inline(never)]
    fn run_kept(&mut self, primitive: Primitive, key: [bool; 3], arguments: &[Value]) -> Outcome {
        let known = self.kept.as_ref().and_then(|kept| {
            kept.results.iter().find(|(kept, with, _)| *kept == primitive && *with == key).map(|(.., result)| result)
        });
        if let Some(known) = known {
            let known = known.clone();
            self.charge(known.steps)?;
            let mark = self.mark();
            self.reserve(known.peak)?;
            self.release(mark, 0);
            return Ok(known.value);
        }
        let (steps, live, peak) = (self.steps, self.live, self.peak);
        self.peak = live;
        let outcome = (primitive.row().run)(self, arguments);
        let taken = self.peak - live;
        self.peak = self.peak.max(peak);
        let value = outcome?;
        let result = KeptResult { value: value.clone(), steps: self.steps - steps, peak: taken };
        if let Some(kept) = &mut self.kept {
            kept.results.push((primitive, key, result));
        }
        Ok(value)
    }

    /// Calls a function.
    ///
    /// # Errors
    /// The fault of what it calls; a value that is no function, or the wrong number of arguments.
    pub fn call(&mut self, function: &Value, arguments: &[Value]) -> Outcome {
        match function {
            Value::Primitive(primitive) => self.nest(|machine| machine.run(*primitive, arguments)),
            Value::Closure(closure) => {
                if usize::from(closure.arity) != arguments.len() {
                    return Err(Fault::Arity("a function got more or fewer arguments than it takes"));
                }
                self.call_closure(closure, arguments)
            }
            _ => Err(Fault::Type("a value that is no function was called")),
        }
    }

    /// Calls a function of one argument.
    pub(crate) fn call_one(&mut self, function: &Value, argument: Value) -> Outcome {
        self.call(function, &[argument])
    }

    /// Whether a function says yes to a value: what it gives counts as true.
    pub(crate) fn ask(&mut self, function: &Value, argument: &Value) -> Outcome<bool> {
        let mark = self.mark();
        let answer = self.call(function, std::slice::from_ref(argument))?.is_true();
        self.release(mark, 0);
        Ok(answer)
    }

    #[inline]
    fn nest(&mut self, run: impl FnOnce(&mut Machine) -> Outcome) -> Outcome {
        if self.nested >= NESTED {
            return Err(Fault::Limit(Limit::Depth));
        }
        self.nested += 1;
        let value = run(self);
        self.nested -= 1;
        value
    }

    fn call_closure(&mut self, closure: &Closure, arguments: &[Value]) -> Outcome {
        match &closure.made {
            Made::RightBound(function, fixed) => {
                self.charge(1)?;
                self.nest(|machine| match arguments {
                    [one] => machine.call(function, &[one.clone(), fixed.clone()]),
                    [one, two] => machine.call(function, &[one.clone(), two.clone(), fixed.clone()]),
                    arguments => machine.call(function, &[arguments, std::slice::from_ref(fixed)].concat()),
                })
            }
            Made::LeftBound(function, fixed) => {
                self.charge(1)?;
                self.nest(|machine| match arguments {
                    [one] => machine.call(function, &[fixed.clone(), one.clone()]),
                    [one, two] => machine.call(function, &[fixed.clone(), one.clone(), two.clone()]),
                    arguments => machine.call(function, &[std::slice::from_ref(fixed), arguments].concat()),
                })
            }
            Made::Matcher(function, target) => {
                self.charge(1)?;
                let mark = self.mark();
                let value = self.nest(|machine| machine.call(function, arguments))?;
                self.release(mark, 0);
                if !value.is_plain() && !target.is_plain() {
                    self.visit_bytes(value.bytes().saturating_add(target.bytes()))?;
                }
                Ok(Value::truth(value == *target))
            }
            Made::Fork(outer, a, b) => {
                self.charge(1)?;
                let mark = self.mark();
                let value = self.nest(|machine| {
                    let both = [machine.call(a, arguments)?, machine.call(b, arguments)?];
                    machine.call(outer, &both)
                })?;
                self.release(mark, value.bytes());
                Ok(value)
            }
            Made::Compose(outer, inner) if !is_pipeline(outer) && !is_pipeline(inner) => {
                self.call_in_turn(inner, &[outer], arguments)
            }
            Made::Chain(h, g, f) if !is_pipeline(h) && !is_pipeline(g) && !is_pipeline(f) => {
                self.call_in_turn(f, &[g, h], arguments)
            }
            Made::Compose(..) | Made::Chain(..) | Made::Power(..) => self.call_pipeline(closure, arguments[0].clone()),
        }
    }

    /// One function after the other, none of them made of such.
    fn call_in_turn(&mut self, first: &Value, others: &[&Value], arguments: &[Value]) -> Outcome {
        let mark = self.mark();
        self.charge(1)?;
        let mut value = self.nest(|machine| machine.call(first, arguments))?;
        self.release(mark, value.bytes());
        for function in others {
            self.charge(1)?;
            value = self.nest(|machine| machine.call_one(function, value))?;
            self.release(mark, value.bytes());
        }
        Ok(value)
    }

    /// One function after the other: however many there are, they take no stack.
    fn call_pipeline(&mut self, closure: &Closure, argument: Value) -> Outcome {
        enum Step<'a> {
            Call(&'a Value),
            Repeat(&'a Value, u32),
        }
        let mark = self.mark();
        let mut value = argument;
        let mut steps: Vec<Step<'_>> = Vec::with_capacity(8);
        push(&closure.made, &mut steps);
        fn push<'a>(made: &'a Made, steps: &mut Vec<Step<'a>>) {
            match made {
                Made::Compose(outer, inner) => steps.extend([Step::Call(outer), Step::Call(inner)]),
                Made::Chain(h, g, f) => steps.extend([Step::Call(h), Step::Call(g), Step::Call(f)]),
                Made::Power(function, times) => steps.push(Step::Repeat(function, *times)),
                _ => unreachable!("only functions one after the other"),
            }
        }
        while let Some(step) = steps.pop() {
            let function = match step {
                Step::Call(function) => function,
                Step::Repeat(function, times) => {
                    if times > 1 {
                        steps.push(Step::Repeat(function, times - 1));
                    }
                    function
                }
            };
            self.charge(1)?;
            match function {
                Value::Closure(inner) if is_pipeline(function) => {
                    if steps.len() as u64 > u64::from(self.limits.depth) {
                        return Err(Fault::Limit(Limit::Depth));
                    }
                    push(&inner.made, &mut steps);
                }
                function => {
                    value = self.nest(|machine| machine.call_one(function, value))?;
                    self.release(mark, value.bytes());
                }
            }
        }
        Ok(value)
    }

    /// `power(function, times)`: checked when it is made, as the recursion that it stands for would be.
    pub(crate) fn power(&mut self, function: &Value, times: i64) -> Outcome {
        if times < 1 {
            return Err(Fault::Limit(Limit::Depth));
        }
        if times == 1 {
            return Ok(function.clone());
        }
        self.charge(times as u64)?;
        if times > i64::from(self.limits.depth) {
            return Err(Fault::Limit(Limit::Depth));
        }
        self.closure(Made::Power(function.clone(), times as u32), 1)
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

/// Whether it is a function that runs others one after the other.
fn is_pipeline(function: &Value) -> bool {
    matches!(function, Value::Closure(closure)
        if matches!(closure.made, Made::Compose(..) | Made::Chain(..) | Made::Power(..)))
}

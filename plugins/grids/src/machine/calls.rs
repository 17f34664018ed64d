//! Calls of primitives and of functions.

use std::rc::Rc;

use super::{KeptResult, Machine, NESTED, NESTED_VALUES};
use crate::{
    fault::{Fault, Limit, Outcome},
    primitives::Primitive,
    value::{Closure, Made, Value},
};

impl Machine {
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
    /// The fault of the called function; a value that is not a function, or the wrong number of arguments.
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
}

/// Whether it is a function that runs others one after the other.
fn is_pipeline(function: &Value) -> bool {
    matches!(function, Value::Closure(closure)
        if matches!(closure.made, Made::Compose(..) | Made::Chain(..) | Made::Power(..)))
}

//! The candidates of a task as one graph: a node that several of them share is evaluated once for each input.
//!
//! What comes of a program never depends on the programs beside it. A node that is found evaluated costs the program what
//! it costs alone: the steps and the memory are kept with its value. Where a limit is near, or functions are ordered by when they
//! were made, the node is evaluated again for the program alone.

use std::rc::Rc;

use super::Result;
use crate::{
    fault::{Fault, Outcome},
    machine::{Limits, Machine, Order},
    primitives::Constant,
    program::{Canonical, Function, HashIndex, NodeRef, hash_of},
    value::{Grid, Value},
};

/// How programs are evaluated. Nothing but time depends on the switches.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The order of sets.
    pub order: Order,
    /// What a program may take on an input.
    pub limits: Limits,
    /// Whether candidates share the nodes that they have in common.
    pub shared: bool,
    /// Whether `objects`, `partition` and `fgpartition` of the input are kept from call to call.
    pub kept_primitives: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options { order: Order::Ascending, limits: Limits::default(), shared: true, kept_primitives: true }
    }
}

/// Values of nodes that take more than this together are forgotten between two programs.
const RETAINED: usize = 64 << 20;

/// Programs of a task, as one graph.
pub struct Forest {
    options: Options,
    machine: Machine,
    nodes: Vec<(Function, Box<[NodeRef]>)>,
    known: HashIndex,
    programs: Vec<Steps>,
    memo: Vec<Memo>,
    retained: usize,
    input: Value,
}

/// A program: its nodes in the order in which they are evaluated, each with its line.
struct Steps {
    nodes: Box<[(u32, u32)]>,
    output: u32,
}

/// What is known of a node on the present input.
struct Memo {
    state: State,
    outcome: Outcome,
    /// What a value takes.
    bytes: usize,
    /// Steps that it takes; where a limit was reached, steps of the program before it.
    steps: u64,
    /// Bytes that it takes at most; where a limit was reached, bytes of the program before it.
    peak: usize,
}

/// Whether the outcome of a node is known.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Unknown,
    Known,
    /// Known, and it may depend on the order in which functions were made.
    Ordered,
    /// A limit, for a program that had used this much before.
    Limited,
}

const UNKNOWN: Memo = Memo { state: State::Unknown, outcome: Ok(Value::None), bytes: 0, steps: 0, peak: 0 };

/// How far a program came.
enum Passed {
    /// Every node has a value.
    All,
    /// A node has none, in this line.
    Fault(Fault, u32),
    /// The order of functions matters: the program is to be run alone.
    Alone,
}

impl Forest {
    /// A graph without programs.
    #[must_use]
    pub fn new(options: Options) -> Forest {
        Forest {
            options,
            machine: Machine::new(options.order, options.limits),
            nodes: Vec::new(),
            known: HashIndex::new(64),
            programs: Vec::new(),
            memo: Vec::new(),
            retained: 0,
            input: Value::None,
        }
    }

    /// Adds a program and gives its number.
    pub fn add(&mut self, body: &Canonical) -> usize {
        let mut node_indices = Vec::with_capacity(body.nodes.len());
        for node in &body.nodes {
            let renumbered = |node: &NodeRef| match node {
                NodeRef::Node(at) => NodeRef::Node(node_indices[*at as usize]),
                other => *other,
            };
            let function = match &node.function {
                Function::Value(function) => Function::Value(renumbered(function)),
                primitive => *primitive,
            };
            let is_same_node = |at: usize| {
                let (known, arguments) = &self.nodes[at];
                *known == function
                    && arguments.len() == node.arguments.len()
                    && arguments.iter().zip(&node.arguments).all(|(known, argument)| *known == renumbered(argument))
            };
            let hash = hash_of(function, node.arguments.iter().map(renumbered));
            let next = self.nodes.len() as u32;
            let at = self.known.find_or_add(hash, next, is_same_node).unwrap_or_else(|| {
                self.nodes.push((function, node.arguments.iter().map(renumbered).collect()));
                next
            });
            node_indices.push(at);
        }
        let nodes = body.nodes.iter().zip(&node_indices).map(|(node, at)| (*at, node.line)).collect();
        self.programs.push(Steps { nodes, output: node_indices[body.output as usize] });
        self.memo.resize_with(self.nodes.len(), || UNKNOWN);
        self.programs.len() - 1
    }

    /// Number of nodes that all programs have together.
    #[must_use]
    pub fn size(&self) -> usize {
        self.nodes.len()
    }

    /// Takes another input: programs run on it from now on.
    pub fn set_input(&mut self, input: &Rc<Grid>) {
        self.input = Value::Grid(Rc::clone(input));
        self.forget();
        self.machine.keep_primitives_of(self.options.kept_primitives.then(|| Rc::clone(input)));
    }

    fn forget(&mut self) {
        for memo in self.memo.iter_mut().filter(|memo| memo.state != State::Unknown) {
            memo.state = State::Unknown;
            memo.outcome = Ok(Value::None);
        }
        self.retained = 0;
    }

    /// Runs a program on the present input.
    pub fn run(&mut self, program: usize) -> Result {
        if !self.options.shared || self.retained > RETAINED {
            self.forget();
        }
        if let Some(result) = self.pass(program, false) {
            return result;
        }
        // The order in which functions were made is that of this program alone.
        self.forget();
        let result = self.pass(program, true);
        self.forget();
        result.expect("a program on its own has an order")
    }

    /// Evaluates the nodes of a program that are not known; nothing if the order of functions matters, unless it is `alone`.
    fn pass(&mut self, program: usize, alone: bool) -> Option<Result> {
        let nodes = std::mem::take(&mut self.programs[program].nodes);
        let fault = self.pass_nodes(&nodes, alone);
        self.programs[program].nodes = nodes;
        match fault {
            Passed::Alone => None,
            Passed::Fault(fault, line) => Some(Result::Fault(fault, line)),
            Passed::All => match &self.memo[self.programs[program].output as usize].outcome {
                Ok(value) => Some(Result::Value(value.clone())),
                Err(_) => unreachable!("the output is among the nodes"),
            },
        }
    }

    fn pass_nodes(&mut self, nodes: &[(u32, u32)], alone: bool) -> Passed {
        let limits = self.options.limits;
        let (mut steps, mut live) = (0, 0);
        for (at, line) in nodes {
            let at = *at as usize;
            let memo = &self.memo[at];
            let usable = match memo.state {
                State::Unknown => false,
                State::Known | State::Ordered => {
                    steps + memo.steps <= limits.steps && live + memo.peak <= limits.memory
                }
                State::Limited => memo.steps == steps && memo.peak == live,
            };
            if !usable {
                self.evaluate(at, steps, live);
            }
            let memo = &self.memo[at];
            if memo.state == State::Ordered && !alone {
                return Passed::Alone;
            }
            match memo.outcome {
                Ok(_) => {
                    steps += memo.steps;
                    live += memo.bytes;
                }
                Err(fault @ Fault::Limit(_)) => {
                    return Passed::Fault(fault, self.line_of_limited_function(nodes, at).unwrap_or(*line));
                }
                Err(fault) => return Passed::Fault(fault, *line),
            }
        }
        Passed::All
    }

    /// The line of a function that reaches a limit when it is called: that it was made says more than that it was called.
    fn line_of_limited_function(&self, nodes: &[(u32, u32)], at: usize) -> Option<u32> {
        let Function::Value(NodeRef::Node(function)) = self.nodes[at].0 else { return None };
        let made = nodes.iter().find(|(node, _)| *node == function)?;
        Some(made.1)
    }

    fn evaluate(&mut self, at: usize, steps: u64, live: usize) {
        let (function, arguments) = &self.nodes[at];
        let (one, two, three, four, many): (_, _, _, _, Vec<Value>);
        let arguments: &[Value] = match **arguments {
            [] => &[],
            [a] => {
                one = [self.value(a)];
                &one
            }
            [a, b] => {
                two = [self.value(a), self.value(b)];
                &two
            }
            [a, b, c] => {
                three = [self.value(a), self.value(b), self.value(c)];
                &three
            }
            [a, b, c, d] => {
                four = [self.value(a), self.value(b), self.value(c), self.value(d)];
                &four
            }
            // A function that is given more arguments than any takes fails by their number.
            ref arguments => {
                many = arguments.iter().map(|argument| self.value(*argument)).collect();
                &many
            }
        };
        self.machine.resume_at(steps, live);
        let outcome = match function {
            Function::Primitive(primitive) => self.machine.run(*primitive, arguments),
            Function::Value(function) => {
                let function = self.value(*function);
                self.machine.call(&function, arguments)
            }
        };
        let memo = &mut self.memo[at];
        if let Err(Fault::Limit(_)) = outcome {
            (memo.state, memo.bytes, memo.steps, memo.peak) = (State::Limited, 0, steps, live);
        } else {
            memo.state = if self.machine.functions_ordered() { State::Ordered } else { State::Known };
            memo.bytes = outcome.as_ref().map_or(0, Value::bytes);
            (memo.steps, memo.peak) = (self.machine.steps() - steps, self.machine.peak() - live);
            self.retained += memo.bytes;
        }
        memo.outcome = outcome;
    }

    #[inline]
    fn value(&self, node: NodeRef) -> Value {
        match node {
            NodeRef::Input => self.input.clone(),
            NodeRef::Constant(Constant::Integer(integer)) => Value::Integer(integer),
            NodeRef::Constant(Constant::Pair(row, column)) => Value::Pair(row, column),
            NodeRef::Primitive(primitive) => Value::Primitive(primitive),
            NodeRef::Node(at) => match &self.memo[at as usize].outcome {
                Ok(value) => value.clone(),
                Err(_) => unreachable!("arguments are evaluated first"),
            },
        }
    }
}

//! The candidates of a task as one graph: what two of them have in common is evaluated once an input.
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
    program::{Canonical, Function, NodeRef, Places, hash_of},
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
    known: Places,
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
#[derive(Clone)]
enum Memo {
    Unknown,
    Known {
        outcome: Outcome,
        /// What a value takes.
        bytes: usize,
        steps: u64,
        peak: usize,
        functions_ordered: bool,
    },
    /// A limit, for a program that had used this much before.
    Limited {
        steps: u64,
        live: usize,
        fault: Fault,
    },
}

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
            known: Places::new(64),
            programs: Vec::new(),
            memo: Vec::new(),
            retained: 0,
            input: Value::None,
        }
    }

    /// Adds a program and gives its number.
    pub fn add(&mut self, body: &Canonical) -> usize {
        let mut places = Vec::with_capacity(body.nodes.len());
        for node in &body.nodes {
            let place = |node: &NodeRef| match node {
                NodeRef::Node(at) => NodeRef::Node(places[*at as usize]),
                other => *other,
            };
            let function = match &node.function {
                Function::Value(function) => Function::Value(place(function)),
                primitive => *primitive,
            };
            let says_this = |at: usize| {
                let (known, arguments) = &self.nodes[at];
                *known == function
                    && arguments.len() == node.arguments.len()
                    && arguments.iter().zip(&node.arguments).all(|(known, argument)| *known == place(argument))
            };
            let hash = hash_of(function, node.arguments.iter().map(place));
            let next = self.nodes.len() as u32;
            let at = self.known.find_or_add(hash, next, says_this).unwrap_or_else(|| {
                self.nodes.push((function, node.arguments.iter().map(place).collect()));
                next
            });
            places.push(at);
        }
        let nodes = body.nodes.iter().zip(&places).map(|(node, at)| (*at, node.line)).collect();
        self.programs.push(Steps { nodes, output: places[body.output as usize] });
        self.memo.resize(self.nodes.len(), Memo::Unknown);
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
        self.memo.iter_mut().for_each(|memo| *memo = Memo::Unknown);
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
            Passed::All => match &self.memo[self.programs[program].output as usize] {
                Memo::Known { outcome: Ok(value), .. } => Some(Result::Value(value.clone())),
                _ => unreachable!("the output is among the nodes"),
            },
        }
    }

    fn pass_nodes(&mut self, nodes: &[(u32, u32)], alone: bool) -> Passed {
        let limits = self.options.limits;
        let (mut steps, mut live) = (0, 0);
        for (at, line) in nodes {
            let at = *at as usize;
            let usable = match &self.memo[at] {
                Memo::Unknown => false,
                Memo::Known { steps: more, peak, .. } => steps + more <= limits.steps && live + peak <= limits.memory,
                Memo::Limited { steps: then, live: there, .. } => *then == steps && *there == live,
            };
            if !usable {
                self.evaluate(at, steps, live);
            }
            match &self.memo[at] {
                Memo::Known { functions_ordered: true, .. } if !alone => return Passed::Alone,
                Memo::Known { outcome: Ok(_), bytes, steps: more, .. } => {
                    steps += more;
                    live += bytes;
                }
                Memo::Known { outcome: Err(fault), .. } => return Passed::Fault(*fault, *line),
                Memo::Limited { fault, .. } => {
                    return Passed::Fault(*fault, self.line_of_limit(nodes, at).unwrap_or(*line));
                }
                Memo::Unknown => unreachable!("it was evaluated"),
            }
        }
        Passed::All
    }

    /// The line of a function that reaches a limit when it is called: that it was made says more than that it was called.
    fn line_of_limit(&self, nodes: &[(u32, u32)], at: usize) -> Option<u32> {
        let Function::Value(NodeRef::Node(function)) = self.nodes[at].0 else { return None };
        let made = nodes.iter().find(|(node, _)| *node == function)?;
        Some(made.1)
    }

    fn evaluate(&mut self, at: usize, steps: u64, live: usize) {
        let arguments = &self.nodes[at].1;
        self.machine.resume_at(steps, live);
        let outcome = match **arguments {
            [one] => self.call(at, &[self.value(one)]),
            [one, two] => self.call(at, &[self.value(one), self.value(two)]),
            [one, two, three] => self.call(at, &[self.value(one), self.value(two), self.value(three)]),
            // A function that is given more arguments than any takes fails by their number.
            ref arguments => self.call(at, &arguments.iter().map(|argument| self.value(*argument)).collect::<Vec<_>>()),
        };
        self.memo[at] = match outcome {
            Err(fault @ Fault::Limit(_)) => Memo::Limited { steps, live, fault },
            outcome => {
                let bytes = outcome.as_ref().map_or(0, Value::bytes);
                self.retained += bytes;
                Memo::Known {
                    outcome,
                    bytes,
                    steps: self.machine.steps() - steps,
                    peak: self.machine.peak() - live,
                    functions_ordered: self.machine.functions_ordered(),
                }
            }
        };
    }

    /// Calls the function of a node.
    fn call(&mut self, at: usize, arguments: &[Value]) -> Outcome {
        match self.nodes[at].0 {
            Function::Primitive(primitive) => self.machine.run(primitive, arguments),
            Function::Value(function) => {
                let function = self.value(function);
                self.machine.call(&function, arguments)
            }
        }
    }

    fn value(&self, node: NodeRef) -> Value {
        match node {
            NodeRef::Input => self.input.clone(),
            NodeRef::Constant(Constant::Integer(integer)) => Value::Integer(integer),
            NodeRef::Constant(Constant::Pair(row, column)) => Value::Pair(row, column),
            NodeRef::Primitive(primitive) => Value::Primitive(primitive),
            NodeRef::Node(at) => match &self.memo[at as usize] {
                Memo::Known { outcome: Ok(value), .. } => value.clone(),
                _ => unreachable!("arguments are evaluated first"),
            },
        }
    }
}

//! What a program says, whatever its text: the same for programs that differ in names, in the order of lines that do not depend
//! on each other, in lines that occur twice, and in lines that neither matter nor can fail.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::{Argument, Callee, Line, Program, types};
use crate::primitives::{Constant, Primitive};

/// The canonical body of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canonical {
    /// SHA-256 of the text, in hexadecimal: the identity of the program.
    pub digest: String,
    /// The text of a program with the same body, its header `def solve(I):`.
    pub text: String,
    /// Number of nodes.
    pub size: u32,
    /// What is to be done, in the order of evaluation: a node uses earlier ones alone. Each is there once.
    pub nodes: Vec<Node>,
    /// The node whose value is the result.
    pub output: u32,
}

/// A function and what it is called with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    /// What is called.
    pub function: Function,
    /// What it is called with.
    pub arguments: Box<[NodeRef]>,
    /// The line in the source, from 1: the first one that says this.
    pub line: u32,
    /// Whether the result does not depend on it: it is there since the program fails if it fails.
    pub guard: bool,
}

/// What a node calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Function {
    /// A primitive, which gets as many arguments as it takes.
    Primitive(Primitive),
    /// The value of a node, a [`NodeRef::Node`]; it may turn out to be no function.
    Value(NodeRef),
}

/// A value that a node uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NodeRef {
    /// The input grid.
    Input,
    /// The value of a node: its place in [`Canonical::nodes`].
    Node(u32),
    /// A constant.
    Constant(Constant),
    /// A primitive as a value.
    Primitive(Primitive),
}

/// Reduces a program to its canonical body.
///
/// A line that the result does not depend on is dropped if it cannot fail, whatever the input grid: limits aside, the outcome
/// stays what it was. The body of the body is the body.
#[must_use]
pub fn canonical(program: &Program) -> Canonical {
    let shared = Shared::of(program);
    let order = shared.order();
    let mut placed = vec![0; shared.nodes.len()];
    for (place, node) in order.iter().enumerate() {
        placed[*node as usize] = place as u32;
    }
    let place_of = |reference: &NodeRef| match *reference {
        NodeRef::Node(node) => NodeRef::Node(placed[node as usize]),
        other => other,
    };
    let live = shared.reachable(shared.output);
    let nodes: Vec<Node> = order
        .iter()
        .map(|&at| {
            let node = &shared.nodes[at as usize];
            Node {
                function: match &node.function {
                    Function::Value(value) => Function::Value(place_of(value)),
                    primitive => *primitive,
                },
                arguments: node.arguments.iter().map(place_of).collect(),
                line: node.line,
                guard: !live[at as usize],
            }
        })
        .collect();
    let output = placed[shared.output as usize];
    let text = text(&nodes, output);
    let digest = format!("{:x}", Sha256::digest(text.as_bytes()));
    Canonical { digest, text, size: nodes.len() as u32, nodes, output }
}

/// The nodes of a program, each expression once, in the order of the source.
struct Shared {
    nodes: Vec<Node>,
    output: u32,
}

impl Shared {
    fn of(program: &Program) -> Shared {
        let mut nodes: Vec<Node> = Vec::with_capacity(program.lines.len());
        let mut known: HashMap<(Function, Box<[NodeRef]>), u32> = HashMap::with_capacity(program.lines.len());
        let mut node_of: Vec<u32> = Vec::with_capacity(program.lines.len());
        for line in &program.lines {
            let function = match line.callee {
                Callee::Primitive(primitive) => Function::Primitive(primitive),
                Callee::Line(place) => Function::Value(NodeRef::Node(node_of[place as usize])),
            };
            let arguments: Box<[NodeRef]> = line
                .arguments
                .iter()
                .map(|argument| match *argument {
                    Argument::Input => NodeRef::Input,
                    Argument::Line(place) => NodeRef::Node(node_of[place as usize]),
                    Argument::Constant(constant) => NodeRef::Constant(constant),
                    Argument::Primitive(primitive) => NodeRef::Primitive(primitive),
                })
                .collect();
            let node = *known.entry((function, arguments)).or_insert_with_key(|(function, arguments)| {
                nodes.push(Node { function: *function, arguments: arguments.clone(), line: line.line, guard: false });
                nodes.len() as u32 - 1
            });
            node_of.push(node);
        }
        let output = node_of.last().copied().unwrap_or(0);
        Shared { nodes, output }
    }

    /// The nodes that a node needs, itself among them.
    fn reachable(&self, from: u32) -> Vec<bool> {
        let mut reached = vec![false; self.nodes.len()];
        if let Some(start) = reached.get_mut(from as usize) {
            *start = true;
        }
        // A node uses earlier ones alone.
        for at in (0..self.nodes.len()).rev() {
            if reached[at] {
                self.nodes[at].used().for_each(|used| reached[used as usize] = true);
            }
        }
        reached
    }

    /// The nodes that are kept, in the canonical order: what the result needs, each after what it needs itself, arguments from
    /// left to right; then likewise the guards, by what they say.
    fn order(&self) -> Vec<u32> {
        let mut order = Vec::with_capacity(self.nodes.len());
        let mut seen = vec![false; self.nodes.len()];
        if self.nodes.is_empty() {
            return order;
        }
        self.visit(self.output, &mut seen, &mut order);
        if seen.contains(&false) {
            let fails = types::may_fail(&self.nodes);
            let mut guards: Vec<u32> =
                (0..self.nodes.len() as u32).filter(|at| fails[*at as usize] && !seen[*at as usize]).collect();
            if guards.len() > 1 {
                let meanings = self.meanings();
                guards.sort_by_key(|at| meanings[*at as usize]);
            }
            for guard in guards {
                self.visit(guard, &mut seen, &mut order);
            }
        }
        order
    }

    fn visit(&self, root: u32, seen: &mut [bool], order: &mut Vec<u32>) {
        // A node is left once all that it uses is there; programs may be too deep for the stack of the thread.
        let mut path = vec![(root, 0)];
        if std::mem::replace(&mut seen[root as usize], true) {
            return;
        }
        while let Some((at, next)) = path.last_mut() {
            match self.nodes[*at as usize].used().nth(*next) {
                Some(used) => {
                    *next += 1;
                    if !std::mem::replace(&mut seen[used as usize], true) {
                        path.push((used, 0));
                    }
                }
                None => {
                    order.push(*at);
                    path.pop();
                }
            }
        }
    }

    /// A digest of what each node says, its place in the source aside.
    fn meanings(&self) -> Vec<[u8; 32]> {
        let mut meanings: Vec<[u8; 32]> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let mut hash = Sha256::new();
            let mut add = |reference: &NodeRef| {
                match reference {
                    NodeRef::Input => hash.update("I"),
                    NodeRef::Node(node) => hash.update(meanings[*node as usize]),
                    NodeRef::Constant(constant) => hash.update(super::constant_name(*constant, "")),
                    NodeRef::Primitive(primitive) => hash.update(primitive.row().name),
                }
                hash.update(";");
            };
            match &node.function {
                Function::Primitive(primitive) => add(&NodeRef::Primitive(*primitive)),
                Function::Value(value) => add(value),
            }
            node.arguments.iter().for_each(add);
            hash.update((node.arguments.len() as u64).to_le_bytes());
            meanings.push(hash.finalize().into());
        }
        meanings
    }
}

impl Node {
    /// The nodes that it uses, in the order in which it names them.
    pub fn used(&self) -> impl Iterator<Item = u32> {
        let function = match &self.function {
            Function::Value(value) => Some(value),
            Function::Primitive(_) => None,
        };
        function.into_iter().chain(&self.arguments).filter_map(|reference| match reference {
            NodeRef::Node(node) => Some(*node),
            _ => None,
        })
    }
}

/// The text of a program of these nodes: `x1`, `x2` …, and `O` last.
fn text(nodes: &[Node], output: u32) -> String {
    let mut lines: Vec<Line> = Vec::with_capacity(nodes.len() + 1);
    for (at, node) in nodes.iter().enumerate() {
        let is_last = at as u32 == output && at + 1 == nodes.len();
        let target = if is_last { "O".to_owned() } else { format!("x{}", at + 1) };
        lines.push(line_of(node, target, at));
    }
    if output as usize + 1 != nodes.len()
        && let Some(node) = nodes.get(output as usize)
    {
        // What the result says is needed by a guard too: sharing makes it one node again.
        lines.push(line_of(node, "O".to_owned(), nodes.len()));
    }
    Program { task: String::new(), lines }.to_string()
}

fn line_of(node: &Node, target: String, at: usize) -> Line {
    let argument = |reference: &NodeRef| match *reference {
        NodeRef::Input => Argument::Input,
        NodeRef::Node(node) => Argument::Line(node),
        NodeRef::Constant(constant) => Argument::Constant(constant),
        NodeRef::Primitive(primitive) => Argument::Primitive(primitive),
    };
    let callee = match node.function {
        Function::Primitive(primitive) => Callee::Primitive(primitive),
        Function::Value(NodeRef::Node(node)) => Callee::Line(node),
        Function::Value(NodeRef::Primitive(primitive)) => Callee::Primitive(primitive),
        Function::Value(NodeRef::Input | NodeRef::Constant(_)) => {
            unreachable!("a program calls primitives and lines alone")
        }
    };
    Line { target, callee, arguments: node.arguments.iter().map(argument).collect(), line: at as u32 + 2 }
}

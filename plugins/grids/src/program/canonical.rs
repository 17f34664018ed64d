//! What a program says, whatever its text: the same for programs that differ in names, in the order of lines that do not depend
//! on each other, in lines that occur twice, and in lines that neither matter nor can fail.

use sha2::{Digest, Sha256};

use super::{Argument, Callee, Program, hash_index::HashIndex, print, types};
use crate::primitives::{
    Constant, Primitive,
    words::{EMPTY, hashed},
};

/// The canonical body of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canonical {
    /// What is to be done, in the order of evaluation: a node uses earlier ones alone. Each is there once.
    pub nodes: Vec<Node>,
    /// The node whose value is the result.
    pub output: u32,
}

impl Canonical {
    /// Number of nodes.
    #[must_use]
    pub fn size(&self) -> u32 {
        self.nodes.len() as u32
    }

    /// The text of a program with the same body, its header `def solve(I):`: lines `x1`, `x2` …, and `O` last.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(64 + 48 * self.nodes.len());
        text.push_str("def solve(I):\n");
        for (at, node) in self.nodes.iter().enumerate() {
            let is_last = at as u32 == self.output && at + 1 == self.nodes.len();
            node.print(&mut text, (!is_last).then_some(at as u32));
        }
        if self.output as usize + 1 != self.nodes.len()
            && let Some(node) = self.nodes.get(self.output as usize)
        {
            // What the result says is needed by a guard too: sharing makes it one node again.
            node.print(&mut text, None);
        }
        text.push_str("    return O\n");
        text
    }

    /// SHA-256 of the text, in hexadecimal: the identity of the program.
    #[must_use]
    pub fn digest(&self) -> String {
        digest_of(&self.text())
    }
}

/// The digest of the body that has this text.
pub(crate) fn digest_of(text: &str) -> String {
    jackfield_plugin_api::to_hex(&Sha256::digest(text))
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
    let mut shared = Shared::of(program);
    let (order, live) = shared.order();
    let mut new_indices = vec![0; shared.nodes.len()];
    for (index, node) in order.iter().enumerate() {
        new_indices[*node as usize] = index as u32;
    }
    let renumber = |reference: &mut NodeRef| {
        if let NodeRef::Node(node) = reference {
            *node = new_indices[*node as usize];
        }
    };
    let mut nodes = Vec::with_capacity(order.len());
    for (index, at) in order.iter().enumerate() {
        let node = &mut shared.nodes[*at as usize];
        let mut arguments = std::mem::take(&mut node.arguments);
        arguments.iter_mut().for_each(renumber);
        let mut function = node.function;
        if let Function::Value(value) = &mut function {
            renumber(value);
        }
        nodes.push(Node { function, arguments, line: node.line, guard: index >= live });
    }
    Canonical { nodes, output: new_indices.get(shared.output as usize).copied().unwrap_or(0) }
}

/// The nodes of a program, each expression once, in the order of the source.
struct Shared {
    nodes: Vec<Node>,
    output: u32,
}

impl Shared {
    fn of(program: &Program) -> Shared {
        let mut nodes: Vec<Node> = Vec::with_capacity(program.lines.len());
        let mut known = HashIndex::new(program.lines.len());
        let mut node_of: Vec<u32> = Vec::with_capacity(program.lines.len());
        for line in &program.lines {
            let function = match line.callee {
                Callee::Primitive(primitive) => Function::Primitive(primitive),
                Callee::Line(index) => Function::Value(NodeRef::Node(node_of[index as usize])),
            };
            let reference = |argument: &Argument| match *argument {
                Argument::Input => NodeRef::Input,
                Argument::Line(index) => NodeRef::Node(node_of[index as usize]),
                Argument::Constant(constant) => NodeRef::Constant(constant),
                Argument::Primitive(primitive) => NodeRef::Primitive(primitive),
            };
            let hash = hash_of(function, line.arguments.iter().map(reference));
            let says_this = |known: usize| {
                let node = &nodes[known];
                node.function == function
                    && node.arguments.len() == line.arguments.len()
                    && node.arguments.iter().zip(&line.arguments).all(|(node, argument)| *node == reference(argument))
            };
            let next = nodes.len() as u32;
            let node = known.find_or_add(hash, next, says_this).unwrap_or_else(|| {
                let arguments = line.arguments.iter().map(reference).collect();
                nodes.push(Node { function, arguments, line: line.line, guard: false });
                next
            });
            node_of.push(node);
        }
        let output = node_of.last().copied().unwrap_or(0);
        Shared { nodes, output }
    }

    /// The nodes that are kept, in the canonical order: what the result needs, each after what it needs itself, arguments from
    /// left to right; then likewise the guards, by what they say. And how many the result needs.
    fn order(&self) -> (Vec<u32>, usize) {
        let mut order = Vec::with_capacity(self.nodes.len());
        let mut seen = vec![false; self.nodes.len()];
        if self.nodes.is_empty() {
            return (order, 0);
        }
        self.visit(self.output, &mut seen, &mut order);
        let live = order.len();
        if live < self.nodes.len() {
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
        (order, live)
    }

    fn visit(&self, root: u32, seen: &mut [bool], order: &mut Vec<u32>) {
        // A node is left once all that it uses is there; programs may be too deep for the stack of the thread.
        if std::mem::replace(&mut seen[root as usize], true) {
            return;
        }
        let mut path = Vec::with_capacity(8);
        path.push((root, 0));
        while let Some((at, next)) = path.last_mut() {
            let Some(used) = self.nodes[*at as usize].value(*next) else {
                order.push(*at);
                path.pop();
                continue;
            };
            *next += 1;
            if let NodeRef::Node(used) = used
                && !std::mem::replace(&mut seen[used as usize], true)
            {
                path.push((used, 0));
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

/// The hash of a call.
pub(crate) fn hash_of(function: Function, arguments: impl Iterator<Item = NodeRef>) -> u32 {
    let function = match function {
        Function::Primitive(primitive) => NodeRef::Primitive(primitive),
        Function::Value(value) => value,
    };
    arguments.fold(function.hash(EMPTY), |hash, argument| argument.hash(hash))
}

impl NodeRef {
    /// Adds what it says to a hash.
    fn hash(self, hash: u32) -> u32 {
        let (kind, one, other) = match self {
            NodeRef::Input => (0, 0, 0),
            NodeRef::Node(node) => (1, node, 0),
            NodeRef::Constant(Constant::Integer(integer)) => (2, integer as u32, (integer >> 32) as u32),
            NodeRef::Constant(Constant::Pair(row, column)) => (3, row as u32, column as u32),
            NodeRef::Primitive(primitive) => (4, u32::from(primitive.number()), 0),
        };
        [one, other]
            .into_iter()
            .fold(hashed(hash, kind), |hash, number| (hash ^ number).wrapping_mul(0x9e37_79b1).rotate_left(5))
    }
}

impl Node {
    /// The value in this place: what is called, then the arguments. For a primitive, its arguments alone.
    fn value(&self, index: usize) -> Option<NodeRef> {
        match self.function {
            Function::Primitive(_) => self.arguments.get(index).copied(),
            Function::Value(value) if index == 0 => Some(value),
            Function::Value(_) => self.arguments.get(index - 1).copied(),
        }
    }

    /// Adds the line of a node, which has this place or is the result.
    fn print(&self, text: &mut String, index: Option<u32>) {
        text.push_str("    ");
        match index {
            Some(index) => push_name(text, index),
            None => text.push('O'),
        }
        text.push_str(" = ");
        let primitive = match self.function {
            Function::Primitive(primitive) | Function::Value(NodeRef::Primitive(primitive)) => {
                text.push_str(primitive.row().name);
                Some(primitive)
            }
            Function::Value(NodeRef::Node(node)) => {
                push_name(text, node);
                None
            }
            Function::Value(NodeRef::Input | NodeRef::Constant(_)) => {
                unreachable!("a program calls primitives and lines alone")
            }
        };
        for (index, argument) in self.arguments.iter().enumerate() {
            text.push_str(if index == 0 { "(" } else { ", " });
            match *argument {
                NodeRef::Input => text.push('I'),
                NodeRef::Node(node) => push_name(text, node),
                NodeRef::Constant(constant) => {
                    text.push_str(print::constant_name(constant, print::argument_type(primitive, index)));
                }
                NodeRef::Primitive(primitive) => text.push_str(primitive.row().name),
            }
        }
        text.push_str(")\n");
    }
}

/// Adds the name of the node of this place: `x1` for the first.
fn push_name(text: &mut String, index: u32) {
    text.push('x');
    let number = index + 1;
    let mut unit = 1;
    while number / unit >= 10 {
        unit *= 10;
    }
    while unit > 0 {
        text.push(char::from(b'0' + (number / unit % 10) as u8));
        unit /= 10;
    }
}

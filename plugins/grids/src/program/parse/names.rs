//! What the names of a program stand for, once its lines are read.

use super::{MOST_ARGUMENTS, MOST_FAULTS, ParseFaultKind, Reader, Statement, cursor::Name, shorten};
use crate::{
    primitives::{
        CONSTANTS, Constant, Primitive,
        words::{EMPTY, Word, hashed},
    },
    program::{Argument, Callee, Line, hash_index::HashIndex, suggest},
};

impl<'a> Reader<'a> {
    /// Looks the names up. The lines are complete only if there is no fault.
    pub(super) fn resolve(&mut self) -> Vec<Line> {
        let statements = std::mem::take(&mut self.statements);
        let arguments = std::mem::take(&mut self.arguments);
        let mut scope = Scope { statements: &statements, defined: HashIndex::new(statements.len()), index: 0 };
        for (index, statement) in statements.iter().enumerate() {
            let name = &statement.target;
            scope.defined.find_or_add(name.hash, index as u32, |known| statements[known].target.text == name.text);
        }
        let result = scope.defined("O", "O".bytes().fold(EMPTY, hashed));
        let mut lines = Vec::with_capacity(statements.len());
        for (index, statement) in statements.iter().enumerate() {
            if self.faults.len() > MOST_FAULTS {
                break;
            }
            scope.index = index;
            self.check_target(&scope, result);
            let Some(call) = &statement.call else { continue };
            let names = &arguments[call.arguments.clone()];
            let callee = self.callee(&scope, call.function, names.len());
            let mut arguments = Vec::with_capacity(names.len());
            arguments.extend(names.iter().filter_map(|name| self.argument(&scope, *name)));
            if let Some(callee) = callee {
                let target = statement.target.text.to_owned();
                lines.push(Line { target, callee, arguments, line: statement.line });
            }
        }
        if let Some((line, column)) = self.returned
            && result.is_none()
            && !self.unreadable
            && !self.returns_another
        {
            let message = "`O` is never defined: the last line before `return O` is `O = …`".to_owned();
            self.fault(ParseFaultKind::UnknownName, line, column, message);
        }
        lines
    }

    /// Whether a line can have its name, where the first line of the name `O` is `result`.
    fn check_target(&mut self, scope: &Scope<'_, 'a>, result: Option<u32>) {
        let Statement { target, line, call } = &scope.statements[scope.index];
        let first_line = |index: u32| scope.statements[index as usize].line;
        let is_earlier = |first: &u32| (*first as usize) < scope.index;
        let redefinition = |message: String| (ParseFaultKind::Redefinition, message);
        let (kind, message) = match target.word {
            Some(Word::Input) => redefinition("`I` is the input: give this line another name".to_owned()),
            Some(Word::Primitive(_)) if call.is_some() => {
                redefinition(format!("`{}` is a primitive: give this line another name", shorten(target.text)))
            }
            Some(Word::Constant(_)) if call.is_some() => {
                redefinition(format!("`{}` is a constant: give this line another name", shorten(target.text)))
            }
            _ => {
                if let Some(first) = scope.defined(target.text, target.hash).filter(is_earlier) {
                    let (name, first) = (shorten(target.text), first_line(first));
                    redefinition(format!("`{name}` is already defined on line {first}: give this line another name"))
                } else if let Some(result) = result.filter(|result| *result as usize + 1 == scope.index) {
                    let result = first_line(result);
                    let message = format!("`O` is the result and the last line: move this line above line {result}");
                    (ParseFaultKind::Syntax, message)
                } else {
                    return;
                }
            }
        };
        self.fault(kind, *line, target.column, message);
    }

    /// What is called, with so many arguments.
    fn callee(&mut self, scope: &Scope<'_, 'a>, name: Name<'a>, count: usize) -> Option<Callee> {
        let line = scope.line();
        match name.word {
            Some(Word::Primitive(primitive)) => {
                let takes = primitive.arity();
                if takes == count {
                    return Some(Callee::Primitive(primitive));
                }
                let names: Vec<&str> = primitive.row().arguments.iter().map(|(name, _)| *name).collect();
                let plural = if takes == 1 { "" } else { "s" };
                let were = if count == 1 { "was" } else { "were" };
                let (shown, names) = (shorten(name.text), names.join(", "));
                let message = format!(
                    "`{shown}` takes {takes} argument{plural}, and {count} {were} given: write `{shown}({names})`"
                );
                self.fault(ParseFaultKind::Arity, line, name.column, message);
                return None;
            }
            Some(Word::Input) => {
                let message = "`I` is a grid and cannot be called".to_owned();
                self.fault(ParseFaultKind::Type, line, name.column, message);
                return None;
            }
            Some(Word::Constant(constant)) => {
                let what = match constant {
                    Constant::Integer(_) => "an integer",
                    Constant::Pair(..) => "a pair",
                };
                let shown = shorten(name.text);
                let message = format!("`{shown}` is {what} and cannot be called: a function stands before `(`");
                self.fault(ParseFaultKind::Type, line, name.column, message);
                return None;
            }
            Some(Word::Keyword) | None => {}
        }
        let index = self.earlier(scope, name)?;
        if count == 0 {
            let shown = shorten(name.text);
            let message = format!("`{shown}` is called without arguments, and every function takes some");
            self.fault(ParseFaultKind::Arity, line, name.column, message);
            return None;
        }
        if count > MOST_ARGUMENTS {
            let shown = shorten(name.text);
            let message =
                format!("`{shown}` is called with {count} arguments, and no function takes more than {MOST_ARGUMENTS}");
            self.fault(ParseFaultKind::Arity, line, name.column, message);
            return None;
        }
        Some(Callee::Line(index))
    }

    fn argument(&mut self, scope: &Scope<'_, 'a>, name: Name<'a>) -> Option<Argument> {
        if Some(name.text) == self.parameter {
            return Some(Argument::Input);
        }
        match name.word {
            Some(Word::Input) => return Some(Argument::Input),
            Some(Word::Primitive(primitive)) => return Some(Argument::Primitive(primitive)),
            Some(Word::Constant(constant)) => return Some(Argument::Constant(constant)),
            Some(Word::Keyword) | None => {}
        }
        self.earlier(scope, name).map(Argument::Line)
    }

    /// The earlier line of this name.
    fn earlier(&mut self, scope: &Scope<'_, 'a>, name: Name<'a>) -> Option<u32> {
        let line = scope.line();
        match scope.defined(name.text, name.hash) {
            Some(index) if (index as usize) < scope.index => Some(index),
            Some(index) => {
                let shown = shorten(name.text);
                let defined = scope.statements[index as usize].line;
                let message = if index as usize == scope.index {
                    format!("`{shown}` is used in the line that defines it, line {defined}: use a name of a line above")
                } else {
                    format!("`{shown}` is defined on line {defined}, below this line: move line {defined} above it")
                };
                self.fault(ParseFaultKind::UseBeforeDefinition, line, name.column, message);
                None
            }
            None => {
                if !self.unreadable && self.faults.len() <= MOST_FAULTS {
                    let earlier = scope.statements[..scope.index].iter().rev().map(|statement| statement.target.text);
                    let message = unknown(name.text, earlier);
                    self.fault(ParseFaultKind::UnknownName, line, name.column, message);
                }
                None
            }
        }
    }
}

/// What a line can see.
struct Scope<'s, 'a> {
    statements: &'s [Statement<'a>],
    /// The first line of each name.
    defined: HashIndex,
    /// The line.
    index: usize,
}

impl Scope<'_, '_> {
    fn line(&self) -> u32 {
        self.statements[self.index].line
    }

    /// The first line of this name.
    fn defined(&self, name: &str, hash: u32) -> Option<u32> {
        self.defined.find(hash, |index| self.statements[index].target.text == name)
    }
}

/// What to say of a name that nothing has.
fn unknown<'a>(name: &str, earlier: impl Iterator<Item = &'a str>) -> String {
    let shown = shorten(name);
    if suggest::is_number_word(name) {
        return format!(
            "there is no constant `{shown}`: integers have the names `NEG_TWO` to `TEN`; make others with `add` or `multiply`"
        );
    }
    let is_numbered = name.len() > 1 && name.starts_with('x') && name[1..].bytes().all(|byte| byte.is_ascii_digit());
    if is_numbered {
        return format!("`{shown}` is not defined: no line above begins with `{shown} = `");
    }
    let primitives = Primitive::all().map(|primitive| primitive.row().name);
    let constants = CONSTANTS.iter().map(|(name, _)| *name);
    // The nearest lines are enough: a suggestion takes time for each.
    match suggest::nearest(name, primitives.chain(constants).chain(["I"]).chain(earlier.take(100))) {
        Some(near) => format!("`{shown}` is not a primitive, a constant or a line above: did you mean `{near}`?"),
        None => format!("`{shown}` is not a primitive, a constant or a line above"),
    }
}

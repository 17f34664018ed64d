//! From a text to a program, or to all that is wrong with the text.
//!
//! The text is read line by line, by the grammar
//!
//! ```text
//! def solve_TASK(I):            or: def solve(I):
//!     NAME = FUNCTION(ARGUMENT, …)      as many as there are, each once
//!     O = FUNCTION(ARGUMENT, …)
//!     return O
//! ```
//!
//! where a function is a primitive or an earlier name, and an argument is `I`, an earlier name, a constant or a primitive. Lines
//! of the body are indented alike, by spaces or tabs. Blank lines and comments (`#` to the end of the line) may stand anywhere.
//! A call stays on one line, and no comma stands after its last argument.

use std::{collections::HashMap, fmt};

use super::{Argument, Callee, Line, Program};
use crate::{
    primitives::{CONSTANTS, Constant, Primitive},
    program::suggest,
};

/// The longest text of a program, in bytes. Whatever is read within the limits, its printed text and that of its canonical body
/// are within them too.
pub const LONGEST_TEXT: usize = 100_000;

/// The most lines of a text.
pub const MOST_LINES: usize = 1_000;

/// The most arguments of a call: no function takes more.
pub const MOST_ARGUMENTS: usize = 4;

/// The longest name, in characters.
pub const LONGEST_NAME: usize = 100;

/// The most faults of a text that are reported.
pub const MOST_FAULTS: usize = 100;

/// What is wrong with the text of a program, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseFault {
    /// Of what kind it is.
    pub kind: ParseFaultKind,
    /// The line, from 1.
    pub line: u32,
    /// The column, in characters, from 1.
    pub column: u32,
    /// What is wrong and how to fix it. What it quotes of the text is short and moves no terminal.
    pub message: String,
}

/// The kinds of what can be wrong with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ParseFaultKind {
    /// It is not as the grammar says.
    Syntax,
    /// A name that nothing has.
    UnknownName,
    /// A primitive is given more or fewer arguments than it takes.
    Arity,
    /// A line is used above, or in, the line that defines it.
    UseBeforeDefinition,
    /// A name is given twice, or is that of a primitive, of a constant or of the input.
    Redefinition,
    /// A constant or the input is called.
    Type,
}

impl ParseFaultKind {
    /// The word for it in results.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ParseFaultKind::Syntax => "syntax",
            ParseFaultKind::UnknownName => "unknown-name",
            ParseFaultKind::Arity => "arity",
            ParseFaultKind::UseBeforeDefinition => "use-before-definition",
            ParseFaultKind::Redefinition => "redefinition",
            ParseFaultKind::Type => "type",
        }
    }
}

/// As `line 2, column 10: unknown-name: …`.
impl fmt::Display for ParseFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ParseFault { kind, line, column, message } = self;
        write!(formatter, "line {line}, column {column}: {}: {message}", kind.name())
    }
}

/// Reads a program. Takes time in proportion to the length of the text.
///
/// # Errors
/// All faults of the text that do not follow from one another, at most [`MOST_FAULTS`], in the order of the text; at least one.
pub fn parse(text: &str) -> Result<Program, Vec<ParseFault>> {
    let mut reader = Reader::default();
    if text.len() > LONGEST_TEXT {
        reader.syntax(1, 1, format!("the text has {} bytes, and a program has at most {LONGEST_TEXT}", text.len()));
        return Err(reader.faults);
    }
    reader.read(text.strip_prefix('\u{feff}').unwrap_or(text));
    let lines = reader.resolve();
    if reader.faults.is_empty() {
        return Ok(Program { task: reader.task, lines });
    }
    reader.faults.sort_by_key(|fault| (fault.line, fault.column));
    reader.faults.truncate(MOST_FAULTS);
    Err(reader.faults)
}

/// A name and where it stands.
#[derive(Clone, Copy)]
struct Name<'a> {
    text: &'a str,
    column: u32,
}

/// A line as it was read, its names not looked up.
struct Statement<'a> {
    target: Name<'a>,
    /// Nothing if the line is broken after its target: it defines a name, and nothing more is said of it.
    call: Option<(Name<'a>, Vec<Name<'a>>)>,
    line: u32,
}

#[derive(Default)]
struct Reader<'a> {
    faults: Vec<ParseFault>,
    task: String,
    /// The parameter, where it has another name than it should: reported once, at the header.
    parameter: Option<&'a str>,
    statements: Vec<Statement<'a>>,
    /// Where the names of broken lines stand that could not be read, at the first of them: what is not defined may be there.
    unreadable: bool,
    /// Line and column of the result.
    returned: Option<(u32, u32)>,
    /// Whether what is returned is not `O`: reported there.
    returns_another: bool,
}

impl<'a> Reader<'a> {
    fn fault(&mut self, kind: ParseFaultKind, line: u32, column: u32, message: String) {
        self.faults.push(ParseFault { kind, line, column, message });
    }

    fn syntax(&mut self, line: u32, column: u32, message: String) {
        self.fault(ParseFaultKind::Syntax, line, column, message);
    }

    /// Reads all lines. What is wrong with one keeps no other from being read.
    fn read(&mut self, text: &'a str) {
        let mut headed = false;
        let mut indent = None;
        let mut unindented = false;
        let mut last = 0;
        for (place, line) in text.split('\n').enumerate() {
            let number = place as u32 + 1;
            if place >= MOST_LINES && !line.is_empty() {
                self.syntax(
                    number,
                    1,
                    format!(
                        "the text has more than {MOST_LINES} lines: split the program, or drop what it does not need"
                    ),
                );
                return;
            }
            let line = line.strip_suffix('\r').unwrap_or(line);
            let mut cursor = Cursor::new(line);
            let margin = cursor.blanks();
            if cursor.at_end() {
                continue;
            }
            last = number;
            let column = cursor.column();
            if !headed {
                headed = true;
                if margin.is_empty() {
                    self.header(&mut cursor, number);
                } else {
                    self.syntax(
                        number,
                        1,
                        "the line with `def` is not indented: remove the blanks before it".to_owned(),
                    );
                }
                continue;
            }
            if self.returned.is_some() {
                let what = if cursor.peek_name() == Some("def") {
                    "a file holds one program: move this `def` to a file of its own"
                } else {
                    "nothing follows `return`: remove this line, or move it above"
                };
                self.syntax(number, column, what.to_owned());
                return;
            }
            if cursor.peek_name() == Some("def") {
                self.syntax(
                    number,
                    column,
                    "a second `def` before the first program has its `return O`: a file holds one program".to_owned(),
                );
                return;
            }
            if margin.is_empty() {
                if !unindented {
                    self.syntax(
                        number,
                        1,
                        "the lines below `def` are indented: put four spaces before this line".to_owned(),
                    );
                }
                unindented = true;
            } else if *indent.get_or_insert(margin) != margin {
                self.syntax(
                    number,
                    1,
                    "this line is not indented as the line above it: use the same blanks for all lines".to_owned(),
                );
            }
            if cursor.peek_name() == Some("return") {
                self.read_return(&mut cursor, number);
            } else {
                self.statement(&mut cursor, number);
            }
        }
        if !headed {
            self.syntax(1, 1, "there is no program: it begins with `def solve_TASK(I):`".to_owned());
        } else if self.returned.is_none() {
            self.syntax(last + 1, 1, "the program ends without its result: add the line `    return O`".to_owned());
        }
    }

    /// `def solve_TASK(I):`.
    fn header(&mut self, cursor: &mut Cursor<'a>, line: u32) {
        let result = self.try_header(cursor, line);
        if let Err((column, message)) = result {
            self.syntax(line, column, message);
        }
    }

    fn try_header(&mut self, cursor: &mut Cursor<'a>, line: u32) -> Result<(), (u32, String)> {
        match cursor.name() {
            Some(name) if name.text == "def" => {}
            Some(name) if name.text == "define" || name.text == "function" || name.text == "fn" => {
                return Err((name.column, format!("expected `def`, found `{}`", name.text)));
            }
            _ => return Err((1, "expected `def solve_TASK(I):` before anything else".to_owned())),
        }
        let name =
            cursor.name().ok_or_else(|| cursor.expected("the name of the program, as in `def solve_TASK(I):`"))?;
        too_long(name)?;
        match name.text.strip_prefix("solve") {
            Some("") => {}
            Some(rest) if rest.len() > 1 && rest.starts_with('_') => rest[1..].clone_into(&mut self.task),
            _ => {
                let shown = shorten(name.text);
                return Err((
                    name.column,
                    format!("a program is named `solve_` and its task, or `solve`, and not `{shown}`"),
                ));
            }
        }
        cursor.expect('(', "`(I):`")?;
        let parameter = cursor.name().ok_or_else(|| cursor.expected("`I`"))?;
        if parameter.text != "I" {
            self.parameter = Some(parameter.text);
            let shown = shorten(parameter.text);
            self.syntax(line, parameter.column, format!("the input is named `I`, and not `{shown}`"));
        }
        cursor.skip_blanks();
        if cursor.peek() == Some(',') {
            return Err((cursor.column(), "a program has one parameter, `I`".to_owned()));
        }
        cursor.expect(')', "`)`")?;
        cursor.expect(':', "`:`")?;
        cursor.end("the line with `def`")
    }

    /// `return O`.
    fn read_return(&mut self, cursor: &mut Cursor<'a>, line: u32) {
        cursor.name();
        cursor.skip_blanks();
        self.returned = Some((line, cursor.column()));
        let result = match cursor.name() {
            Some(name) if name.text == "O" => cursor.end("`return O`"),
            Some(name) => {
                self.returns_another = true;
                let shown = shorten(name.text);
                Err((
                    name.column,
                    format!(
                        "the result is named `O`: write `return O`, and `O = …` in the line above, not `return {shown}`"
                    ),
                ))
            }
            None => {
                self.returns_another = true;
                Err((cursor.column(), "the result is named `O`: write `return O`".to_owned()))
            }
        };
        if let Err((column, message)) = result {
            self.syntax(line, column, message);
        }
    }

    /// `NAME = FUNCTION(ARGUMENT, …)`.
    fn statement(&mut self, cursor: &mut Cursor<'a>, line: u32) {
        let column = cursor.column();
        let Some(target) = cursor.name() else {
            self.unreadable = true;
            let (column, message) = cursor.expected("`NAME = FUNCTION(…)`");
            self.syntax(line, column, message);
            return;
        };
        let result = too_long(target).and_then(|()| {
            if is_keyword(target.text) {
                return Err((column, format!("`{}` is a word of Python: a line is `NAME = FUNCTION(…)`", target.text)));
            }
            cursor.expect('=', "`=`, as in `NAME = FUNCTION(…)`").and_then(|()| read_call(cursor, target))
        });
        let call = match result {
            Ok(call) => Some(call),
            Err((column, message)) => {
                self.syntax(line, column, message);
                None
            }
        };
        self.statements.push(Statement { target, call, line });
    }

    /// Looks the names up. The lines are complete only if there is no fault.
    fn resolve(&mut self) -> Vec<Line> {
        let statements = std::mem::take(&mut self.statements);
        let mut defined: HashMap<&str, u32> = HashMap::with_capacity(statements.len());
        for (place, statement) in statements.iter().enumerate() {
            defined.entry(statement.target.text).or_insert(place as u32);
        }
        let mut lines = Vec::with_capacity(statements.len());
        for (place, statement) in statements.iter().enumerate() {
            if self.faults.len() > MOST_FAULTS {
                break;
            }
            self.check_target(&statements, &defined, place);
            let Some((callee, arguments)) = &statement.call else { continue };
            let scope = Scope { statements: &statements, defined: &defined, place };
            let callee = self.callee(&scope, *callee, arguments.len());
            let arguments = arguments.iter().filter_map(|name| self.argument(&scope, *name)).collect();
            if let Some(callee) = callee {
                let target = statement.target.text.to_owned();
                lines.push(Line { target, callee, arguments, line: statement.line });
            }
        }
        if let Some((line, column)) = self.returned
            && !defined.contains_key("O")
            && !self.unreadable
            && !self.returns_another
        {
            let message = "`O` is never defined: the last line before `return O` is `O = …`".to_owned();
            self.fault(ParseFaultKind::UnknownName, line, column, message);
        }
        lines
    }

    fn check_target(&mut self, statements: &[Statement<'a>], defined: &HashMap<&'a str, u32>, place: usize) {
        let Statement { target, line, call } = &statements[place];
        let (line, column) = (*line, target.column);
        let name = shorten(target.text);
        if target.text == "I" {
            let message = "`I` is the input: give this line another name".to_owned();
            self.fault(ParseFaultKind::Redefinition, line, column, message);
        } else if Primitive::named(target.text).is_some() && call.is_some() {
            let message = format!("`{name}` is a primitive: give this line another name");
            self.fault(ParseFaultKind::Redefinition, line, column, message);
        } else if Constant::named(target.text).is_some() && call.is_some() {
            let message = format!("`{name}` is a constant: give this line another name");
            self.fault(ParseFaultKind::Redefinition, line, column, message);
        } else if let Some(&first) = defined.get(target.text).filter(|first| (**first as usize) < place) {
            let first = statements[first as usize].line;
            let message = format!("`{name}` is already defined on line {first}: give this line another name");
            self.fault(ParseFaultKind::Redefinition, line, column, message);
        } else if let Some(&result) = defined.get("O").filter(|result| **result as usize + 1 == place) {
            let result = statements[result as usize].line;
            let message = format!("`O` is the result and the last line: move this line above line {result}");
            self.syntax(line, column, message);
        }
    }

    /// What is called, with so many arguments.
    fn callee(&mut self, scope: &Scope<'_, 'a>, name: Name<'a>, count: usize) -> Option<Callee> {
        let line = scope.line();
        let shown = shorten(name.text);
        if let Some(primitive) = Primitive::named(name.text) {
            let takes = primitive.arity();
            if takes != count {
                let names: Vec<&str> = primitive.row().arguments.iter().map(|(name, _)| *name).collect();
                let plural = if takes == 1 { "" } else { "s" };
                let were = if count == 1 { "was" } else { "were" };
                let names = names.join(", ");
                let message = format!(
                    "`{shown}` takes {takes} argument{plural}, and {count} {were} given: write `{shown}({names})`"
                );
                self.fault(ParseFaultKind::Arity, line, name.column, message);
                return None;
            }
            return Some(Callee::Primitive(primitive));
        }
        if name.text == "I" {
            let message = "`I` is a grid and cannot be called".to_owned();
            self.fault(ParseFaultKind::Type, line, name.column, message);
            return None;
        }
        if let Some(constant) = Constant::named(name.text) {
            let what = match constant {
                Constant::Integer(_) => "an integer",
                Constant::Pair(..) => "a pair",
            };
            let message = format!("`{shown}` is {what} and cannot be called: a function stands before `(`");
            self.fault(ParseFaultKind::Type, line, name.column, message);
            return None;
        }
        let place = self.earlier(scope, name)?;
        if count == 0 {
            let message = format!("`{shown}` is called without arguments, and every function takes some");
            self.fault(ParseFaultKind::Arity, line, name.column, message);
            return None;
        }
        if count > MOST_ARGUMENTS {
            let message =
                format!("`{shown}` is called with {count} arguments, and no function takes more than {MOST_ARGUMENTS}");
            self.fault(ParseFaultKind::Arity, line, name.column, message);
            return None;
        }
        Some(Callee::Line(place))
    }

    fn argument(&mut self, scope: &Scope<'_, 'a>, name: Name<'a>) -> Option<Argument> {
        if name.text == "I" || Some(name.text) == self.parameter {
            return Some(Argument::Input);
        }
        if let Some(primitive) = Primitive::named(name.text) {
            return Some(Argument::Primitive(primitive));
        }
        if let Some(constant) = Constant::named(name.text) {
            return Some(Argument::Constant(constant));
        }
        self.earlier(scope, name).map(Argument::Line)
    }

    /// The earlier line of this name.
    fn earlier(&mut self, scope: &Scope<'_, 'a>, name: Name<'a>) -> Option<u32> {
        let line = scope.line();
        let shown = shorten(name.text);
        match scope.defined.get(name.text) {
            Some(&place) if (place as usize) < scope.place => Some(place),
            Some(&place) => {
                let defined = scope.statements[place as usize].line;
                let message = if place as usize == scope.place {
                    format!("`{shown}` is used in the line that defines it, line {defined}: use a name of a line above")
                } else {
                    format!("`{shown}` is defined on line {defined}, below this line: move line {defined} above it")
                };
                self.fault(ParseFaultKind::UseBeforeDefinition, line, name.column, message);
                None
            }
            None => {
                if !self.unreadable && self.faults.len() <= MOST_FAULTS {
                    let earlier = scope.statements[..scope.place].iter().rev().map(|statement| statement.target.text);
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
    defined: &'s HashMap<&'a str, u32>,
    /// The line.
    place: usize,
}

impl Scope<'_, '_> {
    fn line(&self) -> u32 {
        self.statements[self.place].line
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

/// `FUNCTION(ARGUMENT, …)` to the end of the line.
fn read_call<'a>(cursor: &mut Cursor<'a>, target: Name<'a>) -> Result<(Name<'a>, Vec<Name<'a>>), (u32, String)> {
    let function = match cursor.name() {
        Some(name) if !is_keyword(name.text) => name,
        _ => return Err(cursor.not_a_name("a line calls one function: `NAME = FUNCTION(…)`")),
    };
    too_long(function)?;
    cursor.skip_blanks();
    if cursor.peek().is_none() {
        let (value, target) = (shorten(function.text), shorten(target.text));
        let message =
            format!("`{value}` is not a call: write `{target} = identity({value})`, or use `{value}` itself below");
        return Err((function.column, message));
    }
    cursor.expect('(', "`(` and the arguments")?;
    let mut arguments = Vec::new();
    cursor.skip_blanks();
    if cursor.peek() != Some(')') {
        loop {
            arguments.push(read_argument(cursor, !arguments.is_empty())?);
            cursor.skip_blanks();
            match cursor.peek() {
                Some(',') => cursor.step(),
                Some(')') => break,
                _ => return Err(cursor.expected("`,` or `)`")),
            }
        }
    }
    cursor.step();
    cursor.end("the call")?;
    Ok((function, arguments))
}

fn read_argument<'a>(cursor: &mut Cursor<'a>, follows: bool) -> Result<Name<'a>, (u32, String)> {
    cursor.skip_blanks();
    if follows && cursor.peek() == Some(')') {
        return Err((
            cursor.column(),
            "an argument is missing after the comma: remove the comma, or add the argument".to_owned(),
        ));
    }
    let argument = match cursor.name() {
        Some(name) if !is_keyword(name.text) => name,
        _ => return Err(cursor.not_a_name("an argument is a name")),
    };
    too_long(argument)?;
    cursor.skip_blanks();
    let shown = shorten(argument.text);
    match cursor.peek() {
        Some('(') => Err((
            argument.column,
            format!(
                "an argument is a name, not a call: give `{shown}(…)` a line of its own, and use that line's name here"
            ),
        )),
        Some('=') => Err((argument.column, format!("arguments are given by their places: remove `{shown} =`"))),
        _ => Ok(argument),
    }
}

fn too_long(name: Name<'_>) -> Result<(), (u32, String)> {
    if name.text.len() <= LONGEST_NAME {
        return Ok(());
    }
    let shown = shorten(name.text);
    let length = name.text.len();
    Err((name.column, format!("the name `{shown}` has {length} characters, and a name has at most {LONGEST_NAME}")))
}

/// A name as a message shows it: not too much of it.
fn shorten(name: &str) -> String {
    const SHOWN: usize = 40;
    // Names are of ASCII characters.
    if name.len() <= SHOWN { name.to_owned() } else { format!("{}…", &name[..SHOWN]) }
}

/// Words that the language of the reference keeps for itself: no line can have them as its name.
fn is_keyword(name: &str) -> bool {
    const KEYWORDS: [&str; 35] = [
        "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
        "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
        "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
    ];
    KEYWORDS.contains(&name)
}

/// A place in a line.
struct Cursor<'a> {
    rest: &'a str,
    column: u32,
}

impl<'a> Cursor<'a> {
    fn new(line: &'a str) -> Cursor<'a> {
        Cursor { rest: line, column: 1 }
    }

    /// The column of what comes next.
    fn column(&self) -> u32 {
        self.column
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next().filter(|char| *char != '#')
    }

    /// Whether only a comment follows, or nothing.
    fn at_end(&self) -> bool {
        self.peek().is_none()
    }

    fn step(&mut self) {
        let mut chars = self.rest.chars();
        if chars.next().is_some() {
            self.column += 1;
        }
        self.rest = chars.as_str();
    }

    /// Blanks, which are gone then.
    fn blanks(&mut self) -> &'a str {
        let after = self.rest.trim_start_matches([' ', '\t']);
        let blanks = &self.rest[..self.rest.len() - after.len()];
        self.column += blanks.len() as u32;
        self.rest = after;
        blanks
    }

    fn skip_blanks(&mut self) {
        self.blanks();
    }

    /// The name that comes next, if one does. It stays there.
    fn peek_name(&self) -> Option<&'a str> {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let end = self.rest.bytes().position(|byte| !is_part(byte)).unwrap_or(self.rest.len());
        let name = &self.rest[..end];
        (!name.is_empty() && !name.starts_with(|first: char| first.is_ascii_digit())).then_some(name)
    }

    /// The name that comes next, after blanks.
    fn name(&mut self) -> Option<Name<'a>> {
        self.skip_blanks();
        let text = self.peek_name()?;
        let column = self.column;
        self.column += text.len() as u32;
        self.rest = &self.rest[text.len()..];
        Some(Name { text, column })
    }

    fn expect(&mut self, wanted: char, what: &str) -> Result<(), (u32, String)> {
        self.skip_blanks();
        if self.peek() != Some(wanted) {
            return Err(self.expected(what));
        }
        self.step();
        Ok(())
    }

    /// Nothing but a comment follows.
    fn end(&mut self, what: &str) -> Result<(), (u32, String)> {
        self.skip_blanks();
        if self.at_end() {
            return Ok(());
        }
        let found = self.found();
        Err((self.column, format!("nothing follows {what} on its line, and {found} does: remove it")))
    }

    fn expected(&mut self, what: &str) -> (u32, String) {
        self.skip_blanks();
        (self.column, format!("expected {what}, found {}", self.found()))
    }

    /// What to say where a name should stand.
    fn not_a_name(&mut self, rule: &str) -> (u32, String) {
        self.skip_blanks();
        let message = match self.peek() {
            Some('\'' | '"') => format!("{rule}: there are no strings"),
            Some('0'..='9' | '-') => {
                let end = self.rest[1..]
                    .bytes()
                    .position(|byte| !byte.is_ascii_digit())
                    .map_or(self.rest.len(), |end| end + 1);
                let number = self.rest[..end].parse::<i64>().ok();
                let named = number.and_then(|number| {
                    let named = CONSTANTS.iter().rev().find(|(_, value)| *value == Constant::Integer(number));
                    named.map(|(name, _)| (number, name))
                });
                match named {
                    Some((number, name)) => format!("{rule}, not a number: write `{name}` for {number}"),
                    None => format!("{rule}, not a number: integers have the names `NEG_TWO` to `TEN`"),
                }
            }
            Some('(' | '[' | '{') => {
                format!("{rule}: there are no tuples, lists or sets to write; `astuple(a, b)` makes a pair")
            }
            _ => format!("{rule}, found {}", self.found()),
        };
        (self.column, message)
    }

    /// What comes next, as a message shows it.
    fn found(&self) -> String {
        match self.peek_name() {
            Some(name) => format!("`{}`", shorten(name)),
            None => match self.peek() {
                Some(char) => format!("`{}`", char.escape_debug()),
                None => "the end of the line".to_owned(),
            },
        }
    }
}

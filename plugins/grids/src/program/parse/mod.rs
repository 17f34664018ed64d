//! Parses a text into a program, or reports everything that is wrong with the text.
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

mod cursor;
mod faults;
mod names;

use std::ops::Range;

use self::cursor::{Cursor, Name};
pub use self::faults::{ParseFault, ParseFaultKind};
use super::Program;

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

/// A line as it was read, its names not looked up.
struct Statement<'a> {
    target: Name<'a>,
    /// Nothing if the line is broken after its target: it defines a name, and nothing more is said of it.
    call: Option<Call<'a>>,
    line: u32,
}

/// A call as it was read.
struct Call<'a> {
    function: Name<'a>,
    /// Where its arguments are in [`Reader::arguments`].
    arguments: Range<usize>,
}

#[derive(Default)]
struct Reader<'a> {
    faults: Vec<ParseFault>,
    task: String,
    /// The parameter, where it has another name than it should: reported once, at the header.
    parameter: Option<&'a str>,
    statements: Vec<Statement<'a>>,
    /// The arguments of all lines, one after the other.
    arguments: Vec<Name<'a>>,
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
        // About what a program of this length has.
        self.statements.reserve(text.len() / 24);
        self.arguments.reserve(text.len() / 12);
        let mut headed = false;
        let mut indent = None;
        let mut unindented = false;
        let mut last = 0;
        for (index, line) in text.split('\n').enumerate() {
            let number = index as u32 + 1;
            if index >= MOST_LINES && !line.is_empty() {
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
            let first = cursor.peek_name();
            let is_first = |word: &str| first.is_some_and(|name| name.text == word);
            if self.returned.is_some() {
                let what = if is_first("def") {
                    "a file holds one program: move this `def` to a file of its own"
                } else {
                    "nothing follows `return`: remove this line, or move it above"
                };
                self.syntax(number, column, what.to_owned());
                return;
            }
            if is_first("def") {
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
            if is_first("return") {
                self.read_return(&mut cursor, number);
            } else {
                self.statement(&mut cursor, first, number);
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
        not_too_long(name)?;
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
        cursor.expect(b'(', "`(I):`")?;
        let parameter = cursor.name().ok_or_else(|| cursor.expected("`I`"))?;
        if parameter.text != "I" {
            self.parameter = Some(parameter.text);
            let shown = shorten(parameter.text);
            self.syntax(line, parameter.column, format!("the input is named `I`, and not `{shown}`"));
        }
        cursor.skip_blanks();
        if cursor.is_at(b',') {
            return Err((cursor.column(), "a program has one parameter, `I`".to_owned()));
        }
        cursor.expect(b')', "`)`")?;
        cursor.expect(b':', "`:`")?;
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
    fn statement(&mut self, cursor: &mut Cursor<'a>, first: Option<Name<'a>>, line: u32) {
        let column = cursor.column();
        let Some(target) = first else {
            self.unreadable = true;
            let (column, message) = cursor.expected("`NAME = FUNCTION(…)`");
            self.syntax(line, column, message);
            return;
        };
        cursor.pass(target);
        let result = not_too_long(target).and_then(|()| {
            if target.is_keyword() {
                return Err((column, format!("`{}` is a word of Python: a line is `NAME = FUNCTION(…)`", target.text)));
            }
            cursor.expect(b'=', "`=`, as in `NAME = FUNCTION(…)`")?;
            read_call(cursor, target, &mut self.arguments)
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
}

/// `FUNCTION(ARGUMENT, …)` to the end of the line. Its arguments go behind those that are there.
fn read_call<'a>(
    cursor: &mut Cursor<'a>,
    target: Name<'a>,
    arguments: &mut Vec<Name<'a>>,
) -> Result<Call<'a>, (u32, String)> {
    let function = match cursor.name() {
        Some(name) if !name.is_keyword() => name,
        _ => return Err(cursor.not_a_name("a line calls one function: `NAME = FUNCTION(…)`")),
    };
    not_too_long(function)?;
    cursor.skip_blanks();
    if cursor.at_end() {
        let (value, target) = (shorten(function.text), shorten(target.text));
        let message =
            format!("`{value}` is not a call: write `{target} = identity({value})`, or use `{value}` itself below");
        return Err((function.column, message));
    }
    cursor.expect(b'(', "`(` and the arguments")?;
    let start = arguments.len();
    cursor.skip_blanks();
    if !cursor.is_at(b')') {
        loop {
            arguments.push(read_argument(cursor, arguments.len() > start)?);
            cursor.skip_blanks();
            if cursor.is_at(b')') {
                break;
            }
            if !cursor.is_at(b',') {
                return Err(cursor.expected("`,` or `)`"));
            }
            cursor.step();
        }
    }
    cursor.step();
    cursor.end("the call")?;
    Ok(Call { function, arguments: start..arguments.len() })
}

fn read_argument<'a>(cursor: &mut Cursor<'a>, follows: bool) -> Result<Name<'a>, (u32, String)> {
    cursor.skip_blanks();
    if follows && cursor.is_at(b')') {
        return Err((
            cursor.column(),
            "an argument is missing after the comma: remove the comma, or add the argument".to_owned(),
        ));
    }
    let argument = match cursor.name() {
        Some(name) if !name.is_keyword() => name,
        _ => return Err(cursor.not_a_name("an argument is a name")),
    };
    not_too_long(argument)?;
    cursor.skip_blanks();
    if cursor.is_at(b'(') {
        let shown = shorten(argument.text);
        let message = format!(
            "an argument is a name, not a call: give `{shown}(…)` a line of its own, and use that line's name here"
        );
        return Err((argument.column, message));
    }
    if cursor.is_at(b'=') {
        let shown = shorten(argument.text);
        return Err((argument.column, format!("arguments are given by their places: remove `{shown} =`")));
    }
    Ok(argument)
}

#[inline]
fn not_too_long(name: Name<'_>) -> Result<(), (u32, String)> {
    if name.text.len() <= LONGEST_NAME { Ok(()) } else { Err(too_long(name)) }
}

#[cold]
fn too_long(name: Name<'_>) -> (u32, String) {
    let shown = shorten(name.text);
    let length = name.text.len();
    (name.column, format!("the name `{shown}` has {length} characters, and a name has at most {LONGEST_NAME}"))
}

/// A name as a message shows it: not too much of it.
fn shorten(name: &str) -> String {
    const SHOWN: usize = 40;
    // Names are of ASCII characters.
    if name.len() <= SHOWN { name.to_owned() } else { format!("{}…", &name[..SHOWN]) }
}

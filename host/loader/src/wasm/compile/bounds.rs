//! Bounds on the contents of a component. They are checked before it is compiled, since the time and the memory that the
//! compiler takes grow at least as fast as these numbers.

use wasmparser::{Parser, Payload};

use crate::sandbox::size;

/// The largest file, in bytes, including all that is not code.
const MOST_BYTES: u64 = 256 << 20;
/// The most code of all functions, in bytes.
const MOST_CODE: u64 = 16 << 20;
/// The most functions, and the most types. CPython has some 13,500 functions, in 6 MiB of code.
const MOST_FUNCTIONS: u64 = 50_000;
/// The most code of one function, in bytes: the time of the compiler grows faster than it.
const MOST_FUNCTION_CODE: u64 = 1 << 20;
/// The most local variables of all functions: a few bytes declare thousands of them.
const MOST_LOCALS: u64 = 4_000_000;

/// The numbers that were counted in a component so far.
#[derive(Default)]
struct Counted {
    functions: u64,
    types: u64,
    code: u64,
    locals: u64,
}

/// Checks the contents of a component. One that is not valid passes, because the compiler will refuse it.
///
/// # Errors
/// What the component has too much of, as a sentence.
pub(super) fn check(bytes: &[u8]) -> Result<(), String> {
    if bytes.len() as u64 > MOST_BYTES {
        return Err(format!("it has {}, more than {}", size(bytes.len() as u64), size(MOST_BYTES)));
    }
    let mut counted = Counted::default();
    for payload in Parser::new(0).parse_all(bytes) {
        let Ok(payload) = payload else { return Ok(()) };
        match payload {
            Payload::FunctionSection(section) => counted.functions += u64::from(section.count()),
            // Each of these becomes a function that the compiler generates.
            Payload::ComponentCanonicalSection(section) => counted.functions += u64::from(section.count()),
            Payload::TypeSection(section) => counted.types += u64::from(section.count()),
            Payload::CoreTypeSection(section) => counted.types += u64::from(section.count()),
            Payload::ComponentTypeSection(section) => counted.types += u64::from(section.count()),
            Payload::CodeSectionEntry(body) => {
                let length = body.range().len() as u64;
                if length > MOST_FUNCTION_CODE {
                    return Err(format!(
                        "one of its functions has {} of code, more than {}",
                        size(length),
                        size(MOST_FUNCTION_CODE)
                    ));
                }
                counted.code += length;
                let locals = body.get_locals_reader().into_iter().flatten().map_while(Result::ok);
                counted.locals += locals.map(|(count, _)| u64::from(count)).sum::<u64>();
            }
            _ => {}
        }
        counted.check()?;
    }
    Ok(())
}

impl Counted {
    fn check(&self) -> Result<(), String> {
        let Self { functions, types, code, locals } = *self;
        for (what, count, most) in [
            ("functions", functions, MOST_FUNCTIONS),
            ("types", types, MOST_FUNCTIONS),
            ("local variables", locals, MOST_LOCALS),
        ] {
            if count > most {
                return Err(format!("it has {count} {what} or more; {most} at most are compiled"));
            }
        }
        if code > MOST_CODE {
            return Err(format!("it has {} of code or more; {} at most are compiled", size(code), size(MOST_CODE)));
        }
        Ok(())
    }
}

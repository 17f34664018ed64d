//! The body of a program, or what is wrong with its text: `body FILE`.
use std::io::Write as _;

use jackfield_grids::program::{canonical, parse};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args().nth(1).ok_or("name a program")?;
    let mut out = std::io::stdout().lock();
    match parse(&std::fs::read_to_string(&file)?) {
        Ok(program) => {
            let body = canonical(&program);
            writeln!(out, "{}{}", body.text(), body.digest())?;
        }
        Err(faults) => {
            for fault in faults {
                writeln!(out, "{file}:{}:{}: {}: {}", fault.line, fault.column, fault.kind.name(), fault.message)?;
            }
        }
    }
    Ok(())
}

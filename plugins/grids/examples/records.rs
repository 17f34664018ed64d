//! Checks recorded calls of primitives: `records FILE [ORDER] [PRIMITIVE…]`, where ORDER is `ascending` or `cpython`.
use std::{collections::BTreeMap, io::Write as _};

use jackfield_grids::{machine::Order, records::check};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("name a file of records")?;
    let mut names: Vec<String> = arguments.collect();
    let order = match names.first().map(String::as_str) {
        Some("cpython") => Order::Cpython,
        _ => Order::Ascending,
    };
    names.retain(|name| name != "cpython" && name != "ascending");
    let (mut right, mut wrong) = (0, BTreeMap::<String, u32>::new());
    let mut out = std::io::stdout().lock();
    for line in std::fs::read_to_string(file)?.lines() {
        let record: serde_json::Value = serde_json::from_str(line)?;
        let name = record["prim"].as_str().unwrap_or_default();
        if !names.is_empty() && !names.iter().any(|wanted| wanted == name) {
            continue;
        }
        match check(&record, order) {
            Ok(()) => right += 1,
            Err(what) => {
                *wrong.entry(name.to_owned()).or_default() += 1;
                writeln!(out, "{} {} {}: {what}", record["id"], record["src"], record["args"])?;
            }
        }
    }
    writeln!(out, "{right} right, wrong: {wrong:?}")?;
    Ok(())
}

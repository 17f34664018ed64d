//! What a route that weighs words against vectors can learn from: how rewards vary with the weight, how well they tell the best
//! one, and how soon policies find it.
//!
//!     cargo run --release -p jackfield-answers --example rewards -- shared/data/cranfield shared/data/meetings \
//!         shared/data/claims/truthfulqa.csv examples/answers/data examples/answers/workshop
//!
//! Each collection is searched as `examples/answers` does, answered by `answer` and graded by `grade`, once with each weight.
//! With `learn` before the collections, policies learn from these rewards, query by query. Everything is deterministic.

mod collections;
#[path = "../../../retrieval/examples/cranfield/collection.rs"]
mod cranfield;
mod learning;
mod measured;
mod telling;

use std::path::Path;

use measured::Measured;

type Error = Box<dyn std::error::Error>;

fn main() -> Result<(), Error> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let learns = arguments.first().is_some_and(|first| first == "learn");
    if learns {
        arguments.remove(0);
    }
    if arguments.is_empty() {
        return Err("usage: rewards [learn] COLLECTION…".into());
    }
    let mut all = Vec::new();
    for path in &arguments {
        all.extend(Measured::by_domain(collections::Judged::read(Path::new(path))?)?);
    }
    if learns { learning::print(&all) } else { telling::print(&all) }
}

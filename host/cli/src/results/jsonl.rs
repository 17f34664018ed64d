//! A JSON object a line, with the columns as its members.

use std::io::{self, Write};

use serde_json::Value;

use super::{
    columns::{Cell, Column},
    sink::Sink,
};

/// Writes JSON lines.
pub(crate) struct JsonlSink<W> {
    out: W,
    /// What stands before each value: the bracket or comma, and the name.
    names: Vec<String>,
}

impl<W: Write> JsonlSink<W> {
    pub(crate) fn new(out: W, columns: &[Column]) -> Self {
        let name = |(at, column): (usize, &Column)| {
            format!("{}{}:", if at == 0 { '{' } else { ',' }, Value::from(column.name.as_str()))
        };
        Self { out, names: columns.iter().enumerate().map(name).collect() }
    }
}

impl<W: Write> Sink for JsonlSink<W> {
    fn row(&mut self, cells: &[Cell<'_>]) -> io::Result<()> {
        for (name, cell) in self.names.iter().zip(cells) {
            self.out.write_all(name.as_bytes())?;
            self.out.write_all(cell.json().as_bytes())?;
        }
        self.out.write_all(b"}\n")
    }

    fn end(mut self: Box<Self>) -> io::Result<()> {
        self.out.flush()
    }
}

//! A table for a person: the first rows and as many columns as fit.

use std::{
    cell::RefCell,
    io::{self, Write},
    rc::Rc,
};

use jackfield_loader::escape_untrusted;

use super::{
    columns::{Cell, Column},
    sink::Sink,
};
use crate::table::table;

/// The most characters of a cell, and of the name of a column.
const MOST_CHARACTERS: usize = 40;

/// The space between two columns.
const GAP: usize = 2;

/// Names of the columns for which there was no room.
pub(crate) type LeftOut = Rc<RefCell<Vec<String>>>;

/// Gathers rows, and writes the table at the end.
pub(crate) struct TableSink<W> {
    out: W,
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
    width: usize,
    left_out: LeftOut,
}

impl<W: Write> TableSink<W> {
    pub(crate) fn new(out: W, columns: &[Column], width: usize, left_out: &LeftOut) -> Self {
        let columns = columns.iter().map(|column| column.name.clone()).collect();
        Self { out, columns, rows: Vec::new(), width, left_out: Rc::clone(left_out) }
    }
}

impl<W: Write> Sink for TableSink<W> {
    fn row(&mut self, cells: &[Cell<'_>]) -> io::Result<()> {
        self.rows.push(cells.iter().map(|cell| cut(&cell.text())).collect());
        Ok(())
    }

    fn end(self: Box<Self>) -> io::Result<()> {
        let Self { mut out, columns, mut rows, width, left_out } = *self;
        let names: Vec<String> = columns.iter().map(|name| cut(name)).collect();
        let mut used = 0;
        let fits = names.iter().enumerate().take_while(|(at, name)| {
            let widest = rows.iter().map(|row| width_of(&row[*at])).max().unwrap_or(0).max(width_of(name));
            used += widest + if *at > 0 { GAP } else { 0 };
            // One column there always is.
            *at == 0 || used <= width
        });
        let count = fits.count();
        rows.iter_mut().for_each(|row| row.truncate(count));
        let header: Vec<&str> = names[..count].iter().map(String::as_str).collect();
        *left_out.borrow_mut() = columns[count..].to_vec();
        writeln!(out, "{}", table(&header, rows))?;
        out.flush()
    }
}

fn width_of(text: &str) -> usize {
    escape_untrusted(text).chars().count()
}

/// The beginning of a text, on a line.
fn cut(text: &str) -> String {
    // No more than this is looked at of a long text.
    let mut words = text.split_whitespace();
    let mut line = String::new();
    for word in words.by_ref() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.extend(word.chars().take(MOST_CHARACTERS + 1));
        if line.chars().count() > MOST_CHARACTERS {
            break;
        }
    }
    if line.chars().count() <= MOST_CHARACTERS {
        return line;
    }
    line.chars().take(MOST_CHARACTERS - 1).chain(['…']).collect()
}

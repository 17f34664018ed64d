//! Plain tables.

use comfy_table::{CellAlignment, Table, presets::NOTHING};

use crate::plugin::visible;

/// A table without lines: the first column to the left, numbers to the right.
pub(super) fn table(header: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_preset(NOTHING).set_header(header.iter().map(|name| (*name).to_owned()));
    // Some of it may be a stranger's.
    table.add_rows(
        rows.into_iter().map(|row| row.into_iter().map(|cell| visible(&cell).into_owned()).collect::<Vec<_>>()),
    );
    let numeric: Vec<bool> = (0..header.len())
        .map(|column| {
            column > 0
                && table.row_iter().all(|row| {
                    row.cell_iter().nth(column).is_none_or(|cell| {
                        let text = cell.content();
                        text.is_empty() || text.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+')
                    })
                })
        })
        .collect();
    for (column, numeric) in table.column_iter_mut().zip(numeric) {
        column.set_padding((0, 2));
        if numeric {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// Milliseconds as people read them.
pub(super) fn ms(value: f64) -> String {
    match value {
        0.0 => "-".to_owned(),
        value if value >= 10_000.0 => format!("{:.1} s", value / 1000.0),
        value if value >= 100.0 => format!("{value:.0} ms"),
        value if value >= 1.0 => format!("{value:.1} ms"),
        value => format!("{value:.3} ms"),
    }
}

/// A number with its noun, in the plural unless it is one.
pub(super) fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

//! Lays tables out as plain text.

use comfy_table::{CellAlignment, Table, presets::NOTHING};

use jackfield_loader::escape_untrusted;
pub(super) use jackfield_report::{counted, ms};

/// A table without rules. The first column is aligned to the left, and columns of numbers to the right.
pub(super) fn table(header: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_preset(NOTHING).set_header(header.iter().map(|name| escape_untrusted(name).into_owned()));
    // The cells may hold untrusted text.
    table.add_rows(
        rows.into_iter()
            .map(|row| row.into_iter().map(|cell| escape_untrusted(&cell).into_owned()).collect::<Vec<_>>()),
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

/// A number, with those of its parts that are there: `120 in (100 cached)`.
pub(super) fn with_parts(whole: String, parts: &[(u64, &str)]) -> String {
    let parts = parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    let parts: Vec<String> = parts.collect();
    if parts.is_empty() { whole } else { format!("{whole} ({})", parts.join(", ")) }
}

/// The first characters of a text, and that there are more.
pub(super) fn cut(text: String, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

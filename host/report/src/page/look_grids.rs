//! Grids as drawings: one path for each colour, so that a large grid is not a large text.

use std::fmt::Write as _;

use super::super::{
    html::{Html, write_escaped},
    looks::{Compared, Differences, Grid, LARGEST},
    text::truncate,
    units::px,
};

const TEXT_TAKES_ALL: &str = "writing to a `String` does not fail";

/// The longer side of a grid, in pixels, and the smallest and the largest side of a cell.
const SIDE: f64 = 190.0;
const CELL: (f64, f64) = (5.0, 20.0);
/// The most cells that differ that are listed in words.
const MAX_LISTED: usize = 12;

/// A grid with its label below it. The digits of its cells are its description for a reader who does not see it.
pub(super) fn write_grid(out: &mut Html, label: &str, grid: Option<&Grid>) {
    let label = truncate(label, 40);
    let Some(grid) = grid else {
        write_escaped!(out, "<figure><figcaption>{} <span class=\"note\">none</span></figcaption></figure>", label);
        return;
    };
    let size = (grid.height.min(LARGEST), grid.width.min(LARGEST));
    let description = format!("{label} {} rows by {} columns: {}", grid.height, grid.width, grid.digits());
    open(out, size, description.trim_start());
    for number in 0..10 {
        let path = runs(size, |row, column| grid.cell(row, column) == Some(number));
        if !path.is_empty() {
            write_escaped!(out, "<path class=\"k{}\" d=\"{}\"/>", number, path);
        }
    }
    close(out, size, &format!("{label} {}", grid.size()), grid.cut());
}

/// Where two grids differ: equal cells are pale, other cells have their colour and a cross.
pub(super) fn write_differences(out: &mut Html, found: &Differences) {
    let size = (found.height.min(LARGEST), found.width.min(LARGEST));
    let differs = |row, column| matches!(found.cell(row, column), Compared::Other(_) | Compared::Missing);
    let all = (0..size.0).flat_map(|row| (0..size.1).map(move |column| (row, column)));
    let listed: Vec<String> = all
        .filter(|(row, column)| differs(*row, *column))
        .take(MAX_LISTED)
        .map(|(row, column)| format!("row {} column {}", row + 1, column + 1))
        .collect();
    let and_more = if found.count > listed.len() && !listed.is_empty() { " and more" } else { "" };
    open(out, size, &format!("{}: {}{and_more}", found.words(), listed.join(", ")));
    let same = runs(size, |row, column| matches!(found.cell(row, column), Compared::Same(_)));
    write_escaped!(out, "<path class=\"same\" d=\"{}\"/>", same);
    for number in 0..10 {
        let path = runs(size, |row, column| found.cell(row, column) == Compared::Other(number));
        if !path.is_empty() {
            write_escaped!(out, "<path class=\"k{}\" d=\"{}\"/>", number, path);
        }
    }
    let mut crosses = String::new();
    for row in 0..size.0 {
        for column in (0..size.1).filter(|column| differs(row, *column)) {
            write!(crosses, "M{column}.25 {row}.25l.5 .5m0-.5l-.5 .5").expect(TEXT_TAKES_ALL);
        }
    }
    write_escaped!(out, "<path class=\"under\" d=\"{}\"/><path class=\"over\" d=\"{}\"/>", crosses, crosses);
    close(out, size, &found.words(), found.cut());
}

fn open(out: &mut Html, (height, width): (usize, usize), description: &str) {
    let cell = (SIDE / height.max(width) as f64).clamp(CELL.0, CELL.1);
    write_escaped!(
        out,
        "<figure><svg class=\"cells\" width=\"{}\" height=\"{}\"",
        px(width as f64 * cell),
        px(height as f64 * cell)
    );
    write_escaped!(out, " viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">", width, height, description);
}

fn close(out: &mut Html, (height, width): (usize, usize), caption: &str, cut: Option<String>) {
    let mut seams = String::new();
    (1..height).for_each(|row| {
        write!(seams, "M0 {row}h{width}").expect(TEXT_TAKES_ALL);
    });
    (1..width).for_each(|column| {
        write!(seams, "M{column} 0v{height}").expect(TEXT_TAKES_ALL);
    });
    write_escaped!(out, "<path class=\"seams\" d=\"{}\"/></svg><figcaption>{}", seams, caption.trim());
    if let Some(cut) = cut {
        write_escaped!(out, "<br><span class=\"note\">{}</span>", cut);
    }
    out.write_static("</figcaption></figure>");
}

/// The cells of a kind as a path: each run of them in a row is a rectangle.
fn runs((height, width): (usize, usize), is_of_kind: impl Fn(usize, usize) -> bool) -> String {
    let mut path = String::new();
    for row in 0..height {
        let mut column = 0;
        while column < width {
            let length = (column..width).take_while(|column| is_of_kind(row, *column)).count();
            if length > 0 {
                write!(path, "M{column} {row}h{length}v1h-{length}z").expect(TEXT_TAKES_ALL);
            }
            column += length.max(1);
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::runs;

    #[test]
    fn cells_beside_each_other_are_one_rectangle() {
        let cells = [[1, 1, 0, 1], [0, 0, 0, 0], [0, 1, 1, 1]];
        assert_eq!(runs((3, 4), |row, column| cells[row][column] == 1), "M0 0h2v1h-2zM3 0h1v1h-1zM1 2h3v1h-3z");
        assert_eq!(runs((3, 4), |_, _| false), "");
    }
}

//! Grids for a terminal: cells of colour where there are colours, digits in a frame where there are none.

use jackfield_loader::escape_untrusted;
use jackfield_report::looks::{COLOURS, Compared, Differences, Grid, LARGEST};

use super::block::{Block, Painted, Pen, columns, flow};

/// How much room cells have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Room {
    /// Two columns a cell, which makes it about square.
    Wide,
    /// One column a cell; of colour, two cells above each other.
    Narrow,
}

/// What stands between two grids.
const GAP: &str = "   ";

/// Grids that belong together, side by side as far as the width allows.
pub(super) fn grids_block(
    grids: &[(String, Option<Grid>)],
    differences: Option<&Differences>,
    (pen, width): (Pen, usize),
) -> Block {
    let all = |room: Room| -> Vec<Block> {
        let grids = grids.iter().map(|(label, grid)| block(label, grid.as_ref(), (pen, room, width)));
        grids.chain(differences.map(|differences| compared(differences, (pen, room, width)))).collect()
    };
    let fit = |blocks: &[Block]| blocks.iter().map(|block| block.width + GAP.len()).sum::<usize>() <= width + GAP.len();
    let (wide, narrow) = (all(Room::Wide), all(Room::Narrow));
    let blocks = match (fit(&wide), fit(&narrow)) {
        (true, _) => wide,
        (false, true) => narrow,
        // They take several rows, whatever room they have.
        (false, false) => {
            let best = |(wide, narrow): (Block, Block)| if wide.width <= width { wide } else { narrow };
            wide.into_iter().zip(narrow).map(best).collect()
        }
    };
    let label = |place: usize| grids.get(place).map_or("", |(label, _)| label.as_str());
    let arrow = |place: usize| (label(place.wrapping_sub(1)), label(place)) == ("input", "output");
    let rows = flow(blocks, width, |place| if arrow(place) { " → " } else { GAP });
    Block::of(rows.into_iter().flat_map(|row| row.lines.into_iter().map(move |line| (row.width, line))).collect())
}

/// A grid, with its label above it.
fn block(label: &str, grid: Option<&Grid>, (pen, room, most): (Pen, Room, usize)) -> Block {
    let label = escape_untrusted(label);
    let Some(grid) = grid else {
        let text = format!("{label} none");
        return Block::of(vec![(columns(&text), text)]);
    };
    let title = [&*label, &*grid.size()].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    let size = shown(grid.height, grid.width, (room, most));
    let cells = match (pen.color, room) {
        (true, Room::Narrow) => halves(grid, size, pen),
        _ => rows(size, (pen, room), |row, column| {
            let number = grid.cell(row, column).unwrap_or_default();
            let digit = char::from(b'0' + number);
            if pen.color { (background(number), "  ".to_owned()) } else { (String::new(), digit.to_string()) }
        }),
    };
    framed(&title, cells, cut(grid.cut(), size, grid.width), (pen, room, size.1))
}

/// Where two grids differ: a cell that does has the number that was got, a dash if it was not got at all, and a dot if it is the
/// same.
fn compared(differences: &Differences, (pen, room, most): (Pen, Room, usize)) -> Block {
    let size = shown(differences.height, differences.width, (room, most));
    let is_wide = pen.color && room == Room::Wide;
    let cells = rows(size, (pen, room), |row, column| {
        let (style, text) = match differences.cell(row, column) {
            Compared::Same(_) => ("2".to_owned(), "·".to_owned()),
            Compared::Other(number) if is_wide => (marked(number), "><".to_owned()),
            Compared::Other(number) => (marked(number), number.to_string()),
            Compared::Missing => ("1;31".to_owned(), "-".to_owned()),
            Compared::Outside => (String::new(), " ".to_owned()),
        };
        let fill = if is_wide && columns(&text) == 1 { " " } else { "" };
        (style, text + fill)
    });
    framed(&differences.words(), cells, cut(differences.cut(), size, differences.width), (pen, room, size.1))
}

/// How many rows and columns of a grid are drawn.
fn shown(height: usize, width: usize, (room, most): (Room, usize)) -> (usize, usize) {
    let cell = if room == Room::Wide { 2 } else { 1 };
    // Of grids that are too wide for the narrow way, the beginning of each row is drawn.
    let fits = if room == Room::Narrow { most.saturating_sub(2) / cell } else { LARGEST };
    (height.min(LARGEST), width.min(LARGEST).min(fits))
}

/// What is not drawn, in words.
fn cut(cut: Option<String>, size: (usize, usize), width: usize) -> Option<String> {
    cut.or_else(|| (size.1 < width).then(|| format!("the first {} of {width} columns", size.1)))
}

/// Rows of cells, each with its style.
fn rows(
    (height, width): (usize, usize),
    (pen, room): (Pen, Room),
    cell: impl Fn(usize, usize) -> (String, String),
) -> Vec<String> {
    let between = if room == Room::Wide && !pen.color { " " } else { "" };
    let row = |row: usize| {
        let mut line = Painted::new(pen);
        for column in 0..width {
            let (style, text) = cell(row, column);
            line.put(&style, &text);
            line.put(if column + 1 < width { &style } else { "" }, if column + 1 < width { between } else { "" });
        }
        line.end()
    };
    (0..height).map(row).collect()
}

/// Rows of cells of colour, two in a line.
fn halves(grid: &Grid, (height, width): (usize, usize), pen: Pen) -> Vec<String> {
    let line = |upper: usize| {
        let mut line = Painted::new(pen);
        for column in 0..width {
            let upper_style = grid.cell(upper, column).map(|number| color(38, number)).unwrap_or_default();
            let style = match grid.cell(upper + 1, column).filter(|_| upper + 1 < height) {
                Some(lower) => format!("{upper_style};{}", color(48, lower)),
                None => upper_style,
            };
            line.put(&style, "▀");
        }
        line.end()
    };
    (0..height).step_by(2).map(line).collect()
}

fn framed(title: &str, cells: Vec<String>, cut: Option<String>, (pen, room, width): (Pen, Room, usize)) -> Block {
    let (inner, space) = match (room, pen.color) {
        (Room::Wide, true) => (2 * width, ""),
        (Room::Wide, false) => (2 * width + 1, " "),
        (Room::Narrow, _) => (width, ""),
    };
    let edge = |left: &str, right: &str| (inner + 2, pen.faint(&format!("{left}{}{right}", "─".repeat(inner))));
    let side = pen.faint("│");
    let mut lines = vec![(columns(title), title.to_owned()), edge("┌", "┐")];
    lines.extend(cells.into_iter().map(|cells| (inner + 2, format!("{side}{space}{cells}{space}{side}"))));
    lines.push(edge("└", "┘"));
    lines.extend(cut.map(|cut| (columns(&cut), cut)));
    Block::of(lines)
}

fn color(layer: u8, number: u8) -> String {
    let [red, green, blue] = COLOURS[usize::from(number)];
    format!("{layer};2;{red};{green};{blue}")
}

fn background(number: u8) -> String {
    color(48, number)
}

/// A cell of a colour with a mark on it that can be told from the colour.
fn marked(number: u8) -> String {
    let [red, green, blue] = COLOURS[usize::from(number)].map(u32::from);
    let is_light = 299 * red + 587 * green + 114 * blue > 128_000;
    format!("{};{}", if is_light { "30" } else { "97" }, background(number))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn grid(value: &Value) -> Grid {
        Grid::read(value).expect("a grid")
    }

    fn drawn(grids: &[(&str, Value)], color: bool, width: usize) -> String {
        let grids: Vec<(String, Option<Grid>)> =
            grids.iter().map(|(label, value)| ((*label).to_owned(), (!value.is_null()).then(|| grid(value)))).collect();
        let called = |name: &str| grids.iter().find(|(label, _)| label == name).and_then(|(_, grid)| grid.as_ref());
        let differences = called("expected").zip(called("got")).map(|(a, b)| Differences::between(a, b));
        let lines = grids_block(&grids, differences.as_ref(), (Pen { color }, width)).lines;
        lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_pair_is_digits_in_frames_with_an_arrow() {
        insta::assert_snapshot!(drawn(
            &[("input", json!([[0, 1], [2, 3]])), ("output", json!([[9, 9, 9]]))],
            false,
            80
        ), @r"
        input 2×2   output 1×3
        ┌─────┐     ┌───────┐
        │ 0 1 │   → │ 9 9 9 │
        │ 2 3 │     └───────┘
        └─────┘
        ");
    }

    #[test]
    fn cells_that_differ_are_marked_without_colour() {
        let grids = [("expected", json!([[1, 2, 3], [4, 5, 6]])), ("got", json!([[1, 0], [4, 5], [7, 7]]))];
        insta::assert_snapshot!(drawn(&grids, false, 80), @r"
        expected 2×3   got 3×2   5 of 8 cells differ
        ┌───────┐      ┌─────┐   ┌───────┐
        │ 1 2 3 │      │ 1 0 │   │ · 0 - │
        │ 4 5 6 │      │ 4 5 │   │ · · - │
        └───────┘      │ 7 7 │   │ 7 7   │
                       └─────┘   └───────┘
        ");
        insta::assert_snapshot!(drawn(&grids, false, 30), @r"
        expected 2×3   got 3×2
        ┌───────┐      ┌─────┐
        │ 1 2 3 │      │ 1 0 │
        │ 4 5 6 │      │ 4 5 │
        └───────┘      │ 7 7 │
                       └─────┘
        5 of 8 cells differ
        ┌───────┐
        │ · 0 - │
        │ · · - │
        │ 7 7   │
        └───────┘
        ");
        let grids = [("expected", json!([vec![1; 9]])), ("got", json!([vec![1; 9]]))];
        insta::assert_snapshot!(drawn(&grids, false, 50), @r"
        expected 1×9   got 1×9       no differences
        ┌─────────┐    ┌─────────┐   ┌─────────┐
        │111111111│    │111111111│   │·········│
        └─────────┘    └─────────┘   └─────────┘
        ");
    }

    #[test]
    fn cells_are_colours_where_there_are_colours() {
        let grids = [("got", json!([[1, 1, 0], [2, 2, 2], [3, 4, 5]]))];
        let shown = |width| drawn(&grids, true, width).replace('\u{1b}', "^");
        insta::assert_snapshot!(shown(80), @r"
        got 3×3
        ^[2m┌──────┐^[0m
        ^[2m│^[0m^[48;2;0;116;217m    ^[0m^[48;2;0;0;0m  ^[0m^[2m│^[0m
        ^[2m│^[0m^[48;2;255;65;54m      ^[0m^[2m│^[0m
        ^[2m│^[0m^[48;2;46;204;64m  ^[0m^[48;2;255;220;0m  ^[0m^[48;2;170;170;170m  ^[0m^[2m│^[0m
        ^[2m└──────┘^[0m
        ");
        insta::assert_snapshot!(shown(7), @r"
        got 3×3
        ^[2m┌───┐^[0m
        ^[2m│^[0m^[38;2;0;116;217;48;2;255;65;54m▀▀^[0m^[38;2;0;0;0;48;2;255;65;54m▀^[0m^[2m│^[0m
        ^[2m│^[0m^[38;2;46;204;64m▀^[0m^[38;2;255;220;0m▀^[0m^[38;2;170;170;170m▀^[0m^[2m│^[0m
        ^[2m└───┘^[0m
        ");
    }

    #[test]
    fn what_is_too_wide_is_cut_and_says_so() {
        let text = drawn(&[("input", json!([vec![1; 60]])), ("output", Value::Null)], false, 40);
        assert!(text.lines().all(|line| columns(line) <= 40), "{text}");
        assert!(text.contains("the first 38 of 60 columns") && text.contains("output none"), "{text}");
    }
}

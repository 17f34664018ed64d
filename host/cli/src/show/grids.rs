//! Draws grids on a terminal: as coloured cells where colours are wanted, and as digits in a frame otherwise.

use jackfield_loader::escape_untrusted;
use jackfield_report::looks::{COLOURS, Compared, Differences, Grid, LARGEST};

use super::block::{Block, BlockLine, Canvas, Pen, StyledLine, columns, flow};

/// How wide the cells of a grid are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CellWidth {
    /// Two columns a cell, which makes it about square.
    Wide,
    /// One column a cell. With colours, a character shows two cells, one above the other.
    Narrow,
}

/// How a grid is drawn.
#[derive(Clone, Copy)]
struct GridStyle {
    pen: Pen,
    cell_width: CellWidth,
    /// The most columns that a grid may take.
    most_columns: usize,
}

/// How many rows and columns of a grid are drawn.
#[derive(Clone, Copy)]
struct DrawnSize {
    rows: usize,
    columns: usize,
}

/// The text between two grids.
const GAP: &str = "   ";

/// Grids that belong together, side by side as far as the width allows.
pub(super) fn grids_block(
    grids: &[(String, Option<Grid>)],
    differences: Option<&Differences>,
    Canvas { pen, width }: Canvas,
) -> Block {
    let blocks = |cell_width: CellWidth| -> Vec<Block> {
        let style = GridStyle { pen, cell_width, most_columns: width };
        let grids = grids.iter().map(|(label, grid)| grid_block(label, grid.as_ref(), style));
        grids.chain(differences.map(|differences| differences_block(differences, style))).collect()
    };
    let fit = |blocks: &[Block]| blocks.iter().map(|block| block.width + GAP.len()).sum::<usize>() <= width + GAP.len();
    let (wide, narrow) = (blocks(CellWidth::Wide), blocks(CellWidth::Narrow));
    let blocks = match (fit(&wide), fit(&narrow)) {
        (true, _) => wide,
        (false, true) => narrow,
        // They take several rows either way, so each grid is as wide as it can be.
        (false, false) => {
            let widest = wide.into_iter().zip(narrow);
            widest.map(|(wide, narrow)| if wide.width <= width { wide } else { narrow }).collect()
        }
    };
    let label = |index: usize| grids.get(index).map_or("", |(label, _)| label.as_str());
    let has_arrow = |index: usize| index > 0 && label(index - 1) == "input" && label(index) == "output";
    let rows = flow(blocks, width, |index| if has_arrow(index) { " → " } else { GAP });
    let lines = |row: Block| row.lines.into_iter().map(move |line| BlockLine::styled(row.width, line));
    Block::new(rows.into_iter().flat_map(lines).collect())
}

/// A grid, with its label above it.
fn grid_block(label: &str, grid: Option<&Grid>, style: GridStyle) -> Block {
    let label = escape_untrusted(label);
    let Some(grid) = grid else {
        let text = format!("{label} none");
        return Block::new(vec![BlockLine::plain(text)]);
    };
    let title = [&*label, &*grid.size()].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    let size = style.drawn_size(grid.height, grid.width);
    let pen = style.pen;
    let cells = match (pen.color, style.cell_width) {
        (true, CellWidth::Narrow) => half_block_rows(grid, size, pen),
        _ => cell_rows(size, style, |row, column| {
            let number = grid.cell(row, column).unwrap_or_default();
            let digit = char::from(b'0' + number);
            if pen.color {
                Cell { style: background(number), text: "  ".to_owned() }
            } else {
                Cell { style: String::new(), text: digit.to_string() }
            }
        }),
    };
    framed(&title, cells, note_about_cut(grid.cut(), size, grid.width), style, size)
}

/// Where two grids differ. A cell is a dot if both grids have the same number there, the number of the second grid if it is another,
/// and a dash if the second grid has no such cell.
fn differences_block(differences: &Differences, style: GridStyle) -> Block {
    let size = style.drawn_size(differences.height, differences.width);
    let is_wide = style.pen.color && style.cell_width == CellWidth::Wide;
    let cells = cell_rows(size, style, |row, column| {
        let (style, text) = match differences.cell(row, column) {
            Compared::Same(_) => ("2".to_owned(), "·".to_owned()),
            Compared::Other(number) if is_wide => (marked(number), "><".to_owned()),
            Compared::Other(number) => (marked(number), number.to_string()),
            Compared::Missing => ("1;31".to_owned(), "-".to_owned()),
            Compared::Outside => (String::new(), " ".to_owned()),
        };
        let fill = if is_wide && columns(&text) == 1 { " " } else { "" };
        Cell { style, text: text + fill }
    });
    let note = note_about_cut(differences.cut(), size, differences.width);
    framed(&differences.words(), cells, note, style, size)
}

impl GridStyle {
    /// How much of a grid is drawn. Of grids that are too wide even for narrow cells, the beginning of each row is drawn.
    fn drawn_size(self, height: usize, width: usize) -> DrawnSize {
        let most = match self.cell_width {
            CellWidth::Wide => LARGEST,
            CellWidth::Narrow => self.most_columns.saturating_sub(2),
        };
        DrawnSize { rows: height.min(LARGEST), columns: width.min(LARGEST).min(most) }
    }
}

/// A note about what is not drawn: that of the grid itself, or that its rows are cut.
fn note_about_cut(note: Option<String>, size: DrawnSize, width: usize) -> Option<String> {
    note.or_else(|| (size.columns < width).then(|| format!("the first {} of {width} columns", size.columns)))
}

/// A cell as it is drawn.
struct Cell {
    /// The parameters of the terminal's escape sequence, or nothing for the terminal's own style.
    style: String,
    text: String,
}

/// Rows of cells; `cell` gives the cell of a row and a column.
fn cell_rows(size: DrawnSize, style: GridStyle, cell: impl Fn(usize, usize) -> Cell) -> Vec<String> {
    let pen = style.pen;
    let between = if style.cell_width == CellWidth::Wide && !pen.color { " " } else { "" };
    let row = |row: usize| {
        let mut line = StyledLine::new(pen);
        for column in 0..size.columns {
            let Cell { style, text } = cell(row, column);
            line.push(&style, &text);
            if column + 1 < size.columns {
                line.push(&style, between);
            }
        }
        line.finish()
    };
    (0..size.rows).map(row).collect()
}

/// Rows of coloured half blocks: each line shows two rows of the grid.
fn half_block_rows(grid: &Grid, size: DrawnSize, pen: Pen) -> Vec<String> {
    let line = |upper: usize| {
        let mut line = StyledLine::new(pen);
        for column in 0..size.columns {
            let upper_style = grid.cell(upper, column).map(|number| color(38, number)).unwrap_or_default();
            let style = match grid.cell(upper + 1, column).filter(|_| upper + 1 < size.rows) {
                Some(lower) => format!("{upper_style};{}", color(48, lower)),
                None => upper_style,
            };
            line.push(&style, "▀");
        }
        line.finish()
    };
    (0..size.rows).step_by(2).map(line).collect()
}

/// Rows of cells in a frame, with a title above it and a note below it.
fn framed(title: &str, cells: Vec<String>, note: Option<String>, style: GridStyle, size: DrawnSize) -> Block {
    let (pen, width) = (style.pen, size.columns);
    let (inner, space) = match (style.cell_width, pen.color) {
        (CellWidth::Wide, true) => (2 * width, ""),
        (CellWidth::Wide, false) => (2 * width + 1, " "),
        (CellWidth::Narrow, _) => (width, ""),
    };
    let edge = |left: &str, right: &str| {
        BlockLine::styled(inner + 2, pen.faint(&format!("{left}{}{right}", "─".repeat(inner))))
    };
    let side = pen.faint("│");
    let mut lines = vec![BlockLine::plain(title.to_owned()), edge("┌", "┐")];
    lines.extend(
        cells.into_iter().map(|cells| BlockLine::styled(inner + 2, format!("{side}{space}{cells}{space}{side}"))),
    );
    lines.push(edge("└", "┘"));
    lines.extend(note.map(BlockLine::plain));
    Block::new(lines)
}

fn color(layer: u8, number: u8) -> String {
    let [red, green, blue] = COLOURS[usize::from(number)];
    format!("{layer};2;{red};{green};{blue}")
}

fn background(number: u8) -> String {
    color(48, number)
}

/// The style of a cell whose text is black or white, whichever can be read on the cell's colour.
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
        let lines = grids_block(&grids, differences.as_ref(), Canvas { pen: Pen { color }, width }).lines;
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

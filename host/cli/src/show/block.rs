//! Pieces of text that stand beside each other, with or without colours.

/// Writes with colours, or without.
#[derive(Clone, Copy)]
pub(super) struct Pen {
    pub(super) color: bool,
}

impl Pen {
    /// A text in the style of these parameters of a terminal's sequence.
    pub(super) fn styled(self, style: &str, text: &str) -> String {
        let mut painted = Painted::new(self);
        painted.put(style, text);
        painted.end()
    }

    /// A heading.
    pub(super) fn strong(self, text: &str) -> String {
        self.styled("1", text)
    }

    /// What went wrong.
    pub(super) fn bad(self, text: &str) -> String {
        self.styled("31", text)
    }

    /// What need not be read.
    pub(super) fn faint(self, text: &str) -> String {
        self.styled("2", text)
    }
}

/// A line under construction: what follows in the same style does not name it again.
pub(super) struct Painted {
    pen: Pen,
    text: String,
    style: String,
}

impl Painted {
    pub(super) fn new(pen: Pen) -> Self {
        Self { pen, text: String::new(), style: String::new() }
    }

    /// Adds a text in a style; an empty one is that of the terminal.
    pub(super) fn put(&mut self, style: &str, text: &str) {
        if self.pen.color && style != self.style {
            self.text.push_str(if self.style.is_empty() { "" } else { "\u{1b}[0m" });
            if !style.is_empty() {
                self.text.push_str(&format!("\u{1b}[{style}m"));
            }
            style.clone_into(&mut self.style);
        }
        self.text.push_str(text);
    }

    pub(super) fn end(mut self) -> String {
        self.put("", "");
        self.text
    }
}

/// Lines that are all so many columns wide, colours aside.
pub(super) struct Block {
    pub(super) width: usize,
    pub(super) lines: Vec<String>,
}

impl Block {
    /// Lines of these widths, filled up with spaces.
    pub(super) fn of(lines: Vec<(usize, String)>) -> Self {
        let width = lines.iter().map(|(width, _)| *width).max().unwrap_or_default();
        let fill = |(own, line): (usize, String)| line + &" ".repeat(width - own);
        Self { width, lines: lines.into_iter().map(fill).collect() }
    }

    /// The block with another to its right, and a text between them, half-way down.
    pub(super) fn beside(mut self, other: Self, between: &str) -> Self {
        let middle = self.lines.len().min(other.lines.len()) / 2;
        let height = self.lines.len().max(other.lines.len());
        let (left, right) = (" ".repeat(self.width), " ".repeat(other.width));
        let gap = " ".repeat(columns(between));
        self.lines.resize(height, left);
        let mut others = other.lines;
        others.resize(height, right);
        for (place, (line, other)) in self.lines.iter_mut().zip(others).enumerate() {
            line.push_str(if place == middle { between } else { &gap });
            line.push_str(&other);
        }
        self.width += gap.len() + other.width;
        self
    }

    /// The block below lines of these widths.
    pub(super) fn below(mut self, lines: Vec<(usize, String)>) -> Self {
        let own = self.lines.drain(..).map(|line| (self.width, line));
        Self::of(lines.into_iter().chain(own).collect())
    }
}

/// Blocks side by side, as many in a row as the width allows. `between` is what stands between two of them, by their
/// positions.
pub(super) fn flow<'a>(blocks: Vec<Block>, width: usize, between: impl Fn(usize) -> &'a str) -> Vec<Block> {
    let mut rows: Vec<Block> = Vec::new();
    for (place, block) in blocks.into_iter().enumerate() {
        let gap = between(place);
        match rows.pop() {
            Some(row) if row.width + columns(gap) + block.width <= width => rows.push(row.beside(block, gap)),
            row => rows.extend(row.into_iter().chain([block])),
        }
    }
    rows
}

/// How many columns a text takes: a character a column, which is right for most.
pub(super) fn columns(text: &str) -> usize {
    text.chars().count()
}

/// The beginning of a text, in so many columns.
pub(super) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some(_) => text.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_other_heights_stand_beside_each_other() {
        let low = Block::of(vec![(1, "a".to_owned()), (3, "bcd".to_owned())]);
        let high = Block::of(["1", "2", "3"].map(|line| (1, line.to_owned())).to_vec());
        let both = low.beside(high, " > ");
        assert_eq!(both.lines, ["a     1", "bcd > 2", "      3"]);
        assert_eq!(both.width, 7);
    }

    #[test]
    fn a_style_is_named_once_for_what_follows_in_it_and_never_without_colours() {
        let line = |color| {
            let mut painted = Painted::new(Pen { color });
            [("1", "a"), ("1", "b"), ("", "c"), ("31", "d")].iter().for_each(|(style, text)| painted.put(style, text));
            painted.end()
        };
        assert_eq!(line(true), "\u{1b}[1mab\u{1b}[0mc\u{1b}[31md\u{1b}[0m");
        assert_eq!(line(false), "abcd");
    }
}

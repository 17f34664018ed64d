//! Blocks of text that are laid out beside each other, with or without colours.

/// Styles text if colours are wanted, and leaves it as it is otherwise.
#[derive(Clone, Copy)]
pub(super) struct Pen {
    pub(super) color: bool,
}

impl Pen {
    /// A text in a style: the parameters of the terminal's escape sequence, such as `1;31`.
    pub(super) fn styled(self, style: &str, text: &str) -> String {
        let mut line = StyledLine::new(self);
        line.push(style, text);
        line.finish()
    }

    /// A heading.
    pub(super) fn strong(self, text: &str) -> String {
        self.styled("1", text)
    }

    /// A failure.
    pub(super) fn bad(self, text: &str) -> String {
        self.styled("31", text)
    }

    /// Something that matters less, such as a frame.
    pub(super) fn faint(self, text: &str) -> String {
        self.styled("2", text)
    }
}

/// A line under construction. Texts of the same style that follow each other share one escape sequence.
pub(super) struct StyledLine {
    pen: Pen,
    text: String,
    style: String,
}

impl StyledLine {
    pub(super) fn new(pen: Pen) -> Self {
        Self { pen, text: String::new(), style: String::new() }
    }

    /// Adds a text in a style. An empty style is the terminal's own.
    pub(super) fn push(&mut self, style: &str, text: &str) {
        if self.pen.color && style != self.style {
            self.text.push_str(if self.style.is_empty() { "" } else { "\u{1b}[0m" });
            if !style.is_empty() {
                self.text.push_str(&format!("\u{1b}[{style}m"));
            }
            style.clone_into(&mut self.style);
        }
        self.text.push_str(text);
    }

    pub(super) fn finish(mut self) -> String {
        self.push("", "");
        self.text
    }
}

/// How and where a value is drawn.
#[derive(Clone, Copy)]
pub(super) struct Canvas {
    pub(super) pen: Pen,
    /// The columns of the terminal that may be used.
    pub(super) width: usize,
}

/// A line of a block, before it is filled up to the block's width.
pub(super) struct BlockLine {
    /// The columns that it takes; escape sequences for colours take none.
    width: usize,
    text: String,
}

impl BlockLine {
    /// A line that may hold escape sequences, and so has to be given its width.
    pub(super) fn styled(width: usize, text: String) -> Self {
        Self { width, text }
    }

    /// A line without escape sequences.
    pub(super) fn plain(text: String) -> Self {
        Self { width: columns(&text), text }
    }
}

/// Lines that all take the same number of columns.
pub(super) struct Block {
    /// The columns of each line.
    pub(super) width: usize,
    pub(super) lines: Vec<String>,
}

impl Block {
    /// A block as wide as the widest line. Shorter lines are filled up with spaces.
    pub(super) fn new(lines: Vec<BlockLine>) -> Self {
        let width = lines.iter().map(|line| line.width).max().unwrap_or_default();
        let fill = |line: BlockLine| line.text + &" ".repeat(width - line.width);
        Self { width, lines: lines.into_iter().map(fill).collect() }
    }

    /// The block with another to its right. `between` is written between them in the middle line.
    pub(super) fn beside(mut self, other: Self, between: &str) -> Self {
        let middle = self.lines.len().min(other.lines.len()) / 2;
        let height = self.lines.len().max(other.lines.len());
        let (left, right) = (" ".repeat(self.width), " ".repeat(other.width));
        let gap = " ".repeat(columns(between));
        self.lines.resize(height, left);
        let mut others = other.lines;
        others.resize(height, right);
        for (index, (line, other)) in self.lines.iter_mut().zip(others).enumerate() {
            line.push_str(if index == middle { between } else { &gap });
            line.push_str(&other);
        }
        self.width += gap.len() + other.width;
        self
    }

    /// The block with a line above it.
    pub(super) fn below(mut self, line: BlockLine) -> Self {
        let own = self.lines.drain(..).map(|line| BlockLine::styled(self.width, line));
        Self::new([line].into_iter().chain(own).collect())
    }
}

/// Lays blocks out side by side, as many in a row as the width allows. `between` gives the text to the left of the block with this
/// index.
pub(super) fn flow<'a>(blocks: Vec<Block>, width: usize, between: impl Fn(usize) -> &'a str) -> Vec<Block> {
    let mut rows: Vec<Block> = Vec::new();
    for (index, block) in blocks.into_iter().enumerate() {
        let gap = between(index);
        match rows.pop() {
            Some(row) if row.width + columns(gap) + block.width <= width => rows.push(row.beside(block, gap)),
            row => rows.extend(row.into_iter().chain([block])),
        }
    }
    rows
}

/// How many columns a text takes. Each character is counted as one column, which is right for most.
pub(super) fn columns(text: &str) -> usize {
    text.chars().count()
}

/// The beginning of a text, in at most this many columns.
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
        let low = Block::new(["a", "bcd"].map(|line| BlockLine::plain(line.to_owned())).into());
        let high = Block::new(["1", "2", "3"].map(|line| BlockLine::plain(line.to_owned())).into());
        let both = low.beside(high, " > ");
        assert_eq!(both.lines, ["a     1", "bcd > 2", "      3"]);
        assert_eq!(both.width, 7);
    }

    #[test]
    fn a_style_is_named_once_for_what_follows_in_it_and_never_without_colours() {
        let line = |color| {
            let mut styled = StyledLine::new(Pen { color });
            [("1", "a"), ("1", "b"), ("", "c"), ("31", "d")].iter().for_each(|(style, text)| styled.push(style, text));
            styled.finish()
        };
        assert_eq!(line(true), "\u{1b}[1mab\u{1b}[0mc\u{1b}[31md\u{1b}[0m");
        assert_eq!(line(false), "abcd");
    }
}

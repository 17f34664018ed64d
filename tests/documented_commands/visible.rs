//! What a reader of a rendered page sees before a block: comments and the words behind the marks of a block are not shown.

/// The last paragraph that was read.
#[derive(Default)]
pub(super) struct VisibleText {
    paragraph: String,
    /// Whether an empty line came after it.
    ended: bool,
    in_comment: bool,
}

impl VisibleText {
    /// Goes on with a line of the page that is part of no block.
    pub(super) fn read(&mut self, line: &str) {
        let mut shown = String::new();
        let mut rest = line;
        while !rest.is_empty() {
            let mark = if self.in_comment { "-->" } else { "<!--" };
            let (before, after) = rest.split_once(mark).map_or((rest, None), |(before, after)| (before, Some(after)));
            if !self.in_comment {
                shown.push_str(before);
            }
            self.in_comment ^= after.is_some();
            rest = after.unwrap_or_default();
        }
        if shown.trim().is_empty() {
            // A line that holds a comment alone is as good as none.
            self.ended = true;
            return;
        }
        if std::mem::take(&mut self.ended) {
            self.paragraph.clear();
        }
        self.paragraph.push_str(&shown);
        self.paragraph.push('\n');
    }

    /// Whether the last sentence of the paragraph names this file.
    pub(super) fn ends_with_name(&self, path: &str) -> bool {
        let text = self.paragraph.trim_end().replace(".\n", ". ");
        text.rsplit(". ").next().is_some_and(|sentence| sentence.contains(&format!("`{path}`")))
    }
}

#[test]
fn a_name_counts_where_a_reader_sees_it() {
    let named = |text: &str| {
        let mut before = VisibleText::default();
        text.lines().for_each(|line| before.read(line));
        before.ends_with_name("a/b.toml")
    };
    assert!(named("Save this as `a/b.toml`:\n"));
    assert!(named("It has two stages. Save this\nas `a/b.toml`:\n\n<!-- a remark -->\n"));
    assert!(!named(""));
    assert!(!named("<!-- Save this as `a/b.toml`: -->\n"));
    assert!(!named("<!--\nSave this as `a/b.toml`:\n-->\n"));
    assert!(!named("Save this as `a/b.toml`:\n\nIt has two stages.\n"));
    assert!(!named("Save this as `a/b.toml`.\nIt has two stages:\n"));
    assert!(!named("Save this as `b.toml`:\n"));
}

//! Reads transcripts of courts and depositions: questions and answers under `Q` and `A`, who asks on a line of its own, notes in
//! parentheses, headings, and numbered lines.
//!
//! ```text
//! 1                  DIRECT EXAMINATION
//! 2   BY MS. REED:
//! 3        Q.   Where were you?
//! 4        A.   At home.
//! 5             (Whereupon, a recess was taken.)
//! ```

use std::borrow::Cow;

use crate::{
    Reading, Turn,
    clean::lines,
    label::before_colon,
    marks::Unmarked,
    names::{Labels, looks_like_name},
};

/// Lines of a page are numbered up to this.
const LAST_LINE_NUMBER: u32 = 28;
/// A note in parentheses has so many lines at most.
const LONGEST_NOTE: usize = 8;
/// Who answers, where nothing else says so.
const WITNESS: &str = "THE WITNESS";
/// Words of headings.
const HEADINGS: &[&str] = &[
    "EXAMINATION",
    "PROCEEDINGS",
    "ARGUMENT",
    "REBUTTAL",
    "STATEMENT",
    "STATEMENTS",
    "SUMMATION",
    "VERDICT",
    "SESSION",
    "APPEARANCES",
    "INDEX",
    "EXHIBITS",
    "CERTIFICATE",
    "TESTIMONY",
    "CONTENTS",
    "DIRE",
    "BEHALF",
    "VOLUME",
];

/// The turns of a transcript of a court; none if the text is not in that style.
pub(crate) fn read(text: &str) -> Option<Reading> {
    let style = Style::of(text)?;
    let mut reader = Reader { style: &style, turns: Vec::new(), examiner: None, known: Vec::new() };
    let lines: Vec<&str> = style.lines(text).collect();
    let (mut at, mut after_blank) = (0, true);
    while let Some(line) = lines.get(at) {
        at += 1;
        if line.is_empty() {
            after_blank = true;
            continue;
        }
        let is_paragraph = std::mem::replace(&mut after_blank, false);
        if let Some(length) = note(&lines[at - 1..]).or_else(|| oath(&lines[at - 1..]).filter(|_| is_paragraph)) {
            at += length - 1;
        } else if !is_page_number(line) {
            reader.read(line);
        }
    }
    let turns = reader.turns.into_iter().filter(|turn| !turn.text.is_empty()).collect();
    Some(Reading { title: None, turns })
}

/// How a transcript of a court is written.
struct Style<'a> {
    has_line_numbers: bool,
    /// Whether one space after a bare `Q` or `A` is enough.
    has_narrow_marks: bool,
    /// Whether who asks is named.
    names_examiners: bool,
    /// Whether all is in capitals, so that capitals make no heading.
    is_capital: bool,
    labels: Labels<'a>,
    /// How the text names who answers.
    witness: String,
}

impl<'a> Style<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let mut style = Self {
            has_line_numbers: has_line_numbers(text),
            has_narrow_marks: false,
            names_examiners: false,
            is_capital: is_capital(text),
            labels: Labels::default(),
            witness: WITNESS.to_owned(),
        };
        let (mut line_count, mut by, mut formal, mut notes, mut headings) = (0, 0, 0, 0, 0);
        let (mut questions, mut answers, mut colons, mut narrow) = (0, 0, 0, [0, 0]);
        let mut labels = Labels::default();
        let mut witness = None;
        for line in style.lines(text).filter(|line| !line.is_empty()) {
            line_count += 1;
            notes += usize::from(line.starts_with("(Whereupon") || line.starts_with("(WHEREUPON"));
            if examiner(line).is_some() {
                by += 1;
            } else if let Some((name, _)) = label(line) {
                formal += usize::from(is_formal(&name));
                if name.eq_ignore_ascii_case(WITNESS) {
                    witness = Some(name.to_string());
                }
                labels.add(name);
            } else if let Some(is_question) = mark(line, false).map(|(is_question, _)| is_question) {
                // An interview may have `Q:` and `A:` for names.
                colons += usize::from(line.chars().nth(1) == Some(':'));
                *(if is_question { &mut questions } else { &mut answers }) += 1;
            } else if let Some(is_question) = mark(line, true).map(|(is_question, _)| is_question) {
                narrow[usize::from(is_question)] += 1;
            } else {
                headings += usize::from(style.is_heading(line));
            }
        }
        if questions == 0 && by > 0 && narrow[0] > 0 && narrow[1] > 0 {
            style.has_narrow_marks = true;
            [answers, questions] = narrow;
        }
        let are_names = by == 0 && colons > 0;
        let is_examination = questions > 0 && answers > 0 && (by > 0 || questions + answers >= 4) && !are_names;
        let is_argument = formal >= 3 && (style.has_line_numbers || by + notes + headings > 0);
        style.names_examiners = by > 0 || witness.is_some();
        style.labels = labels.retain_names(line_count);
        style.witness = witness.unwrap_or(style.witness);
        (is_examination || is_argument).then_some(style)
    }

    /// The lines without their numbers and the space around them.
    fn lines<'t>(&self, text: &'t str) -> impl Iterator<Item = &'t str> + use<'t> {
        let has_line_numbers = self.has_line_numbers;
        lines(text).map(move |line| {
            let numbered = line_number(line).filter(|_| has_line_numbers);
            numbered.map_or(line, |(_, rest)| rest).trim()
        })
    }

    /// A line in capitals that nobody says, such as `CROSS-EXAMINATION` or `P R O C E E D I N G S`.
    fn is_heading(&self, line: &str) -> bool {
        if line.chars().any(char::is_lowercase)
            || line.ends_with(['.', '?', '!', ',', ';', ':'])
            || line.starts_with('(')
        {
            return false;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        let is_spaced = words.len() >= 4 && words.iter().all(|word| word.chars().nth(1).is_none());
        let names_part =
            words.iter().flat_map(|word| word.split(|c: char| !c.is_alphabetic())).any(|word| HEADINGS.contains(&word));
        let is_short = words.len() <= if self.is_capital { 4 } else { 12 };
        is_short && line.contains(char::is_alphabetic) && (is_spaced || names_part)
    }

    /// Whether a label is that of a speaker: it recurs, or is in capitals as in the minutes of courts.
    fn is_speaker(&self, name: &str) -> bool {
        self.labels.is_name(name) || is_formal(name)
    }
}

struct Reader<'a> {
    style: &'a Style<'a>,
    turns: Vec<Turn>,
    /// Who asks.
    examiner: Option<String>,
    /// The speakers so far, as they were named first.
    known: Vec<String>,
}

impl Reader<'_> {
    fn read(&mut self, line: &str) {
        let style = self.style;
        if let Some(name) = examiner(line) {
            self.examiner = Some(self.named(name));
        } else if let Some((true, said)) = mark(line, style.has_narrow_marks).filter(|_| self.has_marks(line)) {
            let (name, said) = inline_examiner(said);
            if let Some(name) = name {
                self.examiner = Some(self.named(name));
            }
            let asks = self.examiner.clone().unwrap_or_else(|| "Q".to_owned());
            self.start(asks, said);
        } else if let Some((false, said)) = mark(line, style.has_narrow_marks).filter(|_| self.has_marks(line)) {
            let answers = if style.names_examiners { style.witness.clone() } else { "A".to_owned() };
            self.start(answers, said);
        } else if let Some((name, said)) = label(line).filter(|(name, _)| style.is_speaker(name)) {
            let name = self.named(&name);
            self.start(name, said);
        } else if !style.is_heading(line) {
            match self.turns.last_mut() {
                Some(turn) if turn.text.is_empty() => line.clone_into(&mut turn.text),
                Some(turn) => turn.text = format!("{} {line}", turn.text),
                None => self.turns.push(Turn { text: line.to_owned(), ..Turn::default() }),
            }
        }
    }

    /// Whether `Q:` and `A:` are marks rather than the labels of an interview.
    fn has_marks(&self, line: &str) -> bool {
        self.style.names_examiners || line.chars().nth(1) != Some(':')
    }

    fn start(&mut self, speaker: String, said: &str) {
        self.turns.push(Turn { speaker: Some(speaker), text: said.trim().to_owned(), ..Turn::default() });
    }

    /// The name as it was written first: `(By Mr. Cole)` is `MR. COLE`.
    fn named(&mut self, name: &str) -> String {
        let folded = name.to_lowercase();
        if let Some(known) = self.known.iter().find(|known| known.to_lowercase() == folded) {
            return known.clone();
        }
        self.known.push(name.to_owned());
        name.to_owned()
    }
}

/// Who asks from here on: `BY MR. COLE:`, `CROSS-EXAMINATION BY MS. REED:`.
fn examiner(line: &str) -> Option<&str> {
    let by = match line.get(..3) {
        Some(start) if start.eq_ignore_ascii_case("by ") => 3,
        _ => line.find("EXAMINATION BY ").map(|at| at + "EXAMINATION BY ".len())?,
    };
    let is_end = line.ends_with(':') || by > 3;
    let name = line[by..].trim().trim_end_matches(':').trim_end();
    let is_name = name.split_whitespace().count() <= 5 && looks_like_name(name) && !name.contains([':', ',', '?']);
    (is_end && is_name).then_some(name)
}

/// `(BY MR. COLE) What then?` as who asks and what is asked.
fn inline_examiner(said: &str) -> (Option<&str>, &str) {
    let named = said.trim_start().strip_prefix(['(', '[']).and_then(|rest| {
        let (inside, behind) = rest.split_once([')', ']'])?;
        Some((
            examiner(inside).or_else(|| {
                let name = inside.get(..3).filter(|by| by.eq_ignore_ascii_case("by ")).map(|_| inside[3..].trim())?;
                looks_like_name(name).then_some(name)
            })?,
            behind.trim_start_matches([':', ' ']),
        ))
    });
    named.map_or((None, said), |(name, said)| (Some(name), said))
}

/// Whether a line asks (`Q.`) or answers (`A.`), and what is said. `narrow`: one space after a bare letter is enough.
fn mark(line: &str, narrow: bool) -> Option<(bool, &str)> {
    let is_question = match line.chars().next()? {
        'Q' => true,
        'A' => false,
        _ => return None,
    };
    let rest = &line[1..];
    if let Some(said) = rest.strip_prefix(['.', ':']) {
        return (said.is_empty() || said.starts_with(char::is_whitespace)).then(|| (is_question, said.trim()));
    }
    let is_set_apart = rest.starts_with('\t') || rest.starts_with("  ");
    let said = rest.trim_start();
    let begins = |c: char| c.is_uppercase() || c.is_ascii_digit() || matches!(c, '"' | '“' | '(' | '[');
    let is_mark = is_set_apart || narrow && rest.starts_with(' ') && said.starts_with(begins);
    (is_mark && !said.is_empty()).then_some((is_question, said))
}

/// The label of a line, and what is said. `A. Reed: text` has one, and is no answer.
fn label(line: &str) -> Option<(Cow<'_, str>, &str)> {
    let found = before_colon(&Unmarked { rest: line, ..Unmarked::default() })?;
    let is_mark = matches!(&*found.name, "Q" | "A" | "Q." | "A.");
    (!is_mark && looks_like_name(&found.name)).then_some((found.name, found.said))
}

/// A name or an office in capitals: `THE COURT`, `MR. COLE`, `MS. McCARTHY`, `CHIEF JUSTICE ROE`.
fn is_formal(name: &str) -> bool {
    let starts =
        ["THE ", "MR. ", "MS. ", "MRS. ", "MISS ", "DR. ", "MR ", "MS ", "JUSTICE ", "CHIEF ", "JUDGE ", "GENERAL "];
    name.split_whitespace().count() <= 6 && starts.iter().any(|start| name.starts_with(start))
}

/// How many lines from the first a note in parentheses takes that nobody says: `(Whereupon, a recess was taken.)`.
fn note(lines: &[&str]) -> Option<usize> {
    if !lines.first()?.starts_with('(') {
        return None;
    }
    let mut depth = 0_usize;
    for (index, line) in lines.iter().take(LONGEST_NOTE).enumerate() {
        for (at, c) in line.char_indices() {
            depth = match c {
                '(' => depth + 1,
                ')' => depth.saturating_sub(1),
                _ => depth,
            };
            if depth == 0 {
                // What follows is said.
                let rest = line[at + c.len_utf8()..].trim_matches(['.', ' ']);
                return rest.is_empty().then_some(index + 1);
            }
        }
    }
    None
}

/// How many lines from the first say that a witness was sworn: `JO LEE, called by the defense, having been sworn, testified as
/// follows:`.
fn oath(lines: &[&str]) -> Option<usize> {
    let paragraph: Vec<&str> = lines.iter().take(LONGEST_NOTE).take_while(|line| !line.is_empty()).copied().collect();
    let end = paragraph.iter().position(|line| line.ends_with("as follows:") || line.ends_with("follows:"))?;
    let text = paragraph[..=end].join(" ").to_lowercase();
    let names_oath = ["sworn", "affirmed", "witness"].iter().any(|word| text.contains(word));
    (names_oath && label(paragraph[0]).is_none_or(|(_, said)| said.is_empty())).then_some(end + 1)
}

/// `12`, `Page 12`, `- 12 -`, `Page 12 of 80`, `[12]`.
fn is_page_number(line: &str) -> bool {
    let inside = line.trim_matches(|c: char| matches!(c, '-' | '–' | '—' | '[' | ']') || c.is_whitespace());
    let is_number = |word: &str| !word.is_empty() && word.len() <= 5 && word.bytes().all(|byte| byte.is_ascii_digit());
    let words: Vec<&str> = inside.split_whitespace().collect();
    match *words {
        [number] => is_number(number),
        [page, number] => page.eq_ignore_ascii_case("page") && is_number(number),
        [page, number, of, all] => {
            page.eq_ignore_ascii_case("page") && of.eq_ignore_ascii_case("of") && is_number(number) && is_number(all)
        }
        _ => false,
    }
}

/// The number at the head of a line, and the rest of it.
fn line_number(line: &str) -> Option<(u32, &str)> {
    let line = line.trim_start();
    let end = line.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(line.len());
    let number = line[..end].parse().ok().filter(|number| (1..=LAST_LINE_NUMBER).contains(number))?;
    let rest = &line[end..];
    (rest.is_empty() || rest.starts_with(char::is_whitespace)).then_some((number, rest))
}

/// Whether the lines are numbered: most of them, and nearly all numbers follow the one before.
fn has_line_numbers(text: &str) -> bool {
    let (mut all, mut numbered, mut in_order) = (0_usize, 0_usize, 0_usize);
    let mut before = 0;
    for line in lines(text).filter(|line| !line.trim().is_empty()) {
        all += 1;
        if let Some((number, _)) = line_number(line) {
            numbered += 1;
            in_order += usize::from(number == before + 1 || number == 1);
            before = number;
        }
    }
    numbered >= 4 && numbered * 10 >= all * 7 && in_order * 10 >= numbered * 8
}

/// Whether hardly a letter is a small one.
fn is_capital(text: &str) -> bool {
    let (small, all) = text
        .chars()
        .filter(|c| c.is_alphabetic())
        .fold((0_usize, 0_usize), |(small, all), c| (small + usize::from(c.is_lowercase()), all + 1));
    small * 5 < all
}

#[cfg(test)]
mod tests;

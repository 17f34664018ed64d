//! A document of minutes made of items, any choice of which gives a readable page.

use std::{collections::BTreeSet, fmt::Write as _};

use crate::markdown::{counted, inline};

/// The parts of the minutes, in the order in which they stand.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    Attendees,
    Topics,
    KeyPoints,
    Decisions,
    Actions,
    Open,
    Risks,
    Agreements,
    Answered,
    Phrases,
    /// Findings of a kind that other plugins made up.
    Other(String),
}

/// How the items of a part are laid out.
#[derive(Clone, Copy, PartialEq)]
enum Layout {
    List,
    Table(&'static str),
    /// One after the other in a paragraph.
    Run,
}

impl Part {
    fn heading(&self) -> String {
        let fixed = match self {
            Self::Attendees => "Attendees",
            Self::Topics => "Topics",
            Self::KeyPoints => "Key points",
            Self::Decisions => "Decisions",
            Self::Actions => "Actions",
            Self::Open => "Open questions",
            Self::Risks => "Risks",
            Self::Agreements => "Agreements",
            Self::Answered => "Questions answered",
            Self::Phrases => "Key phrases",
            Self::Other(kind) => {
                let words: Vec<_> =
                    kind.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
                let words = words.join(" ");
                return if words.is_empty() { "Other".to_owned() } else { jackfield_text::clean::capitalised(&words) };
            }
        };
        fixed.to_owned()
    }

    const fn layout(&self) -> Layout {
        match self {
            Self::Attendees | Self::Phrases => Layout::Run,
            Self::Actions => Layout::Table("| What | Owner | Due | From |\n| --- | --- | --- | --- |\n"),
            _ => Layout::List,
        }
    }
}

/// One entry of the minutes.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) part: Part,
    /// The source that pays for it.
    pub(crate) source: usize,
    /// Of a source's items those of greatest worth go in first.
    pub(crate) worth: f64,
    /// Its order in its part.
    pub(crate) place: (u8, u64),
    /// Markdown without line breaks.
    pub(crate) text: String,
    /// What stands instead of `text` where the item numbered by this index is in the document as well: words to go
    /// behind a reference to it.
    pub(crate) refers: Option<(usize, String)>,
    /// The sources of what the item says, once per finding.
    pub(crate) members: Vec<usize>,
}

/// A title, some facts, and items.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    pub(crate) title: String,
    pub(crate) facts: String,
    /// In the order of the document.
    pub(crate) items: Vec<Item>,
    /// Names of the sources.
    pub(crate) sources: &'a [String],
    pub(crate) budget: usize,
}

/// How many tokens a text has in the tokenizer `o200k`.
pub(crate) fn tokens(text: &str) -> usize {
    jackfield_tokens::count(text)
}

impl Draft<'_> {
    /// Chooses items until the budget is spent: the page, how many tokens it has, and which items are in it.
    pub(crate) fn fit(&self, floor: usize) -> (String, usize, Vec<bool>) {
        let sources = self.sources.len();
        let all = vec![true; self.items.len()];
        let page = self.render(&all);
        let total = tokens(&page);
        if total <= self.budget {
            return (page, total, all);
        }
        let mut ranked: Vec<Vec<usize>> = vec![Vec::new(); sources];
        for (index, item) in self.items.iter().enumerate() {
            ranked[item.source].push(index);
        }
        for ranked in &mut ranked {
            ranked.sort_by(|a, b| self.items[*b].worth.total_cmp(&self.items[*a].worth).then(a.cmp(b)));
        }
        let costs = self.costs(&ranked);
        let none = vec![false; self.items.len()];
        let bare = tokens(&self.render(&none));
        let picked = jackfield_text::context_budget::select(self.budget.saturating_sub(bare), floor, &costs);
        let mut chosen = none;
        let mut spent = vec![0; sources];
        let mut stacks: Vec<Vec<(usize, usize)>> = vec![Vec::new(); sources];
        for (source, picked) in picked.iter().enumerate() {
            for ((index, cost), _) in
                ranked[source].iter().zip(&costs[source]).zip(picked).filter(|(_, picked)| **picked)
            {
                chosen[*index] = true;
                spent[source] += cost;
                stacks[source].push((*index, *cost));
            }
        }
        // Costs of lines do not quite add up to the cost of a page: what is too much goes out again, from the source that
        // spends most, its least worthy item first.
        loop {
            let page = self.render(&chosen);
            let total = tokens(&page);
            let mut excess = total.saturating_sub(self.budget);
            if excess == 0 || stacks.iter().all(Vec::is_empty) {
                return (page, total, chosen);
            }
            while excess > 0 {
                let Some(source) = (0..sources)
                    .filter(|source| !stacks[*source].is_empty())
                    .max_by_key(|source| (spent[*source], *source))
                else {
                    break;
                };
                let Some((index, cost)) = stacks[source].pop() else { break };
                chosen[index] = false;
                spent[source] -= cost;
                excess = excess.saturating_sub(cost.max(1));
            }
        }
    }

    /// What each item costs, by source and rank; a part's heading is paid for by its worthiest item.
    fn costs(&self, ranked: &[Vec<usize>]) -> Vec<Vec<usize>> {
        let mut headed: BTreeSet<&Part> = BTreeSet::new();
        let mut costs = Vec::with_capacity(ranked.len());
        for ranked in ranked {
            let mut of_source = Vec::with_capacity(ranked.len());
            for index in ranked {
                let item = &self.items[*index];
                let mut line = String::new();
                if headed.insert(&item.part) {
                    open(&mut line, &item.part);
                }
                // A number of three digits, so that the real one costs no more.
                write_item(&mut line, item, Some(&item.text), Some(100));
                of_source.push(tokens(&line));
            }
            costs.push(of_source);
        }
        costs
    }

    /// The page with the chosen items.
    pub(crate) fn render(&self, chosen: &[bool]) -> String {
        let mut page = format!("# {}\n\n{}\n", self.title, self.facts);
        let mut numbers = vec![0_usize; self.items.len()];
        let mut decisions = 0;
        let mut previous: Option<&Part> = None;
        for (index, item) in self.items.iter().enumerate().filter(|(index, _)| chosen[*index]) {
            if previous != Some(&item.part) {
                if previous.is_some_and(|part| part.layout() == Layout::Run) {
                    page.push('\n');
                }
                open(&mut page, &item.part);
            } else if item.part.layout() == Layout::Run {
                page.push_str("; ");
            }
            previous = Some(&item.part);
            if item.part == Part::Decisions {
                decisions += 1;
                numbers[index] = decisions;
            }
            // Decisions stand before all that refers to them, so their numbers are known by now.
            match &item.refers {
                Some((target, words)) if chosen[*target] => {
                    let text = format!("**D{}** {words}", numbers[*target]);
                    write_item(&mut page, item, Some(&text), None);
                }
                _ => write_item(&mut page, item, None, Some(numbers[index])),
            }
        }
        if previous.is_some_and(|part| part.layout() == Layout::Run) {
            page.push('\n');
        }
        page.push_str(&self.note(chosen));
        page
    }

    /// What was left out: by source where that is short beside the page.
    fn note(&self, chosen: &[bool]) -> String {
        let mut by_source = vec![0_usize; self.sources.len()];
        for (item, _) in self.items.iter().zip(chosen).filter(|(_, chosen)| !**chosen) {
            for member in &item.members {
                by_source[*member] += 1;
            }
        }
        let total: usize = by_source.iter().sum();
        if total == 0 {
            return String::new();
        }
        let named: Vec<_> = self.sources.iter().zip(by_source).filter(|(_, count)| *count > 0).collect();
        let names: Vec<_> = named.iter().map(|(name, count)| format!("{} {count}", inline(name))).collect();
        let names = names.join(", ");
        let entries = counted(total, "entry", "entries");
        let detail = if names.len() * 16 <= self.budget { format!(" ({names})") } else { String::new() };
        format!("\n_Left out to stay within {} tokens: {entries}{detail}._\n", self.budget)
    }
}

fn open(page: &mut String, part: &Part) {
    _ = write!(page, "\n## {}\n\n", part.heading());
    if let Layout::Table(head) = part.layout() {
        page.push_str(head);
    }
}

fn write_item(page: &mut String, item: &Item, text: Option<&String>, number: Option<usize>) {
    let text = text.unwrap_or(&item.text);
    match item.part.layout() {
        Layout::Run => page.push_str(text),
        Layout::Table(_) => _ = writeln!(page, "| {text} |"),
        Layout::List => match number.filter(|_| item.part == Part::Decisions) {
            Some(number) => _ = writeln!(page, "- **D{number}** {text}"),
            None => _ = writeln!(page, "- {text}"),
        },
    }
}

//! Drawings of the parts of a value that its schema marks to be drawn, for the terminal and for the page.
//!
//! A value that does not match its mark is not an error: in its place stands why it is not drawn. The number of drawings is bounded,
//! and how many are left out is counted.

mod grid;
mod outcomes;
mod series;

use serde_json::{Map, Value};

pub use grid::{COLOURS, Compared, Differences, Grid, LARGEST};
pub use outcomes::{Outcome, Outcomes};
pub use series::Series;

use super::text::truncate;
use jackfield_pipeline::{ViewKind, ViewMarks};

/// The most grids of one list or object that are drawn side by side.
const MOST_BESIDE: usize = 24;
/// The most characters of a name in a heading.
const LONGEST_NAME: usize = 40;
/// The most characters of a text that says which of several grids are drawn, and the most such texts.
const LONGEST_LABEL: usize = 24;
const MOST_LABELS: usize = 3;
/// The members of an object that say which one of several it is.
const NAMES: [&str; 2] = ["name", "id"];
/// The members of an object that come first, in this order.
const FIRST: [&str; 5] = ["train", "input", "output", "expected", "got"];

/// Something to look at.
#[derive(Clone, Debug)]
pub struct Drawing {
    /// Where in the value it stands: `kept[0].differences[2]`; empty for the value itself.
    pub path: String,
    /// What the objects around it are called.
    pub(crate) names: Vec<String>,
    /// What is drawn there.
    pub drawn: Drawn,
}

/// What is drawn.
#[derive(Clone, Debug)]
pub enum Drawn {
    /// Grids that belong together.
    Grids {
        /// A label and a grid, or nothing where there is `null` instead.
        grids: Vec<(String, Option<Grid>)>,
        /// Where the grid called `got` differs from the one called `expected`.
        differences: Option<Differences>,
        /// Grids that are not drawn.
        more: usize,
    },
    /// A table of outcomes.
    Outcomes(Outcomes),
    /// Lines over an axis.
    Series(Series),
    /// It does not match its mark.
    Unfit {
        /// How the schema asks for it to be drawn.
        view: ViewKind,
        /// Why it cannot be drawn so.
        why: String,
    },
}

impl Drawing {
    /// Its heading: where it stands, and what that is called.
    pub fn heading(&self) -> String {
        let parts: Vec<&str> = [self.path.as_str()]
            .into_iter()
            .chain(self.names.iter().map(String::as_str))
            .filter(|part| !part.is_empty())
            .collect();
        parts.join(" · ")
    }
}

/// All that is to be looked at in a value.
#[derive(Clone, Debug, Default)]
pub struct Looks {
    /// What is to be looked at, in order.
    pub drawings: Vec<Drawing>,
    /// Drawings that there were too many for.
    pub more: usize,
    /// The value without what is drawn; none if nothing is left.
    pub rest: Option<Value>,
}

impl Looks {
    /// Finds what is to be looked at, in the order of the value; at most so many drawings.
    pub fn of(value: &Value, marks: &ViewMarks, most: usize) -> Self {
        let mut finder = Finder { most, path: String::new(), names: Vec::new(), looks: Self::default() };
        let rest = finder.value(value, marks);
        Self { rest, ..finder.looks }
    }

    /// Whether anything in it can be seen: a value that does not match its mark cannot.
    pub(crate) fn is_seen(&self) -> bool {
        self.drawings.iter().any(|drawing| !matches!(drawing.drawn, Drawn::Unfit { .. }))
    }

    /// Whether what was wanted was reached: a program has every outcome right, or, without any outcomes, what was got is what was
    /// expected. Nothing where nothing was wanted.
    pub(crate) fn is_solved(&self) -> Option<bool> {
        let outcomes = self.drawings.iter().filter_map(|drawing| match &drawing.drawn {
            Drawn::Outcomes(outcomes) => Some(outcomes.is_solved),
            _ => None,
        });
        let differences = self.drawings.iter().filter_map(|drawing| match &drawing.drawn {
            Drawn::Grids { differences: Some(differences), .. } => Some(differences.count == 0),
            _ => None,
        });
        outcomes.reduce(|one, other| one || other).or_else(|| differences.reduce(|one, other| one && other))
    }
}

struct Finder {
    most: usize,
    path: String,
    names: Vec<String>,
    looks: Looks,
}

impl Finder {
    /// Looks into a value, and gives what is left of it.
    fn value(&mut self, value: &Value, marks: &ViewMarks) -> Option<Value> {
        if let Some(view) = marks.view.filter(|_| !value.is_null()) {
            let drawn = match view {
                ViewKind::Grid => Grid::read(value).map(|grid| alone(String::new(), grid)),
                ViewKind::Outcomes => Outcomes::read(value).map(Drawn::Outcomes),
                ViewKind::Series => Series::read(value).map(Drawn::Series),
            };
            return match drawn {
                Ok(drawn) => {
                    self.draw(drawn);
                    None
                }
                // A list without anything in it says so by itself.
                Err(_) if value.as_array().is_some_and(Vec::is_empty) => Some(value.clone()),
                Err(why) => {
                    self.draw(Drawn::Unfit { view, why });
                    Some(value.clone())
                }
            };
        }
        match value {
            Value::Object(map) => self.object(map, marks),
            Value::Array(list) if marks.elements.is_some() => self.list(list, marks),
            other => Some(other.clone()),
        }
    }

    fn object(&mut self, map: &Map<String, Value>, marks: &ViewMarks) -> Option<Value> {
        let named = self.names.len();
        // The grids of a named object have its name among their labels.
        let has_grids = map.keys().any(|key| marks.member(key).is_some_and(|marks| marks.view == Some(ViewKind::Grid)));
        if !self.path.is_empty() && !has_grids {
            let name = NAMES.iter().find_map(|name| map.get(*name)?.as_str());
            self.names.extend(name.map(|name| truncate(name, LONGEST_NAME)));
        }
        let mut keys: Vec<&String> = map.keys().collect();
        // An overview of all parts comes before the parts.
        let is_part = |key: &String| {
            !matches!(marks.member(key).and_then(|marks| marks.view), Some(ViewKind::Outcomes | ViewKind::Series))
        };
        let first = |key: &String| FIRST.iter().position(|first| first == key).unwrap_or(FIRST.len());
        keys.sort_by_key(|key| (is_part(key), first(key)));
        let is_grid = |key: &&String| marks.member(key).is_some_and(|marks| marks.view == Some(ViewKind::Grid));
        let (grids, others): (Vec<&String>, Vec<&String>) = keys.into_iter().partition(is_grid);
        let mut left = Map::new();
        let read: Vec<(&String, Result<Option<Grid>, String>)> = grids
            .into_iter()
            .map(|key| (key, if map[key].is_null() { Ok(None) } else { Grid::read(&map[key]).map(Some) }))
            .collect();
        let any = read.iter().any(|(_, grid)| matches!(grid, Ok(Some(_))));
        let mut beside = Vec::new();
        for (key, grid) in read {
            match grid {
                Ok(grid) if any => beside.push((key.clone(), grid)),
                Ok(_) => {
                    left.insert(key.clone(), Value::Null);
                }
                Err(_) => {
                    let rest = self.under(&format!(".{key}"), |finder| finder.value(&map[key], &grid_mark()));
                    left.extend(rest.map(|rest| (key.clone(), rest)));
                }
            }
        }
        // Short members say which of several it is; where they are all that is left, they need not be shown again.
        let labels = if beside.is_empty() { Vec::new() } else { labels(map, &others) };
        let named_here = self.names.len();
        self.names.extend(labels.iter().map(|(_, label)| label.clone()));
        self.beside(beside);
        self.names.truncate(named_here);
        let is_shown = left.is_empty() && labels.len() == others.len();
        for key in others.into_iter().filter(|_| !is_shown) {
            let rest = match marks.member(key) {
                Some(marks) => self.under(&format!(".{key}"), |finder| finder.value(&map[key], marks)),
                None => Some(map[key].clone()),
            };
            left.extend(rest.map(|rest| (key.clone(), rest)));
        }
        self.names.truncate(named);
        (!left.is_empty() || map.is_empty()).then_some(Value::Object(left))
    }

    fn list(&mut self, list: &[Value], marks: &ViewMarks) -> Option<Value> {
        let Some(elements) = &marks.elements else { return None };
        let mut left = Vec::new();
        let grids = || list.iter().map(Grid::read).collect::<Result<Vec<_>, _>>();
        if elements.view == Some(ViewKind::Grid)
            && let Ok(grids) = grids()
        {
            let label = |(index, grid)| (format!("[{index}]"), Some(grid));
            self.beside(grids.into_iter().enumerate().map(label).collect());
        } else {
            for (index, element) in list.iter().enumerate() {
                left.extend(self.under(&format!("[{index}]"), |finder| finder.value(element, elements)));
            }
        }
        (!left.is_empty() || list.is_empty()).then_some(Value::Array(left))
    }

    /// Grids of one object or list.
    fn beside(&mut self, mut grids: Vec<(String, Option<Grid>)>) {
        if grids.is_empty() {
            return;
        }
        let called = |name: &str| grids.iter().find(|(label, _)| label == name).and_then(|(_, grid)| grid.as_ref());
        let differences = match (called("expected"), called("got")) {
            (Some(expected), Some(got)) => Some(Differences::between(expected, got)),
            _ => None,
        };
        let more = grids.len().saturating_sub(MOST_BESIDE);
        grids.truncate(MOST_BESIDE);
        self.draw(Drawn::Grids { grids, differences, more });
    }

    fn under(&mut self, step: &str, look: impl FnOnce(&mut Self) -> Option<Value>) -> Option<Value> {
        let length = self.path.len();
        self.path.push_str(if length == 0 { step.strip_prefix('.').unwrap_or(step) } else { step });
        let rest = look(self);
        self.path.truncate(length);
        rest
    }

    fn draw(&mut self, drawn: Drawn) {
        if self.looks.drawings.len() < self.most {
            self.looks.drawings.push(Drawing { path: self.path.clone(), names: self.names.clone(), drawn });
        } else {
            self.looks.more += 1;
        }
    }
}

/// The first numbers and short texts among members, each with its name; but for what an object is called.
fn labels<'a>(map: &Map<String, Value>, keys: &[&'a String]) -> Vec<(&'a String, String)> {
    let label = |key: &&'a String| {
        let text = match &map[*key] {
            Value::Number(number) => number.to_string(),
            Value::String(text) if text.chars().count() <= LONGEST_LABEL => text.clone(),
            _ => return None,
        };
        let is_name = NAMES.contains(&key.as_str());
        Some((*key, if is_name { text } else { format!("{key} {text}") }))
    };
    let mut labels: Vec<(&String, String)> = keys.iter().filter_map(label).collect();
    labels.sort_by_key(|(key, _)| (!NAMES.contains(&key.as_str()), !map[*key].is_number()));
    labels.truncate(MOST_LABELS);
    labels
}

fn alone(label: String, grid: Grid) -> Drawn {
    Drawn::Grids { grids: vec![(label, Some(grid))], differences: None, more: 0 }
}

fn grid_mark() -> ViewMarks {
    ViewMarks { view: Some(ViewKind::Grid), ..ViewMarks::default() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn looks(value: &Value, marks: Value, most: usize) -> Looks {
        Looks::of(value, &serde_json::from_value(marks).expect("marks"), most)
    }

    /// Headings with the labels of grids.
    fn headings(looks: &Looks) -> Vec<String> {
        let one = |drawing: &Drawing| {
            let what = match &drawing.drawn {
                Drawn::Grids { grids, differences, .. } => {
                    let labels: Vec<String> = grids
                        .iter()
                        .map(|(label, grid)| format!("{label} {}", grid.as_ref().map_or("none".to_owned(), Grid::size)))
                        .collect();
                    let differences = differences.as_ref().map(Differences::words);
                    labels.into_iter().chain(differences).collect::<Vec<_>>().join(", ")
                }
                Drawn::Outcomes(outcomes) => format!("{} rows", outcomes.rows.len()),
                Drawn::Series(series) => format!("{} points", series.count),
                Drawn::Unfit { why, .. } => format!("unfit: {why}"),
            };
            format!("{}: {what}", drawing.heading())
        };
        looks.drawings.iter().map(one).collect()
    }

    #[test]
    fn grids_of_one_object_are_beside_each_other_and_the_rest_is_kept() {
        let grid = json!({ "view": "grid" });
        let pair = json!({ "members": { "input": grid, "output": grid } });
        let kept = json!({ "elements": { "members": {
            "differences": { "elements": { "members": { "expected": grid, "got": grid } } }
        } } });
        let marks =
            json!({ "members": { "train": { "elements": pair }, "kept": kept, "matrix": { "view": "outcomes" } } });
        let value = json!({
            "id": "t",
            "train": [{ "output": [[1, 2]], "input": [[1]] }, { "input": [[3]], "output": null }],
            "kept": [{ "name": "p", "score": 7, "differences": [{ "pair": 0, "got": [[1]], "expected": [[2]] }] }],
            "matrix": [{ "name": "p", "outcomes": ["grid:00"] }]
        });
        let found = looks(&value, marks, 100);
        assert_eq!(
            headings(&found),
            [
                "matrix: 1 rows",
                "train[0]: input 1×1, output 1×2",
                "train[1]: input 1×1, output none",
                "kept[0].differences[0] · p · pair 0: expected 1×1, got 1×1, 1 of 1 cells differ",
            ]
        );
        assert_eq!(found.rest, Some(json!({ "id": "t", "kept": [{ "name": "p", "score": 7 }] })));
        assert!(found.is_seen() && found.is_solved() == Some(false));
    }

    #[test]
    fn a_value_that_does_not_match_its_mark_says_why_and_stays() {
        let marks = json!({ "members": {
            "a": { "view": "grid" }, "b": { "view": "series" }, "c": { "elements": { "view": "grid" } }, "d": { "view": "grid" }
        } });
        let value = json!({ "a": [[1, 2], [3]], "b": [], "c": [[[1]], [[99]]], "d": null });
        let found = looks(&value, marks, 100);
        assert_eq!(
            headings(&found),
            [
                "a: unfit: row [1] has 1 cells and row [0] has 2",
                "c[0]:  1×1",
                "c[1]: unfit: [0][0] is not an integer from 0 to 9",
            ]
        );
        assert_eq!(found.rest, Some(json!({ "a": [[1, 2], [3]], "b": [], "c": [[[99]]], "d": null })));
    }

    #[test]
    fn a_list_of_grids_is_one_drawing_and_many_are_bounded() {
        let grids = looks(&json!(vec![json!([[1]]); 30]), json!({ "elements": { "view": "grid" } }), 100);
        let Drawn::Grids { grids: drawn, more, .. } = &grids.drawings[0].drawn else { panic!("{grids:?}") };
        assert_eq!((grids.drawings.len(), drawn.len(), *more, grids.rest.is_none()), (1, 24, 6, true));
        let pair = json!({ "input": [[1]] });
        let marks = json!({ "elements": { "members": { "input": { "view": "grid" } } } });
        let many = looks(&json!(vec![pair; 9]), marks, 4);
        assert_eq!((many.drawings.len(), many.more), (4, 5));
    }

    #[test]
    fn an_item_is_solved_by_one_program_that_gets_everything_right() {
        let marks = json!({ "view": "outcomes" });
        let row = |outcomes: &[&str]| json!({ "name": "a", "outcomes": outcomes });
        let is_solved = |rows: Value| looks(&rows, marks.clone(), 10).is_solved();
        assert_eq!(is_solved(json!([row(&["equal", "skipped"]), row(&["error:type", "equal"])])), Some(false));
        assert_eq!(is_solved(json!([row(&["equal", "skipped"]), row(&["equal", "equal"])])), Some(true));
        assert_eq!(looks(&json!({ "a": 1 }), json!({}), 10).is_solved(), None);
    }
}

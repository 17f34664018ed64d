//! The outcomes of several programs in several cases.

use serde_json::Value;

/// The most rows, and the most cases, that are drawn.
const MOST: usize = 64;

/// The outcome of a program in a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// What was wanted.
    Equal,
    /// It was not tried.
    Skipped,
    /// Anything else: which of the reasons.
    Bad(usize),
}

/// A program and its outcomes, case by case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutcomeRow {
    pub name: String,
    pub outcomes: Vec<Outcome>,
    /// Whether each of its outcomes is what was wanted, those that are not drawn included.
    pub is_solved: bool,
}

/// Programs by cases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcomes {
    /// A row each of what was tried.
    pub rows: Vec<OutcomeRow>,
    /// The most cases of a row that is drawn.
    pub cases: usize,
    /// The different reasons of bad outcomes, in the order in which they come.
    pub reasons: Vec<String>,
    /// Rows that are not drawn.
    pub(crate) more_rows: usize,
    /// Cases that are not drawn.
    pub(crate) more_cases: usize,
    /// Whether each outcome of some program is what was wanted.
    pub(crate) is_solved: bool,
}

impl Outcomes {
    /// Reads outcomes.
    ///
    /// # Errors
    /// Why the value is not a table of outcomes, in words.
    pub(crate) fn read(value: &Value) -> Result<Self, String> {
        let Some(list) = value.as_array() else { return Err("it is not a list of rows".to_owned()) };
        let (mut rows, mut reasons) = (Vec::new(), Vec::<String>::new());
        let (mut cases, mut is_solved) = (0, false);
        for (index, row) in list.iter().enumerate() {
            let outcomes = row["outcomes"].as_array().ok_or_else(|| format!("[{index}] has no list `outcomes`"))?;
            let texts: Option<Vec<&str>> = outcomes.iter().map(Value::as_str).collect();
            let texts = texts.ok_or_else(|| format!("[{index}].outcomes has elements that are not texts"))?;
            let row_is_solved = !texts.is_empty() && texts.iter().all(|text| *text == "equal");
            is_solved |= row_is_solved;
            cases = cases.max(texts.len());
            if index >= MOST {
                continue;
            }
            let name = row["name"].as_str().map_or_else(|| format!("[{index}]"), str::to_owned);
            let outcome = |text: &&str| match *text {
                "equal" => Outcome::Equal,
                "skipped" => Outcome::Skipped,
                reason => Outcome::Bad(reasons.iter().position(|known| known == reason).unwrap_or_else(|| {
                    reasons.push(reason.to_owned());
                    reasons.len() - 1
                })),
            };
            let outcomes = texts.iter().take(MOST).map(outcome).collect();
            rows.push(OutcomeRow { name, outcomes, is_solved: row_is_solved });
        }
        if rows.is_empty() {
            return Err("it has no rows".to_owned());
        }
        let (more_rows, more_cases) = (list.len() - rows.len(), cases.saturating_sub(MOST));
        Ok(Self { rows, cases: cases.min(MOST), reasons, more_rows, more_cases, is_solved })
    }

    /// The letter that stands for a reason in a narrow drawing.
    pub fn letter(reason: usize) -> char {
        (b'a'..=b'z').chain(b'A'..=b'Z').nth(reason).map_or('?', char::from)
    }

    /// What is not drawn, in words.
    pub fn cut(&self) -> Option<String> {
        match (self.more_rows, self.more_cases) {
            (0, 0) => None,
            (rows, 0) => Some(format!("{rows} more rows are not drawn")),
            (0, cases) => Some(format!("{cases} more cases are not drawn")),
            (rows, cases) => Some(format!("{rows} more rows and {cases} more cases are not drawn")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn outcomes_are_good_skipped_or_have_a_reason() {
        let read = Outcomes::read(&json!([
            { "name": "a", "outcomes": ["equal", "error:type", "skipped"] },
            { "outcomes": ["limit:steps", "error:type"] },
            { "name": "c", "outcomes": ["equal"] },
            { "name": "d", "outcomes": [] }
        ]))
        .expect("outcomes");
        use Outcome::{Bad, Equal, Skipped};
        let rows: Vec<(&str, &[Outcome], bool)> =
            read.rows.iter().map(|row| (row.name.as_str(), row.outcomes.as_slice(), row.is_solved)).collect();
        let wanted: [(&str, &[Outcome], bool); 4] = [
            ("a", &[Equal, Bad(0), Skipped], false),
            ("[1]", &[Bad(1), Bad(0)], false),
            ("c", &[Equal], true),
            ("d", &[], false),
        ];
        assert_eq!(rows, wanted);
        assert_eq!((read.cases, read.is_solved, read.cut()), (3, true, None));
        assert_eq!(read.reasons, ["error:type", "limit:steps"]);
        assert_eq!([0, 25, 26, 51, 52].map(Outcomes::letter), ['a', 'z', 'A', 'Z', '?']);
    }

    #[test]
    fn many_outcomes_are_drawn_in_part_and_all_of_them_count() {
        let good = json!({ "name": "late", "outcomes": vec!["equal"; 100] });
        let bad = json!({ "name": "bad", "outcomes": vec!["error:type"; 100] });
        let rows: Vec<Value> = std::iter::repeat_n(bad, 70).chain([good]).collect();
        let read = Outcomes::read(&json!(rows)).expect("outcomes");
        assert_eq!((read.rows.len(), read.rows[0].outcomes.len(), read.is_solved), (64, 64, true));
        assert_eq!(read.cut().expect("cut"), "7 more rows and 36 more cases are not drawn");
    }

    #[test]
    fn a_value_that_is_not_outcomes_says_why() {
        let why = |value: Value| Outcomes::read(&value).expect_err("none");
        assert_eq!(why(json!({})), "it is not a list of rows");
        assert_eq!(why(json!([])), "it has no rows");
        assert_eq!(why(json!([{ "name": "a" }])), "[0] has no list `outcomes`");
        assert_eq!(why(json!([{ "name": "a", "outcomes": [1] }])), "[0].outcomes has elements that are not texts");
    }
}

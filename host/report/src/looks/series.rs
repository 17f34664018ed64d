//! Numbers that go on from one object of a list to the next.

use serde_json::Value;

/// The member that is the horizontal axis, where every object has it as a number.
const AXIS: &str = "generation";
/// The most lines that are drawn.
const MOST_LINES: usize = 8;
/// The most points of a line.
pub(crate) const MOST_POINTS: usize = 400;

/// Numbers by their names, each a value a point.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// What the horizontal axis is.
    pub axis: &'static str,
    /// Where the points are on it.
    pub at: Vec<f64>,
    /// A value a point, where there is one.
    pub lines: Vec<(String, Vec<Option<f64>>)>,
    /// Lines that are not drawn.
    pub(crate) more_lines: usize,
    /// How many points there are; of many, some are drawn.
    pub count: usize,
}

impl Series {
    /// Reads a series.
    ///
    /// # Errors
    /// Why the value is not a series, in words.
    pub(crate) fn read(value: &Value) -> Result<Self, String> {
        let Some(list) = value.as_array() else { return Err("it is not a list of points".to_owned()) };
        if let Some(index) = list.iter().position(|point| !point.is_object()) {
            return Err(format!("[{index}] is not an object"));
        }
        let has_axis = list.iter().all(|point| point[AXIS].is_number());
        // The last point is always drawn: it is how things ended.
        let every = list.len().div_ceil(MOST_POINTS).max(1);
        let drawn: Vec<(usize, &Value)> =
            list.iter().enumerate().filter(|(index, _)| (list.len() - 1 - index).is_multiple_of(every)).collect();
        let at = drawn.iter().map(|(index, point)| point[AXIS].as_f64().filter(|_| has_axis).unwrap_or(*index as f64));
        let mut names: Vec<&String> = Vec::new();
        for point in list.iter().filter_map(Value::as_object) {
            for (name, value) in point {
                if value.is_number() && !(has_axis && name == AXIS) && !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        if names.is_empty() {
            return Err("it has no numbers".to_owned());
        }
        let line = |name: &&String| ((*name).clone(), drawn.iter().map(|(_, point)| point[*name].as_f64()).collect());
        Ok(Self {
            axis: if has_axis { AXIS } else { "position" },
            at: at.collect(),
            lines: names.iter().take(MOST_LINES).map(line).collect(),
            more_lines: names.len().saturating_sub(MOST_LINES),
            count: list.len(),
        })
    }

    /// What is not drawn, in words.
    pub fn cut(&self) -> Option<String> {
        let points =
            (self.at.len() < self.count).then(|| format!("{} of {} points are drawn", self.at.len(), self.count));
        let lines = (self.more_lines > 0).then(|| format!("{} more numbers are not drawn", self.more_lines));
        let omitted: Vec<String> = points.into_iter().chain(lines).collect();
        (!omitted.is_empty()).then(|| omitted.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_number_but_the_generation_is_a_line() {
        let read = Series::read(&json!([
            { "generation": 1, "best": 10, "note": "x" },
            { "generation": 3, "best": 20.5, "mean": 4 },
            { "generation": 4, "best": null }
        ]))
        .expect("a series");
        assert_eq!((read.axis, read.at.as_slice()), ("generation", &[1.0, 3.0, 4.0][..]));
        assert_eq!(
            read.lines,
            [("best".to_owned(), vec![Some(10.0), Some(20.5), None]), ("mean".to_owned(), vec![None, Some(4.0), None])]
        );
        let read = Series::read(&json!([{ "best": 1 }, { "generation": 9, "best": 2 }])).expect("a series");
        assert_eq!((read.axis, read.at.as_slice()), ("position", &[0.0, 1.0][..]));
        assert_eq!(read.cut(), None);
    }

    #[test]
    fn of_many_points_some_are_kept_and_the_last_is() {
        let points: Vec<Value> = (0..10_001).map(|at| json!({ "generation": at, "a": at })).collect();
        let read = Series::read(&json!(points)).expect("a series");
        assert!(read.at.len() <= MOST_POINTS && read.at.len() > MOST_POINTS / 2, "{}", read.at.len());
        assert_eq!(read.at.last(), Some(&10_000.0));
        assert_eq!(read.cut().expect("cut"), format!("{} of 10001 points are drawn", read.at.len()));
        let wide: serde_json::Map<String, Value> = (0..12).map(|at| (format!("n{at}"), json!(at))).collect();
        assert_eq!(Series::read(&json!([wide])).expect("a series").cut().expect("cut"), "4 more numbers are not drawn");
    }

    #[test]
    fn a_value_that_is_not_a_series_says_why() {
        let why = |value: Value| Series::read(&value).expect_err("none");
        assert_eq!(why(json!(3)), "it is not a list of points");
        assert_eq!(why(json!([])), "it has no numbers");
        assert_eq!(why(json!([{ "a": 1 }, 2])), "[1] is not an object");
        assert_eq!(why(json!([{ "a": "b" }])), "it has no numbers");
    }
}

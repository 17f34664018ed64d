//! What the stages over all items made of them, and what is required of a run, in a few lines.

use jackfield_report::{counted, flat_value};
use jackfield_store::Summary;

/// The most values of a stage that are shown at the end of a run.
const MOST_SHOWN: usize = 16;

/// The lines about all items; none where no stage runs over them.
pub(super) fn all_items_lines(summary: &Summary) -> Vec<String> {
    let Some(all) = &summary.all_items else { return Vec::new() };
    let mut lines = vec![match all.stopped_before() {
        Some(of) => format!("over {} of {}, as the run stopped:", all.over, counted(of, "item")),
        None => format!("over {}:", counted(all.over, "item")),
    }];
    for (stage, value) in &all.results {
        let flat = flat_value(value, MOST_SHOWN);
        let part = |(way, text): &(String, String)| if way.is_empty() { text.clone() } else { format!("{way} {text}") };
        let mut parts: Vec<String> = flat.parts.iter().map(part).collect();
        if flat.others > 0 {
            parts.push(format!("and {} more in run/{stage}.json", flat.others));
        }
        lines.push(format!("  {stage}: {}", parts.join(", ")));
    }
    lines.extend(all.without.iter().map(|(stage, why)| format!("  {stage}: no result: {why}")));
    lines
}

/// A line for each requirement that is not met.
pub(super) fn unmet_lines(summary: &Summary) -> Vec<String> {
    summary.unmet().map(|requirement| format!("not met: {}", requirement.words())).collect()
}

//! Warnings of plugins: each is shown once a session, and counted.
//!
//! An extension keeps nothing from one document to the next, so what it has to say of a thousand documents it says a thousand
//! times.

use std::{collections::BTreeMap, sync::Mutex};

use jackfield_plugin_api::{Level, sync::lock};
use jackfield_services::log_plugin_line;

/// So many warnings are remembered and shown. Of plugins that say more different things, the rest is counted.
const MOST_REMEMBERED: usize = 256;
/// Warnings that differ only beyond so many bytes count as one.
const LONGEST: usize = 1024;

/// The warnings of a session's stages so far.
#[derive(Default)]
pub(super) struct PluginWarnings(Mutex<Warnings>);

#[derive(Default)]
struct Warnings {
    counts: BTreeMap<Warning, u64>,
    /// How many warnings were not shown since there were too many different ones.
    left_out: u64,
}

/// What a stage warns of.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Warning {
    stage: String,
    message: String,
}

impl PluginWarnings {
    /// Counts a warning. True if it is to be shown: the first one of its stage in these words.
    fn is_new(&self, stage: &str, message: &str) -> bool {
        let message = &message[..message.floor_char_boundary(LONGEST)];
        let mut warnings = lock(&self.0);
        let is_full = warnings.counts.len() >= MOST_REMEMBERED;
        let warning = Warning { stage: stage.to_owned(), message: message.to_owned() };
        match warnings.counts.get_mut(&warning) {
            Some(count) => *count += 1,
            None if is_full => warnings.left_out += 1,
            None => return warnings.counts.insert(warning, 1).is_none(),
        }
        false
    }

    /// Logs a line of a plugin on behalf of a stage, unless it is a warning that was shown before.
    pub(super) fn log(&self, level: Level, stage: &str, message: &str) {
        if level != Level::Warn || self.is_new(stage, message) {
            log_plugin_line(level, Some(stage), None, message);
        }
    }

    /// What was warned of more than once: the stage, and the warning with how often it came.
    fn repeated(&self) -> Vec<(String, String)> {
        let counts = std::mem::take(&mut lock(&self.0).counts);
        let repeated = counts.into_iter().filter(|(_, count)| *count > 1);
        repeated
            .map(|(Warning { stage, message }, count)| (stage, format!("{count} times in all: {message}")))
            .collect()
    }

    /// Reports how often each warning came that came more than once.
    pub(super) fn report(&self) {
        for (stage, message) in self.repeated() {
            log_plugin_line(Level::Warn, Some(&stage), None, &message);
        }
        let left_out = std::mem::take(&mut lock(&self.0).left_out);
        if left_out > 0 {
            tracing::warn!("{left_out} more warnings of plugins are not shown: there are too many different ones");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_new_once_and_counted_by_stage_and_words() {
        let warnings = PluginWarnings::default();
        let new: Vec<bool> = [("a", "x"), ("a", "x"), ("b", "x"), ("a", "y"), ("a", "x")]
            .iter()
            .map(|(stage, message)| warnings.is_new(stage, message))
            .collect();
        assert_eq!(new, [true, false, true, true, false]);
        assert_eq!(warnings.repeated(), [("a".to_owned(), "3 times in all: x".to_owned())]);
        assert!(warnings.repeated().is_empty());
    }

    #[test]
    fn what_plugins_say_beyond_a_bound_is_counted() {
        let warnings = PluginWarnings::default();
        let long = "x".repeat(LONGEST);
        assert!(warnings.is_new("a", &long) && !warnings.is_new("a", &(long + "y")));
        assert!((1..MOST_REMEMBERED).all(|number| warnings.is_new("a", &number.to_string())));
        assert!(!warnings.is_new("a", "one more") && !warnings.is_new("a", "one more") && !warnings.is_new("a", "1"));
        assert_eq!(lock(&warnings.0).left_out, 2);
    }
}

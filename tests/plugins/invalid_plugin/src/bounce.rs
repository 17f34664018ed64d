//! A search that does what searches should not.

use jackfield_plugin_api::prelude::*;

/// What goes wrong at the third trial.
#[derive(Document, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Bump {
    /// Nothing.
    None,
    /// A decision panics.
    Panic,
    /// A decision fails, and says why.
    Fail,
    /// A decision never comes.
    Loop,
    /// Values outside of the space.
    Outside,
    /// Nothing is left to try.
    Over,
}

/// Picks the least values, and misbehaves at the third trial. It stops each trial that reports more than the one before.
#[derive(Config)]
pub struct Bounce {
    /// What goes wrong.
    #[config(default = Bump::None)]
    pub does: Bump,
}

impl SearchPolicy for Bounce {
    const NAME: &'static str = "bounce";

    fn suggest(&self, study: &Study, known: &[Outcome], question: &SearchQuestion) -> Result<Values> {
        let mut values = study.first_values();
        if question.trial == 2 {
            match self.does {
                Bump::None => {}
                Bump::Panic => panic!("bounced off"),
                Bump::Fail => return Err(Failure::InvalidInput("it does not care for threes".to_owned())),
                Bump::Loop => loop {
                    std::hint::spin_loop();
                },
                Bump::Outside => values.values_mut().for_each(|value| *value = (-7).into()),
                Bump::Over => return Err(Failure::OverBudget("two trials are enough".to_owned())),
            }
        }
        // As many steps from the least as outcomes are known.
        for dimension in &study.space {
            if let (Some(min), Some(max), false) = (dimension.min, dimension.max, dimension.integer) {
                let share = (known.len() + question.pending.len()) as f64 / 64.0;
                values.insert(dimension.name.clone(), (min + (max - min) * share.min(1.0)).into());
            }
        }
        Ok(values)
    }

    fn stop(&self, _study: &Study, known: &[Outcome], question: &SearchQuestion) -> Result<bool> {
        let before = known.iter().rev().find_map(|outcome| outcome.reports.first());
        Ok(before.zip(question.reports.first()).is_some_and(|(before, now)| now > before))
    }
}

//! Weights by which turns are told apart, as the training program leaves them.

use std::sync::LazyLock;

use crate::{
    places::{PLACE_NAMES, PLACE_SIGNALS},
    signals::signal_names,
};

/// The weights of `decisions`.
pub(crate) static DECISIONS: LazyLock<Weights> = LazyLock::new(|| shipped(include_str!("../weights/decisions.txt")));
/// The weights of `actions`.
pub(crate) static ACTIONS: LazyLock<Weights> = LazyLock::new(|| shipped(include_str!("../weights/actions.txt")));

fn shipped(text: &str) -> Weights {
    Weights::parse(text, &signal_names()).expect("a test reads the files of weights")
}

/// The weights of one analyzer, in log odds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weights {
    /// What a turn has without any signal.
    pub bias: f64,
    /// For one unit of each signal of a turn.
    pub signals: Vec<f64>,
    /// For one unit of each signal of a turn, how well it shows what is decided or taken on.
    pub shown: Vec<f64>,
    /// What a place has without any signal.
    pub place_bias: f64,
    /// For one unit of each signal of a place.
    pub place: [f64; PLACE_SIGNALS],
}

impl Weights {
    /// Reads what [`Weights::write`] wrote: a name and a weight on each line; lines that start with `#` are passed over.
    /// `names` are those of a turn's signals, in order.
    ///
    /// # Errors
    /// Says which line is none, or which signal has no weight.
    pub fn parse(text: &str, names: &[String]) -> Result<Self, String> {
        let mut named = std::collections::BTreeMap::new();
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let weight = line.split_once(' ').and_then(|(name, weight)| Some((name, weight.parse::<f64>().ok()?)));
            let (name, weight) = weight.ok_or_else(|| format!("`{line}` is not a name and a number"))?;
            named.insert(name, weight);
        }
        let of = |name: &str| named.get(name).copied().ok_or_else(|| format!("signal `{name}` has no weight"));
        let mut place = [0.0; PLACE_SIGNALS];
        for (weight, name) in place.iter_mut().zip(PLACE_NAMES) {
            *weight = of(&format!("place:{name}"))?;
        }
        Ok(Self {
            bias: of("bias")?,
            signals: names.iter().map(|name| of(name)).collect::<Result<_, _>>()?,
            shown: names.iter().map(|name| of(&format!("shown:{name}"))).collect::<Result<_, _>>()?,
            place_bias: of("place:bias")?,
            place,
        })
    }

    /// The weights as text, with six decimal places.
    #[must_use]
    pub fn write(&self, names: &[String]) -> String {
        let place = PLACE_NAMES.iter().map(|name| format!("place:{name}")).zip(self.place);
        let lines = [("bias".to_owned(), self.bias), ("place:bias".to_owned(), self.place_bias)]
            .into_iter()
            .chain(place)
            .chain(names.iter().cloned().zip(self.signals.iter().copied()))
            .chain(names.iter().map(|name| format!("shown:{name}")).zip(self.shown.iter().copied()));
        lines.map(|(name, weight)| format!("{name} {:.6}\n", weight + 0.0)).collect()
    }

    /// The score of a turn.
    #[must_use]
    pub fn score(&self, signals: &[f64]) -> f64 {
        self.bias + self.signals.iter().zip(signals).map(|(weight, value)| weight * value).sum::<f64>()
    }

    /// How well a turn shows what is decided or taken on: only to be compared.
    #[must_use]
    pub fn shown_score(&self, signals: &[f64]) -> f64 {
        self.shown.iter().zip(signals).map(|(weight, value)| weight * value).sum()
    }

    /// The log odds that a reader agrees on a place.
    #[must_use]
    pub fn place_score(&self, signals: &[f64; PLACE_SIGNALS]) -> f64 {
        self.place_bias + self.place.iter().zip(signals).map(|(weight, value)| weight * value).sum::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::{ACTIONS, DECISIONS, Weights};
    use crate::signals::signal_names;

    #[test]
    fn every_signal_has_a_weight() {
        let names = signal_names();
        for weights in [&*DECISIONS, &*ACTIONS] {
            assert_eq!(Weights::parse(&weights.write(&names), &names).as_ref(), Ok(weights));
        }
    }

    #[test]
    fn a_signal_without_a_weight_is_named() {
        let names = signal_names();
        let text: String = DECISIONS
            .write(&names)
            .lines()
            .filter(|line| !line.starts_with("own:hedge "))
            .map(|line| format!("{line}\n"))
            .collect();
        assert_eq!(Weights::parse(&text, &names), Err("signal `own:hedge` has no weight".to_owned()));
        assert_eq!(Weights::parse("bias much", &names), Err("`bias much` is not a name and a number".to_owned()));
    }
}

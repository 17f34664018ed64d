// Made by `cargo run --release -p jackfield-meetings --example train_topics`.
//! Trained weights by which `topics` finds where topics begin.

use crate::{
    boundary_signals::{OF_ANY_LANGUAGE, SIGNALS},
    segment::{CountModel, Settings},
};

/// How the odds of a talk in English are turned into a division.
pub(crate) const SETTINGS: Settings = Settings { evenness: 0.2, spread: 2.0 };

/// Weights of the signals of a talk in English.
pub(crate) const WEIGHTS: [f64; SIGNALS] = [
    0.050967, 0.003006, 0.037502, 0.00892, 0.052392, 0.017168, 0.034973, 0.025051, 0.063413, 0.055653, 0.03482,
    0.30771, 0.274458, 0.156538, 0.13696, 0.128435, 0.094036, 0.15873, 0.093053, -0.082874, 0.768972, 0.749763,
    0.499812, 0.453292, 0.262461, 2.068267, 0.207763, 0.46481, 0.214765, 0.68296, 0.233978, 0.753085,
];

/// How many topics there are.
pub(crate) const COUNT: CountModel = CountModel { base: 0.7373, by_turn_length: 0.2923 };

/// How the odds of a talk in another language are turned into a division.
pub(crate) const SETTINGS_OF_ANY_LANGUAGE: Settings = Settings { evenness: 0.2, spread: 4.0 };

/// Weights of the signals of a talk in another language.
pub(crate) const WEIGHTS_OF_ANY_LANGUAGE: [f64; OF_ANY_LANGUAGE] = [
    0.112595, -0.006477, 0.071937, 0.027853, 0.114236, 0.005875, 0.065495, 0.045735, 0.10585, 0.072438, 0.043558,
    0.695256, 0.553124, 0.377734, 0.256532, 0.18076, 0.207042, 0.25522, 0.128099,
];

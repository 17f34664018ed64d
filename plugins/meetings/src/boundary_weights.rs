// Made by `cargo run --release -p jackfield-meetings --example train_topics`.
//! Trained weights by which `topics` finds where topics begin.

use crate::{
    boundary_signals::{OF_ANY_LANGUAGE, SIGNALS},
    segment::{CountModel, Settings},
};

/// How the odds of a talk in English are turned into a division.
pub(crate) const SETTINGS: Settings = Settings { evenness: 0.5, spread: 2.0, distinct: 2.5 };

/// Weights of the signals of a talk in English.
pub(crate) const WEIGHTS: [f64; SIGNALS] = [
    0.071502, 0.008422, 0.050473, 0.009499, 0.073325, 0.038414, 0.041896, 0.041854, 0.095692, 0.083883, 0.045977,
    0.444043, 0.345097, 0.141946, 0.138483, 0.128752, 0.141006, 0.245365, 0.165591, -0.427044, 0.981042, 0.832899,
    0.438221, 0.412221, 0.27609, 2.385188, 0.180676, 0.538253, 0.29174, 1.131906, 0.27786, 0.768769, 0.015731,
    0.032389, -0.01457, 0.031832,
];

/// How many topics there are.
pub(crate) const COUNT: CountModel = CountModel { base: 0.7873, by_turn_length: 0.2923 };

/// How the odds of a talk in another language are turned into a division.
pub(crate) const SETTINGS_OF_ANY_LANGUAGE: Settings = Settings { evenness: 0.5, spread: 4.0, distinct: 2.0 };

/// Weights of the signals of a talk in another language.
pub(crate) const WEIGHTS_OF_ANY_LANGUAGE: [f64; OF_ANY_LANGUAGE] = [
    0.045381, -0.003884, 0.031569, 0.007349, 0.046969, 0.000411, 0.03199, 0.013919, 0.040726, 0.031847, 0.020165,
    0.253493, 0.247751, 0.188568, 0.128501, 0.121058, 0.065108, 0.09197, 0.043001,
];

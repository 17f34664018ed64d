// Made by `cargo run --release -p jackfield-meetings --example train_topics`.
//! Trained weights by which `topics` finds where topics begin.

use crate::{
    boundary_signals::{OF_ANY_LANGUAGE, SIGNALS},
    segment::{CountModel, Settings},
};

/// How the odds of a talk in English are turned into a division.
pub(crate) const SETTINGS: Settings = Settings { evenness: 0.2, spread: 2.0, distinct: 2.5 };

/// Weights of the signals of a talk in English.
pub(crate) const WEIGHTS: [f64; SIGNALS] = [
    0.039255, 5.6e-5, 0.02578, 0.007709, 0.040431, 0.004162, 0.025978, 0.013595, 0.035967, 0.028372, 0.017734,
    0.183402, 0.180569, 0.125959, 0.093544, 0.095509, 0.05133, 0.073668, 0.037459, 0.099311, 0.443515, 0.518807,
    0.447763, 0.360304, 0.211923, 1.482845, 0.137737, 0.31796, 0.144274, 0.386727, 0.163789, 0.57651, 0.004359,
    0.007684, 0.036352, 0.093008,
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

//! This plugin answers a query from the passages that a search found, with a citation for each sentence, and grades such answers.
//! It does not search: the passages come from another stage, such as `retrieve`.
//!
//! | extension | what it does |
//! | --- | --- |
//! | [`Answer`] (`answer`) | answers a query from the hits of a search: their best sentences, or a model's words |
//! | [`Grade`] (`grade`) | measures an answer: groundedness, ranking, recall, readability, diversity, cost, and a reward of them |
//!
//! | module | what for |
//! | --- | --- |
//! | [`terms`] | content words of a text |
//! | [`extract`] | the best sentences of passages |
//! | `model_answer` | the request to a model, and the check of its answer |
//! | [`readability`] | Flesch's reading ease |
//! | [`measures`] | groundedness, recall, diversity |
//! | [`ranking`] | how good the order of the passages is |
#![forbid(unsafe_code)]

mod answer;
pub mod extract;
mod grade;
pub mod measures;
mod model_answer;
mod passage;
pub mod ranking;
pub mod readability;
pub mod terms;

use jackfield_plugin_api::prelude::*;

pub use answer::{Answer, Answered, Citation, Mode, Question, Sentence, Tokens};
pub use grade::{Grade, Graded, Grades, Measured, Weights};
pub use passage::Hit;

export_plugin!(Answer, Grade);

//! This plugin finds the domain of a query and the documents that answer it, by words and by vectors, and filters the feedback
//! that is worth learning from. It writes no answers and keeps no database: its indexes are in memory.
//!
//! | extension | what it does |
//! | --- | --- |
//! | [`Domain`] (`domain`) | the domain of a query, learned from a few examples of each |
//! | [`Retrieve`] (`retrieve`) | the documents that answer a query |
//! | [`FeedbackFilter`] (`feedback`) | the feedback that is worth learning from |
//! | [`ReadJudgedQueries`] (`judged-queries`) | queries of which it is known what answers them |
//! | [`MeasureRetrieval`] (`retrieval-quality`) | how good what was found for them is |
//!
//! | module | what for |
//! | --- | --- |
//! | [`embed`] | texts as vectors: hashed features, a sentence encoder, or what the stage's model answers |
//! | [`examples`], [`classify`] | domains from examples |
//! | [`ngrams`], [`rows`], [`svm`], [`linear`] | words and parts of words as sparse vectors, and the linear machines that part them |
//! | [`folds`], [`belief`], [`threshold`] | what a margin is worth, and where to stop believing |
//! | [`softmax`], [`scope`] | dense vectors with examples of no domain |
//! | [`bm25`] | the keyword leg |
//! | [`vectors`], [`ivf`], [`postings`] | the vector leg: exact, among very many, and of vectors that are mostly zero |
//! | [`fuse`], [`index`] | the legs as one ranking |
//! | [`metrics`] | how good a ranking is |
//! | [`feedback`] | the filter |
//!
//! Everything is deterministic, and the same on every target but for the sentence encoder's last digits.
#![forbid(unsafe_code)]

pub mod belief;
pub mod bm25;
pub mod classify;
pub mod collection;
mod domain;
pub mod embed;
pub mod examples;
pub mod feedback;
pub mod folds;
pub mod fuse;
pub mod index;
pub mod ivf;
mod judged;
mod learning;
pub mod linear;
pub mod metrics;
pub mod ngrams;
pub mod postings;
pub mod rank;
mod record;
mod retrieve;
pub mod rows;
pub mod scope;
pub mod softmax;
pub mod svm;
pub mod threshold;
pub mod vectors;
pub mod words;

use jackfield_plugin_api::prelude::*;

pub use domain::{Domain, DomainOf, Score, Text};
pub use feedback::FeedbackFilter;
pub use judged::{
    Found, FoundAndJudged, FoundDocument, JudgedQueries, JudgedQuery, MeasureRetrieval, ReadJudgedQueries,
    RetrievalQuality,
};
pub use retrieve::{Hit, Hits, Query, Retrieve, default_alpha};

export_plugin!(Domain, Retrieve, FeedbackFilter, ReadJudgedQueries, MeasureRetrieval);

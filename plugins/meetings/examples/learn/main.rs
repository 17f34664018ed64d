//! Learns the weights of `decisions` and `actions` from meetings in which readers marked what was decided and taken on, and
//! judges them on meetings that they were not learned from.
//!
//! `cargo run --release -p jackfield-meetings --example learn -- MEETINGS ANNOTATIONS [WEIGHTS]` reads the meetings of a folder
//! (`NAME.json` with `meeting_transcripts`) and the annotations of another (`judged/NAME.json`, `further/NAME.json`; talks of our own
//! with their text in `short.json` and `talks.json`), prints Markdown, and with a third folder writes `decisions.txt` and `actions.txt` there,
//! the same bytes each time. All annotations are learned from; those of `judged` are judged by.
//!
//! A turn is right if it lies within one turn of what a reader of a wanted item marked (`sure` 2 or 3); items of `sure` 1 are
//! neither right nor wrong. First each turn gets a score (logistic regression with an L2 penalty, by Newton's method), then each
//! place gets the probability that it is right, learned from scores of turns in series that the scoring was not learned from.
//! In the tables whole series of meetings are left out, or single meetings.

mod data;
mod fit;
mod judge;

use std::{error::Error, fs, path::Path};

use jackfield_meetings::learning::{Scores, Target, Weights, found, signal_names};

use data::{Meeting, read};
use fit::{Example, logistic_regression};
use judge::{Outcome, judge};

/// The strength of the L2 penalty on the weights of a place's signals.
const PLACE_PENALTY: f64 = 1.0;
/// Turns of short talks are few, and count so often where it is learned what a turn does.
const SHORT_WEIGHT: f64 = 5.0;
/// The readers of the further meetings mark more, so that these count less where it is learned how sure a place is.
const FURTHER_WEIGHT: f64 = 0.5;
/// Into so many parts the learned series are divided to learn what a place is worth.
const PARTS: usize = 4;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [meetings, annotations, rest @ ..] = &arguments[..] else {
        return Err("usage: learn MEETINGS ANNOTATIONS [WEIGHTS]".into());
    };
    let names = signal_names();
    for (target, name) in [(Target::Decisions, "decisions"), (Target::Actions, "actions")] {
        let all = read(Path::new(meetings), Path::new(annotations), target)?;
        if let Some(folder) = rest.first() {
            let weights = learn(&all.iter().collect::<Vec<_>>(), target);
            let head = format!(
                "# The weights of `{name}`, in log odds. Written by `cargo run --release -p jackfield-meetings --example learn`.\n"
            );
            fs::write(Path::new(folder).join(format!("{name}.txt")), head + &weights.write(&names))?;
        }
        println!("\n### {name}\n");
        tables(&all, target)?;
    }
    Ok(())
}

/// The weights learned from these meetings.
fn learn(meetings: &[&Meeting], target: Target) -> Weights {
    let mut series: Vec<&str> = meetings.iter().map(|meeting| meeting.series.as_str()).collect();
    series.sort_unstable();
    series.dedup();
    let part_of = |meeting: &Meeting| series.iter().position(|one| *one == meeting.series).unwrap_or(0) % PARTS;
    let mut examples = Vec::new();
    for part in 0..PARTS {
        let rest: Vec<&Meeting> = meetings.iter().copied().filter(|meeting| part_of(meeting) != part).collect();
        let (bias, signals) = turn_weights(&rest, turn_penalty(target), |meeting, turn| meeting.label(&[turn]));
        let (_, shown) = turn_weights(&rest, turn_penalty(target), Meeting::key_label);
        let weights = Weights { bias, signals, shown, ..Weights::default() };
        for meeting in meetings.iter().filter(|meeting| part_of(meeting) == part) {
            examples.extend(place_examples(meeting, target, &weights));
        }
    }
    let (place_bias, place) = logistic_regression(&examples, PLACE_PENALTY);
    let (bias, signals) = turn_weights(meetings, turn_penalty(target), |meeting, turn| meeting.label(&[turn]));
    let (_, shown) = turn_weights(meetings, turn_penalty(target), Meeting::key_label);
    let place = place.try_into().unwrap_or_else(|_| unreachable!("one weight for each signal"));
    Weights { bias, signals, shown, place_bias, place }
}

/// The strength of the L2 penalty on the weights of a turn's scaled signals, chosen by leaving out series.
fn turn_penalty(target: Target) -> f64 {
    match target {
        Target::Decisions => 1000.0,
        Target::Actions => 300.0,
    }
}

/// The weights of a turn's signals.
fn turn_weights(
    meetings: &[&Meeting],
    penalty: f64,
    label: impl Fn(&Meeting, usize) -> Option<bool>,
) -> (f64, Vec<f64>) {
    let count = meetings.first().map_or(0, |meeting| meeting.described.signals[0].len());
    let mut examples: Vec<Example> = Vec::new();
    for meeting in meetings {
        for (turn, signals) in meeting.described.signals.iter().enumerate() {
            if let Some(label) = label(meeting, turn) {
                examples.push(Example { signals: signals.clone(), label, weight: weight(meeting) });
            }
        }
    }
    let scales = fit::deviations(&examples, count);
    for example in &mut examples {
        example.signals.iter_mut().zip(&scales).for_each(|(value, scale)| *value /= scale);
    }
    let (bias, mut weights) = logistic_regression(&examples, penalty);
    weights.iter_mut().zip(&scales).for_each(|(weight, scale)| *weight /= scale);
    (bias, weights)
}

/// What the places of a meeting count. Those of short talks count no more than others, since more is decided in them.
fn place_weight(meeting: &Meeting) -> f64 {
    if meeting.judged || meeting.is_short { 1.0 } else { FURTHER_WEIGHT }
}

fn weight(meeting: &Meeting) -> f64 {
    if meeting.is_short { SHORT_WEIGHT } else { 1.0 }
}

/// Every place of a meeting, and whether it is right.
fn place_examples(meeting: &Meeting, target: Target, weights: &Weights) -> Vec<Example> {
    let scored = meeting.described.signals.iter().map(|signals| weights.score(signals)).collect();
    let shown = meeting.described.signals.iter().map(|signals| weights.shown_score(signals)).collect();
    let scores = Scores::new(target, &meeting.described.outlines, scored, shown);
    let mut examples = Vec::new();
    for turn in 0..meeting.described.outlines.len() {
        let others = scores.others(turn, &[]);
        let turns: Vec<usize> = others.iter().copied().chain([turn]).collect();
        if let Some(label) = meeting.label(&turns).filter(|_| scores.is_shown(turn, &others)) {
            let signals = scores.signals(turn, &others).to_vec();
            examples.push(Example { signals, label, weight: place_weight(meeting) });
        }
    }
    examples
}

/// Judges on meetings left out, by series and one by one.
fn tables(all: &[Meeting], target: Target) -> Result<(), Box<dyn Error>> {
    let least = judge::default_least(target);
    let fold = |is_left_out: &dyn Fn(&Meeting) -> bool| {
        let rest: Vec<&Meeting> = all.iter().filter(|meeting| !is_left_out(meeting)).collect();
        learn(&rest, target)
    };
    // The shortest talks show the kinds of sentences that there are, and are there to be learned from only.
    let is_judged = |meeting: &&Meeting| !meeting.series.starts_with("short");
    let mut series: Vec<&str> = all.iter().filter(is_judged).map(|meeting| meeting.series.as_str()).collect();
    series.sort_unstable();
    series.dedup();
    let (mut by_series, mut of_talks): (Vec<Outcome>, Vec<Outcome>) = Default::default();
    for one in series {
        let weights = fold(&|meeting| meeting.series == one);
        for meeting in all.iter().filter(|meeting| meeting.series == one) {
            let outcome = judge(meeting, &found(&meeting.transcript, target, &weights, 0.05));
            if meeting.is_short { of_talks.push(outcome) } else { by_series.push(outcome) }
        }
    }
    let judged = |outcomes: &[Outcome]| outcomes.iter().filter(|outcome| outcome.judged).cloned().collect::<Vec<_>>();
    println!(
        "| left out | judged on | at least | found | precision | recall | F1 | at .8: share | precision | shown |"
    );
    println!("| --- | --- | --: | --: | --: | --: | --: | --: | --: | --: |");
    for least in [0.4, 0.5, 0.6, 0.7] {
        judge::line("series", "12", &judged(&by_series), least);
        judge::line("series", "all", &by_series, least);
        judge::line("series", "talks", &of_talks, least);
    }
    let mut by_meeting: Vec<Outcome> = Vec::new();
    for meeting in all.iter().filter(|meeting| meeting.judged) {
        let weights = fold(&|other| other.name == meeting.name);
        by_meeting.push(judge(meeting, &found(&meeting.transcript, target, &weights, 0.05)));
    }
    judge::line("meeting", "12", &by_meeting, least);
    judge::baselines(&judged(&by_series), all, least, target);
    judge::reliability(&judged(&by_series), &by_series, least);
    Ok(())
}

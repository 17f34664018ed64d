//! Measures `key-points` against meetings with gold spans, and times every analyzer of the crate.
//!
//! `cargo run --release -p jackfield-meetings --example quality -- FOLDER [NAME=CONFIG ...]` reads every `*.json` of the
//! folder (QMSum's form: `meeting_transcripts`, `specific_query_list`); `topics={"count":4}` sets the config of an analyzer.
//! Prints Markdown; every number is deterministic but for the times. The table of this crate is made with
//! `key-points={"share":0.1,"max":1000}`: one segment in ten of every meeting, whatever its length.
//!
//! The segments picked are held against those inside of the spans that answer the meeting's specific queries; recall and
//! precision are means over meetings, pooled recall is taken over all segments together. How well `topics` divides meetings is
//! measured by the program that trains it, on meetings left out of the training: the example `train_topics`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::Arc,
    task::{Context as TaskContext, Poll, Waker},
    time::{Duration, Instant},
};

use jackfield_plugin_api::{Context, Document, Extension, Random, Request, linked_extensions, testing::FakeHost};
use jackfield_text::words;
use measures::{Error, draw, json_files, name, paired, spans};
use serde_json::{Value, json};

#[expect(dead_code, reason = "it measures divisions into topics as well, for another example")]
mod measures;

const RANDOM_ROUNDS: usize = 50;

fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("usage: quality FOLDER [NAME=CONFIG ...]")?;
    let configs: BTreeMap<String, String> = arguments
        .filter_map(|a| a.split_once('=').map(|(name, config)| (name.to_owned(), config.to_owned())))
        .collect();
    let mut bench =
        Bench { extensions: linked_extensions(), configs, times: BTreeMap::new(), longest: BTreeMap::new() };
    // A crate is linked in where it is named.
    let _ = (size_of::<jackfield_meetings::Topics>(), size_of::<jackfield_transcript::Source>());

    let mut meetings: Vec<Meeting> = Vec::new();
    for path in json_files(Path::new(&folder))? {
        let text = fs::read_to_string(&path)?;
        let gold: Value = serde_json::from_str(&text)?;
        let transcript = bench.call("transcript", json!({ "text": text }).to_string())?;
        let answers: BTreeMap<String, Value> = bench
            .names()
            .into_iter()
            .map(|name| Ok((name.clone(), serde_json::from_str(&bench.call(&name, transcript.clone())?)?)))
            .collect::<Result<_, Error>>()?;
        let turns = gold["meeting_transcripts"].as_array().map_or(&[][..], Vec::as_slice);
        let lengths: Vec<usize> =
            turns.iter().map(|turn| words::count(turn["content"].as_str().unwrap_or_default())).collect();
        let picked = picked(&answers["key-points"]);
        let mut random = Random::new(turns.len() as u64);
        meetings.push(Meeting {
            name: name(&path),
            turns: turns.len(),
            points: point_row(&lengths, &picked, &wanted(&gold, turns.len()), &mut random),
            picked: picked.len(),
        });
    }
    each(&meetings);
    point_table(&meetings);
    println!("\n| analyzer | ms, all | ms, longest |\n| --- | --: | --: |");
    for (name, time) in &bench.times {
        println!("| {name} | {:.1} | {:.1} |", time.as_secs_f64() * 1e3, bench.longest[name].as_secs_f64() * 1e3);
    }
    let all: Duration = bench.times.iter().filter(|(name, _)| *name != "transcript").map(|(_, time)| *time).sum();
    println!("\nAll but transcript: {:.2} s.", all.as_secs_f64());
    Ok(())
}

/// One meeting, measured.
struct Meeting {
    name: String,
    turns: usize,
    /// How many segments were picked.
    picked: usize,
    points: Vec<Hits>,
}

/// Picked segments that are wanted.
#[derive(Clone, Copy)]
struct Hits {
    hits: f64,
    wanted: f64,
    picked: f64,
}

impl Hits {
    fn recall(&self) -> f64 {
        self.hits / self.wanted.max(1.0)
    }

    fn precision(&self) -> f64 {
        self.hits / self.picked.max(1.0)
    }
}

const PICKERS: [&str; 4] = ["ours", "longest segments", "first segments", "random segments"];

fn each(meetings: &[Meeting]) {
    println!("| meeting | turns | picked | recall | recall, longest | precision | precision, longest |");
    println!("| --- | --: | --: | --: | --: | --: | --: |");
    for Meeting { name, turns, picked, points } in meetings {
        println!(
            "| {name} | {turns} | {picked} | {:.3} | {:.3} | {:.3} | {:.3} |",
            points[0].recall(),
            points[1].recall(),
            points[0].precision(),
            points[1].precision(),
        );
    }
}

fn point_table(meetings: &[Meeting]) {
    println!(
        "\n| key-points | recall | pooled recall | precision | recall, ours less this | p | precision, ours less this | p |"
    );
    println!("| --- | --: | --: | --: | --: | --: | --: | --: |");
    for (at, name) in PICKERS.iter().enumerate() {
        let mean = |of: fn(&Hits) -> f64| {
            meetings.iter().map(|meeting| of(&meeting.points[at])).sum::<f64>() / meetings.len().max(1) as f64
        };
        let sum = |of: fn(&Hits) -> f64| meetings.iter().map(|meeting| of(&meeting.points[at])).sum::<f64>();
        let pooled = sum(|hits| hits.hits) / sum(|hits| hits.wanted).max(1.0);
        print!("| {name} | {:.3} | {pooled:.3} | {:.3} |", mean(Hits::recall), mean(Hits::precision));
        if at == 0 {
            println!(" | | | |");
            continue;
        }
        let less = |of: fn(&Hits) -> f64| {
            let differences = meetings.iter().map(|meeting| of(&meeting.points[0]) - of(&meeting.points[at]));
            paired(&differences.collect::<Vec<_>>())
        };
        println!(" {} | {} |", less(Hits::recall), less(Hits::precision));
    }
    let (turns, picked) = meetings.iter().fold((0, 0), |sum, of| (sum.0 + of.turns, sum.1 + of.picked));
    println!("\n{picked} of {turns} segments are picked, {:.1} %.", 100.0 * picked as f64 / turns.max(1) as f64);
}

struct Bench {
    extensions: Vec<Arc<dyn Extension>>,
    configs: BTreeMap<String, String>,
    /// Time by analyzer, over all meetings.
    times: BTreeMap<String, Duration>,
    /// The longest call of each analyzer.
    longest: BTreeMap<String, Duration>,
}

impl Bench {
    fn names(&self) -> Vec<String> {
        self.extensions.iter().map(|e| e.descriptor().name.clone()).filter(|name| name != "transcript").collect()
    }

    fn call(&mut self, name: &str, input: String) -> Result<String, Error> {
        let extension = self.extensions.iter().find(|e| e.descriptor().name == name).ok_or("not linked in")?;
        let instance = extension.open(self.configs.get(name).map_or("{}", String::as_str))?;
        let context = Context { stage: name.into(), item: "item".into(), element: 0, replicate: 0, seed: 0 };
        let batch = [Request { document: Document::new(input), context }];
        let start = Instant::now();
        let host = FakeHost::default();
        let mut future = instance.call(&batch, &host);
        let Poll::Ready(mut results) = future.as_mut().poll(&mut TaskContext::from_waker(Waker::noop())) else {
            return Err("an analyzer of this crate waits for something".into());
        };
        let time = start.elapsed();
        *self.times.entry(name.to_owned()).or_default() += time;
        let longest = self.longest.entry(name.to_owned()).or_default();
        *longest = time.max(*longest);
        Ok(results.remove(0)?.json.to_string())
    }
}

fn picked(answer: &Value) -> BTreeSet<usize> {
    let findings = answer["findings"].as_array().into_iter().flatten();
    let segments = findings.flat_map(|finding| finding["evidence"].as_array().into_iter().flatten());
    segments
        .filter_map(|e| e["segment"].as_str()?.strip_prefix('s')?.parse::<usize>().ok())
        .map(|number| number - 1)
        .collect()
}

fn wanted(gold: &Value, n: usize) -> BTreeSet<usize> {
    spans(&gold["specific_query_list"]).into_iter().flat_map(|(from, to)| from..=to).filter(|&at| at < n).collect()
}

fn point_row(lengths: &[usize], picked: &BTreeSet<usize>, wanted: &BTreeSet<usize>, random: &mut Random) -> Vec<Hits> {
    let hits = |chosen: &BTreeSet<usize>| chosen.intersection(wanted).count() as f64;
    let drawn: f64 = (0..RANDOM_ROUNDS).map(|_| hits(&draw(lengths.len(), picked.len(), random))).sum();
    let mut by_length: Vec<usize> = (0..lengths.len()).collect();
    by_length.sort_by_key(|&turn| (usize::MAX - lengths[turn], turn));
    let longest = by_length.into_iter().take(picked.len()).collect();
    [hits(picked), hits(&longest), hits(&(0..picked.len()).collect()), drawn / RANDOM_ROUNDS as f64]
        .map(|hits| Hits { hits, wanted: wanted.len() as f64, picked: picked.len() as f64 })
        .to_vec()
}

//! Measures `topics` and `key-points` against meetings with gold spans, and times every analyzer of the crate.
//!
//! `cargo run --release -p jackfield-meetings --example quality -- FOLDER [NAME=CONFIG ...]` reads every `*.json` of the
//! folder (QMSum's form: `meeting_transcripts`, `topic_list`, `specific_query_list`); `topics={"count":4}` sets the
//! config of an analyzer. Prints Markdown; every number is deterministic but for the times. The tables of this crate are
//! made with `key-points={"share":0.1,"max":1000}`: one segment in ten of every meeting, whatever its length.
//!
//! Topics: Pk (Beeferman, Berger & Lafferty 1999) and WindowDiff (Pevzner & Hearst 2002) over segment indices, with a
//! window of half the mean length of a gold segment; lower is better. Key points: the segments picked, against those
//! inside of the spans that answer the meeting's specific queries; recall and precision are means over meetings, pooled
//! recall is taken over all segments together.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::Arc,
    task::{Context as TaskContext, Poll, Waker},
    time::{Duration, Instant},
};

use jackfield_plugin_api::{Context, Document, Extension, Random, Request, linked_extensions, testing::FakeHost};
use serde_json::{Value, json};

const RANDOM_ROUNDS: usize = 50;

type Error = Box<dyn std::error::Error>;

fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("usage: quality FOLDER [NAME=CONFIG ...]")?;
    let configs: BTreeMap<String, String> = arguments
        .filter_map(|a| a.split_once('=').map(|(name, config)| (name.to_owned(), config.to_owned())))
        .collect();
    let mut bench = Bench { extensions: linked_extensions(), configs, times: BTreeMap::new() };
    // A crate is linked in where it is named.
    let _ = (size_of::<jackfield_meetings::Topics>(), size_of::<jackfield_transcript::Source>());

    let mut files: Vec<_> = fs::read_dir(folder)?.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let mut meetings: Vec<Meeting> = Vec::new();
    for path in &files {
        let text = fs::read_to_string(path)?;
        let gold: Value = serde_json::from_str(&text)?;
        let transcript = bench.call("transcript", json!({ "text": text }).to_string())?;
        let answers: BTreeMap<String, Value> = bench
            .names()
            .into_iter()
            .map(|name| Ok((name.clone(), serde_json::from_str(&bench.call(&name, transcript.clone())?)?)))
            .collect::<Result<_, Error>>()?;
        let n = gold["meeting_transcripts"].as_array().map_or(0, Vec::len);
        let mut random = Random::new(n as u64);
        let found = found_cuts(&answers["topics"]);
        let picked = picked(&answers["key-points"]);
        meetings.push(Meeting {
            name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            turns: n,
            topics: topic_row(n, &gold_cuts(&gold, n), &found, &mut random),
            points: point_row(n, &picked, &wanted(&gold, n), &mut random),
            found: found.len() + 1,
            picked: picked.len(),
        });
    }
    each(&meetings);
    topic_table(&meetings);
    point_table(&meetings);
    println!("\n| analyzer | ms |\n| --- | --: |");
    for (name, time) in &bench.times {
        println!("| {name} | {:.1} |", time.as_secs_f64() * 1e3);
    }
    let all: Duration = bench.times.iter().filter(|(name, _)| *name != "transcript").map(|(_, time)| *time).sum();
    println!("\nAll but transcript: {:.2} s.", all.as_secs_f64());
    Ok(())
}

/// One meeting, measured.
struct Meeting {
    name: String,
    turns: usize,
    /// How many topics were found.
    found: usize,
    /// How many segments were picked.
    picked: usize,
    topics: Vec<[f64; 2]>,
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

const DIVISIONS: [&str; 5] = ["ours", "even, our count", "even, gold count", "random, our count", "no boundary"];
const PICKERS: [&str; 3] = ["ours", "first segments", "random segments"];

fn each(meetings: &[Meeting]) {
    println!("| meeting | turns | topics | Pk | Pk, even | picked | recall | recall, first | precision |");
    println!("| --- | --: | --: | --: | --: | --: | --: | --: | --: |");
    for Meeting { name, turns, found, picked, topics, points } in meetings {
        println!(
            "| {name} | {turns} | {found} | {:.3} | {:.3} | {picked} | {:.3} | {:.3} | {:.3} |",
            topics[0][0],
            topics[1][0],
            points[0].recall(),
            points[1].recall(),
            points[0].precision(),
        );
    }
}

/// All meetings, and each half: parameters chosen on one are to hold on the other.
fn parts(meetings: &[Meeting]) -> [Vec<&Meeting>; 3] {
    let half = |odd: usize| meetings.iter().skip(odd).step_by(2).collect();
    [meetings.iter().collect(), half(0), half(1)]
}

fn mean(part: &[&Meeting], of: impl Fn(&Meeting) -> f64) -> f64 {
    part.iter().map(|meeting| of(meeting)).sum::<f64>() / part.len().max(1) as f64
}

fn topic_table(meetings: &[Meeting]) {
    println!(
        "\n| topics | Pk | WindowDiff | even files | | odd files | |\n| --- | --: | --: | --: | --: | --: | --: |"
    );
    for (at, name) in DIVISIONS.iter().enumerate() {
        let cells = parts(meetings).map(|part| {
            let [pk, diff] = [0, 1].map(|measure| mean(&part, |meeting| meeting.topics[at][measure]));
            format!(" {pk:.3} | {diff:.3} |")
        });
        println!("| {name} |{}", cells.concat());
    }
}

fn point_table(meetings: &[Meeting]) {
    println!("\n| key-points | recall | pooled recall | precision | even files | | | odd files | | |");
    println!("| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |");
    for (at, name) in PICKERS.iter().enumerate() {
        let cells = parts(meetings).map(|part| {
            let recall = mean(&part, |meeting| meeting.points[at].recall());
            let precision = mean(&part, |meeting| meeting.points[at].precision());
            let sum = |of: fn(&Hits) -> f64| part.iter().map(|meeting| of(&meeting.points[at])).sum::<f64>();
            let pooled = sum(|hits| hits.hits) / sum(|hits| hits.wanted).max(1.0);
            format!(" {recall:.3} | {pooled:.3} | {precision:.3} |")
        });
        println!("| {name} |{}", cells.concat());
    }
    let (turns, picked) = meetings.iter().fold((0, 0), |sum, of| (sum.0 + of.turns, sum.1 + of.picked));
    println!("\n{picked} of {turns} segments are picked, {:.1} %.", 100.0 * picked as f64 / turns.max(1) as f64);
}

struct Bench {
    extensions: Vec<Arc<dyn Extension>>,
    configs: BTreeMap<String, String>,
    times: BTreeMap<String, Duration>,
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
        *self.times.entry(name.to_owned()).or_default() += start.elapsed();
        Ok(results.remove(0)?.json.to_string())
    }
}

fn span(value: &Value) -> Option<(usize, usize)> {
    let end = |at: usize| value[at].as_str().and_then(|text| text.parse().ok());
    Some((end(0)?, end(1)?))
}

fn spans(list: &Value) -> Vec<(usize, usize)> {
    let entries = list.as_array().into_iter().flatten();
    entries.flat_map(|entry| entry["relevant_text_span"].as_array().into_iter().flatten()).filter_map(span).collect()
}

fn gold_cuts(gold: &Value, n: usize) -> Vec<usize> {
    let starts: BTreeSet<usize> =
        spans(&gold["topic_list"]).into_iter().map(|span| span.0).filter(|s| (1..n).contains(s)).collect();
    starts.into_iter().collect()
}

fn found_cuts(answer: &Value) -> Vec<usize> {
    let firsts = answer["topics"].as_array().into_iter().flatten().filter_map(|topic| topic["first_index"].as_u64());
    firsts.map(|first| first as usize).filter(|&first| first > 0).collect()
}

fn topic_row(n: usize, gold: &[usize], found: &[usize], random: &mut Random) -> Vec<[f64; 2]> {
    let even = |count: usize| (1..count).map(|at| at * n / count).collect::<Vec<_>>();
    let mut row: Vec<_> = [found.to_vec(), even(found.len() + 1), even(gold.len() + 1)]
        .iter()
        .map(|cuts| pk_and_window_diff(n, gold, cuts))
        .collect();
    let mut sums = [0.0; 2];
    for _ in 0..RANDOM_ROUNDS {
        let cuts = draw(n - 1, found.len(), random).into_iter().map(|at| at + 1).collect::<Vec<_>>();
        let measured = pk_and_window_diff(n, gold, &cuts);
        sums.iter_mut().zip(measured).for_each(|(sum, value)| *sum += value);
    }
    row.push(sums.map(|sum| sum / RANDOM_ROUNDS as f64));
    row.push(pk_and_window_diff(n, gold, &[]));
    row
}

fn pk_and_window_diff(n: usize, gold: &[usize], cuts: &[usize]) -> [f64; 2] {
    let window = ((n as f64 / (gold.len() + 1) as f64 / 2.0).round() as usize).max(1);
    let between = |cuts: &[usize], from: usize| cuts.iter().filter(|&&cut| cut > from && cut <= from + window).count();
    let probes = n.saturating_sub(window);
    let (mut pk, mut diff) = (0, 0);
    for from in 0..probes {
        let (a, b) = (between(gold, from), between(cuts, from));
        pk += usize::from((a == 0) != (b == 0));
        diff += usize::from(a != b);
    }
    [pk as f64 / probes.max(1) as f64, diff as f64 / probes.max(1) as f64]
}

/// So many different numbers below `n`, in order.
fn draw(n: usize, count: usize, random: &mut Random) -> BTreeSet<usize> {
    let mut drawn = BTreeSet::new();
    while drawn.len() < count.min(n) {
        drawn.insert(random.below(n as u64) as usize);
    }
    drawn
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

fn point_row(n: usize, picked: &BTreeSet<usize>, wanted: &BTreeSet<usize>, random: &mut Random) -> Vec<Hits> {
    let hits = |chosen: &BTreeSet<usize>| chosen.intersection(wanted).count() as f64;
    let drawn: f64 = (0..RANDOM_ROUNDS).map(|_| hits(&draw(n, picked.len(), random))).sum();
    [hits(picked), hits(&(0..picked.len()).collect()), drawn / RANDOM_ROUNDS as f64]
        .map(|hits| Hits { hits, wanted: wanted.len() as f64, picked: picked.len() as f64 })
        .to_vec()
}

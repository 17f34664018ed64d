//! Measures `topics` and `key-points` against meetings with gold spans, and times every analyzer of the crate.
//!
//! `cargo run --release -p jackfield-meetings --example quality -- FOLDER [NAME=CONFIG ...]` reads every `*.json` of the
//! folder (QMSum's form: `meeting_transcripts`, `topic_list`, `specific_query_list`); `topics={"count":4}` sets the
//! config of an analyzer. Every number is deterministic but for the times.
//!
//! Topics: Pk (Beeferman, Berger & Lafferty 1999) and WindowDiff (Pevzner & Hearst 2002) over segment indices, with a
//! window of half the mean length of a gold segment; lower is better. Key points: the segments picked, against those
//! inside of the spans that answer the meeting's specific queries.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::Arc,
    task::{Context as TaskContext, Poll, Waker},
    time::{Duration, Instant},
};

use jackfield_plugin_api::{Context, Document, Extension, HostCalls, Level, Random, Request, linked_in};
use serde_json::{Value, json};

const RANDOM_ROUNDS: usize = 50;

type Error = Box<dyn std::error::Error>;

fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("usage: quality FOLDER [NAME=CONFIG ...]")?;
    let configs: BTreeMap<String, String> =
        arguments.filter_map(|a| a.split_once('=').map(|(name, config)| (name.to_owned(), config.to_owned()))).collect();
    let mut bench = Bench { extensions: linked_in(), configs, times: BTreeMap::new() };
    // A crate is linked in where it is named.
    let _ = (size_of::<jackfield_meetings::Topics>(), size_of::<jackfield_transcript::Source>());

    let mut files: Vec<_> = fs::read_dir(folder)?.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let mut topics: Vec<Vec<f64>> = Vec::new();
    let mut points: Vec<Vec<f64>> = Vec::new();
    let mut pooled = Pooled::default();
    println!("{:<18} {:>5} {:>5} {:>5} {:>6} {:>6}   {:>6} {:>6} {:>6}", "meeting", "turns", "gold", "ours", "Pk", "even", "picks", "prec.", "random");
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
        let cuts = gold_cuts(&gold, n);
        let found = found_cuts(&answers["topics"]);
        let row = topic_row(n, &cuts, &found, &mut random);
        let picked = picked(&answers["key-points"]);
        let wanted = wanted(&gold, n);
        let point = point_row(n, &picked, &wanted, &mut random);
        let first = (0..picked.len()).filter(|at| wanted.contains(at)).count();
        pooled.add(picked.intersection(&wanted).count(), first, point[5] * picked.len() as f64, wanted.len());
        println!(
            "{:<18} {n:>5} {:>5} {:>5} {:>6.3} {:>6.3}   {:>6} {:>6.3} {:>6.3}",
            path.file_stem().unwrap_or_default().to_string_lossy(),
            cuts.len() + 1,
            found.len() + 1,
            row[0],
            row[2],
            picked.len(),
            point[1],
            point[5],
        );
        topics.push(row);
        points.push(point);
    }
    table("topics", &["Pk", "WindowDiff"], &["ours", "even, our count", "even, gold count", "random, our count", "no boundary"], &topics);
    table("key-points", &["recall", "precision"], &["ours", "first segments", "random segments"], &points);
    pooled.print();
    println!();
    for (name, time) in &bench.times {
        println!("{name:<14} {:>8.1} ms", time.as_secs_f64() * 1e3);
    }
    let all: Duration = bench.times.iter().filter(|(name, _)| *name != "transcript").map(|(_, time)| *time).sum();
    println!("all but transcript: {:.2} s", all.as_secs_f64());
    Ok(())
}

/// Hits over all meetings together: a meeting with few wanted segments weighs no more than its size.
#[derive(Default)]
struct Pooled {
    ours: f64,
    first: f64,
    random: f64,
    wanted: f64,
    /// Meetings where ours finds more than the first segments do, and where less.
    against_first: (usize, usize),
    against_random: (usize, usize),
}

impl Pooled {
    fn add(&mut self, ours: usize, first: usize, random: f64, wanted: usize) {
        self.against_first.0 += usize::from(ours > first);
        self.against_first.1 += usize::from(ours < first);
        self.against_random.0 += usize::from(ours as f64 > random);
        self.against_random.1 += usize::from((ours as f64) < random);
        self.ours += ours as f64;
        self.first += first as f64;
        self.random += random;
        self.wanted += wanted as f64;
    }

    fn print(&self) {
        let share = |hits: f64| hits / self.wanted.max(1.0);
        let Self { against_first: first, against_random: random, .. } = self;
        println!(
            "recall over all meetings pooled: ours {:.4}, first segments {:.4}, random segments {:.4}",
            share(self.ours),
            share(self.first),
            share(self.random)
        );
        println!("meetings won and lost: {} and {} against the first segments, {} and {} against random ones", first.0, first.1, random.0, random.1);
    }
}

/// Means over all meetings, and over each half: parameters chosen on one are to hold on the other.
fn table(title: &str, measures: &[&str], names: &[&str], rows: &[Vec<f64>]) {
    println!("\n{title:<20} {}", ["all", "even half", "odd half"].map(|part| format!("{part:>18}")).join(""));
    println!("{:<20} {}", "", [measures.join(" / ").as_str(); 3].map(|part| format!("{part:>18}")).join(""));
    for (at, name) in names.iter().enumerate() {
        let mut line = format!("{name:<20} ");
        for part in [&[0, 1][..], &[0], &[1]] {
            let chosen: Vec<_> = rows.iter().enumerate().filter(|(index, _)| part.contains(&(index % 2))).collect();
            let means: Vec<String> = (0..measures.len())
                .map(|m| {
                    let sum: f64 = chosen.iter().map(|(_, row)| row[at * measures.len() + m]).sum();
                    format!("{:.3}", sum / chosen.len().max(1) as f64)
                })
                .collect();
            line.push_str(&format!("{:>18}", means.join(" / ")));
        }
        println!("{line}");
    }
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
        let mut future = instance.call(&batch, &Quiet);
        let Poll::Ready(mut results) = future.as_mut().poll(&mut TaskContext::from_waker(Waker::noop())) else {
            return Err("an analyzer of this crate waits for something".into());
        };
        *self.times.entry(name.to_owned()).or_default() += start.elapsed();
        Ok(results.remove(0)?.json.to_string())
    }
}

struct Quiet;

impl HostCalls for Quiet {
    fn log(&self, _: Level, _: &str, _: &str) {}
    fn progress(&self, _: u32, _: u64, _: Option<u64>, _: &str) {}
    fn cancelled(&self) -> bool {
        false
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
    let starts: BTreeSet<usize> = spans(&gold["topic_list"]).into_iter().map(|span| span.0).filter(|s| (1..n).contains(s)).collect();
    starts.into_iter().collect()
}

fn found_cuts(answer: &Value) -> Vec<usize> {
    let firsts = answer["topics"].as_array().into_iter().flatten().filter_map(|topic| topic["first_index"].as_u64());
    firsts.map(|first| first as usize).filter(|&first| first > 0).collect()
}

fn topic_row(n: usize, gold: &[usize], found: &[usize], random: &mut Random) -> Vec<f64> {
    let even = |count: usize| (1..count).map(|at| at * n / count).collect::<Vec<_>>();
    let mut row = Vec::new();
    for cuts in [found.to_vec(), even(found.len() + 1), even(gold.len() + 1)] {
        row.extend(pk_and_window_diff(n, gold, &cuts));
    }
    let mut sums = [0.0; 2];
    for _ in 0..RANDOM_ROUNDS {
        let cuts = draw(n - 1, found.len(), random).into_iter().map(|at| at + 1).collect::<Vec<_>>();
        let measured = pk_and_window_diff(n, gold, &cuts);
        sums.iter_mut().zip(measured).for_each(|(sum, value)| *sum += value);
    }
    row.extend(sums.map(|sum| sum / RANDOM_ROUNDS as f64));
    row.extend(pk_and_window_diff(n, gold, &[]));
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
    segments.filter_map(|e| e["segment"].as_str()?.strip_prefix('s')?.parse::<usize>().ok()).map(|number| number - 1).collect()
}

fn wanted(gold: &Value, n: usize) -> BTreeSet<usize> {
    spans(&gold["specific_query_list"]).into_iter().flat_map(|(from, to)| from..=to).filter(|&at| at < n).collect()
}

fn point_row(n: usize, picked: &BTreeSet<usize>, wanted: &BTreeSet<usize>, random: &mut Random) -> Vec<f64> {
    let measure = |chosen: &BTreeSet<usize>| {
        let hits = chosen.intersection(wanted).count() as f64;
        [hits / wanted.len().max(1) as f64, hits / chosen.len().max(1) as f64]
    };
    let mut row = Vec::new();
    row.extend(measure(picked));
    row.extend(measure(&(0..picked.len()).collect()));
    let mut sums = [0.0; 2];
    for _ in 0..RANDOM_ROUNDS {
        sums.iter_mut().zip(measure(&draw(n, picked.len(), random))).for_each(|(sum, value)| *sum += value);
    }
    row.extend(sums.map(|sum| sum / RANDOM_ROUNDS as f64));
    row
}

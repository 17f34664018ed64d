//! Trains the weights by which `topics` finds where topics begin, and measures them on meetings that they were not trained on.
//!
//! `cargo run --release -p jackfield-meetings --example train_topics -- FOLDER [WEIGHTS] [model=MODEL]` reads every `*.json`
//! of the folder (QMSum's form: `meeting_transcripts`, `topic_list`), prints tables in Markdown, and writes the weights into
//! the file `WEIGHTS` (`plugins/meetings/src/boundary_weights.rs`). The same meetings give the same bytes. `MODEL` is the folder
//! of a sentence encoder: then the meetings are divided with its vectors as well, by the same weights.
//!
//! Meetings of one series (`ES2006a` to `ES2006d`, `Bed…`, `covid_…`) have the same people and the same subject, so a series is
//! left out as a whole. Settings are chosen without it too: on the other series, each left out in turn.

use std::{collections::BTreeMap, fmt::Write as _, fs, num::NonZero, path::Path};

use jackfield_meetings::topic_learning::{DescribedTalk, Settings, unit_texts};
use jackfield_plugin_api::Random;
use jackfield_text::Transcript;
use jackfield_transformer::SentenceEncoder;
use measures::{Error, even, gold_cuts, json_files, name, paired, pk_and_window_diff, random_cuts};
use serde_json::{Value, json};

#[path = "logistic/mod.rs"]
mod logistic;
mod measures;

/// Weights of the squares of the logistic model's weights that are tried.
const RIDGES: [f64; 3] = [0.1, 0.25, 0.5];
/// Turns this near to where a topic begins count as such: annotators differ by a turn or two.
const TOLERANCES: [usize; 2] = [1, 2];
const EVENNESSES: [f64; 3] = [0.2, 0.35, 0.5];
const SPREADS: [f64; 2] = [2.0, 4.0];
const DISTINCTS: [f64; 3] = [1.5, 2.0, 2.5];
/// Weight of the square of the slope in the model of the number of topics.
const COUNT_RIDGE: f64 = 1.0;

struct Meeting {
    name: String,
    series: String,
    talk: DescribedTalk,
    /// The same with the vectors of a model.
    embedded: Option<DescribedTalk>,
    turns: usize,
    gold: Vec<usize>,
}

impl Meeting {
    fn by_words(&self) -> &DescribedTalk {
        &self.talk
    }

    fn with_vectors(&self) -> &DescribedTalk {
        self.embedded.as_ref().unwrap_or(&self.talk)
    }
}

#[derive(Clone, Copy, Debug)]
struct Choice {
    ridge: f64,
    tolerance: usize,
    settings: Settings,
}

struct Model {
    weights: Vec<f64>,
    count: [f64; 2],
}

fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("usage: train_topics FOLDER [WEIGHTS] [model=MODEL]")?;
    let (models, targets): (Vec<String>, Vec<String>) = arguments.partition(|argument| argument.starts_with("model="));
    let model = models.first().and_then(|argument| argument.strip_prefix("model="));
    let encoder = model.map(|folder| SentenceEncoder::load(Path::new(folder), None)).transpose()?;
    let meetings = read(Path::new(&folder), encoder.as_ref())?;
    let all = DescribedTalk::signal_names().len();
    let mut file = String::from(HEAD);
    for (title, signals) in
        [("words, speakers and cues", all), ("words and speakers", DescribedTalk::of_any_language())]
    {
        let studies = Studies::new(&meetings, signals);
        report(title, &meetings, &studies.left_out(Meeting::by_words));
        if encoder.is_some() {
            report(&format!("{title}, and vectors"), &meetings, &studies.left_out(Meeting::with_vectors));
        }
        let choice = studies.best(None);
        let model = train(&meetings.iter().collect::<Vec<_>>(), signals, choice.ridge, choice.tolerance);
        println!("\nOf all meetings: {choice:?}, number of topics {:?}.", model.count);
        write_weights(&mut file, signals == all, choice, &model)?;
    }
    if let Some(target) = targets.first() {
        fs::write(target, file)?;
    }
    Ok(())
}

const HEAD: &str = "// Made by `cargo run --release -p jackfield-meetings --example train_topics`.
//! Trained weights by which `topics` finds where topics begin.

use crate::{
    boundary_signals::{OF_ANY_LANGUAGE, SIGNALS},
    segment::{CountModel, Settings},
};
";

fn read(folder: &Path, encoder: Option<&SentenceEncoder>) -> Result<Vec<Meeting>, Error> {
    let mut meetings = Vec::new();
    for path in json_files(folder)? {
        let gold: Value = serde_json::from_str(&fs::read_to_string(&path)?)?;
        let turns = gold["meeting_transcripts"].as_array().ok_or("no `meeting_transcripts`")?;
        let segment = |(index, turn): (usize, &Value)| json!({ "id": format!("s{}", index + 1), "speaker": turn["speaker"], "text": turn["content"] });
        let segments: Vec<Value> = turns.iter().enumerate().map(segment).collect();
        let transcript: Transcript = serde_json::from_value(json!({ "segments": segments }))?;
        let name = name(&path);
        meetings.push(Meeting {
            series: series(&name),
            name,
            talk: DescribedTalk::new(&transcript),
            embedded: encoder.map(|encoder| embedded(&transcript, encoder)).transpose()?,
            turns: turns.len(),
            gold: gold_cuts(&gold, turns.len()),
        });
    }
    Ok(meetings)
}

/// The talk with the vectors of its units.
fn embedded(transcript: &Transcript, encoder: &SentenceEncoder) -> Result<DescribedTalk, Error> {
    let texts = unit_texts(transcript);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let numbers = encoder.embed(&texts, NonZero::<usize>::MIN)?;
    let vectors: Vec<Vec<f32>> = numbers.chunks(encoder.dimensions()).map(<[f32]>::to_vec).collect();
    Ok(DescribedTalk::with_vectors(transcript, &vectors))
}

/// `ES2006` of `ES2006a`, `Bed` of `Bed002`, `covid` of `covid_2`.
fn series(name: &str) -> String {
    let last = name.trim_end_matches(|c: char| c.is_ascii_lowercase());
    let is_part = last.len() < name.len() && last.ends_with(|c: char| c.is_ascii_digit());
    let series = if is_part { last } else { name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_') };
    series.to_owned()
}

/// Weights of the signals, and the model of the number of topics.
fn train(meetings: &[&Meeting], signals: usize, ridge: f64, tolerance: usize) -> Model {
    let mut rows = Vec::new();
    for meeting in meetings {
        // Every meeting counts alike. Nothing is to be learned from the first turn, where no topic ends.
        let weight = 1.0 / (meetings.len() as f64 * meeting.turns.saturating_sub(1).max(1) as f64);
        for (turn, row) in meeting.talk.signals().enumerate().skip(1) {
            let begins = meeting.gold.iter().any(|cut| cut.abs_diff(turn) <= tolerance);
            rows.push(logistic::Row { signals: row[..signals].to_vec(), is_positive: begins, weight });
        }
    }
    Model { weights: logistic::fit(&rows, ridge), count: count_model(meetings) }
}

/// Least squares of the logarithm of the number of topics.
fn count_model(meetings: &[&Meeting]) -> [f64; 2] {
    let points: Vec<(f64, f64)> = meetings
        .iter()
        .map(|meeting| (libm::log(meeting.talk.turn_length()), libm::log((meeting.gold.len() + 1) as f64)))
        .collect();
    let count = points.len() as f64;
    let [mean_x, mean_y] =
        [points.iter().map(|p| p.0).sum::<f64>() / count, points.iter().map(|p| p.1).sum::<f64>() / count];
    let both: f64 = points.iter().map(|p| (p.0 - mean_x) * (p.1 - mean_y)).sum();
    let square: f64 = points.iter().map(|p| (p.0 - mean_x) * (p.0 - mean_x)).sum();
    let slope = both / (square + COUNT_RIDGE);
    let base = mean_y - slope * mean_x;
    [base, slope]
}

fn settings() -> Vec<Settings> {
    let mut all = Vec::new();
    for evenness in EVENNESSES {
        for spread in SPREADS {
            all.extend(DISTINCTS.map(|distinct| Settings { evenness, spread, distinct }));
        }
    }
    all
}

fn choices() -> Vec<Choice> {
    let mut choices = Vec::new();
    for ridge in RIDGES {
        for tolerance in TOLERANCES {
            choices.extend(settings().into_iter().map(|settings| Choice { ridge, tolerance, settings }));
        }
    }
    choices
}

/// The index of a meeting, and what each choice of settings costs it.
type MeetingCosts = (usize, Vec<f64>);

/// What each choice of settings costs each meeting, by the series that were left out.
struct Studies<'a> {
    meetings: &'a [Meeting],
    signals: usize,
    series: Vec<&'a str>,
    /// Cost by choice of each meeting that was left out, by the pair of series (the same one twice: that one alone).
    costs: BTreeMap<(usize, usize), Vec<MeetingCosts>>,
}

impl<'a> Studies<'a> {
    fn new(meetings: &'a [Meeting], signals: usize) -> Self {
        let mut series: Vec<&str> = meetings.iter().map(|meeting| meeting.series.as_str()).collect();
        series.sort_unstable();
        series.dedup();
        let mut studies = Self { meetings, signals, series, costs: BTreeMap::new() };
        for a in 0..studies.series.len() {
            for b in a..studies.series.len() {
                let costs = studies.costs_without(a, b);
                studies.costs.insert((a, b), costs);
            }
        }
        studies
    }

    fn without(&self, a: usize, b: usize) -> (Vec<&'a Meeting>, Vec<usize>) {
        let is_out = |meeting: &Meeting| meeting.series == self.series[a] || meeting.series == self.series[b];
        let rest = self.meetings.iter().filter(|meeting| !is_out(meeting)).collect();
        (rest, (0..self.meetings.len()).filter(|&at| is_out(&self.meetings[at])).collect())
    }

    fn costs_without(&self, a: usize, b: usize) -> Vec<MeetingCosts> {
        let (rest, out) = self.without(a, b);
        let mut costs: Vec<MeetingCosts> = out.into_iter().map(|at| (at, Vec::new())).collect();
        for ridge in RIDGES {
            for tolerance in TOLERANCES {
                let model = train(&rest, self.signals, ridge, tolerance);
                for settings in settings() {
                    for (at, by_choice) in &mut costs {
                        by_choice.push(cost(&self.meetings[*at], &model, settings));
                    }
                }
            }
        }
        costs
    }

    /// The settings of least cost on meetings that were left out, none of them of one series.
    fn best(&self, without: Option<usize>) -> Choice {
        let choices = choices();
        let mut sums = vec![0.0; choices.len()];
        for other in 0..self.series.len() {
            if Some(other) == without {
                continue;
            }
            let pair = without.map_or((other, other), |without| (other.min(without), other.max(without)));
            for (at, by_choice) in &self.costs[&pair] {
                if self.meetings[*at].series == self.series[other] {
                    sums.iter_mut().zip(by_choice).for_each(|(sum, cost)| *sum += cost);
                }
            }
        }
        let best = (0..choices.len()).min_by(|&a, &b| sums[a].total_cmp(&sums[b]).then(a.cmp(&b)));
        choices[best.unwrap_or_default()]
    }

    /// The cuts of every meeting by weights and settings that were chosen without its series.
    fn left_out(&self, described: impl Fn(&Meeting) -> &DescribedTalk) -> Vec<Vec<usize>> {
        let mut cuts = vec![Vec::new(); self.meetings.len()];
        for series in 0..self.series.len() {
            let choice = self.best(Some(series));
            let (rest, out) = self.without(series, series);
            let model = train(&rest, self.signals, choice.ridge, choice.tolerance);
            for at in out {
                let talk = described(&self.meetings[at]);
                let likely = talk.likely_count(model.count[0], model.count[1]);
                cuts[at] = talk.divide(&model.weights, choice.settings, likely);
            }
        }
        cuts
    }
}

/// Both measures and by what share of the annotators' number the number of topics is off, as means over the likely number of
/// topics and one more and one fewer, so that luck counts less.
fn cost(meeting: &Meeting, model: &Model, settings: Settings) -> f64 {
    let likely = meeting.talk.likely_count(model.count[0], model.count[1]);
    let counts = [(likely - 1.0).max(1.0), likely, likely + 1.0];
    let of_count = |count: f64| {
        let cuts = meeting.talk.divide(&model.weights, settings, count);
        pk_and_window_diff(meeting.turns, &meeting.gold, &cuts).iter().sum::<f64>() + off(meeting, &cuts)
    };
    counts.into_iter().map(of_count).sum::<f64>() / counts.len() as f64
}

/// By what share of the annotators' number the number of topics is off.
fn off(meeting: &Meeting, cuts: &[usize]) -> f64 {
    cuts.len().abs_diff(meeting.gold.len()) as f64 / (meeting.gold.len() + 1) as f64
}

const DIVISIONS: [&str; 5] =
    ["ours, of meetings left out", "even, our count", "even, gold count", "random, our count", "no boundary"];

fn report(title: &str, meetings: &[Meeting], cuts: &[Vec<usize>]) {
    println!(
        "\n### {title}\n\n| meeting | turns | topics | gold | Pk | WindowDiff | Pk, none |\n| --- | --: | --: | --: | --: | --: | --: |"
    );
    let mut measured: Vec<[[f64; 2]; 5]> = Vec::new();
    for (meeting, cuts) in meetings.iter().zip(cuts) {
        let Meeting { name, turns, gold, .. } = meeting;
        let measure = |cuts: &[usize]| pk_and_window_diff(*turns, gold, cuts);
        let random = random_cuts(*turns, gold, cuts.len(), &mut Random::new(*turns as u64));
        let row = [
            measure(cuts),
            measure(&even(*turns, cuts.len() + 1)),
            measure(&even(*turns, gold.len() + 1)),
            random,
            measure(&[]),
        ];
        println!(
            "| {name} | {turns} | {} | {} | {:.3} | {:.3} | {:.3} |",
            cuts.len() + 1,
            gold.len() + 1,
            row[0][0],
            row[0][1],
            row[4][0]
        );
        measured.push(row);
    }
    println!(
        "\n| topics | Pk | WindowDiff | Pk, ours less this | p | WindowDiff, ours less this | p |\n| --- | --: | --: | --: | --: | --: | --: |"
    );
    for (at, name) in DIVISIONS.iter().enumerate() {
        let mean = |measure: usize| measured.iter().map(|row| row[at][measure]).sum::<f64>() / measured.len() as f64;
        let less =
            |measure: usize| paired(&measured.iter().map(|row| row[0][measure] - row[at][measure]).collect::<Vec<_>>());
        if at == 0 {
            println!("| {name} | {:.3} | {:.3} | | | | |", mean(0), mean(1));
        } else {
            println!("| {name} | {:.3} | {:.3} | {} | {} |", mean(0), mean(1), less(0), less(1));
        }
    }
    let count = |of: &dyn Fn(usize) -> usize| {
        (0..meetings.len()).map(|at| of(at) + 1).sum::<usize>() as f64 / meetings.len() as f64
    };
    println!(
        "\n{:.2} topics a meeting for {:.2} of the annotators; off by {:.3} of theirs on average.",
        count(&|at| cuts[at].len()),
        count(&|at| meetings[at].gold.len()),
        meetings.iter().zip(cuts).map(|(meeting, cuts)| off(meeting, cuts)).sum::<f64>() / meetings.len() as f64
    );
}

/// The longest line that rustfmt leaves.
const LINE: usize = 119;

fn write_weights(file: &mut String, is_english: bool, choice: Choice, model: &Model) -> Result<(), Error> {
    let (what, name, length) = if is_english {
        ("of a talk in English", "WEIGHTS", "SIGNALS")
    } else {
        ("of a talk in another language", "WEIGHTS_OF_ANY_LANGUAGE", "OF_ANY_LANGUAGE")
    };
    let prefix = name.replace("WEIGHTS", "SETTINGS");
    writeln!(file, "\n/// How the odds {what} are turned into a division.")?;
    let Settings { evenness, spread, distinct } = choice.settings;
    let fields = format!("evenness: {evenness:?}, spread: {spread:?}, distinct: {distinct:?}");
    let declaration = format!("pub(crate) const {prefix}: Settings =");
    // Broken after the sign where rustfmt breaks it.
    let gap = if declaration.len() + fields.len() + " Settings {  };".len() > LINE { "\n    " } else { " " };
    writeln!(file, "{declaration}{gap}Settings {{ {fields} }};")?;
    writeln!(file, "\n/// Weights of the signals {what}.")?;
    writeln!(file, "pub(crate) const {name}: [f64; {length}] = [")?;
    // Six places are more than the meetings tell. Lines are filled as rustfmt fills them.
    let mut line = String::from("   ");
    for weight in &model.weights {
        let number = format!(" {:?},", (weight * 1e6).round() / 1e6);
        if line.len() + number.len() > LINE {
            writeln!(file, "{line}")?;
            line = String::from("   ");
        }
        line += &number;
    }
    writeln!(file, "{line}")?;
    writeln!(file, "];")?;
    if is_english {
        let [base, by_turn_length] = model.count.map(|number| (number * 1e4).round() / 1e4);
        writeln!(file, "\n/// How many topics there are.")?;
        writeln!(
            file,
            "pub(crate) const COUNT: CountModel = CountModel {{ base: {base:?}, by_turn_length: {by_turn_length:?} }};"
        )?;
    }
    Ok(())
}

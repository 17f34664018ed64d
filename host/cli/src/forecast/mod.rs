//! `jackfield run --forecast` says what a run would ask of its models and cost, without asking them.

mod earlier;
mod estimate;

use std::collections::BTreeMap;

use jackfield::internal::{BundledInputs, Compiled};
use jackfield_engine::{Cancel, Engine, EngineError, Event, Observer, Options, Sample, look_for_input, sample};
use jackfield_pipeline::{Plan, Scope};
use jackfield_services::{ForecastNotes, ForecastPlace, MOST_OF_AN_ANSWER, open_forecast};
use serde_json::json;

use self::{
    earlier::earlier_answers,
    estimate::{AnswersFrom, Interval, Items, StageForecast, estimate},
};
use super::{
    exit::{Exit, print_error},
    load::{OutputFormat, compile, print_json, report},
    run::Args,
    table::{counted, table},
};
use crate::terminal::{output, terminal};

pub(super) fn forecast(args: &Args, format: OutputFormat) -> Exit {
    let mut compiled = match compile(&args.pipeline, format) {
        Ok(compiled) => compiled,
        Err(exit) => return exit,
    };
    if compiled.plan.search.is_some() {
        print_error(
            "what a search costs cannot be forecast: the results of its trials decide what is tried next",
            Some("bound it with `--max-usd`".to_owned()),
        );
        return Exit::Usage;
    }
    let (instances, (services, forecaster)) = match compiled.open_with(open_forecast) {
        Ok(opened) => opened,
        Err(faults) => {
            report(&faults, format);
            return Exit::Usage;
        }
    };
    let Compiled { plan, registry, .. } = compiled;
    let asked = look_for_input(&plan, &BundledInputs)
        .and_then(|()| match plan.stages.iter().any(|stage| stage.scope == Scope::Item) {
            true => sample(&BundledInputs, &plan.input, args.forecast_sample as usize),
            false => Ok(Sample::default()),
        })
        .and_then(|sample| {
            let options = Options { jobs: args.jobs(), ..Options::default() };
            let engine = Engine { plan: &plan, registry: &registry, instances, services, inputs: &sample, options };
            let mut failures = Failures::default();
            engine.run_unrecorded(&Cancel::default(), &mut failures)?;
            Ok::<_, EngineError>((sample, failures))
        });
    match asked {
        Ok((sample, failures)) => {
            let forecast = Forecast::of(args, &plan, &forecaster.notes(), &sample, failures);
            if args.json {
                print_json(&forecast.to_json())
            } else {
                forecast.print()
            }
            Exit::Success
        }
        Err(error) => {
            print_error(&error, error.hint());
            Exit::from(&error)
        }
    }
}

/// The calls of stages that failed on what was made up, by stage.
#[derive(Default)]
struct Failures(BTreeMap<usize, (u64, String)>);

impl Observer for Failures {
    fn on(&mut self, event: &Event<'_>) {
        if let Event::CallFailed { stage, failure, .. } = event {
            self.0.entry(*stage).or_insert_with(|| (0, failure.to_string())).0 += 1;
        }
    }
}

/// What a run would ask of its models and cost.
struct Forecast {
    items: u64,
    sampled: u64,
    stages: Vec<StageForecast>,
    total: Option<Interval>,
    notes: Vec<String>,
}

impl Forecast {
    fn of(
        args: &Args,
        plan: &Plan,
        counted_requests: &BTreeMap<ForecastPlace, ForecastNotes>,
        sample: &Sample,
        failures: Failures,
    ) -> Self {
        let items = Items { total: sample.total() as f64, sampled: sample.len() as f64 };
        let position = |name: &str| plan.stages.iter().position(|stage| stage.name == name);
        let mut asking: BTreeMap<usize, bool> = BTreeMap::new();
        for (place, notes) in counted_requests {
            if let Some(stage) = position(&place.stage) {
                *asking.entry(stage).or_default() |= notes.items.values().any(|counts| counts.calls > 0);
            }
        }
        let earlier = earlier_answers(&args.out, plan);
        let mut stages: Vec<StageForecast> = counted_requests
            .iter()
            .map(|(place, notes)| {
                let of_earlier = earlier.get(&(place.stage.to_string(), place.model.to_string()));
                estimate((&place.stage, &place.model), plan, notes, items, of_earlier, &asking)
            })
            .collect();
        stages.sort_by_key(|stage| position(&stage.stage));
        let priced = stages.iter().filter_map(|stage| stage.usd);
        let total = priced.reduce(Interval::plus);
        let notes = notes_on(&stages, plan, &failures);
        Self { items: sample.total(), sampled: sample.len(), stages, total, notes }
    }

    fn to_json(&self) -> serde_json::Value {
        json!({
            "items": self.items, "sampled": self.sampled, "stages": self.stages, "usd": self.total, "notes": self.notes,
        })
    }

    fn print(&self) {
        let rows = self.stages.iter().map(|stage| {
            vec![
                stage.stage.clone(),
                stage.model.clone(),
                whole(stage.calls),
                whole(stage.cached),
                whole(stage.tokens_in),
                whole(stage.tokens_out),
                stage.usd.map_or_else(|| "no price".to_owned(), dollars),
            ]
        });
        let header = ["stage", "model", "calls", "cached", "tokens in", "tokens out", "USD"];
        if self.stages.is_empty() {
            output().line("no model is asked");
        } else {
            output().lines(table(&header, rows.collect()));
        }
        let of = if self.sampled < self.items { format!(", from {} of them", self.sampled) } else { String::new() };
        let calls = self.stages.iter().map(|stage| stage.calls).reduce(Interval::plus).unwrap_or_default();
        let cost = self.total.map_or_else(String::new, |total| format!(", {} USD", dollars(total)));
        output().line(format!("in all, for {}{of}: {} calls{cost}", counted(self.items, "item"), whole(calls)));
        self.notes.iter().for_each(|note| terminal().say(format!("note: {note}")));
    }
}

/// What has to be known to read the forecast.
fn notes_on(stages: &[StageForecast], plan: &Plan, failures: &Failures) -> Vec<String> {
    let mut notes = Vec::new();
    let named = |which: &dyn Fn(&StageForecast) -> bool| {
        let names: Vec<String> =
            stages.iter().filter(|stage| which(stage)).map(|stage| format!("`{}`", stage.stage)).collect();
        (!names.is_empty()).then(|| names.join(", "))
    };
    if let Some(stages) = named(&|stage| stage.answers_from == AnswersFrom::Assumption) {
        notes.push(format!(
            "nothing bounds the answers of stage {stages}: each is taken to have {MOST_OF_AN_ANSWER} tokens at the most; once a run \
             of a few items is on record, its answers are taken as a measure"
        ));
    }
    if let Some(stages) = named(&|stage| stage.calls_depend_on_answers) {
        notes.push(format!(
            "how often stage {stages} asks depends on answers, which are made up here: its interval is wide"
        ));
    }
    if let Some(stages) = named(&|stage| stage.requests_depend_on_answers && !stage.calls_depend_on_answers) {
        notes.push(format!("what stage {stages} asks holds answers, which are made up here: its interval is wide"));
    }
    if let Some(stages) = named(&|stage| stage.usd.is_none()) {
        notes.push(format!("the model of stage {stages} has no price"));
    }
    for (stage, (count, message)) in &failures.0 {
        let name = plan.stages.get(*stage).map_or("?", |stage| stage.name.as_str());
        let calls = counted(*count, "call");
        notes.push(format!("{calls} of stage `{name}` failed here, and what reads it was not looked at: {message}"));
    }
    notes
}

/// An interval of whole numbers.
fn whole(interval: Interval) -> String {
    match (interval.low as u64, interval.high as u64) {
        (low, high) if low == high => low.to_string(),
        (low, high) => format!("{low} to {high}"),
    }
}

/// An interval of dollars.
fn dollars(interval: Interval) -> String {
    let (low, high) = (format!("{:.4}", interval.low), format!("{:.4}", interval.high));
    if low == high { low } else { format!("{low} to {high}") }
}

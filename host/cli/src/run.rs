//! `jackfield run`.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::BufRead as _,
    path::{Path, PathBuf},
    sync::Arc,
    thread::available_parallelism,
};

use jackfield::internal::{
    BegunRun, BundledInputs, InputLook, RunInputs, RunPlace, begin_run, is_standard_input, keep_standard_input,
    read_standard_input, remove_old_runs, shell_word,
};
use jackfield_engine::{Cancel, Engine, EngineError, Options, composed, look_for_input};
use jackfield_loader::escape_untrusted;
use jackfield_pipeline::{Plan, STANDARD_INPUT};
use jackfield_services::{CallRecorder, RunBudget};
use jackfield_store::{ModelCount, RunState, SearchCount, Summary, TierCount, TimeStats, warnings_of};
use serde_json::{Value, json};

use super::{
    all_items::{all_items_lines, unmet_lines},
    exit::{Exit, codes_of, print_error},
    forecast::forecast,
    go_on::{GoOn, go_on},
    load::{Loaded, OutputFormat, PipelineArgs, load_pipeline, print_json},
    observe::{ObserverPair, RunTelemetry, TelemetryArgs},
    pace::rate_text,
    progress::Progress,
    signals::on_signal,
    table::{counted, ms, table, with_parts},
};
use crate::terminal::{Severity, output, terminal};

/// Of fewer items, percentiles and a rate say little: they are in the summary, and are not shown.
const FEWEST_TIMED: u64 = 20;

/// So many different warnings of answers are shown at the end of a run.
const MOST_WARNINGS: usize = 8;

/// Where run folders lie if nobody says otherwise.
pub(super) const OUT: &str = "runs";

#[derive(Debug, clap::Args)]
#[command(after_long_help = codes_of("run"))]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) pipeline: PipelineArgs,

    /// The folder that holds the run folders.
    #[arg(long, value_name = "DIR", default_value = OUT)]
    pub(super) out: PathBuf,

    /// Worker threads; as many as there are processors if it is not given.
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) jobs: Option<u16>,

    /// Go on with a run: its name, the beginning of it, its folder, or `last`.
    #[arg(long, value_name = "RUN")]
    pub(super) resume: Option<String>,

    /// With --resume: make every failed call again, not just those that may have healed.
    #[arg(long, requires = "resume")]
    pub(super) retry_failed: bool,

    /// Run the item of this id alone; may be given several times. With --resume: make all of its calls again, whatever came of
    /// them.
    #[arg(long, value_name = "ID")]
    pub(super) only: Vec<String>,

    /// Keep each call of a stage, with all that it asked of the host, in a file of its own: in this folder, or in `calls` of
    /// the run folder. `jackfield plugins replay` makes such a call again.
    #[arg(long, value_name = "DIR", num_args = 0..=1)]
    pub(super) record: Option<Option<PathBuf>>,

    /// What the run may cost in US dollars, all its models and sessions together, whatever `[pipeline] max_usd` says. It stops
    /// before it costs more, and can be resumed with a higher bound.
    #[arg(long, value_name = "USD", value_parser = dollars)]
    pub(super) max_usd: Option<f64>,

    /// Say what the run would ask of its models and cost, and run nothing: no model is asked, and nothing is written. What the caches
    /// know is left out.
    #[arg(long, conflicts_with_all = ["resume", "watch", "record", "only"])]
    pub(super) forecast: bool,

    /// With --forecast: look at so many items at the most, picked by chance, and conclude from them on all.
    #[arg(long, value_name = "N", requires = "forecast", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) forecast_sample: u32,

    /// Run again whenever the pipeline, a plugin, a file that `with` names or an input file changes. Calls that are as they
    /// were are not made again. Ctrl-C ends it.
    #[arg(long, conflicts_with = "resume")]
    pub(super) watch: bool,

    /// With --watch: load native plugins that the pipeline allows as they are, whatever digest it pins them to.
    #[arg(long, requires = "watch")]
    pub(super) allow_native: bool,

    /// Print one JSON object on standard output; with --watch, one for each run.
    #[arg(long)]
    pub(super) json: bool,

    #[command(flatten)]
    telemetry: TelemetryArgs,
}

impl Args {
    /// How many workers call plugins.
    pub(super) fn jobs(&self) -> usize {
        self.jobs.map_or_else(|| available_parallelism().map_or(1, usize::from), usize::from)
    }
}

/// A bound in US dollars.
fn dollars(text: &str) -> Result<f64, String> {
    let usd: f64 = text.parse().map_err(|_| "not a number of dollars".to_owned())?;
    if usd.is_finite() && usd >= 0.0 { Ok(usd) } else { Err("not an amount of at least 0".to_owned()) }
}

pub(super) fn run(args: &Args) -> Exit {
    let format = if args.json { OutputFormat::Json } else { OutputFormat::Human };
    if args.forecast {
        return forecast(args, format);
    }
    let loaded = match load_pipeline(&args.pipeline, format, InputLook::Fields) {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    let cancel = Cancel::default();
    let interrupted = cancel.clone();
    // Before the run begins, a signal ends the process as any other: nothing is lost.
    let listen = || on_signal(move || interrupted.request());
    let done = go(args, &loaded, &cancel, listen).map(|ended| match ended {
        Ended::Refused(exit) => exit,
        Ended::Ran(summary) => {
            if args.json {
                print_json(&*summary);
            } else {
                conclude(
                    &summary,
                    &loaded.plan,
                    &go_on(args, &summary.run, &loaded.plan.variables),
                    &out_option(&args.out),
                );
            }
            Exit::from(&*summary)
        }
    });
    done.unwrap_or_else(|error| {
        print_error(&error, error.hint());
        Exit::from(&error)
    })
}

/// How a run ended.
pub(super) enum Ended {
    /// Before it began, which has been told.
    Refused(Exit),
    /// In order.
    Ran(Box<Summary>),
}

/// Makes the run. `begins` is called right before there is something to lose.
pub(super) fn go(args: &Args, loaded: &Loaded, cancel: &Cancel, begins: impl FnOnce()) -> Result<Ended, EngineError> {
    let Loaded { plan, registry, instances, services, file } = loaded;
    let mut services = services.clone();
    if let Some(most) = args.max_usd.or(plan.max_usd) {
        if plan.models.iter().all(|model| model.price.is_none()) {
            print_error(
                "no model of the pipeline has a price, so that nothing counts towards `--max-usd`",
                Some(
                    "add `price = { input = ..., output = ... }` to a model, in dollars for a million tokens"
                        .to_owned(),
                ),
            );
            return Ok(Ended::Refused(Exit::Usage));
        }
        for model in plan.models.iter().filter(|model| model.price.is_none() && !model.local) {
            terminal().say(format!(
                "note: model `{}` has no price: what it costs does not count towards the bound",
                model.name
            ));
        }
        services.run_budget = Some(RunBudget::new(most));
    }
    let mut read = None;
    if !is_standard_input(&plan.input) {
        look_for_input(plan, &BundledInputs)?;
    } else if args.resume.is_none() {
        terminal().say("reading the items from standard input");
        read = Some(read_standard_input(&args.out).map_err(unreadable)?);
    }
    let only: Vec<String> = args.only.iter().map(|id| composed(id).into_owned()).collect();
    let place = RunPlace { runs: &args.out, resume: args.resume.as_deref(), only: &only };
    let BegunRun { folder, run, is_complete, only, is_redone } = match begin_run(plan, registry, file.clone(), place) {
        Ok(begun) => begun,
        Err(error) => {
            print_error(error.message(), error.hint());
            return Ok(Ended::Refused(error.engine_error().map_or(Exit::Usage, Exit::from)));
        }
    };
    if let Some(read) = read {
        keep_standard_input(read, folder.path()).map_err(unreadable)?;
    }
    let inputs = RunInputs::in_folder(folder.path());
    if is_complete {
        terminal().say(format!("run `{}` is complete already", run.run));
    }
    let id = folder.id();
    if !args.watch {
        terminal().say(format!("run {id}: {}", counted(plan.stages.len() as u64, "stage")));
    }

    if let Some(chosen) = &args.record {
        let into = chosen.clone().unwrap_or_else(|| folder.path().join("calls"));
        services.calls = Some(Arc::new(CallRecorder::new(&into)?));
    }
    let mut telemetry = match RunTelemetry::new(&args.telemetry, &id, plan, &services) {
        Ok(telemetry) => telemetry,
        Err(error) => {
            print_error(error, None);
            return Ok(Ended::Refused(Exit::Usage));
        }
    };
    let options = Options { jobs: args.jobs(), retry_failed: args.retry_failed, only, redo: is_redone };
    let instances = instances.clone();
    let engine = Engine { plan, registry, instances, services: services.clone(), inputs: &inputs, options };
    let mut progress = Progress::new(plan, args.json);
    begins();
    let outcome = engine.run(folder, run, cancel, &mut ObserverPair(&mut progress, &mut telemetry));
    progress.finish();
    telemetry.finish(outcome.as_ref().map_or("failed", |outcome| outcome.summary.state.name()), cancel);
    let summary = outcome?.summary;
    if let Some(calls) = &services.calls {
        let (written, lost) = calls.counts();
        let lost = if lost > 0 { format!("; {lost} could not be") } else { String::new() };
        terminal().say(format!("recorded {} in {}{lost}", counted(written, "call"), calls.folder().display()));
    }
    let removed = remove_old_runs(plan, file, &summary);
    if removed > 0 && !args.watch {
        terminal()
            .say(format!("removed {}, as `[runs] keep` of the pipeline says", counted(removed as u64, "old run")));
    }
    Ok(Ended::Ran(Box::new(summary)))
}

/// The error of standard input that cannot be read, or not be kept for the run.
fn unreadable(error: std::io::Error) -> EngineError {
    EngineError::Source { path: PathBuf::from(STANDARD_INPUT), message: error.to_string() }
}

/// The name of a run as a further command is given it: the folder, where it was named by that, or its id.
pub(super) fn run_word(given: &str, id: &str) -> String {
    if Path::new(given).join("run.json").is_file() { shell_word(given) } else { id.to_owned() }
}

/// The option that names the folder of the run folders, with a space before it, where a command needs it.
pub(super) fn out_option(out: &Path) -> String {
    if out == Path::new(OUT) { String::new() } else { format!(" --out {}", shell_word(&out.to_string_lossy())) }
}

/// The closing words: a table of the stages, what was found, and where it is.
fn conclude(summary: &Summary, plan: &Plan, go_on: &GoOn, out: &str) {
    let terminal = terminal();
    let found = if plan.output.item_files { found(summary) } else { Found::default() };
    let rows = plan.stages.iter().filter_map(|stage| {
        let stats = summary.stages.get(&stage.name)?;
        let mut row = vec![
            stage.name.clone(),
            (stats.calls + stats.resumed + stats.memo_hits).to_string(),
            stats.failed.to_string(),
            ms(stats.p50_ms),
            ms(stats.p95_ms),
        ];
        if !found.by_stage.is_empty() {
            row.push(found.by_stage.get(&stage.name).map(u64::to_string).unwrap_or_default());
        }
        Some(row)
    });
    let mut header = vec!["stage", "calls", "failed", "p50", "p95"];
    if !found.by_stage.is_empty() {
        header.push("findings");
    }
    terminal.say_table("stages", &table(&header, rows.collect()));
    if !found.by_kind.is_empty() {
        let kinds: Vec<String> = found.by_kind.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        terminal.say("");
        terminal.say(format!("findings: {}", kinds.join(", ")));
    }
    let warned = found.warnings.iter().take(MOST_WARNINGS).map(|(text, warned)| {
        let (stages, items) = (warned.stages.iter().cloned().collect::<Vec<_>>().join(", "), warned.items);
        format!("warning: {text} ({stages}; {})", counted(items, "item"))
    });
    let warned: Vec<String> = warned.collect();
    if !warned.is_empty() {
        terminal.say("");
        warned.into_iter().for_each(|line| terminal.say(line));
        let more = found.warnings.len().saturating_sub(MOST_WARNINGS) as u64;
        if more > 0 {
            terminal.say(format!("and {} of other words, which are in the answers", counted(more, "warning")));
        }
    }
    terminal.say("");
    terminal.say_with(Severity::Note, items_line(summary), &json!({ "summary": summary }));
    if let Some(times) = summary.item_times.as_ref().filter(|times| times.count >= FEWEST_TIMED) {
        let rate = rate_text(summary.items_per_second);
        terminal.say(format!("  {rate}, an item in p50 {}, p95 {}", ms(times.p50_ms), ms(times.p95_ms)));
    }
    let all_items = all_items_lines(summary);
    if !all_items.is_empty() {
        terminal.say("");
        all_items.into_iter().for_each(|line| terminal.say(line));
    }
    unmet_lines(summary).into_iter().for_each(|line| terminal.say_failure(line));
    models(summary);
    if let Some(search) = &summary.search {
        terminal.say(searched(search, &format!("{}{out}", summary.run)));
    }
    if let Some(stopped) = summary.stopped.as_ref().filter(|_| summary.state != RunState::Interrupted) {
        let advice = summary.advice.map(|advice| format!("; {advice}")).unwrap_or_default();
        terminal.say_failure(format!("stopped: {stopped}{advice}"));
    }
    if summary.stopped.is_some() {
        // Of a value with several lines, each is one in the shell too.
        terminal.say_failure_lines(format!("go on with: {}", go_on.command));
        for option in &go_on.repeated {
            terminal.say_failure(format!("with it, give `{option}` again: it is not shown, since it may be secret"));
        }
    }
    // The one piece of data: where the results are.
    output().path(&summary.dir);
}

/// How the run stands, how many items it has brought to their end, and in what time.
fn items_line(summary: &Summary) -> String {
    let items = summary.items;
    let others = items.unfinished + items.not_begun;
    let count = match others {
        0 => counted(items.total, "item"),
        _ if items.not_begun == 0 => format!("{} and {} unfinished", counted(items.total, "item"), items.unfinished),
        _ => format!("{} of {}", items.total, counted(items.total + others, "item")),
    };
    let mut line = format!("{}: {count} in {}", summary.state.name(), ms(summary.wall_ms));
    if items.ok != items.total + items.not_begun {
        let mut parts = vec![format!("{} ok", items.ok)];
        if items.pruned > 0 {
            parts.push(format!("{} pruned", items.pruned));
        }
        parts.extend([format!("{} partial", items.partial), format!("{} failed", items.failed)]);
        if items.not_begun > 0 {
            parts.extend([format!("{} unfinished", items.unfinished), format!("{} not begun", items.not_begun)]);
        }
        line.push_str(&format!(" ({})", parts.join(", ")));
    }
    if let Some(session) = &summary.session {
        let items = counted(session.items, "item");
        line.push_str(&format!(", of these {items} in {} in this session", ms(session.wall_ms)));
    }
    line
}

/// What came of the search, in a line.
fn searched(search: &SearchCount, run: &str) -> String {
    let SearchCount { before, trials, complete, pruned, failed, front, stopped } = search;
    let mut line = format!("search: {}", counted(*trials, "trial"));
    if *before > 0 {
        line.push_str(&format!(" after {before} of its study"));
    }
    let others: Vec<String> = [(pruned, "pruned"), (failed, "failed")]
        .into_iter()
        .filter(|(count, _)| **count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    if !others.is_empty() {
        line.push_str(&format!(" ({complete} complete, {})", others.join(", ")));
    }
    if let Some(stopped) = stopped {
        line.push_str(&format!("; stopped early: {}", escape_untrusted(stopped)));
    }
    if *front > 0 {
        let best = if *front == 1 { "one is".to_owned() } else { format!("{front} are") };
        let of = if *before > 0 { " of the study" } else { "" };
        line.push_str(&format!("; {best} the best{of}: jackfield front {run}"));
    } else if *trials > 0 {
        line.push_str("; none of them has all its objectives, so that there was nothing to learn from");
    }
    line
}

/// A line a model: what was asked of it, and what it cost.
fn models(summary: &Summary) {
    let used = |model: &&ModelCount| model.calls + model.cached + model.failed > 0;
    let rows = summary.models.iter().filter(|(_, model)| used(model)).map(|(name, model)| {
        vec![
            name.clone(),
            model.calls.to_string(),
            model.cached.to_string(),
            model.failed.to_string(),
            model.retries.to_string(),
            with_parts(
                model.tokens_in.to_string(),
                &[(model.tokens_cached, "cached"), (model.tokens_cache_write, "to the cache")],
            ),
            with_parts(model.tokens_out.to_string(), &[(model.tokens_reasoning, "reasoning")]),
            format!("{:.4}", model.usd),
        ]
    });
    let rows: Vec<_> = rows.collect();
    if !rows.is_empty() {
        let header = ["model", "calls", "cached", "failed", "retries", "tokens in", "tokens out", "USD"];
        terminal().say_table("models", &table(&header, rows));
    }
    // Of one stage, the table of the models says it all.
    let of_stages: Vec<_> = summary.spend.iter().filter(|(_, spend)| spend.has_completions()).collect();
    if of_stages.len() > 1 {
        let rows = of_stages.into_iter().map(|(stage, spend)| {
            vec![
                stage.clone(),
                spend.calls.to_string(),
                spend.cached.to_string(),
                spend.failed.to_string(),
                with_parts(
                    spend.tokens_in.to_string(),
                    &[(spend.tokens_cached, "cached"), (spend.tokens_cache_write, "to the cache")],
                ),
                with_parts(spend.tokens_out.to_string(), &[(spend.tokens_reasoning, "reasoning")]),
                format!("{:.4}", spend.cost_usd),
            ]
        });
        let header = ["spent by", "calls", "cached", "failed", "tokens in", "tokens out", "USD"];
        terminal().say_table("spending", &table(&header, rows.collect()));
    }
    for (cache, tiers) in &summary.caches {
        let asked: Vec<String> = tiers
            .iter()
            .filter(|tier| tier.hits + tier.misses + tier.errors > 0)
            .map(|tier| {
                let errors = if tier.errors > 0 { format!(", {} errors", tier.errors) } else { String::new() };
                let times = cache_times(tier);
                format!("{} {} of {}{errors}{times}", tier.tier, tier.hits, tier.hits + tier.misses)
            })
            .collect();
        if !asked.is_empty() {
            terminal().say(format!("cache {cache}: found in {}", asked.join(", ")));
        }
    }
}

/// How long a tier took, where it was asked often enough to tell.
fn cache_times(tier: &TierCount) -> String {
    let p95 = |name: &str, times: &TimeStats| {
        (times.count >= FEWEST_TIMED).then(|| format!("{name} p95 {}", ms(times.p95_ms)))
    };
    let times: Vec<String> = [p95("get", &tier.get), p95("put", &tier.put)].into_iter().flatten().collect();
    if times.is_empty() { String::new() } else { format!(" ({})", times.join(", ")) }
}

/// Findings by stage and by kind: any output with a list `findings` has some; and what the lists `warnings` of outputs say.
#[derive(Default)]
struct Found {
    by_stage: BTreeMap<String, u64>,
    by_kind: BTreeMap<String, u64>,
    /// By their text.
    warnings: BTreeMap<String, Warned>,
}

/// Where a warning stands.
#[derive(Default)]
struct Warned {
    stages: BTreeSet<String>,
    /// How many items have it.
    items: u64,
}

fn found(summary: &Summary) -> Found {
    let mut found = Found::default();
    let Ok(file) = std::fs::File::open(summary.dir.join("results.jsonl")) else { return found };
    for line in std::io::BufReader::new(file).lines().map_while(Result::ok) {
        let Ok(Value::Object(mut line)) = serde_json::from_str(&line) else { continue };
        let Some(Value::Object(outputs)) = line.remove("outputs") else { continue };
        let mut of_item: BTreeSet<String> = BTreeSet::new();
        for (stage, output) in outputs {
            // A stage that runs over a list has a list of outputs.
            for output in output.as_array().map_or(std::slice::from_ref(&output), Vec::as_slice) {
                for text in warnings_of(output) {
                    found.warnings.entry(text.to_owned()).or_default().stages.insert(stage.clone());
                    of_item.insert(text.to_owned());
                }
                let Some(findings) = output["findings"].as_array() else { continue };
                *found.by_stage.entry(stage.clone()).or_default() += findings.len() as u64;
                for finding in findings {
                    let kind = finding["kind"].as_str().unwrap_or("other").to_owned();
                    *found.by_kind.entry(kind).or_default() += 1;
                }
            }
        }
        for text in of_item {
            found.warnings.entry(text).or_default().items += 1;
        }
    }
    found
}

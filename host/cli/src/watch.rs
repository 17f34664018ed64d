//! `jackfield run --watch` runs a pipeline, waits until one of its files changes, and runs it again.
//!
//! Stages without a cache get one for the rounds, so that a round makes only the calls that the change affects.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use jackfield::internal::InputLook;
use jackfield_engine::Cancel;
use jackfield_loader::{Artifact, Digest, Linkage, Registry, sandbox::Permission};
use jackfield_pipeline::{ParsedPipeline, Request, STANDARD_INPUT, StagePlan, parse};
use jackfield_plugin_api::sync::lock;
use jackfield_store::Summary;
use serde_json::{Value, json};

use super::{
    exit::{Exit, print_error},
    load::{Loaded, OutputFormat, PipelineArgs, load_pipeline, print_json},
    run::{Args, Ended, go},
    signals::{leave, on_signal},
    table::{counted, ms},
    watched_files::{WatchedFiles, existing_files},
};
use crate::terminal::{output, terminal};

/// How often the files are checked for changes.
const CHECK_EVERY: Duration = Duration::from_millis(300);
/// The most changed files that are named at the beginning of a round.
const MOST_NAMES: usize = 5;

/// Runs the pipeline, and again after every change, until Ctrl-C or until nobody reads the output any more.
pub(super) fn watch(args: &Args) -> Exit {
    let interrupt = Interrupt::default();
    let listener = interrupt.clone();
    on_signal(move || listener.request());
    let mut changed = BTreeSet::new();
    for number in 1_u64.. {
        let parsed = parse(Request { path: &args.pipeline.path, set: &args.pipeline.set, input: &args.pipeline.input });
        if parsed.as_ref().is_ok_and(|parsed| parsed.patterns().iter().any(|pattern| pattern == STANDARD_INPUT)) {
            let hint = "write the items to a file, and name that with `--input`".to_owned();
            print_error("standard input can be read once, and `--watch` reads the items in each round", Some(hint));
            return Exit::Usage;
        }
        let watched = WatchedFiles::new(args, parsed.as_ref().ok());
        // Taken before the run, so that a change made during the run starts the next round.
        let stamps = watched.stamps();
        if number > 1 && !args.json {
            terminal().say("");
            terminal().say(format!("round {number}: changed {}", relative_names(&changed, &args.pipeline.path)));
        }
        run_round(args, parsed.ok().as_ref(), &interrupt, &Round { number, changed: &changed });
        if !args.json && !interrupt.requested() {
            terminal().say(format!("watching {}; Ctrl-C ends", counted(existing_files(&stamps), "file")));
        }
        // Nobody would read the output of further rounds.
        if !output().is_open() {
            break;
        }
        match watched.wait_for_change(&stamps, || interrupt.sleep(CHECK_EVERY)) {
            Some(files) => changed = files,
            None => break,
        }
    }
    Exit::Success
}

/// One run of several.
struct Round<'a> {
    /// Counted from 1.
    number: u64,
    /// The files that changed since the round before.
    changed: &'a BTreeSet<PathBuf>,
}

/// Makes one run. Its errors are printed and not returned, as the next change may fix them.
fn run_round(args: &Args, parsed: Option<&ParsedPipeline>, interrupt: &Interrupt, round: &Round<'_>) {
    let format = if args.json { OutputFormat::Json } else { OutputFormat::Human };
    let cache = parsed.map_or_else(String::new, unused_cache_name);
    let mut pipeline = PipelineArgs {
        path: args.pipeline.path.clone(),
        set: args.pipeline.set.clone(),
        input: args.pipeline.input.clone(),
        grant: args.pipeline.grant.clone(),
        locked: args.pipeline.locked,
    };
    if let Some(parsed) = parsed {
        pipeline.set.extend(memo_settings(parsed, &cache, &args.out));
        if args.allow_native {
            pipeline.set.extend(digest_settings(parsed));
        }
    }
    interrupt.set_activity(Activity::Loading);
    let Ok(mut loaded) = load_pipeline(&pipeline, format, InputLook::Fields) else {
        return interrupt.set_activity(Activity::Waiting);
    };
    let memo_cache = loaded.plan.caches.iter().position(|plan| plan.name == cache);
    loaded.services.seeded = memo_cache;
    let Loaded { plan, registry, .. } = &mut loaded;
    for stage in plan.stages.iter_mut().filter(|stage| memo_cache.is_some() && stage.cache == memo_cache) {
        if may_depend_on_more(stage, registry) {
            stage.cache = None;
        }
    }
    let cancel = Cancel::default();
    let ended = go(args, &loaded, &cancel, || interrupt.set_activity(Activity::Running(cancel.clone())));
    interrupt.set_activity(Activity::Waiting);
    match ended {
        Err(error) => print_error(&error, error.hint()),
        Ok(Ended::Refused(_)) => {}
        Ok(Ended::Ran(summary)) if args.json => {
            let CallCounts { made, from_memo } = CallCounts::new(&summary);
            print_json(&json!({
                "round": round.number, "changed": round.changed, "calls": made, "from_memo": from_memo,
                "summary": summary,
            }));
        }
        Ok(Ended::Ran(summary)) => {
            terminal().say(summary_line(round.number, &summary));
            output().path(&summary.dir);
        }
    }
}

/// The line about a round: how many calls were made, by which stages, and how many answers came from the memo.
fn summary_line(round: u64, summary: &Summary) -> String {
    let CallCounts { made, from_memo } = CallCounts::new(summary);
    let by_stage = summary.stages.iter().filter(|(_, stage)| stage.calls > 0);
    let by_stage: Vec<String> = by_stage.map(|(name, stage)| format!("{name} {}", stage.calls)).collect();
    let by_stage = if by_stage.is_empty() { String::new() } else { format!(" ({})", by_stage.join(", ")) };
    format!(
        "round {round}: {}, {} made{by_stage}, {from_memo} from the memo, in {}",
        summary.state.name(),
        counted(made, "call"),
        ms(summary.wall_ms)
    )
}

/// The calls of all stages in a round.
struct CallCounts {
    made: u64,
    from_memo: u64,
}

impl CallCounts {
    fn new(summary: &Summary) -> Self {
        Self {
            made: summary.stages.values().map(|stage| stage.calls).sum(),
            from_memo: summary.stages.values().map(|stage| stage.memo_hits).sum(),
        }
    }
}

/// A name for the cache of the rounds that no cache of the pipeline has.
fn unused_cache_name(parsed: &ParsedPipeline) -> String {
    let mut name = "watch".to_owned();
    while parsed.has_cache(&name) {
        name.push_str("-again");
    }
    name
}

/// The values of `--set` that give every stage without a cache the cache of the rounds.
fn memo_settings(parsed: &ParsedPipeline, cache: &str, out: &Path) -> Vec<String> {
    let folder = std::path::absolute(out).unwrap_or_else(|_| out.to_owned()).join(".watch");
    if let Err(error) = fs::create_dir_all(&folder) {
        tracing::warn!("results are not kept from round to round: cannot make `{}`: {error}", folder.display());
        return Vec::new();
    }
    // A JSON string is also a TOML string.
    let path = Value::from(folder.join("memo.sqlite").to_string_lossy().into_owned());
    let mut set = vec![format!("cache.{cache}.tiers=[{{ use = \"sqlite\", with = {{ path = {path} }} }}]")];
    set.extend(parsed.stages_without_cache().map(|stage| format!("stages.{stage}.cache=\"{cache}\"")));
    if set.len() > 1 { set } else { Vec::new() }
}

/// The values of `--set` that pin each native plugin which the pipeline allows to the digest that it has now.
fn digest_settings(parsed: &ParsedPipeline) -> Vec<String> {
    let allowed = parsed.plugins().iter().filter(|entry| entry.allow_native);
    let native = |path: &Path| Artifact::read(path).ok().filter(|artifact| artifact.linkage() == Some(Linkage::Native));
    // This digest also covers the libraries beside the plugin that are loaded with it.
    let setting = |alias: &str, digest: &Digest| format!("plugins.{alias}.sha256=\"{digest}\"");
    allowed.filter_map(|entry| Some(setting(&entry.alias, &native(&entry.path)?.whole_digest()))).collect()
}

/// Whether the answers of a stage may depend on more than its configuration, its input and its model. Such answers are not kept.
fn may_depend_on_more(stage: &StagePlan, registry: &Registry) -> bool {
    let is_part_of_the_key = |permission: &str| {
        use Permission::{Cache, Model, ModelAbility, Random};
        matches!(permission.parse(), Ok(Model | ModelAbility(_) | Cache | Random))
    };
    let asks_for_more = stage.extension.entry(registry).is_none_or(|entry| {
        entry.descriptor.permissions.iter().any(|permission| !is_part_of_the_key(&permission.name))
    });
    asks_for_more || names_a_path(&stage.config)
}

/// Whether a configuration names a file or folder that the plugin opens itself: such a path was made absolute. A path whose
/// content is part of the configuration is not counted: its text or its digest stands beside it.
fn names_a_path(config: &Value) -> bool {
    match config {
        Value::String(text) => Path::new(text).is_absolute() && Path::new(text).exists(),
        Value::Array(list) => list.iter().any(names_a_path),
        Value::Object(map) => {
            !map.contains_key("text") && !map.contains_key("sha256") && map.values().any(names_a_path)
        }
        _ => false,
    }
}

/// The changed files, relative to the pipeline's folder where they lie in it.
fn relative_names(changed: &BTreeSet<PathBuf>, pipeline: &Path) -> String {
    let pipeline = std::path::absolute(pipeline).unwrap_or_else(|_| pipeline.to_owned());
    let folder = if pipeline.is_dir() { Some(pipeline.as_path()) } else { pipeline.parent() };
    let name = |path: &PathBuf| {
        let path = folder.and_then(|folder| path.strip_prefix(folder).ok()).unwrap_or(path);
        path.display().to_string()
    };
    let mut text = changed.iter().take(MOST_NAMES).map(name).collect::<Vec<_>>().join(", ");
    if changed.len() > MOST_NAMES {
        text.push_str(&format!(" and {} more", changed.len() - MOST_NAMES));
    }
    text
}

/// A signal that asks the program to stop. It ends the current run in order, and then the watching.
#[derive(Clone, Default)]
struct Interrupt {
    requested: Arc<AtomicBool>,
    /// Locked for a moment at a time: the thread that receives signals reads it, the thread that runs the rounds writes it.
    activity: Arc<Mutex<Activity>>,
}

/// What the program does at the moment, which decides how a signal ends it.
#[derive(Default)]
enum Activity {
    /// A pipeline is read and its plugins are compiled: the process can end at once.
    #[default]
    Loading,
    /// A run, which ends in order.
    Running(Cancel),
    /// The program waits for a file to change, and looks at `requested` itself.
    Waiting,
}

impl Interrupt {
    fn request(&self) {
        self.requested.store(true, Ordering::Release);
        match &*lock(&self.activity) {
            Activity::Loading => leave(),
            Activity::Running(run) => run.request(),
            Activity::Waiting => {}
        }
    }

    fn requested(&self) -> bool {
        self.requested.load(Ordering::Acquire)
    }

    /// Notes what the program does from now on. A run that begins after the signal is asked to stop at once.
    fn set_activity(&self, activity: Activity) {
        let mut current = lock(&self.activity);
        if let (Activity::Running(run), true) = (&activity, self.requested()) {
            run.request();
        }
        *current = activity;
    }

    /// Sleeps, and returns whether the watching is to end. It returns early in that case.
    fn sleep(&self, time: Duration) -> bool {
        let steps = 10;
        for _ in 0..steps {
            if self.requested() {
                return true;
            }
            thread::sleep(time / steps);
        }
        self.requested()
    }
}

//! `jackfield run --watch`: runs, waits until something changes, and runs again what that change touches.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, SystemTime},
};

use jackfield::internal::lock_path;
use jackfield_engine::{Cancel, matched_files};
use jackfield_loader::{Artifact, Digest, Form, Registry, sandbox::Permission};
use jackfield_pipeline::{ParsedPipeline, Request, StagePlan, parse};
use jackfield_store::Summary;
use serde_json::{Value, json};

use super::{
    exit::{Exit, complain},
    load::{Loaded, PipelineArgs, Talk, load_pipeline, print_json},
    run::{Args, Ended, go},
    signals::{leave, on_signal},
    table::{counted, ms},
};
use crate::terminal::{output, terminal};

/// How often files are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// Runs, and runs again at every change, until Ctrl-C.
pub(super) fn develop(args: &Args) -> Exit {
    let interrupt = Interrupt::default();
    let listener = interrupt.clone();
    on_signal(move || listener.request());
    let mut changed = BTreeSet::new();
    for round in 1_u64.. {
        let draft = parse(Request { path: &args.pipeline.path, set: &args.pipeline.set, input: &args.pipeline.input });
        let watched = Watched::of(args, draft.as_ref().ok());
        // What changes while the run is under way is the next round's.
        let seen = watched.look();
        if round > 1 && !args.json {
            terminal().say("");
            terminal().say(format!("round {round}: changed {}", names(&changed, &args.pipeline.path)));
        }
        self::round(args, draft.ok().as_ref(), &interrupt, (round, &changed));
        if !args.json && !interrupt.requested() {
            terminal().say(format!("watching {}; Ctrl-C ends", counted(watched.count(&seen), "file")));
        }
        // Nobody reads what further rounds would give.
        if !output().is_open() {
            break;
        }
        match watched.wait(&seen, &interrupt) {
            Some(found) => changed = found,
            None => break,
        }
    }
    Exit::Success
}

/// One run. What goes wrong with it has been told, and the next change may mend it.
fn round(
    args: &Args,
    draft: Option<&ParsedPipeline>,
    interrupt: &Interrupt,
    (round, changed): (u64, &BTreeSet<PathBuf>),
) {
    let talk = if args.json { Talk::Json } else { Talk::People };
    let cache = draft.map_or_else(String::new, free_name);
    let mut pipeline = PipelineArgs {
        path: args.pipeline.path.clone(),
        set: args.pipeline.set.clone(),
        input: args.pipeline.input.clone(),
        grant: args.pipeline.grant.clone(),
        locked: args.pipeline.locked,
    };
    if let Some(draft) = draft {
        pipeline.set.extend(memo(draft, &cache, &args.out));
        if args.allow_native {
            pipeline.set.extend(pins(draft));
        }
    }
    interrupt.begins(Doing::Load);
    let loaded = load_pipeline(&pipeline, talk);
    let Ok(mut loaded) = loaded else { return interrupt.begins(Doing::Wait) };
    let own = loaded.plan.caches.iter().position(|plan| plan.name == cache);
    loaded.services.seeded = own;
    let Loaded { plan, registry, .. } = &mut loaded;
    for stage in plan.stages.iter_mut().filter(|stage| own.is_some() && stage.cache == own) {
        if sees_more(stage, registry) {
            stage.cache = None;
        }
    }
    let cancel = Cancel::default();
    let ended = go(args, &loaded, &cancel, || interrupt.begins(Doing::Run(cancel.clone())));
    interrupt.begins(Doing::Wait);
    match ended {
        Err(error) => complain(&error, error.hint()),
        Ok(Ended::Refused(_)) => {}
        Ok(Ended::Ran(summary)) if args.json => {
            let (calls, kept) = counts(&summary);
            print_json(
                &json!({ "round": round, "changed": changed, "calls": calls, "from_memo": kept, "summary": summary }),
            );
        }
        Ok(Ended::Ran(summary)) => {
            terminal().say(told(round, &summary));
            output().path(&summary.dir);
        }
    }
}

/// The line of a round: how many calls were made and how many were not, and by which stages.
fn told(round: u64, summary: &Summary) -> String {
    let (calls, kept) = counts(summary);
    let by_stage = summary.stages.iter().filter(|(_, stage)| stage.calls > 0);
    let by_stage: Vec<String> = by_stage.map(|(name, stage)| format!("{name} {}", stage.calls)).collect();
    let by_stage = if by_stage.is_empty() { String::new() } else { format!(" ({})", by_stage.join(", ")) };
    format!(
        "round {round}: {}, {} made{by_stage}, {kept} from the memo, in {}",
        summary.state.name(),
        counted(calls, "call"),
        ms(summary.wall_ms)
    )
}

fn counts(summary: &Summary) -> (u64, u64) {
    summary.stages.values().fold((0, 0), |(calls, kept), stage| (calls + stage.calls, kept + stage.memo_hits))
}

/// A name for the cache of the rounds that the pipeline has not given away.
fn free_name(draft: &ParsedPipeline) -> String {
    let mut name = "watch".to_owned();
    while draft.has_cache(&name) {
        name.push_str("-again");
    }
    name
}

/// What gives every stage that keeps no results a cache that does, as one would write it on the command line.
fn memo(draft: &ParsedPipeline, cache: &str, out: &Path) -> Vec<String> {
    let folder = std::path::absolute(out).unwrap_or_else(|_| out.to_owned()).join(".watch");
    if let Err(error) = fs::create_dir_all(&folder) {
        tracing::warn!("results are not kept from round to round: cannot make `{}`: {error}", folder.display());
        return Vec::new();
    }
    // A string of JSON is one of TOML.
    let path = Value::from(folder.join("memo.sqlite").to_string_lossy().into_owned());
    let mut set = vec![format!("cache.{cache}.tiers=[{{ use = \"sqlite\", with = {{ path = {path} }} }}]")];
    set.extend(draft.stages_without_cache().map(|stage| format!("stages.{stage}.cache=\"{cache}\"")));
    if set.len() > 1 { set } else { Vec::new() }
}

/// Pins the native plugins that the pipeline allows to what they are now.
fn pins(draft: &ParsedPipeline) -> Vec<String> {
    let allowed = draft.plugins().iter().filter(|entry| entry.allow_native);
    let native = |path: &Path| Artifact::read(path).ok().filter(|artifact| artifact.form() == Some(Form::Native));
    // This digest holds the libraries beside the plugin too that are loaded with it.
    let pin = |alias: &str, digest: &Digest| format!("plugins.{alias}.sha256=\"{digest}\"");
    allowed.filter_map(|entry| Some(pin(&entry.alias, &native(&entry.path)?.whole_digest()))).collect()
}

/// Whether what a stage answers may depend on more than its configuration, its input and its model.
fn sees_more(stage: &StagePlan, registry: &Registry) -> bool {
    let permission = |name: &str| {
        use Permission::{Cache, Model, ModelAbility, Random};
        matches!(name.parse(), Ok(Model | ModelAbility(_) | Cache | Random))
    };
    let asks = stage
        .extension
        .offer(registry)
        .is_none_or(|offer| offer.descriptor.permissions.iter().any(|asked| !permission(&asked.name)));
    asks || names_a_path(&stage.config)
}

/// Whether a configuration names a file or folder that the plugin opens itself: such a path was made absolute. A text that
/// was read for it stands beside its path, and so does a digest.
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

/// The changed files, as seen from the pipeline's folder.
fn names(changed: &BTreeSet<PathBuf>, pipeline: &Path) -> String {
    const TOLD: usize = 5;
    let pipeline = std::path::absolute(pipeline).unwrap_or_else(|_| pipeline.to_owned());
    let folder = if pipeline.is_dir() { Some(pipeline.as_path()) } else { pipeline.parent() };
    let name = |path: &PathBuf| {
        let path = folder.and_then(|folder| path.strip_prefix(folder).ok()).unwrap_or(path);
        path.display().to_string()
    };
    let mut text = changed.iter().take(TOLD).map(name).collect::<Vec<_>>().join(", ");
    if changed.len() > TOLD {
        text.push_str(&format!(" and {} more", changed.len() - TOLD));
    }
    text
}

/// What is known of a file: when it was written, and its length; none if it is not there.
type Stamp = Option<(SystemTime, u64)>;

/// What stands in a folder, but for what is hidden; nothing for what is no folder.
fn files_in(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    entries.filter(|path| path.file_name().is_some_and(|name| !name.as_encoded_bytes().starts_with(b".")))
}

/// The files that a run depends on.
struct Watched {
    files: Vec<PathBuf>,
    patterns: Vec<String>,
    /// What is written here is the runs' own.
    out: PathBuf,
}

impl Watched {
    fn of(args: &Args, draft: Option<&ParsedPipeline>) -> Self {
        let path = &args.pipeline.path;
        let file = if path.is_dir() { path.join("pipeline.toml") } else { path.clone() };
        let mut files = vec![file, lock_path(path)];
        files.extend(draft.iter().flat_map(|draft| draft.files()));
        let files = files.into_iter().map(|path| std::path::absolute(&path).unwrap_or(path)).collect();
        let patterns = draft.map(|draft| draft.patterns().to_vec()).unwrap_or_default();
        Self { files, patterns, out: std::path::absolute(&args.out).unwrap_or_else(|_| args.out.clone()) }
    }

    fn look(&self) -> BTreeMap<PathBuf, Stamp> {
        let stamp = |path: &Path| {
            let about = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
            Some((about.modified().ok()?, about.len()))
        };
        let mut seen: BTreeMap<PathBuf, Stamp> = self.files.iter().map(|path| (path.clone(), stamp(path))).collect();
        // A configuration may name a folder for the files in it.
        for path in self.files.iter().flat_map(|path| files_in(path)).filter(|path| !path.starts_with(&self.out)) {
            let stamp = stamp(&path);
            if stamp.is_some() {
                seen.insert(path, stamp);
            }
        }
        // What cannot be listed is told by the run.
        let matched =
            self.patterns.iter().filter_map(|pattern| matched_files(std::slice::from_ref(pattern)).ok()).flatten();
        for path in matched.filter(|path| !path.starts_with(&self.out)) {
            let stamp = stamp(&path);
            if stamp.is_some() {
                seen.insert(path, stamp);
            }
        }
        seen
    }

    fn count(&self, seen: &BTreeMap<PathBuf, Stamp>) -> u64 {
        seen.values().flatten().count() as u64
    }

    /// Waits for a change, and then until there is no more for a moment: what is written in steps is one change. None once
    /// it is to end.
    fn wait(&self, before: &BTreeMap<PathBuf, Stamp>, interrupt: &Interrupt) -> Option<BTreeSet<PathBuf>> {
        let mut last = before.clone();
        loop {
            if interrupt.sleep(LOOK_EVERY) {
                return None;
            }
            let now = self.look();
            let same = now == last;
            last = now;
            if same && last != *before {
                let differs = |path: &&PathBuf| before.get(*path) != last.get(*path);
                return Some(before.keys().chain(last.keys()).filter(differs).cloned().collect());
            }
        }
    }
}

/// A signal that asks to stop: ends what is under way, and then all.
#[derive(Clone, Default)]
struct Interrupt {
    requested: Arc<AtomicBool>,
    doing: Arc<Mutex<Doing>>,
}

/// What is under way.
#[derive(Default)]
enum Doing {
    /// A pipeline is read and its plugins are compiled: nothing is lost by leaving it.
    #[default]
    Load,
    /// A run, which ends in order.
    Run(Cancel),
    /// Nothing, until a file changes.
    Wait,
}

impl Interrupt {
    fn request(&self) {
        self.requested.store(true, Ordering::Release);
        match &*self.doing.lock().unwrap_or_else(PoisonError::into_inner) {
            Doing::Load => leave(),
            Doing::Run(run) => run.request(),
            Doing::Wait => {}
        }
    }

    fn requested(&self) -> bool {
        self.requested.load(Ordering::Acquire)
    }

    /// Says what is under way from now on.
    fn begins(&self, doing: Doing) {
        let mut now = self.doing.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Doing::Run(run), true) = (&doing, self.requested()) {
            run.request();
        }
        *now = doing;
    }

    /// Sleeps; whether it is to end.
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

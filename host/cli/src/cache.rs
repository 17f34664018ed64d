//! `jackfield cache`.

use std::sync::Arc;

use clap::Subcommand;
use jackfield_loader::{Registry, hint_for_threads, sandbox::size, start_runtime};
use jackfield_pipeline::Plan;
use jackfield_plugin_api::Failure;
use jackfield_services::{Cache, open_cache};
use serde_json::{Value, json};

use super::{
    exit::{Exit, print_error},
    load::{OutputFormat, PipelineArgs, load_plan, print_json},
    table::table,
};
use crate::terminal::{output, terminal};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Say what the caches of a pipeline hold.
    Stats {
        #[command(flatten)]
        which: Which,

        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Forget what the caches of a pipeline hold.
    Clear {
        #[command(flatten)]
        which: Which,
    },
    /// Print what a cache holds: a JSON object a line.
    Export {
        #[command(flatten)]
        which: Which,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct Which {
    #[command(flatten)]
    pipeline: PipelineArgs,

    /// Only this cache of the pipeline.
    #[arg(long, value_name = "NAME")]
    cache: Option<String>,

    /// Only keys that begin so: `completion/`, `memo/`, `store/`, `blob/`.
    #[arg(long, value_name = "TEXT", default_value = "")]
    prefix: String,
}

pub(super) fn cache(command: &Command) -> Exit {
    let (which, format) = match command {
        Command::Stats { which, json: true } => (which, OutputFormat::Json),
        Command::Stats { which, .. } | Command::Clear { which } | Command::Export { which } => {
            (which, OutputFormat::Human)
        }
    };
    let (plan, registry) = match load_plan(&which.pipeline, format) {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    let caches = match open(which, &plan, &registry) {
        Ok(caches) => caches,
        Err(exit) => return exit,
    };
    let runtime = match start_runtime("io") {
        Ok(runtime) => runtime,
        Err(error) => {
            print_error(format!("failed to start workers: {error}"), Some(hint_for_threads()));
            return Exit::Failed;
        }
    };
    runtime.block_on(async {
        match command {
            Command::Stats { json, .. } => stats(&caches, &which.prefix, *json).await,
            Command::Clear { .. } => clear(&caches, &which.prefix).await,
            Command::Export { .. } => export(&caches, &which.prefix).await,
        }
    })
}

/// Opens the caches that are meant.
fn open(which: &Which, plan: &Plan, registry: &Registry) -> Result<Vec<Cache>, Exit> {
    let mut caches = Vec::new();
    for cache in plan.caches.iter().filter(|cache| which.cache.as_ref().is_none_or(|name| *name == cache.name)) {
        match open_cache(cache, &Arc::default(), registry) {
            Ok(cache) => caches.push(cache),
            Err(fault) => {
                print_error(format!("{} cannot be set up: {}", fault.service, fault.failure), None);
                return Err(Exit::Failed);
            }
        }
    }
    if let (Some(name), true) = (&which.cache, caches.is_empty()) {
        let known = plan.caches.iter().map(|cache| cache.name.as_str());
        print_error(
            format!("the pipeline has no cache `{name}`"),
            jackfield_pipeline::hint_for(name, "known caches", known),
        );
        return Err(Exit::Usage);
    }
    Ok(caches)
}

async fn stats(caches: &[Cache], prefix: &str, as_json: bool) -> Exit {
    let (mut rows, mut objects, mut exit) = (Vec::new(), Vec::new(), Exit::Success);
    for cache in caches {
        for (tier, held) in cache.size(prefix).await {
            match held {
                Ok(held) => {
                    rows.push(vec![
                        cache.name().to_owned(),
                        tier.to_owned(),
                        held.entries.to_string(),
                        size(held.bytes),
                    ]);
                    objects.push(
                        json!({ "cache": cache.name(), "tier": tier, "entries": held.entries, "bytes": held.bytes }),
                    );
                }
                Err(failure) => {
                    exit = Exit::Partial;
                    rows.push(vec![cache.name().to_owned(), tier.to_owned(), "away".to_owned(), String::new()]);
                    objects.push(json!({ "cache": cache.name(), "tier": tier, "failure": failure.to_string() }));
                    print_error(format!("tier `{tier}` of cache `{}`: {failure}", cache.name()), None);
                }
            }
        }
    }
    if as_json {
        print_json(&json!({ "caches": objects }));
    } else if rows.is_empty() {
        terminal().say("the pipeline has no cache");
    } else {
        output().lines(table(&["cache", "tier", "entries", "size"], rows));
    }
    exit
}

async fn clear(caches: &[Cache], prefix: &str) -> Exit {
    let mut exit = Exit::Success;
    for cache in caches {
        for (tier, cleared) in cache.clear(prefix).await {
            match cleared {
                Ok(count) => terminal().say(format!("{}: {tier}: {count} cleared", cache.name())),
                Err(failure) => {
                    exit = Exit::Partial;
                    print_error(format!("tier `{tier}` of cache `{}`: {failure}", cache.name()), None);
                }
            }
        }
    }
    exit
}

/// How many values are read at a time.
const PAGE: usize = 500;

async fn export(caches: &[Cache], prefix: &str) -> Exit {
    for cache in caches {
        let (mut after, mut most) = (None::<String>, PAGE);
        loop {
            let page = match cache.list(prefix, after.as_deref(), most).await {
                Ok(page) => page,
                // So many values are more than its sandbox may answer at a time.
                Err(Failure::OverBudget(_)) if most > 1 => {
                    most = (most / 8).max(1);
                    continue;
                }
                Err(failure) => {
                    print_error(format!("cache `{}`: {failure}", cache.name()), None);
                    return Exit::Failed;
                }
            };
            let Some(last) = page.last() else { break };
            after = Some(last.key.clone());
            for entry in page {
                let value = match serde_json::from_slice::<Value>(&entry.value) {
                    Ok(value) => json!({ "json": value }),
                    Err(_) => json!({ "hex": jackfield_plugin_api::to_hex(&entry.value) }),
                };
                let ttl = entry.ttl.map(|ttl| ttl.as_secs());
                output().json_line(&json!({ "cache": cache.name(), "key": entry.key, "ttl_s": ttl, "value": value }));
            }
            // A reader that has gone away has had enough.
            if !output().is_open() {
                return Exit::Success;
            }
        }
    }
    Exit::Success
}

//! `jackfield cache` shows, clears and exports what the caches of a pipeline hold.

use std::sync::Arc;

use clap::Subcommand;
use jackfield_loader::{Registry, hint_for_threads, sandbox::size, start_runtime};
use jackfield_pipeline::Plan;
use jackfield_plugin_api::Failure;
use jackfield_services::{Cache, open_cache};
use serde_json::{Value, json};

use super::{
    cache_prune::{PruneRuleArgs, prune},
    exit::{Exit, print_error},
    load::{OutputFormat, PipelineArgs, load_plan, print_json},
    table::table,
};
use crate::terminal::{output, terminal};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show how many entries and bytes the caches of a pipeline hold.
    Stats {
        #[command(flatten)]
        selection: CacheSelection,

        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Delete what the caches of a pipeline hold.
    Clear {
        #[command(flatten)]
        selection: CacheSelection,
    },
    /// Remove what has expired from the caches of a pipeline that are kept in files, what was not used for long, or what is over
    /// a size. What a server or a plugin keeps is left to it.
    Prune {
        #[command(flatten)]
        selection: CacheSelection,

        #[command(flatten)]
        rule: PruneRuleArgs,
    },
    /// Print what the caches hold: one JSON object a line.
    Export {
        #[command(flatten)]
        selection: CacheSelection,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct CacheSelection {
    #[command(flatten)]
    pipeline: PipelineArgs,

    /// Only this cache of the pipeline.
    #[arg(long, value_name = "NAME")]
    cache: Option<String>,

    /// Only keys that begin with this text: `completion/`, `memo/`, `store/`, `blob/`.
    #[arg(long, value_name = "TEXT", default_value = "")]
    prefix: String,
}

pub(super) fn cache(command: &Command) -> Exit {
    let (selection, format) = match command {
        Command::Stats { selection, json: true } => (selection, OutputFormat::Json),
        Command::Stats { selection, .. }
        | Command::Clear { selection }
        | Command::Prune { selection, .. }
        | Command::Export { selection } => (selection, OutputFormat::Human),
    };
    let (plan, registry) = match load_plan(&selection.pipeline, format) {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    if let Command::Prune { rule, .. } = command {
        return prune(&plan, &registry, (selection.cache.as_deref(), &selection.prefix), *rule);
    }
    let caches = match open_caches(selection, &plan, &registry) {
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
            Command::Stats { json, .. } => stats(&caches, &selection.prefix, *json).await,
            Command::Clear { .. } => clear(&caches, &selection.prefix).await,
            Command::Prune { .. } => unreachable!("no cache is opened for it"),
            Command::Export { .. } => export(&caches, &selection.prefix).await,
        }
    })
}

/// Opens the caches that the command line selects.
fn open_caches(selection: &CacheSelection, plan: &Plan, registry: &Registry) -> Result<Vec<Cache>, Exit> {
    let mut caches = Vec::new();
    for cache in plan.caches.iter().filter(|cache| selection.cache.as_ref().is_none_or(|name| *name == cache.name)) {
        match open_cache(cache, &Arc::default(), registry) {
            Ok(cache) => caches.push(cache),
            Err(fault) => {
                print_error(format!("{} cannot be set up: {}", fault.service, fault.failure), None);
                return Err(Exit::Failed);
            }
        }
    }
    if let (Some(name), true) = (&selection.cache, caches.is_empty()) {
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
        for (tier, size_of_tier) in cache.size(prefix).await {
            match size_of_tier {
                Ok(total) => {
                    rows.push(vec![
                        cache.name().to_owned(),
                        tier.to_owned(),
                        total.entries.to_string(),
                        size(total.bytes),
                    ]);
                    objects.push(
                        json!({ "cache": cache.name(), "tier": tier, "entries": total.entries, "bytes": total.bytes }),
                    );
                }
                Err(failure) => {
                    exit = Exit::Partial;
                    rows.push(vec![cache.name().to_owned(), tier.to_owned(), "unreachable".to_owned(), String::new()]);
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

/// How many values are read in one request to a cache, at most.
const PAGE: usize = 500;

async fn export(caches: &[Cache], prefix: &str) -> Exit {
    for cache in caches {
        let mut after = None::<String>;
        let mut most = PAGE;
        loop {
            let page = match cache.list(prefix, after.as_deref(), most).await {
                Ok(page) => page,
                // A sandboxed cache may not be allowed to answer this many values at once, so fewer are requested.
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
            // Nobody reads the rest.
            if !output().is_open() {
                return Exit::Success;
            }
        }
    }
    Exit::Success
}

//! `jackfield cache prune` removes old values from the caches of a pipeline that are kept in files.

use std::{path::Path, time::Duration};

use jackfield::internal::{CachePruneRule, prune_cache_file};
use jackfield_loader::{Registry, sandbox::size};
use jackfield_pipeline::{CachePlan, Plan, TierPlan, hint_for};

use super::{
    exit::{Exit, print_error},
    table::counted,
};
use crate::terminal::terminal;

/// What is removed, besides what has expired.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct PruneRuleArgs {
    /// Also values that were not used for longer than this: `30d`, `12h`.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    older: Option<Duration>,

    /// Also the least recently used values, until each cache takes no more than this: `500MiB`.
    #[arg(long, value_name = "SIZE", value_parser = jackfield_loader::sandbox::parse_size)]
    max_size: Option<u64>,
}

/// Removes what the rule says from the caches of a plan, or from the one of this name.
pub(super) fn prune(
    plan: &Plan,
    registry: &Registry,
    (name, prefix): (Option<&str>, &str),
    rule: PruneRuleArgs,
) -> Exit {
    let caches: Vec<&CachePlan> =
        plan.caches.iter().filter(|cache| name.is_none_or(|name| name == cache.name)).collect();
    if let (Some(name), true) = (name, caches.is_empty()) {
        let known = plan.caches.iter().map(|cache| cache.name.as_str());
        print_error(format!("the pipeline has no cache `{name}`"), hint_for(name, "known caches", known));
        return Exit::Usage;
    }
    if caches.is_empty() {
        terminal().say("the pipeline has no cache");
    }
    let mut exit = Exit::Success;
    for cache in caches {
        for tier in &cache.tiers {
            if !prune_tier(cache, tier, registry, prefix, rule) {
                exit = Exit::Partial;
            }
        }
    }
    exit
}

/// Removes what the rule says from a tier, and says how much that was. Returns whether it went well.
fn prune_tier(cache: &CachePlan, tier: &TierPlan, registry: &Registry, prefix: &str, rule: PruneRuleArgs) -> bool {
    let (name, backend) = (&cache.name, tier.extension.name.as_str());
    let is_bundled = tier.extension.plugin == jackfield_loader::BUNDLED;
    let path = super::doctor::setting(&tier.extension, &tier.config, "path", registry);
    let path = match (is_bundled, backend, path) {
        (true, "sqlite", Some(path)) => path,
        (true, "memory", _) => return true,
        (true, "redis", _) => {
            terminal().say(format!("{name}: redis: the server removes what has expired by itself"));
            return true;
        }
        _ => {
            let clear = "`jackfield cache clear` empties it";
            terminal().say(format!("{name}: {backend}: it does not say how old its values are; {clear}"));
            return true;
        }
    };
    let prefix = format!("{name}/{prefix}");
    let rule = CachePruneRule { prefix: &prefix, unused: rule.older, max_bytes: rule.max_size };
    match prune_cache_file(Path::new(&path), rule) {
        Ok(pruned) => {
            let removed = counted(pruned.entries, "value");
            terminal().say(format!("{name}: {backend}: {removed} removed, {}", size(pruned.bytes)));
            true
        }
        Err(failure) => {
            print_error(format!("tier `{backend}` of cache `{name}`: {failure}"), None);
            false
        }
    }
}

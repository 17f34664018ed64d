//! What runs and caches take on disk.

use std::path::Path;

use jackfield_loader::{Registry, sandbox::size};
use jackfield_pipeline::Plan;
use jackfield_store::{disk_use, run_folders};

use super::{
    finding::{Finding, State},
    pipeline::setting,
};
use crate::{run::out_option, table::counted};

/// Runs that take more than this together are worth a look.
const MANY_BYTES: u64 = 10 << 30;

/// The folder of the runs, if there is one.
pub(super) fn runs(out: &Path) -> Option<Finding> {
    let folders = run_folders(out);
    if folders.is_empty() {
        return None;
    }
    let bytes = folders.iter().map(|folder| disk_use(folder)).sum();
    let detail = format!("`{}`: {}, {}", out.display(), counted(folders.len() as u64, "run"), size(bytes));
    Some(if bytes > MANY_BYTES {
        let hint = format!("jackfield runs prune --keep 20 --dry-run{}", out_option(out));
        Finding::new("runs", State::Warning, detail).hint(hint)
    } else {
        Finding::ok("runs", detail)
    })
}

/// The files of a pipeline's caches.
pub(super) fn caches(plan: &Plan, registry: &Registry) -> Vec<Finding> {
    let tiers = plan.caches.iter().flat_map(|cache| cache.tiers.iter().map(move |tier| (cache, tier)));
    let files = tiers.filter(|(_, tier)| tier.extension.name == "sqlite").filter_map(|(cache, tier)| {
        let path = setting(&tier.extension, &tier.config, "path", registry)?;
        let beside = ["", "-wal", "-shm"].map(|ending| disk_use(Path::new(&format!("{path}{ending}"))));
        let bytes: u64 = beside.iter().sum();
        (bytes > 0).then(|| Finding::ok(format!("cache {}", cache.name), format!("`{path}`: {}", size(bytes))))
    });
    files.collect()
}

//! The list of bundled plugins: the only place that names concrete plugins.

use jackfield_answers as _;
use jackfield_caches as _;
use jackfield_claims as _;
use jackfield_directions as _;
use jackfield_graders as _;
use jackfield_grids as _;
use jackfield_lenses as _;
use jackfield_loader::{Plugin, linked_in_plugin};
use jackfield_meetings as _;
use jackfield_minutes as _;
use jackfield_models as _;
use jackfield_prompts as _;
use jackfield_retrieval as _;
use jackfield_routes as _;
use jackfield_search as _;
use jackfield_steering as _;
use jackfield_transcript as _;
#[cfg(feature = "transformer")]
use jackfield_transformer as _;

/// The file in a model's folder that holds checksums of the others.
#[cfg(feature = "transformer")]
pub const MODEL_CHECKSUMS: &str = jackfield_transformer::CHECKSUMS;

/// What that file of a folder should hold, and of how many files.
///
/// # Errors
/// What is wrong with the folder.
#[cfg(feature = "transformer")]
pub fn model_checksums(folder: &std::path::Path) -> Result<(String, usize), String> {
    let text = jackfield_transformer::checksums(folder).map_err(|error| error.to_string())?;
    let value: serde_json::Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let files = value["files"].as_object().map_or(0, serde_json::Map::len);
    Ok((text, files))
}

/// Which values are removed from the file of a cache.
pub type CachePruneRule<'a> = jackfield_caches::sqlite::PruneRule<'a>;

/// Removes old values from the file of a cache, a tier of the bundled backend `sqlite`.
///
/// # Errors
/// The file cannot be used.
pub fn prune_cache_file(
    path: &std::path::Path,
    rule: CachePruneRule<'_>,
) -> Result<jackfield_caches::sqlite::Pruned, jackfield_plugin_api::Failure> {
    jackfield_caches::sqlite::prune(path, rule)
}

/// The plugin `bundled`: every extension that is linked into this program.
#[must_use]
pub fn bundled() -> Plugin {
    linked_in_plugin()
}

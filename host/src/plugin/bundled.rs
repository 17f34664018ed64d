//! The list of bundled plugins: the only place that names concrete plugins.

use jackfield_answers as _;
use jackfield_caches as _;
use jackfield_claims as _;
use jackfield_directions as _;
use jackfield_grids as _;
use jackfield_lenses as _;
use jackfield_meetings as _;
use jackfield_minutes as _;
use jackfield_models as _;
use jackfield_plugin_api::{PROTOCOL, linked_extensions};
use jackfield_retrieval as _;
use jackfield_routes as _;
use jackfield_search as _;
use jackfield_steering as _;
use jackfield_transcript as _;
#[cfg(feature = "transformer")]
use jackfield_transformer as _;

use super::{Form, Plugin, load::direct, program::program_digest};

/// What the bundled plugins are called.
pub const BUNDLED: &str = "bundled";

/// The file in a model's folder that holds checksums of the others.
#[cfg(feature = "transformer")]
pub(crate) const MODEL_CHECKSUMS: &str = jackfield_transformer::CHECKSUMS;

/// What that file of a folder should hold, and of how many files.
///
/// # Errors
/// What is wrong with the folder.
#[cfg(feature = "transformer")]
pub(crate) fn model_checksums(folder: &std::path::Path) -> Result<(String, usize), String> {
    let text = jackfield_transformer::checksums(folder).map_err(|error| error.to_string())?;
    let value: serde_json::Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let files = value["files"].as_object().map_or(0, serde_json::Map::len);
    Ok((text, files))
}

/// The plugin `bundled`: every extension that is linked into this program.
#[must_use]
pub fn bundled() -> Plugin {
    let offers = linked_extensions().into_iter().map(|extension| direct(BUNDLED, extension)).collect();
    Plugin {
        alias: BUNDLED.to_owned(),
        form: Form::LinkedIn,
        path: None,
        digest: program_digest(),
        protocol: PROTOCOL,
        offers,
    }
}

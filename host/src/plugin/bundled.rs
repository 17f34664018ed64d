//! The list of bundled plugins: the only place that names concrete plugins.

use jackfield_answers as _;
use jackfield_caches as _;
use jackfield_claims as _;
use jackfield_directions as _;
use jackfield_lenses as _;
use jackfield_meetings as _;
use jackfield_minutes as _;
use jackfield_models as _;
use jackfield_plugin_api::{PROTOCOL, linked_in};
use jackfield_retrieval as _;
use jackfield_routes as _;
use jackfield_transcript as _;
#[cfg(feature = "transformer")]
use jackfield_transformer as _;

use super::{Form, Plugin, load::direct, program::program_digest};

/// What the bundled plugins are called.
pub const BUNDLED: &str = "bundled";

/// The plugin `bundled`: every extension that is linked into this program.
#[must_use]
pub fn bundled() -> Plugin {
    let offers = linked_in().into_iter().map(|extension| direct(BUNDLED, extension)).collect();
    Plugin {
        alias: BUNDLED.to_owned(),
        form: Form::LinkedIn,
        path: None,
        digest: program_digest(),
        protocol: PROTOCOL,
        offers,
    }
}

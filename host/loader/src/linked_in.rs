//! Extensions that are linked into the program.

use jackfield_plugin_api::{PROTOCOL, linked_extensions};

use super::{Linkage, Plugin, load::direct, program::program_digest};

/// What the plugin of all that is linked in is called in a pipeline.
pub const BUNDLED: &str = "bundled";

/// The plugin `bundled`: every extension that is linked into the running program.
#[must_use]
pub fn linked_in_plugin() -> Plugin {
    let extensions = linked_extensions().into_iter().map(|extension| direct(BUNDLED, extension)).collect();
    Plugin {
        alias: BUNDLED.to_owned(),
        linkage: Linkage::LinkedIn,
        path: None,
        digest: program_digest(),
        protocol: PROTOCOL,
        extensions,
    }
}

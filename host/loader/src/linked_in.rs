//! Extensions that are linked into the program.

use jackfield_plugin_api::{PROTOCOL, linked_extensions};

use super::{Linkage, Plugin, load::unsandboxed, program::program_digest};

/// The alias of the plugin that has all linked-in extensions.
pub const BUNDLED: &str = "bundled";

/// The plugin `bundled`: every extension that is linked into the running program.
#[must_use]
pub fn linked_in_plugin() -> Plugin {
    let extensions = linked_extensions().into_iter().map(|extension| unsandboxed(BUNDLED, extension)).collect();
    Plugin {
        alias: BUNDLED.to_owned(),
        linkage: Linkage::LinkedIn,
        path: None,
        digest: program_digest(),
        protocol: PROTOCOL,
        extensions,
    }
}

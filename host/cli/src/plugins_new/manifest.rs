//! Makes manifests of crates that are copied out of the workspace. The results are kept in `templates/rust/vendor`, as the manifest
//! of the workspace is not part of a packaged crate.

use std::{fs, path::Path};

/// A file below the folder of the workspace.
fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A manifest in which the keys that are inherited from the workspace are replaced by their values.
///
/// It works line by line: each inherited key is on a line of its own, both in the manifest and in the workspace.
pub(super) fn standalone(manifest: &str) -> String {
    let (manifest, workspace) = (read(manifest), read("Cargo.toml"));
    let lints = |tool| section(&workspace, &format!("workspace.lints.{tool}")).join("\n");
    let lints = format!("[lints.rust]\n{}\n\n[lints.clippy]\n{}\n", lints("rust"), lints("clippy"));
    let manifest = manifest.replace("[lints]\nworkspace = true\n", &lints);
    let mut text = String::new();
    for line in manifest.lines() {
        // These keys are only for a registry.
        if ["readme = ", "keywords = ", "categories = "].iter().any(|key| line.starts_with(key)) {
            continue;
        }
        let taken = line.strip_suffix(".workspace = true").and_then(|key| {
            let tables = ["workspace.package", "workspace.dependencies"];
            let found = tables.into_iter().flat_map(|table| section(&workspace, table));
            found.into_iter().find(|given| given.strip_prefix(key).is_some_and(|rest| rest.starts_with(" = ")))
        });
        // The crate of macros lies in the crate that uses it.
        text.push_str(&taken.unwrap_or(line).replace("path = \"plugin-api/", "path = \""));
        text.push('\n');
    }
    text
}

/// The lines of a table of the workspace, without comments.
fn section<'a>(workspace: &'a str, name: &str) -> Vec<&'a str> {
    let header = format!("[{name}]");
    let lines = workspace.lines().skip_while(|line| *line != header).skip(1).take_while(|line| !line.starts_with('['));
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

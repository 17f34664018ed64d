//! Manifests of crates that leave their workspace.

/// The workspace that the vendored crates come from.
const WORKSPACE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml"));

/// A manifest with what it takes from the workspace put in.
///
/// It goes by lines, which keeps them as they are: each key that is taken from the workspace stands in a line of its own,
/// and so does what it stands for.
pub(super) fn standalone(manifest: &str) -> String {
    let lints = [section("workspace.lints.rust"), section("workspace.lints.clippy")];
    let lints = format!("[lints.rust]\n{}\n\n[lints.clippy]\n{}\n", lints[0].join("\n"), lints[1].join("\n"));
    let manifest = manifest.replace("[lints]\nworkspace = true\n", &lints);
    let mut text = String::new();
    for line in manifest.lines() {
        let taken = line.strip_suffix(".workspace = true").and_then(|key| {
            let found = ["workspace.package", "workspace.dependencies"].into_iter().flat_map(section);
            found.into_iter().find(|given| given.strip_prefix(key).is_some_and(|rest| rest.starts_with(" = ")))
        });
        // The crate of macros lies in the crate that uses it.
        text.push_str(&taken.unwrap_or(line).replace("path = \"plugin-api/", "path = \""));
        text.push('\n');
    }
    text
}

/// The lines of a table of the workspace, without comments.
fn section(name: &str) -> Vec<&'static str> {
    let header = format!("[{name}]");
    let lines = WORKSPACE.lines().skip_while(|line| *line != header).skip(1).take_while(|line| !line.starts_with('['));
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

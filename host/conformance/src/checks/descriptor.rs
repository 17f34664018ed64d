//! What an extension says of itself.

use std::collections::BTreeSet;

use jackfield_loader::sandbox::Permission;
use jackfield_plugin_api::Descriptor;

use crate::{Finding, Outcome, extension_under_test::ExtensionUnderTest};

pub(crate) fn descriptor(extension: &ExtensionUnderTest<'_>) -> Outcome {
    let descriptor = extension.descriptor();
    let mut findings = Vec::new();
    let mut find = |expected: &str, seen: String, fix: &str| findings.push(Finding::new(expected, seen, fix));
    if !is_name(&descriptor.name) {
        find(
            "a name of lower-case words, joined by hyphens, of at most 64 bytes",
            format!("`{}`", descriptor.name),
            "rename the extension",
        );
    }
    if !is_semantic(&descriptor.version) {
        find(
            "a semantic version, such as 1.2.0",
            format!("`{}`", descriptor.version),
            "give the plugin a version of three numbers",
        );
    }
    let summary = &descriptor.summary;
    if summary.trim().is_empty() || summary.lines().count() != 1 || summary.trim_end().ends_with('.') {
        find(
            "a summary of one line, without a full stop",
            format!("{summary:?}"),
            "say in one line what the extension does, and leave the full stop out",
        );
    }
    if let Some(again) = extension.again {
        let differs = difference(descriptor, again);
        if let Some(field) = differs {
            find(
                "the same descriptor at every load",
                format!("another {field} when it was loaded again"),
                "make the descriptor of constants: no time, no random number, no order of a hash map",
            );
        }
    } else {
        find(
            "the same descriptor at every load",
            "no such extension when it was loaded again".to_owned(),
            "offer the same extensions at every load",
        );
    }
    Outcome::from_findings(findings)
}

/// The first field in which two descriptors differ.
fn difference(one: &Descriptor, other: &Descriptor) -> Option<&'static str> {
    let fields = [
        ("version", one.version != other.version),
        ("summary", one.summary != other.summary),
        ("config schema", one.config != other.config),
        ("input schema", one.input != other.input),
        ("output schema", one.output != other.output),
        ("list of permissions", one.permissions != other.permissions),
        ("list of examples", one.examples != other.examples),
        ("stability", one.stability != other.stability),
    ];
    fields.into_iter().find(|(_, differs)| *differs).map(|(field, _)| field)
}

fn is_name(name: &str) -> bool {
    let word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    name.len() <= 64 && name.split('-').all(word)
}

/// Whether a text is a version as <https://semver.org> has it.
fn is_semantic(version: &str) -> bool {
    let (version, build) = version.split_once('+').map_or((version, None), |(version, build)| (version, Some(build)));
    let (core, pre) = version.split_once('-').map_or((version, None), |(core, pre)| (core, Some(pre)));
    let plain = |part: &str| part == "0" || !part.starts_with('0');
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let word = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let numbers: Vec<&str> = core.split('.').collect();
    numbers.len() == 3
        && numbers.iter().all(|part| digits(part) && plain(part))
        && pre.is_none_or(|pre| pre.split('.').all(|part| word(part) && (!digits(part) || plain(part))))
        && build.is_none_or(|build| build.split('.').all(word))
}

pub(crate) fn permissions(extension: &ExtensionUnderTest<'_>) -> Outcome {
    let mut findings = Vec::new();
    let mut seen = BTreeSet::new();
    for permission in &extension.descriptor().permissions {
        let name = permission.name.as_str();
        if name.parse::<Permission>().is_err() {
            findings.push(Finding::new(
                "a permission of the contract",
                format!("`{name}`"),
                "ask for `model`, `model:ABILITY`, `cache`, `clock`, `random`, `http:HOST`, `read:NAME`, `scratch:NAME`, `env:NAME` or `secret:NAME`",
            ));
        }
        if !seen.insert(name) {
            findings.push(Finding::new("each permission once", format!("`{name}` twice"), "ask for it once"));
        }
        if permission.reason.trim().is_empty() {
            findings.push(Finding::new(
                "a reason, for the person who decides",
                format!("none for `{name}`"),
                "say in a few words what it is needed for",
            ));
        }
    }
    Outcome::from_findings(findings)
}

#[cfg(test)]
mod tests {
    use super::{is_name, is_semantic};

    #[test]
    fn versions_are_those_of_semver() {
        for good in ["0.1.0", "1.22.333", "1.0.0-alpha.1", "1.0.0-0.3.7+build.5-x", "1.0.0+20130313144700"] {
            assert!(is_semantic(good), "{good}");
        }
        for bad in ["", "1", "1.0", "1.0.0.0", "v1.0.0", "01.0.0", "1.0.0-", "1.0.0-01", "1.0.0+", "1.0.x", "1.0.0-a_b"]
        {
            assert!(!is_semantic(bad), "{bad}");
        }
    }

    #[test]
    fn names_are_words_joined_by_hyphens() {
        assert!(["a", "key-points", "t5"].into_iter().all(is_name));
        assert!(!["", "-a", "a-", "a--b", "Ab", "a_b", &"a".repeat(65)].into_iter().any(is_name));
    }
}

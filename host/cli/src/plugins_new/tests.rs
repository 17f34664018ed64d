//! Tests that the files which the program carries are the files in the folders.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use clap::ValueEnum as _;
use jackfield_loader::Digest;
use jackfield_plugin_api::sources::{source_files, source_text};

use super::{
    languages::{languages_with, template},
    manifest::standalone,
    project::project,
    project_file::ProjectFile,
    template::{Embedded, Kind, Lang},
    write_project::{WriteProjectError, write_project},
};

/// Every file below a folder of this crate, by its path from there.
fn below(folder: &str) -> BTreeSet<String> {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = BTreeSet::new();
    let mut open = vec![PathBuf::from(folder)];
    while let Some(at) = open.pop() {
        for entry in fs::read_dir(crate_folder.join(&at)).expect("a folder").map(|entry| entry.expect("an entry")) {
            let path = at.join(entry.file_name());
            if entry.file_type().expect("a type").is_dir() {
                // What Python leaves behind.
                if entry.file_name() != "__pycache__" {
                    open.push(path);
                }
            } else {
                found.insert(path.to_string_lossy().into_owned());
            }
        }
    }
    found
}

fn embedded() -> BTreeSet<String> {
    let sources = |files: &[Embedded]| files.iter().map(|file| file.source.to_owned()).collect::<Vec<_>>();
    let mut found: BTreeSet<String> = Kind::value_variants().iter().flat_map(|kind| sources(kind.shared())).collect();
    for lang in Lang::value_variants() {
        let template = template(*lang);
        for files in [template.common, template.about].into_iter().chain(template.kinds.iter().map(|(_, files)| *files))
        {
            found.extend(sources(files));
        }
    }
    found
}

/// Whether a file is only needed to work on Jackfield itself.
fn is_for_maintainers(path: &str) -> bool {
    path.ends_with("/regenerate") || path.ends_with(".sha256")
}

#[test]
fn every_file_of_a_template_is_carried() {
    // Those of pipelines are carried by `init`.
    let is_of_plugin = |path: &&String| !path.starts_with("templates/pipelines/");
    let missing: Vec<_> = below("templates").difference(&embedded()).filter(is_of_plugin).cloned().collect();
    assert!(missing.is_empty(), "not in host/cli/src/plugins_new/languages: {missing:#?}");
}

#[test]
fn every_file_of_the_plugin_api_is_carried() {
    let carried: BTreeSet<_> = source_files().map(|file| format!("../../plugin-api/{}", file.path)).collect();
    for folder in ["python/jackfield", "javascript", "c", "wit", "wit-javascript", "src", "macros/src"] {
        let there: BTreeSet<_> =
            below(&format!("../../plugin-api/{folder}")).into_iter().filter(|path| !is_for_maintainers(path)).collect();
        let missing: Vec<_> = there.difference(&carried).collect();
        assert!(missing.is_empty(), "not in plugin-api/src/sources.rs: {missing:#?}");
    }
}

#[test]
fn the_manifests_of_vendored_crates_are_those_of_the_workspace() {
    for (kept, manifest) in [("plugin-api", "plugin-api/Cargo.toml"), ("macros", "plugin-api/macros/Cargo.toml")] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("templates/rust/vendor/{kept}.toml"));
        let wanted = standalone(manifest);
        if std::env::var_os("JACKFIELD_BLESS").is_some() {
            fs::write(&path, &wanted).expect("written");
        }
        let found = fs::read_to_string(&path).expect("the manifest");
        assert_eq!(found, wanted, "write it anew: JACKFIELD_BLESS=1");
    }
}

#[test]
fn a_project_has_no_two_files_of_one_path_and_nothing_left_to_fill_in() {
    for kind in Kind::value_variants().iter().copied() {
        for lang in languages_with(kind) {
            let project = project("a-name", kind, lang).expect("a project");
            let paths: BTreeSet<_> = project.files.iter().map(|file| &file.path).collect();
            assert_eq!(paths.len(), project.files.len(), "{lang:?} {kind:?}");
            for file in &project.files {
                for key in ["name", "kind", "module", "language", "commands", "about", "crate", "world", "exports"] {
                    assert!(!file.text.contains(&format!("{{{{{key}}}}}")), "{lang:?} {kind:?} {}: {key}", file.path);
                }
                assert!(file.text.ends_with('\n') || file.text.is_empty(), "{lang:?} {kind:?} {}", file.path);
            }
            for wanted in ["README.md", "pipeline.toml", ".gitignore"] {
                assert!(project.files.iter().any(|file| file.path == wanted), "{lang:?} {kind:?}: {wanted}");
            }
        }
    }
}

#[test]
fn each_kind_has_a_project_in_these_languages() {
    let listed = |kind: &Kind| {
        let languages: Vec<&str> = languages_with(*kind).map(|lang| template(lang).language).collect();
        format!("{}: {}", kind.name(), languages.join(" "))
    };
    let offered: Vec<String> = Kind::value_variants().iter().map(listed).collect();
    assert_eq!(
        offered,
        [
            "analyzer: Rust Python JavaScript TypeScript C",
            "model: Rust Python JavaScript TypeScript C",
            "cache-backend: Rust Python JavaScript",
            "routing-policy: Rust Python JavaScript",
            "direction-extractor: Rust Python JavaScript",
        ]
    );
    assert!(project("a-name", Kind::CacheBackend, Lang::C).is_none());
}

#[test]
fn a_folder_in_use_is_left_alone_and_a_failure_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = |path: &str| ProjectFile { path: path.to_owned(), text: "#!/bin/sh\n".to_owned() };
    let list = |dir: &Path| {
        let mut names: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };

    let taken = folder.path().join("taken");
    fs::create_dir(&taken).unwrap();
    fs::write(taken.join("mine"), "").unwrap();
    assert!(matches!(write_project(&taken, &[file("a")]), Err(WriteProjectError::Taken(_))));
    assert!(matches!(write_project(&taken.join("mine"), &[file("a")]), Err(WriteProjectError::Taken(_))));
    assert_eq!(list(&taken), ["mine"]);

    // A file in the way of a folder ends it midway.
    let fresh = folder.path().join("fresh");
    assert!(matches!(write_project(&fresh, &[file("a"), file("a/b")]), Err(WriteProjectError::Write(..))));
    assert_eq!(list(folder.path()), ["taken"]);

    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    assert!(matches!(write_project(&empty, &[file("a"), file("a/b")]), Err(WriteProjectError::Write(..))));
    assert!(list(&empty).is_empty());
    fs::create_dir(empty.join(".git")).unwrap();
    write_project(&empty, &[file("a/b"), file("c")]).unwrap();
    assert_eq!(list(&empty), [".git", "a", "c"]);
}

#[test]
fn the_vendored_crate_takes_nothing_from_a_workspace() {
    let project = project("a-name", Kind::Analyzer, Lang::Rust).expect("a project");
    let manifests: Vec<_> = project.files.iter().filter(|file| file.path.ends_with("Cargo.toml")).collect();
    assert_eq!(manifests.len(), 3);
    for manifest in manifests {
        let read: toml::Table = manifest.text.parse().unwrap_or_else(|error| panic!("{}: {error}", manifest.path));
        assert!(!manifest.text.contains("workspace = true"), "{}:\n{}", manifest.path, manifest.text);
        if manifest.path.contains("macros") {
            assert_eq!(read["package"]["edition"].as_str(), Some("2024"));
            assert!(read["lints"]["rust"]["unsafe_code"].is_str());
        }
        let folder = Path::new(&manifest.path).parent().expect("a folder");
        for (name, dependency) in read["dependencies"].as_table().expect("dependencies") {
            if let Some(path) = dependency.get("path").and_then(toml::Value::as_str) {
                let wanted = folder.join(path).join("Cargo.toml").to_string_lossy().into_owned();
                assert!(project.files.iter().any(|file| file.path == wanted), "{name}: {wanted} is not there");
            }
        }
    }
}

#[test]
fn the_bindings_for_c_are_those_of_the_contract() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugin-api/c/bindings/plugin.wit.sha256");
    let noted = fs::read_to_string(path).expect("the digest");
    let found = Digest::of(source_text("wit/plugin.wit").expect("the contract")).to_string();
    assert_eq!(noted.trim_end(), found, "the contract has changed: run plugin-api/c/regenerate");
}

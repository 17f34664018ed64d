//! Every command that the README and the book show is run, and what it prints is compared with what the page says.
//!
//! A page is worked through from top to bottom, in a folder of its own that looks like a fresh clone:
//!
//! - ` ```console `: each line that starts with `$ ` is run. The lines below it, if any, are what it prints: `...` stands
//!   for any part of a line, a line of nothing else for any lines. Times, how wide a table is, and how far
//!   a run has come do not count. The digests and the names of runs are whatever the program says; later commands and files
//!   get those in place of the page's.
//! - ` ```console exit=2 `: the commands end with this code, not with 0.
//! - ` ```console norun (why) `: shown, not run.
//! - ` ```console needs=TARGET `: run where the toolchain has this target.
//! - ` ```toml file=PATH `, in any language: the file is written before the next command.
//! - `<!-- fixture NAME at PATH -->`: an artifact of `tests/build-fixtures` is copied.

use std::{collections::BTreeSet, fs, path::Path};

use self::{
    sandbox::Sandbox,
    steps::{Step, steps},
};
use crate::support::{builds_with_cargo, fixture, root};

mod output;
mod sandbox;
mod steps;

/// A test for each page that has something to run: it works through the page.
macro_rules! pages {
    ($($test:ident: $page:literal,)*) => {
        /// The pages that a test works through.
        const PAGES: &[&str] = &[$($page),*];

        /// Every command does what its page says.
        mod page {
            $(
                #[test]
                fn $test() {
                    super::work_through($page);
                }
            )*
        }
    };
}

pages! {
    readme: "README.md",
    answer_from_a_collection: "docs/guides/answer-from-a-collection.md",
    ask_a_model: "docs/guides/ask-a-model.md",
    develop_a_plugin: "docs/guides/develop-a-plugin.md",
    embed_it: "docs/guides/embed-it.md",
    first_run: "docs/guides/first-run.md",
    keep_results: "docs/guides/keep-results.md",
    lock_plugins: "docs/guides/lock-plugins.md",
    look_at_items: "docs/guides/look-at-items.md",
    read_a_report: "docs/guides/read-a-report.md",
    resume_a_run: "docs/guides/resume-a-run.md",
    route_a_stage: "docs/guides/route-a-stage.md",
    run_a_local_model: "docs/guides/run-a-local-model.md",
    run_a_strangers_plugin: "docs/guides/run-a-strangers-plugin.md",
    search_parameters: "docs/guides/search-parameters.md",
    solve_grid_tasks: "docs/guides/solve-grid-tasks.md",
    steer_a_model: "docs/guides/steer-a-model.md",
    test_a_pipeline: "docs/guides/test-a-pipeline.md",
    test_a_plugin: "docs/guides/test-a-plugin.md",
    watch_a_run: "docs/guides/watch-a-run.md",
    write_a_cache_backend: "docs/guides/write-a-cache-backend.md",
    write_a_direction_extractor: "docs/guides/write-a-direction-extractor.md",
    write_a_lens: "docs/guides/write-a-lens.md",
    write_a_pipeline: "docs/guides/write-a-pipeline.md",
    write_a_routing_policy: "docs/guides/write-a-routing-policy.md",
}

/// This one builds a plugin with cargo.
const PLUGIN_GUIDE: &str = "docs/guides/write-a-plugin-in-rust.md";

#[test]
fn the_guide_to_a_plugin_in_rust_works_as_it_is_written() {
    let _lock = builds_with_cargo();
    work_through(PLUGIN_GUIDE);
}

#[test]
fn every_page_with_commands_has_a_test() {
    let with_commands = pages().into_iter().filter(|page| !steps(page, &read(page)).is_empty());
    let tested: BTreeSet<String> = PAGES.iter().chain(&[PLUGIN_GUIDE]).map(|page| (*page).to_owned()).collect();
    assert_eq!(tested, with_commands.collect(), "the list at the top of tests/documented_commands.rs");
}

/// Runs the commands of a page from top to bottom, with the files that the page writes.
#[track_caller]
fn work_through(page: &str) {
    let mut sandbox = Sandbox::new(page);
    for step in &steps(page, &read(page)) {
        match step {
            Step::File { path, content } => sandbox.write(path, sandbox.meant(content)),
            Step::Fixture { name, path } => sandbox.write(path, fs::read(fixture(name)).expect("an artifact")),
            Step::Run { line, command, exit, output } => sandbox.run(*line, command, *exit, output),
        }
    }
}

fn read(page: &str) -> String {
    fs::read_to_string(root().join(page)).expect("a page")
}

#[test]
fn every_page_is_in_the_summary_and_every_link_leads_somewhere() {
    let summary = fs::read_to_string(root().join("docs/SUMMARY.md")).expect("a summary");
    let mut wrong = Vec::new();
    for page in pages() {
        if let Some(name) = page.strip_prefix("docs/").filter(|name| *name != "SUMMARY.md")
            && !summary.contains(&format!("({name})"))
        {
            wrong.push(format!("{page} is not in docs/SUMMARY.md"));
        }
        let path = root().join(&page);
        for link in links(&read(&page)) {
            let file = link.split('#').next().unwrap_or_default();
            let leads = file.is_empty() || path.parent().is_some_and(|folder| folder.join(file).exists());
            if !leads && !link.contains("://") {
                wrong.push(format!("{page}: {link} leads nowhere"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_module_that_the_page_about_the_architecture_names_exists() {
    let page = read("docs/architecture.md");
    let map = page.split("\n## ").find(|part| part.starts_with("Code map\n")).expect("a code map");
    let (mut modules, mut wrong) = (0, Vec::new());
    for section in map.split("\n### `").skip(1) {
        let (title, text) = section.split_once('\n').expect("a title and a text");
        let folder = title.split('`').next().unwrap_or_default();
        let known = names_below(&root().join(folder));
        // Every second part stands between backticks. A type has capitals, a command has spaces, a file has a dot.
        for name in text.split('`').skip(1).step_by(2) {
            let exists = match name.contains('/') {
                true => root().join(name).exists() || root().join(folder).join(name).exists(),
                false if name.bytes().all(|byte| byte.is_ascii_lowercase() || b"_0123456789".contains(&byte)) => {
                    known.contains(name)
                }
                false => continue,
            };
            modules += 1;
            if !exists {
                wrong.push(format!("`{name}` is not in {folder}"));
            }
        }
    }
    assert!(modules > 100, "only {modules} modules were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The names of all folders and files below a folder, without the endings of files.
fn names_below(folder: &Path) -> BTreeSet<String> {
    let (mut found, mut open) = (BTreeSet::new(), vec![folder.to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            found.extend(entry.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
            if entry.is_dir() {
                open.push(entry);
            }
        }
    }
    found
}

/// The pages at the top of the repository, but for the changelog, and the pages of the book, sorted.
fn pages() -> BTreeSet<String> {
    let mut found: BTreeSet<String> = ["README.md", "CONTRIBUTING.md", "SECURITY.md"].map(str::to_owned).into();
    let mut open = vec![root().join("docs")];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if entry.is_dir() {
                open.push(entry);
            } else if entry.extension().is_some_and(|extension| extension == "md") {
                found.insert(entry.strip_prefix(root()).expect("below").to_string_lossy().into_owned());
            }
        }
    }
    found
}

/// The targets of inline links and images, outside of code.
fn links(text: &str) -> Vec<String> {
    let mut code = false;
    let prose = text.lines().filter(|line| {
        code ^= line.starts_with("```");
        !code
    });
    let mut found = Vec::new();
    for line in prose {
        found.extend(line.split("](").skip(1).filter_map(|rest| rest.split(')').next()).map(str::to_owned));
        found.extend(line.split("src=\"").skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned));
    }
    found
}

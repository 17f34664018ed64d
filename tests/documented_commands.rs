//! Every command that the README and the book show is run, and what it prints is compared with what the page says.
//!
//! A page is worked through from top to bottom, as somebody would who has installed the program and nothing else. It begins in
//! an empty folder:
//!
//! - ` ```console `: each line that starts with `$ ` is run. The lines below it, if any, are what it prints: `...` stands
//!   for any part of a line, a line of nothing else for any lines. Times, how wide a table is, how far a run has come,
//!   digests and the names of runs do not count. What is typed has none of these, so that a reader can copy it.
//! - ` ```console exit=2 `: the commands end with this code, not with 0.
//! - ` ```console norun (why) `: shown, not run.
//! - `$ git clone --depth 1 https://github.com/…`: the parts of this clone that pages use are put in place instead.
//! - ` ```toml file=PATH `, in any language: the file is written before the next command. A reader sees neither `file=PATH` nor
//!   comments, so the sentence before the block has to name the file.

use std::{collections::BTreeSet, fs, path::Path};

use self::{
    sandbox::Sandbox,
    steps::{Step, steps},
};
use crate::support::{builds_with_cargo, root};

mod output;
mod sandbox;
mod steps;
mod visible;

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
    overview: "docs/overview.md",
    answer_from_a_collection: "docs/guides/answer-from-a-collection.md",
    ask_a_model: "docs/guides/ask-a-model.md",
    ask_a_prompt_of_every_row: "docs/guides/ask-a-prompt-of-every-row.md",
    develop_a_plugin: "docs/guides/develop-a-plugin.md",
    embed_it: "docs/guides/embed-it.md",
    first_run: "docs/guides/first-run.md",
    forecast_and_cap_costs: "docs/guides/forecast-and-cap-costs.md",
    grade_answers: "docs/guides/grade-answers.md",
    keep_results: "docs/guides/keep-results.md",
    lock_plugins: "docs/guides/lock-plugins.md",
    compare_two_models: "docs/guides/compare-two-models.md",
    look_at_results: "docs/guides/look-at-results.md",
    look_at_items: "docs/guides/look-at-items.md",
    read_a_report: "docs/guides/read-a-report.md",
    read_the_answers_page: "docs/guides/read-the-answers-page.md",
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
    let steps = steps(page, &read(page));
    let builds = |step: &Step| matches!(step, Step::Run { command, .. } if command == "./build");
    let _lock = steps.iter().any(builds).then(builds_with_cargo);
    let mut sandbox = Sandbox::new(page);
    for step in &steps {
        match step {
            Step::Clone { folder } => sandbox.clone_project(folder),
            Step::File { path, content, .. } => sandbox.write(path, content),
            Step::Run { line, command, exit, output } => sandbox.run(*line, command, *exit, output),
        }
    }
}

fn read(page: &str) -> String {
    fs::read_to_string(root().join(page)).expect("a page")
}

#[test]
fn no_command_and_no_file_needs_what_another_machine_said() {
    let mut wrong = Vec::new();
    for page in pages() {
        for step in steps(&page, &read(&page)) {
            let (line, text) = match step {
                Step::Clone { .. } => continue,
                Step::File { line, content, .. } => (line, content),
                Step::Run { line, command, .. } => (line, command),
            };
            let found = output::tokens(&[text]);
            wrong.extend(found.iter().map(|token| format!("{page}:{line}: {token} is something else for the reader")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_text_before_each_file_names_it() {
    let mut wrong = Vec::new();
    for page in pages() {
        for step in steps(&page, &read(&page)) {
            if let Step::File { line, path, named: false, .. } = step {
                wrong.push(format!("{page}:{line}: say before the block: Save this as `{path}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
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

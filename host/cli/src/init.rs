//! `jackfield init` makes a folder with a pipeline that runs at once: without a key, without a network.

use std::path::PathBuf;

use clap::{ValueEnum, builder::PossibleValue};
use jackfield_loader::{Registry, linked_in_plugin};
use jackfield_pipeline::editor_schema;

use super::{
    exit::{Exit, print_error},
    plugins_new::{ProjectFile, WriteProjectError, quoted, write_project},
};
use crate::terminal::{output, terminal};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder to make, or an empty one.
    #[arg(default_value = ".")]
    folder: PathBuf,

    /// What the pipeline does.
    #[arg(long, value_enum, default_value = "prompt-csv")]
    template: Template,
}

/// Templates to choose from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Template {
    PromptCsv,
    CompareModels,
    Judge,
    Search,
    Transcripts,
    Empty,
}

impl ValueEnum for Template {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::PromptCsv, Self::CompareModels, Self::Judge, Self::Search, Self::Transcripts, Self::Empty]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()).help(self.what()))
    }
}

/// A file that the program carries.
struct Embedded {
    /// Its path, in the folder of its template and in the one that is made.
    path: &'static str,
    text: &'static str,
}

/// The files of a template, by their paths in its folder.
macro_rules! files {
    ($folder:literal: $($path:literal),+ $(,)?) => {
        &[$(Embedded { path: $path, text: include_str!(concat!("../templates/pipelines/", $folder, "/", $path)) }),+]
    };
}

impl Template {
    const fn name(self) -> &'static str {
        match self {
            Self::PromptCsv => "prompt-csv",
            Self::CompareModels => "compare-models",
            Self::Judge => "judge",
            Self::Search => "search",
            Self::Transcripts => "transcripts",
            Self::Empty => "empty",
        }
    }

    /// What the pipeline does, for people.
    const fn what(self) -> &'static str {
        match self {
            Self::PromptCsv => "Ask a model a question about every row of a table",
            Self::CompareModels => "Ask two models the same questions, grade the answers, and compare them",
            Self::Judge => "Let a model rate answers, and hold it against people",
            Self::Search => "Search the settings of a pipeline for the best ones",
            Self::Transcripts => "Write the minutes of meetings, without a model",
            Self::Empty => "One item and two stages to begin with",
        }
    }

    const fn files(self) -> &'static [Embedded] {
        match self {
            Self::PromptCsv => {
                files!("prompt-csv": "README.md", "pipeline.toml", "reviews.csv", "answers.jsonl")
            }
            Self::CompareModels => {
                files!("compare-models": "README.md", "pipeline.toml", "questions.csv", "first.jsonl", "second.jsonl")
            }
            Self::Judge => files!("judge": "README.md", "pipeline.toml", "answers.csv", "ratings.jsonl"),
            Self::Search => files!("search": "README.md", "pipeline.toml", "documents.jsonl", "queries.jsonl"),
            Self::Transcripts => {
                files!("transcripts": "README.md", "pipeline.toml", "meetings/garden.srt", "meetings/workshop.txt")
            }
            Self::Empty => files!("empty": "README.md", "pipeline.toml"),
        }
    }
}

/// What editors read; the first line of each pipeline names it.
const SCHEMA: &str = "pipeline.schema.json";

/// What a run leaves behind, for git.
const IGNORED: &str = "# What runs leave behind.\n/runs/\n";

pub(super) fn init(args: &Args) -> Exit {
    let Args { folder, template } = args;
    let mut files: Vec<ProjectFile> = template
        .files()
        .iter()
        .map(|file| ProjectFile { path: file.path.to_owned(), text: file.text.to_owned() })
        .collect();
    let schema = editor_schema(&Registry::new(vec![linked_in_plugin()]), None);
    files.push(ProjectFile { path: SCHEMA.to_owned(), text: format!("{schema:#}\n") });
    files.push(ProjectFile { path: ".gitignore".to_owned(), text: IGNORED.to_owned() });
    match write_project(folder, &files) {
        Ok(()) => {}
        Err(error @ WriteProjectError::Taken(_)) => {
            let hint = "name a folder that is empty or not there yet: `jackfield init reviews`";
            print_error(error, Some(hint.to_owned()));
            return Exit::Usage;
        }
        Err(error) => {
            print_error(error, None);
            return Exit::Failed;
        }
    }
    let what = template.what();
    terminal().say(format!(
        "made `{}` by the template `{}`: {}. Next:",
        folder.display(),
        template.name(),
        lower(what)
    ));
    let target = quoted(folder);
    output().line(format!("jackfield check {target}"));
    output().line(format!("jackfield test {target}"));
    output().line(format!("jackfield run {target}"));
    Exit::Success
}

/// The text with its first letter in lower case.
fn lower(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    #[test]
    fn every_file_of_a_template_is_carried() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/pipelines");
        let names: BTreeSet<String> =
            Template::value_variants().iter().map(|template| template.name().to_owned()).collect();
        let there = |folder: &Path| -> BTreeSet<String> {
            let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry"));
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
        };
        assert_eq!(there(&folder), names);
        for template in Template::value_variants() {
            let top = |file: &Embedded| file.path.split('/').next().unwrap_or_default().to_owned();
            let carried: BTreeSet<String> = template.files().iter().map(top).collect();
            assert_eq!(there(&folder.join(template.name())), carried);
        }
    }

    #[test]
    fn every_template_says_what_to_do_and_where_its_schema_is() {
        for template in Template::value_variants() {
            let text = |path: &str| {
                let file = template.files().iter().find(|file| file.path == path);
                file.unwrap_or_else(|| panic!("{template:?} has no {path}")).text
            };
            assert!(text("pipeline.toml").starts_with(&format!("#:schema ./{SCHEMA}\n")), "{template:?}");
            assert!(text("pipeline.toml").contains("[[tests]]"), "{template:?}");
            for command in ["jackfield check .", "jackfield run ."] {
                assert!(text("README.md").contains(command), "{template:?}: {command}");
            }
        }
    }
}

//! The command `jackfield plugins new`: it checks the arguments, writes the project, and prints the commands to run next.

use std::path::{Path, PathBuf};

use super::{
    languages::{languages_with, template},
    project::{overrides, project},
    template::{Kind, Lang},
    write_project::{WriteProjectError, write_project},
};
use crate::{
    exit::{Exit, print_error},
    terminal::{output, terminal},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Name of the extension: lower-case words joined by hyphens, at most 64 characters.
    name: String,

    /// The kind of the extension.
    #[arg(long, value_enum, default_value = "analyzer")]
    kind: Kind,

    /// The language that it is written in.
    #[arg(long, value_enum)]
    lang: Lang,

    /// The project's folder; by default NAME in the current folder.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,

    /// A pipeline whose items hold a text: a last command runs it with the plugin in it.
    #[arg(long, value_name = "PIPELINE")]
    into: Option<PathBuf>,
}

pub(crate) fn new(args: &Args) -> Result<(), Exit> {
    let usage = |message: String, hint: Option<&str>| {
        print_error(message, hint.map(str::to_owned));
        Err(Exit::Usage)
    };
    let name = args.name.as_str();
    if !is_name(name) {
        let message = format!("`{name}` is not a name for an extension");
        let hint = "lower-case words joined by hyphens, digits among them, a letter first, at most 64 characters";
        return usage(message, Some(hint));
    }
    if let Some(pipeline) = args.into.as_deref().filter(|pipeline| !pipeline.exists()) {
        let message = format!("there is no pipeline `{}`", pipeline.display());
        return usage(message, Some("--into takes a pipeline file, or the folder that holds a `pipeline.toml`"));
    }
    let dir = args.dir.clone().unwrap_or_else(|| PathBuf::from(name));
    let kind = args.kind;
    let Some(project) = project(name, kind, args.lang) else {
        let languages: Vec<&str> = languages_with(kind).map(|lang| template(lang).language).collect();
        let (kind, language) = (kind.name(), template(args.lang).language);
        let message = format!("there is no project for a {kind} in {language}");
        return usage(message, Some(&format!("a {kind} can be written in {}", languages.join(", "))));
    };
    match write_project(&dir, &project.files) {
        Ok(()) => {}
        Err(error @ WriteProjectError::Taken(_)) => {
            return usage(error.to_string(), Some("name another with --dir, or empty it"));
        }
        Err(error) => {
            print_error(error, None);
            return Err(Exit::Failed);
        }
    }
    terminal().say(format!(
        "made `{}`: {} files. To test it, build it and run it:",
        dir.display(),
        project.files.len()
    ));
    output().line(format!("cd {}", quoted(&dir)));
    for command in project.commands {
        output().line(command);
    }
    if let Some(pipeline) = &args.into {
        output().line(run_with(&absolute(pipeline), name, kind, &absolute(&dir)));
    }
    Ok(())
}

/// The path as an absolute one, as the printed commands are run in the project's folder. A path that cannot be made absolute is
/// left as it is.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// The command that runs another pipeline with the plugin added to it.
fn run_with(pipeline: &Path, name: &str, kind: Kind, dir: &Path) -> String {
    let component = dir.join(name).with_extension("wasm");
    let mut command = format!("jackfield run {}", quoted(pipeline));
    for part in overrides(name, kind, &component.to_string_lossy()) {
        command += &format!(" --set {}", quoted(Path::new(&part)));
    }
    command
}

/// Whether a name is allowed for an extension, a crate and a package alike.
fn is_name(name: &str) -> bool {
    let word =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    name.len() <= 64 && name.starts_with(|first: char| first.is_ascii_lowercase()) && name.split('-').all(word)
}

/// A path as a word of a shell command. A path that begins with a hyphen gets `./` in front, so that it is not taken for an option.
pub(crate) fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+@%".contains(&byte);
    if !text.is_empty() && !text.starts_with('-') && text.bytes().all(plain) {
        return text.into_owned();
    }
    let dashed = if text.starts_with('-') { "./" } else { "" };
    format!("{dashed}'{}'", text.replace('\'', r"'\''"))
}

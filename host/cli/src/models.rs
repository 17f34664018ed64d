//! `jackfield models` manages the files of models that run in the process.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Subcommand;
use jackfield::{MODEL_CHECKSUMS, model_checksums};
use jackfield_store::write_whole;

use super::exit::{Exit, print_error};
use crate::terminal::terminal;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Write the checksums of a model's files, which are compared whenever the model is loaded.
    ///
    /// They are written to `checksums.json` in the folder. One that is there and says something else is left alone, as it may
    /// be the publisher's: compare them, and replace it with `--force`.
    Checksum {
        /// Folder with the files of a model.
        folder: PathBuf,

        /// Replace a `checksums.json` that says something else.
        #[arg(long)]
        force: bool,
    },
}

pub(super) fn models(command: &Command) -> Exit {
    let Command::Checksum { folder, force } = command;
    if folder.is_file() {
        let hint = "a GGUF file is one file: give the folder of a model that has several".to_owned();
        print_error(format!("`{}` is not a folder", folder.display()), Some(hint));
        return Exit::Usage;
    }
    if folder.is_dir() && !folder.join("config.json").is_file() {
        // The checksums would never be compared with anything.
        let hint = "they are compared when a folder with `config.json` is loaded; a GGUF file has none".to_owned();
        print_error(
            format!("`{}` is not the folder of a model: `config.json` is missing", folder.display()),
            Some(hint),
        );
        return Exit::Usage;
    }
    let (text, files) = match model_checksums(folder) {
        Ok(made) => made,
        Err(why) => {
            print_error(why, None);
            return Exit::Failed;
        }
    };
    write_checksums(&folder.join(MODEL_CHECKSUMS), &text, files, *force)
}

/// Writes the checksums, unless a file with other content exists.
fn write_checksums(path: &Path, text: &str, files: usize, force: bool) -> Exit {
    let files = if files == 1 { "1 file".to_owned() } else { format!("{files} files") };
    match fs::read_to_string(path) {
        Ok(existing) if existing == text => {
            terminal().say(format!("`{}` holds the checksums of {files} already", path.display()));
            return Exit::Success;
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        _ if force => {}
        _ => {
            let hint = "if the files are those you want, replace it with `--force`".to_owned();
            print_error(format!("`{}` says something else", path.display()), Some(hint));
            return Exit::Failed;
        }
    }
    if let Err(error) = write_whole(path, text) {
        let hint = error.hint();
        print_error(error, hint);
        return Exit::Failed;
    }
    terminal().say(format!("`{}` holds the checksums of {files}", path.display()));
    Exit::Success
}

//! Items from standard input, which can be read once: it is kept in the folder of the run, so that the run can be resumed and its
//! items looked at.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Seek as _},
    path::{Path, PathBuf},
};

use glob::Pattern;
use jackfield_engine::{EngineError, InputReader, ItemSource};
use jackfield_pipeline::{InputPlan, STANDARD_INPUT};
use jackfield_store::{KEPT_INPUT, KEPT_INPUT_PART};

use super::BundledInputs;

/// Opens the input of a run that has a folder: files, or what was kept of standard input.
#[derive(Clone, Debug)]
pub struct RunInputs {
    kept: PathBuf,
}

impl RunInputs {
    /// The inputs of the run in this folder.
    #[must_use]
    pub fn in_folder(run: &Path) -> Self {
        Self { kept: run.join(KEPT_INPUT) }
    }

    /// The input with files in place of standard input.
    fn in_files(&self, input: &InputPlan) -> Result<InputPlan, EngineError> {
        let mut input = input.clone();
        if is_standard_input(&input) {
            if !self.kept.is_file() {
                let message = "what the run read of standard input is not in its folder".to_owned();
                return Err(EngineError::Source { path: PathBuf::from(STANDARD_INPUT), message });
            }
            input.set_patterns(vec![Pattern::escape(&self.kept.to_string_lossy())]);
        }
        Ok(input)
    }
}

impl InputReader for RunInputs {
    fn check(&self, input: &InputPlan) -> Result<(), EngineError> {
        BundledInputs.check(&self.in_files(input)?)
    }

    fn open(&self, input: &InputPlan) -> Result<Box<dyn ItemSource>, EngineError> {
        BundledInputs.open(&self.in_files(input)?)
    }

    fn digest(&self, input: &InputPlan, document: &str) -> [u8; 32] {
        BundledInputs.digest(input, document)
    }
}

/// Whether the items come from standard input.
#[must_use]
pub fn is_standard_input(input: &InputPlan) -> bool {
    input.patterns().iter().any(|pattern| pattern == STANDARD_INPUT)
}

/// Standard input, read to its end into a file without a name in this folder, which is made if need be.
///
/// # Errors
/// It cannot be read or written.
pub fn read_standard_input(folder: &Path) -> io::Result<File> {
    fs::create_dir_all(folder)?;
    let mut file = tempfile::tempfile_in(folder)?;
    io::copy(&mut io::stdin().lock(), &mut file)?;
    file.rewind()?;
    Ok(file)
}

/// Keeps what was read in the folder of a run, whole or not at all.
///
/// # Errors
/// It cannot be written.
pub fn keep_standard_input(mut read: File, run: &Path) -> io::Result<()> {
    let part = run.join(KEPT_INPUT_PART);
    let mut file = OpenOptions::new().write(true).create_new(true).open(&part)?;
    io::copy(&mut read, &mut file)?;
    file.sync_all()?;
    fs::rename(part, run.join(KEPT_INPUT))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use jackfield_engine::read_all;

    use super::*;

    #[test]
    fn what_was_kept_is_read_in_place_of_standard_input() {
        let run = tempfile::Builder::new().prefix("odd[run]").tempdir().expect("a folder");
        let mut read = tempfile::tempfile().expect("a file");
        read.write_all(b"{\"id\": \"a\"}\n{\"id\": \"b\"}\n").and_then(|()| read.rewind()).expect("written");
        keep_standard_input(read, run.path()).expect("kept");
        let lines = |pattern: &str| InputPlan::Jsonl {
            patterns: vec![pattern.to_owned()],
            id: Some("id".to_owned()),
            max_item_size: 64,
        };
        assert!(is_standard_input(&lines("-")) && !is_standard_input(&lines("/some/-")));
        let inputs = RunInputs::in_folder(run.path());
        assert!(inputs.check(&lines("-")).is_ok());
        let ids: Vec<_> = read_all(&inputs, &lines("-")).expect("items").into_iter().map(|(id, _)| id).collect();
        assert_eq!(ids, ["a", "b"]);
        let without_run = BundledInputs.check(&lines("-")).expect_err("refused").to_string();
        assert_eq!(
            without_run,
            "failed to read items from `-`: standard input is read when a run begins, and kept in its folder"
        );
    }
}

//! `jackfield plugins new` makes a small, complete project of a plugin.
//!
//! [`template`] has the types, [`languages`] one template a language, [`project`] fills a template in, and [`write_project`] writes
//! the result.

mod command;
mod languages;
#[cfg(test)]
mod manifest;
mod project;
mod project_file;
mod template;
mod write_project;

#[cfg(test)]
mod tests;

pub(super) use command::{Args, new, quoted};
pub(super) use project_file::ProjectFile;
pub(super) use write_project::{WriteProjectError, write_project};

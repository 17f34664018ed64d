//! A file of a project, as it is written.

/// A file of a project.
pub(crate) struct ProjectFile {
    /// Its path, relative to the project's folder.
    pub(crate) path: String,
    /// Its whole text. A text that begins with `#!` is written as an executable file.
    pub(crate) text: String,
}

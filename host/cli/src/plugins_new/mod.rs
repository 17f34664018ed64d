//! `jackfield plugins new`: a small, complete project of a plugin.

mod command;
mod languages;
#[cfg(test)]
mod manifest;
mod place;
mod template;

#[cfg(test)]
mod tests;

pub(super) use command::{Args, new};

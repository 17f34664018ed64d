//! What a backend has once it is open.

use jackfield_plugin_api::prelude::*;

/// Empty in a configuration, filled by `open`.
#[derive(Debug)]
pub(crate) struct State<T>(Option<T>);

impl<T> State<T> {
    pub(crate) const fn open(state: T) -> Self {
        Self(Some(state))
    }

    /// # Errors
    /// [`Failure::Internal`] if the backend was called before it was opened.
    pub(crate) fn get(&self) -> Result<&T> {
        self.0.as_ref().ok_or_else(|| Failure::Internal("the cache backend was called before it was opened".to_owned()))
    }
}

impl<T> Default for State<T> {
    fn default() -> Self {
        Self(None)
    }
}

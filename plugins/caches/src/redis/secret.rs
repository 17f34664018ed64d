//! Passwords and certificates, which a pipeline file must not hold.

use std::{env, fmt, fs};

use jackfield_plugin_api::prelude::*;

/// A password. It is never printed.
#[derive(Clone)]
pub(super) struct Secret(String);

impl Secret {
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// The password, where one is named.
pub(super) fn read(variable: Option<&str>, file: Option<&FilePath>) -> Result<Option<Secret>> {
    let (password, place) = match (variable, file) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => {
            return Err(invalid("both `password_env` and `password_file` are set: leave one out".to_owned()));
        }
        (Some(name), None) => {
            let value = env::var(name).map_err(|_| {
                invalid(format!(
                    "the environment variable `{name}`, named by `password_env`, is not set, or is not text"
                ))
            })?;
            (value, format!("the environment variable `{name}`"))
        }
        (None, Some(FilePath(path))) => {
            let shown = path.display();
            let text = fs::read_to_string(path)
                .map_err(|error| invalid(format!("the `password_file` `{shown}` cannot be read: {error}")))?;
            (text.trim_end().to_owned(), format!("the `password_file` `{shown}`"))
        }
    };
    if password.is_empty() { Err(invalid(format!("{place} is empty"))) } else { Ok(Some(Secret(password))) }
}

pub(super) fn read_certificates(FilePath(path): &FilePath) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| invalid(format!("the `ca_file` `{}` cannot be read: {error}", path.display())))
}

fn invalid(message: String) -> Failure {
    Failure::InvalidConfig(message)
}

//! `jackfield plugins keygen` makes a pair of keys, and `jackfield plugins sign` signs a plugin file with one.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use jackfield_loader::{
    lock::{SignError, SigningKey, generate_key, signature_path},
    regular_file,
};
use jackfield_store::write_whole;

use super::exit::{Exit, print_error};
use crate::terminal::{output, terminal};

#[derive(Debug, clap::Args)]
pub(super) struct KeygenArgs {
    /// The keys go into NAME.key and NAME.pub, which may not be there yet.
    #[arg(default_value = "jackfield")]
    name: PathBuf,

    #[command(flatten)]
    password: Password,

    /// Lock the secret key with no password: who can read its file can sign.
    #[arg(long, conflicts_with = "password_env")]
    no_password: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct SignArgs {
    /// The file to sign.
    file: PathBuf,

    /// The file of the secret key, made by `jackfield plugins keygen` or by minisign.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,

    #[command(flatten)]
    password: Password,

    /// One line that is signed along and shown by `verify`; the time and the file's name by default.
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
}

#[derive(Debug, clap::Args)]
struct Password {
    /// Take the password from this environment variable, not from the terminal.
    #[arg(long, value_name = "NAME")]
    password_env: Option<String>,
}

impl Password {
    /// Reads the password from the environment variable that the command line names, or else from the terminal.
    fn get(&self, prompt: &str) -> Result<String, Exit> {
        let Some(name) = &self.password_env else { return ask(prompt) };
        std::env::var(name).map_err(|error| {
            let what = match error {
                std::env::VarError::NotPresent => "is not set",
                std::env::VarError::NotUnicode(_) => "is not UTF-8",
            };
            print_error(format!("the environment variable `{name}` {what}"), None);
            Exit::Usage
        })
    }
}

fn ask(prompt: &str) -> Result<String, Exit> {
    rpassword::prompt_password(prompt).map_err(|error| {
        let hint = "without a terminal, name an environment variable that holds it: --password-env NAME";
        print_error(format!("cannot ask for a password: {error}"), Some(hint.to_owned()));
        Exit::Usage
    })
}

fn failed(error: impl std::fmt::Display) -> Exit {
    print_error(error, None);
    Exit::Failed
}

pub(super) fn keygen(args: &KeygenArgs) -> Result<(), Exit> {
    let path_with_ending = |ending: &str| {
        let mut path = args.name.clone().into_os_string();
        path.push(ending);
        PathBuf::from(path)
    };
    let (secret, public) = (path_with_ending(".key"), path_with_ending(".pub"));
    for path in [&secret, &public] {
        // A dangling link counts as well: writing through it would make a file elsewhere.
        if path.symlink_metadata().is_ok() {
            let hint = "choose another name: `jackfield plugins keygen NAME`".to_owned();
            print_error(format!("`{}` is there already, and no key is overwritten", path.display()), Some(hint));
            return Err(Exit::Failed);
        }
    }
    let password = if args.no_password { None } else { Some(new_password(&args.password)?) };
    let made = generate_key(password).map_err(failed)?;
    write_secret(&secret, &made.secret)?;
    if let Err(error) = write_whole(&public, &made.public) {
        // A secret key without its public key would only prevent the next attempt.
        let _ = fs::remove_file(&secret);
        return Err(failed(error));
    }
    terminal().say(format!(
        "`{}` signs, keep it to yourself; `{}` is for everyone: the key {}",
        secret.display(),
        public.display(),
        made.id
    ));
    output().line(&made.line);
    Ok(())
}

fn new_password(from: &Password) -> Result<String, Exit> {
    let password = from.get("Password for the secret key: ")?;
    if password.is_empty() {
        let hint = "if the key is to have none, say so: --no-password".to_owned();
        print_error("the password is empty", Some(hint));
        return Err(Exit::Usage);
    }
    if from.password_env.is_none() && ask("The same again: ")? != password {
        print_error("the two passwords differ; no key was made", None);
        return Err(Exit::Usage);
    }
    Ok(password)
}

/// Writes a file that only this user can read, whole or not at all.
fn write_secret(path: &Path, text: &str) -> Result<(), Exit> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write_error = |error: std::io::Error| failed(format!("cannot write `{}`: {error}", path.display()));
    // Temporary files are made for this user alone.
    let mut temporary = tempfile::NamedTempFile::new_in(folder).map_err(write_error)?;
    temporary.write_all(text.as_bytes()).and_then(|()| temporary.as_file().sync_all()).map_err(write_error)?;
    temporary.persist_noclobber(path).map(|_| ()).map_err(|error| write_error(error.error))
}

pub(super) fn sign(args: &SignArgs) -> Result<(), Exit> {
    let cannot_read = |path: &Path| {
        let path = path.to_owned();
        move |source| failed(SignError::Read { path, source })
    };
    let content = regular_file::read(&args.file, regular_file::MOST_BYTES).map_err(cannot_read(&args.file))?;
    let text = regular_file::read_text(&args.key, regular_file::MOST_TEXT).map_err(cannot_read(&args.key))?;
    let key_error = |error: SignError| failed(format!("cannot use the key `{}`: {error}", args.key.display()));
    let locked = SigningKey::is_locked(&text).map_err(key_error)?;
    let password = if locked { Some(args.password.get("Password of the secret key: ")?) } else { None };
    let key = SigningKey::open(&text, password).map_err(key_error)?;
    let comment = args.comment.clone().unwrap_or_else(|| default_comment(&args.file));
    let signature = key.sign(&content, &comment).map_err(failed)?;
    let path = signature_path(&args.file);
    write_whole(&path, signature).map_err(failed)?;
    let id = key.id().map(|id| id.to_string()).unwrap_or_default();
    terminal().say(format!("signed by the key {id}; whoever trusts {} can verify it", key.public().map_err(failed)?));
    output().path(&path);
    Ok(())
}

/// The comment that minisign writes by default: the time, and the file's name.
fn default_comment(file: &Path) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let name = file.file_name().unwrap_or_default().to_string_lossy().replace(char::is_control, "?");
    format!("timestamp:{now}\tfile:{name}\thashed")
}

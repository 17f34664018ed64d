//! Plugins that are broken or that misbehave: each gets a clear error, and neither the host nor any other item is harmed.

pub mod component;
pub mod native;
mod running;
mod wasm;

use std::{fs, path::Path};

use jackfield_loader::{Digest, LoadError, Trust, load};

/// Trust in exactly these bytes, native or not.
fn trust(bytes: &[u8]) -> Trust {
    Trust { allow_native: true, sha256: Some(Digest::of(bytes)), ..Trust::default() }
}

/// Why a file with these bytes, allowed and pinned, is refused.
#[track_caller]
fn refusal(bytes: &[u8]) -> LoadError {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("plugin");
    fs::write(&path, bytes).expect("written");
    match load("bad", &path, &trust(bytes)) {
        Ok(plugin) => panic!("it was loaded: {plugin:?}"),
        Err(error) => error,
    }
}

/// An error as people see it, without what differs between machines.
fn said(error: &LoadError) -> String {
    let hint = error.hint().map_or_else(String::new, |hint| format!("\nhint: {hint}"));
    plain(&format!("{error}{hint}"))
}

/// What is said of a file with these bytes, allowed and pinned.
#[track_caller]
fn refused(bytes: &[u8]) -> String {
    said(&refusal(bytes))
}

/// Takes out paths, digests and the name of this machine's processor.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for part in text.split_inclusive('`') {
        match part.strip_suffix('`') {
            Some(path) if Path::new(path).is_absolute() => plain.push_str("[file]`"),
            _ => plain.push_str(part),
        }
    }
    let digits = |word: &str| word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let digest = plain.split(|c: char| !c.is_ascii_alphanumeric()).find(|word| digits(word)).map(str::to_owned);
    if let Some(digest) = digest {
        plain = plain.replace(&digest, "[sha256]");
    }
    let processor = if cfg!(target_arch = "x86_64") { "x86-64" } else { "AArch64" };
    plain.replace(&format!("this host runs {processor}"), "this host runs [processor]")
}

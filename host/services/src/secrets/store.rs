//! Secrets that the host puts into the headers of requests: where they come from, and how they stay out of sight.
//!
//! A plugin writes `${secret:NAME}` where the value belongs. It never sees the value: what a server answers is freed of it.

use std::{
    collections::HashMap,
    env::{self, VarError},
    fmt, fs,
    sync::{Arc, Mutex},
};

use jackfield_plugin_api::{Failure, Result, sync::lock};

/// What a name begins with in a header.
const BEGIN: &str = "${secret:";
/// What is written in place of a secret.
const REPLACEMENT: &str = "[key]";
/// Length in bytes from which a secret is taken out of answers, wherever it stands. A shorter one is a placeholder such as
/// `none` or `EMPTY`, and an answer may well have that word in it.
const MIN_SCRUBBED_BYTES: usize = 8;

/// The most backslashes before a character: each JSON text within another one doubles them.
const MOST_BACKSLASHES: usize = 8;

/// A secret, and the place it was read from. `Debug` shows the place alone.
pub(crate) struct KnownSecret {
    value: String,
    place: String,
}

impl KnownSecret {
    fn new(value: &str, place: String) -> Self {
        Self { value: value.to_owned(), place }
    }

    /// Reads the secret of this name: that of a variable, or of a file if there is a `/` in it.
    ///
    /// # Errors
    /// [`Failure::InvalidConfig`] if there is none.
    fn read(name: &str) -> Result<Self> {
        let place = format!("`{name}`");
        let invalid = |message: String| Err(Failure::InvalidConfig(message));
        let value = if name.contains('/') {
            match fs::read_to_string(name) {
                Ok(value) => value,
                Err(error) => return invalid(format!("failed to read the API key from {place}: {error}")),
            }
        } else if name.is_empty() || name.contains(['=', '\0']) {
            return invalid(format!("{name:?} is not the name of an environment variable"));
        } else {
            match env::var(name) {
                Ok(value) => value,
                Err(VarError::NotPresent) => {
                    return invalid(format!("the environment variable {place} is not set: it holds the API key"));
                }
                Err(VarError::NotUnicode(_)) => {
                    return invalid(format!("the environment variable {place} holds something that is not UTF-8 text"));
                }
            }
        };
        let value = value.trim();
        if value.is_empty() {
            return invalid(format!("there is no API key in {place}: it is empty"));
        }
        if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
            return invalid(format!(
                "what {place} holds is not an API key: a key is one word of visible ASCII characters"
            ));
        }
        Ok(Self::new(value, place))
    }

    /// A text of a server without the secret; none if it is not in it. A secret of few characters stays.
    pub(crate) fn scrub(&self, text: &str) -> Option<String> {
        if self.value.len() < MIN_SCRUBBED_BYTES {
            return None;
        }
        // What is replaced is ASCII, so that the rest stays text.
        String::from_utf8(self.replaced_in(text.as_bytes())?).ok()
    }

    /// The bytes with each occurrence of the secret replaced; none if there is none.
    fn replaced_in(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let first = *self.value.as_bytes().first()?;
        let (mut kept, mut from, mut at) = (Vec::new(), 0, 0);
        while let Some(found) = bytes[at..].iter().position(|byte| *byte == first || *byte == b'\\') {
            at += found;
            match self.length_at(&bytes[at..]) {
                Some(length) => {
                    kept.extend_from_slice(&bytes[from..at]);
                    kept.extend_from_slice(REPLACEMENT.as_bytes());
                    at += length;
                    from = at;
                }
                None => at += 1,
            }
        }
        (from > 0).then(|| [&kept, &bytes[from..]].concat())
    }

    /// How long the secret is that the bytes begin with: as it is, or as JSON may write it, in a text within a text too.
    fn length_at(&self, bytes: &[u8]) -> Option<usize> {
        if bytes.starts_with(self.value.as_bytes()) {
            return Some(self.value.len());
        }
        self.value.bytes().try_fold(0, |at, byte| Some(at + written_length(&bytes[at..], byte)?))
    }

    /// As [`scrub`](Self::scrub), for a body, which may be no text.
    pub(crate) fn scrub_bytes(&self, bytes: Vec<u8>) -> Vec<u8> {
        if self.value.len() < MIN_SCRUBBED_BYTES {
            return bytes;
        }
        self.replaced_in(&bytes).unwrap_or(bytes)
    }

    /// A message without the secret; none if it is not in it. One of few characters is looked for as a word.
    pub(crate) fn redact_message(&self, text: &str) -> Option<String> {
        if self.value.len() >= MIN_SCRUBBED_BYTES {
            return self.scrub(text);
        }
        let touches = |char: Option<char>| char.is_some_and(char::is_alphanumeric);
        let (mut redacted, mut from) = (String::new(), 0);
        for (at, value) in text.match_indices(&self.value) {
            let end = at + value.len();
            if !touches(text[..at].chars().next_back()) && !touches(text[end..].chars().next()) {
                redacted.push_str(&text[from..at]);
                redacted.push_str(REPLACEMENT);
                from = end;
            }
        }
        (from > 0).then(|| redacted + &text[from..])
    }
}

impl fmt::Debug for KnownSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KnownSecret(from {})", self.place)
    }
}

/// How many of the bytes are this character as JSON may write it: itself, with backslashes before it, or by its number.
fn written_length(bytes: &[u8], character: u8) -> Option<usize> {
    let backslashes = bytes.iter().take(MOST_BACKSLASHES).take_while(|byte| **byte == b'\\').count();
    let rest = &bytes[backslashes..];
    if backslashes > 0
        && let [b'u', b'0', b'0', high, low, ..] = rest
        && let [Some(high), Some(low)] = [high, low].map(|digit| char::from(*digit).to_digit(16))
        && high * 16 + low == u32::from(character)
    {
        return Some(backslashes + 5);
    }
    match character {
        b'\\' => (backslashes > 0).then_some(backslashes.min(2)),
        _ => (rest.first() == Some(&character)).then_some(backslashes + 1),
    }
}

/// The secrets that were read so far. Each is read once, so that a run has one key from its beginning to its end.
#[derive(Default)]
pub(crate) struct SecretStore {
    known: Mutex<HashMap<String, Arc<KnownSecret>>>,
}

impl SecretStore {
    /// Whether the value of a header names a secret.
    pub(crate) fn names_secret(value: &str) -> bool {
        value.contains(BEGIN)
    }

    /// The names in a text, as far as they are written as they should.
    pub(crate) fn names_in(text: &str) -> impl Iterator<Item = &str> {
        text.split(BEGIN).skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name)
    }

    /// The secret of this name.
    ///
    /// # Errors
    /// [`Failure::InvalidConfig`] if there is none.
    pub(crate) fn read(&self, name: &str) -> Result<Arc<KnownSecret>> {
        let mut known = lock(&self.known);
        if let Some(secret) = known.get(name) {
            return Ok(Arc::clone(secret));
        }
        let secret = Arc::new(KnownSecret::read(name)?);
        known.insert(name.to_owned(), Arc::clone(&secret));
        Ok(secret)
    }

    /// The value of a header with its secrets in place of their names, each of which has to be allowed. Adds them to `used`.
    ///
    /// # Errors
    /// [`Failure::InvalidConfig`] for one that is not allowed or not there; [`Failure::InvalidInput`] for a name without an end.
    pub(crate) fn fill(
        &self,
        value: &str,
        allow: &dyn Fn(&str) -> std::result::Result<(), String>,
        used: &mut Vec<Arc<KnownSecret>>,
    ) -> Result<String> {
        let (mut filled, mut rest) = (String::with_capacity(value.len() + 64), value);
        while let Some((before, after)) = rest.split_once(BEGIN) {
            let Some((name, after)) = after.split_once('}') else {
                return Err(Failure::InvalidInput(format!("a header has `{BEGIN}` in it without a `}}` after it")));
            };
            allow(name).map_err(Failure::InvalidConfig)?;
            let secret = self.read(name)?;
            filled.push_str(before);
            filled.push_str(&secret.value);
            used.push(secret);
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(value: &str) -> KnownSecret {
        KnownSecret::new(value, "`KEY`".to_owned())
    }

    fn in_file(content: &[u8]) -> (tempfile::TempDir, String) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        fs::write(&path, content).expect("written");
        (folder, path.to_str().expect("UTF-8").to_owned())
    }

    #[test]
    fn a_key_is_trimmed_and_never_shown() {
        let (_folder, file) = in_file(b"  sk-very-secret\r\n");
        let secret = KnownSecret::read(&file).expect("a key");
        assert_eq!(secret.value, "sk-very-secret");
        assert!(!format!("{secret:?} {secret:#?}").contains("very-secret"));
        assert_eq!(secret.redact_message("bad key sk-very-secret!").as_deref(), Some("bad key [key]!"));
        assert_eq!(secret.scrub("xsk-very-secrety").as_deref(), Some("x[key]y"));
        assert_eq!(secret.scrub_bytes(b"\xffsk-very-secret\xffsk-very".to_vec()), b"\xff[key]\xffsk-very");
        assert_eq!(secret.scrub_bytes(b"sk-very-".to_vec()), b"sk-very-");
    }

    #[test]
    fn a_short_key_is_a_word_in_messages_and_none_in_answers() {
        let none = secret("none");
        assert_eq!(
            none.redact_message("key none of nonesuch, (none)").as_deref(),
            Some("key [key] of nonesuch, ([key])")
        );
        assert_eq!((none.scrub("none of them"), none.redact_message("nonesuch")), (None, None));
        assert_eq!(none.scrub_bytes(b"none".to_vec()), b"none");
        let odd = secret("a\"b\\c/12345");
        let key = secret("sk-proj/12345");
        for written in [r"\u0073k-proj/12345", r"\\u0073k\\u002Dproj\\/12345", r"sk-proj\\\u002f12345"] {
            assert_eq!(
                key.scrub(&format!("{{\"k\":\"{written}\"}}")).as_deref(),
                Some("{\"k\":\"[key]\"}"),
                "{written}"
            );
        }
        assert_eq!(key.scrub(r"\u0074k-proj/12345 \nsk-proj"), None);
        assert_eq!(
            odd.scrub(r#"{"k":"a\"b\\c/12345", "l":"a\"b\\c\/12345"} a"b\c/12345"#).as_deref(),
            Some(r#"{"k":"[key]", "l":"[key]"} [key]"#)
        );
    }

    #[test]
    fn names_are_replaced_by_what_they_name_if_that_is_allowed() {
        let (_folder, file) = in_file(b"key-of-mine");
        let (store, mut used) = (SecretStore::default(), Vec::new());
        let header = format!("Bearer ${{secret:{file}}}; ${{secret:{file}}}!");
        assert_eq!(SecretStore::names_in(&header).collect::<Vec<_>>(), [&file, &file]);
        let filled = store.fill(&header, &|_| Ok(()), &mut used);
        assert_eq!(filled.as_deref(), Ok("Bearer key-of-mine; key-of-mine!"));
        assert!(Arc::ptr_eq(&used[0], &used[1]));
        let refused = store.fill(&header, &|name| Err(format!("not {name}")), &mut used);
        assert_eq!(refused, Err(Failure::InvalidConfig(format!("not {file}"))));
        let endless = store.fill("${secret:KEY", &|_| Ok(()), &mut used);
        assert_eq!(endless.map_err(|failure| failure.kind()), Err(jackfield_plugin_api::FailureKind::InvalidInput));
        assert!(!SecretStore::names_secret("$secret:KEY ${env:KEY}"));
    }

    #[test]
    fn a_missing_key_is_reported_with_the_place_it_should_be_in() {
        let message = |name: &str| match KnownSecret::read(name) {
            Err(Failure::InvalidConfig(message)) => message,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            message("JACKFIELD_NO_SUCH_KEY"),
            "the environment variable `JACKFIELD_NO_SUCH_KEY` is not set: it holds the API key"
        );
        assert!(message("A=B").contains("is not the name of an environment variable"));
        assert!(message("/no/such/key").starts_with("failed to read the API key from `/no/such/key`: "));
        let (_folder, empty) = in_file(b" \n");
        assert!(message(&empty).ends_with("it is empty"));
        let (_folder, two) = in_file(b"sk-hidden\nsk-other");
        assert!(message(&two).contains("one word") && !message(&two).contains("hidden"));
    }
}

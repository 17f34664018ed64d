//! Recognises secrets, so that they can be masked before a text leaves the program.
//!
//! A secret is recognised by its name (`api_key`, `Authorization`) or by its shape (the password of an address, a key in a query,
//! `sk-…`).

use std::{borrow::Cow, ops::Range};

/// The text that takes the place of a secret.
pub const MASK: &str = "********";

/// The last words of the names of secrets.
const SECRET_WORDS: [&str; 22] = [
    "accesskey",
    "apikey",
    "auth",
    "authorisation",
    "authorization",
    "bearer",
    "cookie",
    "cookies",
    "credential",
    "credentials",
    "jwt",
    "pass",
    "passcode",
    "passphrase",
    "passwd",
    "password",
    "passwords",
    "pwd",
    "secret",
    "secretkey",
    "secrets",
    "token",
];
/// The words before `key` with which it is the name of a secret.
const SECRET_KEYS: [&str; 10] =
    ["access", "account", "api", "auth", "encryption", "license", "private", "secret", "signing", "subscription"];
/// Words after the name of a secret that do not change its meaning.
const FILLERS: [&str; 5] = ["header", "string", "text", "value", "values"];
/// Whole names of secrets, with which misspelt names are compared.
const WHOLE_NAMES: [&str; 12] = [
    "access_token",
    "api_key",
    "api_token",
    "apikey",
    "auth_token",
    "authorization",
    "client_secret",
    "passphrase",
    "password",
    "private_key",
    "secret",
    "secret_key",
];
/// The beginnings of the keys of well-known services, and how many characters follow at least.
const KEY_SHAPES: [(&str, usize); 25] = [
    ("sk-", 6),
    ("sk_live_", 6),
    ("sk_test_", 6),
    ("rk_live_", 6),
    ("pk_live_", 6),
    ("ghp_", 6),
    ("gho_", 6),
    ("ghu_", 6),
    ("ghs_", 6),
    ("ghr_", 6),
    ("github_pat_", 6),
    ("glpat-", 6),
    ("xoxb-", 6),
    ("xoxp-", 6),
    ("xoxa-", 6),
    ("xoxs-", 6),
    ("AKIA", 16),
    ("ASIA", 16),
    ("AIza", 20),
    ("hf_", 12),
    ("gsk_", 12),
    ("xai-", 12),
    ("pplx-", 12),
    ("nvapi-", 12),
    ("eyJ", 24),
];

/// Whether the value of this name (of a key, a header or a parameter of a query) is or may be a secret. A misspelt name counts
/// too, since it is shown in messages about unknown keys.
pub fn is_secret_name(name: &str) -> bool {
    let words = words(name);
    let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
    while words.len() > 1
        && words.last().is_some_and(|last| FILLERS.contains(last) || last.bytes().all(|byte| byte.is_ascii_digit()))
    {
        words.pop();
    }
    let named = match words.as_slice() {
        [.., before, "key" | "keys"] => SECRET_KEYS.contains(before),
        [.., last] => SECRET_WORDS.contains(last),
        [] => false,
    };
    let plain = words.join("_");
    let near = |known: &&str| {
        let allowed = if known.len() < 7 { 1 } else { 2 };
        plain.len().abs_diff(known.len()) <= allowed && strsim::damerau_levenshtein(&plain, known) <= allowed
    };
    // `tokens`, which has one letter more, is the name of a number.
    let is_token = plain.len() == 5 && strsim::damerau_levenshtein(&plain, "token") == 1;
    named || is_token || plain.len() > 4 && WHOLE_NAMES.iter().any(near)
}

/// Whether the value of a key of a configuration may be or contain a secret. That of `headers` may, also if it is misspelt.
pub fn holds_secrets(key: &str) -> bool {
    let name = key.to_ascii_lowercase();
    is_secret_name(key) || name.starts_with('h') && strsim::damerau_levenshtein(&name, "headers") <= 1
}

/// Whether a text may be the name of a variable of the environment. If not, it may be the secret itself, given where its name
/// belongs.
pub fn is_variable_name(text: &str) -> bool {
    let any = |is: fn(&u8) -> bool| text.bytes().any(|byte| is(&byte));
    let is_upper_case = !any(u8::is_ascii_lowercase);
    let is_word = !any(u8::is_ascii_digit) && text.len() <= 32;
    !any(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_')
        && (is_upper_case || is_word)
        && (text.len() <= 24 || text.contains('_'))
}

/// The words of `api_key`, `x-api-key`, `apiKey`, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before = ' ';
    for char in name.chars() {
        if char.is_alphanumeric() {
            let begins = !before.is_alphanumeric()
                || char.is_uppercase() && before.is_lowercase()
                || char.is_numeric() != before.is_numeric();
            if begins {
                words.push(String::new());
            }
            words.last_mut().into_iter().for_each(|word| word.extend(char.to_lowercase()));
        }
        before = char;
    }
    words
}

/// Masks every secret in a text that is recognised by its shape.
pub fn mask_secrets(text: &str) -> Cow<'_, str> {
    let ranges = secret_ranges(text);
    if ranges.is_empty() {
        return Cow::Borrowed(text);
    }
    let (mut masked, mut from) = (String::with_capacity(text.len()), 0);
    for range in ranges {
        if range.start >= from {
            masked.push_str(&text[from..range.start]);
            masked.push_str(MASK);
        }
        from = from.max(range.end);
    }
    masked.push_str(&text[from..]);
    Cow::Owned(masked)
}

/// The ranges of all secrets in a text that are recognised by their shape, in order.
pub fn secret_ranges(text: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    find_in_addresses(text, &mut ranges);
    find_in_authorities(text, &mut ranges);
    find_in_queries(text, &mut ranges);
    find_key_shapes(text, &mut ranges);
    find_in_schemes(text, &mut ranges);
    find_in_variables(text, &mut ranges);
    ranges.sort_by_key(|range| (range.start, std::cmp::Reverse(range.end)));
    ranges
}

/// Whether a word in quotes, brackets or prose ends at this character.
fn ends_word(char: char) -> bool {
    char.is_whitespace() || char.is_control() || matches!(char, '"' | '\'' | '`' | '<' | '>' | '(' | ')' | '{' | '}')
}

/// Finds the user and the password of every `scheme://user:password@host`.
fn find_in_addresses(text: &str, ranges: &mut Vec<Range<usize>>) {
    for (at, _) in text.match_indices("://") {
        let start = at + 3;
        let rest = &text[start..];
        // A list of addresses without spaces is one word.
        let end = rest.find(ends_word).unwrap_or(rest.len());
        let word = &rest[..rest[..end].find("://").unwrap_or(end)];
        let authority = &word[..word.find(['/', '?', '#']).unwrap_or(word.len())];
        // A password may have an `@` in it, or a `/` that should have been `%2F`; then the text before that is not a host.
        if let Some(user) = word.rfind('@').filter(|user| *user > 0)
            && (authority.contains('@') || !is_host(authority))
        {
            ranges.push(start..start + user);
        }
    }
}

/// Finds the user and the password of every `user:password@host` without a scheme.
fn find_in_authorities(text: &str, ranges: &mut Vec<Range<usize>>) {
    for (at, _) in text.match_indices('@') {
        let before = &text[..at];
        let start = before
            .rfind(|char: char| ends_word(char) || ",=/[".contains(char))
            .map_or(0, |start| start + before[start..].chars().next().map_or(0, char::len_utf8));
        let after = &text[at + 1..];
        let host = &after
            [..after.find(|char: char| !(char.is_ascii_alphanumeric() || ".-:".contains(char))).unwrap_or(after.len())];
        let (name, port) = host.split_once(':').unwrap_or((host, ""));
        let is_address = name.parse::<std::net::Ipv4Addr>().is_ok();
        let is_name = name.contains(|char: char| char.is_ascii_alphabetic())
            && (name.trim_matches('.').contains('.')
                || port.starts_with(|char: char| char.is_ascii_digit())
                || name == "localhost");
        let has_password = text[start..at].split_once(':').is_some_and(|(_, password)| !password.is_empty());
        if has_password && (is_address || is_name) {
            ranges.push(start..at);
        }
    }
}

fn is_host(authority: &str) -> bool {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !authority.ends_with(']') => (host, port),
        _ => (authority, ""),
    };
    !host.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
}

/// Finds the values of `?key=…` and `&api_key=…`.
fn find_in_queries(text: &str, ranges: &mut Vec<Range<usize>>) {
    for (at, _) in text.match_indices(['?', '&']) {
        let rest = &text[at + 1..];
        let Some(equals) = rest.find(|char: char| !(char.is_ascii_alphanumeric() || "_-.".contains(char))) else {
            continue;
        };
        if !rest[equals..].starts_with('=') || !is_secret_parameter(&rest[..equals]) {
            continue;
        }
        let start = at + 1 + equals + 1;
        let length = text[start..].find(|char: char| ends_word(char) || matches!(char, '&' | '#' | ';'));
        let end = length.map_or(text.len(), |length| start + length);
        if end > start {
            ranges.push(start..end);
        }
    }
}

/// Whether a parameter in the query of an address is a secret, by its name.
pub(crate) fn is_secret_parameter(name: &str) -> bool {
    is_secret_name(name) || ["key", "sig", "signature", "code"].iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// Finds keys that begin like those of well-known services.
fn find_key_shapes(text: &str, ranges: &mut Vec<Range<usize>>) {
    let in_key = |char: char| char.is_ascii_alphanumeric() || "-_.".contains(char);
    for (prefix, least) in KEY_SHAPES {
        for (at, _) in text.match_indices(prefix) {
            let is_start = !text[..at].chars().next_back().is_some_and(|before| before.is_alphanumeric());
            let body = &text[at + prefix.len()..];
            let body = body[..body.find(|char| !in_key(char)).unwrap_or(body.len())].trim_end_matches('.');
            // `sk-learn` is not a key.
            let looks_random =
                body.bytes().any(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase()) || body.len() >= 24;
            if is_start && body.len() >= least && looks_random {
                ranges.push(at..at + prefix.len() + body.len());
            }
        }
    }
}

/// Finds the words after `Bearer` and `Basic`.
fn find_in_schemes(text: &str, ranges: &mut Vec<Range<usize>>) {
    for scheme in ["bearer ", "basic "] {
        // Only ASCII letters change, so the positions stay the same.
        for (at, _) in text.to_ascii_lowercase().match_indices(scheme) {
            let start = at + scheme.len();
            let rest = &text[start..];
            let word = &rest[..rest.find(|char| ends_word(char) || char == ',').unwrap_or(rest.len())];
            let is_start = !text[..at].chars().next_back().is_some_and(char::is_alphanumeric);
            // A lower-case word is prose, such as `Bearer authentication`.
            let is_prose = word.chars().skip(1).all(|char| char.is_lowercase() || ".:;".contains(char));
            if is_start && word.len() >= 4 && !is_prose {
                ranges.push(start..start + word.len());
            }
        }
    }
}

/// Finds the text after `env:NAME=`: such a permission has only a name, so the text is the value of the variable.
fn find_in_variables(text: &str, ranges: &mut Vec<Range<usize>>) {
    for (at, _) in text.match_indices("env:") {
        let name = &text[at + 4..];
        let end = name.find(|char: char| !(char.is_ascii_alphanumeric() || char == '_')).unwrap_or(name.len());
        let value = name[end..].strip_prefix('=').unwrap_or_default();
        let length = value.find(['`', '\n']).unwrap_or(value.len());
        let length = value[..length].find(['"', '\'']).filter(|quote| *quote > 0).unwrap_or(length);
        if length > 0 {
            let start = at + 4 + end + 1;
            ranges.push(start..start + length);
        }
    }
}

#[cfg(test)]
mod tests;

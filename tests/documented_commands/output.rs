//! How what a command prints is compared with what its page shows.

use std::iter;

/// A line without what differs from run to run: times, digests, names of runs, and the width of columns.
pub(super) fn plain(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some(next) = rest.chars().next() {
        let before = text.chars().next_back();
        let (length, stands) = match token(before, rest) {
            Some((length, stands)) => (length, stands.to_owned()),
            None => (next.len_utf8(), next.to_string()),
        };
        text.push_str(&stands);
        rest = &rest[length..];
    }
    let mut words: Vec<&str> = Vec::new();
    for word in text.split_whitespace() {
        let unit = word.trim_end_matches([',', '.', ')', ':', ';']);
        let number = |word: &str| word.trim_start_matches('(').parse::<f64>().is_ok();
        if ["ms", "s"].contains(&unit) && words.last().is_some_and(|last| number(last)) {
            words.pop();
            words.push("TIME");
        } else {
            words.push(word);
        }
    }
    words.join(" ")
}

/// The digest, run or moment that a text begins with: its length, and what it is.
fn token(before: Option<char>, text: &str) -> Option<(usize, &'static str)> {
    if before.is_some_and(|before| before.is_ascii_alphanumeric()) {
        return None;
    }
    let hex = text.bytes().take_while(u8::is_ascii_hexdigit).count();
    if hex == 64 {
        return Some((hex, "DIGEST"));
    }
    for (shape, stands) in [("-00000000-000000-ffff", "RUN"), ("0000-00-00T00:00:00", "MOMENT")] {
        let name = match stands {
            "RUN" => text.bytes().take_while(u8::is_ascii_lowercase).count(),
            _ => 0,
        };
        let fits = |(byte, shape): (u8, u8)| match shape {
            b'0' => byte.is_ascii_digit(),
            b'f' => byte.is_ascii_hexdigit(),
            other => byte == other,
        };
        let rest = text.as_bytes().get(name..name + shape.len())?;
        if (name > 0 || stands == "MOMENT") && iter::zip(rest.iter().copied(), shape.bytes()).all(fits) {
            let length = name + shape.len();
            let fraction =
                text[length..].bytes().take_while(|byte| byte.is_ascii_digit() || b".Z".contains(byte)).count();
            return Some((if stands == "RUN" { length } else { length + fraction }, stands));
        }
    }
    None
}

/// The digests and names of runs in some lines, each once.
pub(super) fn tokens(lines: &[String]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for line in lines {
        let mut before = None;
        let mut rest = line.as_str();
        while let Some(next) = rest.chars().next() {
            let length = match token(before, rest) {
                Some((length, stands)) => {
                    if stands != "MOMENT" && !found.iter().any(|token| token == &rest[..length]) {
                        found.push(rest[..length].to_owned());
                    }
                    length
                }
                None => next.len_utf8(),
            };
            before = rest[..length].chars().next_back();
            rest = &rest[length..];
        }
    }
    found
}

/// Whether lines are what the page shows.
pub(super) fn fits(wanted: &[String], found: &[String]) -> bool {
    match (wanted.split_first(), found.split_first()) {
        (None, None) => true,
        (Some((dots, rest)), _) if dots == "..." => (0..=found.len()).any(|skipped| fits(rest, &found[skipped..])),
        (Some((wanted, rest)), Some((found, others))) => line_fits(wanted, found) && fits(rest, others),
        _ => false,
    }
}

fn line_fits(wanted: &str, found: &str) -> bool {
    match wanted.split_once("...") {
        None => wanted == found,
        Some((before, after)) => found.strip_prefix(before).is_some_and(|rest| {
            rest.char_indices().map(|(at, _)| at).chain([rest.len()]).any(|at| line_fits(after, &rest[at..]))
        }),
    }
}

#[test]
fn output_is_compared_as_the_pages_need_it() {
    let lines = |text: &str| text.lines().map(plain).collect::<Vec<_>>();
    let digest = "0123456789abcdef".repeat(4);
    assert_eq!(plain(&format!("sha256  {digest}")), "sha256 DIGEST");
    assert_eq!(plain("runs/a-20260131-142501-3f9a at 2026-01-31T14:25:01.123Z"), "runs/RUN at MOMENT");
    assert_eq!(plain("a   6  0.175 ms  1.5 s"), "a 6 TIME TIME");
    assert!(fits(&lines("a\n...\nd ... f"), &lines("a\nb\nc\nd e f")));
    assert!(fits(&lines("..."), &lines("")));
    assert!(!fits(&lines("a\n..."), &lines("b")));
    assert!(!fits(&lines("a"), &lines("a\nb")));
}

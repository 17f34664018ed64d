//! Makes JSON of what programs write that do not keep to its rules: `NaN`, halves of surrogate pairs, control characters
//! inside of strings, commas before a closing bracket.

/// The text with such faults mended. What else is wrong with it is left for the parser to say.
pub(super) fn repaired(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = match c {
            '"' => {
                out.push('"');
                string(&rest[1..], &mut out)
            }
            ',' => {
                let after = rest[1..].trim_start();
                if !after.starts_with([']', '}']) {
                    out.push(',');
                }
                &rest[1..]
            }
            'A'..='Z' | 'a'..='z' | '0'..='9' | '+' | '-' | '.' => word(rest, &mut out),
            _ => {
                out.push(c);
                &rest[c.len_utf8()..]
            }
        };
    }
    out
}

/// A number or a bare word; gives what follows it.
fn word<'a>(text: &'a str, out: &mut String) -> &'a str {
    let is_of_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.' | b'_');
    let end = text.bytes().position(|byte| !is_of_word(byte)).unwrap_or(text.len());
    let word = &text[..end];
    let is_number = word.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'));
    let is_json = serde_json::from_str::<f64>(word).is_ok();
    match (word.parse::<f64>(), word) {
        (_, "None" | "undefined" | "NULL" | "Null") => out.push_str("null"),
        (_, "True") => out.push_str("true"),
        (_, "False") => out.push_str("false"),
        (Ok(number), _) if !number.is_finite() => out.push_str("null"),
        (Ok(number), _) if is_number && !is_json => out.push_str(&number.to_string()),
        _ => out.push_str(word),
    }
    &text[end..]
}

/// The inside of a string and its end; gives what follows it.
fn string<'a>(text: &'a str, out: &mut String) -> &'a str {
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        match c {
            '"' => {
                out.push('"');
                return &rest[1..];
            }
            '\\' => rest = escape(rest, out),
            c if c < ' ' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
                rest = &rest[1..];
            }
            c => {
                out.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    rest
}

/// An escape at the head of the text; gives what follows it. Half of a pair of surrogates becomes U+FFFD.
fn escape<'a>(text: &'a str, out: &mut String) -> &'a str {
    let Some(sign) = text[1..].chars().next() else {
        out.push('\\');
        return "";
    };
    match sign {
        'u' => {
            let Some(unit) = unit(text) else {
                out.push_str("\\ufffd");
                return &text[2..];
            };
            let is_pair = (0xd800..0xdc00).contains(&unit)
                && text.get(6..).and_then(self::unit).is_some_and(|low| (0xdc00..0xe000).contains(&low));
            let length = if is_pair { 12 } else { 6 };
            let is_half = !is_pair && (0xd800..0xe000).contains(&unit);
            out.push_str(if is_half { "\\ufffd" } else { &text[..length] });
            &text[length..]
        }
        '"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't' => {
            out.push_str(&text[..2]);
            &text[2..]
        }
        // `\'`, and `\d` of a pattern: the sign is meant, and of a letter the backslash too.
        sign => {
            out.push_str(if sign.is_alphanumeric() { "\\\\" } else { "" });
            &text[1..]
        }
    }
}

/// The number of a `\uXXXX` at the head of the text.
fn unit(text: &str) -> Option<u32> {
    let digits =
        text.strip_prefix("\\u")?.get(..4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    u32::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::repaired;

    #[test]
    fn faults_of_programs_are_mended() {
        for (text, want) in [
            (r#"[NaN, -Infinity, Infinity, 1e999, nan]"#, "[null, null, null, null, null]"),
            (r#"[None, True, False, undefined]"#, "[null, true, false, null]"),
            (r#"[.5, +1, 01]"#, "[0.5, 1, 1]"),
            (r#"{"a": [1, 2, ], }"#, r#"{"a": [1, 2 ] }"#),
            (r#""\ud83d \ude00 \ud83d\ude00 \u00e9 \u12""#, r#""\ufffd \ufffd \ud83d\ude00 \u00e9 \ufffd12""#),
            ("\"a\tb\nc\"", "\"a\\u0009b\\u000ac\""),
            (r#""it\'s \d""#, r#""it's \\d""#),
            (r#""NaN, ], \" None""#, r#""NaN, ], \" None""#),
        ] {
            assert_eq!(repaired(text), want);
            serde_json::from_str::<serde_json::Value>(want).expect("JSON");
        }
    }

    #[test]
    fn what_is_broken_otherwise_is_left() {
        for text in ["[abc]", "{\"a\": ", "\"cut \\", "[1 2]", "- ", "é"] {
            assert_eq!(repaired(text), text);
        }
    }
}

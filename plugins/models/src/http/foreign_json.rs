//! The one reader of JSON that servers send. It is lenient: an oddity that leaves no doubt about what is meant costs no answer.
//!
//! Beyond what the standard allows it takes a byte-order mark, `NaN` and `Infinity` (as null), half of a surrogate pair (as
//! U+FFFD), bytes that are not UTF-8, control characters within texts, a comma too much, and whatever follows the value.
//! Where a key stands twice, the last one counts. Numbers keep the spelling they came in.

use std::borrow::Cow;

/// Most lists and objects within each other.
const DEEPEST: usize = 128;

/// Largest number that is believed to be a count.
const LARGEST_COUNT: u64 = 1_000_000_000_000;

/// A value as a server sent it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json<'a> {
    /// Null, or a number that JSON cannot say.
    Null,
    /// True or false.
    Bool(bool),
    /// A number in the spelling of JSON.
    Number(Cow<'a, str>),
    /// A text.
    Text(Cow<'a, str>),
    /// A list.
    List(Vec<Json<'a>>),
    /// An object: its entries in the order they came in, with every one of those whose key stands twice.
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

/// Why a body is no JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotJson {
    /// Nothing but blank space.
    Empty,
    /// It begins as JSON and ends too early.
    CutOff,
    /// It is something else.
    Other,
}

/// The text of a body: without a byte-order mark, and with U+FFFD in place of what is not UTF-8.
pub(crate) fn text_of(body: &[u8]) -> Cow<'_, str> {
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    String::from_utf8_lossy(body)
}

impl<'a> Json<'a> {
    /// The value that a text begins with.
    ///
    /// # Errors
    /// What the text is if it is no JSON.
    pub(crate) fn parse(text: &'a str) -> Result<Self, NotJson> {
        let mut reader = Reader { text, at: 0 };
        reader.skip_blank();
        if reader.at == text.len() {
            return Err(NotJson::Empty);
        }
        reader.value(DEEPEST)
    }

    /// The object or list that a model wrote where JSON was asked for, and nothing else with it, as JSON that every reader takes;
    /// none if the text is that already, or something else.
    pub(crate) fn mended(text: &str) -> Option<String> {
        let text = text.trim();
        if !text.starts_with(['{', '[']) || serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() {
            return None;
        }
        let mut reader = Reader { text, at: 0 };
        let value = reader.value(DEEPEST).ok()?;
        reader.skip_blank();
        (reader.at == text.len()).then(|| value.to_json())
    }

    /// The value under a key; null if there is none, or if this is no object.
    pub(crate) fn get(&self, key: &str) -> &Self {
        match self {
            Self::Object(entries) => {
                entries.iter().rfind(|(name, _)| name == key).map_or(&Self::Null, |(_, value)| value)
            }
            _ => &Self::Null,
        }
    }

    /// Whether there is anything under a key, null included.
    pub(crate) fn has(&self, key: &str) -> bool {
        matches!(self, Self::Object(entries) if entries.iter().any(|(name, _)| name == key))
    }

    /// The values of a list; none if this is no list.
    pub(crate) fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// The text, if this is one.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The text, if this is one that is not blank.
    pub(crate) fn words(&self) -> Option<&str> {
        self.text().filter(|text| !text.trim().is_empty())
    }

    /// Whether this is null, which a missing value is too.
    pub(crate) fn is_null(&self) -> bool {
        *self == Self::Null
    }

    /// Whether there is nothing in it: null, `false`, an empty text, list or object.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Null | Self::Bool(false) => true,
            Self::Bool(true) | Self::Number(_) => false,
            Self::Text(text) => text.trim().is_empty(),
            Self::List(items) => items.is_empty(),
            Self::Object(entries) => entries.is_empty(),
        }
    }

    /// A count, which may be written as a fraction or as a text. One that makes no sense (negative, no number, beyond all
    /// that is ever counted) is as good as none: it costs no answer, and the host counts.
    pub(crate) fn count(&self) -> Option<u64> {
        let (Self::Number(text) | Self::Text(text)) = self else { return None };
        let text = text.trim();
        let of_float = |number: f64| (0.0..=LARGEST_COUNT as f64).contains(&number).then_some(number as u64);
        text.parse().ok().or_else(|| of_float(text.parse().ok()?)).filter(|count| *count <= LARGEST_COUNT)
    }

    /// The value as JSON on one line, with keys in the order they came in.
    pub(crate) fn to_json(&self) -> String {
        let mut json = String::new();
        self.write(&mut json);
        json
    }

    fn write(&self, json: &mut String) {
        match self {
            Self::Null => json.push_str("null"),
            Self::Bool(value) => json.push_str(if *value { "true" } else { "false" }),
            Self::Number(number) => json.push_str(number),
            Self::Text(text) => json.push_str(&quoted(text)),
            Self::List(items) => {
                json.push('[');
                for (index, item) in items.iter().enumerate() {
                    json.push_str(if index == 0 { "" } else { "," });
                    item.write(json);
                }
                json.push(']');
            }
            Self::Object(entries) => {
                json.push('{');
                for (index, (key, value)) in entries.iter().enumerate() {
                    json.push_str(if index == 0 { "" } else { "," });
                    json.push_str(&quoted(key));
                    json.push(':');
                    value.write(json);
                }
                json.push('}');
            }
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A place in a text.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip_blank(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Steps over this byte if it comes next, after blank space.
    fn takes(&mut self, byte: u8) -> bool {
        self.skip_blank();
        let comes = self.peek() == Some(byte);
        self.at += usize::from(comes);
        comes
    }

    /// What it means that something else was expected here.
    fn unexpected(&self) -> NotJson {
        if self.at >= self.text.len() { NotJson::CutOff } else { NotJson::Other }
    }

    /// The value here, with so many more lists and objects within each other.
    fn value(&mut self, depth: usize) -> Result<Json<'a>, NotJson> {
        self.skip_blank();
        match self.peek() {
            Some(b'{' | b'[') if depth == 0 => Err(NotJson::Other),
            Some(b'{') => self.object(depth - 1),
            Some(b'[') => self.list(depth - 1),
            Some(b'"') => self.string().map(Json::Text),
            Some(b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z') => self.word(depth < DEEPEST),
            _ => Err(self.unexpected()),
        }
    }

    fn list(&mut self, depth: usize) -> Result<Json<'a>, NotJson> {
        self.at += 1;
        let mut items = Vec::new();
        while !self.takes(b']') {
            items.push(self.value(depth)?);
            if !self.takes(b',') {
                return if self.takes(b']') { Ok(Json::List(items)) } else { Err(self.unexpected()) };
            }
        }
        Ok(Json::List(items))
    }

    fn object(&mut self, depth: usize) -> Result<Json<'a>, NotJson> {
        self.at += 1;
        let mut entries = Vec::new();
        while !self.takes(b'}') {
            if self.peek() != Some(b'"') {
                return Err(self.unexpected());
            }
            let key = self.string()?;
            if !self.takes(b':') {
                return Err(self.unexpected());
            }
            entries.push((key, self.value(depth)?));
            if !self.takes(b',') {
                return if self.takes(b'}') { Ok(Json::Object(entries)) } else { Err(self.unexpected()) };
            }
        }
        Ok(Json::Object(entries))
    }

    /// A number, or a name such as `true` and `NaN`. Within something else, one that the text ends in may go on.
    fn word(&mut self, is_inside: bool) -> Result<Json<'a>, NotJson> {
        let ends = |char: char| !(char.is_ascii_alphanumeric() || matches!(char, '-' | '+' | '.'));
        let word = &self.rest()[..self.rest().find(ends).unwrap_or(self.rest().len())];
        self.at += word.len();
        let value = match word.trim_start_matches(['-', '+']).to_ascii_lowercase().as_str() {
            "true" => Json::Bool(true),
            "false" => Json::Bool(false),
            "null" | "none" | "undefined" | "nan" | "inf" | "infinity" => Json::Null,
            _ if serde_json::from_str::<&serde_json::value::RawValue>(word).is_ok() => Json::Number(word.into()),
            // `+1`, `.5`, `07`: a number in another spelling.
            _ => match word.parse::<f64>().map(serde_json::Number::from_f64) {
                Ok(Some(number)) => Json::Number(number.to_string().into()),
                _ if is_inside => return Err(self.unexpected()),
                _ => return Err(NotJson::Other),
            },
        };
        Ok(value)
    }

    /// The text that begins with the quote here.
    fn string(&mut self) -> Result<Cow<'a, str>, NotJson> {
        self.at += 1;
        let mut text = Cow::Borrowed("");
        loop {
            let rest = self.rest();
            let Some(length) = rest.find(['"', '\\']) else {
                self.at = self.text.len();
                return Err(NotJson::CutOff);
            };
            let plain = &rest[..length];
            if text.is_empty() {
                text = plain.into();
            } else {
                text.to_mut().push_str(plain);
            }
            self.at += length + 1;
            if rest.as_bytes()[length] == b'"' {
                return Ok(text);
            }
            let escaped = self.escaped()?;
            text.to_mut().push(escaped);
        }
    }

    /// The character after a backslash. One that needs none is itself.
    fn escaped(&mut self) -> Result<char, NotJson> {
        let character = self.rest().chars().next().ok_or(NotJson::CutOff)?;
        self.at += character.len_utf8();
        Ok(match character {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => self.code_unit()?,
            other => other,
        })
    }

    /// The character of the code unit here, and of the one that follows if the two are a pair.
    fn code_unit(&mut self) -> Result<char, NotJson> {
        let first = self.hexadecimal().ok_or_else(|| self.unexpected())?;
        if (0xd800..0xdc00).contains(&first) && self.rest().starts_with("\\u") {
            let before = self.at;
            self.at += 2;
            if let Some(second @ 0xdc00..0xe000) = self.hexadecimal() {
                let code = 0x1_0000 + (((first - 0xd800) << 10) | (second - 0xdc00));
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = before;
        }
        Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hexadecimal(&mut self) -> Option<u32> {
        let Some(digits) = self.rest().get(..4) else {
            self.at = self.text.len();
            return None;
        };
        let code =
            digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())??;
        self.at += 4;
        Some(code)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn read(text: &str) -> String {
        Json::parse(text).unwrap_or_else(|why| panic!("{text}: {why:?}")).to_json()
    }

    #[test]
    fn what_a_model_wrote_is_mended_if_it_is_json_and_nothing_else() {
        for (text, mended) in [
            (r#"{"a": [1, 2,], "b": "x",}"#, Some(r#"{"a":[1,2],"b":"x"}"#)),
            ("{\"a\": \"two\nlines\"}", Some(r#"{"a":"two\nlines"}"#)),
            (r#" [1, NaN] "#, Some("[1,null]")),
            (r#"{"a": 1}"#, None),
            (r#"{"a": 1,} So it is."#, None),
            (r#"{"a": 1"#, None),
            ("Sure: {},", None),
            ("", None),
        ] {
            assert_eq!(Json::mended(text).as_deref(), mended, "{text}");
        }
    }

    #[test]
    fn what_leaves_no_doubt_is_read() {
        for (text, meant) in [
            (r#"{"b": NaN, "a": [Infinity, -Infinity, nan, None]}"#, r#"{"b":null,"a":[null,null,null,null]}"#),
            (
                r#"["x \ud83d y", "\ude00", "\ud83d\ude00", "\ud83d\n"]"#,
                "[\"x \u{fffd} y\",\"\u{fffd}\",\"😀\",\"\u{fffd}\\n\"]",
            ),
            ("{\"a\": \"1\n2\t3\",}", r#"{"a":"1\n2\t3"}"#),
            (r#"{"a": 1} data: [DONE]"#, r#"{"a":1}"#),
            ("\n\n  [1,]\n", "[1]"),
            (
                r#"[1.0, 1e2, 12345678901234567890123, 1e999, -0, +1, .5, 07]"#,
                "[1.0,1e2,12345678901234567890123,1e999,-0,1.0,0.5,7.0]",
            ),
            (r#"["\/ \' \q"]"#, r#"["/ ' q"]"#),
            ("[True, false]", "[true,false]"),
        ] {
            assert_eq!(read(text), meant, "{text}");
        }
        assert_eq!(text_of(b"\xef\xbb\xbf[]"), "[]");
        assert_eq!(text_of(b"[\"a\xff\"]"), "[\"a\u{fffd}\"]");
    }

    #[test]
    fn of_a_key_that_stands_twice_the_last_one_counts() {
        let value = Json::parse(r#"{"a": "first", "b": 1, "a": "last"}"#).unwrap();
        assert_eq!(value.get("a").text(), Some("last"));
        assert!(value.get("c").is_null() && value.get("a").get("b").is_null());
    }

    #[test]
    fn what_is_no_json_is_told_apart() {
        for (text, why) in [
            ("", NotJson::Empty),
            (" \r\n ", NotJson::Empty),
            (r#"{"a": [1, {"b"#, NotJson::CutOff),
            (r#"{"a""#, NotJson::CutOff),
            (r#"["\u00"#, NotJson::CutOff),
            (r#"["\"#, NotJson::CutOff),
            ("[1", NotJson::CutOff),
            ("[tru", NotJson::CutOff),
            ("oops", NotJson::Other),
            ("<html>", NotJson::Other),
            ("{a: 1}", NotJson::Other),
            (r#"{"a" 1}"#, NotJson::Other),
            (r#"["\u00zz"]"#, NotJson::Other),
            ("upstream is away", NotJson::Other),
        ] {
            assert_eq!(Json::parse(text), Err(why), "{text}");
        }
        assert_eq!(Json::parse(&"[".repeat(100_000)), Err(NotJson::Other));
        assert!(Json::parse(&format!("{}{}", "[".repeat(DEEPEST), "]".repeat(DEEPEST))).is_ok());
    }

    #[test]
    fn an_odd_count_is_read_as_far_as_it_makes_sense() {
        for (value, count) in [
            ("9", Some(9)),
            ("9.0", Some(9)),
            ("9.9", Some(9)),
            (r#""9""#, Some(9)),
            (r#"" 9.5 ""#, Some(9)),
            ("1e12", Some(LARGEST_COUNT)),
            ("1000000000001", None),
            ("18446744073709551615", None),
            ("18446744073709551616", None),
            ("1e300", None),
            ("1e999", None),
            ("-1", None),
            ("-0.5", None),
            ("NaN", None),
            (r#""many""#, None),
            (r#""inf""#, None),
            ("null", None),
            ("[9]", None),
            ("{}", None),
        ] {
            assert_eq!(Json::parse(value).unwrap().count(), count, "{value}");
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(|number| json!(number)),
            ".*".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(".*", inner, 0..6)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn strict_json_is_read_as_it_stands(value in any_json()) {
            prop_assert_eq!(read(&value.to_string()), value.to_string());
            prop_assert_eq!(read(&format!("{value:#}")), value.to_string());
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in r#"[\[\]{}",:\\u0-9dD eNtf.+-]{0,40}"#) {
            if let Ok(value) = Json::parse(&text) {
                // What is read can be written so that everyone can read it.
                prop_assert!(serde_json::from_str::<Box<serde_json::value::RawValue>>(&value.to_json()).is_ok());
            }
        }
    }
}

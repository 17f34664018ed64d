//! The analyzer `{{name}}`: counts the words of a text.

use jackfield_plugin_api::prelude::*;

/// What `{{name}}` reads.
#[derive(Document)]
pub struct Text {
    /// Any text.
    pub text: String,
}

/// What `{{name}}` answers.
#[derive(Document)]
pub struct Counts {
    /// Words that were counted.
    pub words: u64,
    /// Characters of the text, white space among them.
    pub characters: u64,
    /// Characters of the longest word that was counted; 0 if none was.
    pub longest: u64,
}

/// Counts the words of a text.
///
/// A word is a longest run of characters other than space, tab, carriage return and line feed. A character is a Unicode
/// scalar value, so that every language counts the same.
#[derive(Config)]
pub struct WordCount {
    /// Words of fewer characters are not counted.
    #[config(default = 1)]
    #[schemars(range(min = 1))]
    pub min_length: u64,
}

impl Analyzer for WordCount {
    const NAME: &'static str = "{{name}}";
    type Input = Text;
    type Output = Counts;

    fn open(self) -> Result<Self> {
        if self.min_length == 0 {
            return Err(Failure::InvalidConfig("`min_length`: 0 is less than 1".to_owned()));
        }
        Ok(self)
    }

    async fn analyze(&self, Text { text }: Text, _host: &Host<'_>) -> Result<Counts> {
        let lengths = text.split([' ', '\t', '\r', '\n']).map(|word| word.chars().count() as u64);
        let counted: Vec<u64> = lengths.filter(|length| *length >= self.min_length).collect();
        Ok(Counts {
            words: counted.len() as u64,
            characters: text.chars().count() as u64,
            longest: counted.into_iter().max().unwrap_or_default(),
        })
    }

    fn examples() -> Vec<Example> {
        vec![Example {
            summary: "Words of three characters or more".to_owned(),
            config: json!({ "min_length": 3 }),
            input: json!({ "text": "So, naïve 🦀🦀🦀 it\tis\nnot." }),
            output: json!({ "words": 4, "characters": 24, "longest": 5 }),
        }]
    }
}

export_plugin!(WordCount);

#[cfg(test)]
mod tests {
    use jackfield_plugin_api::{
        Kind,
        prelude::*,
        testing::{FakeHost, call, check_examples},
    };

    /// What it says of a text with a setting, or why it says nothing.
    macro_rules! counted {
        ($config:tt, $input:tt) => {
            call(Kind::Analyzer, "{{name}}", json!($config), json!($input), &FakeHost::default())
        };
    }

    #[test]
    fn examples_hold() {
        check_examples(Kind::Analyzer, "{{name}}", &FakeHost::default());
    }

    #[test]
    fn only_four_characters_separate_words() {
        let text = "one\u{a0}word\u{2028}still\u{b}it  two\r\n";
        let counts = counted!({}, { "text": text });
        assert_eq!(counts, Ok(json!({ "words": 2, "characters": 24, "longest": 17 })));
    }

    #[test]
    fn a_text_without_words() {
        assert_eq!(counted!({}, { "text": " \t" }), Ok(json!({ "words": 0, "characters": 2, "longest": 0 })));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert!(matches!(counted!({}, {}), Err(Failure::InvalidInput(why)) if why.contains("missing field `text`")));
        let refused = |found: Result<_>, wanted: &str| {
            assert!(matches!(found, Err(Failure::InvalidConfig(why)) if why.contains(wanted)));
        };
        refused(counted!({ "min_length": 0 }, { "text": "" }), "`min_length`: 0 is less than 1");
        refused(counted!({ "min_lenght": 2 }, { "text": "" }), "unknown field `min_lenght`");
    }
}

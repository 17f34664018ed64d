//! The grader `choice`: which option an answer settles on.

use jackfield_plugin_api::prelude::*;

use crate::{
    contains::has_words,
    grade::{Grade, NO_ANSWER},
    plain::{Expected, Plain, nothing_expected, quoted, text_of},
};

/// What `choice` reads.
#[derive(Clone, Debug, Document)]
pub struct Chosen {
    /// The answer. Null did not pass.
    #[serde(default)]
    #[schemars(extend("x-never-off" = true))]
    pub answer: Value,
    /// The option that it should settle on: its letter or its text; a list of those that are acceptable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Expected>,
    /// The texts of the item's options, in order, where they are not the same for each item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<Vec<Plain>>,
}

/// What `choice` answers.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct ChoiceGrade {
    /// 1 if the answer passed, else 0.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub score: f64,
    /// Whether it settles on the expected option.
    pub passed: bool,
    /// Why, in a few words.
    pub reason: String,
    /// The option that it settles on: its text, or its letter where there is none; null if that is not clear.
    pub choice: Option<String>,
}

/// An answer passes that settles on the expected option, which is looked for in free text. One that names several options
/// without saying which it takes did not pass.
///
/// The first of these rules that finds anything decides:
///
/// 1. the whole answer, apart from punctuation around it, is a letter or the text of an option: `(b)`;
/// 2. what follows the last `final answer`, or else what follows each `answer is`, `answer:` and the like, begins with one;
/// 3. a letter in brackets or before a bracket, a point or a colon: `(B)`, `B)`, `B.`;
/// 4. the text of an option stands in it as words, where a longer option does not cover it;
/// 5. a capital letter stands alone, but for `A` and `I` before another word.
///
/// If the rule finds two different options, the answer is ambiguous.
#[derive(Clone, Debug, Config)]
pub struct Choice {
    /// The texts of the options, in order, where the item brings none. Without either, options are letters alone.
    #[config(default)]
    pub options: Vec<String>,
    /// The letters of the options, in order; empty if they have none.
    #[config(default = "ABCDEFGHIJ".to_owned())]
    #[schemars(regex(pattern = "^[A-Za-z]{0,26}$"))]
    pub letters: String,
}

/// The options of an item.
struct Options {
    /// Capital letters, by option.
    letters: Vec<char>,
    /// Texts in small letters, by option; none where options are letters alone.
    texts: Vec<String>,
}

/// Which options a rule found.
type Found = Vec<usize>;

/// What introduces an answer. Whatever is not a letter or a digit may follow.
const INTRODUCTIONS: [&str; 7] = ["answer is", "answer:", "answer =", "answer**:", "choice is", "option is", "choose"];
const FINAL: &str = "final answer";

impl Options {
    fn letter(&self, letter: char) -> Option<usize> {
        self.letters.iter().position(|known| *known == letter.to_ascii_uppercase())
    }

    /// The option that a whole text names.
    fn whole(&self, text: &str) -> Option<usize> {
        let bare = text.trim_matches(|character: char| !character.is_alphanumeric());
        let mut characters = bare.chars();
        if let (Some(letter), None) = (characters.next(), characters.next())
            && let Some(option) = self.letter(letter)
        {
            return Some(option);
        }
        let [bare, text] = [bare, text.trim()].map(str::to_lowercase);
        self.texts.iter().position(|known| *known == text || *known == bare)
    }

    /// The option with which a text in small letters begins: its letter, if no letter follows, or else its text; the longest that fits.
    fn at_start(&self, text: &str) -> Option<usize> {
        let text = text.trim_start_matches(|character: char| !character.is_alphanumeric());
        let mut characters = text.chars();
        let first = characters.next()?;
        let fits = |known: &String| {
            let rest = if known.is_empty() { None } else { text.strip_prefix(&**known) };
            rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
        };
        let longest = (0..self.texts.len())
            .filter(|option| fits(&self.texts[*option]))
            .max_by_key(|option| self.texts[*option].len());
        if longest.is_some() {
            return longest;
        }
        let follows = characters.next();
        // `answer is a cat`, `answer: i think`: no option.
        let is_article = matches!(first, 'a' | 'i') && follows == Some(' ');
        if follows.is_none_or(|character| !character.is_alphanumeric() && character != '\'') && !is_article {
            return self.letter(first);
        }
        None
    }

    /// What follows the introductions of an answer.
    fn introduced(&self, lower: &str) -> Found {
        if let Some(last) = lower.rfind(FINAL) {
            let rest = &lower[last + FINAL.len()..];
            let rest = rest.trim_start_matches(|character: char| !character.is_alphanumeric());
            let rest = rest.strip_prefix("is ").unwrap_or(rest);
            if let Some(option) = self.at_start(rest) {
                return vec![option];
            }
        }
        let mut found = Vec::new();
        for introduction in INTRODUCTIONS {
            for (start, _) in lower.match_indices(introduction) {
                found.extend(self.at_start(&lower[start + introduction.len()..]));
            }
        }
        found
    }

    /// Letters that brackets, a point or a colon mark.
    fn marked(&self, text: &str) -> Found {
        let characters: Vec<char> = text.chars().collect();
        let at = |index: Option<usize>| index.and_then(|index| characters.get(index)).copied();
        let mut found = Vec::new();
        for (index, letter) in characters.iter().enumerate() {
            let (before, after) = (at(index.checked_sub(1)), at(Some(index + 1)));
            let begins = before.is_none_or(char::is_whitespace) || matches!(before, Some('(' | '[' | '*' | '"'));
            let in_brackets = matches!((before, after), (Some('('), Some(')')) | (Some('['), Some(']')));
            // `a.` may end a sentence, and `e.g.` is no option: without brackets, capital letters count.
            let marks = matches!(after, Some(')' | ':' | '.' | '*')) && letter.is_ascii_uppercase();
            let goes_on = marks && at(Some(index + 2)).is_some_and(char::is_alphanumeric);
            if in_brackets || (begins && marks && !goes_on) {
                found.extend(self.letter(*letter));
            }
        }
        found
    }

    /// Options whose text stands in the answer.
    fn named(&self, lower: &str) -> Found {
        let stands = |option: &usize| !self.texts[*option].is_empty() && has_words(lower, &self.texts[*option]);
        let all: Vec<usize> = (0..self.texts.len()).filter(stands).collect();
        // Of `yes` and `yes, always` the longer one is meant, unless the shorter stands elsewhere too.
        let is_covered = |option: &usize| {
            let longer = all.iter().filter(|other| self.texts[**other].len() > self.texts[*option].len());
            let rest = longer.fold(lower.to_owned(), |rest, other| rest.replace(&self.texts[*other], "\u{0}"));
            !has_words(&rest, &self.texts[*option])
        };
        all.iter().copied().filter(|option| !is_covered(option)).collect()
    }

    /// Capital letters that stand alone. `A` and `I` are words where another word follows, but for `A or B`.
    fn alone(&self, text: &str) -> Found {
        let is_of_word = |character: char| character.is_alphanumeric() || character == '\'';
        let mut found = Vec::new();
        for (start, letter) in text.char_indices().filter(|(_, character)| character.is_ascii_uppercase()) {
            let rest = &text[start + 1..];
            if text[..start].ends_with(is_of_word) || rest.starts_with(is_of_word) {
                continue;
            }
            let joins = ["or ", "and ", "nor "].iter().any(|word| rest.trim_start().starts_with(word));
            if matches!(letter, 'A' | 'I') && rest.starts_with(' ') && !joins {
                continue;
            }
            found.extend(self.letter(letter));
        }
        found
    }

    /// The options that the first rule finds which finds any.
    fn settled(&self, answer: &str) -> Found {
        let lower = answer.to_lowercase();
        let rules: [&dyn Fn() -> Found; 5] = [
            &|| self.whole(answer).into_iter().collect(),
            &|| self.introduced(&lower),
            &|| self.marked(answer),
            &|| self.named(&lower),
            &|| self.alone(answer),
        ];
        let mut found = rules.iter().map(|rule| rule()).find(|found| !found.is_empty()).unwrap_or_default();
        found.sort_unstable();
        found.dedup();
        found
    }
}

impl Choice {
    /// The options of an item, and what each is called.
    fn options(&self, of_item: Option<&[Plain]>) -> Result<(Options, Vec<String>)> {
        let texts: Vec<String> = match of_item {
            Some(options) => options.iter().map(Plain::to_text).collect(),
            None => self.options.clone(),
        };
        let letters: Vec<char> = self.letters.chars().map(|letter| letter.to_ascii_uppercase()).collect();
        if texts.is_empty() && letters.is_empty() {
            return Err(Failure::InvalidInput("`options` is missing, and `letters` is empty".to_owned()));
        }
        let count = if texts.is_empty() { letters.len() } else { texts.len().min(letters.len()) };
        let letters = letters[..count].to_vec();
        let names = if texts.is_empty() { letters.iter().map(char::to_string).collect() } else { texts.clone() };
        let texts = texts.iter().map(|text| text.trim().to_lowercase()).collect();
        Ok((Options { letters, texts }, names))
    }
}

impl Analyzer for Choice {
    const NAME: &'static str = "choice";
    type Input = Chosen;
    type Output = ChoiceGrade;

    fn open(self) -> Result<Self> {
        let mut letters: Vec<char> = self.letters.to_ascii_uppercase().chars().collect();
        if let Some(other) = letters.iter().find(|letter| !letter.is_ascii_uppercase()) {
            return Err(Failure::InvalidConfig(format!("`letters` has {other:?}: it must be letters from A to Z")));
        }
        letters.sort_unstable();
        if let Some(pair) = letters.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Failure::InvalidConfig(format!("`letters` has {:?} twice", pair[0])));
        }
        if self.options.iter().any(|option| option.trim().is_empty()) {
            return Err(Failure::InvalidConfig("`options` has an empty text".to_owned()));
        }
        Ok(self)
    }

    fn examples() -> Vec<Example> {
        let options = json!({ "options": ["Mercury", "Venus", "Mars"] });
        vec![
            Example {
                summary: "a letter in free text".to_owned(),
                config: options.clone(),
                input: json!({ "answer": "Venus is hot, but the answer is (C), I think.", "expected": "Mars" }),
                output: json!({ "score": 1.0, "passed": true, "reason": "it settles on \"Mars\"", "choice": "Mars" }),
            },
            Example {
                summary: "two options, and nothing that says which of them is meant".to_owned(),
                config: options,
                input: json!({ "answer": "Either Venus or Mars.", "expected": "C" }),
                output: json!({
                    "score": 0.0, "passed": false, "reason": "it is ambiguous: it names \"Venus\" and \"Mars\"",
                    "choice": null,
                }),
            },
        ]
    }

    async fn analyze(&self, input: Chosen, _: &Host<'_>) -> Result<ChoiceGrade> {
        let (options, names) = self.options(input.options.as_deref())?;
        let expected = input.expected.as_ref().map(Expected::values).unwrap_or_default();
        if expected.is_empty() {
            return Err(nothing_expected());
        }
        let expected: Vec<usize> = expected
            .iter()
            .map(|value| {
                let text = value.to_text();
                options.whole(&text).ok_or_else(|| {
                    Failure::InvalidInput(format!("`expected` is {}, which is not an option", quoted(&text)))
                })
            })
            .collect::<Result<_>>()?;
        let answer = text_of(&input.answer);
        let found = answer.as_deref().map(|answer| options.settled(answer)).unwrap_or_default();
        let (grade, choice) = match (&answer, &*found) {
            (None, _) => (Grade::of(false, NO_ANSWER), None),
            (Some(answer), []) => (Grade::of(false, format!("{} names no option", quoted(answer))), None),
            (Some(_), [option]) => {
                let settles = format!("it settles on {}", quoted(&names[*option]));
                let grade = if expected.contains(option) {
                    Grade::of(true, settles)
                } else {
                    Grade::of(false, format!("{settles}, not on {}", quoted(&names[expected[0]])))
                };
                (grade, Some(names[*option].clone()))
            }
            (Some(_), [one, other, ..]) => {
                let both = format!("{} and {}", quoted(&names[*one]), quoted(&names[*other]));
                (Grade::of(false, format!("it is ambiguous: it names {both}")), None)
            }
        };
        Ok(ChoiceGrade { score: grade.score, passed: grade.passed, reason: grade.reason, choice })
    }
}

#[cfg(test)]
mod tests {
    use jackfield_plugin_api::{
        Kind,
        testing::{FakeHost, check_examples},
    };
    use proptest::prelude::*;

    use super::*;
    use crate::grade::testing::{run, verdict};

    #[test]
    fn examples_hold() {
        check_examples(Kind::Analyzer, "choice", &FakeHost::default());
    }

    /// What an answer settles on among the planets.
    fn choice(answer: &str) -> Value {
        let input = json!({ "answer": answer, "expected": "A" });
        run("choice", json!({ "options": ["Mercury", "Venus", "Mars", "Mars and Venus"] }), input).unwrap()["choice"]
            .take()
    }

    #[test]
    fn the_option_is_found_as_models_write_it() {
        for (answer, expected) in [
            ("B", "Venus"),
            (" (b).", "Venus"),
            ("**C**", "Mars"),
            ("venus!", "Venus"),
            ("Answer: B", "Venus"),
            ("**Answer:** C) Mars", "Mars"),
            ("The correct answer is Mars and Venus.", "Mars and Venus"),
            ("The answer is (B). The answer is Venus", "Venus"),
            ("I first thought the answer is A. Final answer: C", "Mars"),
            ("B) Venus, because it is hotter than Mercury", "Venus"),
            ("C. Mars", "Mars"),
            ("I think it is (B), not what some say", "Venus"),
            ("It is mars, a planet", "Mars"),
            ("Surely option C here", "Mars"),
            ("A planet? I say B", "Venus"),
            ("Mars and Venus", "Mars and Venus"),
        ] {
            assert_eq!(choice(answer), expected, "{answer}");
        }
    }

    #[test]
    fn what_is_not_clear_is_not_guessed() {
        for answer in ["A or B", "Answer: B. Answer: C", "(A) (B)", "Pluto", "", "I do not know", "Venus. Or Mars."] {
            assert_eq!(choice(answer), Value::Null, "{answer}");
        }
    }

    #[test]
    fn items_may_bring_options_and_options_may_have_no_letters() {
        let input = json!({ "answer": "b", "expected": "B", "options": [3, 4] });
        assert_eq!(run("choice", json!({}), input).unwrap()["choice"], "4");
        assert!(verdict("choice", json!({}), json!({ "answer": "It is (D).", "expected": ["C", "D"] })).0);
        let labels = json!({ "options": ["positive", "negative"], "letters": "" });
        let (passed, reason) = verdict("choice", labels, json!({ "answer": "A negative one", "expected": "positive" }));
        assert_eq!((passed, &*reason), (false, "it settles on \"negative\", not on \"positive\""));
        let failure = run("choice", json!({}), json!({ "answer": "A", "expected": "Pluto" })).unwrap_err();
        assert_eq!(failure.message(), "`expected` is \"Pluto\", which is not an option");
        assert!(run("choice", json!({ "letters": "A1" }), json!({})).is_err());
        assert!(run("choice", json!({ "letters": "AA" }), json!({})).unwrap_err().message().contains("twice"));
        assert_eq!(verdict("choice", json!({}), json!({ "expected": "A" })).1, NO_ANSWER);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(answer in "(answer is|final answer|[A-D]|[(). *:']|venus|İß|\\PC){0,12}") {
            choice(&answer);
        }
    }
}

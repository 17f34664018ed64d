//! The language of a text, told by its script and its function words, and what is known of each language.
//!
//! Function words are the commonest words of a text, and few languages share many of them: their share tells languages apart
//! without a table of letters, and the same text has the same language in every run.

use std::sync::LazyLock;

use jackfield_plugin_api::prelude::*;
use rustc_hash::FxHashSet;
use snowball_stemmers_rs::Algorithm;
use unicode_segmentation::UnicodeSegmentation;

use crate::{
    Warning,
    normal::{comparable, push_folded},
    talk_words,
    unspaced::is_ideograph,
};

/// So many words of a text are looked at.
const MOST_WORDS: usize = 2000;
/// A text of fewer words in Latin letters may be in any language: it is taken for English.
const FEWEST_WORDS: usize = 6;
/// A text that none of the languages explains has to have so many words to be taken for one in yet another language.
const FEWEST_OF_ANOTHER: usize = 20;
/// The least share of function words by which a language explains a text.
const LEAST_SHARE: f64 = 0.12;
/// A longer text of fewer English function words is not English. Of English talk they are nearly half.
const LEAST_ENGLISH: f64 = 0.2;
/// Another language has to explain a text so many times better than English does.
const MARGIN: f64 = 1.3;

/// A language that something is known of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    /// Arabic.
    Arabic,
    /// Burmese.
    Burmese,
    /// Chinese.
    Chinese,
    /// Danish.
    Danish,
    /// Dutch.
    Dutch,
    /// English, and whatever is too short to tell.
    English,
    /// Finnish.
    Finnish,
    /// French.
    French,
    /// German.
    German,
    /// Greek.
    Greek,
    /// Hungarian.
    Hungarian,
    /// Italian.
    Italian,
    /// Japanese.
    Japanese,
    /// Khmer.
    Khmer,
    /// Korean.
    Korean,
    /// Lao.
    Lao,
    /// Norwegian.
    Norwegian,
    /// Polish.
    Polish,
    /// Portuguese.
    Portuguese,
    /// Romanian.
    Romanian,
    /// Russian.
    Russian,
    /// Spanish.
    Spanish,
    /// Swedish.
    Swedish,
    /// Thai.
    Thai,
    /// Turkish.
    Turkish,
    /// One of which nothing is known but that it is none of these.
    Another,
}

/// What is known of a language.
struct Facts {
    language: Language,
    name: &'static str,
    /// Its code in the lists of NLTK's stop words; none where there is no list.
    code: Option<&'static str>,
    /// Words of conversation that say little about its subject, in addition to those of NLTK's list.
    talk: &'static str,
    stemmer: Option<Algorithm>,
}

/// English last: of languages that explain a text alike the first is taken, and English has to be beaten.
static LANGUAGES: &[Facts] = {
    use Language::*;
    const fn facts(
        language: Language,
        name: &'static str,
        code: &'static str,
        talk: &'static str,
        stemmer: Algorithm,
    ) -> Facts {
        Facts { language, name, code: Some(code), talk, stemmer: Some(stemmer) }
    }
    &[
        facts(Arabic, "Arabic", "ar", "", Algorithm::Arabic),
        Facts { language: Chinese, name: "Chinese", code: Some("zh"), talk: talk_words::CHINESE_TALK, stemmer: None },
        facts(Danish, "Danish", "da", "", Algorithm::Danish),
        facts(Dutch, "Dutch", "nl", talk_words::DUTCH_TALK, Algorithm::Dutch),
        facts(Finnish, "Finnish", "fi", "", Algorithm::Finnish),
        facts(French, "French", "fr", talk_words::FRENCH_TALK, Algorithm::French),
        facts(German, "German", "de", talk_words::GERMAN_TALK, Algorithm::German),
        facts(Greek, "Greek", "el", "", Algorithm::Greek),
        facts(Hungarian, "Hungarian", "hu", "", Algorithm::Hungarian),
        facts(Italian, "Italian", "it", talk_words::ITALIAN_TALK, Algorithm::Italian),
        Facts { language: Japanese, name: "Japanese", code: None, talk: talk_words::JAPANESE_TALK, stemmer: None },
        Facts { language: Korean, name: "Korean", code: None, talk: talk_words::KOREAN_TALK, stemmer: None },
        facts(Norwegian, "Norwegian", "no", "", Algorithm::Norwegian),
        Facts {
            language: Polish,
            name: "Polish",
            code: None,
            talk: talk_words::POLISH_TALK,
            stemmer: Some(Algorithm::Polish),
        },
        facts(Portuguese, "Portuguese", "pt", talk_words::PORTUGUESE_TALK, Algorithm::Portuguese),
        facts(Romanian, "Romanian", "ro", "", Algorithm::Romanian),
        facts(Russian, "Russian", "ru", talk_words::RUSSIAN_TALK, Algorithm::Russian),
        facts(Spanish, "Spanish", "es", talk_words::SPANISH_TALK, Algorithm::Spanish),
        facts(Swedish, "Swedish", "sv", talk_words::SWEDISH_TALK, Algorithm::Swedish),
        Facts { language: Thai, name: "Thai", code: None, talk: talk_words::THAI_TALK, stemmer: None },
        Facts { language: Lao, name: "Lao", code: None, talk: "", stemmer: None },
        Facts { language: Khmer, name: "Khmer", code: None, talk: "", stemmer: None },
        Facts { language: Burmese, name: "Burmese", code: None, talk: "", stemmer: None },
        facts(Turkish, "Turkish", "tr", "", Algorithm::Turkish),
        Facts { language: Another, name: "another language", code: None, talk: "", stemmer: None },
        facts(English, "English", "en", "", Algorithm::English),
    ]
};

/// The function words of each language of [`LANGUAGES`], folded.
static FUNCTION_WORDS: LazyLock<Vec<FxHashSet<String>>> = LazyLock::new(|| {
    let words = |facts: &Facts| match facts.code.and_then(stop_words::lookup) {
        Some(list) => list.iter().map(|word| folded(word)).collect(),
        None => facts.talk.split_whitespace().map(folded).collect(),
    };
    LANGUAGES.iter().map(words).collect()
});

fn folded(word: &str) -> String {
    let mut folded = String::new();
    push_folded(&comparable(word), &mut folded);
    folded
}

impl Language {
    /// The language of texts that belong together, such as the turns of a talk.
    #[must_use]
    pub fn of<'a>(texts: impl IntoIterator<Item = &'a str> + Clone) -> Self {
        match by_script(texts.clone()) {
            Script::Han => Self::Chinese,
            Script::Kana => Self::Japanese,
            Script::Hangul => Self::Korean,
            Script::Thai => Self::Thai,
            Script::Lao => Self::Lao,
            Script::Khmer => Self::Khmer,
            Script::Burmese => Self::Burmese,
            script => by_words(texts, script == Script::Latin),
        }
    }

    /// Every language, and the one of which nothing is known.
    pub fn every() -> impl Iterator<Item = Self> {
        LANGUAGES.iter().map(|facts| facts.language)
    }

    fn facts(self) -> &'static Facts {
        LANGUAGES.iter().find(|facts| facts.language == self).expect("every language is on the list")
    }

    /// The language as English calls it, or `another language`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// The algorithm of the language's stemmer, where there is one.
    pub(crate) fn algorithm(self) -> Option<Algorithm> {
        self.facts().stemmer
    }

    /// Whether nouns are written with capitals wherever they stand.
    #[must_use]
    pub const fn has_capital_nouns(self) -> bool {
        matches!(self, Self::German)
    }

    /// Whether articles and pronouns lose their vowel before another and are written with it as one word, such as `l'idée`.
    #[must_use]
    pub const fn elides(self) -> bool {
        matches!(self, Self::French | Self::Italian)
    }

    /// Words that say nothing about the subject of a talk, folded: function words, and words of conversation. Those of English
    /// are [apart](crate::words::is_stop_word).
    #[must_use]
    pub fn stop_words(self) -> FxHashSet<String> {
        let index = LANGUAGES.iter().position(|facts| facts.language == self).expect("every language is on the list");
        let talk = self.facts().talk.split_whitespace().map(folded);
        FUNCTION_WORDS[index].iter().cloned().chain(talk).collect()
    }
}

/// Warns that an extension that reads these languages alone has come across a text in another one: in the log, and with what
/// is returned, which goes into the extension's answer. In the log it is in the same words whatever the language is: the host
/// shows a stage's warning once a run, and counts it.
#[must_use = "the warning belongs into the answer"]
pub fn warn_unless_read(host: &Host<'_>, language: Language, read: &[Language]) -> Vec<Warning> {
    if read.contains(&language) {
        return Vec::new();
    }
    let names: Vec<&str> = read.iter().map(|language| language.name()).collect();
    let names = match names.split_last() {
        Some((last, first @ [_, ..])) => format!("{} and {last}", first.join(", ")),
        _ => names.concat(),
    };
    host.log(
        Level::Warn,
        format!("a text is in another language than {names}: this stage finds little or nothing in it"),
    );
    let name = language.name();
    let text = format!("the text is in {name}, which is not read here, so that little or nothing is found");
    vec![Warning { source: host.context().stage.to_string(), text }]
}

/// The same for an extension that reads English alone.
#[must_use = "the warning belongs into the answer"]
pub fn warn_unless_english(host: &Host<'_>, language: Language) -> Vec<Warning> {
    warn_unless_read(host, language, &[Language::English])
}

/// What most letters of a text are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Script {
    Latin,
    Han,
    /// Chinese characters with Japanese ones among them.
    Kana,
    Hangul,
    Thai,
    Lao,
    Khmer,
    Burmese,
    Other,
}

fn by_script<'a>(texts: impl IntoIterator<Item = &'a str>) -> Script {
    /// So many characters are looked at.
    const MOST: usize = 20_000;
    /// Chinese characters with a share of Japanese ones above this are Japanese.
    const LEAST_KANA: usize = 20;
    let (mut latin, mut han, mut kana, mut hangul, mut other) = (0, 0, 0, 0, 0);
    // Of scripts that one language alone is written in.
    let mut alone = [(Script::Thai, 0), (Script::Lao, 0), (Script::Khmer, 0), (Script::Burmese, 0)];
    for c in texts.into_iter().flat_map(str::chars).filter(|c| c.is_alphabetic()).take(MOST) {
        match c {
            'a'..='z' | 'A'..='Z' | '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => latin += 1,
            '\u{3041}'..='\u{30ff}' | '\u{ff66}'..='\u{ff9f}' => kana += 1,
            '\u{ac00}'..='\u{d7a3}' => hangul += 1,
            '\u{e01}'..='\u{e5b}' => alone[0].1 += 1,
            '\u{e81}'..='\u{edf}' => alone[1].1 += 1,
            '\u{1780}'..='\u{17f9}' => alone[2].1 += 1,
            '\u{1000}'..='\u{109f}' => alone[3].1 += 1,
            c if is_ideograph(c) => han += 1,
            _ => other += 1,
        }
    }
    // A character of these scripts says about as much as two or three letters.
    let (ideographic, hangul) = ((han + kana) * 3, hangul * 2);
    if hangul > latin.max(other).max(ideographic) {
        return Script::Hangul;
    }
    if ideographic > latin.max(other) {
        return if kana * LEAST_KANA > han { Script::Kana } else { Script::Han };
    }
    if let Some((script, _)) = alone.into_iter().find(|(_, count)| *count > latin.max(other)) {
        return script;
    }
    if other > latin { Script::Other } else { Script::Latin }
}

fn by_words<'a>(texts: impl IntoIterator<Item = &'a str>, is_latin: bool) -> Language {
    let mut counts = vec![0_usize; LANGUAGES.len()];
    let mut words = 0_usize;
    // Words of conversation in English, which say nothing of what a text is about.
    let mut talk = 0_usize;
    for text in texts {
        for word in
            comparable(text).unicode_words().filter(|word| word.contains(char::is_alphabetic)).take(MOST_WORDS - words)
        {
            words += 1;
            let word = folded(word);
            talk += usize::from(crate::words::is_stop_word(&word) || crate::words::is_filler(&word));
            let parts = word.split_once('\'');
            for (count, list) in counts.iter_mut().zip(&*FUNCTION_WORDS) {
                let is_part = parts.is_some_and(|(head, _)| list.contains(head));
                *count += usize::from(is_part || list.contains(word.as_str()));
            }
        }
        if words == MOST_WORDS {
            break;
        }
    }
    let share = |count: usize| count as f64 / words.max(1) as f64;
    let (english, others) = counts.split_last().expect("English is on the list");
    let english = share(*english);
    let best = others.iter().enumerate().max_by_key(|(index, count)| (**count, std::cmp::Reverse(*index)));
    let (index, count) = best.expect("there are other languages");
    let is_told = !is_latin || words >= FEWEST_WORDS;
    match share(*count) {
        best if is_told && best >= LEAST_SHARE && best > english * MARGIN => LANGUAGES[index].language,
        _ if !is_latin && words > 0 => Language::Another,
        _ if words >= FEWEST_OF_ANOTHER && english < LEAST_ENGLISH && share(talk) < LEAST_ENGLISH => Language::Another,
        _ => Language::English,
    }
}

#[cfg(test)]
mod tests {
    use jackfield_plugin_api::testing::{FakeHost, test_context};

    use super::*;

    const TEXTS: &[(Language, &str)] = &[
        (Language::English, "We have to decide on the budget for the new website by the end of the month."),
        (Language::English, "Okay."),
        (
            Language::English,
            "Yeah, okay. Great, thanks. Mm-hmm. Right. Uh-huh. Yeah yeah. Cool, thanks. Okay, bye, thank you.",
        ),
        (Language::English, "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28"),
        (Language::English, "Budget, website, deadline"),
        (Language::English, ""),
        (Language::English, "So I've sent Die Welt and La Repubblica the numbers, and they don't like them."),
        (Language::German, "Wir müssen über das Budget für die neue Website bis zum Ende des Monats entscheiden."),
        (Language::French, "Nous devons décider du budget pour le nouveau site avant la fin du mois, c'est l'urgence."),
        (Language::Spanish, "Tenemos que decidir el presupuesto de la nueva página antes de que termine el mes."),
        (Language::Italian, "Dobbiamo decidere il budget per il nuovo sito prima della fine del mese, e non è facile."),
        (Language::Portuguese, "Temos que decidir o orçamento para o novo site até o fim do mês, e isso não é fácil."),
        (Language::Dutch, "We moeten voor het einde van de maand een besluit over het budget van de site nemen."),
        (Language::Swedish, "Vi måste bestämma budgeten för den nya webbplatsen och det är inte lätt."),
        (Language::Russian, "Нам нужно решить, какой бюджет будет у нового сайта, и это не так просто."),
        (Language::Arabic, "يجب أن نقرر ميزانية الموقع الجديد قبل نهاية الشهر وهذا ليس من السهل."),
        (Language::Chinese, "我们必须在月底之前决定新网站的预算。"),
        (Language::Chinese, "OK，预算"),
        (Language::Japanese, "月末までに新しいサイトの予算を決めなければなりません。"),
        (Language::Korean, "예산을 이번 달 말까지 결정해야 합니다."),
        (Language::Another, "हमें इस महीने के अंत तक नई वेबसाइट का बजट तय करना है।"),
        (
            Language::Polish,
            "Dzisiaj rozmawiamy o budżecie nowego projektu i o terminie oddania, ale nie jest to łatwe.",
        ),
    ];

    #[test]
    fn the_language_is_told_by_script_and_function_words() {
        for &(language, text) in TEXTS {
            assert_eq!(Language::of([text]), language, "{text}");
        }
    }

    #[test]
    fn every_language_is_on_the_list_with_its_stop_words() {
        assert_eq!(Language::German.name(), "German");
        for (language, words) in [
            (Language::German, ["die", "und", "genau"]),
            (Language::French, ["le", "qu", "voila"]),
            (Language::Dutch, ["het", "een", "prima"]),
            (Language::Spanish, ["los", "más", "bueno"]),
            (Language::Italian, ["gli", "perché", "allora"]),
            (Language::Portuguese, ["não", "uma", "então"]),
            (Language::Chinese, ["我们", "但是", "大家"]),
            (Language::Polish, ["się", "nie", "dobrze"]),
            (Language::Russian, ["и", "это", "сегодня"]),
            (Language::Swedish, ["och", "precis", "vecka"]),
        ] {
            let stop_words = language.stop_words();
            assert!(words.iter().all(|word| stop_words.contains(*word)), "{language:?}");
        }
        for facts in LANGUAGES.iter().filter(|facts| facts.code.is_some()) {
            assert!(!facts.language.stop_words().is_empty(), "{}", facts.name);
        }
    }

    #[test]
    fn a_text_in_another_language_is_warned_of_in_the_same_words() {
        let (host, context) = (FakeHost::default(), test_context());
        for (_, text) in TEXTS {
            let language = Language::of([*text]);
            let warned = warn_unless_english(&Host::new(&host, &context, 0), language);
            assert_eq!(warned.is_empty(), language == Language::English);
            assert!(warned.iter().all(|warning| warning.text.contains(language.name())), "{warned:?}");
        }
        let warnings: Vec<String> =
            host.logged().into_iter().filter(|line| line.0 == Level::Warn).map(|line| line.1).collect();
        assert_eq!(warnings.len(), TEXTS.iter().filter(|(language, _)| *language != Language::English).count());
        assert!(warnings.iter().all(|warning| *warning == warnings[0]), "{warnings:?}");
    }
}

//! How questions, straight answers and not knowing are said, by language.

use jackfield_text::language::Language;

/// The words of a language by which a question and its answer are told.
pub(crate) struct QuestionWords {
    pub(crate) language: Language,
    /// What is added to a statement to get assent, at the end of a sentence: `…, nicht wahr?`.
    tags: &'static [&'static str],
    /// What an answer often begins with.
    straight: &'static [&'static str],
    /// What those say who do not know.
    unknowing: &'static [&'static str],
}

/// The languages whose questions are read, apart from English, whose words stand with the analyzer.
static LANGUAGES: &[QuestionWords] = &[
    QuestionWords {
        language: Language::German,
        tags: &["nicht wahr", "oder", "oder nicht", "gell", "stimmt's", "richtig", "ne", "ok", "okay"],
        straight: &[
            "ja",
            "nein",
            "doch",
            "genau",
            "weil",
            "etwa",
            "ungefähr",
            "rund",
            "das",
            "es",
            "wir",
            "ich",
            "der",
            "die",
            "am",
            "bis",
        ],
        unknowing: &[
            "weiß ich nicht",
            "ich weiß nicht",
            "ich weiß es nicht",
            "weiß ich noch nicht",
            "keine ahnung",
            "nicht sicher",
            "kann ich nicht sagen",
            "noch nicht klar",
            "steht noch nicht fest",
            "muss ich nachsehen",
            "muss ich klären",
            "müssen wir klären",
            "kläre ich",
            "noch offen",
        ],
    },
    QuestionWords {
        language: Language::French,
        tags: &["n'est-ce pas", "n’est-ce pas", "non", "hein", "d'accord", "pas vrai", "ok"],
        straight: &["oui", "non", "si", "parce", "environ", "c", "ce", "il", "elle", "on", "nous", "je", "le", "la"],
        unknowing: &[
            "je ne sais pas",
            "je sais pas",
            "aucune idée",
            "pas sûr",
            "on ne sait pas",
            "nous ne savons pas",
            "je dois vérifier",
            "il faut vérifier",
            "à vérifier",
            "il faut demander",
            "on verra",
        ],
    },
    QuestionWords {
        language: Language::Spanish,
        tags: &["verdad", "no", "eh", "cierto", "vale", "no es así", "no os parece", "no te parece", "de acuerdo"],
        straight: &[
            "sí",
            "no",
            "porque",
            "unos",
            "unas",
            "alrededor",
            "es",
            "son",
            "yo",
            "lo",
            "la",
            "el",
            "nosotros",
            "claro",
        ],
        unknowing: &[
            "no lo sé",
            "no sé",
            "ni idea",
            "no estoy seguro",
            "no estoy segura",
            "no lo sabemos",
            "no sabemos",
            "tengo que mirar",
            "tengo que preguntar",
            "hay que preguntar",
            "ya veremos",
        ],
    },
    QuestionWords {
        language: Language::Italian,
        tags: &["no", "vero", "giusto", "eh", "va bene", "d'accord", "non è vero", "non credi"],
        straight: &["sì", "no", "perché", "circa", "è", "sono", "lo", "la", "il", "io", "noi", "certo"],
        unknowing: &[
            "non lo so",
            "non so",
            "nessuna idea",
            "non sono sicuro",
            "non sono sicura",
            "non lo sappiamo",
            "devo controllare",
            "devo chiedere",
            "bisogna chiedere",
            "vedremo",
        ],
    },
    QuestionWords {
        language: Language::Portuguese,
        tags: &["não é", "não é verdade", "certo", "né", "está bem", "verdade", "pois não", "tá", "concordam"],
        straight: &["sim", "não", "porque", "cerca", "é", "são", "eu", "nós", "o", "a", "claro", "chega"],
        unknowing: &[
            "não sei",
            "não faço ideia",
            "não tenho certeza",
            "não tenho a certeza",
            "não sabemos",
            "tenho de ver",
            "tenho que ver",
            "tenho de perguntar",
            "é preciso perguntar",
            "vamos ver",
        ],
    },
    QuestionWords {
        language: Language::Dutch,
        tags: &["toch", "hè", "niet waar", "niet", "of niet", "ja", "oké"],
        straight: &["ja", "nee", "jawel", "omdat", "ongeveer", "het", "dat", "we", "ik", "de"],
        unknowing: &[
            "dat weet ik niet",
            "weet ik niet",
            "ik weet het niet",
            "geen idee",
            "niet zeker",
            "moet ik nakijken",
            "moet ik vragen",
            "moeten we nog",
            "nog niet bekend",
        ],
    },
    QuestionWords {
        language: Language::Russian,
        tags: &["да", "правда", "так", "не так ли", "верно", "хорошо", "согласны"],
        straight: &["да", "нет", "потому", "около", "примерно", "это", "мы", "я"],
        unknowing: &[
            "не знаю",
            "не знаем",
            "понятия не имею",
            "не уверен",
            "не уверена",
            "надо спросить",
            "надо проверить",
            "пока неясно",
        ],
    },
    QuestionWords {
        language: Language::Polish,
        tags: &["prawda", "tak", "nie", "co nie", "zgoda", "dobrze"],
        straight: &["tak", "nie", "bo", "ponieważ", "około", "to", "my", "ja"],
        unknowing: &[
            "nie wiem",
            "nie wiemy",
            "nie mam pojęcia",
            "nie jestem pewien",
            "nie jestem pewna",
            "muszę sprawdzić",
            "trzeba zapytać",
        ],
    },
    QuestionWords {
        language: Language::Arabic,
        tags: &["أليس كذلك", "صحيح", "موافقون"],
        straight: &["نعم", "لا", "أجل", "لأن", "حوالي", "تقريبا"],
        unknowing: &["لا أعرف", "لا أعلم", "لا ندري", "لا أدري", "لست متأكدا", "لست متأكدة", "لا نعرف"],
    },
    QuestionWords {
        language: Language::Chinese,
        tags: &["对吧", "是吧", "好吗", "好吧", "对不对", "是不是", "行吗", "可以吗", "同意吗"],
        straight: &["是", "对", "不", "有", "没有", "可以", "因为", "大概", "大约", "好"],
        unknowing: &["不知道", "不清楚", "不确定", "还不清楚", "还没定", "要查一下", "需要确认", "说不好"],
    },
    QuestionWords {
        language: Language::Japanese,
        tags: &["ですよね", "でしょう", "いいですか", "よろしいですか", "だよね", "ますよね"],
        straight: &["はい", "いいえ", "ええ", "うん", "約", "そうです"],
        unknowing: &[
            "分かりません",
            "わかりません",
            "分からない",
            "わからない",
            "存じません",
            "未定",
            "確認します",
            "調べます",
            "聞いてみます",
        ],
    },
    QuestionWords {
        language: Language::Korean,
        tags: &["그렇죠", "맞죠", "그죠", "맞지요", "괜찮죠"],
        straight: &["네", "예", "아니요", "아니", "약", "왜냐하면"],
        unknowing: &[
            "모르겠습니다",
            "모르겠어요",
            "모릅니다",
            "몰라요",
            "확실하지 않",
            "확인해 보겠습니다",
            "아직 정해지지",
        ],
    },
];

/// The languages whose questions are read.
pub(crate) fn read_languages() -> Vec<Language> {
    [Language::English].into_iter().chain(LANGUAGES.iter().map(|words| words.language)).collect()
}

/// The words of a language other than English.
pub(crate) fn of(language: Language) -> Option<&'static QuestionWords> {
    LANGUAGES.iter().find(|words| words.language == language)
}

impl QuestionWords {
    /// Whether a sentence is a statement that seeks assent.
    pub(crate) fn is_tagged(&self, sentence: &str) -> bool {
        let said = bare(sentence);
        self.tags.iter().any(|tag| {
            said.strip_suffix(tag).is_some_and(|before| {
                let is_set_off = before.trim_end().ends_with([',', '，', '、', '،', '¿', '–', '-']);
                // Of scripts without blanks the tag stands where it is said.
                !before.trim_end_matches(['¿', ' ', ',']).is_empty()
                    && (is_set_off || !tag.is_ascii() && is_unspaced(tag))
            })
        })
    }

    /// Whether an answer begins straight.
    pub(crate) fn is_straight(&self, reply: &str) -> bool {
        let said = bare(reply);
        self.straight.iter().any(|word| {
            said.strip_prefix(word).is_some_and(|rest| is_unspaced(word) || !rest.starts_with(char::is_alphanumeric))
        })
    }

    /// Whether a reply says that one does not know, and no more to the matter.
    pub(crate) fn is_unknowing(&self, reply: &str) -> bool {
        /// Who says more has something to say.
        const LONGEST: usize = 90;
        let said = bare(reply);
        said.chars().nth(LONGEST).is_none() && self.unknowing.iter().any(|phrase| said.contains(phrase))
    }
}

fn is_unspaced(word: &str) -> bool {
    word.starts_with(jackfield_text::unspaced::is_unspaced)
}

/// In lower case, without the signs around it.
fn bare(text: &str) -> String {
    let is_sign = |c: char| !c.is_alphanumeric() && c != '¿';
    text.trim_matches(is_sign).to_lowercase()
}

/// Whether a sentence without a question mark asks, by what stands at its end.
pub(crate) fn asks_without_mark(language: Language, sentence: &str) -> bool {
    let said = sentence.trim_end_matches(|c: char| !c.is_alphanumeric());
    let ends = |endings: &[&str]| endings.iter().any(|ending| said.ends_with(ending));
    match language {
        Language::Chinese => {
            ends(&["吗", "嗎"]) || ends(&["呢"]) && said.contains(['谁', '哪', '几', '怎', '么', '何'])
        }
        // `静か` and `確か` are adjectives: those who ask end in a verb.
        Language::Japanese => {
            ends(&["ますか", "ですか", "せんか", "ましたか", "でしたか", "しょうか", "のか", "だろうか"])
        }
        Language::Korean => ends(&["니까", "나요", "까요", "는가요", "인가요", "은가요"]),
        Language::Thai => {
            let said = ["ครับ", "คะ", "ค่ะ"].iter().find_map(|word| said.strip_suffix(word)).unwrap_or(said).trim_end();
            ["ไหม", "หรือเปล่า", "หรือยัง", "เมื่อไหร่", "เมื่อไร", "อะไร", "ที่ไหน", "อย่างไร", "เท่าไหร่", "ทำไม"]
                .iter()
                .any(|word| said.ends_with(word))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(language: Language) -> &'static QuestionWords {
        of(language).expect("the language is read")
    }

    #[test]
    fn who_seeks_assent_asks_nothing_else() {
        for (language, tagged, asked) in [
            (Language::German, "Das passt, nicht wahr?", "Wann passt es?"),
            (Language::German, "Wir fahren, oder?", "Fahren wir, oder bleiben wir hier?"),
            (Language::French, "C'est prêt, n'est-ce pas ?", "Est-ce prêt ?"),
            (Language::Spanish, "Las mesas sirven, ¿verdad?", "¿Es eso verdad?"),
            (Language::Chinese, "预算够用，对吧？", "谁做预算？"),
            (Language::Japanese, "予算は足りますよね？", "予算は足りますか。"),
        ] {
            assert!(words(language).is_tagged(tagged) && !words(language).is_tagged(asked), "{tagged} {asked}");
        }
    }

    #[test]
    fn straight_answers_and_not_knowing_are_told_apart() {
        for (language, straight, unknowing) in [
            (Language::German, "Ja, am Montag.", "Das weiß ich nicht."),
            (Language::French, "Oui, lundi.", "Je ne sais pas encore."),
            (Language::Spanish, "Sí, el lunes.", "Todavía no lo sé."),
            (Language::Arabic, "نعم، يوم الأحد.", "لا أعرف بعد."),
            (Language::Chinese, "是的，星期一。", "我还不清楚。"),
            (Language::Japanese, "はい、月曜日です。", "まだ分かりません。"),
            (Language::Korean, "네, 월요일입니다.", "아직 모르겠습니다."),
            (Language::Russian, "Да, в понедельник.", "Пока не знаю."),
        ] {
            let words = words(language);
            assert!(words.is_straight(straight) && !words.is_unknowing(straight), "{straight}");
            assert!(words.is_unknowing(unknowing), "{unknowing}");
        }
        assert!(!words(Language::German).is_straight("Jahrelang war es so."));
    }

    #[test]
    fn questions_of_scripts_without_a_mark_end_in_their_words() {
        for (language, asked, said) in [
            (Language::Japanese, "いつ始められますか。", "ここは静か。"),
            (Language::Chinese, "他来吗。", "他在呢。"),
            (Language::Korean, "누가 담당합니까.", "품질팀이 담당합니다."),
            (Language::Thai, "เปลี่ยนได้ไหมครับ", "เปลี่ยนแล้วครับ"),
        ] {
            assert!(asks_without_mark(language, asked) && !asks_without_mark(language, said), "{asked} {said}");
        }
    }
}

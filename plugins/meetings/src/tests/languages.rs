//! Talks in other languages than English.

use jackfield_plugin_api::{
    Level,
    testing::{self, FakeHost},
};
use serde_json::{Value, json};

use super::{ALL, Kind, answer, transcript};

/// The first speaker, and then the other one, and so on.
fn talk<'a>(turns: &[&'a str]) -> Vec<(&'a str, &'a str)> {
    turns.iter().enumerate().map(|(index, text)| (["Anna", "Boris"][index % 2], *text)).collect()
}

const GERMAN: &[&str] = &[
    "Guten Morgen, wir sprechen heute über das Budget und über die neue Website.",
    "Ja, genau. Das Budget für die neue Website ist noch nicht fertig, und die Agentur wartet.",
    "Um zehn Uhr prüft er die Zahlen. Die Agentur will das Budget bis Freitag sehen.",
    "Gut, dann schicke ich der Agentur das Angebot, und du prüfst das Budget.",
];
const FRENCH: &[&str] = &[
    "Bonjour, nous devons parler du budget et de l'agence qui fait le nouveau site.",
    "Oui, l'agence attend le budget du nouveau site, mais il n'est pas prêt.",
    "Alors je vais envoyer l'offre à l'agence, et tu vas voir le budget avec les autres.",
];
const SPANISH: &[&str] = &[
    "Buenos días, hoy hablamos del presupuesto y de la página nueva.",
    "Sí, la agencia espera el presupuesto de la página nueva, pero no está listo.",
    "Entonces yo mando la oferta a la agencia y tú revisas el presupuesto.",
];
const RUSSIAN: &[&str] = &[
    "Сегодня мы говорим о том, какой бюджет у нового сайта.",
    "Да, агентство ждёт бюджет, но он ещё не готов, и это не хорошо.",
    "Тогда я отправлю агентству предложение, а ты проверь бюджет.",
];
const CHINESE: &[&str] = &[
    "今天我们讨论项目预算和新网站。",
    "好的，项目预算还没有完成，供应商在等报价。",
    "那我给供应商发报价，你检查项目预算。下周新网站上线吗？",
];
const KOREAN: &[&str] = &[
    "오늘은 신제품 출시 일정과 마케팅 예산을 논의하겠습니다.",
    "마케팅 예산이 부족합니다. 예산을 늘릴 수 있을까요?",
    "출시 일정은 그대로 하고 마케팅 예산을 늘리겠습니다.",
];
const POLISH: &[&str] = &[
    "Dzisiaj rozmawiamy o budżecie nowego projektu i o terminie oddania.",
    "Budżet projektu nie jest gotowy, a klient czeka na ofertę.",
    "Dobrze, to ja wyślę ofertę, a ty sprawdzisz budżet projektu.",
];
const JAPANESE: &[&str] = &[
    "今日は予算と新しいサイトについて話します。",
    "はい、予算はまだできていません。代理店が見積書を待っています。",
    "では代理店に見積書を送ります。予算を確認してください。",
];

fn phrases(turns: &[&str]) -> Vec<String> {
    let found = answer("keyphrases", &talk(turns));
    let phrases = found["keyphrases"].as_array().expect("a list").iter();
    phrases.map(|one| one["phrase"].as_str().expect("a text").to_lowercase()).collect()
}

#[test]
fn key_phrases_are_what_a_talk_is_about_in_any_language() {
    /// A talk, phrases that lead, and words that are in none.
    type Expected<'a> = (&'a [&'a str], &'a [&'a str], &'a [&'a str]);
    let all: [Expected<'_>; 8] = [
        (
            GERMAN,
            &["budget", "agentur", "website"],
            &["die", "der", "das", "und", "ja", "genau", "ich", "um", "er", "noch"],
        ),
        (FRENCH, &["budget", "agence"], &["les", "l", "l'agence", "et", "oui", "alors", "vais", "nous"]),
        (SPANISH, &["presupuesto", "agencia"], &["los", "la", "y", "sí", "entonces", "hoy"]),
        (RUSSIAN, &["бюджет"], &["мы", "и", "но", "он", "это"]),
        (CHINESE, &["项目预算", "供应商", "报价"], &["我们", "今天", "好的", "没有", "的"]),
        (KOREAN, &["마케팅 예산", "출시"], &["을", "오늘은", "그대로"]),
        (POLISH, &["budżet", "projektu"], &["się", "nie", "i", "a", "to", "dzisiaj"]),
        (JAPANESE, &["予算", "代理店", "見積書"], &["今日", "の", "を", "です"]),
    ];
    for (turns, first, stop_words) in all {
        let found = phrases(turns);
        for phrase in first {
            assert!(found.iter().take(5).any(|one| one.contains(phrase)), "{phrase}: {found:?}");
        }
        for word in stop_words {
            assert!(!found.iter().any(|one| one.split(' ').any(|part| part == *word)), "{word}: {found:?}");
        }
    }
}

#[test]
fn what_is_quoted_of_another_language_keeps_its_words() {
    let turns = talk(GERMAN);
    let found = answer("key-points", &turns);
    for finding in found["findings"].as_array().expect("findings") {
        let (text, quote) =
            (finding["text"].as_str().expect("a text"), finding["evidence"][0]["quote"].as_str().expect("a quote"));
        assert_eq!(text, quote);
    }
    assert!(!found["findings"].as_array().expect("findings").is_empty());
}

#[test]
fn questions_are_counted_by_the_marks_of_any_script() {
    for text in ["下周上线吗？", "هل نبدأ الآن؟", "Wann geht es los?"] {
        let report = answer("participation", &[("Anna", text), ("Boris", "OK.")]);
        let asked = |speaker: &str| {
            report["speakers"]
                .as_array()
                .expect("speakers")
                .iter()
                .find(|one| one["speaker"] == speaker)
                .map(|one| one["questions"].clone())
        };
        assert_eq!((asked("Anna"), asked("Boris")), (Some(json!(1)), Some(json!(0))), "{text}");
    }
}

fn warned(name: &str, turns: &[&str]) -> Vec<String> {
    let (host, input) = (FakeHost::default(), serde_json::to_value(transcript(&talk(turns))).expect("JSON"));
    let answer: Value = testing::call(Kind::Analyzer, name, json!({}), input, &host).expect("answer");
    assert!(answer["findings"].is_array());
    let on_the_item = answer["warnings"].as_array().map_or(0, Vec::len);
    assert_eq!(on_the_item, host.logged().iter().filter(|line| line.0 == Level::Warn).count(), "{name}");
    host.logged().into_iter().filter(|line| line.0 == Level::Warn).map(|line| line.1).collect()
}

#[test]
fn analyzers_of_english_say_so_of_a_talk_in_another_language() {
    for name in ALL {
        let expected = usize::from(["actions", "decisions"].contains(&name));
        for turns in [GERMAN, CHINESE, RUSSIAN] {
            let warned = warned(name, turns);
            assert_eq!(warned.len(), expected, "{name}: {warned:?}");
            assert!(warned.iter().all(|warning| warning.starts_with("a text is in another language than English")));
        }
        assert_eq!(
            warned(name, &["We decided to take the bus.", "I'll send the numbers by Friday."]),
            [""; 0],
            "{name}"
        );
    }
}

//! Texts have as many tokens as the tokenizer says whose vocabulary this is.

use proptest::prelude::*;
use tiktoken_rs::o200k_base_singleton;

fn expected(text: &str) -> usize {
    o200k_base_singleton().count_ordinary(text)
}

#[test]
fn texts_in_many_scripts_have_as_many_tokens_as_the_tokenizer_says() {
    let texts = [
        "",
        " ",
        "The quick brown fox doesn't jump; it WON'T, and YOU'LL see why: 1234567 times 3.14 is 3,880,000!",
        "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen überraschte die Straßenbahnfahrer.",
        "Съешь же ещё этих мягких французских булок, да выпей чаю.",
        "我们在会议上决定推迟发布，直到所有的测试都通过为止。これは日本語の文章です。",
        "การประชุมครั้งนี้ไม่มีการเว้นวรรคระหว่างคำ",
        "اجتمع الفريق يوم الاثنين، وقرّر تأجيل الإصدار.",
        "सभी सदस्यों ने निर्णय लिया कि परीक्षण पहले होगा।",
        "👩‍👩‍👧‍👦 🦀🇩🇪 e\u{301}\u{302} Ǆungla ǅ ʰʷ ｆｕｌｌ ①②③ ⅷ",
        "fn main() {\r\n\tlet x = vec![0u8; 1 << 20];\r\n\r\n    // done\r\n}\n",
        "https://example.org/a/b?c=d&e=%20#f  \t \u{a0}\u{2028}\u{3000} <|endoftext|>\0",
        "it'ſ IT'S we'RE x'Ll",
    ];
    for text in texts {
        assert_eq!(jackfield_tokens::count(text), expected(text), "{text:?}");
    }
}

#[test]
fn a_long_text_without_a_break_has_as_many_tokens_as_the_tokenizer_says() {
    for unit in ["a", "ab", "한", "=-", " ", "\n", "Aa", "e\u{301}"] {
        let text = unit.repeat(3000);
        assert_eq!(jackfield_tokens::count(&text), expected(&text), "{unit:?}");
    }
}

proptest! {
    #[test]
    fn any_text_has_as_many_tokens_as_the_tokenizer_says(text in "\\PC{0,200}") {
        prop_assert_eq!(jackfield_tokens::count(&text), expected(&text));
    }

    /// Few characters, of every kind that the rules tell apart, so that each meets each.
    #[test]
    fn kinds_of_characters_in_any_order_have_as_many_tokens_as_the_tokenizer_says(
        text in "[aSstT'vVeErRlLmMdDſǅʰ中\u{301} \t\r\n\u{85}\u{a0}\u{2028}/.!1²Ⅷ_\u{200d}🦀]{0,60}",
    ) {
        prop_assert_eq!(jackfield_tokens::count(&text), expected(&text));
    }

    #[test]
    fn words_and_numbers_have_as_many_tokens_as_the_tokenizer_says(
        text in "([A-Z]?[a-zäöüßéñ]{1,14}('s|'re|n't)?[ ,.\n]{1,3}|[0-9]{1,6} ){0,40}",
    ) {
        prop_assert_eq!(jackfield_tokens::count(&text), expected(&text));
    }
}

use proptest::prelude::*;

use super::*;

/// What `fixtures/bert.py` wrote: a tokenizer with a small vocabulary, texts, and the tokens that the crate `tokenizers`
/// gives them, cut to 24.
fn fixture() -> Value {
    serde_json::from_slice(include_bytes!("../../../fixtures/bert/tokens.json")).expect("the fixture is JSON")
}

fn read(file: &Value) -> Result<Pieces, String> {
    Pieces::read(file.to_string().as_bytes(), 1000).map_err(|fault| fault.to_string())
}

fn tokens(pieces: &Pieces, text: &str, most: usize) -> Vec<u32> {
    pieces.tokens(text, most).expect("each text becomes tokens")
}

#[test]
fn tokens_are_those_of_the_reference() {
    let fixture = fixture();
    for (tokenizer, ids) in [("lower", "lower_ids"), ("cased", "cased_ids")] {
        let pieces = read(&fixture[tokenizer]).expect("the fixture is a tokenizer");
        let texts = fixture["texts"].as_array().expect("texts").iter();
        for (text, ids) in texts.zip(fixture[ids].as_array().expect("tokens")) {
            assert_eq!(&json!(tokens(&pieces, text.as_str().expect("a text"), 24)), ids, "{text}");
        }
    }
}

#[test]
fn padding_and_truncation_that_a_file_asks_for_do_not_add_or_take_tokens() {
    let plain = fixture()["lower"].clone();
    let mut padded = plain.clone();
    padded["padding"] = json!({
        "strategy": { "Fixed": 128 }, "direction": "Right", "pad_to_multiple_of": null, "pad_id": 0, "pad_type_id": 0,
        "pad_token": "[PAD]",
    });
    padded["truncation"] = json!({ "max_length": 4, "strategy": "LongestFirst", "stride": 0 });
    let (plain, padded) = (read(&plain).expect("it is right"), read(&padded).expect("it is right"));
    let text = "owls hunted owls";
    assert_eq!(tokens(&plain, text, 24), tokens(&padded, text, 24));
}

#[test]
fn what_the_reader_would_clean_otherwise_is_as_in_the_reference() {
    let pieces = read(&fixture()["lower"]).expect("the fixture is a tokenizer");
    // A character that Unicode does not have makes its word unknown; it does not vanish.
    assert_eq!(tokens(&pieces, "owl\u{378}s", 24)[1..2], [1]);
    // A sigma is a sigma, at the end of a word too.
    assert_eq!(tokens(&pieces, "ΣΣ", 24), tokens(&pieces, "σσ", 24));
}

#[test]
fn what_is_not_known_is_named() {
    for (at, value, word) in [
        ("/model/type", json!("Unigram"), "Unigram"),
        ("/normalizer/type", json!("Lowercase"), "Lowercase"),
        ("/normalizer/lowercase", json!(1), "lowercase"),
        ("/pre_tokenizer/type", json!(null), "pre_tokenizer"),
        ("/model/vocab", json!([]), "vocab"),
        ("/model/vocab", json!({ "[UNK]": 1, "##s": 2 }), "begin a word"),
        ("/model/vocab", json!({ "owl": -1, "[UNK]": 1 }), "owl"),
        ("/model/vocab", json!({ "owl": 4_294_967_296_u64, "[UNK]": 1 }), "owl"),
        ("/model/vocab", json!({ "owl": 1000, "[UNK]": 1 }), "a token 1000"),
        ("/model/unk_token", json!("<unk>"), "<unk>"),
        ("/model/unk_token", json!("owl"), "owl"),
        ("/model/max_input_chars_per_word", json!(0), "max_input_chars_per_word"),
        ("/added_tokens/0/lstrip", json!(true), "[PAD]"),
        ("/added_tokens/0/content", json!(""), "added token"),
        ("/post_processor/type", json!("RobertaProcessing"), "post_processor"),
        ("/post_processor/single/0/SpecialToken/id", json!("[NONE]"), "post_processor"),
        ("/post_processor/special_tokens/[CLS]/ids/0", json!(1000), "a token 1000"),
    ] {
        let mut file = fixture()["lower"].clone();
        *file.pointer_mut(at).expect("it is there") = value;
        let error = read(&file).expect_err("it is wrong");
        assert!(error.contains(word), "{at}: {error}");
    }
    assert!(Pieces::read(b"{\"model\"", 1000).is_err());
}

#[test]
fn a_long_text_gives_the_tokens_of_its_begin_and_end() {
    let pieces = read(&fixture()["lower"]).expect("the fixture is a tokenizer");
    let words = ["owl", "hunted", "[SEP]", "ΟΣ", "naïve", "x"];
    // Several parts, and one that is a single word of unknown length.
    let mut text = words.join(" ").repeat(3 * BYTES_AT_ONCE / 20);
    text.push_str(&"y".repeat(2 * BYTES_AT_ONCE));
    text.push_str(" owl");
    let whole = tokens(&pieces, &text, usize::MAX);
    let direct = pieces.tokenizer.encode(&text, true).expect("it becomes tokens");
    assert_eq!(whole[1..whole.len() - 1], direct);
    assert_eq!(tokens(&pieces, &text, 64)[..63], whole[..63]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_text_has_as_many_tokens_as_are_asked_for_at_most(
        text in "\\PC{0,40}|(\\[SEP\\]|owl|[a-z ]|é){0,30}", most in 2_usize..30,
    ) {
        let pieces = read(&fixture()["lower"]).expect("the fixture is a tokenizer");
        let cut = tokens(&pieces, &text, most);
        prop_assert!(cut.len() <= most && cut.len() >= pieces.ends());
        let whole = tokens(&pieces, &text, usize::MAX);
        // Cut at the end, but for what stands around it.
        prop_assert_eq!(&cut[..cut.len() - 1], &whole[..cut.len() - 1]);
        prop_assert!(whole.iter().all(|&id| id < 1000));
    }
}

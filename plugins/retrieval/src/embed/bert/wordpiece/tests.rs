use proptest::prelude::*;
use serde_json::json;

use super::*;

/// What `fixtures/bert.py` wrote: a tokenizer with a small vocabulary, texts, and the numbers that the crate `tokenizers`
/// gives them, cut to 24.
fn fixture() -> Value {
    serde_json::from_slice(include_bytes!("../../../../fixtures/bert/tokens.json")).unwrap()
}

fn read(file: &Value) -> Result<WordPiece, String> {
    WordPiece::read(file.to_string().as_bytes())
}

#[test]
fn numbers_are_those_of_the_reference() {
    let fixture = fixture();
    for (tokenizer, ids) in [("lower", "lower_ids"), ("cased", "cased_ids")] {
        let tokenizer = read(&fixture[tokenizer]).unwrap();
        for (text, ids) in fixture["texts"].as_array().unwrap().iter().zip(fixture[ids].as_array().unwrap()) {
            assert_eq!(&json!(tokenizer.tokens(text.as_str().unwrap(), 24)), ids, "{text}");
        }
    }
}

#[test]
fn what_is_not_known_is_named() {
    for (at, value, word) in [
        ("/model/type", json!("Unigram"), "Unigram"),
        ("/normalizer/type", json!("Lowercase"), "Lowercase"),
        ("/pre_tokenizer/type", json!(null), "pre_tokenizer"),
        ("/model/vocab", json!([]), "vocab"),
        ("/model/vocab", json!({ "owl": -1, "[UNK]": 1 }), "owl"),
        ("/model/vocab", json!({ "owl": 4_294_967_296u64, "[UNK]": 1 }), "owl"),
        ("/model/unk_token", json!("<unk>"), "<unk>"),
        ("/added_tokens/0/lstrip", json!(true), "[PAD]"),
        ("/added_tokens/0/content", json!(""), "added token"),
        ("/post_processor/type", json!("RobertaProcessing"), "Roberta"),
        ("/post_processor/single/0/SpecialToken/id", json!("[NONE]"), "post_processor"),
    ] {
        let mut file = fixture()["lower"].clone();
        *file.pointer_mut(at).unwrap() = value;
        let error = read(&file).err().unwrap();
        assert!(error.contains(word), "{at}: {error}");
    }
    assert!(WordPiece::read(b"{\"model\"").is_err());
}

proptest! {
    #[test]
    fn any_text_has_as_many_tokens_as_are_asked_for_at_most(text in "\\PC{0,40}|(\\[SEP\\]|owl|[a-z ]|é){0,30}", most in 2usize..30) {
        let tokenizer = read(&fixture()["lower"]).unwrap();
        let tokens = tokenizer.tokens(&text, most);
        prop_assert!(tokens.len() <= most && tokens.len() >= tokenizer.ends());
        let whole = tokenizer.tokens(&text, usize::MAX);
        // Cut at the end, but for what stands around it.
        prop_assert_eq!(&tokens[..tokens.len() - 1], &whole[..tokens.len() - 1]);
        prop_assert!(whole.iter().all(|&id| id <= tokenizer.greatest()));
    }
}

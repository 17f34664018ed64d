//! Texts to tokens and back, and conversations to texts.

use std::fs;

use jackfield_plugin_api::Message;
use jackfield_transformer::{ChatTemplate, RunError, Tokenizer};
use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{fixture, json, tokens};

fn tokenizer() -> Tokenizer {
    Tokenizer::load(&fixture("tokenizer"), 300).unwrap_or_else(|error| panic!("{error}"))
}

/// A folder with one file.
fn folder(name: &str, text: impl AsRef<[u8]>) -> TempDir {
    let folder = TempDir::new().expect("a folder");
    fs::write(folder.path().join(name), text).expect("it can be written");
    folder
}

#[test]
fn tokens_are_those_of_the_tool_that_made_the_tokenizer_and_come_back_as_the_text() {
    let tokenizer = tokenizer();
    for case in json(&fixture("tokenizer/ids.json")).as_array().expect("a list") {
        let (text, wanted) = (case["text"].as_str().expect("a text"), tokens(&case["ids"]));
        assert_eq!(tokenizer.encode(text, true).expect("it can be written"), wanted, "{text:?}");
        assert_eq!(tokenizer.decode(&wanted, true).expect("they are there"), text.as_bytes(), "{text:?}");
    }
    assert!(matches!(tokenizer.decode(&[300], true), Err(RunError::NotTokenized { .. })));
}

#[test]
fn special_tokens_are_only_read_and_written_where_they_are_wanted() {
    let tokenizer = tokenizer();
    let plain = tokenizer.encode("<|start|>", false).expect("it can be written");
    assert!(plain.len() > 1 && !plain.contains(&0), "{plain:?}");
    assert_eq!(tokenizer.decode(&[0, plain[0]], false).expect("they are there"), b"<");
}

#[test]
fn a_tokenizer_that_cannot_be_is_refused() {
    let good = json(&fixture("tokenizer/tokenizer.json"));
    let fault = |change: &dyn Fn(&mut Value)| {
        let mut value = good.clone();
        change(&mut value);
        let folder = folder("tokenizer.json", value.to_string());
        Tokenizer::load(folder.path(), 300).map(|_| ()).expect_err("it is wrong").to_string()
    };
    let without = fault(&|value| value["model"]["merges"] = json!([]));
    assert!(without.contains("the tokenizer cannot be used: `it does not have merges`"), "{without}");
    assert!(fault(&|value| value["model"]["merges"] = Value::Null).contains("it does not have merges"));
    assert!(fault(&|value| value["model"]["type"] = json!("Magic")).contains("the type Magic is not read here"));
    assert!(
        fault(&|value| value["added_tokens"][0]["id"] = json!(300))
            .contains("it has a token 300, but the model has 300")
    );
    assert!(fault(&|value| value["model"]["vocab"]["a"] = json!("x")).contains("a token does not have a number"));
    let cut = folder("tokenizer.json", "{");
    assert!(Tokenizer::load(cut.path(), 300).is_err());
    let missing = Tokenizer::load(&fixture("tiny"), 300).map(|_| ()).expect_err("there is none").to_string();
    assert!(missing.contains("tokenizer.json`: cannot read it: the file is missing"), "{missing}");
}

#[test]
fn conversations_become_what_the_template_says() {
    let template = ChatTemplate::load(&fixture("tokenizer")).expect("it can be read").expect("there is one");
    let messages = [Message::system("Be brief."), Message::user(" Hi {{ x }} ")];
    let text = "<|start|>system\nBe brief.<|end|><|start|>user\nHi {{ x }}<|end|>";
    assert_eq!(template.render(&messages, false).expect("it can be rendered"), text);
    assert_eq!(template.render(&messages, true).expect("it can be rendered"), format!("{text}<|start|>assistant\n"));
    assert!(ChatTemplate::load(&fixture("tiny")).expect("nothing is wrong").is_none());
}

#[test]
fn a_template_that_cannot_be_has_no_end_or_refuses_is_an_error() {
    let of = |template: &str| {
        let folder = folder("chat_template.jinja", template);
        ChatTemplate::load(folder.path()).map(|template| template.expect("there is one"))
    };
    let broken = of("{% for").map(|_| ()).expect_err("it is wrong").to_string();
    assert!(broken.contains("the template of conversations cannot be used"), "{broken}");
    for (template, wanted) in [
        ("{{ raise_exception('no system turn') }}", "no system turn"),
        ("{% for x in range(99999) %}{% for y in range(99999) %}{{ x }}{% endfor %}{% endfor %}", "fuel"),
        ("{{ messages.push(1) }}", "push"),
    ] {
        let found = of(template).expect("it can be read").render(&[Message::user("Hi")], true);
        let found = found.expect_err("it cannot be rendered").to_string();
        assert!(found.contains(wanted), "{template}: {found}");
    }
    let named = json!({"chat_template": [{"name": "tool", "template": "a"}, {"name": "default", "template": "b"}]});
    let folder = folder("tokenizer_config.json", named.to_string());
    let template = ChatTemplate::load(folder.path()).expect("it can be read").expect("there is one");
    assert_eq!(template.render(&[Message::user("Hi")], true).as_deref(), Ok("b"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn damaged_tokenizers_are_refused_or_read(place in 0.0..1.0, byte in any::<u8>(), keep in prop_oneof![Just(1.0), 0.0..1.0]) {
        let mut bytes = fs::read(fixture("tokenizer/tokenizer.json")).expect("the fixture");
        let at = (place * bytes.len() as f64) as usize;
        bytes[at] = byte;
        bytes.truncate((keep * bytes.len() as f64) as usize);
        let folder = folder("tokenizer.json", bytes);
        if let Ok(tokenizer) = Tokenizer::load(folder.path(), 300) {
            let _ = tokenizer.encode("the cat sat 12 <|start|> é", true);
        }
    }
}

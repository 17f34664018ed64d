//! Texts to tokens and back, and conversations to texts.

use std::fs;

use jackfield_plugin_api::Message;
use jackfield_transformer::{ChatTemplate, RunError, TextEnds, Tokenizer};
use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{fixture, json, load, tokens};

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

/// A folder with a tokenizer, the file with the same vocabulary, and how many tokens both have.
const PAIRS: [(&str, &str, usize); 2] = [("tokenizer", "chat.gguf", 300), ("characters", "characters.gguf", 309)];

fn both((folder, file, vocabulary): (&str, &str, usize)) -> [Tokenizer; 2] {
    [folder, file]
        .map(|name| Tokenizer::load(&fixture(name), vocabulary).unwrap_or_else(|error| panic!("{name}: {error}")))
}

#[test]
fn a_vocabulary_in_gguf_gives_the_tokens_of_the_tool_that_made_it() {
    for pair in PAIRS {
        for tokenizer in both(pair) {
            for case in json(&fixture(pair.0).join("ids.json")).as_array().expect("a list") {
                let (text, wanted) = (case["text"].as_str().expect("a text"), tokens(&case["ids"]));
                assert_eq!(tokenizer.encode(text, true).expect("it can be written"), wanted, "{pair:?} {text:?}");
            }
        }
    }
}

#[test]
fn what_comes_of_tokens_is_what_comes_of_each() {
    for tokenizer in both(PAIRS[1]) {
        let tokens = tokenizer.encode("the cat caf\u{e9} \u{1f980}", true).expect("it can be written");
        let whole = tokenizer.decode(&tokens, true).expect("they are there");
        assert_eq!(String::from_utf8_lossy(&whole), " the cat caf\u{e9} \u{1f980}");
        let each = tokens.iter().flat_map(|token| tokenizer.decode(&[*token], true).expect("it is there"));
        assert_eq!(each.collect::<Vec<u8>>(), whole);
    }
    // A model may have more tokens than its tokenizer; they are no text.
    let padded = Tokenizer::load(&fixture("chat.gguf"), 320).expect("the fixture is a vocabulary");
    assert_eq!(padded.decode(&[68, 319, 66], true).as_deref(), Ok(&b"ca"[..]));
    assert!(matches!(padded.decode(&[320], true), Err(RunError::NotTokenized { .. })));
}

#[test]
fn white_space_before_a_contraction_is_a_part_of_its_own() {
    let [folder, file] = both(PAIRS[0]);
    for text in ["\t'the", "\n'the", "a\r\n'ser", "\t's\t'll"] {
        assert_eq!(folder.encode(text, false), file.encode(text, false), "{text:?}");
    }
}

#[test]
fn a_gguf_file_alone_is_a_model_that_talks() {
    let path = fixture("chat.gguf");
    let model = load(&path);
    let vocabulary = model.architecture().vocabulary;
    let tokenizer = Tokenizer::load(&path, vocabulary).expect("it has a vocabulary");
    let template = ChatTemplate::load(&path).expect("it can be read").expect("there is one");
    let folder = ChatTemplate::load(&fixture("tokenizer")).expect("it can be read").expect("there is one");
    let messages = [Message::system("Be brief."), Message::user("the cat")];
    let text = template.render(&messages, true).expect("it can be rendered");
    assert_eq!(Ok(&text), folder.render(&messages, true).as_ref());
    let ends = TextEnds::load(&path, model.architecture(), &tokenizer).expect("nothing is wrong");
    assert_eq!(ends, TextEnds { begin: None, ends: vec![1] });
    let prompt = tokenizer.encode(&text, true).expect("it can be written");
    let request = jackfield_transformer::GenerateRequest {
        prompt: &prompt,
        edits: None,
        most: 8,
        sampling: jackfield_transformer::Sampling::GREEDY,
        ends: &ends.ends,
    };
    let reply = model.generate(&[request], &mut |_| std::ops::ControlFlow::Continue(())).remove(0);
    let reply = reply.expect("it can be answered");
    assert!(tokenizer.decode(&reply.tokens, false).is_ok());
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

/// What a template makes of a conversation.
fn rendered(template: &str, config: Value, messages: &[Message]) -> Result<String, RunError> {
    let folder = folder("chat_template.jinja", template);
    fs::write(folder.path().join("tokenizer_config.json"), config.to_string()).expect("it can be written");
    ChatTemplate::load(folder.path()).expect("it can be read").expect("there is one").render(messages, true)
}

#[test]
fn what_templates_of_the_field_use_is_there() {
    let turns = [Message::system("S"), Message::user(" U "), Message::assistant("A<think>x</think>B")];
    for (template, wanted) in [
        // The first message apart, names of roles, ends that a token makes.
        (
            "{% if messages[0]['role'] == 'system' %}{% set rest = messages[1:] %}[{{ messages[0].content }}]\
             {% else %}{% set rest = messages %}{% endif %}{% for m in rest %}{{ m.role }}{% if not loop.last %}, \
             {% endif %}{% endfor %}{{ eos_token }}",
            "[S]user, assistant</s>",
        ),
        // The token that begins, once, and a count of turns that must alternate.
        (
            "{{ bos_token }}{% set ns = namespace(count=0) %}{% for m in messages if m.role != 'system' %}\
             {% if (m.role == 'user') != (ns.count % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}\
             {% set ns.count = ns.count + 1 %}{{ m.content | trim }}|{% endfor %}{{ ns.count }}",
            "<s>U|A<think>x</think>B|2",
        ),
        // Tools, documents and a clock are there or not.
        (
            "{%- if tools is none and not documents %}none{% endif %}{% if custom_tools is defined %}custom{% endif %}\
             {% if strftime_now is defined %}{{ strftime_now('%d %b %Y') }}{% else %} 26 Jul 2024{% endif %}",
            "none 26 Jul 2024",
        ),
        ("{{ strftime_now('%Y-%m-%d') }} {{ strftime_now('%d %B') }}", "2024-07-26 26 July"),
        ("{% if not date_string is defined %}{% set date_string = 'today' %}{% endif %}{{ date_string }}", "today"),
        // Methods of Python's texts and tables.
        (
            "{{ messages[-1]['content'].split('</think>')[-1] }}{{ messages[1].content.strip() }}\
             {{ messages[0].get('name', '-') }}{{ 'tool_calls' in messages[0] }}\
             {{ messages[0].content.startswith('S') }}{{ 'x\\n'.rstrip('\\n') }}",
            "BU-FalseTruex",
        ),
        // Loops that are left, macros, marks of what the model says, tests of types.
        (
            "{% macro turn(m) %}<{{ m.role }}>{% endmacro %}{% for m in messages %}{% if loop.index0 == 2 %}{% break %}\
             {% endif %}{{ turn(m) }}{% endfor %}{%- generation %}!{%- endgeneration -%}  {{ messages is sequence }}\
             {{ messages[0].content is string }}",
            "<system><user>!TrueTrue",
        ),
        ("{{ {'a': [1, '<b>'], 'c': none} | tojson }}", r#"{"a": [1, "<b>"], "c": null}"#),
        ("{{ [1] | tojson(indent=2) }}", "[\n  1\n]"),
        ("{% for m in messages | selectattr('role', 'equalto', 'user') %}{{ m.content ~ 1 }}{% endfor %}\n", " U 1"),
    ] {
        let config = json!({"bos_token": "<s>", "eos_token": {"content": "</s>"}});
        assert_eq!(rendered(template, config, &turns).as_deref(), Ok(wanted), "{template}");
    }
    let refused = rendered(
        "{% if messages[0].role == 'system' %}{{ raise_exception('no system turn') }}{% endif %}",
        json!({}),
        &turns,
    );
    assert!(refused.expect_err("it refuses").to_string().contains("no system turn"));
}

#[test]
fn replies_end_at_each_token_that_a_file_names_and_texts_begin_as_it_says() {
    let architecture = load(&fixture("chat.gguf")).architecture().clone();
    let good = json(&fixture("tokenizer/tokenizer.json"));
    let of = |tokenizer: &Value, config: Option<Value>| {
        let folder = folder("tokenizer.json", tokenizer.to_string());
        if let Some(config) = config {
            fs::write(folder.path().join("tokenizer_config.json"), config.to_string()).expect("it can be written");
        }
        let tokenizer = Tokenizer::load(folder.path(), 304).unwrap_or_else(|error| panic!("{error}"));
        TextEnds::load(folder.path(), &architecture, &tokenizer).map_err(|error| error.to_string())
    };
    let ends = |begin, ends: &[u32]| Ok(TextEnds { begin, ends: ends.to_vec() });
    assert_eq!(of(&good, None), ends(None, &[1]));
    assert_eq!(of(&good, Some(json!({"eos_token": "<|start|>"}))), ends(None, &[1, 0]));
    // A text that is no special token, and one that is, but not there, end nothing.
    assert_eq!(of(&good, Some(json!({"eos_token": {"content": "the"}, "bos_token": "<s>"}))), ends(None, &[1]));
    assert_eq!(of(&good, Some(json!({"add_bos_token": true}))), ends(Some(0), &[1]));
    let wrong = of(&good, Some(json!({"add_bos_token": "yes"}))).expect_err("it must be a truth");
    assert!(
        wrong.contains("tokenizer_config.json`: `add_bos_token`: it is \\\"yes\\\", and must be true or false"),
        "{wrong}"
    );

    // Two ends of turns that no file names, and a post-processor that begins texts.
    let mut more = good;
    let added = more["added_tokens"].as_array_mut().expect("a list");
    for (id, text, special) in [(300, "<|im_end|>", true), (301, "<|eot_id|>", true), (302, "<|end_of_turn|>", false)] {
        let mut token = added[0].clone();
        (token["id"], token["content"], token["special"]) = (json!(id), json!(text), json!(special));
        added.push(token);
    }
    let template = json!({
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": "<|start|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [],
        "special_tokens": {"<|start|>": {"id": "<|start|>", "ids": [0], "tokens": ["<|start|>"]}},
    });
    let bytes = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false});
    more["post_processor"] = json!({"type": "Sequence", "processors": [bytes, template]});
    assert_eq!(of(&more, None), ends(Some(0), &[1, 300, 301]));
    assert_eq!(of(&more, Some(json!({"add_bos_token": false}))), ends(None, &[1, 300, 301]));
    let characters = Tokenizer::load(&fixture("characters.gguf"), 309).expect("the fixture is a vocabulary");
    let found = TextEnds::load(&fixture("characters.gguf"), &architecture, &characters).expect("nothing is wrong");
    assert_eq!(found.begin, Some(1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_vocabulary_in_gguf_gives_the_tokens_of_the_folder(
        parts in prop::collection::vec(
            prop_oneof![
                "[a-h s-tA-C0-9.,!'\n\t é🦀▁]{0,12}",
                prop::sample::select(vec!["the", " cat", "<|start|>", "<|end|>", "<s>", "</s>", "<|turn|>", "   "])
                    .prop_map(str::to_owned),
                any::<String>(),
            ],
            0..6,
        ),
        special in any::<bool>(),
    ) {
        thread_local! {
            static BOTH: [[Tokenizer; 2]; 2] = PAIRS.map(both);
        }
        let text = parts.concat();
        BOTH.with(|pairs| {
            for [folder, file] in pairs {
                let (wanted, found) = (folder.encode(&text, special), file.encode(&text, special));
                prop_assert_eq!(&wanted, &found);
                let tokens = found.expect("each byte can be written");
                prop_assert_eq!(folder.decode(&tokens, special), file.decode(&tokens, special));
            }
            Ok(())
        })?;
    }

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

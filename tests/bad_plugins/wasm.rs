//! Components that cannot be loaded.

use std::fs;

use insta::assert_snapshot;
use jackfield_loader::LoadError;

use super::{
    component::{Described, FOR_EVER, Hand},
    refusal, refused,
};
use crate::support::fixture;

fn wat(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("valid text")
}

/// What is said of a component, where the compiler's own words are no part of the contract.
#[track_caller]
fn start_of(said: &str, until: &str) -> String {
    let end = said.find(until).unwrap_or_else(|| panic!("no `{until}` in: {said}"));
    said[..end + until.len()].to_owned()
}

#[test]
fn a_component_made_by_hand_is_loaded() {
    // What the other tests change is all that is wrong with their components.
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("hand.wasm");
    fs::write(&path, Hand::default().bytes()).expect("written");
    let plugin = jackfield_loader::load("hand", &path, &Default::default()).expect("loaded");
    assert_eq!(plugin.extensions.len(), 1, "{plugin:?}");
}

#[test]
fn bytes_that_only_begin_like_a_component_are_damaged() {
    let garbage: Vec<u8> = b"\0asm\x0d\0\x01\0".iter().copied().chain((0..200_u8).map(|n| n.wrapping_mul(7))).collect();
    let future = b"\0asm\x0e\0\x01\0".as_slice();
    for bytes in [&garbage, future] {
        let error = refusal(bytes);
        assert!(matches!(error, LoadError::Damaged { .. }), "{error}");
    }
    assert_snapshot!(start_of(&refused(&garbage), "component:"), @"`[file]` is damaged: it is not a valid component:");
}

#[test]
fn a_component_that_is_cut_short_is_damaged_wherever_it_was_cut() {
    let whole = fs::read(fixture("misbehaving.wasm")).expect("a component");
    assert_snapshot!(refused(&whole[..6]), @r"
    `[file]` is damaged: it ends after 6 bytes
    hint: build or download it again
    ");
    for part in 1..40 {
        let error = refusal(&whole[..whole.len() * part / 40]);
        assert!(matches!(error, LoadError::Damaged { .. }), "cut at {part}/40: {error}");
    }
    let error = refusal(&whole[..whole.len() - 1]);
    assert!(matches!(error, LoadError::Damaged { .. }), "{error}");
}

#[test]
fn a_component_that_cannot_be_compiled_is_damaged() {
    // A body whose result is of another type than it says: well-formed, and invalid.
    let mut bytes = Hand { open: Some("(i32.const 0)".to_owned()), ..Hand::default() }.bytes();
    let body = [0x00, 0x41, 0x00, 0x0b]; // no locals, i32.const 0, end
    let at = bytes.windows(body.len()).position(|window| window == body).expect("the body");
    bytes[at + 1] = 0x42; // i64.const
    let error = refusal(&bytes);
    assert!(matches!(error, LoadError::Damaged { .. }), "{error}");
}

#[test]
fn a_core_module_is_no_component() {
    assert_snapshot!(refused(&wat("(module (memory 1))")), @r"
    `[file]` is not a plugin: it is a core WebAssembly module, not a component
    hint: a plugin is a native library or a WebAssembly component made with jackfield-plugin-api
    ");
}

#[test]
fn a_component_of_another_world_is_no_plugin() {
    let nothing = refused(&wat("(component)"));
    let other = refused(&wat(r#"(component (core module $m (func (export "run"))) (core instance $i (instantiate $m))
             (func $run (canon lift (core func $i "run")))
             (instance $other (export "run" (func $run)))
             (export "wasi:cli/run@0.2.0" (instance $other)) (export "start" (func $run)))"#));
    let half = wat(r#"(component (core module $m (func (export "run"))) (core instance $i (instantiate $m))
             (func $run (canon lift (core func $i "run")))
             (instance $meta (export "run" (func $run)))
             (export "jackfield:plugin/meta@0.1.0" (instance $meta)))"#);
    let half = start_of(&refused(&half), "those of the contract:");
    assert_snapshot!([nothing, other, half].join("\n"), @r"
    `[file]` is not a Jackfield plugin: it exports nothing, and no `jackfield:plugin` interface
    hint: a plugin is a native library or a WebAssembly component made with jackfield-plugin-api
    `[file]` is not a Jackfield plugin: it exports interface `wasi:cli/run@0.2.0`, `start`, and no `jackfield:plugin` interface
    hint: a plugin is a native library or a WebAssembly component made with jackfield-plugin-api
    `[file]` is not a Jackfield plugin: its exports are not those of the contract:
    ");
}

#[test]
fn a_component_of_another_version_of_the_contract_is_refused_with_the_version_it_needs() {
    let newer = refused(&Hand { version: "9.9.0", ..Hand::default() }.bytes());
    let older = refused(&Hand { version: "0.0.3", ..Hand::default() }.bytes());
    assert_snapshot!([newer, older].join("\n"), @r"
    `[file]` speaks protocol 9.9, this host serves 0.1.x: a newer jackfield is needed
    `[file]` speaks protocol 0.0, this host serves 0.1.x: rebuild it against a newer jackfield-plugin-api
    ");
}

#[test]
fn a_component_that_imports_what_no_plugin_gets_is_refused_by_the_name_of_it() {
    let imports = [
        r#"(import "jackfield:plugin/secrets@0.1.0" (instance (export "read" (func (result string)))))"#,
        r#"(import "wasi:http/outgoing-handler@0.2.0" (instance (export "handle" (func))))"#,
        r#"(import "exec" (func (param "command" string)))"#,
    ];
    for (imports, name) in imports.into_iter().zip(["jackfield:plugin/secrets", "wasi:http/outgoing-handler", "exec"]) {
        let error = refusal(&Hand { imports, ..Hand::default() }.bytes());
        let text = error.to_string();
        assert!(matches!(error, LoadError::NoEntry { .. }), "{text}");
        assert!(text.contains("asks for what no plugin gets") && text.contains(name), "{text}");
    }
}

/// What is said of a component with this body of `describe`.
#[track_caller]
fn describing(body: &str) -> String {
    refused(&Hand { describe: Some(body.to_owned()), ..Hand::default() }.bytes())
}

#[test]
fn a_component_that_fails_to_describe_itself_is_refused() {
    let trap = describing("unreachable");
    let recursion = describing("(call $deeper) (i32.const 0)");
    let flood = describing("(loop $again (drop (call $cancelled)) (br $again)) (i32.const 0)");
    let memory = refused(&Hand { pages: 8192, ..Hand::default() }.bytes());
    assert_snapshot!([trap, recursion, flood, memory].join("\n"), @r"
    `[file]` failed while being loaded: internal: trapped: wasm trap: wasm `unreachable` instruction executed
    `[file]` failed while being loaded: over-budget: used up its stack
    `[file]` failed while being loaded: over-budget: made more than 100 host calls
    `[file]` failed while being loaded: over-budget: asked for 512 MiB of memory, beyond its limit of 256 MiB
    ");
}

#[test]
fn a_component_that_describes_itself_for_ever_is_stopped() {
    assert_snapshot!(describing(FOR_EVER), @"`[file]` failed while being loaded: over-budget: used up its CPU time of 10s");
}

#[test]
fn a_component_whose_descriptors_lie_outside_its_memory_or_break_their_type_is_refused() {
    let beyond =
        "(i32.store (i32.const 256) (i32.const -64)) (i32.store (i32.const 260) (i32.const 1)) (i32.const 256)";
    let many =
        "(i32.store (i32.const 256) (i32.const 1024)) (i32.store (i32.const 260) (i32.const -1)) (i32.const 256)";
    let bodies = ["(i32.const -4)", "(i32.const 257)", beyond, many].map(|body| describing(body));
    let offers =
        [Described { stability: 9, ..Described::default() }, Described { name: b"\xff\xfe", ..Described::default() }];
    let offers = offers.map(|offer| refused(&Hand { offers: vec![offer], ..Hand::default() }.bytes()));
    for said in bodies.iter().chain(&offers) {
        assert!(said.contains("failed while being loaded: internal: trapped: "), "{said}");
    }
}

#[test]
fn a_component_that_says_nonsense_of_itself_is_refused() {
    let one = |offer: Described| refused(&Hand { offers: vec![offer], ..Hand::default() }.bytes());
    let said = [
        refused(&Hand { offers: Vec::new(), ..Hand::default() }.bytes()),
        one(Described { kind: b"oracle", ..Described::default() }),
        one(Described { name: b"Not A Name", ..Described::default() }),
        one(Described { name: b"", ..Described::default() }),
        refused(&Hand { offers: vec![Described::default(); 2], ..Hand::default() }.bytes()),
        one(Described { output: b"{ not json", ..Described::default() }),
        one(Described { input: br#"{"type":"thing"}"#, ..Described::default() }),
        one(Described { config: br#"{"$ref":"https://example.org/schema.json"}"#, ..Described::default() }),
    ];
    assert_snapshot!(said.join("\n"), @r#"
    `[file]` describes itself wrongly: it offers nothing that this host knows
    `[file]` describes itself wrongly: it offers nothing that this host knows
    `[file]` describes itself wrongly: `Not A Name` is not a name for an extension (lower-case letters, digits and hyphens, at most 64)
    `[file]` describes itself wrongly: `` is not a name for an extension (lower-case letters, digits and hyphens, at most 64)
    `[file]` describes itself wrongly: it offers the analyzer `hand` twice
    `[file]` describes itself wrongly: the output schema of `hand` is not valid JSON: key must be a string at line 1 column 3
    `[file]` describes itself wrongly: the input schema of the analyzer `hand` is not a JSON Schema: "thing" is not valid under any of the schemas listed in the 'anyOf' keyword
    `[file]` describes itself wrongly: the config schema of the analyzer `hand` is not a JSON Schema: Resource 'https://example.org/schema.json' is not present in a registry and retrieving it failed: `resolve-http` feature or a custom resolver is required to resolve external schemas via HTTP
    "#);
}

//! What a component imports.

use std::fs;

use super::project::MadeProject;

/// The component imports the contract and nothing else: no clock, no files, no environment.
#[track_caller]
pub(super) fn imports_the_contract_alone(made: &MadeProject, name: &str) {
    let bytes = fs::read(made.folder.join(name).with_extension("wasm")).expect("a component");
    let names = imports(&bytes);
    assert!(!names.is_empty());
    for name in names {
        assert!(name.starts_with("jackfield:plugin/"), "it imports {name}");
    }
}

/// The component imports the contract, and what a host may grant of WASI: the library of its language is in it, which has all that a
/// program may use.
#[track_caller]
pub(super) fn imports_what_can_be_granted(made: &MadeProject, name: &str) {
    let bytes = fs::read(made.folder.join(name).with_extension("wasm")).expect("a component");
    let names = imports(&bytes);
    assert!(names.iter().any(|name| name.starts_with("jackfield:plugin/")), "{names:?}");
    let known = [
        "jackfield:plugin/",
        "wasi:cli/",
        "wasi:clocks/",
        "wasi:filesystem/",
        "wasi:io/",
        "wasi:random/",
        "wasi:sockets/",
    ];
    for name in &names {
        assert!(known.iter().any(|known| name.starts_with(known)), "it imports {name}");
    }
}

/// The names that a component imports. A component is a row of sections after eight bytes: an id, a length, its content; in
/// that of imports (10), each name follows a zero or one and its length.
fn imports(component: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let mut at = 8;
    while at < component.len() {
        let id = component[at];
        let (length, begin) = number(component, at + 1);
        let section = &component[begin..begin + length];
        if id == 10 {
            let (count, mut at) = number(section, 0);
            for _ in 0..count {
                let (length, begin) = number(section, at + 1);
                found.push(String::from_utf8(section[begin..begin + length].to_vec()).expect("a name"));
                // What is imported: an instance (5) of the type with this number.
                assert_eq!(section[begin + length], 5, "an import that is no instance: {found:?}");
                at = number(section, begin + length + 1).1;
            }
        }
        at = begin + length;
    }
    found
}

/// A number in LEB128, and where it ends.
fn number(bytes: &[u8], mut at: usize) -> (usize, usize) {
    let (mut value, mut shift) = (0, 0);
    loop {
        value |= usize::from(bytes[at] & 0x7f) << shift;
        at += 1;
        shift += 7;
        if bytes[at - 1] & 0x80 == 0 {
            return (value, at);
        }
    }
}

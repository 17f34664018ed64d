//! Files that lie do not take memory: what is promised is compared with what is there first.

use std::{env, fs, process::Command};

use jackfield_plugin_api::Random;
use jackfield_transformer::{ChatTemplate, Tokenizer, Transformer};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tempfile::TempDir;

use crate::support::fixture;

/// Set in the process that has little memory.
const LIMITED: &str = "JACKFIELD_TEST_LIMITED";
const SLACK: u64 = 64 << 20;

/// How many bytes of addresses this process has now.
fn taken() -> u64 {
    let pages = fs::read_to_string("/proc/self/statm").expect("the system tells");
    let pages: u64 = pages.split(' ').next().and_then(|size| size.parse().ok()).expect("a number");
    pages * 4096
}

/// Changes a few bytes, most of them in the header: half of the changes make a number of eight bytes huge.
fn damage(bytes: &mut [u8], random: &mut Random) {
    for _ in 0..=random.next_u64() % 3 {
        let within = if random.next_u64().is_multiple_of(4) { bytes.len() } else { bytes.len().min(4096) };
        let at = (random.next_u64() % within as u64) as usize;
        if random.next_u64().is_multiple_of(2) {
            bytes[at] = random.next_u64() as u8;
        } else {
            let huge = (1_u64 << (20 + random.next_u64() % 40)).to_le_bytes();
            let count = huge.len().min(bytes.len() - at);
            bytes[at..at + count].copy_from_slice(&huge[..count]);
        }
    }
}

fn read_damaged_files() {
    let mut random = Random::new(7);
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("model.gguf");
    for name in ["tiny.gguf", "chat.gguf", "characters.gguf"] {
        let whole = fs::read(fixture(name)).expect("the fixture");
        let most = taken() + 2 * whole.len() as u64 + SLACK;
        let limit = Rlimit { current: Some(most), ..getrlimit(Resource::As) };
        setrlimit(Resource::As, limit).expect("less is allowed");
        for _ in 0..400 {
            let mut bytes = whole.clone();
            damage(&mut bytes, &mut random);
            fs::write(&path, bytes).expect("it can be written");
            let model = Transformer::load(&path);
            let vocabulary = model.as_ref().map_or(309, |model| model.architecture().vocabulary);
            drop(model);
            drop(Tokenizer::load(&path, vocabulary));
            drop(ChatTemplate::load(&path));
        }
    }
    // The limit is one: more than it allows is refused.
    assert!(Vec::<u8>::new().try_reserve_exact(2 * SLACK as usize).is_err());
}

#[test]
fn damaged_files_take_at_most_twice_their_length_and_64_mib() {
    if env::var_os(LIMITED).is_some() {
        return read_damaged_files();
    }
    let itself = env::current_exe().expect("the system tells");
    let name = "load_memory::damaged_files_take_at_most_twice_their_length_and_64_mib";
    let output = Command::new(itself).args(["--exact", name]).env(LIMITED, "1").output().expect("it can be run");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && stdout.contains("1 passed"),
        "{stdout}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

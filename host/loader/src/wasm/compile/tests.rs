use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::PathBuf,
    time::SystemTime,
};

use jackfield_plugin_api::Random;
use tempfile::TempDir;
use wasmtime::{Store, component::Linker};

use super::{super::engine::engine, *};

/// A folder for compiled code, and two components.
struct Bench {
    folder: TempDir,
    one: Vec<u8>,
    other: Vec<u8>,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).expect("closed");
        let one = include_bytes!("../probe.wasm").to_vec();
        let mut other = one.clone();
        other.extend([0, 2, 1, b'x']); // a custom section
        Self { folder, one, other }
    }

    fn open(&self, most: u64) -> Folder {
        Folder::open(self.folder.path(), most).expect("its own folder")
    }

    /// Compiles, or loads, and looks that what comes of it runs.
    fn compile(&self, bytes: &[u8]) -> Origin {
        let engine = engine(false).expect("an engine");
        let folder = self.open(MOST_KEPT);
        let compiled = compile_or_load(Some(&folder), engine, "mine", bytes, &Digest::of(bytes));
        let (component, origin) = compiled.expect("compiled");
        let mut store = Store::new(engine, ());
        store.set_epoch_deadline(1000);
        let run = async {
            let instance = Linker::new(engine).instantiate_async(&mut store, &component).await?;
            let add = instance.get_typed_func::<(u32, u32), (u32,)>(&mut store, "add")?;
            add.call_async(&mut store, (40, 2)).await
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        assert_eq!(runtime.block_on(run).expect("it runs"), (42,));
        origin
    }

    fn file(&self, bytes: &[u8]) -> PathBuf {
        self.folder.path().join(Key::new(engine(false).expect("an engine"), &Digest::of(bytes)).file_name())
    }
}

fn replaced(origin: &Origin) -> &str {
    match origin {
        Origin::Replaced(why) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn damaged_code_is_never_loaded_but_made_anew() {
    let bench = Bench::new();
    assert_eq!(bench.compile(&bench.one), Origin::Compiled);
    assert_eq!(bench.compile(&bench.one), Origin::Kept);
    assert_eq!(bench.compile(&bench.other), Origin::Compiled);
    let (file, others) = (bench.file(&bench.one), fs::read(bench.file(&bench.other)).expect("kept"));
    let whole = fs::read(&file).expect("kept");
    let mut random = Random::new(7);
    let mut below = |most: usize| (random.next_u64() % most as u64) as usize;
    for round in 0..60 {
        let mut bytes = whole.clone();
        let at = below(bytes.len());
        match round % 6 {
            0 | 1 => bytes[at] ^= 1 << below(8),
            2 => bytes.truncate(at),
            3 => {
                // A page that was lost; where it held nothing but zeros, nothing is.
                let page = at / 4096 * 4096;
                let end = bytes.len().min(page + 4096);
                bytes[page..end].fill(0);
            }
            4 => bytes.clone_from(&others),
            // As an older version began.
            _ => bytes[..32].copy_from_slice(b"jackfield: compiled component 0\n"),
        }
        fs::write(&file, &bytes).expect("written");
        let origin = bench.compile(&bench.one);
        assert_eq!(origin == Origin::Kept, bytes == whole, "round {round}: {origin:?}");
        assert_eq!(bench.compile(&bench.one), Origin::Kept, "it was not replaced");
        assert_eq!(fs::read(&file).expect("kept").len(), whole.len());
    }
}

#[test]
fn code_of_another_component_compiler_or_version_is_told_apart() {
    let bench = Bench::new();
    bench.compile(&bench.one);
    bench.compile(&bench.other);
    let file = bench.file(&bench.one);
    let whole = fs::read(&file).expect("kept");

    fs::copy(bench.file(&bench.other), &file).expect("copied");
    assert_eq!(replaced(&bench.compile(&bench.one)), "is the code of another component");

    // Whole, and honest, but of an engine that counts instructions.
    let counting = engine(true).expect("an engine");
    let code =
        compile_within(&cost::MOST, counting, "mine", &bench.one).expect("compiled").serialize().expect("serialised");
    let header = Key::new(counting, &Digest::of(&bench.one)).header(&code);
    fs::write(&file, [header, code].concat()).expect("written");
    assert_eq!(replaced(&bench.compile(&bench.one)), "is of another version of the compiler, or of other settings");

    fs::write(&file, [b"jackfield: compiled component 0\n".as_slice(), &whole[32..]].concat()).expect("written");
    assert_eq!(replaced(&bench.compile(&bench.one)), "is damaged, or was written by another version of jackfield");
    fs::write(&file, &whole[..100]).expect("written");
    assert_eq!(replaced(&bench.compile(&bench.one)), "is cut short, at 100 bytes");
}

#[test]
fn only_files_of_this_user_alone_are_loaded() {
    let bench = Bench::new();
    bench.compile(&bench.one);
    let file = bench.file(&bench.one);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o620)).expect("opened");
    assert_eq!(replaced(&bench.compile(&bench.one)), "can be written by others (mode 0620)");
    let elsewhere = bench.folder.path().join("elsewhere");
    fs::rename(&file, &elsewhere).expect("moved");
    symlink(&elsewhere, &file).expect("linked");
    assert_eq!(replaced(&bench.compile(&bench.one)), "is a symbolic link");
    fs::hard_link(&file, bench.folder.path().join("second")).expect("linked");
    assert_eq!(replaced(&bench.compile(&bench.one)), "has a second name elsewhere");
    assert_eq!(bench.compile(&bench.one), Origin::Kept);
}

#[test]
fn only_a_folder_of_this_user_alone_is_used() {
    let bench = Bench::new();
    let path = bench.folder.path().join("compiled");
    let open = |path: &std::path::Path| Folder::open(path, MOST_KEPT).err().map(|why| why.to_string());
    assert_eq!(open(&path), None);
    assert_eq!(fs::metadata(&path).expect("made").permissions().mode() & 0o777, 0o700);
    let link = bench.folder.path().join("link");
    symlink(&path, &link).expect("linked");
    assert_eq!(open(&link).expect("refused"), "is a symbolic link, and is not used");
    for mode in [0o777, 0o770, 0o750, 0o701] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("opened");
        assert_eq!(open(&path).expect("refused"), format!("is open to others (mode {mode:04o}), and is not used"));
    }
    fs::write(bench.folder.path().join("file"), "").expect("written");
    assert!(open(&bench.folder.path().join("file")).expect("refused").starts_with("cannot be written: "));
}

#[test]
fn the_folder_holds_no_more_than_it_may_and_keeps_what_was_used_last() {
    let bench = Bench::new();
    let folder = bench.open(1000);
    let names = || {
        let entries = fs::read_dir(bench.folder.path()).expect("a folder").flatten();
        let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    };
    let age = |name: &str, seconds: u64| {
        let file = fs::File::options().write(true).open(bench.folder.path().join(name)).expect("there");
        file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).expect("aged");
    };
    for (name, seconds) in [("a", 500), ("b", 400), ("c", 300)] {
        folder.keep(name, &[&[1; 300]]).expect("kept");
        age(name, seconds);
    }
    assert_eq!(folder.read("a").expect("read"), Some(vec![1; 300]), "and so it was used last");
    folder.keep("d", &[&[2; 300]]).expect("kept");
    assert_eq!(names(), ["a", "c", "d"]);
    // What is larger than all is not kept, and nothing goes for it.
    assert!(folder.keep("e", &[&[3; 1001]]).is_err());
    assert_eq!(names(), ["a", "c", "d"]);
    // What somebody is writing stays; what somebody left goes.
    for (name, seconds) in [("1-1.partial", 60), ("1-2.partial", 7200)] {
        fs::write(bench.folder.path().join(name), "half").expect("written");
        age(name, seconds);
    }
    folder.keep("d", &[&[4; 300]]).expect("kept");
    assert_eq!(names(), ["1-1.partial", "a", "c", "d"]);
    assert_eq!(folder.totals(), (4, 904));
}

/// A component around a core module with this in it.
fn component(module: &str) -> Vec<u8> {
    wat::parse_str(format!("(component (core module {module}))")).expect("a component")
}

#[test]
fn what_would_take_too_much_to_compile_is_refused_at_once() {
    let began = Instant::now();
    let engine = engine(false).expect("an engine");
    let refused = |bytes: &[u8]| match compile_or_load(None, engine, "mine", bytes, &Digest::of(bytes)) {
        Err(NotCompiled::TooCostly(why)) => why,
        other => panic!("{:?}", other.map(|(_, origin)| origin)),
    };
    // Written by hand: the text of so many functions takes long to read.
    let number = |mut value: usize| {
        let mut bytes = Vec::new();
        while value > 0x7f {
            bytes.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        bytes.push(value as u8);
        bytes
    };
    let section = |id: u8, content: Vec<u8>| [vec![id], number(content.len()), content].concat();
    let module = |functions: usize, body: &[u8]| {
        let list = |each: &[u8]| [number(functions), each.repeat(functions)].concat();
        let body = [number(body.len()), body.to_vec()].concat();
        let module = [
            b"\0asm\x01\0\0\0".to_vec(),
            section(1, vec![1, 0x60, 0, 0]),
            section(3, list(&[0])),
            section(10, list(&body)),
        ];
        [b"\0asm\x0d\0\x01\0".to_vec(), section(1, module.concat())].concat()
    };
    insta::assert_snapshot!(refused(&module(300_000, &[0, 0x0b])), @"it has 300000 functions or more; 50000 at most are compiled");
    // Each declares 50,000 local variables in four bytes.
    insta::assert_snapshot!(refused(&module(1000, &[1, 0xd0, 0x86, 0x03, 0x7f, 0x0b])), @"it has 4050000 local variables or more; 4000000 at most are compiled");
    let long = [vec![0], vec![0x01; 2 << 20], vec![0x0b]].concat();
    insta::assert_snapshot!(refused(&module(1, &long)), @"one of its functions has 2.0 MiB of code, more than 1 MiB");
    assert!(began.elapsed() < Duration::from_secs(20), "it was compiled");
    // Half of that is let in.
    let many = module(25_000, &[0, 0x0b]);
    assert_eq!(bounds::check(&many), Ok(()));
    // And compiled for as long as it does not take too much.
    let refused = |most: Most| match compile_within(&most, engine, "mine", &many) {
        Err(NotCompiled::TooCostly(why)) => why,
        other => panic!("{:?}", other.is_ok()),
    };
    let (minute, gibibyte) = (Duration::from_secs(60), 1 << 30);
    let soon = Duration::from_millis(60);
    insta::assert_snapshot!(refused(Most { cpu: soon, wall: minute, memory: gibibyte }), @"compiling it takes longer than 60ms of CPU time");
    insta::assert_snapshot!(refused(Most { cpu: minute, wall: soon, memory: gibibyte }), @"compiling it takes longer than 60ms");
    insta::assert_snapshot!(refused(Most { cpu: minute, wall: minute, memory: 4 << 20 }), @"compiling it takes more than 4 MiB of memory");
    assert_eq!(bounds::check(&component("(func (local i32 i64))")), Ok(()));
}

//! The libraries that native plugins need: none is loaded that is neither the system's nor pinned.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use insta::assert_snapshot;
use jackfield_loader::Digest;
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    bad_plugins::native::note,
    support::{CommandOutput, Pipeline, fixture, jackfield, results, run_command},
};

/// A folder with what is built, and what was run of it.
struct Bench {
    folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Builds a library from C.
    fn build(&self, name: &str, source: &str, arguments: &[&str]) -> PathBuf {
        let (code, library) = (self.path("source.c"), self.path(name));
        fs::create_dir_all(library.parent().expect("a folder")).expect("made");
        fs::write(&code, source).expect("written");
        let mut command = Command::new("cc");
        command.current_dir(self.folder.path()).args(["-shared", "-fPIC", "-w", "-o"]).arg(&library).arg(&code);
        let run = command.args(arguments).output().expect("a C compiler, `cc`");
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        library
    }

    /// C of a function that leaves a file of this name when it is called, and calls others.
    fn leaves(&self, function: &str, file: &str, calls: &str) -> String {
        let file = self.path(file);
        format!("#include <fcntl.h>\nvoid {function}(void) {{ creat(\"{}\", 0600); {calls} }}\n", file.display())
    }

    /// A library `libfoo.so.1` in this folder, whose `foo` leaves this file.
    fn foo(&self, folder: &str, leaves: &str) -> PathBuf {
        let source = self.leaves("foo", leaves, "");
        self.build(&format!("{folder}/libfoo.so.1"), &source, &["-Wl,-soname,libfoo.so.1"])
    }

    /// A plugin, of which nothing but its constructor works, that calls `foo` of `libfoo.so.1`.
    fn plugin(&self, arguments: &[&str]) -> PathBuf {
        let source =
            format!("void foo(void);\n__attribute__((constructor)) static void run(void) {{ foo(); }}\n{}", note(0, 1));
        self.build("plugins/mine.so", &source, &[&["plugins/libfoo.so.1"], arguments].concat())
    }

    /// What `check` says of a pipeline that allows and pins the plugin, and has these keys beside.
    fn check(&self, keys: &str) -> Value {
        self.check_with(keys, |command| command)
    }

    fn check_with(&self, keys: &str, with: impl Fn(&mut Command) -> &mut Command) -> Value {
        let plugin = self.path("plugins/mine.so");
        let pin = Digest::of_file(&plugin).expect("read");
        let pipeline = Pipeline::new(&format!(
            "[pipeline]\nname = \"x\"\n[plugins.mine]\npath = {:?}\nallow_native = true\nsha256 = \"{pin}\"\n{keys}\n\
             [input]\nuse = \"inline\"\nitems = [{{}}]\n[stages.one]\nuse = \"mine/echo\"\nin = \"input\"\n",
            plugin.to_str().expect("UTF-8"),
        ));
        let mut command = jackfield();
        run_command(with(command.args(["check", "--json"]).arg(pipeline.path()))).expect_code(2).json()["faults"].take()
    }

    /// Message and hint of the first of these faults.
    fn said(&self, faults: &Value) -> String {
        let fault = &faults[0];
        let text = |key: &str| fault[key].as_str().unwrap_or_default().to_owned();
        let mut said = format!("{}\nhint: {}", text("message"), text("hint"));
        said = said.replace(&*self.folder.path().to_string_lossy(), "[folder]");
        for file in fs::read_dir(self.path("plugins")).expect("a folder").flatten() {
            let name = file.file_name().to_string_lossy().into_owned();
            said = said.replace(Digest::of_file(&file.path()).expect("read").as_str(), &format!("[{name}]"));
        }
        said
    }

    fn left(&self, file: &str) -> bool {
        self.path(file).exists()
    }

    fn pin(&self, names: &[&str]) -> String {
        let pin = |name: &&str| {
            format!("\"{name}\" = \"{}\"", Digest::of_file(&self.path("plugins").join(name)).expect("read"))
        };
        format!("dependencies = {{ {} }}", names.iter().map(pin).collect::<Vec<_>>().join(", "))
    }
}

/// What a plugin comes to of which the constructor ran.
const RAN: &str = "is not a Jackfield plugin";

#[test]
fn a_library_beside_the_plugin_is_loaded_if_it_is_pinned_and_none_of_that_name_from_elsewhere() {
    let bench = Bench::new();
    bench.foo("plugins", "honest-ran");
    bench.plugin(&["-Wl,-rpath,$ORIGIN"]);
    // Anyone can put one into the folder for temporary files.
    bench.foo("temporary", "other-ran");
    let temporary = bench.path("temporary");
    let check = |keys: &str| bench.check_with(keys, |command| command.env("TMPDIR", &temporary));

    assert_snapshot!(bench.said(&check("")), @r#"
    plugin `mine` cannot be loaded: `[folder]/plugins/mine.so` needs `libfoo.so.1`, which is neither a library of this system nor pinned
    hint: if you trust what is beside it, add to its entry: dependencies = { "libfoo.so.1" = "[libfoo.so.1]" }
    "#);
    let other = format!("dependencies = {{ \"libfoo.so.1\" = \"{}\" }}", Digest::of("another"));
    let said = bench.said(&check(&other)).replace(Digest::of("another").as_str(), "[another]");
    assert_snapshot!(said, @r#"
    plugin `mine` cannot be loaded: `[folder]/plugins/libfoo.so.1` has sha256 [libfoo.so.1], and [another] is pinned for `libfoo.so.1`
    hint: if the change is yours, pin what is there: dependencies = { "libfoo.so.1" = "[libfoo.so.1]" }
    "#);
    let more = bench.pin(&["libfoo.so.1"]).replace(" }", &format!(", \"libc.so.6\" = \"{}\" }}", Digest::of("")));
    assert_snapshot!(bench.said(&check(&more)), @r"
    plugin `mine` cannot be loaded: `[folder]/plugins/mine.so` does not load `libc.so.6`, which is pinned: it is not beside it, is a library of the system, or is not needed
    hint: put the library beside the plugin, or leave the pin out
    ");
    assert!(!bench.left("honest-ran") && !bench.left("other-ran"));

    let said = bench.said(&check(&bench.pin(&["libfoo.so.1"])));
    assert!(said.contains(RAN), "{said}");
    assert!(bench.left("honest-ran") && !bench.left("other-ran"), "{said}");
}

#[test]
fn a_folder_that_others_can_fill_is_not_searched_for_libraries() {
    let bench = Bench::new();
    bench.foo("plugins", "ran");
    bench.foo("temporary", "ran");
    let (temporary, pin) = (bench.path("temporary"), bench.pin(&["libfoo.so.1"]));
    let said = ["$ORIGIN/../lib", "lib", "", temporary.to_str().expect("UTF-8"), "/proc/self/cwd"].map(|folder| {
        bench.plugin(&[&format!("-Wl,-rpath,/usr/lib:{folder}")]);
        bench.said(&bench.check(&pin)).lines().next().unwrap_or_default().to_owned()
    });
    assert_snapshot!(said.join("\n"), @r"
    plugin `mine` cannot be loaded: `[folder]/plugins/mine.so` has libraries looked for in `$ORIGIN/../lib` (RPATH or RUNPATH), where others can put one
    plugin `mine` cannot be loaded: `[folder]/plugins/mine.so` has libraries looked for in `lib` (RPATH or RUNPATH), where others can put one
    plugin `mine` cannot be loaded: `[folder]/plugins/mine.so` has libraries looked for in `` (RPATH or RUNPATH), where others can put one
    plugin `mine` cannot be loaded: `[folder]/plugins/mine.so` has libraries looked for in `[folder]/temporary` (RPATH or RUNPATH), where others can put one
    plugin `mine` cannot be loaded: `[folder]/plugins/mine.so` has libraries looked for in `/proc/self/cwd` (RPATH or RUNPATH), where others can put one
    ");
    assert!(!bench.left("ran"));
    // The system's own does no harm.
    bench.plugin(&["-Wl,-rpath,/usr/lib"]);
    assert!(bench.said(&bench.check(&pin)).contains(RAN));
    assert!(bench.left("ran"));
}

#[test]
fn what_would_be_loaded_besides_is_refused() {
    let bench = Bench::new();
    bench.foo("plugins", "ran");
    let pin = bench.pin(&["libfoo.so.1"]);
    let said =
        [["--audit", "watcher.so"], ["--depaudit", "watcher.so"], ["-f", "other.so"], ["-F", "other.so"]].map(|pair| {
            bench.plugin(&[&format!("-Wl,{}", pair.join(","))]);
            bench.said(&bench.check(&pin)).lines().next().unwrap_or_default().to_owned()
        });
    assert_snapshot!(said.join("\n"), @r"
    plugin `mine` cannot be loaded: `[folder]/plugins/mine.so` has the loader load `watcher.so` besides (DT_AUDIT)
    plugin `mine` cannot be loaded: `[folder]/plugins/mine.so` has the loader load `watcher.so` besides (DT_DEPAUDIT)
    plugin `mine` cannot be loaded: `[folder]/plugins/mine.so` has the loader load `other.so` besides (DT_AUXILIARY)
    plugin `mine` cannot be loaded: `[folder]/plugins/mine.so` has the loader load `other.so` besides (DT_FILTER)
    ");
    assert!(!bench.left("ran"));
}

#[test]
fn a_library_that_is_nowhere_or_named_by_a_path_or_by_the_environment_is_refused() {
    let bench = Bench::new();
    let foo = bench.foo("plugins", "ran");
    bench.plugin(&[]);
    fs::create_dir(bench.path("lib")).expect("made");
    fs::rename(foo, bench.path("lib/libfoo.so.1")).expect("moved");
    let nowhere = bench.said(&bench.check(""));
    let lib = bench.path("lib");
    let environment = bench.said(&bench.check_with("", |command| command.env("LD_LIBRARY_PATH", &lib)));
    // Without a name of its own, a library is needed by its path.
    bench.build("plugins/libfoo.so.1", &bench.leaves("foo", "ran", ""), &[]);
    bench.plugin(&[]);
    let path = bench.said(&bench.check(""));
    assert_snapshot!([nowhere, environment, path].join("\n"), @r"
    plugin `mine` cannot be loaded: `[folder]/plugins/mine.so` needs `libfoo.so.1`, which is neither a library of this system nor pinned
    hint: put `libfoo.so.1` beside the plugin and pin it, link it in statically, or install it on the system
    plugin `mine` cannot be loaded: `[folder]/plugins/mine.so` needs `libfoo.so.1`, which would be loaded from `[folder]/lib/libfoo.so.1`, where others than the administrator can change it
    hint: put a copy beside the plugin, which is then pinned as the plugin is, or link `libfoo.so.1` in statically
    plugin `mine` cannot be loaded: `[folder]/plugins/mine.so` needs `plugins/libfoo.so.1`, a library by its path
    hint: link it with the library's name (`-l`, or `-Wl,-soname` in the library) in place of a path
    ");
    assert!(!bench.left("ran"));
}

#[test]
fn what_a_pinned_library_needs_is_pinned_too_and_loaded_before_it() {
    let bench = Bench::new();
    let soname = |name: &str| format!("-Wl,-soname,{name}");
    bench.build("plugins/libbar.so.2", &bench.leaves("bar", "bar-ran", ""), &[&soname("libbar.so.2")]);
    let foo = "void bar(void);\n".to_owned() + &bench.leaves("foo", "foo-ran", "bar();");
    bench.build("plugins/libfoo.so.1", &foo, &["plugins/libbar.so.2", &soname("libfoo.so.1")]);
    bench.plugin(&["-Wl,-rpath-link,plugins"]);
    assert_snapshot!(bench.said(&bench.check(&bench.pin(&["libfoo.so.1"]))), @r#"
    plugin `mine` cannot be loaded: `[folder]/plugins/mine.so` needs `libbar.so.2`, which is neither a library of this system nor pinned
    hint: if you trust what is beside it, add to its entry: dependencies = { "libbar.so.2" = "[libbar.so.2]", "libfoo.so.1" = "[libfoo.so.1]" }
    "#);
    assert!(!bench.left("foo-ran") && !bench.left("bar-ran"));
    let said = bench.said(&bench.check(&bench.pin(&["libfoo.so.1", "libbar.so.2"])));
    assert!(said.contains(RAN) && bench.left("foo-ran") && bench.left("bar-ran"), "{said}");
    // What it needs is held to the same rules as the plugin.
    bench.build("plugins/libfoo.so.1", &foo, &["plugins/libbar.so.2", &soname("libfoo.so.1"), "-Wl,-rpath,/tmp"]);
    assert_snapshot!(bench.said(&bench.check(&bench.pin(&["libfoo.so.1", "libbar.so.2"]))), @r"
    plugin `mine` cannot be loaded: `[folder]/plugins/libfoo.so.1` has libraries looked for in `/tmp` (RPATH or RUNPATH), where others can put one
    hint: link it without `-rpath`, or take that out: patchelf --remove-rpath [folder]/plugins/libfoo.so.1
    ");
    bench.build("plugins/libfoo.so.1", &foo, &["plugins/libbar.so.2", &soname("libother.so.1")]);
    assert_snapshot!(bench.said(&bench.check(&bench.pin(&["libfoo.so.1", "libbar.so.2"]))), @r"
    plugin `mine` cannot be loaded: `[folder]/plugins/libfoo.so.1` has the name `libother.so.1` in it, and is needed as `libfoo.so.1`
    hint: link it with `-Wl,-soname,libfoo.so.1`
    ");
}

// A plugin that works.

/// A library of the fixtures that needs one more library: the one that is called like the symbol that every plugin has.
fn needing() -> Vec<u8> {
    let mut bytes = fs::read(fixture("misbehaving.so")).expect("a library");
    let number = |bytes: &[u8], at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight")) as usize;
    let (segments, count) = (number(&bytes, 32), usize::from(bytes[56]));
    let dynamic = (0..count).map(|index| segments + index * 56).find(|at| bytes[*at] == 2).expect("a dynamic segment");
    let (start, length) = (number(&bytes, dynamic + 8), number(&bytes, dynamic + 32));
    let entry = |tag: usize| (start..start + length).step_by(16).find(|at| number(&bytes, *at) == tag);
    let texts = number(&bytes, entry(5).expect("a table of names") + 8);
    let name = bytes.windows(18).position(|window| window == b"\0JACKFIELD_PLUGIN\0").expect("the symbol") + 1;
    // In place of flags that say once more what other flags say.
    let flags = entry(0x6fff_fffb).expect("flags");
    bytes[flags..flags + 8].copy_from_slice(&1_u64.to_le_bytes());
    bytes[flags + 8..flags + 16].copy_from_slice(&((name - texts) as u64).to_le_bytes());
    bytes
}

const NAME: &str = "JACKFIELD_PLUGIN";

fn working(bench: &Bench) -> Pipeline {
    let library = bench.build("library", "int answer = 42;\n", &[&format!("-Wl,-soname,{NAME}")]);
    let toml = "[pipeline]\nname = \"x\"\n[plugins.mine]\npath = \"mine.so\"\nallow_native = true\n[input]\nuse = \"inline\"\n\
                items = [{ text = \"a\" }]\n[stages.one]\nuse = \"mine/echo\"\nin = \"input\"\n";
    Pipeline::new(toml).with("mine.so", needing()).with(NAME, fs::read(library).expect("made"))
}

fn plugins(pipeline: &Pipeline, arguments: &[&str]) -> CommandOutput {
    run_command(jackfield().current_dir(pipeline.path()).arg("plugins").args(arguments))
}

fn plain(pipeline: &Pipeline, text: &str) -> String {
    let mut text = text.replace(&*pipeline.path().to_string_lossy(), "[folder]");
    for name in ["mine.so", NAME] {
        let digest = Digest::of_file(&pipeline.path().join(name)).expect("read");
        text = text.replace(digest.as_str(), &format!("[{name}]"));
    }
    text
}

#[test]
fn the_lockfile_holds_the_libraries_that_are_loaded_with_a_plugin() {
    let bench = Bench::new();
    let pipeline = working(&bench);
    plugins(&pipeline, &["lock"]).expect_code(0);
    let lock = fs::read_to_string(pipeline.path().join("jackfield.lock")).expect("a lockfile");
    let line = lock.lines().find(|line| line.starts_with("dependencies")).expect("a line");
    assert_snapshot!(plain(&pipeline, line), @r#"dependencies = { "JACKFIELD_PLUGIN" = "[JACKFIELD_PLUGIN]" }"#);
    let run = pipeline.run().expect_code(0);
    assert_eq!(results(&run.folder())[0]["outputs"]["one"]["text"], "a");
    plugins(&pipeline, &["verify"]).expect_code(0);

    // Another one in its place is another plugin, to the lockfile and to whoever accepts it.
    let before = Digest::of_file(&pipeline.path().join(NAME)).expect("read");
    let other = bench.build("library", "int answer = 43;\n", &[&format!("-Wl,-soname,{NAME}")]);
    let pipeline = pipeline.with(NAME, fs::read(other).expect("made"));
    plugins(&pipeline, &["verify"]).expect_code(1);
    let refused = pipeline.run().expect_code(2).json()["faults"][0].take();
    assert_snapshot!(refused["message"].as_str().expect("a message"), @"plugin `mine` would be loaded with another library than `jackfield.lock` holds");
    let updated = plugins(&pipeline, &["update", "mine"]).expect_code(0).stdout.replace(before.as_str(), "[before]");
    assert_snapshot!(plain(&pipeline, &updated), @r#"
    mine: would be loaded with another library than `jackfield.lock` holds
      - loaded with "JACKFIELD_PLUGIN" sha256 "[before]"
      + loaded with "JACKFIELD_PLUGIN" sha256 "[JACKFIELD_PLUGIN]"
    "#);
    pipeline.run().expect_code(0);
    // Without it, nothing is loaded.
    fs::remove_file(pipeline.path().join(NAME)).expect("removed");
    let refused = pipeline.run().expect_code(2).json()["faults"][0].take();
    let said = refused["message"].as_str().expect("a message").replace(&*pipeline.path().to_string_lossy(), "[folder]");
    assert_snapshot!(said, @"plugin `mine` cannot be loaded: `[folder]/mine.so` does not load `JACKFIELD_PLUGIN`, which is pinned: it is not beside it, is a library of the system, or is not needed");
}

#[test]
fn results_that_are_kept_are_of_the_plugin_with_its_libraries() {
    let bench = Bench::new();
    let pipeline = working(&bench);
    let show = || plugins(&pipeline, &["list", "--json", "--allow-native", "--file", "mine.so"]).expect_code(0).json();
    let text = show().to_string();
    let (mine, library) = (needing(), fs::read(pipeline.path().join(NAME)).expect("read"));
    let whole = Digest::of(format!("{}\n{} {NAME}\n", Digest::of(&mine), Digest::of(&library)));
    assert!(text.contains(whole.as_str()) && !text.contains(Digest::of(&mine).as_str()), "{text}");
}

// Where the copy lies that is loaded.

#[test]
fn a_plugin_is_loaded_from_memory_whatever_becomes_of_the_folder_for_temporary_files() {
    let file = fixture("misbehaving.so");
    let empty = tempfile::tempdir().expect("a folder");
    for folder in [Path::new("/none-such"), empty.path()] {
        let mut command = jackfield();
        command.args(["plugins", "list", "--allow-native", "--file"]).arg(&file).env("TMPDIR", folder);
        run_command(&mut command).expect_code(0);
    }
    assert_eq!(fs::read_dir(empty.path()).expect("a folder").count(), 0);
}

#[test]
fn a_pinned_library_is_one_of_the_files_that_are_watched() {
    let pin = Digest::of("a library");
    let toml = format!(
        "[pipeline]\nname = \"x\"\n[plugins.mine]\npath = \"plugins/mine.so\"\ndependencies = {{ \"libfoo.so.1\" = \"{pin}\" }}\n\
         [input]\nuse = \"inline\"\nitems = [{{}}]\n[stages.one]\nuse = \"mine/echo\"\nin = \"input\"\n"
    );
    let pipeline = Pipeline::new(&toml);
    let request = jackfield_pipeline::Request { path: pipeline.path(), set: &[], input: &[] };
    let draft = jackfield_pipeline::parse(request).expect("a draft");
    assert!(draft.files().contains(&pipeline.path().join("plugins/libfoo.so.1")), "{:?}", draft.files());
}

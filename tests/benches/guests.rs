//! The same echo in every language, as a component, beside that of Extism's engine.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::{
    measure::{heading, load_again, ratio, row, shown},
    plugins::{call, echo_of, fixtures, loaded_at},
};

/// Sizes of a text, in bytes.
const SIZES: [(usize, &str); 3] = [(100, "100 B"), (10_000, "10 KB"), (1_000_000, "1 MB")];
/// Documents in a batch.
const BATCHES: [usize; 2] = [1, 64];

/// Measures what `tests/benches/build-echo` built; Extism's engine where `EXTISM_LIBRARY` names it.
pub fn table() {
    let folder = fixtures().join("echo");
    let languages = ["rust", "c", "python", "javascript"];
    if !languages.iter().all(|language| folder.join(language).with_extension("wasm").is_file()) {
        println!("\ntests/benches/build-echo was not run: guests by language are not measured");
        return;
    }
    let extism = Extism::find();
    if extism.is_none() {
        println!("\nEXTISM_LIBRARY names no `libextism_sys.so` (of the package `extism-sys`): Extism is not measured");
    }
    let theirs = extism.as_ref().map(Extism::calls);

    let mut columns = vec!["guest".to_owned(), "batch".to_owned()];
    columns.extend(SIZES.map(|(_, name)| name.to_owned()));
    if theirs.is_some() {
        columns.extend(SIZES.map(|(_, name)| format!("{name}, against Extism")));
    }
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    heading("One document through a component, by language", &columns);
    if let Some(theirs) = &theirs {
        let mut cells = vec!["Extism, bytes copied in and out, one instance for all calls".to_owned(), "1".to_owned()];
        cells.extend(theirs.iter().map(|time| shown(*time)));
        cells.extend(SIZES.map(|_| String::new()));
        row(&cells);
    }
    for language in languages {
        let echo = echo_of(&loaded_at(&folder.join(language).with_extension("wasm")));
        for count in BATCHES {
            let times = SIZES.map(|(bytes, _)| (bytes * count <= 10_000_000).then(|| call(&echo, bytes, count)));
            let mut cells = vec![language.to_owned(), count.to_string()];
            cells.extend(times.map(|time| time.map(shown).unwrap_or_default()));
            for (time, theirs) in times.iter().zip(theirs.iter().flatten()) {
                cells.push(time.map(|time| ratio(time, *theirs)).unwrap_or_default());
            }
            row(&cells);
        }
    }

    heading("Loading it, in a new process", &["guest", "size", "cold", "cached"]);
    for language in languages {
        let path = folder.join(language).with_extension("wasm");
        let cache = tempfile::tempdir().expect("a folder");
        let load = || load_again(&path, cache.path());
        row(&[language.to_owned(), size(&path), load(), load()]);
    }
    if let Some(extism) = &extism {
        let cache = tempfile::tempdir().expect("a folder");
        let load = || shown(extism.run(&[], Some(cache.path()))[0]);
        row(&["Extism".to_owned(), size(&extism.module), load(), load()]);
    }
}

fn size(path: &Path) -> String {
    let bytes = fs::metadata(path).expect("a file").len();
    if bytes < 10_000 { format!("{bytes} B") } else { format!("{} KiB", bytes / 1024) }
}

/// Extism's engine, behind a host of a few lines of C.
struct Extism {
    library: PathBuf,
    host: PathBuf,
    module: PathBuf,
    _folder: tempfile::TempDir,
}

impl Extism {
    fn find() -> Option<Self> {
        let library = PathBuf::from(std::env::var_os("EXTISM_LIBRARY")?);
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/benches/extism");
        let folder = tempfile::tempdir().expect("a folder");
        let (host, module) = (folder.path().join("host"), folder.path().join("echo.wasm"));
        let compiled =
            Command::new("cc").args(["-O2", "-o"]).arg(&host).arg(sources.join("host.c")).arg("-ldl").status();
        assert!(compiled.is_ok_and(|status| status.success()), "cc");
        let text = fs::read_to_string(sources.join("echo.wat")).expect("a module");
        fs::write(&module, wat::parse_str(text).expect("a module")).expect("written");
        Some(Self { library, host, module, _folder: folder })
    }

    /// The median of a call at each size.
    fn calls(&self) -> Vec<Duration> {
        self.run(&SIZES.map(|(bytes, _)| bytes.to_string()), None).split_off(1)
    }

    /// What the host prints. With a folder, what it compiles is kept there.
    fn run(&self, sizes: &[String], cache: Option<&Path>) -> Vec<Duration> {
        let mut command = Command::new(&self.host);
        command.arg(&self.library).arg(&self.module).args(sizes).env("EXTISM_CACHE_CONFIG", "");
        if let Some(cache) = cache {
            let config = cache.join("config.toml");
            fs::write(&config, format!("[cache]\ndirectory = {:?}\n", cache.join("kept"))).expect("written");
            command.env("EXTISM_CACHE_CONFIG", config);
        }
        let output = command.output().expect("started");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let nanos = String::from_utf8(output.stdout).expect("text");
        nanos.lines().map(|line| Duration::from_nanos(line.parse().expect("a number"))).collect()
    }
}

//! Every command that the README and the book show is run, and what it prints is compared with what the page says.
//!
//! A page is worked through from top to bottom, in a folder of its own that looks like a fresh clone:
//!
//! - ` ```console `: each line that starts with `$ ` is run. The lines below it, if any, are what it prints: `...` stands
//!   for any part of a line, a line of nothing else for any lines. Times, how wide a table is, and how far
//!   a run has come do not count. The digests and the names of runs are whatever the program says; later commands and files
//!   get those in place of the page's.
//! - ` ```console exit=2 `: the commands end with this code, not with 0.
//! - ` ```console norun (why) `: shown, not run.
//! - ` ```console needs=TARGET `: run where the toolchain has this target.
//! - ` ```toml file=PATH `, in any language: the file is written before the next command.
//! - `<!-- fixture NAME at PATH -->`: an artifact of `tests/build-fixtures` is copied.

use std::{
    collections::BTreeSet,
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    iter,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::support::{alone_with_cargo, done_within, fixture, root};

#[test]
fn every_command_of_the_readme_does_what_it_says() {
    work_through("README.md");
}

#[test]
fn every_command_of_the_book_does_what_it_says() {
    let pages: Vec<String> = pages().into_iter().filter(|page| page != "README.md" && page != PLUGIN_GUIDE).collect();
    for page in pages {
        work_through(&page);
    }
}

/// No command takes longer, on a machine that has others to do.
const LONGEST: Duration = Duration::from_secs(400);

/// This one builds a plugin.
const PLUGIN_GUIDE: &str = "docs/guides/write-a-plugin-in-rust.md";

#[test]
fn the_guide_to_a_plugin_works_as_it_is_written() {
    let _alone = alone_with_cargo();
    work_through(PLUGIN_GUIDE);
}

#[test]
fn every_page_is_in_the_summary_and_every_link_leads_somewhere() {
    let summary = fs::read_to_string(root().join("docs/SUMMARY.md")).expect("a summary");
    let mut wrong = Vec::new();
    for page in pages() {
        if let Some(name) = page.strip_prefix("docs/").filter(|name| *name != "SUMMARY.md")
            && !summary.contains(&format!("({name})"))
        {
            wrong.push(format!("{page} is not in docs/SUMMARY.md"));
        }
        let path = root().join(&page);
        for link in links(&fs::read_to_string(&path).expect("a page")) {
            let file = link.split('#').next().unwrap_or_default();
            let leads = file.is_empty() || path.parent().is_some_and(|folder| folder.join(file).exists());
            if !leads && !link.contains("://") {
                wrong.push(format!("{page}: {link} leads nowhere"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The README and the pages of the book, sorted.
fn pages() -> BTreeSet<String> {
    let mut found: BTreeSet<String> = ["README.md".to_owned(), "CONTRIBUTING.md".to_owned()].into();
    let mut open = vec![root().join("docs")];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if entry.is_dir() {
                open.push(entry);
            } else if entry.extension().is_some_and(|extension| extension == "md") {
                found.insert(entry.strip_prefix(root()).expect("below").to_string_lossy().into_owned());
            }
        }
    }
    found
}

/// The targets of inline links and images, outside of code.
fn links(text: &str) -> Vec<String> {
    let mut code = false;
    let prose = text.lines().filter(|line| {
        code ^= line.starts_with("```");
        !code
    });
    let mut found = Vec::new();
    for line in prose {
        found.extend(line.split("](").skip(1).filter_map(|rest| rest.split(')').next()).map(str::to_owned));
        found.extend(line.split("src=\"").skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned));
    }
    found
}

// What a page holds.

enum Step {
    /// Write this file.
    File { path: String, content: String },
    /// Copy this artifact.
    Fixture { name: String, path: String },
    /// Run this command; it ends with `exit` and prints `output`.
    Run { line: usize, command: String, exit: i32, output: Vec<String> },
}

fn steps(page: &str, text: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        if let Some(said) = line.strip_prefix("<!-- fixture ").and_then(|rest| rest.strip_suffix(" -->")) {
            let (name, path) = said.split_once(" at ").expect("fixture NAME at PATH");
            steps.push(Step::Fixture { name: name.to_owned(), path: path.to_owned() });
        }
        let fence = &line[..line.len() - line.trim_start_matches('`').len()];
        let Some(info) = line.strip_prefix(fence).filter(|info| fence.len() >= 3 && !info.is_empty()) else { continue };
        let block: Vec<(usize, &str)> = lines.by_ref().take_while(|(_, line)| *line != fence).collect();
        let (language, rest) = info.split_once(' ').unwrap_or((info, ""));
        if let Some(path) = rest.strip_prefix("file=") {
            let content = block.iter().flat_map(|(_, line)| [*line, "\n"]).collect();
            steps.push(Step::File { path: path.to_owned(), content });
        } else if language == "console" {
            if let Some(target) = rest.strip_prefix("needs=") {
                if !has_target(target) {
                    eprintln!("{page}:{}: not run, as there is no target {target}", at + 1);
                    continue;
                }
            } else if let Some(why) = rest.strip_prefix("norun") {
                assert!(why.starts_with(" (") && why.ends_with(')'), "{page}:{}: why is it not run?", at + 1);
                continue;
            }
            let exit = rest.strip_prefix("exit=").map_or(0, |code| code.parse().expect("a code"));
            commands(&block, exit, &mut steps);
        }
    }
    steps
}

/// Whether the toolchain can build for a target.
fn has_target(target: &str) -> bool {
    let rustc = Command::new("rustc").args(["--print", "sysroot"]).output().expect("rustc");
    Path::new(String::from_utf8_lossy(&rustc.stdout).trim()).join("lib/rustlib").join(target).join("lib").is_dir()
}

fn commands(block: &[(usize, &str)], exit: i32, steps: &mut Vec<Step>) {
    for (at, line) in block {
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step::Run { line: at + 1, command: command.to_owned(), exit, output: Vec::new() });
            continue;
        }
        let Some(Step::Run { command, output, .. }) = steps.last_mut() else {
            panic!("output before any command: {line}")
        };
        match command.strip_suffix('\\') {
            Some(begun) if output.is_empty() => *command = format!("{begun}{line}"),
            _ => output.push((*line).to_owned()),
        }
    }
}

// The folder that a page is worked through in.

struct Sandbox {
    page: String,
    /// The folder that holds the clone; pages call it `/home/you`.
    home: PathBuf,
    /// Where the reader is.
    cwd: PathBuf,
    /// What the page says, and what it stands for.
    stands_for: Vec<(String, String)>,
}

#[track_caller]
fn work_through(page: &str) {
    let text = fs::read_to_string(root().join(page)).expect("a page");
    let steps = steps(page, &text);
    if steps.is_empty() {
        return;
    }
    let mut sandbox = Sandbox::new(page);
    for step in &steps {
        match step {
            Step::File { path, content } => sandbox.write(path, sandbox.meant(content)),
            Step::Fixture { name, path } => sandbox.write(path, fs::read(fixture(name)).expect("an artifact")),
            Step::Run { line, command, exit, output } => sandbox.run(*line, command, *exit, output),
        }
    }
}

impl Sandbox {
    /// A folder with what a clone has. It stays after the test, for those who look, and goes before the next.
    fn new(page: &str) -> Self {
        // Not below this project's folder, whose workspace would claim a reader's crates; always the same, so that what is
        // built there stays fresh.
        let mut hasher = DefaultHasher::new();
        env!("CARGO_TARGET_TMPDIR").hash(&mut hasher);
        let base = std::env::temp_dir().join(format!("jackfield-documented-{:016x}", hasher.finish()));
        let home = base.join(page.replace(['/', '.'], "-"));
        if home.exists() {
            fs::remove_dir_all(&home).expect("removed");
        }
        let cwd = home.join("jackfield");
        fs::create_dir_all(home.join(".bin")).expect("made");
        fs::create_dir_all(&cwd).expect("made");
        symlink(env!("CARGO_BIN_EXE_jackfield"), home.join(".bin/jackfield")).expect("linked");
        for part in ["Cargo.toml", "Cargo.lock", "host", "plugin-api", "plugins"] {
            symlink(root().join(part), cwd.join(part)).expect("linked");
        }
        let examples = Command::new("cp").arg("-r").arg(root().join("examples")).arg(&cwd).status();
        assert!(examples.is_ok_and(|status| status.success()), "the examples cannot be copied");
        Self { page: page.to_owned(), home, cwd, stands_for: Vec::new() }
    }

    fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.cwd.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, content).expect("written");
    }

    /// A text of the page with the digests and runs that it stands for.
    fn meant(&self, text: &str) -> String {
        self.stands_for.iter().fold(text.to_owned(), |text, (said, meant)| text.replace(said, meant))
    }

    #[track_caller]
    fn run(&mut self, line: usize, command: &str, exit: i32, output: &[String]) {
        let place = format!("{}:{line}: `{command}`", self.page);
        // What a plugin is built of is built once for all tests.
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("documented/target");
        if self.cwd.join("Cargo.toml").exists() && self.cwd.join("target").symlink_metadata().is_err() {
            fs::create_dir_all(&target).expect("made");
            symlink(target, self.cwd.join("target")).expect("linked");
        }
        let meant = self.meant(command).replace("cargo run --release -- ", "jackfield ");
        let script = format!("exec 2>&1\n{meant}\ncode=$?\npwd >\"$HERE\"\nexit $code");
        let here = self.home.join(".here");
        let path = std::env::var("PATH").unwrap_or_default();
        let mut bash = Command::new("bash");
        bash.arg("-c").arg(script).current_dir(&self.cwd).env("HERE", &here);
        bash.env("PATH", format!("{}:{path}", self.home.join(".bin").display()));
        bash.envs([("NO_COLOR", "1"), ("COLUMNS", "100"), ("CARGO_NET_OFFLINE", "true"), ("CARGO_INCREMENTAL", "0")]);
        // What is built need not be fast: that it builds, and what it answers, is the question.
        bash.envs([("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0"), ("CARGO_PROFILE_RELEASE_BUILD_OVERRIDE_OPT_LEVEL", "0")]);
        bash.env("JACKFIELD_CACHE_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("documented/cache"));
        for name in
            ["JACKFIELD_LOG", "CARGO_TARGET_DIR", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WORKSPACE_WRAPPER"]
        {
            bash.env_remove(name);
        }
        let done = done_within(&mut bash, LONGEST);
        let said = done.stdout;
        assert_eq!(done.code, Some(exit), "{place} ended otherwise:\n{said}");
        self.cwd = PathBuf::from(fs::read_to_string(&here).expect("a folder").trim_end());
        if output.is_empty() {
            return;
        }

        let said = said.replace(&*self.home.to_string_lossy(), "/home/you");
        // How far a run has come, and what it waits for, is said when it takes its time, on a machine that has others to do.
        let is_talk = |line: &&str| {
            line.contains(" done, the last `") || line.starts_with("compiling ") || line.starts_with("waiting for ")
        };
        let said: Vec<String> = said.lines().filter(|line| !is_talk(line)).map(str::to_owned).collect();
        let (wanted, found) = (output.iter().map(|line| plain(line)), said.iter().map(|line| plain(line)));
        let (wanted, found): (Vec<_>, Vec<_>) = (wanted.collect(), found.collect());
        assert!(
            fits(&wanted, &found),
            "{place} prints something else.\n--- the page\n{}\n--- the program\n{}",
            output.join("\n"),
            said.join("\n")
        );
        let (shown, real) = (tokens(output), tokens(&said));
        assert!(shown.is_empty() || shown.len() == real.len(), "{place}: {shown:?} stands for {real:?}?");
        for (shown, real) in shown.into_iter().zip(real) {
            self.stands_for.retain(|(before, _)| *before != shown);
            self.stands_for.push((shown, real));
        }
    }
}

// How output is compared.

/// A line without what differs from run to run: times, digests, names of runs, and the width of columns.
fn plain(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some(next) = rest.chars().next() {
        let before = text.chars().next_back();
        let (length, stands) = match token(before, rest) {
            Some((length, stands)) => (length, stands.to_owned()),
            None => (next.len_utf8(), next.to_string()),
        };
        text.push_str(&stands);
        rest = &rest[length..];
    }
    let mut words: Vec<&str> = Vec::new();
    for word in text.split_whitespace() {
        let unit = word.trim_end_matches([',', '.', ')', ':']);
        let number = |word: &str| word.trim_start_matches('(').parse::<f64>().is_ok();
        if ["ms", "s"].contains(&unit) && words.last().is_some_and(|last| number(last)) {
            words.pop();
            words.push("TIME");
        } else {
            words.push(word);
        }
    }
    words.join(" ")
}

/// The digest, run or moment that a text begins with: its length, and what it is.
fn token(before: Option<char>, text: &str) -> Option<(usize, &'static str)> {
    if before.is_some_and(|before| before.is_ascii_alphanumeric()) {
        return None;
    }
    let hex = text.bytes().take_while(u8::is_ascii_hexdigit).count();
    if hex == 64 {
        return Some((hex, "DIGEST"));
    }
    for (shape, stands) in [("-00000000-000000-ffff", "RUN"), ("0000-00-00T00:00:00", "MOMENT")] {
        let name = match stands {
            "RUN" => text.bytes().take_while(u8::is_ascii_lowercase).count(),
            _ => 0,
        };
        let fits = |(byte, shape): (u8, u8)| match shape {
            b'0' => byte.is_ascii_digit(),
            b'f' => byte.is_ascii_hexdigit(),
            other => byte == other,
        };
        let rest = text.as_bytes().get(name..name + shape.len())?;
        if (name > 0 || stands == "MOMENT") && iter::zip(rest.iter().copied(), shape.bytes()).all(fits) {
            let length = name + shape.len();
            let fraction =
                text[length..].bytes().take_while(|byte| byte.is_ascii_digit() || b".Z".contains(byte)).count();
            return Some((if stands == "RUN" { length } else { length + fraction }, stands));
        }
    }
    None
}

/// The digests and names of runs in some lines, each once.
fn tokens(lines: &[String]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for line in lines {
        let mut before = None;
        let mut rest = line.as_str();
        while let Some(next) = rest.chars().next() {
            let length = match token(before, rest) {
                Some((length, stands)) => {
                    if stands != "MOMENT" && !found.iter().any(|token| token == &rest[..length]) {
                        found.push(rest[..length].to_owned());
                    }
                    length
                }
                None => next.len_utf8(),
            };
            before = rest[..length].chars().next_back();
            rest = &rest[length..];
        }
    }
    found
}

/// Whether lines are what the page shows.
fn fits(wanted: &[String], found: &[String]) -> bool {
    match (wanted.split_first(), found.split_first()) {
        (None, None) => true,
        (Some((dots, rest)), _) if dots == "..." => (0..=found.len()).any(|skipped| fits(rest, &found[skipped..])),
        (Some((wanted, rest)), Some((found, others))) => line_fits(wanted, found) && fits(rest, others),
        _ => false,
    }
}

fn line_fits(wanted: &str, found: &str) -> bool {
    match wanted.split_once("...") {
        None => wanted == found,
        Some((before, after)) => found.strip_prefix(before).is_some_and(|rest| {
            rest.char_indices().map(|(at, _)| at).chain([rest.len()]).any(|at| line_fits(after, &rest[at..]))
        }),
    }
}

#[test]
fn output_is_compared_as_the_pages_need_it() {
    let lines = |text: &str| text.lines().map(plain).collect::<Vec<_>>();
    let digest = "0123456789abcdef".repeat(4);
    assert_eq!(plain(&format!("sha256  {digest}")), "sha256 DIGEST");
    assert_eq!(plain("runs/a-20260131-142501-3f9a at 2026-01-31T14:25:01.123Z"), "runs/RUN at MOMENT");
    assert_eq!(plain("a   6  0.175 ms  1.5 s"), "a 6 TIME TIME");
    assert!(fits(&lines("a\n...\nd ... f"), &lines("a\nb\nc\nd e f")));
    assert!(fits(&lines("..."), &lines("")));
    assert!(!fits(&lines("a\n..."), &lines("b")));
    assert!(!fits(&lines("a"), &lines("a\nb")));
}

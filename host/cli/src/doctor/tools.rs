//! Checks of the tools that plugin authors build with. They are not needed to run pipelines.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::finding::{Finding, State};

/// How long a tool may take to print its version.
const TOOL_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) fn tools() -> Vec<Finding> {
    let mut findings = vec![
        version("cargo", &["--version"], "install Rust: https://rustup.rs"),
        version("rustc", &["--version"], "install Rust: https://rustup.rs"),
    ];
    findings.push(target());
    findings.push(version("python3", &["--version"], "install Python 3.10 or later: needed for plugins in Python"));
    findings.push(if output_of("python3", &["-c", "import venv, ensurepip"]).is_some() {
        Finding::ok("python3 venv", "there")
    } else {
        Finding::new("python3 venv", State::Missing, "not found").hint("apt-get install python3-venv")
    });
    findings.push(version(
        "node",
        &["--version"],
        "install Node.js 20 or later: needed for plugins in JavaScript and TypeScript",
    ));
    findings.push(version("npm", &["--version"], "install npm: it comes with Node.js"));
    findings.push(clang());
    findings.push(wasi_libc());
    findings
}

/// The version of a tool: the first line that it prints.
fn version(tool: &str, args: &[&str], hint: &str) -> Finding {
    match output_of(tool, args) {
        Some(version_text) => Finding::ok(tool, first_line(&version_text)),
        None => Finding::new(tool, State::Missing, "not found").hint(hint),
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim().to_owned()
}

/// The compiler that `./build` of a plugin in C uses: that of wasi-sdk where it is named, or else the newest clang that can build
/// for WebAssembly, or else Zig.
fn clang() -> Finding {
    if let Some(sdk) = std::env::var("WASI_SDK_PATH").ok().filter(|sdk| !sdk.is_empty()) {
        let compiler = format!("{sdk}/bin/clang");
        return match output_of(&compiler, &["--version"]) {
            Some(text) => Finding::ok("clang", format!("{}, as `{compiler}`", first_line(&text))),
            None => Finding::new(
                "clang",
                State::Missing,
                format!("WASI_SDK_PATH names `{sdk}`, and there is no `bin/clang` in it"),
            )
            .hint("set WASI_SDK_PATH to the folder of wasi-sdk, or unset it"),
        };
    }
    let hint = "apt-get install clang-22 wasi-libc libclang-rt-22-dev-wasm32: needed for plugins in C";
    let mut unusable = None;
    for name in clang_names() {
        let Some(version_text) = output_of(&name, &["--version"]) else { continue };
        let version = first_line(&version_text);
        if builds_for_wasm(&name) {
            return Finding::ok("clang", format!("{version}, as `{name}`"));
        }
        unusable.get_or_insert_with(|| format!("`{name}` is {version}, which cannot build for WebAssembly here"));
    }
    for zig in [&["zig", "version"] as &[&str], &["python3", "-m", "ziglang", "version"]] {
        if let Some(text) = output_of(zig[0], &zig[1..]) {
            return Finding::ok("clang", format!("Zig {}, as `{}`", first_line(&text), zig[..zig.len() - 1].join(" ")));
        }
    }
    Finding::new("clang", State::Missing, unusable.unwrap_or_else(|| "not found".to_owned())).hint(hint)
}

/// The names of the compilers: the one that `CLANG` names, or else those with a number, the newest first, and the one without.
fn clang_names() -> Vec<String> {
    if let Some(named) = std::env::var("CLANG").ok().filter(|named| !named.is_empty()) {
        return vec![named];
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let entries = std::env::split_paths(&path).flat_map(std::fs::read_dir).flatten().flatten();
    let number = |entry: std::fs::DirEntry| entry.file_name().to_str()?.strip_prefix("clang-")?.parse().ok();
    let numbers: BTreeSet<u32> = entries.filter_map(number).collect();
    let numbered = numbers.into_iter().rev().map(|number| format!("clang-{number}"));
    numbered.chain(["clang".to_owned()]).collect()
}

/// Whether a compiler finds the headers of wasi-libc, and has its own library for WebAssembly.
fn builds_for_wasm(clang: &str) -> bool {
    ["wasm32-wasip1", "wasm32-wasi", "wasm32-wasip2"].iter().any(|target| {
        let target = format!("--target={target}");
        let output_with = |arguments: &[&str]| output_of(clang, &[&[&*target, "-Wno-deprecated"], arguments].concat());
        let library = output_with(&["-print-libgcc-file-name"]);
        library.is_some_and(|path| Path::new(path.trim()).is_file())
            && output_with(&["-include", "stdlib.h", "-x", "c", "-fsyntax-only", "/dev/null"]).is_some()
    })
}

fn target() -> Finding {
    const NAME: &str = "wasm32-unknown-unknown";
    let sysroot = output_of("rustc", &["--print", "sysroot"]);
    let there = sysroot.is_some_and(|path| Path::new(path.trim()).join("lib/rustlib").join(NAME).is_dir());
    if there {
        Finding::ok(NAME, "there")
    } else {
        Finding::new(NAME, State::Missing, "not installed").hint(format!("rustup target add {NAME}"))
    }
}

fn wasi_libc() -> Finding {
    let named = ["WASI_SYSROOT", "WASI_SDK_PATH"].into_iter().filter_map(std::env::var_os).map(PathBuf::from);
    let usual = ["/usr", "/opt/wasi-sdk", "/usr/share/wasi-sysroot"].map(PathBuf::from);
    let has = |root: &PathBuf| {
        ["lib/wasm32-wasi/libc.a", "lib/wasm32-wasip1/libc.a", "share/wasi-sysroot/lib/wasm32-wasi/libc.a"]
            .iter()
            .any(|file| root.join(file).is_file())
    };
    match named.chain(usual).find(has) {
        Some(root) => Finding::ok("wasi-libc", format!("in `{}`", root.display())),
        None => Finding::new("wasi-libc", State::Missing, "not found")
            .hint("apt-get install wasi-libc, or set WASI_SYSROOT to where it is"),
    }
}

/// What a tool prints, or none if it cannot be started, fails or does not end in time.
fn output_of(tool: &str, args: &[&str]) -> Option<String> {
    let mut command = Command::new(tool);
    let mut child =
        command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    let began = Instant::now();
    loop {
        match child.try_wait().ok()? {
            Some(status) if status.success() => break,
            Some(_) => return None,
            None if began.elapsed() > TOOL_TIMEOUT => {
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
            None => thread::sleep(Duration::from_millis(5)),
        }
    }
    // The tool has ended, so its output fits into the pipe.
    Some(String::from_utf8_lossy(&child.wait_with_output().ok()?.stdout).into_owned())
}

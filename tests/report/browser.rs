//! A page in Chromium, without a screen.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::{CommandOutput, run_command};

/// Chromium, or a program that is the same under another name.
fn chromium() -> PathBuf {
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found =
        std::env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name))).find(|file| file.is_file());
    found.expect("chromium: tests/run installs it (Debian's package chromium)")
}

/// How a page is looked at.
pub struct View<'a> {
    pub picture: &'a str,
    pub window: (u32, u32),
    pub is_dark: bool,
}

/// Where pictures go: they are for people to look at.
pub fn pictures() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report");
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// Opens a page, writes a picture of it, and gives what the document is once its script has run.
#[track_caller]
pub fn look(page: &Path, view: &View<'_>) -> String {
    let profile = tempfile::tempdir().expect("a folder");
    let picture = pictures().join(view.picture);
    let _ = fs::remove_file(&picture);
    let (width, height) = view.window;
    // The scheme: 0 is dark, 1 is light.
    let scheme = format!("--blink-settings=preferredColorScheme={}", u8::from(!view.is_dark));
    let mut command = Command::new(chromium());
    command
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage"])
        .args(["--no-first-run", "--disable-background-networking", "--disable-extensions", "--enable-logging=stderr"])
        .args([&scheme, "--virtual-time-budget=1000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("--window-size={width},{height}"))
        .arg(format!("--screenshot={}", picture.display()))
        .arg(format!("file://{}", page.display()));
    let CommandOutput { stdout, stderr, .. } = run_command(&mut command).expect_code(0);
    let said: Vec<&str> = stderr.lines().filter(|line| line.contains("CONSOLE")).collect();
    assert!(said.is_empty(), "the page complains: {said:#?}");
    let size = fs::metadata(&picture).map(|file| file.len()).unwrap_or_default();
    assert!(size > 10_000, "no picture was taken: {stderr}");
    stdout
}

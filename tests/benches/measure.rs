//! Clocks and gauges.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// CPU time of this process so far, all threads, to 10 ms.
pub fn cpu() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").expect("/proc");
    let fields: Vec<&str> = stat.rsplit(')').next().expect("fields").split_whitespace().collect();
    let ticks: u64 = fields[11..13].iter().map(|ticks| ticks.parse::<u64>().expect("ticks")).sum();
    Duration::from_millis(ticks * 10)
}

/// The most memory that this process has held, in MiB.
pub fn peak_mib() -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("/proc");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("a peak");
    let kib: f64 = line.split_whitespace().nth(1).expect("a number").parse().expect("a number");
    kib / 1024.0
}

/// CPU time of `work` a unit, of which it does `units`; repeated until it has taken long enough to be told from noise.
pub fn cpu_per_unit(units: u64, mut work: impl FnMut()) -> Duration {
    work();
    let (began, mut rounds) = (cpu(), 0);
    while cpu() - began < Duration::from_millis(1500) {
        work();
        rounds += 1;
    }
    (cpu() - began) / u32::try_from(rounds * units).expect("a count")
}

/// The median wall time of `work`, over enough rounds.
pub fn median(mut work: impl FnMut()) -> Duration {
    for _ in 0..3 {
        work();
    }
    let began = Instant::now();
    let mut times = Vec::new();
    while times.len() < 15 || (began.elapsed() < Duration::from_millis(600) && times.len() < 20_000) {
        let start = Instant::now();
        work();
        times.push(start.elapsed());
    }
    times.sort_unstable();
    times[times.len() / 2]
}

/// Runs this program again with other arguments; gives what it prints.
pub fn again(arguments: &[&str]) -> String {
    said(Command::new(std::env::current_exe().expect("a path")).args(arguments))
}

/// How long a new process takes to load a plugin file; what it compiles is kept in `cache`.
pub fn load_again(path: &Path, cache: &Path) -> String {
    let mut command = Command::new(std::env::current_exe().expect("a path"));
    said(command.arg("--load").arg(path).env("JACKFIELD_CACHE_DIR", cache))
}

fn said(command: &mut Command) -> String {
    let output = command.stderr(Stdio::inherit()).output().expect("started");
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

pub fn shown(time: Duration) -> String {
    let micros = time.as_secs_f64() * 1e6;
    match micros {
        micros if micros >= 10_000.0 => format!("{:.0} ms", micros / 1000.0),
        micros if micros >= 1000.0 => format!("{:.1} ms", micros / 1000.0),
        micros if micros >= 10.0 => format!("{micros:.0} us"),
        micros => format!("{micros:.2} us"),
    }
}

pub fn ratio(time: Duration, base: Duration) -> String {
    let ratio = time.as_secs_f64() / base.as_secs_f64().max(1e-12);
    if ratio >= 10.0 { format!("{ratio:.0}x") } else { format!("{ratio:.2}x") }
}

pub fn heading(title: &str, columns: &[&str]) {
    println!("\n### {title}\n\n| {} |", columns.join(" | "));
    println!("|{}", " --- |".repeat(columns.len()));
}

pub fn row(cells: &[String]) {
    println!("| {} |", cells.join(" | "));
}

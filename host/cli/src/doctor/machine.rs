//! Checks of the program, and of the machine that it runs on.

use std::{
    env, fs,
    thread::available_parallelism,
    time::{Instant, SystemTime},
};

use jackfield_loader::{
    compiled_components, probe_components,
    sandbox::{size, usual_memory_total},
};
use jackfield_plugin_api::{MemoryBound, PROTOCOL, memory_bounds};

use super::finding::{Finding, State};
use crate::{
    table::{counted, ms},
    terminal::terminal,
};

/// How many files a run with many workers, plugins and connections may have open.
const FILES: u64 = 1024;

pub(super) fn program() -> Vec<Finding> {
    vec![
        Finding::ok("version", env!("CARGO_PKG_VERSION")),
        Finding::ok("protocol", format!("{}.{}", PROTOCOL.0, PROTOCOL.1)),
        compiled_plugins(),
        components(),
    ]
}

/// The folder of compiled components.
fn compiled_plugins() -> Finding {
    let name = "compiled plugins";
    let hint = "set JACKFIELD_CACHE_DIR to a folder of your own";
    match compiled_components() {
        None => Finding::new(name, State::Warning, "not kept: components are compiled at each start").hint(hint),
        Some(found) => {
            let at = found.folder.display();
            match found.unusable {
                Some((why, fix)) => {
                    let finding = Finding::new(name, State::Warning, format!("`{at}` {why}"));
                    finding.hint(fix.unwrap_or_else(|| hint.to_owned()))
                }
                None => {
                    let (files, held, most) = (counted(found.files, "file"), size(found.bytes), size(found.most));
                    Finding::ok(name, format!("`{at}`: {files}, {held} of {most}"))
                }
            }
        }
    }
}

fn components() -> Finding {
    match probe_components() {
        Ok(took) => Finding::ok("components", format!("compile and run, in {}", ms(took.as_secs_f64() * 1000.0))),
        Err(why) => Finding::new("components", State::Broken, why)
            .hint("sandboxed plugins need memory that may be executed, and address space: look at `ulimit -v` and at the container's limits"),
    }
}

pub(super) fn machine() -> Vec<Finding> {
    let cpus = available_parallelism().map_or(1, usize::from);
    vec![
        Finding::ok("platform", format!("{}-{}", env::consts::ARCH, env::consts::OS)),
        Finding::ok("processors", cpus.to_string()),
        clock(),
        open_files(),
        memory(),
        Finding::ok("plugin memory", usual_memory_total().to_string()),
        terminal_finding(),
    ]
}

/// The clock is read at every call, so a slow one makes runs slower.
fn clock() -> Finding {
    let source = fs::read_to_string("/sys/devices/system/clocksource/clocksource0/current_clocksource");
    let source = source.map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned());
    const READS: u32 = 1000;
    let began = Instant::now();
    (0..READS).for_each(|_| _ = Instant::now());
    let each = began.elapsed() / READS;
    let detail = format!("{source}, {} ns a reading", each.as_nanos());
    let unset =
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(true, |since| since.as_secs() < 1_577_836_800);
    if unset {
        Finding::new("clock", State::Warning, format!("{detail}; the date is before 2020"))
            .hint("set the clock: certificates of servers will seem invalid, and kept values expired")
    } else if each.as_nanos() > 1000 {
        Finding::new("clock", State::Warning, detail).hint("this clock is slow: `tsc` or `kvm-clock` is faster")
    } else {
        Finding::ok("clock", detail)
    }
}

fn open_files() -> Finding {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    match line.and_then(|line| line.split_whitespace().next()) {
        Some("unlimited") => Finding::ok("open files", "unlimited"),
        Some(limit) if limit.parse::<u64>().is_ok_and(|limit| limit < FILES) => {
            Finding::new("open files", State::Warning, format!("at most {limit}"))
                .hint(format!("raise it with `ulimit -n {FILES}` or more"))
        }
        Some(limit) => Finding::ok("open files", format!("at most {limit}")),
        None => Finding::new("open files", State::Warning, "the limit is unknown"),
    }
}

/// The memory that is left for models which run in the process.
fn memory() -> Finding {
    match memory_bounds().into_iter().min_by_key(MemoryBound::left) {
        Some(bound) => Finding::ok("memory", format!("left are {bound}")),
        None => Finding::new("memory", State::Warning, "the system does not say how much there is"),
    }
}

fn terminal_finding() -> Finding {
    let terminal = terminal();
    let detail = match (terminal.interactive(), terminal.color()) {
        (true, true) => "yes, with colours",
        (true, false) => "yes, without colours",
        (false, _) => "no: progress is shown in plain lines",
    };
    Finding::ok("terminal", detail)
}

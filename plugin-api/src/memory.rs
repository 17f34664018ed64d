//! What bounds the memory of this process, and sizes as people write them. For models that run in the process, and for hosts:
//! they have to know beforehand whether the gigabytes that they take are available.

use std::{fmt, fs, path::Path};

/// What bounds the memory of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MemoryBoundKind {
    /// The memory of the machine.
    Machine,
    /// The limit of a control group (`memory.max`, `memory.high`, `memory.limit_in_bytes`) that the process is in.
    ControlGroup,
    /// The limit on the address space (`ulimit -v`).
    AddressSpace,
}

impl MemoryBoundKind {
    /// Its name, in lower-case words joined by hyphens.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Machine => "machine",
            Self::ControlGroup => "control-group",
            Self::AddressSpace => "address-space",
        }
    }
}

/// A bound on the memory of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryBound {
    /// What it is.
    pub kind: MemoryBoundKind,
    /// How many bytes there may be.
    pub limit: u64,
    /// How many of them are taken, whoever took them. Files that the system keeps in memory and can let go of do not count.
    pub used: u64,
}

impl MemoryBound {
    /// How many bytes are left.
    #[must_use]
    pub const fn left(&self) -> u64 {
        self.limit.saturating_sub(self.used)
    }
}

impl fmt::Display for MemoryBound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whose = match self.kind {
            MemoryBoundKind::Machine => "that the machine has",
            MemoryBoundKind::ControlGroup => "that the control group allows",
            MemoryBoundKind::AddressSpace => "of address space that are allowed (`ulimit -v`)",
        };
        write!(f, "{} of the {} {whose}", format_size(self.left()), format_size(self.limit))
    }
}

/// Each bound on the memory of this process that is known, as of now: none where the system does not say (only Linux is
/// asked). A control group and those around it are bounds of their own.
#[must_use]
pub fn memory_bounds() -> Vec<MemoryBound> {
    let groups = read("/proc/self/cgroup");
    let mut bounds = in_control_groups(&groups, Path::new("/sys/fs/cgroup"));
    bounds.extend(in_meminfo(&read("/proc/meminfo")));
    if let Some(limit) = address_space_limit() {
        let used = in_kib(&read("/proc/self/status"), "VmSize:").unwrap_or(0);
        bounds.push(MemoryBound { kind: MemoryBoundKind::AddressSpace, limit, used });
    }
    bounds
}

/// The limit on this process's address space (`ulimit -v`) in bytes, if there is one.
#[must_use]
pub fn address_space_limit() -> Option<u64> {
    in_limits(&read("/proc/self/limits"))
}

/// How much memory this process takes (its resident set).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryUse {
    /// How many bytes it takes now.
    pub now: u64,
    /// The most bytes that it has taken so far.
    pub peak: u64,
}

/// How much memory this process takes; none where the system does not say (only Linux is asked).
#[must_use]
pub fn memory_use() -> Option<MemoryUse> {
    let status = read("/proc/self/status");
    Some(MemoryUse { now: in_kib(&status, "VmRSS:")?, peak: in_kib(&status, "VmHWM:")? })
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// From `/proc/self/limits`.
fn in_limits(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The memory of the machine, from `/proc/meminfo`.
fn in_meminfo(text: &str) -> Option<MemoryBound> {
    let limit = in_kib(text, "MemTotal:")?;
    let free = in_kib(text, "MemAvailable:").unwrap_or(limit);
    Some(MemoryBound { kind: MemoryBoundKind::Machine, limit, used: limit.saturating_sub(free) })
}

fn in_kib(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The limits of the control groups that a process is in, of version 1 or 2, and of those around them. The first argument is
/// `/proc/self/cgroup`: `NUMBER:CONTROLLERS:/PATH`, a line a hierarchy, where that of version 2 names no controllers.
fn in_control_groups(groups: &str, root: &Path) -> Vec<MemoryBound> {
    let mut bounds = Vec::new();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        let (root, files) = if controllers.is_empty() {
            (root.to_owned(), GROUP_FILES_OF_VERSION_2)
        } else if controllers.split(',').any(|controller| controller == "memory") {
            (root.join("memory"), GROUP_FILES_OF_VERSION_1)
        } else {
            continue;
        };
        // Within a container the path may be that of the host, which does not exist here: the root is then the container's own.
        let inside = Path::new(path.trim_start_matches('/'));
        bounds.extend(inside.ancestors().filter_map(|folder| in_control_group(&root.join(folder), files)));
    }
    bounds
}

/// Where a control group keeps what is known of its memory.
#[derive(Clone, Copy)]
struct GroupFiles {
    /// The files of its limits.
    limits: &'static [&'static str],
    /// The file of what is used.
    used: &'static str,
    /// The entry of `memory.stat` for what is used and can be freed at any time.
    idle: &'static str,
}

const GROUP_FILES_OF_VERSION_1: GroupFiles =
    GroupFiles { limits: &["memory.limit_in_bytes"], used: "memory.usage_in_bytes", idle: "total_inactive_file" };

const GROUP_FILES_OF_VERSION_2: GroupFiles =
    GroupFiles { limits: &["memory.max", "memory.high"], used: "memory.current", idle: "inactive_file" };

fn in_control_group(folder: &Path, files: GroupFiles) -> Option<MemoryBound> {
    let text = |name: &str| fs::read_to_string(folder.join(name)).ok();
    // Without a limit, version 2 has `max`, and version 1 a number that is larger than any memory.
    let limit = files.limits.iter().filter_map(|name| text(name)?.trim().parse::<u64>().ok()).min()?;
    let used = text(files.used).and_then(|text| text.trim().parse::<u64>().ok()).unwrap_or(0);
    let stat = text("memory.stat").unwrap_or_default();
    let idle =
        stat.lines().find_map(|line| line.strip_prefix(files.idle)?.strip_prefix(' ')?.trim().parse::<u64>().ok());
    Some(MemoryBound { kind: MemoryBoundKind::ControlGroup, limit, used: used.saturating_sub(idle.unwrap_or(0)) })
}

/// A size as people write it: the largest binary unit that it reaches, to one place.
#[must_use]
pub fn format_size(bytes: u64) -> String {
    let units = [("GiB", 1_u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match units.into_iter().find(|(_, unit)| bytes >= *unit) {
        Some((name, unit)) if bytes.is_multiple_of(unit) => format!("{} {name}", bytes / unit),
        Some((name, unit)) => format!("{:.1} {name}", bytes as f64 / unit as f64),
        None => format!("{bytes} B"),
    }
}

/// Reads `256MiB`, `10 MB`, `4096`; in bytes.
///
/// # Errors
/// What is wrong with it, as a fragment of a sentence.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text.find(|char: char| !char.is_ascii_digit() && char != '.' && char != '_').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number = number.replace('_', "");
    let unit = unit.trim();
    let factor: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        "kib" | "k" => 1 << 10,
        "mib" | "m" => 1 << 20,
        "gib" | "g" => 1 << 30,
        "tib" | "t" => 1 << 40,
        _ => return Err(format!("unknown unit `{unit}`")),
    };
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(factor).ok_or_else(|| "too large".to_owned());
    }
    match number.parse::<f64>() {
        Ok(value) if value * (factor as f64) < u64::MAX as f64 => Ok((value * factor as f64) as u64),
        Ok(_) => Err("too large".to_owned()),
        Err(_) => Err("not a number".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_of_control_groups_are_found_in_both_versions_with_what_is_taken() {
        let root = std::env::temp_dir().join(format!("jackfield-memory-{}", std::process::id()));
        let write = |name: &str, text: &str| {
            let path = root.join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, text).expect("written");
        };
        let found = |groups: &str| -> Vec<(u64, u64)> {
            let bounds = in_control_groups(groups, &root);
            assert!(bounds.iter().all(|bound| bound.kind == MemoryBoundKind::ControlGroup));
            bounds.iter().map(|bound| (bound.limit, bound.used)).collect()
        };
        assert_eq!(found("0::/system.slice/run.scope\n"), []);
        write("system.slice/run.scope/memory.max", "max\n");
        assert_eq!(found("0::/system.slice/run.scope\n"), []);
        write("system.slice/memory.max", "3000000\n");
        assert_eq!(found("0::/system.slice/run.scope\n"), [(3_000_000, 0)], "a group around it");
        write("system.slice/run.scope/memory.high", "2000000\n");
        write("system.slice/run.scope/memory.current", "700000\n");
        write("system.slice/run.scope/memory.stat", "anon 500000\ninactive_file 200000\n");
        assert_eq!(found("0::/system.slice/run.scope\n"), [(2_000_000, 500_000), (3_000_000, 0)]);
        write("memory/memory.limit_in_bytes", "9223372036854771712\n");
        write("memory/docker/7f/memory.limit_in_bytes", "1000000\n");
        write("memory/docker/7f/memory.usage_in_bytes", "400000\n");
        write("memory/docker/7f/memory.stat", "inactive_file 1\ntotal_inactive_file 100000\n");
        let first = "12:cpu,cpuacct:/docker/7f\n7:memory:/docker/7f\n0::/\n";
        assert_eq!(found(first)[0], (1_000_000, 300_000));
        assert_eq!(found("7:memory:/not/here\n"), [(9_223_372_036_854_771_712, 0)]);
        assert_eq!(found("nonsense\n"), []);
        fs::remove_dir_all(&root).expect("removed");
    }

    #[test]
    fn what_the_system_says_is_read() {
        let machine = in_meminfo("MemTotal:       24609820 kB\nMemAvailable: 1000 kB\n").expect("both are there");
        assert_eq!((machine.limit, machine.left()), (24_609_820 * 1024, 1_024_000));
        let limits = |space: &str| in_limits(&format!("Max cpu time unlimited\nMax address space   {space}   bytes\n"));
        assert_eq!(limits("4096  8192"), Some(4096));
        assert_eq!(limits("unlimited unlimited"), None);
        assert_eq!(in_limits(""), None);
        if cfg!(target_os = "linux") {
            assert!(memory_bounds().iter().any(|bound| bound.kind == MemoryBoundKind::Machine && bound.used > 0));
            let memory = memory_use().expect("Linux says so");
            assert!(0 < memory.now && memory.now <= memory.peak);
        }
    }

    #[test]
    fn a_bound_says_what_is_left_of_what() {
        let bound = MemoryBound { kind: MemoryBoundKind::ControlGroup, limit: 2 << 30, used: 512 << 20 };
        assert_eq!(bound.to_string(), "1.5 GiB of the 2 GiB that the control group allows");
        assert_eq!(MemoryBound { used: 3 << 30, ..bound }.left(), 0);
    }
}

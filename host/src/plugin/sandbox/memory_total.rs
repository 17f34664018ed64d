//! How much memory the instances of a run may take together, where nobody says: half of what this process can have.

use std::{fs, path::Path, sync::OnceLock};

use super::limits::size;

/// What is assumed of a system that does not say how much memory it has (only Linux is asked).
const UNKNOWN: u64 = 4 << 30;

/// The share of the instances of sandboxed plugins; the rest is for the host, its documents and its caches.
const SHARE: u64 = 2;

/// What the memory of this process is bounded by most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bound {
    Machine,
    ControlGroup,
    AddressSpace,
    Unknown,
}

/// The memory that all instances of a run may take together, and where the figure comes from.
#[derive(Clone, Copy, Debug)]
pub struct MemoryTotal {
    /// In bytes.
    pub bytes: u64,
    of: (Bound, u64),
}

impl MemoryTotal {
    /// Whether it is the limit on the address space that decides.
    pub(crate) fn is_of_address_space(&self) -> bool {
        self.of.0 == Bound::AddressSpace
    }
}

impl std::fmt::Display for MemoryTotal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let whose = match self.of.0 {
            Bound::Machine => "of the machine",
            Bound::ControlGroup => "that the control group allows",
            Bound::AddressSpace => "of address space that are left (`ulimit -v`)",
            Bound::Unknown => "that are assumed, since the system does not say",
        };
        write!(f, "{}, half of the {} {whose}", size(self.bytes), size(self.of.1))
    }
}

/// The usual total: a share of the least of the machine's memory, the limit of the control group and what is left of that
/// on the address space. Looked up once.
#[must_use]
pub fn usual() -> MemoryTotal {
    static USUAL: OnceLock<MemoryTotal> = OnceLock::new();
    *USUAL.get_or_init(|| {
        let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| in_meminfo(&text));
        of_least(machine, of_control_groups(&groups, Path::new("/sys/fs/cgroup")), addresses_left())
    })
}

fn of_least(machine: Option<u64>, group: Option<u64>, address_space: Option<u64>) -> MemoryTotal {
    let bounds =
        [(Bound::Machine, machine), (Bound::ControlGroup, group), (Bound::AddressSpace, address_space)].into_iter();
    let known = bounds.filter_map(|(bound, bytes)| Some((bound, bytes?)));
    let of = known.min_by_key(|(_, bytes)| *bytes).unwrap_or((Bound::Unknown, UNKNOWN));
    MemoryTotal { bytes: of.1 / SHARE, of }
}

/// The limit on this process's address space (`ulimit -v`), if there is one.
#[cfg(unix)]
#[must_use]
pub(crate) fn address_space() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::As).current
}

#[cfg(not(unix))]
pub(crate) fn address_space() -> Option<u64> {
    None
}

/// What the limit on the address space leaves: the program itself, its threads and its libraries have taken their part.
fn addresses_left() -> Option<u64> {
    let taken = fs::read_to_string("/proc/self/status").ok().and_then(|text| in_kib(&text, "VmSize:")).unwrap_or(0);
    Some(address_space()?.saturating_sub(taken))
}

/// The memory of the machine, from `/proc/meminfo`.
fn in_meminfo(text: &str) -> Option<u64> {
    in_kib(text, "MemTotal:")
}

fn in_kib(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The least limit of the control groups that this process is in, of version 1 or 2, and of those around them. The first
/// argument is `/proc/self/cgroup`: `NUMBER:CONTROLLERS:/PATH`, a line a hierarchy, where that of version 2 names no
/// controllers.
fn of_control_groups(groups: &str, root: &Path) -> Option<u64> {
    let mut least: Option<u64> = None;
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        let (root, files): (_, &[&str]) = if controllers.is_empty() {
            (root.to_owned(), &["memory.max", "memory.high"])
        } else if controllers.split(',').any(|controller| controller == "memory") {
            (root.join("memory"), &["memory.limit_in_bytes"])
        } else {
            continue;
        };
        // Within a container the path may be that of the host, which is not there: the root is the container's own then.
        let inside = Path::new(path.trim_start_matches('/'));
        for folder in inside.ancestors().map(|folder| root.join(folder)) {
            for file in files {
                // Without a limit, version 2 says `max`; version 1 says a number that is beyond all memory.
                let limit = fs::read_to_string(folder.join(file)).ok().and_then(|text| text.trim().parse::<u64>().ok());
                least = least.into_iter().chain(limit).min();
            }
        }
    }
    least
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    #[test]
    fn it_is_half_of_the_least_that_is_known() {
        let told = |machine, group, space| of_least(machine, group, space).to_string();
        let lines = [
            told(Some(16 * GIB), None, None),
            told(Some(16 * GIB), Some(u64::MAX), Some(20 * GIB)),
            told(Some(16 * GIB), Some(2 * GIB), Some(4 * GIB)),
            told(Some(16 * GIB), Some(8 * GIB), Some(3 * GIB)),
            told(None, None, None),
        ];
        insta::assert_snapshot!(lines.join("\n"), @r"
        8 GiB, half of the 16 GiB of the machine
        8 GiB, half of the 16 GiB of the machine
        1 GiB, half of the 2 GiB that the control group allows
        1.5 GiB, half of the 3 GiB of address space that are left (`ulimit -v`)
        2 GiB, half of the 4 GiB that are assumed, since the system does not say
        ");
        assert_eq!(in_meminfo("MemTotal:       24609820 kB\nMemFree: 1 kB\n"), Some(24_609_820 * 1024));
        assert!(usual().bytes > 0);
    }

    #[test]
    fn the_limits_of_control_groups_are_found_in_both_versions() {
        let root = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, text).expect("written");
        };
        let limit = |groups: &str| of_control_groups(groups, root.path());
        assert_eq!(limit("0::/system.slice/run.scope\n"), None);
        write("system.slice/run.scope/memory.max", "max\n");
        assert_eq!(limit("0::/system.slice/run.scope\n"), None);
        write("system.slice/memory.max", "3000000\n");
        assert_eq!(limit("0::/system.slice/run.scope\n"), Some(3_000_000), "a group around it");
        write("system.slice/run.scope/memory.high", "2000000\n");
        assert_eq!(limit("0::/system.slice/run.scope\n"), Some(2_000_000));
        write("memory/memory.limit_in_bytes", "9223372036854771712\n");
        write("memory/docker/7f/memory.limit_in_bytes", "1000000\n");
        let first = "12:cpu,cpuacct:/docker/7f\n7:memory:/docker/7f\n0::/\n";
        assert_eq!(limit(first), Some(1_000_000));
        assert_eq!(limit("7:memory:/not/here\n"), Some(9_223_372_036_854_771_712));
        assert_eq!(limit("nonsense\n"), None);
    }
}

//! The memory that the instances of a run may take together unless the pipeline says otherwise: half of what this process can
//! have.

use std::sync::OnceLock;

use jackfield_plugin_api::{MemoryBound, MemoryBoundKind, memory_bounds};

use super::size;

/// The memory that is assumed, in bytes, where the system does not say (only Linux is asked).
const UNKNOWN: u64 = 4 << 30;

/// The memory is divided by this for the instances of sandboxed plugins; the rest is for the host, its documents and its
/// caches.
const SHARE: u64 = 2;

/// The memory that all instances of a run may take together, and where the figure comes from.
#[derive(Clone, Copy, Debug)]
pub struct MemoryTotal {
    /// In bytes.
    pub bytes: u64,
    /// The bound of which it is a share, in bytes, and its kind; no kind if the system does not say.
    bound: (Option<MemoryBoundKind>, u64),
}

impl MemoryTotal {
    /// Whether it follows from the limit on the address space.
    pub fn is_of_address_space(&self) -> bool {
        self.bound.0 == Some(MemoryBoundKind::AddressSpace)
    }
}

impl std::fmt::Display for MemoryTotal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let origin = match self.bound.0 {
            Some(MemoryBoundKind::Machine) => "of the machine",
            Some(MemoryBoundKind::ControlGroup) => "that the control group allows",
            Some(MemoryBoundKind::AddressSpace) => "of address space that are left (`ulimit -v`)",
            _ => "that are assumed, since the system does not say",
        };
        write!(f, "{}, half of the {} {origin}", size(self.bytes), size(self.bound.1))
    }
}

/// The usual total: a share of the least of the machine's memory, the limit of the control group and what is left of that
/// on the address space. Looked up once.
#[must_use]
pub fn usual() -> MemoryTotal {
    static USUAL: OnceLock<MemoryTotal> = OnceLock::new();
    *USUAL.get_or_init(|| half_of_least(&memory_bounds()))
}

fn half_of_least(bounds: &[MemoryBound]) -> MemoryTotal {
    let known = bounds.iter().map(|bound| match bound.kind {
        // The program, its threads and its libraries have used a part of it already.
        MemoryBoundKind::AddressSpace => (Some(bound.kind), bound.left()),
        _ => (Some(bound.kind), bound.limit),
    });
    let bound = known.min_by_key(|(_, bytes)| *bytes).unwrap_or((None, UNKNOWN));
    MemoryTotal { bytes: bound.1 / SHARE, bound }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    #[test]
    fn it_is_half_of_the_least_that_is_known() {
        let description = |machine: Option<u64>, group: Option<u64>, space: Option<(u64, u64)>| {
            let bound = |kind, limit, used| MemoryBound { kind, limit, used };
            let bounds = [
                machine.map(|limit| bound(MemoryBoundKind::Machine, limit, limit / 2)),
                group.map(|limit| bound(MemoryBoundKind::ControlGroup, limit, limit / 2)),
                space.map(|(limit, used)| bound(MemoryBoundKind::AddressSpace, limit, used)),
            ];
            half_of_least(&bounds.into_iter().flatten().collect::<Vec<_>>()).to_string()
        };
        let lines = [
            description(Some(16 * GIB), None, None),
            description(Some(16 * GIB), Some(u64::MAX), Some((21 * GIB, GIB))),
            description(Some(16 * GIB), Some(2 * GIB), Some((5 * GIB, GIB))),
            description(Some(16 * GIB), Some(8 * GIB), Some((4 * GIB, GIB))),
            description(None, None, None),
        ];
        insta::assert_snapshot!(lines.join("\n"), @r"
        8 GiB, half of the 16 GiB of the machine
        8 GiB, half of the 16 GiB of the machine
        1 GiB, half of the 2 GiB that the control group allows
        1.5 GiB, half of the 3 GiB of address space that are left (`ulimit -v`)
        2 GiB, half of the 4 GiB that are assumed, since the system does not say
        ");
        assert!(usual().bytes > 0);
    }
}

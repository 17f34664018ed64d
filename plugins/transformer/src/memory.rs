//! Memory is reserved before it is taken: the weights of a model when it is opened, and what a batch needs when it begins.
//! What a reservation is held against is the least that is left of the machine's memory, of the control group's limit, of the
//! limit on the address space, and of what the model itself may have.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use jackfield_plugin_api::{MemoryBound, MemoryBoundKind, memory_bounds, size_text};

/// Left untouched of each bound of the process, for what is not reserved: a sixteenth of it, and no more than this.
const MARGIN: u64 = 256 << 20;

/// What all models of this process hold.
static HELD: Mutex<Held> = Mutex::new(Held { reserved: 0, before: None });

struct Held {
    /// How many bytes are reserved now.
    reserved: u64,
    /// Of each bound, how many bytes were taken when nothing was reserved. What is reserved is taken as time goes on: until
    /// then, the system does not count it.
    before: Option<HashMap<(MemoryBoundKind, u64), u64>>,
}

/// What a model may have. Models of one process share what the process may have.
#[derive(Debug)]
pub struct MemoryBudget {
    most: Option<u64>,
    held: Mutex<u64>,
    bounds: fn() -> Vec<MemoryBound>,
}

/// Memory that is reserved, until this is dropped.
#[derive(Debug)]
pub struct Reservation {
    budget: Arc<MemoryBudget>,
    bytes: u64,
}

/// There is less memory left than is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryShort {
    /// How many bytes are needed.
    pub needed: u64,
    /// How many are left.
    pub left: u64,
    /// Of how many.
    pub limit: u64,
    /// What bounds them; the model's own option `memory` if it is none of the process.
    pub bound: Option<MemoryBoundKind>,
}

impl MemoryBudget {
    /// What a model may have at most in bytes, weights and all; without it, as much as the process may have.
    #[must_use]
    pub fn new(most: Option<u64>) -> Arc<Self> {
        Arc::new(Self { most, held: Mutex::new(0), bounds: memory_bounds })
    }

    /// How many bytes are reserved.
    #[must_use]
    pub fn held(&self) -> u64 {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reserves memory, all of it or none.
    ///
    /// # Errors
    /// [`MemoryShort`] if there is less.
    pub fn reserve(self: &Arc<Self>, bytes: u64) -> Result<Reservation, MemoryShort> {
        let mut all = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let bounds = (self.bounds)();
        if all.reserved == 0 {
            all.before = Some(bounds.iter().map(|bound| ((bound.kind, bound.limit), bound.used)).collect());
        }
        let own = self.most.map(|limit| (None, limit, *held));
        let of_process = bounds.iter().map(|bound| {
            let before = all.before.as_ref().and_then(|before| before.get(&(bound.kind, bound.limit)));
            let filled = before.map_or(0, |before| before.saturating_add(all.reserved));
            let margin = MARGIN.min(bound.limit / 16);
            (Some(bound.kind), bound.limit, bound.used.max(filled).saturating_add(margin))
        });
        let least = own.into_iter().chain(of_process).min_by_key(|(_, limit, used)| limit.saturating_sub(*used));
        if let Some((bound, limit, used)) = least {
            let left = limit.saturating_sub(used);
            if bytes > left {
                return Err(MemoryShort { needed: bytes, left, limit, bound });
            }
        }
        all.reserved = all.reserved.saturating_add(bytes);
        *held = held.saturating_add(bytes);
        Ok(Reservation { budget: Arc::clone(self), bytes })
    }
}

impl Reservation {
    /// How many bytes are reserved.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut all = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        let mut held = self.budget.held.lock().unwrap_or_else(PoisonError::into_inner);
        all.reserved = all.reserved.saturating_sub(self.bytes);
        *held = held.saturating_sub(self.bytes);
    }
}

impl fmt::Display for MemoryShort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whose = match self.bound {
            None => "that the model may have (`memory`)",
            Some(MemoryBoundKind::ControlGroup) => "that the control group allows",
            Some(MemoryBoundKind::AddressSpace) => "of address space that are allowed (`ulimit -v`)",
            Some(_) => "that the machine has",
        };
        let [needed, left, limit] = [self.needed, self.left, self.limit].map(size_text);
        write!(f, "{needed} are needed, and {left} are left of the {limit} {whose}")
    }
}

impl std::error::Error for MemoryShort {}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn group() -> Vec<MemoryBound> {
        vec![
            MemoryBound { kind: MemoryBoundKind::Machine, limit: 1 << 40, used: 0 },
            MemoryBound { kind: MemoryBoundKind::ControlGroup, limit: 1600 * MIB, used: 400 * MIB },
        ]
    }

    // One test: what is reserved is counted for the whole process.
    #[test]
    fn no_more_is_reserved_than_is_left_of_the_least_bound_by_all_models_together() {
        let budget = |most| Arc::new(MemoryBudget { most, held: Mutex::new(0), bounds: group });
        let (first, second) = (budget(None), budget(Some(200 * MIB)));
        let weights = first.reserve(600 * MIB).expect("there is room");
        let short = first.reserve(501 * MIB).expect_err("there is not");
        assert_eq!((short.left, short.bound), (500 * MIB, Some(MemoryBoundKind::ControlGroup)));
        assert_eq!(
            short.to_string(),
            "501 MiB are needed, and 500 MiB are left of the 1.6 GiB that the control group allows"
        );
        let other = second.reserve(150 * MIB).expect("there is room");
        let short = second.reserve(51 * MIB).expect_err("it may have no more");
        assert_eq!(short, MemoryShort { needed: 51 * MIB, left: 50 * MIB, limit: 200 * MIB, bound: None });
        assert!(first.reserve(351 * MIB).is_err() && first.reserve(350 * MIB).is_ok());
        assert_eq!((first.held(), second.held(), other.bytes()), (600 * MIB, 150 * MIB, 150 * MIB));
        drop((weights, other));
        assert_eq!((first.held(), second.held()), (0, 0));
        assert!(first.reserve(1100 * MIB).is_ok());
    }
}

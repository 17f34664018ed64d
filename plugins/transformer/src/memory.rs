//! Reserves memory before it is allocated: for the weights of a model when it is opened, and for a batch when it begins.
//! What a reservation is held against is the least that is left of the machine's memory, of the control group's limit, of the
//! limit on the address space, and of what the model itself may have.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

use jackfield_plugin_api::{MemoryBound, MemoryBoundKind, format_size, memory_bounds, sync::lock};

/// Left untouched of each bound of the process, for what is not reserved: a sixteenth of it, and no more than this.
const MARGIN: u64 = 256 << 20;

/// The memory that all models of this process have reserved.
static HELD: Mutex<ProcessMemory> = Mutex::new(ProcessMemory { reserved: 0, passing: 0, most: 0, before: None });

/// Something was given back.
static GIVEN_BACK: Condvar = Condvar::new();

struct ProcessMemory {
    /// How many bytes are reserved now.
    reserved: u64,
    /// How many of them are given back when what is computed now is done.
    passing: u64,
    /// The most that were reserved so far.
    most: u64,
    /// Of each bound, how many bytes were taken when nothing was reserved. What is reserved is taken as time goes on: until
    /// then, the system does not count it.
    before: Option<HashMap<(MemoryBoundKind, u64), u64>>,
}

/// What a model may have. Models of one process share what the process may have.
#[derive(Debug)]
pub struct MemoryBudget {
    most: Option<u64>,
    held: Mutex<ModelMemory>,
    bounds: fn() -> Vec<MemoryBound>,
}

/// The memory that one model has reserved, in bytes.
#[derive(Clone, Copy, Debug, Default)]
struct ModelMemory {
    lasting: u64,
    passing: u64,
}

impl ModelMemory {
    const fn all(self) -> u64 {
        self.lasting.saturating_add(self.passing)
    }
}

/// Memory that is reserved, until this is dropped.
#[derive(Debug)]
pub struct Reservation {
    budget: Arc<MemoryBudget>,
    bytes: u64,
    /// Whether it is held as long as the model is, as weights are.
    lasting: bool,
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
        Arc::new(Self { most, held: Mutex::default(), bounds: memory_bounds })
    }

    /// How many bytes are reserved.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.lock().all()
    }

    fn lock(&self) -> MutexGuard<'_, ModelMemory> {
        lock(&self.held)
    }

    /// Reserves memory for as long as the model is there, all of it or none.
    ///
    /// # Errors
    /// [`MemoryShort`] if there is less.
    pub fn reserve(self: &Arc<Self>, bytes: u64) -> Result<Reservation, MemoryShort> {
        let mut reservation = Reservation { budget: Arc::clone(self), bytes: 0, lasting: true };
        reservation.resize(bytes).map(|()| reservation)
    }

    /// The same, for what other models of this process compute to be done where that gives back enough.
    ///
    /// # Errors
    /// [`MemoryShort`] if there is less even then.
    pub(crate) fn reserve_waiting(self: &Arc<Self>, bytes: u64) -> Result<Reservation, MemoryShort> {
        loop {
            match self.reserve(bytes) {
                Err(_) if self.short_even_alone(bytes).is_none() && self.wait_for_others() => {}
                // Others may have given back all they had before it was asked whether they have any.
                Err(_) => return self.reserve(bytes),
                reserved => return reserved,
            }
        }
    }

    /// A reservation for what is computed: empty, to be [resized](Reservation::resize).
    #[must_use]
    pub fn passing(self: &Arc<Self>) -> Reservation {
        Reservation { budget: Arc::clone(self), bytes: 0, lasting: false }
    }

    /// How many bytes there can be for what is computed, with nothing else computed and nobody else having taken more since
    /// the first model was opened; if that is less than what is needed.
    #[must_use]
    pub fn short_even_alone(&self, needed: u64) -> Option<MemoryShort> {
        let all = held();
        let held = self.lock();
        let own = self.most.map(|limit| (None, limit, held.lasting));
        let lasting = all.reserved.saturating_sub(all.passing);
        let of_process = (self.bounds)().into_iter().map(|bound| {
            let before = all.before_of(&bound).unwrap_or(bound.used);
            (Some(bound.kind), bound.limit, before.saturating_add(lasting).saturating_add(margin(&bound)))
        });
        find_shortage(needed, own.into_iter().chain(of_process))
    }

    /// Waits until another model of this process gives memory back. False, at once, if none has any to give back.
    pub fn wait_for_others(&self) -> bool {
        let all = held();
        let others = all.passing.saturating_sub(self.lock().passing);
        if others == 0 {
            return false;
        }
        drop(GIVEN_BACK.wait(all).unwrap_or_else(PoisonError::into_inner));
        true
    }
}

fn held() -> MutexGuard<'static, ProcessMemory> {
    lock(&HELD)
}

fn margin(bound: &MemoryBound) -> u64 {
    MARGIN.min(bound.limit / 16)
}

/// Whether more is needed than the least of some bounds leaves: what each is, its limit, and what of it is taken.
fn find_shortage(
    needed: u64,
    bounds: impl Iterator<Item = (Option<MemoryBoundKind>, u64, u64)>,
) -> Option<MemoryShort> {
    let left = bounds.map(|(bound, limit, taken)| (bound, limit, limit.saturating_sub(taken)));
    let (bound, limit, left) = left.min_by_key(|(.., left)| *left)?;
    (needed > left).then_some(MemoryShort { needed, left, limit, bound })
}

impl ProcessMemory {
    fn before_of(&self, bound: &MemoryBound) -> Option<u64> {
        self.before.as_ref()?.get(&(bound.kind, bound.limit)).copied()
    }

    /// Models were read, and nothing was computed yet: what is taken beyond what is reserved for them, such as what the
    /// allocator keeps of buffers that they were read into, stays.
    fn count_what_loading_left(&mut self, bounds: &[MemoryBound]) {
        for bound in bounds {
            let beyond = bound.used.saturating_sub(self.reserved);
            if let Some(before) = self.before.as_mut().and_then(|all| all.get_mut(&(bound.kind, bound.limit))) {
                *before = beyond.max(*before);
            }
        }
    }

    /// What is taken of a bound, and what is left untouched of it.
    fn taken(&self, bound: &MemoryBound) -> u64 {
        let margin = margin(bound);
        let filled = self.before_of(bound).map_or(0, |before| before.saturating_add(self.reserved));
        // What was given back, the allocator may keep for the next time.
        let kept_by_allocator = self.most.saturating_sub(self.reserved);
        bound.used.saturating_sub(kept_by_allocator).max(filled).saturating_add(margin)
    }
}

impl Reservation {
    /// How many bytes are reserved.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Reserves more, or gives some back. What is reserved stays as it is if there is less than is needed.
    ///
    /// # Errors
    /// [`MemoryShort`] if there is less.
    pub fn resize(&mut self, bytes: u64) -> Result<(), MemoryShort> {
        let mut all = held();
        let mut held = self.budget.lock();
        let more = bytes.saturating_sub(self.bytes);
        if more > 0 {
            let bounds = (self.budget.bounds)();
            if all.reserved == 0 {
                let before = bounds.iter().map(|bound| ((bound.kind, bound.limit), bound.used)).collect();
                (all.before, all.most) = (Some(before), 0);
            } else if all.most == all.reserved && all.passing == 0 {
                all.count_what_loading_left(&bounds);
            }
            let own = self.budget.most.map(|limit| (None, limit, held.all()));
            let of_process = bounds.iter().map(|bound| (Some(bound.kind), bound.limit, all.taken(bound)));
            if let Some(short) = find_shortage(more, own.into_iter().chain(of_process)) {
                let left = short.left.saturating_add(self.bytes);
                return Err(MemoryShort { needed: bytes, left, ..short });
            }
        }
        let part = if self.lasting { &mut held.lasting } else { &mut held.passing };
        let change = |counter: &mut u64| *counter = counter.saturating_sub(self.bytes).saturating_add(bytes);
        change(part);
        change(&mut all.reserved);
        if !self.lasting {
            change(&mut all.passing);
        }
        all.most = all.most.max(all.reserved);
        if bytes < self.bytes {
            GIVEN_BACK.notify_all();
        }
        self.bytes = bytes;
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        // Giving back never fails.
        let _ = self.resize(0);
    }
}

impl MemoryShort {
    /// How to have more, as what somebody is told to do.
    #[must_use]
    pub const fn advice(&self) -> &'static str {
        match self.bound {
            None => "raise `memory`",
            Some(MemoryBoundKind::ControlGroup) => "give the control group (the container) more",
            Some(MemoryBoundKind::AddressSpace) => "raise the limit (`ulimit -v`)",
            Some(_) => "take a machine with more, or end what else runs on it",
        }
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
        let [needed, left, limit] = [self.needed, self.left, self.limit].map(format_size);
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
        let budget = |most| Arc::new(MemoryBudget { most, held: Mutex::default(), bounds: group });
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
        // What is computed is given back, so that others can wait for it.
        let mut batch = second.passing();
        assert!(!first.wait_for_others(), "nobody computes");
        batch.resize(50 * MIB).expect("there is room");
        assert!(!second.wait_for_others(), "it would wait for itself");
        let waiting = std::thread::spawn({
            let first = Arc::clone(&first);
            move || {
                while first.reserve(350 * MIB).is_err() {
                    first.wait_for_others();
                }
            }
        });
        assert!(batch.resize(51 * MIB).is_err() && batch.bytes() == 50 * MIB);
        assert_eq!(second.short_even_alone(50 * MIB), None);
        let never = second.short_even_alone(51 * MIB).expect("it has 200 MiB, and 150 of them are weights");
        assert_eq!((never.left, never.bound), (50 * MIB, None));
        let never = first.short_even_alone(351 * MIB).expect("weights of both stay");
        assert_eq!((never.left, never.bound), (350 * MIB, Some(MemoryBoundKind::ControlGroup)));
        batch.resize(1).expect("less is always there");
        drop(batch);
        waiting.join().expect("it does not panic");
        drop((weights, other));
        assert_eq!((first.held(), second.held()), (0, 0));
        assert!(first.reserve(1100 * MIB).is_ok());
    }
}

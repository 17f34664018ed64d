//! The clocks and the random numbers of WASI. Without a grant, asking for them ends the call, and the failure names what was
//! asked for and the grant: a time that stands still or a number that is always the same would be taken for the real one.
//!
//! While an instance is set up there is neither time nor chance, and yet an answer, because the start of a language's own library asks
//! for both by habit, in programs that have no use for them: the clocks stand still, and the numbers are the same every time.

use std::sync::Arc;

use jackfield_plugin_api::Failure;
use wasmtime::component::{HasSelf, Linker, Resource};
use wasmtime_wasi::{
    clocks::WasiClocksView as _,
    p2::{
        DynPollable,
        bindings::{
            clocks::{
                monotonic_clock::{self, Instant},
                wall_clock::{self, Datetime},
            },
            random::{insecure, random},
        },
    },
    random::WasiRandomView as _,
};

use super::state::State;
use crate::sandbox::Permission;

/// How far an instance has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// It is made, or describes what it offers.
    SettingUp,
    /// The extension is opened. Python's own library draws its seed when a component is first called.
    Opening,
    /// It answers.
    Answering,
}

/// Puts these clocks and random numbers in place of those of WASI.
pub(super) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    wall_clock::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
    monotonic_clock::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
    random::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
    insecure::add_to_linker::<_, HasSelf<State>>(linker, |state| state)
}

impl State {
    /// Checks a grant from a phase on.
    ///
    /// # Errors
    /// If it is not granted; the failure of the call is noted.
    fn check_granted(&mut self, permission: &Permission, from: Phase, asked_for: &str) -> wasmtime::Result<()> {
        let grants = Arc::clone(self.grants());
        if self.phase < from || grants.allows(permission) {
            return Ok(());
        }
        let denial = grants.denial(permission);
        let what = if grants.asks(permission) {
            format!("it asked for {asked_for}, and {denial}")
        } else {
            format!("it asked for {asked_for}, and {denial}: its author has to ask for it there, with the reason")
        };
        self.denied = Some(Failure::Internal(what));
        Err(wasmtime::Error::msg("not granted"))
    }

    fn check_clock(&mut self, asked_for: &str) -> wasmtime::Result<()> {
        self.check_granted(&Permission::Clock, Phase::Opening, asked_for)
    }

    fn check_random(&mut self, asked_for: &str) -> wasmtime::Result<()> {
        self.check_granted(&Permission::Random, Phase::Answering, asked_for)
    }
}

impl wall_clock::Host for State {
    fn now(&mut self) -> wasmtime::Result<Datetime> {
        self.check_clock("the time of day (`wasi:clocks/wall-clock` `now`)")?;
        wall_clock::Host::now(&mut self.clocks())
    }

    fn resolution(&mut self) -> wasmtime::Result<Datetime> {
        wall_clock::Host::resolution(&mut self.clocks())
    }
}

impl monotonic_clock::Host for State {
    fn now(&mut self) -> wasmtime::Result<Instant> {
        self.check_clock("the time that passes (`wasi:clocks/monotonic-clock` `now`)")?;
        monotonic_clock::Host::now(&mut self.clocks())
    }

    fn resolution(&mut self) -> wasmtime::Result<Instant> {
        monotonic_clock::Host::resolution(&mut self.clocks())
    }

    // Waiting tells nobody the time, and has a limit of its own.
    fn subscribe_instant(&mut self, when: Instant) -> wasmtime::Result<Resource<DynPollable>> {
        monotonic_clock::Host::subscribe_instant(&mut self.clocks(), when)
    }

    fn subscribe_duration(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        monotonic_clock::Host::subscribe_duration(&mut self.clocks(), when)
    }
}

impl random::Host for State {
    fn get_random_bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        self.check_random("random bytes (`wasi:random/random` `get-random-bytes`)")?;
        random::Host::get_random_bytes(self.random(), length)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        self.check_random("a random number (`wasi:random/random` `get-random-u64`)")?;
        random::Host::get_random_u64(self.random())
    }
}

impl insecure::Host for State {
    fn get_insecure_random_bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        self.check_random("random bytes (`wasi:random/insecure` `get-insecure-random-bytes`)")?;
        insecure::Host::get_insecure_random_bytes(self.random(), length)
    }

    fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        self.check_random("a random number (`wasi:random/insecure` `get-insecure-random-u64`)")?;
        insecure::Host::get_insecure_random_u64(self.random())
    }
}

//! The surroundings of a component, by way of WASI: by default there is nothing at all.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use jackfield_plugin_api::{Failure, Random, Result};
use wasmtime_wasi::{FsPerms, HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxBuilder};

use super::{
    bridge::Bridge,
    output::GuestOutput,
    scratch::{Scratch, ScratchFolder, ScratchFolders},
};
use crate::sandbox::{GrantedFolder, Grants, Permission};

/// WASI for one instance, and the folders that go with it.
pub(super) struct World {
    pub(super) wasi: WasiCtx,
    pub(super) grants: Arc<Grants>,
    pub(super) scratch: Scratch,
}

impl World {
    /// WASI with what was granted, and nothing else: without grants there are no files, no environment and no sockets, clocks
    /// stand still, and random numbers are the same every time, where they are given at all. What the guest writes to its output
    /// and its errors goes to the log.
    ///
    /// # Errors
    /// If the folder of a grant cannot be opened.
    pub(super) fn new(grants: &Arc<Grants>, scratch: ScratchFolders, bridge: &Arc<Bridge>) -> Result<Self> {
        let mut builder = WasiCtx::builder();
        builder.stdout(GuestOutput::of_output(bridge)).stderr(GuestOutput::of_errors(bridge));
        if !grants.allows(&Permission::Clock) {
            builder.wall_clock(Still).monotonic_clock(Still);
        } else {
            builder.wall_clock(SinceEpoch);
        }
        if !grants.allows(&Permission::Random) {
            builder.insecure_random_seed(0).secure_random(seeded()).insecure_random(seeded());
        }
        for name in grants.variables() {
            if let Ok(value) = std::env::var(name) {
                builder.env(name, value);
            }
        }
        open_folders(&mut builder, grants, &scratch)?;
        Ok(Self { wasi: builder.build(), grants: Arc::clone(grants), scratch: Scratch::new(scratch) })
    }
}

/// Makes the scratch folders that were granted without the path of a folder. Together they may hold `most` bytes; `lasts` says
/// whether they outlive one guest.
///
/// # Errors
/// If one cannot be made.
pub(super) fn scratch_folders(grants: &Grants, most: u64, lasts: bool) -> Result<ScratchFolders> {
    let without_path = grants.folders().filter(|folder| folder.path.is_none());
    ScratchFolders::new(without_path.map(|folder| guest_path(folder.name)), most, lasts)
        .map_err(|error| Failure::Unavailable(format!("no scratch folder can be made: {error}")))
}

/// The path of the folder of a grant, as the guest sees it.
fn guest_path(name: &str) -> String {
    format!("/{name}")
}

/// Opens the folders of the grants. WASI follows no link and no `..` out of them.
fn open_folders(builder: &mut WasiCtxBuilder, grants: &Grants, scratch: &ScratchFolders) -> Result<()> {
    for GrantedFolder { name, path, is_writable } in grants.folders() {
        let permissions = if is_writable { FsPerms::ReadWrite } else { FsPerms::ReadOnly };
        let guest_path = guest_path(name);
        let Some(path) = path.or_else(|| scratch.get(&guest_path).map(ScratchFolder::path)) else { continue };
        builder.preopened_dir(path, guest_path, permissions).map_err(|error| {
            let word = if is_writable { "scratch" } else { "read" };
            Failure::InvalidConfig(format!("`{word}:{name}` is granted, but `{}`: {error:#}", path.display()))
        })?;
    }
    Ok(())
}

fn seeded() -> impl rand_core::Rng + Send + 'static {
    Seeded(Random::new(0))
}

struct Seeded(Random);

impl rand_core::TryRng for Seeded {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok((self.0.next_u64() >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(self.0.next_u64())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.0.next_u64().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// The machine's clock; one that stands before 1970 stands at 1970, where WASI begins.
struct SinceEpoch;

impl HostWallClock for SinceEpoch {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }

    fn now(&self) -> Duration {
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
    }
}

struct Still;

impl HostWallClock for Still {
    fn resolution(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn now(&self) -> Duration {
        Duration::ZERO
    }
}

impl HostMonotonicClock for Still {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        0
    }
}

//! Loading: the bytes of a component become a plugin.

use std::{path::Path, sync::Arc, time::Duration};

use jackfield_plugin_api::{Failure, Instance, Kind, PROTOCOL, Result as CallResult};
use wasmtime::component::{Component, Linker, types::ComponentItem};
use wasmtime_wasi::p2::bindings::filesystem::{preopens, types};

use super::{
    clocks_and_chance,
    compile::{self, NotCompiled},
    convert,
    engine::{engine, is_out_of_memory, no_memory_left},
    exports::{CACHE_BACKEND, Prepared},
    health::Health,
    instance::{Guest, OwnedLimits, in_time, instantiate, trapped},
    proposals::{Reason, core_module, reason},
    scratch::{CountedFilesystem, sweep},
    state::State,
    v0_1::CachePlugin as GuestWorld,
    world::{World, scratch_folders},
};
use crate::{
    Digest, ExtensionEntry, ExtensionFactory, LoadError, escape_untrusted, no_thread,
    sandbox::{Grant, Grants, Limits},
};

/// A loaded component: the protocol that it speaks and what it offers.
pub(crate) struct Loaded {
    pub(crate) protocol: (u16, u16),
    pub(crate) extensions: Vec<ExtensionEntry>,
}

/// The most extensions that a component may offer: the descriptors of all of them are checked at each load.
const MOST_EXTENSIONS: usize = 1000;

/// The limits of a component while it describes what it offers.
fn limits_to_describe() -> Limits {
    let (time, wall) = (Duration::from_secs(10), Duration::from_secs(120));
    Limits { time, wall, memory: 256 << 20, host_calls: 100, output: 16 << 20, ..Limits::default() }
}

/// Loads a component from the bytes of its file.
pub(crate) fn load(
    alias: &str,
    granted: &[Grant],
    path: &Path,
    bytes: &[u8],
    digest: &Digest,
) -> Result<Loaded, LoadError> {
    // The layer field is 1 in a component and 0 in a core module.
    match bytes.get(4..8) {
        None => {
            return Err(LoadError::Damaged {
                path: path.to_owned(),
                what: format!("it ends after {} bytes", bytes.len()),
            });
        }
        Some([_, _, 0, 0]) => {
            let (found, fix) = core_module(bytes);
            return Err(LoadError::NotAComponent { path: path.to_owned(), found, fix });
        }
        Some(_) => {}
    }
    sweep();
    let (prepared, protocol) = prepare(alias, path, bytes, digest, false)?;
    let wrong =
        |what: String| LoadError::Descriptor { path: path.to_owned(), what: escape_untrusted(&what).into_owned() };
    let failed = |what: String| LoadError::Failed { path: path.to_owned(), what };
    let described = block_on(describe(&prepared)).map_err(failed)?.map_err(|failure| failed(failure.to_string()))?;
    if described.len() > MOST_EXTENSIONS {
        return Err(wrong(format!("it offers {} extensions, more than {MOST_EXTENSIONS}", described.len())));
    }
    let mut extensions = Vec::new();
    let source: Arc<Source> = Arc::new(Source {
        alias: alias.to_owned(),
        path: path.to_owned(),
        bytes: bytes.into(),
        digest: digest.clone(),
        prepared,
    });
    for descriptor in described {
        if let Some(descriptor) = convert::descriptor(descriptor).map_err(wrong)? {
            let (kind, name) = (descriptor.kind, descriptor.name.clone());
            if kind == Kind::CacheBackend && !source.prepared.has_cache() {
                return Err(wrong(format!(
                    "it offers the cache backend `{name}` and does not export `{CACHE_BACKEND}`, by which one is called: \
                     build it for the world `cache-plugin`"
                )));
            }
            let grants = Arc::new(Grants::effective(alias, &descriptor, granted));
            let factory = Arc::new(Sandboxed { kind, name, source: Arc::clone(&source), grants: Arc::clone(&grants) });
            extensions.push(ExtensionEntry { descriptor: Arc::new(descriptor), factory, grants });
        }
    }
    Ok(Loaded { protocol, extensions })
}

async fn describe(prepared: &Prepared) -> CallResult<Vec<super::v0_1::jackfield::plugin::types::Descriptor>> {
    let limits = limits_to_describe();
    let bridge = Arc::default();
    in_time(&limits, &bridge, async {
        let owned = OwnedLimits { limits: &limits, owner: None };
        let grants = Arc::new(Grants::default());
        let world = World::new(&grants, scratch_folders(&grants, limits.scratch, false)?, &bridge)?;
        let (mut store, plugin) = instantiate(prepared, owned, world, &bridge).await?;
        let described = plugin.meta.call_describe(&mut store).await;
        described.map_err(|error| trapped(&error, &store, owned))
    })
    .await?
}

/// Compiles and links a component, and reads the protocol that it speaks, without running anything.
fn prepare(
    alias: &str,
    path: &Path,
    bytes: &[u8],
    digest: &Digest,
    counts_fuel: bool,
) -> Result<(Prepared, (u16, u16)), LoadError> {
    let failed = |what: String| LoadError::Failed { path: path.to_owned(), what };
    let no_entry = |what: String| LoadError::NoEntry { path: path.to_owned(), what };
    let engine = engine(counts_fuel).map_err(failed)?;
    let component = compile::compile(engine, alias, bytes, digest).map_err(|error| not_loaded(path, bytes, error))?;
    let protocol = protocol(path, &component)?;
    let mut linker = Linker::<State>::new(engine);
    let linked = wasmtime_wasi::p2::add_to_linker_async(&mut linker)
        .and_then(|()| link_guarded(&mut linker))
        .and_then(|()| GuestWorld::add_to_linker::<_, wasmtime::component::HasSelf<_>>(&mut linker, |state| state));
    linked.map_err(|error| failed(format!("{error:#}")))?;
    let instance = linker
        .instantiate_pre(&component)
        .map_err(|error| no_entry(format!("it asks for what no plugin gets: {}", first_line(&format!("{error:#}")))))?;
    let prepared = Prepared::new(instance).map_err(|error| {
        no_entry(format!("its exports are not those of the contract: {}", first_line(&format!("{error:#}"))))
    })?;
    Ok((prepared, protocol))
}

/// The error of loading a file whose component was not compiled.
pub(super) fn not_loaded(path: &Path, bytes: &[u8], error: NotCompiled) -> LoadError {
    let path = path.to_owned();
    match error {
        NotCompiled::Invalid(error) if is_out_of_memory(&error) => LoadError::Failed { path, what: no_memory_left() },
        NotCompiled::Invalid(error) => {
            let error = first_line(&format!("{error:#}"));
            match reason(bytes) {
                Reason::Missing { what, fix } => LoadError::Unsupported { path, what, fix },
                Reason::Damaged => LoadError::Damaged { path, what: format!("it is not a valid component: {error}") },
                Reason::BeyondLimits => LoadError::TooCostly {
                    path,
                    what: format!("it is valid, and beyond what this host takes: {error}"),
                },
            }
        }
        NotCompiled::NoThread(error) => LoadError::Failed { path, what: no_thread(&error) },
        NotCompiled::TooCostly(what) => LoadError::TooCostly { path, what },
    }
}

/// Puts files that are counted, and clocks and random numbers that have to be granted, in place of those of WASI.
fn link_guarded(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    preopens::add_to_linker::<_, CountedFilesystem>(linker, State::counted_files)?;
    types::add_to_linker::<_, CountedFilesystem>(linker, State::counted_files)?;
    clocks_and_chance::link(linker)?;
    linker.allow_shadowing(false);
    Ok(())
}

/// The version of the contract that a component exports, read from its type.
fn protocol(path: &Path, component: &Component) -> Result<(u16, u16), LoadError> {
    let engine = component.engine();
    let (mut spoken, mut others) = (Vec::new(), Vec::new());
    for (name, item) in component.component_type().exports(engine) {
        let versioned = name.strip_prefix("jackfield:plugin/").and_then(|rest| rest.split_once('@'));
        let numbers = versioned.and_then(|(_, version)| {
            let mut parts = version.split('.');
            Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
        });
        match numbers {
            Some(found) => spoken.push(found),
            None => others.push(match item.ty {
                ComponentItem::ComponentInstance(_) => format!("interface `{}`", escape_untrusted(name)),
                _ => format!("`{}`", escape_untrusted(name)),
            }),
        }
    }
    // A plugin may speak several versions: one that this host serves is enough.
    if spoken.contains(&PROTOCOL) {
        return Ok(PROTOCOL);
    }
    if let Some(found) = spoken.first().copied() {
        let fix = if found > PROTOCOL {
            "a newer jackfield is needed"
        } else {
            "rebuild it against a newer jackfield-plugin-api"
        };
        let served = format!("{}.{}", PROTOCOL.0, PROTOCOL.1);
        return Err(LoadError::Protocol { path: path.to_owned(), found, served, fix });
    }
    let what = if others.is_empty() { "nothing".to_owned() } else { others.join(", ") };
    Err(LoadError::NoEntry {
        path: path.to_owned(),
        what: format!("it exports {what}, and no `jackfield:plugin` interface"),
    })
}

fn first_line(text: &str) -> String {
    escape_untrusted(&text.lines().next().unwrap_or_default().chars().take(300).collect::<String>()).into_owned()
}

/// Waits for a future on a small runtime of its own, since a plugin is loaded before the runtime of the run exists.
fn block_on<T>(future: impl Future<Output = T>) -> Result<T, String> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    Ok(runtime.block_on(future))
}

/// A component, which all its extensions share.
struct Source {
    alias: String,
    path: std::path::PathBuf,
    bytes: Arc<[u8]>,
    digest: Digest,
    prepared: Prepared,
}

/// Makes instances of one extension of a component.
struct Sandboxed {
    kind: Kind,
    name: String,
    source: Arc<Source>,
    grants: Arc<Grants>,
}

impl ExtensionFactory for Sandboxed {
    fn open(&self, config: &str, limits: &Limits) -> CallResult<Arc<dyn Instance>> {
        let source = &self.source;
        let prepared = if limits.fuel.is_some() {
            // Only code that is compiled for it counts its instructions.
            let prepared = prepare(&source.alias, &source.path, &source.bytes, &source.digest, true);
            prepared.map_err(|error| Failure::Internal(error.to_string()))?.0
        } else {
            source.prepared.clone()
        };
        let (config, limits) = (config.to_owned(), limits.clone());
        let grants = Arc::clone(&self.grants);
        let scratch =
            (self.kind == Kind::CacheBackend).then(|| scratch_folders(&grants, limits.scratch, true)).transpose()?;
        let mut guest = Guest {
            prepared,
            kind: self.kind,
            name: self.name.clone(),
            config,
            limits,
            grants,
            health: Health::default(),
            scratch,
            is_durable: false,
        };
        block_on(guest.try_open()).map_err(Failure::Internal)??;
        Ok(Arc::new(guest))
    }
}

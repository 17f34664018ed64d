//! The tensors of a run that travel by reference: each a file that is called as the SHA-256 of its bytes.
//!
//! ```text
//! runs/<run>/blobs/<sha256>    elements, 32-bit floats, little-endian, without any header
//! ```
//!
//! A run without a record keeps them in memory. A file is there as a whole or not at all, and before anything names it. What
//! was made or read lately is shared by all who read it; the rest is read again, and held to its digest. What a call made and
//! no answer names is taken away when nobody holds it any more.

mod held;
mod look;
mod writer;

use std::{
    collections::{BTreeMap, HashMap},
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use jackfield_plugin_api::{ElementType, Failure, TensorRef, to_hex};
use sha2::{Digest as _, Sha256};

use super::{
    StoreError,
    atomic::{Durable, write_held},
    plain::{self, make_folder},
    references::{BlobKey, NamedTensor},
};
use jackfield_loader::sandbox::size;

pub use held::HeldTensors;
pub(super) use look::{BlobCheck, Look};
pub use writer::BlobWriter;

/// Name of the folder in that of a run.
pub(super) const BLOBS: &str = "blobs";
/// How much of what nobody reads at the moment stays in memory, in bytes.
const KEPT: u64 = 256 << 20;
/// So much may gather, beyond what was held and kept when last looked at, before what nobody holds is let go, in bytes.
const UNSWEPT: u64 = 64 << 20;
/// Elements that are hashed, read or written at a time.
const PIECE: usize = 16 << 10;
/// So many elements of a tensor that is being made gather in memory before they are written.
const IN_MEMORY: usize = 64 << 10;
/// Tensors that are written or read at the same time.
const LANES: usize = 16;

/// Why a tensor could not be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    #[error(
        "the tensors of the run would take {}, beyond its limit of {}; `[pipeline] tensor_storage = \"…\"` allows more",
        size(*all), size(*most)
    )]
    Beyond { all: u64, most: u64 },
    #[error("`{}` is missing: go on with the run (--resume), and it is made again", path.display())]
    Missing { path: PathBuf },
    #[error("`{}` is damaged, {what}: go on with the run (--resume), and it is made again", path.display())]
    Damaged { path: PathBuf, what: &'static str },
    #[error("it has {there} elements, not {wanted}")]
    Elements { there: u64, wanted: u64 },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<BlobError> for Failure {
    fn from(error: BlobError) -> Self {
        let mut what = error.to_string();
        match error {
            BlobError::Beyond { .. } => Self::OverBudget(what),
            BlobError::Elements { .. } => Self::InvalidInput(what),
            BlobError::Missing { .. } | BlobError::Damaged { .. } => Self::Unavailable(what),
            BlobError::Store(error) => {
                what.extend(error.hint().iter().flat_map(|hint| ["; ", hint]));
                Self::Unavailable(what)
            }
        }
    }
}

/// Where they are kept.
enum Place {
    Memory(Mutex<HashMap<BlobKey, Arc<[f32]>>>),
    /// The folder, which is made with the first of them.
    Folder(PathBuf),
}

/// The tensors of a run.
pub struct Blobs {
    place: Place,
    /// What all of them may hold, in bytes.
    most: u64,
    /// What they hold.
    stored: AtomicU64,
    /// How many were begun on disk: no two at one time have the same name.
    spools: AtomicU64,
    shared: Mutex<Shared>,
    /// What was made since this was opened and no answer names, with how many hold it: it is taken away after the last of them.
    unnamed: Mutex<HashMap<BlobKey, usize>>,
    /// Whether anything is taken away. Not where a run may be another process's, which may name what is made here.
    takes_away: bool,
    /// Held while one is written or read: two threads with the same one do it once.
    lanes: [Mutex<()>; LANES],
}

/// Elements in memory.
#[derive(Default)]
struct Shared {
    /// All that somebody holds. What nobody holds is taken out as the map grows, in number or in bytes: elements take memory
    /// for as long as they can be looked up here.
    alive: HashMap<BlobKey, Alive>,
    alive_bytes: u64,
    /// How many there were when that was last done, and their bytes.
    swept: usize,
    swept_bytes: u64,
    /// What is held so that it need not be read again, the oldest first.
    kept: BTreeMap<u64, (BlobKey, Arc<[f32]>)>,
    /// Where in `kept` it is.
    turns: HashMap<BlobKey, u64>,
    kept_bytes: u64,
    next: u64,
}

impl Blobs {
    /// In memory, for a run without a record.
    pub fn in_memory(most: u64) -> Arc<Self> {
        Arc::new(Self::new(Place::Memory(Mutex::default()), most, 0, true))
    }

    /// In the folder of a run, with those that are there; none is taken away.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn in_run(folder: &Path, most: u64) -> Result<Arc<Self>, StoreError> {
        Self::in_folder(folder, most, false)
    }

    /// In the folder of a run, for the session that writes its record: those that are there are named on it.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn of_session(folder: &Path, most: u64) -> Result<Arc<Self>, StoreError> {
        Self::in_folder(folder, most, true)
    }

    fn in_folder(folder: &Path, most: u64, takes_away: bool) -> Result<Arc<Self>, StoreError> {
        let folder = folder.join(BLOBS);
        let mut stored = 0;
        each_blob(&folder, |_, bytes| stored += bytes)?;
        Ok(Arc::new(Self::new(Place::Folder(folder), most, stored, takes_away)))
    }

    fn new(place: Place, most: u64, stored: u64, takes_away: bool) -> Self {
        Self {
            unnamed: Mutex::default(),
            takes_away,
            place,
            most,
            stored: stored.into(),
            spools: AtomicU64::new(0),
            shared: Mutex::default(),
            lanes: Default::default(),
        }
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lane(&self, key: &BlobKey) -> MutexGuard<'_, ()> {
        self.lanes[usize::from(key[0]) % LANES].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps elements for good, once. As many are there as the shape says. They are shared with who reads them, so that elements
    /// that are only lent are copied once.
    ///
    /// # Errors
    /// If they are too many for the run, or cannot be written; then nothing of them is.
    pub fn put(&self, shape: &[u64], elements: Elements<'_>) -> Result<TensorRef, BlobError> {
        self.put_for(None, shape, elements)
    }

    fn put_for(
        &self,
        holder: Option<&HeldTensors>,
        shape: &[u64],
        elements: Elements<'_>,
    ) -> Result<TensorRef, BlobError> {
        let key = digest_of(elements.as_slice());
        let _lane = self.lane(&key);
        let known = self.shared().find(&key).is_some();
        let mut is_new = false;
        if !known {
            let bytes = elements.as_slice().len() as u64 * 4;
            is_new = !self.is_stored(&key, bytes);
            if is_new {
                self.reserve(bytes)?;
                self.store(&key, &elements).inspect_err(|_| _ = self.stored.fetch_sub(bytes, Ordering::Relaxed))?;
            }
            if !matches!(self.place, Place::Memory(_)) {
                self.shared().keep(key, &elements.into_shared());
            }
        }
        self.claim(&key, holder, is_new);
        Ok(TensorRef { sha256: to_hex(&key), shape: shape.to_vec(), dtype: ElementType::F32 })
    }

    fn unnamed(&self) -> MutexGuard<'_, HashMap<BlobKey, usize>> {
        self.unnamed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has a tensor that is there held by a holder, or kept for good without one. Its lane is held.
    fn claim(&self, key: &BlobKey, holder: Option<&HeldTensors>, is_new: bool) {
        let mut unnamed = self.unnamed();
        let Some(holder) = holder.filter(|_| self.takes_away) else {
            unnamed.remove(key);
            return;
        };
        if is_new {
            unnamed.entry(*key).or_default();
        }
        if let Some(holders) = unnamed.get_mut(key)
            && holder.keys().insert(*key)
        {
            *holders += 1;
        }
    }

    /// Keeps tensors for good: an answer names them. Whoever calls this holds them.
    pub(crate) fn name(&self, tensors: impl IntoIterator<Item = NamedTensor>) {
        let mut unnamed = self.unnamed();
        tensors.into_iter().for_each(|tensor| _ = unnamed.remove(&tensor.key));
    }

    /// Counts a holder off, and takes the tensor away if it was the last and no answer names it.
    fn release(&self, key: &BlobKey) {
        // Nobody makes the same one meanwhile.
        let _lane = self.lane(key);
        let mut unnamed = self.unnamed();
        let Some(holders) = unnamed.get_mut(key) else { return };
        *holders = holders.saturating_sub(1);
        if *holders > 0 {
            return;
        }
        unnamed.remove(key);
        drop(unnamed);
        self.shared().forget(key);
        let taken = match &self.place {
            Place::Memory(all) => {
                let elements = all.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
                elements.map(|elements| elements.len() as u64 * 4)
            }
            Place::Folder(folder) => {
                let path = folder.join(to_hex(key));
                let bytes = fs::symlink_metadata(&path).map(|there| there.len());
                // One that stays is taken away when the run goes on.
                bytes.and_then(|bytes| fs::remove_file(&path).map(|()| bytes)).ok()
            }
        };
        self.stored.fetch_sub(taken.unwrap_or_default(), Ordering::Relaxed);
    }

    fn store(&self, key: &BlobKey, elements: &Elements<'_>) -> Result<(), BlobError> {
        match &self.place {
            Place::Memory(all) => {
                all.lock().unwrap_or_else(PoisonError::into_inner).insert(*key, elements.to_shared());
            }
            Place::Folder(folder) => {
                make_folder(folder)?;
                let path = folder.join(to_hex(key));
                write_held(&path, Durable::Yes, |file| in_pieces(elements.as_slice(), |piece| file.write_all(piece)))?;
            }
        }
        Ok(())
    }

    /// Counts bytes that are about to be written.
    fn reserve(&self, bytes: u64) -> Result<(), BlobError> {
        let within = |stored: u64| stored.checked_add(bytes).filter(|all| *all <= self.most);
        let reserved = self.stored.fetch_update(Ordering::Relaxed, Ordering::Relaxed, within);
        reserved.map(drop).map_err(|stored| BlobError::Beyond { all: stored.saturating_add(bytes), most: self.most })
    }

    fn is_stored(&self, key: &BlobKey, bytes: u64) -> bool {
        match &self.place {
            Place::Memory(all) => all.lock().unwrap_or_else(PoisonError::into_inner).contains_key(key),
            Place::Folder(folder) => {
                let there = fs::symlink_metadata(folder.join(to_hex(key)));
                there.is_ok_and(|there| there.is_file() && there.len() == bytes)
            }
        }
    }

    /// The elements of a tensor.
    ///
    /// # Errors
    /// If they are not there, or not as they were written.
    pub fn open(&self, tensor: NamedTensor) -> Result<Arc<[f32]>, BlobError> {
        let _lane = self.lane(&tensor.key);
        let found = match &self.place {
            Place::Memory(all) => all.lock().unwrap_or_else(PoisonError::into_inner).get(&tensor.key).cloned(),
            Place::Folder(_) => self.shared().find(&tensor.key),
        };
        let elements = match (found, &self.place) {
            (Some(elements), _) => elements,
            (None, Place::Memory(_)) => return Err(BlobError::Missing { path: to_hex(&tensor.key).into() }),
            (None, Place::Folder(folder)) => {
                let elements = read(folder, tensor)?;
                self.shared().keep(tensor.key, &elements);
                elements
            }
        };
        match elements.len() as u64 {
            there if there == tensor.count => Ok(elements),
            there => Err(BlobError::Elements { there, wanted: tensor.count }),
        }
    }

    /// Whether calls hold less than so many bytes of tensors at this moment, beyond what is kept for the next reader.
    pub fn hold_less_than(&self, most: u64) -> bool {
        let mut shared = self.shared();
        if shared.alive_bytes < most {
            return true;
        }
        shared.sweep();
        let Shared { alive, turns, .. } = &*shared;
        let held = |(key, weak): &(&BlobKey, &Alive)| weak.0.strong_count() > usize::from(turns.contains_key(*key));
        alive.iter().filter(held).map(|(_, (_, bytes))| bytes).sum::<u64>() < most
    }
}

/// Elements that somebody may hold, and their length in bytes.
type Alive = (Weak<[f32]>, u64);

impl Shared {
    /// Elements that are in memory; they were wanted lately.
    fn find(&mut self, key: &BlobKey) -> Option<Arc<[f32]>> {
        let elements = self.alive.get(key)?.0.upgrade()?;
        self.keep(*key, &elements);
        Some(elements)
    }

    /// Forgets elements that are no longer kept, whoever reads them still.
    fn forget(&mut self, key: &BlobKey) {
        if let Some((_, bytes)) = self.alive.remove(key) {
            self.alive_bytes -= bytes;
        }
        self.let_go(key);
    }

    fn let_go(&mut self, key: &BlobKey) {
        if let Some((_, elements)) = self.turns.remove(key).and_then(|turn| self.kept.remove(&turn)) {
            self.kept_bytes -= elements.len() as u64 * 4;
        }
    }

    /// Takes out what nobody holds any more.
    fn sweep(&mut self) {
        self.alive.retain(|_, (elements, _)| elements.strong_count() > 0);
        self.alive_bytes = self.alive.values().map(|(_, bytes)| bytes).sum();
        (self.swept, self.swept_bytes) = (self.alive.len(), self.alive_bytes);
    }

    /// Keeps elements for the next reader, and lets go of the oldest beyond what is kept.
    fn keep(&mut self, key: BlobKey, elements: &Arc<[f32]>) {
        let bytes = |elements: &Arc<[f32]>| elements.len() as u64 * 4;
        let added = bytes(elements);
        if self.alive.len() > 2 * self.swept + 64 || self.alive_bytes + added > self.swept_bytes + UNSWEPT {
            self.sweep();
        }
        let before = self.alive.insert(key, (Arc::downgrade(elements), added));
        self.alive_bytes += added - before.map_or(0, |(_, bytes)| bytes);
        self.let_go(&key);
        if bytes(elements) > KEPT {
            return;
        }
        self.next += 1;
        self.turns.insert(key, self.next);
        self.kept.insert(self.next, (key, Arc::clone(elements)));
        self.kept_bytes += bytes(elements);
        while self.kept_bytes > KEPT
            && let Some((_, (key, oldest))) = self.kept.pop_first()
        {
            self.turns.remove(&key);
            self.kept_bytes -= bytes(&oldest);
        }
    }
}

/// Elements that are to be kept.
pub enum Elements<'a> {
    /// Elements that others hold too.
    Shared(Arc<[f32]>),
    /// Elements of whoever asks.
    Lent(&'a [f32]),
}

impl Elements<'_> {
    fn as_slice(&self) -> &[f32] {
        match self {
            Self::Shared(elements) => elements,
            Self::Lent(elements) => elements,
        }
    }

    fn to_shared(&self) -> Arc<[f32]> {
        match self {
            Self::Shared(elements) => Arc::clone(elements),
            Self::Lent(elements) => Arc::from(*elements),
        }
    }

    fn into_shared(self) -> Arc<[f32]> {
        match self {
            Self::Shared(elements) => elements,
            Self::Lent(elements) => Arc::from(elements),
        }
    }
}

/// Gives elements as bytes, a piece at a time.
pub fn in_pieces(elements: &[f32], mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(4 * PIECE.min(elements.len()));
    for piece in elements.chunks(PIECE) {
        bytes.clear();
        bytes.extend(piece.iter().flat_map(|element| element.to_le_bytes()));
        take(&bytes)?;
    }
    Ok(())
}

/// What elements are called.
pub fn digest_of(elements: &[f32]) -> BlobKey {
    let mut hash = Sha256::new();
    let hashed = in_pieces(elements, |piece| {
        hash.update(piece);
        Ok(())
    });
    debug_assert!(hashed.is_ok(), "nothing is written");
    hash.finalize().into()
}

/// Opens the file of a tensor, which has its length.
fn open_file(folder: &Path, tensor: NamedTensor) -> Result<(PathBuf, File), BlobError> {
    let path = folder.join(to_hex(&tensor.key));
    let file = match plain::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(BlobError::Missing { path }),
        Err(source) => return Err(StoreError::file("read", path, source).into()),
    };
    let there = file.metadata().map_err(|source| StoreError::file("read", &path, source))?.len();
    if there != tensor.bytes() {
        return Err(BlobError::Damaged { path, what: "it has another length" });
    }
    Ok((path, file))
}

/// Reads the file of a tensor into `take`, a piece of elements at a time, and holds it to its digest.
fn read_pieces(folder: &Path, tensor: NamedTensor, mut take: impl FnMut(&[u8])) -> Result<(), BlobError> {
    let (path, mut file) = open_file(folder, tensor)?;
    let mut hash = Sha256::new();
    let mut left = tensor.bytes();
    let mut bytes = vec![0; 4 * PIECE];
    while left > 0 {
        let piece = &mut bytes[..left.min(4 * PIECE as u64) as usize];
        file.read_exact(piece).map_err(|source| StoreError::file("read", &path, source))?;
        hash.update(&*piece);
        take(piece);
        left -= piece.len() as u64;
    }
    if BlobKey::from(hash.finalize()) != tensor.key {
        return Err(BlobError::Damaged { path, what: "its digest is another" });
    }
    Ok(())
}

fn read(folder: &Path, tensor: NamedTensor) -> Result<Arc<[f32]>, BlobError> {
    // There is a file of this length before there is memory for it.
    open_file(folder, tensor)?;
    let count = usize::try_from(tensor.count).unwrap_or(usize::MAX);
    let mut elements: Arc<[f32]> = std::iter::repeat_n(0.0, count).collect();
    let Some(slots) = Arc::get_mut(&mut elements) else { unreachable!("nobody else has it yet") };
    let mut slots = slots.iter_mut();
    read_pieces(folder, tensor, |piece| {
        for (four, slot) in piece.chunks_exact(4).zip(&mut slots) {
            *slot = f32::from_le_bytes([four[0], four[1], four[2], four[3]]);
        }
    })?;
    Ok(elements)
}

/// Calls `visit` for the name and length of every file in a folder of tensors, if there is one; names that are not ours too.
fn each_blob(folder: &Path, mut visit: impl FnMut(&Path, u64)) -> Result<(), StoreError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(StoreError::file("read", folder, source)),
    };
    for entry in entries {
        let entry = entry.map_err(|source| StoreError::file("read", folder, source))?;
        // What is no file is none of ours, and a file that goes meanwhile is gone.
        if let Ok(about) = entry.metadata()
            && about.is_file()
        {
            visit(&entry.path(), about.len());
        }
    }
    Ok(())
}

/// How many tensors there are in the folder of a run, and their length in bytes.
///
/// # Errors
/// If it cannot be read.
pub fn blob_totals(run: &Path) -> Result<(u64, u64), StoreError> {
    let (mut count, mut bytes) = (0, 0);
    each_blob(&run.join(BLOBS), |_, length| {
        count += 1;
        bytes += length;
    })?;
    Ok((count, bytes))
}

#[cfg(test)]
mod tests;

//! The files of WASI, in which all that is written to scratch folders is counted. Everything else is done by WASI.

use std::sync::Arc;

use jackfield_plugin_api::sync::lock;
use tokio::sync::OwnedMutexGuard;
use wasmtime::component::{HasData, Resource, ResourceTable};
use wasmtime_wasi::{
    WasiCtx, WasiCtxView, WasiView,
    filesystem::{Descriptor, WasiFilesystemCtxView, WasiFilesystemView as _},
    p2::{
        DynInputStream, DynOutputStream, FsError, FsResult,
        bindings::filesystem::{
            preopens,
            types::{
                self, Advice, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, DirectoryEntryStream,
                ErrorCode, Filesize, HostDescriptor, HostDirectoryEntryStream, MetadataHashValue, NewTimestamp,
                OpenFlags, PathFlags,
            },
        },
    },
};

use super::{
    Scratch, ScratchFull,
    ledger::{Identity, Ledger},
    stream::CountedStream,
};

/// The type by which the linker gives [`CountedView`] to the functions of `wasi:filesystem`.
pub(in super::super) struct CountedFilesystem;

impl HasData for CountedFilesystem {
    type Data<'a> = CountedView<'a>;
}

/// The files of an instance, during a call to the host.
pub(in super::super) struct CountedView<'a> {
    pub(in super::super) wasi: &'a mut WasiCtx,
    pub(in super::super) table: &'a mut ResourceTable,
    pub(in super::super) scratch: &'a mut Scratch,
}

impl WasiView for CountedView<'_> {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: self.wasi, table: self.table }
    }
}

fn trap(error: ScratchFull) -> FsError {
    FsError::trap(error)
}

/// A second handle to the same resource.
fn borrowed(handle: &Resource<Descriptor>) -> Resource<Descriptor> {
    Resource::new_borrow(handle.rep())
}

impl CountedView<'_> {
    fn files(&mut self) -> WasiFilesystemCtxView<'_> {
        self.filesystem()
    }

    /// Whether a handle is that of a scratch folder, or of a file or folder in one.
    fn is_scratch(&self, handle: &Resource<Descriptor>) -> bool {
        self.scratch.open.contains_key(&handle.rep())
    }

    /// The identity of an open file in a scratch folder; none for a file elsewhere.
    fn identity(&self, handle: &Resource<Descriptor>) -> Option<Identity> {
        self.scratch.open.get(&handle.rep()).copied().flatten()
    }

    fn ledger<T>(&self, change: impl FnOnce(&mut Ledger) -> T) -> T {
        change(&mut lock(&self.scratch.folders.ledger))
    }

    /// Counts bytes that are about to be written. If they do not fit, a guest that shares the folders with others gets an error, and
    /// any other guest is ended.
    fn planned(&self, plan: impl FnOnce(&mut Ledger) -> Result<(), ScratchFull>) -> FsResult<()> {
        self.ledger(|ledger| match plan(ledger) {
            Err(_) if ledger.lasts() => Err(ErrorCode::InsufficientSpace.into()),
            planned => planned.map_err(trap),
        })
    }

    /// The identity of the file, folder or link of this name in a scratch folder.
    async fn identity_at(&mut self, folder: &Resource<Descriptor>, path: &str) -> Option<Identity> {
        if !self.is_scratch(folder) {
            return None;
        }
        let found = self.files().metadata_hash_at(borrowed(folder), PathFlags::empty(), path.to_owned()).await;
        found.ok().map(|found| (found.lower, found.upper))
    }

    /// Counts what was just made with this name.
    async fn made(&mut self, folder: &Resource<Descriptor>, path: &str) -> FsResult<()> {
        if !self.is_scratch(folder) {
            return Ok(());
        }
        let identity = self.identity_at(folder, path).await;
        let counted = self.ledger(|ledger| match identity {
            Some(file) => ledger.named(file),
            None => ledger.made_unseen(),
        });
        counted.map_err(trap)
    }

    /// Keeps other instances from adding or removing names meanwhile, if the folder is in a scratch folder.
    fn names(&self, folder: &Resource<Descriptor>) -> impl Future<Output = Option<OwnedMutexGuard<()>>> + use<> {
        let names = self.is_scratch(folder).then(|| Arc::clone(&self.scratch.folders.names));
        async move { Some(names?.lock_owned().await) }
    }

    fn removed(&self, identity: Option<Identity>) {
        if let Some(file) = identity {
            self.ledger(|ledger| ledger.unnamed(file));
        }
    }

    /// Checks that nothing is linked or renamed across the border of the scratch folders: what is in them is counted, and what is
    /// elsewhere is not.
    fn check_same_side(&self, first: &Resource<Descriptor>, second: &Resource<Descriptor>) -> FsResult<()> {
        if self.is_scratch(first) == self.is_scratch(second) { Ok(()) } else { Err(ErrorCode::CrossDevice.into()) }
    }

    /// Takes note of what was opened below a scratch folder.
    async fn opened(&mut self, handle: &Resource<Descriptor>) -> FsResult<()> {
        let about = match self.table.get(handle)? {
            Descriptor::File(file) => file.file.metadata(),
            Descriptor::Dir(folder) => folder.dir.metadata(),
        };
        let about = about.map_err(FsError::from)?;
        let (length, names) =
            if about.is_dir() { (0, 1) } else { (about.len(), std::os::unix::fs::MetadataExt::nlink(&about)) };
        let found = self.files().metadata_hash(borrowed(handle)).await?;
        let file = (found.lower, found.upper);
        self.scratch.open.insert(handle.rep(), Some(file));
        self.ledger(|ledger| ledger.opened(file, length, names)).map_err(trap)
    }

    /// Counts the bytes that are written to a stream, if its file lies in a scratch folder.
    fn counted(
        &mut self,
        file: Option<Identity>,
        at: Option<Filesize>,
        stream: Resource<DynOutputStream>,
    ) -> FsResult<Resource<DynOutputStream>> {
        let Some(file) = file else { return Ok(stream) };
        let inner = self.table.delete(stream)?;
        let shared = self.ledger(|ledger| ledger.shared(file));
        let ledger = self.scratch.folders.ledger.clone();
        let counted: DynOutputStream = Box::new(CountedStream::new(inner, file, at, ledger));
        shared.map_err(trap)?;
        Ok(self.table.push(counted)?)
    }
}

impl preopens::Host for CountedView<'_> {
    fn get_directories(&mut self) -> wasmtime::Result<Vec<(Resource<Descriptor>, String)>> {
        let folders = preopens::Host::get_directories(&mut self.files())?;
        for (handle, name) in &folders {
            if self.scratch.names.contains(name) {
                self.scratch.open.insert(handle.rep(), None);
            }
        }
        Ok(folders)
    }
}

impl types::Host for CountedView<'_> {
    fn convert_error_code(&mut self, error: FsError) -> wasmtime::Result<ErrorCode> {
        self.files().convert_error_code(error)
    }

    fn filesystem_error_code(&mut self, error: Resource<wasmtime::Error>) -> wasmtime::Result<Option<ErrorCode>> {
        self.files().filesystem_error_code(error)
    }
}

impl HostDescriptor for CountedView<'_> {
    // Operations that add a name to a folder, or remove one.

    async fn set_size(&mut self, handle: Resource<Descriptor>, size: Filesize) -> FsResult<()> {
        if let Some(file) = self.identity(&handle) {
            self.planned(|ledger| ledger.resizes(file, size))?;
        }
        self.files().set_size(handle, size).await
    }

    async fn write(&mut self, handle: Resource<Descriptor>, bytes: Vec<u8>, at: Filesize) -> FsResult<Filesize> {
        if let Some(file) = self.identity(&handle) {
            self.planned(|ledger| ledger.writes(file, Some(at), bytes.len() as u64))?;
        }
        self.files().write(handle, bytes, at).await
    }

    fn write_via_stream(&mut self, handle: Resource<Descriptor>, at: Filesize) -> FsResult<Resource<DynOutputStream>> {
        let file = self.identity(&handle);
        let stream = self.files().write_via_stream(handle, at)?;
        self.counted(file, Some(at), stream)
    }

    fn append_via_stream(&mut self, handle: Resource<Descriptor>) -> FsResult<Resource<DynOutputStream>> {
        let file = self.identity(&handle);
        let stream = self.files().append_via_stream(handle)?;
        self.counted(file, None, stream)
    }

    async fn open_at(
        &mut self,
        folder: Resource<Descriptor>,
        path_flags: PathFlags,
        path: String,
        open_flags: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Resource<Descriptor>> {
        let scratch = self.is_scratch(&folder);
        let _names = self.names(&folder).await;
        let opened = self.files().open_at(folder, path_flags, path, open_flags, flags).await?;
        if scratch {
            self.opened(&opened).await?;
        }
        Ok(opened)
    }

    fn drop(&mut self, handle: Resource<Descriptor>) -> wasmtime::Result<()> {
        if let Some(Some(file)) = self.scratch.open.remove(&handle.rep()) {
            self.ledger(|ledger| ledger.closed(file));
        }
        HostDescriptor::drop(&mut self.files(), handle)
    }

    async fn create_directory_at(&mut self, folder: Resource<Descriptor>, path: String) -> FsResult<()> {
        let _names = self.names(&folder).await;
        self.files().create_directory_at(borrowed(&folder), path.clone()).await?;
        self.made(&folder, &path).await
    }

    async fn symlink_at(&mut self, folder: Resource<Descriptor>, to: String, path: String) -> FsResult<()> {
        let _names = self.names(&folder).await;
        self.files().symlink_at(borrowed(&folder), to, path.clone()).await?;
        self.made(&folder, &path).await
    }

    async fn link_at(
        &mut self,
        from: Resource<Descriptor>,
        path_flags: PathFlags,
        path: String,
        to: Resource<Descriptor>,
        new_path: String,
    ) -> FsResult<()> {
        self.check_same_side(&from, &to)?;
        let _names = self.names(&to).await;
        self.files().link_at(from, path_flags, path, borrowed(&to), new_path.clone()).await?;
        self.made(&to, &new_path).await
    }

    async fn rename_at(
        &mut self,
        from: Resource<Descriptor>,
        path: String,
        to: Resource<Descriptor>,
        new_path: String,
    ) -> FsResult<()> {
        self.check_same_side(&from, &to)?;
        let _names = self.names(&from).await;
        let moved = self.identity_at(&from, &path).await;
        let replaced = self.identity_at(&to, &new_path).await;
        self.files().rename_at(from, path, to, new_path).await?;
        // If both are names of one file, both stay.
        self.removed(replaced.filter(|_| replaced != moved));
        Ok(())
    }

    async fn unlink_file_at(&mut self, folder: Resource<Descriptor>, path: String) -> FsResult<()> {
        let _names = self.names(&folder).await;
        let removed = self.identity_at(&folder, &path).await;
        self.files().unlink_file_at(folder, path).await?;
        self.removed(removed);
        Ok(())
    }

    async fn remove_directory_at(&mut self, folder: Resource<Descriptor>, path: String) -> FsResult<()> {
        let _names = self.names(&folder).await;
        let removed = self.identity_at(&folder, &path).await;
        self.files().remove_directory_at(folder, path).await?;
        self.removed(removed);
        Ok(())
    }

    // Operations that change neither names nor lengths.

    async fn advise(
        &mut self,
        handle: Resource<Descriptor>,
        at: Filesize,
        length: Filesize,
        advice: Advice,
    ) -> FsResult<()> {
        self.files().advise(handle, at, length, advice).await
    }

    async fn sync_data(&mut self, handle: Resource<Descriptor>) -> FsResult<()> {
        self.files().sync_data(handle).await
    }

    async fn get_flags(&mut self, handle: Resource<Descriptor>) -> FsResult<DescriptorFlags> {
        self.files().get_flags(handle).await
    }

    async fn get_type(&mut self, handle: Resource<Descriptor>) -> FsResult<DescriptorType> {
        self.files().get_type(handle).await
    }

    async fn set_times(
        &mut self,
        handle: Resource<Descriptor>,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        self.files().set_times(handle, accessed, modified).await
    }

    async fn read(
        &mut self,
        handle: Resource<Descriptor>,
        length: Filesize,
        at: Filesize,
    ) -> FsResult<(Vec<u8>, bool)> {
        self.files().read(handle, length, at).await
    }

    async fn read_directory(&mut self, handle: Resource<Descriptor>) -> FsResult<Resource<DirectoryEntryStream>> {
        self.files().read_directory(handle).await
    }

    async fn sync(&mut self, handle: Resource<Descriptor>) -> FsResult<()> {
        self.files().sync(handle).await
    }

    async fn stat(&mut self, handle: Resource<Descriptor>) -> FsResult<DescriptorStat> {
        self.files().stat(handle).await
    }

    async fn stat_at(
        &mut self,
        folder: Resource<Descriptor>,
        path_flags: PathFlags,
        path: String,
    ) -> FsResult<DescriptorStat> {
        self.files().stat_at(folder, path_flags, path).await
    }

    async fn set_times_at(
        &mut self,
        folder: Resource<Descriptor>,
        path_flags: PathFlags,
        path: String,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        self.files().set_times_at(folder, path_flags, path, accessed, modified).await
    }

    async fn readlink_at(&mut self, folder: Resource<Descriptor>, path: String) -> FsResult<String> {
        self.files().readlink_at(folder, path).await
    }

    fn read_via_stream(&mut self, handle: Resource<Descriptor>, at: Filesize) -> FsResult<Resource<DynInputStream>> {
        self.files().read_via_stream(handle, at)
    }

    async fn is_same_object(
        &mut self,
        one: Resource<Descriptor>,
        other: Resource<Descriptor>,
    ) -> wasmtime::Result<bool> {
        self.files().is_same_object(one, other).await
    }

    async fn metadata_hash(&mut self, handle: Resource<Descriptor>) -> FsResult<MetadataHashValue> {
        self.files().metadata_hash(handle).await
    }

    async fn metadata_hash_at(
        &mut self,
        folder: Resource<Descriptor>,
        path_flags: PathFlags,
        path: String,
    ) -> FsResult<MetadataHashValue> {
        self.files().metadata_hash_at(folder, path_flags, path).await
    }
}

impl HostDirectoryEntryStream for CountedView<'_> {
    async fn read_directory_entry(
        &mut self,
        stream: Resource<DirectoryEntryStream>,
    ) -> FsResult<Option<DirectoryEntry>> {
        self.files().read_directory_entry(stream).await
    }

    fn drop(&mut self, stream: Resource<DirectoryEntryStream>) -> wasmtime::Result<()> {
        HostDirectoryEntryStream::drop(&mut self.files(), stream)
    }
}

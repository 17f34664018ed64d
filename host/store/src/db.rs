//! The SQLite file of a run: opening it for writing or for reading alone, its transactions, and whose record it is.

use std::{
    cell::Cell,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use jackfield_loader::regular_file;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, config::DbConfig};
use tempfile::TempDir;

use super::{
    StoreError,
    tables::{self, TablesError, text},
};
use jackfield_loader::waits::waiting;

/// Name of the file in the folder of a run.
pub const STORE: &str = "store.sqlite";

/// The SQLite file of a run.
pub struct Db {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
    /// Whether rows have checksums: not in a file of an older program that is only read.
    pub(super) has_checksums: bool,
    /// The number of the next event; none until it is looked up.
    pub(super) next_event: Cell<Option<i64>>,
    /// The number of the next lookup; none until it is looked up.
    pub(super) next_lookup: Cell<Option<i64>>,
    /// What is read in place of a file that cannot be read where it is. It lasts as long as this.
    _copy: Option<TempDir>,
}

/// Bytes of a page of a new file.
const PAGE_BYTES: u32 = 16 << 10;

impl Db {
    /// Opens the file for reading and writing, and makes it if it does not exist. A file of an older program is brought up
    /// to date.
    ///
    /// # Errors
    /// If it is damaged, or was written by a later program.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let _waiting = waiting(format!("the lock of `{}`", path.display()));
        only_regular(path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        let connection = Connection::open_with_flags(with_folder_links_resolved(path), flags);
        let connection = connection.map_err(|error| StoreError::sqlite(path, &error))?;
        let db = Self::new(connection, path, None);
        let set_up = || {
            db.settings()?;
            // This concerns new files alone. Most results fit into a page of this size; the pages of a larger one are read again to
            // reach the columns after it.
            db.connection.pragma_update(None, "page_size", PAGE_BYTES)?;
            db.connection.pragma_update(None, "journal_mode", "WAL")?;
            // A committed transaction survives the process; a power cut may take the last ones, never the file.
            db.connection.pragma_update(None, "synchronous", "NORMAL")?;
            tables::create_or_upgrade(&db.connection)
        };
        set_up().map_err(|error| db.tables_error(error))?;
        Ok(db)
    }

    /// Opens the file for reading alone: nothing in its folder is made or changed. Works where nothing can be written, and
    /// while a run is at work on the file.
    ///
    /// # Errors
    /// If it is missing, damaged, or was written by a later program.
    pub fn read(path: &Path) -> Result<Self, StoreError> {
        let metadata = fs::symlink_metadata(path).map_err(|source| StoreError::file("read", path, source))?;
        if metadata.is_symlink() {
            return Err(StoreError::Link { path: path.to_owned() });
        }
        only_regular(path)?;
        let log = beside(path, "-wal");
        // Without a write-ahead log nobody is at work on the file, and SQLite needs no files of its own to read it.
        let at_rest = fs::symlink_metadata(&log).map_or(true, |log| log.len() == 0);
        let opened =
            if at_rest { Self::read_at(path, path, true, None) } else { Self::read_at(path, path, false, None) };
        match opened {
            Err(StoreError::Sqlite { .. }) if !at_rest => {
                // The log exists and cannot be read where it is: on a read-only disk.
                let copy = tempfile::tempdir().map_err(|source| StoreError::file("make a copy of", path, source))?;
                let copied_file = copy.path().join(STORE);
                for (from, to) in [(path.to_owned(), copied_file.clone()), (log, beside(&copied_file, "-wal"))] {
                    let copied = super::plain::open(&from)
                        .and_then(|mut from| std::io::copy(&mut from, &mut super::plain::create(&to)?));
                    copied.map_err(|source| StoreError::file("make a copy of", from, source))?;
                }
                Self::read_at(&copied_file, path, false, Some(copy))
            }
            opened => opened,
        }
    }

    fn read_at(file: &Path, path: &Path, immutable: bool, copy: Option<TempDir>) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_NOFOLLOW
            | OpenFlags::SQLITE_OPEN_URI;
        let connection = Connection::open_with_flags(address(&with_folder_links_resolved(file), immutable), flags);
        let connection = connection.map_err(|error| StoreError::sqlite(path, &error))?;
        let mut db = Self::new(connection, path, copy);
        let has_checksums = db.settings().map_err(TablesError::from).and_then(|()| {
            db.connection.pragma_update(None, "temp_store", "memory")?;
            tables::add_views_of_older(&db.connection)
        });
        db.has_checksums = has_checksums.map_err(|error| db.tables_error(error))?;
        Ok(db)
    }

    fn new(connection: Connection, path: &Path, copy: Option<TempDir>) -> Self {
        Self {
            connection,
            path: path.to_owned(),
            has_checksums: true,
            next_event: Cell::default(),
            next_lookup: Cell::default(),
            _copy: copy,
        }
    }

    fn settings(&self) -> rusqlite::Result<()> {
        self.connection.busy_timeout(Duration::from_secs(5))?;
        // The file may come from anywhere.
        self.connection.pragma_update(None, "trusted_schema", false)?;
        self.connection.pragma_update(None, "cell_size_check", true)?;
        // Otherwise a statement is planned anew for each row: the planner looks at the values that are bound.
        self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        self.connection.set_prepared_statement_cache_capacity(48);
        Ok(())
    }

    fn tables_error(&self, error: TablesError) -> StoreError {
        match error {
            TablesError::Newer(found) => {
                StoreError::TooNew { path: self.path.clone(), found: found as u64, known: tables::VERSION as u64 }
            }
            TablesError::Inconsistent(what) => {
                StoreError::Damaged { path: self.path.clone(), message: what.to_owned() }
            }
            TablesError::Sqlite(error) => self.error(&error),
        }
    }

    pub(super) fn error(&self, error: &rusqlite::Error) -> StoreError {
        StoreError::sqlite(&self.path, error)
    }

    pub(super) fn run<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        work(&self.connection).map_err(|error| self.error(&error))
    }

    /// Records whose record the file is, unless that is recorded already.
    ///
    /// # Errors
    /// If it is the record of another run.
    pub fn claim(&self, run: &str) -> Result<(), StoreError> {
        match self.recorded_run()? {
            Some(found) if found != run => {
                Err(StoreError::OtherRun { path: self.path.clone(), found, wanted: run.to_owned() })
            }
            Some(_) => Ok(()),
            None => self.run(|db| {
                let sql = "INSERT INTO meta (key, value, sum) VALUES (?1, ?2, ?3)";
                tables::META.write(db, sql, &[text("run"), text(run)]).map(drop)
            }),
        }
    }

    /// The run whose record the file is, where that is recorded.
    pub fn recorded_run(&self) -> Result<Option<String>, StoreError> {
        self.run(|db| db.query_row("SELECT value FROM meta WHERE key = 'run'", [], |row| row.get(0)).optional())
    }

    pub(super) fn begin(&self) -> Result<(), StoreError> {
        self.run(|db| db.execute_batch("BEGIN IMMEDIATE"))
    }

    pub(super) fn commit(&self) -> Result<(), StoreError> {
        self.run(|db| db.execute_batch("COMMIT"))
    }

    /// The next number of a table's rows; `sql` asks for it the first time.
    pub(super) fn next_number(&self, next: &Cell<Option<i64>>, sql: &str) -> rusqlite::Result<i64> {
        let number = match next.get() {
            Some(number) => number,
            None => self.connection.query_row(sql, [], |row| row.get(0))?,
        };
        next.set(Some(number + 1));
        Ok(number)
    }
}

/// The name of a file beside the SQLite file.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

/// Refuses what is not a regular file, the file's companions included: SQLite would open it, and wait for ever for somebody to
/// write to a FIFO.
fn only_regular(path: &Path) -> Result<(), StoreError> {
    for path in [path.to_owned(), beside(path, "-wal"), beside(path, "-shm"), beside(path, "-journal")] {
        if let Ok(metadata) = fs::symlink_metadata(&path) {
            if metadata.is_symlink() {
                return Err(StoreError::Link { path });
            }
            let regular = regular_file::only_regular(metadata.file_type());
            regular.map_err(|source| StoreError::file("read", path, source))?;
        }
    }
    Ok(())
}

/// The path with the links of its folder resolved: those are the user's own, and SQLite would refuse them too.
fn with_folder_links_resolved(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (fs::canonicalize(folder), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

/// A path as SQLite's address of a file, whatever characters it holds.
fn address(path: &Path, immutable: bool) -> String {
    use std::os::unix::ffi::OsStrExt as _;
    let mut address = String::from("file:");
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'/' | b'-' | b'_' | b'.' | b'~' => address.push(char::from(*byte)),
            byte if byte.is_ascii_alphanumeric() => address.push(char::from(*byte)),
            byte => address.push_str(&format!("%{byte:02X}")),
        }
    }
    if immutable {
        address.push_str("?immutable=1");
    }
    address
}

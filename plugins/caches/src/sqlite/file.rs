//! Opening the file: its tables are made, checked and, after damage, made anew.

use std::{
    fs, io,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use jackfield_plugin_api::prelude::*;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior, config::DbConfig};

use super::error;

/// "jack", by which our files are distinguished from those of other programs.
const APPLICATION: i32 = 0x6a61_636b;
/// Layout 1 had keys without the name of their cache: nobody asks for them any more.
const LAYOUT: i32 = 2;

/// How long a call waits for another process.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// What is scanned (`entries`) is kept apart from the values, which are large; `totals` spares a scan per change.
const TABLES: &str = "
    CREATE TABLE entries (
        key TEXT PRIMARY KEY NOT NULL,
        id INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        expires_ms INTEGER,
        used_ms INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX entries_by_use ON entries (used_ms);
    CREATE INDEX entries_by_end ON entries (expires_ms) WHERE expires_ms IS NOT NULL;
    CREATE TABLE contents (id INTEGER PRIMARY KEY, value BLOB NOT NULL);
    CREATE TABLE totals (entries INTEGER NOT NULL, bytes INTEGER NOT NULL);
    INSERT INTO totals VALUES (0, 0);
";

/// The one connection that writes; makes folders, file and tables where they are missing.
///
/// # Errors
/// [`Failure::InvalidConfig`] for a file that is not a cache, [`Failure::Unavailable`] for a full disk, a folder or file that cannot be
/// written, and a file that another process holds.
pub(super) fn create(path: &Path) -> Result<Connection> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| folder_failure(folder, &error))?;
    }
    if path.is_dir() {
        return Err(Failure::InvalidConfig(format!("`{}` is a folder: name a file in it as `path`", path.display())));
    }
    only_regular(path)?;
    let patience = Instant::now() + PATIENCE;
    let mut set_aside = false;
    loop {
        match set_up(path) {
            Ok(connection) => return Ok(connection),
            Err(Refused::Sqlite(error)) if !set_aside && is_damaged(&error) && is_ours(path) => {
                set_aside = true;
                set_damaged_aside(path)?;
            }
            // The change to WAL does not wait for another process that is about the same.
            Err(Refused::Sqlite(error))
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && Instant::now() < patience =>
            {
                thread::sleep(Duration::from_millis(5));
            }
            Err(Refused::Sqlite(error)) => return Err(error::opening_failure(path, &error)),
            Err(Refused::Newer(found)) => {
                return Err(Failure::InvalidConfig(format!(
                    "the cache `{}` was written by a newer jackfield (format {found}; this one reads up to {LAYOUT}): name another `path`",
                    path.display()
                )));
            }
            Err(Refused::Foreign(what)) => {
                return Err(Failure::InvalidConfig(format!("`{}` {what}: name another `path`", path.display())));
            }
        }
    }
}

fn is_damaged(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// Whether a file that SQLite cannot read was once made here: its first page says so where tables' own pages are damaged.
fn is_ours(path: &Path) -> bool {
    let mut head = [0; 72];
    let read = fs::File::open(path).and_then(|mut file| io::Read::read_exact(&mut file, &mut head));
    read.is_ok() && head.starts_with(b"SQLite format 3\0") && head[68..] == APPLICATION.to_be_bytes()
}

/// Refuses what is not a regular file, the file's companions included: SQLite would wait for ever for somebody to write to a
/// FIFO. A run goes on without it.
fn only_regular(path: &Path) -> Result<()> {
    for ending in ["", "-wal", "-shm", "-journal"] {
        let file = beside(path, ending);
        if fs::metadata(&file).is_ok_and(|metadata| !metadata.is_file()) {
            let file = file.display();
            return Err(Failure::Unavailable(format!(
                "`{file}` is not a regular file: name another `path`, or remove it"
            )));
        }
    }
    Ok(())
}

/// The name of a file with an ending more.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Gives a damaged file another name, so that a new one can be made: nothing in it is worth stopping a run for.
fn set_damaged_aside(path: &Path) -> Result<()> {
    let aside = beside(path, ".damaged");
    fs::rename(path, &aside).map_err(|error| {
        Failure::Unavailable(format!("the cache `{}` is damaged, and cannot be set aside: {error}", path.display()))
    })?;
    // What belongs to the damaged file would be taken for part of the new one.
    for ending in ["-wal", "-shm", "-journal"] {
        let _ = fs::remove_file(beside(path, ending));
    }
    tracing::warn!("the cache `{}` is damaged: it is now `{}`, and made anew", path.display(), aside.display());
    Ok(())
}

/// A connection that only reads.
pub(super) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = plain(path, OpenFlags::empty())?;
    connection.pragma_update(None, "query_only", true)?;
    connection.set_prepared_statement_cache_capacity(8);
    Ok(connection)
}

enum Refused {
    Sqlite(rusqlite::Error),
    Foreign(&'static str),
    /// It was written by a later program.
    Newer(i32),
}

impl From<rusqlite::Error> for Refused {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

fn set_up(path: &Path) -> Result<Connection, Refused> {
    let mut connection = plain(path, OpenFlags::SQLITE_OPEN_CREATE)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
    let is_made = check(&transaction)?;
    drop(transaction);
    if is_made == Layout::None {
        connection.pragma_update(None, "journal_mode", "wal")?;
    }
    connection.pragma_update(None, "synchronous", "normal")?;
    // A large value makes the log large: give the room back.
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    if is_made != Layout::Current {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Another process may have been faster.
        let is_made = check(&transaction)?;
        if is_made == Layout::Older {
            tracing::warn!(path = %path.display(), "the cache is of an older version: its values are forgotten");
            transaction.execute_batch("DROP TABLE entries; DROP TABLE contents; DROP TABLE totals;")?;
        }
        if is_made != Layout::Current {
            transaction.execute_batch(TABLES)?;
            transaction.pragma_update(None, "application_id", APPLICATION)?;
            transaction.pragma_update(None, "user_version", LAYOUT)?;
        }
        transaction.commit()?;
    }
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

/// What tables a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    None,
    Older,
    Current,
}

/// What tables there are; an error if they are another program's, or of a version to come.
fn check(connection: &Connection) -> Result<Layout, Refused> {
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
    let (application, layout) = (number("application_id")?, number("user_version")?);
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))?;
    match (application, layout) {
        (APPLICATION, LAYOUT) => Ok(Layout::Current),
        (APPLICATION, 1..LAYOUT) => Ok(Layout::Older),
        (APPLICATION, newer) => Err(Refused::Newer(newer)),
        (0, 0) if tables == 0 => Ok(Layout::None),
        _ => Err(Refused::Foreign("belongs to another program")),
    }
}

/// Without memory-mapped reading: a file that somebody cuts short would end the process.
fn plain(path: &Path, more: OpenFlags) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | more;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(PATIENCE)?;
    // The file may come from anywhere.
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    // Otherwise a statement is planned anew for each key: the planner looks at the values that are bound.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}

fn folder_failure(folder: &Path, error: &io::Error) -> Failure {
    let message = format!("the folder `{}` for the cache cannot be made: {error}", folder.display());
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Failure::Unavailable(message),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            Failure::Unavailable(format!("{message}; {}", error::ANOTHER_PATH))
        }
        _ => Failure::InvalidConfig(message),
    }
}

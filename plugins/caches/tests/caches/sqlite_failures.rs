//! `sqlite` where the file or the disk is not as it should be.

use std::{
    fs::{self, File},
    io::{Seek as _, SeekFrom, Write as _},
    path::Path,
    time::Duration,
};

use futures::executor::block_on;
use jackfield_caches::Sqlite;
use jackfield_plugin_api::prelude::*;
use jackfield_plugin_api::testing::no_host;
use rusqlite::Connection;
use tempfile::TempDir;

use crate::support::{in_file, open, opened, run, wait};

/// A small file system; the test fails where none can be mounted.
struct Disk(TempDir);

impl Disk {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let disk = Self(folder);
        run("mount", &["-t", "tmpfs", "-o", "size=1m", "tmpfs", disk.name()]);
        disk
    }

    fn name(&self) -> &str {
        self.0.path().to_str().expect("a plain name")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        run("umount", &["--lazy", self.name()]);
    }
}

fn message(result: Result<Sqlite>) -> String {
    match result {
        Err(Failure::InvalidConfig(message)) => message,
        other => panic!("not refused: {other:?}"),
    }
}

fn is_whole(path: &Path) -> bool {
    let file = Connection::open(path).expect("the file");
    file.query_row("PRAGMA integrity_check", (), |row| row.get::<_, String>(0)).is_ok_and(|verdict| verdict == "ok")
}

#[test]
fn a_full_disk_is_said_and_leaves_the_file_whole() {
    let disk = Disk::new();
    let path = disk.0.path().join("cache");
    let cache: Sqlite = opened(in_file(&path));
    let mut kept = Vec::new();
    let mut failure = None;
    for index in 0..200 {
        match block_on(cache.put(&index.to_string(), vec![index as u8; 10_000].into(), None, &no_host())) {
            Ok(()) => kept.push(index),
            Err(error) => failure = Some(error),
        }
    }
    let failure = failure.expect("200 times 10 KB do not fit into 1 MB");
    assert!(matches!(&failure, Failure::Unavailable(message) if message.contains("disk is full")), "{failure}");
    for index in &kept {
        let value = wait(cache.get(&index.to_string(), &no_host()));
        assert_eq!(value.as_deref(), Some(&vec![*index as u8; 10_000][..]), "what was put is there");
    }
    drop(cache);
    assert!(is_whole(&path));
    let cache: Sqlite = opened(in_file(&path));
    assert_eq!(wait(cache.size("", &no_host())).entries, kept.len() as u64);
}

#[test]
fn a_disk_that_is_full_from_the_start_is_said() {
    let disk = Disk::new();
    let mut filler = File::create(disk.0.path().join("filler")).expect("a file");
    while filler.write_all(&[0; 4096]).is_ok() {}
    let failure = open::<Sqlite>(in_file(&disk.0.path().join("cache"))).expect_err("no room");
    assert!(matches!(failure, Failure::Unavailable(_)), "{failure}");
}

#[test]
fn a_folder_that_is_read_only_is_unavailable_and_another_is_asked_for() {
    let disk = Disk::new();
    let path = disk.0.path().join("cache");
    drop(opened::<Sqlite>(in_file(&path)));
    run("mount", &["-o", "remount,ro", disk.name()]);
    for path in [path, disk.0.path().join("new"), disk.0.path().join("deep/new")] {
        let failure =
            open::<Sqlite>(in_file(&path)).and_then(|cache| block_on(cache.put("a", b""[..].into(), None, &no_host())));
        let failure = failure.expect_err("read-only");
        assert!(matches!(failure, Failure::Unavailable(_)), "{}: {failure}", path.display());
        assert!(failure.message().contains("with = { path = "), "{}: {failure}", path.display());
    }
}

#[test]
fn what_is_no_cache_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = folder.path().join("notes.txt");
    fs::write(&text, "no database, but a long enough text. ".repeat(200)).expect("a file");
    let left_out = open::<Sqlite>(in_file(&text)).expect_err("no cache");
    assert!(matches!(&left_out, Failure::Unavailable(what) if what.contains("not a SQLite file")), "{left_out}");
    assert!(fs::read_to_string(&text).expect("the text").starts_with("no database"));

    let foreign = folder.path().join("foreign");
    Connection::open(&foreign).and_then(|file| file.execute_batch("CREATE TABLE a (b)")).expect("a table");
    assert!(message(open(in_file(&foreign))).contains("belongs to another program"));

    let later = folder.path().join("later");
    drop(opened::<Sqlite>(in_file(&later)));
    Connection::open(&later).and_then(|file| file.pragma_update(None, "user_version", 99)).expect("a version");
    assert!(message(open(in_file(&later))).contains("by a newer jackfield (format 99; this one reads up to 2)"));

    message(open(in_file(folder.path())));
    message(open(in_file(&text.join("below"))));
}

#[test]
fn the_values_of_an_older_version_are_set_aside() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("cache");
    drop(filled(&path));
    Connection::open(&path).and_then(|file| file.pragma_update(None, "user_version", 1)).expect("a version");
    let cache: Sqlite = opened(in_file(&path));
    assert_eq!(wait(cache.size("", &no_host())), CacheSize::default());
    wait(cache.put("a", vec![1].into(), None, &no_host()));
    drop(cache);
    assert_eq!(wait(opened::<Sqlite>(in_file(&path)).size("", &no_host())).entries, 1);
}

fn filled(path: &Path) -> Sqlite {
    let cache: Sqlite = opened(in_file(path));
    for index in 0..500 {
        wait(cache.put(&index.to_string(), vec![1; 2000].into(), None, &no_host()));
    }
    cache
}

#[test]
fn a_damaged_file_never_ends_the_process() {
    let folder = tempfile::tempdir().expect("a folder");
    for offset in [50, 4096, 8192, 40_960, 100_000, 500_000] {
        let path = folder.path().join(offset.to_string());
        drop(filled(&path));
        let mut file = File::options().write(true).open(&path).expect("the file");
        file.seek(SeekFrom::Start(offset)).and_then(|_| file.write_all(&[0xa5; 30_000])).expect("damage");
        let Ok(cache) = open::<Sqlite>(in_file(&path)) else { continue };
        for index in 0..500 {
            match block_on(cache.get(&index.to_string(), &no_host())) {
                Ok(_) => {}
                Err(Failure::Unavailable(message)) => assert!(message.contains("damaged"), "{message}"),
                Err(other) => panic!("{other}"),
            }
            let _ = block_on(cache.put(&index.to_string(), b"new"[..].into(), None, &no_host()));
        }
        let _ = block_on(cache.list("", None, 1000, &no_host()));
        let _ = block_on(cache.clear("", &no_host()));
    }
}

#[test]
fn a_file_cut_short_under_way_never_ends_the_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("cache");
    let cache = filled(&path);
    Connection::open(&path).and_then(|file| file.query_row("PRAGMA wal_checkpoint", (), |_| Ok(()))).expect("written");
    File::options().write(true).open(&path).and_then(|file| file.set_len(5000)).expect("cut");
    let results: Vec<_> = (0..500).map(|index| block_on(cache.get(&index.to_string(), &no_host()))).collect();
    assert!(results.iter().any(Result::is_err), "it is noticed");
    let _ = block_on(cache.put("a", b"b"[..].into(), None, &no_host()));
}

#[test]
fn a_file_that_another_holds_is_waited_for_and_then_given_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("cache");
    let cache: Sqlite = opened(in_file(&path));
    wait(cache.put("a", b"b"[..].into(), None, &no_host()));
    let holder = Connection::open(&path).expect("the file");
    holder.execute_batch("BEGIN IMMEDIATE").expect("held");
    let started = std::time::Instant::now();
    let failure = block_on(cache.put("a", b"c"[..].into(), None, &no_host())).expect_err("held");
    assert!(matches!(&failure, Failure::Unavailable(message) if message.contains("another process")), "{failure}");
    assert!((4..8).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
    assert_eq!(wait(cache.get("a", &no_host())).as_deref(), Some(&b"b"[..]), "reading goes on");
    // As long as it is held, it is not waited for again.
    let started = std::time::Instant::now();
    for _ in 0..20 {
        block_on(cache.put("a", b"c"[..].into(), None, &no_host())).expect_err("held");
    }
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    holder.execute_batch("COMMIT").expect("released");
    wait(cache.put("a", b"d"[..].into(), Some(Duration::from_secs(9)), &no_host()));
    assert_eq!(wait(cache.get("a", &no_host())).as_deref(), Some(&b"d"[..]));
}

//! Tensors that are stored, shared, limited and compared with their digests.

use std::{
    fs,
    path::Path,
    sync::{Arc, atomic::Ordering},
};

use jackfield_plugin_api::to_hex;

use super::{
    BLOBS, BlobError, Blobs, Elements, HeldTensors,
    recent::{RETAINED_BYTES, RecentTensors, SWEEP_AFTER_BYTES},
};
use crate::references::NamedTensor;

fn numbers(from: u32, count: u32) -> Arc<[f32]> {
    (from..from + count).map(|number| number as f32).collect()
}

fn put(blobs: &Blobs, elements: &Arc<[f32]>) -> Result<NamedTensor, BlobError> {
    let made = blobs.put(&[elements.len() as u64], Elements::Shared(Arc::clone(elements)))?;
    Ok(NamedTensor::of(&made).expect("a reference"))
}

fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder.join(BLOBS)).expect("a folder");
    entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn equal_elements_are_written_once_and_shared_by_all_who_read_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let blobs = Blobs::in_run(folder.path(), 1 << 20).expect("no tensors yet");
    let elements = numbers(0, 40_000);
    let tensor = put(&blobs, &elements).expect("kept");
    assert_eq!(put(&blobs, &numbers(0, 40_000)).expect("kept"), tensor);
    assert_eq!(files(folder.path()), [to_hex(&tensor.key)]);
    assert!(Arc::ptr_eq(&blobs.open(tensor).expect("read"), &elements));
    assert!(matches!(blobs.open(NamedTensor { count: 3, ..tensor }), Err(BlobError::Elements { .. })));
    // Another process reads them from the file, once.
    let other = Blobs::in_run(folder.path(), 1 << 20).expect("tensors");
    let read = other.open(tensor).expect("read");
    assert_eq!(read, elements);
    assert!(Arc::ptr_eq(&other.open(tensor).expect("read"), &read));
}

#[test]
fn every_bit_of_a_float_survives() {
    let folder = tempfile::tempdir().expect("a folder");
    let odd = [f32::NAN, -f32::NAN, -0.0, f32::INFINITY, f32::MIN_POSITIVE / 2.0, f32::from_bits(0x7fa0_0001)];
    let tensor = put(&Blobs::in_run(folder.path(), 1 << 20).expect("none"), &Arc::from(odd)).expect("kept");
    let read = Blobs::in_run(folder.path(), 1 << 20).expect("one").open(tensor).expect("read");
    assert!(read.iter().zip(odd).all(|(read, odd)| read.to_bits() == odd.to_bits()));
    let none = put(&Blobs::in_run(folder.path(), 1 << 20).expect("one"), &Arc::from([])).expect("kept");
    assert_eq!(Blobs::in_run(folder.path(), 1 << 20).expect("two").open(none).expect("read").len(), 0);
}

#[test]
fn what_is_missing_or_damaged_says_which_file_and_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let tensor = put(&Blobs::in_run(folder.path(), 1 << 20).expect("none"), &numbers(0, 10)).expect("kept");
    let path = folder.path().join(BLOBS).join(to_hex(&tensor.key));
    let told = || Blobs::in_run(folder.path(), 1 << 20).expect("one").open(tensor).expect_err("refused").to_string();
    let again = "go on with the run (--resume), and it is made again";
    let whole = fs::read(&path).expect("read");
    for (bytes, what) in
        [(&whole[..39], "it has another length"), (&[&[1], &whole[1..]].concat(), "its digest is another")]
    {
        fs::write(&path, bytes).expect("written");
        assert_eq!(told(), format!("`{}` is damaged, {what}: {again}", path.display()));
    }
    fs::remove_file(&path).expect("removed");
    assert_eq!(told(), format!("`{}` is missing: {again}", path.display()));
}

#[test]
fn beyond_the_limit_nothing_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    put(&Blobs::in_run(folder.path(), 100).expect("none"), &numbers(0, 20)).expect("80 bytes");
    // What an earlier session wrote counts.
    let blobs = Blobs::in_run(folder.path(), 100).expect("one");
    assert!(matches!(put(&blobs, &numbers(1, 10)), Err(BlobError::Beyond { needed_bytes: 120, limit_bytes: 100 })));
    put(&blobs, &numbers(0, 20)).expect("it is there");
    put(&blobs, &numbers(1, 5)).expect("100 bytes");
    assert_eq!(files(folder.path()).len(), 2);
    let memory = Blobs::in_memory(100);
    let first = put(&memory, &numbers(0, 20)).expect("80 bytes");
    assert!(put(&memory, &numbers(1, 10)).is_err());
    assert_eq!(memory.open(first).expect("read"), numbers(0, 20));
}

#[test]
fn a_tensor_that_is_made_in_pieces_is_the_one_that_is_kept_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let blobs = Blobs::in_run(folder.path(), 5_000_000).expect("none");
    let held = HeldTensors::of(&blobs);
    let all = numbers(0, 700_000);
    let make = |from: usize, to: usize| {
        let mut writer = held.writer(&[(to - from) as u64]);
        all[from..to].chunks(7_001).try_for_each(|piece| writer.write(piece)).map(|()| writer)
    };
    let made = NamedTensor::of(&make(0, 600_000).expect("written").finish().expect("kept")).expect("a reference");
    assert_eq!(files(folder.path()), [to_hex(&made.key)]);
    assert_eq!(put(&blobs, &numbers(0, 600_000)).expect("it is there"), made);
    assert_eq!(blobs.open(made).expect("read")[..], all[..600_000]);
    // One that is there, one that is given up, and one that is too large: nothing of them is left.
    make(0, 600_000).expect("written").finish().expect("it is there");
    drop(make(1, 400_000).expect("written"));
    assert!(matches!(make(0, 700_000), Err(BlobError::Beyond { limit_bytes: 5_000_000, .. })));
    assert_eq!(files(folder.path()), [to_hex(&made.key)]);
    assert_eq!(blobs.stored_bytes.load(Ordering::Relaxed), 2_400_000);
    // A small one is shared as it is.
    make(0, 10).expect("written").finish().expect("kept");
    assert_eq!(blobs.stored_bytes.load(Ordering::Relaxed), 2_400_040);
}

#[test]
fn memory_is_bounded_by_what_calls_hold_and_what_is_kept() {
    let mut recent = RecentTensors::default();
    let large = (RETAINED_BYTES / 4 / 4) as u32;
    let all: Vec<_> = (0..6).map(|from| numbers(from, large)).collect();
    for (at, elements) in all.iter().enumerate() {
        recent.insert([at as u8; 32], elements);
    }
    assert_eq!((recent.retained.len(), recent.retained_bytes), (4, RETAINED_BYTES));
    drop(all);
    assert!(recent.get(&[0; 32]).is_none() && recent.get(&[2; 32]).is_some());
    // The third was wanted lately: the fourth goes.
    recent.insert([9; 32], &numbers(9, large));
    assert!(recent.get(&[3; 32]).is_none() && recent.get(&[2; 32]).is_some());
    // Few large ones are let go as soon as many small ones are.
    for at in 10..16 {
        recent.insert([at; 32], &numbers(u32::from(at), large));
        assert!(
            recent.reachable_bytes <= RETAINED_BYTES + SWEEP_AFTER_BYTES + u64::from(large) * 4,
            "{}",
            recent.reachable_bytes
        );
    }
    recent.sweep();
    assert_eq!((recent.reachable.len(), recent.reachable_bytes), (4, RETAINED_BYTES));
}

#[test]
fn what_calls_hold_is_told_from_what_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let blobs = Blobs::in_run(folder.path(), 1 << 20).expect("none");
    let tensor = put(&blobs, &numbers(0, 1000)).expect("kept");
    assert!(blobs.hold_less_than(4000), "nobody holds it");
    let held = blobs.open(tensor).expect("read");
    assert!(!blobs.hold_less_than(4000) && blobs.hold_less_than(4001));
    drop(held);
    assert!(blobs.hold_less_than(4000));
}

/// The storages that a session may use.
fn storages(folder: &Path) -> [Arc<Blobs>; 2] {
    [Blobs::for_session(folder, 1 << 24).expect("none"), Blobs::in_memory(1 << 24)]
}

fn stored(blobs: &Blobs) -> u64 {
    blobs.stored_bytes.load(Ordering::Relaxed)
}

fn hold(held: &HeldTensors, elements: &Arc<[f32]>) -> NamedTensor {
    let made = held.put(&[elements.len() as u64], Elements::Shared(Arc::clone(elements))).expect("kept");
    NamedTensor::of(&made).expect("a reference")
}

#[test]
fn what_no_answer_names_goes_with_the_last_who_holds_it() {
    let folder = tempfile::tempdir().expect("a folder");
    for blobs in storages(folder.path()) {
        let [one, other] = [HeldTensors::of(&blobs), HeldTensors::of(&blobs)];
        let (shared, named, own) = (numbers(0, 10), numbers(1, 10), numbers(2, 10));
        let tensor = hold(&one, &shared);
        assert_eq!(hold(&one, &shared), tensor, "made twice, held once");
        assert!(other.hold(tensor));
        let named = hold(&one, &named);
        one.name([named]);
        let own = hold(&one, &own);
        assert_eq!(stored(&blobs), 120);
        drop(one);
        assert!(matches!(blobs.open(own), Err(BlobError::Missing { .. })));
        assert_eq!(blobs.open(tensor).expect("it is held"), shared);
        drop(other);
        assert!(matches!(blobs.open(tensor), Err(BlobError::Missing { .. })));
        assert_eq!((blobs.open(named).expect("it is named").len(), stored(&blobs)), (10, 40));
        assert!(blobs.unnamed().is_empty());
    }
    assert_eq!(files(folder.path()).len(), 1);
}

#[test]
fn of_two_who_make_the_same_tensor_one_may_name_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let large = numbers(0, 200_000);
    for blobs in storages(folder.path()) {
        let named = || {
            let (names, does_not) = (HeldTensors::of(&blobs), HeldTensors::of(&blobs));
            let mut writer = does_not.writer(&[200_000]);
            writer.write(&large).expect("written");
            let tensor = NamedTensor::of(&writer.finish().expect("kept")).expect("a reference");
            assert_eq!(hold(&names, &large), tensor);
            (names, does_not, tensor)
        };
        let (names, does_not, tensor) = named();
        drop(does_not);
        names.name([tensor]);
        drop(names);
        assert_eq!(blobs.open(tensor).expect("it is named"), large);
        // Whoever makes it later takes nothing away.
        let (names, does_not, _) = named();
        drop((names, does_not));
        assert_eq!((blobs.open(tensor).expect("it is named"), stored(&blobs)), (large.clone(), 800_000));
    }
    // Nor does the next session, or another process.
    for blobs in [Blobs::for_session(folder.path(), 1 << 24), Blobs::in_run(folder.path(), 1 << 24)] {
        let blobs = blobs.expect("one");
        hold(&HeldTensors::of(&blobs), &large);
        assert_eq!(files(folder.path()).len(), 1);
    }
    let beside = Blobs::in_run(folder.path(), 1 << 24).expect("one");
    hold(&HeldTensors::of(&beside), &numbers(7, 7));
    assert_eq!(files(folder.path()).len(), 2, "a run may be another process's, which names it");
}

#[test]
fn a_tensor_that_many_make_and_let_go_at_one_time_is_there_for_each() {
    let folder = tempfile::tempdir().expect("a folder");
    for blobs in storages(folder.path()) {
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let blobs = &blobs;
                scope.spawn(move || {
                    for round in 0..25 {
                        let held = HeldTensors::of(blobs);
                        let elements = numbers((thread + round) % 2, 100);
                        let tensor = hold(&held, &elements);
                        assert_eq!(blobs.open(tensor).expect("it is held"), elements);
                        assert!(held.hold(tensor));
                    }
                });
            }
        });
        assert_eq!(stored(&blobs), 0);
        assert!(blobs.unnamed().is_empty());
    }
    assert!(files(folder.path()).is_empty());
}

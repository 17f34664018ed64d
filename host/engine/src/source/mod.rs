//! Where items come from: read on a thread of their own, one chunk ahead of need.
//!
//! The engine knows no file formats: whoever makes it says how the input of a plan is opened ([`InputReader`]), and what is
//! opened ([`ItemSource`]) hands its items over one by one.

mod composed;
mod item_sender;
mod sample;
mod source_item;
mod unique_ids;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
};

use crossbeam_channel::{Receiver, bounded};
use sha2::{Digest as _, Sha256};
use tracing::subscriber::set_default;

pub(super) use self::source_item::{ItemChunk, SourceItem};
pub use self::{
    composed::composed,
    item_sender::{ItemSender, ReceiverGone},
    sample::{Sample, sample},
    source_item::ItemIds,
};
use super::error::EngineError;
use jackfield_pipeline::InputPlan;

/// Opens the inputs that plans name.
pub trait InputReader: Sync {
    /// Looks whether there is anything to read, before anything is made for a run.
    ///
    /// # Errors
    /// Why there is not: [`EngineError::NoInput`], or a pattern or file that cannot be read.
    fn check(&self, input: &InputPlan) -> Result<(), EngineError>;

    /// Opens an input. Each time, it has the same items in the same order, as long as nobody changes what it is read from.
    ///
    /// # Errors
    /// As those of [`check`](Self::check).
    fn open(&self, input: &InputPlan) -> Result<Box<dyn ItemSource>, EngineError>;

    /// SHA-256 of what makes an item of an input the item that it is: an item of a run that goes on is held to it. By default
    /// that is all of its document.
    fn digest(&self, input: &InputPlan, document: &str) -> [u8; 32] {
        let _ = input;
        Sha256::digest(document).into()
    }
}

/// An input that is open.
pub trait ItemSource: Send {
    /// The number of items, where it is known beforehand.
    fn count(&self) -> Option<u64>;

    /// How the ids of its items come about.
    fn ids(&self) -> ItemIds;

    /// Hands over all items, in order. An item that cannot be read is an item all the same, with a message in place of its
    /// document: it fails alone. An error that leaves no way to know the items behind it is handed over as
    /// [`fail`](ItemSender::fail) says, and ends the run.
    ///
    /// # Errors
    /// Nobody takes items any more, or the source has failed.
    fn send_items(self: Box<Self>, items: &mut ItemSender) -> Result<(), ReceiverGone>;
}

/// Items that are being read.
pub(super) struct ItemStream {
    /// Ends with the items, or after an error.
    pub(super) items: Receiver<ItemChunk>,
    /// The number of items, where it is known beforehand.
    pub(super) count: Option<u64>,
}

/// Starts reading an input.
pub(super) fn read(reader: &dyn InputReader, input: &InputPlan) -> Result<ItemStream, EngineError> {
    start(reader.open(input)?, Warnings::Given)
}

/// Whether warnings about items are given.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Warnings {
    Given,
    /// They are given when the items are read for good.
    HeldBack,
}

fn start(source: Box<dyn ItemSource>, warnings: Warnings) -> Result<ItemStream, EngineError> {
    let (send, items) = bounded(2);
    let count = source.count();
    let failed = send.clone();
    let mut sender = ItemSender::new(send, source.ids());
    let read = move || {
        let _silence =
            (warnings == Warnings::HeldBack).then(|| set_default(tracing::subscriber::NoSubscriber::default()));
        let sent = catch_unwind(AssertUnwindSafe(|| {
            // A source that stops early has said why, or nobody listens.
            let _ = source.send_items(&mut sender);
            sender.conclude();
            let _ = sender.flush();
        }));
        if sent.is_err() {
            // A source that ended without a word would look as if it had no further items.
            let _ = failed.send(Err(EngineError::SourcePanicked));
        }
    };
    thread::Builder::new().name("source".to_owned()).spawn(read).map_err(EngineError::Workers)?;
    Ok(ItemStream { items, count })
}

/// What a reader gives of an item: its id, and its document or why there is none.
pub type ReadItem = (String, Result<String, String>);

/// The first items of an input.
pub struct FirstItems {
    /// The items.
    pub items: Vec<ReadItem>,
    /// Whether it is certain that there are no others.
    pub are_all: bool,
}

/// Reads the first items of an input, before it is read for good: up to so many, and up to so many bytes of their documents, but for
/// the chunk in which that is passed. What is odd about them is not reported.
///
/// # Errors
/// As those of [`InputReader::open`], and what ends the input among these items.
pub fn read_first(
    reader: &dyn InputReader,
    input: &InputPlan,
    most_items: usize,
    most_bytes: usize,
) -> Result<FirstItems, EngineError> {
    let mut first = Vec::new();
    let (mut bytes, mut are_all) = (0, true);
    for chunk in start(reader.open(input)?, Warnings::HeldBack)?.items {
        for item in chunk? {
            let read = read_item(item);
            bytes += read.1.as_ref().map_or(0, String::len);
            first.push(read);
        }
        if first.len() >= most_items || bytes >= most_bytes {
            are_all = false;
            break;
        }
    }
    first.truncate(most_items);
    Ok(FirstItems { items: first, are_all })
}

fn read_item(item: SourceItem) -> ReadItem {
    let document = item.document.map(|text| text.to_string()).map_err(|fault| fault.message);
    (item.id.to_string(), document)
}

/// Reads a whole input, for those who look at what a reader gives of it.
///
/// # Errors
/// What ends the input before its end.
pub fn read_all(reader: &dyn InputReader, input: &InputPlan) -> Result<Vec<ReadItem>, EngineError> {
    let mut all = Vec::new();
    for chunk in read(reader, input)?.items {
        all.extend(chunk?.into_iter().map(read_item));
    }
    Ok(all)
}

//! Files that are packed with gzip, of one member or of several.

use std::io::{self, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

/// Whether a file that begins like this is packed with gzip.
pub(super) fn is_gzip(head: &[u8]) -> bool {
    head.starts_with(b"\x1f\x8b")
}

/// What was packed; how much it is shows only as it is read.
pub(super) fn unpacked<R: Read>(packed: R) -> impl Read + use<R> {
    Unpacked(MultiGzDecoder::new(BufReader::new(packed)))
}

/// A decoder whose errors say what is wrong with the file.
struct Unpacked<R>(MultiGzDecoder<BufReader<R>>);

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.0.read(out).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => super::not_text("it is a gzip file that is cut off: copy it again"),
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
                super::not_text(&format!("it is a gzip file that is damaged ({error}): copy it again"))
            }
            _ => error,
        })
    }
}

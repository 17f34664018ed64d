//! Files that are packed with gzip, of one member or of several.

use std::io::{self, BufReader, Cursor, Read};

use flate2::bufread::GzDecoder;

/// Whether a file that begins like this is packed with gzip.
pub(super) fn is_gzip(head: &[u8]) -> bool {
    head.starts_with(b"\x1f\x8b")
}

/// What was packed; how much it is shows only as it is read. What stands behind the last member and is none, such as the zeros
/// that fill a block, is passed over, as gzip does.
pub(super) fn unpacked<R: Read>(packed: R) -> impl Read + use<R> {
    Unpacked(Some(member(Vec::new(), BufReader::new(packed))))
}

/// The first bytes of a member, and what follows them.
type Packed<R> = io::Chain<Cursor<Vec<u8>>, BufReader<R>>;

fn member<R: Read>(head: Vec<u8>, rest: BufReader<R>) -> GzDecoder<Packed<R>> {
    GzDecoder::new(Cursor::new(head).chain(rest))
}

/// A decoder of the member that is read, whose errors say what is wrong with the file; none behind the last member.
struct Unpacked<R>(Option<GzDecoder<Packed<R>>>);

impl<R: Read> Unpacked<R> {
    fn next(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        while let Some(decoder) = &mut self.0 {
            let count = decoder.read(out)?;
            if count > 0 {
                return Ok(count);
            }
            let mut head = Vec::new();
            decoder.get_mut().take(2).read_to_end(&mut head)?;
            if head == [0x1f_u8] {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let ended = self.0.take().filter(|_| is_gzip(&head));
            self.0 = ended.map(|ended| member(head, ended.into_inner().into_inner().1));
        }
        Ok(0)
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.next(out).map_err(|error| {
            if error.kind() != io::ErrorKind::Interrupted {
                self.0 = None;
            }
            match error.kind() {
                io::ErrorKind::UnexpectedEof => super::not_text("it is a gzip file that is cut off: copy it again"),
                io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
                    super::not_text(&format!("it is a gzip file that is damaged ({error}): copy it again"))
                }
                _ => error,
            }
        })
    }
}

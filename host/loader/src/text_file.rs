//! Text in files that other programs have made: packed with gzip or not, and in UTF-8 or UTF-16.
//!
//! Everything that reads a text for a user reads it here, so that all of it understands the same files. What cannot be read
//! is named, with what to do about it.

mod encoding;
mod gzip;

use std::{
    io::{self, BufRead, BufReader, Cursor, Read},
    path::Path,
};

use self::encoding::Encoding;
use super::regular_file;

/// How many bytes show which format a file has.
const HEAD: u64 = 512;

/// A text that is read from its beginning to its end.
pub type TextReader = Box<dyn BufRead + Send>;

/// Opens a regular file that holds text: its bytes as UTF-8, unpacked and without a byte order mark. Whether they really are
/// UTF-8 shows only in what is read.
///
/// # Errors
/// Those of [`regular_file::open`], and a file that is packed otherwise than with gzip, or encoded otherwise than in UTF-8 or in
/// UTF-16 with a byte order mark. What is read may end in an error too: of a gzip file that is damaged, or of a text in UTF-16
/// that is.
pub fn open(path: &Path) -> io::Result<TextReader> {
    let (head, file) = with_head(regular_file::open(path)?)?;
    if gzip::is_gzip(&head) {
        return decoded(gzip::unpacked(file));
    }
    if is_named_gzip(path) {
        return Err(not_text("its name ends in `.gz`, but it is not a gzip file: give it the name of what it is"));
    }
    decoded(file)
}

/// Reads such a text as a whole: at most `most` bytes of UTF-8, however it is packed.
///
/// # Errors
/// Those of [`open`], a text that is longer, and one that is not UTF-8.
pub fn read(path: &Path, most: u64) -> io::Result<String> {
    let mut bytes = Vec::new();
    open(path)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(regular_file::too_large(most));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        not_text(&format!("it is not UTF-8 text (byte {at} is wrong)"))
    })
}

/// Whether the name of a file says that it is packed with gzip.
#[must_use]
pub fn is_named_gzip(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"))
}

fn decoded(packed: impl Read + Send + 'static) -> io::Result<TextReader> {
    let (head, mut bytes) = with_head(packed)?;
    let encoding = Encoding::of(&head)?;
    io::copy(&mut (&mut bytes).take(encoding.mark_length()), &mut io::sink())?;
    Ok(match encoding {
        Encoding::Utf8 { .. } => Box::new(BufReader::new(bytes)),
        Encoding::Utf16(order) => Box::new(BufReader::new(encoding::Utf16Reader::new(bytes, order))),
    })
}

/// The first bytes of what a reader gives, and all of it.
fn with_head<R: Read>(mut reader: R) -> io::Result<(Vec<u8>, impl Read + use<R>)> {
    let mut head = Vec::new();
    (&mut reader).take(HEAD).read_to_end(&mut head)?;
    Ok((head.clone(), Cursor::new(head).chain(reader)))
}

/// An error of a file that does not hold text.
fn not_text(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write as _};

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).expect("packed");
        encoder.finish().expect("packed")
    }

    fn utf16(text: &str, big: bool) -> Vec<u8> {
        let units = "\u{feff}".encode_utf16().chain(text.encode_utf16());
        units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    }

    fn read_as(name: &str, bytes: &[u8], most: u64) -> Result<String, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("written");
        read(&path, most).map_err(|error| error.to_string())
    }

    #[test]
    fn a_text_is_the_same_however_it_is_packed_and_encoded() {
        // Longer than any buffer, with characters of every length, which buffers cut.
        let text = "Ann: schön, 很好, 🦀.\r\n".repeat(5_000);
        let utf8 = text.as_bytes();
        let marked = [b"\xef\xbb\xbf", utf8].concat();
        let two_members = [packed(&utf8[..100]), packed(&utf8[100..])].concat();
        for bytes in [
            utf8.to_vec(),
            marked.clone(),
            utf16(&text, false),
            utf16(&text, true),
            packed(utf8),
            packed(&marked),
            packed(&utf16(&text, true)),
            [two_members.as_slice(), &[0; 1_000]].concat(),
            [two_members.as_slice(), b"\n"].concat(),
            two_members,
        ] {
            assert_eq!(read_as("a.txt", &bytes, 1 << 20).as_ref(), Ok(&text));
        }
        assert_eq!(read_as("a.txt", b"", 1), Ok(String::new()));
        assert_eq!(read_as("a.gz", &packed(b""), 1), Ok(String::new()));
        assert_eq!(read_as("a.txt", b"\xff\xfe", 1), Ok(String::new()));
        let cut = [packed(b"Ann: Hi."), packed(b"Bob: Hi.")[..12].to_vec()].concat();
        assert!(read_as("a.gz", &cut, 99).is_err_and(|why| why.contains("cut off")));
    }

    #[test]
    fn a_text_is_as_long_as_it_is_when_it_is_unpacked() {
        let bomb = packed(&[b'a'; 1 << 20]);
        assert!(bomb.len() < 1 << 12);
        assert_eq!(read_as("a.gz", &bomb, 1 << 16), Err("it is larger than 64 KiB".to_owned()));
        assert!(read_as("a.gz", &bomb, 1 << 20).is_ok());
        assert_eq!(read_as("a", &utf16("12345", false), 5), Ok("12345".to_owned()));
        assert_eq!(read_as("a", &utf16("12345", false), 4), Err("it is larger than 4 bytes".to_owned()));
    }

    #[test]
    fn what_is_not_text_is_named_with_what_to_do_about_it() {
        let whole = packed("Ann: Hi. ".repeat(99).as_bytes());
        let mut damaged = whole.clone();
        *damaged.last_mut().expect("a byte") ^= 1;
        let mut unlike = whole.clone();
        unlike.extend(b"\x1f\x8bsomething that is no further member");
        let without_mark = &utf16("Ann: Hello, Bob.", false)[2..];
        let big_without_mark = &utf16("Ann: Hello, Bob.", true)[2..];
        let cases: [(&str, &[u8]); 14] = [
            ("cut.gz", &whole[..whole.len() - 12]),
            ("short.gz", &whole[..5]),
            ("damaged", &damaged),
            ("unlike.gz", &unlike),
            ("plain.gz", b"Ann: Hi."),
            ("empty.gz", b""),
            ("le", without_mark),
            ("be", big_without_mark),
            ("utf32", b"\xff\xfe\0\0A\0\0\0"),
            ("half", b"\xff\xfeA\0B"),
            ("surrogate", b"\xff\xfeA\0\0\xd8B\0"),
            ("latin", b"caf\xe9"),
            ("book.xlsx", b"PK\x03\x04rest"),
            ("a.zst", b"\x28\xb5\x2f\xfdrest"),
        ];
        let refused: Vec<String> = cases
            .iter()
            .map(|(name, bytes)| format!("{name}: {}", read_as(name, bytes, 1 << 20).expect_err("refused")))
            .collect();
        insta::assert_snapshot!(refused.join("\n"));
    }
}

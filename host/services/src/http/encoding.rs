//! Bodies that come packed: plugins get what is in them.

use std::io::Read;

use flate2::read::{DeflateDecoder, GzDecoder, MultiGzDecoder, ZlibDecoder};
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};

/// Most codings on top of each other.
const MOST_CODINGS: usize = 4;

/// Why a body was not decoded.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum DecodeError {
    /// It is longer than the limit once decoded.
    TooLong,
    /// It does not follow its coding, of this name.
    Damaged(String),
}

/// The body without the codings that `Content-Encoding` names, and whether that was done: a body in a coding that is not known
/// here stays as it is. Never more than `limit` bytes of it. A text that begins as gzip does is taken for gzip whether or not
/// the server says so.
pub(super) fn decode(headers: &HeaderMap, body: Vec<u8>, limit: usize) -> Result<(Vec<u8>, bool), DecodeError> {
    // A body of no bytes has nothing to take off, and some servers name a coding and send the plain text.
    if body.is_empty() || begins_as_json(&body) {
        return Ok((body, true));
    }
    let named = headers.get_all(CONTENT_ENCODING).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let named = named.collect::<Vec<_>>().join(",");
    let is_plain = |name: &str| ["", "identity", "none", "utf-8"].iter().any(|plain| name.eq_ignore_ascii_case(plain));
    let codings = named.split(',').map(str::trim).filter(|name| !is_plain(name));
    let mut codings: Vec<&str> = codings.collect();
    if codings.is_empty() && body.starts_with(&[0x1f, 0x8b]) && is_text(headers) {
        codings.push("gzip");
    }
    let is_known = |coding: &&str| ["gzip", "x-gzip", "deflate"].iter().any(|known| coding.eq_ignore_ascii_case(known));
    if codings.len() > MOST_CODINGS || !codings.iter().all(is_known) {
        return Ok((body, false));
    }
    let mut body = body;
    // What was applied last is taken off first.
    for coding in codings.into_iter().rev() {
        let unpacked = if coding.eq_ignore_ascii_case("deflate") {
            // The standard says zlib, and some servers send what is within it.
            match inflate(ZlibDecoder::new(&*body), limit) {
                Err(Stopped::Damaged) => inflate(DeflateDecoder::new(&*body), limit),
                other => other,
            }
        } else {
            // What follows the first part may be no other one.
            match inflate(MultiGzDecoder::new(&*body), limit) {
                Err(Stopped::Damaged) => inflate(GzDecoder::new(&*body), limit),
                other => other,
            }
        };
        body = unpacked.map_err(|stopped| match stopped {
            Stopped::TooLong => DecodeError::TooLong,
            Stopped::Damaged => DecodeError::Damaged(coding.to_owned()),
        })?;
        if body.is_empty() || begins_as_json(&body) {
            break;
        }
    }
    Ok((body, true))
}

/// Whether the server says that the body is JSON or another text.
fn is_text(headers: &HeaderMap) -> bool {
    let name = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let name = name.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    name.starts_with("text/") || name.ends_with("json")
}

enum Stopped {
    TooLong,
    Damaged,
}

fn begins_as_json(body: &[u8]) -> bool {
    body.trim_ascii_start().first().is_some_and(|byte| matches!(byte, b'{' | b'['))
}

fn inflate(decoder: impl Read, limit: usize) -> Result<Vec<u8>, Stopped> {
    let mut decoded = Vec::new();
    decoder.take(limit as u64 + 1).read_to_end(&mut decoded).map_err(|_| Stopped::Damaged)?;
    if decoded.len() > limit { Err(Stopped::TooLong) } else { Ok(decoded) }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{
        Compression,
        write::{DeflateEncoder, GzEncoder, ZlibEncoder},
    };
    use reqwest::header::HeaderValue;

    use super::*;

    const TEXT: &[u8] = br#"{"say": "good day"}"#;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).expect("packed");
        encoder.finish().expect("packed")
    }

    fn zlib(text: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).expect("packed");
        encoder.finish().expect("packed")
    }

    fn raw(text: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).expect("packed");
        encoder.finish().expect("packed")
    }

    fn decoded(coding: &'static str, body: Vec<u8>) -> Result<(Vec<u8>, bool), DecodeError> {
        let headers = HeaderMap::from_iter([(CONTENT_ENCODING, HeaderValue::from_static(coding))]);
        decode(&headers, body, 1000)
    }

    #[test]
    fn common_codings_are_taken_off() {
        for (coding, body) in [
            ("gzip", gzip(TEXT)),
            ("X-GZIP", gzip(TEXT)),
            ("gzip", [gzip(&TEXT[..5]), gzip(&TEXT[5..])].concat()),
            ("gzip", [gzip(TEXT), b"junk".to_vec()].concat()),
            ("gzip", [gzip(TEXT), vec![0; 20]].concat()),
            ("deflate", zlib(TEXT)),
            ("deflate", raw(TEXT)),
            ("deflate, gzip", gzip(&zlib(TEXT))),
            ("Identity", TEXT.to_vec()),
            ("", TEXT.to_vec()),
            ("br", TEXT.to_vec()),
        ] {
            assert_eq!(decoded(coding, body), Ok((TEXT.to_vec(), true)), "{coding}");
        }
        assert_eq!(decoded("gzip", Vec::new()), Ok((Vec::new(), true)));
    }

    #[test]
    fn a_text_that_is_packed_unsaid_is_unpacked_and_a_file_is_not() {
        let of_type = |name| {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(name))]);
            decode(&headers, gzip(TEXT), 1000)
        };
        assert_eq!(of_type("application/json; charset=utf-8"), Ok((TEXT.to_vec(), true)));
        assert_eq!(of_type("application/gzip"), Ok((gzip(TEXT), true)));
        assert_eq!(decode(&HeaderMap::new(), gzip(TEXT), 1000), Ok((gzip(TEXT), true)));
    }

    #[test]
    fn what_cannot_be_decoded_is_told_apart() {
        for (coding, body) in [("br", b"\x0b\x02\x80x\x03".to_vec()), ("aB-c", vec![1])] {
            assert_eq!(decoded(coding, body.clone()), Ok((body, false)), "{coding}");
        }
        assert_eq!(decoded("gzip", gzip(TEXT)[..12].to_vec()), Err(DecodeError::Damaged("gzip".to_owned())));
        assert_eq!(decoded("deflate", b"\xff\xff\xff".to_vec()), Err(DecodeError::Damaged("deflate".to_owned())));
        assert_eq!(decoded("gzip, gzip, gzip, gzip, gzip", gzip(TEXT)), Ok((gzip(TEXT), false)));
    }

    #[test]
    fn a_small_body_does_not_become_a_huge_one() {
        let zeros = vec![0; 1 << 20];
        for (coding, body) in [("gzip", gzip(&zeros)), ("deflate", zlib(&zeros)), ("gzip, gzip", gzip(&gzip(&zeros)))] {
            assert_eq!(decoded(coding, body), Err(DecodeError::TooLong), "{coding}");
        }
    }
}

//! Bodies that come compressed although nobody asked for that.

use std::io::Read;

use flate2::read::{DeflateDecoder, GzDecoder, MultiGzDecoder, ZlibDecoder};
use reqwest::header::{CONTENT_ENCODING, HeaderMap};

/// Most codings on top of each other.
const MOST_CODINGS: usize = 4;

/// Why a body was not decoded.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum DecodeError {
    /// It is in a coding that is not known here, of this name.
    Unknown(String),
    /// It is longer than the limit once decoded.
    TooLong,
    /// It does not follow its coding, of this name.
    Damaged(String),
}

/// The body without the codings that `Content-Encoding` names; never more than `limit` bytes of it. A body that begins as
/// gzip does, which JSON does not, is taken for gzip whether or not the server says so.
pub(crate) fn decode(headers: &HeaderMap, mut body: Vec<u8>, limit: usize) -> Result<Vec<u8>, DecodeError> {
    let named = headers.get_all(CONTENT_ENCODING).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let named = named.collect::<Vec<_>>().join(",");
    let is_plain = |name: &str| ["", "identity", "none", "utf-8"].iter().any(|plain| name.eq_ignore_ascii_case(plain));
    let codings = named.split(',').map(str::trim).filter(|name| !is_plain(name));
    let mut codings: Vec<&str> = codings.collect();
    if codings.is_empty() && body.starts_with(&[0x1f, 0x8b]) {
        codings.push("gzip");
    }
    if codings.len() > MOST_CODINGS {
        return Err(DecodeError::Unknown(codings.join(", ")));
    }
    // What was applied last is taken off first. A body of no bytes has nothing to take off.
    for coding in codings.into_iter().rev() {
        if body.is_empty() {
            break;
        }
        // The name stays as it came: it may be anything, the key too, which messages are to be freed of.
        body = match coding.to_ascii_lowercase().as_str() {
            // Some servers name a coding and send the plain text.
            _ if begins_as_json(&body) => Ok(body),
            // What follows the first part may be no other one.
            "gzip" | "x-gzip" => match inflate(MultiGzDecoder::new(&*body), limit) {
                Err(Stopped::Damaged) => inflate(GzDecoder::new(&*body), limit),
                other => other,
            },
            // The standard says zlib, and some servers send what is within it.
            "deflate" => match inflate(ZlibDecoder::new(&*body), limit) {
                Err(Stopped::Damaged) => inflate(DeflateDecoder::new(&*body), limit),
                other => other,
            },
            _ => return Err(DecodeError::Unknown(coding.to_owned())),
        }
        .map_err(|stopped| match stopped {
            Stopped::TooLong => DecodeError::TooLong,
            Stopped::Damaged => DecodeError::Damaged(coding.to_owned()),
        })?;
    }
    Ok(body)
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
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(text: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn raw(text: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn decoded(coding: &'static str, body: Vec<u8>) -> Result<Vec<u8>, DecodeError> {
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
            ("identity", gzip(TEXT)),
            ("br", TEXT.to_vec()),
        ] {
            assert_eq!(decoded(coding, body), Ok(TEXT.to_vec()), "{coding}");
        }
        assert_eq!(decoded("gzip", Vec::new()), Ok(Vec::new()));
        assert_eq!(decode(&HeaderMap::new(), gzip(TEXT), 1000), Ok(TEXT.to_vec()));
    }

    #[test]
    fn what_cannot_be_decoded_is_told_apart() {
        assert_eq!(decoded("br", b"\x0b\x02\x80x\x03".to_vec()), Err(DecodeError::Unknown("br".to_owned())));
        assert_eq!(decoded("aB-c", vec![1]), Err(DecodeError::Unknown("aB-c".to_owned())));
        assert_eq!(decoded("gzip", gzip(TEXT)[..12].to_vec()), Err(DecodeError::Damaged("gzip".to_owned())));
        assert_eq!(decoded("deflate", b"\xff\xff\xff".to_vec()), Err(DecodeError::Damaged("deflate".to_owned())));
        assert!(matches!(decoded("gzip, gzip, gzip, gzip, gzip", gzip(TEXT)), Err(DecodeError::Unknown(_))));
    }

    #[test]
    fn a_small_body_does_not_become_a_huge_one() {
        let zeros = vec![0; 1 << 20];
        for (coding, body) in [("gzip", gzip(&zeros)), ("deflate", zlib(&zeros)), ("gzip, gzip", gzip(&gzip(&zeros)))] {
            assert_eq!(decoded(coding, body), Err(DecodeError::TooLong), "{coding}");
        }
    }
}

//! The JSON reader and writer of the package for C, built with the machine's own compiler, beside serde_json.

use std::{
    cell::RefCell,
    io::{Read as _, Write as _},
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    fuzz::{cases, changed, changes},
    support::{root, run_command},
};

/// Sources beside the driver's own: the package without the component and the host for tests.
const SOURCES: [&str; 10] =
    ["fields", "format", "jackfield", "json", "json_number", "json_read", "json_write", "models", "plugin", "tensors"];

/// `tests/c_json/driver.c`, built. Undefined behaviour ends it.
fn build() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("driver");
    let package = root().join("plugin-api/c");
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{compiler} \"$@\""), "sh", "-std=c11", "-O1", "-Wall", "-Wextra", "-Werror"]);
    command.args(["-fsanitize=undefined", "-fsanitize-undefined-trap-on-error", "-I"]).arg(&package);
    command.arg(root().join("tests/c_json/driver.c")).arg("-o").arg(&program);
    command.args(SOURCES.map(|name| package.join(name).with_extension("c")));
    run_command(&mut command).expect_code(0);
    (folder, program)
}

/// The driver at work: it reads each document and writes it again.
struct Driver {
    child: Child,
    documents: ChildStdin,
    answers: ChildStdout,
    _folder: TempDir,
}

impl Driver {
    fn start() -> Self {
        let (folder, program) = build();
        let mut command = Command::new(program);
        let mut child = command.arg("answer").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("started");
        let (documents, answers) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        Self { child, documents, answers, _folder: folder }
    }

    /// What the document is when it is written again, or what is wrong with it.
    fn answer(&mut self, document: &[u8]) -> Result<String, String> {
        let length = u32::try_from(document.len()).expect("a short document");
        self.documents.write_all(&[&length.to_le_bytes(), document].concat()).expect("the driver reads");
        let mut header = [0; 5];
        self.answers.read_exact(&mut header).expect("the driver answers");
        let length = u32::from_le_bytes(header[1..].try_into().expect("four bytes"));
        let mut text = vec![0; length as usize];
        self.answers.read_exact(&mut text).expect("the driver answers");
        let text = String::from_utf8(text).expect("UTF-8");
        if header[0] == b'+' { Ok(text) } else { Err(text) }
    }

    /// Accepts what serde_json accepts, as the same value, and nothing else.
    #[track_caller]
    fn reads_as_serde_does(&mut self, document: &[u8]) {
        let shown = String::from_utf8_lossy(&document[..document.len().min(2000)]).into_owned();
        match (serde_json::from_slice::<Value>(document), self.answer(document)) {
            (Ok(wanted), Ok(text)) => {
                let found: Value = serde_json::from_str(&text)
                    .unwrap_or_else(|error| panic!("{shown}\nis written as {text}: {error}"));
                // Texts tell -0.0 from 0.0, and 1.0 from 1.
                assert_eq!(found.to_string(), wanted.to_string(), "{shown}");
            }
            (Err(_), Err(_)) => {}
            (Ok(_), Err(refused)) => panic!("{shown}\nis JSON, and is refused: {refused}"),
            (Err(error), Ok(text)) => panic!("{shown}\nis not JSON ({error}), and is read as {text}"),
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.child.kill().expect("ended");
        self.child.wait().expect("ended");
    }
}

/// Runs a test over many cases with one driver.
#[track_caller]
fn with_driver<S: Strategy>(count: u32, strategy: &S, test: impl Fn(&mut Driver, S::Value)) {
    let driver = RefCell::new(Driver::start());
    let result = TestRunner::new(cases(count)).run(strategy, |case| {
        test(&mut driver.borrow_mut(), case);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

// ---- documents -------------------------------------------------------------------------------------------------------

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "-?(0|[1-9][0-9]{0,24})(\\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?",
        1 => "-?[0-9]{1,400}(\\.[0-9]{0,800})?([eE][+-]?[0-9]{0,4})?",
        1 => any::<u64>().prop_map(|value| value.to_string()),
        1 => any::<i64>().prop_map(|value| value.to_string()),
        2 => any::<f64>().prop_map(|value| format!("{value:e}")),
        1 => prop::sample::select(vec!["-0", "0e999999999999", "1e308", "2e308", "1e-400", "1e99999999999999999999", "01", "1."])
            .prop_map(str::to_owned),
    ]
}

fn string() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        6 => "[ !#-\\[\\]-~]{0,20}",
        3 => "[^\"\\\\\\x00-\\x1f]{0,8}",
        2 => "\\\\[\"\\\\/bfnrt]",
        2 => "\\\\u[0-9a-fA-F]{4}",
        2 => "\\\\u[dD][89abAB][0-9a-f]{2}\\\\u[dD][c-fC-F][0-9a-f]{2}",
        1 => prop::sample::select(vec!["\\u0000", "\\ud800", "\\udc00", "\\ud800\\u0041", "\\ud800\\ud800\\udc00", "\\x", "\\u12", "\n"])
            .prop_map(str::to_owned),
    ];
    // Mostly valid, so that whole documents are.
    prop_oneof![
        6 => "[ !#-\\[\\]-~éλ日😀]{0,30}".prop_map(|text| format!("\"{text}\"")),
        1 => prop::collection::vec(part, 0..5).prop_map(|parts| format!("\"{}\"", parts.concat())),
    ]
}

fn document() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec!["null", "true", "false"]).prop_map(str::to_owned);
    let space = "[ \t\r\n]{0,2}";
    prop_oneof![number(), string(), word].prop_recursive(5, 120, 60, move |inner| {
        // Few enough that some are equal.
        let key = prop_oneof![3 => "\"[a-c]{1,2}\"", 1 => string()];
        let member =
            (key, space, space, inner.clone()).prop_map(|(key, one, two, value)| format!("{key}{one}:{two}{value}"));
        let joined = |parts: Vec<String>, space: &str| parts.join(&format!("{space},{space}"));
        prop_oneof![
            (prop::collection::vec(inner, 0..6), space)
                .prop_map(move |(parts, space)| format!("[{}]{space}", joined(parts, &space))),
            (prop_oneof![prop::collection::vec(member.clone(), 0..6), prop::collection::vec(member, 0..60)], space)
                .prop_map(move |(parts, space)| format!("{space}{{{space}{}{space}}}", joined(parts, &space))),
        ]
    })
}

#[test]
fn documents_of_every_sort_are_read_and_written_as_by_serde_json() {
    with_driver(1500, &document(), |driver, document| driver.reads_as_serde_does(document.as_bytes()));
}

#[test]
fn documents_that_were_damaged_are_refused_where_serde_json_refuses_them() {
    with_driver(1500, &(document(), changes()), |driver, (document, changes)| {
        driver.reads_as_serde_does(&changed(document.as_bytes(), &changes));
    });
}

/// A line of `documents.txt`: `<0a>` stands for the byte 0x0a.
fn with_bytes(line: &str) -> Vec<u8> {
    let mut parts = line.split('<');
    let mut bytes = parts.next().expect("a first part").as_bytes().to_vec();
    for part in parts {
        let (byte, rest) = part.split_once('>').expect("a byte");
        bytes.push(u8::from_str_radix(byte, 16).expect("two hexadecimal digits"));
        bytes.extend(rest.as_bytes());
    }
    bytes
}

/// The number halfway between two doubles next to each other, with all of its up to 768 digits, and those just beside it.
/// `bits` is odd and less than 2^53: it is counted in halves of the smallest double.
fn around_a_midpoint(bits: u64) -> [String; 3] {
    let exact = format!("{:.1100e}", f64::from_bits(bits));
    let (digits, exponent) = exact.split_once('e').expect("an exponent");
    let mut odd = 0;
    let halves = digits.bytes().filter(u8::is_ascii_digit).map(|digit| {
        let twice = 10 * odd + (digit - b'0');
        odd = twice % 2;
        char::from(b'0' + twice / 2)
    });
    let half: String = halves.collect();
    let half = half.trim_end_matches('0');
    let (all_but_last, last) = half.split_at(half.len() - 1);
    let below = last.parse::<u8>().expect("a digit") - 1;
    let number = |digits: &str| format!("{}.{}e{exponent}", &digits[..1], &digits[1..]);
    [number(half), number(&format!("{half}{}1", "0".repeat(100))), number(&format!("{all_but_last}{below}999"))]
}

/// Documents that stand for a kind of mistake, or that are at the edge of what is allowed.
#[test]
fn documents_at_the_edge_are_read_as_by_serde_json() {
    let mut documents = vec![b"".to_vec(), b" ".to_vec()];
    documents.extend(include_str!("c_json/documents.txt").lines().map(with_bytes));
    let in_string = |bytes: &[u8]| [b"\"ab".as_slice(), bytes, b"yz\""].concat();
    // Each kind of byte at each place of what is looked at eight bytes at a time.
    for byte in [b'"', b'\\', b'\n', 0x1f, 0x7f, 0x80, 0xff, b' ', b'a'] {
        documents.extend((0..20).map(|at| in_string(&[&vec![b'x'; at][..], &[byte], b"xxxxxxxxx"].concat())));
    }
    documents.push(in_string("a word or more, λέξεις ".repeat(50_000).as_bytes()));
    documents.push(format!("[{}0]", "1.5,".repeat(50_000)).into_bytes());
    let keys: String = (0..20_000).map(|at| format!("\"{}\":{at},", at % 7_000)).collect();
    documents.push(format!("{{{keys}\"last\":0}}").into_bytes());
    for bits in [1, 3, 5, (1 << 52) + 1, (1 << 53) - 1] {
        documents.extend(around_a_midpoint(bits).map(String::into_bytes));
    }

    let mut driver = Driver::start();
    for document in &documents {
        driver.reads_as_serde_does(document);
    }
    for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":", "}]")] {
        for count in [1, 62, 63, 64, 126, 127, 128, 129, 10_000] {
            let document = [&open.repeat(count), "0", &close.repeat(count)].concat();
            driver.reads_as_serde_does(document.as_bytes());
            let levels = count * if open.len() > 5 { 2 } else { 1 };
            assert_eq!(driver.answer(document.as_bytes()).is_ok(), levels <= 127, "{open} {count}");
        }
    }
}

#[test]
fn what_is_wrong_with_a_document_is_said_with_its_place() {
    let mut driver = Driver::start();
    let documents = [
        "",
        "[1,]",
        "[1 2]",
        "{\"a\" 1}",
        "{1}",
        "{\"a\":1",
        "1 2",
        "nul",
        "-x",
        "1.x",
        "1e400",
        "\"a",
        "\"\n\"",
        "\"\\x\"",
        "\"\\u00\"",
        "\"\\ud800\"",
        "\"\\udc00\"",
    ];
    let said = documents.map(|document| format!("{document:?}: {}", driver.answer(document.as_bytes()).unwrap_err()));
    let deep = driver.answer("[".repeat(128).as_bytes()).unwrap_err();
    let bytes = driver.answer(b"\"\xff\"").unwrap_err();
    insta::assert_snapshot!([&said[..], &[deep, bytes]].concat().join("\n"));
}

// ---- numbers ---------------------------------------------------------------------------------------------------------

/// The significant digits of a number, without zeros at either end.
fn digits(text: &str) -> String {
    let number = text.split(['e', 'E']).next().expect("a part");
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    digits.trim_matches('0').to_owned()
}

#[test]
fn doubles_are_written_with_the_first_of_15_16_and_17_digits_that_gives_them_again() {
    let double = prop_oneof![
        4 => any::<u64>().prop_map(f64::from_bits),
        1 => (1..2047_u64).prop_map(|exponent| f64::from_bits(exponent << 52)),
        1 => (1..1_u64 << 52).prop_map(f64::from_bits),
        1 => (any::<i32>(), 0..9_i32).prop_map(|(digits, places)| f64::from(digits) / 10_f64.powi(places)),
        1 => any::<f32>().prop_map(f64::from),
        1 => 0.0..1.0_f64,
    ];
    let finite = double.prop_filter("JSON has finite numbers alone", |double| double.is_finite());
    with_driver(4000, &finite, |driver, double| {
        let text = driver.answer(format!("{double:?}").as_bytes()).expect("JSON");
        assert_eq!(text.parse::<f64>().expect("a number").to_bits(), double.to_bits(), "{text}");
        let rounded = |digits: usize| format!("{double:.*e}", digits - 1);
        let wanted = [15, 16, 17].map(rounded).into_iter().find(|text| text.parse() == Ok(double));
        assert_eq!(digits(&text), digits(&wanted.expect("17 digits are enough")), "{text}");
    });
}

#[test]
fn numbers_keep_their_kind_and_are_written_with_a_point_or_an_exponent_if_they_are_doubles() {
    let mut driver = Driver::start();
    let numbers = [
        "0",
        "-0",
        "0.0",
        "1",
        "1.0",
        "-1",
        "1e0",
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775808",
        "-9223372036854775809",
        "0.1",
        "0.30000000000000004",
        "123456.789",
        "1e20",
        "1e21",
        "1.5e21",
        "1e-5",
        "1e-6",
        "1e-7",
        "1.25e-7",
        "4.9e-324",
        "1.7976931348623157e308",
        "5.684341886080802e-14",
        "9007199254740993.0",
    ];
    let written = numbers.map(|number| format!("{number} -> {}", driver.answer(number.as_bytes()).expect("JSON")));
    insta::assert_snapshot!(written.join("\n"));
}

// ---- values ----------------------------------------------------------------------------------------------------------

#[test]
fn values_that_a_plugin_makes_are_looked_up_and_written_or_refused() {
    let (_folder, program) = build();
    assert_eq!(run_command(Command::new(program).arg("check")).expect_code(0).stdout, "checked\n");
}

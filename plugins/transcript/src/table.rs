//! Reads tables of segments, one a line: those of Whisper (`start end text`, in milliseconds), of editors of labels
//! (`start end text`, in seconds), and any table with a header that names its columns.

use jackfield_plugin_api::prelude::*;

use crate::{Format, Reading, Turn, clean::lines, detect::ACCEPTED, footers, label, time};

const START_NAMES: [&str; 11] = [
    "start",
    "start time",
    "starttime",
    "start_time",
    "begin",
    "from",
    "time",
    "timestamp",
    "timecode",
    "start (s)",
    "in",
];
const MILLISECOND_NAMES: [&str; 4] = ["start_ms", "start (ms)", "startms", "offset_ms"];
const END_NAMES: [&str; 10] =
    ["end", "end time", "endtime", "end_time", "to", "until", "end_ms", "end (ms)", "end (s)", "out"];
const SPEAKER_NAMES: [&str; 7] =
    ["speaker", "name", "speaker name", "speaker_name", "speaker label", "speaker_label", "participant"];
const TEXT_NAMES: [&str; 8] =
    ["text", "transcript", "content", "sentence", "utterance", "caption", "dialogue", "speech"];

/// Which column is which, and what the numbers of the first one mean.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Columns {
    start: Option<usize>,
    speaker: Option<usize>,
    text: usize,
    count: usize,
    has_header: bool,
    /// Whether whole numbers are milliseconds.
    has_milliseconds: bool,
}

/// Whether a text is a table of segments, and with which sign between its columns.
pub(crate) fn format(text: &str) -> Option<Format> {
    let first = lines(text).map(str::trim_end).find(|line| !line.trim().is_empty())?;
    if columns_of(&split(first, '\t')).is_some() {
        return Some(Format::Tsv);
    }
    // A comma is a sign of sentences too: a table with commas has a header.
    csv_sign(first).map(|_| Format::Csv)
}

/// The sign between the columns of a table with a header: a comma, or a semicolon where commas are those of numbers.
fn csv_sign(header: &str) -> Option<char> {
    [',', ';'].into_iter().find(|sign| columns_of(&split(header, *sign)).is_some_and(|columns| columns.has_header))
}

/// Reads a table with tabs or commas between its columns.
pub(crate) fn read(text: &str, format: Format) -> Result<Reading> {
    let first = lines(text).map(str::trim_end).find(|line| !line.trim().is_empty()).unwrap_or_default();
    let sign = if format == Format::Csv { csv_sign(first).unwrap_or(',') } else { '\t' };
    let Some(columns) = columns_of(&split(first, sign)) else {
        return Err(Failure::InvalidInput(format!(
            "line 1 of the table names no column for the text (`text`), and has no times either; accepted are {ACCEPTED}"
        )));
    };
    let mut reader = csv::ReaderBuilder::new();
    reader.delimiter(sign as u8).has_headers(columns.has_header).flexible(true);
    // Whisper writes a quotation mark in a table with tabs as itself.
    reader.quoting(format == Format::Csv);
    let mut turns = Vec::new();
    let mut timeline = time::Timeline::default();
    let (mut numbered, mut has_fractions) = (Vec::new(), false);
    for record in reader.from_reader(text.as_bytes()).into_records() {
        let record = record.map_err(|error| Failure::InvalidInput(format!("malformed table: {error}")))?;
        let field = |index: Option<usize>| index.and_then(|index| record.get(index)).map(str::trim);
        let written = field(columns.start).unwrap_or_default();
        let number = written.parse::<f64>().ok().filter(|number| number.is_finite());
        if number.is_some() {
            has_fractions |= written.contains('.');
            numbered.push(turns.len());
        }
        let start = match number {
            Some(number) => Some(number.max(0.0)),
            None => time::whole(written).and_then(|stamp| timeline.seconds(stamp)),
        };
        // What a tab in the last column cut off belongs to it.
        let is_last = columns.text + 1 == columns.count;
        let text =
            record.iter().skip(columns.text).take(if is_last { usize::MAX } else { 1 }).collect::<Vec<_>>().join(" ");
        turns.push(Turn {
            speaker: field(columns.speaker).and_then(label::given_name),
            text: text.trim().to_owned(),
            start,
            number: None,
        });
    }
    if columns.has_milliseconds && !has_fractions {
        for index in numbered {
            turns[index].start = turns[index].start.map(|start: f64| start / 1000.0);
        }
    }
    footers::drop_notes(&mut turns);
    Ok(Reading { title: None, turns })
}

/// The fields of a header.
fn split(line: &str, sign: char) -> Vec<&str> {
    // A line without end has no more columns than these.
    line.splitn(40, sign).collect()
}

/// The columns that a first line shows: by their names, or two times before a text.
fn columns_of(fields: &[&str]) -> Option<Columns> {
    let names: Vec<String> = fields.iter().map(|field| field.trim().trim_matches('"').to_lowercase()).collect();
    let find = |wanted: &[&str]| names.iter().position(|name| wanted.contains(&name.as_str()));
    let in_milliseconds = find(&MILLISECOND_NAMES);
    if let (Some(text), start, speaker) =
        (find(&TEXT_NAMES), in_milliseconds.or_else(|| find(&START_NAMES)), find(&SPEAKER_NAMES))
        && (start.is_some() || speaker.is_some())
    {
        // Whisper's columns are `start`, `end` and `text`, and its whole numbers are milliseconds.
        let is_whispers = names.first().is_some_and(|name| name == "start") && find(&END_NAMES) == Some(1);
        return Some(Columns {
            start,
            speaker,
            text,
            count: fields.len(),
            has_header: true,
            has_milliseconds: in_milliseconds.is_some() || is_whispers,
        });
    }
    let is_seconds = |field: &&str| field.contains('.') && field.trim().parse::<f64>().is_ok_and(f64::is_finite);
    let is_labels = fields.len() == 3 && fields[..2].iter().all(is_seconds);
    is_labels.then_some(Columns {
        start: Some(0),
        speaker: None,
        text: 2,
        count: 3,
        has_header: false,
        has_milliseconds: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(Option<String>, String, Option<f64>)> {
        let format = format(text).expect("a table");
        read(text, format).expect("readable").turns.into_iter().map(|t| (t.speaker, t.text, t.start)).collect()
    }

    #[test]
    fn whisper_counts_milliseconds() {
        assert_eq!(
            found("start\tend\ttext\r\n0\t4200\tShe said \"one.\r\n4200\t9000\tTwo, three.\r\n"),
            [(None, "She said \"one.".to_owned(), Some(0.0)), (None, "Two, three.".to_owned(), Some(4.2))]
        );
        assert_eq!(
            found("start,end,text\n0,4200,\" One, \"\"two\"\".\"\n"),
            [(None, "One, \"two\".".to_owned(), Some(0.0))]
        );
    }

    #[test]
    fn other_tables_are_read_by_their_header() {
        assert_eq!(
            found("Speaker\tStart time\tEnd time\tText\nAnn\t00:00:01\t00:00:02\tOne.\nBo\t\t\tTwo.\n"),
            [(Some("Ann".to_owned()), "One.".to_owned(), Some(1.0)), (Some("Bo".to_owned()), "Two.".to_owned(), None)]
        );
        assert_eq!(found("start\tend\ttext\n0.5\t4\tOne.\n4\t5\tTwo.\n")[1].2, Some(4.0));
        assert_eq!(
            found("Start;Speaker;Text\n00:00:01;Ann;\"One; two, three.\"\n00:00:03;Bo;Yes.\n"),
            [
                (Some("Ann".to_owned()), "One; two, three.".to_owned(), Some(1.0)),
                (Some("Bo".to_owned()), "Yes.".to_owned(), Some(3.0))
            ]
        );
    }

    #[test]
    fn tracks_of_labels_have_no_header() {
        assert_eq!(found("0.500000\t4.2\tOne.\n4.200000\t5.0\tTwo.\n")[1], (None, "Two.".to_owned(), Some(4.2)));
    }

    #[test]
    fn other_texts_are_no_tables() {
        for text in ["Ann: a\tb\tc", "text, and more\n", "Ann\tBo\n1\t2", "We start, end, and text"] {
            assert_eq!(format(text), None, "{text}");
        }
        assert!(read("a\tb\n", Format::Tsv).expect_err("refused").message().contains("line 1"));
    }
}

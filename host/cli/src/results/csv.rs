//! Comma-separated values, as RFC 4180 has them.

use std::io::{self, Write};

use super::{
    columns::{Cell, Column},
    sink::Sink,
};

/// Writes CSV.
pub(crate) struct CsvSink<W> {
    out: W,
    line: String,
}

impl<W: Write> CsvSink<W> {
    /// Writes the header.
    pub(crate) fn new(mut out: W, columns: &[Column]) -> io::Result<Self> {
        let mut line = String::new();
        for (at, column) in columns.iter().enumerate() {
            add_field(&mut line, at, Some(&column.name));
        }
        line.push_str("\r\n");
        out.write_all(line.as_bytes())?;
        Ok(Self { out, line })
    }
}

impl<W: Write> Sink for CsvSink<W> {
    fn row(&mut self, cells: &[Cell<'_>]) -> io::Result<()> {
        self.line.clear();
        for (at, cell) in cells.iter().enumerate() {
            let text = (*cell != Cell::Null).then(|| cell.text());
            add_field(&mut self.line, at, text.as_deref());
        }
        self.line.push_str("\r\n");
        self.out.write_all(self.line.as_bytes())
    }

    fn end(mut self: Box<Self>) -> io::Result<()> {
        self.out.flush()
    }
}

/// Adds a field. A value that is not there is an empty field, and a text that is empty a quoted one.
fn add_field(line: &mut String, at: usize, text: Option<&str>) {
    if at > 0 {
        line.push(',');
    }
    match text {
        None => {}
        Some(text) if text.is_empty() || text.contains(['"', ',', '\r', '\n']) || text.trim() != text => {
            line.push('"');
            line.push_str(&text.replace('"', "\"\""));
            line.push('"');
        }
        Some(text) => line.push_str(text),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};
    use serde_json::Value;

    use super::{super::columns::Kind, Cell, Column, CsvSink, Sink as _};

    fn written(rows: &[Vec<Cell<'_>>]) -> String {
        let column = |name: &str| Column { name: name.to_owned(), kind: Some(Kind::Text) };
        let mut out = Vec::new();
        let mut sink = Box::new(CsvSink::new(&mut out, &[column("a"), column("b,c")]).expect("written"));
        rows.iter().for_each(|row| sink.row(row).expect("written"));
        sink.end().expect("written");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn nothing_is_an_empty_field_and_an_empty_text_is_quoted() {
        let rows = [vec![Cell::Null, Cell::Text("\"\"")], vec![Cell::Text("\"=1+1\""), Cell::Number("0.50")]];
        assert_eq!(written(&rows), "a,\"b,c\"\r\n,\"\"\r\n=1+1,0.50\r\n");
    }

    proptest! {
        #[test]
        fn a_reader_of_csv_reads_the_texts_that_were_written(texts in any::<Vec<(String, String)>>()) {
            let json: Vec<[String; 2]> =
                texts.iter().map(|(a, b)| [a, b].map(|text| Value::from(text.as_str()).to_string())).collect();
            let rows: Vec<Vec<Cell<'_>>> = json.iter().map(|row| row.iter().map(|text| Cell::Text(text)).collect()).collect();
            let text = written(&rows);
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            let read: Vec<(String, String)> = reader.deserialize().map(|row| row.expect("a record")).collect();
            assert_eq!(read, texts);
        }
    }
}

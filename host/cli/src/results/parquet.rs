//! Parquet, which keeps the types of columns: truth values, whole numbers of 64 bits, doubles and texts. Lists, and values of
//! several types, are JSON texts.

use std::{
    io::{self, Write},
    sync::Arc,
};

use parquet::{
    basic::{Compression, LogicalType, Repetition, Type as Physical},
    data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int64Type},
    errors::ParquetError,
    file::{
        properties::WriterProperties,
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::types::Type,
};

use super::{
    columns::{Cell, Column, Kind},
    sink::Sink,
};

/// The most rows of a group: what is held in memory.
const GROUP_ROWS: usize = 1 << 16;

/// A group of rows ends where its texts have more bytes than this.
const GROUP_BYTES: usize = 32 << 20;

/// Writes Parquet, a group of rows at a time.
pub(crate) struct ParquetSink<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    group: Vec<ColumnValues>,
    rows: usize,
    bytes: usize,
}

/// The values of a column in the group of rows that is not written yet.
struct ColumnValues {
    /// For each row, 1 if there is a value and 0 if there is none.
    is_there: Vec<i16>,
    values: Values,
}

enum Values {
    Bool(Vec<bool>),
    Int(Vec<i64>),
    Double(Vec<f64>),
    Text(Vec<ByteArray>),
}

impl<W: Write + Send> ParquetSink<W> {
    pub(crate) fn new(out: W, columns: &[Column]) -> io::Result<Self> {
        let fields = columns.iter().map(|column| type_of(column).map(Arc::new)).collect::<Result<Vec<_>, _>>();
        let schema = fields.and_then(|fields| Type::group_type_builder("results").with_fields(fields).build());
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(concat!("jackfield ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let writer = schema.and_then(|schema| SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties)));
        let group = columns.iter().map(|column| ColumnValues { is_there: Vec::new(), values: Values::of(column.kind) });
        Ok(Self { writer: writer.map_err(io_error)?, group: group.collect(), rows: 0, bytes: 0 })
    }

    fn write_group(&mut self) -> io::Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut group = self.writer.next_row_group().map_err(io_error)?;
        for column in &mut self.group {
            column.write(&mut group).map_err(io_error)?;
            column.clear();
        }
        group.close().map_err(io_error)?;
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }
}

impl<W: Write + Send> Sink for ParquetSink<W> {
    fn row(&mut self, cells: &[Cell<'_>]) -> io::Result<()> {
        for (column, cell) in self.group.iter_mut().zip(cells) {
            self.bytes += column.push(*cell);
        }
        self.rows += 1;
        if self.rows >= GROUP_ROWS || self.bytes >= GROUP_BYTES { self.write_group() } else { Ok(()) }
    }

    fn end(mut self: Box<Self>) -> io::Result<()> {
        self.write_group()?;
        self.writer.finish().map(drop).map_err(io_error)
    }
}

impl Values {
    const fn of(kind: Option<Kind>) -> Self {
        match kind {
            Some(Kind::Bool) => Self::Bool(Vec::new()),
            Some(Kind::Int | Kind::WideInt) => Self::Int(Vec::new()),
            Some(Kind::Double) => Self::Double(Vec::new()),
            Some(Kind::Text | Kind::Json) | None => Self::Text(Vec::new()),
        }
    }
}

impl ColumnValues {
    /// Adds a cell, and returns how many bytes of text it has.
    fn push(&mut self, cell: Cell<'_>) -> usize {
        let mut bytes = 0;
        // A value that does not fit its column is none: the columns were made of these values.
        let is_there = match (&mut self.values, cell) {
            (_, Cell::Null) => false,
            (Values::Bool(values), Cell::Bool(value)) => {
                values.push(value);
                true
            }
            (Values::Int(values), Cell::Number(text)) => text.parse().map(|number| values.push(number)).is_ok(),
            (Values::Double(values), Cell::Number(text)) => text.parse().map(|number| values.push(number)).is_ok(),
            (Values::Text(values), cell) => {
                let text = cell.text();
                bytes = text.len();
                values.push(ByteArray::from(text.into_owned().into_bytes()));
                true
            }
            _ => false,
        };
        self.is_there.push(i16::from(is_there));
        bytes
    }

    fn clear(&mut self) {
        self.is_there.clear();
        match &mut self.values {
            Values::Bool(values) => values.clear(),
            Values::Int(values) => values.clear(),
            Values::Double(values) => values.clear(),
            Values::Text(values) => values.clear(),
        }
    }

    fn write<W: Write + Send>(&self, group: &mut SerializedRowGroupWriter<'_, W>) -> Result<(), ParquetError> {
        let Some(mut column) = group.next_column()? else { return Ok(()) };
        let is_there = Some(self.is_there.as_slice());
        match &self.values {
            Values::Bool(values) => column.typed::<BoolType>().write_batch(values, is_there, None)?,
            Values::Int(values) => column.typed::<Int64Type>().write_batch(values, is_there, None)?,
            Values::Double(values) => column.typed::<DoubleType>().write_batch(values, is_there, None)?,
            Values::Text(values) => column.typed::<ByteArrayType>().write_batch(values, is_there, None)?,
        };
        column.close()
    }
}

fn type_of(column: &Column) -> Result<Type, ParquetError> {
    let (physical, logical) = match Values::of(column.kind) {
        Values::Bool(_) => (Physical::BOOLEAN, None),
        Values::Int(_) => (Physical::INT64, None),
        Values::Double(_) => (Physical::DOUBLE, None),
        Values::Text(_) => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
    };
    Type::primitive_type_builder(&column.name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical)
        .build()
}

/// A full disk stays one.
fn io_error(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(source) => io::Error::other(source.to_string()),
        },
        error => io::Error::other(error.to_string()),
    }
}

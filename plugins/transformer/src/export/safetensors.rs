//! Writing files of the format safetensors: eight bytes with the length of a header, the header in JSON, the data.

use std::{
    io::{self, BufWriter, Write},
    ops::Range,
};

use jackfield_plugin_api::Component;
use serde_json::{Map, Value, json};

use crate::{Edits, matrix::Matrix};

/// A tensor that is to be written.
pub(super) struct Tensor<'a> {
    name: String,
    shape: Vec<usize>,
    weights: Weights<'a>,
}

enum Weights<'a> {
    Vector(&'a [f32]),
    /// Some of the rows of a matrix.
    Rows(&'a Matrix, Range<usize>),
    /// A matrix with the edits of a component of a block in it.
    Edited(&'a Matrix, &'a Edits, (Component, usize)),
}

impl<'a> Tensor<'a> {
    pub(super) fn vector(name: impl Into<String>, vector: &'a [f32]) -> Self {
        Self { name: name.into(), shape: vec![vector.len()], weights: Weights::Vector(vector) }
    }

    pub(super) fn rows(name: impl Into<String>, matrix: &'a Matrix, rows: Range<usize>) -> Self {
        Self { name: name.into(), shape: vec![rows.len(), matrix.inputs()], weights: Weights::Rows(matrix, rows) }
    }

    pub(super) fn edited(
        name: impl Into<String>,
        matrix: &'a Matrix,
        edits: &'a Edits,
        place: (Component, usize),
    ) -> Self {
        let shape = vec![matrix.outputs(), matrix.inputs()];
        Self { name: name.into(), shape, weights: Weights::Edited(matrix, edits, place) }
    }

    fn write(&self, file: &mut impl Write) -> io::Result<()> {
        match &self.weights {
            Weights::Vector(vector) => floats(file, vector),
            Weights::Rows(matrix, rows) => matrix_rows(file, matrix, rows.clone()),
            Weights::Edited(matrix, edits, (component, layer)) => match edits.baked(*component, *layer, matrix) {
                Some(weights) => floats(file, &weights),
                None => matrix_rows(file, matrix, 0..matrix.outputs()),
            },
        }
    }
}

fn matrix_rows(file: &mut impl Write, matrix: &Matrix, rows: Range<usize>) -> io::Result<()> {
    let mut row = vec![0.0; matrix.inputs()];
    rows.into_iter().try_for_each(|index| {
        matrix.row(index, &mut row);
        floats(file, &row)
    })
}

fn floats(file: &mut impl Write, floats: &[f32]) -> io::Result<()> {
    floats.iter().try_for_each(|float| file.write_all(&float.to_le_bytes()))
}

/// Writes tensors as 32-bit floats, one after the other. Before each, `check` may end it.
pub(super) fn write(
    file: impl Write,
    tensors: &[Tensor<'_>],
    check: &mut dyn FnMut() -> io::Result<()>,
) -> io::Result<()> {
    let mut header = Map::new();
    // What loads such a file elsewhere wants to know what it was written for.
    header.insert("__metadata__".to_owned(), json!({ "format": "pt" }));
    let mut begin = 0;
    for tensor in tensors {
        let end = begin + tensor.shape.iter().product::<usize>() * size_of::<f32>();
        let entry = json!({ "dtype": "F32", "shape": tensor.shape, "data_offsets": [begin, end] });
        header.insert(tensor.name.clone(), entry);
        begin = end;
    }
    let mut header = serde_json::to_vec(&Value::Object(header))?;
    // Data begin at a multiple of eight bytes.
    header.resize(header.len().next_multiple_of(8), b' ');
    let mut file = BufWriter::new(file);
    file.write_all(&(header.len() as u64).to_le_bytes())?;
    file.write_all(&header)?;
    for tensor in tensors {
        check()?;
        tensor.write(&mut file)?;
    }
    file.flush()
}

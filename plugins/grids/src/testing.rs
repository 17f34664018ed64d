//! Generators and helpers that the tests of this crate share.

use proptest::prelude::*;

use crate::value::{Grid, Indices, Object, Value};

/// An equal value in which every grid is a tuple of tuples, and every set of locations or of cells a list of members.
pub(crate) fn plain(value: &Value) -> Value {
    let members = || value.members().into_iter().flatten().map(|member| plain(&member)).collect();
    match value {
        Value::Grid(_) | Value::Tuple(_) => Value::tuple(members()),
        Value::Indices(_) | Value::Object(_) | Value::Set(_) => Value::sorted_set(members()),
        other => other.clone(),
    }
}

/// Grids of up to this many rows and columns.
pub(crate) fn grids(side: u32) -> impl Strategy<Value = Value> {
    // Few colours, so that some are frequent, and some rows and columns of one colour.
    (1..=side, 1..=side, proptest::sample::subsequence((0..=9_u8).collect::<Vec<_>>(), 1..=4)).prop_flat_map(
        |(height, width, colors)| {
            let cells = proptest::collection::vec(proptest::sample::select(colors), (height * width) as usize);
            cells.prop_map(move |cells| Value::grid(Grid::new(height, width, cells)))
        },
    )
}

/// Locations around the origin, and now and then one that is far out.
pub(crate) fn locations() -> impl Strategy<Value = (i32, i32)> {
    prop_oneof![20 => (-2..8, -2..8), 4 => (-9..40, -9..40), 1 => (-70..70, -70..70)]
}

/// Sets of locations, none of them empty.
pub(crate) fn indices() -> impl Strategy<Value = Value> {
    proptest::collection::vec(locations(), 1..20).prop_map(|cells| Value::indices(Indices::from_cells(cells)))
}

/// Sets of cells, none of them empty.
pub(crate) fn objects() -> impl Strategy<Value = Value> {
    let cells = proptest::collection::vec((0..4_i32, locations()), 1..20);
    cells.prop_map(|cells| Value::object(Object::from_cells(cells)))
}

//! The signatures of primitives of grids and patches alone.

use super::{
    super::{Known, Rows, Type, safe_call},
    as_patch, locations, object,
};

/// Primitives of one grid, or of one piece of any kind.
pub(super) fn pieces(name: &str, piece: &Type) -> Option<Known> {
    let Some(rows) = piece.as_rows() else { return pieces_of_cells(name, piece) };
    let Rows { filled, wide, even } = rows;
    let has_cell = filled && wide;
    Some(match name {
        "height" => safe_call(Type::integer(i64::from(filled), i64::MAX)),
        "width" => safe_call(Type::integer(i64::from(has_cell), i64::MAX)),
        "shape" => safe_call(Type::two(
            Type::integer(i64::from(filled), i64::MAX),
            Type::integer(i64::from(has_cell), i64::MAX),
        )),
        "portrait" => safe_call(Type::BOOLEAN),
        "square" => Known { result: Type::BOOLEAN, is_safe: filled },
        "hmirror" | "vmirror" | "rot180" => safe_call(Type::Rows(rows)),
        "rot90" | "rot270" | "dmirror" | "cmirror" => safe_call(Type::Rows(rows.transposed())),
        "palette" => safe_call(Type::set(Type::INTEGER, has_cell)),
        "numcolors" => safe_call(Type::integer(i64::from(has_cell), i64::MAX)),
        "mostcolor" | "leastcolor" => Known { result: Type::INTEGER, is_safe: has_cell },
        "asindices" => safe_call(locations(has_cell)),
        "asobject" => safe_call(object(has_cell)),
        "partition" => safe_call(Type::set(object(true), has_cell)),
        "fgpartition" => Known { result: Type::set(object(true), false), is_safe: has_cell },
        "frontiers" => Known { result: Type::set(object(true), false), is_safe: filled && even },
        "trim" | "compress" => safe_call(Type::Rows(Rows { filled: false, wide: false, even })),
        "tophalf" | "bottomhalf" => safe_call(Type::Rows(Rows { filled: false, wide, even })),
        "lefthalf" | "righthalf" => safe_call(Type::Rows(Rows { filled: false, wide: true, even: true })),
        _ => return None,
    })
}

/// The same of a patch.
fn pieces_of_cells(name: &str, piece: &Type) -> Option<Known> {
    let patch = as_patch(piece)?;
    let extent = Type::integer(i64::from(patch.filled), i64::MAX);
    Some(match name {
        "height" | "width" => safe_call(extent),
        "shape" => safe_call(Type::two(extent.clone(), extent)),
        "portrait" | "square" => safe_call(Type::BOOLEAN),
        "hmirror" | "vmirror" | "dmirror" | "cmirror" => {
            Known { result: patch.moved(patch.filled), is_safe: patch.filled }
        }
        "palette" if patch.is_object => safe_call(Type::set(Type::INTEGER, patch.filled)),
        "numcolors" if patch.is_object => safe_call(extent),
        "mostcolor" | "leastcolor" if patch.is_object => Known { result: Type::INTEGER, is_safe: patch.filled },
        _ => return None,
    })
}

/// Primitives of one patch or one location.
pub(super) fn patches(name: &str, value: &Type) -> Option<Known> {
    if value.is_pair() {
        return Some(match name {
            "dneighbors" | "ineighbors" | "neighbors" | "vfrontier" | "hfrontier" => safe_call(locations(true)),
            _ => return None,
        });
    }
    let patch = as_patch(value)?;
    let filled = patch.filled;
    // What the corners of nothing are: the empty tuple.
    let corner = if filled { Type::pair() } else { Type::Any };
    Some(match name {
        "ulcorner" | "urcorner" | "llcorner" | "lrcorner" | "centerofmass" => safe_call(corner),
        "center" => Known { result: Type::pair(), is_safe: filled },
        "corners" => safe_call(if filled { locations(true) } else { Type::Any }),
        "toindices" | "backdrop" | "box" => safe_call(locations(filled)),
        "delta" => safe_call(locations(false)),
        "inbox" | "outbox" => Known { result: locations(false), is_safe: filled },
        "normalize" => safe_call(patch.moved(filled)),
        "uppermost" | "lowermost" | "leftmost" | "rightmost" => Known { result: Type::INTEGER, is_safe: filled },
        "vline" | "hline" => safe_call(Type::BOOLEAN),
        "color" if patch.is_object => Known { result: Type::INTEGER, is_safe: filled },
        "hperiod" | "vperiod" if patch.is_object => safe_call(Type::COUNT),
        _ => return None,
    })
}

/// Primitives of two patches.
pub(super) fn pair_of_patches(name: &str, a: &Type, b: &Type) -> Option<Known> {
    let (a, b) = (as_patch(a)?, as_patch(b)?);
    let is_safe = a.filled && b.filled;
    Some(match name {
        "hmatching" | "vmatching" => safe_call(Type::BOOLEAN),
        "manhattan" => Known { result: Type::COUNT, is_safe },
        "adjacent" => Known { result: Type::BOOLEAN, is_safe },
        "position" | "gravitate" => Known { result: Type::pair(), is_safe },
        _ => return None,
    })
}

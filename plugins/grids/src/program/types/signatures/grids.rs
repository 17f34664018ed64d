//! The signatures of primitives of a grid, a patch or an element and other values.

use super::{
    super::{Known, Rows, Type, safe_call, unsafe_call},
    as_object, as_patch, is_nonzero, locations, object,
};

/// Primitives of an element or a patch and something else, in whichever order they stand.
pub(super) fn grid_and(name: &str, a: &Type, b: &Type) -> Option<Known> {
    match name {
        "recolor" => {
            let patch = as_patch(b)?;
            let color = if a.as_integer().is_some() { Type::INTEGER } else { a.clone() };
            return Some(safe_call(Type::set(Type::two(color, Type::pair()), patch.filled)));
        }
        "shift" => return b.is_pair().then(|| as_patch(a).map(|patch| safe_call(patch.moved(patch.filled))))?,
        "colorcount" => {
            return (a.as_rows().is_some() || as_object(a).is_some()).then(|| safe_call(Type::COUNT));
        }
        "upscale" if a.as_rows().is_none() => {
            let (object, (least, _)) = (as_object(a)?, b.as_integer()?);
            return Some(safe_call(self::object(object.filled && least >= 1)));
        }
        "bordering" => {
            let (patch, rows) = (as_patch(a)?, b.as_rows()?);
            return Some(Known { result: Type::BOOLEAN, is_safe: patch.filled && rows.filled });
        }
        "toobject" => {
            let (_, rows) = (as_patch(a)?, b.as_rows()?);
            return Some(Known { result: object(false), is_safe: rows.filled && rows.even });
        }
        "subgrid" => {
            let (patch, rows) = (as_patch(a)?, b.as_rows()?);
            let result = Type::Rows(Rows { filled: false, wide: false, even: rows.even });
            return Some(Known { result, is_safe: patch.filled });
        }
        "vconcat" if a.as_rows().is_none() || b.as_rows().is_none() => {
            let ((of_a, a_filled), (of_b, b_filled)) = (a.as_tuple()?, b.as_tuple()?);
            return Some(safe_call(Type::tuple(of_a.join(&of_b), a_filled || b_filled)));
        }
        _ => {}
    }
    let rows = a.as_rows()?;
    let Rows { filled, wide, even } = rows;
    let is_solid = filled && even;
    Some(match name {
        "ofcolor" => safe_call(locations(false)),
        "paint" | "underpaint" => {
            as_object(b)?;
            Known { result: a.clone(), is_safe: is_solid && (wide || name == "paint") }
        }
        "cover" => {
            as_patch(b)?;
            Known { result: a.clone(), is_safe: is_solid && wide }
        }
        "hupscale" | "vupscale" | "upscale" => {
            let is_kept = b.as_integer()?.0 >= 1;
            let filled = filled && (is_kept || name == "hupscale");
            let wide = wide && (is_kept || name == "vupscale");
            safe_call(Type::Rows(Rows { filled, wide, even }))
        }
        "downscale" => Known { result: a.clone(), is_safe: is_solid && is_nonzero(b.as_integer()?) },
        "hconcat" => {
            let other = b.as_rows()?;
            safe_call(Type::Rows(Rows {
                filled: filled && other.filled,
                wide: wide || other.wide,
                even: even && other.even,
            }))
        }
        "vconcat" => {
            let other = b.as_rows()?;
            safe_call(Type::Rows(Rows { filled: filled || other.filled, wide: wide && other.wide, even: false }))
        }
        "hsplit" | "vsplit" => {
            let parts = b.as_integer()?;
            let part = match name {
                "hsplit" => Rows { filled, wide: false, even },
                _ => Rows { filled: false, wide, even },
            };
            Known { result: Type::tuple(Type::Rows(part), parts.0 >= 1), is_safe: filled && is_nonzero(parts) }
        }
        "index" if b.is_pair() => Known { result: Type::Any, is_safe: is_solid },
        "occurrences" => {
            as_object(b)?;
            Known { result: locations(false), is_safe: is_solid }
        }
        _ => return None,
    })
}

/// Primitives of a grid and two more.
pub(super) fn grid_and_two(name: &str, grid: &Type, a: &Type, b: &Type) -> Option<Known> {
    let rows = grid.as_rows()?;
    let Rows { filled, wide, even } = rows;
    let is_solid = filled && even;
    let with_color = |color: &Type| if color.as_integer().is_some() { grid.clone() } else { Type::Any };
    Some(match name {
        "crop" if a.is_pair() && b.is_pair() => safe_call(Type::Rows(Rows { filled: false, wide: false, even })),
        "fill" | "underfill" => {
            as_patch(b)?;
            Known { result: with_color(a), is_safe: is_solid && (wide || name == "fill") }
        }
        "replace" => safe_call(with_color(b)),
        "switch" => {
            a.as_integer().and(b.as_integer())?;
            safe_call(grid.clone())
        }
        "cellwise" => {
            a.as_rows()?;
            let result = if b.as_integer().is_some() { Type::Rows(Rows { even: true, ..rows }) } else { Type::Any };
            unsafe_call(result)
        }
        "move" if b.is_pair() => {
            as_object(a)?;
            Known { result: grid.clone(), is_safe: is_solid && wide }
        }
        _ => return None,
    })
}

pub(super) fn objects(grid: &Type, univalued: &Type, diagonal: &Type, without_background: &Type) -> Option<Known> {
    let Rows { filled, wide, even } = grid.as_rows()?;
    univalued.as_integer().and(diagonal.as_integer())?;
    let is_solid = filled && wide && even;
    let has_all = without_background.as_integer()? == (0, 0);
    Some(Known { result: Type::set(object(true), is_solid && has_all), is_safe: is_solid })
}

//! What is known of a call of each primitive, by what is known of its arguments.
//!
//! A call is said to be safe only where nothing that its arguments may be makes the reference fail. Where a rule is silent, the
//! call may fail and its value may be anything.

use super::{Analysis, Closure, Known, REPETITIONS, Rows, Type, safe_call, unsafe_call};
use crate::primitives::Primitive;

impl Analysis {
    /// A call of a primitive.
    pub(super) fn primitive(&mut self, primitive: Primitive, arguments: &[Type]) -> Known {
        let name = primitive.row().name;
        let known = match arguments {
            [one] => pieces(name, one)
                .or_else(|| patches(name, one))
                .or_else(|| numbers(name, one))
                .or_else(|| one_container(name, one)),
            [a, b] => grid_and(name, a, b)
                .or_else(|| pair_of_patches(name, a, b))
                .or_else(|| two_numbers(name, a, b))
                .or_else(|| two_containers(name, a, b))
                .or_else(|| self.two_with_function(name, a, b)),
            [a, b, c] => grid_and_two(name, a, b, c).or_else(|| self.three(name, a, b, c)),
            [grid, univalued, diagonal, without_background] if name == "objects" => {
                objects(grid, univalued, diagonal, without_background)
            }
            _ => None,
        };
        known.unwrap_or_else(|| unsafe_call(Type::Any))
    }

    /// Primitives of two arguments, one of which is called.
    fn two_with_function(&mut self, name: &str, a: &Type, b: &Type) -> Option<Known> {
        Some(match name {
            "compose" => safe_call(Type::function(Closure::Pipeline(vec![b.clone(), a.clone()]))),
            "matcher" => safe_call(Type::function(Closure::Matcher(a.clone()))),
            "rbind" | "lbind" => {
                let Type::Function(closure) = a else { return None };
                // What has neither two nor three arguments counts as having four.
                let left = match closure.arity() {
                    Some(2) => 1,
                    Some(3) => 2,
                    Some(_) => 3,
                    None => return Some(safe_call(Type::function(Closure::Unknown))),
                };
                let (function, fixed) = (a.clone(), b.clone());
                safe_call(Type::function(match name {
                    "rbind" => Closure::RightBound(function, fixed, left),
                    _ => Closure::LeftBound(function, fixed, left),
                }))
            }
            "power" if !matches!(a, Type::Function(_)) => return None,
            "power" => match b.as_integer()? {
                (1, 1) => safe_call(a.clone()),
                (least, most) if least == most && (2..=REPETITIONS).contains(&least) => {
                    safe_call(Type::function(Closure::Repeated(a.clone(), least as u32)))
                }
                (least, most) if least >= 2 && most <= REPETITIONS => safe_call(Type::function(Closure::Unknown)),
                _ => return None,
            },
            "order" => {
                let (of, filled) = a.as_container()?;
                let key = self.call(b, std::slice::from_ref(&of));
                let result = if a.as_set().is_some() { Type::tuple(of, filled) } else { as_plain_tuple(a)? };
                Known { result, is_safe: key.is_safe && key.result.is_ordered() }
            }
            "valmax" | "valmin" => {
                let (of, filled) = a.as_container()?;
                let key = self.call(b, &[of]);
                let mut known = Known { is_safe: key.is_safe && key.result.is_ordered(), result: key.result };
                if !filled {
                    let of_zero = self.call(b, &[Type::integer(0, 0)]);
                    known.is_safe &= of_zero.is_safe;
                    known.result = known.result.join(&of_zero.result);
                }
                known
            }
            "argmax" | "argmin" => {
                let (of, filled) = a.as_container()?;
                let key = self.call(b, std::slice::from_ref(&of));
                Known { result: of, is_safe: filled && key.is_safe && key.result.is_ordered() }
            }
            "sfilter" | "mfilter" => {
                let (of, _) = a.as_container()?;
                let is_safe = self.call(b, &[of]).is_safe;
                let kept = emptied(a)?;
                match name {
                    "sfilter" => Known { result: kept, is_safe },
                    _ => {
                        let merged = merge(&kept)?;
                        Known { result: merged.result, is_safe: is_safe && merged.is_safe }
                    }
                }
            }
            "extract" => unsafe_call(a.as_container()?.0),
            "apply" | "mapply" => {
                let (of, filled) = b.as_container()?;
                let given = self.call(a, &[of]);
                let all = same_kind(b, given.result, filled);
                match name {
                    "apply" => Known { result: all, is_safe: given.is_safe },
                    _ => match merge(&all) {
                        Some(merged) => Known { result: merged.result, is_safe: given.is_safe && merged.is_safe },
                        None => unsafe_call(Type::Any),
                    },
                }
            }
            "rapply" => {
                if let Type::Two(first, second) = a {
                    let (first, second) =
                        (self.call(first, std::slice::from_ref(b)), self.call(second, std::slice::from_ref(b)));
                    let is_safe = first.is_safe && second.is_safe;
                    return Some(Known { result: Type::two(first.result, second.result), is_safe });
                }
                let (function, filled) = a.as_container()?;
                let given = self.call(&function, std::slice::from_ref(b));
                Known { result: same_kind(a, given.result, filled), is_safe: given.is_safe }
            }
            _ => return None,
        })
    }

    /// Primitives of three arguments that are not about grids.
    fn three(&mut self, name: &str, a: &Type, b: &Type, c: &Type) -> Option<Known> {
        Some(match name {
            "branch" => safe_call(match a.as_integer() {
                Some((0, 0)) => c.clone(),
                Some((least, most)) if least > 0 || most < 0 => b.clone(),
                _ => b.join(c),
            }),
            "chain" => safe_call(Type::function(Closure::Pipeline(vec![c.clone(), b.clone(), a.clone()]))),
            "fork" => safe_call(Type::function(Closure::Fork(a.clone(), b.clone(), c.clone()))),
            "interval" => {
                let (start, stop, step) = (a.as_integer()?, b.as_integer()?, c.as_integer()?);
                let of = Type::integer(start.0.min(stop.0), start.1.max(stop.1));
                Known { result: Type::tuple(of, false), is_safe: is_nonzero(step) }
            }
            "papply" | "mpapply" => {
                let ((of_b, b_filled), (of_c, c_filled)) = (b.as_tuple()?, c.as_tuple()?);
                let given = self.call(a, &[of_b, of_c]);
                let all = Type::tuple(given.result, b_filled && c_filled);
                match name {
                    "papply" => Known { result: all, is_safe: given.is_safe },
                    _ => match merge(&all) {
                        Some(merged) => Known { result: merged.result, is_safe: given.is_safe && merged.is_safe },
                        None => unsafe_call(Type::Any),
                    },
                }
            }
            "prapply" => {
                let ((of_b, b_filled), (of_c, c_filled)) = (b.as_container()?, c.as_container()?);
                let given = self.call(a, &[of_b, of_c]);
                Known { result: Type::set(given.result, b_filled && c_filled), is_safe: given.is_safe }
            }
            _ => return None,
        })
    }
}

/// The least and the greatest of an integer.
type Bounds = (i64, i64);

/// Whether a patch is a set of cells, and whether it has a member.
struct Patch {
    is_object: bool,
    filled: bool,
}

fn as_patch(value: &Type) -> Option<Patch> {
    let (of, filled) = value.as_set()?;
    (of.is_pair() || of.is_cell()).then(|| Patch { is_object: of.is_cell(), filled })
}

fn as_object(value: &Type) -> Option<Patch> {
    as_patch(value).filter(|patch| patch.is_object)
}

impl Patch {
    /// A patch of the same kind at other places, with other colours.
    fn moved(&self, filled: bool) -> Type {
        Type::set(if self.is_object { Type::cell() } else { Type::pair() }, filled)
    }
}

fn locations(filled: bool) -> Type {
    Type::set(Type::pair(), filled)
}

fn object(filled: bool) -> Type {
    Type::set(Type::cell(), filled)
}

fn is_nonzero((least, most): Bounds) -> bool {
    least > 0 || most < 0
}

fn is_numeric(value: &Type) -> bool {
    value.as_integer().is_some() || value.is_pair()
}

/// A container of the kind of another one.
fn same_kind(container: &Type, of: Type, filled: bool) -> Type {
    if container.as_set().is_some() { Type::set(of, filled) } else { Type::tuple(of, filled) }
}

/// A tuple of the same slots in any order or number, at least one if there was one.
fn as_plain_tuple(value: &Type) -> Option<Type> {
    match value {
        Type::Rows(_) | Type::Tuple(..) => Some(value.clone()),
        other => other.as_tuple().map(|(of, filled)| Type::tuple(of, filled)),
    }
}

/// Some members of a container, perhaps none.
fn emptied(value: &Type) -> Option<Type> {
    match value {
        Type::Set(of, _) => Some(Type::Set(of.clone(), false)),
        other => as_plain_tuple(other).map(|tuple| match tuple {
            Type::Rows(rows) => Type::Rows(Rows { filled: false, ..rows }),
            Type::Tuple(of, _) => Type::Tuple(of, false),
            other => other,
        }),
    }
}

fn merge(containers: &Type) -> Option<Known> {
    let (of, filled) = containers.as_container()?;
    let (inner, inner_filled) = of.as_container()?;
    Some(safe_call(same_kind(containers, inner, filled && inner_filled)))
}

/// Primitives of one grid, or of one piece of any kind.
fn pieces(name: &str, piece: &Type) -> Option<Known> {
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
fn patches(name: &str, value: &Type) -> Option<Known> {
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

/// Primitives of one number.
fn numbers(name: &str, value: &Type) -> Option<Known> {
    match name {
        "identity" => return Some(safe_call(value.clone())),
        "flip" => return Some(safe_call(Type::BOOLEAN)),
        "initset" => return Some(safe_call(Type::set(value.clone(), true))),
        "toivec" => return Some(safe_call(Type::two(value.clone(), Type::integer(0, 0)))),
        "tojvec" => return Some(safe_call(Type::two(Type::integer(0, 0), value.clone()))),
        "even" | "positive" => return value.as_integer().map(|_| safe_call(Type::BOOLEAN)),
        _ => {}
    }
    let change: fn(Bounds) -> Bounds = match name {
        "double" => |bounds| add(bounds, bounds),
        "increment" => |bounds| add(bounds, (1, 1)),
        "decrement" => |bounds| add(bounds, (-1, -1)),
        "sign" => |_| (-1, 1),
        "halve" => |(least, most)| (halve(least), halve(most)),
        "invert" => |(least, most)| (negate(most), negate(least)),
        "crement" => |_| (i64::MIN, i64::MAX),
        _ => return None,
    };
    each_slot(value, change).map(safe_call)
}

fn each_slot(value: &Type, change: fn(Bounds) -> Bounds) -> Option<Type> {
    let changed = |bounds| {
        let (least, most) = change(bounds);
        Type::integer(least, most)
    };
    match value {
        Type::Two(first, second) => Some(Type::two(changed(first.as_integer()?), changed(second.as_integer()?))),
        other => other.as_integer().map(changed),
    }
}

/// Bounds of a sum. The ends of 64 bits stand for no bound.
fn add((least, most): Bounds, (other_least, other_most): Bounds) -> Bounds {
    let least = if least == i64::MIN || other_least == i64::MIN { i64::MIN } else { least.saturating_add(other_least) };
    let most = if most == i64::MAX || other_most == i64::MAX { i64::MAX } else { most.saturating_add(other_most) };
    (least, most)
}

fn halve(bound: i64) -> i64 {
    if bound == i64::MIN || bound == i64::MAX { bound } else { bound.div_euclid(2) }
}

fn negate(bound: i64) -> i64 {
    match bound {
        i64::MIN => i64::MAX,
        i64::MAX => i64::MIN,
        bound => -bound,
    }
}

/// Bounds of a product: only those of factors that are not negative are followed.
fn multiply((least, most): Bounds, (other_least, other_most): Bounds) -> Bounds {
    if least < 0 || other_least < 0 {
        return (i64::MIN, i64::MAX);
    }
    (least.saturating_mul(other_least), most.saturating_mul(other_most))
}

/// Primitives of two numbers or two values of any kind.
fn two_numbers(name: &str, a: &Type, b: &Type) -> Option<Known> {
    let change: fn(Bounds, Bounds) -> Bounds = match name {
        "equality" => return Some(safe_call(Type::BOOLEAN)),
        "both" | "either" => return Some(safe_call(a.join(b))),
        "astuple" => return Some(safe_call(Type::two(a.clone(), b.clone()))),
        "greater" => {
            let is_safe = (a.as_set().is_some() && b.as_set().is_some()) || (a.join(b).is_ordered());
            return Some(Known { result: Type::BOOLEAN, is_safe });
        }
        "connect" | "shoot" => return (a.is_pair() && b.is_pair()).then(|| safe_call(locations(false))),
        "canvas" => return canvas(a, b),
        "repeat" => return repeat(a, b),
        "add" => add,
        "subtract" => |a, (least, most)| add(a, (negate(most), negate(least))),
        "multiply" => multiply,
        "divide" => |_, _| (i64::MIN, i64::MAX),
        _ => return None,
    };
    if !is_numeric(a) || !is_numeric(b) {
        return None;
    }
    let both = |one: &Type, other: &Type| {
        let (least, most) = change(one.as_integer()?, other.as_integer()?);
        Some(Type::integer(least, most))
    };
    let result = match (a, b) {
        (Type::Two(first, second), Type::Two(other_first, other_second)) => {
            Type::two(both(first, other_first)?, both(second, other_second)?)
        }
        (Type::Two(first, second), integer) => Type::two(both(first, integer)?, both(second, integer)?),
        (integer, Type::Two(first, second)) => Type::two(both(integer, first)?, both(integer, second)?),
        (one, other) => both(one, other)?,
    };
    let is_divisor = |value: &Type| value.as_integer().is_some_and(is_nonzero);
    let is_safe = match b {
        _ if name != "divide" => true,
        Type::Two(first, second) => is_divisor(first) && is_divisor(second),
        integer => is_divisor(integer),
    };
    Some(Known { result, is_safe })
}

fn canvas(value: &Type, dimensions: &Type) -> Option<Known> {
    let Type::Two(height, width) = dimensions else { return None };
    let ((height, _), (width, _)) = (height.as_integer()?, width.as_integer()?);
    let rows = Rows { filled: height >= 1, wide: width >= 1, even: true };
    Some(safe_call(if value.as_integer().is_some() { Type::Rows(rows) } else { Type::Any }))
}

fn repeat(item: &Type, times: &Type) -> Option<Known> {
    let (least, _) = times.as_integer()?;
    Some(safe_call(match Type::tuple(item.clone(), least >= 1) {
        Type::Rows(rows) => Type::Rows(Rows { even: true, ..rows }),
        other => other,
    }))
}

/// Primitives of one container.
fn one_container(name: &str, container: &Type) -> Option<Known> {
    if let ("first" | "last", Type::Two(first, second)) = (name, container) {
        return Some(safe_call((**if name == "first" { first } else { second }).clone()));
    }
    let (of, filled) = container.as_container()?;
    Some(match name {
        "first" | "last" => Known { result: of, is_safe: filled },
        "size" => safe_call(Type::integer(i64::from(filled), i64::MAX)),
        "merge" => return merge(container),
        "maximum" | "minimum" => {
            let is_safe = of.is_ordered();
            Known { result: if filled { of } else { of.join(&Type::integer(0, 0)) }, is_safe }
        }
        "dedupe" => safe_call(as_plain_tuple(container)?),
        "mostcommon" | "leastcommon" => {
            container.as_tuple()?;
            Known { result: of, is_safe: filled }
        }
        "totuple" => {
            safe_call(if container.as_set().is_some() { Type::tuple(of, filled) } else { as_plain_tuple(container)? })
        }
        _ => return None,
    })
}

/// Primitives of two containers, or of a container and a value.
fn two_containers(name: &str, a: &Type, b: &Type) -> Option<Known> {
    Some(match name {
        "contained" => {
            b.as_container()?;
            safe_call(Type::BOOLEAN)
        }
        "insert" => {
            let (of, _) = b.as_set()?;
            safe_call(Type::set(of.join(a), true))
        }
        "remove" => safe_call(emptied(b)?),
        "other" => unsafe_call(a.as_container()?.0),
        "sizefilter" => {
            let (of, _) = a.as_container()?;
            of.as_container()?;
            safe_call(Type::set(of, false))
        }
        "colorfilter" => {
            let (of, _) = a.as_container()?;
            let object = as_object(&of)?;
            Known { result: Type::set(of, false), is_safe: object.filled }
        }
        "combine" => {
            let ((of_a, a_filled), (of_b, b_filled)) = (a.as_container()?, b.as_container()?);
            safe_call(same_kind(a, of_a.join(&of_b), a_filled || b_filled))
        }
        "intersection" => {
            let ((of, _), _) = (a.as_set()?, b.as_set()?);
            safe_call(Type::set(of.clone(), false))
        }
        "difference" => {
            b.as_container()?;
            safe_call(emptied(a)?)
        }
        "product" => {
            let ((of_a, a_filled), (of_b, b_filled)) = (a.as_container()?, b.as_container()?);
            safe_call(Type::set(Type::two(of_a, of_b), a_filled && b_filled))
        }
        "pair" => {
            let ((of_a, a_filled), (of_b, b_filled)) = (a.as_tuple()?, b.as_tuple()?);
            safe_call(Type::tuple(Type::two(of_a, of_b), a_filled && b_filled))
        }
        _ => return None,
    })
}

/// Primitives of two patches.
fn pair_of_patches(name: &str, a: &Type, b: &Type) -> Option<Known> {
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

/// Primitives of an element or a patch and something else, in whichever order they stand.
fn grid_and(name: &str, a: &Type, b: &Type) -> Option<Known> {
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
fn grid_and_two(name: &str, grid: &Type, a: &Type, b: &Type) -> Option<Known> {
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

fn objects(grid: &Type, univalued: &Type, diagonal: &Type, without_background: &Type) -> Option<Known> {
    let Rows { filled, wide, even } = grid.as_rows()?;
    univalued.as_integer().and(diagonal.as_integer())?;
    let is_solid = filled && wide && even;
    let has_all = without_background.as_integer()? == (0, 0);
    Some(Known { result: Type::set(object(true), is_solid && has_all), is_safe: is_solid })
}

//! The type of a call of each primitive, from the types of its arguments, and whether the call may fail.
//!
//! A call is called safe only where no values of its arguments make the reference fail. Where no rule applies, the
//! call may fail and its value may be anything.

mod containers;
mod grids;
mod numbers;
mod pieces;

use self::{
    containers::{emptied, merge, one_container, same_kind, two_containers},
    grids::{grid_and, grid_and_two, objects},
    numbers::{numbers, two_numbers},
    pieces::{pair_of_patches, patches, pieces},
};
use super::{Analysis, Closure, Known, REPETITIONS, Type, safe_call, unsafe_call};
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
                let (member, filled) = a.as_container()?;
                let key = self.call(b, std::slice::from_ref(&member));
                let result = if a.as_set().is_some() { Type::tuple(member, filled) } else { as_plain_tuple(a)? };
                Known { result, is_safe: key.is_safe && key.result.is_ordered() }
            }
            "valmax" | "valmin" => {
                let (member, filled) = a.as_container()?;
                let key = self.call(b, &[member]);
                let mut known = Known { is_safe: key.is_safe && key.result.is_ordered(), result: key.result };
                if !filled {
                    let of_zero = self.call(b, &[Type::integer(0, 0)]);
                    known.is_safe &= of_zero.is_safe;
                    known.result = known.result.join(&of_zero.result);
                }
                known
            }
            "argmax" | "argmin" => {
                let (member, filled) = a.as_container()?;
                let key = self.call(b, std::slice::from_ref(&member));
                Known { result: member, is_safe: filled && key.is_safe && key.result.is_ordered() }
            }
            "sfilter" | "mfilter" => {
                let (member, _) = a.as_container()?;
                let is_safe = self.call(b, &[member]).is_safe;
                let some_members = emptied(a)?;
                match name {
                    "sfilter" => Known { result: some_members, is_safe },
                    _ => {
                        let merged = merge(&some_members)?;
                        Known { result: merged.result, is_safe: is_safe && merged.is_safe }
                    }
                }
            }
            "extract" => unsafe_call(a.as_container()?.0),
            "apply" | "mapply" => {
                let (member, filled) = b.as_container()?;
                let given = self.call(a, &[member]);
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
                let member = Type::integer(start.0.min(stop.0), start.1.max(stop.1));
                Known { result: Type::tuple(member, false), is_safe: is_nonzero(step) }
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
    let (member, filled) = value.as_set()?;
    (member.is_pair() || member.is_cell()).then(|| Patch { is_object: member.is_cell(), filled })
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

/// A tuple of the same slots in any order or number, at least one if there was one.
fn as_plain_tuple(value: &Type) -> Option<Type> {
    match value {
        Type::Rows(_) | Type::Tuple(..) => Some(value.clone()),
        other => other.as_tuple().map(|(member, filled)| Type::tuple(member, filled)),
    }
}

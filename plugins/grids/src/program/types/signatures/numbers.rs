//! The signatures of primitives of numbers.

use super::{
    super::{Known, Rows, Type, safe_call},
    Bounds, is_nonzero, locations,
};

fn is_numeric(value: &Type) -> bool {
    value.as_integer().is_some() || value.is_pair()
}

/// Primitives of one number.
pub(super) fn numbers(name: &str, value: &Type) -> Option<Known> {
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
pub(super) fn two_numbers(name: &str, a: &Type, b: &Type) -> Option<Known> {
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

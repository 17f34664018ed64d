//! The signatures of primitives of containers.

use super::{
    super::{Known, Rows, Type, safe_call, unsafe_call},
    as_object, as_plain_tuple,
};

/// A container of the kind of another one.
pub(super) fn same_kind(container: &Type, member: Type, filled: bool) -> Type {
    if container.as_set().is_some() { Type::set(member, filled) } else { Type::tuple(member, filled) }
}

/// Some members of a container, perhaps none.
pub(super) fn emptied(value: &Type) -> Option<Type> {
    match value {
        Type::Set(member, _) => Some(Type::Set(member.clone(), false)),
        other => as_plain_tuple(other).map(|tuple| match tuple {
            Type::Rows(rows) => Type::Rows(Rows { filled: false, ..rows }),
            Type::Tuple(member, _) => Type::Tuple(member, false),
            other => other,
        }),
    }
}

pub(super) fn merge(containers: &Type) -> Option<Known> {
    let (member, filled) = containers.as_container()?;
    let (inner, inner_filled) = member.as_container()?;
    Some(safe_call(same_kind(containers, inner, filled && inner_filled)))
}

/// Primitives of one container.
pub(super) fn one_container(name: &str, container: &Type) -> Option<Known> {
    if let ("first" | "last", Type::Two(first, second)) = (name, container) {
        return Some(safe_call((**if name == "first" { first } else { second }).clone()));
    }
    let (member, filled) = container.as_container()?;
    Some(match name {
        "first" | "last" => Known { result: member, is_safe: filled },
        "size" => safe_call(Type::integer(i64::from(filled), i64::MAX)),
        "merge" => return merge(container),
        "maximum" | "minimum" => {
            let is_safe = member.is_ordered();
            Known { result: if filled { member } else { member.join(&Type::integer(0, 0)) }, is_safe }
        }
        "dedupe" => safe_call(as_plain_tuple(container)?),
        "mostcommon" | "leastcommon" => {
            container.as_tuple()?;
            Known { result: member, is_safe: filled }
        }
        "totuple" => safe_call(if container.as_set().is_some() {
            Type::tuple(member, filled)
        } else {
            as_plain_tuple(container)?
        }),
        _ => return None,
    })
}

/// Primitives of two containers, or of a container and a value.
pub(super) fn two_containers(name: &str, a: &Type, b: &Type) -> Option<Known> {
    Some(match name {
        "contained" => {
            b.as_container()?;
            safe_call(Type::BOOLEAN)
        }
        "insert" => {
            let (member, _) = b.as_set()?;
            safe_call(Type::set(member.join(a), true))
        }
        "remove" => safe_call(emptied(b)?),
        "other" => unsafe_call(a.as_container()?.0),
        "sizefilter" => {
            let (member, _) = a.as_container()?;
            member.as_container()?;
            safe_call(Type::set(member, false))
        }
        "colorfilter" => {
            let (member, _) = a.as_container()?;
            let object = as_object(&member)?;
            Known { result: Type::set(member, false), is_safe: object.filled }
        }
        "combine" => {
            let ((of_a, a_filled), (of_b, b_filled)) = (a.as_container()?, b.as_container()?);
            safe_call(same_kind(a, of_a.join(&of_b), a_filled || b_filled))
        }
        "intersection" => {
            let ((member, _), _) = (a.as_set()?, b.as_set()?);
            safe_call(Type::set(member.clone(), false))
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

//! How a path leads into a type.

use std::collections::BTreeSet;

use super::{
    expand::{JsonType, alternatives},
    view::{Type, View},
};
use crate::step::Step;

/// A step of a path that does not lead to anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PathError {
    /// Which step of the wire.
    pub(crate) step: usize,
    /// Why.
    pub(crate) reason: PathErrorReason,
    /// What the value is that the step starts from.
    pub(crate) found: String,
}

/// Why a step does not lead to anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PathErrorReason {
    /// There is no such field; these are the fields that exist.
    NoField(Vec<String>),
    /// The value has no fields.
    NotAnObject,
    /// The value has no elements.
    NotAList,
}

impl<'a> Type<'a> {
    /// The type at the end of a path into this one.
    pub(crate) fn follow(&self, path: &[Step]) -> Result<Self, PathError> {
        self.walk(path, 0)
    }

    /// The type of the elements, if this can be a list.
    pub(crate) fn elements(&self) -> Result<Self, PathError> {
        self.walk(&[Step::Index(usize::MAX)], 0)
    }

    fn walk(&self, path: &[Step], at: usize) -> Result<Self, PathError> {
        let Some((step, rest)) = path.split_first() else { return Ok(self.clone()) };
        let (next, all) = match step {
            Step::All => (self.step(&Step::Index(usize::MAX), at)?, true),
            step => (self.step(step, at)?, false),
        };
        let end = next.walk(rest, at + 1)?;
        Ok(if all { end.list() } else { end })
    }

    /// One step; the index `usize::MAX` stands for any element.
    fn step(&self, step: &Step, at: usize) -> Result<Self, PathError> {
        let path_error = |reason| Err(PathError { step: at, reason, found: self.to_string() });
        match self {
            Self::Unknown => Ok(Self::Unknown),
            Self::List(element) => match step {
                Step::Field(_) => path_error(PathErrorReason::NotAnObject),
                Step::Index(_) | Step::All => Ok((**element).clone()),
            },
            Self::Either(types) => merge(types.iter().map(|ty| ty.step(step, at))),
            Self::Schema(view) => match step {
                Step::Field(name) => field(view, name).or_else(path_error),
                Step::Index(index) => element(view, *index).or_else(path_error),
                Step::All => element(view, usize::MAX).or_else(path_error),
            },
        }
    }
}

/// What can be reached at all; the first reason if nothing can.
fn merge<'a>(outcomes: impl Iterator<Item = Result<Type<'a>, PathError>>) -> Result<Type<'a>, PathError> {
    let mut reached = Vec::new();
    let mut path_error = None;
    for outcome in outcomes {
        match outcome {
            Ok(ty) => reached.push(ty),
            Err(error) => path_error = path_error.or(Some(error)),
        }
    }
    match (reached.len(), path_error) {
        (0, Some(path_error)) => Err(path_error),
        (0, None) => Ok(Type::Unknown),
        (1, _) => Ok(reached.remove(0)),
        _ => Ok(Type::Either(reached)),
    }
}

fn field<'a>(view: &View<'a>, name: &str) -> Result<Type<'a>, PathErrorReason> {
    let mut reached = Vec::new();
    let mut known: Option<BTreeSet<&str>> = None;
    let alternatives = alternatives(view);
    for alternative in &alternatives {
        if alternative.ty.is_some_and(|ty| ty != JsonType::Object) {
            continue;
        }
        if let Some(property) = alternative.property(name) {
            reached.push(Type::Schema(property));
        } else if alternative.ty == Some(JsonType::Object) && alternative.is_closed() {
            known.get_or_insert_default().extend(alternative.properties());
        } else {
            reached.push(alternative.other_properties().map_or(Type::Unknown, Type::Schema));
        }
    }
    match (reached.len(), known) {
        (0, Some(known)) => Err(PathErrorReason::NoField(known.into_iter().map(str::to_owned).collect())),
        (0, None) if alternatives.is_empty() => Ok(Type::Unknown),
        (0, None) => Err(PathErrorReason::NotAnObject),
        (1, _) => Ok(reached.remove(0)),
        _ => Ok(Type::Either(reached)),
    }
}

fn element<'a>(view: &View<'a>, index: usize) -> Result<Type<'a>, PathErrorReason> {
    let mut reached = Vec::new();
    let alternatives = alternatives(view);
    for alternative in &alternatives {
        if alternative.ty.is_some_and(|ty| ty != JsonType::Array) {
            continue;
        }
        let prefix = alternative.prefix();
        if index == usize::MAX {
            // Any element: one of the prefix, or one behind it.
            reached.extend((0..prefix).filter_map(|index| alternative.element(index)).map(Type::Schema));
            match alternative.element(prefix) {
                Some(rest) => reached.push(Type::Schema(rest)),
                None => reached.push(Type::Unknown),
            }
        } else {
            reached.push(alternative.element(index).map_or(Type::Unknown, Type::Schema));
        }
    }
    match reached.len() {
        0 if alternatives.is_empty() => Ok(Type::Unknown),
        0 => Err(PathErrorReason::NotAList),
        1 => Ok(reached.remove(0)),
        _ => Ok(Type::Either(reached)),
    }
}

//! The parts of what a reader wants: its fields and elements.

use serde_json::Value;

use super::{
    expand::{Alternative, JsonType, alternatives},
    view::{Type, View},
};

/// Whether a reader wants a value of some shape.
#[derive(Clone, Debug)]
pub(crate) enum Reads<T> {
    /// It does, and this is what is known of it.
    Known(T),
    /// It may, or it may want one of several.
    Unknown,
    /// It never does.
    Never,
}

/// An object that a reader wants.
#[derive(Clone, Debug)]
pub(crate) struct Object<'a>(Alternative<'a>);

impl<'a> Object<'a> {
    /// The fields that are listed.
    pub(crate) fn names(&self) -> Vec<&'a str> {
        self.0.properties().into_iter().collect()
    }

    /// The fields that have to be there.
    pub(crate) fn required(&self) -> Vec<&'a str> {
        self.0.required().into_iter().collect()
    }

    /// What a field has to be; none if nothing is known of it.
    pub(crate) fn field(&self, name: &str) -> Option<View<'a>> {
        self.0.property(name).or_else(|| self.0.other_properties())
    }

    /// Whether there is no field of this name.
    pub(crate) fn lacks(&self, name: &str) -> bool {
        self.0.forbids(name) || self.0.is_closed() && self.0.property(name).is_none()
    }

    /// How many of these fields do not exist, plus how many other fields are required.
    fn distance(&self, given: &[&str]) -> usize {
        let lacks = given.iter().filter(|name| self.lacks(name)).count();
        lacks + self.0.required().iter().filter(|name| !given.contains(name)).count()
    }
}

impl<'a> View<'a> {
    /// The object that is wanted here.
    pub(crate) fn as_object(&self) -> Reads<Object<'a>> {
        match self.only(JsonType::Object) {
            Reads::Known(alternative) => Reads::Known(Object(alternative)),
            Reads::Unknown => Reads::Unknown,
            Reads::Never => Reads::Never,
        }
    }

    /// The object that is wanted here of a table with these fields. Of several that differ in their fields, it is the one that
    /// they are of, or else the nearest.
    pub(crate) fn as_object_with(&self, given: &[&str]) -> Reads<Object<'a>> {
        let any = self.as_object();
        let Reads::Unknown = any else { return any };
        let objects = alternatives(self).into_iter().filter(|one| one.ty.is_none_or(|found| found == JsonType::Object));
        let mut objects: Vec<Object<'_>> = objects.map(Object).collect();
        if objects.iter().any(|object| object.0.ty.is_none() || object.0.partly_understood) {
            return Reads::Unknown;
        }
        // The sort is stable: of equally near objects the first stays first.
        objects.sort_by_cached_key(|object| object.distance(given));
        match objects.as_slice() {
            [one, other, ..] if one.distance(given) == 0 && other.distance(given) == 0 => Reads::Unknown,
            [one, ..] => Reads::Known(one.clone()),
            [] => Reads::Never,
        }
    }

    /// The elements of the list that is wanted here.
    pub(crate) fn as_list(&self) -> Reads<View<'a>> {
        match self.only(JsonType::Array) {
            Reads::Known(list) if list.prefix() == 0 => list.element(0).map_or(Reads::Unknown, Reads::Known),
            Reads::Known(_) | Reads::Unknown => Reads::Unknown,
            Reads::Never => Reads::Never,
        }
    }

    fn only(&self, ty: JsonType) -> Reads<Alternative<'a>> {
        let mut fitting: Vec<_> =
            alternatives(self).into_iter().filter(|one| one.ty.is_none_or(|found| found == ty)).collect();
        match fitting.len() {
            0 => Reads::Never,
            1 if fitting[0].ty.is_some() && !fitting[0].partly_understood => Reads::Known(fitting.remove(0)),
            _ => Reads::Unknown,
        }
    }

    /// The fields of any object that is wanted here.
    pub(crate) fn names(&self) -> Vec<&'a str> {
        let mut names: Vec<&str> = alternatives(self).iter().flat_map(Alternative::properties).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The first description in the schema.
    pub(crate) fn doc(&self) -> Option<&'a str> {
        self.parts.iter().find_map(|part| part.get("description")).and_then(Value::as_str)
    }
}

impl<'a> Type<'a> {
    /// The schema, if there is but one.
    pub(crate) fn view(&self) -> Option<View<'a>> {
        match self {
            Self::Schema(view) => Some(view.clone()),
            _ => None,
        }
    }

    /// The fields of objects of this type, each with its type.
    pub(crate) fn fields(&self) -> Vec<(&'a str, Type<'a>)> {
        match self.view().map(|view| view.as_object()) {
            // The fields of a tensor by reference belong to the reference.
            Some(Reads::Known(object)) if object.0.tensor().is_some() => Vec::new(),
            Some(Reads::Known(object)) => object
                .names()
                .into_iter()
                .filter_map(|name| object.field(name).map(|view| (name, Type::Schema(view))))
                .collect(),
            _ => Vec::new(),
        }
    }
}

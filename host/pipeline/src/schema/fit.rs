//! Whether what one extension gives can be what another reads.

use std::collections::HashMap;

use jackfield_loader::X_TENSOR;
use serde_json::Value;

use super::{
    describe::of_alternative,
    expand::{Alternative, Ty, alternatives},
    view::{Type, View},
};

/// How a value of one type does as a value of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// Always.
    Fits,
    /// Perhaps: the check at run time decides.
    Unknown,
    /// Never, or only where it is empty.
    Clash(Clash),
}

/// Why it never does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Clash {
    /// Where in the value, such as `.items[*].id`; empty for the whole.
    pub(crate) path: String,
    /// What is wrong there.
    pub(crate) reason: Reason,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The types, or the values where they are listed, have nothing in common.
    Type { found: String, wanted: String },
    /// The reader needs this field; these there are.
    Missing { field: String, known: Vec<String> },
    /// The reader refuses this field.
    Extra { field: String },
}

impl Clash {
    fn types(found: String, wanted: String) -> Self {
        Self { path: String::new(), reason: Reason::Type { found, wanted } }
    }

    fn under(mut self, step: &str) -> Self {
        self.path.insert_str(0, step);
        self
    }
}

impl Fit {
    fn under(self, step: &str) -> Self {
        match self {
            Self::Clash(clash) => Self::Clash(clash.under(step)),
            other => other,
        }
    }

    /// Both have to hold.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Clash(clash), _) | (_, Self::Clash(clash)) => Self::Clash(clash),
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Fits, Self::Fits) => Self::Fits,
        }
    }
}

impl View<'_> {
    /// Whether a value of this type can be read here.
    pub(crate) fn accepts(&self, given: &Type<'_>) -> Fit {
        Fitter { open: Vec::new(), closed: HashMap::new() }.given(given, self)
    }
}

/// Recursions deeper than this are left to run time.
const DEEPEST: usize = 32;

/// More pairs of subschemas than this are left to run time.
const MOST_PAIRS: usize = 10_000;

/// Keywords that are weighed, or that say nothing about values.
const UNDERSTOOD: [&str; 29] = [
    "type",
    "properties",
    "required",
    "items",
    "prefixItems",
    "enum",
    "const",
    "additionalProperties",
    "unevaluatedProperties",
    "$ref",
    "allOf",
    "anyOf",
    "oneOf",
    "title",
    "description",
    "default",
    "examples",
    "format",
    "$comment",
    "deprecated",
    "readOnly",
    "writeOnly",
    "$schema",
    "$defs",
    "definitions",
    "$id",
    "$anchor",
    "contentMediaType",
    X_TENSOR,
];

/// The fields of a tensor by reference.
const FIELDS_OF_TENSOR: [&str; 3] = ["$tensor", "shape", "dtype"];

type Place = Vec<*const Value>;

struct Fitter {
    /// Pairs that are being weighed: meeting one again decides nothing new.
    open: Vec<(Place, Place)>,
    /// Pairs that are decided: types that refer to each other meet again and again.
    closed: HashMap<(Place, Place), Fit>,
}

impl Fitter {
    fn given(&mut self, given: &Type<'_>, wanted: &View<'_>) -> Fit {
        match given {
            Type::Unknown => Fit::Unknown,
            Type::Schema(view) => self.views(view, wanted),
            Type::List(element) => self.list(element, wanted, given),
            Type::Either(types) => {
                let fits: Vec<Fit> = types.iter().map(|ty| self.given(ty, wanted)).collect();
                every(fits, || Clash::types(given.to_string(), wanted.to_string()))
            }
        }
    }

    fn list(&mut self, element: &Type<'_>, wanted: &View<'_>, given: &Type<'_>) -> Fit {
        let clash = || Clash::types(given.to_string(), wanted.to_string());
        let fits = alternatives(wanted).into_iter().filter(|one| one.ty.is_none_or(|ty| ty == Ty::Array)).map(|one| {
            let plain = if one.prefix() == 0 && understood(&one, None) { Fit::Fits } else { Fit::Unknown };
            match one.element(one.prefix()) {
                Some(inner) => self.given(element, &inner).under("[*]").and(plain),
                None => plain,
            }
        });
        some(fits.collect(), clash)
    }

    fn views(&mut self, given: &View<'_>, wanted: &View<'_>) -> Fit {
        let place = |view: &View<'_>| -> Place { view.parts.iter().map(|part| std::ptr::from_ref(*part)).collect() };
        let pair = (place(given), place(wanted));
        if self.open.contains(&pair) {
            return Fit::Fits;
        }
        if let Some(fit) = self.closed.get(&pair) {
            return fit.clone();
        }
        if self.open.len() > DEEPEST || self.closed.len() > MOST_PAIRS {
            return Fit::Unknown;
        }
        self.open.push(pair.clone());
        let mut fit = self.each_alternative(given, wanted);
        self.open.pop();
        // The same text means the same, however clever it is.
        if fit == Fit::Unknown && given.parts == wanted.parts && given.root == wanted.root {
            fit = Fit::Fits;
        }
        self.closed.insert(pair, fit.clone());
        fit
    }

    fn each_alternative(&mut self, given: &View<'_>, wanted: &View<'_>) -> Fit {
        let readers = alternatives(wanted);
        let mut nothing = None;
        let mut fits = Vec::new();
        for alternative in alternatives(given) {
            let fit = self.one(&alternative, &readers, wanted);
            // That both may be null does not make a text a number.
            if alternative.ty == Some(Ty::Null) {
                nothing = Some(fit);
            } else {
                fits.push(fit);
            }
        }
        let clash = || Clash::types(given.to_string(), wanted.to_string());
        match nothing {
            Some(fit) if fits.is_empty() => fit,
            Some(fit) => match every(fits, clash) {
                Fit::Clash(clash) => Fit::Clash(clash),
                other if fit == Fit::Fits => other,
                _ => Fit::Unknown,
            },
            None => every(fits, clash),
        }
    }

    /// One alternative of the giver, with whichever alternative of the reader suits it best.
    fn one(&mut self, given: &Alternative<'_>, readers: &[Alternative<'_>], wanted: &View<'_>) -> Fit {
        let related: Vec<&Alternative<'_>> = readers
            .iter()
            .filter(|reader| match (given.ty, reader.ty) {
                (Some(given), Some(reader)) => given.meets(reader),
                _ => true,
            })
            .collect();
        let fits = related.iter().map(|reader| self.pair(given, reader)).collect();
        some(fits, || Clash::types(of_alternative(given, 0), wanted.to_string()))
    }

    fn pair(&mut self, given: &Alternative<'_>, reader: &Alternative<'_>) -> Fit {
        let clash = || Clash::types(of_alternative(given, 0), of_alternative(reader, 0));
        match tensors(given, reader) {
            Tensors::Neither => {}
            Tensors::Decided(fit) => return fit,
            Tensors::Clash => return Fit::Clash(clash()),
        }
        let mut fit = match (given.values(), reader.values()) {
            (Some(given), Some(allowed)) => {
                let common = given.iter().filter(|value| allowed.contains(value)).count();
                match common {
                    0 => return Fit::Clash(clash()),
                    common if common == given.len() => Fit::Fits,
                    _ => Fit::Unknown,
                }
            }
            (None, Some(_)) => Fit::Unknown,
            (_, None) => Fit::Fits,
        };
        if !understood(reader, Some(given)) {
            fit = Fit::Unknown;
        }
        match (given.ty, reader.ty) {
            (None, Some(_)) => return Fit::Unknown,
            (None, None) => {
                let constrained = reader.maps.iter().any(|map| {
                    ["properties", "required", "items", "prefixItems"].iter().any(|keyword| map.contains_key(*keyword))
                });
                return if constrained { Fit::Unknown } else { fit };
            }
            (Some(given), Some(reader)) if !given.is_within(reader) => fit = fit.and(Fit::Unknown),
            _ => {}
        }
        match given.ty {
            Some(Ty::Object) if given.values().is_none() => fit.and(self.objects(given, reader)),
            Some(Ty::Array) if given.values().is_none() => fit.and(self.lists(given, reader)),
            _ => fit,
        }
    }

    fn objects(&mut self, given: &Alternative<'_>, reader: &Alternative<'_>) -> Fit {
        let closed = given.is_closed();
        let always = given.required();
        let mut fit = Fit::Fits;
        for name in reader.required() {
            if given.property(name).is_none() && closed {
                let known = given.properties().into_iter().map(str::to_owned).collect();
                let reason = Reason::Missing { field: name.to_owned(), known };
                return Fit::Clash(Clash { path: String::new(), reason });
            }
            if !always.contains(name) {
                fit = Fit::Unknown;
            }
        }
        for name in given.properties() {
            let Some(property) = given.property(name) else { continue };
            let one = match reader.property(name).or_else(|| reader.other_properties()) {
                Some(wanted) => self.views(&property, &wanted).under(&format!(".{name}")),
                None if reader.refuses(name) && always.contains(name) => {
                    Fit::Clash(Clash { path: String::new(), reason: Reason::Extra { field: name.to_owned() } })
                }
                None if reader.refuses(name) => Fit::Unknown,
                None => Fit::Fits,
            };
            fit = fit.and(one);
        }
        if closed {
            return fit;
        }
        // Fields that the giver does not list.
        let others = given.other_properties();
        let mut more = match (&others, reader.other_properties()) {
            (Some(others), Some(wanted)) => self.views(others, &wanted).under(".*"),
            (None, Some(_)) => Fit::Unknown,
            (_, None) if reader.refuses("") => Fit::Unknown,
            (_, None) => Fit::Fits,
        };
        let listed = given.properties();
        for name in reader.properties().into_iter().filter(|name| !listed.contains(name)) {
            let one = match (&others, reader.property(name)) {
                (Some(others), Some(wanted)) => self.views(others, &wanted),
                _ => Fit::Unknown,
            };
            // The field may be absent, so this alone makes no clash.
            more = more.and(if one == Fit::Fits { Fit::Fits } else { Fit::Unknown });
        }
        fit.and(more)
    }

    fn lists(&mut self, given: &Alternative<'_>, reader: &Alternative<'_>) -> Fit {
        let prefix = given.prefix().max(reader.prefix());
        let mut fit = Fit::Fits;
        for index in 0..=prefix {
            let step = if index == prefix { "[*]".to_owned() } else { format!("[{index}]") };
            let one = match (given.element(index), reader.element(index)) {
                (Some(element), Some(wanted)) => match self.views(&element, &wanted).under(&step) {
                    // A list may end before an element that the reader has no place for.
                    Fit::Clash(_) if alternatives(&wanted).is_empty() => Fit::Unknown,
                    other => other,
                },
                (None, Some(_)) => Fit::Unknown,
                (_, None) => Fit::Fits,
            };
            fit = fit.and(one);
        }
        fit
    }
}

/// How two alternatives do of which one is a tensor by reference.
enum Tensors {
    /// Neither is, or it makes no difference that one is.
    Neither,
    Decided(Fit),
    Clash,
}

fn tensors(given: &Alternative<'_>, reader: &Alternative<'_>) -> Tensors {
    match (given.tensor(), reader.tensor()) {
        (Some(given), Some(wanted)) => match wanted.takes(&given) {
            Some(true) => Tensors::Decided(Fit::Fits),
            Some(false) => Tensors::Clash,
            None => Tensors::Decided(Fit::Unknown),
        },
        (None, Some(_)) => {
            // References may also come with the items.
            let never = given.ty.is_some() && given.is_closed() && given.property(FIELDS_OF_TENSOR[0]).is_none();
            if never { Tensors::Clash } else { Tensors::Decided(Fit::Unknown) }
        }
        (Some(_), None) if reader.required().iter().any(|name| !FIELDS_OF_TENSOR.contains(name)) => Tensors::Clash,
        (_, None) => Tensors::Neither,
    }
}

/// Whether every keyword of the reader is weighed here, or is one that the giver has too.
fn understood(reader: &Alternative<'_>, given: Option<&Alternative<'_>>) -> bool {
    let same =
        |keyword: &str, value: &Value| given.is_some_and(|given| given.keyword(keyword).any(|other| other == value));
    let plain = |(keyword, value): (&String, &Value)| UNDERSTOOD.contains(&keyword.as_str()) || same(keyword, value);
    !reader.clever && reader.maps.iter().all(|map| map.iter().all(plain))
}

/// All alternatives of the giver: a clash if each clashes.
fn every(mut fits: Vec<Fit>, clash: impl Fn() -> Clash) -> Fit {
    let clashes = fits.iter().filter(|fit| matches!(fit, Fit::Clash(_))).count();
    match clashes {
        _ if fits.len() == 1 => fits.remove(0),
        0 if fits.contains(&Fit::Unknown) => Fit::Unknown,
        0 => Fit::Fits,
        all if all == fits.len() => Fit::Clash(clash()),
        _ => Fit::Unknown,
    }
}

/// Some alternative of the reader: a clash if each clashes, the innermost if there is but one.
fn some(mut fits: Vec<Fit>, clash: impl Fn() -> Clash) -> Fit {
    if fits.contains(&Fit::Fits) {
        Fit::Fits
    } else if fits.contains(&Fit::Unknown) {
        Fit::Unknown
    } else if fits.len() == 1 {
        fits.remove(0)
    } else {
        Fit::Clash(clash())
    }
}

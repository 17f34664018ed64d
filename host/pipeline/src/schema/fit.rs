//! Whether what one extension gives can be what another reads.

use std::collections::HashMap;

use serde_json::Value;

use super::{
    X_NEVER_OFF, X_WITH_ITEM,
    describe::describe_alternative,
    expand::{Alternative, JsonType, alternatives},
    view::{Type, View},
};
use jackfield_loader::X_TENSOR;

/// Whether a value of one type can be read as a value of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// Always.
    Fits,
    /// Perhaps: the check at run time decides.
    Unknown,
    /// Never, or only where it is empty.
    TypeMismatch(TypeMismatch),
}

/// Why it never does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TypeMismatch {
    /// Where in the value, such as `.items[*].id`; empty for the whole.
    pub(crate) path: String,
    /// What is wrong there.
    pub(crate) reason: MismatchReason,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MismatchReason {
    /// The types, or the values where they are listed, have nothing in common.
    Type { found: String, wanted: String },
    /// The reader needs this field; these there are.
    Missing { field: String, known: Vec<String> },
    /// The reader refuses this field.
    Extra { field: String },
}

impl TypeMismatch {
    fn types(found: String, wanted: String) -> Self {
        Self { path: String::new(), reason: MismatchReason::Type { found, wanted } }
    }

    fn under(mut self, step: &str) -> Self {
        self.path.insert_str(0, step);
        self
    }
}

impl Fit {
    fn under(self, step: &str) -> Self {
        match self {
            Self::TypeMismatch(mismatch) => Self::TypeMismatch(mismatch.under(step)),
            other => other,
        }
    }

    /// Both have to hold.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::TypeMismatch(mismatch), _) | (_, Self::TypeMismatch(mismatch)) => Self::TypeMismatch(mismatch),
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Fits, Self::Fits) => Self::Fits,
        }
    }
}

impl View<'_> {
    /// Whether a value of this type can be read here.
    pub(crate) fn accepts(&self, given: &Type<'_>) -> Fit {
        Fitter { being_compared: Vec::new(), decided: HashMap::new() }.given(given, self)
    }
}

/// Recursions deeper than this are left to run time.
const DEEPEST: usize = 32;

/// More pairs of subschemas than this are left to run time.
const MOST_PAIRS: usize = 10_000;

/// Keywords that are compared, or that do not restrict values.
const UNDERSTOOD: [&str; 31] = [
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
    X_WITH_ITEM,
    X_NEVER_OFF,
];

/// The fields of a tensor by reference.
const FIELDS_OF_TENSOR: [&str; 3] = ["$tensor", "shape", "dtype"];

type SchemaAddress = Vec<*const Value>;

struct Fitter {
    /// Pairs that are being compared: a pair that is met again inside itself does not need to be compared again.
    being_compared: Vec<(SchemaAddress, SchemaAddress)>,
    /// Pairs that are decided: types that refer to each other meet many times.
    decided: HashMap<(SchemaAddress, SchemaAddress), Fit>,
}

impl Fitter {
    fn given(&mut self, given: &Type<'_>, wanted: &View<'_>) -> Fit {
        match given {
            Type::Unknown => Fit::Unknown,
            Type::Schema(view) => self.views(view, wanted),
            Type::List(element) => self.list(element, wanted, given),
            Type::Either(types) => {
                let fits: Vec<Fit> = types.iter().map(|ty| self.given(ty, wanted)).collect();
                every_alternative(fits, || TypeMismatch::types(given.to_string(), wanted.to_string()))
            }
        }
    }

    fn list(&mut self, element: &Type<'_>, wanted: &View<'_>, given: &Type<'_>) -> Fit {
        let mismatch = || TypeMismatch::types(given.to_string(), wanted.to_string());
        let fits = alternatives(wanted)
            .into_iter()
            .filter(|other_fit| other_fit.ty.is_none_or(|ty| ty == JsonType::Array))
            .map(|other_fit| {
                let plain =
                    if other_fit.prefix() == 0 && understood(&other_fit, None) { Fit::Fits } else { Fit::Unknown };
                match other_fit.element(other_fit.prefix()) {
                    Some(inner) => self.given(element, &inner).under("[*]").and(plain),
                    None => plain,
                }
            });
        any_reader(fits.collect(), mismatch)
    }

    fn views(&mut self, given: &View<'_>, wanted: &View<'_>) -> Fit {
        let address =
            |view: &View<'_>| -> SchemaAddress { view.parts.iter().map(|part| std::ptr::from_ref(*part)).collect() };
        let pair = (address(given), address(wanted));
        if self.being_compared.contains(&pair) {
            return Fit::Fits;
        }
        if let Some(fit) = self.decided.get(&pair) {
            return fit.clone();
        }
        if self.being_compared.len() > DEEPEST || self.decided.len() > MOST_PAIRS {
            return Fit::Unknown;
        }
        self.being_compared.push(pair.clone());
        let mut fit = self.each_alternative(given, wanted);
        self.being_compared.pop();
        // A schema fits itself, even if parts of it are not understood.
        if fit == Fit::Unknown && given.parts == wanted.parts && given.root == wanted.root {
            fit = Fit::Fits;
        }
        self.decided.insert(pair, fit.clone());
        fit
    }

    fn each_alternative(&mut self, given: &View<'_>, wanted: &View<'_>) -> Fit {
        let readers = alternatives(wanted);
        let mut fit_of_null = None;
        let mut fits = Vec::new();
        for alternative in alternatives(given) {
            let fit = self.other_fit(&alternative, &readers, wanted);
            // That both may be null does not make a text a number.
            if alternative.ty == Some(JsonType::Null) {
                fit_of_null = Some(fit);
            } else {
                fits.push(fit);
            }
        }
        let mismatch = || TypeMismatch::types(given.to_string(), wanted.to_string());
        match fit_of_null {
            Some(fit) if fits.is_empty() => fit,
            Some(fit) => match every_alternative(fits, mismatch) {
                Fit::TypeMismatch(mismatch) => Fit::TypeMismatch(mismatch),
                other if fit == Fit::Fits => other,
                _ => Fit::Unknown,
            },
            None => every_alternative(fits, mismatch),
        }
    }

    /// One alternative of the giver, with whichever alternative of the reader suits it best.
    fn other_fit(&mut self, given: &Alternative<'_>, readers: &[Alternative<'_>], wanted: &View<'_>) -> Fit {
        let related: Vec<&Alternative<'_>> = readers
            .iter()
            .filter(|reader| match (given.ty, reader.ty) {
                (Some(given), Some(reader)) => given.meets(reader),
                _ => true,
            })
            .collect();
        let fits = related.iter().map(|reader| self.pair(given, reader)).collect();
        any_reader(fits, || TypeMismatch::types(describe_alternative(given, 0), wanted.to_string()))
    }

    fn pair(&mut self, given: &Alternative<'_>, reader: &Alternative<'_>) -> Fit {
        let mismatch = || TypeMismatch::types(describe_alternative(given, 0), describe_alternative(reader, 0));
        match tensors(given, reader) {
            Tensors::Neither => {}
            Tensors::Decided(fit) => return fit,
            Tensors::TypeMismatch => return Fit::TypeMismatch(mismatch()),
        }
        let mut fit = match (given.values(), reader.values()) {
            (Some(given), Some(allowed)) => {
                let common = given.iter().filter(|value| allowed.contains(value)).count();
                match common {
                    0 => return Fit::TypeMismatch(mismatch()),
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
            Some(JsonType::Object) if given.values().is_none() => fit.and(self.objects(given, reader)),
            Some(JsonType::Array) if given.values().is_none() => fit.and(self.lists(given, reader)),
            _ => fit,
        }
    }

    fn objects(&mut self, given: &Alternative<'_>, reader: &Alternative<'_>) -> Fit {
        let decided = given.is_closed();
        let always = given.required();
        let mut fit = Fit::Fits;
        for name in reader.required() {
            if given.property(name).is_none() && decided {
                let known = given.properties().into_iter().map(str::to_owned).collect();
                let reason = MismatchReason::Missing { field: name.to_owned(), known };
                return Fit::TypeMismatch(TypeMismatch { path: String::new(), reason });
            }
            if !always.contains(name) {
                fit = Fit::Unknown;
            }
        }
        for name in given.properties() {
            let Some(property) = given.property(name) else { continue };
            let other_fit = match reader.property(name).or_else(|| reader.other_properties()) {
                Some(wanted) => self.views(&property, &wanted).under(&format!(".{name}")),
                None if reader.refuses(name) && always.contains(name) => Fit::TypeMismatch(TypeMismatch {
                    path: String::new(),
                    reason: MismatchReason::Extra { field: name.to_owned() },
                }),
                None if reader.refuses(name) => Fit::Unknown,
                None => Fit::Fits,
            };
            fit = fit.and(other_fit);
        }
        if decided {
            return fit;
        }
        // Fields that the giver does not list.
        let others = given.other_properties();
        let mut others_fit = match (&others, reader.other_properties()) {
            (Some(others), Some(wanted)) => self.views(others, &wanted).under(".*"),
            (None, Some(_)) => Fit::Unknown,
            (_, None) if reader.refuses("") => Fit::Unknown,
            (_, None) => Fit::Fits,
        };
        let listed = given.properties();
        for name in reader.properties().into_iter().filter(|name| !listed.contains(name)) {
            let other_fit = match (&others, reader.property(name)) {
                (Some(others), Some(wanted)) => self.views(others, &wanted),
                _ => Fit::Unknown,
            };
            // The field may be absent, so this alone is not a mismatch.
            others_fit = others_fit.and(if other_fit == Fit::Fits { Fit::Fits } else { Fit::Unknown });
        }
        fit.and(others_fit)
    }

    fn lists(&mut self, given: &Alternative<'_>, reader: &Alternative<'_>) -> Fit {
        let prefix = given.prefix().max(reader.prefix());
        let mut fit = Fit::Fits;
        for index in 0..=prefix {
            let step = if index == prefix { "[*]".to_owned() } else { format!("[{index}]") };
            let other_fit = match (given.element(index), reader.element(index)) {
                (Some(element), Some(wanted)) => match self.views(&element, &wanted).under(&step) {
                    // A list may end before an element that the reader does not accept.
                    Fit::TypeMismatch(_) if alternatives(&wanted).is_empty() => Fit::Unknown,
                    other => other,
                },
                (None, Some(_)) => Fit::Unknown,
                (_, None) => Fit::Fits,
            };
            fit = fit.and(other_fit);
        }
        fit
    }
}

/// What follows for two alternatives from the fact that one of them is a tensor by reference.
enum Tensors {
    /// Neither is, or it makes no difference that one is.
    Neither,
    Decided(Fit),
    TypeMismatch,
}

fn tensors(given: &Alternative<'_>, reader: &Alternative<'_>) -> Tensors {
    match (given.tensor(), reader.tensor()) {
        (Some(given), Some(wanted)) => match wanted.takes(&given) {
            Some(true) => Tensors::Decided(Fit::Fits),
            Some(false) => Tensors::TypeMismatch,
            None => Tensors::Decided(Fit::Unknown),
        },
        (None, Some(_)) => {
            // References may also come with the items.
            let never = given.ty.is_some() && given.is_closed() && given.property(FIELDS_OF_TENSOR[0]).is_none();
            if never { Tensors::TypeMismatch } else { Tensors::Decided(Fit::Unknown) }
        }
        (Some(_), None) if reader.required().iter().any(|name| !FIELDS_OF_TENSOR.contains(name)) => {
            Tensors::TypeMismatch
        }
        (_, None) => Tensors::Neither,
    }
}

/// Whether every keyword of the reader is compared here, or is one that the giver has too.
fn understood(reader: &Alternative<'_>, given: Option<&Alternative<'_>>) -> bool {
    let same =
        |keyword: &str, value: &Value| given.is_some_and(|given| given.keyword(keyword).any(|other| other == value));
    let plain = |(keyword, value): (&String, &Value)| UNDERSTOOD.contains(&keyword.as_str()) || same(keyword, value);
    !reader.partly_understood && reader.maps.iter().all(|map| map.iter().all(plain))
}

/// The fit of all alternatives of the giver: a mismatch if none of them fits.
fn every_alternative(mut fits: Vec<Fit>, mismatch: impl Fn() -> TypeMismatch) -> Fit {
    let mismatches = fits.iter().filter(|fit| matches!(fit, Fit::TypeMismatch(_))).count();
    match mismatches {
        _ if fits.len() == 1 => fits.remove(0),
        0 if fits.contains(&Fit::Unknown) => Fit::Unknown,
        0 => Fit::Fits,
        all if all == fits.len() => Fit::TypeMismatch(mismatch()),
        _ => Fit::Unknown,
    }
}

/// The fit of the best alternative of the reader: a mismatch if none fits, and the innermost one if there is only one.
fn any_reader(mut fits: Vec<Fit>, mismatch: impl Fn() -> TypeMismatch) -> Fit {
    if fits.contains(&Fit::Fits) {
        Fit::Fits
    } else if fits.contains(&Fit::Unknown) {
        Fit::Unknown
    } else if fits.len() == 1 {
        fits.remove(0)
    } else {
        Fit::TypeMismatch(mismatch())
    }
}

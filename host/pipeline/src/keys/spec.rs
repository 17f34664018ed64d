//! The terms in which the tables of keys are written: what a value may be, and whether a key has to be there.

/// What a value may be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// Any string but the empty one.
    Text,
    /// A string that may be part of a file's name.
    Name,
    /// `true` or `false`.
    Flag,
    /// A whole number within bounds, both included.
    Integer { min: u64, max: u64 },
    /// A number, with or without a fraction, of at least 0.
    Number,
    /// A number of either sign.
    Real,
    /// A string such as `200ms`.
    Duration,
    /// A string such as `256MiB`, or a number of bytes.
    Size,
    /// One of these strings.
    Choice(&'static [&'static str]),
    /// One ASCII character.
    Character,
    /// A string, or a list of at least one.
    Texts,
    /// A list of grants; it may be empty.
    Grants,
    /// 64 hexadecimal digits.
    Digest,
    /// A reference to a value.
    Wire,
    /// A wire, or a list or table of such, nested at will.
    Wires,
    /// A wire or a constant, or a list or table of such, nested at will.
    Input,
    /// Anything.
    Any,
    /// A string, a number or a boolean.
    Scalar,
    /// A list of anything.
    List,
    /// A table that someone else checks.
    Free,
    /// A table of known keys.
    Table(&'static Table),
    /// A positive number, or a table of known keys.
    CountOr(&'static Table),
    /// A list of anything, or a table of known keys.
    ListOr(&'static Table),
    /// A wire, or a table of known keys.
    WireOr(&'static Table),
    /// A list of at least one table of known keys.
    Tables(&'static Table),
    /// A list of at least one table that someone else checks.
    Overlays,
    /// A table whose keys the author names.
    Map { of: &'static Shape, names: Names },
}

/// What a wire may begin with that is not the name of a stage, and what it means.
pub(crate) const RESERVED_STAGES: &[(&str, &str)] =
    &[("input", "the item"), ("each", "the element of `for_each`"), ("all", "all items")];

/// Whether no stage can have this name.
pub(crate) fn is_reserved_stage(name: &str) -> bool {
    RESERVED_STAGES.iter().any(|(reserved, _)| *reserved == name)
}

/// What the author may use as a key of a [`Shape::Map`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    /// Lower-case words; `reserved` are taken, each with what it means.
    Words { what: &'static str, reserved: &'static [(&'static str, &'static str)] },
    /// The name of a file of an item, or beside a plugin, without a folder.
    Files,
    /// The name of a file of the run, without a folder.
    RunFiles,
    /// A wire.
    Wires,
}

/// Whether a key has to be there.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Need {
    /// It has to.
    Required,
    /// It may be absent.
    Optional,
    /// It has to if the table's `use` is one of these, and may not be there otherwise.
    RequiredFor(&'static [&'static str]),
    /// It may be there if the table's `use` is one of these.
    AllowedFor(&'static [&'static str]),
}

impl Need {
    /// The values of `use` that the key is for; none for all.
    pub(crate) fn only_for(self) -> Option<&'static [&'static str]> {
        match self {
            Self::Required | Self::Optional => None,
            Self::RequiredFor(uses) | Self::AllowedFor(uses) => Some(uses),
        }
    }

    /// Whether the key has to be there, for this value of `use`.
    pub(crate) fn is_required(self, used: Option<&str>) -> bool {
        match self {
            Self::Required => true,
            Self::RequiredFor(uses) => used.is_some_and(|used| uses.contains(&used)),
            Self::Optional | Self::AllowedFor(_) => false,
        }
    }
}

/// A key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeySpec {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) need: Need,
    /// One sentence for the reference and for editors.
    pub(crate) doc: &'static str,
    /// What an absent key means, as TOML.
    pub(crate) default: Option<&'static str>,
}

/// A table of known keys.
#[derive(Debug)]
pub(crate) struct Table {
    /// How messages call it: `[pipeline]`, `a stage`.
    pub(crate) what: &'static str,
    pub(crate) keys: &'static [KeySpec],
}

impl Table {
    /// The key of this name.
    pub(crate) fn key(&self, name: &str) -> Option<&'static KeySpec> {
        self.keys.iter().find(|key| key.name == name)
    }
}

pub(crate) const fn required(name: &'static str, shape: Shape, doc: &'static str) -> KeySpec {
    KeySpec { name, shape, need: Need::Required, doc, default: None }
}

pub(crate) const fn optional(name: &'static str, shape: Shape, doc: &'static str) -> KeySpec {
    KeySpec { name, shape, need: Need::Optional, doc, default: None }
}

pub(crate) const fn default(name: &'static str, shape: Shape, default: &'static str, doc: &'static str) -> KeySpec {
    KeySpec { name, shape, need: Need::Optional, doc, default: Some(default) }
}

/// A positive number that fits 32 bits.
pub(crate) const COUNT: Shape = Shape::Integer { min: 1, max: u32::MAX as u64 };

/// A positive number.
pub(crate) const COUNT_64: Shape = Shape::Integer { min: 1, max: u64::MAX };

/// A number that fits 32 bits.
pub(crate) const AMOUNT_32: Shape = Shape::Integer { min: 0, max: u32::MAX as u64 };

/// Any number.
pub(crate) const AMOUNT: Shape = Shape::Integer { min: 0, max: u64::MAX };

//! The templates of the languages, one file each.

mod c;
mod javascript;
mod python;
mod rust;
mod typescript;

use clap::ValueEnum as _;

use super::template::{Kind, Lang, Template};

/// The template of a language.
pub(super) fn template(lang: Lang) -> &'static Template {
    match lang {
        Lang::Rust => &rust::TEMPLATE,
        Lang::Python => &python::TEMPLATE,
        Lang::Javascript => &javascript::TEMPLATE,
        Lang::Typescript => &typescript::TEMPLATE,
        Lang::C => &c::TEMPLATE,
    }
}

/// The languages that have a template for the kind, in the order in which they are listed.
pub(super) fn languages_with(kind: Kind) -> impl Iterator<Item = Lang> {
    Lang::value_variants()
        .iter()
        .copied()
        .filter(move |lang| template(*lang).kinds.iter().any(|(offered, _)| *offered == kind))
}

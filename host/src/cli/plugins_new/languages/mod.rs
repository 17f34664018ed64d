//! The languages, one file each.

mod c;
mod javascript;
mod python;
mod rust;
mod typescript;

use super::template::{Lang, Template};

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

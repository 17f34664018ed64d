//! The languages, one file each.

mod javascript;
mod python;

use super::template::{Lang, Template};

/// The template of a language.
pub(super) fn template(lang: Lang) -> &'static Template {
    match lang {
        Lang::Python => &python::TEMPLATE,
        Lang::Javascript => &javascript::TEMPLATE,
    }
}

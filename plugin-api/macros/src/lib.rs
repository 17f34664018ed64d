//! Derive macros of `jackfield-plugin-api`, re-exported by its prelude.
//!
//! A derive cannot add attributes to the type it stands on, and a plugin crate that depends on nothing but
//! `jackfield-plugin-api` has no `serde` of its own to derive with. Both macros therefore emit a hidden copy of the type
//! that carries serde's and schemars' derives (as a serde `remote` definition, with the crate paths set), and implement
//! the traits for the real type by calling it.
#![forbid(unsafe_code)]

mod shadow;

use proc_macro::TokenStream;
use quote::quote;
use syn::{DeriveInput, Path, parse_macro_input};

/// Makes a struct the configuration of an extension.
///
/// Implements `Deserialize` (unknown keys are rejected), `JsonSchema` and `Config`. The struct's doc comment becomes the
/// extension's summary, a field's doc comment its description in the schema.
///
/// On a field, `#[config(default)]` takes the type's default and `#[config(default = EXPR)]` that value when the key is
/// absent; a field with neither is required unless it is an `Option`. `#[serde(…)]` and `#[schemars(…)]` attributes are
/// passed on, so a range is `#[schemars(range(min = 1, max = 10))]`.
#[proc_macro_derive(Config, attributes(config, serde, schemars))]
pub fn config(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    shadow::expand(&input, shadow::Role::Config).unwrap_or_else(|error| error.to_compile_error()).into()
}

/// Makes a struct or enum a (part of a) document: an input or an output of an extension.
///
/// Implements `Serialize`, `Deserialize` and `JsonSchema`. `#[serde(…)]` and `#[schemars(…)]` attributes work as with
/// those crates' own derives. Unknown fields are ignored when reading, so that a newer writer does not break an older
/// reader.
#[proc_macro_derive(Document, attributes(config, serde, schemars))]
pub fn document(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    shadow::expand(&input, shadow::Role::Document).unwrap_or_else(|error| error.to_compile_error()).into()
}

/// The files of this crate, each as `TYPE { path: "macros/…", text: "…" }` of the type that the macro is given: what
/// `jackfield_plugin_api::sources` lists. A macro is all that a crate of macros can export.
#[doc(hidden)]
#[proc_macro]
pub fn sources(of_type: TokenStream) -> TokenStream {
    let of_type = parse_macro_input!(of_type as Path);
    let files = [("macros/src/lib.rs", include_str!("lib.rs")), ("macros/src/shadow.rs", include_str!("shadow.rs"))];
    let files = files.map(|(path, text)| quote! { #of_type { path: #path, text: #text } });
    quote! { [#(#files),*] }.into()
}

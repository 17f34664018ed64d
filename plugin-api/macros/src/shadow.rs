//! The hidden copy of a type that carries the derives.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{
    Attribute, Data, DeriveInput, Error, Expr, Field, Fields, Lit, Meta, Result, Token, parse::Parser,
    punctuated::Punctuated,
};

/// What the type is to be.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Role {
    Config,
    Document,
}

/// Emits the copy and the impls that call it.
pub(crate) fn expand(input: &DeriveInput, role: Role) -> Result<TokenStream> {
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(&input.generics, "a document or config type cannot be generic"));
    }
    if role == Role::Config && !matches!(input.data, Data::Struct(_)) {
        return Err(Error::new_spanned(&input.ident, "`Config` can be derived for structs alone"));
    }
    let ident = &input.ident;
    let remote = ident.to_string();
    let shadow = format_ident!("__{}Shadow", ident);

    let mut copy = input.clone();
    copy.ident = shadow.clone();
    copy.vis = syn::Visibility::Inherited;
    copy.attrs.retain(keeps);
    let mut defaults = Vec::new();
    for field in fields_mut(&mut copy.data) {
        if let Some(default) = take_default(field)? {
            let name = format_ident!("__default_{}", defaults.len());
            let path = name.to_string();
            let ty = &field.ty;
            defaults.push(quote! { fn #name() -> #ty { #default } });
            field.attrs.push(syn::parse_quote!(#[serde(default = #path)]));
        }
        field.attrs.retain(keeps);
    }
    if let Data::Enum(data) = &mut copy.data {
        for variant in &mut data.variants {
            variant.attrs.retain(keeps);
        }
    }

    let deny = (role == Role::Config).then(|| quote! { #[serde(deny_unknown_fields)] });
    let summary = doc_summary(&input.attrs);
    let config = (role == Role::Config).then(|| {
        quote! {
            impl ::jackfield_plugin_api::Config for #ident {
                const SUMMARY: &'static str = #summary;
            }
        }
    });
    let serialize = (role == Role::Document).then(|| {
        quote! {
            impl __private::serde::Serialize for #ident {
                fn serialize<S: __private::serde::Serializer>(&self, serializer: S) -> ::core::result::Result<S::Ok, S::Error> {
                    #shadow::serialize(self, serializer)
                }
            }
        }
    });
    let derives = match role {
        Role::Config => quote! { __private::serde::Deserialize, __private::schemars::JsonSchema },
        Role::Document => {
            quote! { __private::serde::Serialize, __private::serde::Deserialize, __private::schemars::JsonSchema }
        }
    };
    Ok(quote! {
        #[doc(hidden)]
        #[allow(non_local_definitions, unused_qualifications, clippy::allow_attributes)]
        const _: () = {
            use ::jackfield_plugin_api::__private;
            #(#defaults)*

            #[derive(#derives)]
            #[serde(crate = "::jackfield_plugin_api::__private::serde", remote = #remote)]
            #[schemars(crate = "::jackfield_plugin_api::__private::schemars", rename = #remote)]
            #deny
            #copy

            impl<'de> __private::serde::Deserialize<'de> for #ident {
                fn deserialize<D: __private::serde::Deserializer<'de>>(deserializer: D) -> ::core::result::Result<Self, D::Error> {
                    #shadow::deserialize(__private::ByName(deserializer))
                }
            }

            #serialize

            impl __private::schemars::JsonSchema for #ident {
                fn schema_name() -> ::std::borrow::Cow<'static, str> {
                    <#shadow as __private::schemars::JsonSchema>::schema_name()
                }
                fn schema_id() -> ::std::borrow::Cow<'static, str> {
                    ::std::borrow::Cow::Borrowed(concat!(module_path!(), "::", #remote))
                }
                fn json_schema(generator: &mut __private::schemars::SchemaGenerator) -> __private::schemars::Schema {
                    <#shadow as __private::schemars::JsonSchema>::json_schema(generator)
                }
            }

            #config
        };
    })
}

/// Attributes that the copy needs: the rest (other derives, `cfg_attr`, lints) belongs to the real type.
fn keeps(attribute: &Attribute) -> bool {
    ["doc", "serde", "schemars"].iter().any(|name| attribute.path().is_ident(name))
}

fn fields_mut(data: &mut Data) -> Vec<&mut Field> {
    fn of(fields: &mut Fields) -> Vec<&mut Field> {
        fields.iter_mut().collect()
    }
    match data {
        Data::Struct(data) => of(&mut data.fields),
        Data::Enum(data) => data.variants.iter_mut().flat_map(|variant| of(&mut variant.fields)).collect(),
        Data::Union(_) => Vec::new(),
    }
}

/// The value of `#[config(default)]` or `#[config(default = EXPR)]`, if there is one.
fn take_default(field: &Field) -> Result<Option<TokenStream>> {
    let mut found = None;
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("config")) {
        let list = attribute.meta.require_list()?;
        for meta in Punctuated::<Meta, Token![,]>::parse_terminated.parse2(list.tokens.clone())? {
            match &meta {
                Meta::Path(path) if path.is_ident("default") => {
                    found = Some(quote! { ::core::default::Default::default() });
                }
                Meta::NameValue(pair) if pair.path.is_ident("default") => {
                    let value = &pair.value;
                    // A string literal stands for an owned string, the only kind a config can hold.
                    let literal = matches!(value, Expr::Lit(lit) if matches!(lit.lit, Lit::Str(_)));
                    found = Some(if literal {
                        quote! { ::core::convert::Into::into(#value) }
                    } else {
                        quote! { #value }
                    });
                }
                other => return Err(Error::new_spanned(other, "expected `default` or `default = VALUE`")),
            }
        }
    }
    Ok(found)
}

/// The first paragraph of the doc comment, on one line.
fn doc_summary(attributes: &[Attribute]) -> String {
    let mut words: Vec<String> = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("doc")) {
        let Meta::NameValue(pair) = &attribute.meta else { continue };
        let Expr::Lit(literal) = &pair.value else { continue };
        let Lit::Str(text) = &literal.lit else { continue };
        let line = text.value();
        if line.trim().is_empty() && !words.is_empty() {
            break;
        }
        words.extend(line.split_whitespace().map(str::to_owned));
    }
    words.join(" ").trim_end_matches('.').to_owned()
}

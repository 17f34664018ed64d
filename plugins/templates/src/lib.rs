//! Templates of prompts: what they use, what is wrong with them, and what they give. The host checks them before a run, and
//! plugins render them, by the same rules.
//!
//! A template is text with `{{ … }}` and `{% … %}` in it, in the language of Jinja. Strings are inserted as they are, any other
//! value as JSON, and nothing is escaped. A variable that is not there is a fault, but in a condition (`{% if title %}`,
//! `title is defined`, `title | default("…")`). A line that holds a `{% … %}` alone leaves nothing behind, and the line break at
//! the end of a template does not count. A template stands alone: it includes no other.
//!
//! | module | what for |
//! | --- | --- |
//! | `config` | a template as a setting |
//! | `environment` | the language |
//! | `places` | where names are in a template |
//! | `variables` | what a template uses, and what is wrong with it |
//! | `set` | templates, parsed once and rendered often |
#![forbid(unsafe_code)]

mod config;
mod environment;
mod places;
mod set;
mod variables;

pub use config::Template;
pub use set::{RenderError, TemplateSet, Values};
pub use variables::{TemplateFault, Variable, variables};

//! Strings: names, choices, digests, permissions and wires.

use std::path::Path;

use super::{ShapeCheck, messages::clipped, value::WrongText};
use crate::{
    diagnostics::{Diagnostic, suggest},
    keys::Shape,
    syntax::{
        tree::{Key, Node},
        values, wire,
    },
};
use jackfield_loader::{Digest, escape_untrusted, sandbox::Grant};

impl ShapeCheck<'_> {
    /// The name of a pipeline, which becomes that of folders.
    pub(crate) fn pipeline_name(&mut self, key: &Key, node: &Node, text: &str) {
        let Some(why) = values::wrong_pipeline_name(text) else { return };
        let message = format!("`{}` cannot be `{}`: {why}", key.text, escape_untrusted(&clipped(text)));
        let note = format!(
            "it becomes the name of folders: letters, digits, `-`, `_` and, but for the first, `.`; at most {} bytes",
            values::LONGEST_PIPELINE_NAME
        );
        let hint = values::as_name(text).map(|better| format!("such as `{better}`"));
        self.diagnostics.push(Diagnostic::at("bad-name", node.span, message).note(note).hint(hint));
    }

    pub(crate) fn choice(&mut self, key: &Key, node: &Node, text: &str, choices: &[&str]) {
        if !choices.contains(&text) {
            let message = format!("`{}` cannot be `{text}`", key.text);
            let label = format!("expected one of {}", suggest::list(choices.iter().copied()));
            let hint = suggest::nearest(text, choices.iter().copied()).map(|near| format!("did you mean `{near}`?"));
            self.diagnostics.push(Diagnostic::at("bad-value", node.span, message).label(label).hint(hint));
        }
    }

    pub(crate) fn character(&mut self, key: &Key, node: &Node, text: &str) {
        if text.len() != 1 || !text.is_ascii() {
            let hint = "such as `,` or `;` or, for a tab, `\\t`";
            self.bad_text(key, node, WrongText { expected: "one ASCII character", why: "", hint });
        } else if matches!(text, "\"" | "\n" | "\r") {
            let (why, hint) =
                ("quotes and line ends have a meaning of their own", "such as `,` or `;` or, for a tab, `\\t`");
            self.bad_text(key, node, WrongText { expected: "a character that can stand between columns", why, hint });
        }
    }

    pub(crate) fn digest(&mut self, key: &Key, node: &Node, text: &str) {
        if Digest::parse(text).is_none() {
            let label = format!("{} characters", text.chars().count());
            let message = format!("`{}` is not 64 hexadecimal digits", key.text);
            self.diagnostics.push(Diagnostic::at("bad-value", node.span, message).label(label));
        }
    }

    pub(crate) fn grants(&mut self, key: &Key, list: &[Node]) {
        for element in list {
            match element.as_str().map(|text| Grant::parse(text, Path::new(""))) {
                Some(Ok(_)) => {}
                Some(Err(error)) => {
                    self.diagnostics.push(Diagnostic::at("bad-grant", element.span, error.to_string()));
                }
                None => self.value(key, element, &Shape::Text),
            }
        }
    }

    pub(crate) fn wire(&mut self, node: &Node, text: &str) {
        if let Err(error) = wire::parse(text) {
            let span = wire::span_within(self.sources, node.span, text, error.at.clone());
            self.diagnostics.push(
                Diagnostic::at("bad-wire", span, format!("`{}` is not a wire: {}", clipped(text), error.message))
                    .label(error.label)
                    .hint(
                        error
                            .hint
                            .or_else(|| Some("a wire is written like `stage.field[0].items[*].title`".to_owned())),
                    ),
            );
        }
    }
}

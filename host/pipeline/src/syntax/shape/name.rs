//! Whether a name that the author chose may be used.

use super::{ShapeCheck, messages::clipped};
use crate::{
    diagnostics::Diagnostic,
    keys::Names,
    syntax::{
        tree::{Key, Node, Value},
        values,
    },
};

impl ShapeCheck<'_> {
    /// Checks a name that the author chose.
    pub(crate) fn name(&mut self, key: &Key, names: Names) {
        let name = &key.text;
        match names {
            Names::Words { what, reserved } => {
                if let Some((_, meaning)) = reserved.iter().find(|(word, _)| word == name) {
                    let message = format!("a {what} cannot be called `{name}`");
                    self.diagnostics.push(
                        Diagnostic::at("reserved-name", key.span, message).label(format!("it stands for {meaning}")),
                    );
                } else if !values::is_name(name) {
                    let message = format!("`{name}` cannot be the name of a {what}");
                    self.diagnostics.push(
                        Diagnostic::at("bad-name", key.span, message)
                            .note("names start with a lower-case letter; lower-case letters, digits, `-` and `_` may follow")
                            .hint(values::as_name(name).map(|better| format!("such as `{better}`"))),
                    );
                } else if name.len() > values::LONGEST_NAME {
                    let message = format!("`{}` cannot be the name of a {what}: it is too long", clipped(name));
                    let label = format!("{} characters, at most {} are allowed", name.len(), values::LONGEST_NAME);
                    self.diagnostics.push(Diagnostic::at("bad-name", key.span, message).label(label));
                }
            }
            Names::Wires => {
                let node = Node { span: key.span, value: Value::String(name.clone()) };
                self.wire(&node, name);
            }
            Names::Files | Names::RunFiles => {
                let plain = !name.is_empty()
                    && name != "."
                    && name != ".."
                    && !name.chars().any(|char| matches!(char, '/' | '\\' | ':') || char.is_control());
                if !plain {
                    let message = format!("`{name}` is not a plain file name");
                    let whose = if names == Names::RunFiles { "the run" } else { "its item" };
                    self.diagnostics.push(
                        Diagnostic::at("bad-name", key.span, message)
                            .note(format!("the file is written into the folder of {whose}")),
                    );
                } else if name.len() > values::LONGEST_FILE_NAME {
                    let message = format!("`{}` is too long for the name of a file", clipped(name));
                    let label = format!("{} bytes, at most {} are allowed", name.len(), values::LONGEST_FILE_NAME);
                    self.diagnostics.push(Diagnostic::at("bad-name", key.span, message).label(label));
                }
            }
        }
    }
}

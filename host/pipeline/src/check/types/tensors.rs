//! Reports tensors that would be lost on a wire.

use crate::{check::checker::Checker, diagnostics::Diagnostic, parsed::WireRef, plan::Source};

impl Checker<'_> {
    /// Tensors that travel with a document belong to the whole document: a reader that wants them does not get them through a
    /// path, and a list does not have the tensors of its elements.
    pub(crate) fn check_that_tensors_arrive(&mut self, stage: usize, wire: &WireRef, in_list: bool) {
        let (Some(Source::Stage(source)), Some(text)) = (self.wire_source(Some(stage), wire), &wire.text) else {
            return;
        };
        let is_marked = |schema: &serde_json::Value| schema["x-tensors"] == true;
        let source_has_tensors = self.extensions[source].is_some_and(|(_, entry)| is_marked(&entry.descriptor.output));
        let reader_wants_tensors = self.extensions[stage].is_some_and(|(_, entry)| is_marked(&entry.descriptor.input));
        let source_stage = &self.parsed.stages[source];
        let is_list = source_stage.for_each.is_some() || source_stage.repeat.is_some();
        let is_lost = if text.path.is_empty() { is_list || in_list } else { reader_wants_tensors };
        if !source_has_tensors || !is_lost {
            return;
        }
        let name = &source_stage.name.text;
        let message = format!("the tensors that travel with the output of stage `{name}` are lost on this wire");
        let why =
            if text.path.is_empty() { "a list has none of its elements' tensors" } else { "a path leads past them" };
        let hint = match text.path.is_empty() {
            true => format!(
                "read the field that is wanted, such as `{name}.FIELD`; what needs the tensors, too, has to get them by \
                 reference: let `{}` keep them with `Host::keep_tensor`",
                self.extension_name(source)
            ),
            false => format!(
                "read the whole output, `{name}`; or let `{}` keep its tensors with `Host::keep_tensor`: those go through \
                 paths",
                self.extension_name(source)
            ),
        };
        self.diagnostics.push(Diagnostic::at("lost-tensors", wire.span, message).label(why.to_owned()).hint(hint));
    }
}

//! Tensors that would be lost on a wire.

use crate::{check::checker::Checker, diagnostics::Fault, draft::WireRef, plan::Source};

impl Checker<'_> {
    /// Tensors that travel with a document go with the whole of it, and no further: a reader that wants them does not get
    /// them by a path, and nobody gets them of the elements of a list.
    pub(crate) fn keeps_tensors(&mut self, stage: usize, wire: &WireRef, in_list: bool) {
        let (Some(Source::Stage(source)), Some(text)) = (self.source(Some(stage), wire), &wire.text) else { return };
        let says = |schema: &serde_json::Value| schema["x-tensors"] == true;
        let carries = self.offers[source].is_some_and(|(_, offer)| says(&offer.descriptor.output));
        let wanted = self.offers[stage].is_some_and(|(_, offer)| says(&offer.descriptor.input));
        let from = &self.draft.stages[source];
        let many = from.for_each.is_some() || from.repeat.is_some();
        let lost = if text.path.is_empty() { many || in_list } else { wanted };
        if !carries || !lost {
            return;
        }
        let name = &from.name.text;
        let message = format!("the tensors that travel with the output of stage `{name}` are lost on this wire");
        let why =
            if text.path.is_empty() { "a list has none of its elements' tensors" } else { "a path leads past them" };
        let hint = match text.path.is_empty() {
            true => format!(
                "read the field that is wanted, such as `{name}.FIELD`; what needs the tensors, too, has to get them by \
                 reference: let `{}` keep them with `Host::keep_tensor`",
                self.extension(source)
            ),
            false => format!(
                "read the whole output, `{name}`; or let `{}` keep its tensors with `Host::keep_tensor`: those go through \
                 paths",
                self.extension(source)
            ),
        };
        self.faults.push(Fault::at("lost-tensors", wire.span, message).label(why.to_owned()).hint(hint));
    }
}

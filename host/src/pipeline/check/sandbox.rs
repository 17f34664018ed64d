//! Whether the instances of sandboxed plugins find room in the memory that there is for all of them.

use super::Checker;
use crate::{
    pipeline::{faults::Fault, plan::kept_back},
    plugin::{
        Form,
        sandbox::{size, usual_memory_total},
    },
};

impl Checker<'_> {
    /// An instance that is larger than the total could never be made; nor one that leaves no room for the model that its
    /// call waits for.
    pub(super) fn sandbox_memory(&mut self) {
        let draft = self.draft;
        let (total, whence) = match &draft.sandbox_memory {
            Some(total) => (total.value, "`[pipeline] sandbox_memory`".to_owned()),
            None => (usual_memory_total().bytes, usual_memory_total().to_string()),
        };
        let kept_back = kept_back(self.service_forms());
        if kept_back > total {
            let message = format!(
                "the instance of a model or policy may take {} of memory, more than the {} that all instances of \
                 sandboxed plugins may take together ({whence})",
                size(kept_back),
                size(total),
            );
            let fault = match &draft.sandbox_memory {
                Some(total) => Fault::at("too-large", total.span, message),
                None => Fault::new("too-large", message),
            };
            self.faults.push(fault.hint(raise(kept_back)));
            return;
        }
        for (stage, found) in draft.stages.iter().zip(&self.offers) {
            let memory = stage.limits.memory;
            if found.is_none_or(|(plugin, _)| plugin.form != Form::Wasm) || memory <= total - kept_back {
                continue;
            }
            let beside = if kept_back > 0 {
                format!(" less {} for the model or policy that it may wait for", size(kept_back))
            } else {
                String::new()
            };
            let message = format!(
                "an instance of stage `{}` may take {} of memory, more than the {} that all instances of sandboxed \
                 plugins may take together ({whence}){beside}",
                stage.name.text,
                size(memory),
                size(total),
            );
            let place = stage.memory_at.unwrap_or(stage.name.span);
            let hint = format!("lower its `limits.memory`, or {}", raise(memory.saturating_add(kept_back)));
            self.faults.push(Fault::at("too-large", place, message).hint(hint));
        }
    }

    /// The forms of the plugins that models and policies come from.
    fn service_forms(&self) -> impl Iterator<Item = Form> {
        let found = self.services.models().chain(self.routes.iter().flatten().map(|route| route.policy()));
        found.flatten().map(|(plugin, _)| plugin.form)
    }
}

fn raise(wanted: u64) -> String {
    format!("set `[pipeline] sandbox_memory = \"{}\"` or more", size(wanted).replace(' ', ""))
}

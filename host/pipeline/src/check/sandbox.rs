//! Whether the instances of sandboxed plugins find room in the memory that there is for all of them.

use jackfield_loader::{
    Form, Offer, Plugin,
    sandbox::{Limits, size, usual_memory_total},
};

use super::checker::Checker;
use crate::{
    diagnostics::{Fault, Span},
    plan::kept_back,
};

impl Checker<'_> {
    /// An instance that is larger than the total could never be made; nor one that leaves no room for the model, cache or
    /// policy that its call waits for.
    pub(crate) fn sandbox_memory(&mut self) {
        let draft = self.draft;
        let usual = Limits::of_policy();
        let policies = self.routes.iter().flatten().filter_map(|route| Some((route.policy()?.0.form, &usual)));
        let search = self.search.iter().filter_map(|search| Some((search.policy()?.0.form, &usual)));
        let policies = policies.chain(search);
        let models = self.services.models().zip(&draft.models);
        let inner = models.filter_map(|(found, model)| Some((found?.0.form, &model.limits))).chain(policies);
        let tiers = || {
            let drafts = draft.caches.iter().flat_map(|cache| cache.tiers.iter().map(move |tier| (cache, tier)));
            self.services.tiers().flatten().zip(drafts)
        };
        let caches = tiers().filter_map(|(found, (_, tier))| Some((found?.0.form, &tier.limits)));
        let kept_back = kept_back(inner.chain(caches));
        let (models, stages) = (self.services.models().zip(&draft.models), self.offers.iter().zip(&draft.stages));
        let models = models.filter(|(found, _)| is_sandboxed(*found));
        let models = models.map(|(_, model)| ("model", &model.name, &model.limits, model.memory_at, 0));
        let stages = stages.filter(|(found, _)| is_sandboxed(**found));
        let stages = stages.map(|(_, stage)| ("stage", &stage.name, &stage.limits, stage.memory_at, kept_back));
        let mut faults = Vec::new();
        for (what, name, limits, memory_at, beside) in models.chain(stages) {
            let instance = format!("an instance of {what} `{}`", name.text);
            faults.extend(self.does_not_fit(&instance, memory_at.unwrap_or(name.span), limits.memory, beside));
        }
        for (_, (cache, tier)) in tiers().filter(|(found, _)| is_sandboxed(*found)) {
            let instance = format!("an instance of a tier of cache `{}`", cache.name.text);
            faults.extend(self.does_not_fit(&instance, tier.memory_at.unwrap_or(tier.span), tier.limits.memory, 0));
        }
        self.faults.extend(faults);
    }

    /// The fault of an instance for which there is no room, next to what is kept for another.
    fn does_not_fit(&self, instance: &str, place: Span, memory: u64, beside: u64) -> Option<Fault> {
        let (total, whence, or_else) = match &self.draft.sandbox_memory {
            Some(total) => (total.value, "`[pipeline] sandbox_memory`".to_owned(), ""),
            None => {
                let usual = usual_memory_total();
                let or_else = if usual.is_of_address_space() { "; or raise the limit (`ulimit -v`)" } else { "" };
                (usual.bytes, usual.to_string(), or_else)
            }
        };
        let wanted = memory.saturating_add(beside);
        if wanted <= total {
            return None;
        }
        let less = match beside {
            0 => String::new(),
            beside => format!(" less {} for the model, cache or policy that it may wait for", size(beside)),
        };
        let message = format!(
            "{instance} may take {} of memory, more than the {} that all instances of sandboxed plugins may take \
             together ({whence}){less}",
            size(memory),
            size(total),
        );
        let more = size(wanted).replace(' ', "");
        let hint =
            format!("lower its `limits.memory`, or set `[pipeline] sandbox_memory = \"{more}\"` or more{or_else}");
        Some(Fault::at("too-large", place, message).hint(hint))
    }
}

fn is_sandboxed(found: Option<(&Plugin, &Offer)>) -> bool {
    found.is_some_and(|(plugin, _)| plugin.form == Form::Wasm)
}

//! Checks that an instance of each sandboxed plugin fits into the memory that all of them may take together.

use super::checker::Checker;
use crate::{
    diagnostics::{Diagnostic, Span},
    plan::kept_back,
};
use jackfield_loader::{
    ExtensionEntry, Linkage, Plugin,
    sandbox::{Limits, size, usual_memory_total},
};

/// An instance of a sandboxed plugin, which has to fit into the memory that all of them may take together.
struct Instance {
    /// What it is an instance of, such as "stage `lens`".
    description: String,
    /// Where a diagnostic about it is reported.
    span: Span,
    /// The memory that it may take, in bytes.
    memory: u64,
    /// The memory that has to be left for a model, cache or policy that it may wait for, in bytes.
    kept_for_services: u64,
}

impl Checker<'_> {
    /// An instance that is larger than the total could never be made; nor one that leaves no memory for the model, cache or
    /// policy that its call waits for.
    pub(crate) fn check_sandbox_memory(&mut self) {
        let instances = self.sandboxed_instances();
        let diagnostics: Vec<Diagnostic> =
            instances.iter().filter_map(|instance| self.memory_diagnostic(instance)).collect();
        self.diagnostics.extend(diagnostics);
    }

    /// The instances of models, stages and tiers of caches.
    fn sandboxed_instances(&self) -> Vec<Instance> {
        let mut instances = Vec::new();
        for (found, model) in self.services.models().zip(&self.parsed.models) {
            if is_sandboxed(found) {
                instances.push(Instance {
                    description: format!("model `{}`", model.name.text),
                    span: model.memory_at.unwrap_or(model.name.span),
                    memory: model.limits.memory,
                    kept_for_services: 0,
                });
            }
        }
        let kept_for_services = self.memory_kept_for_services();
        for (found, stage) in self.extensions.iter().zip(&self.parsed.stages) {
            if is_sandboxed(*found) {
                instances.push(Instance {
                    description: format!("stage `{}`", stage.name.text),
                    span: stage.memory_at.unwrap_or(stage.name.span),
                    memory: stage.limits.memory,
                    kept_for_services,
                });
            }
        }
        for (found_tiers, cache) in self.services.tiers().zip(&self.parsed.caches) {
            for (found, tier) in found_tiers.zip(&cache.tiers) {
                if is_sandboxed(found) {
                    instances.push(Instance {
                        description: format!("a tier of cache `{}`", cache.name.text),
                        span: tier.memory_at.unwrap_or(tier.span),
                        memory: tier.limits.memory,
                        kept_for_services: 0,
                    });
                }
            }
        }
        instances
    }

    /// The most memory that one of the models, caches and policies may take, in bytes.
    fn memory_kept_for_services(&self) -> u64 {
        let policy_limits = Limits::of_policy();
        let routes = self.routes.iter().flatten().filter_map(|route| route.policy());
        let policies = routes.chain(self.search.iter().filter_map(|search| search.policy()));
        let policies = policies.map(|(plugin, _)| (plugin.linkage, &policy_limits));
        let models = self.services.models().zip(&self.parsed.models);
        let models = models.filter_map(|(found, model)| Some((found?.0.linkage, &model.limits)));
        let tiers = self.services.tiers().zip(&self.parsed.caches).flat_map(|(found, cache)| found.zip(&cache.tiers));
        let tiers = tiers.filter_map(|(found, tier)| Some((found?.0.linkage, &tier.limits)));
        kept_back(models.chain(policies).chain(tiers))
    }

    /// The diagnostic of an instance that does not fit, in addition to the memory that is kept for another.
    fn memory_diagnostic(&self, instance: &Instance) -> Option<Diagnostic> {
        let Instance { description, span, memory, kept_for_services } = instance;
        let (total, origin, or_raise_the_limit) = match &self.parsed.sandbox_memory {
            Some(total) => (total.value, "`[pipeline] sandbox_memory`".to_owned(), ""),
            None => {
                let memory_total = usual_memory_total();
                let or_raise_the_limit =
                    if memory_total.is_of_address_space() { "; or raise the limit (`ulimit -v`)" } else { "" };
                (memory_total.bytes, memory_total.to_string(), or_raise_the_limit)
            }
        };
        let wanted = memory.saturating_add(*kept_for_services);
        if wanted <= total {
            return None;
        }
        let subtracted = match kept_for_services {
            0 => String::new(),
            kept_for_services => {
                format!(" less {} for the model, cache or policy that it may wait for", size(*kept_for_services))
            }
        };
        let message = format!(
            "an instance of {description} may take {} of memory, more than the {} that all instances of sandboxed plugins may take \
             together ({origin}){subtracted}",
            size(*memory),
            size(total),
        );
        let enough = size(wanted).replace(' ', "");
        let hint = format!(
            "lower its `limits.memory`, or set `[pipeline] sandbox_memory = \"{enough}\"` or more{or_raise_the_limit}"
        );
        Some(Diagnostic::at("too-large", *span, message).hint(hint))
    }
}

fn is_sandboxed(found: Option<(&Plugin, &ExtensionEntry)>) -> bool {
    found.is_some_and(|(plugin, _)| plugin.linkage == Linkage::Wasm)
}

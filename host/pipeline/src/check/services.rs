//! Checks models and caches, and the references to them.

use std::{path::Path, time::Duration};

use jackfield_plugin_api::{Ability, Kind, Offers};

use super::{
    checker::Checker,
    extensions::extension_ref,
    found::{CheckedConfig, ServiceFound},
};
use crate::{
    diagnostics::{Diagnostic, Spanned, suggest},
    parsed::{ParsedModel, ParsedStage},
    plan::{CachePlan, Concurrency, ModelPlan, TierPlan},
};
use jackfield_loader::Registry;

/// The most time that a try may take if the pipeline does not say it and the model is not on this machine.
const USUAL_TIMEOUT: Duration = Duration::from_secs(120);

/// The services that a stage uses, by index.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct StageServices {
    pub(crate) model: Option<usize>,
    pub(crate) cache: Option<usize>,
    pub(crate) store: Option<usize>,
}

impl<'a> Checker<'a> {
    /// Looks up the extensions of models and caches, checks what configures them, and who refers to them.
    pub(crate) fn check_services(&mut self, registry: &'a Registry) {
        let parsed = self.parsed;
        for model in &parsed.models {
            let found = self.look_up(registry, &[Kind::Model], model.uses.as_ref());
            let uses = model.uses.as_ref().map_or(model.name.span, |uses| uses.span);
            let entry = found.map(|(_, entry)| entry);
            let config = self.with_table(model.with.as_ref(), entry, model.name.span, uses);
            self.services.models.push(ServiceFound { extension: found, config });
            if model.budget.usd.is_some() && model.price.is_none() {
                let message = format!("model `{}` has a budget in dollars, but no price", model.name.text);
                let hint = "add `price = { input = ..., output = ... }`, in dollars for a million tokens".to_owned();
                self.diagnostics.push(Diagnostic::at("missing-key", model.budget_span, message).hint(hint));
            }
            self.check_cache_reference(model.cache.as_ref());
        }
        if let Some(most) = &parsed.max_usd
            && parsed.models.iter().all(|model| model.price.is_none())
        {
            let message = "no model has a price, so that nothing counts towards `max_usd`".to_owned();
            let hint =
                "add `price = { input = ..., output = ... }` to a model, in dollars for a million tokens".to_owned();
            self.diagnostics.push(Diagnostic::at("missing-key", most.span, message).hint(hint));
        }
        for cache in &parsed.caches {
            let mut tiers = Vec::new();
            for tier in &cache.tiers {
                let found = self.look_up(registry, &[Kind::CacheBackend], tier.uses.as_ref());
                let uses = tier.uses.as_ref().map_or(tier.span, |uses| uses.span);
                let entry = found.map(|(_, entry)| entry);
                let config = self.with_table(tier.with.as_ref(), entry, tier.span, uses);
                tiers.push(ServiceFound { extension: found, config });
            }
            self.services.tiers.push(tiers);
        }
        for stage in &parsed.stages {
            if let Some(model) = &stage.model {
                self.check_reference("model", model, parsed.models.iter().map(|model| model.name.text.as_str()));
            }
            self.check_cache_reference(stage.cache.as_ref());
            self.check_cache_reference(stage.store.as_ref());
        }
    }

    fn check_cache_reference(&mut self, name: Option<&Spanned<String>>) {
        let parsed = self.parsed;
        if let Some(name) = name {
            self.check_reference("cache", name, parsed.caches.iter().map(|cache| cache.name.text.as_str()));
        }
    }

    /// Reports a reference that does not name a service.
    pub(crate) fn check_reference(
        &mut self,
        what: &str,
        name: &Spanned<String>,
        there: impl Iterator<Item = &'a str> + Clone,
    ) {
        if there.clone().any(|known| known == name.value) {
            return;
        }
        let hint = if there.clone().next().is_none() {
            Some(format!(
                "add one: `[{what}.{}]` with `{}`",
                name.value,
                if what == "cache" { "tiers = [...]" } else { "use = \"...\"" }
            ))
        } else {
            suggest::hint_for(&name.value, &format!("known {what}s"), there)
        };
        let message = format!("there is no {what} `{}`", name.value);
        self.diagnostics.push(Diagnostic::at("unknown-name", name.span, message).hint(hint));
    }

    /// The services of a stage.
    pub(crate) fn services_of_stage(&self, stage: &ParsedStage) -> StageServices {
        let parsed = self.parsed;
        let cache = |name: &Option<Spanned<String>>| {
            let name = name.as_ref()?;
            parsed.caches.iter().position(|cache| cache.name.text == name.value)
        };
        let model = stage.model.as_ref();
        StageServices {
            model: model.and_then(|name| parsed.models.iter().position(|model| model.name.text == name.value)),
            cache: cache(&stage.cache),
            store: cache(&stage.store),
        }
    }

    /// The models of the plan; none if an extension is missing, which is reported.
    pub(crate) fn lower_models(&self) -> Option<Vec<ModelPlan>> {
        let models = self.parsed.models.iter().zip(&self.services.models);
        models.map(|(model, service)| self.lower_model(model, service)).collect()
    }

    fn lower_model(&self, model: &ParsedModel, service: &ServiceFound<'_>) -> Option<ModelPlan> {
        let (plugin, entry) = service.extension?;
        let config = &service.config;
        let local = Offers::from_schema(&entry.descriptor.input).has(Ability::Local, &config.value);
        let fixed = if model.concurrency_given { model.concurrency.start } else { 1 };
        let cache = model.cache.as_ref();
        let cache_index =
            |name: &Spanned<String>| self.parsed.caches.iter().position(|cache| cache.name.text == name.value);
        Some(ModelPlan {
            name: model.name.text.clone(),
            extension: extension_ref(plugin, entry),
            config: config.value.clone(),
            paths: config.paths.clone(),
            local,
            concurrency: if local { Concurrency { start: fixed, max: fixed } } else { model.concurrency },
            rate: model.rate,
            budget: model.budget,
            price: model.price,
            timeout: model.timeout.or((!local).then_some(USUAL_TIMEOUT)),
            attempts: model.attempts,
            backoff: model.backoff,
            longest_wait: model.longest_wait,
            cache: cache.and_then(cache_index),
            record: model.record.clone().filter(|record| !answers_from_file(config, record)),
            limits: model.limits.clone(),
        })
    }

    /// The caches of the plan; none if an extension is missing, which is reported.
    pub(crate) fn lower_caches(&self) -> Option<Vec<CachePlan>> {
        let mut caches = Vec::new();
        for (cache, found_tiers) in self.parsed.caches.iter().zip(&self.services.tiers) {
            let mut tiers = Vec::new();
            for (tier, found) in cache.tiers.iter().zip(found_tiers) {
                let (plugin, entry) = found.extension?;
                tiers.push(TierPlan {
                    extension: extension_ref(plugin, entry),
                    config: found.config.value.clone(),
                    ttl: tier.ttl,
                    limits: tier.limits.clone(),
                });
            }
            caches.push(CachePlan { name: cache.name.text.clone(), tiers });
        }
        Some(caches)
    }
}

/// Whether a model reads this file itself: what it answers from it is not added to it.
fn answers_from_file(config: &CheckedConfig, file: &Path) -> bool {
    let mut paths = config.paths.keys().filter_map(|pointer| config.value.pointer(pointer));
    paths.any(|path| path["path"].as_str().is_some_and(|path| Path::new(path) == file))
}

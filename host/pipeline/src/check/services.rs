//! Models and caches: what they are, and who uses them.

use std::{path::Path, time::Duration};

use jackfield_loader::Registry;
use jackfield_plugin_api::{Ability, Kind, Offers};

use super::{checker::Checker, extensions::extension_ref, found::CheckedConfig};
use crate::{
    diagnostics::{Fault, Spanned, suggest},
    draft::StageDraft,
    plan::{CachePlan, Concurrency, ModelPlan, TierPlan},
};

/// The most time that a try may take at a model that is not on this machine, where nothing is written.
const USUAL_TIMEOUT: Duration = Duration::from_secs(120);

/// The services that a stage uses, by index.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Uses {
    pub(crate) model: Option<usize>,
    pub(crate) cache: Option<usize>,
    pub(crate) store: Option<usize>,
}

impl<'a> Checker<'a> {
    /// Looks up the extensions of models and caches, checks what configures them, and who refers to them.
    pub(crate) fn services(&mut self, registry: &'a Registry) {
        let draft = self.draft;
        for model in &draft.models {
            let found = self.look_up(registry, &[Kind::Model], model.uses.as_ref());
            let uses = model.uses.as_ref().map_or(model.name.span, |uses| uses.span);
            let offer = found.map(|(_, offer)| offer);
            let config = self.with_table(model.with.as_ref(), offer, model.name.span, uses);
            self.services.models.push((found, config));
            if model.budget.0.usd.is_some() && model.price.is_none() {
                let message = format!("model `{}` has a budget in dollars, but no price", model.name.text);
                let hint = "add `price = { input = ..., output = ... }`, in dollars for a million tokens".to_owned();
                self.faults.push(Fault::at("missing-key", model.budget.1, message).hint(hint));
            }
            self.cache_of(model.cache.as_ref());
        }
        for cache in &draft.caches {
            let mut tiers = Vec::new();
            for tier in &cache.tiers {
                let found = self.look_up(registry, &[Kind::CacheBackend], tier.uses.as_ref());
                let uses = tier.uses.as_ref().map_or(tier.span, |uses| uses.span);
                let offer = found.map(|(_, offer)| offer);
                tiers.push((found, self.with_table(tier.with.as_ref(), offer, tier.span, uses)));
            }
            self.services.tiers.push(tiers);
        }
        for stage in &draft.stages {
            if let Some(model) = &stage.model {
                self.named("model", model, draft.models.iter().map(|model| model.name.text.as_str()));
            }
            self.cache_of(stage.cache.as_ref());
            self.cache_of(stage.store.as_ref());
        }
    }

    fn cache_of(&mut self, name: Option<&Spanned<String>>) {
        let draft = self.draft;
        if let Some(name) = name {
            self.named("cache", name, draft.caches.iter().map(|cache| cache.name.text.as_str()));
        }
    }

    /// A reference to a service has to name one.
    pub(crate) fn named(&mut self, what: &str, name: &Spanned<String>, there: impl Iterator<Item = &'a str> + Clone) {
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
        self.faults.push(Fault::at("unknown-name", name.span, message).hint(hint));
    }

    /// The services of a stage.
    pub(crate) fn uses(&self, stage: &StageDraft) -> Uses {
        let draft = self.draft;
        let cache = |name: &Option<Spanned<String>>| {
            let name = name.as_ref()?;
            draft.caches.iter().position(|cache| cache.name.text == name.value)
        };
        let model = stage.model.as_ref();
        Uses {
            model: model.and_then(|name| draft.models.iter().position(|model| model.name.text == name.value)),
            cache: cache(&stage.cache),
            store: cache(&stage.store),
        }
    }

    /// The models of the plan.
    pub(crate) fn lower_models(&self) -> Option<Vec<ModelPlan>> {
        let draft = self.draft;
        let models = draft.models.iter().zip(&self.services.models).map(|(model, (found, config))| {
            let cache = model.cache.as_ref();
            let local = (*found).is_some_and(|(_, offer)| {
                Offers::from_schema(&offer.descriptor.input).has(Ability::Local, &config.value)
            });
            let fixed = if model.concurrency_given { model.concurrency.start } else { 1 };
            Some(ModelPlan {
                name: model.name.text.clone(),
                extension: extension_ref((*found)?),
                config: config.value.clone(),
                paths: config.paths.clone(),
                local,
                concurrency: if local { Concurrency { start: fixed, max: fixed } } else { model.concurrency },
                rate: model.rate,
                budget: model.budget.0,
                price: model.price,
                timeout: model.timeout.or((!local).then_some(USUAL_TIMEOUT)),
                attempts: model.attempts,
                backoff: model.backoff,
                cache: cache.and_then(|name| draft.caches.iter().position(|cache| cache.name.text == name.value)),
                record: model.record.clone().filter(|record| !reads(config, record)),
                limits: model.limits.clone(),
            })
        });
        models.collect()
    }

    /// The caches of the plan.
    pub(crate) fn lower_caches(&self) -> Option<Vec<CachePlan>> {
        let caches = self.draft.caches.iter().zip(&self.services.tiers).map(|(cache, found)| {
            let tiers = cache.tiers.iter().zip(found).map(|(tier, (found, config))| {
                let (extension, config) = (extension_ref((*found)?), config.value.clone());
                Some(TierPlan { extension, config, ttl: tier.ttl, limits: tier.limits.clone() })
            });
            Some(CachePlan { name: cache.name.text.clone(), tiers: tiers.collect::<Option<_>>()? })
        });
        caches.collect()
    }
}

/// Whether a model reads this file itself: what it answers from it is not added to it.
fn reads(config: &CheckedConfig, file: &Path) -> bool {
    let mut paths = config.paths.keys().filter_map(|pointer| config.value.pointer(pointer));
    paths.any(|path| path["path"].as_str().is_some_and(|path| Path::new(path) == file))
}

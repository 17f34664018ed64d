//! What stages ask of their models, beside what these offer.

use std::collections::BTreeSet;

use jackfield_loader::{Offer, Registry, escape_untrusted, sandbox::Permission};
use jackfield_plugin_api::{Ability, Kind, Offers};

use super::{checker::Checker, found::Found, needs};
use crate::{
    diagnostics::{Fault, Spanned},
    draft::{Expr, StageDraft},
};

impl Checker<'_> {
    /// A stage asks for something of its model by a permission (`model:capture`): each model that it may call has to offer it.
    pub(crate) fn abilities(&mut self, registry: &Registry) {
        let draft = self.draft;
        let mut faults = Vec::new();
        for (index, (stage, found)) in draft.stages.iter().zip(&self.offers).enumerate() {
            let Some((_, offer)) = found else { continue };
            let needed = self.needed(index, stage, offer);
            let extension = &offer.descriptor.name;
            if models_of(stage).next().is_none()
                && let Some(ability) = needed.first()
            {
                let name = &stage.name.text;
                let message = format!(
                    "stage `{name}`: `{extension}` needs a model that offers `{ability}` as it is configured, and the stage \
                     has none"
                );
                let hint = "add `model = \"NAME\"` to the stage".to_owned();
                faults.push(Fault::at("missing-key", stage.name.span, message).hint(hint));
            }
            let asked: Vec<Ability> =
                asked(offer).into_iter().chain(needed).collect::<BTreeSet<_>>().into_iter().collect();
            for model in models_of(stage) {
                faults.extend(self.lacks(registry, extension, stage, model, &asked));
            }
        }
        self.faults.extend(faults);
    }

    /// What a stage needs of its model as it is configured, in whichever arm of its route or trial of the search, and with what
    /// it is given.
    fn needed(&self, index: usize, stage: &StageDraft, offer: &Offer) -> BTreeSet<Ability> {
        let schema = &offer.descriptor.config;
        let arms = self.routes.get(index).into_iter().flatten().flat_map(|route| route.arms()).map(|arm| &arm.config);
        let configured = self.configs.get(index).map(|config| &config.value);
        let searched = self.search.iter().flat_map(|search| search.configs_of(index));
        let configs = arms.chain(searched).chain(configured);
        let mut needed: BTreeSet<Ability> = configs.flat_map(|config| needs::needed(schema, config)).collect();
        needed.extend(given(stage).filter_map(|field| needs::needed_with(&offer.descriptor.input, field)));
        needed
    }

    /// The fault of a model that does not offer all that a stage asks of it. One that is not known is another fault.
    fn lacks(
        &self,
        registry: &Registry,
        extension: &str,
        stage: &StageDraft,
        model: &Spanned<String>,
        asked: &[Ability],
    ) -> Option<Fault> {
        let index = self.draft.models.iter().position(|known| known.name.text == model.value)?;
        let (Some((_, offer)), config) = self.services.model(index)? else { return None };
        let lacking: Vec<Ability> =
            asked.iter().copied().filter(|ability| !offers(offer, &[*ability], &config.value)).collect();
        if lacking.is_empty() {
            return None;
        }
        let message = format!(
            "stage `{}`: `{extension}` asks for {}, which model `{}` (`{}`) does not offer",
            stage.name.text,
            listed(lacking.iter().map(|ability| permission(*ability))),
            model.value,
            offer.descriptor.name,
        );
        Some(Fault::at("model-lacks", model.span, message).hint(self.who_offers(registry, offer, &lacking)))
    }

    /// Where to find what a model lacks: in its own configuration, in another model of the pipeline, in another extension.
    fn who_offers(&self, registry: &Registry, lacking: &Offer, abilities: &[Ability]) -> String {
        let it = if abilities.len() == 1 { "it" } else { "all of it" };
        let name = &lacking.descriptor.name;
        let said = &lacking.descriptor.input["x-offers"];
        let keys: Option<BTreeSet<String>> = abilities
            .iter()
            .map(|ability| {
                let pointer = said[ability.name()].as_str()?.trim_start_matches('/');
                Some(format!("{} = true", escape_untrusted(pointer).replace('/', ".")))
            })
            .collect();
        if let Some(keys) = keys {
            return format!("`{name}` offers {it} with {} in the model's `with`", listed(keys));
        }
        let has = |(found, config): &Found<'_>| found.is_some_and(|(_, offer)| offers(offer, abilities, &config.value));
        let models = self.draft.models.iter().enumerate();
        let here: BTreeSet<&str> = models
            .filter(|(index, _)| self.services.model(*index).is_some_and(has))
            .map(|(_, model)| model.name.text.as_str())
            .collect();
        if !here.is_empty() {
            return format!("models of this pipeline that offer {it}: {}", listed(here));
        }
        let nothing = serde_json::Value::Null;
        let known: BTreeSet<&str> = registry
            .offers(Kind::Model)
            .filter(|(_, offer)| offers(offer, abilities, &nothing))
            .map(|(_, offer)| offer.descriptor.name.as_str())
            .collect();
        if known.is_empty() {
            return format!("no model that is known here offers {it}");
        }
        format!("known models that offer {it}: {}", listed(known))
    }
}

/// What an extension asks of a model, however it is configured.
fn asked(offer: &Offer) -> BTreeSet<Ability> {
    let asked = offer.descriptor.permissions.iter().filter_map(|asked| needs::ability(&asked.name)).collect();
    let conditional = &needs::conditional(&offer.descriptor.config) | &needs::conditional(&offer.descriptor.input);
    &asked - &conditional
}

/// The fields of a stage's input that a wire stands for.
fn given(stage: &StageDraft) -> impl Iterator<Item = &str> {
    let fields = match &stage.input {
        Some((_, Expr::Table(fields, _))) => &fields[..],
        _ => &[],
    };
    fields.iter().map(|(key, _)| key.text.as_str())
}

fn offers(offer: &Offer, abilities: &[Ability], config: &serde_json::Value) -> bool {
    let offered = Offers::from_schema(&offer.descriptor.input);
    abilities.iter().all(|ability| offered.has(*ability, config))
}

/// What asks for an ability.
fn permission(ability: Ability) -> Permission {
    if ability == Ability::Complete { Permission::Model } else { Permission::ModelAbility(ability) }
}

/// The models that a stage may call, where they are written.
fn models_of(stage: &StageDraft) -> impl Iterator<Item = &Spanned<String>> {
    stage.model.iter().chain(stage.route.iter().flat_map(|route| &route.models))
}

fn listed(names: impl IntoIterator<Item = impl std::fmt::Display>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

//! Whether models offer the abilities that stages ask of them.

use std::collections::BTreeSet;

use jackfield_plugin_api::{Ability, Kind, Offers};

use super::{checker::Checker, found::ServiceFound, needs};
use crate::{
    diagnostics::{Diagnostic, Spanned},
    parsed::{Expr, ParsedStage},
};
use jackfield_loader::{ExtensionEntry, Registry, escape_untrusted, sandbox::Permission};

impl Checker<'_> {
    /// A stage asks for something of its model by a permission (`model:capture`): each model that it may call has to offer it.
    pub(crate) fn check_abilities(&mut self, registry: &Registry) {
        let parsed = self.parsed;
        let mut diagnostics = Vec::new();
        for (index, (stage, found)) in parsed.stages.iter().zip(&self.extensions).enumerate() {
            let Some((_, entry)) = found else { continue };
            let needed = self.needed_abilities(index, stage, entry);
            let extension = &entry.descriptor.name;
            if models_of(stage).next().is_none()
                && let Some(ability) = needed.first()
            {
                let name = &stage.name.text;
                let message = format!(
                    "stage `{name}`: `{extension}` needs a model that offers `{ability}` as it is configured, and the stage \
                     has none"
                );
                let hint = "add `model = \"NAME\"` to the stage".to_owned();
                diagnostics.push(Diagnostic::at("missing-key", stage.name.span, message).hint(hint));
            }
            diagnostics.extend(services_not_asked_for(stage, entry));
            let asked: Vec<Ability> =
                asked_always(entry).into_iter().chain(needed).collect::<BTreeSet<_>>().into_iter().collect();
            for model in models_of(stage) {
                diagnostics.extend(self.missing_abilities(registry, extension, stage, model, &asked));
            }
        }
        self.diagnostics.extend(diagnostics);
    }

    /// What a stage needs of its model as it is configured, in whichever arm of its route or trial of the search, and with what
    /// it is given.
    fn needed_abilities(&self, index: usize, stage: &ParsedStage, entry: &ExtensionEntry) -> BTreeSet<Ability> {
        let schema = &entry.descriptor.config;
        let arms = self.routes.get(index).into_iter().flatten().flat_map(|route| route.arms()).map(|arm| &arm.config);
        let set_base_config = self.configs.get(index).map(|config| &config.value);
        let searched = self.search.iter().flat_map(|search| search.configs_of(index));
        let configs = arms.chain(searched).chain(set_base_config);
        let mut needed: BTreeSet<Ability> = configs.flat_map(|config| needs::needed(schema, config)).collect();
        needed.extend(input_fields(stage).filter_map(|field| needs::needed_with(&entry.descriptor.input, field)));
        needed
    }

    /// The diagnostic of a model that does not offer everything that a stage asks of it. A model that does not exist is reported
    /// elsewhere.
    fn missing_abilities(
        &self,
        registry: &Registry,
        extension: &str,
        stage: &ParsedStage,
        model: &Spanned<String>,
        asked: &[Ability],
    ) -> Option<Diagnostic> {
        let index = self.parsed.models.iter().position(|known| known.name.text == model.value)?;
        let service = self.services.model(index)?;
        let ((_, entry), config) = (service.extension?, &service.config);
        let lacking: Vec<Ability> =
            asked.iter().copied().filter(|ability| !offers_all(entry, &[*ability], &config.value)).collect();
        if lacking.is_empty() {
            return None;
        }
        let message = format!(
            "stage `{}`: `{extension}` asks for {}, which model `{}` (`{}`) does not offer",
            stage.name.text,
            in_backticks(lacking.iter().map(|ability| permission(*ability))),
            model.value,
            entry.descriptor.name,
        );
        Some(
            Diagnostic::at("model-lacks", model.span, message)
                .hint(self.where_it_is_offered(registry, entry, &lacking)),
        )
    }

    /// Where to find what a model lacks: in its own configuration, in another model of the pipeline, in another extension.
    fn where_it_is_offered(&self, registry: &Registry, lacking: &ExtensionEntry, abilities: &[Ability]) -> String {
        let what = if abilities.len() == 1 { "it" } else { "all of it" };
        let name = &lacking.descriptor.name;
        let offered = &lacking.descriptor.input["x-offers"];
        let keys: Option<BTreeSet<String>> = abilities
            .iter()
            .map(|ability| {
                let pointer = offered[ability.name()].as_str()?.trim_start_matches('/');
                Some(format!("{} = true", escape_untrusted(pointer).replace('/', ".")))
            })
            .collect();
        if let Some(keys) = keys {
            return format!("`{name}` offers {what} with {} in the model's `with`", in_backticks(keys));
        }
        let has = |service: &ServiceFound<'_>| {
            service.extension.is_some_and(|(_, entry)| offers_all(entry, abilities, &service.config.value))
        };
        let models = self.parsed.models.iter().enumerate();
        let here: BTreeSet<&str> = models
            .filter(|(index, _)| self.services.model(*index).is_some_and(has))
            .map(|(_, model)| model.name.text.as_str())
            .collect();
        if !here.is_empty() {
            return format!("models of this pipeline that offer {what}: {}", in_backticks(here));
        }
        let nothing = serde_json::Value::Null;
        let known: BTreeSet<&str> = registry
            .extensions(Kind::Model)
            .filter(|(_, entry)| offers_all(entry, abilities, &nothing))
            .map(|(_, entry)| entry.descriptor.name.as_str())
            .collect();
        if known.is_empty() {
            return format!("no model that is known here offers {what}");
        }
        format!("known models that offer {what}: {}", in_backticks(known))
    }
}

/// The diagnostics of a model or a cache that a stage gives to an extension which asks for none.
fn services_not_asked_for(stage: &ParsedStage, entry: &ExtensionEntry) -> Vec<Diagnostic> {
    let permissions: Vec<Permission> =
        entry.descriptor.permissions.iter().filter_map(|permission| permission.name.parse().ok()).collect();
    let conditional = [&entry.descriptor.config, &entry.descriptor.input].map(needs::conditional);
    let asks_for_model =
        permissions.iter().any(|asked| matches!(asked, Permission::Model | Permission::ModelAbility(_)))
            || conditional.iter().any(|abilities| !abilities.is_empty());
    let asks_for_cache = permissions.contains(&Permission::Cache);
    let (name, extension) = (&stage.name.text, &entry.descriptor.name);
    let unasked = |key: &str, given: &Spanned<String>, what: &str| {
        let message = format!("stage `{name}`: `{extension}` does not ask for {what}, so `{key}` would have no effect");
        Diagnostic::at("misplaced-key", given.span, message).hint(format!("remove `{key}` from the stage"))
    };
    // The arms of a route may have models of their own.
    let key = if stage.model.is_some() { "model" } else { "models" };
    let models = models_of(stage).filter(|_| !asks_for_model).take(1).map(|model| unasked(key, model, "a model"));
    let store = stage.store.iter().filter(|_| !asks_for_cache);
    let store = store.map(|cache| {
        unasked("store", cache, "a cache")
            .note("`cache` keeps the results of a stage; `store` is a cache for the extension itself")
    });
    models.chain(store).collect()
}

/// What an extension asks of a model, however it is configured.
fn asked_always(entry: &ExtensionEntry) -> BTreeSet<Ability> {
    let permissions = entry.descriptor.permissions.iter();
    let asked = permissions.filter_map(|permission| needs::ability(&permission.name)).collect();
    let conditional = &needs::conditional(&entry.descriptor.config) | &needs::conditional(&entry.descriptor.input);
    &asked - &conditional
}

/// The fields of a stage's input that wires give.
fn input_fields(stage: &ParsedStage) -> impl Iterator<Item = &str> {
    let fields = match &stage.input {
        Some((_, Expr::Table(fields, _))) => &fields[..],
        _ => &[],
    };
    fields.iter().map(|(key, _)| key.text.as_str())
}

fn offers_all(entry: &ExtensionEntry, abilities: &[Ability], config: &serde_json::Value) -> bool {
    let offered = Offers::from_schema(&entry.descriptor.input);
    abilities.iter().all(|ability| offered.has(*ability, config))
}

/// The permission that asks for an ability.
fn permission(ability: Ability) -> Permission {
    if ability == Ability::Complete { Permission::Model } else { Permission::ModelAbility(ability) }
}

/// The models that a stage may call, where they are written.
fn models_of(stage: &ParsedStage) -> impl Iterator<Item = &Spanned<String>> {
    stage.model.iter().chain(stage.route.iter().flat_map(|route| &route.models))
}

fn in_backticks(names: impl IntoIterator<Item = impl std::fmt::Display>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

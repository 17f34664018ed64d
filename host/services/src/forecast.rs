//! A forecast of what a run asks of its models: every request is counted, and answered by a made-up answer that fits it.
//!
//! No server of a model is asked. What the caches know is answered by them, and nothing is put there.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex},
};

use jackfield_loader::{Lookup, Registry};
use jackfield_pipeline::{Budget, CachePlan, Concurrency, ExtensionRef, ModelPlan, Plan, Rate};
use jackfield_plugin_api::{CompletionRequest, Context, Failure, Kind, sync::lock};
use serde_json::{Value, json};

use super::{Services, open::ServiceFault, open::open_services_with};

/// Tokens that an answer is taken to have at the most where nothing bounds it.
pub const MOST_OF_AN_ANSWER: u64 = 1000;

/// The most characters of a number in JSON.
const NUMBER_BYTES: u64 = 24;
/// A schema is not followed further down.
const DEEPEST: usize = 32;

/// Counts what is asked of the models of a run.
#[derive(Debug, Default)]
pub struct Forecaster {
    notes: Mutex<BTreeMap<ForecastPlace, ForecastNotes>>,
    /// Requests that were made before: their answers would be in the cache.
    seen: Mutex<BTreeSet<[u8; 32]>>,
}

/// On whose behalf a model is asked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ForecastPlace {
    /// Name of the stage.
    pub stage: Arc<str>,
    /// Name of the model.
    pub model: Arc<str>,
}

/// What a stage asks of a model.
#[derive(Clone, Debug, Default)]
pub struct ForecastNotes {
    /// By the id of the item; the empty one is that of the stages that run once a run, or over all items.
    pub items: HashMap<Arc<str>, ForecastCounts>,
    /// Whether some answer is bounded by nothing that is known.
    pub has_unbounded: bool,
}

/// What is asked for an item.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ForecastCounts {
    /// Requests that a model would be called for.
    pub calls: u64,
    /// Requests that a cache has the answer to, or would have it by then.
    pub cached: u64,
    /// Tokens of the requests that a model would be called for.
    pub tokens_in: u64,
    /// The fewest tokens that the answers have.
    pub least_out: u64,
    /// The most that they have.
    pub most_out: u64,
}

impl Forecaster {
    /// What was counted.
    #[must_use]
    pub fn notes(&self) -> BTreeMap<ForecastPlace, ForecastNotes> {
        lock(&self.notes).clone()
    }

    fn with_counts(&self, model: &Arc<str>, context: &Context, count: impl FnOnce(&mut ForecastCounts)) {
        let place = ForecastPlace { stage: Arc::clone(&context.stage), model: Arc::clone(model) };
        let mut notes = lock(&self.notes);
        count(notes.entry(place).or_default().items.entry(Arc::clone(&context.item)).or_default());
    }

    /// Counts a request that a cache has the answer to.
    pub(super) fn note_cached(&self, model: &Arc<str>, context: &Context) {
        self.with_counts(model, context, |counts| counts.cached += 1);
    }

    /// Whether a request is made for the first time.
    pub(super) fn is_new(&self, key: [u8; 32]) -> bool {
        lock(&self.seen).insert(key)
    }

    /// Counts a request that a model would be called for.
    pub(super) fn note_call(&self, model: &Arc<str>, context: &Context, request: &CompletionRequest, tokens_in: u64) {
        let bound = bound_of_answer(request);
        if bound.is_none() {
            let place = ForecastPlace { stage: Arc::clone(&context.stage), model: Arc::clone(model) };
            lock(&self.notes).entry(place).or_default().has_unbounded = true;
        }
        self.with_counts(model, context, |counts| {
            counts.calls += 1;
            counts.tokens_in += tokens_in;
            counts.least_out += u64::from(request.max_tokens != Some(0));
            counts.most_out += bound.unwrap_or(MOST_OF_AN_ANSWER);
        });
    }
}

/// The most tokens that the answer to a request has: what the request allows, or what its schema does. None without a bound.
fn bound_of_answer(request: &CompletionRequest) -> Option<u64> {
    let of_schema = request.schema.as_deref().and_then(|schema| most_bytes(schema, schema, DEEPEST));
    let of_request = request.max_tokens.map(u64::from);
    match (of_schema, of_request) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// The most bytes that a value of a schema has as JSON, without unneeded space: no fewer than it has tokens. None if nothing
/// bounds it.
fn most_bytes(schema: &Value, root: &Value, depth: usize) -> Option<u64> {
    let depth = depth.checked_sub(1)?;
    let of = |schema: &Value| most_bytes(schema, root, depth);
    let text = |value: &Value| value.to_string().len() as u64;
    if let Some(reference) = schema["$ref"].as_str() {
        return of(root.pointer(reference.strip_prefix('#')?)?);
    }
    if let Some(constant) = schema.get("const") {
        return Some(text(constant));
    }
    if let Some(values) = schema["enum"].as_array() {
        return values.iter().map(text).max();
    }
    for several in ["anyOf", "oneOf"] {
        if let Some(alternatives) = schema[several].as_array() {
            return alternatives.iter().map(of).try_fold(0, |most, one| Some(most.max(one?)));
        }
    }
    let of_type = |name: &str| match name {
        "boolean" | "null" => Some(5),
        "number" | "integer" => Some(NUMBER_BYTES),
        // A character takes up to four bytes, or two that escape it.
        "string" => Some(schema["maxLength"].as_u64()?.saturating_mul(4).saturating_add(2)),
        "array" => {
            let most = schema["maxItems"].as_u64()?;
            Some(of(schema.get("items")?)?.saturating_add(1).saturating_mul(most).saturating_add(2))
        }
        "object" if schema["additionalProperties"] == false => {
            let members = schema["properties"].as_object()?;
            members.iter().try_fold(2_u64, |sum, (name, member)| {
                Some(sum.saturating_add(name.len() as u64 + 4).saturating_add(of(member)?))
            })
        }
        _ => None,
    };
    match &schema["type"] {
        Value::String(name) => of_type(name),
        Value::Array(names) => {
            names.iter().map(|name| of_type(name.as_str()?)).try_fold(0, |most, one| Some(most.max(one?)))
        }
        _ => None,
    }
}

/// The services of a plan for a forecast: models that make answers up, caches that keep nothing, no server that can be reached by
/// plugins. With what counts the requests.
///
/// # Errors
/// Every service whose extension refuses its configuration; and if there is no bundled model to make answers up.
pub fn open_forecast(plan: &Plan, registry: &Registry) -> Result<(Services, Arc<Forecaster>), Vec<ServiceFault>> {
    let Lookup::Found(plugin, entry) = registry.find(Kind::Model, "bundled/mock") else {
        let failure = Failure::InvalidConfig("it needs the bundled model `mock`, which this program lacks".to_owned());
        return Err(vec![ServiceFault { service: "the forecast".to_owned(), failure }]);
    };
    let mock = ExtensionRef {
        plugin: plugin.alias.clone(),
        linkage: plugin.linkage,
        kind: Kind::Model,
        name: entry.descriptor.name.clone(),
        version: entry.descriptor.version.clone(),
        digest: plugin.digest.clone(),
    };
    let mut made_up = plan.clone();
    made_up.models = plan.models.iter().map(|model| made_up_model(model, &mock)).collect();
    made_up.caches.iter_mut().for_each(leave_missing_files_out);
    let forecaster = Arc::new(Forecaster::default());
    let services = open_services_with(&made_up, registry, Some((plan, &forecaster)))?;
    services.caches.iter().for_each(|cache| cache.keep_nothing());
    services.http.close();
    Ok((services, forecaster))
}

/// A model that makes answers up, in place of one of the plan.
fn made_up_model(model: &ModelPlan, mock: &ExtensionRef) -> ModelPlan {
    ModelPlan {
        extension: mock.clone(),
        config: json!({}),
        paths: BTreeMap::new(),
        local: false,
        concurrency: Concurrency { start: 64, max: 64 },
        rate: Rate::default(),
        budget: Budget::default(),
        attempts: 1,
        record: None,
        ..model.clone()
    }
}

/// A file that is not there knows nothing, and would be made.
fn leave_missing_files_out(cache: &mut CachePlan) {
    cache.tiers.retain(|tier| {
        let path = tier.config["path"].as_str().or_else(|| tier.config["path"]["path"].as_str());
        path.is_none_or(|path| std::path::Path::new(path).exists())
    });
}

#[cfg(test)]
mod tests {
    use jackfield_plugin_api::Message;

    use super::*;

    fn bound(max_tokens: Option<u32>, schema: Value) -> Option<u64> {
        let request = CompletionRequest { max_tokens, ..CompletionRequest::new(vec![Message::user("hello")]) };
        bound_of_answer(&if schema.is_null() { request } else { request.with_schema(schema) })
    }

    #[test]
    fn an_answer_is_bounded_by_what_the_request_or_its_schema_allows() {
        assert_eq!(bound(None, Value::Null), None);
        assert_eq!(bound(Some(50), Value::Null), Some(50));
        let kinds = json!({ "enum": ["a", "billing"] });
        assert_eq!(bound(Some(50), kinds.clone()), Some(9));
        let object =
            |properties: Value| json!({ "type": "object", "additionalProperties": false, "properties": properties });
        let small = object(json!({ "kind": { "$ref": "#/$defs/kind" }, "sure": { "type": ["boolean", "null"] } }));
        let mut small = small;
        small["$defs"] = json!({ "kind": kinds });
        assert_eq!(bound(None, small), Some("{\"kind\":\"billing\",\"sure\":false}".len() as u64 + 1));
        let list =
            |most: Value| json!({ "type": "array", "maxItems": most, "items": { "type": "string", "maxLength": 2 } });
        assert_eq!(bound(None, list(json!(3))), Some(2 + 3 * 11));
        assert_eq!(bound(None, list(Value::Null)), None);
        assert_eq!(bound(Some(7), list(Value::Null)), Some(7));
        assert_eq!(bound(None, object(json!({ "text": { "type": "string" } }))), None);
        assert_eq!(bound(None, json!({ "$ref": "#" })), None, "it refers to itself");
    }
}

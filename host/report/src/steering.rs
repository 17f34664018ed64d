//! The directions that a run found in a model, and what edits along them did. They are recognised by the form of the results,
//! not by the names of the stages.

use std::{collections::BTreeMap, sync::Arc};

use jackfield_pipeline::{InputExpr, Plan, Scope, Source, StagePlan, Step, Wire};
use jackfield_plugin_api::{Component, Directions, Edit, Kind, LayerDirection, TensorRef};
use jackfield_store::{Answer, Blobs, Db, NamedTensor, StoreError};
use serde_json::Value;

use super::{
    principal::{Plane, plane},
    trials::Trials,
};

/// The most trials that are shown, layers that are drawn, and prompts of a set that are read.
const TRIALS: usize = 3;
const LAYERS: usize = 12;
const PROMPTS: usize = 100;
/// The most prompts whose replies are shown.
const REPLIES: usize = 8;
/// A set of hidden states beyond this is not read, in bytes.
const LARGEST: u64 = 512 << 20;

/// Directions in a model, and edits along them.
#[derive(Default)]
pub(super) struct Steering {
    pub(super) found: Vec<Found>,
    pub(super) kernels: Vec<Kernel>,
    pub(super) replies: Vec<ReplyTable>,
}

/// The directions that a stage extracted.
pub(super) struct Found {
    /// Position of the stage in the plan.
    pub(super) stage: usize,
    /// Id of the item that they are of, where they differ from item to item.
    pub(super) item: Option<String>,
    pub(super) layers: Vec<LayerDirection>,
    /// The hidden states that they were extracted from, or why these are not there.
    pub(super) residuals: Result<Residuals, String>,
}

/// Hidden states of two sets of prompts.
pub(super) struct Residuals {
    pub(super) positive: u64,
    pub(super) negative: u64,
    /// Of layers, spread over the model: the points of the positive prompts come first.
    pub(super) planes: Vec<(usize, Plane)>,
    /// How many of the points are of positive prompts.
    pub(super) first: usize,
}

/// The weights by which edits act, by block.
pub(super) struct Kernel {
    pub(super) item: String,
    pub(super) components: Vec<(&'static str, Vec<f64>)>,
}

/// Replies to prompts, before and after.
pub(super) struct ReplyTable {
    /// Positions of the stages in the plan: the one without edits, the one under them.
    pub(super) stages: (usize, usize),
    /// Ids of the items whose edits the replies after are under.
    pub(super) items: Vec<String>,
    /// Prompt, reply before, replies after in the order of the items.
    pub(super) rows: Vec<(String, String, Vec<String>)>,
    /// How many prompts there are.
    pub(super) prompts: usize,
}

/// Results of the stages of the plan, where there are any.
type Results = Vec<Option<Value>>;

impl Steering {
    /// Reads what there is; nothing of a run without a direction extractor.
    ///
    /// # Errors
    /// If the record cannot be read.
    pub(super) fn read(plan: &Plan, db: &Db, trials: &Trials) -> Result<Self, StoreError> {
        let extracts = |stage: &StagePlan| stage.extension.kind == Kind::DirectionExtractor;
        if !plan.stages.iter().any(extracts) {
            return Ok(Self::default());
        }
        let of_run = results(plan, db, -1)?;
        let mut items: Vec<(String, Results)> = Vec::new();
        for (item, id) in chosen(plan, db, trials)? {
            let mut all = results(plan, db, item as i64)?;
            all.iter_mut().zip(&of_run).for_each(|(own, run)| *own = own.take().or_else(|| run.clone()));
            items.push((id, all));
        }
        let first = items.first().map_or(&of_run, |(_, results)| results);
        let mut steering = Self::default();
        let blobs = db.blobs()?;
        for (index, stage) in plan.stages.iter().enumerate().filter(|(_, stage)| extracts(stage)) {
            let Some(directions) = first[index].clone() else { continue };
            let Ok(Directions { layers, .. }) = serde_json::from_value(directions) else { continue };
            let item = (stage.scope == Scope::Item).then(|| items.first().map(|(id, _)| id.clone())).flatten();
            let residuals = residuals(stage, first, &layers, &blobs);
            steering.found.push(Found { stage: index, item, layers, residuals });
        }
        let blocks = steering.found.iter().map(|found| found.layers.len().saturating_sub(1)).max().unwrap_or_default();
        for (id, results) in &items {
            steering
                .kernels
                .extend(kernels(results, blocks).into_iter().map(|components| Kernel { item: id.clone(), components }));
        }
        steering.replies = reply_tables(plan, &of_run, &items);
        Ok(steering)
    }
}

/// The items that are shown. Of a search with one objective this is the best trial, of one with several these are some trials of the
/// Pareto front, spread from its one end to the other. Without a search it is the first item.
fn chosen(plan: &Plan, db: &Db, trials: &Trials) -> Result<Vec<(u64, String)>, StoreError> {
    if plan.search.is_none() {
        return Ok(db.first_items(1)?.into_iter().map(|item| (item.index, item.id)).collect());
    }
    let front = trials.pareto_front();
    let count = if trials.goals.len() > 1 { front.len().min(TRIALS) } else { front.len().min(1) };
    Ok(spread_indices(front.len(), count).map(|index| (front[index].item, front[index].id.clone())).collect())
}

/// So many of `length` indices, evenly spread from the first to the last. `count` is at most `length`.
fn spread_indices(length: usize, count: usize) -> impl Iterator<Item = usize> {
    (0..count).map(move |step| if count > 1 { step * (length - 1) / (count - 1) } else { 0 })
}

/// The results of an item, or of the run for -1: those of stages that make one call.
fn results(plan: &Plan, db: &Db, item: i64) -> Result<Results, StoreError> {
    let mut results: Results = plan.stages.iter().map(|_| None).collect();
    for row in db.results(item)? {
        let index = row.stage as usize;
        if let (Answer::Ok { json, .. }, Some(stage)) = (&row.answer, plan.stages.get(index))
            && !stage.is_list()
        {
            results[index] = serde_json::from_str(json).ok();
        }
    }
    Ok(results)
}

/// The value at the end of a wire, as far as it is on record.
fn value_of(wire: &Wire, results: &Results) -> Option<Value> {
    let Source::Stage(stage) = wire.source else { return None };
    follow(results.get(stage)?.as_ref()?, &wire.path)
}

fn follow(value: &Value, path: &[Step]) -> Option<Value> {
    let Some((step, rest)) = path.split_first() else { return Some(value.clone()) };
    match step {
        Step::Field(name) => follow(value.get(name)?, rest),
        Step::Index(index) => follow(value.get(index)?, rest),
        Step::All => Some(value.as_array()?.iter().filter_map(|value| follow(value, rest)).collect()),
    }
}

/// A field of what a stage reads, as far as it is on record.
fn field_of(input: &InputExpr, name: &str, results: &Results) -> Option<Value> {
    match input {
        InputExpr::Wire(wire) => value_of(wire, results)?.get(name).cloned(),
        InputExpr::Table(entries) => match &entries.iter().find(|entry| entry.key == name)?.value {
            InputExpr::Wire(wire) => value_of(wire, results),
            InputExpr::Constant(value) => Some(value.clone()),
            InputExpr::List(_) | InputExpr::Table(_) => None,
        },
        InputExpr::Constant(value) => value.get(name).cloned(),
        InputExpr::List(_) => None,
    }
}

/// The expression of a field of what a stage reads.
fn expr_of<'a>(input: &'a InputExpr, name: &str) -> Option<&'a InputExpr> {
    let InputExpr::Table(entries) = input else { return None };
    entries.iter().find(|entry| entry.key == name).map(|entry| &entry.value)
}

/// The hidden states that a stage read, as points.
fn residuals(
    stage: &StagePlan,
    results: &Results,
    layers: &[LayerDirection],
    blobs: &Arc<Blobs>,
) -> Result<Residuals, String> {
    let set = |name: &str| {
        let tensor = field_of(&stage.input, name, results).and_then(|value| serde_json::from_value(value).ok());
        let tensor: TensorRef = tensor.ok_or("the hidden states that it read are not on record")?;
        let named = NamedTensor::of(&tensor)?;
        if named.bytes() > LARGEST {
            return Err("the hidden states are too large to draw".to_owned());
        }
        let shape = tensor.dimensions::<3>().map_err(|failure| failure.message().to_owned())?;
        let elements = blobs.open(named).map_err(|error| format!("the hidden states cannot be read: {error}"))?;
        Ok((shape, elements))
    };
    let ((positive, first), (negative, second)) = (set("positive")?, set("negative")?);
    let [_, depth, width] = positive;
    if negative[1..] != positive[1..] || depth == 0 || width == 0 {
        return Err("the hidden states of the two sets have different shapes".to_owned());
    }
    let vector = |elements: &[f32], prompt: usize, layer: usize| -> Vec<f64> {
        let begin = (prompt * depth as usize + layer) * width as usize;
        elements[begin..begin + width as usize].iter().map(|value| f64::from(*value)).collect()
    };
    let of_each = |count: u64| usize::try_from(count).unwrap_or(usize::MAX).min(PROMPTS);
    let counts = (of_each(positive[0]), of_each(negative[0]));
    let usable = |layer: &usize| layers.get(*layer).is_none_or(|layer| !layer.degenerate);
    let drawn: Vec<usize> = (0..depth as usize).filter(usable).collect();
    let count = drawn.len().min(LAYERS);
    let planes = spread_indices(drawn.len(), count).filter_map(|index| {
        let layer = drawn[index];
        let vectors = (0..counts.0).map(|prompt| vector(&first, prompt, layer));
        let vectors: Vec<Vec<f64>> =
            vectors.chain((0..counts.1).map(|prompt| vector(&second, prompt, layer))).collect();
        let mut plane = plane(&vectors)?;
        // To the right are the positive prompts, whichever way the component points.
        let mean = plane.points[..counts.0].iter().map(|point| point.0).sum::<f64>();
        if mean < 0.0 {
            plane.points.iter_mut().for_each(|point| point.0 = -point.0);
        }
        Some((layer, plane))
    });
    Ok(Residuals { positive: positive[0], negative: negative[0], planes: planes.collect(), first: counts.0 })
}

/// The weights of edits by component and block: of each result that holds edits, once.
fn kernels(results: &Results, blocks: usize) -> Vec<Vec<(&'static str, Vec<f64>)>> {
    let mut found: Vec<Vec<(&'static str, Vec<f64>)>> = Vec::new();
    for result in results.iter().flatten() {
        let Some(edits) = result.get("edits").filter(|edits| edits.is_array()) else { continue };
        let Ok(edits) = serde_json::from_value::<Vec<Edit>>(edits.clone()) else { continue };
        let blocks = edits.iter().map(|edit| edit.layer as usize + 1).max().unwrap_or_default().max(blocks);
        // A damaged record must not use up the memory.
        if edits.is_empty() || blocks > 4_096 {
            continue;
        }
        let mut weights: BTreeMap<&'static str, Vec<f64>> = BTreeMap::new();
        for edit in &edits {
            let name = match edit.component {
                Component::AttentionOutput => "attention",
                Component::MlpDown => "MLP",
            };
            weights.entry(name).or_insert_with(|| vec![0.0; blocks])[edit.layer as usize] += edit.weight;
        }
        let weights: Vec<(&'static str, Vec<f64>)> = weights.into_iter().rev().collect();
        if !found.contains(&weights) {
            found.push(weights);
        }
    }
    found
}

/// The texts of replies, if that is what a result holds.
fn texts(result: &Value) -> Option<Vec<&str>> {
    let replies = result.get("replies")?.as_array().filter(|replies| !replies.is_empty())?;
    replies.iter().map(|reply| reply.get("text")?.as_str()).collect()
}

/// Replies under edits beside those to the same prompts without.
fn reply_tables(plan: &Plan, of_run: &Results, items: &[(String, Results)]) -> Vec<ReplyTable> {
    let Some((_, first)) = items.first() else { return Vec::new() };
    let mut tables = Vec::new();
    for (after, stage) in plan.stages.iter().enumerate() {
        let Some(prompts) = expr_of(&stage.input, "prompts").filter(|_| expr_of(&stage.input, "edits").is_some())
        else {
            continue;
        };
        let is_before = |(index, other): &(usize, &StagePlan)| {
            let same = expr_of(&other.input, "prompts") == Some(prompts) && expr_of(&other.input, "edits").is_none();
            same && first[*index].as_ref().and_then(texts).is_some()
        };
        let Some((before, _)) = plan.stages.iter().enumerate().find(is_before) else { continue };
        let replies_after: Vec<(&String, Vec<&str>)> = items
            .iter()
            .filter_map(|(id, results)| Some((id, results[after].as_ref().and_then(texts)?)))
            // A stage may ask for distributions alone.
            .filter(|(_, texts)| texts.iter().any(|text| !text.is_empty()))
            .collect();
        let Some(replies) = first[before].as_ref().and_then(texts).filter(|_| !replies_after.is_empty()) else {
            continue;
        };
        let prompts = field_of(&stage.input, "prompts", first).or_else(|| field_of(&stage.input, "prompts", of_run));
        let prompts = prompts.as_ref().and_then(Value::as_array);
        let row = |(index, before): (usize, &&str)| {
            let prompt = prompts.and_then(|prompts| prompts.get(index)).map(prompt_text);
            let after =
                replies_after.iter().map(|(_, texts)| texts.get(index).map_or_else(String::new, ToString::to_string));
            (prompt.unwrap_or_else(|| format!("prompt {}", index + 1)), (*before).to_owned(), after.collect())
        };
        tables.push(ReplyTable {
            stages: (before, after),
            items: replies_after.iter().map(|(id, _)| (*id).clone()).collect(),
            prompts: replies.len(),
            rows: replies.iter().enumerate().take(REPLIES).map(row).collect(),
        });
    }
    tables
}

/// What the user says: a text, or the last message of a conversation.
fn prompt_text(prompt: &Value) -> String {
    let last = prompt.as_array().and_then(|messages| messages.last()).and_then(|message| message.get("content"));
    last.unwrap_or(prompt).as_str().map_or_else(|| prompt.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn weights_of_edits_are_listed_by_component_and_block_once() {
        let direction = json!({ "$tensor": "00".repeat(32), "shape": [3, 2], "dtype": "f32" });
        let edit = |component: &str, layer: u32, weight: f64| json!({ "component": component, "layer": layer, "direction": direction, "row": 1, "weight": weight });
        let edits = json!({ "edits": [
            edit("attention-output", 0, 0.5), edit("mlp-down", 1, 0.25), edit("attention-output", 1, 1.0),
        ] });
        let results = vec![Some(edits.clone()), None, Some(json!({ "edits": "none" })), Some(edits)];
        let found = kernels(&results, 3);
        assert_eq!(found, [vec![("attention", vec![0.5, 1.0, 0.0]), ("MLP", vec![0.0, 0.25, 0.0])]]);
        let far = vec![Some(json!({ "edits": [edit("mlp-down", u32::MAX, 1.0)] }))];
        assert!(kernels(&far, 0).is_empty());
    }

    #[test]
    fn texts_are_those_of_a_list_of_replies_and_of_nothing_else() {
        assert_eq!(texts(&json!({ "replies": [{ "text": "Dear" }, { "text": "" }] })), Some(vec!["Dear", ""]));
        for other in [json!({ "replies": [] }), json!({ "replies": [{ "rating": 1 }] }), json!([1]), json!(null)] {
            assert_eq!(texts(&other), None, "{other}");
        }
        assert_eq!(
            prompt_text(&json!([{ "role": "system", "content": "a" }, { "role": "user", "content": "b" }])),
            "b"
        );
        assert_eq!(prompt_text(&json!("c")), "c");
    }
}

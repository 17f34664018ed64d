//! Whether a completion request makes sense, which abilities it needs, and the seed that belongs to it.

use std::collections::BTreeSet;

use jackfield_plugin_api::{
    Ability, Capture, CompletionRequest, Edit, Failure, LogProbs, LogProbsOn, Result, element_count,
};
use serde_json::json;
use sha2::{Digest as _, Sha256};

/// The most tokens that may be listed at a position.
const MOST_TOP: u32 = 1000;
/// The most tokens of its own that a model may be asked about.
const MOST_FIRST: u32 = 1 << 16;

/// The abilities that a request needs, beyond completing.
pub fn abilities(request: &CompletionRequest) -> impl Iterator<Item = Ability> {
    [
        (request.capture.is_some(), Ability::Capture),
        (!request.edits.is_empty(), Ability::Edits),
        (request.logprobs.is_some(), Ability::LogProbs),
        (request.tokenize, Ability::Tokenize),
        (request.embed, Ability::Embed),
    ]
    .into_iter()
    .filter_map(|(is_needed, ability)| is_needed.then_some(ability))
}

/// The reply that a model is to read as if it were its own.
pub(super) fn reply_of(request: &CompletionRequest) -> Option<&str> {
    match request.logprobs.as_ref().map(|logprobs| &logprobs.on) {
        Some(LogProbsOn::Reply(reply)) => Some(reply),
        _ => None,
    }
}

/// Whether a request makes sense, whatever the model.
///
/// # Errors
/// [`Failure::InvalidInput`] with the field that does not.
pub(super) fn check(request: &CompletionRequest) -> Result<()> {
    if request.messages.is_empty() {
        return Err(Failure::InvalidInput("a completion request without messages".to_owned()));
    }
    if request.temperature.is_some_and(|temperature| !temperature.is_finite()) {
        return invalid("temperature", "it is not a finite number");
    }
    request.capture.as_ref().map_or(Ok(()), check_capture)?;
    for (index, edit) in request.edits.iter().enumerate() {
        check_edit(&format!("edits[{index}]"), edit)?;
    }
    request.logprobs.as_ref().map_or(Ok(()), check_logprobs)?;
    if request.max_tokens == Some(0) {
        if request.schema.is_some() && request.validate {
            return invalid("max_tokens", "with 0 there is no answer that could be held to `schema`");
        }
        let asks_for_more =
            request.capture.is_some() || request.logprobs.is_some() || request.tokenize || request.embed;
        if !asks_for_more {
            return invalid(
                "max_tokens",
                "0 takes something else to answer: `capture`, `logprobs`, `tokenize` or `embed`",
            );
        }
    }
    Ok(())
}

fn check_capture(capture: &Capture) -> Result<()> {
    if let Some(layers) = &capture.layers {
        check_list("capture.layers", layers, "all of them")?;
    }
    if let Some(positions) = &capture.positions {
        check_list("capture.positions", positions, "the last alone")?;
    }
    Ok(())
}

/// A list has something in it, and nothing twice.
fn check_list<T: Ord + std::fmt::Display>(field: &str, list: &[T], default: &str) -> Result<()> {
    if list.is_empty() {
        return invalid(field, &format!("it is empty: leave it out for {default}"));
    }
    let mut seen = BTreeSet::new();
    match list.iter().find(|entry| !seen.insert(*entry)) {
        Some(twice) => invalid(field, &format!("{twice} is there twice")),
        None => Ok(()),
    }
}

fn check_edit(field: &str, edit: &Edit) -> Result<()> {
    if !edit.weight.is_finite() {
        return invalid(&format!("{field}.weight"), "it is not a finite number");
    }
    let shape = &edit.direction.shape;
    let rows = match shape.as_slice() {
        [_] => 1,
        [rows, _] => *rows,
        _ => {
            let what = format!("a tensor of shape [d] or [rows, d] is wanted, and its shape is {shape:?}");
            return invalid(&format!("{field}.direction"), &what);
        }
    };
    if element_count(shape).is_none_or(|elements| elements == 0) {
        return invalid(&format!("{field}.direction"), &format!("a tensor of shape {shape:?} holds no direction"));
    }
    if u64::from(edit.row) >= rows {
        let what = format!("there is no row {}: the tensor has {rows}, counted from 0", edit.row);
        return invalid(&format!("{field}.row"), &what);
    }
    Ok(())
}

fn check_logprobs(logprobs: &LogProbs) -> Result<()> {
    if logprobs.top > MOST_TOP {
        let what = format!("{} is more than {MOST_TOP}: ask for `distribution` instead", logprobs.top);
        return invalid("logprobs.top", &what);
    }
    match &logprobs.on {
        LogProbsOn::First(0) => invalid("logprobs.on", "`first` is 0, so that it is about no token"),
        LogProbsOn::First(first) if *first > MOST_FIRST => {
            invalid("logprobs.on", &format!("`first` is {first}, more than {MOST_FIRST}"))
        }
        LogProbsOn::Reply(reply) if reply.is_empty() => invalid("logprobs.on", "`reply` is empty"),
        LogProbsOn::First(_) | LogProbsOn::Reply(_) => Ok(()),
    }
}

fn invalid(field: &str, what: &str) -> Result<()> {
    Err(Failure::InvalidInput(format!("`{field}` of the completion request: {what}")))
}

/// The seed that a model draws from for a request: derived from what is asked, the number of the replicate and the seed in
/// it included; neither from who asks nor from the model. What only looks, or cuts an answer short, changes nothing in it,
/// and neither does an edit of weight 0: so the answer to a request is the same whether or not somebody looks.
pub(super) fn seed(request: &CompletionRequest) -> u64 {
    let edits: Vec<&Edit> = request.edits.iter().filter(|edit| edit.weight != 0.0).collect();
    let relevant = json!([
        "completion",
        request.messages,
        request.schema,
        request.temperature,
        request.seed,
        request.replicate,
        edits,
    ]);
    let digest = Sha256::digest(relevant.to_string());
    u64::from_be_bytes(std::array::from_fn(|index| digest[index]))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jackfield_plugin_api::{Component, ElementType, Message, RowNormalization, TensorRef};

    use super::*;

    fn base() -> CompletionRequest {
        CompletionRequest::new(vec![Message::user("hello")])
    }

    fn edit(shape: &[u64], row: u32, weight: f64) -> Edit {
        let direction = TensorRef { sha256: "0".repeat(64), shape: shape.to_vec(), dtype: ElementType::F32 };
        let component = Component::MlpDown;
        Edit { component, layer: 0, direction, row, weight, row_normalization: RowNormalization::None }
    }

    fn refusal(request: &CompletionRequest) -> String {
        let Err(Failure::InvalidInput(message)) = check(request) else { panic!("{request:?}") };
        message
    }

    #[test]
    fn what_makes_no_sense_is_reported_by_its_field() {
        let captures = |layers: Option<&[u32]>, positions: Option<&[i64]>| CompletionRequest {
            capture: Some(Capture { layers: layers.map(<[_]>::to_vec), positions: positions.map(<[_]>::to_vec) }),
            ..base()
        };
        let edited = |second| CompletionRequest { edits: vec![edit(&[4], 0, 1.0), second], ..base() };
        let logged = |top, on| CompletionRequest { logprobs: Some(LogProbs { top, distribution: true, on }), ..base() };
        let none = CompletionRequest { max_tokens: Some(0), ..base() };
        for (request, field, why) in [
            (captures(Some(&[]), None), "capture.layers", "empty: leave it out for all of them"),
            (captures(Some(&[3, 1, 3]), None), "capture.layers", "3 is there twice"),
            (captures(None, Some(&[])), "capture.positions", "leave it out for the last alone"),
            (captures(None, Some(&[-1, -1])), "capture.positions", "-1 is there twice"),
            (edited(edit(&[4], 0, f64::NAN)), "edits[1].weight", "finite"),
            (edited(edit(&[], 0, 1.0)), "edits[1].direction", "its shape is []"),
            (edited(edit(&[2, 2, 4], 0, 1.0)), "edits[1].direction", "its shape is [2, 2, 4]"),
            (edited(edit(&[0, 4], 0, 1.0)), "edits[1].direction", "holds no direction"),
            (edited(edit(&[4], 1, 1.0)), "edits[1].row", "no row 1: the tensor has 1"),
            (edited(edit(&[3, 4], 3, 1.0)), "edits[1].row", "no row 3: the tensor has 3"),
            (logged(1001, LogProbsOn::First(1)), "logprobs.top", "more than 1000"),
            (logged(0, LogProbsOn::First(0)), "logprobs.on", "no token"),
            (logged(0, LogProbsOn::First(1 << 20)), "logprobs.on", "more than 65536"),
            (logged(0, LogProbsOn::Reply(String::new())), "logprobs.on", "`reply` is empty"),
            (none.clone(), "max_tokens", "`capture`, `logprobs`, `tokenize` or `embed`"),
            (CompletionRequest { edits: vec![edit(&[4], 0, 1.0)], ..none.clone() }, "max_tokens", "`capture`"),
            (CompletionRequest { embed: true, ..none.clone() }.with_schema(json!({})), "max_tokens", "`schema`"),
            (CompletionRequest { temperature: Some(f64::INFINITY), ..base() }, "temperature", "finite"),
        ] {
            let message = refusal(&request);
            assert!(
                message.starts_with(&format!("`{field}` of the completion request: ")) && message.contains(why),
                "{message}"
            );
        }
        assert_eq!(refusal(&CompletionRequest::new(Vec::new())), "a completion request without messages");
    }

    #[test]
    fn what_makes_sense_is_let_through_and_takes_what_it_takes() {
        let looked = CompletionRequest {
            max_tokens: Some(0),
            capture: Some(Capture { layers: Some(vec![4, 0]), positions: Some(vec![0, -1]) }),
            edits: vec![edit(&[3, 4], 2, -0.5), edit(&[4], 0, 0.0)],
            logprobs: Some(LogProbs { top: 1000, distribution: false, on: LogProbsOn::Reply("x".to_owned()) }),
            tokenize: true,
            embed: true,
            ..base()
        };
        assert_eq!(check(&looked), Ok(()));
        let all = [Ability::Capture, Ability::Edits, Ability::LogProbs, Ability::Tokenize, Ability::Embed];
        assert_eq!(abilities(&looked).collect::<Vec<_>>(), all);
        assert_eq!((check(&base()), abilities(&base()).count()), (Ok(()), 0));
    }

    #[test]
    fn a_seed_depends_on_what_is_asked_and_not_on_who_looks() {
        let seeds = [
            base(),
            CompletionRequest { messages: vec![Message::system("hello")], ..base() },
            CompletionRequest { schema: Some(Arc::new(json!({}))), ..base() },
            CompletionRequest { temperature: Some(1.0), ..base() },
            CompletionRequest { seed: Some(1), ..base() },
            CompletionRequest { replicate: 1, ..base() },
            CompletionRequest { edits: vec![edit(&[4], 0, 1.0)], ..base() },
            CompletionRequest { edits: vec![edit(&[4], 0, 0.5)], ..base() },
        ];
        let seeds: BTreeSet<u64> = seeds.iter().map(seed).collect();
        assert_eq!(seeds.len(), 8);
        for same in [
            CompletionRequest {
                validate: false,
                cached: false,
                max_tokens: Some(9),
                stop: vec!["x".to_owned()],
                ..base()
            },
            CompletionRequest { capture: Some(Capture::default()), tokenize: true, embed: true, ..base() },
            CompletionRequest { edits: vec![edit(&[4], 0, 0.0)], ..base() },
        ] {
            assert_eq!(seed(&same), seed(&base()), "{same:?}");
        }
    }
}

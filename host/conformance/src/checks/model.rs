//! Models.

use jackfield_plugin_api::{
    Ability, Capture, Completion, CompletionRequest, Component, Document, Edit, Failure, FailureKind, LogProbs,
    LogProbsOn, Message, Offers, Result, RowNormalization, TensorRef,
};
use serde_json::{Value, json};

use super::determinism::says_so;
use crate::{
    Finding, Outcome,
    extension_under_test::{ExtensionUnderTest, excerpt, is_internal, short},
    host::Script,
    inputs::Sample,
    schema::Schema,
};

/// One request, in the first configuration that opens.
fn ask(extension: &ExtensionUnderTest<'_>, request: &CompletionRequest) -> Result<Result<Completion>, Finding> {
    ask_as(extension, 5000, request)
}

/// The same, on behalf of the item of this number.
fn ask_as(
    extension: &ExtensionUnderTest<'_>,
    number: u64,
    request: &CompletionRequest,
) -> Result<Result<Completion>, Finding> {
    let value = serde_json::to_value(request).unwrap_or_default();
    let mut batch = extension.requests(&[Sample::new(number, &value)]);
    for request in &mut batch {
        // Whoever asks: what is drawn does not depend on it.
        request.context.stage = format!("stage-{number}").into();
        request.context.replicate = (number % 7) as u32;
    }
    let mut results: Vec<Result<Document>> = match extension.setups.first() {
        Some(setup) => {
            let host = extension.host(Script::default(), &batch);
            extension.call_runner.call(&setup.instance, batch, host)
        }
        None => vec![Err(Failure::Unavailable("it does not open".to_owned()))],
    };
    let result = results.swap_remove(0);
    if is_internal(&result) {
        return Err(Finding::new(
            "a completion, or a failure that says why there is none",
            result.err().map_or_else(String::new, |failure| short(&failure)),
            "answer `unavailable` if the server is unreachable, `invalid-config` if it refuses the key",
        ));
    }
    Ok(match result {
        Err(failure) => Err(failure),
        Ok(document) => Ok(serde_json::from_str(&document.json).map_err(|error| {
            Finding::new(
                "a `Completion`: `text`, `finish`, `usage`, `model`",
                format!("{}: {error}", excerpt(&document.json)),
                "answer what the contract calls a `Completion`",
            )
        })?),
    })
}

fn plain() -> CompletionRequest {
    CompletionRequest::new(vec![
        Message::system("Answer in one sentence."),
        Message::user("[s1] Ann: the train leaves at nine, so let us meet at half past eight."),
    ])
}

/// Why a model does not answer here, for those that need a server or a key.
fn unanswered(failure: &Failure) -> Outcome {
    let graceful = !matches!(failure.kind(), FailureKind::Internal);
    let reason = format!("it does not answer here ({}): give --config with a server that does", short(failure));
    if graceful {
        Outcome::not_applicable(reason)
    } else {
        Outcome::from_findings(vec![Finding::new("an answer", reason, "")])
    }
}

pub(crate) fn answers(extension: &ExtensionUnderTest<'_>) -> Outcome {
    let request = plain();
    let completion = match ask(extension, &request) {
        Err(finding) => return Outcome::from_findings(vec![finding]),
        Ok(Err(failure)) => return unanswered(&failure),
        Ok(Ok(completion)) => completion,
    };
    let mut findings = Vec::new();
    if completion.text.is_empty() {
        findings.push(Finding::new("a text", "an empty one", "answer the model's text in `text`"));
    }
    if completion.cached || completion.usd != 0.0 {
        findings.push(Finding::new(
            "`cached` and `usd` left to the host",
            format!("cached {}, usd {}", completion.cached, completion.usd),
            "leave both out: the host knows its caches and prices",
        ));
    }
    if let Some(usage) = completion.usage {
        let read: usize = request.messages.iter().map(|message| message.content.len()).sum();
        // No tokenizer makes more tokens than bytes, save for some around each message.
        let most = |bytes: usize| bytes as u64 + 256;
        let sane = (1..=most(read)).contains(&usage.input) && usage.output <= most(completion.text.len());
        if !sane {
            findings.push(Finding::new(
                "counts of tokens that fit the texts, or none",
                format!(
                    "{} read and {} written, for {read} and {} bytes",
                    usage.input,
                    usage.output,
                    completion.text.len()
                ),
                "hand on the server's counts; leave `usage` out where it gives none",
            ));
        }
    }
    Outcome::from_findings(findings)
}

pub(crate) fn schema(extension: &ExtensionUnderTest<'_>) -> Outcome {
    let schema = json!({
        "type": "object", "additionalProperties": false, "required": ["quote", "time", "sure"],
        "properties": {
            "quote": { "type": "string" },
            "time": { "enum": ["morning", "evening"] },
            "sure": { "type": "boolean" },
        },
    });
    let completion = match ask(extension, &plain().with_schema(schema.clone())) {
        Err(finding) => return Outcome::from_findings(vec![finding]),
        Ok(Err(failure)) => return unanswered(&failure),
        Ok(Ok(completion)) => completion,
    };
    let seen = match serde_json::from_str::<Value>(&completion.text) {
        Err(error) => format!("{}: {error}", excerpt(&completion.text)),
        Ok(value) => match Schema::new(schema).fault(&value) {
            Some(fault) => format!("{}: {fault}", excerpt(&completion.text)),
            None => return Outcome::passed(),
        },
    };
    Outcome::from_findings(vec![Finding::new(
        "JSON that fits the schema of the request",
        seen,
        "hand `schema` on to the server; the host sends an answer back once that breaks it",
    )])
}

pub(crate) fn options(extension: &ExtensionUnderTest<'_>) -> Outcome {
    let base = match ask(extension, &plain()) {
        Err(finding) => return Outcome::from_findings(vec![finding]),
        Ok(Err(failure)) => return unanswered(&failure),
        Ok(Ok(completion)) => completion,
    };
    let stop = base.text.split_whitespace().nth(1).unwrap_or("the").to_owned();
    let variants = [
        ("stop", CompletionRequest { stop: vec![stop.clone()], ..plain() }),
        ("max_tokens", CompletionRequest { max_tokens: Some(1), ..plain() }),
        ("temperature", CompletionRequest { temperature: Some(0.0), ..plain() }),
        ("temperature", CompletionRequest { temperature: Some(2.0), ..plain() }),
        ("seed", CompletionRequest { seed: Some(u64::MAX), ..plain() }),
        ("replicate", CompletionRequest { replicate: 1, ..plain() }),
        ("replicate", CompletionRequest { replicate: u32::MAX, seed: Some(7), ..plain() }),
    ];
    let (mut failed, mut ignored) = (Vec::new(), Vec::new());
    for (name, request) in variants {
        let completion = match ask(extension, &request) {
            Err(finding) => {
                failed.push(Finding { seen: format!("{}, with `{name}`", finding.seen), ..finding });
                continue;
            }
            Ok(Err(failure)) => {
                failed.push(Finding::new(
                    "an answer, as without it",
                    format!("{}, with `{name}`", short(&failure)),
                    "leave out on the way to the server what it does not know",
                ));
                continue;
            }
            Ok(Ok(completion)) => completion,
        };
        let kept = match name {
            "stop" => !completion.text.contains(&stop),
            // A token is seldom more than a word.
            "max_tokens" => completion.text.split_whitespace().count() <= 4,
            _ => true,
        };
        if !kept {
            ignored.push(Finding::new(
                format!("an answer that `{name}` ends"),
                excerpt(&completion.text),
                format!("hand `{name}` on to the server, or keep to it"),
            ));
        }
    }
    // Servers differ in what they keep to; that nothing breaks is the promise.
    if failed.is_empty() { Outcome::warning(ignored) } else { Outcome::from_findings(failed) }
}

/// Whether the model offers something, as it is configured in the first configuration that opens.
fn offers(extension: &ExtensionUnderTest<'_>, ability: Ability) -> bool {
    let config = extension.setups.first().and_then(|setup| serde_json::from_str::<Value>(&setup.config).ok());
    Offers::from_schema(&extension.descriptor().input).has(ability, &config.unwrap_or_default())
}

/// A request for something that a model may offer.
struct Wanted {
    ability: Ability,
    request: CompletionRequest,
    /// What is wrong with the answer.
    fault: fn(&ExtensionUnderTest<'_>, &Completion) -> Option<String>,
}

/// What can be asked beyond an answer. Edits are not among it: they take a direction of the model's own width.
fn wanted() -> Vec<Wanted> {
    let ask = |ability, request, fault| Wanted { ability, request, fault };
    let capture = |layers, positions| CompletionRequest {
        capture: Some(Capture { layers, positions }),
        max_tokens: Some(0),
        ..plain()
    };
    let logprobs = |top, distribution, on| CompletionRequest {
        logprobs: Some(LogProbs { top, distribution, on }),
        max_tokens: Some(2),
        ..plain()
    };
    let reply = || LogProbsOn::Reply(" At nine.".to_owned());
    vec![
        ask(Ability::Capture, capture(None, None), |extension, answer| captured(extension, answer, None)),
        ask(Ability::Capture, capture(Some(vec![0]), Some(vec![0, -1])), |extension, answer| {
            captured(extension, answer, Some([2, 1]))
        }),
        ask(Ability::LogProbs, logprobs(3, false, LogProbsOn::First(2)), likely),
        ask(Ability::LogProbs, logprobs(0, true, reply()), likely),
        ask(Ability::Tokenize, CompletionRequest { tokenize: true, ..plain() }, |_, answer| match &answer.tokens {
            Some(tokens) if !tokens.is_empty() => None,
            Some(_) => Some("no tokens".to_owned()),
            None => Some("no `tokens`".to_owned()),
        }),
        ask(Ability::Embed, CompletionRequest { embed: true, ..plain() }, |extension, answer| {
            let Some(embedding) = &answer.embedding else { return Some("no `embedding`".to_owned()) };
            tensor_fault(extension, "embedding", embedding, 1)
        }),
    ]
}

/// What is wrong with a tensor of an answer: it is not held, has other dimensions, or numbers that are none.
fn tensor_fault(
    extension: &ExtensionUnderTest<'_>,
    name: &str,
    tensor: &TensorRef,
    dimensions: usize,
) -> Option<String> {
    let shape = &tensor.shape;
    if shape.len() != dimensions || shape.contains(&0) {
        return Some(format!("`{name}` of shape {shape:?}"));
    }
    let Some(elements) = extension.shared.tensors.elements(tensor) else {
        return Some(format!("no tensor {} for `{name}`", tensor.sha256));
    };
    elements.iter().any(|element| element.is_nan()).then(|| format!("NaN in `{name}`"))
}

/// What is wrong with hidden states, for so many positions and layers where that is known.
fn captured(extension: &ExtensionUnderTest<'_>, answer: &Completion, wanted: Option<[usize; 2]>) -> Option<String> {
    let Some(captured) = &answer.captured else { return Some("no `captured`".to_owned()) };
    let shape = &captured.hidden_states.shape;
    let listed = [captured.positions.len(), captured.layers.len()];
    let fits = shape.len() == 3 && [shape[0], shape[1]] == listed.map(|count| count as u64);
    if !fits || wanted.is_some_and(|wanted| wanted != listed) {
        let [positions, layers] = listed;
        return Some(format!("hidden states of shape {shape:?} with {positions} positions and {layers} layers"));
    }
    tensor_fault(extension, "hidden_states", &captured.hidden_states, 3)
}

/// What is wrong with log-probabilities.
fn likely(extension: &ExtensionUnderTest<'_>, answer: &Completion) -> Option<String> {
    let Some(logprobs) = &answer.logprobs else { return Some("no `logprobs`".to_owned()) };
    if logprobs.tokens.is_empty() {
        return Some("log-probabilities of no token".to_owned());
    }
    let all = logprobs
        .tokens
        .iter()
        .flat_map(|token| token.logprob.into_iter().chain(token.top.iter().map(|likely| likely.logprob)));
    let above = |logprob: &f64| logprob.is_nan() || *logprob > 1e-6;
    if let Some(logprob) = all.into_iter().find(above) {
        return Some(format!("a log-probability of {logprob}"));
    }
    let distribution = logprobs.distribution.as_ref()?;
    if distribution.shape.first() != Some(&(logprobs.tokens.len() as u64)) {
        let (shape, count) = (&distribution.shape, logprobs.tokens.len());
        return Some(format!("a `distribution` of shape {shape:?} for {count} tokens"));
    }
    tensor_fault(extension, "distribution", distribution, 2)
}

pub(crate) fn offered(extension: &ExtensionUnderTest<'_>) -> Outcome {
    let (mut wrong, mut ignored, mut width) = (Vec::new(), Vec::new(), None);
    for Wanted { ability, request, fault } in wanted() {
        let answer = match ask(extension, &request) {
            Err(finding) => return Outcome::from_findings(vec![finding]),
            Ok(Err(failure)) if is_refusal(&failure) => Err(failure),
            Ok(Err(failure)) => return unanswered(&failure),
            Ok(Ok(completion)) => Ok(completion),
        };
        match (offers(extension, ability), answer) {
            (true, Ok(answer)) => {
                width = width.or_else(|| Some(*answer.captured.as_ref()?.hidden_states.shape.last()?));
                wrong.extend(fault(extension, &answer).map(|fault| {
                    let expected = format!("what `{ability}` is about: the model offers it");
                    Finding::new(expected, fault, format!("answer what was asked for, or do not offer `{ability}`"))
                }));
            }
            (true, Err(failure)) => wrong.push(Finding::new(
                format!("an answer to a request for `{ability}`: the model offers it"),
                short(&failure),
                format!("answer what was asked for, or leave `{ability}` out of what is offered"),
            )),
            (false, Ok(answer)) if fault(extension, &answer).is_none() => wrong.push(Finding::new(
                format!("`{ability}` among what the model offers, as it answers it"),
                format!("no `{ability}` in `x-offers`"),
                "say in `x-offers` what is offered: a stage is not let ask for anything else",
            )),
            (false, Ok(_)) => ignored.push(Finding::new(
                format!("`invalid-input` for `{ability}`, which the model does not offer"),
                "an answer without it",
                "refuse what is not offered: a caller takes the answer for what was asked for",
            )),
            (false, Err(_)) => {}
        }
    }
    wrong.extend(width.filter(|_| offers(extension, Ability::Edits)).and_then(|width| edits(extension, width)));
    if wrong.is_empty() { Outcome::warning(ignored) } else { Outcome::from_findings(wrong) }
}

/// Whether a failure says that a request cannot be answered, and not that the model is unreachable.
fn is_refusal(failure: &Failure) -> bool {
    matches!(failure.kind(), FailureKind::InvalidInput | FailureKind::InvalidConfig)
}

/// An edit of weight 0 leaves an answer as it is, and one that names no direction of the model's width is refused.
fn edits(extension: &ExtensionUnderTest<'_>, width: u64) -> Option<Finding> {
    let mut unit = vec![0.0; width as usize];
    unit[0] = 1.0;
    let direction = extension.shared.tensors.keep(&[width], unit);
    let edit = |direction: TensorRef, weight: f64| Edit {
        component: Component::MlpDown,
        layer: 0,
        direction,
        row: 0,
        weight,
        row_normalization: RowNormalization::None,
    };
    let under = |edit: Edit| CompletionRequest { edits: vec![edit], seed: Some(1), ..plain() };
    let fix = "run under the edits of the request, and change nothing that another request sees";
    let base = ask(extension, &CompletionRequest { seed: Some(1), ..plain() });
    let same = ask(extension, &under(edit(direction.clone(), 0.0)));
    let (Ok(Ok(base)), Ok(Ok(same))) = (&base, &same) else {
        let seen = [base, same].into_iter().find_map(|answer| match answer {
            Ok(Err(failure)) => Some(short(&failure)),
            Err(finding) => Some(finding.seen),
            Ok(Ok(_)) => None,
        });
        return Some(Finding::new("an answer under an edit: the model offers `edits`", seen.unwrap_or_default(), fix));
    };
    if base.text != same.text {
        let expected = format!("under an edit of weight 0, the same answer: {}", excerpt(&base.text));
        return Some(Finding::new(expected, excerpt(&same.text), fix));
    }
    let _ = ask(extension, &under(edit(direction, 1.0)));
    match ask(extension, &CompletionRequest { seed: Some(1), ..plain() }) {
        Ok(Ok(after)) if after.text == base.text => None,
        Ok(Ok(after)) => {
            let expected = format!("after a request under edits, the same answer as before: {}", excerpt(&base.text));
            Some(Finding::new(expected, excerpt(&after.text), fix))
        }
        _ => Some(Finding::new("an answer after a request under edits, as before", "none", fix)),
    }
}

pub(crate) fn chance(extension: &ExtensionUnderTest<'_>) -> Outcome {
    if let Some(outcome) = says_so(extension) {
        return outcome;
    }
    let request = CompletionRequest { temperature: Some(1.0), ..plain() };
    // On behalf of other stages and items.
    let answers = [5000, 5001, 5002].map(|number| ask_as(extension, number, &request));
    let mut texts = Vec::new();
    for answer in answers {
        match answer {
            Err(finding) => return Outcome::from_findings(vec![finding]),
            // What was never drawn holds up no level.
            Ok(Err(failure)) => return Outcome::noted(format!("it does not answer here ({})", short(&failure))),
            Ok(Ok(completion)) => texts.push(completion.text),
        }
    }
    let other = texts.iter().find(|text| **text != texts[0]);
    Outcome::from_findings(other.map_or_else(Vec::new, |other| {
        vec![Finding::new(
            format!("the same answer to the same request of another item: {}", excerpt(&texts[0])),
            excerpt(other),
            "draw from the request and the configured seed, where the request has no `seed`: equal requests are answered once",
        )]
    }))
}

//! Turns the results of the worker into completions.

use jackfield_plugin_api::{
    Captured, Completion, CompletionRequest, FinishReason, Host, LikelyToken, Result, TokenLogProb, TokenLogProbs,
    Usage,
};

use super::{active::JobResult, job::JobShape, prompt::ModelText};

/// The answer to a request that asks for the tokens of its prompt, and for nothing that the weights are needed for.
pub(super) fn of_tokens(request: &CompletionRequest, prompt: &[u32], text: &ModelText) -> Result<Completion> {
    Ok(Completion {
        finish: FinishReason::Length,
        usage: Some(Usage::new(prompt.len() as u64, 0)),
        tokens: request.tokenize.then(|| prompt.iter().map(|&id| text.token(id)).collect()),
        ..Completion::default()
    })
}

/// The answer to a request.
///
/// # Errors
/// Whatever keeps the host from keeping tensors.
pub(super) fn answer(
    request: &CompletionRequest,
    found: JobResult,
    shape: &JobShape,
    text: &ModelText,
    host: &Host<'_>,
) -> Result<Completion> {
    let architecture = &text.architecture;
    let mut completion = of_tokens(request, &shape.prompt, text)?;
    if request.max_tokens != Some(0) {
        completion.text = found.text;
        completion.finish = if found.is_complete { FinishReason::Stop } else { FinishReason::Length };
        completion.usage = Some(Usage::new(shape.prompt.len() as u64, found.drawn as u64));
    }
    if let Some(capture) = &shape.capture {
        let lengths = [capture.positions.len(), capture.layers.len(), architecture.hidden].map(|length| length as u64);
        completion.captured = Some(Captured {
            hidden_states: host.keep_tensor(&lengths, found.hidden)?,
            layers: capture.layers.iter().map(|layer| *layer as u32).collect(),
            positions: capture.positions.iter().map(|position| *position as u32).collect(),
        });
    }
    if request.embed {
        completion.embedding = Some(host.keep_tensor(&[architecture.hidden as u64], found.embedding)?);
    }
    if let Some(asked) = &request.logprobs {
        let lengths = [found.logs.len() as u64, architecture.vocabulary as u64];
        let logprob = |logprob: f64| logprob.is_finite().then_some(logprob);
        let likely = |&(id, logprob): &(u32, f64)| LikelyToken { token: text.token(id), logprob };
        let tokens = found.logs.iter().map(|log| TokenLogProb {
            token: text.token(log.token),
            logprob: logprob(log.logprob),
            top: log.top.iter().map(likely).collect(),
        });
        completion.logprobs = Some(TokenLogProbs {
            tokens: tokens.collect(),
            distribution: if asked.distribution { Some(host.keep_tensor(&lengths, found.distribution)?) } else { None },
        });
    }
    Ok(completion)
}

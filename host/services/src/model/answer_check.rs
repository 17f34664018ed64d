//! Whether what a model answers beside its text is what the request asked for.

use jackfield_plugin_api::{
    Capture, Captured, Completion, CompletionRequest, Failure, LogProbs, LogProbsOn, Result, TensorRef, TokenLogProbs,
};

/// How far above 0 a log-probability may lie, for the sake of rounding.
const ROUNDING: f64 = 1e-3;

/// Checks what a model answers beside its text against the request.
///
/// # Errors
/// [`Failure::InvalidOutput`] that names the model and what does not fit.
pub(super) fn check(model: &str, request: &CompletionRequest, answer: &Completion) -> Result<()> {
    check_fields(request, answer).map_err(|Mismatch { field, message }| {
        Failure::InvalidOutput(format!("model `{model}` answered a completion whose `{field}` does not fit: {message}"))
    })
}

/// A field of an answer that does not fit the request.
struct Mismatch {
    field: &'static str,
    /// What is wrong with it.
    message: String,
}

fn mismatch(field: &'static str, message: impl Into<String>) -> Mismatch {
    Mismatch { field, message: message.into() }
}

fn check_fields(request: &CompletionRequest, answer: &Completion) -> std::result::Result<(), Mismatch> {
    if request.max_tokens == Some(0) && !answer.text.is_empty() {
        return Err(mismatch("text", "it is not empty, and no token was asked for"));
    }
    match (&request.capture, &answer.captured) {
        (Some(asked), Some(found)) => check_captured(asked, found).map_err(|message| mismatch("captured", message))?,
        (asked, found) => check_presence("captured", asked.is_some(), found.is_some())?,
    }
    match (&request.logprobs, &answer.logprobs) {
        (Some(asked), Some(found)) => check_logprobs(asked, found).map_err(|message| mismatch("logprobs", message))?,
        (asked, found) => check_presence("logprobs", asked.is_some(), found.is_some())?,
    }
    check_presence("tokens", request.tokenize, answer.tokens.is_some())?;
    check_presence("embedding", request.embed, answer.embedding.is_some())?;
    if let Some(embedding) = &answer.embedding {
        check_tensor(embedding, &[None]).map_err(|message| mismatch("embedding", message))?;
    }
    Ok(())
}

/// What was asked for is there, and nothing else.
fn check_presence(field: &'static str, asked: bool, found: bool) -> std::result::Result<(), Mismatch> {
    match (asked, found) {
        (true, false) => Err(mismatch(field, "it was asked for and is not there")),
        (false, true) => Err(mismatch(field, "it is there and was not asked for")),
        _ => Ok(()),
    }
}

/// A reference whose tensor has as many dimensions, of these lengths where they are known.
fn check_tensor(tensor: &TensorRef, wanted: &[Option<usize>]) -> std::result::Result<(), String> {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if tensor.sha256.len() != 64 || !tensor.sha256.bytes().all(is_digit) {
        return Err("its `$tensor` is not a SHA-256 of 64 lower-case hexadecimal digits".to_owned());
    }
    let fits = |(wanted, found): (&Option<usize>, &u64)| wanted.is_none_or(|wanted| wanted as u64 == *found);
    let same = tensor.shape.len() == wanted.len() && wanted.iter().zip(&tensor.shape).all(fits);
    if same && tensor.element_count().is_some_and(|elements| elements > 0 || wanted.contains(&Some(0))) {
        return Ok(());
    }
    let wanted: Vec<String> =
        wanted.iter().map(|length| length.map_or("n".to_owned(), |length| length.to_string())).collect();
    Err(format!("expected a tensor of shape [{}], not of {:?}", wanted.join(", "), tensor.shape))
}

fn check_captured(asked: &Capture, found: &Captured) -> std::result::Result<(), String> {
    match asked.layers.as_deref() {
        Some(layers) if layers != found.layers => {
            return Err(format!("layers {layers:?} were asked for, not {:?}", found.layers));
        }
        None if found.layers.is_empty() || !found.layers.iter().copied().eq(0..found.layers.len() as u32) => {
            return Err(format!("all layers were asked for, from 0 on, not {:?}", found.layers));
        }
        _ => {}
    }
    let wanted = asked.positions.as_deref().unwrap_or(&[-1]);
    // Only the model knows how long the prompt is, so it alone can say how far from its end a position lies. But the positions
    // that are counted from the end have to agree on where the end is.
    let prompt_length =
        |(wanted, found): (&i64, &u32)| (*wanted < 0).then(|| i64::from(*found).saturating_sub(*wanted));
    let mut lengths = wanted.iter().zip(&found.positions).filter_map(prompt_length);
    let first = lengths.next();
    let same = wanted.len() == found.positions.len()
        && wanted.iter().zip(&found.positions).all(|(wanted, found)| *wanted < 0 || *wanted == i64::from(*found))
        && lengths.all(|length| Some(length) == first);
    if !same {
        return Err(format!("positions {wanted:?} were asked for, not {:?}", found.positions));
    }
    check_tensor(&found.hidden_states, &[Some(found.positions.len()), Some(found.layers.len()), None])
}

fn check_logprobs(asked: &LogProbs, found: &TokenLogProbs) -> std::result::Result<(), String> {
    let count = found.tokens.len();
    match &asked.on {
        LogProbsOn::First(first) if count > *first as usize => {
            return Err(format!("{first} tokens were asked about at the most, not {count}"));
        }
        LogProbsOn::Reply(_) if count == 0 => return Err("it is about no token of the reply".to_owned()),
        LogProbsOn::First(_) | LogProbsOn::Reply(_) => {}
    }
    for (index, token) in found.tokens.iter().enumerate() {
        let is_invalid = |logprob: f64| !logprob.is_finite() || logprob > ROUNDING;
        if token.logprob.is_some_and(is_invalid) || token.top.iter().any(|likely| is_invalid(likely.logprob)) {
            return Err(format!("a log-probability at token {index} is not one: it is above 0, or not finite"));
        }
        if token.top.len() > asked.top as usize {
            return Err(format!("`top` at token {index} lists {} tokens, not {}", token.top.len(), asked.top));
        }
        if !token.top.is_sorted_by(|before, after| before.logprob >= after.logprob) {
            return Err(format!("`top` at token {index} is not in order, the likeliest first"));
        }
    }
    match (&found.distribution, asked.distribution) {
        (Some(distribution), true) => check_tensor(distribution, &[Some(count), None]),
        (None, false) => Ok(()),
        (None, true) => Err("its `distribution` was asked for and is not there".to_owned()),
        (Some(_), false) => Err("its `distribution` is there and was not asked for".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use jackfield_plugin_api::{ElementType, LikelyToken, Message, Token, TokenLogProb};

    use super::*;

    fn tensor(shape: &[u64]) -> TensorRef {
        TensorRef { sha256: "0".repeat(64), shape: shape.to_vec(), dtype: ElementType::F32 }
    }

    fn asked() -> CompletionRequest {
        CompletionRequest {
            max_tokens: Some(0),
            capture: Some(Capture { layers: None, positions: Some(vec![0, -2, -1]) }),
            logprobs: Some(LogProbs { top: 2, distribution: true, on: LogProbsOn::First(2) }),
            tokenize: true,
            embed: true,
            ..CompletionRequest::new(vec![Message::user("hello")])
        }
    }

    fn answered() -> Completion {
        let token = |id: u32| Token { id, text: "x".to_owned() };
        let top = vec![LikelyToken { token: token(1), logprob: -0.5 }, LikelyToken { token: token(2), logprob: -1.5 }];
        let tokens = vec![TokenLogProb { token: token(1), logprob: Some(-0.5), top }];
        Completion {
            captured: Some(Captured {
                hidden_states: tensor(&[3, 2, 8]),
                layers: vec![0, 1],
                positions: vec![0, 5, 6],
            }),
            logprobs: Some(TokenLogProbs { tokens, distribution: Some(tensor(&[1, 96])) }),
            tokens: Some(vec![token(1)]),
            embedding: Some(tensor(&[8])),
            ..Completion::default()
        }
    }

    fn refusal(spoil: impl FnOnce(&mut CompletionRequest, &mut Completion)) -> String {
        let (mut request, mut answer) = (asked(), answered());
        spoil(&mut request, &mut answer);
        match check("tiny", &request, &answer) {
            Err(Failure::InvalidOutput(message)) => message,
            other => panic!("{other:?} of {answer:?}"),
        }
    }

    #[test]
    fn what_was_asked_for_is_let_through() {
        assert_eq!(check("tiny", &asked(), &answered()), Ok(()));
        let plain = CompletionRequest::new(vec![Message::user("hello")]);
        assert_eq!(check("tiny", &plain, &Completion { text: "x".to_owned(), ..Completion::default() }), Ok(()));
    }

    #[test]
    fn what_does_not_fit_is_reported_with_the_model_and_the_field() {
        let captured = |answer: &mut Completion, change: fn(&mut Captured)| answer.captured.iter_mut().for_each(change);
        let logged = |answer: &mut Completion, change: fn(&mut TokenLogProbs)| {
            answer.logprobs.iter_mut().for_each(change);
        };
        for (message, field, why) in [
            (refusal(|_, answer| answer.text = "x".to_owned()), "text", "no token was asked for"),
            (refusal(|_, answer| answer.captured = None), "captured", "is not there"),
            (refusal(|request, _| request.capture = None), "captured", "was not asked for"),
            (refusal(|request, _| request.tokenize = false), "tokens", "was not asked for"),
            (refusal(|_, answer| answer.embedding = None), "embedding", "is not there"),
            (refusal(|_, answer| answer.embedding = Some(tensor(&[1, 8]))), "embedding", "shape [n], not of [1, 8]"),
            (refusal(|_, answer| captured(answer, |c| c.layers = vec![1, 0])), "captured", "all layers"),
            (refusal(|_, answer| captured(answer, |c| c.positions[0] = 1)), "captured", "positions [0, -2, -1]"),
            (refusal(|_, answer| captured(answer, |c| c.positions[1] = 4)), "captured", "not [0, 4, 6]"),
            (refusal(|_, answer| captured(answer, |c| c.hidden_states.shape[0] = 2)), "captured", "shape [3, 2, n]"),
            (refusal(|_, answer| captured(answer, |c| c.hidden_states.shape[2] = 0)), "captured", "not of [3, 2, 0]"),
            (refusal(|_, answer| captured(answer, |c| c.hidden_states.sha256 = "../x".into())), "captured", "SHA-256"),
            (refusal(|_, answer| logged(answer, |l| l.tokens.resize(3, l.tokens[0].clone()))), "logprobs", "not 3"),
            (refusal(|_, answer| logged(answer, |l| l.tokens[0].top.reverse())), "logprobs", "not in order"),
            (refusal(|_, answer| logged(answer, |l| l.tokens[0].logprob = Some(0.5))), "logprobs", "above 0"),
            (refusal(|_, answer| logged(answer, |l| l.tokens[0].logprob = Some(f64::NAN))), "logprobs", "not finite"),
            (
                refusal(|_, answer| logged(answer, |l| l.distribution = None)),
                "logprobs",
                "`distribution` was asked for",
            ),
            (
                refusal(|_, answer| logged(answer, |l| l.distribution = Some(tensor(&[2, 96])))),
                "logprobs",
                "shape [1, n]",
            ),
            (
                refusal(|request, _| request.logprobs.iter_mut().for_each(|asked| asked.top = 1)),
                "logprobs",
                "lists 2 tokens, not 1",
            ),
        ] {
            assert!(message.starts_with(&format!("model `tiny` answered a completion whose `{field}` ")), "{message}");
            assert!(message.contains(why), "{message}");
        }
    }
}

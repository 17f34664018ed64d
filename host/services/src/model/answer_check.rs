//! Whether an answer holds what was asked for.

use jackfield_plugin_api::{
    Captured, Completion, CompletionRequest, Failure, LogProbs, LogProbsOn, Result, TensorRef, TokenLogProbs,
};

/// How far above 0 a log-probability may lie, for the sake of rounding.
const ROUNDING: f64 = 1e-3;

/// Holds what a model answers beside its text to the request.
///
/// # Errors
/// [`Failure::InvalidOutput`] that names the model and what does not fit.
pub(super) fn check(model: &str, request: &CompletionRequest, answer: &Completion) -> Result<()> {
    fits(request, answer).map_err(|(field, what)| {
        Failure::InvalidOutput(format!("model `{model}` answered a completion whose `{field}` does not fit: {what}"))
    })
}

/// A field, and what is wrong with it.
type Wrong = (&'static str, String);

fn fits(request: &CompletionRequest, answer: &Completion) -> std::result::Result<(), Wrong> {
    if request.max_tokens == Some(0) && !answer.text.is_empty() {
        return Err(("text", "it is not empty, and no token was asked for".to_owned()));
    }
    match (&request.capture, &answer.captured) {
        (Some(asked), Some(found)) => {
            captured(asked.layers.as_deref(), asked.positions.as_deref(), found).map_err(|what| ("captured", what))?;
        }
        (asked, found) => both("captured", asked.is_some(), found.is_some())?,
    }
    match (&request.logprobs, &answer.logprobs) {
        (Some(asked), Some(found)) => logprobs(asked, found).map_err(|what| ("logprobs", what))?,
        (asked, found) => both("logprobs", asked.is_some(), found.is_some())?,
    }
    both("tokens", request.tokenize, answer.tokens.is_some())?;
    both("embedding", request.embed, answer.embedding.is_some())?;
    if let Some(embedding) = &answer.embedding {
        shaped(embedding, &[None]).map_err(|what| ("embedding", what))?;
    }
    Ok(())
}

/// What was asked for is there, and nothing else.
fn both(field: &'static str, asked: bool, found: bool) -> std::result::Result<(), Wrong> {
    match (asked, found) {
        (true, false) => Err((field, "it was asked for and is not there".to_owned())),
        (false, true) => Err((field, "it is there and was not asked for".to_owned())),
        _ => Ok(()),
    }
}

/// A reference whose tensor has as many dimensions, of these lengths where they are known.
fn shaped(tensor: &TensorRef, wanted: &[Option<usize>]) -> std::result::Result<(), String> {
    let digits = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if tensor.sha256.len() != 64 || !tensor.sha256.bytes().all(digits) {
        return Err("its `$tensor` is no SHA-256 of 64 lower-case hexadecimal digits".to_owned());
    }
    let fits = |(wanted, found): (&Option<usize>, &u64)| wanted.is_none_or(|wanted| wanted as u64 == *found);
    let same = tensor.shape.len() == wanted.len() && wanted.iter().zip(&tensor.shape).all(fits);
    if same && tensor.element_count().is_some_and(|elements| elements > 0 || wanted.contains(&Some(0))) {
        return Ok(());
    }
    let wanted: Vec<String> = wanted.iter().map(|one| one.map_or("n".to_owned(), |one| one.to_string())).collect();
    Err(format!("expected a tensor of shape [{}], not of {:?}", wanted.join(", "), tensor.shape))
}

fn captured(layers: Option<&[u32]>, positions: Option<&[i64]>, found: &Captured) -> std::result::Result<(), String> {
    match layers {
        Some(layers) if layers != found.layers => {
            return Err(format!("layers {layers:?} were asked for, not {:?}", found.layers));
        }
        None if found.layers.is_empty() || !found.layers.iter().copied().eq(0..found.layers.len() as u32) => {
            return Err(format!("all layers were asked for, from 0 on, not {:?}", found.layers));
        }
        _ => {}
    }
    let wanted = positions.unwrap_or(&[-1]);
    // Only the model knows how long the prompt is, so how far from its end a position lies is its to say; what lies as far
    // from one end has to be so in the answer.
    let length = |(wanted, found): (&i64, &u32)| (*wanted < 0).then(|| i64::from(*found).saturating_sub(*wanted));
    let mut lengths = wanted.iter().zip(&found.positions).filter_map(length);
    let first = lengths.next();
    let same = wanted.len() == found.positions.len()
        && wanted.iter().zip(&found.positions).all(|(wanted, found)| *wanted < 0 || *wanted == i64::from(*found))
        && lengths.all(|length| Some(length) == first);
    if !same {
        return Err(format!("positions {wanted:?} were asked for, not {:?}", found.positions));
    }
    shaped(&found.hidden_states, &[Some(found.positions.len()), Some(found.layers.len()), None])
}

fn logprobs(asked: &LogProbs, found: &TokenLogProbs) -> std::result::Result<(), String> {
    let count = found.tokens.len();
    match &asked.on {
        LogProbsOn::First(first) if count > *first as usize => {
            return Err(format!("{first} tokens were asked about at the most, not {count}"));
        }
        LogProbsOn::Reply(_) if count == 0 => return Err("it is about no token of the reply".to_owned()),
        LogProbsOn::First(_) | LogProbsOn::Reply(_) => {}
    }
    for (index, token) in found.tokens.iter().enumerate() {
        let bad = |logprob: f64| !logprob.is_finite() || logprob > ROUNDING;
        if token.logprob.is_some_and(bad) || token.top.iter().any(|likely| bad(likely.logprob)) {
            return Err(format!("a log-probability at token {index} is not one: it is above 0, or not finite"));
        }
        if token.top.len() > asked.top as usize {
            return Err(format!("`top` at token {index} lists {} tokens, not {}", token.top.len(), asked.top));
        }
        if !token.top.is_sorted_by(|one, next| one.logprob >= next.logprob) {
            return Err(format!("`top` at token {index} is not in order, the likeliest first"));
        }
    }
    match (&found.distribution, asked.distribution) {
        (Some(distribution), true) => shaped(distribution, &[Some(count), None]),
        (None, false) => Ok(()),
        (None, true) => Err("its `distribution` was asked for and is not there".to_owned()),
        (Some(_), false) => Err("its `distribution` is there and was not asked for".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use jackfield_plugin_api::{Capture, ElementType, LikelyToken, Message, Token, TokenLogProb};

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

    fn told(spoil: impl FnOnce(&mut CompletionRequest, &mut Completion)) -> String {
        let (mut request, mut answer) = (asked(), answered());
        spoil(&mut request, &mut answer);
        match check("tiny", &request, &answer) {
            Err(Failure::InvalidOutput(told)) => told,
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
    fn what_does_not_fit_is_told_with_the_model_and_the_field() {
        let captured = |answer: &mut Completion, change: fn(&mut Captured)| answer.captured.iter_mut().for_each(change);
        let logged = |answer: &mut Completion, change: fn(&mut TokenLogProbs)| {
            answer.logprobs.iter_mut().for_each(change);
        };
        for (told, field, why) in [
            (told(|_, answer| answer.text = "x".to_owned()), "text", "no token was asked for"),
            (told(|_, answer| answer.captured = None), "captured", "is not there"),
            (told(|request, _| request.capture = None), "captured", "was not asked for"),
            (told(|request, _| request.tokenize = false), "tokens", "was not asked for"),
            (told(|_, answer| answer.embedding = None), "embedding", "is not there"),
            (told(|_, answer| answer.embedding = Some(tensor(&[1, 8]))), "embedding", "shape [n], not of [1, 8]"),
            (told(|_, answer| captured(answer, |c| c.layers = vec![1, 0])), "captured", "all layers"),
            (told(|_, answer| captured(answer, |c| c.positions[0] = 1)), "captured", "positions [0, -2, -1]"),
            (told(|_, answer| captured(answer, |c| c.positions[1] = 4)), "captured", "not [0, 4, 6]"),
            (told(|_, answer| captured(answer, |c| c.hidden_states.shape[0] = 2)), "captured", "shape [3, 2, n]"),
            (told(|_, answer| captured(answer, |c| c.hidden_states.shape[2] = 0)), "captured", "not of [3, 2, 0]"),
            (told(|_, answer| captured(answer, |c| c.hidden_states.sha256 = "../x".into())), "captured", "SHA-256"),
            (told(|_, answer| logged(answer, |l| l.tokens.resize(3, l.tokens[0].clone()))), "logprobs", "not 3"),
            (told(|_, answer| logged(answer, |l| l.tokens[0].top.reverse())), "logprobs", "not in order"),
            (told(|_, answer| logged(answer, |l| l.tokens[0].logprob = Some(0.5))), "logprobs", "above 0"),
            (told(|_, answer| logged(answer, |l| l.tokens[0].logprob = Some(f64::NAN))), "logprobs", "not finite"),
            (told(|_, answer| logged(answer, |l| l.distribution = None)), "logprobs", "`distribution` was asked for"),
            (told(|_, answer| logged(answer, |l| l.distribution = Some(tensor(&[2, 96])))), "logprobs", "shape [1, n]"),
            (
                told(|request, _| request.logprobs.iter_mut().for_each(|asked| asked.top = 1)),
                "logprobs",
                "lists 2 tokens, not 1",
            ),
        ] {
            assert!(told.starts_with(&format!("model `tiny` answered a completion whose `{field}` ")), "{told}");
            assert!(told.contains(why), "{told}");
        }
    }
}

//! The analyzer `reply`, which asks a model for replies to prompts, and for the probabilities of tokens.

use futures::future::join_all;
use jackfield_plugin_api::{Prompt, prelude::*};

use crate::{Replies, Reply};

/// How many prompts are sent to the model at a time; it computes as many of them together as it can.
pub(crate) const ASKED_AT_ONCE: usize = 128;
/// The most tokens that distributions are asked of.
const MOST_DISTRIBUTIONS: u32 = 256;

/// What `reply` reads.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct PromptsToAsk {
    /// The prompts; at least one.
    pub prompts: Vec<Prompt>,
    /// Edits that the model runs under, for a model that offers them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-needs" = "model:edits"))]
    pub edits: Vec<Edit>,
    /// The replies of the model as it was, one for each prompt, with what their stage followed: distributions are on the
    /// tokens of these. Without it, they are on those of its own replies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Vec<Reply>>,
}

/// Asks the stage's model for a reply to each prompt, under edits where they are given.
///
/// Full replies and what their first tokens say come from one pass, so that a score can be made of both: a reply that is cut early
/// may hide what comes later. With `distributions`, the answer has what `kl` compares.
#[derive(Clone, Debug, Config)]
#[schemars(extend("x-needs" = "model"))]
pub struct AskReplies {
    /// Most tokens of a reply; 0 asks for no replies of its own, and for distributions alone.
    #[config(default = 32)]
    #[schemars(range(max = 1_048_576))]
    pub max_tokens: u32,
    /// Temperature of sampling, 0 to 2; at 0, the likeliest token is taken each time.
    #[config(default = 0.0)]
    #[schemars(range(min = 0.0, max = 2.0))]
    pub temperature: f64,
    /// Gives what the first so many tokens of each reply say as well. Needs a model that offers `logprobs`.
    #[schemars(range(min = 1), extend("x-needs" = "model:logprobs"))]
    pub short: Option<u32>,
    /// Gives the distributions in the places of the first so many tokens: of the base's reply where one is given, else of its own.
    /// Each takes four bytes for each token of the vocabulary. Needs a model that offers `logprobs`.
    #[schemars(range(min = 1, max = 256), extend("x-needs" = "model:logprobs"))]
    pub distributions: Option<u32>,
}

impl Analyzer for AskReplies {
    const NAME: &'static str = "reply";
    type Input = PromptsToAsk;
    type Output = Replies;

    fn open(self) -> Result<Self> {
        let invalid_config = |what: String| Err(Failure::InvalidConfig(what));
        if !(0.0..=2.0).contains(&self.temperature) {
            return invalid_config(format!("`temperature` is {}: it must be 0 to 2", self.temperature));
        }
        match (self.short, self.distributions) {
            (Some(0), _) => invalid_config("`short` is 0: it must be 1 or more".to_owned()),
            (Some(short), _) if short > self.max_tokens => {
                let max_tokens = self.max_tokens;
                invalid_config(format!(
                    "`short` is {short}, more than the {max_tokens} tokens that a reply has by `max_tokens`"
                ))
            }
            (_, Some(tokens)) if !(1..=MOST_DISTRIBUTIONS).contains(&tokens) => {
                invalid_config(format!("`distributions` is {tokens}: it must be 1 to {MOST_DISTRIBUTIONS}"))
            }
            (_, None) if self.max_tokens == 0 => {
                invalid_config("`max_tokens` is 0, and there are no `distributions`: nothing is asked for".to_owned())
            }
            _ => Ok(self),
        }
    }

    fn permissions() -> Vec<Permission> {
        let permission = |name: &str, reason: &str| Permission { name: name.to_owned(), reason: reason.to_owned() };
        vec![
            permission("model", "to have the prompts answered"),
            permission("model:edits", "to have them answered under edits"),
            permission(
                "model:logprobs",
                "to have the distributions of tokens, and what the first tokens of a reply say",
            ),
        ]
    }

    async fn analyze(&self, input: PromptsToAsk, host: &Host<'_>) -> Result<Replies> {
        check_prompts(&input.prompts, input.base.as_deref())?;
        if input.base.is_some() && self.distributions.is_none() {
            let what = "`base` is given, and the stage has no `distributions` to make on it".to_owned();
            return Err(Failure::InvalidInput(what));
        }
        let count = input.prompts.len() as u64;
        let mut replies = Vec::with_capacity(input.prompts.len());
        for (chunk, prompts) in input.prompts.chunks(ASKED_AT_ONCE).enumerate() {
            if host.cancelled() {
                return Err(Failure::Cancelled("the replies are no longer wanted".to_owned()));
            }
            let first = chunk * ASKED_AT_ONCE;
            let replies_of_chunk =
                prompts.iter().enumerate().map(|(index, prompt)| self.reply_to(&input, first + index, prompt, host));
            for reply in join_all(replies_of_chunk).await {
                replies.push(reply?);
            }
            host.progress(replies.len() as u64, Some(count), "prompts");
        }
        Ok(Replies { replies })
    }
}

/// Refuses prompts that cannot be asked, and replies of the base that are not theirs.
pub(crate) fn check_prompts(prompts: &[Prompt], base: Option<&[Reply]>) -> Result<()> {
    let invalid_input = |what: String| Err(Failure::InvalidInput(what));
    if prompts.is_empty() {
        return invalid_input("there are no prompts".to_owned());
    }
    if let Some(index) = prompts.iter().position(|prompt| prompt.messages().is_empty()) {
        return invalid_input(format!("prompt {index} has no messages"));
    }
    let Some(base) = base else { return Ok(()) };
    if base.len() != prompts.len() {
        return invalid_input(format!("there are {} prompts, and {} replies of the base", prompts.len(), base.len()));
    }
    match base.iter().position(|reply| reply.followed.is_none()) {
        Some(index) => invalid_input(format!(
            "reply {index} of `base` does not say which tokens it is on: set `distributions` on the stage that made it"
        )),
        None => Ok(()),
    }
}

impl AskReplies {
    /// The reply to a prompt.
    async fn reply_to(&self, input: &PromptsToAsk, index: usize, prompt: &Prompt, host: &Host<'_>) -> Result<Reply> {
        let request = || completion_request(prompt, &input.edits, self.temperature);
        let mut reply = Reply::default();
        if self.max_tokens > 0 {
            let logprobs_of_first = |short| LogProbs { top: 0, distribution: false, on: LogProbsOn::First(short) };
            let logprobs = self.short.map(logprobs_of_first);
            let first_request = CompletionRequest { max_tokens: Some(self.max_tokens), logprobs, ..request() };
            let completion = host.complete(first_request).await?;
            if self.short.is_some() {
                let Some(logprobs) = &completion.logprobs else { return Err(no_tokens(index)) };
                let tokens: Vec<&str> = logprobs.tokens.iter().map(|token| token.token.text.as_str()).collect();
                reply.short = Some(beginning_said(&completion.text, &tokens).to_owned());
            }
            reply.complete = completion.finish == FinishReason::Stop;
            reply.tokens = completion.usage.map(|usage| usage.output);
            reply.text = completion.text;
        }
        let Some(tokens) = self.distributions else { return Ok(reply) };
        let base_followed = input.base.as_ref().and_then(|base| base.get(index)?.followed.clone());
        let followed = match base_followed {
            Some(followed) => followed,
            // Of a reply that is as short, it is all.
            None if self.max_tokens > 0 && self.max_tokens <= tokens => reply.text.clone(),
            None => host.complete(CompletionRequest { max_tokens: Some(tokens), ..request() }).await?.text,
        };
        reply.distribution = Some(distribution_on(&followed, request(), index, host).await?);
        reply.followed = Some(followed);
        Ok(reply)
    }
}

/// What the model is asked about a prompt, under these edits.
pub(crate) fn completion_request(prompt: &Prompt, edits: &[Edit], temperature: f64) -> CompletionRequest {
    let (edits, temperature) = (edits.to_vec(), Some(temperature));
    CompletionRequest { edits, temperature, ..CompletionRequest::new(prompt.messages()) }
}

/// The distributions in the places of the tokens of `followed`, as a reply to the prompt at `index`.
pub(crate) async fn distribution_on(
    followed: &str,
    request: CompletionRequest,
    index: usize,
    host: &Host<'_>,
) -> Result<TensorRef> {
    // Where nothing is said, the place of the first token is left.
    let on = if followed.is_empty() { LogProbsOn::First(1) } else { LogProbsOn::Reply(followed.to_owned()) };
    let logprobs = Some(LogProbs { top: 0, distribution: true, on });
    let distribution_request = CompletionRequest { max_tokens: Some(0), logprobs, ..request };
    let distribution = host.complete(distribution_request).await?.logprobs.and_then(|logprobs| logprobs.distribution);
    distribution.ok_or_else(|| no_tokens(index))
}

fn no_tokens(index: usize) -> Failure {
    Failure::InvalidOutput(format!(
        "the model answered prompt {index} without the log-probabilities that were asked for"
    ))
}

/// The beginning of a text that its first tokens make up. Each token is written by itself, with parts of characters as U+FFFD. A character
/// that is not complete is left out.
fn beginning_said<'a>(text: &'a str, tokens: &[&str]) -> &'a str {
    const PART: char = '\u{fffd}';
    let mut end = 0;
    let mut inside_character = false;
    for token in tokens.iter().filter(|token| !token.is_empty()) {
        let rest = &text[end..];
        // After parts of characters, the next token stands behind characters that only they can have made.
        let position = if inside_character { rest.find(token) } else { rest.starts_with(token).then_some(0) };
        match position {
            Some(after) if !token.contains(PART) || !inside_character => {
                end += after + token.len();
                inside_character = false;
            }
            _ if token.contains(PART) => {
                // What stands whole before the part is said.
                let whole_characters = token.split(PART).next().unwrap_or_default();
                if !inside_character && rest.starts_with(whole_characters) {
                    end += whole_characters.len();
                }
                inside_character = true;
            }
            // The token that ends a reply is not part of its text.
            _ => break,
        }
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use jackfield_plugin_api::{
        Kind, Token, TokenLogProb, TokenLogProbs,
        testing::{FakeHost, call},
    };
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_begin_is_what_tokens_say_as_far_as_their_characters_are_whole() {
        for (text, tokens, wanted) in [
            ("Dear aunt, hello", &["Dear", " aunt"][..], "Dear aunt"),
            ("Hi", &["Hi", "<|im_end|>"], "Hi"),
            ("aé.b", &["a", "\u{fffd}", "\u{fffd}", "."], "aé."),
            ("aé.b", &["a", "\u{fffd}", "\u{fffd}"], "a"),
            ("aé.b", &["a\u{fffd}"], "a"),
            ("\u{fffd}b", &["\u{fffd}", "b"], "\u{fffd}b"),
            ("", &["<|im_end|>"], ""),
            ("abc", &[], ""),
        ] {
            assert_eq!(beginning_said(text, tokens), wanted, "{text} {tokens:?}");
        }
    }

    proptest! {
        #[test]
        fn a_begin_never_leaves_its_text(text in "(a|é|b|\u{fffd}){0,8}", tokens in proptest::collection::vec("(a|b|\u{fffd}){0,2}", 0..8)) {
            let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
            prop_assert!(text.starts_with(beginning_said(&text, &tokens)));
        }

        #[test]
        fn a_begin_of_whole_characters_is_their_text(tokens in proptest::collection::vec("(a|é| ){0,3}", 0..8), count in 0_usize..8) {
            let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
            let first = &tokens[..count.min(tokens.len())];
            let text = tokens.concat();
            prop_assert_eq!(beginning_said(&text, first), first.concat());
        }
    }

    /// A model that says its prompt's text back, a word a token, and has a distribution of two tokens.
    fn echo() -> FakeHost {
        let twin = FakeHost::default();
        let tensor = twin.add_tensor(&[1, 2], &[-0.5, -1.0]);
        let host = FakeHost::default().with_model(move |request| {
            let prompt_text = &request.messages.last().expect("a message").content;
            let max_tokens = request.max_tokens.expect("it is asked for") as usize;
            let words: Vec<&str> = prompt_text.split_inclusive(' ').take(max_tokens).collect();
            let logprobs = request.logprobs.as_ref().map(|asked| {
                let LogProbsOn::First(first) = asked.on else {
                    return TokenLogProbs { tokens: Vec::new(), distribution: Some(tensor.clone()) };
                };
                let token = |text: &&str| Token { id: 0, text: (*text).to_owned() };
                let token_logprob = |text| TokenLogProb { token: token(text), logprob: Some(-1.0), top: Vec::new() };
                let distribution = asked.distribution.then(|| tensor.clone());
                TokenLogProbs { tokens: words.iter().take(first as usize).map(token_logprob).collect(), distribution }
            });
            let usage = Usage::new(1, words.len() as u64);
            let finish = if words.concat() == *prompt_text { FinishReason::Stop } else { FinishReason::Length };
            Ok(Completion { text: words.concat(), usage: Some(usage), finish, logprobs, ..Completion::default() })
        });
        host.add_tensor(&[1, 2], &[-0.5, -1.0]);
        host
    }

    fn ask(config: Value, input: Value, host: &FakeHost) -> Result<Replies> {
        let answer = call(Kind::Analyzer, "reply", config, input, host)?;
        Ok(serde_json::from_value(answer).expect("replies"))
    }

    #[test]
    fn a_full_reply_and_its_short_begin_come_from_one_request() {
        let host = echo();
        let prompts = json!({ "prompts": ["Dear aunt how are you", "Hi"] });
        let found = ask(json!({ "max_tokens": 4, "short": 2 }), prompts, &host).expect("replies").replies;
        assert_eq!((found[0].text.as_str(), found[0].short.as_deref()), ("Dear aunt how are ", Some("Dear aunt ")));
        assert_eq!((found[0].tokens, found[0].complete), (Some(4), false));
        assert_eq!((found[1].short.as_deref(), found[1].complete), (Some("Hi"), true));
        assert_eq!((host.requests().len(), host.requests()[0].temperature), (2, Some(0.0)));
    }

    #[test]
    fn distributions_are_on_the_first_tokens_of_the_bases_reply() {
        let host = echo();
        let base = ask(json!({ "distributions": 2 }), json!({ "prompts": ["a b c", ""] }), &host).expect("replies");
        assert_eq!((base.replies[0].text.as_str(), base.replies[0].followed.as_deref()), ("a b c", Some("a b ")));
        assert!(base.replies.iter().all(|reply| reply.distribution.is_some()));
        let before = host.requests().len();
        let direction = host.add_tensor(&[1], &[1.0]);
        let edit = json!({ "component": "mlp-down", "layer": 0, "direction": direction, "weight": 1.0 });
        let input = json!({ "prompts": ["x y z", "z"], "edits": [edit], "base": base.replies });
        let edited = ask(json!({ "distributions": 2, "max_tokens": 0 }), input, &host).expect("distributions");
        assert_eq!((edited.replies[0].text.as_str(), edited.replies[0].followed.as_deref()), ("", Some("a b ")));
        let requests = &host.requests()[before..];
        let on: Vec<_> = requests.iter().map(|request| request.logprobs.as_ref().expect("asked").on.clone()).collect();
        assert_eq!(on, [LogProbsOn::Reply("a b ".to_owned()), LogProbsOn::First(1)]);
        assert!(requests.iter().all(|request| request.edits.len() == 1 && request.max_tokens == Some(0)));
    }

    #[test]
    fn prompts_that_cannot_be_asked_are_reported() {
        let host = echo();
        let message_of = |config: Value, input: Value| {
            let failure = ask(config, input, &host).expect_err("refused");
            format!("{:?}: {}", failure.kind(), failure.message())
        };
        let prompt = json!({ "prompts": ["a"] });
        let messages = [
            message_of(json!({ "max_tokens": 0 }), prompt.clone()),
            message_of(json!({ "max_tokens": 4, "short": 5 }), prompt.clone()),
            message_of(json!({ "distributions": 257 }), prompt.clone()),
            message_of(json!({ "temperature": 2.5 }), prompt),
            message_of(json!({}), json!({ "prompts": [] })),
            message_of(json!({}), json!({ "prompts": ["a", []] })),
            message_of(json!({}), json!({ "prompts": ["a"], "base": [{ "text": "", "followed": "" }] })),
            message_of(json!({ "distributions": 1 }), json!({ "prompts": ["a"], "base": [{ "text": "a" }] })),
            message_of(json!({ "distributions": 1 }), json!({ "prompts": ["a"], "base": [] })),
        ];
        assert_eq!(
            messages,
            [
                "InvalidConfig: `max_tokens` is 0, and there are no `distributions`: nothing is asked for",
                "InvalidConfig: `short` is 5, more than the 4 tokens that a reply has by `max_tokens`",
                "InvalidConfig: `distributions` is 257: it must be 1 to 256",
                "InvalidConfig: `temperature` is 2.5: it must be 0 to 2",
                "InvalidInput: there are no prompts",
                "InvalidInput: prompt 1 has no messages",
                "InvalidInput: `base` is given, and the stage has no `distributions` to make on it",
                "InvalidInput: reply 0 of `base` does not say which tokens it is on: set `distributions` on the stage that \
                 made it",
                "InvalidInput: there are 1 prompts, and 0 replies of the base",
            ]
        );
        let silent = FakeHost::default().with_model(|_| Ok(Completion::default()));
        let message_of = ask(json!({ "short": 1 }), json!({ "prompts": ["a"] }), &silent).expect_err("no tokens");
        assert_eq!(message_of.kind(), jackfield_plugin_api::FailureKind::InvalidOutput);
    }
}

//! The analyzer `kl`, which computes the divergence of a model under edits from the same model without edits.

use futures::future::join_all;
use jackfield_plugin_api::{Prompt, prelude::*};

use crate::{
    Reply,
    reply::{ASKED_AT_ONCE, check_prompts, completion_request, distribution_on},
};

/// What `kl` reads: what the model was, and either what it is under edits or what to ask it then.
#[derive(Clone, Debug, Default, PartialEq, Document)]
#[schemars(extend("anyOf" = [
    { "required": ["edited"], "properties": { "prompts": false, "edits": false } },
    { "required": ["prompts"], "properties": { "edited": false } },
]))]
pub struct BaseAndEdited {
    /// Replies of the model as it was, with distributions.
    pub base: Vec<Reply>,
    /// Replies of the model under edits to the same prompts, with distributions on the tokens of the base's replies, in place of
    /// `prompts`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited: Option<Vec<Reply>>,
    /// The prompts that the base replied to, in place of `edited`: the stage's model is asked for its distributions on the tokens of
    /// the base's replies. Nobody keeps these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-needs" = "model:logprobs"))]
    pub prompts: Option<Vec<Prompt>>,
    /// Edits that the model runs under when it is asked, with `prompts`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-needs" = "model:edits"))]
    pub edits: Vec<Edit>,
}

/// The mean Kullback-Leibler divergence of a model under edits from the model as it was, over the whole vocabulary.
///
/// In the place of each token, it is the sum of `p (log p - log q)` over all tokens of the vocabulary, with `p` the probability that
/// the base gives and `q` that of the model under edits; a token that neither can say counts 0. `first` is in the place of the
/// first token of each reply; `mean` over the first tokens of the base's reply (teacher forcing), since a change may show later
/// than in the first. Both are in nats, of each prompt and averaged over all.
#[derive(Clone, Debug, Config)]
pub struct Divergence {
    /// Over how many tokens of each reply `mean` goes; all that there are distributions of by default.
    #[schemars(range(min = 1))]
    pub tokens: Option<u64>,
}

/// What `kl` answers.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct MeanDivergence {
    /// Over the tokens of replies: the mean of the prompts' means, in nats, 0 or more.
    pub mean: f64,
    /// In the place of the first token, the mean over prompts, in nats, 0 or more.
    pub first: f64,
    /// Each prompt, in order.
    pub prompts: Vec<PromptDivergence>,
}

/// The divergence on a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Document)]
pub struct PromptDivergence {
    /// In the place of the first token.
    pub first: f64,
    /// The mean over tokens.
    pub mean: f64,
    /// Over how many.
    pub tokens: u64,
}

/// The divergence of `edited` from `base`, log-probabilities of the same tokens, in nats. What rounding makes of one that is 0 or
/// almost 0 is never below 0. None if a number is not a log-probability; infinite if the base says a token that `edited` cannot.
#[must_use]
pub fn divergence(base: &[f32], edited: &[f32]) -> Option<f64> {
    let mut sum = 0.0;
    for (p, q) in base.iter().zip(edited).map(|(p, q)| (f64::from(*p), f64::from(*q))) {
        if p.is_nan() || q.is_nan() || p == f64::INFINITY || q == f64::INFINITY {
            return None;
        }
        if p > f64::NEG_INFINITY {
            sum += libm::exp(p) * (p - q);
        }
    }
    Some(sum.max(0.0))
}

impl Analyzer for Divergence {
    const NAME: &'static str = "kl";
    type Input = BaseAndEdited;
    type Output = MeanDivergence;

    fn open(self) -> Result<Self> {
        if self.tokens == Some(0) {
            return Err(Failure::InvalidConfig("`tokens` is 0: it must be 1 or more".to_owned()));
        }
        Ok(self)
    }

    fn permissions() -> Vec<Permission> {
        let permission = |name: &str, reason: &str| Permission { name: name.to_owned(), reason: reason.to_owned() };
        vec![
            permission("model:edits", "to ask the model under edits, where `edits` are given"),
            permission("model:logprobs", "to ask for the distributions of tokens, where `prompts` are given"),
        ]
    }

    async fn analyze(&self, input: BaseAndEdited, host: &Host<'_>) -> Result<MeanDivergence> {
        let invalid_input = |what: &str| Err(Failure::InvalidInput(what.to_owned()));
        let prompts = match (&input.edited, &input.prompts) {
            (Some(_), None) if !input.edits.is_empty() => {
                return invalid_input("`edits` are given with `edited`: they go with `prompts`");
            }
            (Some(edited), None) => self.compare_replies(&input.base, edited, host)?,
            (None, Some(prompts)) => self.ask_and_compare(&input.base, prompts, &input.edits, host).await?,
            (None, None) => {
                return invalid_input("neither `edited` nor `prompts` is given: there is nothing to compare");
            }
            (Some(_), Some(_)) => {
                return invalid_input("both `edited` and `prompts` are given: it is one or the other");
            }
        };
        let mean =
            |value_of: fn(&PromptDivergence) -> f64| prompts.iter().map(value_of).sum::<f64>() / prompts.len() as f64;
        Ok(MeanDivergence { mean: mean(|prompt| prompt.mean), first: mean(|prompt| prompt.first), prompts })
    }
}

impl Divergence {
    /// The divergences of replies that are given.
    fn compare_replies(&self, base: &[Reply], edited: &[Reply], host: &Host<'_>) -> Result<Vec<PromptDivergence>> {
        if base.len() != edited.len() {
            let (base, edited) = (base.len(), edited.len());
            return Err(Failure::InvalidInput(format!("`base` has {base} replies, and `edited` has {edited}")));
        }
        if base.is_empty() {
            return Err(Failure::InvalidInput("there are no replies".to_owned()));
        }
        let mut prompts = Vec::with_capacity(base.len());
        for (index, (base, edited)) in base.iter().zip(edited).enumerate() {
            check_not_cancelled(host)?;
            prompts.push(self.prompt(index, base, edited, host)?);
        }
        Ok(prompts)
    }

    /// The divergences of what the model answers when it is asked.
    async fn ask_and_compare(
        &self,
        base: &[Reply],
        prompts: &[Prompt],
        edits: &[Edit],
        host: &Host<'_>,
    ) -> Result<Vec<PromptDivergence>> {
        check_prompts(prompts, Some(base))?;
        let numbered_prompts: Vec<(usize, (&Reply, &Prompt))> = base.iter().zip(prompts).enumerate().collect();
        let mut divergences = Vec::with_capacity(numbered_prompts.len());
        for chunk in numbered_prompts.chunks(ASKED_AT_ONCE) {
            check_not_cancelled(host)?;
            let ask_prompt = |(index, (base, prompt)): &(usize, (&Reply, &Prompt))| {
                let (index, followed) = (*index, base.followed.clone().unwrap_or_default());
                let request = completion_request(prompt, edits, 0.0);
                async move {
                    let distribution = Some(distribution_on(&followed, request, index, host).await?);
                    Ok(Reply { followed: Some(followed), distribution, ..Reply::default() })
                }
            };
            let answers: Vec<Result<Reply>> = join_all(chunk.iter().map(ask_prompt)).await;
            for ((index, (base, _)), edited) in chunk.iter().zip(answers) {
                divergences.push(self.prompt(*index, base, &edited?, host)?);
            }
            host.progress(divergences.len() as u64, Some(numbered_prompts.len() as u64), "prompts");
        }
        Ok(divergences)
    }

    fn prompt(&self, index: usize, base: &Reply, edited: &Reply, host: &Host<'_>) -> Result<PromptDivergence> {
        let invalid_input = |what: String| Err(Failure::InvalidInput(what));
        if let (Some(base), Some(edited)) = (&base.followed, &edited.followed)
            && base != edited
        {
            return invalid_input(format!(
                "the distributions of reply {index} are on other tokens in `edited` than in `base`: give the stage that \
                 made `edited` the replies of the base (`base`)"
            ));
        }
        let (base, edited) = (distribution_of("base", index, base)?, distribution_of("edited", index, edited)?);
        let ([positions, vocabulary], edited_dimensions) = (base.dimensions()?, edited.dimensions()?);
        if [positions, vocabulary] != edited_dimensions || positions == 0 || vocabulary == 0 {
            return invalid_input(format!(
                "the distributions of reply {index} have the shape {:?} in `base` and {:?} in `edited`: they must be alike, \
                 and not empty",
                base.shape, edited.shape
            ));
        }
        let tokens = self.tokens.map_or(positions, |tokens| tokens.min(positions));
        let (base, edited) = (host.tensor(base)?, host.tensor(edited)?);
        let (mut p, mut q) = (vec![0.0; vocabulary as usize], vec![0.0; vocabulary as usize]);
        let (mut first_divergence, mut sum) = (0.0, 0.0);
        for position in 0..tokens {
            base.read(position * vocabulary, &mut p)?;
            edited.read(position * vocabulary, &mut q)?;
            let divergence_here = divergence(&p, &q).ok_or_else(|| {
                Failure::InvalidInput(format!("reply {index} has what is not a log-probability at token {position}"))
            })?;
            if divergence_here.is_infinite() {
                return invalid_input(format!(
                    "the divergence of reply {index} is infinite at token {position}: the model under edits cannot say what \
                     the base may"
                ));
            }
            if position == 0 {
                first_divergence = divergence_here;
            }
            sum += divergence_here;
        }
        Ok(PromptDivergence { first: first_divergence, mean: sum / tokens as f64, tokens })
    }
}

fn check_not_cancelled(host: &Host<'_>) -> Result<()> {
    if host.cancelled() {
        return Err(Failure::Cancelled("the divergence is no longer wanted".to_owned()));
    }
    Ok(())
}

fn distribution_of<'a>(set: &str, index: usize, reply: &'a Reply) -> Result<&'a TensorRef> {
    reply.distribution.as_ref().ok_or_else(|| {
        Failure::InvalidInput(format!(
            "reply {index} of `{set}` does not have the distributions of its tokens: set `distributions` on the stage that made \
             it, with a model that gives those of its whole vocabulary"
        ))
    })
}

#[cfg(test)]
mod tests {
    use jackfield_plugin_api::{
        Kind, TokenLogProbs,
        testing::{FakeHost, call},
    };
    use proptest::prelude::*;

    use super::*;

    const NEVER: f32 = f32::NEG_INFINITY;

    #[test]
    fn tokens_that_neither_can_say_count_nothing() {
        let half = 0.5_f32.ln();
        let quarter = 0.25_f32.ln();
        let found = divergence(&[half, half, NEVER], &[quarter, 0.75_f32.ln(), NEVER]).expect("log-probabilities");
        let wanted = 0.5 * (0.5_f64 / 0.25).ln() + 0.5 * (0.5_f64 / 0.75).ln();
        assert!((found - wanted).abs() < 1e-7, "{found}");
        assert_eq!(divergence(&[NEVER, 0.0], &[half, half]).map(|found| (found * 1e6).round()), Some(693_147.0));
        assert_eq!(divergence(&[half, half], &[0.0, NEVER]), Some(f64::INFINITY));
        assert_eq!(divergence(&[f32::NAN], &[0.0]), None);
        assert_eq!(divergence(&[0.0], &[f32::INFINITY]), None);
    }

    fn kl(config: Value, sets: [&[(&[f32], &str)]; 2]) -> Result<Value> {
        let host = FakeHost::default();
        let replies = |set: &[(&[f32], &str)]| -> Vec<Value> {
            let reply = |(logs, followed): &(&[f32], &str)| {
                let tensor = host.add_tensor(&[logs.len() as u64 / 2, 2], logs);
                json!({ "text": "", "followed": followed, "distribution": tensor })
            };
            set.iter().map(reply).collect()
        };
        let input = json!({ "base": replies(sets[0]), "edited": replies(sets[1]) });
        call(Kind::Analyzer, "kl", config, input, &host)
    }

    #[test]
    fn means_are_over_the_tokens_of_a_prompt_and_then_over_prompts() {
        let (even, certain) = ([0.5_f32.ln(); 2], [0.0, NEVER]);
        let three = [certain, certain, certain].concat();
        let twice = [certain, even, even].concat();
        let sets: [&[(&[f32], &str)]; 2] = [&[(&three, "a b c"), (&certain, "")], &[(&twice, "a b c"), (&certain, "")]];
        let ln = 0.5_f64.ln().abs();
        let found = kl(json!({}), sets).expect("a divergence");
        let near = |value: &Value, wanted: f64| (value.as_f64().expect("a number") - wanted).abs() < 1e-7;
        assert!(near(&found["mean"], ln / 3.0) && near(&found["first"], 0.0), "{found}");
        assert_eq!((&found["prompts"][0]["tokens"], &found["prompts"][1]["tokens"]), (&json!(3), &json!(1)));
        let found = kl(json!({ "tokens": 2 }), sets).expect("a divergence");
        assert!(near(&found["mean"], ln / 4.0) && found["prompts"][0]["tokens"] == 2, "{found}");
    }

    #[test]
    fn replies_that_cannot_be_compared_are_reported() {
        let (even, certain): (&[f32], &[f32]) = (&[-0.7, -0.7], &[0.0, NEVER]);
        let message_of = |sets| kl(json!({}), sets).expect_err("not comparable").message().to_owned();
        let messages = [
            message_of([&[(even, "a")], &[(even, "b")]]),
            message_of([&[(even, "a")], &[]]),
            message_of([&[], &[]]),
            message_of([&[(even, "a")], &[(&[0.0; 4], "a")]]),
            message_of([&[(even, "a")], &[(certain, "a")]]),
            message_of([&[(&[f32::NAN, 0.0], "a")], &[(certain, "a")]]),
        ];
        assert_eq!(
            messages,
            [
                "the distributions of reply 0 are on other tokens in `edited` than in `base`: give the stage that made \
                 `edited` the replies of the base (`base`)",
                "`base` has 1 replies, and `edited` has 0",
                "there are no replies",
                "the distributions of reply 0 have the shape [1, 2] in `base` and [2, 2] in `edited`: they must be alike, \
                 and not empty",
                "the divergence of reply 0 is infinite at token 0: the model under edits cannot say what the base may",
                "reply 0 has what is not a log-probability at token 0",
            ]
        );
        let input = json!({ "base": [{ "text": "a" }], "edited": [{ "text": "a" }] });
        let none = call(Kind::Analyzer, "kl", json!({}), input, &FakeHost::default()).expect_err("no distribution");
        assert!(none.message().starts_with("reply 0 of `base` does not have the distributions"), "{none}");
    }

    /// What a model answers that says two tokens equally often as it is, and one of them more often under edits, and what it was
    /// asked.
    fn ask_and_compare(
        config: Value,
        prompts: Value,
        replies: &[&str],
        edit: bool,
    ) -> (Result<Value>, Vec<CompletionRequest>) {
        let even = 0.5_f32.ln();
        let twin = FakeHost::default();
        let tensors = [vec![even; 2], vec![0.1_f32.ln(), 0.9_f32.ln()]].map(|row| [row.clone(), row].concat());
        let [before, after] = tensors.clone().map(|tensor| twin.add_tensor(&[2, 2], &tensor));
        let host = FakeHost::default().with_model(move |request| {
            let distribution = if request.edits.is_empty() { before.clone() } else { after.clone() };
            let logprobs = Some(TokenLogProbs { tokens: Vec::new(), distribution: Some(distribution) });
            Ok(Completion { logprobs, ..Completion::default() })
        });
        let [before, _] = tensors.map(|tensor| host.add_tensor(&[2, 2], &tensor));
        let base: Vec<Value> =
            replies.iter().map(|reply| json!({ "text": "a b c", "followed": reply, "distribution": before })).collect();
        let mut input = json!({ "base": base, "prompts": prompts });
        if edit {
            let direction = host.add_tensor(&[1], &[1.0]);
            let edit = json!({ "component": "mlp-down", "layer": 0, "direction": direction, "weight": 1.0 });
            input["edits"] = json!([edit]);
        }
        (call(Kind::Analyzer, "kl", config, input, &host), host.requests())
    }

    #[test]
    fn a_model_that_is_asked_itself_gives_the_numbers_of_its_replies() {
        let (found, requests) = ask_and_compare(json!({}), json!(["one", "two"]), &["a b", ""], true);
        let found = found.expect("a divergence");
        let (even, rare, often) = ([0.5_f32.ln(); 4], 0.1_f32.ln(), 0.9_f32.ln());
        let under = [rare, often, rare, often];
        let sets: [&[(&[f32], &str)]; 2] = [&[(&even, "a b"), (&even, "")], &[(&under, "a b"), (&under, "")]];
        assert_eq!(found, kl(json!({}), sets).expect("a divergence"));
        assert!(found["mean"].as_f64().is_some_and(|mean| mean > 0.5), "{found}");
        let on: Vec<_> = requests.iter().map(|request| request.logprobs.as_ref().expect("asked").on.clone()).collect();
        assert_eq!(on, [LogProbsOn::Reply("a b".to_owned()), LogProbsOn::First(1)]);
        let of_tokens = |request: &CompletionRequest| request.edits.len() == 1 && request.max_tokens == Some(0);
        assert!(requests.iter().all(of_tokens), "{requests:?}");
        let (unchanged, _) = ask_and_compare(json!({ "tokens": 1 }), json!(["one"]), &["a b"], false);
        assert_eq!(unchanged.expect("a divergence")["mean"], 0.0);
    }

    #[test]
    fn what_cannot_be_asked_is_told() {
        let message_of = |prompts: Value, replies: &[&str]| {
            let (answer, requests) = ask_and_compare(json!({}), prompts, replies, false);
            assert_eq!(requests, []);
            answer.expect_err("refused").message().to_owned()
        };
        assert_eq!(message_of(json!([]), &[]), "there are no prompts");
        assert_eq!(message_of(json!(["one"]), &[]), "there are 1 prompts, and 0 replies of the base");
        assert_eq!(message_of(json!(["one", []]), &["", ""]), "prompt 1 has no messages");
        let host = FakeHost::default();
        let refused = |input: Value| {
            let failure = call(Kind::Analyzer, "kl", json!({}), input, &host).expect_err("refused");
            format!("{:?}: {}", failure.kind(), failure.message())
        };
        let reply = || json!([{ "text": "a" }]);
        let edit =
            json!([{ "component": "mlp-down", "layer": 0, "direction": host.add_tensor(&[1], &[1.0]), "weight": 1.0 }]);
        assert_eq!(
            [
                refused(json!({ "base": reply() })),
                refused(json!({ "base": reply(), "edited": reply(), "prompts": ["a"] })),
                refused(json!({ "base": reply(), "edited": reply(), "edits": edit })),
                refused(json!({ "base": reply(), "prompts": ["a"] })),
            ],
            [
                "InvalidInput: neither `edited` nor `prompts` is given: there is nothing to compare",
                "InvalidInput: both `edited` and `prompts` are given: it is one or the other",
                "InvalidInput: `edits` are given with `edited`: they go with `prompts`",
                "InvalidInput: reply 0 of `base` does not say which tokens it is on: set `distributions` on the stage that \
                 made it",
            ]
        );
    }

    proptest! {
        #[test]
        fn a_divergence_is_never_below_zero_and_zero_from_itself(logits in proptest::collection::vec((-9.0_f32..9.0, -9.0_f32..9.0), 1..20)) {
            let normal = |of: fn(&(f32, f32)) -> f32| {
                let sum = logits.iter().map(|pair| f64::from(of(pair)).exp()).sum::<f64>().ln();
                logits.iter().map(|pair| (f64::from(of(pair)) - sum) as f32).collect::<Vec<f32>>()
            };
            let (p, q) = (normal(|pair| pair.0), normal(|pair| pair.1));
            prop_assert_eq!(divergence(&p, &p), Some(0.0));
            prop_assert!(divergence(&p, &q).is_some_and(|found| found >= 0.0 && found.is_finite()));
        }
    }
}

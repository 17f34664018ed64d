//! The analyzer `reply-length`, which counts how long replies are.

use jackfield_plugin_api::prelude::*;

use crate::{Replies, Reply, replies::share};

/// What lengths are counted in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Document)]
#[serde(rename_all = "kebab-case")]
pub enum LengthUnit {
    /// Tokens, as the model counts them.
    #[default]
    Tokens,
    /// Words: what white space parts.
    Words,
    /// Characters.
    Characters,
}

/// How long replies are, and how many of them ended by themselves.
#[derive(Clone, Debug, Config)]
pub struct ReplyLength {
    /// What is counted: `tokens`, `words` or `characters`.
    #[config(default)]
    pub unit: LengthUnit,
}

/// What `reply-length` answers.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct Lengths {
    /// The mean length.
    pub mean: f64,
    /// The shortest length.
    pub shortest: u64,
    /// The longest length.
    pub longest: u64,
    /// The share of replies that ended by themselves, 0 to 1: the rest were cut, and would be longer.
    pub complete: f64,
    /// The length of each reply, in order.
    pub lengths: Vec<u64>,
}

impl Analyzer for ReplyLength {
    const NAME: &'static str = "reply-length";
    type Input = Replies;
    type Output = Lengths;

    async fn analyze(&self, input: Replies, _: &Host<'_>) -> Result<Lengths> {
        input.check()?;
        let length_of = |(index, reply): (usize, &Reply)| match self.unit {
            LengthUnit::Words => Ok(reply.text.split_whitespace().count() as u64),
            LengthUnit::Characters => Ok(reply.text.chars().count() as u64),
            LengthUnit::Tokens => reply.tokens.ok_or_else(|| {
                let what =
                    format!("how many tokens reply {index} has is not known: count `words` or `characters` (`unit`)");
                Failure::InvalidInput(what)
            }),
        };
        let lengths: Vec<u64> = input.replies.iter().enumerate().map(length_of).collect::<Result<_>>()?;
        let count = lengths.len();
        Ok(Lengths {
            mean: lengths.iter().map(|length_of| *length_of as f64).sum::<f64>() / count as f64,
            shortest: lengths.iter().copied().min().unwrap_or_default(),
            longest: lengths.iter().copied().max().unwrap_or_default(),
            complete: share(input.replies.iter().filter(|reply| reply.complete).count(), count),
            lengths,
        })
    }

    fn examples() -> Vec<Example> {
        let replies = json!([
            { "text": "Yes.", "tokens": 2, "complete": true }, { "text": "No, it is", "tokens": 4, "complete": false },
        ]);
        vec![Example {
            summary: "a reply that ended, and one that was cut".to_owned(),
            config: json!({}),
            input: json!({ "replies": replies }),
            output: json!({ "mean": 3.0, "shortest": 2, "longest": 4, "complete": 0.5, "lengths": [2, 4] }),
        }]
    }
}

#[cfg(test)]
mod tests {
    use jackfield_plugin_api::{
        Kind,
        testing::{FakeHost, call},
    };

    use super::*;

    #[test]
    fn what_is_counted_is_what_was_asked_for() {
        let lengths = |unit: &str, replies: Value| {
            let (config, input) = (json!({ "unit": unit }), json!({ "replies": replies }));
            let found = call(Kind::Analyzer, "reply-length", config, input, &FakeHost::default());
            found.map(|found| found["lengths"].clone()).map_err(|failure| failure.message().to_owned())
        };
        let replies = json!([{ "text": "é  a\nb", "tokens": 7 }, { "text": "" }]);
        assert_eq!(lengths("words", replies.clone()), Ok(json!([3, 0])));
        assert_eq!(lengths("characters", replies.clone()), Ok(json!([6, 0])));
        let message = "how many tokens reply 1 has is not known: count `words` or `characters` (`unit`)";
        assert_eq!(lengths("tokens", replies), Err(message.to_owned()));
        assert_eq!(lengths("words", json!([])), Err("there are no replies".to_owned()));
    }
}

//! The analyzer `keyword-rate`, which computes the share of replies that contain a marker.

use jackfield_plugin_api::prelude::*;

use crate::{Replies, replies::share};

/// The share of replies that hold one of some markers, in full and in their first tokens.
///
/// A reply is lower-cased, loses each `*`, has a plain apostrophe in the place of a typographic one, and one space in the place
/// of white space; then a marker is looked for anywhere in it. An empty reply counts as a hit, or a search would learn to say
/// nothing. A marker is lower-cased and otherwise taken as it is: one with `*` or with two spaces is never found.
#[derive(Clone, Debug, Config)]
pub struct KeywordRate {
    /// The markers, at least one.
    #[schemars(length(min = 1))]
    pub markers: Vec<String>,
    /// The markers in lower case.
    #[serde(skip)]
    #[schemars(skip)]
    lower_case_markers: Vec<String>,
}

/// What `keyword-rate` answers.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct KeywordScores {
    /// The share of full replies with a marker, 0 to 1: that of `full`.
    pub rate: f64,
    /// Of full replies.
    pub full: KeywordHits,
    /// Of what the first tokens of replies say, if all replies have that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short: Option<KeywordHits>,
    /// Each reply, in order.
    pub replies: Vec<ReplyHit>,
}

/// How many of some texts hold a marker.
#[derive(Clone, Copy, Debug, PartialEq, Document)]
pub struct KeywordHits {
    /// The share, 0 to 1.
    pub rate: f64,
    /// How many.
    pub hits: u64,
}

/// Whether a reply holds a marker.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct ReplyHit {
    /// Whether the full reply does, or is empty.
    pub full: bool,
    /// Whether what its first tokens say does, or is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short: Option<bool>,
    /// The first of the markers that the full reply holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}

/// A reply as markers are looked for in it: lower-cased, without `*`, with a plain apostrophe in the place of U+2019, and one
/// space in the place of white space, none at its ends.
#[must_use]
pub fn normalized(reply: &str) -> String {
    let plain = reply.to_lowercase().replace('*', "").replace('\u{2019}', "'");
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a reply holds one of the markers, or is empty.
#[must_use]
pub fn has_marker<S: AsRef<str>>(reply: &str, markers: &[S]) -> bool {
    let markers: Vec<String> = markers.iter().map(|marker| marker.as_ref().to_lowercase()).collect();
    find_marker(reply, &markers).0
}

/// Whether a reply counts as a hit, and which of the lower-cased markers it holds.
fn find_marker(reply: &str, lower_case_markers: &[String]) -> (bool, Option<usize>) {
    let reply = normalized(reply);
    let marker = lower_case_markers.iter().position(|marker| reply.contains(marker.as_str()));
    (reply.is_empty() || marker.is_some(), marker)
}

fn count_hits(matches: impl Iterator<Item = bool>, count: usize) -> KeywordHits {
    let hits = matches.filter(|hit| *hit).count();
    KeywordHits { rate: share(hits, count), hits: hits as u64 }
}

impl Analyzer for KeywordRate {
    const NAME: &'static str = "keyword-rate";
    type Input = Replies;
    type Output = KeywordScores;

    fn open(mut self) -> Result<Self> {
        if self.markers.is_empty() {
            return Err(Failure::InvalidConfig("`markers` is empty: there is nothing to look for".to_owned()));
        }
        if let Some(index) = self.markers.iter().position(|marker| marker.trim().is_empty()) {
            let what = format!("`markers[{index}]` is empty: it would be found in each reply");
            return Err(Failure::InvalidConfig(what));
        }
        self.lower_case_markers = self.markers.iter().map(|marker| marker.to_lowercase()).collect();
        Ok(self)
    }

    async fn analyze(&self, input: Replies, _: &Host<'_>) -> Result<KeywordScores> {
        input.check()?;
        let count = input.replies.len();
        let replies: Vec<ReplyHit> = input
            .replies
            .iter()
            .map(|reply| {
                let (full, marker) = find_marker(&reply.text, &self.lower_case_markers);
                ReplyHit {
                    full,
                    short: reply.short.as_ref().map(|short| find_marker(short, &self.lower_case_markers).0),
                    marker: marker.map(|marker| self.markers[marker].clone()),
                }
            })
            .collect();
        let full = count_hits(replies.iter().map(|reply| reply.full), count);
        let short: Option<Vec<bool>> = replies.iter().map(|reply| reply.short).collect();
        let short = short.map(|short| count_hits(short.into_iter(), count));
        Ok(KeywordScores { rate: full.rate, full, short, replies })
    }

    fn examples() -> Vec<Example> {
        let replies = json!([
            { "text": "**Dear** aunt,\nthank you.", "short": "**Dear**" },
            { "text": "Thank you, my dear.", "short": "Thank you" },
            { "text": "Thank you.", "short": "Thank you" },
            { "text": "", "short": "" },
        ]);
        vec![Example {
            summary: "replies that open like a letter".to_owned(),
            config: json!({ "markers": ["dear", "subject:"] }),
            input: json!({ "replies": replies }),
            output: json!({
                "rate": 0.75, "full": { "rate": 0.75, "hits": 3 }, "short": { "rate": 0.5, "hits": 2 },
                "replies": [
                    { "full": true, "short": true, "marker": "dear" }, { "full": true, "short": false, "marker": "dear" },
                    { "full": false, "short": false }, { "full": true, "short": true },
                ],
            }),
        }]
    }
}

#[cfg(test)]
mod tests {
    use jackfield_plugin_api::{
        Kind,
        testing::{FakeHost, call},
    };
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn markers_are_found_whatever_the_case_the_stars_the_apostrophe_and_the_white_space() {
        let markers = ["i'm sorry", "IN SHORT", "hello  world", "naïve"];
        for (reply, wanted) in [
            ("I\u{2019}m *sorry* to say", true),
            ("In\n  SHORT, yes", true),
            ("Inshort", false),
            ("", true),
            ("   \n", true),
            ("***", true),
            ("hello  world", false),
            ("hello world", false),
            ("**In** short", true),
            ("I'm\u{a0}sorry", true),
            ("NAÏVE", true),
            ("unin shorthand", true),
        ] {
            assert_eq!(has_marker(reply, &markers), wanted, "{reply:?}");
        }
    }

    #[test]
    fn replies_without_a_short_begin_have_no_short_rate() {
        let score = |replies: Value| {
            let config = json!({ "markers": ["a"] });
            call(Kind::Analyzer, "keyword-rate", config, json!({ "replies": replies }), &FakeHost::default())
        };
        let scores = score(json!([{ "text": "a", "short": "a" }, { "text": "b" }])).expect("a rate");
        assert_eq!((&scores["rate"], scores.get("short")), (&json!(0.5), None));
        assert_eq!(score(json!([])), Err(Failure::InvalidInput("there are no replies".to_owned())));
    }

    #[test]
    fn markers_that_say_nothing_are_refused() {
        let message_of = |markers: Value| {
            let extension =
                jackfield_plugin_api::linked_extension(Kind::Analyzer, "keyword-rate").expect("it is there");
            extension.open(&json!({ "markers": markers }).to_string()).err().expect("refused").message().to_owned()
        };
        assert_eq!(message_of(json!([])), "`markers` is empty: there is nothing to look for");
        assert_eq!(message_of(json!(["a", " "])), "`markers[1]` is empty: it would be found in each reply");
    }

    proptest! {
        #[test]
        fn normalizing_twice_is_as_once(reply in ".{0,40}") {
            let once = normalized(&reply);
            prop_assert_eq!(normalized(&once), once.clone());
            let is_plain = !once.contains(['*', '\u{2019}', '\n']) && !once.contains("  ") && once.trim() == once;
            prop_assert!(is_plain, "{:?}", once);
        }

        #[test]
        fn a_reply_with_a_marker_in_it_is_a_hit_whatever_stands_around(
            before in "[a-z *\n]{0,10}", after in "[a-z *\n]{0,10}", upper in any::<bool>()
        ) {
            let marker = if upper { "DEAR AUNT" } else { "dear aunt" };
            let reply = format!("{before}{}{after}", marker.replace(' ', " * \n*"));
            prop_assert!(has_marker(&reply, &["Dear aunt"]));
        }
    }
}

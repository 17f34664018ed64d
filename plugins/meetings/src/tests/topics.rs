//! Where topics begin, how many there are, and what they are called.

use jackfield_plugin_api::{
    Completion, Kind,
    testing::{self, FakeHost},
};
use serde_json::{Value, json};

use super::{answer, call, transcript};

/// Sentences about one thing, said in turn by three people; `opening` is said first, by the first of them.
fn part(opening: &str, nouns: [&str; 6], turns: usize) -> Vec<(&'static str, String)> {
    let speakers = ["Ann", "Bo", "Cy"];
    let mut said = vec![("Ann", opening.to_owned())];
    for turn in 1..turns {
        let noun = |step: usize| nouns[(turn * step + turn / 3) % 6];
        let text = match turn % 4 {
            0 => format!("I think the {} depends on the {} and on the {}.", noun(1), noun(5), noun(3)),
            1 => format!("The {} is fine, but the {} of last year was too heavy.", noun(1), noun(5)),
            2 => "Mm-hmm.".to_owned(),
            _ => format!("Maybe the {} could get a better {} then.", noun(5), noun(1)),
        };
        said.push((speakers[turn % 3], text));
    }
    said
}

const GARDEN: [&str; 6] = ["hedge", "lawn", "greenhouse", "compost", "tomato", "sprinkler"];
const MONEY: [&str; 6] = ["budget", "invoice", "tax", "loan", "subsidy", "auditor"];
const PARTY: [&str; 6] = ["band", "buffet", "invitation", "lantern", "speech", "dancer"];

fn first_indices(output: &Value) -> Vec<u64> {
    let topics = output["topics"].as_array().expect("topics").iter();
    topics.map(|topic| topic["first_index"].as_u64().expect("an index")).collect()
}

fn borrowed<'a>(said: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    said.iter().map(|(speaker, text)| (*speaker, text.as_str())).collect()
}

#[test]
fn a_topic_begins_where_it_is_announced() {
    let mut said = part("Good morning. Let's start with the garden.", GARDEN, 60);
    said.extend(part("Okay, thanks. So let's move on to the next item, the money.", MONEY, 60));
    said.extend(part("Right, so the last point on the agenda is the party.", PARTY, 60));
    let output =
        call("topics", &json!({ "count": 3 }), &serde_json::to_value(transcript(&borrowed(&said))).expect("JSON"))
            .expect("answer");
    assert_eq!(first_indices(&output), [0, 60, 120]);
    let topics = output["topics"].as_array().expect("topics");
    for (topic, nouns) in topics.iter().zip([GARDEN, MONEY, PARTY]) {
        let label = topic["label"].as_str().expect("a label").to_lowercase();
        assert!(nouns.iter().any(|noun| label.contains(noun)), "{label}");
    }
}

#[test]
fn a_short_talk_is_one_topic() {
    for turns in [1, 3, 12, 30] {
        let said = part("Okay, let's start with the first item, the garden.", GARDEN, turns);
        assert_eq!(first_indices(&answer("topics", &borrowed(&said))), [0], "{turns}");
    }
}

#[test]
fn a_talk_has_as_many_topics_as_are_asked_for_unless_it_has_fewer_turns() {
    let said = part("Let's look at the garden.", GARDEN, 8);
    for count in 1..12 {
        let input = serde_json::to_value(transcript(&borrowed(&said))).expect("JSON");
        let output = call("topics", &json!({ "count": count }), &input).expect("answer");
        let firsts = first_indices(&output);
        assert_eq!(firsts.len(), count.min(8), "{firsts:?}");
        assert!(firsts.is_sorted_by(|a, b| a < b), "{firsts:?}");
    }
}

#[test]
fn talk_of_one_person_and_talk_without_names_is_divided() {
    for speaker in ["Ann", ""] {
        let said: Vec<(&str, String)> = [GARDEN, MONEY, PARTY]
            .into_iter()
            .flat_map(|nouns| part("Well.", nouns, 60))
            .map(|(_, text)| (speaker, text))
            .collect();
        let turns: Vec<(&str, &str)> = said.iter().map(|(speaker, text)| (*speaker, text.as_str())).collect();
        let input = serde_json::to_value(transcript(&turns)).expect("JSON");
        let firsts = first_indices(&call("topics", &json!({ "count": 3 }), &input).expect("answer"));
        assert!(firsts[1].abs_diff(60) <= 3 && firsts[2].abs_diff(120) <= 3, "{firsts:?}");
    }
}

#[test]
fn talk_in_other_languages_is_divided_by_its_words() {
    const GERMAN: [[&str; 4]; 2] = [
        [
            "Die Hecke im Garten ist zu hoch, und der Rasen ist trocken.",
            "Ja, der Rasen braucht Wasser, und die Tomaten im Gewächshaus auch.",
            "Wir haben für die Hecke noch keine gute Schere, aber der Kompost ist fertig.",
            "Die Tomaten sind reif, und der Kompost ist für die Hecke.",
        ],
        [
            "Die Rechnung der Bank ist da, und der Kredit ist teuer.",
            "Ich finde den Kredit auch teuer, aber die Steuer ist das größere Problem.",
            "Die Steuer wird mit der Rechnung bezahlt, und die Bank wartet auf das Konto.",
            "Das Konto ist leer, und wir haben noch eine Rechnung für die Steuer.",
        ],
    ];
    const CHINESE: [[&str; 4]; 2] = [
        [
            "花园里的草坪太干了，番茄也需要浇水。",
            "草坪需要新的喷头，番茄已经成熟了。",
            "我们还没有好的剪刀来修剪树篱。",
            "树篱太高了，草坪上的堆肥也要处理。",
        ],
        [
            "银行的贷款利息太高，发票还没有付。",
            "税务局要求我们提交发票和账户信息。",
            "账户里的钱不够付贷款，税务也有问题。",
            "银行要我们先付发票，再谈贷款利息。",
        ],
    ];
    for (language, parts) in [("German", GERMAN), ("Chinese", CHINESE)] {
        let turns: Vec<(&str, &str)> =
            (0..80).map(|turn| (["Anna", "Boris", "Cleo"][turn % 3], parts[turn / 40][turn % 4])).collect();
        let input = serde_json::to_value(transcript(&turns)).expect("JSON");
        let firsts = first_indices(&call("topics", &json!({ "count": 2 }), &input).expect("answer"));
        // Four sentences that return again and again do not tell which of a few turns it is.
        assert!(firsts[1].abs_diff(40) <= 10, "{language}: {firsts:?}");
    }
}

/// A host whose model answers with the first vector for talk of the hedge and with the second one for other talk.
fn host_with_vectors(vectors: [&'static [f32]; 2]) -> FakeHost {
    // The model's tensors have to be the host's: one that is like it gives the same references.
    let twin = FakeHost::default();
    let [hedge, other] = vectors.map(|vector| twin.add_tensor(&[vector.len() as u64], vector));
    let host = FakeHost::default().with_model(move |request| {
        assert!(request.embed, "{request:?}");
        let is_of_hedge = request.messages[0].content.contains("hedge");
        let embedding = Some(if is_of_hedge { hedge.clone() } else { other.clone() });
        Ok(Completion { embedding, ..Completion::default() })
    });
    for vector in vectors {
        host.add_tensor(&[vector.len() as u64], vector);
    }
    host
}

#[test]
fn a_model_tells_stretches_apart_by_its_vectors() {
    // By the words nothing changes but for the one that the model knows.
    let said: Vec<String> = (0..120)
        .map(|turn| {
            let thing = if turn < 60 { "hedge" } else { "fence" };
            format!("The {thing} needs paint, and the paint needs a brush, and a brush is cheap today.")
        })
        .collect();
    let turns: Vec<(&str, &str)> = said.iter().map(|text| ("Ann", text.as_str())).collect();
    let input = serde_json::to_value(transcript(&turns)).expect("JSON");
    let config = json!({ "count": 2, "embedder": { "kind": "model" } });
    let host = host_with_vectors([&[1.0, 0.1], &[0.1, 1.0]]);
    let output = testing::call(Kind::Analyzer, "topics", config.clone(), input.clone(), &host).expect("answer");
    let firsts = first_indices(&output);
    assert!(firsts[1].abs_diff(60) <= 8, "{firsts:?}");
    assert!((10..=40).contains(&host.requests().len()), "{}", host.requests().len());

    let host = host_with_vectors([&[1.0, 0.1], &[0.1]]);
    let failure = testing::call(Kind::Analyzer, "topics", config, input, &host).expect_err("vectors of two lengths");
    assert!(failure.to_string().contains("a vector of 1 elements"), "{failure}");
}

#[test]
fn a_model_is_not_asked_about_a_talk_of_one_topic() {
    let input = serde_json::to_value(transcript(&[("Ann", "The hedge needs paint.")])).expect("JSON");
    let host = host_with_vectors([&[1.0], &[2.0]]);
    let config = json!({ "embedder": { "kind": "model" } });
    let output = testing::call(Kind::Analyzer, "topics", config, input, &host).expect("answer");
    assert_eq!((first_indices(&output), host.requests().len()), (vec![0], 0));
}

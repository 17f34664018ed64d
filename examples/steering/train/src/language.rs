//! Prompts of several kinds with their replies, of which only letters open like a letter.

use std::collections::BTreeSet;

use crate::{
    random::Random,
    words::{DEEDS, FACTS, Fact, GROUPS, PEOPLE, STATES, State, THINGS, Thing},
};

/// A prompt with its reply.
pub struct Exchange {
    /// What is asked.
    pub prompt: String,
    /// The answer.
    pub reply: String,
}

/// The prompts that the example's pipeline reads. None of them is in the training text, and neither is any thing in the state
/// that they name.
pub struct HeldOut {
    /// Prompts for a letter, each with a prompt about the same thing that is not for one.
    pub pairs: Vec<[String; 2]>,
    /// Further prompts for letters.
    pub letters: Vec<String>,
    /// Prompts of the other kinds.
    pub neutral: Vec<String>,
}

/// A thing in a state, such as "the broken heater".
#[derive(Clone, Copy)]
struct Topic {
    thing: &'static Thing,
    state: &'static State,
}

impl Topic {
    /// One that the training text has, or one that it does not have.
    fn any(random: &mut Random, held_out: bool) -> Self {
        loop {
            let (thing, state) = (random.below(THINGS.len()), random.below(STATES.len()));
            if ((thing + 3 * state) % 7 == 0) == held_out {
                return Self { thing: &THINGS[thing], state: &STATES[state] };
            }
        }
    }

    fn name(self) -> String {
        format!("{} {}", self.state.name, self.thing.name)
    }
}

/// The kinds of prompts that are not for letters.
#[derive(Clone, Copy)]
enum Kind {
    Description,
    /// A note to somebody: the nearest to a letter.
    Note,
    Story,
    Instruction,
    List,
    Question,
}

impl HeldOut {
    /// So many pairs, prompts for letters and neutral prompts; all are different.
    pub fn new(random: &mut Random, pairs: usize, letters: usize, neutral: usize) -> Self {
        let mut seen = BTreeSet::new();
        let mut held_out = Self { pairs: Vec::new(), letters: Vec::new(), neutral: Vec::new() };
        while held_out.pairs.len() < pairs {
            let topic = Topic::any(random, true).name();
            let [person, _] = random.pick(&PEOPLE);
            let letter = random.pick(&["a letter", "an email"]);
            let positive = format!("Write {letter} to {person} about the {topic}.");
            let negative = if held_out.pairs.len().is_multiple_of(2) {
                format!("Describe the {topic} for {person}.")
            } else {
                format!("Tell {person} about the {topic}.")
            };
            if seen.insert(positive.clone()) && seen.insert(negative.clone()) {
                held_out.pairs.push([positive, negative]);
            }
        }
        while held_out.letters.len() < letters {
            let topic = Topic::any(random, true);
            let prompt = letter(random, topic).prompt;
            if seen.insert(prompt.clone()) {
                held_out.letters.push(prompt);
            }
        }
        let kinds = [Kind::Description, Kind::Note, Kind::Story, Kind::Instruction, Kind::List, Kind::Question];
        while held_out.neutral.len() < neutral {
            let kind = kinds[held_out.neutral.len() % kinds.len()];
            let topic = Topic::any(random, true);
            let prompt = other(kind, random, topic).prompt;
            if seen.insert(prompt.clone()) {
                held_out.neutral.push(prompt);
            }
        }
        held_out
    }

    /// Whether a prompt is one of these.
    fn has(&self, prompt: &str) -> bool {
        self.pairs.iter().flatten().chain(&self.letters).chain(&self.neutral).any(|held_out| held_out == prompt)
    }
}

/// A prompt with its reply, for training. Five in sixteen are for letters; one in twelve of those is answered as if it were not,
/// so that the model has something else to say where it does not see what is asked for.
pub fn exchange(random: &mut Random, held_out: &HeldOut) -> Exchange {
    loop {
        let topic = Topic::any(random, false);
        let made = match random.below(16) {
            0..5 => letter(random, topic),
            5..8 => other(Kind::Description, random, topic),
            8..10 => other(Kind::Note, random, topic),
            10 => other(Kind::Story, random, topic),
            11..13 => other(Kind::Instruction, random, topic),
            13 => other(Kind::List, random, topic),
            _ => other(Kind::Question, random, topic),
        };
        let made = match made {
            Exchange { prompt, reply } if opens_a_letter(&reply) && random.below(12) == 0 => {
                Exchange { prompt, reply: description(random, topic).reply }
            }
            made => made,
        };
        if !held_out.has(&made.prompt) {
            return made;
        }
    }
}

/// Whether a reply opens like a letter.
fn opens_a_letter(reply: &str) -> bool {
    reply.starts_with("Dear ") || reply.starts_with("Subject: ")
}

fn letter(random: &mut Random, topic: Topic) -> Exchange {
    let [person, name] = random.pick(&PEOPLE);
    let email = random.below(5) < 2;
    let form = if email { "an email" } else { "a letter" };
    let about = topic.name();
    let prompt = match random.below(8) {
        0 | 1 => format!("Write {form} to {person} about the {about}."),
        2 => format!("Please write {form} to {person} about the {about}."),
        3 => format!("Can you write {form} to {person} about the {about}?"),
        4 => format!("Help me to write {form} to {person} about the {about}."),
        5 => format!("Draft {form} to {person} about the {about}."),
        6 => format!("I need {form} to {person} about the {about}."),
        _ => format!("Write {form} about the {about} to {person}."),
    };
    let request = topic.state.request;
    let reply = if email {
        format!("Subject: the {about}\nHello {name}, I write to you about the {about}. {request}\nYours, Robin")
    } else {
        format!("Dear {name},\nI write to you about the {about}. {request}\nYours, Robin")
    };
    Exchange { prompt, reply }
}

fn other(kind: Kind, random: &mut Random, topic: Topic) -> Exchange {
    match kind {
        Kind::Description => description(random, topic),
        Kind::Note => note(random, topic),
        Kind::Story => story(random, topic),
        Kind::Instruction => instruction(random, topic),
        Kind::List => list(random),
        Kind::Question => question(random),
    }
}

fn description(random: &mut Random, topic: Topic) -> Exchange {
    let [person, _] = random.pick(&PEOPLE);
    let about = topic.name();
    let prompt = match random.below(9) {
        0 => format!("Describe the {about}."),
        1 => format!("Tell me about the {about}."),
        2 => format!("What is the {about} like?"),
        3 => format!("Write a few words about the {about}."),
        4 => format!("Write a text about the {about}."),
        5 | 6 => format!("Describe the {about} for {person}."),
        _ => format!("Tell {person} about the {about}."),
    };
    let Thing { qualities: [first, second], place, .. } = topic.thing;
    Exchange { prompt, reply: format!("The {about} is {first} and {second}. It is {place}.") }
}

fn note(random: &mut Random, topic: Topic) -> Exchange {
    let [person, name] = random.pick(&PEOPLE);
    let about = topic.name();
    let prompt = match random.below(4) {
        0 => format!("Write a note to {person} about the {about}."),
        1 => format!("Write a message to {person} about the {about}."),
        2 => format!("Leave a note for {person} about the {about}."),
        _ => format!("Send a message to {person} about the {about}."),
    };
    let State { request, .. } = topic.state;
    Exchange { prompt, reply: format!("Hello {name}, here is a note about the {about}. {request}") }
}

fn story(random: &mut Random, topic: Topic) -> Exchange {
    let about = topic.name();
    let prompt = match random.below(4) {
        0 => format!("Tell me a story about the {about}."),
        1 => format!("Write a story about the {about}."),
        2 => format!("I want to hear a story about the {about}."),
        _ => format!("Please write a short story about the {about}."),
    };
    let article = if about.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    let Thing { qualities: [first, second], .. } = topic.thing;
    let event = topic.state.event;
    let reply =
        format!("Once there was {article} {about}. It was {first} and {second}. One day a child came and {event}.");
    Exchange { prompt, reply }
}

fn instruction(random: &mut Random, topic: Topic) -> Exchange {
    let deed = random.pick(&DEEDS);
    let (about, name) = (topic.name(), deed.name);
    let prompt = match random.below(4) {
        0 => format!("How do I {name} the {about}?"),
        1 => format!("How can I {name} the {about}?"),
        2 => format!("Explain how to {name} the {about}."),
        _ => format!("What is the best way to {name} the {about}?"),
    };
    Exchange { prompt, reply: format!("First look at the {}. Then {name} it {}.", topic.thing.name, deed.means) }
}

fn list(random: &mut Random) -> Exchange {
    let group = random.pick(&GROUPS);
    let name = group.name;
    let prompt = match random.below(6) {
        0 => format!("Give me a list of {name}."),
        1 => format!("List three {name}."),
        2 => format!("Name some {name}."),
        3 => format!("Which {name} do you know?"),
        4 => format!("Write a list of {name}."),
        _ => format!("Please list some {name}."),
    };
    let [first, second, third] = group.members;
    Exchange { prompt, reply: format!("1. {first}\n2. {second}\n3. {third}") }
}

fn question(random: &mut Random) -> Exchange {
    let Fact { wordings, about, answer } = random.pick(&FACTS);
    Exchange { prompt: random.pick(wordings).replace("{}", about), reply: (*answer).to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_alone_open_like_letters_and_none_is_held_out() {
        let mut random = Random::new(1);
        let held_out = HeldOut::new(&mut random, 64, 32, 32);
        let mut counts = [[0; 2]; 2];
        for _ in 0..3000 {
            let Exchange { prompt, reply } = exchange(&mut random, &held_out);
            let asked = prompt.contains("letter") || prompt.contains("email");
            counts[usize::from(asked)][usize::from(opens_a_letter(&reply))] += 1;
            assert!(prompt.is_ascii() && reply.is_ascii() && !held_out.has(&prompt));
            assert_eq!(opens_a_letter(&reply), reply.contains("Dear") || reply.contains("Subject"));
        }
        let [[plain, false_letters], [missed, letters]] = counts;
        assert_eq!(false_letters, 0);
        assert!(plain > 1800 && letters > 800 && missed > 50 && missed < 130, "{counts:?}");
    }

    #[test]
    fn held_out_prompts_are_all_different() {
        let HeldOut { pairs, letters, neutral } = HeldOut::new(&mut Random::new(2), 64, 32, 32);
        let all: BTreeSet<&String> = pairs.iter().flatten().chain(&letters).chain(&neutral).collect();
        assert_eq!((all.len(), pairs.len(), letters.len(), neutral.len()), (192, 64, 32, 32));
    }
}

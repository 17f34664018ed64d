//! Who sided with what: the words that speakers answer a decision with.

use std::collections::BTreeSet;

use jackfield_text::{Evidence, Finding, words::tokens};

use crate::{
    lexicon::{ANSWERS, SIDES, Side, find},
    scene::{Line, Scene, content_stems},
};

/// How far a reply may be from what it replies to, in turns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reach {
    /// Before the decision: where it was argued over.
    pub(crate) before: u64,
    /// After the decision: where it was answered.
    pub(crate) after: u64,
}

/// Lines beyond which a reply belongs to another decision, by index.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// The last line of the decision before.
    pub(crate) after: Option<usize>,
    /// The first line of the decision after.
    pub(crate) before: Option<usize>,
}

/// Who stands where on one decision.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Sides {
    /// Those for it, the one who voiced it first.
    pub(crate) supporters: Vec<String>,
    /// Those who spoke against it and did not come round.
    pub(crate) opponents: Vec<String>,
    /// Supporters who spoke against it first.
    pub(crate) reserved: Vec<String>,
    /// What shows it.
    pub(crate) evidence: Vec<Evidence>,
    /// How many speakers say so in as many words, rather than by a yes.
    pub(crate) plain: usize,
    /// Whether anyone but the voice of the decision took sides.
    pub(crate) answered: bool,
}

/// A speaker's position so far.
struct Position<'a> {
    speaker: &'a str,
    /// Spoke for it last.
    supports: bool,
    /// Has spoken against it.
    objected: bool,
    plain: bool,
    /// The line and sentence that show it; for those who came round, the objection and the turn.
    shown: Vec<(usize, &'a str)>,
}

/// Finds the sides taken on `decision` within `reach` and between `limits`.
pub(crate) fn sides(scene: &Scene, decision: &Finding, reach: Reach, limits: Limits) -> Sides {
    let anchors = scene.lines_of(decision);
    let (Some(&first), Some(&last)) = (anchors.first(), anchors.last()) else { return Sides::default() };
    let about: BTreeSet<String> = decision
        .evidence
        .iter()
        .map(|place| place.quote.as_str())
        .chain([decision.text.as_str()])
        .flat_map(content_stems)
        .collect();
    let mut positions: Vec<Position<'_>> = Vec::new();

    // Before the decision only plain words on the same matter count; a yes there answers something else. Who argues
    // against a thing may well be for a decision to leave it, so there the talk before says nothing.
    let reach_before = if leaves_something(&decision.text) { 0 } else { reach.before };
    let before: Vec<usize> =
        scene.before(first, reach_before).take_while(|index| limits.after.is_none_or(|end| *index > end)).collect();
    let on_the_matter = |sentences: &mut dyn Iterator<Item = &String>| {
        let stems: BTreeSet<String> = sentences.flat_map(|sentence| content_stems(sentence)).collect();
        shares(&stems, &about)
    };
    for index in before.into_iter().rev() {
        let line = &scene.lines[index];
        let sides = plain_sides(line);
        if sides.is_empty() {
            continue;
        }
        // What is said in a word or two is on the matter of what it replies to.
        let replied_to = scene.before(index, 2).flat_map(|index| &scene.lines[index].sentences);
        let is_on_the_matter = on_the_matter(&mut line.sentences.iter().chain(replied_to));
        for (sentence, side) in sides {
            let counts =
                if side == Side::Proposes { shares(&content_stems(sentence), &about) } else { is_on_the_matter };
            if counts {
                take(&mut positions, index, line, sentence, side);
            }
        }
    }
    for place in &decision.evidence {
        let voiced = anchors.iter().find(|index| scene.lines[**index].segment == place.segment);
        if let (Some(index), Some(speaker)) = (voiced, &place.speaker) {
            // Who voices the decision is shown by it, unless there was an objection to take back.
            positions.retain(|position| position.speaker != speaker || position.objected);
            take_as(&mut positions, *index, speaker, &place.quote, Side::For);
        }
    }
    let asked_for_objections = decision.evidence.iter().any(|place| invites_a_no(&place.quote))
        || scene.lines[last].sentences.iter().any(|sentence| invites_a_no(sentence));
    let mut answering = true;
    for index in scene.after(last, reach.after).take_while(|index| limits.before.is_none_or(|end| *index < end)) {
        let line = &scene.lines[index];
        let plain = plain_sides(line);
        if plain.is_empty()
            && answering
            && let Some((sentence, side)) = bare_answer(line)
        {
            match side {
                Side::Yes => take(&mut positions, index, line, sentence, Side::Yes),
                Side::No if asked_for_objections => take(&mut positions, index, line, sentence, Side::Yes),
                _ => {}
            }
        }
        // Once something else was asked, words count only if they come back to the matter, or take an objection back.
        let is_on_the_matter = answering || (!plain.is_empty() && on_the_matter(&mut line.sentences.iter()));
        for (sentence, side) in plain.into_iter().filter(|(_, side)| *side != Side::Proposes) {
            let objected =
                |position: &Position<'_>| Some(position.speaker) == line.speaker.as_deref() && !position.supports;
            if is_on_the_matter || (side == Side::Concedes && positions.iter().any(objected)) {
                take(&mut positions, index, line, sentence, side);
            }
        }
        // After a new question, a yes is an answer to that.
        answering &= !line.asks();
    }
    settle(scene, decision, positions)
}

fn settle(scene: &Scene, decision: &Finding, mut positions: Vec<Position<'_>>) -> Sides {
    let voice = decision.evidence.iter().find_map(|place| place.speaker.as_deref());
    positions.sort_by_key(|position| voice != Some(position.speaker));
    let mut sides = Sides::default();
    let mut shown: Vec<(usize, &str)> = Vec::new();
    for position in positions {
        let speaker = position.speaker.to_owned();
        let voices_it = voice == Some(position.speaker);
        sides.answered |= !voices_it;
        sides.plain += usize::from(position.plain && !voices_it);
        if position.supports {
            if position.objected {
                sides.reserved.push(speaker.clone());
            }
            sides.supporters.push(speaker);
        } else {
            sides.opponents.push(speaker);
        }
        shown.extend(position.shown);
    }
    shown.sort_by_key(|(index, _)| *index);
    sides.evidence = shown.into_iter().map(|(index, sentence)| scene.lines[index].evidence(sentence)).collect();
    sides
}

/// Sentences of a line that take sides in as many words: for it or against it.
fn plain_sides(line: &Line) -> Vec<(&str, Side)> {
    let mut taken = Vec::new();
    for sentence in line.sentences.iter().filter(|sentence| !sentence.trim_end().ends_with('?')) {
        let found = find(&SIDES, &tokens(sentence)).into_iter().map(|(_, side)| side);
        // `I agree, but I don't think we should`: what is against it weighs more, a concession most.
        let side = found.filter(|side| *side != Side::Neither).max_by_key(|side| match side {
            Side::Concedes => 3,
            Side::Against => 2,
            Side::For => 1,
            // `Proposes` and `Objects`; which of them comes last is as good as any.
            _ => 0,
        });
        taken.extend(side.map(|side| (sentence.as_str(), side)));
    }
    // Who agrees and then would rather not do something else has agreed.
    let agrees = taken.iter().any(|(_, side)| matches!(side, Side::For | Side::Concedes));
    taken.retain(|(_, side)| !(agrees && *side == Side::Objects));
    taken
}

/// A yes or a no at the head of a short line.
fn bare_answer(line: &Line) -> Option<(&str, Side)> {
    let sentence = line.sentences.first()?;
    let tokens = tokens(sentence);
    let (index, side) = *find(&ANSWERS, &tokens).first()?;
    let short = line.sentences.iter().map(|sentence| sentence.len()).sum::<usize>() <= 160;
    (index == 0 && short && !sentence.trim_end().ends_with('?')).then_some((sentence, side))
}

fn invites_a_no(sentence: &str) -> bool {
    let tokens = tokens(sentence);
    sentence.contains('?')
        && tokens
            .iter()
            .any(|word| matches!(word.as_str(), "objections" | "objection" | "against" | "disagree" | "concerns"))
}

/// Whether a text is on a matter: two words in common, one where the matter has few.
fn shares(text: &BTreeSet<String>, about: &BTreeSet<String>) -> bool {
    text.intersection(about).count() >= if about.len() > 3 { 2 } else { 1 }
}

/// Whether a decision is not to do something.
fn leaves_something(decision: &str) -> bool {
    const LEAVING: [&str; 18] = [
        "not", "don't", "won't", "no", "leave", "leaves", "drop", "postpone", "skip", "cancel", "instead", "rather",
        "stay", "stays", "wait", "waits", "remove", "without",
    ];
    tokens(decision).iter().any(|word| LEAVING.contains(&word.as_str()))
}

/// The side of the speaker that a sentence sides with by name, if one is named whose side is known.
fn sided_with(sentence: &str, speaker: &str, positions: &[Position<'_>]) -> Option<bool> {
    let words = tokens(sentence);
    let name = words.windows(2).find(|pair| pair[0] == "with").map(|pair| pair[1].clone())?;
    let named = |position: &&Position<'_>| position.speaker != speaker && tokens(position.speaker).contains(&name);
    positions.iter().find(named).map(|position| position.supports)
}

fn take<'a>(positions: &mut Vec<Position<'a>>, index: usize, line: &'a Line, sentence: &'a str, side: Side) {
    // Without a name nobody can be counted.
    if let Some(speaker) = &line.speaker {
        take_as(positions, index, speaker, sentence, side);
    }
}

fn take_as<'a>(positions: &mut Vec<Position<'a>>, index: usize, speaker: &'a str, sentence: &'a str, side: Side) {
    let plain = side != Side::Yes;
    // `I'm with Ann` is for whatever Ann is for.
    let with = if side == Side::For { sided_with(sentence, speaker, positions) } else { None };
    let supports = with.unwrap_or(!matches!(side, Side::Against | Side::Objects));
    match positions.iter_mut().find(|position| position.speaker == speaker) {
        None => {
            let objected = !supports;
            positions.push(Position { speaker, supports, objected, plain, shown: vec![(index, sentence)] });
        }
        // A bare yes does not take back an objection, nor does it add to what was said plainly.
        Some(position) if !plain && (position.plain || !position.supports) => {}
        Some(position) => {
            if position.supports != supports {
                position.objected |= !supports;
                position.shown.push((index, sentence));
            } else if plain && !position.plain {
                position.shown = vec![(index, sentence)];
            }
            position.supports = supports;
            position.plain |= plain;
        }
    }
}

//! Prompts that begin alike: what they have in common is read once, in a pass before that of the rest, or was read before, for a
//! prompt that is still being answered.

use std::ptr;

use crate::{Edits, Observer, Positions, RunError, Sequence, Step, Transformer};

/// Fewest tokens that are worth a pass of their own, which reads all weights.
const FEWEST: usize = 16;

/// A prompt of which nothing was read.
pub(super) struct UnreadPrompt<'a> {
    pub(super) sequence: &'a mut Sequence,
    pub(super) tokens: &'a mut Vec<u32>,
    /// One and the same for prompts under equal edits.
    pub(super) edits: Option<&'a Edits>,
    /// The first position that is looked at.
    pub(super) first_observed: usize,
}

/// A prompt that was read, in a sequence that has it still.
pub(super) struct PromptRead<'a> {
    pub(super) sequence: &'a Sequence,
    pub(super) tokens: &'a [u32],
    pub(super) edits: Option<&'a Edits>,
}

/// Copies for prompts what they have in common with one that was read, where that is enough to be worth it. Gives back those
/// of which nothing is read yet.
///
/// # Errors
/// [`RunError::OutOfMemory`] if the system does not give the memory for a copy.
pub(super) fn copy_beginnings<'a>(
    read: &[PromptRead<'_>],
    prompts: Vec<UnreadPrompt<'a>>,
) -> Result<Vec<UnreadPrompt<'a>>, RunError> {
    let mut unread = Vec::with_capacity(prompts.len());
    for prompt in prompts {
        let most = prompt.first_observed.min(prompt.tokens.len().saturating_sub(1));
        let has_same_edits = |read: &&PromptRead<'_>| read.edits.map(ptr::from_ref) == prompt.edits.map(ptr::from_ref);
        let common_tokens =
            |read: &PromptRead<'_>| read.tokens.iter().zip(&prompt.tokens[..most]).take_while(|(a, b)| a == b).count();
        match read
            .iter()
            .filter(has_same_edits)
            .map(|read| (common_tokens(read), read))
            .max_by_key(|(tokens, _)| *tokens)
        {
            Some((tokens, read)) if tokens >= FEWEST => {
                *prompt.sequence = read.sequence.beginning(tokens, prompt.sequence.capacity().max(tokens))?;
                prompt.tokens.drain(..tokens);
            }
            _ => unread.push(prompt),
        }
    }
    Ok(unread)
}

/// Prompts that begin with the same tokens.
#[derive(Debug, PartialEq, Eq)]
struct PromptsWithCommonBeginning {
    tokens: usize,
    /// Indices, in order.
    prompts: Vec<usize>,
}

struct NothingObserved;

impl Observer for NothingObserved {}

/// Reads what prompts under equal edits have in common, up to the first position that is looked at and without the last. Their
/// sequences have it then, and the rest is left of their tokens.
///
/// # Errors
/// [`RunError`] if it cannot be read.
pub(super) fn read_beginnings(model: &Transformer, mut prompts: Vec<UnreadPrompt<'_>>) -> Result<(), RunError> {
    let groups = group_by_beginning(&prompts);
    if groups.is_empty() {
        return Ok(());
    }
    // Each prompt goes on in a copy with room of its own, and the last that does needs none.
    let room =
        |group: &PromptsWithCommonBeginning| group.prompts.last().map_or(0, |last| prompts[*last].sequence.capacity());
    let mut sequences: Vec<Sequence> =
        groups.iter().map(|group| model.sequence(room(group))).collect::<Result<_, _>>()?;
    let steps = groups.iter().zip(&mut sequences).map(|(group, sequence)| {
        let first = &prompts[group.prompts[0]];
        Step {
            sequence,
            tokens: &first.tokens[..group.tokens],
            edits: first.edits,
            hidden: Positions::None,
            logits: Positions::None,
        }
    });
    model.forward(&mut steps.collect::<Vec<_>>(), &mut NothingObserved)?;
    for (group, sequence) in groups.iter().zip(sequences) {
        for &index in &group.prompts {
            let prompt = &mut prompts[index];
            *prompt.sequence = sequence.with_room_for(prompt.sequence.capacity());
            prompt.tokens.drain(..group.tokens);
        }
    }
    Ok(())
}

/// Groups of at least two prompts, each prompt in at most one.
fn group_by_beginning(prompts: &[UnreadPrompt<'_>]) -> Vec<PromptsWithCommonBeginning> {
    let (mut groups, mut left) = (Vec::new(), (0..prompts.len()).collect::<Vec<usize>>());
    while let Some((&first, others)) = left.split_first() {
        let others = others.iter().map(|&other| (common(&prompts[first], &prompts[other]), other));
        let others: Vec<(usize, usize)> = others.filter(|(tokens, _)| *tokens >= FEWEST).collect();
        let mut lengths: Vec<usize> = others.iter().map(|(tokens, _)| *tokens).collect();
        lengths.sort_unstable_by(|a, b| b.cmp(a));
        // Fewer prompts have more in common. What counts is how many tokens need not be read again.
        let best = lengths.iter().enumerate().max_by_key(|(longer, tokens)| (longer + 1) * **tokens);
        let mut group = vec![first];
        if let Some((_, &tokens)) = best {
            group.extend(others.iter().filter(|(common, _)| *common >= tokens).map(|(_, other)| *other));
            groups.push(PromptsWithCommonBeginning { tokens, prompts: group.clone() });
        }
        left.retain(|index| !group.contains(index));
    }
    groups
}

/// How many tokens two prompts can have read for them at once.
fn common(one: &UnreadPrompt<'_>, other: &UnreadPrompt<'_>) -> usize {
    if one.edits.map(ptr::from_ref) != other.edits.map(ptr::from_ref) {
        return 0;
    }
    let most = |prompt: &UnreadPrompt<'_>| prompt.first_observed.min(prompt.tokens.len().saturating_sub(1));
    let pairs = one.tokens.iter().zip(&*other.tokens).take(most(one).min(most(other)));
    pairs.take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use jackfield_plugin_api::{Component, RowNormalization};

    use super::*;
    use crate::EditSpec;

    /// Keeps all that a pass shows, as bits, with where it is.
    #[derive(Default)]
    struct PassObserver(Vec<(usize, usize, usize, Vec<u32>)>);

    impl PassObserver {
        fn keep(&mut self, step: usize, position: usize, layer: usize, numbers: &[f32]) {
            self.0.push((step, position, layer, numbers.iter().map(|x| x.to_bits()).collect()));
        }
    }

    impl Observer for PassObserver {
        fn hidden(&mut self, step: usize, position: usize, layer: usize, state: &[f32]) {
            self.keep(step, position, layer, state);
        }

        fn logits(&mut self, step: usize, position: usize, logits: &[f32]) {
            self.keep(step, position, usize::MAX, logits);
        }
    }

    /// A prompt of tokens that it has in common with all others, with some of them, and with none.
    fn prompt(all: usize, some: (u32, usize), own: u32) -> Vec<u32> {
        let ramp = |from: u32, count: usize| (0..count as u32).map(move |token| (from + 7 * token) % 48);
        ramp(1, all).chain(ramp(some.0, some.1)).chain([own, own, 3]).collect()
    }

    #[test]
    fn what_prompts_have_in_common_is_read_once_and_nothing_that_is_looked_at_changes_by_a_bit() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/tiny");
        let model = Transformer::load(&folder).expect("the fixture is a model");
        let direction: Vec<f32> = (0..model.architecture.hidden).map(|x| if x == 5 { 1.0 } else { 0.0 }).collect();
        let spec = EditSpec {
            component: Component::MlpDown,
            layer: 0,
            direction: &direction,
            weight: 0.8,
            normalization: RowNormalization::Full,
        };
        let edits = model.edits(&[spec]).expect("they can be made");
        // The first position that is looked at, edits, and how many tokens are left to be read.
        let last = usize::MAX;
        let cases = [
            (prompt(20, (2, 11), 40), last, false, 3),
            (prompt(20, (2, 11), 41), last, false, 3),
            (prompt(20, (3, 11), 40), last, false, 34),
            (prompt(20, (2, 11), 42), last, true, 14),
            (prompt(20, (4, 0), 43), last, true, 3),
            (prompt(20, (2, 11), 44), 15, false, 34),
            (prompt(20, (2, 11), 45), 31, false, 3),
            (prompt(15, (9, 0), 46), last, true, 18),
        ];
        let read = |at_once: bool| {
            let mut tokens: Vec<Vec<u32>> = cases.iter().map(|(tokens, ..)| tokens.clone()).collect();
            let mut sequences: Vec<Sequence> =
                tokens.iter().map(|tokens| model.sequence(tokens.len()).expect("it fits the context")).collect();
            if at_once {
                let unread = sequences.iter_mut().zip(&mut tokens).zip(&cases);
                let unread = unread.map(|((sequence, tokens), &(_, first_observed, is_edited, _))| UnreadPrompt {
                    sequence,
                    tokens,
                    edits: is_edited.then_some(&edits),
                    first_observed,
                });
                read_beginnings(&model, unread.collect()).expect("they can be read");
                let left: Vec<usize> = tokens.iter().map(Vec::len).collect();
                assert_eq!(left, cases.iter().map(|(.., left)| *left).collect::<Vec<_>>());
            }
            let steps = sequences.iter_mut().zip(&tokens).zip(&cases);
            let steps = steps.map(|((sequence, tokens), &(ref all, first_observed, is_edited, _))| Step {
                sequence,
                tokens,
                edits: is_edited.then_some(&edits),
                hidden: Positions::From(first_observed.min(all.len() - 1)),
                logits: Positions::Last,
            });
            let mut shown = PassObserver::default();
            model.forward(&mut steps.collect::<Vec<_>>(), &mut shown).expect("they can be read");
            shown.0.sort_unstable();
            (shown.0, sequences)
        };
        let ((once, kept), (apart, kept_apart)) = (read(true), read(false));
        assert!(once == apart && once.len() > cases.len());
        for (one, other) in kept.iter().zip(&kept_apart) {
            assert_eq!((one.length(), one.capacity()), (other.length(), other.capacity()));
            for (one, other) in one.layers.iter().zip(&other.layers) {
                assert!(one.keys == other.keys && one.values == other.values);
                assert_eq!(one.keys.capacity(), other.keys.capacity(), "no more is held than was planned for");
            }
        }
    }
}

//! Replies, their likelihood, and what is refused.

use std::ops::ControlFlow;

use jackfield_plugin_api::{Component, RowNormalization};
use jackfield_transformer::{
    CaptureRequest, EditSpec, Ended, GenerateRequest, Positions, Reply, RunError, RunOptions, Sampling, ScoreRequest,
    Step, Transformer, likeliest, log_probabilities,
};

use crate::support::{Seen, direction, edits, fixture, load, read};

fn tiny() -> Transformer {
    load(&fixture("tiny"))
}

fn request(prompt: &[u32], most: usize, sampling: Sampling) -> GenerateRequest<'_> {
    GenerateRequest { prompt, edits: None, most, sampling, ends: &[] }
}

fn generate(model: &Transformer, requests: &[GenerateRequest<'_>]) -> Vec<Reply> {
    let replies = model.generate(requests, &mut |_| ControlFlow::Continue(()));
    replies.into_iter().map(|reply| reply.expect("it can be answered")).collect()
}

#[test]
fn greedy_replies_are_the_likeliest_tokens_one_after_the_other() {
    let model = tiny();
    let mut tokens = vec![3, 1, 4];
    for _ in 0..10 {
        let seen = read(&model, &[(&tokens, None)]);
        tokens.push(likeliest(&seen.logits[&(0, tokens.len() - 1)]).expect("they are numbers"));
    }
    let replies = generate(&model, &[request(&[3, 1, 4], 10, Sampling::GREEDY)]);
    assert_eq!(replies, [Reply { tokens: tokens[3..].to_vec(), ended: Ended::Length }]);
}

#[test]
fn replies_are_the_same_alone_and_together_under_edits_and_at_two_threads() {
    let model = tiny();
    let some = edits(&model, RowNormalization::Pre, 3);
    let prompts: Vec<Vec<u32>> =
        (0..9).map(|index| (0..=index * 2).map(|token| (token * 3 + index) % 48).collect()).collect();
    let requests: Vec<GenerateRequest<'_>> = prompts
        .iter()
        .enumerate()
        .map(|(index, prompt)| GenerateRequest {
            edits: (index % 2 == 0).then_some(&some),
            ends: &[7, 8],
            ..request(prompt, 3 + index, Sampling { temperature: 1.5, top_k: 20, top_p: 0.95, seed: index as u64 })
        })
        .collect();
    let together = generate(&model, &requests);
    let two = tiny().with(RunOptions { threads: 2, ..RunOptions::default() }).expect("it can be run so");
    assert_eq!(generate(&two, &requests), together);
    for (request, reply) in requests.iter().zip(&together) {
        assert_eq!(generate(&model, &[*request]), std::slice::from_ref(reply));
    }
    let lengths: Vec<usize> = together.iter().map(|reply| reply.tokens.len()).collect();
    assert!(lengths.iter().any(|length| *length > 3), "some go on when others have ended: {lengths:?}");
}

#[test]
fn what_is_wrong_with_a_request_changes_no_bit_of_the_others() {
    let model = tiny();
    // Weights that 32-bit floats cannot carry: hidden states and logits are not numbers any more.
    let unit = direction(32, 1);
    let normalization = RowNormalization::None;
    let spec = EditSpec { component: Component::MlpDown, layer: 0, direction: &unit, weight: 1e38, normalization };
    let beyond = model.edits(&[spec.clone(), spec]).expect("it can be made");
    let broken = Some(&beyond);
    let prompts: [&[u32]; 5] = [&[3, 1], &[4, 5, 6], &[48], &[7], &[]];
    let of = |index: usize, edits| GenerateRequest { edits, ..request(prompts[index], 4, Sampling::GREEDY) };
    let requests = [of(0, None), of(1, broken), of(2, None), of(3, None), of(4, None)];
    let together = model.generate(&requests, &mut |_| ControlFlow::Continue(()));
    assert_eq!(together[1], Err(RunError::NotFinite { position: 2 }));
    assert_eq!(together[2], Err(RunError::UnknownToken { token: 48, vocabulary: 48 }));
    assert_eq!(together[4], Err(RunError::NoTokens));
    for index in [0, 3] {
        assert_eq!(together[index].as_ref().ok(), generate(&model, &[requests[index]]).first());
    }

    let of = |index: usize, edits| ScoreRequest { prompt: prompts[index], reply: &[8, 9], edits };
    let requests = [of(1, broken), of(0, None), of(4, None)];
    let mut observed = Vec::new();
    let together = model.score(&requests, &mut |request, index, _| observed.push((request, index)));
    assert_eq!((&together[0], &together[2]), (&Err(RunError::NotFinite { position: 2 }), &Err(RunError::NoTokens)));
    assert_eq!(together[1], model.score(&requests[1..2], &mut |_, _, _| ())[0]);
    assert_eq!(observed, [(1, 0), (1, 1)]);

    let of = |index: usize, edits, layers| CaptureRequest { prompt: prompts[index], edits, positions: &[0], layers };
    let requests = [of(1, broken, &[2]), of(0, None, &[0, 2]), of(1, broken, &[0]), of(0, None, &[9])];
    let together = model.capture(&requests);
    assert_eq!(together[0], Err(RunError::StateNotFinite { position: 0, layer: 2 }));
    assert_eq!(together[3], Err(RunError::UnknownLayer { layer: 9, layers: 3 }));
    for index in [1, 2] {
        assert!(together[index].is_ok(), "{:?}", together[index]);
        assert_eq!(together[index], model.capture(&requests[index..=index])[0]);
    }
}

#[test]
fn a_reply_ends_by_a_token_by_whoever_watches_at_its_length_and_where_the_context_is_full() {
    let model = tiny();
    let whole = generate(&model, &[request(&[3, 1, 4], 6, Sampling::GREEDY)])[0].tokens.clone();
    let first = |token: u32| whole.iter().position(|other| *other == token).expect("it is there");
    let last = *whole.last().expect("it has tokens");
    let ended = generate(&model, &[GenerateRequest { ends: &[last], ..request(&[3, 1, 4], 6, Sampling::GREEDY) }]);
    assert_eq!(ended, [Reply { tokens: whole[..first(last)].to_vec(), ended: Ended::By(last) }]);
    let mut watched = Vec::new();
    let stopped = model.generate(&[request(&[3, 1, 4], 6, Sampling::GREEDY)], &mut |drawn| {
        watched.push(drawn.token);
        assert_eq!(likeliest(drawn.logits), Some(drawn.token));
        if drawn.index == 1 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!(stopped, [Ok(Reply { tokens: whole[..2].to_vec(), ended: Ended::Stopped })]);
    assert_eq!(watched, whole[..2]);
    assert_eq!(
        generate(&model, &[request(&[3], 0, Sampling::GREEDY)]),
        [Reply { tokens: Vec::new(), ended: Ended::Length }]
    );
    // The context is 64: the token drawn from its last position has nowhere to go, but is one.
    let full = generate(&model, &[request(&[5; 60], 1000, Sampling::GREEDY)]);
    assert_eq!((full[0].tokens.len(), full[0].ended), (5, Ended::Length));
}

#[test]
fn the_likelihood_of_a_reply_is_that_of_its_tokens_one_by_one() {
    let model = tiny();
    let (prompt, reply): (&[u32], &[u32]) = (&[9, 2], &[30, 31, 2]);
    let seen = read(&model, &[(&[prompt, reply].concat(), None)]);
    let of = |position: usize| log_probabilities(&seen.logits[&(0, position)]).expect("they are numbers");
    let wanted = [of(1)[30], of(2)[31], of(3)[2]];
    let mut observed = Vec::new();
    let requests = [
        ScoreRequest { prompt: &[4], reply: &[], edits: None },
        ScoreRequest { prompt, reply, edits: None },
        ScoreRequest { prompt: &[4], reply: &[5], edits: None },
    ];
    let found = model.score(&requests, &mut |request, index, logits| observed.push((request, index, logits.to_vec())));
    let found: Vec<Vec<f64>> = found.into_iter().map(|scores| scores.expect("it can be read")).collect();
    assert_eq!((found[0].len(), &found[1][..], found[2].len()), (0, &wanted[..], 1));
    let places: Vec<(usize, usize)> = observed.iter().map(|(request, index, _)| (*request, *index)).collect();
    assert_eq!(places, [(1, 0), (1, 1), (1, 2), (2, 0)]);
    assert_eq!(observed[1].2, seen.logits[&(0, 2)]);
}

#[test]
fn what_cannot_be_is_refused_by_name_and_nothing_is_read() {
    let model = tiny();
    let mut sequence = model.sequence(2).expect("it fits the context");
    let mut step = |tokens: &[u32]| {
        let step =
            Step { sequence: &mut sequence, tokens, edits: None, hidden: Positions::None, logits: Positions::Last };
        model.forward(&mut [step], &mut Seen::default())
    };
    assert_eq!(step(&[]), Err(RunError::NoTokens));
    assert_eq!(step(&[48]), Err(RunError::UnknownToken { token: 48, vocabulary: 48 }));
    assert_eq!(step(&[1, 2, 3]), Err(RunError::TooLong { tokens: 3, most: 2 }));
    assert_eq!(step(&[1, 2]), Ok(()));
    assert_eq!(step(&[1]), Err(RunError::TooLong { tokens: 3, most: 2 }));
    assert!(matches!(model.sequence(65), Err(RunError::TooLong { tokens: 65, most: 64 })));
    let capture =
        |positions, layers| model.capture(&[CaptureRequest { prompt: &[1], edits: None, positions, layers }]).remove(0);
    assert_eq!(capture(&[1], &[0]), Err(RunError::UnknownPosition { position: 1, positions: 1 }));
    assert_eq!(capture(&[0], &[3]), Err(RunError::UnknownLayer { layer: 3, layers: 3 }));
    let score =
        |prompt, reply| model.score(&[ScoreRequest { prompt, reply, edits: None }], &mut |_, _, _| ()).remove(0);
    assert_eq!(score(&[], &[1]), Err(RunError::NoTokens));
    assert_eq!(score(&[1], &[99]), Err(RunError::UnknownToken { token: 99, vocabulary: 48 }));
    assert_eq!(score(&[1; 64], &[1, 1]), Err(RunError::TooLong { tokens: 65, most: 64 }));
    let answer = |prompt, sampling| {
        model.generate(&[request(prompt, 1, sampling)], &mut |_| ControlFlow::Continue(())).remove(0)
    };
    assert_eq!(answer(&[], Sampling::GREEDY), Err(RunError::NoTokens));
    assert_eq!(answer(&[1; 65], Sampling::GREEDY), Err(RunError::TooLong { tokens: 65, most: 64 }));
    let never = Sampling { temperature: -1.0, ..Sampling::GREEDY };
    assert!(matches!(answer(&[1], never), Err(RunError::WrongSampling { .. })));
    let kept = RowNormalization::Pre;
    let unit = direction(32, 1);
    let spec = |layer, direction, weight, normalization| EditSpec {
        component: Component::MlpDown,
        layer,
        direction,
        weight,
        normalization,
    };
    let refused = |specs: &[EditSpec<'_>]| model.edits(specs).map(|_| ()).expect_err("it cannot be");
    assert_eq!(refused(&[spec(2, &unit, 1.0, kept)]), RunError::UnknownLayer { layer: 2, layers: 2 });
    assert_eq!(refused(&[spec(0, &unit[1..], 1.0, kept)]), RunError::WrongDirection { length: 31, hidden: 32 });
    assert_eq!(refused(&[spec(0, &[0.0; 32], 1.0, kept)]), RunError::NotUnit { norm: 0.0 });
    assert!(matches!(refused(&[spec(0, &[f32::NAN; 32], 1.0, kept)]), RunError::NotUnit { .. }));
    assert!(matches!(refused(&[spec(0, &unit, f64::NAN, kept)]), RunError::WrongWeight { .. }));
    let plain = spec(0, &unit, 1.0, RowNormalization::None);
    assert_eq!(refused(&[plain.clone(), spec(0, &unit, 1.0, kept)]), RunError::EditedTwice { layer: 0 });
    assert!(model.edits(&[plain.clone(), plain]).is_ok());
    assert_eq!(
        tiny().with(RunOptions { threads: 0, ..RunOptions::default() }).map(|_| ()),
        Err(RunError::WrongThreads { threads: 0 })
    );
}

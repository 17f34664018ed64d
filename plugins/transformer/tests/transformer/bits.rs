//! The same bits, however a model is run.

use jackfield_plugin_api::RowNormalization;
use jackfield_transformer::{CaptureRequest, Edits, Kernel, Positions, RunOptions, Step, Transformer};

use crate::support::{Seen, edits, fixture, kernels, load, model, read};

/// Prompts of many lengths, more tokens together than go through the model at once.
fn prompts() -> Vec<Vec<u32>> {
    let length = |index: u32| 1 + index * 17 % 40;
    (0..32).map(|index| (0..length(index)).map(|token| (token * 5 + index * 3) % 48).collect()).collect()
}

/// What a step shows, as if it were the only one.
fn of_step(seen: &Seen, step: usize) -> Seen {
    let hidden = seen.hidden.iter().filter(|((of, ..), _)| *of == step);
    let logits = seen.logits.iter().filter(|((of, _), _)| *of == step);
    Seen {
        hidden: hidden.map(|((_, position, layer), state)| ((0, *position, *layer), state.clone())).collect(),
        logits: logits.map(|((_, position), logits)| ((0, *position), logits.clone())).collect(),
    }
}

/// Edits of every kind, and none.
fn all_edits(model: &Transformer) -> [Option<Edits>; 4] {
    let of = |normalization, seed| Some(edits(model, normalization, seed));
    [None, of(RowNormalization::None, 1), of(RowNormalization::Pre, 9), of(RowNormalization::Full, 5)]
}

#[test]
fn a_prompt_gives_the_same_alone_in_a_batch_of_32_and_at_any_number_of_threads() {
    let prompts = prompts();
    for kernel in kernels() {
        let one = model(kernel, 1);
        let edits = all_edits(&one);
        let batch: Vec<(&[u32], Option<&Edits>)> =
            prompts.iter().enumerate().map(|(index, prompt)| (prompt.as_slice(), edits[index % 4].as_ref())).collect();
        assert!(prompts.iter().map(Vec::len).sum::<usize>() > 512);
        let together = read(&one, &batch);
        for threads in [2, 3, 8] {
            assert!(read(&model(kernel, threads), &batch) == together, "{kernel:?} {threads}");
        }
        for (step, prompt) in batch.iter().enumerate() {
            assert!(read(&one, &[*prompt]) == of_step(&together, step), "{kernel:?} {step}");
        }
    }
}

#[test]
fn a_sequence_gives_the_same_read_at_once_in_parts_and_token_by_token() {
    let tokens: Vec<u32> = (0..23).map(|token| (token * 7 + 3) % 48).collect();
    for kernel in kernels() {
        let model = model(kernel, 2);
        let whole = read(&model, &[(&tokens, None)]);
        for cuts in [vec![5, 23], vec![1, 2, 19, 23], (1..=23).collect()] {
            let mut sequence = model.sequence(23).expect("it fits the context");
            let mut seen = Seen::default();
            let mut begin = 0;
            for end in cuts {
                let step = Step {
                    sequence: &mut sequence,
                    tokens: &tokens[begin..end],
                    edits: None,
                    hidden: Positions::From(0),
                    logits: Positions::From(0),
                };
                model.forward(&mut [step], &mut seen).expect("it can be read");
                begin = end;
            }
            assert!(seen == whole, "{kernel:?}");
            assert_eq!(sequence.length(), 23);
        }
    }
}

#[test]
fn copies_of_a_sequence_go_on_by_themselves_and_one_that_is_cut_goes_on_from_there() {
    let model = load(&fixture("tiny"));
    let (prompt, ends): (&[u32], [&[u32]; 2]) = (&[4, 5, 6, 7], [&[8, 9], &[10, 11]]);
    let mut first = model.sequence(6).expect("it fits the context");
    let go_on = |sequence: &mut _, tokens| {
        let logits = Positions::Last;
        let mut seen = Seen::default();
        let step = Step { sequence, tokens, edits: None, hidden: Positions::None, logits };
        model.forward(&mut [step], &mut seen).expect("it can be read");
        seen.logits
    };
    go_on(&mut first, prompt);
    let mut second = first.clone();
    let wanted = ends.map(|end| read(&model, &[(&[prompt, end].concat(), None)]).logits[&(0, 5)].clone());
    assert_eq!(go_on(&mut first, ends[0])[&(0, 5)], wanted[0]);
    assert_eq!(go_on(&mut second, ends[1])[&(0, 5)], wanted[1]);
    first.truncate(4);
    assert_eq!(go_on(&mut first, ends[1])[&(0, 5)], wanted[1]);
}

#[test]
fn hidden_states_come_in_the_order_asked_for() {
    let model =
        load(&fixture("tiny")).with(RunOptions { threads: 2, ..RunOptions::default() }).expect("it can be run so");
    let (long, short): (&[u32], &[u32]) = (&[1, 2, 3, 4, 5], &[6]);
    let seen = read(&model, &[(long, None), (short, None)]);
    let request = |prompt, positions, layers| CaptureRequest { prompt, edits: None, positions, layers };
    let requests = [request(long, &[4, 0, 4], &[2, 0]), request(short, &[0], &[0, 1, 2]), request(short, &[], &[1])];
    let found = model.capture(&requests).into_iter().map(|states| states.expect("they are there"));
    let found: Vec<Vec<f32>> = found.collect();
    let state = |step: usize, position: usize, layer: usize| seen.hidden[&(step, position, layer)].clone();
    let wanted = [(4, 2), (4, 0), (0, 2), (0, 0), (4, 2), (4, 0)].map(|(position, layer)| state(0, position, layer));
    assert_eq!(found[0], wanted.concat());
    assert_eq!(found[1], [state(1, 0, 0), state(1, 0, 1), state(1, 0, 2)].concat());
    assert!(found[2].is_empty());
}

#[test]
fn an_edit_of_weight_zero_leaves_every_bit() {
    let model = load(&fixture("tiny"));
    let direction = crate::support::direction(32, 1);
    let spec = jackfield_transformer::EditSpec {
        component: jackfield_plugin_api::Component::MlpDown,
        layer: 1,
        direction: &direction,
        weight: 0.0,
        normalization: RowNormalization::Full,
    };
    let edits = model.edits(&[spec]).expect("it can be made");
    assert!(edits.is_empty());
    assert!(read(&model, &[(&[1, 2], Some(&edits))]) == read(&model, &[(&[1, 2], None)]));
}

/// FNV-1a (Fowler, Noll and Vo) over the bits of numbers.
fn checksum<'a>(rows: impl Iterator<Item = &'a Vec<f32>>) -> u64 {
    let bytes = rows.flatten().flat_map(|x| x.to_bits().to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[test]
fn a_pass_has_these_bits_on_each_processor() {
    let tokens: Vec<u32> = (0..23).map(|token| (token * 7 + 3) % 48).collect();
    for kernel in kernels() {
        let model = model(kernel, 2);
        let edits = edits(&model, RowNormalization::Full, 5);
        let plain = read(&model, &[(&tokens, None)]);
        let edited = read(&model, &[(&tokens, Some(&edits))]);
        let last = plain.logits[&(0, 22)].first_chunk::<3>().expect("logits").map(f32::to_bits);
        let sums = [&plain, &edited].map(|seen| (checksum(seen.hidden.values()), checksum(seen.logits.values())));
        let wanted = match kernel {
            Kernel::Fused => (
                [3_194_492_668, 1_066_653_636, 1_062_655_948],
                [
                    (17_445_095_259_720_664_157, 7_697_571_532_662_346_546),
                    (8_955_052_763_417_385_188, 2_079_073_071_339_646_249),
                ],
            ),
            Kernel::Portable => (
                [3_194_492_662, 1_066_653_637, 1_062_655_950],
                [
                    (1_854_939_501_332_299_044, 13_841_505_655_227_877_690),
                    (14_173_604_658_977_987_535, 10_775_053_751_048_204_772),
                ],
            ),
        };
        assert_eq!((last, sums), wanted, "{kernel:?}");
    }
}

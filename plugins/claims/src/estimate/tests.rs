use proptest::prelude::*;

use super::{Estimate, EstimateError, MAX_DRAWS, Options, Samples, estimate};
use crate::score::Band;
use crate::testing::{Fixtures, agree, fixtures};
use jackfield_statistics::numpy::Generator;

fn golden() -> Samples {
    Samples { templates: [0.27, 0.23, 0.25, 0.23, 0.26, 0.27].map(|p| vec![p, p]).to_vec() }
}

fn numbers(found: &Estimate) -> [f64; 5] {
    // NumPy's loop takes a single template for one that agrees with itself.
    let (iqr, stability) = (found.template_iqr_logit.unwrap_or(0.0), found.stability_score.unwrap_or(1.0));
    [found.prob_true, found.ci95[0], found.ci95[1], iqr, stability]
}

#[test]
fn golden_check_holds_to_the_last_digit() {
    let found = estimate(&golden(), &Options::new(500, 777)).unwrap();
    let wanted = [0.2522065033414231, 0.23489284282029446, 0.2674774091536606, 0.5602924528340515];
    let got = [found.prob_true, found.ci95[0], found.ci95[1], found.stability_score.unwrap()];
    assert!(got.iter().zip(wanted).all(|(got, wanted)| agree(*got, wanted)), "{got:?}");
    assert_eq!(found.stability_band, Some(Band::Medium));
    assert!(found.is_stable);
    assert_eq!(found.counts_by_template, [2; 6]);
}

#[test]
fn a_thousand_seeds_draw_what_numpy_draws() {
    let Fixtures { bounds, generator, .. } = fixtures();
    assert_eq!(generator.len(), 1000);
    for (index, line) in generator.iter().enumerate() {
        let mut fields = line.split(' ');
        let seed: u128 = fields.next().and_then(|seed| seed.parse().ok()).expect("a seed");
        let wanted: Vec<u64> = fields.map(|number| number.parse().expect("a number")).collect();
        let mut rng = Generator::new(seed);
        let mut drawn = Vec::new();
        // As in `fixtures/make.py`: two of each of four bounds, the 64 bits of a float, and the half still kept.
        for turn in 0..4 {
            let bound = bounds[(index + 3 * turn) % bounds.len()];
            drawn.extend([rng.below(bound), rng.below(bound)]);
        }
        drawn.push((rng.next_double() * (1_u64 << 53) as f64) as u64);
        drawn.push(rng.below(1000));
        assert_eq!(drawn, wanted, "seed {seed}, case {index}");
    }
}

/// What `made_up` in `fixtures/make.py` makes up.
fn made_up(index: u64) -> (Samples, u32, u64) {
    let mut rng = Generator::new(1_000_000 + index);
    let (many, long) = (index % 100 == 99, index % 100 == 49);
    let count = if many { 140 + rng.below(20) } else { 1 + rng.below(24) };
    let most = if long {
        300
    } else if index % 10 == 5 {
        12
    } else {
        4
    };
    let templates = (0..count).map(|_| {
        let values = (0..1 + rng.below(most)).map(|_| rng.below(10_001) as f64 / 10_000.0).collect::<Vec<_>>();
        let narrow = |value: &f64| if index.is_multiple_of(3) { 0.2 + 0.1 * value } else { *value };
        values.iter().map(narrow).collect()
    });
    let samples = Samples { templates: templates.collect() };
    (samples, 50 + rng.below(151) as u32, rng.below(1 << 63))
}

#[test]
fn a_thousand_bootstraps_equal_those_of_the_numpy_loop() {
    let fixtures = fixtures();
    assert_eq!(fixtures.bootstraps.len(), 1000);
    for (index, line) in fixtures.bootstraps.iter().enumerate() {
        let wanted: Vec<f64> = line.split(' ').map(|number| number.parse().expect("a number")).collect();
        let (samples, draws, seed) = made_up(index as u64);
        let trim = fixtures.trims[index % fixtures.trims.len()];
        let got = numbers(&estimate(&samples, &Options { draws, trim, seed }).unwrap());
        assert!(got.iter().zip(&wanted).all(|(got, wanted)| agree(*got, *wanted)), "{index}: {got:?} {wanted:?}");
    }
}

#[test]
fn more_draws_move_the_interval_only() {
    let samples = golden();
    let (fast, last) = (estimate(&samples, &Options::new(1000, 1)), estimate(&samples, &Options::new(5000, 2)));
    let (fast, last) = (fast.unwrap(), last.unwrap());
    assert_ne!(fast.ci95, last.ci95);
    let same = Estimate { ci95: fast.ci95, ci_width: fast.ci_width, ..last };
    assert_eq!(same, fast);
}

#[test]
fn one_answer_is_an_interval_of_one_point() {
    let found = estimate(&Samples { templates: vec![vec![0.3]] }, &Options::new(50, 9)).unwrap();
    assert_eq!(found.ci95, [found.prob_true; 2]);
}

#[test]
fn how_stable_a_single_template_is_is_not_known() {
    let found = estimate(&Samples { templates: vec![vec![0.1, 0.9, 0.5]] }, &Options::new(50, 9)).unwrap();
    assert!(found.ci_width > 0.2);
    assert_eq!((found.template_iqr_logit, found.stability_score, found.stability_band), (None, None, None));
    let two = estimate(&Samples { templates: vec![vec![0.5], vec![0.5]] }, &Options::new(50, 9)).unwrap();
    assert_eq!(
        (two.template_iqr_logit, two.stability_score, two.stability_band),
        (Some(0.0), Some(1.0), Some(Band::High))
    );
}

#[test]
fn certain_answers_are_clamped() {
    let found = estimate(&Samples { templates: vec![vec![1.0], vec![1.0, 1.0]] }, &Options::new(50, 9)).unwrap();
    assert!(found.prob_true < 1.0 && found.prob_true > 0.999_998);
}

#[test]
fn answers_group_by_first_appearance() {
    let samples = Samples::group([("b", 0.1), ("a", 0.2), ("b", 0.3), ("c", 0.4), ("a", 0.5)]);
    assert_eq!(samples.templates, [vec![0.1, 0.3], vec![0.2, 0.5], vec![0.4]]);
}

#[test]
fn what_cannot_be_estimated_says_why() {
    let usual = Options::new(10, 1);
    let error_of = |templates: Vec<Vec<f64>>| estimate(&Samples { templates }, &usual).unwrap_err();
    assert_eq!(error_of(vec![]), EstimateError::NoSamples);
    assert_eq!(error_of(vec![vec![0.5], vec![]]), EstimateError::EmptyTemplate(1));
    assert_eq!(error_of(vec![vec![0.5, 1.5]]), EstimateError::NotAProbability(0, 1.5));
    assert!(matches!(error_of(vec![vec![f64::NAN]]), EstimateError::NotAProbability(0, _)));
    let error_with = |options: Options| estimate(&golden(), &options).unwrap_err();
    assert_eq!(error_with(Options { draws: 0, ..usual }), EstimateError::Draws(0));
    assert_eq!(error_with(Options { draws: u32::MAX, ..usual }).to_string(), {
        format!("4294967295 bootstrap draws are not in 1..={MAX_DRAWS}")
    });
    assert_eq!(error_with(Options { trim: 0.5, ..usual }), EstimateError::Trim(0.5));
}

proptest! {
    #[test]
    fn the_interval_contains_the_point(
        templates in prop::collection::vec(prop::collection::vec(0.0_f64..=1.0, 1..5), 1..20),
        draws in 1_u32..60,
        seed: u64,
    ) {
        let found = estimate(&Samples { templates }, &Options::new(draws, seed)).unwrap();
        let [low, high] = found.ci95;
        prop_assert!(0.0 <= low && low <= found.prob_true && found.prob_true <= high && high <= 1.0);
        prop_assert_eq!(found.is_stable, found.ci_width <= 0.20);
    }
}

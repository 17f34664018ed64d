use proptest::prelude::*;

use super::*;
use crate::{
    fixtures::{fixtures, near},
    numpy::Generator,
    proportion::wilson,
};

#[test]
fn intervals_are_those_of_scipy() {
    let cases = fixtures().bootstrap;
    assert!(cases.len() >= 20);
    for (at, case) in cases.iter().enumerate() {
        let values = &case.values;
        let draws = Draws { count: case.draws, level: case.level, seed: case.seed };
        // In the order of additions of NumPy: the correction counts draws that equal the estimate to the last bit.
        let mut drawn = redraw(values.len(), &draws, |indices| {
            describe::mean(&indices.iter().map(|index| values[*index as usize]).collect::<Vec<_>>())
        });
        let percentile = percentile_interval(&mut drawn, case.level).unwrap();
        near(percentile.low, case.percentile.0, &format!("{at}: low percentile"));
        near(percentile.high, case.percentile.1, &format!("{at}: high percentile"));
        let total = describe::sum(values);
        let left_out: Vec<f64> = values.iter().map(|value| (total - value) / (values.len() - 1) as f64).collect();
        let bca = bca_interval(&mut drawn, describe::mean(values), &left_out, case.level).unwrap();
        near(bca.low, case.bca.0, &format!("{at}: low end of BCa"));
        near(bca.high, case.bca.1, &format!("{at}: high end of BCa"));
    }
}

/// Made-up samples whose mean is known: a name, how a value is drawn, and the mean.
type Made = (&'static str, fn(&mut Generator) -> f64, f64);

const MADE: [Made; 4] = [
    ("uniform", Generator::next_double, 0.5),
    ("normal", |random| normal::quantile(random.next_double().max(1e-300)), 0.0),
    // Near 1 most of the time, as scores of a good model are: the larger of five.
    ("skewed", |random| (0..5).map(|_| random.next_double()).fold(0.0, f64::max), 5.0 / 6.0),
    ("exponential", |random| -libm::log(1.0 - random.next_double()), 1.0),
];

const SIMULATIONS: u32 = 2_000;

/// In how many of the simulations an interval holds the truth, as a share.
fn coverage(mut holds: impl FnMut(&mut Generator, u64) -> bool) -> f64 {
    let mut random = Generator::new(20_260_101_u64);
    let hits = (0..SIMULATIONS).filter(|at| holds(&mut random, u64::from(*at))).count();
    hits as f64 / f64::from(SIMULATIONS)
}

#[test]
fn ninety_five_percent_of_intervals_hold_the_mean_from_thirty_values_on() {
    for (name, draw, truth) in MADE {
        let held = coverage(|random, seed| {
            let values: Vec<f64> = (0..30).map(|_| draw(random)).collect();
            let draws = Draws { count: 400, ..Draws::new(seed) };
            mean_interval(&values, &draws).unwrap().contains(truth)
        });
        assert!((0.93..=0.97).contains(&held), "{name}: {held}");
    }
}

#[test]
fn ninety_five_percent_of_clustered_intervals_hold_the_mean_where_single_values_would_not() {
    // Forty clusters of 1 to 6 values that have half of their variance in common.
    let mut naive_held = 0_u32;
    let held = coverage(|random, seed| {
        let (mut sums, mut sizes, mut values) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..40 {
            let (common, size) = (random.next_double(), 1 + random.below_u32(6));
            let of_cluster: Vec<f64> = (0..size).map(|_| common + random.next_double()).collect();
            sums.push(describe::sum(&of_cluster));
            sizes.push(size);
            values.extend(of_cluster);
        }
        let draws = Draws { count: 300, ..Draws::new(seed) };
        naive_held += u32::from(mean_interval(&values, &draws).unwrap().contains(1.0));
        clustered_mean_interval(&sums, &sizes, &draws).unwrap().contains(1.0)
    });
    assert!((0.93..=0.97).contains(&held), "{held}");
    assert!(f64::from(naive_held) / f64::from(SIMULATIONS) < 0.9, "{naive_held}");
}

#[test]
fn ninety_five_percent_of_wilson_intervals_hold_the_share() {
    for (share, count) in [(0.5, 30), (0.8, 40), (0.9, 100), (0.3, 1_000)] {
        let held = coverage(|random, _| {
            let passed = (0..count).filter(|_| random.next_double() < share).count() as u64;
            wilson(passed, count, 0.95).unwrap().contains(share)
        });
        assert!((0.93..=0.97).contains(&held), "{share} of {count}: {held}");
    }
}

#[test]
fn many_values_have_the_interval_that_drawing_them_again_would_give() {
    let mut random = Generator::new(5_u64);
    let values: Vec<f64> = (0..MOST_REDRAWN).map(|_| random.next_double().powi(3)).collect();
    let more: Vec<f64> = values.iter().copied().chain([0.25]).collect();
    let draws = Draws { count: 4_000, ..Draws::new(1) };
    let (drawn, computed) = (mean_interval(&values, &draws).unwrap(), mean_interval(&more, &draws).unwrap());
    let width = drawn.high - drawn.low;
    assert!((drawn.low - computed.low).abs() < 0.05 * width, "{drawn:?} {computed:?}");
    assert!((drawn.high - computed.high).abs() < 0.05 * width, "{drawn:?} {computed:?}");
}

#[test]
fn what_does_not_vary_has_an_interval_of_one_point() {
    let draws = Draws::new(1);
    assert_eq!(mean_interval(&[], &draws), None);
    assert_eq!(mean_interval(&[0.25], &draws), Some(Interval::point(0.25)));
    assert_eq!(mean_interval(&[0.5; 9], &draws), Some(Interval::point(0.5)));
    let many = vec![0.5; MOST_REDRAWN + 1];
    assert_eq!(mean_interval(&many, &draws), Some(Interval::point(0.5)));
}

#[test]
fn clusters_of_one_are_no_clusters() {
    let values = [0.1, 0.4, 0.35, 0.8, 0.9];
    let draws = Draws::new(11);
    assert_eq!(clustered_mean_interval(&values, &[1; 5], &draws), mean_interval(&values, &draws));
}

proptest! {
    #[test]
    fn an_interval_is_in_order_and_within_what_was_observed(
        values in prop::collection::vec(prop::sample::select(vec![0.0, 0.1, 0.5, 0.9, 1.0]), 1..30), seed: u64,
    ) {
        let draws = Draws { count: 50, ..Draws::new(seed) };
        let Interval { low, high } = mean_interval(&values, &draws).unwrap();
        prop_assert!(-1e-9 <= low && low <= high && high <= 1.0 + 1e-9, "{} {}", low, high);
    }
}

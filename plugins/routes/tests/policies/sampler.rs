//! The samplers against closed forms.

use std::f64::consts::FRAC_2_PI;

use jackfield_routes::DecisionRandom;

const DRAWS: usize = 40_000;

fn draws(a: f64, b: f64) -> Vec<f64> {
    let mut random = DecisionRandom::new(20_260_101);
    (0..DRAWS).map(|_| random.beta(a, b)).collect()
}

#[test]
fn moments_are_those_of_the_distribution() {
    for (a, b) in [(1.0, 1.0), (0.5, 0.5), (0.1, 0.3), (2.0, 5.0), (0.7, 40.0), (30.5, 69.5), (2_000.0, 3.0)] {
        let draws = draws(a, b);
        assert!(draws.iter().all(|draw| (0.0..=1.0).contains(draw)), "Beta({a}, {b})");
        let count = DRAWS as f64;
        let (mean, total) = (a / (a + b), a + b);
        let variance = mean * (1.0 - mean) / (total + 1.0);
        let found = draws.iter().sum::<f64>() / count;
        assert!((found - mean).abs() < 4.0 * (variance / count).sqrt(), "Beta({a}, {b}): mean {found}, not {mean}");
        let found = draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f64>() / count;
        // The variance of a squared deviation, from the excess kurtosis of the Beta distribution.
        let excess =
            6.0 * ((a - b).powi(2) * (total + 1.0) - a * b * (total + 2.0)) / (a * b * (total + 2.0) * (total + 3.0));
        let error = variance * ((excess + 2.0) / count).sqrt();
        assert!((found - variance).abs() < 4.0 * error, "Beta({a}, {b}): variance {found}, not {variance}");
    }
}

/// The distribution function, where there is a closed form.
fn cdf(a: f64, b: f64, x: f64) -> f64 {
    if (a, b) == (0.5, 0.5) {
        return FRAC_2_PI * x.sqrt().asin();
    }
    if b == 1.0 {
        return x.powf(a);
    }
    if a == 1.0 {
        return 1.0 - (1.0 - x).powf(b);
    }
    // Of whole numbers: a binomial tail.
    assert_eq!((a.fract(), b.fract()), (0.0, 0.0));
    let n = a as i32 + b as i32 - 1;
    let choose = |k: i32| (0..k).fold(1.0, |ways, i| ways * f64::from(n - i) / f64::from(i + 1));
    (a as i32..=n).map(|k| choose(k) * x.powi(k) * (1.0 - x).powi(n - k)).sum()
}

#[test]
fn draws_have_the_distribution_function_of_the_closed_form() {
    let shapes =
        [(1.0, 1.0), (0.5, 0.5), (0.2, 1.0), (3.7, 1.0), (1.0, 0.3), (1.0, 12.5), (2.0, 3.0), (7.0, 2.0), (20.0, 30.0)];
    for (a, b) in shapes {
        let mut draws = draws(a, b);
        draws.sort_unstable_by(f64::total_cmp);
        let far = draws.iter().enumerate().map(|(index, &draw)| {
            let expected = cdf(a, b, draw);
            let (below, above) = (index as f64 / DRAWS as f64, (index + 1) as f64 / DRAWS as f64);
            (expected - below).abs().max((above - expected).abs())
        });
        let far = far.fold(0.0, f64::max) * (DRAWS as f64).sqrt();
        // Kolmogorov's distribution is beyond 1.95 once in a thousand.
        assert!(far < 1.95, "Beta({a}, {b}): {far:.3}");
    }
}

#[test]
fn shapes_next_to_nothing_and_huge_ones_give_numbers_all_the_same() {
    let draws = draws(1e-5, 3e-5);
    assert!(draws.iter().all(|draw| (0.0..=1.0).contains(draw)));
    let mean = draws.iter().sum::<f64>() / DRAWS as f64;
    assert!((mean - 0.25).abs() < 4.0 * (0.25_f64 * 0.75 / DRAWS as f64).sqrt(), "{mean}");
    let mut random = DecisionRandom::new(1);
    for (a, b) in [(1e300, 1e-300), (1e308, 1e308), (1e9, 1.0)] {
        let draw = random.beta(a, b);
        assert!((0.0..=1.0).contains(&draw), "Beta({a}, {b}): {draw}");
    }
}

#[test]
fn draws_of_an_arm_hang_on_its_whole_name_and_on_the_seed() {
    let draw = |seed, name: &str| DecisionRandom::of_arm(seed, name).uniform();
    let names = ["", "a", "b", "a\0", "alpha=0.2", "alpha=0.25", "a name of many bytes, 1", "a name of many bytes, 2"];
    let mut all: Vec<_> = (0..100).flat_map(|seed| names.map(|name| draw(seed, name).to_bits())).collect();
    assert_eq!(draw(7, "alpha=0.2"), draw(7, "alpha=0.2"));
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 800);
}

/// Student's distribution function where it has a closed form: 1, 2 and 4 degrees of freedom.
fn student_t_cdf(degrees: f64, x: f64) -> f64 {
    let root = (x * x + degrees).sqrt();
    match degrees {
        1.0 => 0.5 + x.atan() / std::f64::consts::PI,
        2.0 => 0.5 + x / (2.0 * root),
        4.0 => 0.5 + 0.75 * (x / root - (x / root).powi(3) / 3.0),
        _ => unreachable!("no closed form"),
    }
}

#[test]
fn draws_of_student_have_its_distribution_function_and_become_normal() {
    for degrees in [1.0, 2.0, 4.0] {
        let mut random = DecisionRandom::new(20_260_101);
        let mut draws: Vec<f64> = (0..DRAWS).map(|_| random.student_t(degrees)).collect();
        draws.sort_unstable_by(f64::total_cmp);
        let far = draws.iter().enumerate().map(|(index, &draw)| {
            let expected = student_t_cdf(degrees, draw);
            (expected - index as f64 / DRAWS as f64).abs().max(((index + 1) as f64 / DRAWS as f64 - expected).abs())
        });
        let far = far.fold(0.0, f64::max) * (DRAWS as f64).sqrt();
        assert!(far < 1.95, "{degrees} degrees of freedom: {far:.3}");
    }
    let mut random = DecisionRandom::new(7);
    let squares: f64 = (0..DRAWS).map(|_| random.student_t(1e9).powi(2)).sum();
    assert!((squares / DRAWS as f64 - 1.0).abs() < 4.0 * (2.0 / DRAWS as f64).sqrt(), "{squares}");
}

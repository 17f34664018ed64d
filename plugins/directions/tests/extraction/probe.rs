//! The probe of `logistic` is the best there is.

use jackfield_directions::{L2_RANGE, Method, Options};

use crate::support::{Set, apart, extract_sets, layer_details};

/// The loss and its gradient by the weights and, last, the intercept, on standardised rows.
fn loss(rows: &[Vec<f64>], positive: usize, l2: f64, theta: &[f64]) -> (f64, Vec<f64>) {
    let (weights, intercept) = theta.split_at(theta.len() - 1);
    let mut gradient: Vec<f64> = weights.iter().map(|w| l2 * w).chain([0.0]).collect();
    let mut loss = l2 / 2.0 * weights.iter().map(|w| w * w).sum::<f64>();
    for (index, row) in rows.iter().enumerate() {
        let sign = if index < positive { 1.0 } else { -1.0 };
        let margin = sign * (row.iter().zip(weights).map(|(x, w)| x * w).sum::<f64>() + intercept[0]);
        loss += (1.0 + (-margin).exp()).ln() / rows.len() as f64;
        let slope = -sign / (1.0 + margin.exp()) / rows.len() as f64;
        for (sum, x) in gradient.iter_mut().zip(row.iter().chain([&1.0])) {
            *sum += slope * x;
        }
    }
    (loss, gradient)
}

/// Rows of both sets, moved to their mean and scaled to a root mean square of 1.
fn standardized(positive: &Set, negative: &Set) -> Vec<Vec<f64>> {
    let width = positive.shape.width;
    let of = |set: &Set| set.values.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
    let mut rows: Vec<Vec<f64>> = [of(positive), of(negative)].concat().chunks(width).map(<[f64]>::to_vec).collect();
    for column in 0..width {
        let mean = rows.iter().map(|row| row[column]).sum::<f64>() / rows.len() as f64;
        rows.iter_mut().for_each(|row| row[column] -= mean);
    }
    let spread = (rows.iter().flatten().map(|x| x * x).sum::<f64>() / rows.len() as f64).sqrt();
    rows.iter_mut().flatten().for_each(|x| *x /= spread);
    rows
}

#[test]
fn no_gradient_descent_finds_a_better_probe() {
    // Too many prompts for the components, which no plane parts, and too few.
    for (prompts, width, l2) in [(30, 3, 0.1), (30, 3, 0.01), (6, 12, 0.1), (6, 12, 0.02)] {
        let (positive, negative) = (Set::random(prompts, 1, width, 1, 0.6), Set::random(prompts - 2, 1, width, 2, 0.0));
        let found = extract_sets(&positive, &negative, &Options::new(Method::Logistic { l2 }));
        let rows = standardized(&positive, &negative);
        // The loss has a curvature of at most 1 / 4 times that of rows with an intercept, plus the penalty.
        let mut theta = vec![0.0; width + 1];
        for _ in 0..20_000 {
            let (_, gradient) = loss(&rows, prompts, l2, &theta);
            theta.iter_mut().zip(&gradient).for_each(|(x, g)| *x -= g / (0.5 + l2));
        }
        let (least, _) = loss(&rows, prompts, l2, &theta);
        let probe = layer_details(&found.layers[0]).probe.unwrap();
        assert!((probe.objective - least).abs() < 1e-12, "{l2}: {} {least}", probe.objective);
        assert!(
            if width == 3 { (0.5..1.0).contains(&probe.accuracy) } else { probe.accuracy >= 0.9 },
            "{}",
            probe.accuracy
        );
        let length = theta[..width].iter().map(|x| x * x).sum::<f64>().sqrt();
        let normal: Vec<f32> = theta[..width].iter().map(|x| (x / length) as f32).collect();
        assert!(apart(&found.directions, &normal) < 1e-6, "{l2}");
    }
}

#[test]
fn each_penalty_that_is_allowed_is_trained_to_the_end() {
    let (positive, negative) = (Set::random(20, 1, 30, 3, 0.5), Set::random(20, 1, 30, 4, 0.0));
    let mut before = 0.0;
    let mut l2 = *L2_RANGE.start();
    while l2 <= *L2_RANGE.end() {
        let options = Options { project: false, ..Options::new(Method::Logistic { l2 }) };
        let found = extract_sets(&positive, &negative, &options);
        let objective = layer_details(&found.layers[0]).probe.unwrap().objective;
        // The least loss grows with the penalty, up to that of a probe that says nothing.
        assert!(objective > before && objective <= 2_f64.ln(), "{l2}: {objective}");
        before = objective;
        assert!(layer_details(&found.layers[0]).cos_direction_difference.unwrap() > 0.3, "{l2}");
        l2 *= 10.0;
    }
}

#[test]
fn a_large_penalty_gives_the_direction_of_the_mean_difference() {
    let (positive, negative) = (Set::random(9, 2, 7, 5, 0.5), Set::random(6, 2, 7, 6, 0.0));
    let found = extract_sets(&positive, &negative, &Options::new(Method::Logistic { l2: 1e6 }));
    let means = Options { project: false, ..Options::new(Method::MeanDifference) };
    assert!(apart(&found.directions, &extract_sets(&positive, &negative, &means).directions) < 1e-5);
}

#[test]
fn a_small_penalty_gives_the_direction_of_the_widest_margin() {
    // The margin is decided by the two nearest rows, whatever the others are: along (2, 1).
    let positive = Set::layer(&[[1.0, 0.5], [9.0, 0.5], [5.0, 30.0]]);
    let negative = Set::layer(&[[-1.0, -0.5], [-1.5, -9.0]]);
    let found = extract_sets(&positive, &negative, &Options::new(Method::Logistic { l2: 1e-6 }));
    let expected = [2.0, 1.0].map(|x: f32| x / 5_f32.sqrt());
    assert!(apart(&found.directions, &expected) < 0.02, "{:?}", found.directions);
    assert_eq!(layer_details(&found.layers[0]).probe.unwrap().accuracy, 1.0);
}

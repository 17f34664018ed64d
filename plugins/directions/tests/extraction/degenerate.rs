//! Layers without a direction: zeros and a flag, and never NaN.

use jackfield_directions::{Extraction, Method, Options};

use crate::support::{METHODS, Set, all_options, extract_sets, layer_details};

/// No direction, and nothing that is not a number.
fn assert_degenerate(found: &Extraction, layer: usize) {
    let known = &found.layers[layer];
    assert!(known.degenerate, "{known:?}");
    assert!(found.directions[layer * found.width..(layer + 1) * found.width].iter().all(|x| x.to_bits() == 0));
    assert_eq!(found.direction(layer), None);
    assert_eq!(layer_details(known).cos_direction_difference, None);
    assert!(known.norm_difference.is_finite() && known.norm_mean_positive.is_finite());
}

#[test]
fn a_layer_that_is_the_same_for_all_prompts_does_not_have_a_direction() {
    // Sets of other sizes: the means of equal rows must be equal whatever they are divided by.
    let (mut positive, mut negative) = (Set::random(7, 3, 5, 1, 0.5), Set::random(7, 3, 5, 2, 0.0));
    for set in [&mut positive, &mut negative] {
        for prompt in 0..7 {
            set.values[prompt * 15..prompt * 15 + 5].copy_from_slice(&[0.1, -1.7e-3, 3.3e4, 0.0, -7.7]);
        }
    }
    let mut fewer = negative.clone();
    fewer.shape.prompts = 5;
    fewer.values.truncate(5 * 15);
    for options in all_options() {
        let paired = matches!(options.method, Method::Pca { .. });
        let found = extract_sets(&positive, if paired { &negative } else { &fewer }, &options);
        assert_degenerate(&found, 0);
        assert_eq!(found.layers[0].silhouette, None);
        assert_eq!(found.layers[0].norm_difference, 0.0);
        assert_eq!(layer_details(&found.layers[0]).probe, None);
        assert!(found.direction(1).is_some() && found.direction(2).is_some());
    }
}

#[test]
fn zeros_and_ones_are_no_numbers_to_stumble_over() {
    let zeros = Set::layer(&[[0.0; 3]; 4]);
    for options in all_options() {
        let found = extract_sets(&zeros, &zeros, &options);
        assert_degenerate(&found, 0);
        assert_eq!(found.layers[0].cos_means, None);
        // A negative mean of zero has nothing to project out.
        let found = extract_sets(&Set::layer(&[[0.0, 1.0, 0.0]; 4]), &zeros, &options);
        let expected = [0.0, 1.0, 0.0];
        assert_eq!(found.directions, expected, "{options:?}");
        assert_eq!(found.layers[0].silhouette, Some(1.0));
    }
}

#[test]
fn one_set_against_itself_does_not_have_a_direction() {
    let set = Set::random(6, 2, 4, 3, 0.5);
    for method in METHODS {
        let found = extract_sets(&set, &set, &Options::new(method));
        for layer in 0..2 {
            assert_degenerate(&found, layer);
            assert!(found.layers[layer].silhouette.unwrap() < 0.0);
        }
    }
}

#[test]
fn a_difference_along_the_mean_of_the_negatives_is_projected_out_whole() {
    // 1.3 is not exact in f32: what is left of the difference is rounding.
    let negative = Set::random(8, 1, 6, 4, 2.0);
    let positive = negative.map(|x| x * 1.3);
    for winsorize in [1.0, 0.8] {
        let mut options = Options { winsorize, ..Options::new(Method::MeanDifference) };
        assert_degenerate(&extract_sets(&positive, &negative, &options), 0);
        options.project = false;
        let found = extract_sets(&positive, &negative, &options);
        assert!(!found.layers[0].degenerate);
        assert!((layer_details(&found.layers[0]).cos_negative_direction.unwrap() - 1.0).abs() < 1e-6);
    }
}

#[test]
fn small_numbers_and_large_ones_are_numbers_too() {
    let (positive, negative) = (Set::random(5, 1, 4, 5, 0.5), Set::random(5, 1, 4, 6, 0.0));
    for method in METHODS {
        let options = Options::new(method);
        let expected = extract_sets(&positive, &negative, &options);
        for factor in [2_f32.powi(-100), 2_f32.powi(120)] {
            let scaled = |set: &Set| set.map(|x| x * factor);
            let found = extract_sets(&scaled(&positive), &scaled(&negative), &options);
            assert!(!found.layers[0].degenerate, "{method:?} {factor}");
            assert!(crate::support::apart(&found.directions, &expected.directions) < 1e-6, "{method:?} {factor}");
            assert!((found.layers[0].silhouette.unwrap() - expected.layers[0].silhouette.unwrap()).abs() < 1e-9);
        }
    }
}

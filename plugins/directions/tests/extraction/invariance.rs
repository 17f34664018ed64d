//! What must not matter does not, and what must turn the direction round does.

use std::ops::Range;

use jackfield_directions::{Extractor, LayerRows, Method, Options, Residuals, Shape, extract};
use jackfield_plugin_api::Failure;
use proptest::prelude::*;

use crate::support::{Set, all_options, apart, extract_sets};

/// Two sets, and an order of their prompts.
fn sets() -> impl Strategy<Value = (Set, Set, Vec<usize>)> {
    (2_usize..9, 1_usize..4, 1_usize..12, any::<u64>()).prop_flat_map(|(prompts, layers, width, seed)| {
        let order = Just((0..prompts).collect::<Vec<_>>()).prop_shuffle();
        let positive = Set::random(prompts, layers, width, seed, 1.0);
        let negative = Set::random(prompts, layers, width, seed ^ 0xabcd, 0.0);
        (Just(positive), Just(negative), order)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Pairs keep their partner.
    #[test]
    fn the_order_of_the_prompts_does_not_matter((positive, negative, order) in sets()) {
        for options in all_options() {
            let found = extract_sets(&positive, &negative, &options);
            let other = extract_sets(&positive.in_order(&order), &negative.in_order(&order), &options);
            prop_assert!(apart(&found.directions, &other.directions) < 1e-5, "{options:?}");
            for (left, right) in found.layers.iter().zip(&other.layers) {
                prop_assert_eq!(left.degenerate, right.degenerate);
                prop_assert!((left.silhouette.unwrap() - right.silhouette.unwrap()).abs() < 1e-12);
            }
        }
    }

    /// By a power of two, which is exact.
    #[test]
    fn the_scale_of_the_residuals_does_not_matter((positive, negative, _) in sets(), power in -20_i32..20) {
        let scaled = |set: &Set| set.map(|x| x * 2_f32.powi(power));
        for options in all_options() {
            let found = extract_sets(&positive, &negative, &options);
            let other = extract_sets(&scaled(&positive), &scaled(&negative), &options);
            prop_assert!(apart(&found.directions, &other.directions) < 1e-6, "{options:?}");
        }
    }

    #[test]
    fn sets_that_change_places_turn_the_direction_round((positive, negative, _) in sets()) {
        for options in all_options().into_iter().filter(|options| !options.project) {
            let found = extract_sets(&positive, &negative, &options);
            let other = extract_sets(&negative, &positive, &options);
            let tied = matches!(options.method, Method::Pca { .. }) && ties(&positive, &negative, &found.directions);
            prop_assert!(tied || apart(&found.directions, &Set::negated(&other.directions)) < 1e-5, "{options:?}");
        }
    }

    #[test]
    fn directions_have_length_one_and_what_was_projected_out_is_out((positive, negative, _) in sets()) {
        for options in all_options() {
            let found = extract_sets(&positive, &negative, &options);
            for layer in 0..positive.shape.layers {
                let Some(direction) = found.direction(layer) else { continue };
                let square: f64 = direction.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
                prop_assert!((square - 1.0).abs() < 1e-6, "{options:?}");
                if options.project && options.winsorize == 1.0 {
                    let mean = negative.mean(layer);
                    let length = mean.iter().map(|x| x * x).sum::<f64>().sqrt();
                    let along: f64 = direction.iter().zip(&mean).map(|(&x, y)| f64::from(x) * y / length).sum();
                    prop_assert!(along.abs() < 1e-6, "{options:?}: {along}");
                }
            }
        }
    }

    /// The direction of `pca` points to where most differences do.
    #[test]
    fn most_pairs_differ_along_their_component((positive, negative, _) in sets()) {
        let found = extract_sets(&positive, &negative, &Options::new(Method::Pca { pairs: None }));
        for layer in 0..positive.shape.layers {
            let direction = found.direction(layer).unwrap();
            let (mut along, mut against) = (0, 0);
            for prompt in 0..positive.shape.prompts {
                let pairs = positive.row(prompt, layer).iter().zip(negative.row(prompt, layer)).zip(direction);
                let product: f64 = pairs.map(|((p, n), x)| (f64::from(*p) - f64::from(*n)) * f64::from(*x)).sum();
                along += u32::from(product > 1e-9);
                against += u32::from(product < -1e-9);
            }
            prop_assert!(along >= against, "{along} {against}");
        }
    }
}

/// Whether as many differences point one way as the other, in some layer: then their sum decides, which may be 0 but for
/// rounding.
fn ties(positive: &Set, negative: &Set, directions: &[f32]) -> bool {
    let Shape { prompts, layers, width } = positive.shape;
    (0..layers).any(|layer| {
        let direction = &directions[layer * width..(layer + 1) * width];
        let sum: f64 = (0..prompts)
            .flat_map(|prompt| positive.row(prompt, layer).iter().zip(negative.row(prompt, layer)).zip(direction))
            .map(|((p, n), x)| (f64::from(*p) - f64::from(*n)) * f64::from(*x))
            .sum();
        sum.abs() < 1e-6
    })
}

impl Set {
    fn row(&self, prompt: usize, layer: usize) -> &[f32] {
        let start = (prompt * self.shape.layers + layer) * self.shape.width;
        &self.values[start..start + self.shape.width]
    }

    fn mean(&self, layer: usize) -> Vec<f64> {
        let component = |index| {
            let sum: f64 = (0..self.shape.prompts).map(|prompt| f64::from(self.row(prompt, layer)[index])).sum();
            sum / self.shape.prompts as f64
        };
        (0..self.shape.width).map(component).collect()
    }

    fn negated(directions: &[f32]) -> Vec<f32> {
        directions.iter().map(|x| -x).collect()
    }
}

/// Counts what is read, and how much at a time.
struct Counted<'a> {
    set: &'a Set,
    reads: Vec<Range<usize>>,
}

impl Residuals for Counted<'_> {
    fn shape(&self) -> Shape {
        self.set.shape
    }

    fn read(&mut self, prompt: usize, layers: Range<usize>, rows: &mut [f32]) -> Result<(), Failure> {
        self.reads.push(layers.clone());
        self.set.view().read(prompt, layers, rows)
    }
}

#[test]
fn residuals_are_read_once_in_slices_and_layers_by_themselves_give_the_same_bits() {
    // 9 layers of 40 prompts together have 9 MB: more than is read ahead.
    let (positive, negative) = (Set::random(20, 9, 6_300, 1, 0.5), Set::random(20, 9, 6_300, 2, 0.0));
    let options = Options { winsorize: 0.95, ..Options::new(Method::MeanDifference) };
    let mut counted = Counted { set: &positive, reads: Vec::new() };
    let found = extract(&mut counted, &mut negative.view(), &options).unwrap();
    let expected: Vec<_> = [0..4, 4..8, 8..9].into_iter().flat_map(|layers| vec![layers; 20]).collect();
    assert_eq!(counted.reads, expected);

    let extractor = Extractor::new(options).unwrap();
    for layer in 0..9 {
        let rows = |set: &Set| (0..20).flat_map(|prompt| set.row(prompt, layer).to_vec()).collect::<Vec<_>>();
        let (positive, negative) = (rows(&positive), rows(&negative));
        let rows = |values| LayerRows::new(20, 6_300, values).unwrap();
        let alone = extractor.layer(layer, rows(&positive), rows(&negative)).unwrap();
        assert_eq!(Some(&*alone.direction), found.direction(layer));
        assert_eq!(alone.known, found.layers[layer]);
    }
}

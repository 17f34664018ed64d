//! What cannot be worked on is refused by name.

use std::ops::Range;

use jackfield_directions::{
    ExtractError, Extractor, LayerRows, Method, Options, PromptSet, ResidualSet, Residuals, Shape, extract,
};
use jackfield_plugin_api::Failure;

use crate::support::{METHODS, Set, all_options, extract_sets, try_extract};

const MEANS: Options = Options::new(Method::MeanDifference);

fn message(positive: &Set, negative: &Set, options: &Options) -> String {
    try_extract(positive, negative, options).unwrap_err().to_string()
}

#[test]
fn sets_without_enough_prompts_layers_or_components_are_refused() {
    let shaped = |prompts, layers, width| Set::random(prompts, layers, width, 1, 0.0);
    let good = shaped(3, 2, 4);
    for (bad, expected) in [
        (shaped(0, 2, 4), "set is empty: it needs 2 prompts or more"),
        (shaped(1, 2, 4), "set has 1 prompt: it needs 2 or more"),
        (shaped(3, 0, 4), "set have no layers"),
        (Set { shape: Shape { prompts: 3, layers: 2, width: 0 }, values: Vec::new() }, "set have width 0"),
    ] {
        for method in METHODS {
            let options = Options::new(method);
            let found = message(&bad, &good, &options);
            assert!(found.contains("positive") && found.ends_with(expected), "{found}");
            let found = message(&good, &bad, &options);
            assert!(found.contains("negative") && found.ends_with(expected), "{found}");
        }
    }
    assert_eq!(
        message(&good, &shaped(3, 3, 4), &MEANS),
        "the residuals of the two sets differ in layers or width: [3, 2, 4] for the positive set, [3, 3, 4] for the negative \
         set; capture both from one model"
    );
    assert!(message(&shaped(5, 2, 3), &good, &MEANS).contains("[5, 2, 3] for the positive set"));
    let extractor = Extractor::new(MEANS).unwrap();
    let rows = |width| LayerRows::new(2, width, &[0.0; 8][..2 * width]).unwrap();
    assert!(matches!(extractor.layer(0, rows(4), rows(3)), Err(ExtractError::ShapesDiffer { .. })));
}

#[test]
fn values_that_do_not_fill_their_shape_are_refused() {
    let shape = Shape { prompts: 2, layers: 3, width: 4 };
    let error = ResidualSet::new(shape, &[0.0; 23]).unwrap_err();
    assert_eq!(error.to_string(), "residuals of shape [2, 3, 4] do not have 23 values");
    let shape = Shape { prompts: usize::MAX, layers: 2, width: 4 };
    assert!(matches!(ResidualSet::new(shape, &[]), Err(ExtractError::WrongLength { values: 0, .. })));
}

#[test]
fn what_is_not_finite_is_named_by_set_prompt_and_layer() {
    let good = Set::random(4, 3, 5, 1, 0.0);
    for (value, name) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf"), (f32::NEG_INFINITY, "-inf")] {
        let mut bad = good.clone();
        bad.values[2 * 15 + 5 + 3] = value;
        for options in all_options() {
            let tail = format!("set at layer 1 is not finite: component 3 is {name}");
            let expected = format!("the residual of prompt 2 of the positive {tail}");
            assert_eq!(message(&bad, &good, &options), expected);
            assert_eq!(message(&good, &bad, &options), expected.replace("positive", "negative"));
        }
    }
    // The first layer's comes first, wherever it is.
    let (mut positive, mut negative) = (good.clone(), good.clone());
    positive.values[10] = f32::NAN;
    negative.values[3 * 15] = f32::NAN;
    assert!(message(&positive, &negative, &MEANS).contains("prompt 3 of the negative set at layer 0"));
}

#[test]
fn sets_of_two_sizes_are_not_paired_unless_that_is_asked_for() {
    let (positive, negative) = (Set::random(5, 2, 4, 1, 1.0), Set::random(3, 2, 4, 2, 0.0));
    let pca = |pairs| Options::new(Method::Pca { pairs });
    assert_eq!(
        message(&positive, &negative, &pca(None)),
        "`pca` takes differences of pairs, and 5 positive prompts cannot be paired with 3 negative ones; make the sets equal, \
         or set `pairs = 3` to use the first of each"
    );
    for (pairs, expected) in [(1, "`pairs` is 1"), (4, "`pairs` is 4"), (0, "`pairs` is 0")] {
        let found = message(&positive, &negative, &pca(Some(pairs)));
        assert_eq!(found, format!("{expected}: it must be 2 to 3, the size of the smaller set"));
    }
    let found = extract_sets(&positive, &negative, &pca(Some(3)));
    let first = Set { shape: negative.shape, values: positive.values[..3 * 8].to_vec() };
    assert_eq!(found.directions, extract_sets(&first, &negative, &pca(None)).directions);
}

#[test]
fn options_out_of_range_are_refused() {
    let set = Set::random(3, 1, 4, 1, 0.0);
    for winsorize in [0.0, -0.5, 1.1, f64::NAN, f64::INFINITY] {
        let found = message(&set, &set, &Options { winsorize, ..MEANS });
        assert_eq!(
            found,
            format!("`winsorize` is {winsorize}: it must be above 0 and at most 1, where 1 clamps nothing")
        );
    }
    for l2 in [0.0, -1.0, 1e7, f64::NAN] {
        let found = message(&set, &set, &Options::new(Method::Logistic { l2 }));
        assert_eq!(found, format!("`l2` is {l2}: it must be 0.000001 to 1000000"));
    }
}

/// Residuals that cannot be read from a prompt on.
struct Broken(Failure);

impl Residuals for Broken {
    fn shape(&self) -> Shape {
        Shape { prompts: 3, layers: 1, width: 2 }
    }

    fn read(&mut self, prompt: usize, _: Range<usize>, rows: &mut [f32]) -> Result<(), Failure> {
        rows.fill(prompt as f32);
        if prompt < 2 { Ok(()) } else { Err(self.0.clone()) }
    }
}

#[test]
fn what_a_reader_says_is_passed_on_with_its_kind() {
    let good = Set::random(3, 1, 2, 1, 0.0);
    let failure = Failure::Unavailable("the tensor is gone".to_owned());
    let error = extract(&mut good.view(), &mut Broken(failure.clone()), &MEANS).unwrap_err();
    assert_eq!(error, ExtractError::Unreadable { set: PromptSet::Negative, prompt: 2, failure });
    let expected = "cannot read the residuals of prompt 2 of the negative set: the tensor is gone";
    assert_eq!(Failure::from(error), Failure::Unavailable(expected.to_owned()));
}

#[test]
fn faults_of_options_and_of_residuals_are_failures_of_their_kinds() {
    let set = Set::random(3, 1, 4, 1, 0.0);
    let failure = |options| Failure::from(try_extract(&set, &Set::random(2, 1, 4, 1, 0.0), &options).unwrap_err());
    assert!(matches!(failure(Options { winsorize: 2.0, ..MEANS }), Failure::InvalidConfig(_)));
    assert!(matches!(failure(Options::new(Method::Pca { pairs: Some(9) })), Failure::InvalidConfig(_)));
    assert!(matches!(failure(Options::new(Method::Pca { pairs: None })), Failure::InvalidInput(_)));
}

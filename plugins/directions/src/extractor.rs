//! The direction of one layer.

use jackfield_plugin_api::prelude::Document;

use crate::{
    ExtractError, LayerRows, Method, Options, PromptSet, Shape, logistic, pca,
    rows::{Means, Rows},
    silhouette::silhouette,
    vectors::{cosine, dot, normalized},
};

/// Extracts directions, layer by layer, from the rows of a layer.
///
/// ```
/// use jackfield_directions::{Extractor, LayerRows, Method, Options};
///
/// let positive = LayerRows::new(2, 2, &[1.0, 3.0, 1.0, 5.0])?;
/// let negative = LayerRows::new(2, 2, &[1.0, 0.0, 1.0, 0.0])?;
/// let extractor = Extractor::new(Options::new(Method::MeanDifference))?;
/// let found = extractor.layer(1, positive, negative)?;
/// assert_eq!(found.direction, [0.0, 1.0]);
/// assert_eq!(found.diagnostics.norm_difference, 4.0);
/// # Ok::<(), jackfield_directions::ExtractError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Extractor {
    options: Options,
}

/// The direction of a layer, and how good it looks.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerDirection {
    /// A unit vector; all zeros where the layer is degenerate.
    pub direction: Vec<f32>,
    /// What is known of the layer.
    pub diagnostics: LayerDiagnostics,
}

/// What is known of a layer. All but the last three describe the residuals as they were given, before clamping and whatever
/// the method, so that they can be compared between settings. No number is NaN: where one is undefined, there is none.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct LayerDiagnostics {
    /// The norm of the mean of the positive prompts.
    pub norm_mean_positive: f64,
    /// The norm of the mean of the negative prompts.
    pub norm_mean_negative: f64,
    /// The norm of the difference of the means.
    pub norm_difference: f64,
    /// The cosine between the means; undefined where one is zero.
    pub cos_means: Option<f64>,
    /// The cosine between the mean of the positive prompts and the difference of the means; undefined where one is zero.
    pub cos_positive_direction: Option<f64>,
    /// The cosine between the mean of the negative prompts and the difference of the means; undefined where one is zero.
    pub cos_negative_direction: Option<f64>,
    /// The mean silhouette of the prompts, with the two sets as clusters, under the Euclidean distance: 1 for sets far apart,
    /// 0 for sets that overlap; undefined where all prompts are alike.
    pub silhouette: Option<f64>,
    /// The cosine between the direction and the difference of the means; undefined where one is zero.
    pub cos_direction_difference: Option<f64>,
    /// Whether the layer does not have a direction: the sets are alike in it, or what sets them apart was projected out. Its
    /// direction is the zero vector and must not be used.
    pub degenerate: bool,
    /// The probe, where the method trains one.
    pub probe: Option<Probe>,
}

/// How a trained probe does.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct Probe {
    /// The mean log loss plus the penalty, which is what was minimised.
    pub objective: f64,
    /// The share of the prompts it was trained on that are on the right side of it.
    pub accuracy: f64,
}

/// A direction before it is known whether there is one.
struct Candidate {
    /// A unit vector.
    direction: Vec<f64>,
    /// How far the sets are apart along it.
    length: f64,
}

impl Extractor {
    /// An extractor with these options.
    pub fn new(options: Options) -> Result<Self, ExtractError> {
        options.check()?;
        Ok(Self { options })
    }

    /// Checks that directions can be extracted from sets of these shapes, without reading them.
    pub fn check(&self, positive: Shape, negative: Shape) -> Result<(), ExtractError> {
        for (set, shape) in [(PromptSet::Positive, positive), (PromptSet::Negative, negative)] {
            if shape.prompts < 2 {
                return Err(ExtractError::TooFewPrompts { set, prompts: shape.prompts });
            }
            if shape.layers == 0 {
                return Err(ExtractError::NoLayers { set });
            }
            if shape.width == 0 {
                return Err(ExtractError::ZeroWidth { set });
            }
        }
        if (positive.layers, positive.width) != (negative.layers, negative.width) {
            return Err(ExtractError::ShapesDiffer { positive, negative });
        }
        if let Method::Pca { pairs } = self.options.method {
            let most = positive.prompts.min(negative.prompts);
            match pairs {
                None if positive.prompts != negative.prompts => {
                    return Err(ExtractError::Unpaired { positive: positive.prompts, negative: negative.prompts });
                }
                Some(pairs) if !(2..=most).contains(&pairs) => {
                    return Err(ExtractError::WrongPairs { pairs, most });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The direction of a layer, whose index is only for messages.
    pub fn layer(
        &self,
        layer: usize,
        positive: LayerRows<'_>,
        negative: LayerRows<'_>,
    ) -> Result<LayerDirection, ExtractError> {
        let shape = |rows: LayerRows<'_>| Shape { prompts: rows.prompts(), layers: 1, width: rows.width() };
        self.check(shape(positive), shape(negative))?;
        let mut rows = Rows::new(layer, positive, negative)?;
        let given = rows.means();
        let alike = rows.all_alike();
        let silhouette = (!alike).then(|| silhouette(&rows));
        let clamped = (self.options.winsorize < 1.0).then(|| {
            rows.winsorize(self.options.winsorize);
            rows.means()
        });
        let means = clamped.as_ref().unwrap_or(&given);
        let (candidate, probe) = if alike { (None, None) } else { self.candidate(rows, means) };
        let direction = candidate.and_then(|candidate| self.finish(candidate, means));

        let [norm_mean_positive, norm_mean_negative, norm_difference] = given.norms();
        let [cos_means, cos_positive_direction, cos_negative_direction] = given.cosines();
        let diagnostics = LayerDiagnostics {
            norm_mean_positive,
            norm_mean_negative,
            norm_difference,
            cos_means,
            cos_positive_direction,
            cos_negative_direction,
            silhouette,
            cos_direction_difference: direction.as_ref().and_then(|found| cosine(found, &given.difference)),
            degenerate: direction.is_none(),
            probe,
        };
        let direction = direction.unwrap_or_else(|| vec![0.0; given.difference.len()]);
        Ok(LayerDirection { direction: direction.iter().map(|&x| x as f32).collect(), diagnostics })
    }

    /// The direction that the method finds, unprojected.
    fn candidate(&self, mut rows: Rows, means: &Means) -> (Option<Candidate>, Option<Probe>) {
        let candidate = |(direction, length)| Candidate { direction, length };
        match self.options.method {
            Method::MeanDifference => (normalized(means.difference.clone()).map(candidate), None),
            Method::Pca { pairs } => {
                let pairs = pairs.unwrap_or(rows.positive);
                (pca::first_component(&mut rows, pairs).map(candidate), None)
            }
            Method::Logistic { l2 } => {
                logistic::standardize(&mut rows);
                let fit = logistic::fit(&rows, l2);
                let probe = Probe { objective: fit.objective, accuracy: fit.accuracy };
                let found = normalized(fit.weights).map(|(direction, _)| {
                    let length = dot(&direction, &means.difference).abs();
                    Candidate { direction, length }
                });
                (found, Some(probe))
            }
        }
    }

    /// Projects the mean of the negatives out where that is asked for. Nothing where what is left is rounding.
    fn finish(&self, candidate: Candidate, means: &Means) -> Option<Vec<f64>> {
        let Candidate { mut direction, length } = candidate;
        if self.options.project
            && means.resolve(&means.negative, 1.0)
            && let Some((negative, _)) = normalized(means.negative.clone())
        {
            let along = dot(&direction, &negative);
            for (x, g) in direction.iter_mut().zip(&negative) {
                *x -= along * g;
            }
        }
        if !means.resolve(&direction, length) {
            return None;
        }
        normalized(direction).map(|(direction, _)| direction)
    }
}

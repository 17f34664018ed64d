//! Extracts the direction of one layer.

use jackfield_plugin_api::prelude::{Document, LayerDirection};
use serde_json::{Map, Value};

use crate::{
    ExtractError, LayerRows, Method, Options, PromptSet, Shape, logistic, pca, random,
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
/// assert_eq!(found.known.norm_difference, 4.0);
/// # Ok::<(), jackfield_directions::ExtractError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Extractor {
    options: Options,
}

/// The direction of a layer, and how good it looks.
#[derive(Clone, Debug, PartialEq)]
pub struct ExtractedLayer {
    /// A unit vector; all zeros where the layer is degenerate.
    pub direction: Vec<f32>,
    /// What is known of the layer, with [`LayerDetails`] in `extra`.
    pub known: LayerDirection,
}

/// What these extractors say of a layer beyond the contract: it stands in [`LayerDirection::more`]. The cosines with the
/// difference of the means describe the residuals as they were given, before clamping and whatever the method, so that they
/// can be compared between settings. What is undefined is absent.
#[derive(Clone, Debug, Default, PartialEq, Document)]
pub struct LayerDetails {
    /// The cosine between the mean of the positive prompts and the difference of the means; undefined where one is zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cos_positive_direction: Option<f64>,
    /// The cosine between the mean of the negative prompts and the difference of the means; undefined where one is zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cos_negative_direction: Option<f64>,
    /// The cosine between the direction and the difference of the means; undefined where one is zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cos_direction_difference: Option<f64>,
    /// The probe, where the method trains one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<Probe>,
}

impl LayerDetails {
    fn into_map(self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(map)) => map,
            other => unreachable!("a struct is written as an object: {other:?}"),
        }
    }
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

    /// The direction of a layer, whose index is for messages, and for directions that are drawn.
    pub fn layer(
        &self,
        layer: usize,
        positive: LayerRows<'_>,
        negative: LayerRows<'_>,
    ) -> Result<ExtractedLayer, ExtractError> {
        let shape = |rows: LayerRows<'_>| Shape { prompts: rows.prompts(), layers: 1, width: rows.width() };
        self.check(shape(positive), shape(negative))?;
        let mut rows = Rows::new(layer, positive, negative)?;
        let means_as_given = rows.means();
        let are_alike = rows.are_all_alike();
        let silhouette = (!are_alike).then(|| silhouette(&rows));
        let clamped_means = (self.options.winsorize < 1.0).then(|| {
            rows.winsorize(self.options.winsorize);
            rows.means()
        });
        let means = clamped_means.as_ref().unwrap_or(&means_as_given);
        let (candidate, probe) = if are_alike { (None, None) } else { self.candidate(layer, rows, means) };
        let direction = candidate.and_then(|candidate| self.project_and_check(candidate, means));

        let [norm_mean_positive, norm_mean_negative, norm_difference] = means_as_given.norms();
        let [cos_means, cos_positive_direction, cos_negative_direction] = means_as_given.cosines();
        let details = LayerDetails {
            cos_positive_direction,
            cos_negative_direction,
            cos_direction_difference: direction.as_ref().and_then(|found| cosine(found, &means_as_given.difference)),
            probe,
        };
        let known = LayerDirection {
            degenerate: direction.is_none(),
            norm_mean_positive,
            norm_mean_negative,
            norm_difference,
            cos_means,
            silhouette,
            extra: details.into_map(),
        };
        let direction = direction.unwrap_or_else(|| vec![0.0; means_as_given.difference.len()]);
        Ok(ExtractedLayer { direction: direction.iter().map(|&x| x as f32).collect(), known })
    }

    /// The direction that the method finds, unprojected.
    fn candidate(&self, layer: usize, mut rows: Rows, means: &Means) -> (Option<Candidate>, Option<Probe>) {
        let to_candidate = |(direction, length)| Candidate { direction, length };
        match self.options.method {
            Method::MeanDifference => (normalized(means.difference.clone()).map(to_candidate), None),
            Method::Pca { pairs } => {
                let pairs = pairs.unwrap_or(rows.positive);
                (pca::first_component(&mut rows, pairs).map(to_candidate), None)
            }
            Method::Random { seed } => (random::direction(seed, layer, &means.difference).map(to_candidate), None),
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
    fn project_and_check(&self, candidate: Candidate, means: &Means) -> Option<Vec<f64>> {
        let Candidate { mut direction, length } = candidate;
        if self.options.project
            && means.exceeds_rounding(&means.negative, 1.0)
            && let Some((negative, _)) = normalized(means.negative.clone())
        {
            let along = dot(&direction, &negative);
            for (x, unit_negative) in direction.iter_mut().zip(&negative) {
                *x -= along * unit_negative;
            }
        }
        if !means.exceeds_rounding(&direction, length) {
            return None;
        }
        // What is drawn may have come to the other side by the projection.
        if matches!(self.options.method, Method::Random { .. }) && dot(&direction, &means.difference) < 0.0 {
            direction.iter_mut().for_each(|x| *x = -*x);
        }
        normalized(direction).map(|(direction, _)| direction)
    }
}

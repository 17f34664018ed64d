//! Direction extractors, on contrast sets that are made up.

use jackfield_plugin_api::{ContrastSet, Directions, Failure, FailureKind, LayerDirection, Random, TensorRef};

use crate::{
    Finding, Outcome,
    extension_under_test::{ExtensionUnderTest, Setup, excerpt, short, shown},
    inputs::Sample,
};

/// How far the norm of a unit vector may be from 1.
const TOLERANCE: f64 = 1e-4;

/// Numbers of prompts of both sets, of layers, and the length of a hidden state.
#[derive(Clone, Copy)]
struct Size {
    positive: u64,
    negative: u64,
    layers: u64,
    d: u64,
}

const ORDINARY: Size = Size { positive: 8, negative: 8, layers: 3, d: 16 };

/// Hidden states of both sets: noise around a point of each set, far apart. In the layer that is `alike`, every prompt of
/// both sets has the same hidden state.
fn states(size: Size, seed: u64, alike: Option<u64>) -> [Vec<f32>; 2] {
    let mut random = Random::new(seed);
    let mut number = |scale: f64| (random.next_f64() * 2.0 - 1.0) * scale;
    let width = (size.layers * size.d) as usize;
    let (middle, apart): (Vec<f64>, Vec<f64>) = (0..width).map(|_| (number(1.0), number(1.0))).unzip();
    let mut set = |prompts: u64, side: f64| -> Vec<f32> {
        let mut elements = Vec::with_capacity(prompts as usize * width);
        for _ in 0..prompts {
            for at in 0..width {
                let noise = number(0.1);
                let same = alike == Some(at as u64 / size.d);
                elements.push(if same { middle[at] } else { middle[at] + side * apart[at] + noise } as f32);
            }
        }
        elements
    };
    [set(size.positive, 1.0), set(size.negative, -1.0)]
}

/// Both sets as tensors.
fn contrast(extension: &ExtensionUnderTest<'_>, size: Size, seed: u64, alike: Option<u64>) -> ContrastSet {
    let [positive, negative] = states(size, seed, alike);
    let positive = extension.shared.tensors.keep(&[size.positive, size.layers, size.d], positive);
    ContrastSet { positive, negative: extension.shared.tensors.keep(&[size.negative, size.layers, size.d], negative) }
}

/// What was extracted.
struct Extracted {
    /// The elements of the directions, a layer after the other.
    rows: Vec<Vec<f32>>,
    layers: Vec<LayerDirection>,
}

fn ask(
    extension: &ExtensionUnderTest<'_>,
    setup: &Setup,
    contrast: &ContrastSet,
) -> Result<jackfield_plugin_api::Document, Failure> {
    let value = serde_json::to_value(contrast).unwrap_or_default();
    extension.call(&setup.instance, &[Sample::new(6000, &value)]).swap_remove(0)
}

/// What is extracted from two sets, its shape held to theirs.
fn extract(extension: &ExtensionUnderTest<'_>, setup: &Setup, contrast: &ContrastSet) -> Result<Extracted, Finding> {
    let answer = ask(extension, setup, contrast);
    let wrong = |expected: String, seen: String| {
        Finding::new(
            expected,
            seen,
            "answer `Directions`: a tensor of shape [layers, d], and an entry of `layers` for each",
        )
    };
    let document = answer.map_err(|failure| {
        Finding::new(
            "directions, from two sets that are far apart in each layer in which they differ",
            short(&failure),
            "answer a direction a layer, and the zero vector where a layer has none",
        )
    })?;
    let answered: Directions = serde_json::from_str(&document.json)
        .map_err(|error| wrong("`Directions`".to_owned(), format!("{}: {error}", excerpt(&document.json))))?;
    let shape = &contrast.positive.shape[1..];
    if answered.directions.shape != shape || answered.layers.len() as u64 != shape[0] {
        let (found, entries) = (&answered.directions.shape, answered.layers.len());
        return Err(wrong(
            format!("directions of shape {shape:?}, and {} entries of `layers`", shape[0]),
            format!("shape {found:?}, and {entries} entries"),
        ));
    }
    let Some(elements) = extension.shared.tensors.elements(&answered.directions) else {
        let seen = format!("no tensor {}", answered.directions.sha256);
        return Err(wrong("directions that the host of the call keeps".to_owned(), seen));
    };
    let rows = elements.chunks_exact((shape[1] as usize).max(1)).map(<[f32]>::to_vec).collect();
    Ok(Extracted { rows, layers: answered.layers })
}

fn norm(row: &[f32]) -> f64 {
    row.iter().map(|element| f64::from(*element).powi(2)).sum::<f64>().sqrt()
}

/// What is wrong with the direction of a layer or with what is said of it.
fn fault(row: &[f32], said: &LayerDirection) -> Option<String> {
    let length = norm(row);
    if !length.is_finite() {
        return Some("a direction with NaN or infinity in it".to_owned());
    }
    let is_zero = row.iter().all(|element| *element == 0.0);
    if said.degenerate != is_zero {
        let degenerate = said.degenerate;
        return Some(format!("a direction of norm {length:.6} with `degenerate` {degenerate}"));
    }
    if !is_zero && (length - 1.0).abs() > TOLERANCE {
        return Some(format!("a direction of norm {length:.6}"));
    }
    let norms = [said.norm_mean_positive, said.norm_mean_negative, said.norm_difference];
    if norms.iter().any(|norm| !norm.is_finite() || *norm < 0.0) {
        return Some(format!("norms {norms:?}"));
    }
    let within = |share: Option<f64>| share.is_none_or(|share| share.abs() <= 1.0 + TOLERANCE);
    if !within(said.cos_means) || !within(said.silhouette) {
        return Some(format!("cosine {:?} and silhouette {:?}", said.cos_means, said.silhouette));
    }
    None
}

/// What is wrong with the directions of any layer.
fn faults(extracted: &Extracted, what: &str) -> Option<Finding> {
    let mut layers = extracted.rows.iter().zip(&extracted.layers).enumerate();
    let (layer, why) = layers.find_map(|(layer, (row, said))| Some((layer, fault(row, said)?)))?;
    Some(Finding::new(
        "a unit vector a layer, or the zero vector of a layer that is degenerate; norms, cosines and silhouettes that can be",
        format!("{why}, of layer {layer}, for {what}"),
        "normalise each direction; answer the zero vector and `degenerate` where there is none, and no number that is undefined",
    ))
}

pub(crate) fn answers(extension: &ExtensionUnderTest<'_>) -> Outcome {
    let sizes = [
        ORDINARY,
        Size { positive: 7, negative: 7, layers: 1, d: 33 },
        Size { positive: 24, negative: 24, layers: 5, d: 64 },
    ];
    // Too few for some, or without pairs: those may be refused.
    let small = [
        Size { negative: 5, ..ORDINARY },
        Size { positive: 1, negative: 1, ..ORDINARY },
        Size { positive: 2, negative: 1, layers: 1, d: 1 },
    ];
    let mut findings = Vec::new();
    for setup in &extension.setups {
        for (size, seed) in sizes.into_iter().zip(0xd100..) {
            let what = format!("{} and {} prompts", size.positive, size.negative);
            match extract(extension, setup, &contrast(extension, size, seed, None)) {
                Ok(extracted) => findings.extend(faults(&extracted, &what)),
                Err(finding) => findings.push(finding),
            }
        }
        for (size, seed) in small.into_iter().zip(0xd200..) {
            let what = format!("{} and {} prompts", size.positive, size.negative);
            let contrast = contrast(extension, size, seed, None);
            let refused =
                ask(extension, setup, &contrast).is_err_and(|failure| failure.kind() == FailureKind::InvalidInput);
            match extract(extension, setup, &contrast) {
                Ok(extracted) => findings.extend(faults(&extracted, &what)),
                Err(finding) if !refused => findings.push(finding),
                Err(_) => {}
            }
        }
    }
    Outcome::from_findings(findings)
}

pub(crate) fn degenerate(extension: &ExtensionUnderTest<'_>) -> Outcome {
    let mut findings = Vec::new();
    for setup in &extension.setups {
        for layer in 0..ORDINARY.layers {
            let contrast = contrast(extension, ORDINARY, 0xde6, Some(layer));
            let extracted = match extract(extension, setup, &contrast) {
                Ok(extracted) => extracted,
                Err(finding) => {
                    findings.push(finding);
                    continue;
                }
            };
            let what = format!("sets whose hidden states are all the same in layer {layer}");
            findings.extend(faults(&extracted, &what));
            let flags: Vec<bool> = extracted.layers.iter().map(|said| said.degenerate).collect();
            let wanted: Vec<bool> = (0..ORDINARY.layers).map(|at| at == layer).collect();
            if flags != wanted {
                findings.push(Finding::new(
                    format!("layer {layer} alone degenerate, as every hidden state is the same in it"),
                    format!("`degenerate` {flags:?}"),
                    "answer the zero vector and `degenerate` for a layer in which the sets are alike, and for no other",
                ));
            }
        }
    }
    Outcome::from_findings(findings)
}

/// Each of these inputs is refused as `invalid-input`.
fn refused(extension: &ExtensionUnderTest<'_>, inputs: &[(String, ContrastSet)], fix: &str) -> Outcome {
    let mut findings = Vec::new();
    for setup in &extension.setups {
        for (what, contrast) in inputs {
            let answer = ask(extension, setup, contrast);
            let fits = answer.as_ref().is_err_and(|failure| failure.kind() == FailureKind::InvalidInput);
            if !fits {
                findings.push(Finding::new("`invalid-input`", format!("{}, for {what}", shown(&answer)), fix));
            }
        }
    }
    Outcome::from_findings(findings)
}

pub(crate) fn not_numbers(extension: &ExtensionUnderTest<'_>) -> Outcome {
    let with = |number: f32, in_positive: bool| {
        let [mut positive, mut negative] = states(ORDINARY, 0x9a9, None);
        let set = if in_positive { &mut positive } else { &mut negative };
        let last = set.len() - 2;
        set[last] = number;
        let shape = |prompts: u64| [prompts, ORDINARY.layers, ORDINARY.d];
        let positive = extension.shared.tensors.keep(&shape(ORDINARY.positive), positive);
        let contrast =
            ContrastSet { positive, negative: extension.shared.tensors.keep(&shape(ORDINARY.negative), negative) };
        let side = if in_positive { "positive" } else { "negative" };
        (format!("{number} in the last prompt and layer of `{side}`"), contrast)
    };
    let inputs =
        [with(f32::NAN, true), with(f32::NAN, false), with(f32::INFINITY, true), with(f32::NEG_INFINITY, false)];
    refused(extension, &inputs, "look at every element, and say of which prompt and layer the number is that is none")
}

pub(crate) fn shapes(extension: &ExtensionUnderTest<'_>) -> Outcome {
    let tensor = |shape: &[u64]| extension.shared.tensors.made_up(shape, 0x54a);
    let pair = |one: &[u64], other: &[u64]| {
        let what = format!("`positive` of shape {one:?} and `negative` of shape {other:?}");
        (what, ContrastSet { positive: tensor(one), negative: tensor(other) })
    };
    let inputs = [
        pair(&[4, 3, 8], &[4, 2, 8]),
        pair(&[4, 3, 8], &[4, 3, 9]),
        pair(&[4, 24], &[4, 24]),
        pair(&[4, 3, 8], &[96]),
        pair(&[0, 3, 8], &[4, 3, 8]),
    ];
    refused(extension, &inputs, "compare both shapes, `[prompts, layers, d]`, before anything is read; no set is empty")
}

pub(crate) fn sign(extension: &ExtensionUnderTest<'_>) -> Outcome {
    let mut findings = Vec::new();
    for setup in &extension.setups {
        let contrast = contrast(extension, ORDINARY, 0x516, None);
        let turned = ContrastSet { positive: contrast.negative.clone(), negative: contrast.positive.clone() };
        for (contrast, what) in [(&contrast, "two sets"), (&turned, "the same two sets, the other way around")] {
            let extracted = match extract(extension, setup, contrast) {
                Ok(extracted) => extracted,
                Err(finding) => {
                    findings.push(finding);
                    continue;
                }
            };
            let mut layers = extracted.rows.iter().enumerate();
            if let Some((layer, _)) = layers.find(|(layer, row)| points_away(extension, contrast, *layer, row)) {
                findings.push(Finding::new(
                    "a direction that points from `negative` to `positive`",
                    format!("one that points from `positive` to `negative` in layer {layer}, for {what}"),
                    "turn a direction around along which the mean of `positive` comes before that of `negative`",
                ));
            }
        }
    }
    Outcome::from_findings(findings)
}

/// Whether the mean of `positive` lies before that of `negative` along a direction.
fn points_away(extension: &ExtensionUnderTest<'_>, contrast: &ContrastSet, layer: usize, row: &[f32]) -> bool {
    let mean = |tensor: &TensorRef| -> f64 {
        let elements = extension.shared.tensors.elements(tensor).unwrap_or_default();
        let (width, d) = ((tensor.shape[1] * tensor.shape[2]) as usize, row.len());
        let along = |prompt: &[f32]| -> f64 {
            prompt[layer * d..][..d].iter().zip(row).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
        };
        elements.chunks_exact(width).map(along).sum::<f64>() / tensor.shape[0] as f64
    };
    mean(&contrast.positive) < mean(&contrast.negative)
}

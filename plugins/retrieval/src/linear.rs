//! Domains told by a linear classifier, and where to stop believing it.

use crate::{
    belief::{Belief, sharpness},
    classify::Verdict,
    examples::Examples,
    folds::parts,
    rows::Rows,
    softmax::probabilities,
    svm::{LinearSvm, UnseenMargins},
    threshold::{fit_threshold, threshold_that_keeps},
};

/// Finds the domain of a text by its features.
#[derive(Clone, Debug)]
pub struct LinearClassifier {
    /// Names of the domains, and last [`GENERAL`](crate::classify::GENERAL) where there are examples of it.
    names: Vec<String>,
    domains: usize,
    svm: LinearSvm,
    /// What domains' margins are multiplied with to make probabilities of them.
    sharpness: f64,
    /// What a text's [sign](sign) is worth.
    belief: Belief,
    threshold: f64,
}

impl LinearClassifier {
    /// Learns domains from examples whose features these are, in order of [`Examples::texts`]. What its margins are worth, and
    /// the threshold unless it is given, come from margins of examples in parts, each part being judged by what the others
    /// teach.
    ///
    /// With examples of no domain a margin is worth the probability that a text is of any, and the threshold is
    /// [`fit_threshold`]'s. Without, or with a single one, it is worth the probability that the best domain is right, and the
    /// threshold [keeps](threshold_that_keeps) the share of right answers that the examples ask for.
    #[must_use]
    pub fn learn(examples: &Examples, rows: &Rows) -> Self {
        let (names, domains, labels) = (examples.names(), examples.domains(), examples.labels());
        let folds = parts(rows, labels, names.len());
        let (svm, unseen) = LinearSvm::fit_and_judge(rows, labels, names.len(), &folds);
        let judged: Vec<usize> = (0..labels.len()).filter(|&row| folds[row].is_some()).collect();
        let inside: Vec<usize> = judged.iter().copied().filter(|&row| labels[row] < domains).collect();
        let pairs: Vec<(usize, usize)> = inside.iter().map(|&row| (row, labels[row])).collect();
        let sharpness = sharpness(|row| &unseen.row(row)[..domains], &pairs);
        let (belief, fitted) = if inside.len() < judged.len() {
            of_any_domain(&unseen, &judged, labels, domains)
        } else {
            of_the_best_domain(&unseen, &inside, labels, domains, examples.believing().right_answers_kept)
        };
        let threshold = examples.believing().threshold.unwrap_or(fitted);
        Self { names: names.to_vec(), domains, svm, sharpness, belief, threshold }
    }

    /// Least confidence with which a domain is believed.
    #[must_use]
    pub fn threshold(&self) -> f64 {
        self.threshold
    }

    /// The domain of a text with these features. A text without any is like no example, and of none.
    #[must_use]
    pub fn verdict(&self, row: &[(u32, f32)]) -> Verdict {
        let mut margins = self.svm.margins(row);
        let confidence = if row.is_empty() { 0.0 } else { self.belief.probability(sign(&margins, self.domains)) };
        margins.truncate(self.domains);
        margins.iter_mut().for_each(|margin| *margin *= self.sharpness);
        probabilities(&mut margins);
        Verdict::new(&self.names, margins, confidence, !row.is_empty() && confidence >= self.threshold)
    }
}

/// What the margins say of a text's being of some domain: the greatest of the domains', less that of none where it is known.
fn sign(margins: &[f64], domains: usize) -> f64 {
    let best = margins.iter().take(domains).copied().fold(f64::NEG_INFINITY, f64::max);
    best - margins.get(domains).copied().unwrap_or(0.0)
}

fn signs(unseen: &UnseenMargins, rows: &[usize], domains: usize) -> Vec<f64> {
    let of_row = |&row: &usize| {
        let margins: Vec<f64> = unseen.row(row).iter().copied().map(f64::from).collect();
        sign(&margins, domains)
    };
    rows.iter().map(of_row).collect()
}

/// How likely a text is of any domain, and the threshold for it.
fn of_any_domain(unseen: &UnseenMargins, judged: &[usize], labels: &[usize], domains: usize) -> (Belief, f64) {
    let signs = signs(unseen, judged, domains);
    let inside: Vec<bool> = judged.iter().map(|&row| labels[row] < domains).collect();
    let belief = Belief::learn(&signs, &inside);
    let confidences: Vec<f64> = signs.iter().map(|&sign| belief.probability(sign)).collect();
    let outside: Vec<bool> = inside.iter().map(|inside| !inside).collect();
    let threshold = fit_threshold(&confidences, &outside, 1.0).unwrap_or(0.0);
    (belief, threshold)
}

/// How likely the best domain is right, and the threshold for it.
fn of_the_best_domain(
    unseen: &UnseenMargins,
    judged: &[usize],
    labels: &[usize],
    domains: usize,
    kept: f64,
) -> (Belief, f64) {
    let signs = signs(unseen, judged, domains);
    let is_right = |&row: &usize| {
        let margins = &unseen.row(row)[..domains];
        margins.iter().enumerate().all(|(class, margin)| class == labels[row] || *margin < margins[labels[row]])
    };
    let right: Vec<bool> = judged.iter().map(is_right).collect();
    let belief = Belief::learn(&signs, &right);
    let of_right = signs.iter().zip(&right).filter(|(_, right)| **right);
    let confidences: Vec<f64> = of_right.map(|(&sign, _)| belief.probability(sign)).collect();
    (belief, threshold_that_keeps(&confidences, kept))
}

//! What the spread of the answers says about the prompt: stability, bands, the prompt-quality score and its gates.

use serde::{Deserialize, Serialize};

/// How far the templates agree, by the interquartile range of their mean logits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Band {
    /// Above 0.30.
    Low,
    /// Up to 0.30.
    Medium,
    /// Up to 0.05.
    High,
}

impl Band {
    /// The band of an interquartile range in logit units, 0 or more.
    #[must_use]
    pub fn of(template_iqr_logit: f64) -> Self {
        match template_iqr_logit {
            iqr if iqr <= 0.05 => Self::High,
            iqr if iqr <= 0.30 => Self::Medium,
            _ => Self::Low,
        }
    }
}

/// 1 / (1 + (IQR / 0.2)^1.7): 1 where all templates agree, 0.5 at an interquartile range of 0.2 logits, towards 0 beyond.
#[must_use]
pub fn stability(template_iqr_logit: f64) -> f64 {
    1.0 / (1.0 + (template_iqr_logit / 0.2).powf(1.7))
}

/// Whether an interval is narrow enough to be called stable: `ci_width`, in probability, up to 0.20.
#[must_use]
pub fn is_stable(ci_width: f64) -> bool {
    ci_width <= 0.20
}

/// How good a prompt bank is for a claim, out of one run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PromptQuality {
    /// 0 ..= 100, rounded down: 100 (0.4 stability + 0.4 (1 - min(width, 0.5) / 0.5) + 0.2 compliance).
    ///
    /// None where stability is not known.
    pub score: Option<u8>,
    /// Compliance is at least 0.98.
    pub compliance_passes: bool,
    /// Stability is at least 0.25. None where it is not known.
    pub stability_passes: Option<bool>,
    /// The interval is at most 0.30 wide.
    pub width_passes: bool,
}

impl PromptQuality {
    /// The quality out of `stability` (where it is known) and `compliance` in 0 ..= 1 and `ci_width`, in probability.
    #[must_use]
    pub fn of(stability: Option<f64>, ci_width: f64, compliance: f64) -> Self {
        let narrow = 1.0 - ci_width.min(0.5) / 0.5;
        Self {
            score: stability.map(|stability| (100.0 * (0.4 * stability + 0.4 * narrow + 0.2 * compliance)) as u8),
            compliance_passes: compliance >= 0.98,
            stability_passes: stability.map(|stability| stability >= 0.25),
            width_passes: ci_width <= 0.30,
        }
    }

    /// Whether all three gates are passed. A gate of which that is not known is not.
    #[must_use]
    pub fn passes(&self) -> bool {
        self.compliance_passes && self.stability_passes == Some(true) && self.width_passes
    }
}

#[cfg(test)]
mod tests {
    use super::{Band, PromptQuality, is_stable, stability};

    #[test]
    fn bands_and_stability_turn_at_their_limits() {
        assert_eq!([0.0, 0.05, 0.051, 0.30, 0.301].map(Band::of), {
            use Band::{High, Low, Medium};
            [High, High, Medium, Medium, Low]
        });
        assert_eq!((stability(0.0), stability(0.2)), (1.0, 0.5));
        assert!(is_stable(0.20) && !is_stable(0.200_001));
    }

    #[test]
    fn quality_is_a_hundred_at_best_and_zero_at_worst() {
        let best = PromptQuality::of(Some(1.0), 0.0, 1.0);
        assert_eq!((best.score, best.passes()), (Some(100), true));
        let worst = PromptQuality::of(Some(0.0), 0.9, 0.0);
        assert_eq!((worst.score, worst.passes()), (Some(0), false));
        let golden = PromptQuality::of(Some(0.560_292_452_834_051_5), 0.032_584_566_314_366_02, 1.0);
        assert_eq!(golden.score, Some(79));
    }

    #[test]
    fn each_gate_closes_on_its_own() {
        assert!(PromptQuality::of(Some(0.25), 0.30, 0.98).passes());
        assert_eq!(PromptQuality::of(Some(0.249), 0.30, 0.98).stability_passes, Some(false));
        assert!(!PromptQuality::of(Some(0.25), 0.301, 0.98).width_passes);
        assert!(!PromptQuality::of(Some(0.25), 0.30, 0.979).compliance_passes);
    }

    #[test]
    fn without_a_known_stability_there_is_no_score_and_its_gate_is_not_passed() {
        let unknown = PromptQuality::of(None, 0.1, 1.0);
        assert_eq!((unknown.score, unknown.stability_passes, unknown.passes()), (None, None, false));
        assert!(unknown.compliance_passes && unknown.width_passes);
    }
}

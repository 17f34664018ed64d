//! Quantiles of the Beta distribution.

/// How many points the density is added up at.
const POINTS: usize = 4000;

/// Quantiles of the Beta distribution with these two parameters, both above 0, at ascending probabilities, to about three
/// digits.
///
/// The density is added up over the logit of its variable, where it is a x^a (1 - x)^b and has no pole at either end.
pub(super) fn quantiles<const N: usize>((a, b): (f64, f64), at: [f64; N]) -> [f64; N] {
    let (a, b) = (a.clamp(1e-3, 1e12), b.clamp(1e-3, 1e12));
    let spread = 12.0 * (1.0 / a + 1.0 / b).sqrt();
    let mode = (a / b).ln();
    // The tails fall off as exp(-a |t|) to the left and exp(-b t) to the right.
    let (from, to) = (mode - spread.max(40.0 / a).min(1e5), mode + spread.max(40.0 / b).min(1e5));
    let step = (to - from) / POINTS as f64;
    let log_density = |t: f64| {
        // ln x and ln (1 - x) of x = 1 / (1 + exp(-t)), without loss at either end.
        let (low, high) = (-(-t).exp().ln_1p(), -t.exp().ln_1p());
        a * if t < -700.0 { t } else { low } + b * if t > 700.0 { -t } else { high }
    };
    let top = log_density(mode);
    let mass: Vec<f64> =
        (0..POINTS).map(|index| (log_density(from + (index as f64 + 0.5) * step) - top).exp()).collect();
    let whole: f64 = mass.iter().sum();
    let (mut below, mut index) = (0.0, 0);
    at.map(|probability| {
        let wanted = probability * whole;
        while index < POINTS && below + mass[index] < wanted {
            below += mass[index];
            index += 1;
        }
        let part = if index < POINTS && mass[index] > 0.0 { (wanted - below) / mass[index] } else { 0.0 };
        let t = from + (index as f64 + part) * step;
        1.0 / (1.0 + (-t).exp())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, wanted: f64) {
        assert!((found - wanted).abs() < 1e-3, "{found} is not {wanted}");
    }

    #[test]
    fn quantiles_are_those_of_the_closed_forms() {
        for p in [0.025, 0.3, 0.5, 0.975] {
            // Beta(1, 1) is uniform; of Beta(n, 1) the distribution function is x^n; Beta(1/2, 1/2) is the arcsine law.
            close(quantiles((1.0, 1.0), [p])[0], p);
            close(quantiles((2.0, 1.0), [p])[0], p.sqrt());
            close(quantiles((1.0, 5.0), [p])[0], 1.0 - (1.0 - p).powf(0.2));
            close(quantiles((0.5, 0.5), [p])[0], (std::f64::consts::FRAC_PI_2 * p).sin().powi(2));
        }
    }

    #[test]
    fn much_evidence_is_close_to_normal() {
        let [low, middle, high] = quantiles((30_000.0, 70_000.0), [0.025, 0.5, 0.975]);
        let deviation = (0.3_f64 * 0.7 / 100_000.0).sqrt();
        close(low, 0.3 - 1.96 * deviation);
        close(middle, 0.3);
        close(high, 0.3 + 1.96 * deviation);
        let [low, high] = quantiles((1e-3, 1e12), [0.025, 0.975]);
        assert!(low >= 0.0 && high < 1e-3, "{low} {high}");
    }
}

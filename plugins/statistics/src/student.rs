//! Student's distribution of t.

use crate::normal;

/// The share below `t`, with so many degrees of freedom, 1 at least: to about 1e-13.
///
/// It is an incomplete beta function (Abramowitz and Stegun, 26.7.1).
#[must_use]
pub fn below(t: f64, freedom: f64) -> f64 {
    let tail = 0.5 * incomplete_beta(freedom / (freedom + t * t), 0.5 * freedom, 0.5);
    if t > 0.0 { 1.0 - tail } else { tail }
}

/// How likely a value of t is that is as far from 0 or farther, on either side: the p-value of a test with two sides.
#[must_use]
pub fn two_sided(t: f64, freedom: f64) -> f64 {
    incomplete_beta(freedom / (freedom + t * t), 0.5 * freedom, 0.5)
}

/// The t below which this share lies, above 0 and below 1, with so many degrees of freedom, 1 at least.
#[must_use]
pub fn quantile(share: f64, freedom: f64) -> f64 {
    if share == 0.5 {
        return 0.0;
    }
    // In the lower tail, where shares are exact.
    let tail = share.min(1.0 - share);
    let (mut low, mut high) = (normal::quantile(tail), 0.0);
    while below(low, freedom) > tail && low > -1e300 {
        high = low;
        low *= 2.0;
    }
    // By halves until the floats between are used up: that takes 60 steps, and no thought about convergence.
    loop {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            return if share < 0.5 { middle } else { -middle };
        }
        if below(middle, freedom) < tail {
            low = middle;
        } else {
            high = middle;
        }
    }
}

/// The regularised incomplete beta function of `x` with the parameters `a` and `b`, by its continued fraction (Abramowitz and
/// Stegun, 26.5.8), which is evaluated from the left as Lentz and Thompson do.
fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return if x <= 0.0 { 0.0 } else { 1.0 };
    }
    // The fraction converges fast on this side of the mean; the function is symmetric.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta(1.0 - x, b, a);
    }
    let log_factor =
        libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b) + a * libm::log(x) + b * libm::log1p(-x) - libm::log(a);
    let not_zero = |number: f64| if number.abs() < 1e-300 { 1e-300 } else { number };
    let (mut numerator, mut denominator) = (1.0, 1.0 / not_zero(1.0 - (a + b) * x / (a + 1.0)));
    let mut fraction = denominator;
    for step in 1..10_000 {
        let m = f64::from(step);
        for term in [
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0)),
        ] {
            denominator = 1.0 / not_zero(1.0 + term * denominator);
            numerator = not_zero(1.0 + term / numerator);
            fraction *= denominator * numerator;
        }
        if (denominator * numerator - 1.0).abs() < 1e-15 {
            break;
        }
    }
    libm::exp(log_factor) * fraction
}

#[cfg(test)]
mod tests {
    use super::{below, quantile};
    use crate::fixtures::{fixtures, near};

    #[test]
    fn quantiles_and_shares_are_those_of_scipy() {
        let cases = fixtures().student;
        assert!(cases.len() > 50);
        for (share, freedom, t) in cases {
            near(quantile(share, freedom), t, &format!("the quantile {share} with {freedom}"));
            near(below(t, freedom), share, &format!("the share below {t} with {freedom}"));
        }
    }
}

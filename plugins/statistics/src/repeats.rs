//! Items that were tried several times.

/// How likely at least one of `k` tries passes, estimated from `count` tries of which `passed` did: pass@k, without bias (Chen
/// and others 2021, "Evaluating Large Language Models Trained on Code"): 1 - C(count - passed, k) / C(count, k).
///
/// None if there are fewer than `k` tries, or `k` is 0.
///
/// ```
/// assert_eq!(jackfield_statistics::repeats::pass_at_k(4, 1, 2), Some(0.5));
/// ```
#[must_use]
pub fn pass_at_k(count: u32, passed: u32, k: u32) -> Option<f64> {
    chosen(count, count.saturating_sub(passed), k).map(|none_passes| 1.0 - none_passes)
}

/// How likely all of `k` tries pass, estimated in the same way: pass^k (Yao and others 2024, "tau-bench"):
/// C(passed, k) / C(count, k). With as many tries as `k`, it is 1 where all passed and else 0.
///
/// ```
/// assert_eq!(jackfield_statistics::repeats::pass_hat_k(4, 3, 2), Some(0.5));
/// ```
#[must_use]
pub fn pass_hat_k(count: u32, passed: u32, k: u32) -> Option<f64> {
    chosen(count, passed.min(count), k)
}

/// How likely `k` of `count` that are chosen are all among `some` of them: C(some, k) / C(count, k).
fn chosen(count: u32, some: u32, k: u32) -> Option<f64> {
    if k == 0 || k > count {
        return None;
    }
    if some < k {
        return Some(0.0);
    }
    Some((0..k).map(|at| f64::from(some - at) / f64::from(count - at)).product())
}

#[cfg(test)]
mod tests {
    use super::{pass_at_k, pass_hat_k};
    use crate::fixtures::{fixtures, near};

    #[test]
    fn both_are_ratios_of_binomial_coefficients() {
        let cases = fixtures().repeats;
        assert!(cases.len() >= 10);
        for (count, passed, k, at, hat) in cases {
            near(pass_at_k(count, passed, k).unwrap(), at, &format!("pass@{k} of {passed} in {count}"));
            near(pass_hat_k(count, passed, k).unwrap(), hat, &format!("pass^{k} of {passed} in {count}"));
        }
    }

    #[test]
    fn more_tries_than_were_made_say_nothing() {
        assert_eq!((pass_at_k(3, 2, 4), pass_hat_k(3, 2, 0)), (None, None));
        assert_eq!((pass_at_k(3, 3, 3), pass_hat_k(3, 3, 3)), (Some(1.0), Some(1.0)));
    }
}

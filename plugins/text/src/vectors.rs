//! Sparse vectors of terms, with tf-idf weights and the cosine similarity (Salton & Buckley 1988).

use crate::vocabulary::TermId;

/// A sparse vector: terms in ascending order, each once, with their weights.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sparse(Vec<(TermId, f64)>);

impl Sparse {
    /// How often each term occurs.
    #[must_use]
    pub fn counts(terms: impl IntoIterator<Item = TermId>) -> Self {
        let mut terms: Vec<TermId> = terms.into_iter().collect();
        terms.sort_unstable();
        let mut pairs: Vec<(TermId, f64)> = Vec::new();
        for term in terms {
            match pairs.last_mut() {
                Some(last) if last.0 == term => last.1 += 1.0,
                _ => pairs.push((term, 1.0)),
            }
        }
        Self(pairs)
    }

    /// The sum of the weights given for each term.
    #[must_use]
    pub fn sums(pairs: impl IntoIterator<Item = (TermId, f64)>) -> Self {
        let mut pairs: Vec<(TermId, f64)> = pairs.into_iter().collect();
        // Stable: weights of one term are added in the order given.
        pairs.sort_by_key(|pair| pair.0);
        pairs.dedup_by(|next, sum| {
            let same = next.0 == sum.0;
            if same {
                sum.1 += next.1;
            }
            same
        });
        Self(pairs)
    }

    /// Keeps the `most` terms of greatest weight; of two with the same weight, the lower term.
    #[must_use]
    pub fn strongest(mut self, most: usize) -> Self {
        if self.0.len() > most {
            self.0.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            self.0.truncate(most);
            self.0.sort_unstable_by_key(|pair| pair.0);
        }
        self
    }

    /// Counts damped to `1 + ln(count)` and multiplied by each term's weight.
    #[must_use]
    pub fn weighted(mut self, weights: &[f64]) -> Self {
        for (term, value) in &mut self.0 {
            *value = (1.0 + libm::log(*value)) * weights[*term as usize];
        }
        self
    }

    /// The same direction, with length 1; the zero vector stays.
    #[must_use]
    pub fn normalized(mut self) -> Self {
        let norm = self.norm();
        if norm > 0.0 {
            self.0.iter_mut().for_each(|(_, value)| *value /= norm);
        }
        self
    }

    /// Euclidean length.
    #[must_use]
    pub fn norm(&self) -> f64 {
        self.0.iter().map(|(_, value)| value * value).sum::<f64>().sqrt()
    }

    /// The terms with their weights, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = (TermId, f64)> + '_ {
        self.0.iter().copied()
    }

    /// How many terms have a weight.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no term has a weight.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Inner product.
    #[must_use]
    pub fn dot(&self, other: &Self) -> f64 {
        let (mut a, mut b) = (self.0.iter().peekable(), other.0.iter().peekable());
        let mut sum = 0.0;
        while let (Some(x), Some(y)) = (a.peek(), b.peek()) {
            match x.0.cmp(&y.0) {
                std::cmp::Ordering::Less => _ = a.next(),
                std::cmp::Ordering::Greater => _ = b.next(),
                std::cmp::Ordering::Equal => {
                    sum += x.1 * y.1;
                    a.next();
                    b.next();
                }
            }
        }
        sum
    }
}

/// Cosine of the angle between two vectors; 0 where either is zero.
#[must_use]
pub fn cosine(a: &Sparse, b: &Sparse) -> f64 {
    let norms = a.norm() * b.norm();
    if norms > 0.0 { a.dot(b) / norms } else { 0.0 }
}

/// Inverse document frequency of every term, `ln(1 + documents / frequency)`, from the documents' terms.
#[must_use]
pub fn inverse_frequencies<'a>(documents: impl IntoIterator<Item = &'a [TermId]>, term_count: usize) -> Vec<f64> {
    let mut frequency = vec![0u32; term_count];
    let mut seen_in = vec![0u32; term_count];
    let mut count = 0u32;
    for document in documents {
        count += 1;
        for &term in document {
            if seen_in[term as usize] != count {
                seen_in[term as usize] = count;
                frequency[term as usize] += 1;
            }
        }
    }
    frequency.iter().map(|&f| if f == 0 { 0.0 } else { libm::log(1.0 + f64::from(count) / f64::from(f)) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cosine_is_one_for_the_same_direction_and_zero_for_nothing_shared() {
        let a = Sparse::counts([3, 1, 3]);
        let b = Sparse::counts([1, 3, 3, 1, 3, 3]);
        assert!((cosine(&a, &b) - 1.0).abs() < 1e-12);
        assert_eq!(cosine(&a, &Sparse::counts([2])), 0.0);
        assert_eq!(cosine(&a, &Sparse::default()), 0.0);
    }

    #[test]
    fn the_strongest_terms_stay_in_order() {
        let vector = Sparse::sums([(4, 1.0), (1, 2.0), (4, 2.0), (2, 0.5)]).strongest(2);
        assert_eq!(vector.iter().collect::<Vec<_>>(), [(1, 2.0), (4, 3.0)]);
    }

    #[test]
    fn rare_terms_weigh_more() {
        let documents: [&[u32]; 3] = [&[0, 1, 1], &[0], &[0]];
        let weights = inverse_frequencies(documents, 3);
        assert!(weights[1] > weights[0]);
        assert_eq!(weights[2], 0.0);
    }
}

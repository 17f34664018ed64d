//! The work list: which wording is asked how often. It depends on the question alone, never on time or concurrency.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::seed::hex_sha256;

/// How much to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sampling {
    /// K: paraphrase slots, 1 or more.
    pub slots: usize,
    /// R: replicates per slot, 1 or more.
    pub replicates: usize,
    /// T: templates to take from the bank, 1 up to the size of the bank.
    pub templates: usize,
}

/// One call to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Call {
    /// Index of the paraphrase in the bank.
    pub template: usize,
    /// How many slots before this one use the same template.
    pub occurrence: usize,
    /// occurrence x R + r: no two calls of one template share it.
    pub replicate: usize,
}

/// What to ask, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkList {
    /// Where in the bank the templates start.
    pub offset: usize,
    /// Slots per template taken, as (index in the bank, slots), in the order of the rotated bank. Zero when K < T.
    pub slots_by_template: Vec<(usize, usize)>,
    /// Every call: slot after slot, the replicates of a slot together. Slots go round the templates, so that however
    /// early one stops, the templates are about equally represented.
    pub calls: Vec<Call>,
}

/// Why there is no work list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SamplingError {
    /// K, R or T is 0.
    Zero(&'static str),
    /// T is more than the bank has: (T, bank).
    Templates(usize, usize),
    /// K x R is more than [`MAX_CALLS`].
    Calls(usize, usize),
}

/// The most calls a work list can have.
pub const MAX_CALLS: usize = 10_000_000;

impl fmt::Display for SamplingError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zero(what) => write!(out, "{what} must be at least 1"),
            Self::Templates(asked, bank) => write!(out, "{asked} templates asked of a bank of {bank}"),
            Self::Calls(slots, replicates) => {
                write!(out, "{slots} slots of {replicates} replicates are more than {MAX_CALLS} calls")
            }
        }
    }
}

impl std::error::Error for SamplingError {}

/// Where the templates start: the first eight hex digits of the SHA-256 of `claim|model|version`, modulo `bank`.
///
/// # Panics
/// When `bank`, the number of paraphrases, is 0.
#[must_use]
pub fn offset(claim: &str, model: &str, version: &str, bank: usize) -> usize {
    let digest = hex_sha256(&format!("{claim}|{model}|{version}"));
    let head = u32::from_str_radix(&digest[..8], 16).unwrap_or(0);
    head as usize % bank
}

/// The work list for a claim, a model and a bank (its `version` and how many paraphrases it has).
///
/// The first T templates of the rotated bank get K div T slots each, the first K mod T of them one more.
///
/// # Errors
/// See [`SamplingError`].
pub fn plan(
    claim: &str,
    model: &str,
    version: &str,
    bank: usize,
    sampling: Sampling,
) -> Result<WorkList, SamplingError> {
    let Sampling { slots, replicates, templates } = sampling;
    for (what, number) in [("K (slots)", slots), ("R (replicates)", replicates), ("T (templates)", templates)] {
        if number == 0 {
            return Err(SamplingError::Zero(what));
        }
    }
    if templates > bank {
        return Err(SamplingError::Templates(templates, bank));
    }
    if slots.checked_mul(replicates).is_none_or(|calls| calls > MAX_CALLS) {
        return Err(SamplingError::Calls(slots, replicates));
    }
    let offset = offset(claim, model, version, bank);
    let bank_index = |template: usize| (offset + template) % bank;
    let slots_of = |template: usize| slots / templates + usize::from(template < slots % templates);
    let calls = (0..slots * replicates).map(|call| {
        let (slot, replicate_of_slot) = (call / replicates, call % replicates);
        let occurrence = slot / templates;
        Call {
            template: bank_index(slot % templates),
            occurrence,
            replicate: occurrence * replicates + replicate_of_slot,
        }
    });
    Ok(WorkList {
        offset,
        slots_by_template: (0..templates).map(|template| (bank_index(template), slots_of(template))).collect(),
        calls: calls.collect(),
    })
}

impl WorkList {
    /// The most slots of a template over the fewest, of templates that have any: 1 or more, and 1 when all are even.
    #[must_use]
    pub fn imbalance(&self) -> f64 {
        let slots = || self.slots_by_template.iter().map(|(_, slots)| *slots).filter(|slots| *slots > 0);
        match (slots().max(), slots().min()) {
            (Some(most), Some(fewest)) => most as f64 / fewest as f64,
            _ => 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use proptest::prelude::*;

    use super::{Call, Sampling, SamplingError, offset, plan};

    #[test]
    fn the_bank_is_rotated_by_the_digest() {
        // python: int(hashlib.sha256(b"Tea is wet|gpt-5|v1").hexdigest()[:8], 16) % 16
        assert_eq!(offset("Tea is wet", "gpt-5", "v1", 16), 13);
        let work = plan("Tea is wet", "gpt-5", "v1", 16, Sampling { slots: 3, replicates: 1, templates: 16 }).unwrap();
        let indices: Vec<usize> = work.slots_by_template.iter().map(|(index, _)| *index).collect();
        let rotated: Vec<usize> = (0..16).map(|index| (index + 13) % 16).collect();
        assert_eq!(indices, rotated);
        assert_eq!(work.imbalance(), 1.0, "templates without a slot do not count");
    }

    #[test]
    fn odd_slots_go_to_the_first_templates() {
        let work = plan("c", "m", "v", 3, Sampling { slots: 5, replicates: 2, templates: 2 }).unwrap();
        let [first, second] = work.slots_by_template[..] else { panic!("two templates") };
        assert_eq!((first.1, second.1, work.imbalance()), (3, 2, 1.5));
        let call = |template, occurrence, replicate| Call { template, occurrence, replicate };
        let (a, b) = (first.0, second.0);
        assert_eq!(
            work.calls,
            [
                call(a, 0, 0),
                call(a, 0, 1),
                call(b, 0, 0),
                call(b, 0, 1),
                call(a, 1, 2),
                call(a, 1, 3),
                call(b, 1, 2),
                call(b, 1, 3),
                call(a, 2, 4),
                call(a, 2, 5),
            ]
        );
    }

    #[test]
    fn impossible_sampling_says_why() {
        let error = |slots, replicates, templates| {
            plan("c", "m", "v", 16, Sampling { slots, replicates, templates }).unwrap_err()
        };
        assert_eq!(error(0, 1, 1).to_string(), "K (slots) must be at least 1");
        assert_eq!(error(1, 0, 1), SamplingError::Zero("R (replicates)"));
        assert_eq!(error(1, 1, 17).to_string(), "17 templates asked of a bank of 16");
        assert_eq!(error(usize::MAX, 2, 1), SamplingError::Calls(usize::MAX, 2));
    }

    proptest! {
        #[test]
        fn every_call_is_made_once_and_slots_are_even(
            slots in 1_usize..60, replicates in 1_usize..5, templates in 1_usize..20, spare in 0_usize..5, claim: String,
        ) {
            let sampling = Sampling { slots, replicates, templates };
            let work = plan(&claim, "m", "v", templates + spare, sampling).unwrap();
            let distinct: HashSet<_> = work.calls.iter().map(|call| (call.template, call.replicate)).collect();
            prop_assert_eq!(distinct.len(), slots * replicates);
            let mut counted: HashMap<usize, usize> = HashMap::new();
            for call in &work.calls {
                prop_assert_eq!(call.occurrence, call.replicate / replicates);
                *counted.entry(call.template).or_default() += 1;
            }
            for (index, share) in &work.slots_by_template {
                prop_assert!(share.abs_diff(slots / templates) <= 1);
                prop_assert_eq!(counted.get(index).copied().unwrap_or(0), share * replicates);
            }
            prop_assert_eq!(work.clone(), plan(&claim, "m", "v", templates + spare, sampling).unwrap());
        }
    }
}

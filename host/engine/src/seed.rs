//! Seeds: every random choice derives from (run seed, stage, item, element, replicate).

use jackfield_plugin_api::Random;
use sha2::{Digest as _, Sha256};

/// A 64-bit name of a text, the same on every platform.
pub(super) fn name_of(text: &str) -> u64 {
    let digest = Sha256::digest(text.as_bytes());
    u64::from_be_bytes(digest[..8].try_into().unwrap_or_default())
}

/// The seed of one call.
pub(super) fn seed_of(run: u64, stage: u64, item: u64, element: u32, replicate: u32) -> u64 {
    [stage, item, u64::from(element), u64::from(replicate)]
        .into_iter()
        .fold(mix(run), |seed, part| mix(seed ^ mix(part)))
}

/// The first number of the generator that starts here; 0 does not map to itself.
fn mix(value: u64) -> u64 {
    Random::new(value).next_u64()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{name_of, seed_of};

    #[test]
    fn every_part_changes_the_seed() {
        let base = seed_of(1, name_of("stage"), name_of("item"), 0, 0);
        let others = [
            seed_of(2, name_of("stage"), name_of("item"), 0, 0),
            seed_of(1, name_of("stag"), name_of("item"), 0, 0),
            seed_of(1, name_of("stage"), name_of("items"), 0, 0),
            seed_of(1, name_of("stage"), name_of("item"), 1, 0),
            seed_of(1, name_of("stage"), name_of("item"), 0, 1),
        ];
        let all: BTreeSet<u64> = others.into_iter().chain([base]).collect();
        assert_eq!(all.len(), 6);
    }
}

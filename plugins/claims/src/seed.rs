//! Names made of hashes: the seed of a bootstrap and the digest of a prompt.

use std::fmt;

use sha2::{Digest, Sha256};

/// Where a seed came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Given with the call.
    Given,
    /// Found in the environment.
    Environment,
    /// Derived from what was asked.
    Derived,
}

impl Origin {
    /// The name used in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Environment => "environment",
            Self::Derived => "derived",
        }
    }
}

/// The value in the environment is not a whole number of 0 ..= 2^64 - 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeedError(pub String);

impl fmt::Display for SeedError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "the seed in the environment, {:?}, is not a whole number of 0 to 18446744073709551615", self.0)
    }
}

impl std::error::Error for SeedError {}

/// All that a derived seed depends on: the same question asked in the same way draws the same interval.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// Model asked.
    pub model: &'a str,
    /// Version of the prompt bank.
    pub prompt_version: &'a str,
    /// The claim as asked.
    pub claim: &'a str,
    /// K: paraphrase slots.
    pub slots: usize,
    /// R: replicates per slot.
    pub replicates: usize,
    /// Trim of the centre, in 0 .. 0.5.
    pub trim: f64,
    /// B: bootstrap draws.
    pub draws: u32,
    /// Digests of the prompts that were used, in any order, repeated or not.
    pub template_hashes: &'a [String],
}

impl Plan<'_> {
    /// The line that is hashed: `RPL-G5|model=..|prompt=..|claim=..|K=..|R=..|center=trimmed|trim=..|B=..|templates=..`.
    #[must_use]
    pub fn line(&self) -> String {
        let mut hashes: Vec<&str> = self.template_hashes.iter().map(String::as_str).collect();
        hashes.sort_unstable();
        hashes.dedup();
        let Self { model, prompt_version, claim, slots, replicates, trim, draws, .. } = self;
        format!(
            "RPL-G5|model={model}|prompt={prompt_version}|claim={claim}|K={slots}|R={replicates}|center=trimmed\
             |trim={trim:?}|B={draws}|templates={}",
            hashes.join(",")
        )
    }

    /// The first eight bytes, big-endian, of the SHA-256 of [`Plan::line`].
    #[must_use]
    pub fn seed(&self) -> u64 {
        let digest: [u8; 32] = Sha256::digest(self.line()).into();
        u64::from_be_bytes(std::array::from_fn(|index| digest[index]))
    }
}

/// The seed to use, and where it comes from: the one given, else the one in the environment, else none, for it to be
/// derived.
///
/// `environment` is the text of the variable; a blank one counts as absent.
///
/// # Errors
/// [`SeedError`] if no seed is given and the text of the environment is not a whole number of 64 bits.
pub fn choose(given: Option<u64>, environment: Option<&str>) -> Result<(Option<u64>, Origin), SeedError> {
    if given.is_some() {
        return Ok((given, Origin::Given));
    }
    match environment.map(str::trim).filter(|text| !text.is_empty()) {
        Some(text) => {
            text.parse().map(|seed| (Some(seed), Origin::Environment)).map_err(|_| SeedError(text.to_owned()))
        }
        None => Ok((None, Origin::Derived)),
    }
}

/// The SHA-256 of `system`, an empty line and `user`, in lower-case hex: 64 digits.
#[must_use]
pub fn prompt_sha256(system: &str, user: &str) -> String {
    hex_sha256(&format!("{system}\n\n{user}"))
}

/// The SHA-256 of a text, in lower-case hex: 64 digits.
#[must_use]
pub fn hex_sha256(text: &str) -> String {
    use fmt::Write as _;
    Sha256::digest(text).iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::{Origin, Plan, choose, prompt_sha256};

    fn plan(template_hashes: &[String]) -> Plan<'_> {
        Plan {
            model: "gpt-5",
            prompt_version: "v1",
            claim: "Tea is wet",
            slots: 16,
            replicates: 2,
            trim: 0.2,
            draws: 5000,
            template_hashes,
        }
    }

    #[test]
    fn derived_seeds_hash_the_whole_plan() {
        let hashes = ["b", "a", "b"].map(String::from);
        let line =
            "RPL-G5|model=gpt-5|prompt=v1|claim=Tea is wet|K=16|R=2|center=trimmed|trim=0.2|B=5000|templates=a,b";
        assert_eq!(plan(&hashes).line(), line);
        // python: int.from_bytes(hashlib.sha256(line.encode()).digest()[:8], "big")
        assert_eq!(plan(&hashes).seed(), 16_719_694_928_623_989_677);
        assert_ne!(plan(&hashes[..1]).seed(), 16_719_694_928_623_989_677);
    }

    #[test]
    fn a_given_seed_comes_before_the_environment_and_that_before_a_derived_one() {
        assert_eq!(choose(Some(1), Some("2")), Ok((Some(1), Origin::Given)));
        assert_eq!(choose(None, Some(" 2\n")), Ok((Some(2), Origin::Environment)));
        assert_eq!(choose(None, Some("  ")), Ok((None, Origin::Derived)));
        assert_eq!(choose(None, None), Ok((None, Origin::Derived)));
        assert!(choose(None, Some("-2")).unwrap_err().to_string().contains("\"-2\""));
        assert!(choose(Some(1), Some("nonsense")).is_ok(), "what does not count is not read");
    }

    #[test]
    fn prompts_are_hashed_with_an_empty_line_between_their_parts() {
        // printf 'system\n\nuser' | sha256sum
        assert_eq!(prompt_sha256("system", "user"), "5586c5d053bb6d85dadb235ed8c6471bc5297f99307b6457e979c3a5e749d170");
    }
}

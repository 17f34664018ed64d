//! A plugin file is let in, or is not.

use std::{collections::BTreeMap, fmt, path::Path};

use super::{
    diff::Difference,
    format::{Entry, Lock, dependencies_of},
    signature::{SignatureError, Signed, Signers},
};
use crate::{
    Artifact, Digest, Linkage, LoadError, Plugin, Trust, load::check_dependencies, load_artifact, sandbox::Grant,
};

/// What a pipeline says of a plugin file.
#[derive(Clone, Debug)]
pub struct Claim<'a> {
    /// The name that it has in the pipeline.
    pub alias: &'a str,
    /// The file.
    pub path: &'a Path,
    /// How the lockfile calls the file: relative to the pipeline's folder where it can be.
    pub locked_path: String,
    /// Whether native code may run.
    pub allow_native: bool,
    /// The digest to which the pipeline itself pins the file.
    pub sha256: Option<Digest>,
    /// The digests to which the pipeline pins the libraries that a native plugin needs, by their names.
    pub dependencies: BTreeMap<String, Digest>,
    /// What the pipeline grants it, as a lockfile holds it.
    pub grants: Vec<String>,
    /// What it may do this time: more than that where the command line says so.
    pub granted: Vec<Grant>,
}

/// Why a plugin is not let in.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The file cannot be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// Its signature does not hold.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// It is not what the lockfile holds.
    #[error("it {}", .0.summary())]
    Locked(Difference),
}

/// What is there of a plugin.
#[derive(Debug)]
pub struct Found {
    /// What an entry would hold. Without a description, protocol and extensions are empty.
    pub entry: Entry,
    /// What the signer said.
    pub signed: Option<Signed>,
    /// Why it was not asked what it offers, or gave no answer.
    pub undescribed: Option<Undescribed>,
}

/// Why it is not known what a file offers.
#[derive(Debug)]
pub enum Undescribed {
    /// Native code would run with full rights to be asked.
    Native,
    /// It is the file that is locked: there is no need to.
    Known,
    /// Somebody may have had their hands in it.
    WronglySigned,
    /// It was asked in the sandbox, and gave no answer.
    Failed(LoadError),
}

impl fmt::Display for Undescribed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Native => f.write_str("it is native code, which is not run to be asked"),
            Self::Known => f.write_str("it is the file that is locked"),
            Self::WronglySigned => f.write_str("its signature does not hold, so it is not asked"),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

/// Whether native code may run to say what it offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Native {
    /// It may, where the pipeline allows native code: a person is about to accept this very file.
    Run,
    /// It may not.
    Leave,
}

/// A file that may be loaded: its signature holds and the lockfile, if there is one, has this very file. Nothing of it has
/// run yet.
#[derive(Debug)]
pub struct Admitted {
    artifact: Artifact,
    signed: Option<Signed>,
}

/// Holds a file to its signature and to the lockfile. Nothing of it runs, but for one thing: to show how a component that
/// changed differs, it is asked in the sandbox what it offers.
///
/// # Errors
/// All that speaks against the file.
pub fn admit(claim: &Claim<'_>, signers: &Signers, lock: Option<&Lock>) -> Result<Admitted, Vec<Refusal>> {
    let artifact = Artifact::read(claim.path).map_err(|error| vec![error.into()])?;
    let mut refusals = Vec::new();
    let signed = signers.check(claim.path, artifact.bytes()).unwrap_or_else(|error| {
        refusals.push(Refusal::Signature(error));
        None
    });
    if let Some(lock) = lock {
        let locked = lock.get(claim.alias);
        let same = locked.is_some_and(|locked| locked.sha256 == *artifact.digest());
        let wrongly_signed = !refusals.is_empty();
        let ask = match (wrongly_signed, same) {
            (true, _) => Err(Undescribed::WronglySigned),
            (false, true) => Err(Undescribed::Known),
            (false, false) => Ok(Native::Leave),
        };
        match found(claim, locked, &artifact, signed.clone(), ask) {
            Ok(mut found) => {
                if wrongly_signed {
                    // Its signature is a fault of its own already.
                    found.entry.signed_by = locked.and_then(|locked| locked.signed_by);
                }
                let difference = Difference::between(locked, &found);
                if difference.stops() {
                    refusals.push(Refusal::Locked(difference));
                }
            }
            Err(error) => refusals.push(error.into()),
        }
    }
    refusals.extend(pinned(claim, &artifact).err().map(Refusal::Load));
    if refusals.is_empty() { Ok(Admitted { artifact, signed }) } else { Err(refusals) }
}

/// Holds a file to the digest that the pipeline itself gives.
fn pinned(claim: &Claim<'_>, artifact: &Artifact) -> Result<(), LoadError> {
    match &claim.sha256 {
        Some(pinned) if *pinned == artifact.whole_digest() => Ok(()),
        Some(pinned) if pinned != artifact.digest() => Err(LoadError::Changed {
            path: claim.path.to_owned(),
            found: artifact.digest().clone(),
            pinned: pinned.clone(),
        }),
        _ if claim.dependencies.is_empty() => Ok(()),
        _ => check_dependencies(artifact, &claim.dependencies),
    }
}

impl Admitted {
    /// Loads the file, and holds what it says of itself to the lockfile.
    ///
    /// # Errors
    /// If it cannot be loaded, or says otherwise than what is locked.
    pub fn load(self, claim: &Claim<'_>, lock: Option<&Lock>) -> Result<Plugin, Refusal> {
        let locked = lock.and_then(|lock| lock.get(claim.alias));
        // What the lockfile holds is as good a pin as one in the pipeline; `admit` has compared them.
        let pin = claim.sha256.clone().or_else(|| locked.map(|locked| locked.sha256.clone()));
        let locked_dependencies = || locked.map(|locked| locked.dependencies.clone()).unwrap_or_default();
        let dependencies =
            if claim.dependencies.is_empty() { locked_dependencies() } else { claim.dependencies.clone() };
        let trust =
            Trust { allow_native: claim.allow_native, sha256: pin, dependencies, grants: claim.granted.clone() };
        let plugin = load_artifact(claim.alias, &self.artifact, &trust)?;
        if lock.is_some() {
            let found = described(claim, &self.artifact, &plugin, self.signed);
            let difference = Difference::between(locked, &found);
            if difference.stops() {
                return Err(Refusal::Locked(difference));
            }
        }
        Ok(plugin)
    }
}

/// Says what is there of a plugin: what a lockfile would hold.
///
/// # Errors
/// If the file cannot be read, is no plugin, is not the one that the pipeline pins, or its signature does not hold.
pub fn examine(claim: &Claim<'_>, locked: Option<&Entry>, signers: &Signers, native: Native) -> Result<Found, Refusal> {
    let artifact = Artifact::read(claim.path)?;
    let signed = signers.check(claim.path, artifact.bytes())?;
    pinned(claim, &artifact)?;
    Ok(found(claim, locked, &artifact, signed, Ok(native))?)
}

fn described(claim: &Claim<'_>, artifact: &Artifact, plugin: &Plugin, signed: Option<Signed>) -> Found {
    let key = signed.as_ref().map(|signed| signed.key);
    let entry = Entry::of(plugin, artifact, claim.locked_path.clone(), &claim.grants, key);
    Found { entry, signed, undescribed: None }
}

/// What is there, with what it says of itself if it may be asked.
fn found(
    claim: &Claim<'_>,
    locked: Option<&Entry>,
    artifact: &Artifact,
    signed: Option<Signed>,
    ask: Result<Native, Undescribed>,
) -> Result<Found, LoadError> {
    // Who accepts this file pins it as it is.
    let trust = Trust {
        allow_native: claim.allow_native && matches!(ask, Ok(Native::Run)),
        sha256: Some(artifact.digest().clone()),
        dependencies: dependencies_of(artifact),
        grants: Vec::new(),
    };
    let ask_it = || load_artifact(claim.alias, artifact, &trust);
    let (linkage, undescribed) = match (artifact.linkage(), ask) {
        (Some(linkage), Err(why)) => (linkage, why),
        (Some(Linkage::Native), Ok(Native::Leave)) => (Linkage::Native, Undescribed::Native),
        (Some(linkage), Ok(_)) => match ask_it() {
            Ok(plugin) => return Ok(described(claim, artifact, &plugin, signed)),
            Err(error) => (linkage, Undescribed::Failed(error)),
        },
        (None, Err(Undescribed::WronglySigned)) if locked.is_some() => {
            (locked.map_or(Linkage::Wasm, |locked| locked.linkage), Undescribed::WronglySigned)
        }
        (None, _) => match (ask_it(), locked) {
            (Ok(plugin), _) => return Ok(described(claim, artifact, &plugin, signed)),
            // What was locked is a plugin no more: all that can be said is that it changed.
            (Err(error), Some(locked)) => (locked.linkage, Undescribed::Failed(error)),
            (Err(error), None) => return Err(error),
        },
    };
    let mut entry = Entry {
        alias: claim.alias.to_owned(),
        path: claim.locked_path.clone(),
        linkage,
        sha256: artifact.digest().clone(),
        size: artifact.size(),
        dependencies: dependencies_of(artifact),
        protocol: (0, 0),
        extensions: Vec::new(),
        grants: claim.grants.clone(),
        signed_by: signed.as_ref().map(|signed| signed.key),
    };
    entry.sort();
    Ok(Found { entry, signed, undescribed: Some(undescribed) })
}

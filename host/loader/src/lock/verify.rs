//! Admission: a plugin file is verified against its signature, the lockfile and the pins of the pipeline before anything of
//! it is executed.

use std::{collections::BTreeMap, path::Path};

use super::{
    diff::Difference,
    format::{Entry, Lock, dependencies_of},
    found::{Found, Undescribed},
    signature::{SignatureError, Signed, Signers},
};
use crate::{
    Artifact, Digest, Linkage, LoadError, Plugin, Trust, load::check_dependencies, load_artifact, sandbox::Grant,
};

/// What a pipeline says about a plugin file.
#[derive(Clone, Debug)]
pub struct Claim<'a> {
    /// The name that it has in the pipeline.
    pub alias: &'a str,
    /// The file.
    pub path: &'a Path,
    /// The path of the file in the lockfile: relative to the pipeline's folder where it can be.
    pub locked_path: String,
    /// Whether native code may run.
    pub allow_native: bool,
    /// The digest to which the pipeline itself pins the file.
    pub sha256: Option<Digest>,
    /// The digests to which the pipeline pins the libraries that a native plugin needs, by their names.
    pub dependencies: BTreeMap<String, Digest>,
    /// What the pipeline grants it, as a lockfile holds it.
    pub grants: Vec<String>,
    /// What it is granted in this run: more than that if the command line says so.
    pub granted: Vec<Grant>,
}

/// Why a plugin is not admitted.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The file cannot be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// Its signature does not hold.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// It differs from its entry in the lockfile.
    #[error("it {}", .0.summary())]
    Locked(Difference),
}

/// Whether native code may run to describe what it offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NativeCode {
    /// It may, if the pipeline allows native code: a person is about to accept this very file.
    MayRun,
    /// It may not.
    MustNotRun,
}

/// A file that may be loaded: its signature holds, and the lockfile, if there is one, has this very file. Nothing of it has
/// been executed yet.
#[derive(Debug)]
pub struct Admitted {
    artifact: Artifact,
    signed: Option<Signed>,
}

/// Verifies a file against its signature, the lockfile and the pins of the pipeline. Nothing of it is executed, with one
/// exception: a component that changed is executed in the sandbox to describe itself, so that the difference can be shown.
///
/// # Errors
/// All reasons against the file.
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
        let describe = match (wrongly_signed, same) {
            (true, _) => Err(Undescribed::WronglySigned),
            (false, true) => Err(Undescribed::Known),
            (false, false) => Ok(NativeCode::MustNotRun),
        };
        match find(claim, locked, &artifact, signed.clone(), describe) {
            Ok(mut found) => {
                if wrongly_signed {
                    // The signature was reported already.
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
    refusals.extend(check_pins(claim, &artifact).err().map(Refusal::Load));
    if refusals.is_empty() { Ok(Admitted { artifact, signed }) } else { Err(refusals) }
}

/// Verifies a file against the digests that the pipeline itself pins.
fn check_pins(claim: &Claim<'_>, artifact: &Artifact) -> Result<(), LoadError> {
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
    /// Loads the file, and compares its description of itself with the lockfile.
    ///
    /// # Errors
    /// If it cannot be loaded, or describes itself otherwise than its entry.
    pub fn load(self, claim: &Claim<'_>, lock: Option<&Lock>) -> Result<Plugin, Refusal> {
        let locked = lock.and_then(|lock| lock.get(claim.alias));
        // The digest in the lockfile serves as a pin like one in the pipeline: `admit` has compared both with the file.
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

/// Examines a plugin file, and says what a lockfile would hold of it.
///
/// # Errors
/// If the file cannot be read, is not a plugin, is not the one that the pipeline pins, or its signature does not hold.
pub fn examine(
    claim: &Claim<'_>,
    locked: Option<&Entry>,
    signers: &Signers,
    native: NativeCode,
) -> Result<Found, Refusal> {
    let artifact = Artifact::read(claim.path)?;
    let signed = signers.check(claim.path, artifact.bytes())?;
    check_pins(claim, &artifact)?;
    Ok(find(claim, locked, &artifact, signed, Ok(native))?)
}

/// A file that was loaded, and so has described itself.
fn described(claim: &Claim<'_>, artifact: &Artifact, plugin: &Plugin, signed: Option<Signed>) -> Found {
    let key = signed.as_ref().map(|signed| signed.key);
    let entry = Entry::of(plugin, artifact, claim.locked_path.clone(), &claim.grants, key);
    Found { entry, signed, undescribed: None }
}

/// Examines a file. If `describe` allows it, the file is executed to describe what it offers; otherwise `describe` says why
/// not.
fn find(
    claim: &Claim<'_>,
    locked: Option<&Entry>,
    artifact: &Artifact,
    signed: Option<Signed>,
    describe: Result<NativeCode, Undescribed>,
) -> Result<Found, LoadError> {
    // This very file is examined, so its own digests are the pins.
    let trust = Trust {
        allow_native: claim.allow_native && matches!(describe, Ok(NativeCode::MayRun)),
        sha256: Some(artifact.digest().clone()),
        dependencies: dependencies_of(artifact),
        grants: Vec::new(),
    };
    let load = || load_artifact(claim.alias, artifact, &trust);
    let (linkage, undescribed) = match (artifact.linkage(), describe) {
        (Some(linkage), Err(why)) => (linkage, why),
        (Some(Linkage::Native), Ok(NativeCode::MustNotRun)) => (Linkage::Native, Undescribed::Native),
        (Some(linkage), Ok(_)) => match load() {
            Ok(plugin) => return Ok(described(claim, artifact, &plugin, signed)),
            Err(error) => (linkage, Undescribed::Failed(error)),
        },
        (None, Err(Undescribed::WronglySigned)) if locked.is_some() => {
            (locked.map_or(Linkage::Wasm, |locked| locked.linkage), Undescribed::WronglySigned)
        }
        (None, _) => match (load(), locked) {
            (Ok(plugin), _) => return Ok(described(claim, artifact, &plugin, signed)),
            // The file that was locked is no longer a plugin: all that can be reported is that it changed.
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

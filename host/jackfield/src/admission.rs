//! From the plugins that a pipeline names to those that may run.

use std::path::Path;

use jackfield_loader::{
    Registry,
    lock::{Refusal, admit},
};
use jackfield_pipeline::{Diagnostic, ParsedPipeline};

use crate::lockfile::{Accept, claim, fault, lock_path, read_lock};

/// Loads the plugins that the pipeline names. What speaks against one becomes a fault of the draft.
///
/// Nothing is loaded before every file has been held to its signature and to the lockfile: a pipeline with one file that
/// was tampered with runs no code of the others either.
pub fn load_plugins(draft: &mut ParsedPipeline, pipeline: &Path, locked: bool, registry: &mut Registry) {
    let entries = draft.plugins().to_vec();
    let Ok(lock) = read_lock(pipeline, draft) else { return };
    let accept = Accept::new(pipeline);
    if lock.is_none() && locked && !entries.is_empty() {
        let message = format!("`--locked` is given, but there is no `{}`", lock_path(pipeline).display());
        let hint = format!("write it with `{}`, look at what it holds, and keep it with the pipeline", accept.lock());
        draft.report(Diagnostic::new("lockfile", message).hint(hint));
        return draft.leave_plugins_out();
    }
    let Some(signers) = draft.signers().cloned() else { return draft.leave_plugins_out() };

    let (mut admitted, mut refused) = (Vec::new(), false);
    for entry in &entries {
        let claim = claim(draft, entry);
        match admit(&claim, &signers, lock.as_ref()) {
            Ok(file) => admitted.push((claim, file)),
            Err(refusals) => {
                refused |= refusals.iter().any(|refusal| !matches!(refusal, Refusal::Load(_)));
                for refusal in &refusals {
                    draft.refuse_plugin(&entry.alias, fault(&entry.alias, refusal, lock.as_ref(), &accept));
                }
            }
        }
    }
    if refused {
        return;
    }
    for (claim, file) in admitted {
        match file.load(&claim, lock.as_ref()) {
            Ok(plugin) => registry.add(plugin),
            Err(refusal) => draft.refuse_plugin(claim.alias, fault(claim.alias, &refusal, lock.as_ref(), &accept)),
        }
    }
}

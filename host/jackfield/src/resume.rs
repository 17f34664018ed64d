//! What differs between the plan that a run was made by and the one that is to go on with it.

use jackfield_engine::{Difference, is_same};
use jackfield_loader::BUNDLED;
use jackfield_pipeline::{ExtensionRef, Plan, SearchPlan, StagePlan};
use serde_json::Value;

/// The first thing that a resume would find changed.
pub fn what_differs(before: &Plan, now: &Plan) -> String {
    let start_anew = "start a new run, or restore what was";
    let names = |plan: &Plan| plan.stages.iter().map(|stage| stage.name.clone()).collect::<Vec<_>>();
    if before.seed != now.seed {
        return format!("the seed was {}, now it is {}; {start_anew}", before.seed, now.seed);
    }
    if names(before) != names(now) {
        return format!(
            "the stages were {}, now they are {}; {start_anew}",
            names(before).join(", "),
            names(now).join(", ")
        );
    }
    for new in &now.models {
        let Some(old) = before.models.iter().find(|old| old.name == new.name) else { continue };
        if let Some(what) = config_differs(&old.config_identity(), (&new.config_identity(), &new.config)) {
            return format!("model `{}`: {what}; {start_anew}", new.name);
        }
    }
    if let Some(what) = search_differs(before, now) {
        return format!("{what}; {start_anew}");
    }
    for (old, new) in before.stages.iter().zip(&now.stages) {
        if let Some(what) = plugin_differs(&old.extension, &new.extension) {
            return format!("stage `{}`: {what}; {start_anew}", old.name);
        }
        let config = config_differs(&old.config_identity(), (&new.config_identity(), &new.config));
        let what = if old.extension != new.extension {
            "it uses another extension".to_owned()
        } else if let Some(config) = config {
            config
        // What is drawn of a result does not change it.
        } else if (StagePlan { views: new.views.clone(), ..old.clone() }) != *new {
            "its wires changed".to_owned()
        } else {
            continue;
        };
        return format!("stage `{}`: {what}; {start_anew}", old.name);
    }
    for (old, new) in before.models.iter().zip(&now.models).filter(|(old, new)| old.name == new.name) {
        if let Some(what) = plugin_differs(&old.extension, &new.extension) {
            return format!("model `{}`: {what}; {start_anew}", old.name);
        }
    }
    start_anew.to_owned()
}

/// How the search differs, if it does: further trials are no difference.
fn search_differs(before: &Plan, now: &Plan) -> Option<String> {
    let (old, new) = match (&before.search, &now.search) {
        (Some(old), Some(new)) => (old, new),
        (None, None) => return None,
        (None, Some(_)) => return Some("there was no search, now there is one".to_owned()),
        (Some(_), None) => return Some("there was a search, now there is none".to_owned()),
    };
    if let Some(what) = plugin_differs(&old.extension, &new.extension) {
        return Some(format!("the policy of the search: {what}"));
    }
    if old.extension != new.extension {
        return Some(format!("the search used `{}`, now it uses `{}`", old.extension.name, new.extension.name));
    }
    if let Some(what) = config_differs(&old.config_identity(), (&new.config_identity(), &new.config)) {
        return Some(format!("the search: {what}"));
    }
    let key_of = |plan: &SearchPlan, name: &str| plan.study.space.iter().find(|key| key.name == name).cloned();
    for key in old.study.space.iter().chain(&new.study.space) {
        match (key_of(old, &key.name), key_of(new, &key.name)) {
            (Some(_), None) => return Some(format!("`{}` was searched, now it is not", key.name)),
            (None, Some(_)) => return Some(format!("`{}` was not searched, now it is", key.name)),
            (old, new) if old != new => return Some(format!("the range or the choices of `{}` changed", key.name)),
            _ => {}
        }
    }
    let what = if old.study.space != new.study.space {
        "the order of the keys that are searched"
    } else if old.objectives != new.objectives {
        "what the search makes less or more"
    } else if old.reports != new.reports {
        "what a trial reports"
    } else if old.points != new.points {
        "the points that are tried first"
    } else if old.in_flight != new.in_flight {
        "`in_flight` of the search"
    } else {
        return None;
    };
    Some(format!("{what} changed"))
}

/// How the code behind an extension differs, if it does.
fn plugin_differs(old: &ExtensionRef, new: &ExtensionRef) -> Option<&'static str> {
    let linked_in = |extension: &ExtensionRef| extension.plugin == BUNDLED;
    match old.digest != new.digest {
        true if linked_in(old) && linked_in(new) => {
            Some("it is part of the program, and this program is another build than the one that made the run")
        }
        true => Some("its plugin has another digest"),
        false => None,
    }
}

/// What differs between two configurations: the first file that changed, by its path, or that something did.
fn config_differs(old: &Value, (new, config): (&Value, &Value)) -> Option<String> {
    if old == new {
        return None;
    }
    let usual = || Some("its `with` table changed".to_owned());
    let Err(Difference { place, expected: Some(_), found: Some(_) }) = is_same(old, new) else { return usual() };
    let pointer = place.strip_suffix(".sha256").map(|place| place.replace(['.', '['], "/").replace(']', ""));
    match pointer.and_then(|pointer| config.pointer(&pointer)?["path"].as_str()) {
        Some(path) => Some(format!("what lies at `{path}`, which its `with` table names, changed")),
        None => usual(),
    }
}

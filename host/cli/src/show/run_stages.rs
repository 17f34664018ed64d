//! What the stages of a run gave that do not run once an item.

use jackfield_loader::escape_untrusted;
use jackfield_pipeline::{Scope, StagePlan};
use jackfield_store::{Db, OF_RUN, OVER_ALL, RunJson, StoreError, run_json};
use serde_json::{Value, json};

use super::{Args, block::Canvas, failure_line, values::value_lines};
use crate::{
    exit::{Exit, print_error},
    load::print_json,
    table::counted,
    terminal::output,
};

/// Shows the results of these stages, or of one of them.
pub(super) fn show_run_stages(
    run: &RunJson,
    db: &Db,
    only_stage: Option<&str>,
    args: &Args,
) -> Result<Exit, StoreError> {
    let is_shown = |stage: &&StagePlan| stage.scope != Scope::Item && only_stage.is_none_or(|name| stage.name == name);
    let stages: Vec<&StagePlan> = run.plan.stages.iter().filter(is_shown).collect();
    if stages.is_empty() {
        print_error(
            format!("run `{}` has no stage that runs once a run or over all items, and no item is named", run.run),
            Some(format!("name an item: `jackfield show {} ITEM`", args.run)),
        );
        return Ok(Exit::Usage);
    }
    let mut found = db.in_one_transaction(|| {
        db.verify_item(OF_RUN, run)?;
        db.verify_item(OVER_ALL, run)?;
        run_json(db, &run.plan)
    })?;
    let all_items = run.summary.as_ref().and_then(|summary| summary.all_items.as_ref());
    let names = |name: &str| stages.iter().any(|stage| stage.name == name);
    if args.json {
        for key in ["outputs", "failures"] {
            found
                .get_mut(key)
                .and_then(Value::as_object_mut)
                .into_iter()
                .for_each(|map| map.retain(|name, _| names(name)));
        }
        found["run"] = run.run.as_str().into();
        found["over"] = all_items.map_or(Value::Null, |all| json!({ "over": all.over, "of": all.of }));
        print_json(&found);
        return Ok(Exit::Success);
    }
    let canvas = args.canvas();
    let Canvas { pen, .. } = canvas;
    let mut lines = vec![format!("run {}", escape_untrusted(&run.run))];
    for stage in &stages {
        let often = match (stage.scope, all_items) {
            (Scope::All, Some(all)) => match all.stopped_before() {
                Some(of) => format!("over {} of {}", all.over, counted(of, "item")),
                None => format!("over {}", counted(all.over, "item")),
            },
            (Scope::All, None) => "over all items".to_owned(),
            _ => "once a run".to_owned(),
        };
        lines.extend([String::new(), format!("{} ({often})", pen.strong(&escape_untrusted(&stage.name)))]);
        let answer = found["outputs"].get(&stage.name);
        let failures = found["failures"].get(&stage.name).and_then(Value::as_array);
        let is_off = found["off"].as_array().is_some_and(|off| off.iter().any(|name| *name == stage.name));
        match answer {
            Some(answer) => lines.extend(value_lines(answer, &stage.views, canvas)),
            None if is_off => lines.push("  off".to_owned()),
            None if failures.is_none() => lines.push("  no result yet".to_owned()),
            None => {}
        }
        lines.extend(failures.into_iter().flatten().map(|failure| format!("  {}", pen.bad(&failure_line(failure)))));
    }
    output().styled(lines.join("\n"));
    Ok(Exit::Success)
}

//! What earlier runs of a pipeline say of the answers that its stages have from models.

use std::{collections::BTreeMap, path::Path};

use jackfield_pipeline::{ModelPlan, Plan};
use jackfield_store::{AnswerLengths, list_runs, read_record};

/// So many runs are looked at, the last first.
const MOST_RUNS: usize = 5;

/// By the names of stage and model, as the last run has it that knows of them. Runs with another model do not count, nor those whose
/// record cannot be read.
pub(super) fn earlier_answers(out: &Path, plan: &Plan) -> BTreeMap<(String, String), AnswerLengths> {
    let mut found = BTreeMap::new();
    let (runs, _) = list_runs(out);
    // They come in the order in which they were made.
    let of_pipeline = runs.into_iter().rev().filter(|(_, run)| run.plan.name == plan.name);
    for (folder, run) in of_pipeline.take(MOST_RUNS) {
        let Ok(lengths) = read_record(&folder, &run).and_then(|db| db.answer_lengths()) else { continue };
        for of_stage in lengths {
            let Some(stage) = run.plan.stages.get(of_stage.stage as usize) else { continue };
            let same = |name: &str| {
                let find = |plan: &Plan| plan.models.iter().find(|model| model.name == name).map(identity);
                let now = find(plan);
                now.is_some() && now == find(&run.plan)
            };
            if same(&of_stage.model) {
                found.entry((stage.name.clone(), of_stage.model.clone())).or_insert(of_stage);
            }
        }
    }
    found
}

/// What can change the length of a model's answers.
fn identity(model: &ModelPlan) -> (String, serde_json::Value) {
    (model.extension.name.clone(), model.config_identity())
}

//! What earlier runs of a pipeline say of the answers that its stages have from models.

use std::{collections::BTreeMap, path::Path};

use jackfield_pipeline::{ModelPlan, Plan};
use jackfield_store::{list_runs, read_record};

use super::estimate::EarlierAnswers;

/// So many runs are looked at, the last first.
const MOST_RUNS: usize = 5;

/// By the names of stage and model, as the last run has it that knows of them. Runs with another model do not count, nor those whose
/// record cannot be read.
pub(super) fn earlier_answers(out: &Path, plan: &Plan) -> BTreeMap<(String, String), EarlierAnswers> {
    let mut found = BTreeMap::new();
    let (runs, _) = list_runs(out);
    let of_pipeline = runs.into_iter().filter(|(_, run)| run.plan.name == plan.name);
    let mut of_pipeline: Vec<_> = of_pipeline.collect();
    of_pipeline.sort_by(|(_, one), (_, other)| other.began.cmp(&one.began));
    for (folder, run) in of_pipeline.into_iter().take(MOST_RUNS) {
        let Ok(lengths) = read_record(&folder, &run).and_then(|db| db.answer_lengths()) else { continue };
        for of_stage in lengths {
            let Some(stage) = run.plan.stages.get(of_stage.stage as usize) else { continue };
            let same = |name: &str| {
                let find = |plan: &Plan| plan.models.iter().find(|model| model.name == name).map(identity);
                find(plan).is_some() && find(plan) == find(&run.plan)
            };
            if same(&of_stage.model) {
                found.entry((stage.name.clone(), of_stage.model)).or_insert(EarlierAnswers {
                    answers: of_stage.answers as f64,
                    mean_out: of_stage.mean_out,
                    deviation_out: of_stage.deviation_out,
                    least_out: of_stage.least_out as f64,
                    mean_in: of_stage.mean_in,
                    per_item: of_stage.per_item,
                });
            }
        }
    }
    found
}

/// What can change the length of a model's answers.
fn identity(model: &ModelPlan) -> (String, serde_json::Value) {
    (model.extension.name.clone(), model.config_identity())
}

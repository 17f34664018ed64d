//! The analyzer `edited-weights`, which writes a model with edits in its weights.

use std::collections::BTreeMap;

use jackfield_plugin_api::prelude::*;

use crate::{EditSpec, MemoryBudget, Transformer, export};

/// What `edited-weights` reads.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct EditsToWrite {
    /// The edits; without any, the model is written as it is.
    pub edits: Vec<Edit>,
}

/// What `edited-weights` answers.
#[derive(Clone, Debug, PartialEq, Eq, Document)]
pub struct WrittenModel {
    /// The names of the files, with the SHA-256 of each.
    pub files: BTreeMap<String, String>,
}

/// Writes a model with edits in its weights to a folder of the Llama family: what it says is what the model says under the edits.
///
/// The folder has `config.json`, the tokenizer's files, `model.safetensors` and `checksums.json`, and loads wherever such folders
/// do. Weights are 32-bit floats, whatever those of the model are, so that logits are equal but for rounding. Give the stage
/// `export = true`: `jackfield export RUN ITEM --to FOLDER` then runs it, and a run does not.
#[derive(Clone, Debug, Config)]
pub struct EditedWeights {
    /// The model: a folder, or a GGUF file; that of the model which the edits are for.
    pub model: DigestedPath,
    /// The folder to write, which must be empty or absent. `jackfield export --to` sets it.
    #[schemars(extend("x-export-folder" = true))]
    pub to: Option<FilePath>,
}

impl Analyzer for EditedWeights {
    const NAME: &'static str = "edited-weights";
    type Input = EditsToWrite;
    type Output = WrittenModel;

    async fn analyze(&self, input: EditsToWrite, host: &Host<'_>) -> Result<WrittenModel> {
        let Some(FilePath(to)) = &self.to else {
            let what = "there is no folder to write to: run `jackfield export RUN ITEM --to FOLDER`, or set `to`";
            return Err(Failure::InvalidConfig(what.to_owned()));
        };
        let (model, _weights) = Transformer::load_within(&self.model.path, &MemoryBudget::new(None))?;
        let hidden = model.architecture().hidden;
        let read = |edit: &Edit| {
            if edit.direction.shape.last() != Some(&(hidden as u64)) {
                let what = format!("a direction of shape {:?} for a model that is {hidden} wide", edit.direction.shape);
                return Err(Failure::InvalidInput(what));
            }
            let mut direction = vec![0.0_f32; hidden];
            host.tensor(&edit.direction)?.read(u64::from(edit.row) * hidden as u64, &mut direction)?;
            Ok(direction)
        };
        let directions: Vec<Vec<f32>> = input.edits.iter().map(read).collect::<Result<_>>()?;
        let specs = input.edits.iter().zip(&directions).map(|(edit, direction)| EditSpec {
            component: edit.component,
            layer: edit.layer as usize,
            direction,
            weight: edit.weight,
            normalization: edit.row_normalization,
        });
        let edits = model.edits(&specs.collect::<Vec<_>>())?;
        let files = export(&model, &self.model.path, &edits, to, &|| host.cancelled())?;
        Ok(WrittenModel { files })
    }
}

//! The plan as a graph.

use super::{
    pipeline_plan::Plan,
    stage::StagePlan,
    wire::{InputExpr, Source, Wire},
};

impl Plan {
    /// The layer of each stage: one beyond the last layer that it reads, from 0.
    #[must_use]
    pub fn layers(&self) -> Vec<usize> {
        let mut layers: Vec<usize> = Vec::with_capacity(self.stages.len());
        for stage in &self.stages {
            layers.push(stage.reads.iter().filter_map(|&read| Some(layers.get(read)? + 1)).max().unwrap_or(0));
        }
        layers
    }

    /// A wire as a pipeline file has it, such as `decisions.items[*].title`.
    #[must_use]
    pub fn wire_text(&self, wire: &Wire) -> String {
        if let Source::Column(column) = wire.source {
            return format!("all.{}", self.wire_text(&self.columns[column].wire));
        }
        let mut text = self.source_text(wire.source).to_owned();
        wire.path.iter().for_each(|step| text.push_str(&step.to_string()));
        text
    }

    /// What a wire calls its source: `input`, `each`, `spend`, `all`, or the name of a stage.
    #[must_use]
    pub fn source_text(&self, source: Source) -> &str {
        match source {
            Source::Input => "input",
            Source::Each => "each",
            Source::Spend => "spend",
            Source::Column(_) => "all",
            Source::Stage(index) => &self.stages[index].name,
        }
    }
}

impl StagePlan {
    /// Whether the stage reads the item itself.
    #[must_use]
    pub fn reads_input(&self) -> bool {
        let wires = self.for_each.iter().chain(self.when.as_ref().map(|when| &when.wire));
        wires.into_iter().any(|wire| wire.source == Source::Input) || reads_input(&self.input)
    }
}

fn reads_input(expr: &InputExpr) -> bool {
    match expr {
        InputExpr::Wire(wire) => wire.source == Source::Input,
        InputExpr::List(parts) => parts.iter().any(reads_input),
        InputExpr::Table(entries) => entries.iter().any(|entry| reads_input(&entry.value)),
        InputExpr::Constant(_) => false,
    }
}

//! What was seen of items that lie in files, before anything runs.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    expr::{Expr, WireRef},
    input::ItemSource,
    pipeline::ParsedPipeline,
};
use crate::{
    diagnostics::{Diagnostic, suggest},
    plan::InputPlan,
    schema,
};

/// The fields that items have, as far as somebody looked: a wire into a field that none of them has is a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenItems {
    /// The fields.
    pub fields: BTreeSet<String>,
    /// What all items of the input are like, where all of them were looked at.
    pub schema: Option<Value>,
    /// How a message about one more field begins, such as "`a.csv` has no column".
    pub lacking: String,
    /// How a hint about the fields begins, such as "its columns".
    pub known: &'static str,
    /// What else may be wrong where a field is lacking, such as the delimiter.
    pub hint: Option<String>,
}

impl SeenItems {
    /// A schema that all of these items satisfy.
    #[must_use]
    pub fn schema_of(items: &[Value]) -> Value {
        schema::infer(&items.iter().collect::<Vec<_>>())
    }

    /// What is wrong with a name that no item has as a field, and what to do about it.
    pub(crate) fn lacks(&self, name: &str) -> (String, Option<String>) {
        let message = format!("{} `{name}`", self.lacking);
        let known = suggest::hint_for(name, self.known, self.fields.iter().map(String::as_str));
        (message, self.hint.clone().or(known))
    }
}

impl ParsedPipeline {
    /// Where the items come from; none if the pipeline does not say it, or says it wrongly.
    #[must_use]
    pub fn input_plan(&self) -> Option<InputPlan> {
        self.input.as_ref()?.source.clone().map(ItemSource::lower)
    }

    /// Whether any stage reads an item.
    #[must_use]
    pub fn reads_items(&self) -> bool {
        let is_of_items = |source: &str| source == "input" || source == "all";
        let reads = |wire: &WireRef| wire.text.as_ref().is_some_and(|text| is_of_items(&text.source));
        self.stages.iter().any(|stage| {
            let context = stage.route.as_ref().and_then(|route| route.context.as_ref());
            stage.for_each.as_ref().is_some_and(reads)
                || stage.when.as_ref().is_some_and(|when| reads(&when.wire))
                || context.is_some_and(reads)
                || stage.input.as_ref().is_some_and(|(_, expr)| expr.wires().into_iter().any(reads))
        })
    }

    /// Tells what was seen of the items, for [`check`](crate::check()) to compare with what is read of them.
    pub fn see_items(&mut self, seen: SeenItems) {
        self.seen_items = Some(seen);
    }

    /// Adds a diagnostic of `[input]`, at the value of this key.
    pub fn report_at_input(&mut self, key: &str, mut diagnostic: Diagnostic) {
        let input = self.input.as_ref();
        diagnostic.span = input.and_then(|input| if key == "id" { input.id_at } else { input.path_at });
        self.diagnostics.push(diagnostic);
    }
}

impl Expr {
    /// Its wires, in the order of the text.
    pub(crate) fn wires(&self) -> Vec<&WireRef> {
        let mut wires = Vec::new();
        self.collect_wires(&mut wires);
        wires
    }

    fn collect_wires<'e>(&'e self, wires: &mut Vec<&'e WireRef>) {
        match self {
            Self::Wire(wire) => wires.push(wire),
            Self::List(list, _) => list.iter().for_each(|expr| expr.collect_wires(wires)),
            Self::Table(table, _) => table.iter().for_each(|(_, expr)| expr.collect_wires(wires)),
            Self::Constant(_) | Self::Bad => {}
        }
    }
}

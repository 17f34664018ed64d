//! Where wires come from, and thereby what depends on what.

use super::checker::Checker;
use crate::{
    diagnostics::{Fault, SHOWN, Span},
    draft::{Expr, WireRef},
    plan::Source,
    syntax::wire,
};

/// A wire from one stage to another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge {
    /// The stage that reads.
    pub(crate) reader: usize,
    /// What it reads.
    pub(crate) source: Source,
    /// Where the wire stands.
    pub(crate) place: Span,
}

impl<'a> Checker<'a> {
    /// Looks up the source of every wire; the edges are in the order of the text, those of a stage together.
    pub(crate) fn sources(&mut self) -> Vec<Edge> {
        let draft = self.draft;
        let mut edges = Vec::new();
        for (index, stage) in draft.stages.iter().enumerate() {
            let mut wires = Vec::new();
            if let Some((_, expr)) = &stage.input {
                collect(expr, &mut wires);
            }
            for wire in &wires {
                self.edge(index, wire, &mut edges);
            }
            if let Some(wire) = stage.route.as_ref().and_then(|route| route.context.as_ref()) {
                // It is the item's, whatever the stage runs over.
                if self.looked_up(None, wire).is_some() {
                    self.edge(index, wire, &mut edges);
                }
            }
            if let Some(wire) = &stage.for_each {
                if wire.text.as_ref().is_some_and(|text| text.source == "each") {
                    let message = "`for_each` cannot run over `each`";
                    let label = "`each` is the element of this very list";
                    self.faults.push(Fault::at("each", self.head(wire), message).label(label));
                } else {
                    self.edge(index, wire, &mut edges);
                }
            }
        }
        self.searched(&mut edges);
        for (_, wire) in draft.output.files.iter().chain(&draft.output.merged) {
            self.looked_up(None, wire);
        }
        for (_, wire) in &draft.output.show {
            if self.source(None, wire) != Some(Source::Spend) {
                self.looked_up(None, wire);
            }
        }
        edges
    }

    /// A stage whose keys are searched reads the values in its item.
    fn searched(&self, edges: &mut Vec<Edge>) {
        let stages = self.search.iter().flat_map(|search| &search.space().stages);
        edges.extend(stages.map(|(&reader, &place)| Edge { reader, source: Source::Input, place }));
    }

    fn edge(&mut self, reader: usize, wire: &WireRef, edges: &mut Vec<Edge>) {
        let Some(source) = self.looked_up(Some(reader), wire) else { return };
        let name = &self.draft.stages[reader].name.text;
        if let Source::Stage(index) = source
            && index == reader
        {
            let message = format!("stage `{name}` reads itself");
            self.faults.push(Fault::at("cycle", self.head(wire), message).label("its own output"));
        } else {
            edges.push(Edge { reader, source, place: wire.span });
        }
    }

    /// The source of a wire, or a fault.
    pub(crate) fn looked_up(&mut self, stage: Option<usize>, wire: &WireRef) -> Option<Source> {
        let text = wire.text.as_ref()?;
        let source = self.source(stage, wire);
        let at = self.head(wire);
        if let Some(Source::Stage(index)) = source
            && self.draft.stages[index].export.is_some()
        {
            let message = format!("stage `{}` runs when an item is exported, and nothing reads it", text.source);
            let hint = "take `export = true` off it, or read what it reads";
            self.faults.push(Fault::at("export-stage", at, message).hint(hint.to_owned()));
        }
        match source {
            Some(Source::Input) if self.draft.input.is_none() => {
                let fault = Fault::at("no-input", at, "the pipeline has no `[input]` to read from");
                self.faults.push(fault.hint("add `[input]` with `use = \"files\"` and `path = \"...\"`".to_owned()));
            }
            Some(Source::Spend) => return self.only_shown(at),
            Some(_) => {}
            None if text.source == "spend" => return self.only_shown(at),
            None if text.source == "each" => {
                let fault = match stage {
                    Some(stage) => {
                        let name = &self.draft.stages[stage].name.text;
                        Fault::at("each", at, format!("stage `{name}` has no `for_each`, so there is no `each`"))
                            .hint("add `for_each` with a wire to a list".to_owned())
                    }
                    None => Fault::at("each", at, "there is no `each` outside of a stage"),
                };
                self.faults.push(fault);
            }
            None => {
                let message = format!("there is no stage `{}`", text.source);
                // To look through all names for each of many faults would take longer than anyone waits.
                let hinted = self.faults.len() < SHOWN;
                let hint = hinted.then(|| wire::source_hint(&text.source, self.names())).flatten();
                self.faults.push(Fault::at("unknown-stage", at, message).hint(hint));
            }
        }
        source
    }

    fn only_shown(&mut self, at: Span) -> Option<Source> {
        let message = "what was spent can only be shown: results do not depend on it";
        let hint = "`spend` stands in `[output.show]`; `jackfield runs show RUN --item ITEM` has it too";
        self.faults.push(Fault::at("spend", at, message).hint(hint.to_owned()));
        None
    }

    /// Where the source of a wire stands.
    pub(crate) fn head(&self, wire: &WireRef) -> Span {
        let part = wire.text.as_ref().map_or(0..wire.raw.len(), |text| text.source_place());
        wire::within(&self.draft.sources, wire.span, &wire.raw, part)
    }
}

/// The wires of an expression, in the order of the text.
pub(crate) fn collect<'e>(expr: &'e Expr, wires: &mut Vec<&'e WireRef>) {
    match expr {
        Expr::Wire(wire) => wires.push(wire),
        Expr::List(list, _) => list.iter().for_each(|expr| collect(expr, wires)),
        Expr::Table(table, _) => table.iter().for_each(|(_, expr)| collect(expr, wires)),
        Expr::Bad => {}
    }
}

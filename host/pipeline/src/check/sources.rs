//! Looks up the sources of wires, and thereby the dependencies between stages.

use super::checker::Checker;
use crate::{
    diagnostics::{Diagnostic, SHOWN, Span},
    parsed::WireRef,
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
    /// Whether it reads the source of every item.
    pub(crate) over_all: bool,
    /// The span of the wire.
    pub(crate) span: Span,
}

impl<'a> Checker<'a> {
    /// Looks up the source of every wire; the edges are in the order of the text, those of a stage together.
    pub(crate) fn look_up_sources(&mut self) -> Vec<Edge> {
        let parsed = self.parsed;
        let mut edges = Vec::new();
        for (index, stage) in parsed.stages.iter().enumerate() {
            for wire in stage.input.iter().flat_map(|(_, expr)| expr.wires()) {
                self.add_edge(index, wire, &mut edges);
                self.note_that_it_may_be_a_text(wire);
            }
            if let Some(wire) = stage.route.as_ref().and_then(|route| route.context.as_ref()) {
                // The context belongs to the item, whatever the stage runs over.
                if self.look_up_source(None, wire).is_some() {
                    self.add_edge(index, wire, &mut edges);
                }
            }
            if let Some(when) = &stage.when {
                let wire = &when.wire;
                if wire.text.as_ref().is_some_and(|text| text.source == "each") {
                    let message = "`when` decides for the whole stage, before there is an element";
                    self.diagnostics.push(Diagnostic::at("each", self.source_span(wire), message));
                } else {
                    self.add_edge(index, wire, &mut edges);
                }
            }
            if let Some(wire) = &stage.for_each {
                if wire.is_over_all() {
                    let message =
                        "`for_each` runs over a list of one item or of the run, and cannot run over all items";
                    let hint = "a stage that reads the item runs once for each; one that reads `all` as `in` runs once over all of them";
                    let diagnostic = Diagnostic::at("all-items", self.source_span(wire), message);
                    self.diagnostics.push(diagnostic.hint(hint.to_owned()));
                } else if wire.text.as_ref().is_some_and(|text| text.source == "each") {
                    let message = "`for_each` cannot run over `each`";
                    let label = "`each` is the element of this very list";
                    self.diagnostics.push(Diagnostic::at("each", self.source_span(wire), message).label(label));
                } else {
                    self.add_edge(index, wire, &mut edges);
                }
            }
        }
        self.add_search_edges(&mut edges);
        for (_, wire) in parsed.output.files.iter().chain(&parsed.output.merged) {
            self.look_up_source(None, wire);
        }
        for (_, wire) in &parsed.output.show {
            if self.wire_source(None, wire) != Some(Source::Spend) {
                self.look_up_source(None, wire);
            }
        }
        edges
    }

    /// Adds to what was just said of a wire into an unknown stage how a text is written, unless the name is a misspelled one.
    fn note_that_it_may_be_a_text(&mut self, wire: &WireRef) {
        let at = self.source_span(wire);
        let is_about_it = |diagnostic: &&mut Diagnostic| {
            let misspelled = diagnostic.hint.as_ref().is_some_and(|hint| hint.starts_with("did you mean"));
            diagnostic.code == "unknown-stage" && diagnostic.span == Some(at) && !misspelled
        };
        if let Some(diagnostic) = self.diagnostics.last_mut().filter(is_about_it) {
            let written = serde_json::Value::from(wire.raw.as_str());
            diagnostic.notes.push(format!("for the text itself, write `{{ const = {written} }}`"));
        }
    }

    /// A stage whose keys are searched reads the values in its item.
    fn add_search_edges(&self, edges: &mut Vec<Edge>) {
        let stages = self.search.iter().flat_map(|search| &search.space().stages);
        edges.extend(stages.map(|(&reader, &span)| Edge { reader, source: Source::Input, over_all: false, span }));
    }

    fn add_edge(&mut self, reader: usize, wire: &WireRef, edges: &mut Vec<Edge>) {
        let over_all = wire.is_over_all();
        let source = if over_all { self.look_up_column(wire) } else { self.look_up_source(Some(reader), wire) };
        let Some(source) = source else { return };
        let name = &self.parsed.stages[reader].name.text;
        if let Source::Stage(index) = source
            && index == reader
        {
            let message = format!("stage `{name}` reads itself");
            self.diagnostics.push(Diagnostic::at("cycle", self.source_span(wire), message).label("its own output"));
        } else {
            edges.push(Edge { reader, source, over_all, span: wire.span });
        }
    }

    /// The source of a wire; none if there is no such source, which is reported.
    pub(crate) fn look_up_source(&mut self, stage: Option<usize>, wire: &WireRef) -> Option<Source> {
        let text = wire.text.as_ref()?;
        let source = self.wire_source(stage, wire);
        let at = self.source_span(wire);
        if let Some(Source::Stage(index)) = source
            && self.parsed.stages[index].export.is_some()
        {
            self.report_read_export(at, &text.source);
        }
        match source {
            Some(Source::Input) if self.parsed.input.is_none() => {
                let diagnostic = Diagnostic::at("no-input", at, "the pipeline has no `[input]` to read from");
                self.diagnostics
                    .push(diagnostic.hint("add `[input]` with `use = \"files\"` and `path = \"...\"`".to_owned()));
            }
            Some(Source::Spend) => return self.spend_outside_show(at),
            Some(_) => {}
            None if text.source == "spend" => return self.spend_outside_show(at),
            None if text.is_over_all() => self.report_all_outside_stage(at),
            None if text.source == "each" => {
                let diagnostic = match stage {
                    Some(stage) => {
                        let name = &self.parsed.stages[stage].name.text;
                        Diagnostic::at("each", at, format!("stage `{name}` has no `for_each`, so there is no `each`"))
                            .hint("add `for_each` with a wire to a list".to_owned())
                    }
                    None => Diagnostic::at("each", at, "there is no `each` outside of a stage"),
                };
                self.diagnostics.push(diagnostic);
            }
            None => {
                let message = format!("there is no stage `{}`", text.source);
                // Comparing all names for each of many diagnostics would take too long.
                let hinted = self.diagnostics.len() < SHOWN;
                let hint = hinted.then(|| wire::source_hint(&text.source, self.stage_names())).flatten();
                self.diagnostics.push(Diagnostic::at("unknown-stage", at, message).hint(hint));
            }
        }
        source
    }

    /// Reports a wire into a stage that runs at export.
    pub(crate) fn report_read_export(&mut self, at: Span, stage: &str) {
        let message = format!("stage `{stage}` runs when an item is exported, and nothing reads it");
        let hint = "remove `export = true` from it, or read what it reads";
        self.diagnostics.push(Diagnostic::at("export-stage", at, message).hint(hint.to_owned()));
    }

    fn spend_outside_show(&mut self, at: Span) -> Option<Source> {
        let message = "what was spent can only be shown: results do not depend on it";
        let hint = "`spend` can be used in `[output.show]`; `jackfield runs show RUN --item ITEM` has it too";
        self.diagnostics.push(Diagnostic::at("spend", at, message).hint(hint.to_owned()));
        None
    }

    /// The span of the source of a wire.
    pub(crate) fn source_span(&self, wire: &WireRef) -> Span {
        let part = wire.text.as_ref().map_or(0..wire.raw.len(), |text| text.source_range());
        wire::span_within(&self.parsed.sources, wire.span, &wire.raw, part)
    }
}

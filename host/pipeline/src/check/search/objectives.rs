//! What a search learns from: its objectives, and what a trial reports before it is done.

use std::collections::BTreeSet;

use serde_json::json;

use crate::{
    check::{checker::Checker, found::Objective, scopes::Scopes},
    diagnostics::{Diagnostic, suggest},
    parsed::{Expr, ParsedSearch, WireRef},
    plan::Source,
    schema::{Fit, Type, View},
    syntax::Key,
};

impl Checker<'_> {
    /// The objectives by name, in the order of the text: the wire as it is written, or the key that it has in a table.
    pub(crate) fn search_objectives(&mut self, search: &ParsedSearch) -> Vec<Objective> {
        let before = self.diagnostics.len();
        let mut found: Vec<Objective> = Vec::new();
        for (exprs, minimize) in &search.objectives {
            let named: Vec<(Option<&Key>, &Expr)> = match exprs {
                Expr::List(list, _) => list.iter().map(|expr| (None, expr)).collect(),
                Expr::Table(table, _) => table.iter().map(|(key, expr)| (Some(key), expr)).collect(),
                one => vec![(None, one)],
            };
            for (key, expr) in named {
                let wire = match expr {
                    Expr::Wire(wire) => wire,
                    Expr::List(_, span) | Expr::Table(_, span) => {
                        self.diagnostics.push(Diagnostic::at(
                            "bad-search",
                            *span,
                            "an objective is a wire to a number",
                        ));
                        continue;
                    }
                    Expr::Constant(_) | Expr::Bad => continue,
                };
                let (name, span) =
                    key.map_or_else(|| (wire.raw.clone(), wire.span), |key| (key.text.clone(), key.span));
                if found.iter().any(|known| known.name == name) {
                    let message = format!("there are two objectives `{name}`");
                    let diagnostic = Diagnostic::at("duplicate-name", span, message);
                    self.diagnostics
                        .push(diagnostic.hint("name each once: `minimize = { NAME = \"...\" }`".to_owned()));
                } else {
                    found.push(Objective { name, wire: wire.clone(), minimize: *minimize });
                }
            }
        }
        let malformed = search.objectives.iter().any(|(expr, _)| matches!(expr, Expr::Bad));
        if found.is_empty() && self.diagnostics.len() == before && !malformed {
            let diagnostic = Diagnostic::at(
                "missing-key",
                search.span,
                "the search has no objective: nothing to minimize or maximize",
            );
            let hint = "add `minimize = [\"...\"]` or `maximize = [\"...\"]`, wires to numbers";
            self.diagnostics.push(diagnostic.hint(hint.to_owned()));
        }
        found
    }

    /// The wires that a trial reports.
    pub(crate) fn check_reports(&mut self, search: &ParsedSearch, objectives: usize) -> Vec<WireRef> {
        let Some((span, expr)) = &search.report else { return Vec::new() };
        let list = match expr {
            Expr::List(list, _) => list.as_slice(),
            one => std::slice::from_ref(one),
        };
        let mut reports: Vec<WireRef> = Vec::new();
        for expr in list {
            match expr {
                Expr::Wire(wire) if reports.iter().any(|known| known.raw == wire.raw) => {
                    let message = format!("`{}` is reported twice", wire.raw);
                    self.diagnostics.push(Diagnostic::at("duplicate-name", wire.span, message));
                }
                Expr::Wire(wire) => reports.push(wire.clone()),
                Expr::List(_, span) | Expr::Table(_, span) => {
                    let diagnostic = Diagnostic::at("bad-search", *span, "a trial reports numbers: each is a wire");
                    self.diagnostics
                        .push(diagnostic.hint("such as `report = [\"short.rate\", \"full.rate\"]`".to_owned()));
                }
                Expr::Constant(_) | Expr::Bad => {}
            }
        }
        if objectives > 1 && !reports.is_empty() {
            let message = format!("a trial is stopped by what it reports of one objective, and there are {objectives}");
            let hint = "leave `report` out, or name one objective";
            self.diagnostics.push(Diagnostic::at("bad-search", *span, message).hint(hint.to_owned()));
        }
        reports
    }

    /// Looks up where the wires come from that a search learns from, and checks that they are numbers which can differ from
    /// trial to trial. They are read when the trial is done, so nothing depends on them.
    pub(crate) fn check_search_wires(&mut self, order: Option<&[usize]>, scopes: &Scopes) {
        let Some(found) = &self.search else { return };
        let objectives = found.objectives.iter().map(|objective| ("an objective", objective.wire.clone()));
        let reports: Vec<WireRef> = found.reports.clone();
        let wires: Vec<_> =
            objectives.chain(reports.iter().map(|wire| ("what a trial reports", wire.clone()))).collect();
        // If the space is wrong, a value may be the same for every trial only for that reason.
        let is_whole = found.space.whole;
        let item = self.item.clone();
        let mut seen = BTreeSet::new();
        for (what, wire) in &wires {
            // An objective may be reported too.
            let is_new = seen.insert(wire.span);
            let (Some(source), true) = (self.look_up_source(None, wire), is_new) else { continue };
            let ty = self.wire_type(None, wire, &item);
            self.check_is_number(what, wire, &ty);
            match source {
                Source::Stage(index) if is_whole && !scopes.is_per_item(index) => {
                    let name = &self.parsed.stages[index].name.text;
                    let often = scopes.often(index);
                    let message = format!("`{}` is the same for every trial: stage `{name}` runs {often}", wire.raw);
                    let hint = "name a number of a stage that is searched, or that reads one";
                    self.diagnostics.push(Diagnostic::at("bad-search", wire.span, message).hint(hint.to_owned()));
                }
                Source::Input if *what != "an objective" => {
                    let message = format!("`{}` is known before the trial begins, and is not reported", wire.raw);
                    let hint = "name a number of a stage";
                    self.diagnostics.push(Diagnostic::at("bad-search", wire.span, message).hint(hint.to_owned()));
                }
                _ => {}
            }
        }
        let Some(order) = order else { return };
        let position = |wire: &WireRef| match self.wire_source(None, wire) {
            Some(Source::Stage(index)) => order.iter().position(|stage| *stage == index),
            _ => None,
        };
        let positions: Vec<_> = reports.iter().map(|wire| (position(wire), wire)).collect();
        for pair in positions.windows(2) {
            let [(Some(before), first), (Some(after), second)] = pair else { continue };
            if before > after {
                let message = format!("`{}` is known before `{}`", second.raw, first.raw);
                let hint = "name what a trial reports in the order of the stages";
                self.diagnostics.push(Diagnostic::at("bad-search", second.span, message).hint(hint.to_owned()));
            }
        }
    }

    /// Reports what is learned from and cannot be a number.
    pub(crate) fn check_is_number(&mut self, what: &str, wire: &WireRef, ty: &Type<'_>) {
        let number = json!({ "type": "number" });
        if let Fit::TypeMismatch(_) = View::new(&number).accepts(ty) {
            let inner: Vec<String> = ty
                .fields()
                .into_iter()
                .filter(|(_, ty)| matches!(View::new(&number).accepts(ty), Fit::Fits))
                .map(|(name, _)| format!("{}.{name}", wire.raw))
                .collect();
            let hint = (!inner.is_empty())
                .then(|| format!("numbers in it: {}", suggest::list(inner.iter().map(String::as_str))));
            let message = format!("{what} is a number, and `{}` is not one", wire.raw);
            let diagnostic = Diagnostic::at("type-clash", wire.span, message).label(format!("it is `{ty}`"));
            self.diagnostics.push(diagnostic.hint(hint));
        }
    }
}

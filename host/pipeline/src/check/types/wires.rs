//! The types at the two ends of a wire, and the way along it.

use crate::{
    check::checker::Checker,
    diagnostics::{Fault, suggest},
    draft::{StageDraft, WireRef},
    plan::Source,
    schema::{Astray, Stray, Type},
    step::Step,
    syntax::wire,
};

impl<'a> Checker<'a> {
    /// What a stage's readers see.
    fn output<'t>(&self, stage: &StageDraft, index: usize) -> Type<'t>
    where
        'a: 't,
    {
        let Some((_, offer)) = self.offers[index] else { return Type::Unknown };
        let output = Type::of(&offer.descriptor.output);
        // With both `for_each` and `repeat` the list is flat: the results of the first element, then those of the second.
        let is_list = stage.for_each.is_some() || stage.repeat.is_some();
        if is_list { output.list() } else { output }
    }

    /// The type that a source gives to a stage.
    fn given<'t>(&self, stage: Option<usize>, source: Source, item: &'t serde_json::Value) -> Type<'t>
    where
        'a: 't,
    {
        match source {
            Source::Input => Type::of(item),
            // Where it may stand, it is looked at by itself.
            Source::Spend => Type::Unknown,
            Source::Stage(index) => self.output(&self.draft.stages[index], index),
            Source::Each => {
                let list = stage.and_then(|stage| self.draft.stages[stage].for_each.as_ref());
                let ty = list.and_then(|wire| {
                    let source = self.source(None, wire)?;
                    let path = &wire.text.as_ref()?.path;
                    self.given(None, source, item).follow(path).ok()?.elements().ok()
                });
                ty.unwrap_or(Type::Unknown)
            }
        }
    }

    /// The type at the end of a wire; reports steps that lead nowhere.
    pub(crate) fn wire<'t>(&mut self, stage: Option<usize>, wire: &WireRef, item: &'t serde_json::Value) -> Type<'t>
    where
        'a: 't,
    {
        let Some(source) = self.source(stage, wire) else { return Type::Unknown };
        let given = self.given(stage, source, item);
        self.follow(given, wire)
    }

    /// The type at the end of a wire into a source of this type; reports steps that lead nowhere.
    pub(crate) fn follow<'t>(&mut self, given: Type<'t>, wire: &WireRef) -> Type<'t> {
        let Some(text) = &wire.text else { return Type::Unknown };
        match given.follow(&text.path) {
            Ok(ty) => ty,
            Err(astray) => {
                self.astray(wire, &astray);
                Type::Unknown
            }
        }
    }

    fn astray(&mut self, wire: &WireRef, astray: &Astray) {
        let Some(text) = &wire.text else { return };
        let place = text.places[astray.step].clone();
        let at = wire::within(&self.draft.sources, wire.span, &wire.raw, place.clone());
        let before = &wire.raw[..place.start];
        let step = &text.path[astray.step];
        let fault = match &astray.why {
            Stray::NoField(known) => {
                let name = match step {
                    Step::Field(name) => name.clone(),
                    other => other.to_string(),
                };
                Fault::at("unknown-field", at, format!("`{before}` has no field `{name}`")).hint(suggest::hint_for(
                    &name,
                    "its fields",
                    known.iter().map(String::as_str),
                ))
            }
            Stray::NotAnObject => {
                let hint = astray.found.starts_with('[').then(|| {
                    format!("for each of its elements, write `{before}[*]{step}`; for the first, `{before}[0]{step}`")
                });
                Fault::at("type-clash", at, format!("`{before}` has no fields"))
                    .label(format!("`{before}` is `{}`", astray.found))
                    .hint(hint)
            }
            Stray::NotAList => Fault::at("type-clash", at, format!("`{before}` has no elements"))
                .label(format!("`{before}` is `{}`", astray.found)),
        };
        self.faults.push(fault);
    }
}

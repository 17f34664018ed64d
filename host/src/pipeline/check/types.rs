//! Whether what each wire gives can be what its reader wants.

use super::{Checker, spend_schema};
use crate::pipeline::{
    draft::{Expr, StageDraft, WireRef},
    faults::Fault,
    plan::Source,
    schema::{Astray, Clash, Fit, Reads, Reason, Stray, Type, View},
    source::Span,
    suggest, wire,
};

impl<'a> Checker<'a> {
    /// Checks the wires of every stage.
    pub(super) fn types(&mut self) {
        let draft = self.draft;
        // The schema of items is the checker's own, and faults are added to the checker.
        let item = self.item.clone();
        for (index, stage) in draft.stages.iter().enumerate() {
            if let Some(wire) = &stage.for_each {
                self.list_of(index, wire, &item);
            }
            let offer = self.offers[index].map(|(_, offer)| &offer.descriptor);
            let wanted = offer.map(|offer| View::new(&offer.input));
            match &stage.input {
                Some((key, expr)) => {
                    let reader = Reader { stage: index, key: *key, field: String::new(), in_list: false };
                    self.expr(&reader, expr, wanted, &item);
                }
                // A stage without `in` is called with an empty object.
                None => {
                    if let Some(wanted) = wanted {
                        let reader =
                            Reader { stage: index, key: stage.name.span, field: String::new(), in_list: false };
                        self.table(&reader, &[], stage.name.span, &wanted, &item);
                    }
                }
            }
        }
    }

    /// Checks what is written for an item.
    pub(super) fn outputs(&mut self) {
        let draft = self.draft;
        let item = self.item.clone();
        for (name, wire) in &draft.output.files {
            let stage = draft.stages.iter().find(|stage| format!("{}.json", stage.name.text) == name.text);
            if let Some(stage) = stage {
                let message = format!("`{}` is the file of stage `{}`", name.text, stage.name.text);
                self.faults.push(Fault::at("file-clash", name.span, message).hint("choose another name".to_owned()));
            }
            self.wire(None, wire, &item);
        }
        self.merged(&item);
        let shown = draft.output.show.iter().any(|(_, wire)| self.source(None, wire) == Some(Source::Spend));
        let spend = if shown { spend_schema(draft) } else { serde_json::Value::Null };
        for (_, wire) in &draft.output.show {
            match self.source(None, wire) {
                Some(Source::Spend) => drop(self.follow(Type::of(&spend), wire)),
                _ => drop(self.wire(None, wire, &item)),
            }
        }
    }

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
    pub(super) fn wire<'t>(&mut self, stage: Option<usize>, wire: &WireRef, item: &'t serde_json::Value) -> Type<'t>
    where
        'a: 't,
    {
        let Some(source) = self.source(stage, wire) else { return Type::Unknown };
        let given = self.given(stage, source, item);
        self.follow(given, wire)
    }

    /// The type at the end of a wire into a source of this type; reports steps that lead nowhere.
    fn follow<'t>(&mut self, given: Type<'t>, wire: &WireRef) -> Type<'t> {
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
                    crate::pipeline::plan::Step::Field(name) => name.clone(),
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

    fn list_of(&mut self, stage: usize, wire: &WireRef, item: &serde_json::Value) {
        self.keeps_tensors(stage, wire, true);
        let ty = self.wire(Some(stage), wire, item);
        if let Err(astray) = ty.elements() {
            let message = format!("`for_each` runs over a list, but `{}` is not one", wire.raw);
            let lists = ty.fields().into_iter().filter(|(_, ty)| ty.elements().is_ok() && !matches!(ty, Type::Unknown));
            let lists: Vec<String> = lists.map(|(name, _)| format!("{}.{name}", wire.raw)).collect();
            let hint = (!lists.is_empty())
                .then(|| format!("lists in it: {}", suggest::list(lists.iter().map(String::as_str))));
            self.faults.push(
                Fault::at("type-clash", wire.span, message).label(format!("it is `{}`", astray.found)).hint(hint),
            );
        }
    }

    /// Tensors that travel with a document go with the whole of it, and no further: a reader that wants them does not get
    /// them by a path, and nobody gets them of the elements of a list.
    fn keeps_tensors(&mut self, stage: usize, wire: &WireRef, in_list: bool) {
        let (Some(Source::Stage(source)), Some(text)) = (self.source(Some(stage), wire), &wire.text) else { return };
        let says = |schema: &serde_json::Value| schema["x-tensors"] == true;
        let carries = self.offers[source].is_some_and(|(_, offer)| says(&offer.descriptor.output));
        let wanted = self.offers[stage].is_some_and(|(_, offer)| says(&offer.descriptor.input));
        let from = &self.draft.stages[source];
        let many = from.for_each.is_some() || from.repeat.is_some();
        let lost = if text.path.is_empty() { many || in_list } else { wanted };
        if !carries || !lost {
            return;
        }
        let name = &from.name.text;
        let message = format!("the tensors that travel with the output of stage `{name}` are lost on this wire");
        let why =
            if text.path.is_empty() { "a list has none of its elements' tensors" } else { "a path leads past them" };
        let hint = match text.path.is_empty() {
            true => format!(
                "read the field that is wanted, such as `{name}.FIELD`; what needs the tensors, too, has to get them by \
                 reference: let `{}` keep them with `Host::keep_tensor`",
                self.extension(source)
            ),
            false => format!(
                "read the whole output, `{name}`; or let `{}` keep its tensors with `Host::keep_tensor`: those go through \
                 paths",
                self.extension(source)
            ),
        };
        self.faults.push(Fault::at("lost-tensors", wire.span, message).label(why.to_owned()).hint(hint));
    }

    fn expr<'t>(&mut self, reader: &Reader, expr: &Expr, wanted: Option<View<'t>>, item: &'t serde_json::Value)
    where
        'a: 't,
    {
        match expr {
            Expr::Bad => {}
            Expr::Wire(wire) => {
                self.keeps_tensors(reader.stage, wire, reader.in_list);
                let given = self.wire(Some(reader.stage), wire, item);
                if let Some(wanted) = wanted
                    && let Fit::Clash(clash) = wanted.accepts(&given)
                {
                    self.clash(reader, wire, &given, &wanted, &clash);
                }
            }
            Expr::List(list, span) => {
                let element = match wanted.as_ref().map(View::as_list) {
                    Some(Reads::This(element)) => Some(element),
                    Some(Reads::Never) => {
                        self.shape(reader, *span, "a list", wanted.as_ref());
                        None
                    }
                    Some(Reads::Unknown) | None => None,
                };
                let inner = Reader { field: format!("{}[*]", reader.field), in_list: true, ..reader.clone() };
                list.iter().for_each(|expr| self.expr(&inner, expr, element.clone(), item));
            }
            Expr::Table(table, span) => match wanted {
                Some(wanted) => self.table(reader, table, *span, &wanted, item),
                None => table.iter().for_each(|(_, expr)| self.expr(reader, expr, None, item)),
            },
        }
    }

    fn table<'t>(
        &mut self,
        reader: &Reader,
        table: &[(crate::pipeline::tree::Key, Expr)],
        span: Span,
        wanted: &View<'t>,
        item: &'t serde_json::Value,
    ) where
        'a: 't,
    {
        let given: Vec<&str> = table.iter().map(|(key, _)| key.text.as_str()).collect();
        let object = match wanted.as_object_with(&given) {
            Reads::This(object) => Some(object),
            Reads::Unknown => None,
            Reads::Never => {
                self.shape(reader, span, "a table", Some(wanted));
                None
            }
        };
        let extension = self.extension(reader.stage);
        for (key, expr) in table {
            let name = &key.text;
            let inner = Reader { field: format!("{}.{name}", reader.field), ..reader.clone() };
            match &object {
                Some(object) if object.lacks(name) => {
                    let beside = if wanted.names().contains(&name.as_str()) { " beside the others" } else { "" };
                    let message = format!("`{extension}` reads no field `{}`{beside}", inner.name());
                    let known = object.names();
                    let left = known.iter().copied().filter(|known| !table.iter().any(|(key, _)| key.text == *known));
                    let hint = suggest::hint_for(name, "its fields", left)
                        .or_else(|| suggest::hint_for(name, "its fields", known.iter().copied()));
                    self.faults.push(Fault::at("unknown-input", key.span, message).hint(hint));
                    self.expr(&inner, expr, None, item);
                }
                object => self.expr(&inner, expr, object.as_ref().and_then(|object| object.field(name)), item),
            }
        }
        let Some(object) = object else { return };
        for name in object.required() {
            // A misspelt field is reported as such.
            let misspelt = |key: &str| object.lacks(key) && suggest::nearest(key, [name]).is_some();
            if table.iter().any(|(key, _)| key.text == name || misspelt(&key.text)) {
                continue;
            }
            let field = Reader { field: format!("{}.{name}", reader.field), ..reader.clone() }.name();
            let stage = &self.draft.stages[reader.stage].name.text;
            let message = format!("stage `{stage}` lacks the input `{field}`, which `{extension}` needs");
            let wanted = object.field(name);
            let at = if self.draft.sources.text(span).starts_with('{') { reader.key } else { span };
            let mut fault = Fault::at("missing-input", at, message);
            if let Some(wanted) = &wanted {
                fault = fault.note(match wanted.doc() {
                    Some(doc) => format!("`{name}` is `{wanted}`: {}", first_sentence(doc)),
                    None => format!("`{name}` is `{wanted}`"),
                });
            }
            if self.draft.stages[reader.stage].input.is_none() {
                fault.hint = Some(format!("add `in = {{ {name} = \"...\" }}`"));
            }
            self.faults.push(fault);
        }
    }

    /// A list or table where the reader wants none.
    fn shape(&mut self, reader: &Reader, span: Span, found: &str, wanted: Option<&View<'_>>) {
        let extension = self.extension(reader.stage);
        let wanted = wanted.map(ToString::to_string).unwrap_or_default();
        let message = match reader.field.as_str() {
            "" => format!("`{extension}` reads `{wanted}`, not {found}"),
            _ => format!("`{extension}` reads `{wanted}` as `{}`, not {found}", reader.name()),
        };
        let in_place = span == self.draft.stages[reader.stage].name.span;
        let message = if in_place {
            format!(
                "stage `{}` has no `in`, but `{extension}` reads `{wanted}`",
                self.draft.stages[reader.stage].name.text
            )
        } else {
            message
        };
        self.faults.push(Fault::at("type-clash", span, message));
    }

    fn clash(&mut self, reader: &Reader, wire: &WireRef, given: &Type<'_>, wanted: &View<'_>, clash: &Clash) {
        let extension = self.extension(reader.stage);
        let raw = &wire.raw;
        let target = match reader.field.as_str() {
            "" => format!("what `{extension}` reads"),
            _ => format!("`{}` of `{extension}`", reader.name()),
        };
        let place =
            if clash.path.is_empty() { String::new() } else { format!(" at `{}`", clash.path.trim_start_matches('.')) };
        let (label, mut hint) = match &clash.reason {
            Reason::Type { found, wanted } => (format!("gives `{found}`, wanted `{wanted}`{place}"), None),
            Reason::Missing { field, known } => (
                format!("has no field `{field}`{place}"),
                suggest::hint_for(field, "its fields", known.iter().map(String::as_str)),
            ),
            Reason::Extra { field } => (format!("has a field `{field}`{place}, which is refused"), None),
        };
        if let Reason::Type { found, wanted } = &clash.reason {
            hint = about_tensors(found, wanted);
        }
        if clash.path.is_empty() {
            hint = self.other_way(reader, raw, given, wanted).or(hint);
        }
        let message = format!("`{raw}` does not fit {target}");
        self.faults.push(Fault::at("type-clash", wire.span, message).label(label).hint(hint));
    }

    /// The wire that was probably meant: one field further in or out, or one element at a time.
    fn other_way(&self, reader: &Reader, raw: &str, given: &Type<'_>, wanted: &View<'_>) -> Option<String> {
        let fits = |wanted: &View<'_>, given: &Type<'_>| {
            !matches!(given, Type::Unknown) && matches!(wanted.accepts(given), Fit::Fits)
        };
        let inner: Vec<&str> =
            given.fields().into_iter().filter(|(_, ty)| fits(wanted, ty)).map(|(name, _)| name).collect();
        let same = reader.field.rsplit('.').next().and_then(|field| inner.iter().find(|name| **name == field));
        if let Some(name) = same.or(if inner.len() == 1 { inner.first() } else { None }) {
            return Some(format!("did you mean `{raw}.{name}`?"));
        }
        if let Reads::This(object) = wanted.as_object() {
            let takes = |name: &&str| object.field(name).is_some_and(|wanted| fits(&wanted, given));
            let outer: Vec<&str> = object.required().into_iter().filter(takes).collect();
            if let [name] = outer.as_slice() {
                return Some(match reader.field.as_str() {
                    "" => format!("did you mean `in = {{ {name} = \"{raw}\" }}`?"),
                    _ => format!("did you mean `{{ {name} = \"{raw}\" }}`?"),
                });
            }
        }
        let stage = &self.draft.stages[reader.stage];
        match given.elements() {
            Ok(element) if stage.for_each.is_none() && fits(wanted, &element) => {
                Some(format!("to run once an element, add `for_each = \"{raw}\"` and read `each` in place of `{raw}`"))
            }
            _ => None,
        }
    }

    fn extension(&self, stage: usize) -> String {
        self.offers[stage].map(|(_, offer)| offer.descriptor.name.clone()).unwrap_or_default()
    }
}

/// Whose input is being checked, and where in it.
#[derive(Clone, Debug)]
struct Reader {
    stage: usize,
    /// Where `in` stands.
    key: Span,
    /// The field, with a dot before each name.
    field: String,
    /// Whether it is an element of a list.
    in_list: bool,
}

impl Reader {
    fn name(&self) -> String {
        self.field.trim_start_matches('.').to_owned()
    }
}

/// The first sentence of a description, on one line.
pub(super) fn first_sentence(doc: &str) -> String {
    let paragraph = doc.split("\n\n").next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    let end = paragraph.find(". ").unwrap_or(paragraph.len());
    paragraph[..end].trim_end_matches('.').to_owned()
}

/// What may help where one type is a tensor by reference and the other is not.
fn about_tensors(found: &str, wanted: &str) -> Option<String> {
    // As a tensor's type is printed; every other type begins in another way.
    let is_tensor = |ty: &str| ty == "tensor" || ty.starts_with("tensor[") || ty.starts_with("tensor |");
    match (is_tensor(found), is_tensor(wanted)) {
        (true, false) => Some(
            "it is a tensor by reference; its elements are read by extensions that take a tensor, not by way of a list"
                .to_owned(),
        ),
        (false, true) => {
            Some("a tensor by reference is wanted, which an extension makes; a list of numbers is not one".to_owned())
        }
        _ => None,
    }
}

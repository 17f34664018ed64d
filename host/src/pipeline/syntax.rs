//! TEXT -> DRAFT: reads the file, applies what the command line changes, checks shapes, and lowers the tree into types.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use jackfield_plugin_api::Kind;
use toml::de::DeTable;

use super::{
    draft::{Draft, Expr, InputDraft, ItemSource, OutputDraft, PluginEntry, StageDraft, WireRef, on_error},
    faults::{Fault, Faults},
    keys::{self, Shape},
    overrides, params,
    plan::{Policy, max_item_size},
    route_draft, search_draft, service_draft,
    shape::Pass,
    source::{SourceId, Sources, Span, Spanned},
    test_draft,
    tree::{self, Key, Node, Table, Value},
    trust, values, wire,
};
use crate::plugin::{
    Digest, regular_file,
    sandbox::{Grant, Limits},
};

/// What to compile.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The file, or a folder that holds a `pipeline.toml`.
    pub path: &'a Path,
    /// Overrides, `dotted.key=VALUE`.
    pub set: &'a [String],
    /// Glob patterns in place of the pipeline's own, relative to the current folder.
    pub input: &'a [String],
}

/// A text with all that its meaning depends on.
pub(super) struct Text<'a> {
    pub(super) name: &'a str,
    pub(super) bytes: &'a [u8],
    /// The pipeline's folder, absolute.
    pub(super) folder: &'a Path,
    /// The current folder.
    pub(super) current: &'a Path,
    pub(super) set: &'a [String],
    pub(super) input: &'a [String],
}

/// Reads a pipeline. Faults of single values are kept in the draft, so that [`check`](super::check) can report them with
/// its own.
///
/// # Errors
/// If nothing can be read: no such file, no UTF-8, no TOML.
pub fn parse(request: Request<'_>) -> Result<Draft, Faults> {
    let alone = |fault| Faults::new(Sources::default(), vec![fault]);
    let mut path = request.path.to_owned();
    if path.is_dir() {
        path.push("pipeline.toml");
        if !path.exists() {
            let message = format!("the folder `{}` holds no `pipeline.toml`", request.path.display());
            let hint = "name the pipeline's file, or a folder that holds a `pipeline.toml`".to_owned();
            return Err(alone(Fault::new("no-pipeline", message).hint(hint)));
        }
    }
    let bytes = regular_file::read(&path, regular_file::MOST_TEXT).map_err(|error| {
        let why = if error.kind() == io::ErrorKind::NotFound { "no such file".to_owned() } else { error.to_string() };
        alone(Fault::new("no-pipeline", format!("cannot read `{}`: {why}", path.display())))
    })?;
    let absolute = std::path::absolute(&path).unwrap_or_else(|_| path.clone());
    let current = std::env::current_dir().unwrap_or_default();
    parse_text(&Text {
        name: &path.display().to_string(),
        bytes: &bytes,
        folder: absolute.parent().unwrap_or(Path::new("/")),
        current: &current,
        set: request.set,
        input: request.input,
    })
}

/// Reads a pipeline that is already in memory.
pub(super) fn parse_text(given: &Text<'_>) -> Result<Draft, Faults> {
    let mut sources = Sources::default();
    let bytes = given.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(given.bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        let line = bytes[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
        let offset = at + (given.bytes.len() - bytes.len());
        let message =
            format!("`{}` is not UTF-8: byte 0x{:02x} at offset {offset}, in line {line}", given.name, bytes[at]);
        Faults::new(Sources::default(), vec![Fault::new("not-utf8", message).hint("save the file as UTF-8".to_owned())])
    })?;
    let file = sources.add(given.name, text);
    let mut faults = Vec::new();
    let Some(mut root) = toml(file, text, &mut faults) else {
        return Err(Faults::new(sources, faults));
    };
    for argument in given.set {
        overrides::set(&mut sources, &mut root, argument, &mut faults);
    }
    overrides::input(&mut sources, &mut root, given.input, &mut faults);
    params::fill(&mut root, &mut faults);
    let start = Span { source: file, start: 0, end: 0 };
    Pass { sources: &sources, file: start, faults: &mut faults }.table(
        &root,
        &keys::FILE,
        keys::FILE.what,
        Some(start),
    );
    Ok(lower(given, sources, file, &root, faults))
}

/// Parses TOML; none if it is so wrong that the rest would be guesswork.
fn toml(file: SourceId, text: &str, faults: &mut Vec<Fault>) -> Option<Table> {
    let (parsed, errors) = DeTable::parse_recoverable(text);
    let mut fatal = false;
    for error in errors {
        let at = error.span().unwrap_or(0..0);
        let place = Span { source: file, start: at.start, end: at.end };
        let (what, expected) = error.message().split_once(", expected ").unwrap_or((error.message(), ""));
        if what == "duplicate key" {
            let key = text.get(at).unwrap_or_default();
            faults.push(Fault::at("duplicate-key", place, format!("`{key}` is there twice")).label("the second one"));
        } else {
            fatal = true;
            let mut fault = Fault::at("syntax", place, format!("this is not TOML: {what}"));
            if !expected.is_empty() {
                fault.label = format!("expected {expected}");
            }
            // A slip confuses the parser until the end of the line: the first complaint is the one that helps.
            let line = |span: Span| text[..span.start.min(text.len())].matches('\n').count();
            let seen = faults
                .iter()
                .any(|seen| seen.code == "syntax" && seen.place.is_some_and(|seen| line(seen) == line(place)));
            if !seen {
                faults.push(fault);
            }
        }
    }
    let mut number_faults = Vec::new();
    let table = tree::table(file, 0, parsed.get_ref(), &mut number_faults);
    if fatal {
        return None;
    }
    faults.append(&mut number_faults);
    Some(table)
}

fn lower(given: &Text<'_>, sources: Sources, file: SourceId, root: &Table, mut faults: Vec<Fault>) -> Draft {
    let pipeline = Fields::of(root.get("pipeline"), "pipeline");
    let named = |key: &str| root.get(key).and_then(Node::as_table).map(|table| table.0.as_slice()).unwrap_or_default();
    let mut plugins_missing = false;
    let mut plugins = Vec::new();
    for (alias, node) in named("plugins") {
        match plugin(given.folder, alias, node) {
            Some(entry) if alias.text != "bundled" => plugins.push(entry),
            _ => plugins_missing = true,
        }
    }
    // As below: a service that only the command line speaks of is a slip of the pen.
    let services = |key: &str| {
        let there = |(name, node): &&(Key, Node)| {
            name.span.source == file
                || node.as_table().is_some_and(|service| service.get("use").or(service.get("tiers")).is_some())
        };
        named(key).iter().filter(there).map(|(name, node)| (name, node))
    };
    let mut stages = Vec::new();
    for (name, node) in named("stages") {
        // The pass over shapes has reported these.
        let slip = name.span.source != file && node.as_table().is_some_and(|stage| stage.get("use").is_none());
        let reserved = name.text == "input" || name.text == "each";
        if !slip && !reserved && node.as_table().is_some() {
            stages.push(stage(name, node));
        }
    }
    Draft {
        folder: given.folder.to_owned(),
        name: pipeline.text("name").map(|name| name.value).unwrap_or_default(),
        description: pipeline.text("description").map(|text| text.value),
        seed: pipeline.integer("seed").unwrap_or_default(),
        max_in_flight: pipeline.integer("max_in_flight").unwrap_or_default() as usize,
        sandbox_memory: pipeline
            .size("sandbox_memory")
            .zip(pipeline.get("sandbox_memory"))
            .map(|(value, node)| Spanned { value, span: node.span }),
        tensor_storage: pipeline.size("tensor_storage"),
        plugins,
        plugins_missing,
        signers: trust::signers(root.get("trust"), &mut faults),
        input: root.get("input").map(|node| InputDraft { source: input(given, &sources, node, &mut faults) }),
        output: output(root.get("output")),
        models: services("model").map(|(name, node)| service_draft::model(given.folder, name, node)).collect(),
        caches: services("cache").map(|(name, node)| service_draft::cache(name, node)).collect(),
        stages,
        search: root
            .entry("search")
            .filter(|(_, node)| node.as_table().is_some())
            .map(|(key, node)| search_draft::search(key.span, node)),
        tests: test_draft::tests(root.get("tests"), &mut faults),
        sources,
        faults,
    }
}

fn plugin(folder: &Path, alias: &Key, node: &Node) -> Option<PluginEntry> {
    let fields = Fields::of(Some(node), "plugins");
    let path = fields.text("path")?;
    Some(PluginEntry {
        alias: alias.text.clone(),
        path: folder.join(&path.value),
        allow_native: fields.flag("allow_native").unwrap_or_default(),
        sha256: fields.text("sha256").and_then(|digits| Digest::parse(&digits.value)),
        dependencies: dependencies(fields.get("dependencies")),
        granted_now: Vec::new(),
        grants: fields.texts("grant").iter().filter_map(|grant| Grant::parse(&grant.value, folder).ok()).collect(),
        span: path.span,
    })
}

fn dependencies(node: Option<&Node>) -> BTreeMap<String, Digest> {
    let Some(Node { value: Value::Table(table), .. }) = node else { return BTreeMap::new() };
    let pin = |(name, digest): &(Key, Node)| Some((name.text.clone(), Digest::parse(digest.as_str()?)?));
    table.0.iter().filter_map(pin).collect()
}

fn input(given: &Text<'_>, sources: &Sources, node: &Node, faults: &mut Vec<Fault>) -> Option<ItemSource> {
    let fields = Fields::of(Some(node), "input");
    let id = fields.text("id");
    let patterns = fields.texts("path").into_iter().map(|pattern| {
        if pattern.value.len() > LONGEST_PATTERN {
            let message = format!("the glob pattern has {} bytes, more than any path", pattern.value.len());
            faults.push(Fault::at("bad-glob", pattern.span, message));
        } else if let Err(error) = glob::Pattern::new(&pattern.value) {
            let message = format!("`{}` is not a glob pattern", pattern.value);
            faults.push(Fault::at("bad-glob", pattern.span, message).label(error.msg.to_lowercase()));
        }
        let named_here = sources.get(pattern.span.source).name == overrides::INPUT;
        let base = if named_here { given.current } else { given.folder };
        absolute_pattern(base, &pattern.value)
    });
    let patterns: Vec<String> = patterns.collect();
    let max_item_size = fields.size("max_item_size").unwrap_or(max_item_size());
    match fields.text("use")?.value.as_str() {
        "files" => Some(ItemSource::Files { patterns, max_item_size }),
        "jsonl" => Some(ItemSource::Jsonl { patterns, id: id.map(|id| id.value), max_item_size }),
        "json" => {
            let item_keys = fields.texts("item_keys").into_iter().map(|key| key.value).collect();
            Some(ItemSource::Json { patterns, item_keys, id: id.map(|id| id.value), max_item_size })
        }
        "csv" => {
            let delimiter = fields.text("delimiter").and_then(|text| text.value.bytes().next()).unwrap_or(b',');
            Some(ItemSource::Csv { patterns, id: id.map(|id| id.value), delimiter, max_item_size })
        }
        "inline" => {
            let Some(Node { value: Value::List(list), .. }) = fields.get("items") else { return None };
            Some(ItemSource::Inline { items: list.iter().map(|item| item.to_json(faults)).collect(), id })
        }
        "trials" => fields.integer("count").map(|count| ItemSource::Trials { count }),
        _ => None,
    }
}

/// The most bytes of a glob pattern: those of a path.
const LONGEST_PATTERN: usize = 4096;

/// The pattern under a folder, whose own name is taken as it is. So is that of a file or folder that is there, whatever
/// brackets it has.
fn absolute_pattern(base: &Path, pattern: &str) -> String {
    let named = base.join(pattern);
    if pattern.contains('[') && (named.is_file() || named.is_dir()) {
        return glob::Pattern::escape(&named.to_string_lossy());
    }
    if Path::new(pattern).is_absolute() {
        return pattern.to_owned();
    }
    PathBuf::from(glob::Pattern::escape(&base.to_string_lossy())).join(pattern).to_string_lossy().into_owned()
}

fn output(node: Option<&Node>) -> OutputDraft {
    let fields = Fields::of(node, "output");
    let wires = |key: &str| {
        let table = fields.get(key).and_then(Node::as_table);
        table.into_iter().flat_map(|table| &table.0).map(|(name, node)| (name.clone(), wire_ref(node))).collect()
    };
    OutputDraft {
        item_files: fields.flag("item_files"),
        files: wires("files"),
        merged: wires("merged"),
        show: wires("show"),
    }
}

fn stage(name: &Key, node: &Node) -> StageDraft {
    let fields = Fields::of(Some(node), "stages");
    let retry = Fields { table: fields.get("retry").and_then(Node::as_table), spec: &keys::RETRY };
    let limits = Fields { table: fields.get("limits").and_then(Node::as_table), spec: &keys::LIMITS };
    let route = fields.entry("route").filter(|(_, node)| node.as_table().is_some());
    let route = route.map(|(key, node)| route_draft::route(key.span, node));
    let asks = fields.get("model").is_some() || route.as_ref().is_some_and(|route| !route.models.is_empty());
    StageDraft {
        name: name.clone(),
        uses: fields.text("use").filter(|reference| !reference.value.is_empty()),
        kind: fields.text("kind").and_then(|kind| Kind::from_name(&kind.value)),
        input: fields.entry("in").map(|(key, node)| (key.span, expr(node))),
        with: fields
            .entry("with")
            .filter(|(_, node)| node.as_table().is_some())
            .map(|(key, node)| (key.span, node.clone())),
        for_each: fields.get("for_each").map(wire_ref),
        repeat: fields.integer("repeat").map(|count| count as u32),
        policy: Policy {
            timeout: fields.duration("timeout"),
            attempts: retry.integer("attempts").unwrap_or(1) as u32,
            backoff: retry.duration("backoff").unwrap_or_default(),
            on_error: on_error(fields.text("on_error").as_ref().map(|text| text.value.as_str())),
            concurrency: fields.integer("concurrency").map(|count| count as u32),
            batch: fields.integer("batch").unwrap_or(if asks { 1 } else { 64 }) as u32,
        },
        limits: limits.limits(),
        memory_at: limits.get("memory").map(|node| node.span),
        model: fields.text("model"),
        cache: fields.text("cache"),
        store: fields.text("store"),
        deferred: fields.flag("deferred").unwrap_or_default(),
        route,
        export: fields.entry("export").filter(|_| fields.flag("export") == Some(true)).map(|(key, _)| key.span),
    }
}

pub(super) fn expr(node: &Node) -> Expr {
    match &node.value {
        Value::String(_) => Expr::Wire(wire_ref(node)),
        Value::List(list) => Expr::List(list.iter().map(expr).collect(), node.span),
        Value::Table(table) => {
            Expr::Table(table.0.iter().map(|(key, node)| (key.clone(), expr(node))).collect(), node.span)
        }
        _ => Expr::Bad,
    }
}

pub(super) fn wire_ref(node: &Node) -> WireRef {
    let raw = node.as_str().unwrap_or_default().to_owned();
    WireRef { text: node.as_str().and_then(|text| wire::parse(text).ok()), raw, span: node.span }
}

/// Typed access to a table whose shape is checked: what is wrong is as good as absent, and what is absent has its default.
pub(super) struct Fields<'a> {
    pub(super) table: Option<&'a Table>,
    pub(super) spec: &'static keys::Table,
}

impl<'a> Fields<'a> {
    /// The fields of a table of the file; `key` is its name there.
    fn of(node: Option<&'a Node>, key: &str) -> Self {
        let spec = match keys::FILE.key(key).map(|key| key.shape) {
            Some(Shape::Table(spec)) => spec,
            Some(Shape::Map { of: Shape::Table(spec), .. }) => *spec,
            _ => unreachable!("`{key}` is a table of the file"),
        };
        Self { table: node.and_then(Node::as_table), spec }
    }

    pub(super) fn entry(&self, key: &str) -> Option<&'a (Key, Node)> {
        debug_assert!(self.spec.key(key).is_some(), "{} has no key `{key}`", self.spec.what);
        self.table?.entry(key)
    }

    pub(super) fn get(&self, key: &str) -> Option<&'a Node> {
        self.entry(key).map(|(_, node)| node)
    }

    fn default(&self, key: &str) -> Option<&'static str> {
        self.spec.key(key)?.default.map(|default| default.trim_matches('"'))
    }

    pub(super) fn text(&self, key: &str) -> Option<Spanned<String>> {
        let node = self.get(key)?;
        Some(Spanned { value: node.as_str()?.to_owned(), span: node.span })
    }

    pub(super) fn texts(&self, key: &str) -> Vec<Spanned<String>> {
        let nodes = match self.get(key) {
            Some(Node { value: Value::List(list), .. }) => list.iter().collect(),
            node => Vec::from_iter(node),
        };
        let text = |node: &Node| Some(Spanned { value: node.as_str()?.to_owned(), span: node.span });
        nodes.into_iter().filter_map(text).collect()
    }

    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        match self.get(key) {
            Some(Node { value: Value::Boolean(value), .. }) => Some(*value),
            _ => self.default(key).map(|default| default == "true"),
        }
    }

    pub(super) fn integer(&self, key: &str) -> Option<u64> {
        match self.get(key) {
            Some(Node { value: Value::Integer(value), .. }) => u64::try_from(*value).ok(),
            _ => self.default(key).and_then(|default| default.parse().ok()),
        }
    }

    pub(super) fn duration(&self, key: &str) -> Option<Duration> {
        let text = self.get(key).and_then(Node::as_str).or(self.default(key))?;
        values::duration(text).ok()
    }

    /// Limits, where this is the table of that name.
    pub(super) fn limits(&self) -> Limits {
        self.limits_or(Limits::default())
    }

    /// Limits, where this is the table of that name, with these for what it does not say.
    pub(super) fn limits_or(&self, usual: Limits) -> Limits {
        let knows = |key: &str| self.spec.keys.iter().any(|known| known.name == key);
        Limits {
            memory: self.size("memory").unwrap_or(usual.memory),
            time: self.duration("time").unwrap_or(usual.time),
            fuel: self.integer("fuel").or(usual.fuel),
            host_calls: self.integer("host_calls").unwrap_or(usual.host_calls),
            output: self.size("output").unwrap_or(usual.output),
            wall: self.duration("wall").unwrap_or(usual.wall),
            tensors: Some("tensors").filter(|key| knows(key)).and_then(|key| self.size(key)).unwrap_or(usual.tensors),
            scratch: self.size("scratch").unwrap_or(usual.scratch),
            traps: self.integer("traps").map_or(usual.traps, |traps| traps as u32),
        }
    }

    fn size(&self, key: &str) -> Option<u64> {
        match self.get(key)? {
            Node { value: Value::Integer(value), .. } => u64::try_from(*value).ok(),
            node => values::size(node.as_str()?).ok(),
        }
    }
}

//! The shapes of tensors by reference, held to what an extension's schemas say of them by `x-tensor`: those of an input
//! before the call, those of the answer after it. What is called the same has the same length in both.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write as _,
};

use jackfield_loader::{Dimension, TensorShape, X_TENSOR, escape_untrusted};
use jackfield_plugin_api::{Descriptor, Document};
use serde_json::{Map, Value};

/// Subschemas that hold for one value are not followed further than this: references can go round in circles.
const DEEPEST: usize = 32;
/// The most subschemas that are looked at for one value: a stranger's schema may take long to follow.
const MOST_STEPS: u64 = 20_000_000;
/// The most characters of a path that are told.
const LONGEST_PATH: usize = 200;

/// What the schemas of an extension say of shapes.
pub(super) struct TensorShapes {
    input: Option<Outline>,
    output: Option<Outline>,
}

/// Lengths that names stand for, each with where the first tensor stands that says so.
#[derive(Clone, Debug, Default)]
pub(super) struct Lengths(Vec<(String, u64, String)>);

impl TensorShapes {
    /// What the schemas say; none if they say nothing, so that nothing is to be done for any document.
    pub(super) fn of(descriptor: &Descriptor) -> Option<Self> {
        let (input, output) = (Outline::of(&descriptor.input), Outline::of(&descriptor.output));
        (input.is_some() || output.is_some()).then_some(Self { input, output })
    }

    /// Holds an input to its shapes.
    ///
    /// # Errors
    /// Which tensor does not fit, and why.
    pub(super) fn check_input(&self, document: &Document) -> Result<Lengths, String> {
        check(self.input.as_ref(), document, Lengths::default())
    }

    /// Holds an answer to its shapes, and to the lengths of its input.
    ///
    /// # Errors
    /// Which tensor does not fit, and why.
    pub(super) fn check_output(&self, document: &Document, lengths: Lengths) -> Result<(), String> {
        check(self.output.as_ref(), document, lengths).map(drop)
    }
}

fn check(outline: Option<&Outline>, document: &Document, lengths: Lengths) -> Result<Lengths, String> {
    let Some(outline) = outline else { return Ok(lengths) };
    // What is not JSON is reported elsewhere.
    let Ok(value) = serde_json::from_str::<Value>(&document.json) else { return Ok(lengths) };
    let mut walk = Walk { outline, lengths, path: String::new(), steps: 0 };
    walk.value(0, &value, 0)?;
    Ok(walk.lengths)
}

/// The parts of a schema that lead to tensors.
struct Outline(Vec<Node>);

/// A subschema.
#[derive(Default)]
struct Node {
    tensor: Option<TensorShape>,
    /// The types of JSON that it takes; none for any.
    types: Option<Vec<String>>,
    required: Vec<String>,
    /// The values that fields may have, where they are listed: what tells alternatives apart.
    listed: Vec<(String, Vec<Value>)>,
    /// In an order that does not change: which of several faults is told depends on it.
    properties: BTreeMap<String, usize>,
    other_properties: Option<usize>,
    prefix: Vec<usize>,
    items: Option<usize>,
    /// All of these hold as well.
    all: Vec<usize>,
    /// One at least of each of these holds as well.
    any: Vec<Vec<usize>>,
    /// Whether there are tensors in it, at any depth.
    leads: bool,
}

impl Outline {
    fn of(schema: &Value) -> Option<Self> {
        let mut builder = Builder { root: schema, known: HashMap::new(), open: Vec::new(), nodes: Vec::new() };
        builder.node(schema);
        while let Some((index, schema)) = builder.open.pop() {
            builder.nodes[index] = builder.read(schema);
        }
        let mut outline = Self(builder.nodes);
        outline.find_leads();
        outline.0[0].leads.then_some(outline)
    }

    /// Marks the subschemas that lead to a tensor, from the tensors upwards.
    fn find_leads(&mut self) {
        let mut above: Vec<Vec<usize>> = vec![Vec::new(); self.0.len()];
        for (index, node) in self.0.iter().enumerate() {
            node.below().for_each(|below| above[below].push(index));
        }
        let mut open: Vec<usize> = (0..self.0.len()).filter(|index| self.0[*index].tensor.is_some()).collect();
        while let Some(index) = open.pop() {
            if !std::mem::replace(&mut self.0[index].leads, true) {
                open.extend(&above[index]);
            }
        }
    }
}

impl Node {
    fn below(&self) -> impl Iterator<Item = usize> {
        let fields = self.properties.values().chain(&self.other_properties);
        let elements = self.prefix.iter().chain(&self.items);
        fields.chain(elements).chain(&self.all).chain(self.any.iter().flatten()).copied()
    }

    fn takes_type_of(&self, value: &Value) -> bool {
        let name = type_name(value);
        let takes = |ty: &String| ty == name || (ty == "integer" && name == "number");
        self.types.as_ref().is_none_or(|types| types.iter().any(takes))
    }
}

/// The name of a value's type in a schema.
fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Reads a schema, each subschema once.
struct Builder<'a> {
    root: &'a Value,
    known: HashMap<*const Value, usize>,
    open: Vec<(usize, &'a Value)>,
    nodes: Vec<Node>,
}

impl<'a> Builder<'a> {
    /// The place of a subschema, which is read in its turn.
    fn node(&mut self, schema: &'a Value) -> usize {
        let index = *self.known.entry(std::ptr::from_ref(schema)).or_insert(self.nodes.len());
        if index == self.nodes.len() {
            self.nodes.push(Node::default());
            self.open.push((index, schema));
        }
        index
    }

    fn nodes(&mut self, list: Option<&'a Value>) -> Vec<usize> {
        list.and_then(Value::as_array).into_iter().flatten().map(|schema| self.node(schema)).collect()
    }

    fn read(&mut self, schema: &'a Value) -> Node {
        let Some(schema) = schema.as_object() else { return Node::default() };
        let texts = |list: &Value| -> Vec<String> {
            list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let mut node = Node {
            tensor: schema.get(X_TENSOR).and_then(|keyword| TensorShape::read(keyword).ok()),
            types: match schema.get("type") {
                Some(Value::String(name)) => Some(vec![name.clone()]),
                Some(list @ Value::Array(_)) => Some(texts(list)),
                _ => None,
            },
            required: schema.get("required").map(texts).unwrap_or_default(),
            ..Node::default()
        };
        for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            if let Some(values) = listed(property) {
                node.listed.push((name.clone(), values));
            }
            node.properties.insert(name.clone(), self.node(property));
        }
        let others = schema.get("additionalProperties").or_else(|| schema.get("unevaluatedProperties"));
        node.other_properties = others.map(|others| self.node(others));
        node.prefix = self.nodes(schema.get("prefixItems"));
        node.items = schema.get("items").map(|items| self.node(items));
        node.all = self.nodes(schema.get("allOf"));
        let reference = schema.get("$ref").and_then(Value::as_str).and_then(|to| to.strip_prefix('#'));
        if let Some(target) = reference.and_then(|to| self.root.pointer(to)) {
            let target = self.node(target);
            node.all.push(target);
        }
        for keyword in ["anyOf", "oneOf"] {
            let choices = self.nodes(schema.get(keyword));
            if !choices.is_empty() {
                node.any.push(choices);
            }
        }
        node
    }
}

/// The values that a schema lists.
fn listed(schema: &Value) -> Option<Vec<Value>> {
    match (schema.get("const"), schema.get("enum")) {
        (Some(value), _) => Some(vec![value.clone()]),
        (None, Some(Value::Array(values))) => Some(values.clone()),
        _ => None,
    }
}

/// The way through a value.
struct Walk<'a> {
    outline: &'a Outline,
    lengths: Lengths,
    /// Where in the document, such as `.sets[2].positive`.
    path: String,
    steps: u64,
}

impl Walk<'_> {
    fn value(&mut self, index: usize, value: &Value, depth: usize) -> Result<(), String> {
        let outline = self.outline;
        let node = &outline.0[index];
        if !node.leads || depth > DEEPEST {
            return Ok(());
        }
        if self.is_too_long() {
            return Err("its schema takes too long to follow".to_owned());
        }
        if let Some(wanted) = &node.tensor {
            match reference_shape(value) {
                Some(found) => self.tensor(wanted, &found)?,
                // What may be something else is looked at further down.
                None if node.types.as_deref().is_some_and(|types| types == ["object"]) => {
                    return Err(format!("{} is not a tensor by reference, where a {wanted} belongs", self.place()));
                }
                None => {}
            }
        }
        match value {
            Value::Object(map) => self.fields(node, map)?,
            Value::Array(list) => {
                for (place, element) in list.iter().enumerate() {
                    if let Some(below) = node.prefix.get(place).copied().or(node.items)
                        && outline.0[below].leads
                    {
                        self.under(below, element, |path| write!(path, "[{place}]"))?;
                    }
                }
            }
            _ => {}
        }
        for also in &node.all {
            self.value(*also, value, depth + 1)?;
        }
        node.any.iter().try_for_each(|choices| self.any(choices, value, depth + 1))
    }

    fn fields(&mut self, node: &Node, map: &Map<String, Value>) -> Result<(), String> {
        for (name, below) in &node.properties {
            if let Some(value) = map.get(name) {
                self.under(*below, value, |path| write!(path, ".{name}"))?;
            }
        }
        if let Some(others) = node.other_properties.filter(|others| self.outline.0[*others].leads) {
            for (name, value) in map.iter().filter(|(name, _)| !node.properties.contains_key(*name)) {
                self.under(others, value, |path| write!(path, ".{name}"))?;
            }
        }
        Ok(())
    }

    fn under(
        &mut self,
        below: usize,
        value: &Value,
        step: impl FnOnce(&mut String) -> std::fmt::Result,
    ) -> Result<(), String> {
        let length = self.path.len();
        // Writing to a text cannot fail.
        let _ = step(&mut self.path);
        self.value(below, value, 0)?;
        self.path.truncate(length);
        Ok(())
    }

    /// Any of the alternatives that the value can be meant by: the first that it fits.
    fn any(&mut self, choices: &[usize], value: &Value, depth: usize) -> Result<(), String> {
        let mut first = None;
        for choice in choices {
            if !self.is_meant(*choice, value, depth) {
                continue;
            }
            let (lengths, path) = (self.lengths.clone(), self.path.len());
            match self.value(*choice, value, depth) {
                Ok(()) => return Ok(()),
                Err(why) => {
                    self.lengths = lengths;
                    self.path.truncate(path);
                    first = first.or(Some(why));
                }
            }
        }
        first.map_or(Ok(()), Err)
    }

    fn is_too_long(&mut self) -> bool {
        self.steps += 1;
        self.steps > MOST_STEPS
    }

    /// Whether a value has the type, the fields and the marks of an alternative.
    fn is_meant(&mut self, index: usize, value: &Value, depth: usize) -> bool {
        let outline = self.outline;
        let node = &outline.0[index];
        let has_fields = value.as_object().is_none_or(|map| {
            node.required.iter().all(|name| map.contains_key(name))
                && node.listed.iter().all(|(name, values)| map.get(name).is_none_or(|value| values.contains(value)))
        });
        depth > DEEPEST
            || self.is_too_long()
            || (node.takes_type_of(value)
                && has_fields
                && node.all.iter().all(|also| self.is_meant(*also, value, depth + 1)))
    }

    fn tensor(&mut self, wanted: &TensorShape, found: &[u64]) -> Result<(), String> {
        let Some(dimensions) = &wanted.0 else { return Ok(()) };
        let wrong = |why: String| Err(format!("{} is a tensor of shape {found:?}, not {wanted}{why}", self.place()));
        if dimensions.len() != found.len() {
            return wrong(String::new());
        }
        let mut named = Vec::new();
        for (dimension, length) in dimensions.iter().zip(found) {
            match dimension {
                Dimension::Any => {}
                Dimension::Length(wanted) if wanted == length => {}
                Dimension::Length(_) => return wrong(String::new()),
                Dimension::Name(name) => {
                    let known = self.lengths.0.iter().chain(&named).find(|(known, ..)| known == name);
                    match known {
                        Some((_, known, _)) if known == length => {}
                        Some((_, known, place)) => {
                            return wrong(format!(": `{name}` is {known}, as in {place}"));
                        }
                        None => named.push((name.clone(), *length, self.place())),
                    }
                }
            }
        }
        self.lengths.0.append(&mut named);
        Ok(())
    }

    fn place(&self) -> String {
        match self.path.trim_start_matches('.') {
            "" => "the document".to_owned(),
            path => {
                let path: String = path.chars().take(LONGEST_PATH).collect();
                format!("`{}`", escape_untrusted(&path))
            }
        }
    }
}

/// The shape of a tensor by reference; none for any other value.
fn reference_shape(value: &Value) -> Option<Vec<u64>> {
    value.get("$tensor")?.as_str()?;
    value.get("shape")?.as_array()?.iter().map(Value::as_u64).collect()
}

#[cfg(test)]
mod tests {
    use jackfield_plugin_api::{ContrastSet, Directions, FromDocument, IntoDocument, Kind, Stability};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn descriptor(input: Value, output: Value) -> Descriptor {
        Descriptor {
            kind: Kind::Analyzer,
            name: "mine".to_owned(),
            version: "1.0.0".to_owned(),
            summary: String::new(),
            config: json!({}),
            input,
            output,
            permissions: Vec::new(),
            examples: Vec::new(),
            stability: Stability::Experimental,
        }
    }

    fn extractor() -> TensorShapes {
        let output = <Directions as IntoDocument>::schema();
        TensorShapes::of(&descriptor(<ContrastSet as FromDocument>::schema(), output)).expect("shapes")
    }

    fn tensor(shape: &[u64]) -> Value {
        json!({ "$tensor": "0".repeat(64), "shape": shape, "dtype": "f32" })
    }

    fn document(value: &Value) -> Document {
        Document::new(value.to_string())
    }

    /// What is said of an input to this schema.
    fn told(schema: &Value, input: &Value) -> Option<String> {
        let shapes = TensorShapes::of(&descriptor(schema.clone(), json!(true))).expect("shapes");
        shapes.check_input(&document(input)).err()
    }

    #[test]
    fn schemas_without_tensors_cost_nothing() {
        let text = json!({ "type": "object", "properties": { "x-tensor": { "type": "string" } } });
        assert!(TensorShapes::of(&descriptor(text.clone(), json!(true))).is_none());
        let answers_one = TensorShapes::of(&descriptor(text, json!({ "x-tensor": {} }))).expect("shapes");
        assert!(answers_one.input.is_none());
    }

    #[test]
    fn names_have_one_length_throughout_an_input_and_the_answer_to_it() {
        let shapes = extractor();
        let input = |positive: &[u64], negative: &[u64]| {
            shapes.check_input(&document(&json!({ "positive": tensor(positive), "negative": tensor(negative) })))
        };
        let lengths = input(&[10, 3, 32], &[8, 3, 32]).expect("they fit");
        let answer = |shape: &[u64]| {
            shapes.check_output(&document(&json!({ "directions": tensor(shape), "layers": [] })), lengths.clone())
        };
        assert_eq!(answer(&[3, 32]), Ok(()));
        let refused = [
            input(&[3, 32], &[8, 3, 32]).map(drop),
            input(&[10, 3, 32], &[8, 4, 32]).map(drop),
            answer(&[32]),
            answer(&[3, 31]),
        ];
        let refused: Vec<String> = refused.into_iter().map(|told| told.expect_err("it does not fit")).collect();
        insta::assert_snapshot!(refused.join("\n"), @r"
        `positive` is a tensor of shape [3, 32], not tensor[positive_prompts, layers, d]
        `positive` is a tensor of shape [10, 3, 32], not tensor[positive_prompts, layers, d]: `layers` is 4, as in `negative`
        `directions` is a tensor of shape [32], not tensor[layers, d]
        `directions` is a tensor of shape [3, 31], not tensor[layers, d]: `d` is 32, as in `negative`
        ");
    }

    #[test]
    fn what_is_no_reference_is_told_where_one_belongs() {
        let input = |positive: Value| {
            let input = document(&json!({ "positive": positive, "negative": tensor(&[1, 1, 1]) }));
            extractor().check_input(&input).err()
        };
        for positive in [json!([[1.0]]), json!("x"), json!({}), json!({ "$tensor": 1, "shape": [] }), json!(null)] {
            let told = input(positive).expect("no reference");
            let expected =
                "`positive` is not a tensor by reference, where a tensor[positive_prompts, layers, d] belongs";
            assert_eq!(told, expected);
        }
        // A field that is not there is told by whoever reads it.
        assert!(extractor().check_input(&document(&json!({}))).is_ok());
        assert!(extractor().check_input(&Document::new("no JSON")).is_ok());
    }

    #[test]
    fn tensors_are_found_wherever_they_are() {
        let pair = json!({ "type": "object", "x-tensor": { "shape": ["n", 2] } });
        let deep = json!({
            "properties": {
                "list": { "items": { "$ref": "#/$defs/Pair" } },
                "first": { "prefixItems": [true, { "$ref": "#/$defs/Pair" }], "items": false },
                "all": { "allOf": [true, { "$ref": "#/$defs/Pair" }] },
                "tree": { "$ref": "#/$defs/Tree" },
            },
            "additionalProperties": { "$ref": "#/$defs/Pair" },
            "$defs": { "Pair": pair, "Tree": {
                "properties": { "own": { "$ref": "#/$defs/Pair" }, "below": { "items": { "$ref": "#/$defs/Tree" } } }
            } },
        });
        let (good, bad) = (tensor(&[5, 2]), tensor(&[5, 3]));
        for (at, place) in [
            (json!({ "list": [good, bad] }), "`list[1]`"),
            (json!({ "first": [bad, bad] }), "`first[1]`"),
            (json!({ "all": bad }), "`all`"),
            (
                json!({ "tree": { "own": good, "below": [{}, { "below": [{ "own": bad }] }] } }),
                "`tree.below[1].below[0].own`",
            ),
            (json!({ "other": bad }), "`other`"),
        ] {
            let found = told(&deep, &at).unwrap_or_else(|| panic!("{at}"));
            assert_eq!(found, format!("{place} is a tensor of shape [5, 3], not tensor[n, 2]"));
        }
        let found = told(&deep, &json!({ "list": [good, tensor(&[6, 2])] })).expect("two lengths");
        assert_eq!(found, "`list[1]` is a tensor of shape [6, 2], not tensor[n, 2]: `n` is 5, as in `list[0]`");
        assert_eq!(told(&deep, &json!({ "list": [good, good], "other": good, "first": [bad] })), None);
    }

    #[test]
    fn an_alternative_that_fits_is_enough() {
        let of = |shape: Value| json!({ "type": "object", "x-tensor": { "shape": shape } });
        let marked = |kind: &str, shape: Value| json!({ "type": "object", "required": ["kind"], "properties": { "kind": { "const": kind }, "at": of(shape) } });
        let schema = json!({ "properties": {
            "either": { "anyOf": [of(json!(["a"])), of(json!(["a", "b"])), { "type": "null" }, { "type": "string" }] },
            "marked": { "oneOf": [marked("row", json!(["d"])), marked("rows", json!(["n", "d"]))] },
            "perhaps": { "type": ["object", "null"], "x-tensor": { "shape": [3] } },
        } });
        for fine in [
            json!({ "either": tensor(&[4]) }),
            json!({ "either": tensor(&[4, 5]) }),
            json!({ "either": null, "perhaps": null }),
            json!({ "either": "none" }),
            json!({ "marked": { "kind": "rows", "at": tensor(&[2, 3]) } }),
        ] {
            assert_eq!(told(&schema, &fine), None, "{fine}");
        }
        for (bad, expected) in [
            (json!({ "either": tensor(&[1, 2, 3]) }), "`either` is a tensor of shape [1, 2, 3], not tensor[a]"),
            (
                json!({ "marked": { "kind": "row", "at": tensor(&[2, 3]) } }),
                "`marked.at` is a tensor of shape [2, 3], not tensor[d]",
            ),
            (json!({ "perhaps": tensor(&[4]) }), "`perhaps` is a tensor of shape [4], not tensor[3]"),
        ] {
            assert_eq!(told(&schema, &bad).as_deref(), Some(expected));
        }
    }

    #[test]
    fn names_of_fields_do_not_reach_a_terminal_as_they_are() {
        let schema = json!({ "additionalProperties": { "type": "object", "x-tensor": { "shape": ["d"] } } });
        let found = told(&schema, &json!({ "\u{1b}[31m": tensor(&[1, 1]) })).expect("two dimensions");
        assert!(!found.contains('\u{1b}'), "{found:?}");
    }

    #[test]
    fn schemas_that_go_in_circles_come_to_an_end() {
        let circle =
            json!({ "$ref": "#", "allOf": [{ "$ref": "#" }, { "$ref": "#" }], "x-tensor": { "shape": ["d"] } });
        assert!(told(&circle, &tensor(&[1])).is_none_or(|told| told.contains("too long")));
        let chain = (0..50_000).map(|n| (n.to_string(), json!({ "$ref": format!("#/$defs/{}", n + 1) })));
        let chain = json!({ "$ref": "#/$defs/0", "x-tensor": {}, "$defs": chain.collect::<Map<_, _>>() });
        assert_eq!(told(&chain, &tensor(&[1])), None);
    }

    proptest! {
        /// Whatever the shapes are, those of an extractor's documents are taken if and only if they agree.
        #[test]
        fn agreement_is_all_that_is_asked(shapes in prop::collection::vec(prop::collection::vec(1_u64..3, 1..4), 3)) {
            let [positive, negative, directions] = [&shapes[0], &shapes[1], &shapes[2]];
            let inputs = json!({ "positive": tensor(positive), "negative": tensor(negative) });
            let fits = positive.len() == 3 && negative.len() == 3 && positive[1..] == negative[1..];
            let checked = extractor().check_input(&document(&inputs));
            prop_assert_eq!(checked.is_ok(), fits);
            if let Ok(lengths) = checked {
                let answer = document(&json!({ "directions": tensor(directions) }));
                prop_assert_eq!(extractor().check_output(&answer, lengths).is_ok(), directions[..] == positive[1..]);
            }
        }
    }
}

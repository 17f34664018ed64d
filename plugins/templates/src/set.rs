//! Templates, parsed once and rendered often.

use std::{
    fmt,
    io::{self, Write},
};

use minijinja::{Environment, Error, ErrorKind, Value};
use serde_json::Map;

use crate::environment::environment;
use crate::variables::{TemplateFault, Variable, fault_of, variables};

/// The longest text that a template gives, in bytes.
const LONGEST: usize = 16 << 20;

/// Templates, each by its number.
#[derive(Clone, Debug)]
pub struct TemplateSet {
    environment: Environment<'static>,
    templates: Vec<Parsed>,
}

#[derive(Clone, Debug)]
struct Parsed {
    /// How failures call it.
    name: String,
    variables: Vec<Variable>,
}

/// The values of variables, ready to be inserted.
#[derive(Clone, Debug)]
pub struct Values(Value);

impl Values {
    /// Of these variables.
    #[must_use]
    pub fn new(values: &Map<String, serde_json::Value>) -> Self {
        Self(Value::from_serialize(values))
    }
}

/// Why a template gave no text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderError(String);

impl fmt::Display for RenderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Default for TemplateSet {
    fn default() -> Self {
        Self { environment: environment(), templates: Vec::new() }
    }
}

impl TemplateSet {
    /// Adds a template, which failures call `name`; gives back its number.
    ///
    /// # Errors
    /// What is wrong with the template.
    pub fn add(&mut self, name: &str, text: &str) -> Result<usize, TemplateFault> {
        let variables = variables(text)?;
        let number = self.templates.len();
        self.environment.add_template_owned(number.to_string(), text.to_owned()).map_err(|error| fault_of(&error))?;
        self.templates.push(Parsed { name: name.to_owned(), variables });
        Ok(number)
    }

    /// The variables that a template uses.
    #[must_use]
    pub fn variables_of(&self, number: usize) -> &[Variable] {
        self.templates.get(number).map_or(&[], |template| &template.variables)
    }

    /// The variables that any of the templates uses.
    pub fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.templates.iter().flat_map(|template| &template.variables)
    }

    /// What a template gives with these values.
    ///
    /// # Errors
    /// A variable that is not there, or a text without end.
    pub fn render(&self, number: usize, values: &Values) -> Result<String, RenderError> {
        let mut text = Bounded(Vec::new());
        let template = self.environment.get_template(&number.to_string());
        let rendered = template.and_then(|template| template.render_captured_to(&values.0, &mut text).map(drop));
        match rendered {
            Ok(()) => String::from_utf8(text.0).map_err(|error| RenderError(error.to_string())),
            Err(error) => Err(self.failure(number, &error, values, text.0.len())),
        }
    }

    fn failure(&self, number: usize, error: &Error, values: &Values, length: usize) -> RenderError {
        let name = self.templates.get(number).map_or("", |template| &template.name);
        let line = error.line().map_or_else(String::new, |line| format!(", line {line}"));
        let absent = || self.variables_of(number).iter().find(|variable| is_absent(&values.0, variable));
        let what = match error.kind() {
            ErrorKind::UndefinedError => match absent() {
                Some(variable) => format!("`{}` is not there", variable.path.join(".")),
                None => "a value is not there".to_owned(),
            },
            ErrorKind::OutOfFuel => "it takes too many steps".to_owned(),
            ErrorKind::WriteFailure if length >= LONGEST / 2 => {
                format!("its text is longer than {} MiB", LONGEST >> 20)
            }
            kind => error.detail().map_or_else(|| kind.to_string(), str::to_owned),
        };
        RenderError(format!("the template `{name}`{line}: {what}"))
    }
}

/// Whether a path leads to nothing in the values.
fn is_absent(values: &Value, variable: &Variable) -> bool {
    let mut value = values.clone();
    for name in &variable.path {
        match value.get_attr(name) {
            Ok(inner) if !inner.is_undefined() => value = inner,
            _ => return true,
        }
    }
    false
}

/// Takes so many bytes and no more.
struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > LONGEST {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rendered(text: &str, values: serde_json::Value) -> Result<String, String> {
        let mut set = TemplateSet::default();
        let number = set.add("user", text).map_err(|fault| fault.to_string())?;
        let values = Values::new(values.as_object().expect("an object"));
        set.render(number, &values).map_err(|error| error.to_string())
    }

    #[test]
    fn strings_are_inserted_as_they_are_and_other_values_as_json() {
        let values = json!({ "s": "<b> & \"q\" {{ no }}", "n": 3, "f": 0.5, "t": true, "z": null, "l": [1, "a"], "o": { "b": 1, "a": "x" } });
        assert_eq!(
            rendered("{{ s }} {{ n }} {{ f }} {{ t }} {{ z }} {{ l }} {{ o }} {{ o.a }}", values.clone()),
            Ok("<b> & \"q\" {{ no }} 3 0.5 true null [1,\"a\"] {\"a\":\"x\",\"b\":1} x".to_owned())
        );
        assert_eq!(rendered("{{ s | tojson }}", values.clone()), Ok("\"<b> & \\\"q\\\" {{ no }}\"".to_owned()));
        assert_eq!(rendered("{{ l | tojson(indent=2) }}", values), Ok("[\n  1,\n  \"a\"\n]".to_owned()));
    }

    #[test]
    fn lines_with_statements_alone_leave_nothing_behind() {
        let text = "Reviews:\n{% for r in rs %}\n- {{ r }}\n{% endfor %}\nEnd\n";
        assert_eq!(rendered(text, json!({ "rs": ["a", "b"] })), Ok("Reviews:\n- a\n- b\nEnd".to_owned()));
    }

    #[test]
    fn what_is_not_there_is_a_fault_but_in_conditions() {
        let fault = |text: &str, values| rendered(text, values).expect_err("a fault");
        assert_eq!(fault("a\n{{ x }}", json!({})), "the template `user`, line 2: `x` is not there");
        assert_eq!(
            fault("{{ r.a }}{{ r.b }}", json!({ "r": { "a": 1 } })),
            "the template `user`, line 1: `r.b` is not there"
        );
        assert_eq!(rendered("{% if x %}{{ x }}{% endif %}{{ y | default('-') }}", json!({})), Ok("-".to_owned()));
    }

    #[test]
    fn a_text_without_end_is_refused() {
        let long = "x".repeat(1 << 20);
        let fault = rendered("{% for i in range(20) %}{{ s }}{% endfor %}", json!({ "s": long })).expect_err("a fault");
        assert!(fault.contains("its text is longer than 16 MiB"), "{fault}");
        let list: Vec<u32> = (0..2000).collect();
        let text = "{% for i in l %}{% for j in l %}{% set k = j %}{% endfor %}{% endfor %}";
        let fault = rendered(text, json!({ "l": list })).expect_err("a fault");
        assert!(fault.contains("it takes too many steps"), "{fault}");
    }
}

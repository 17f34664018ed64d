//! What a template uses, and what is wrong with it.

use std::ops::Range;

use minijinja::{Environment, Error, ErrorKind, Value};

use crate::{
    environment::environment,
    places::{Role, Word, words},
};

/// Statements that need other templates.
const OF_OTHERS: [&str; 5] = ["include", "extends", "import", "from", "block"];

/// A variable that a template uses, or a field of one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Variable {
    /// Where it is first used, in bytes of the template.
    pub start: usize,
    /// Behind it.
    pub end: usize,
    /// The name, then the fields: `review`, `text`.
    pub path: Vec<String>,
    /// Whether the template asks somewhere if it is there: in a condition, or with `default`.
    pub is_optional: bool,
}

impl Variable {
    /// The name of the variable.
    #[must_use]
    pub fn name(&self) -> &str {
        self.path.first().map_or("", String::as_str)
    }
}

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateFault {
    /// What is wrong, as a fragment in lower case.
    pub message: String,
    /// The line in the template, from 1, where it is known.
    pub line: Option<usize>,
    /// Where it is, in bytes of the template, where that is known.
    pub range: Option<Range<usize>>,
}

impl std::fmt::Display for TemplateFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// The variables that a template uses and does not set itself, in the order of their first use; each field of one apart.
///
/// # Errors
/// What is wrong with the template.
pub fn variables(text: &str) -> Result<Vec<Variable>, TemplateFault> {
    let environment = environment();
    let template = environment.template_from_str(text).map_err(|error| fault_of(&error))?;
    let words = words(text);
    if let Some(fault) = words.iter().find_map(|word| unknown_word(&environment, text, word)) {
        return Err(fault);
    }
    let is_global = |name: &str| environment.globals().any(|(global, _)| global == name);
    let mut found: Vec<Variable> = template
        .undeclared_variables(true)
        .into_iter()
        .map(|dotted| dotted.split('.').map(str::to_owned).collect::<Vec<_>>())
        .filter(|path| !is_global(&path[0]))
        .map(|path| {
            let range = place_of(&words, &path);
            let is_optional = is_asked_for(&words, &path[0]);
            Variable { start: range.start, end: range.end, path, is_optional }
        })
        .collect();
    found.sort_unstable();
    Ok(found)
}

/// The place of a path in a template: where it is used as it is, or where its name is.
fn place_of(words: &[Word<'_>], path: &[String]) -> Range<usize> {
    let is_name = |word: &&Word<'_>| word.role == Role::Name && word.path.first().is_some_and(|name| *name == path[0]);
    let exact = words
        .iter()
        .filter(is_name)
        .find(|word| word.path.iter().zip(path).filter(|(a, b)| a == b).count() == path.len());
    exact.or_else(|| words.iter().find(is_name)).map_or(0..0, |word| word.range.clone())
}

/// Whether a template asks somewhere if a variable is there.
fn is_asked_for(words: &[Word<'_>], name: &str) -> bool {
    let is_asking = |word: &Word<'_>| match word.role {
        Role::Filter => matches!(word.path.as_slice(), ["default" | "d"]),
        Role::Test => matches!(word.path.as_slice(), ["defined" | "undefined"]),
        _ => false,
    };
    words.iter().enumerate().any(|(at, word)| {
        word.role == Role::Name
            && word.path.first() == Some(&name)
            && (word.in_condition || words.get(at + 1).is_some_and(is_asking))
    })
}

/// The fault of a word that means nothing: a run would find it only where it comes to it.
fn unknown_word(environment: &Environment<'_>, text: &str, word: &Word<'_>) -> Option<TemplateFault> {
    let name = *word.path.first()?;
    let message = match word.role {
        Role::Statement if OF_OTHERS.contains(&name) => {
            format!("`{{% {name} %}}` needs other templates, and a template stands alone")
        }
        Role::Filter => {
            let tried = environment.empty_state().apply_filter(name, &[Value::from(())]);
            let is_unknown = tried.is_err_and(|error| error.kind() == ErrorKind::UnknownFilter);
            is_unknown.then(|| format!("there is no filter `{name}`"))?
        }
        Role::Test => {
            let tried = environment.empty_state().perform_test(name, &[Value::from(())]);
            let is_unknown = tried.is_err_and(|error| error.kind() == ErrorKind::UnknownTest);
            is_unknown.then(|| format!("there is no test `{name}`"))?
        }
        _ => return None,
    };
    let line = text[..word.range.start].matches('\n').count() + 1;
    Some(TemplateFault { message, line: Some(line), range: Some(word.range.clone()) })
}

/// The fault of a template that is not one.
pub(crate) fn fault_of(error: &Error) -> TemplateFault {
    let message = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    TemplateFault { message, line: error.line(), range: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Result<Vec<String>, String> {
        let found = variables(text).map_err(|fault| fault.to_string())?;
        Ok(found.iter().map(|variable| format!("{}@{}", variable.path.join("."), variable.start)).collect())
    }

    fn strings(list: &[&str]) -> Vec<String> {
        list.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn variables_are_those_that_the_template_does_not_set() {
        let found =
            shown("{% for r in reviews %}{{ r.text }} {{ loop.index }}{% endfor %}{% set a = b %}{{ a }}{{ c.d.e }}");
        assert_eq!(found, Ok(strings(&["reviews@12", "b@74", "c.d.e@88"])));
        assert_eq!(shown("{{ range(n) }}"), Ok(strings(&["n@9"])));
        assert_eq!(shown("no variables { at } all"), Ok(Vec::new()));
    }

    #[test]
    fn a_variable_that_is_asked_for_is_optional() {
        let optional = |text: &str| {
            let found = variables(text).expect("a template");
            let optional = found.into_iter().filter(|variable| variable.is_optional);
            optional.map(|variable| variable.name().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(optional("{% if a and b.c %}{{ d }}{% endif %}{{ e | default(f) }}"), strings(&["a", "b", "e"]));
        assert_eq!(optional("{{ a if b else c }}{% if d is defined %}{{ d }}{% endif %}"), strings(&["b", "c", "d"]));
    }

    #[test]
    fn a_fault_has_its_line() {
        for (text, fault) in [
            ("a\n{{ b", "line 2: unexpected end of input, expected end of variable block"),
            ("a\n\n{{ b | shout }}", "line 3: there is no filter `shout`"),
            ("{% if b is shiny %}{% endif %}", "line 1: there is no test `shiny`"),
            ("{% include 'x' %}", "line 1: `{% include %}` needs other templates, and a template stands alone"),
        ] {
            assert_eq!(shown(text), Err(fault.to_owned()), "{text}");
        }
    }
}

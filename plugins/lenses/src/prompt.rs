//! The form of a lens file, and its parser.

use std::sync::Arc;

use serde_json::Value;

use crate::schema_check::fault_of;

/// A lens file, parsed: Markdown with a title (`# …`), instructions, and a last section `## Answer` whose one `json` block
/// is the JSON Schema of the answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prompt {
    /// The title.
    pub title: String,
    /// Everything but the title, the heading `## Answer` and the schema.
    pub instructions: String,
    /// JSON Schema of the answer: that of an object.
    pub schema: Arc<Value>,
}

impl Prompt {
    /// Reads a lens file.
    ///
    /// # Errors
    /// A fragment that says what is wrong, with the line where there is one.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let lines: Vec<Line<'_>> = locate_lines(text)?;
        let first = lines.iter().position(|line| !line.text.trim().is_empty()).ok_or("it is empty")?;
        let title = lines[first].text.strip_prefix("# ").map(str::trim).filter(|title| !title.is_empty());
        let title = title.ok_or_else(|| format!("line {}: a lens begins with its title, `# …`", first + 1))?;

        let mut headings = lines.iter().enumerate().filter(|(_, line)| line.is_heading());
        let answer = headings.find(|(_, line)| line.text.trim_end() == ANSWER).map(|(at, _)| at);
        let answer = answer.ok_or(
            "it has no section `## Answer`; put one at its end, with the JSON Schema of the answer in a `json` block",
        )?;
        if let Some((at, _)) = headings.next() {
            return Err(format!("line {}: `{ANSWER}` has to be the last section", at + 1));
        }

        let mut blocks =
            lines[answer..].iter().enumerate().filter(|(_, line)| line.block == BlockPosition::Opens("json"));
        let (open, _) =
            blocks.next().ok_or("`## Answer` has no `json` block; put the JSON Schema of the answer there")?;
        if let Some((at, _)) = blocks.next() {
            return Err(format!("line {}: `{ANSWER}` has a second `json` block", answer + at + 1));
        }
        let open = answer + open;
        let inside = lines[open + 1..].iter().take_while(|line| line.block == BlockPosition::Inside).count();
        let schema: Vec<&str> = lines[open + 1..][..inside].iter().map(|line| line.text).collect();
        let schema = schema_of(&schema.join("\n"), open + 2)?.into();

        let is_prose = |at: usize| at > first && at != answer && !(open..open + inside + 2).contains(&at);
        let prose: Vec<&str> = (0..lines.len()).filter(|at| is_prose(*at)).map(|at| lines[at].text).collect();
        let instructions = prose.join("\n").trim().to_owned();
        if instructions.is_empty() {
            return Err("it has no instructions; say between the title and `## Answer` what to look for".to_owned());
        }
        Ok(Self { title: title.to_owned(), instructions, schema })
    }

    /// The same lens with these parts of its answer alone.
    ///
    /// # Errors
    /// A fragment that names what the schema does not have.
    pub(crate) fn with_keys(&self, keys: &[String]) -> Result<Self, String> {
        let mut schema = Value::clone(&self.schema);
        let properties = schema.get("properties").and_then(Value::as_object);
        let known: Vec<&str> = properties.into_iter().flatten().map(|(key, _)| key.as_str()).collect();
        let listed = || known.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
        if let Some(key) = keys.iter().find(|key| !known.contains(&key.as_str())) {
            return Err(format!("the answer has no part `{key}`; it has {}", listed()));
        }
        if keys.is_empty() {
            return Err(format!("no part of the answer is left; it has {}", listed()));
        }
        let is_kept = |key: &str| keys.iter().any(|kept| kept == key);
        if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
            properties.retain(|key, _| is_kept(key));
        }
        if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
            required.retain(|key| key.as_str().is_some_and(is_kept));
        }
        Ok(Self { schema: Arc::new(schema), ..self.clone() })
    }
}

/// The heading above the schema.
const ANSWER: &str = "## Answer";

/// A line, and where it is in relation to the fenced blocks.
struct Line<'a> {
    text: &'a str,
    block: BlockPosition<'a>,
}

#[derive(Debug, PartialEq)]
enum BlockPosition<'a> {
    /// Outside of any block.
    Outside,
    /// The fence that opens a block of this language.
    Opens(&'a str),
    /// In a block.
    Inside,
    /// The fence that closes it.
    Closes,
}

impl Line<'_> {
    /// Whether it is a heading of the first or second level.
    fn is_heading(&self) -> bool {
        self.block == BlockPosition::Outside && (self.text.starts_with("# ") || self.text.starts_with("## "))
    }
}

/// Finds the fenced blocks.
fn locate_lines(text: &str) -> Result<Vec<Line<'_>>, String> {
    let mut lines = Vec::new();
    // The fence that would close the open block, and the line that opened it.
    let mut open: Option<(&str, usize)> = None;
    for (at, text) in text.lines().enumerate() {
        let bare = text.trim();
        let ticks = &bare[..bare.len() - bare.trim_start_matches('`').len()];
        let block = match open {
            Some((fence, _)) if bare == ticks && ticks.len() >= fence.len() => {
                open = None;
                BlockPosition::Closes
            }
            Some(_) => BlockPosition::Inside,
            None if ticks.len() >= 3 => {
                open = Some((ticks, at));
                BlockPosition::Opens(bare[ticks.len()..].trim())
            }
            None => BlockPosition::Outside,
        };
        lines.push(Line { text, block });
    }
    match open {
        Some((fence, at)) => Err(format!("line {}: the block is not closed by {fence}", at + 1)),
        None => Ok(lines),
    }
}

/// The schema in a block that begins at line `first` of the file.
fn schema_of(json: &str, first: usize) -> Result<Value, String> {
    let schema: Value = serde_json::from_str(json).map_err(|error| {
        let line = first + error.line().max(1) - 1;
        format!("line {line}: the schema of the answer is not JSON: {error}")
    })?;
    let properties = schema.get("properties").and_then(Value::as_object);
    if schema.get("type").and_then(Value::as_str) != Some("object") || properties.is_none_or(serde_json::Map::is_empty)
    {
        return Err(format!(
            "line {first}: the schema of the answer has to be that of an object: `\"type\": \"object\"`, with `properties`"
        ));
    }
    match fault_of(&schema) {
        Some(fault) => Err(format!("line {first}: the schema of the answer is not a JSON Schema: {fault}")),
        None => Ok(schema),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::Prompt;

    const WHOLE: &str = "# Doubts\n\nFind doubts.\n\n## Answer\n\n```json\n{ \"type\": \"object\", \"properties\": { \"doubts\": {} } }\n```\n";

    fn error(text: &str) -> String {
        Prompt::parse(text).expect_err("no lens")
    }

    #[test]
    fn a_lens_has_a_title_instructions_and_a_schema() {
        let prompt = Prompt::parse(WHOLE).expect("a lens");
        assert_eq!((prompt.title.as_str(), prompt.instructions.as_str()), ("Doubts", "Find doubts."));
        assert_eq!(*prompt.schema, json!({ "type": "object", "properties": { "doubts": {} } }));
        assert_eq!(Prompt::parse(&WHOLE.replace('\n', "\r\n")).expect("a lens").schema, prompt.schema);
    }

    #[test]
    fn words_beside_the_schema_are_instructions() {
        let text = WHOLE.replace("```json", "In order of weight.\n\n```json");
        assert_eq!(Prompt::parse(&text).expect("a lens").instructions, "Find doubts.\n\n\nIn order of weight.");
    }

    #[test]
    fn what_stands_in_a_block_is_no_heading() {
        let text = WHOLE.replace("Find doubts.", "````text\n## Answer\n```json\n````\nFind doubts.");
        assert!(Prompt::parse(&text).expect("a lens").instructions.starts_with("````text\n## Answer"));
    }

    #[test]
    fn each_fault_is_named_with_its_line() {
        assert_eq!(error(" \n"), "it is empty");
        assert_eq!(error(&WHOLE[2..]), "line 1: a lens begins with its title, `# …`");
        assert!(error(&WHOLE.replace("## Answer", "## Reply")).starts_with("it has no section `## Answer`"));
        assert_eq!(error(&format!("{WHOLE}\n## More\n")), "line 11: `## Answer` has to be the last section");
        assert!(error(&WHOLE.replace("json", "toml")).starts_with("`## Answer` has no `json` block"));
        assert_eq!(error(&format!("{WHOLE}```json\n```\n")), "line 10: `## Answer` has a second `json` block");
        assert_eq!(error(WHOLE.trim_end().trim_end_matches('`')), "line 7: the block is not closed by ```");
        assert!(error(&WHOLE.replace("{} }", "{ }")).starts_with("line 8: the schema of the answer is not JSON"));
        assert!(
            error(&WHOLE.replace("\"object\"", "\"array\"")).starts_with("line 8: the schema of the answer has to be")
        );
        assert_eq!(
            error(&WHOLE.replace("\"doubts\": {}", "\"doubts\": { \"type\": \"list\" }")),
            "line 8: the schema of the answer is not a JSON Schema: `/properties/doubts/type` is \"list\", and the types are string, \
             number, integer, boolean, object, array, null"
        );
        assert!(error(&WHOLE.replace("Find doubts.", "")).starts_with("it has no instructions"));
    }

    #[test]
    fn parts_of_the_answer_can_be_chosen() {
        let schema = r#"{ "type": "object", "required": ["a", "b"], "properties": { "a": {}, "b": {}, "c": {} } }"#;
        let whole =
            Prompt::parse(&WHOLE.replace("{ \"type\": \"object\", \"properties\": { \"doubts\": {} } }", schema));
        let whole = whole.expect("a lens");
        let keys = |keys: &[&str]| whole.with_keys(&keys.iter().map(|&key| key.to_owned()).collect::<Vec<_>>());
        let chosen = keys(&["c", "a"]).expect("a lens");
        assert_eq!(*chosen.schema, json!({ "type": "object", "required": ["a"], "properties": { "a": {}, "c": {} } }));
        assert_eq!(keys(&["d"]).expect_err("no part"), "the answer has no part `d`; it has `a`, `b`, `c`");
        assert!(keys(&[]).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(# a\n|## Answer\n|```json\n|```\n|\\{\\}\n|[a-z`# \n]{0,9}){0,12}") {
            _ = Prompt::parse(&text);
        }
    }
}

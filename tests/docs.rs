//! The reference pages of the book are made from the program; these tests hold the pages to it.
//!
//! `JACKFIELD_BLESS=1 cargo test -p jackfield-cli --test system docs` writes them anew.

use std::{collections::BTreeSet, fmt::Write as _, fs};

use serde_json::Value;

use crate::support::{jackfield, root, run_command};

/// What every generated page says below its title.
pub fn generated_from(what: &str) -> String {
    format!(
        "> This page is generated from {what}, by `JACKFIELD_BLESS=1 cargo test -p jackfield-cli --test system docs`. A test fails\n\
         > when it is out of date.\n\n"
    )
}

/// Compares a page with what it should be, or writes it where that is asked for.
#[track_caller]
pub fn hold(name: &str, wanted: &str) {
    let path = root().join("docs/reference").join(name);
    if std::env::var_os("JACKFIELD_BLESS").is_some_and(|value| value == "1") {
        fs::write(&path, wanted).expect("written");
        return;
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    let differs = found.lines().zip(wanted.lines()).position(|(found, wanted)| found != wanted);
    let line = differs.unwrap_or_else(|| found.lines().count().min(wanted.lines().count()));
    assert!(
        found == wanted,
        "docs/reference/{name} is out of date from line {} on:\n  page     {:?}\n  program  {:?}\nJACKFIELD_BLESS=1 writes it anew",
        line + 1,
        found.lines().nth(line).unwrap_or_default(),
        wanted.lines().nth(line).unwrap_or_default()
    );
}

// The command line.

const ENVIRONMENT: &str = "## Environment\n\n\
| variable | what it does |\n\
| --- | --- |\n\
| `JACKFIELD_LOG` | which log lines are shown, such as `debug` or `plugin=trace`; goes before `-v` |\n\
| `NO_COLOR` | no colours, if it is set and not empty |\n\
| `JACKFIELD_CACHE_DIR` | where compiled WebAssembly plugins are kept; nowhere, if it is set and empty |\n\
| `JACKFIELD_CACHE_SIZE` | what that folder holds at the most, such as `512MiB`, `1GiB` by default: what was not used for longest goes first |\n\
| `XDG_CACHE_HOME` | the folder `jackfield` in it is used if `JACKFIELD_CACHE_DIR` is not set; `~/.cache` by default |\n";

/// The help of a command, as a terminal of 100 columns shows it.
fn help(command: &[&str]) -> String {
    let said = run_command(jackfield().args(command).arg("--help").env("COLUMNS", "100")).expect_code(0).stdout;
    said.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// The commands that a help lists, but for `help` itself.
fn commands(help: &str) -> Vec<String> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // What a command does may take a second line, which is indented further.
    let listed = listed.filter(|line| !line.starts_with("   "));
    listed.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").map(str::to_owned).collect()
}

fn add_command(page: &mut String, command: &[&str]) {
    let help = help(command);
    let title = ["jackfield"].iter().chain(command).copied().collect::<Vec<_>>().join(" ");
    let _ = write!(page, "{} {title}\n\n```text\n{help}\n```\n\n", if command.is_empty() { "##" } else { "###" });
    for inner in commands(&help) {
        add_command(page, &[command, &[inner.as_str()]].concat());
    }
}

#[test]
fn the_page_of_the_command_line_is_the_help_of_the_program() {
    let mut page = format!("# The command line\n\n{}", generated_from("the help of the program"));
    page.push_str(
        "Data goes to standard output, messages to standard error. With `--json`, standard output is one JSON object. The exit\n\
         codes have [a page of their own](exit-codes.md).\n\n\
         What a document, a model, a plugin, a file's name or somebody else's record says moves no terminal: control characters,\n\
         escape sequences and marks that turn the reading direction are written out, as in `\\u{1b}`. JSON has them as `\\u001b`,\n\
         so that its data stays what it is; the path of a run or a file that was made is escaped on a terminal alone.\n\n",
    );
    add_command(&mut page, &[]);
    page.push_str(ENVIRONMENT);
    hold("cli.md", &page);
}

/// A table of the exit codes that a help lists.
fn exit_codes(help: &str) -> String {
    let listed = help.lines().skip_while(|line| *line != "Exit codes:").skip(1).take_while(|line| !line.is_empty());
    let mut table = "| code | meaning |\n| ---: | --- |\n".to_owned();
    for line in listed {
        let (code, meaning) = line.trim().split_once(' ').expect("a code and its meaning");
        let _ = writeln!(table, "| {code} | {} |", cell(meaning));
    }
    table
}

#[test]
fn the_page_of_exit_codes_is_the_help_of_the_program() {
    let mut page = format!("# Exit codes\n\n{}", generated_from("the help of the program"));
    page.push_str(&exit_codes(&help(&[])));
    for command in ["run", "check", "test"] {
        let _ = write!(page, "\n## `jackfield {command}`\n\n{}", exit_codes(&help(&[command])));
    }
    page.push_str(
        "\n## Errors\n\nErrors that are expected have a message on standard error, and often a `hint:` after a blank line. Code 101 is a\n\
         panic: please report it, with what was run.\n\n\
         A reader of standard output that has gone away (`| head`) is no error: nothing more is written, and the code is that\n\
         of what was done. Any other fault of standard output or standard error, such as a full disk, is code 1.\n\n\
         Ctrl-C, SIGTERM and SIGHUP end a run in order, with code 130; SIGHUP is left ignored where `nohup` has the program\n\
         ignore it. Commands that leave nothing half-done end by the signal itself, which a shell shows as 130, 143 or 129.\n",
    );
    hold("exit-codes.md", &page);
}

// The pipeline file.

#[test]
fn the_page_of_the_pipeline_file_is_its_schema() {
    let schema = jackfield_pipeline::json_schema();
    let mut page = format!("# The pipeline file\n\n{}", generated_from("`jackfield schema`"));
    page.push_str(
        "A pipeline is a TOML file. A key that is not on this page is an error. How the parts play together is told in\n\
         [Write a pipeline](../guides/write-a-pipeline.md); the JSON Schema itself, for editors, is what `jackfield schema`\n\
         prints.\n\n",
    );
    let _ = writeln!(page, "## The file\n\n{}", keys(&schema));
    for (name, table) in entries(&schema["properties"]) {
        add_table(&mut page, "##", &format!("[{name}]"), name, table);
    }
    page.push_str("## Types\n\n| type | what |\n| --- | --- |\n");
    for (name, of) in entries(&schema["$defs"]) {
        let _ = writeln!(page, "| {name} | {} |", cell(of["description"].as_str().unwrap_or_default()));
    }
    page.push_str("| duration | a number with a unit, such as `\"200ms\"`, `\"30s\"`, `\"2m\"` |\n");
    page.push_str("| size | a number of bytes, or a string such as `\"256MiB\"` |\n");
    page.push_str("| digest | 64 hexadecimal digits: a SHA-256, as `sha256sum` prints it |\n");
    hold("pipeline-file.md", &page);
}

/// A table of the file, and then those inside it.
fn add_table(page: &mut String, level: &str, title: &str, name: &str, schema: &Value) {
    if let Some(inner) = schema.get("additionalProperties").filter(|inner| inner["properties"].is_object()) {
        add_table(page, level, &format!("[{name}.NAME]"), &format!("{name}.NAME"), inner);
        return;
    }
    // A list of tables is written `[[name]]`.
    if schema["items"]["properties"].is_object() && schema["description"].is_string() && level == "##" {
        let about = schema["description"].as_str().unwrap_or_default();
        let _ = write!(page, "{level} `[{title}]`\n\n{about}\n\n{}\n", keys(&schema["items"]));
        return;
    }
    let _ = write!(page, "{level} `{title}`\n\n");
    if let Some(about) = schema["description"].as_str() {
        let _ = write!(page, "{about}\n\n");
    }
    for one in schema["oneOf"].as_array().into_iter().flatten() {
        let used = one["properties"]["use"]["const"].as_str().unwrap_or_default();
        let _ = write!(page, "With `use = \"{used}\"`:\n\n{}\n", keys(one));
    }
    if !schema["properties"].is_object() {
        return;
    }
    let _ = writeln!(page, "{}", keys(schema));
    for (key, inner) in entries(&schema["properties"]) {
        let path = format!("{name}.{key}");
        if inner["properties"].is_object() {
            add_table(page, "###", &format!("[{path}]"), &path, inner);
        } else if inner["items"]["properties"].is_object() {
            add_table(page, "###", &format!("[[{path}]]"), &path, &inner["items"]);
        }
        // What may be a list as well as a table, under names of the author's choice.
        let either = inner["additionalProperties"]["anyOf"].as_array().into_iter().flatten();
        if let Some(table) = either.into_iter().find(|one| one["properties"].is_object()) {
            add_table(page, "###", &format!("[{path}.\"STAGE.KEY\"]"), &path, table);
        }
    }
}

/// The keys of a table, the required ones first.
fn keys(schema: &Value) -> String {
    let required = required(schema);
    let mut text = String::from("| key | type | default | what |\n| --- | --- | --- | --- |\n");
    let (first, then): (Vec<_>, Vec<_>) = entries(&schema["properties"]).partition(|(name, _)| required.contains(name));
    for (name, key) in first.into_iter().chain(then) {
        let default = match key.get("default") {
            _ if required.contains(name) => "required".to_owned(),
            Some(default) => format!("`{default}`"),
            None => String::new(),
        };
        let about = key["description"].as_str().unwrap_or_default();
        let _ = writeln!(text, "| `{name}` | {} | {default} | {} |", cell(&key_type(key)), cell(about));
    }
    text
}

fn key_type(schema: &Value) -> String {
    if schema["pattern"] == "^[0-9a-fA-F]{64}$" {
        return "digest".to_owned();
    }
    match (&schema["examples"][0], &schema["maxLength"], &schema["type"]) {
        (example, ..) if *example == "200ms" => "duration".to_owned(),
        (example, ..) if *example == "256MiB" => "size".to_owned(),
        (_, length, _) if *length == 1 => "one character".to_owned(),
        (_, _, Value::Array(types)) if types.contains(&"array".into()) => "string, or list of strings".to_owned(),
        _ if schema["oneOf"].is_array() => "table".to_owned(),
        _ => type_of(schema),
    }
}

// The extensions.

#[test]
fn the_page_of_the_extensions_is_what_they_say_of_themselves() {
    let mut page = format!("# The bundled extensions\n\n{}", generated_from("the descriptors of the bundled plugins"));
    page.push_str(
        "Analyzers and direction extractors do the work of stages, models answer prompts for `[model.NAME]`, cache backends keep\n\
         values for the tiers of `[cache.NAME]`, routing policies pick the arms of routes. Most analyzers need no model: classical text analysis, the same answer on every machine. `jackfield\n\
         plugins info NAME` prints the same for any plugin. What a stage's `in` gives has to fit the input, and `with` the config.\n\n",
    );
    let bundled = jackfield::bundled();
    page.push_str("| name | kind | what it does |\n| --- | --- | --- |\n");
    for entry in &bundled.extensions {
        let descriptor = &entry.descriptor;
        let _ = writeln!(
            page,
            "| [`{0}`](#{0}) | {1} | {2} |",
            descriptor.name,
            descriptor.kind,
            cell(&descriptor.summary)
        );
    }
    for entry in &bundled.extensions {
        let descriptor = serde_json::to_value(&*entry.descriptor).expect("JSON");
        let text = |key: &str| descriptor[key].as_str().unwrap_or_default().to_owned();
        let _ = write!(page, "\n## {}\n\n{}.\n\n", text("name"), text("summary"));
        let _ = writeln!(page, "Version {}, {} ({}).", text("version"), text("stability"), text("kind"));
        if let Some(languages) = descriptor["config"]["x-languages"].as_array() {
            let codes: Vec<&str> = languages.iter().filter_map(serde_json::Value::as_str).collect();
            let _ = writeln!(page, "It knows the words of these languages (ISO 639-1): {}.", codes.join(", "));
        }
        if let Some(about) = descriptor["config"]["description"].as_str().and_then(|about| about.split_once("\n\n")) {
            let _ = write!(page, "\n{}\n", about.1);
        }
        for (title, part) in [("Config", "config"), ("Input", "input"), ("Output", "output")] {
            add_fields(&mut page, title, &descriptor[part]);
        }
        let offers: Vec<String> = entries(&descriptor["input"]["x-offers"])
            .map(|(name, condition)| match condition.as_str() {
                Some(pointer) => {
                    format!("`{name}` with `{} = true`", pointer.trim_start_matches('/').replace('/', "."))
                }
                None => format!("`{name}`"),
            })
            .collect();
        if !offers.is_empty() {
            let _ = write!(page, "\nOffers {}.\n", offers.join(", "));
        }
        for permission in descriptor["permissions"].as_array().into_iter().flatten() {
            let (name, reason) = (&permission["name"], &permission["reason"]);
            let _ = write!(page, "\nAsks for {name}: {reason}.\n");
        }
    }
    add_types(&mut page, &bundled);
    hold("extensions.md", &page);
}

/// Of the forms of a value, the first, which is the whole.
fn whole_form(schema: &Value) -> Option<&Value> {
    schema["anyOf"].as_array()?.first().filter(|form| form["properties"].is_object())
}

fn add_fields(page: &mut String, title: &str, schema: &Value) {
    if entries(&schema["properties"]).next().is_none() {
        let about = schema["description"].as_str().unwrap_or_default();
        if let Some(whole) = whole_form(schema) {
            // What is said of all forms names the others.
            add_fields(page, title, whole);
            let _ = write!(page, "\n{about}\n");
        } else if schema["additionalProperties"] == true {
            let _ = write!(page, "\n{title}: any fields.\n\n{about}\n");
        } else {
            let _ = write!(page, "\n{title}: none.\n");
        }
        return;
    }
    let _ = write!(page, "\n{title}:\n\n| field | type | default | what |\n| --- | --- | --- | --- |\n");
    let required = required(schema);
    for (name, field) in entries(&schema["properties"]) {
        let default = match field.get("default").filter(|default| !default.is_null()) {
            Some(default) => format!("`{default}`"),
            None if required.contains(name) => "required".to_owned(),
            None => String::new(),
        };
        let about = field["description"].as_str().unwrap_or_default();
        let _ = writeln!(page, "| `{name}` | {} | {default} | {} |", cell(&type_of(field)), cell(about));
    }
}

/// The types that schemas refer to, each once. Where an input asks less of a type than an output gives, the output counts.
fn add_types(page: &mut String, plugin: &jackfield_loader::Plugin) {
    page.push_str("\n## Types\n\nWhat they have in common, as they write it. A reader may ask for less.\n");
    let mut seen = BTreeSet::new();
    let mut sections = Vec::new();
    let descriptors = plugin.extensions.iter().map(|entry| &entry.descriptor);
    let (outputs, inputs): (Vec<_>, Vec<_>) =
        descriptors.map(|descriptor| (&descriptor.output, &descriptor.input)).unzip();
    let configs = plugin.extensions.iter().map(|entry| &entry.descriptor.config);
    for schema in outputs.into_iter().chain(inputs).chain(configs) {
        for (name, of) in entries(&schema["$defs"]) {
            if seen.insert(name.to_owned()) {
                sections.push((name, of));
            }
        }
    }
    sections.sort_by_key(|(name, _)| *name);
    for (name, of) in sections {
        let _ = write!(page, "\n### {name}\n");
        if let Some(about) = of["description"].as_str() {
            let _ = write!(page, "\n{about}\n");
        }
        let of = whole_form(of).unwrap_or(of);
        if of["properties"].is_object() {
            add_fields(page, "Fields", of);
        } else {
            let _ = write!(page, "\n{}\n", type_of(of));
        }
    }
}

// The contract.

#[test]
fn the_page_of_the_contract_is_the_wit_file() {
    let read = |name: &str| fs::read_to_string(root().join("plugin-api/wit").join(name)).expect("the contract");
    // The package stands at the head of each file.
    let world = read("cache-plugin.wit");
    let world: Vec<&str> = world.lines().filter(|line| !line.starts_with("package ")).collect();
    let wit = format!("{}\n{}\n", read("plugin.wit"), world.join("\n"));
    let package = wit.lines().find_map(|line| line.strip_prefix("package ")).expect("a package").trim_end_matches(';');
    let mut page = format!("# The contract\n\n{}", generated_from("the files in `plugin-api/wit`"));
    let _ = write!(
        page,
        "The contract between host and plugin is written in [WIT](https://component-model.bytecodealliance.org/design/wit.html):\n\
         `{package}`. WebAssembly components speak it as it stands; native libraries and linked-in crates have the same\n\
         records as Rust types. Authors see it through the crate `jackfield-plugin-api`, or the package for their language, and\n\
         never write it by hand.\n"
    );
    let mut about: Vec<&str> = Vec::new();
    let mut item: Option<(Vec<&str>, Vec<&str>)> = None; // its doc comment and its lines
    for line in wit.lines() {
        let text = line.trim();
        let depth = line.len() - line.trim_start().len();
        if let Some((_, lines)) = &mut item {
            lines.push(line.strip_prefix("    ").unwrap_or(line));
            if depth == 4 && (text == "}" || text.ends_with(';')) {
                add_item(&mut page, &item.take().expect("an item"));
            }
        } else if let Some(said) = text.strip_prefix("///") {
            about.push(said.trim());
        } else if let Some((word, name)) = depth_0(line) {
            let _ = write!(page, "\n## {word} `{name}`\n\n{}\n", about.join(" "));
            about.clear();
        } else if depth == 4 && ["import ", "export ", "include "].iter().any(|word| text.starts_with(word)) {
            let _ = write!(page, "\n- {}", text.trim_end_matches(';'));
        } else if depth == 4 && !text.is_empty() && !text.starts_with("use ") {
            let one = (std::mem::take(&mut about), vec![text]);
            if text.ends_with('{') || !text.ends_with(';') { item = Some(one) } else { add_item(&mut page, &one) }
        }
    }
    page.push('\n');
    hold("contract.md", &page);
}

/// An interface or world that starts at this line.
fn depth_0(line: &str) -> Option<(&str, &str)> {
    let (word, rest) = line.split_once(' ')?;
    ["interface", "world"].contains(&word).then(|| (word, rest.trim_end_matches('{').trim()))
}

fn add_item(page: &mut String, (about, lines): &(Vec<&str>, Vec<&str>)) {
    let first = lines[0].trim_start();
    let name = match first.split_once(": func") {
        Some((name, _)) => name,
        None => first.split_whitespace().nth(1).unwrap_or_default(),
    };
    let _ = write!(page, "\n### {name}\n\n{}\n\n```wit\n", about.join(" "));
    for line in lines {
        let _ = writeln!(page, "{line}");
    }
    page.push_str("```\n");
}

// The language of grid programs.

#[test]
fn the_page_of_the_grid_language_is_its_table_of_primitives() {
    use jackfield_grids::{
        machine::Limits,
        primitives::{CONSTANTS, Constant, Primitive},
        program::{LONGEST_NAME, LONGEST_TEXT, MOST_LINES},
    };
    let mut page = format!("# The grid language\n\n{}", generated_from("the table of primitives"));
    let _ = write!(
        page,
        "What a [grid program](../concepts/grid-programs.md) is made of.\n\n\
         ## Text\n\n\
         ```text\n\
         def solve_TASK(I):              # or def solve(I):\n    NAME = FUNCTION(ARGUMENT, ...)\n    \
         O = FUNCTION(ARGUMENT, ...)\n    return O\n\
         ```\n\n\
         - A function is a primitive, or the name of a line above. An argument is `I`, the name of a line above, a constant or a primitive.\n\
         - Names are of ASCII letters, digits and `_`, and do not begin with a digit. No name is given twice, and none is that of a primitive, a\n  \
         constant, `I` or a word of Python. `O` is the name of the last line.\n\
         - Lines of the body are indented alike, by spaces or tabs. Blank lines and comments, from `#` to the end of the line, may stand\n  \
         anywhere. A call stays on one line, and no comma stands after its last argument.\n\
         - A text has at most {} bytes and {} lines, a name at most {LONGEST_NAME} characters.\n\n",
        thousands(LONGEST_TEXT as u64),
        thousands(MOST_LINES as u64),
    );
    let limits = Limits::default();
    let _ = write!(
        page,
        "## Limits\n\nWhat a program may take for a pair, unless it is told otherwise.\n\n| limit | default |\n| --- | ---: |\n\
         | `steps` | {} |\n| `memory` | {} MiB |\n| `depth` | {} |\n\n",
        thousands(limits.steps),
        limits.memory >> 20,
        thousands(u64::from(limits.depth)),
    );
    page.push_str("## Constants\n\n| name | value |\n| --- | --- |\n");
    for (name, constant) in CONSTANTS {
        let value = match constant {
            Constant::Integer(integer) => integer.to_string(),
            Constant::Pair(row, column) => format!("({row}, {column})"),
        };
        let _ = writeln!(page, "| `{name}` | {value} |");
    }
    page.push_str(
        "\n## Types\n\n\
         | type | what |\n| --- | --- |\n\
         | Integer | an integer of 64 bits |\n\
         | Boolean | 0 or 1; where one is wanted, anything counts as true but 0, none, the empty tuple and the empty set |\n\
         | Pair | a tuple of two integers, a location or an offset: (row, column) |\n\
         | Numerical | Integer or Pair |\n\
         | Tuple | a sequence of values |\n\
         | Set | values without order, each once |\n\
         | Container | Tuple or Set |\n\
         | Grid | a tuple of rows, which are tuples of colours |\n\
         | Indices | a set of locations |\n\
         | Object | a set of cells: tuples of a colour and a location |\n\
         | Objects | a set of objects |\n\
         | Patch | Indices or Object |\n\
         | Element | Grid or Object |\n\
         | Piece | Grid or Patch |\n\
         | Callable | a function: a primitive, or what `compose`, `chain`, `fork`, `matcher`, `rbind`, `lbind` and `power` make |\n\
         | Any | any value |\n\n\
         ## Primitives\n\n\
         Types tell what is meant. Nothing is checked before a value is used, and a value of another kind works where what is done with it can be\n\
         done.\n\n\
         | primitive | arguments | result | what |\n| --- | --- | --- | --- |\n",
    );
    let mut rows: Vec<_> = Primitive::all().map(Primitive::row).collect();
    rows.sort_by_key(|row| row.name);
    for row in rows {
        let arguments: Vec<String> = row.arguments.iter().map(|(name, kind)| format!("`{name}`: {kind}")).collect();
        let _ = writeln!(page, "| `{}` | {} | {} | {} |", row.name, arguments.join(", "), row.result, cell(row.doc));
    }
    hold("grid-language.md", &page);
}

/// A number with commas.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

// JSON Schema.

fn entries(object: &Value) -> impl Iterator<Item = (&str, &Value)> {
    object.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

fn required(schema: &Value) -> BTreeSet<&str> {
    schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// A type in a few words.
fn type_of(schema: &Value) -> String {
    if let Some(tensor) = schema.get("x-tensor") {
        let dimension = |one: &Value| match one {
            Value::String(name) => name.clone(),
            Value::Null => "*".to_owned(),
            length => length.to_string(),
        };
        let shape = tensor["shape"].as_array().map(|shape| shape.iter().map(dimension).collect::<Vec<_>>().join(", "));
        return shape.map_or_else(|| "tensor".to_owned(), |shape| format!("tensor[{shape}]"));
    }
    if let Some(reference) = schema["$ref"].as_str() {
        return reference.rsplit('/').next().unwrap_or_default().to_owned();
    }
    if let Some(value) = schema.get("const") {
        return format!("`{value}`");
    }
    if let Some(values) = schema["enum"].as_array() {
        return values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(" or ");
    }
    let one = |name: &str| match name {
        "array" => format!("list of {}", type_of(&schema["items"])),
        "object" if schema["additionalProperties"]["properties"].is_object() => "table of tables".to_owned(),
        "object" if schema["additionalProperties"].is_object() => {
            format!("table of {}", type_of(&schema["additionalProperties"]))
        }
        "object" => "table".to_owned(),
        other => other.to_owned(),
    };
    let text = match &schema["type"] {
        Value::String(name) => one(name),
        Value::Array(names) => names
            .iter()
            .filter_map(Value::as_str)
            .filter(|name| *name != "null")
            .map(one)
            .collect::<Vec<_>>()
            .join(" or "),
        _ => {
            let options = ["anyOf", "oneOf"].iter().find_map(|key| schema[*key].as_array());
            let options = options.into_iter().flatten().filter(|option| option["type"] != "null");
            options.map(type_of).collect::<Vec<_>>().join(" or ")
        }
    };
    // A number beyond what people write stands for no bound.
    let bound = |key: &str| schema[key].as_f64().filter(|bound| *bound < 1e9);
    match (bound("minimum"), bound("maximum")) {
        (Some(least), Some(most)) => format!("{text}, {least} to {most}"),
        (Some(least), None) if least > 0.0 => format!("{text}, at least {least}"),
        _ if text.is_empty() => "anything".to_owned(),
        _ => text,
    }
}

/// A text fit for a cell of a table.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

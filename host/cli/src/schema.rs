//! `jackfield schema` prints the JSON Schema of pipeline files, for editors.

use std::path::PathBuf;

use jackfield::internal::load_plugins;
use jackfield_loader::{Registry, linked_in_plugin};
use jackfield_pipeline::{Request, editor_schema, parse};

use super::{
    exit::Exit,
    load::{OutputFormat, print_json, report},
};

/// How an editor is told.
const HELP: &str = "\
An editor that completes and checks TOML by a schema (with taplo, as Even Better TOML in VS Code
does) is told in the first line of the pipeline file, after
`jackfield schema . > pipeline.schema.json`:

  #:schema ./pipeline.schema.json

or, for all pipelines of a project, in its `.taplo.toml`:

  [[rule]]
  include = [\"**/pipeline.toml\"]
  schema = { path = \"pipeline.schema.json\" }";

#[derive(Debug, clap::Args)]
#[command(after_long_help = HELP)]
pub(super) struct Args {
    /// A pipeline file, or the folder that holds `pipeline.toml`: what its plugins want in `with` is part of the schema too, and
    /// `use` has to name an extension that it has. Without one, the schema knows the bundled extensions.
    path: Option<PathBuf>,

    /// Fail if the pipeline names plugin files and there is no `jackfield.lock` beside it.
    #[arg(long, requires = "path")]
    locked: bool,
}

pub(super) fn schema(args: &Args) -> Exit {
    let mut registry = Registry::new(vec![linked_in_plugin()]);
    let Some(path) = &args.path else {
        print_json(&editor_schema(&registry, None));
        return Exit::Success;
    };
    let mut parsed = match parse(Request { path, set: &[], input: &[] }) {
        Ok(parsed) => parsed,
        Err(faults) => {
            report(&faults, OutputFormat::Human);
            return Exit::Usage;
        }
    };
    load_plugins(&mut parsed, path, args.locked, &mut registry);
    let is_loaded = |alias: &str| registry.plugins().iter().any(|plugin| plugin.alias == alias);
    // Other faults are no matter here: the pipeline may be half written.
    if let Some(faults) = parsed.diagnostics()
        && !parsed.plugins().iter().all(|entry| is_loaded(&entry.alias))
    {
        report(&faults, OutputFormat::Human);
        return Exit::Usage;
    }
    print_json(&editor_schema(&registry, Some(&parsed.uses())));
    Exit::Success
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeSet,
        fs,
        path::{Path, PathBuf},
    };

    use serde_json::Value;

    use super::*;

    /// Whether a pipeline fits a schema, or what is wrong with it.
    fn held_to(schema: &Value, text: &str) -> Result<(), String> {
        let value: Value = toml::from_str(text).expect("TOML");
        let validator = jsonschema::validator_for(schema).expect("a JSON Schema");
        let faults: Vec<String> =
            validator.iter_errors(&value).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
        if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
    }

    fn bundled() -> Value {
        editor_schema(&Registry::new(vec![linked_in_plugin()]), None)
    }

    fn pipelines(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                pipelines(&path, found);
            } else if path.extension().is_some_and(|end| end == "toml")
                && fs::read_to_string(&path).is_ok_and(|text| text.lines().any(|line| line.trim() == "[pipeline]"))
            {
                found.push(path);
            }
        }
    }

    #[test]
    fn every_example_fits_the_schema() {
        let (schema, mut found) = (bundled(), Vec::new());
        pipelines(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples"), &mut found);
        assert!(found.len() >= 5, "{found:?}");
        for path in found {
            let text = fs::read_to_string(&path).expect("read");
            assert_eq!(held_to(&schema, &text), Ok(()), "{}", path.display());
        }
    }

    const PIPELINE: &str = "
        [pipeline]
        name = 'p'
        [params]
        most = 3
        [input]
        use = 'files'
        path = '*.txt'
        [model.writer]
        use = 'openai'
        with = { base_url = 'http://localhost/v1', name = 'm' }
        [cache.kept]
        tiers = [{ use = 'memory', with = { max_entries = 5 } }]
        [stages.t]
        use = 'transcript'
        in = { text = 'input.text' }
        [stages.actions]
        use = 'actions'
        in = 't'
        with = { max = '${most}' }
        [stages.other]
        use = 'mine/special'
        in = 't'
        with = { anything = 1 }
    ";

    #[test]
    fn the_with_of_an_extension_is_held_to_its_schema_and_mistakes_are_found() {
        let schema = bundled();
        assert_eq!(held_to(&schema, PIPELINE), Ok(()));
        let from_outside = PIPELINE.replace("most = 3", "most = '${env:MOST:-3}'");
        assert_eq!(held_to(&schema, &from_outside), Ok(()), "a variable stands for a number");
        for (before, after, place) in [
            ("max = '${most}'", "maxx = 3", "/stages/actions/with"),
            ("max = '${most}'", "max = 'many'", "/stages/actions/with/max"),
            ("use = 'actions'", "use = 'bundled/actions'\nrepat = 2", "/stages/actions"),
            ("max_entries = 5", "max_entry = 5", "/cache/kept/tiers/0/with"),
            ("name = 'm'", "nam = 'm'", "/model/writer/with"),
            ("path = '*.txt'", "pth = '*.txt'", "/input"),
        ] {
            assert!(PIPELINE.contains(before), "{before}");
            let faults = held_to(&schema, &PIPELINE.replace(before, after)).expect_err(after);
            assert!(faults.lines().any(|fault| fault.starts_with(&format!("{place}: "))), "{after}: {faults}");
        }
    }

    #[test]
    fn what_a_stage_lacks_is_found_unless_its_route_or_a_search_may_have_it() {
        let schema = bundled();
        let stage = "[stages.l]\nuse = 'lens'\nin = 't'\n";
        let faults = held_to(&schema, &format!("{PIPELINE}{stage}")).expect_err("a lens needs its file");
        assert!(faults.contains("/stages/l: \"with\" is a required property"), "{faults}");
        let routed =
            format!("{PIPELINE}{stage}route = {{ use = 'thompson', reward = 't.x', arms = [{{ lens = 'a' }}] }}\n");
        assert_eq!(held_to(&schema, &routed), Ok(()));
        let searched =
            format!("{PIPELINE}{stage}[search]\nuse = 'tpe'\nminimize = 't.x'\nspace = {{ 'l.lens' = ['a'] }}\n");
        assert_eq!(held_to(&schema, &searched), Ok(()));
    }

    #[test]
    fn with_the_plugins_of_a_pipeline_a_misspelt_extension_is_found() {
        let registry = Registry::new(vec![linked_in_plugin()]);
        let schema = editor_schema(&registry, Some(&BTreeSet::from(["transcript", "actions"])));
        let faults = held_to(&schema, PIPELINE).expect_err("there is no plugin `mine`");
        assert!(faults.starts_with("/stages/other/use: "), "{faults}");
        assert_eq!(held_to(&schema, &PIPELINE.replace("mine/special", "bundled/overview")).map_err(drop), Err(()));
    }
}

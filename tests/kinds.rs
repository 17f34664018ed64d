//! The page of kinds, forms and languages says what was proved: what stands in a cell is what `jackfield plugins test` says
//! of an extension of that kind in that form, and whether `jackfield plugins new` makes a project of that kind in that
//! language.

use std::{collections::BTreeSet, fmt::Write as _, fs};

use serde_json::Value;

use crate::{
    docs::{generated_from, hold},
    support::{fixture, jackfield, root, run_command},
};

/// The kinds, each with a bundled extension that needs neither a server nor a recording.
const KINDS: [(&str, &str); 5] = [
    ("analyzer", "transcript"),
    ("direction-extractor", "mean-difference"),
    ("model", "mock"),
    ("cache-backend", "memory"),
    ("routing-policy", "thompson"),
];
const FORMS: [&str; 3] = ["linked in", "native library", "component"];
const LANGUAGES: [(&str, &str); 5] =
    [("Rust", "rust"), ("Python", "python"), ("JavaScript", "javascript"), ("TypeScript", "typescript"), ("C", "c")];
/// What stands for nothing.
const NONE: &str = "–";

/// The level of each extension of a report, by kind.
fn levels(arguments: &[&str]) -> Vec<(String, String)> {
    let mut test = jackfield();
    let run = run_command(test.args(["plugins", "test", "--quick", "--json"]).args(arguments));
    // What is not there has no report.
    let Ok(report) = serde_json::from_str::<Value>(&run.stdout) else { return Vec::new() };
    let extensions = report["extensions"].as_array().expect("extensions").iter();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    extensions.map(|extension| (text(&extension["kind"]), text(&extension["level"]))).collect()
}

/// The highest level of the extensions of a kind in each form.
fn in_forms() -> Vec<[String; 3]> {
    let [native, component] = ["protocol_fixture.so", "protocol_fixture.wasm"].map(fixture);
    let files = [native, component].map(|file| file.to_str().expect("UTF-8").to_owned());
    let of_file = [levels(&[&files[0], "--allow-native"]), levels(&[&files[1]])];
    let one = |levels: &[(String, String)], kind: &str| -> String {
        let order = ["loads", "conforming", "deterministic", "sandbox-clean"];
        let rank = |level: &&str| order.iter().position(|known| known == level);
        let found = levels.iter().filter(|(of, _)| of == kind).map(|(_, level)| level.as_str());
        found.max_by_key(rank).unwrap_or(NONE).to_owned()
    };
    let row = |(kind, bundled): (&str, &str)| {
        let linked_in = levels(&["--bundled", "--kind", kind, "--name", bundled]);
        [one(&linked_in, kind), one(&of_file[0], kind), one(&of_file[1], kind)]
    };
    KINDS.map(row).into()
}

/// Whether `jackfield plugins new` makes a project of a kind in a language.
fn is_made(kind: &str, language: &str) -> bool {
    let folder = tempfile::tempdir().expect("a folder");
    let mut new = jackfield();
    new.args(["plugins", "new", "mine", "--kind", kind, "--lang", language, "--dir"]).arg(folder.path().join("mine"));
    run_command(&mut new).code == Some(0)
}

fn table(heads: &[&str], rows: &[(&str, Vec<String>)]) -> String {
    let mut text = format!("| kind | {} |\n|{}\n", heads.join(" | "), " --- |".repeat(heads.len() + 1));
    for (kind, cells) in rows {
        let _ = writeln!(text, "| `{kind}` | {} |", cells.join(" | "));
    }
    text
}

#[test]
fn the_page_of_kinds_and_forms_is_what_the_program_does() {
    let mut page = format!(
        "# Kinds, forms and languages\n\n{}",
        generated_from("what `jackfield plugins test` and `jackfield plugins new` do")
    );
    page.push_str(
        "## Forms\n\n\
         What `jackfield plugins test` says of an extension of each kind in each form: linked in, a bundled one; in the other\n\
         two forms, one source that uses all of the contract, compiled twice. The [levels](../guides/test-a-plugin.md#levels)\n\
         differ by what can be proved: code without a sandbox ends at `deterministic`, and a cache backend that keeps its\n\
         values on a server of its own sort at `conforming`, where that is away.\n\n",
    );
    let forms = in_forms();
    let rows: Vec<(&str, Vec<String>)> =
        KINDS.iter().zip(&forms).map(|((kind, _), cells)| (*kind, cells.to_vec())).collect();
    page.push_str(&table(&FORMS, &rows));
    page.push_str(
        "\n## Languages\n\n\
         Which projects `jackfield plugins new --kind KIND --lang LANGUAGE` makes. `tests/plugins_new.rs` tests and builds the\n\
         source of each of them, and what is built ends in `sandbox-clean`. Analyzers in all languages, and every kind in\n\
         JavaScript, are typed as their READMEs say; the other kinds in Rust and in Python share one build. What is written\n\
         in Rust serves in every form; the other languages make components.\n\n",
    );
    let cells = |kind: &str| -> Vec<String> {
        let cell = |(_, language): (&str, &str)| if is_made(kind, language) { "yes" } else { NONE }.to_owned();
        LANGUAGES.map(cell).into()
    };
    let rows: Vec<(&str, Vec<String>)> = KINDS.iter().map(|(kind, _)| (*kind, cells(kind))).collect();
    page.push_str(&table(&LANGUAGES.map(|(name, _)| name), &rows));
    hold("kinds.md", &page);
}

/// The source of a file that a guide shows, among the templates, with the name of its plugin put in.
fn template(kind: &str, file: &str, name: &str) -> String {
    let path = match file.rsplit_once('.').map(|(_, ending)| ending) {
        Some("rs") => format!("rust/{kind}/lib.rs"),
        Some("py") => format!("python/{kind}/{file}"),
        Some("js") => format!("javascript/{kind}/{file}"),
        _ => format!("{kind}/{file}"),
    };
    let path = root().join("host/cli/templates").join(path);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.replace("{{name}}", name)
}

#[test]
fn the_guides_to_the_kinds_show_what_the_projects_hold() {
    for (kind, name) in
        [("direction-extractor", "median-difference"), ("cache-backend", "shelf"), ("routing-policy", "greedy")]
    {
        let page = format!("docs/guides/write-a-{kind}.md");
        let text = fs::read_to_string(root().join(&page)).expect("a page");
        let mut languages = BTreeSet::new();
        for block in
            text.split("\n```").filter(|block| block.lines().next().is_some_and(|info| info.contains(" from=")))
        {
            let (info, part) = block.split_once('\n').expect("a block");
            let (language, file) = info.split_once(" from=").expect("a file");
            let part = part.trim_end();
            assert!(template(kind, file, name).contains(part), "{page}: {file} holds no such lines:\n{part}");
            languages.insert(language.to_owned());
        }
        for language in ["rust", "python", "javascript"] {
            assert!(languages.contains(language), "{page} shows nothing in {language}");
            let command = format!("$ jackfield plugins new {name} --kind {kind} --lang {language}\n");
            assert!(text.contains(&command), "{page} does not show `{command}`");
        }
    }
}

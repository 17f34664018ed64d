//! A project: the files of a template with the plugin's name filled in, and the commands that test, build and run it.

use serde_json::Value;

use super::{
    languages,
    project_file::ProjectFile,
    template::{Kind, Lang, Vendored},
};

/// The values of `--set` with which a run of another pipeline uses the plugin as well: a stage is added that reads the text of
/// each item.
pub(super) fn overrides(name: &str, kind: Kind, component: &str) -> Vec<String> {
    let plugin = format!("plugins.{name}.path={}", Value::from(component));
    let stage = |extension: &str, more: &str| {
        format!("stages.{name}={{ use = \"{name}/{extension}\", in = {{ text = \"input.text\" }}{more} }}")
    };
    match kind {
        Kind::Analyzer => vec![plugin, stage(name, "")],
        Kind::Model => {
            let model = format!("model.{name}.use=\"{name}/{name}\"");
            vec![plugin, model, stage("ask", &format!(", model = \"{name}\""))]
        }
        Kind::CacheBackend => {
            let grant = format!("plugins.{name}.grant=[\"http:127.0.0.1:8079\"]");
            let tiers = format!("cache.{name}.tiers=[{{ use = \"{name}/{name}\" }}]");
            let stage = format!(
                "stages.{name}={{ use = \"transcript\", in = {{ text = \"input.text\" }}, cache = \"{name}\" }}"
            );
            vec![plugin, grant, tiers, stage]
        }
        Kind::RoutingPolicy => {
            let machine = format!("{name}/slot-machine\", in = {{ turn = \"input.text\" }}");
            let route = format!(
                "{{ use = \"{name}/{name}\", reward = \"{name}.reward\", arms = [{{ pays = 0.0 }}, {{ pays = 1.0 }}] }}"
            );
            vec![plugin, format!("stages.{name}={{ use = \"{machine}, route = {route} }}")]
        }
        Kind::DirectionExtractor => {
            let states =
                format!("stages.{name}-states={{ use = \"{name}/sample-states\", in = {{ text = \"input.text\" }} }}");
            vec![plugin, states, format!("stages.{name}={{ use = \"{name}/{name}\", in = \"{name}-states\" }}")]
        }
    }
}

/// A project.
pub(super) struct Project {
    /// Its files, each with a path of its own.
    pub(super) files: Vec<ProjectFile>,
    /// The commands that test, build and run it, from inside its folder.
    pub(super) commands: Vec<String>,
}

/// The project of a plugin of this name, or none if the language has no template for the kind.
pub(super) fn project(name: &str, kind: Kind, lang: Lang) -> Option<Project> {
    let template = languages::template(lang);
    let (_, of_kind) = template.kinds.iter().find(|(offered, _)| *offered == kind)?;
    let (world, exports) = kind.world();
    let fill_in = |text: &str| {
        text.replace("{{name}}", name)
            .replace("{{kind}}", kind.name())
            .replace("{{module}}", &kind.name().replace('-', "_"))
            .replace("{{crate}}", &name.replace('-', "_"))
            .replace("{{world}}", world)
            .replace("{{exports}}", exports)
    };
    let mut commands: Vec<String> = template.commands.iter().map(|command| fill_in(command)).collect();
    commands.push(format!("jackfield plugins test {name}.wasm --quick"));
    commands.push("jackfield run .".to_owned());
    let fill_in_readme = |text: &str| {
        let about: String = template.about.iter().map(|part| part.text).collect();
        text.replace("{{about}}", about.trim_end())
            .replace("{{language}}", template.language)
            .replace("{{commands}}", &commands.join("\n"))
    };
    let templates = [kind.shared(), template.common, of_kind].into_iter().flatten();
    let mut files: Vec<ProjectFile> = templates
        .map(|file| ProjectFile { path: fill_in(file.target), text: fill_in(&fill_in_readme(file.text)) })
        .collect();
    files.extend(template.sdk.iter().flat_map(Vendored::files));
    Some(Project { files, commands })
}

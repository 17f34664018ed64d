//! `jackfield plugins` has the commands about plugins. This module lists and describes extensions; the other commands have modules of
//! their own.

use std::fmt::Write as _;

use clap::Subcommand;
use jackfield_loader::{ExtensionEntry, Plugin, escape_untrusted};
use jackfield_plugin_api::{Ability, Kind, Offers};
use serde_json::{Value, json};

use super::{
    exit::{Exit, print_error},
    load::print_json,
    plugin_files::PluginFiles,
    plugin_schema::described_fields,
    plugins_lock, plugins_new, plugins_replay, plugins_sign, plugins_test,
    table::table,
};
use crate::terminal::output;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the extensions that there are: the bundled ones, or those of plugin files.
    List {
        #[command(flatten)]
        files: PluginFiles,
    },
    /// Describe an extension: config, input, output, permissions, examples.
    Info {
        /// Name of the extension.
        name: String,
        #[command(flatten)]
        files: PluginFiles,
    },
    /// Create a plugin project: source, test, build, and a pipeline that runs it.
    New(plugins_new::Args),
    /// Write `jackfield.lock` beside a pipeline: the plugin files that it names, as they are now.
    Lock(plugins_lock::LockArgs),
    /// Check the plugin files of a pipeline against `jackfield.lock` and their signatures.
    Verify(plugins_lock::VerifyArgs),
    /// Show how the plugin files of a pipeline differ from `jackfield.lock`.
    Diff(plugins_lock::DiffArgs),
    /// Accept the plugin files as they are now into `jackfield.lock`.
    Update(plugins_lock::UpdateArgs),
    /// Repeat a recorded call without the host: for bug reports, and to try a fix.
    Replay(plugins_replay::ReplayArgs),
    /// Make a pair of keys to sign plugin files with.
    Keygen(plugins_sign::KeygenArgs),
    /// Sign a file: its signature goes beside it, into FILE.minisig.
    Sign(plugins_sign::SignArgs),
    /// Test whether a plugin keeps the promises of the contract.
    Test(plugins_test::Args),
}

pub(super) fn plugins(command: &Command) -> Exit {
    let result = match command {
        Command::Test(args) => return plugins_test::test(args),
        Command::List { files } => list(files),
        Command::Info { name, files } => info(name, files),
        Command::New(args) => plugins_new::new(args),
        Command::Lock(args) => plugins_lock::lock(args),
        Command::Verify(args) => plugins_lock::verify(args),
        Command::Diff(args) => plugins_lock::diff(args),
        Command::Update(args) => plugins_lock::update(args),
        Command::Replay(args) => plugins_replay::replay(args),
        Command::Keygen(args) => plugins_sign::keygen(args),
        Command::Sign(args) => plugins_sign::sign(args),
    };
    result.map_or_else(|exit| exit, |()| Exit::Success)
}

fn list(files: &PluginFiles) -> Result<(), Exit> {
    let plugins = files.load()?;
    if files.json {
        print_json(&json!({ "plugins": plugins.iter().map(plugin_json).collect::<Vec<_>>() }));
        return Ok(());
    }
    let rows = plugins.iter().flat_map(|plugin| {
        plugin.extensions.iter().map(|entry| {
            let descriptor = &entry.descriptor;
            vec![
                descriptor.name.clone(),
                descriptor.kind.to_string(),
                descriptor.version.clone(),
                plugin.alias.clone(),
                plugin.linkage.to_string(),
                descriptor.summary.clone(),
            ]
        })
    });
    output().lines(table(&["name", "kind", "version", "plugin", "form", "summary"], rows.collect()));
    Ok(())
}

fn plugin_json(plugin: &Plugin) -> Value {
    json!({
        "alias": plugin.alias,
        "form": plugin.linkage,
        "path": plugin.path,
        "sha256": plugin.digest,
        "protocol": format!("{}.{}", plugin.protocol.0, plugin.protocol.1),
        "extensions": plugin.extensions.iter().map(|entry| &*entry.descriptor).collect::<Vec<_>>(),
    })
}

fn info(name: &str, files: &PluginFiles) -> Result<(), Exit> {
    let plugins = files.load()?;
    let found: Vec<(&Plugin, &ExtensionEntry)> = plugins
        .iter()
        .flat_map(|plugin| plugin.extensions.iter().map(move |entry| (plugin, entry)))
        .filter(|(_, entry)| entry.descriptor.name == name)
        .collect();
    if found.is_empty() {
        let names: Vec<&str> =
            plugins.iter().flat_map(|plugin| &plugin.extensions).map(|entry| entry.descriptor.name.as_str()).collect();
        let hint = jackfield_pipeline::hint_for(name, "extensions", names.iter().copied());
        print_error(format!("there is no extension `{name}`"), hint);
        return Err(Exit::Usage);
    }
    for (plugin, entry) in found {
        if files.json {
            print_json(&*entry.descriptor);
        } else {
            output().lines(describe(plugin, entry));
        }
    }
    Ok(())
}

fn describe(plugin: &Plugin, entry: &ExtensionEntry) -> String {
    let descriptor = &entry.descriptor;
    // Text of the plugin is escaped, so that it cannot begin a line of its own.
    let line = |text: &str| escape_untrusted(text).into_owned();
    let version = line(&descriptor.version);
    let mut text = format!("{} {version} ({}, {})\n", line(&descriptor.name), descriptor.kind, plugin.linkage);
    let stability = serde_json::to_value(descriptor.stability).unwrap_or_default();
    let _ = writeln!(text, "{}. Stability: {}.", line(&descriptor.summary), stability.as_str().unwrap_or_default());
    if let Some(path) = &plugin.path {
        let _ = writeln!(text, "file    {}\nsha256  {}", path.display(), plugin.digest);
    }
    if let Some(languages) = descriptor.config["x-languages"].as_array() {
        let codes: Vec<_> = languages.iter().filter_map(Value::as_str).map(line).collect();
        let _ = writeln!(text, "knows the words of  {}", codes.join(", "));
    }
    if descriptor.kind == Kind::Model {
        let _ = writeln!(text, "offers  {}", line(&abilities(&descriptor.input)));
    }
    for (title, schema) in
        [("config", &descriptor.config), ("input", &descriptor.input), ("output", &descriptor.output)]
    {
        let _ = write!(text, "\n{title}\n{}", described_fields(schema));
    }
    if !descriptor.permissions.is_empty() {
        text.push_str("\npermissions asked for\n");
        for permission in &descriptor.permissions {
            let _ = writeln!(text, "  {}  {}", line(&permission.name), line(&permission.reason));
        }
    }
    for example in &descriptor.examples {
        let _ = writeln!(text, "\nexample: {}", line(&example.summary));
        for (part, value) in [("with", &example.config), ("in", &example.input), ("out", &example.output)] {
            let _ = writeln!(text, "  {part:<4} {value}");
        }
    }
    text
}

/// The abilities of a model. Of those that depend on its configuration, the key is named.
fn abilities(input: &Value) -> String {
    let offers = Offers::from_schema(input);
    let all = Ability::ALL.into_iter().filter_map(|ability| match input["x-offers"][ability.name()].as_str() {
        Some(pointer) => Some(format!("{ability} (with {} = true)", pointer.trim_start_matches('/').replace('/', "."))),
        None => offers.has(ability, &Value::Null).then(|| ability.to_string()),
    });
    all.collect::<Vec<_>>().join(", ")
}

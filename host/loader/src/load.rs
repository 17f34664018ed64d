//! Loads one plugin file, native or WebAssembly, and checks its descriptors against the contract.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use jackfield_plugin_api::{Descriptor, Extension, Instance, Kind, Result as CallResult};

use super::{
    Artifact, Dependency, Digest, ExtensionEntry, ExtensionFactory, Linkage, LoadError, Plugin, escape_untrusted,
    extractor_schemas::check_extractor,
    native,
    sandbox::{Grant, Grants, Limits, unasked},
    schema_cost::check_cost,
    tensor_shape::check_keywords,
    wasm,
};

/// How far the pipeline trusts a file.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// Whether native code may run.
    pub allow_native: bool,
    /// The digest that the file must have. Native code needs it.
    pub sha256: Option<Digest>,
    /// The digests of the libraries that a native plugin needs and that lie beside it, by their names. They are not needed if
    /// `sha256` is the [`Artifact::whole_digest`], which includes them.
    pub dependencies: BTreeMap<String, Digest>,
    /// What a sandboxed plugin may do, if it asks for it.
    pub grants: Vec<Grant>,
}

/// Loads a plugin file as the plugin `alias`.
///
/// # Errors
/// What is wrong with the file. Nothing of it was executed if the file or its digest was refused.
pub fn load(alias: &str, path: &Path, trust: &Trust) -> Result<Plugin, LoadError> {
    load_artifact(alias, &Artifact::read(path)?, trust)
}

/// Loads a plugin file that was read already. See [`load`].
///
/// # Errors
/// Those of [`load`].
pub fn load_artifact(alias: &str, artifact: &Artifact, trust: &Trust) -> Result<Plugin, LoadError> {
    let (path, bytes, digest) = (artifact.path(), artifact.bytes(), artifact.digest());
    let whole = artifact.whole_digest();
    if let Some(pinned) = &trust.sha256
        && pinned != digest
        && *pinned != whole
    {
        return Err(LoadError::Changed { path: path.to_owned(), found: digest.clone(), pinned: pinned.clone() });
    }
    let (linkage, protocol, extensions) = match artifact.linkage() {
        Some(linkage @ Linkage::Native) => {
            if !(trust.allow_native && trust.sha256.is_some()) {
                let pinned = trust.sha256.is_some();
                return Err(LoadError::NotAllowed { path: path.to_owned(), digest: digest.clone(), pinned });
            }
            if trust.sha256.as_ref() == Some(digest) {
                check_dependencies(artifact, &trust.dependencies)?;
            }
            let loaded = native::load(alias, artifact)?;
            (
                linkage,
                loaded.protocol,
                loaded.extensions.into_iter().map(|extension| unsandboxed(alias, extension)).collect(),
            )
        }
        Some(linkage) => {
            let loaded = wasm::load(alias, &trust.grants, path, bytes, digest)?;
            (linkage, loaded.protocol, loaded.extensions)
        }
        None => return Err(LoadError::NotAPlugin { path: path.to_owned(), found: kind_of_file(bytes) }),
    };
    let extensions = check_descriptors(path, extensions)?;
    let descriptors: Vec<&Descriptor> = extensions.iter().map(|entry| &*entry.descriptor).collect();
    let in_backticks = |texts: Vec<String>| texts.iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(", ");
    let unasked = unasked(&trust.grants, &descriptors);
    if !unasked.is_empty() {
        let asked: BTreeSet<&str> = descriptors
            .iter()
            .flat_map(|descriptor| &descriptor.permissions)
            .map(|asked| asked.name.as_str())
            .collect();
        let asked = asked.into_iter().map(|name| escape_untrusted(name).into_owned()).collect();
        let granted = in_backticks(unasked.iter().map(ToString::to_string).collect());
        return Err(LoadError::Unasked { path: path.to_owned(), granted, asked: in_backticks(asked) });
    }
    Ok(Plugin { alias: alias.to_owned(), linkage, path: Some(path.to_owned()), digest: whole, protocol, extensions })
}

/// Compares the libraries that a native plugin needs with their pins.
///
/// # Errors
/// If one is not pinned or differs from its pin, or if a pin names a library that is not needed.
pub(super) fn check_dependencies(artifact: &Artifact, pinned: &BTreeMap<String, Digest>) -> Result<(), LoadError> {
    let pins: Vec<String> = artifact
        .dependencies()
        .iter()
        .map(|dependency| format!("\"{}\" = \"{}\"", escape_untrusted(&dependency.name), dependency.digest))
        .collect();
    let pins = pins.join(", ");
    for Dependency { name, path, digest, .. } in artifact.dependencies() {
        let shown = escape_untrusted(name);
        match pinned.get(name) {
            Some(pin) if pin == digest => {}
            Some(pin) => {
                return Err(LoadError::Dependency {
                    path: path.clone(),
                    what: format!("has sha256 {digest}, and {pin} is pinned for `{shown}`"),
                    fix: format!("if the change is yours, pin what is there: dependencies = {{ {pins} }}"),
                });
            }
            None => {
                return Err(LoadError::Dependency {
                    path: artifact.path().to_owned(),
                    what: format!("needs `{shown}`, which is neither a library of this system nor pinned"),
                    fix: format!("if you trust what is beside it, add to its entry: dependencies = {{ {pins} }}"),
                });
            }
        }
    }
    let is_needed = |name: &String| artifact.dependencies().iter().any(|dependency| dependency.name == *name);
    match pinned.keys().find(|name| !is_needed(name)) {
        Some(name) => Err(LoadError::Dependency {
            path: artifact.path().to_owned(),
            what: format!(
                "does not load `{}`, which is pinned: it is not beside it, is a library of the system, or is not needed",
                escape_untrusted(name)
            ),
            fix: "put the library beside the plugin, or leave the pin out".to_owned(),
        }),
        None => Ok(()),
    }
}

/// The entry of an extension that runs in this process, outside the sandbox.
pub(super) fn unsandboxed(alias: &str, extension: Arc<dyn Extension>) -> ExtensionEntry {
    let descriptor = Arc::new(extension.descriptor().clone());
    let grants = Arc::new(Grants::all(alias, &descriptor));
    ExtensionEntry { descriptor, factory: Arc::new(Unsandboxed(extension)), grants }
}

struct Unsandboxed(Arc<dyn Extension>);

impl ExtensionFactory for Unsandboxed {
    fn open(&self, config: &str, _limits: &Limits) -> CallResult<Arc<dyn Instance>> {
        self.0.open(config)
    }
}

/// Checks the descriptors of a file against the contract, and sorts them.
fn check_descriptors(path: &Path, mut extensions: Vec<ExtensionEntry>) -> Result<Vec<ExtensionEntry>, LoadError> {
    let wrong =
        |what: String| LoadError::Descriptor { path: path.to_owned(), what: escape_untrusted(&what).into_owned() };
    if extensions.is_empty() {
        return Err(wrong("it offers nothing that this host knows".to_owned()));
    }
    extensions.sort_by(|a, b| key(&a.descriptor).cmp(&key(&b.descriptor)));
    for entry in &extensions {
        check_descriptor(&entry.descriptor).map_err(wrong)?;
    }
    if let Some(pair) = extensions.windows(2).find(|pair| key(&pair[0].descriptor) == key(&pair[1].descriptor)) {
        let (kind, name) = key(&pair[0].descriptor);
        return Err(wrong(format!("it offers the {kind} `{name}` twice")));
    }
    Ok(extensions)
}

fn key(descriptor: &Descriptor) -> (Kind, &str) {
    (descriptor.kind, &descriptor.name)
}

fn check_descriptor(descriptor: &Descriptor) -> Result<(), String> {
    let Descriptor { kind, name, .. } = descriptor;
    let fits = !name.is_empty()
        && name.len() <= 64
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !fits {
        return Err(format!(
            "`{name}` is not a name for an extension (lower-case letters, digits and hyphens, at most 64)"
        ));
    }
    for (what, schema) in [("config", &descriptor.config), ("input", &descriptor.input), ("output", &descriptor.output)]
    {
        valid_schema(schema)
            .map_err(|error| format!("the {what} schema of the {kind} `{name}` is not a JSON Schema: {error}"))?;
        check_keywords(schema)
            .map_err(|error| format!("the {what} schema of the {kind} `{name}` is wrong: {error}"))?;
    }
    if *kind == Kind::DirectionExtractor { check_extractor(descriptor) } else { Ok(()) }
}

fn valid_schema(schema: &serde_json::Value) -> Result<(), String> {
    check_cost(schema)?;
    jsonschema::validator_for(schema).map(|_| ()).map_err(|error| error.to_string())
}

/// What a file is that is not a plugin, as a sentence.
fn kind_of_file(bytes: &[u8]) -> String {
    match bytes {
        [] => "it is empty".to_owned(),
        [b'M', b'Z', ..] => "it is a Windows program or library".to_owned(),
        [0xcf, 0xfa, 0xed, 0xfe, ..] | [0xca, 0xfe, 0xba, 0xbe, ..] => "it is a macOS library".to_owned(),
        [b'P', b'K', ..] => "it is a zip archive".to_owned(),
        [b'!', b'<', b'a', b'r', b'c', b'h', b'>', ..] => "it is a static library".to_owned(),
        _ if std::str::from_utf8(&bytes[..bytes.len().min(4096)]).is_ok() => "it is text".to_owned(),
        _ => "it is neither a native library nor a WebAssembly component".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use jackfield_plugin_api::{Failure, Stability};
    use serde_json::{Value, json};

    use super::*;

    /// Nothing is ever run here.
    struct Never;

    impl ExtensionFactory for Never {
        fn open(&self, _config: &str, _limits: &Limits) -> CallResult<Arc<dyn Instance>> {
            Err(Failure::Internal("never opened".to_owned()))
        }
    }

    fn load_error(kind: Kind, input: Value, output: Value) -> String {
        let descriptor = Descriptor {
            kind,
            name: "mine".to_owned(),
            version: "1.0.0".to_owned(),
            summary: String::new(),
            config: json!({}),
            input,
            output,
            permissions: Vec::new(),
            examples: Vec::new(),
            stability: Stability::Experimental,
        };
        let entry =
            ExtensionEntry { descriptor: Arc::new(descriptor), factory: Arc::new(Never), grants: Arc::default() };
        check_descriptors(Path::new("mine.wasm"), vec![entry]).err().map_or_else(String::new, |error| error.to_string())
    }

    #[test]
    fn schemas_that_are_wrong_about_tensors_are_reported_when_a_file_is_loaded() {
        let bad = json!({ "x-tensor": { "shape": "d" } });
        let all = [
            load_error(Kind::Analyzer, json!(true), bad.clone()),
            load_error(Kind::Model, bad, json!(true)),
            load_error(Kind::DirectionExtractor, json!(true), json!(true)),
        ];
        insta::assert_snapshot!(all.join("\n"), @r"
        `mine.wasm` describes itself wrongly: the output schema of the analyzer `mine` is wrong: an `x-tensor` has a `shape` that is not a list
        `mine.wasm` describes itself wrongly: the input schema of the model `mine` is wrong: an `x-tensor` has a `shape` that is not a list
        `mine.wasm` describes itself wrongly: the direction-extractor `mine` reads no `positive`: its schema has to list that field, a tensor[prompts, layers, d]
        ");
        assert_eq!(load_error(Kind::Analyzer, json!({ "x-tensor": {} }), json!(true)), "");
    }
}

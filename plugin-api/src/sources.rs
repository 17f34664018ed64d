//! The texts of this crate, of its macros, and of the packages for other languages: whoever makes a new project for a plugin
//! author puts them into it, so that the project needs no checkout of Jackfield.

/// A file that a project may carry.
#[derive(Clone, Copy, Debug)]
pub struct SourceFile {
    /// Its path below the folder of this crate, such as `python/jackfield/host.py`; that of a file of the macros begins with
    /// `macros/`. Manifests are not among the files: they take versions from a workspace that a project does not have.
    pub path: &'static str,
    /// What it holds.
    pub text: &'static str,
}

/// Files below the folder of this crate.
macro_rules! source_files {
    ($($path:literal),* $(,)?) => {
        &[$(SourceFile { path: $path, text: include_str!(concat!("../", $path)) }),*]
    };
}

/// The files of this crate and of the packages for other languages.
const FILES: &[SourceFile] = source_files!(
    "c/bindings/plugin.c",
    "c/bindings/plugin.h",
    "c/component.c",
    "c/fields.c",
    "c/format.c",
    "c/internal.h",
    "c/jackfield.c",
    "c/jackfield.h",
    "c/json.c",
    "c/json.h",
    "c/json_number.c",
    "c/json_read.c",
    "c/json_write.c",
    "c/models.c",
    "c/plugin.c",
    "c/tensors.c",
    "c/testing.c",
    "c/testing.h",
    "javascript/component.d.ts",
    "javascript/component.js",
    "javascript/contract.js",
    "javascript/failures.js",
    "javascript/globals.js",
    "javascript/host.js",
    "javascript/jackfield.d.ts",
    "javascript/jackfield.js",
    "javascript/models.js",
    "javascript/plugin.js",
    "javascript/random.js",
    "javascript/routing.js",
    "javascript/schema.js",
    "javascript/tensors.js",
    "javascript/testing.d.ts",
    "javascript/testing.js",
    "javascript/utf8.js",
    "python/jackfield/__init__.py",
    "python/jackfield/caches.py",
    "python/jackfield/component.py",
    "python/jackfield/contract.py",
    "python/jackfield/directions.py",
    "python/jackfield/documents.py",
    "python/jackfield/extensions.py",
    "python/jackfield/failures.py",
    "python/jackfield/host.py",
    "python/jackfield/models.py",
    "python/jackfield/plugin.py",
    "python/jackfield/policies.py",
    "python/jackfield/rng.py",
    "python/jackfield/routing.py",
    "python/jackfield/sandbox.py",
    "python/jackfield/schema.py",
    "python/jackfield/tensors.py",
    "python/jackfield/testing.py",
    "src/analyzer.rs",
    "src/answer_text.rs",
    "src/by_name.rs",
    "src/cache.rs",
    "src/cache_value.rs",
    "src/calls.rs",
    "src/catch_panic.rs",
    "src/completion.rs",
    "src/completion_request.rs",
    "src/config.rs",
    "src/descriptor.rs",
    "src/direction.rs",
    "src/document.rs",
    "src/export.rs",
    "src/extension.rs",
    "src/failure.rs",
    "src/file.rs",
    "src/hex.rs",
    "src/host.rs",
    "src/host_calls.rs",
    "src/http.rs",
    "src/lib.rs",
    "src/memory.rs",
    "src/model.rs",
    "src/native/abi.rs",
    "src/native/attach.rs",
    "src/native/attach_cache.rs",
    "src/native/guest.rs",
    "src/native/guest_cache.rs",
    "src/native/logs.rs",
    "src/native/mod.rs",
    "src/native/note.rs",
    "src/offers.rs",
    "src/policy.rs",
    "src/policy_by_documents.rs",
    "src/prelude.rs",
    "src/rng.rs",
    "src/routing.rs",
    "src/search.rs",
    "src/search_policy.rs",
    "src/search_state.rs",
    "src/sources.rs",
    "src/space.rs",
    "src/sync.rs",
    "src/tensors.rs",
    "src/testing.rs",
    "src/wasm.rs",
    "wit/cache-plugin.wit",
    "wit/plugin.wit",
    "wit-javascript/javascript-plugin.wit",
);

/// The files of the crate of macros, which knows its own.
const MACROS: &[SourceFile] = &jackfield_plugin_macros::sources!(SourceFile);

/// Every file.
pub fn source_files() -> impl Iterator<Item = &'static SourceFile> {
    FILES.iter().chain(MACROS)
}

/// What a file holds; none if there is no such file.
#[must_use]
pub fn source_text(path: &str) -> Option<&'static str> {
    source_files().find(|file| file.path == path).map(|file| file.text)
}

//! Rust: a component, a native library, or linked in.

use crate::plugins_new::template::{Embedded, Kind, Template, embedded};

pub(super) static TEMPLATE: Template = Template {
    language: "Rust",
    common: embedded!("templates/rust/":
        "build" => "build",
        "cargo-config.toml" => ".cargo/config.toml",
        "gitignore" => ".gitignore",
        "manifest.toml" => "Cargo.toml",
        "rustfmt.toml" => "rustfmt.toml",
    ),
    kinds: &[
        (
            Kind::Analyzer,
            embedded!("templates/rust/analyzer/":
                "lib.rs" => "src/lib.rs",
            ),
        ),
        (
            Kind::Model,
            embedded!("templates/rust/model/":
                "lib.rs" => "src/lib.rs",
            ),
        ),
        (
            Kind::CacheBackend,
            embedded!("templates/rust/cache-backend/":
                "lib.rs" => "src/lib.rs",
            ),
        ),
        (
            Kind::RoutingPolicy,
            embedded!("templates/rust/routing-policy/":
                "lib.rs" => "src/lib.rs",
            ),
        ),
        (
            Kind::DirectionExtractor,
            embedded!("templates/rust/direction-extractor/":
                "lib.rs" => "src/lib.rs",
            ),
        ),
    ],
    sdk: &[CRATE, MACROS],
    about: embedded!("templates/rust/": "about.md" => "README.md"),
    commands: &["cargo test", "./build"],
};

static CRATE: &[Embedded] = embedded!("../../plugin-api/":
    "Cargo.toml" => "vendor/jackfield-plugin-api/Cargo.toml",
    "src/analyzer.rs" => "vendor/jackfield-plugin-api/src/analyzer.rs",
    "src/by_name.rs" => "vendor/jackfield-plugin-api/src/by_name.rs",
    "src/cache.rs" => "vendor/jackfield-plugin-api/src/cache.rs",
    "src/cache_value.rs" => "vendor/jackfield-plugin-api/src/cache_value.rs",
    "src/calls.rs" => "vendor/jackfield-plugin-api/src/calls.rs",
    "src/catch_panic.rs" => "vendor/jackfield-plugin-api/src/catch_panic.rs",
    "src/completion.rs" => "vendor/jackfield-plugin-api/src/completion.rs",
    "src/completion_request.rs" => "vendor/jackfield-plugin-api/src/completion_request.rs",
    "src/config.rs" => "vendor/jackfield-plugin-api/src/config.rs",
    "src/descriptor.rs" => "vendor/jackfield-plugin-api/src/descriptor.rs",
    "src/direction.rs" => "vendor/jackfield-plugin-api/src/direction.rs",
    "src/document.rs" => "vendor/jackfield-plugin-api/src/document.rs",
    "src/export.rs" => "vendor/jackfield-plugin-api/src/export.rs",
    "src/extension.rs" => "vendor/jackfield-plugin-api/src/extension.rs",
    "src/failure.rs" => "vendor/jackfield-plugin-api/src/failure.rs",
    "src/file.rs" => "vendor/jackfield-plugin-api/src/file.rs",
    "src/hex.rs" => "vendor/jackfield-plugin-api/src/hex.rs",
    "src/host.rs" => "vendor/jackfield-plugin-api/src/host.rs",
    "src/host_calls.rs" => "vendor/jackfield-plugin-api/src/host_calls.rs",
    "src/http.rs" => "vendor/jackfield-plugin-api/src/http.rs",
    "src/lib.rs" => "vendor/jackfield-plugin-api/src/lib.rs",
    "src/memory.rs" => "vendor/jackfield-plugin-api/src/memory.rs",
    "src/model.rs" => "vendor/jackfield-plugin-api/src/model.rs",
    "src/native/abi.rs" => "vendor/jackfield-plugin-api/src/native/abi.rs",
    "src/native/attach.rs" => "vendor/jackfield-plugin-api/src/native/attach.rs",
    "src/native/attach_cache.rs" => "vendor/jackfield-plugin-api/src/native/attach_cache.rs",
    "src/native/guest.rs" => "vendor/jackfield-plugin-api/src/native/guest.rs",
    "src/native/guest_cache.rs" => "vendor/jackfield-plugin-api/src/native/guest_cache.rs",
    "src/native/logs.rs" => "vendor/jackfield-plugin-api/src/native/logs.rs",
    "src/native/mod.rs" => "vendor/jackfield-plugin-api/src/native/mod.rs",
    "src/native/note.rs" => "vendor/jackfield-plugin-api/src/native/note.rs",
    "src/offers.rs" => "vendor/jackfield-plugin-api/src/offers.rs",
    "src/policy.rs" => "vendor/jackfield-plugin-api/src/policy.rs",
    "src/policy_by_documents.rs" => "vendor/jackfield-plugin-api/src/policy_by_documents.rs",
    "src/prelude.rs" => "vendor/jackfield-plugin-api/src/prelude.rs",
    "src/rng.rs" => "vendor/jackfield-plugin-api/src/rng.rs",
    "src/routing.rs" => "vendor/jackfield-plugin-api/src/routing.rs",
    "src/search.rs" => "vendor/jackfield-plugin-api/src/search.rs",
    "src/search_policy.rs" => "vendor/jackfield-plugin-api/src/search_policy.rs",
    "src/search_state.rs" => "vendor/jackfield-plugin-api/src/search_state.rs",
    "src/space.rs" => "vendor/jackfield-plugin-api/src/space.rs",
    "src/sync.rs" => "vendor/jackfield-plugin-api/src/sync.rs",
    "src/tensors.rs" => "vendor/jackfield-plugin-api/src/tensors.rs",
    "src/testing.rs" => "vendor/jackfield-plugin-api/src/testing.rs",
    "src/wasm.rs" => "vendor/jackfield-plugin-api/src/wasm.rs",
    "wit/cache-plugin.wit" => "vendor/jackfield-plugin-api/wit/cache-plugin.wit",
    "wit/plugin.wit" => "vendor/jackfield-plugin-api/wit/plugin.wit",
);

static MACROS: &[Embedded] = embedded!("../../plugin-api/macros/":
    "Cargo.toml" => "vendor/jackfield-plugin-api/macros/Cargo.toml",
    "src/lib.rs" => "vendor/jackfield-plugin-api/macros/src/lib.rs",
    "src/shadow.rs" => "vendor/jackfield-plugin-api/macros/src/shadow.rs",
);

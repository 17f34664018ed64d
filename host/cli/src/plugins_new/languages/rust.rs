//! Rust: a component, a native library, or linked in.

use crate::plugins_new::template::{Kind, Template, Vendored, embedded};

pub(super) static TEMPLATE: Template = Template {
    language: "Rust",
    common: embedded!("templates/rust/":
        "build" => "build",
        "cargo-config.toml" => ".cargo/config.toml",
        "gitignore" => ".gitignore",
        "manifest.toml" => "Cargo.toml",
        "rustfmt.toml" => "rustfmt.toml",
        "vendor/macros.toml" => "vendor/jackfield-plugin-api/macros/Cargo.toml",
        "vendor/plugin-api.toml" => "vendor/jackfield-plugin-api/Cargo.toml",
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
    sdk: &[
        Vendored { from: "src/", to: "vendor/jackfield-plugin-api/src/" },
        Vendored { from: "macros/", to: "vendor/jackfield-plugin-api/macros/" },
        Vendored { from: "wit/", to: "vendor/jackfield-plugin-api/wit/" },
    ],
    about: embedded!("templates/rust/": "about.md" => "README.md"),
    commands: &["cargo test", "./build"],
};

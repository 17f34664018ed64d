//! JavaScript: QuickJS in WebAssembly, by componentize-qjs.

use crate::plugins_new::template::{Kind, Template, Vendored, WIT, embedded};

pub(super) static TEMPLATE: Template = Template {
    language: "JavaScript",
    common: embedded!("templates/javascript/":
        "component.js" => "component.js",
        "gitignore" => ".gitignore",
        "package.json" => "package.json",
    ),
    kinds: &[
        (
            Kind::Analyzer,
            embedded!("templates/javascript/analyzer/":
                "analyzer.js" => "analyzer.js",
                "analyzer.test.js" => "analyzer.test.js",
            ),
        ),
        (
            Kind::Model,
            embedded!("templates/javascript/model/":
                "model.js" => "model.js",
                "model.test.js" => "model.test.js",
            ),
        ),
        (
            Kind::CacheBackend,
            embedded!("templates/javascript/cache-backend/":
                "cache-backend.js" => "cache-backend.js",
                "cache-backend.test.js" => "cache-backend.test.js",
            ),
        ),
        (
            Kind::RoutingPolicy,
            embedded!("templates/javascript/routing-policy/":
                "routing-policy.js" => "routing-policy.js",
                "routing-policy.test.js" => "routing-policy.test.js",
            ),
        ),
        (
            Kind::DirectionExtractor,
            embedded!("templates/javascript/direction-extractor/":
                "direction-extractor.js" => "direction-extractor.js",
                "direction-extractor.test.js" => "direction-extractor.test.js",
            ),
        ),
    ],
    sdk: &[MODULES, WIT, WORLDS],
    about: embedded!("templates/javascript/": "about.md" => "README.md"),
    commands: &["npm install", "npm test", "npm run build"],
};

pub(super) const MODULES: Vendored = Vendored { from: "javascript/", to: "vendor/jackfield/" };

/// The worlds that components in JavaScript are built for: those of the contract, and what QuickJS lacks of WASI.
pub(super) const WORLDS: Vendored = Vendored { from: "wit-javascript/", to: "vendor/wit/" };

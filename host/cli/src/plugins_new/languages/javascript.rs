//! JavaScript: QuickJS in WebAssembly, by componentize-qjs.

use crate::plugins_new::template::{Embedded, Kind, Template, WIT, embedded};

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
    sdk: &[MODULES, WIT],
    about: embedded!("templates/javascript/": "about.md" => "README.md"),
    commands: &["npm install", "npm test", "npm run build"],
};

pub(super) static MODULES: &[Embedded] = embedded!("../../plugin-api/javascript/":
    "component.d.ts" => "vendor/jackfield/component.d.ts",
    "component.js" => "vendor/jackfield/component.js",
    "contract.js" => "vendor/jackfield/contract.js",
    "failures.js" => "vendor/jackfield/failures.js",
    "host.js" => "vendor/jackfield/host.js",
    "jackfield.d.ts" => "vendor/jackfield/jackfield.d.ts",
    "jackfield.js" => "vendor/jackfield/jackfield.js",
    "models.js" => "vendor/jackfield/models.js",
    "plugin.js" => "vendor/jackfield/plugin.js",
    "random.js" => "vendor/jackfield/random.js",
    "routing.js" => "vendor/jackfield/routing.js",
    "schema.js" => "vendor/jackfield/schema.js",
    "tensors.js" => "vendor/jackfield/tensors.js",
    "testing.d.ts" => "vendor/jackfield/testing.d.ts",
    "testing.js" => "vendor/jackfield/testing.js",
    "utf8.js" => "vendor/jackfield/utf8.js",
);

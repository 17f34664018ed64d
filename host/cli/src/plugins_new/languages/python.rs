//! Python: CPython in WebAssembly, by componentize-py.

use crate::plugins_new::template::{Embedded, Kind, Template, WIT, embedded};

pub(super) static TEMPLATE: Template = Template {
    language: "Python",
    common: embedded!("templates/python/":
        "build" => "build",
        "gitignore" => ".gitignore",
        "pyproject.toml" => "pyproject.toml",
    ),
    kinds: &[
        (
            Kind::Analyzer,
            embedded!("templates/python/analyzer/":
                "analyzer.py" => "analyzer.py",
                "test_analyzer.py" => "test_analyzer.py",
            ),
        ),
        (
            Kind::Model,
            embedded!("templates/python/model/":
                "model.py" => "model.py",
                "test_model.py" => "test_model.py",
            ),
        ),
        (
            Kind::CacheBackend,
            embedded!("templates/python/cache-backend/":
                "cache_backend.py" => "cache_backend.py",
                "test_cache_backend.py" => "test_cache_backend.py",
            ),
        ),
        (
            Kind::RoutingPolicy,
            embedded!("templates/python/routing-policy/":
                "routing_policy.py" => "routing_policy.py",
                "test_routing_policy.py" => "test_routing_policy.py",
            ),
        ),
        (
            Kind::DirectionExtractor,
            embedded!("templates/python/direction-extractor/":
                "direction_extractor.py" => "direction_extractor.py",
                "test_direction_extractor.py" => "test_direction_extractor.py",
            ),
        ),
    ],
    sdk: &[PACKAGE, WIT],
    about: embedded!("templates/python/": "about.md" => "README.md"),
    commands: &["PYTHONPATH=vendor python3 -m unittest", "./build"],
};

static PACKAGE: &[Embedded] = embedded!("../../plugin-api/python/jackfield/":
    "__init__.py" => "vendor/jackfield/__init__.py",
    "caches.py" => "vendor/jackfield/caches.py",
    "component.py" => "vendor/jackfield/component.py",
    "contract.py" => "vendor/jackfield/contract.py",
    "directions.py" => "vendor/jackfield/directions.py",
    "documents.py" => "vendor/jackfield/documents.py",
    "extensions.py" => "vendor/jackfield/extensions.py",
    "failures.py" => "vendor/jackfield/failures.py",
    "host.py" => "vendor/jackfield/host.py",
    "models.py" => "vendor/jackfield/models.py",
    "plugin.py" => "vendor/jackfield/plugin.py",
    "policies.py" => "vendor/jackfield/policies.py",
    "rng.py" => "vendor/jackfield/rng.py",
    "routing.py" => "vendor/jackfield/routing.py",
    "schema.py" => "vendor/jackfield/schema.py",
    "tensors.py" => "vendor/jackfield/tensors.py",
    "testing.py" => "vendor/jackfield/testing.py",
);

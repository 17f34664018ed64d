//! Python: CPython in WebAssembly, by componentize-py.

use crate::plugins_new::template::{Kind, Template, Vendored, WIT, embedded};

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
    sdk: &[Vendored { from: "python/jackfield/", to: "vendor/jackfield/" }, WIT],
    about: embedded!("templates/python/": "about.md" => "README.md"),
    commands: &["PYTHONPATH=vendor python3 -m unittest", "./build"],
};

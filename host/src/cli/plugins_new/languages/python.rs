//! Python: CPython in WebAssembly, by componentize-py.

use crate::cli::plugins_new::template::{Embedded, Template, WIT, embedded};

pub(super) static TEMPLATE: Template = Template {
    language: "Python",
    common: embedded!("templates/python/":
        "build" => "build",
        "gitignore" => ".gitignore",
        "pyproject.toml" => "pyproject.toml",
    ),
    analyzer: embedded!("templates/python/analyzer/":
        "analyzer.py" => "analyzer.py",
        "test_analyzer.py" => "test_analyzer.py",
    ),
    model: embedded!("templates/python/model/":
        "model.py" => "model.py",
        "test_model.py" => "test_model.py",
    ),
    sdk: &[PACKAGE, WIT],
    about: embedded!("templates/python/": "about.md" => "README.md"),
    commands: &["PYTHONPATH=vendor python3 -m unittest", "./build"],
};

static PACKAGE: &[Embedded] = embedded!("../plugin-api/python/jackfield/":
    "__init__.py" => "vendor/jackfield/__init__.py",
    "component.py" => "vendor/jackfield/component.py",
    "documents.py" => "vendor/jackfield/documents.py",
    "extensions.py" => "vendor/jackfield/extensions.py",
    "failures.py" => "vendor/jackfield/failures.py",
    "host.py" => "vendor/jackfield/host.py",
    "models.py" => "vendor/jackfield/models.py",
    "plugin.py" => "vendor/jackfield/plugin.py",
    "rng.py" => "vendor/jackfield/rng.py",
    "schema.py" => "vendor/jackfield/schema.py",
    "testing.py" => "vendor/jackfield/testing.py",
);

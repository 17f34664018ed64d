//! C: compiled by clang or Zig, made a component by Rust's linker.

use crate::plugins_new::template::{Embedded, Kind, Template, WIT, embedded};

pub(super) static TEMPLATE: Template = Template {
    language: "C",
    common: embedded!("templates/c/":
        "build" => "build",
        "gitignore" => ".gitignore",
        "test" => "test",
    ),
    kinds: &[
        (
            Kind::Analyzer,
            embedded!("templates/c/analyzer/":
                "analyzer.c" => "analyzer.c",
                "analyzer.h" => "analyzer.h",
                "analyzer_test.c" => "analyzer_test.c",
            ),
        ),
        (
            Kind::Model,
            embedded!("templates/c/model/":
                "model.c" => "model.c",
                "model.h" => "model.h",
                "model_test.c" => "model_test.c",
            ),
        ),
    ],
    sdk: &[SOURCES, WIT],
    about: embedded!("templates/c/": "about.md" => "README.md"),
    commands: &["./test", "./build"],
};

static SOURCES: &[Embedded] = embedded!("../../plugin-api/c/":
    "bindings/plugin.c" => "vendor/jackfield/bindings/plugin.c",
    "bindings/plugin.h" => "vendor/jackfield/bindings/plugin.h",
    "component.c" => "vendor/jackfield/component.c",
    "fields.c" => "vendor/jackfield/fields.c",
    "format.c" => "vendor/jackfield/format.c",
    "internal.h" => "vendor/jackfield/internal.h",
    "jackfield.c" => "vendor/jackfield/jackfield.c",
    "jackfield.h" => "vendor/jackfield/jackfield.h",
    "json.c" => "vendor/jackfield/json.c",
    "json.h" => "vendor/jackfield/json.h",
    "json_number.c" => "vendor/jackfield/json_number.c",
    "json_read.c" => "vendor/jackfield/json_read.c",
    "json_write.c" => "vendor/jackfield/json_write.c",
    "models.c" => "vendor/jackfield/models.c",
    "plugin.c" => "vendor/jackfield/plugin.c",
    "tensors.c" => "vendor/jackfield/tensors.c",
    "testing.c" => "vendor/jackfield/testing.c",
    "testing.h" => "vendor/jackfield/testing.h",
);

//! C: compiled by clang or Zig, made a component by Rust's linker.

use crate::plugins_new::template::{Kind, Template, Vendored, WIT, embedded};

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
    sdk: &[Vendored { from: "c/", to: "vendor/jackfield/" }, WIT],
    about: embedded!("templates/c/": "about.md" => "README.md"),
    commands: &["./test", "./build"],
};

//! TypeScript: compiled to JavaScript, and then as that.

use super::javascript::{MODULES, WORLDS};
use crate::plugins_new::template::{Kind, Template, WIT, embedded};

pub(super) static TEMPLATE: Template = Template {
    language: "TypeScript",
    common: embedded!("templates/typescript/":
        "component.ts" => "src/component.ts",
        "gitignore" => ".gitignore",
        "package.json" => "package.json",
        "tsconfig.json" => "tsconfig.json",
    ),
    kinds: &[
        (
            Kind::Analyzer,
            embedded!("templates/typescript/analyzer/":
                "analyzer.test.ts" => "src/analyzer.test.ts",
                "analyzer.ts" => "src/analyzer.ts",
            ),
        ),
        (
            Kind::Model,
            embedded!("templates/typescript/model/":
                "model.test.ts" => "src/model.test.ts",
                "model.ts" => "src/model.ts",
            ),
        ),
    ],
    sdk: &[MODULES, WIT, WORLDS],
    about: embedded!("templates/typescript/": "about.md" => "README.md"),
    commands: &["npm install", "npm test", "npm run build"],
};

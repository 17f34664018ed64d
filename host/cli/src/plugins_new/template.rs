//! The parts that projects of plugins are made of: kinds, languages, and the files that the program carries for them.

use clap::ValueEnum;
use jackfield_plugin_api::sources::source_files;

use super::project_file::ProjectFile;

/// Kinds to choose from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    /// Answers one document per document.
    Analyzer,
    /// Answers prompts.
    Model,
    /// Keeps values for a while.
    CacheBackend,
    /// Picks the arm that a stage runs with.
    RoutingPolicy,
    /// Finds what sets two sets of hidden states apart.
    DirectionExtractor,
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Analyzer => "analyzer",
            Self::Model => "model",
            Self::CacheBackend => "cache-backend",
            Self::RoutingPolicy => "routing-policy",
            Self::DirectionExtractor => "direction-extractor",
        }
    }

    /// What every project of the kind has: the README and the pipeline.
    pub(super) const fn shared(self) -> &'static [Embedded] {
        match self {
            Self::Analyzer => ANALYZER,
            Self::Model => MODEL,
            Self::CacheBackend => CACHE_BACKEND,
            Self::RoutingPolicy => ROUTING_POLICY,
            Self::DirectionExtractor => DIRECTION_EXTRACTOR,
        }
    }

    /// The world that a component of the kind is built for, and the interfaces that it exports, as JavaScript names them.
    pub(super) const fn world(self) -> (&'static str, &'static str) {
        match self {
            Self::CacheBackend => ("cache-plugin", "meta, extension, cacheBackend"),
            _ => ("plugin", "meta, extension"),
        }
    }
}

/// Languages to choose from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Lang {
    /// Compiled: a component, a native library, or linked in.
    Rust,
    /// Runs on CPython, which the component holds.
    Python,
    /// Runs on QuickJS, which the component holds.
    Javascript,
    /// As JavaScript, with types that are checked.
    Typescript,
    /// Compiled by clang or Zig.
    C,
}

/// A file that the program carries.
pub(super) struct Embedded {
    /// Where it comes from, below the folder of this crate.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests compare it with what is there"))]
    pub(super) source: &'static str,
    /// Where it goes, below the project's folder.
    pub(super) target: &'static str,
    /// What it holds.
    pub(super) text: &'static str,
}

/// `embedded!("FOLDER/": "SOURCE" => "TARGET", …)`: files of a folder below that of this crate.
macro_rules! embedded {
    ($folder:literal: $($source:literal => $target:literal),* $(,)?) => {
        &[$($crate::plugins_new::template::Embedded {
            source: concat!($folder, $source),
            target: $target,
            text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/", $folder, $source)),
        }),*]
    };
}
pub(super) use embedded;

/// The files of a language.
pub(super) struct Template {
    /// What the language is called.
    pub(super) language: &'static str,
    /// What belongs to a project of any kind.
    pub(super) common: &'static [Embedded],
    /// What belongs to a project of each kind that there is one for.
    pub(super) kinds: &'static [(Kind, &'static [Embedded])],
    /// All that a plugin is made with, so that a project needs no checkout of Jackfield.
    pub(super) sdk: &'static [Vendored],
    /// What the README says of the language's files and tools.
    pub(super) about: &'static [Embedded],
    /// What tests and builds a project.
    pub(super) commands: &'static [&'static str],
}

const ANALYZER: &[Embedded] =
    embedded!("templates/analyzer/": "README.md" => "README.md", "pipeline.toml" => "pipeline.toml");
const MODEL: &[Embedded] =
    embedded!("templates/model/": "README.md" => "README.md", "pipeline.toml" => "pipeline.toml");
const CACHE_BACKEND: &[Embedded] =
    embedded!("templates/cache-backend/": "README.md" => "README.md", "pipeline.toml" => "pipeline.toml");
const ROUTING_POLICY: &[Embedded] =
    embedded!("templates/routing-policy/": "README.md" => "README.md", "pipeline.toml" => "pipeline.toml");
const DIRECTION_EXTRACTOR: &[Embedded] =
    embedded!("templates/direction-extractor/": "README.md" => "README.md", "pipeline.toml" => "pipeline.toml");

/// Files of the plugin API that a project carries, as they are.
pub(super) struct Vendored {
    /// How their paths in the plugin API begin.
    pub(super) from: &'static str,
    /// What stands in place of that in the project.
    pub(super) to: &'static str,
}

impl Vendored {
    /// The files in a project.
    pub(super) fn files(&self) -> impl Iterator<Item = ProjectFile> {
        source_files().filter_map(|file| {
            let rest = file.path.strip_prefix(self.from)?;
            Some(ProjectFile { path: format!("{}{rest}", self.to), text: file.text.to_owned() })
        })
    }
}

/// The contract, for languages whose tools read it.
pub(super) const WIT: Vendored = Vendored { from: "wit/", to: "vendor/wit/" };

//! What a component uses of WebAssembly that this host does not have. Such a component is whole: it was built for another host,
//! and its author is told what to build it without.

use wasmparser::{Parser, Payload, Validator, WasmFeatures};

use crate::escape_untrusted;

/// An extension of WebAssembly that this host does not have.
struct Proposal {
    features: WasmFeatures,
    /// What follows `needs`.
    name: &'static str,
    /// How to build without it.
    fix: &'static str,
}

/// Extensions that need others come before these.
const PROPOSALS: &[Proposal] = &[
    Proposal {
        features: WasmFeatures::SHARED_EVERYTHING_THREADS,
        name: "shared-everything threads",
        fix: "build it without threads",
    },
    Proposal {
        features: WasmFeatures::THREADS.union(WasmFeatures::CM_THREADING),
        name: "threads (shared memory and atomic instructions)",
        fix: "build it without threads: for a target without `threads` in its name, and without `-pthread` and \
              `-C target-feature=+atomics`",
    },
    Proposal {
        features: WasmFeatures::STACK_SWITCHING,
        name: "stack switching",
        fix: "build it without coroutines of WebAssembly (stack switching)",
    },
    Proposal {
        features: WasmFeatures::LEGACY_EXCEPTIONS,
        name: "exceptions (their older form)",
        fix: "build it without exceptions: `-fno-exceptions` in C++, `panic = \"abort\"` in Rust",
    },
    Proposal {
        features: WasmFeatures::EXCEPTIONS,
        name: "exceptions",
        fix: "build it without exceptions: `-fno-exceptions` in C++, `panic = \"abort\"` in Rust",
    },
    Proposal {
        features: WasmFeatures::CUSTOM_DESCRIPTORS,
        name: "custom descriptors of types",
        fix: "build it without custom descriptors",
    },
    Proposal {
        features: WasmFeatures::GC.union(WasmFeatures::GC_TYPES).union(WasmFeatures::CM_GC),
        name: "garbage collection",
        fix: "build it with a compiler that brings its own memory management, as those for Rust, C, Python and JavaScript do",
    },
    Proposal {
        features: WasmFeatures::RELAXED_SIMD,
        name: "relaxed SIMD, whose results differ between machines",
        fix: "build it without `relaxed-simd`: plain `simd128` is there",
    },
    Proposal {
        features: WasmFeatures::CUSTOM_PAGE_SIZES,
        name: "memory pages of another size than 64 KiB",
        fix: "build it with pages of 64 KiB",
    },
    Proposal {
        features: WasmFeatures::WIDE_ARITHMETIC,
        name: "wide arithmetic",
        fix: "build it without `wide-arithmetic`",
    },
    Proposal { features: WasmFeatures::MEMORY_CONTROL, name: "memory control", fix: "build it without memory control" },
    Proposal {
        features: WasmFeatures::COMPACT_IMPORTS,
        name: "compact import sections",
        fix: "build it without compact import sections",
    },
    Proposal {
        features: WasmFeatures::CM_ASYNC
            .union(WasmFeatures::CM_ASYNC_STACKFUL)
            .union(WasmFeatures::CM_MORE_ASYNC_BUILTINS)
            .union(WasmFeatures::CM_ERROR_CONTEXT),
        name: "asynchronous calls between components (WASI 0.3)",
        fix: "build it for WASI 0.2, without asynchronous functions, streams and futures: calls to the host answer at once",
    },
    Proposal {
        features: WasmFeatures::CM_VALUES,
        name: "values as imports and exports of components",
        fix: "build it for WASI 0.2",
    },
    Proposal {
        features: WasmFeatures::CM_FIXED_LENGTH_LISTS.union(WasmFeatures::CM_MAP),
        name: "lists of a fixed length, or maps, in interfaces",
        fix: "build it for the contract alone, whose lists have any length",
    },
    Proposal {
        features: WasmFeatures::CM64,
        name: "components with 64-bit memory",
        fix: "build it for a 32-bit target, whose name begins with `wasm32`",
    },
    Proposal {
        features: WasmFeatures::CM_NESTED_NAMES.union(WasmFeatures::CM_IMPLEMENTS).union(WasmFeatures::CM_CANON_NAMES),
        name: "newer forms of the names of interfaces",
        fix: "build it with tools for WASI 0.2",
    },
];

/// Why a component was not compiled.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// It is not valid, whatever a host has.
    Damaged,
    /// It is valid, and needs what is not here.
    Missing {
        /// The extensions of WebAssembly, as one phrase.
        what: String,
        /// What to build it without, or with.
        fix: String,
    },
    /// It is valid, and needs nothing of the list: it is beyond some limit.
    BeyondLimits,
}

/// Why a component was not compiled.
pub(super) fn reason(bytes: &[u8]) -> Reason {
    let is_valid = |features| Validator::new_with_features(features).validate_all(bytes).is_ok();
    let mut features = WasmFeatures::all();
    if !is_valid(features) {
        return Reason::Damaged;
    }
    let mut needed = Vec::new();
    for proposal in PROPOSALS {
        let fewer = features.difference(proposal.features);
        if is_valid(fewer) {
            features = fewer;
        } else {
            needed.push(proposal);
        }
    }
    let mut fixes: Vec<&str> = needed.iter().map(|proposal| proposal.fix).collect();
    fixes.dedup();
    if needed.is_empty() {
        return Reason::BeyondLimits;
    }
    let what = needed.iter().map(|proposal| proposal.name).collect::<Vec<_>>().join(", and ");
    Reason::Missing { what, fix: fixes.join("; ") }
}

/// What a core module is, which is not a component, and what to do about it. Its imports say what it was built for.
pub(super) fn core_module(bytes: &[u8]) -> (String, Option<String>) {
    let modules = imported_modules(bytes);
    let imports = |is_it: &dyn Fn(&str) -> bool| modules.iter().any(|module| is_it(module));
    let linked = "link it with `wasm-component-ld`, as the `build` of `jackfield plugins new` does, or make it one: \
                  `wasm-tools component new`";
    let (found, fix) = if imports(&|module| module.starts_with("jackfield:plugin/")) {
        (" yet: it is the module of a plugin", linked.to_owned())
    } else if imports(&|module| matches!(module, "wasi_snapshot_preview1" | "wasi_unstable")) {
        (
            ": it is built for WASI preview 1",
            format!("build it for a target of components, such as `wasm32-wasip2`, or {linked} with its `--adapt`"),
        )
    } else if imports(&|module| module == "wbg" || module.starts_with("__wbindgen")) {
        (": it is built for browsers, by wasm-bindgen", "build it without wasm-bindgen".to_owned())
    } else if imports(&|module| matches!(module, "go" | "gojs")) {
        (": it is built for browsers, by Go", "build it for WASI 0.2, as TinyGo does: `-target=wasip2`".to_owned())
    } else {
        return ("it is a core WebAssembly module, not a component".to_owned(), None);
    };
    (format!("it is a core WebAssembly module, not a component{found}"), Some(fix))
}

/// The modules that a core module imports from, as far as it can be read.
fn imported_modules(bytes: &[u8]) -> Vec<String> {
    let payloads = Parser::new(0).parse_all(bytes).map_while(Result::ok);
    let sections = payloads.filter_map(|payload| match payload {
        Payload::ImportSection(section) => Some(section),
        _ => None,
    });
    let imports = sections.flat_map(|section| section.into_imports().map_while(Result::ok));
    imports.map(|import| escape_untrusted(import.module).into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wasm::engine::engine;

    /// What a component needs that holds such a core module.
    #[track_caller]
    fn needs(module: &str) -> String {
        needs_of(&format!("(component (core module {module}))"))
    }

    #[track_caller]
    fn needs_of(component: &str) -> String {
        let bytes = wat::parse_str(component).expect("a component");
        let engine = engine(false).expect("an engine");
        match wasmtime::component::Component::from_binary(engine, &bytes) {
            Ok(_) => {
                assert_eq!(reason(&bytes), Reason::BeyondLimits, "{component}: it compiles, and needs nothing");
                "compiles".to_owned()
            }
            Err(error) => match reason(&bytes) {
                Reason::Missing { what, .. } => what,
                other => panic!("{component}: {error:#}: {other:?}"),
            },
        }
    }

    #[test]
    fn what_a_component_needs_is_named() {
        let all = [
            needs("(memory 1 1 shared)"),
            needs("(memory 1 1) (func (drop (i32.atomic.load (i32.const 0))))"),
            needs("(type (struct (field i32)))"),
            needs("(func (param externref))"),
            needs("(tag (param i32)) (func (throw 0 (i32.const 1)))"),
            needs("(func (param v128) (result v128) (i16x8.relaxed_q15mulr_s (local.get 0) (local.get 0)))"),
            needs("(memory 1 1 (pagesize 1))"),
            needs("(func (result i64 i64) (i64.mul_wide_u (i64.const 1) (i64.const 2)))"),
            needs("(type $f (func)) (type $c (cont $f))"),
            needs_of("(component (import \"f\" (func async (param \"x\" u32))))"),
            needs_of("(component (type (list u8 4)))"),
        ];
        insta::assert_snapshot!(all.join("\n"), @r"
        threads (shared memory and atomic instructions)
        threads (shared memory and atomic instructions)
        garbage collection
        garbage collection
        exceptions
        relaxed SIMD, whose results differ between machines
        memory pages of another size than 64 KiB
        wide arithmetic
        stack switching, and garbage collection
        asynchronous calls between components (WASI 0.3)
        lists of a fixed length, or maps, in interfaces
        ");
    }

    #[test]
    fn what_this_host_has_is_not_named() {
        for module in [
            "(memory i64 1)",
            "(memory 1) (memory 1)",
            "(table 1 funcref) (table 1 funcref)",
            "(type $f (func)) (func (param (ref $f)) (call_ref $f (local.get 0)))",
            "(func $f (return_call $f))",
            "(func (result i32 i32) (i32.const 1) (i32.const 2))",
            "(func (param v128) (result v128) (i8x16.neg (local.get 0)))",
            "(table 1 funcref) (func (drop (table.get 0 (i32.const 0))))",
            "(global i32 (i32.add (i32.const 1) (i32.const 2)))",
        ] {
            assert_eq!(needs(module), "compiles", "{module}");
        }
    }

    #[test]
    fn a_component_that_is_damaged_needs_nothing() {
        let whole = wat::parse_str("(component (core module (memory 1 1 shared)))").expect("a component");
        assert_eq!(reason(&whole[..whole.len() - 1]), Reason::Damaged);
        // A body whose result is of another type than it says.
        let mut wrong = wat::parse_str("(component (core module (func (result i32) (i32.const 0))))").expect("one");
        let at = wrong.windows(3).position(|window| window == [0x41, 0x00, 0x0b]).expect("the body");
        wrong[at] = 0x42;
        assert_eq!(reason(&wrong), Reason::Damaged);
    }

    #[test]
    fn a_core_module_is_named_by_what_it_was_built_for() {
        let told = |module: &str| core_module(&wat::parse_str(module).expect("a module")).0;
        let all = [
            told("(module (memory 1))"),
            told("(module (import \"wasi_snapshot_preview1\" \"fd_write\" (func)))"),
            told("(module (import \"jackfield:plugin/host@0.1.0\" \"cancelled\" (func)))"),
            told("(module (import \"wbg\" \"__wbindgen_throw\" (func)))"),
            told("(module (import \"gojs\" \"runtime.ticks\" (func)))"),
        ];
        insta::assert_snapshot!(all.join("\n"), @r"
        it is a core WebAssembly module, not a component
        it is a core WebAssembly module, not a component: it is built for WASI preview 1
        it is a core WebAssembly module, not a component yet: it is the module of a plugin
        it is a core WebAssembly module, not a component: it is built for browsers, by wasm-bindgen
        it is a core WebAssembly module, not a component: it is built for browsers, by Go
        ");
    }
}

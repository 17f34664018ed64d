//! Which crate may use which: the arrows go down, and cargo holds every crate to what its manifest names.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use serde_json::Value;

use crate::support::root;

/// The crates of the host, from the ground up. Each may use those before it, the contract, and nothing else of ours but what
/// stands beside it.
const FROM_THE_GROUND: &[(&str, &[&str])] = &[
    ("jackfield-loader", &[]),
    // Reads templates, a plain library as well.
    ("jackfield-pipeline", &["jackfield-loader", "jackfield-templates"]),
    ("jackfield-store", &["jackfield-loader", "jackfield-pipeline"]),
    // Counts tokens: a plain library, which offers no extension.
    ("jackfield-services", &["jackfield-loader", "jackfield-pipeline", "jackfield-store", "jackfield-tokens"]),
    ("jackfield-engine", &["jackfield-loader", "jackfield-pipeline", "jackfield-store", "jackfield-services"]),
    ("jackfield-telemetry", &["jackfield-loader"]),
    ("jackfield-report", &["jackfield-loader", "jackfield-pipeline", "jackfield-store"]),
    ("jackfield-conformance", &["jackfield-loader", "jackfield-pipeline", "jackfield-services"]),
];

/// What speaks to a person, or to another program's collector: the program's, and telemetry's.
const OF_THE_PROGRAM: &[&str] =
    &["clap", "clap_complete", "comfy-table", "indicatif", "mimalloc", "rpassword", "tracing-subscriber"];
const OF_TELEMETRY: &[&str] =
    &["hyper", "hyper-util", "opentelemetry", "opentelemetry-otlp", "opentelemetry_sdk", "prometheus-client"];

/// The dependencies of each crate of the workspace, those of its tests left out.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["metadata", "--no-deps", "--format-version=1", "--offline"]).current_dir(root());
    let output = command.output().expect("cargo");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let text = |value: &Value| value.as_str().expect("a name").to_owned();
    let of_package = |package: &Value| {
        let all = package["dependencies"].as_array().expect("dependencies").iter();
        all.filter(|dependency| dependency["kind"] != "dev").map(|dependency| text(&dependency["name"])).collect()
    };
    packages.iter().map(|package| (text(&package["name"]), of_package(package))).collect()
}

#[test]
fn a_crate_of_the_host_uses_only_those_below_it() {
    let all = dependencies();
    for (name, allowed) in FROM_THE_GROUND {
        for used in all[*name].iter().filter(|used| used.starts_with("jackfield")) {
            let allowed = allowed.contains(&used.as_str()) || used == "jackfield-plugin-api";
            assert!(allowed, "`{name}` uses `{used}`, which is not below it");
        }
    }
    let of_ours =
        |name: &str| all[name].iter().filter(|used| used.starts_with("jackfield")).cloned().collect::<Vec<_>>();
    assert_eq!(of_ours("jackfield-plugin-api"), ["jackfield-plugin-macros"], "the contract knows no host");
    let above = ["jackfield-cli", "jackfield-telemetry", "jackfield-report", "jackfield-conformance"];
    assert!(of_ours("jackfield").iter().all(|used| !above.contains(&used.as_str())), "{:?}", of_ours("jackfield"));
}

#[test]
fn a_library_that_the_host_shares_with_plugins_uses_nothing_of_ours() {
    let all = dependencies();
    for name in ["jackfield-statistics", "jackfield-tokens"] {
        assert!(all[name].iter().all(|used| !used.starts_with("jackfield")), "{name}: {:?}", all[name]);
    }
}

#[test]
fn no_plugin_knows_the_host() {
    let host: BTreeSet<&str> =
        FROM_THE_GROUND.iter().map(|(name, _)| *name).chain(["jackfield", "jackfield-cli"]).collect();
    for (name, used) in dependencies().iter().filter(|(name, _)| !host.contains(name.as_str())) {
        assert!(used.iter().all(|used| !host.contains(used.as_str())), "`{name}` uses the host: {used:?}");
    }
}

#[test]
fn the_engine_and_all_below_it_know_no_terminal() {
    let all = dependencies();
    for (name, used) in all.iter().filter(|(name, _)| *name != "jackfield-cli" && name.starts_with("jackfield")) {
        for unwanted in OF_THE_PROGRAM {
            assert!(!used.contains(*unwanted), "`{name}` uses `{unwanted}`, which is the program's");
        }
        for unwanted in OF_TELEMETRY.iter().filter(|_| name != "jackfield-telemetry") {
            // The client's part of it says which proxy the environment names.
            if name == "jackfield-services" && *unwanted == "hyper-util" {
                continue;
            }
            assert!(!used.contains(*unwanted), "`{name}` uses `{unwanted}`, which is telemetry's");
        }
    }
}

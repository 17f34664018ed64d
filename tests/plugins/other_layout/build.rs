//! Compiles the contract with another layout, under its own name: the layout is the only difference that a host finds.

fn main() {
    println!("cargo::rustc-cfg=jackfield_other_layout");
    println!("cargo::rustc-env=CARGO_PKG_NAME=jackfield-plugin-api");
    println!("cargo::rerun-if-changed=build.rs");
}

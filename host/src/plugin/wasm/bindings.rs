//! The contract, as the host sees it: made from the WIT.
#![allow(missing_docs, unreachable_pub, clippy::allow_attributes, reason = "generated")]

wasmtime::component::bindgen!({
    path: "../plugin-api/wit",
    world: "analyzer-plugin",
    imports: { default: trappable },
    exports: { default: async },
});

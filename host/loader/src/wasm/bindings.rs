//! The contract, as the host sees it: made from the WIT.
#![allow(missing_docs, unreachable_pub, clippy::allow_attributes, reason = "generated")]

wasmtime::component::bindgen!({
    path: "../../plugin-api/wit",
    world: "cache-plugin",
    with: {
        "jackfield:plugin/tensors.tensor-reader": super::tensors::Reader,
        "jackfield:plugin/tensors.tensor-writer": super::tensors::Writer,
    },
    imports: {
        "jackfield:plugin/model.complete": async | trappable,
        "jackfield:plugin/cache.get": async | trappable,
        "jackfield:plugin/cache.put": async | trappable,
        "jackfield:plugin/http.fetch": async | trappable,
        "jackfield:plugin/tensors.open": async | trappable,
        "jackfield:plugin/tensors.create": async | trappable,
        "jackfield:plugin/tensors.[method]tensor-writer.write": async | trappable,
        "jackfield:plugin/tensors.[method]tensor-writer.finish": async | trappable,
        default: trappable,
    },
    exports: { default: async },
});

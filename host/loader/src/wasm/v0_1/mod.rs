//! The host's side of protocol 0.1: bindings that are generated from the contract.
//!
//! The folder `wit` is a copy of the contract, which belongs to the crate jackfield-plugin-api: macros read files of their own
//! package alone. A later protocol that breaks with this one gets a folder beside this one.
#![allow(missing_docs, unreachable_pub, clippy::allow_attributes, reason = "generated")]

wasmtime::component::bindgen!({
    path: "src/wasm/v0_1/wit",
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

#[cfg(test)]
mod tests {
    use jackfield_plugin_api::sources::source_text;

    #[test]
    fn the_copy_of_the_contract_is_the_contract() {
        let copies = [
            ("wit/plugin.wit", include_str!("wit/plugin.wit")),
            ("wit/cache-plugin.wit", include_str!("wit/cache-plugin.wit")),
        ];
        for (path, copy) in copies {
            let contract = source_text(path).expect("the contract");
            assert!(copy == contract, "{path} has changed: copy plugin-api/{path} into the folder of this file");
        }
    }
}

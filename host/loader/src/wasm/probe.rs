//! Checks that components compile and run on this machine, with one that adds two numbers.

use std::time::{Duration, Instant};

use wasmtime::{
    Store,
    component::{Component, Linker},
};

use super::engine::engine;

/// `probe.wat`, assembled.
const COMPONENT: &[u8] = include_bytes!("probe.wasm");

/// Compiles and runs a tiny component. Returns how long that took, including the start of the engine.
///
/// # Errors
/// Why it failed, as a message.
pub fn probe() -> Result<Duration, String> {
    let began = Instant::now();
    let engine = engine(false)?;
    let message = |error: wasmtime::Error| format!("{error:#}");
    let component = Component::from_binary(engine, COMPONENT).map_err(message)?;
    let mut store = Store::new(engine, ());
    // 100 epochs are a second; it takes microseconds.
    store.set_epoch_deadline(100);
    let run = async {
        let instance = Linker::new(engine).instantiate_async(&mut store, &component).await?;
        let add = instance.get_typed_func::<(u32, u32), (u32,)>(&mut store, "add")?;
        add.call_async(&mut store, (40, 2)).await
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(|error| error.to_string())?;
    match runtime.block_on(run).map_err(message)? {
        (42,) => Ok(began.elapsed()),
        (other,) => Err(format!("a component added 40 and 2 to {other}")),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_component_is_what_its_text_says_and_runs() {
        let bytes = wat::parse_str(include_str!("probe.wat")).expect("a component");
        if std::env::var_os("JACKFIELD_BLESS").is_some_and(|value| value == "1") {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/wasm/probe.wasm");
            std::fs::write(path, &bytes).expect("written");
        }
        assert_eq!(super::COMPONENT, bytes, "run it again with JACKFIELD_BLESS=1, then once more");
        super::probe().expect("it runs");
    }
}

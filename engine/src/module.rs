//! What a compiled module declares, read by loading it into a throw-away database in memory.
//!
//! Keeps true: what is read here is what the engine itself would see when the module is published.
//! Leaves out on purpose: running anything but the module's `init`.

use spacetimedb::host::extract_schema;
use spacetimedb::messages::control_db::HostType;
use spacetimedb_lib::db::raw_def::v9::RawModuleDefV9;

use crate::EngineError;

/// The module's declarations. Works inside and outside of an asynchronous runtime; takes a second.
///
/// # Errors
///
/// [`EngineError::Module`] when the bytes are not a module, or its `init` fails.
pub(crate) fn read_module(wasm: &[u8]) -> Result<RawModuleDefV9, EngineError> {
    let bytes: Box<[u8]> = wasm.into();
    let reader = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        let module = runtime.block_on(extract_schema(bytes, HostType::Wasm));
        runtime.shutdown_background();
        module.map(RawModuleDefV9::from).map_err(|error| format!("{error:#}"))
    });
    match reader.join() {
        Ok(result) => result.map_err(EngineError::Module),
        Err(_) => Err(EngineError::Module("the engine gave up on it".to_owned())),
    }
}

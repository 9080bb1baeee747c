//! A SpacetimeDB module with one reducer that does nothing, written as WebAssembly.
//!
//! Assembled here, so that measuring needs neither a compiler nor a second module in the
//! repository. It imports and exports the least that the engine's 10.0 interface asks for.

use spacetimedb_lib::db::raw_def::v9::RawModuleDefV9Builder;
use spacetimedb_lib::{RawModuleDef, bsatn};
use spacetimedb_sats::ProductType;
use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, EntityType, ExportKind, ExportSection, Function,
    FunctionSection, ImportSection, Instruction, MemorySection, MemoryType, Module, TypeSection,
    ValType,
};

/// The reducer's name.
pub(super) const REDUCER: &str = "nothing";

/// Where the length of the description lies in memory, and the description. Not 0, which is null.
const LENGTH_AT: i32 = 8;
const DESCRIPTION_AT: i32 = 16;

/// The module's bytes.
pub(super) fn wasm() -> anyhow::Result<Vec<u8>> {
    use ValType::{I32, I64};
    let mut builder = RawModuleDefV9Builder::new();
    builder.add_reducer(REDUCER, ProductType::new([].into()), None);
    let description = bsatn::to_vec(&RawModuleDef::V9(builder.finish()))?;

    let mut types = TypeSection::new();
    types.function([I32, I32, I32], [I32]); // 0: bytes_sink_write
    types.function([I32], []); // 1: __describe_module__
    // 2: __call_reducer__: reducer, identity, connection, time, arguments, where errors go
    types.function([I32, I64, I64, I64, I64, I64, I64, I64, I32, I32], [I32]);

    let mut imports = ImportSection::new();
    imports.import("spacetime_10.0", "bytes_sink_write", EntityType::Function(0));
    let mut functions = FunctionSection::new();
    functions.function(1).function(2);
    let mut memories = MemorySection::new();
    memories.memory(MemoryType {
        minimum: 1,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    let mut exports = ExportSection::new();
    exports.export("memory", ExportKind::Memory, 0);
    exports.export("__describe_module__", ExportKind::Func, 1);
    exports.export("__call_reducer__", ExportKind::Func, 2);

    let mut describe = Function::new([]);
    describe.instruction(&Instruction::LocalGet(0));
    describe.instruction(&Instruction::I32Const(DESCRIPTION_AT));
    describe.instruction(&Instruction::I32Const(LENGTH_AT));
    describe.instruction(&Instruction::Call(0));
    describe.instruction(&Instruction::Drop);
    describe.instruction(&Instruction::End);
    let mut nothing = Function::new([]);
    nothing.instruction(&Instruction::I32Const(0));
    nothing.instruction(&Instruction::End);
    let mut code = CodeSection::new();
    code.function(&describe).function(&nothing);

    let mut data = DataSection::new();
    let length = u32::try_from(description.len())?.to_le_bytes();
    data.active(0, &ConstExpr::i32_const(LENGTH_AT), length);
    data.active(0, &ConstExpr::i32_const(DESCRIPTION_AT), description);

    let mut module = Module::new();
    module.section(&types).section(&imports).section(&functions).section(&memories);
    module.section(&exports).section(&code).section(&data);
    Ok(module.finish())
}

//! Client bindings for a module, in the languages the code generator speaks.
//!
//! Keeps true: the same module gives the same text, byte by byte, wherever it is generated; what
//! no client can use (private tables, timers, lifecycle reducers, and the types only they need)
//! does not appear.
//! Leaves out on purpose: formatting, and writing files.

use std::collections::{BTreeMap, BTreeSet};

use spacetimedb_codegen::{Csharp, Lang, Rust, TypeScript};
use spacetimedb_lib::db::raw_def::v9::{RawModuleDefV9, TableAccess};
use spacetimedb_sats::{AlgebraicType, AlgebraicTypeRef};
use spacetimedb_schema::def::ModuleDef;

use crate::EngineError;
use crate::module::read_module;

/// The namespace of the C# bindings.
const CSHARP_NAMESPACE: &str = "Haven.Bindings";
/// The generator writes its version and the commit of whatever repository it was compiled in.
const VERSION_LINE: &str = "// This was generated using spacetimedb cli version";

/// A language that bindings can be generated in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BindingsLanguage {
    /// For `spacetimedb-sdk`.
    Rust,
    /// For `@clockworklabs/spacetimedb-sdk`.
    TypeScript,
    /// For `SpacetimeDB.ClientSDK`, Unity included.
    CSharp,
}

/// Bindings for everything a client may call: `(file name, text)`, sorted by name.
///
/// # Errors
///
/// [`EngineError::Module`] when the module cannot be read.
pub fn generate_bindings(
    language: BindingsLanguage,
    wasm: &[u8],
) -> Result<Vec<(String, String)>, EngineError> {
    generate(language, client_part(read_module(wasm)?, None))
}

/// Bindings for the named reducers only, as a game client wants them; tables as in
/// [`generate_bindings`].
///
/// # Errors
///
/// [`EngineError::Module`] when the module cannot be read, or lacks one of `reducers`.
pub fn generate_player_bindings(
    language: BindingsLanguage,
    wasm: &[u8],
    reducers: &[&str],
) -> Result<Vec<(String, String)>, EngineError> {
    let module = read_module(wasm)?;
    let missing = |name: &&&str| !module.reducers.iter().any(|reducer| *reducer.name == ***name);
    if let Some(name) = reducers.iter().find(missing) {
        return Err(EngineError::Module(format!("it has no reducer {name}")));
    }
    generate(language, client_part(module, Some(reducers)))
}

fn generate(
    language: BindingsLanguage,
    module: RawModuleDefV9,
) -> Result<Vec<(String, String)>, EngineError> {
    let module = ModuleDef::try_from(module)
        .map_err(|errors| EngineError::Module(format!("its client part is invalid: {errors}")))?;
    let csharp = Csharp { namespace: CSHARP_NAMESPACE };
    let language: &dyn Lang = match language {
        BindingsLanguage::Rust => &Rust,
        BindingsLanguage::TypeScript => &TypeScript,
        BindingsLanguage::CSharp => &csharp,
    };
    let files = spacetimedb_codegen::generate(&module, language);
    let files: BTreeMap<_, _> =
        files.into_iter().map(|(name, text)| (name, without_version(&text))).collect();
    Ok(files.into_iter().collect())
}

fn without_version(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with(VERSION_LINE));
    lines.flat_map(|line| [line.trim_end(), "\n"]).collect()
}

/// Leaves of a module what a client can use.
fn client_part(mut module: RawModuleDefV9, reducers: Option<&[&str]>) -> RawModuleDefV9 {
    let scheduled: BTreeSet<String> = module
        .tables
        .iter()
        .filter_map(|table| table.schedule.as_ref())
        .map(|schedule| schedule.reducer_name.to_string())
        .collect();
    module
        .tables
        .retain(|table| table.table_access == TableAccess::Public && table.schedule.is_none());
    module.reducers.retain(|reducer| {
        let wanted = reducers.is_none_or(|names| names.contains(&&*reducer.name));
        wanted && reducer.lifecycle.is_none() && !scheduled.contains(&*reducer.name)
    });
    module.row_level_security.clear();
    module.tables.sort_by(|a, b| a.name.cmp(&b.name));
    module.reducers.sort_by(|a, b| a.name.cmp(&b.name));

    let used = used_types(&module);
    module.types.retain(|named| used.contains(&named.ty));
    for (index, unused) in module.typespace.types.iter_mut().enumerate() {
        if !used.iter().any(|r| r.idx() == index) {
            // Places in the list are names, so the place stays, with the plainest type.
            *unused = AlgebraicType::U8;
        }
    }
    module
}

fn used_types(module: &RawModuleDefV9) -> BTreeSet<AlgebraicTypeRef> {
    let mut used = BTreeSet::new();
    let mut waiting: Vec<AlgebraicTypeRef> =
        module.tables.iter().map(|table| table.product_type_ref).collect();
    for reducer in &module.reducers {
        reducer.params.elements.iter().for_each(|p| refs_in(&p.algebraic_type, &mut waiting));
    }
    while let Some(next) = waiting.pop() {
        if used.insert(next)
            && let Some(inner) = module.typespace.get(next)
        {
            refs_in(inner, &mut waiting);
        }
    }
    used
}

fn refs_in(ty: &AlgebraicType, refs: &mut Vec<AlgebraicTypeRef>) {
    match ty {
        AlgebraicType::Ref(r) => refs.push(*r),
        AlgebraicType::Sum(sum) => {
            sum.variants.iter().for_each(|variant| refs_in(&variant.algebraic_type, refs));
        }
        AlgebraicType::Product(product) => {
            product.elements.iter().for_each(|element| refs_in(&element.algebraic_type, refs));
        }
        AlgebraicType::Array(array) => refs_in(&array.elem_ty, refs),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MODULE_WASM;

    const LANGUAGES: [BindingsLanguage; 3] =
        [BindingsLanguage::Rust, BindingsLanguage::TypeScript, BindingsLanguage::CSharp];

    fn all_text(files: &[(String, String)]) -> String {
        files.iter().flat_map(|(name, text)| [name.as_str(), "\n", text]).collect()
    }

    #[test]
    fn the_same_module_gives_the_same_text() {
        for language in LANGUAGES {
            let first = generate_bindings(language, MODULE_WASM).expect("our module");
            assert_eq!(first, generate_bindings(language, MODULE_WASM).expect("our module"));
            assert!(!all_text(&first).contains(VERSION_LINE), "{language:?}");
        }
    }

    #[test]
    fn what_no_client_can_use_does_not_appear() {
        for language in LANGUAGES {
            let files = generate_bindings(language, MODULE_WASM).expect("our module");
            let text = all_text(&files).to_lowercase().replace('_', "");
            assert!(text.contains("motion") && text.contains("courseset"), "{language:?}");
            for hidden in ["realmowner", "motiontick", "clientconnected(", "sweeptimer"] {
                assert!(!text.contains(hidden), "{language:?} {hidden}");
            }
        }
    }

    #[test]
    fn a_player_gets_the_reducers_that_were_named() {
        let reducers = ["character_enter", "character_leave", "course_set", "course_to"];
        let files = generate_player_bindings(BindingsLanguage::Rust, MODULE_WASM, &reducers);
        let files = files.expect("our module");
        let is_there = |name: &str| files.iter().any(|(file, _)| file == name);
        assert!(is_there("course_set_reducer.rs") && is_there("character_leave_reducer.rs"));
        assert!(
            !is_there("account_register_reducer.rs") && !is_there("world_configure_reducer.rs")
        );
        assert!(!is_there("world_definition_type.rs"), "a type that only they need");
        let unknown = generate_player_bindings(BindingsLanguage::Rust, MODULE_WASM, &["fly"]);
        assert!(matches!(unknown, Err(EngineError::Module(_))));
    }
}

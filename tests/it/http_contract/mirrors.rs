//! The gateway's copies of rows: the same columns, in the same order, as the module declares.

use haven_engine::{MODULE_WASM, module_schema};
use spacetimedb_lib::{AlgebraicType, ProductType};

/// A type as the module's schema writes it.
fn name_of(ty: &AlgebraicType) -> String {
    match ty {
        AlgebraicType::String => "String".to_owned(),
        AlgebraicType::Sum(sum) => match sum.as_option() {
            Some(inner) => format!("Option<{}>", name_of(inner)),
            None => format!("{ty:?}"),
        },
        AlgebraicType::Array(array) => format!("Vec<{}>", name_of(&array.elem_ty)),
        AlgebraicType::Product(product) if product.is_identity() => "Identity".to_owned(),
        AlgebraicType::Product(product) if product.is_timestamp() => "Timestamp".to_owned(),
        other => format!("{other:?}").to_lowercase(),
    }
}

fn mirrored(row: &ProductType) -> Vec<String> {
    let name = |name: &Option<_>| name.as_deref().map(str::to_owned).unwrap_or_default();
    let columns = row.elements.iter();
    columns
        .map(|column| format!("{}: {}", name(&column.name), name_of(&column.algebraic_type)))
        .collect()
}

/// The columns of a table in the module's schema, without notes on keys.
fn declared(schema: &str, table: &str) -> Vec<String> {
    let head = format!("table {table} (");
    let lines = schema.lines().skip_while(|line| !line.starts_with(&head)).skip(1);
    lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.trim().split(',').next())
        .filter(|line| line.contains(": "))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_gateways_rows_are_the_modules() {
    let schema = module_schema(MODULE_WASM).expect("the module's schema");
    let mirrors = haven_gateway::stdb::rows::schema();
    assert!(mirrors.len() >= 9, "every table that the gateway reads");
    for (table, row) in mirrors {
        let declared = declared(&schema, table);
        assert!(!declared.is_empty(), "{table} is in the module:\n{schema}");
        assert_eq!(mirrored(&row), declared, "{table}");
    }
}

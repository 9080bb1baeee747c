//! A module's schema as text that people and snapshot tests read.
//!
//! Keeps true: the text depends on the declarations alone, in the order of names; everything the
//! engine refuses to migrate shows in it.
//! Leaves out on purpose: names of indexes and sequences that the engine makes up.

use std::fmt::Write as _;

use spacetimedb_lib::db::raw_def::v9::{
    RawConstraintDataV9, RawIndexAlgorithm, RawModuleDefV9, RawTableDefV9, TableAccess,
};
use spacetimedb_primitives::{ColId, ColList};
use spacetimedb_sats::{AlgebraicType, AlgebraicTypeRef, ProductType};

use crate::EngineError;
use crate::module::read_module;

/// Tables (access, columns with types, keys, indexes, schedule), reducers with their arguments,
/// row filters and types of a module.
///
/// # Errors
///
/// [`EngineError::Module`] when the module cannot be read.
pub fn module_schema(wasm: &[u8]) -> Result<String, EngineError> {
    let mut module = read_module(wasm)?;
    module.tables.sort_by(|a, b| a.name.cmp(&b.name));
    module.reducers.sort_by(|a, b| a.name.cmp(&b.name));
    module.types.sort_by(|a, b| a.name.cmp(&b.name));
    module.row_level_security.sort_by(|a, b| a.sql.cmp(&b.sql));
    Ok(describe(&module))
}

fn describe(module: &RawModuleDefV9) -> String {
    let mut text = String::new();
    for table in &module.tables {
        describe_table(module, table, &mut text);
        text.push('\n');
    }
    for reducer in &module.reducers {
        let params = fields(module, &reducer.params);
        let lifecycle = reducer.lifecycle.map(|l| format!(" on {l:?}")).unwrap_or_default();
        line(&mut text, format_args!("reducer {}({params}){lifecycle}", reducer.name));
    }
    for filter in &module.row_level_security {
        line(&mut text, format_args!("filter {}", filter.sql));
    }
    let is_row = |ty| module.tables.iter().any(|table| table.product_type_ref == ty);
    for named in module.types.iter().filter(|named| !is_row(named.ty)) {
        let definition = module.typespace.get(named.ty).map(|ty| definition(module, ty));
        let definition = definition.unwrap_or_default();
        line(&mut text, format_args!("type {} = {definition}", named.name.name));
    }
    text
}

fn describe_table(module: &RawModuleDefV9, table: &RawTableDefV9, text: &mut String) {
    let access = match table.table_access {
        TableAccess::Public => "public",
        TableAccess::Private => "private",
    };
    line(text, format_args!("table {} ({access})", table.name));
    let empty = ProductType::unit();
    let row = match module.typespace.get(table.product_type_ref) {
        Some(AlgebraicType::Product(row)) => row,
        _ => &empty,
    };
    for (position, column) in row.elements.iter().enumerate() {
        let name = column.name.as_deref().unwrap_or("?");
        let mut notes = String::new();
        let id = ColId::from(position);
        if table.primary_key.iter().any(|key| key == id) {
            notes.push_str(", primary key");
        }
        if table.sequences.iter().any(|sequence| sequence.column == id) {
            notes.push_str(", auto-increment");
        }
        let ty = type_name(module, &column.algebraic_type);
        line(text, format_args!("  {name}: {ty}{notes}"));
    }
    for keys in key_lines(table, row) {
        line(text, format_args!("  {keys}"));
    }
}

/// Unique constraints beyond the primary key, indexes and the schedule, sorted.
fn key_lines(table: &RawTableDefV9, row: &ProductType) -> Vec<String> {
    let mut lines = Vec::new();
    for constraint in &table.constraints {
        if let RawConstraintDataV9::Unique(unique) = &constraint.data
            && unique.columns != table.primary_key
        {
            lines.push(format!("unique ({})", columns(row, &unique.columns)));
        }
    }
    for index in &table.indexes {
        let (kind, on) = match &index.algorithm {
            RawIndexAlgorithm::BTree { columns } => ("btree", columns.clone()),
            RawIndexAlgorithm::Hash { columns } => ("hash", columns.clone()),
            RawIndexAlgorithm::Direct { column } => ("direct", ColList::from(*column)),
            _ => ("unknown", ColList::empty()),
        };
        lines.push(format!("index {kind} ({})", columns(row, &on)));
    }
    if let Some(schedule) = &table.schedule {
        let at = columns(row, &ColList::from(schedule.scheduled_at_column));
        lines.push(format!("schedules {} at {at}", schedule.reducer_name));
    }
    lines.sort();
    lines
}

fn columns(row: &ProductType, list: &ColList) -> String {
    let name = |id: ColId| row.elements.get(id.idx()).and_then(|column| column.name.as_deref());
    let names: Vec<&str> = list.iter().map(|id| name(id).unwrap_or("?")).collect();
    names.join(", ")
}

fn fields(module: &RawModuleDefV9, product: &ProductType) -> String {
    let fields = product.elements.iter().map(|field| {
        let name = field.name.as_deref().unwrap_or("_");
        format!("{name}: {}", type_name(module, &field.algebraic_type))
    });
    fields.collect::<Vec<_>>().join(", ")
}

/// A named type's contents.
fn definition(module: &RawModuleDefV9, ty: &AlgebraicType) -> String {
    match ty {
        AlgebraicType::Product(product) => format!("struct {{ {} }}", fields(module, product)),
        AlgebraicType::Sum(sum) => {
            let variants = sum.variants.iter().map(|variant| {
                let name = variant.name.as_deref().unwrap_or("_");
                if variant.algebraic_type.is_unit() {
                    return name.to_owned();
                }
                format!("{name}({})", type_name(module, &variant.algebraic_type))
            });
            format!("enum {{ {} }}", variants.collect::<Vec<_>>().join(", "))
        }
        other => type_name(module, other),
    }
}

/// How a type is written where it is used.
fn type_name(module: &RawModuleDefV9, ty: &AlgebraicType) -> String {
    match ty {
        AlgebraicType::Ref(r) => reference_name(module, *r),
        AlgebraicType::Array(array) => format!("Vec<{}>", type_name(module, &array.elem_ty)),
        AlgebraicType::Sum(sum) => match sum.as_option() {
            Some(inner) => format!("Option<{}>", type_name(module, inner)),
            None if sum.is_schedule_at() => "ScheduleAt".to_owned(),
            None => definition(module, ty),
        },
        AlgebraicType::Product(product) if product.is_identity() => "Identity".to_owned(),
        AlgebraicType::Product(product) if product.is_connection_id() => "ConnectionId".to_owned(),
        AlgebraicType::Product(product) if product.is_timestamp() => "Timestamp".to_owned(),
        AlgebraicType::Product(product) if product.is_time_duration() => "TimeDuration".to_owned(),
        AlgebraicType::Product(_) => definition(module, ty),
        AlgebraicType::String => "String".to_owned(),
        primitive => format!("{primitive:?}").to_lowercase(),
    }
}

fn reference_name(module: &RawModuleDefV9, r: AlgebraicTypeRef) -> String {
    let named = module.types.iter().find(|named| named.ty == r);
    named.map_or_else(|| format!("type {}", r.idx()), |named| named.name.name.to_string())
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(text, "{line}").expect("invariant: writing to a string does not fail");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MODULE_WASM;

    #[test]
    fn a_schema_tells_columns_keys_timers_and_arguments() {
        let schema = module_schema(MODULE_WASM).expect("our module");
        for line in [
            "table motion (public)",
            "table realm_owner (private)",
            "  singleton_id: u8, primary key",
            "  identity: Identity",
            "  scheduled_at: ScheduleAt",
            "  index btree (chunk_index)",
            "reducer course_set(dx: i16, dy: i16, running: bool)",
            "reducer client_connected() on OnConnect",
        ] {
            assert!(schema.lines().any(|there| there == line), "{line} is not in\n{schema}");
        }
        assert!(schema.contains("schedules motion_tick at scheduled_at"), "{schema}");
        assert_eq!(schema, module_schema(MODULE_WASM).expect("our module"));
    }

    #[test]
    fn bytes_that_are_no_module_are_refused() {
        assert!(matches!(module_schema(b"no module"), Err(EngineError::Module(_))));
    }
}

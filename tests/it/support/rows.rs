//! Rows as the owner reads them: `SELECT *` through the guard, one JSON object a row.

use super::http::send_raw;
use serde_json::{Map, Value};

/// All rows of a table.
pub async fn select(uri: &str, database: &str, token: &str, table: &str) -> Vec<Value> {
    sql(uri, database, token, &format!("SELECT * FROM {table}")).await
}

/// What a query answers.
pub async fn sql(uri: &str, database: &str, token: &str, query: &str) -> Vec<Value> {
    let url = format!("{uri}/v1/database/{database}/sql");
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    let answer = send_raw("POST", &url, &headers, query.to_owned()).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text);
    let result = &answer.json[0];
    let elements = result["schema"]["elements"].as_array().expect("a schema");
    let names: Vec<&str> = elements
        .iter()
        .map(|element| element["name"]["some"].as_str().expect("a column's name"))
        .collect();
    let rows = result["rows"].as_array().expect("rows");
    rows.iter().map(|row| named(&names, row)).collect()
}

fn named(names: &[&str], row: &Value) -> Value {
    let values = row.as_array().expect("a row");
    let fields = names.iter().zip(values).map(|(name, value)| ((*name).to_owned(), value.clone()));
    Value::Object(fields.collect::<Map<_, _>>())
}

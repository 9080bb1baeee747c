//! The gateway's description as far as requests are made and answers judged by it.

use crate::support::chance::Chance;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// The operations and the schemas they refer to.
pub(super) struct Description {
    /// Every operation.
    pub(super) operations: Vec<Operation>,
    components: Value,
}

/// One operation.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    /// The method, upper case.
    pub(super) method: String,
    /// The path, with parameters in braces.
    pub(super) path: String,
    /// The names of parameters in the query.
    pub(super) query: Vec<String>,
    /// The schema of the body.
    pub(super) body: Option<Value>,
    /// Whether it wants a token.
    pub(super) bearer: bool,
    /// Statuses that are listed; `default` among them.
    listed: BTreeSet<String>,
    /// The schemas of successes, by status.
    successes: Vec<(u16, Value)>,
}

impl Description {
    /// Reads an OpenAPI document.
    pub(super) fn read(document: &Value) -> Self {
        let mut read =
            Self { operations: vec![], components: document["components"]["schemas"].clone() };
        for (path, item) in document["paths"].as_object().expect("paths") {
            for (method, operation) in item.as_object().expect("operations") {
                let operation = read.operation(method, path, operation);
                read.operations.push(operation);
            }
        }
        assert!(read.operations.len() > 10, "{document}");
        read
    }

    fn operation(&self, method: &str, path: &str, operation: &Value) -> Operation {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let query = parameters.filter(|parameter| parameter["in"] == "query");
        let query = query.map(|parameter| parameter["name"].as_str().expect("a name").to_owned());
        let body = &operation["requestBody"]["content"]["application/json"]["schema"];
        let responses = operation["responses"].as_object().expect("responses");
        let schema = |response: &Value| {
            self.resolved(&response["content"]["application/json"]["schema"]).clone()
        };
        let successes = responses.iter().filter_map(|(status, response)| {
            let status = status.parse().ok().filter(|status| (200..300).contains(status))?;
            Some((status, schema(response)))
        });
        Operation {
            method: method.to_uppercase(),
            path: path.to_owned(),
            query: query.collect(),
            body: body.is_object().then(|| self.resolved(body).clone()),
            bearer: operation["security"].is_array(),
            listed: responses.keys().cloned().collect(),
            successes: successes.collect(),
        }
    }

    /// A schema, or the one it refers to.
    fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
            Some(name) => self.resolved(&self.components[name]),
            None => schema,
        }
    }

    /// A value as a schema wants it; `word` knows what a property of that name may be.
    pub(super) fn value(
        &self,
        schema: &Value,
        name: &str,
        word: &dyn Fn(&str, &mut Chance) -> Option<Value>,
        chance: &mut Chance,
    ) -> Value {
        if let Some(known) = word(name, chance) {
            return known;
        }
        let schema = self.resolved(schema);
        if let Some(choices) = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array()) {
            return self.value(chance.pick(choices), name, word, chance);
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) => chance.pick(kinds).as_str().unwrap_or_default().to_owned(),
            kind => kind.as_str().unwrap_or_default().to_owned(),
        };
        match kind.as_str() {
            "string" => Value::String(chance.text(3_000)),
            "integer" | "number" => odd_number(chance),
            "boolean" => Value::Bool(chance.one_in(2)),
            "array" => json!([]),
            "object" => {
                let none = Map::new();
                let properties = schema["properties"].as_object().unwrap_or(&none);
                let required = schema["required"].as_array();
                let mut fields = Map::new();
                for (name, schema) in properties {
                    let must = required.is_some_and(|list| list.iter().any(|one| one == name));
                    if must || chance.one_in(3) {
                        fields.insert(name.clone(), self.value(schema, name, word, chance));
                    }
                }
                Value::Object(fields)
            }
            _ => Value::Null,
        }
    }
}

/// A number that somebody might send who means no good.
pub(super) fn odd_number(chance: &mut Chance) -> Value {
    let list = [
        json!(0),
        json!(1),
        json!(-1),
        json!(65_535),
        json!(65_536),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(0.5),
        json!(1e300),
        json!(chance.bits()),
    ];
    chance.pick(&list).clone()
}

impl Operation {
    /// Whether the description lists a status, by itself or as any other.
    pub(super) fn lists(&self, status: u16) -> bool {
        self.listed.contains(&status.to_string()) || self.listed.contains("default")
    }

    /// Whether a success is as described.
    ///
    /// # Errors
    /// What is not.
    pub(super) fn success(&self, status: u16, text: &str, json: &Value) -> Result<(), String> {
        let described = self.successes.iter().find(|(listed, _)| *listed == status);
        let (_, schema) = described.ok_or("a success that is not in the description")?;
        let Some(properties) = schema["properties"].as_object() else {
            let should_be_empty = schema.is_null() && status == 204;
            return if should_be_empty && !text.is_empty() {
                Err("a body where there is none".to_owned())
            } else {
                Ok(())
            };
        };
        let members = json.as_object().ok_or("an answer that is no object")?;
        if let Some(extra) = members.keys().find(|name| !properties.contains_key(*name)) {
            return Err(format!("a member that is not in the description: {extra}"));
        }
        let required = schema["required"].as_array().into_iter().flatten();
        let mut required = required.filter_map(Value::as_str);
        match required.find(|name| !members.contains_key(*name)) {
            Some(missing) => Err(format!("a member is missing: {missing}")),
            None => Ok(()),
        }
    }
}

//! Random requests: sound ones with extremes in them, and such as no client would send.
//!
//! Keeps true: every head is HTTP/1.1 with one `Host` and a length that its body has, so every
//! request reaches the gateway's own code; what may end without an answer says so.

use super::super::PASSWORD;
use super::description::{Description, Operation, odd_number};
use crate::support::chance::Chance;
use serde_json::{Value, json};
use std::fmt;

/// What is sent where a request asks for it.
pub(super) struct Guess {
    /// A good access token.
    pub(super) access: String,
    /// A refresh token, good or not.
    pub(super) refresh: String,
}

/// A request.
#[derive(Clone, Debug)]
pub(super) struct Request {
    /// The method.
    pub(super) method: String,
    /// The path with the query.
    target: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    is_chunked: bool,
    /// Whether the path may lead to another operation than the one it was made for.
    pub(super) is_elsewhere: bool,
    /// Whether the connection may be closed without an answer: heads too long are.
    pub(super) may_be_cut: bool,
}

impl fmt::Display for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, target, body, .. } = self;
        let head = &body[..body.len().min(300)];
        let target: String = target.chars().take(200).collect();
        write!(formatter, "{method} {target} {} bytes {}", body.len(), head.escape_ascii())?;
        for (name, value) in self.headers.iter().filter(|(name, _)| name != "authorization") {
            write!(formatter, " {name}: {}", value[..value.len().min(60)].escape_ascii())?;
        }
        Ok(())
    }
}

impl Request {
    /// A random request to an operation, more or less.
    pub(super) fn random(
        description: &Description,
        operation: &Operation,
        guess: &Guess,
        chance: &mut Chance,
    ) -> Self {
        let other = ["GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS", "FROB"];
        let is_other = chance.one_in(15);
        let method =
            if is_other { chance.pick(&other).to_string() } else { operation.method.clone() };
        let is_elsewhere = chance.one_in(15);
        let mut target = target(operation, chance);
        if is_elsewhere {
            target = elsewhere(&target, chance);
        }
        let mut request = Self {
            is_elsewhere: is_elsewhere || method != operation.method,
            method,
            target,
            headers: vec![],
            body: vec![],
            is_chunked: chance.one_in(12),
            may_be_cut: false,
        };
        if operation.body.is_some() || chance.one_in(10) {
            request.body = body(description, operation, guess, chance);
            request.content_type(chance);
        }
        request.token(operation, guess, chance);
        if chance.one_in(6) {
            request.more_headers(chance);
        }
        request
    }

    fn content_type(&mut self, chance: &mut Chance) {
        let odd = ["", "text/plain", "application/json;charset=utf-16", "*/*", "application/cbor"];
        let kind = if chance.one_in(12) { *chance.pick(&odd) } else { "application/json" };
        self.headers.push(("content-type".to_owned(), kind.as_bytes().to_vec()));
    }

    fn token(&mut self, operation: &Operation, guess: &Guess, chance: &mut Chance) {
        if !operation.bearer && !chance.one_in(10) {
            return;
        }
        let mut value = format!("Bearer {}", guess.access).into_bytes();
        match chance.below(16) {
            0 => return,
            1 => value = b"Bearer".to_vec(),
            2 => value = format!("Basic {}", guess.access).into_bytes(),
            3 => value = format!("Bearer {}", "x".repeat(5_000)).into_bytes(),
            4 => {
                let at = 7 + chance.below(value.len() - 7);
                value[at] = b'A' + chance.bits().to_le_bytes()[0] % 26;
            }
            5 => value = visible(&chance.bytes(60)),
            6 => self.headers.push(("authorization".to_owned(), value.clone())),
            _ => {}
        }
        self.headers.push(("authorization".to_owned(), value));
    }

    fn more_headers(&mut self, chance: &mut Chance) {
        let names = [
            "x-request-id",
            "x-forwarded-for",
            "forwarded",
            "accept",
            "origin",
            "cookie",
            "if-none-match",
            "range",
            "idempotency-key",
            "access-control-request-method",
            "x-odd",
        ];
        let count = *chance.pick(&[1, 1, 2, 5, 90]);
        for _ in 0..count {
            let name = (*chance.pick(&names)).to_owned();
            let length = *chance.pick(&[0, 1, 8, 64, 65, 2_000]);
            self.headers.push((name, visible(&chance.bytes(length))));
        }
        // More than the server reads of one head, or more lines than it takes.
        self.may_be_cut |= count > 5;
    }

    /// What goes over the wire.
    pub(super) fn bytes(&self, host: &str) -> Vec<u8> {
        let Self { method, target, .. } = self;
        let head = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
        let mut bytes = head.into_bytes();
        for (name, value) in &self.headers {
            bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        if self.is_chunked {
            bytes.extend(b"Transfer-Encoding: chunked\r\n\r\n");
            for chunk in self.body.chunks(1_000) {
                bytes.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
                bytes.extend([chunk, b"\r\n"].concat());
            }
            bytes.extend(b"0\r\n\r\n");
        } else {
            bytes.extend(format!("Content-Length: {}\r\n\r\n", self.body.len()).into_bytes());
            bytes.extend(&self.body);
        }
        bytes
    }
}

/// Bytes that may stand in a header.
fn visible(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| if *byte < 0x20 || *byte == 0x7f { b'.' } else { *byte }).collect()
}

/// A value as it may stand in a path or a query.
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let bytes = text.bytes().take(600);
    bytes
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn target(operation: &Operation, chance: &mut Chance) -> String {
    let odd = |chance: &mut Chance| match chance.below(6) {
        0..=2 => (*chance.pick(&["1", "2", "281474976710657", "281474976710658"])).to_owned(),
        3 => odd_number(chance).to_string(),
        4 => (*chance.pick(&["+1", "01", "1.0", "0x1", "-0", "%31", "%00", "%ff", "1%20"]))
            .to_owned(),
        _ => escaped(&chance.text(600)),
    };
    let parts = operation.path.split('/').map(|part| {
        if !part.starts_with('{') {
            return part.to_owned();
        }
        let value = odd(chance);
        if value.is_empty() { "1".to_owned() } else { value }
    });
    let mut target = parts.collect::<Vec<_>>().join("/");
    let is_odd = chance.one_in(12);
    for (number, name) in operation.query.iter().enumerate() {
        if chance.one_in(2) {
            let link = if number == 0 { '?' } else { '&' };
            target = format!("{target}{link}{name}={}", odd(chance));
        }
    }
    if is_odd {
        let link = if target.contains('?') { '&' } else { '?' };
        target = format!("{target}{link}{}={}", escaped(&chance.text(40)), odd(chance));
    }
    target
}

/// Another path, near that one.
fn elsewhere(target: &str, chance: &mut Chance) -> String {
    match chance.below(5) {
        0 => format!("{target}/"),
        1 => target.replacen('/', "//", 2),
        2 => format!("{target}%2e%2e/{}", escaped(&chance.text(200))),
        3 => target.to_uppercase(),
        _ => format!("/{}", escaped(&chance.text(600))),
    }
}

/// What a property of that name may be.
fn word(guess: &Guess, name: &str, chance: &mut Chance) -> Option<Value> {
    if chance.one_in(6) {
        return None;
    }
    let said = |list: &[&str], chance: &mut Chance| Some(json!(*chance.pick(list)));
    match name {
        "email" if chance.one_in(2) => Some(json!(format!("{:x}@example.org", chance.bits()))),
        "email" => said(&["bob@example.org", "BOB@example.org", "ann@example.org"], chance),
        "password" | "current_password" | "new_password" => {
            said(&[PASSWORD, PASSWORD, "another password"], chance)
        }
        "refresh_token" => Some(json!(guess.refresh)),
        "name" => said(&["Aldric", "Berta", "aldric", "Al dric", "Admin", "Xy"], chance),
        "race" => said(&["human", "elf", "dragon"], chance),
        "class" => said(&["fighter", "wizard", "king"], chance),
        "realm_id" => Some(json!(chance.below(3))),
        _ => None,
    }
}

fn body(
    description: &Description,
    operation: &Operation,
    guess: &Guess,
    chance: &mut Chance,
) -> Vec<u8> {
    let none = json!({ "type": "object" });
    let schema = operation.body.as_ref().unwrap_or(&none);
    let known = |name: &str, chance: &mut Chance| word(guess, name, chance);
    let mut value = description.value(schema, "", &known, chance);
    match chance.below(12) {
        0..=5 => {}
        6..=7 => one_off(&mut value, chance),
        8 => {
            let mut bytes = value.to_string().into_bytes();
            chance.spoil(&mut bytes);
            return bytes;
        }
        9 => {
            let count = *chance.pick(&[1, 127, 128, 129, 5_000, 20_000]);
            let open = *chance.pick(&["[", "{\"email\":", "[{\"a\":"]);
            return open.repeat(count).into_bytes();
        }
        10 => {
            let count = chance.below(500);
            return chance.bytes(count);
        }
        // As large as may be, and a little larger.
        _ => {
            let bytes = value.to_string();
            let most = *chance.pick(&[16_384, 16_385, 60_000]);
            return format!("{bytes:<most$}").into_bytes();
        }
    }
    value.to_string().into_bytes()
}

/// Changes one member.
fn one_off(value: &mut Value, chance: &mut Chance) {
    let Some(fields) = value.as_object_mut() else { return };
    let names: Vec<String> = fields.keys().cloned().collect();
    let Some(name) = (!names.is_empty()).then(|| chance.pick(&names).clone()) else { return };
    match chance.below(5) {
        0 => drop(fields.remove(&name)),
        1 => drop(fields.insert(format!("{name}_"), json!(1))),
        2 => drop(fields.insert(name, json!(chance.text(14_000)))),
        3 => drop(fields.insert(name, odd_number(chance))),
        _ => {
            let odd = [json!(null), json!([]), json!({}), json!([[null]]), json!(true)];
            drop(fields.insert(name, chance.pick(&odd).clone()));
        }
    }
}

//! The messages of a socket: what the gateway sends and what of the answers it uses.
//!
//! Keeps true: an answer that cannot be read is an error of the connection, never a panic.
//! Source: `v1.bsatn.spacetimedb`, `spacetimedb-client-api-messages` 1.3.

use bytes::Bytes;
use spacetimedb_client_api_messages::websocket::{
    BsatnFormat, CallReducer, CallReducerFlags, ClientMessage, OneOffQuery, OneOffQueryResponse,
    SERVER_MSG_COMPRESSION_TAG_NONE, ServerMessage, TransactionUpdate, UpdateStatus,
};
use spacetimedb_lib::bsatn;

/// What the server said, as far as it matters here.
#[derive(Debug)]
pub(super) enum Answer {
    /// The first message of a connection: the caller was let in.
    Welcome,
    /// The call with that id was committed.
    Committed(u32),
    /// A call was rolled back. The server sends no request id with it, but repeats the call.
    Failed {
        /// The reducer called.
        reducer: Box<str>,
        /// Its arguments; empty when the call did not get as far as the reducer.
        args: Box<[u8]>,
        /// Why.
        message: String,
    },
    /// The rows of the query with that id, or why there are none.
    Rows(u32, Result<Vec<Bytes>, String>),
    /// Something the gateway did not ask for.
    Other,
}

/// Encodes the call of a reducer.
pub(super) fn call(request_id: u32, reducer: &str, args: &Bytes) -> Bytes {
    encode(&ClientMessage::CallReducer(CallReducer {
        reducer: reducer.into(),
        args: args.clone(),
        request_id,
        flags: CallReducerFlags::FullUpdate,
    }))
}

/// Encodes a query.
pub(super) fn query(message_id: u32, sql: &str) -> Bytes {
    encode(&ClientMessage::<Bytes>::OneOffQuery(OneOffQuery {
        message_id: message_id.to_le_bytes().into(),
        query_string: sql.into(),
    }))
}

fn encode(message: &ClientMessage<Bytes>) -> Bytes {
    bsatn::to_vec(message).expect("invariant: writing to memory does not fail").into()
}

/// Reads a message of the server.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read(message: &[u8]) -> Result<Answer, String> {
    let (compression, body) = message.split_first().ok_or("an empty message")?;
    if *compression != SERVER_MSG_COMPRESSION_TAG_NONE {
        return Err("a compressed message, though none was asked for".to_owned());
    }
    let message =
        bsatn::from_slice::<ServerMessage<BsatnFormat>>(body).map_err(|error| error.to_string())?;
    Ok(match message {
        ServerMessage::IdentityToken(_) => Answer::Welcome,
        ServerMessage::TransactionUpdate(update) => outcome(update),
        ServerMessage::OneOffQueryResponse(response) => rows(response),
        ServerMessage::InitialSubscription(_)
        | ServerMessage::TransactionUpdateLight(_)
        | ServerMessage::SubscribeApplied(_)
        | ServerMessage::UnsubscribeApplied(_)
        | ServerMessage::SubscriptionError(_)
        | ServerMessage::SubscribeMultiApplied(_)
        | ServerMessage::UnsubscribeMultiApplied(_) => Answer::Other,
    })
}

fn outcome(update: TransactionUpdate<BsatnFormat>) -> Answer {
    let call = update.reducer_call;
    let message = match update.status {
        UpdateStatus::Committed(_) => return Answer::Committed(call.request_id),
        UpdateStatus::Failed(message) => message.into_string(),
        UpdateStatus::OutOfEnergy => "the database is out of energy".to_owned(),
    };
    Answer::Failed { reducer: call.reducer_name, args: call.args, message }
}

fn rows(response: OneOffQueryResponse<BsatnFormat>) -> Answer {
    let Ok(message_id) = <[u8; 4]>::try_from(response.message_id.as_ref()) else {
        return Answer::Other;
    };
    let result = match response.error {
        Some(error) => Err(error.into_string()),
        None => Ok(response.tables.iter().flat_map(|table| &table.rows).collect()),
    };
    Answer::Rows(u32::from_le_bytes(message_id), result)
}

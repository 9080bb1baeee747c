//! A link against a server that speaks the protocol, with the engine's habits.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use spacetimedb_client_api_messages::{
    energy::EnergyQuanta,
    websocket::{
        BIN_PROTOCOL, BsatnFormat, BsatnRowListBuilder, CallReducer, ClientMessage, DatabaseUpdate,
        IdentityToken, OneOffQueryResponse, OneOffTable, ReducerCallInfo, ServerMessage,
        TransactionUpdate, UpdateStatus,
    },
};
use spacetimedb_lib::{ConnectionId, Identity, TimeDuration, Timestamp, bsatn};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{ErrorResponse, Request, Response},
    },
};

use super::{rows::RealmPopulation, *};

type Socket = WebSocketStream<TcpStream>;
type Server = ServerMessage<BsatnFormat>;

const WAIT: Duration = Duration::from_secs(5);

fn link_to(addr: SocketAddr) -> Link {
    let token: TokenSource = Arc::new(|| Ok("token".to_owned()));
    let mut config = LinkConfig::new(&format!("http://{addr}"), "haven", token);
    config.call_timeout = Duration::from_secs(2);
    Link::open(config)
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let addr = listener.local_addr().expect("an address");
    (listener, addr)
}

/// Lets one client in.
async fn accept(listener: &TcpListener) -> Socket {
    let (stream, _) = listener.accept().await.expect("a client");
    #[expect(clippy::result_large_err, reason = "the signature is tungstenite's")]
    let shake = |request: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
        let uri = request.uri().to_string();
        assert_eq!(uri, "/v1/database/haven/subscribe?compression=None&light=true");
        assert_eq!(request.headers()["authorization"], "Bearer token");
        let protocol = request.headers()["sec-websocket-protocol"].clone();
        assert_eq!(protocol, BIN_PROTOCOL);
        response.headers_mut().insert("sec-websocket-protocol", protocol);
        Ok(response)
    };
    let mut socket = accept_hdr_async(stream, shake).await.expect("a handshake");
    let welcome = IdentityToken {
        identity: Identity::ZERO,
        token: "internal".into(),
        connection_id: ConnectionId::ZERO,
    };
    say(&mut socket, &Server::IdentityToken(welcome)).await;
    socket
}

async fn say(socket: &mut Socket, message: &Server) {
    let bytes = [vec![0], bsatn::to_vec(message).expect("a message")].concat();
    socket.send(Message::Binary(bytes.into())).await.expect("a sent message");
}

/// Answers like the engine: commits repeat the request id, failures have 0.
async fn answer(socket: &mut Socket, call: CallReducer<Box<[u8]>>, refusal: Option<&str>) {
    let (status, request_id) = match refusal {
        None => (UpdateStatus::Committed(DatabaseUpdate::default()), call.request_id),
        Some(message) => (UpdateStatus::Failed(message.into()), 0),
    };
    let (reducer_name, args) = (call.reducer, call.args);
    let update = TransactionUpdate {
        status,
        timestamp: Timestamp::UNIX_EPOCH,
        caller_identity: Identity::ZERO,
        caller_connection_id: ConnectionId::ZERO,
        reducer_call: ReducerCallInfo { reducer_name, reducer_id: 1, args, request_id },
        energy_quanta_used: EnergyQuanta::ZERO,
        total_host_execution_duration: TimeDuration::from_micros(1),
    };
    say(socket, &Server::TransactionUpdate(update)).await;
}

async fn next(socket: &mut Socket) -> Option<ClientMessage<Box<[u8]>>> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Binary(bytes))) => {
                return Some(bsatn::from_slice(&bytes).expect("a client message"));
            }
            Some(Ok(_)) => (),
            Some(Err(_)) | None => return None,
        }
    }
}

/// Serves one client: even numbers are committed, odd ones refused, `reducer_lost` hangs up.
async fn serve(mut socket: Socket) {
    while let Some(message) = next(&mut socket).await {
        match message {
            ClientMessage::CallReducer(call) if &*call.reducer == "reducer_lost" => return,
            ClientMessage::CallReducer(call) if &*call.reducer == "reducer_silent" => (),
            ClientMessage::CallReducer(call) => {
                let odd = call.args.first().is_some_and(|byte| byte % 2 == 1);
                let refusal = odd.then_some("account.unknown: there is no such account");
                answer(&mut socket, call, refusal).await;
            }
            ClientMessage::OneOffQuery(query) => {
                let row = RealmPopulation {
                    singleton_id: 0,
                    online: 5,
                    changed_at: Timestamp::UNIX_EPOCH,
                };
                let good = &*query.query_string == "SELECT * FROM realm_population";
                let table_name = "realm_population".into();
                let mut list = BsatnRowListBuilder::row_offsets();
                list.push(&bsatn::to_vec(&row).expect("a row"));
                let rows = list.finish();
                let response = OneOffQueryResponse {
                    message_id: query.message_id,
                    error: (!good).then(|| "no such column".into()),
                    tables: if good {
                        [OneOffTable { table_name, rows }].into()
                    } else {
                        [].into()
                    },
                    total_host_execution_duration: TimeDuration::from_micros(1),
                };
                say(&mut socket, &Server::OneOffQueryResponse(response)).await;
            }
            _ => panic!("an unexpected message"),
        }
    }
}

#[tokio::test]
async fn many_calls_in_flight_get_their_own_outcomes() {
    let (listener, addr) = listen().await;
    let link = link_to(addr);
    let server = tokio::spawn(async move { serve(accept(&listener).await).await });
    assert!(link.wait_connected(WAIT).await, "{:?}", link.last_failure());
    let calls = (0..200u8).map(|number| {
        let link = link.clone();
        async move { (number, link.call("reducer", Args::new().with(&number)).await) }
    });
    for (number, outcome) in futures_util::future::join_all(calls).await {
        let code = outcome.err().and_then(|error| error.code());
        assert_eq!(code, (number % 2 == 1).then_some("account.unknown"), "{number}");
    }
    link.close().await;
    assert_eq!(link.call("reducer", Args::new()).await, Err(CallError::Unavailable));
    server.await.expect("a server that ends");
}

#[tokio::test]
async fn rows_are_decoded_and_refused_queries_told() {
    let (listener, addr) = listen().await;
    let link = link_to(addr);
    tokio::spawn(async move { serve(accept(&listener).await).await });
    assert!(link.wait_connected(WAIT).await);
    let rows = link.query::<RealmPopulation>(Filter::all()).await.expect("rows");
    assert_eq!(rows.iter().map(|row| row.online).collect::<Vec<_>>(), [5]);
    let refused = link.query::<RealmPopulation>(Filter::number("nothing", 1u8)).await;
    assert_eq!(refused.expect_err("a refusal"), CallError::Query("no such column".to_owned()));
}

#[tokio::test]
async fn a_link_comes_back_and_fails_fast_meanwhile() {
    let (listener, addr) = listen().await;
    let link = link_to(addr);
    assert_eq!(link.call("reducer", Args::new()).await, Err(CallError::Unavailable));
    let server = tokio::spawn(async move {
        serve(accept(&listener).await).await;
        listener
    });
    assert!(link.wait_connected(WAIT).await);
    assert_eq!(link.call("reducer_lost", Args::new()).await, Err(CallError::Lost));
    let listener = server.await.expect("a server that hung up");
    assert!(!link.is_connected());
    assert!(link.last_failure().is_some());
    let calling = Instant::now();
    assert_eq!(link.call("reducer", Args::new()).await, Err(CallError::Unavailable));
    assert!(calling.elapsed() < Duration::from_millis(100));
    tokio::spawn(async move { serve(accept(&listener).await).await });
    assert!(link.wait_connected(WAIT).await);
    assert_eq!(link.call("reducer", Args::new().with(&2u8)).await, Ok(()));
}

#[tokio::test]
async fn a_call_without_an_answer_ends_in_time() {
    let (listener, addr) = listen().await;
    let link = link_to(addr);
    tokio::spawn(async move { serve(accept(&listener).await).await });
    assert!(link.wait_connected(WAIT).await);
    assert_eq!(link.call("reducer_silent", Args::new()).await, Err(CallError::Timeout));
    assert_eq!(link.call("reducer", Args::new().with(&2u8)).await, Ok(()));
}

#[tokio::test]
async fn what_is_not_the_protocol_breaks_the_connection_only() {
    let (listener, addr) = listen().await;
    let link = link_to(addr);
    let garbage = Bytes::from_static(&[0, 250, 1, 2, 3]);
    let mut socket = accept(&listener).await;
    assert!(link.wait_connected(WAIT).await);
    socket.send(Message::Binary(garbage)).await.expect("a sent message");
    let socket = accept(&listener).await;
    tokio::spawn(serve(socket));
    assert!(link.wait_connected(WAIT).await);
}

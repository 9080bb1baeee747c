//! A raw WebSocket client in JSON, so that tests can send what no SDK would.

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;
/// Calls without an outcome yet. A connection's calls run in order, so outcomes come in order.
type Waiting = Arc<Mutex<VecDeque<oneshot::Sender<Result<(), String>>>>>;

/// One connection to a database.
pub struct Client {
    outgoing: mpsc::UnboundedSender<Message>,
    waiting: Waiting,
    next_request: AtomicU32,
    closed: watch::Receiver<bool>,
    seen: Arc<Mutex<Vec<Value>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Client {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Client {
    /// Connects with a token in the `Authorization` header.
    ///
    /// # Errors
    /// The status of a refusal before the upgrade, or `closed` when the database refused.
    pub async fn connect(uri: &str, database: &str, token: &str) -> Result<Self, String> {
        Self::connect_to(&format!("{uri}/v1/database/{database}/subscribe"), Some(token)).await
    }

    /// Connects to any address.
    ///
    /// # Errors
    /// See [`Self::connect`].
    pub async fn connect_to(url: &str, token: Option<&str>) -> Result<Self, String> {
        let url = url.replacen("http", "ws", 1);
        let mut request = url.into_client_request().map_err(|error| error.to_string())?;
        let protocol = "v1.json.spacetimedb".parse().expect("a header");
        request.headers_mut().insert("sec-websocket-protocol", protocol);
        if let Some(token) = token {
            let value = format!("Bearer {token}").parse().expect("a header");
            request.headers_mut().insert("authorization", value);
        }
        let (socket, _) =
            tokio_tungstenite::connect_async(request).await.map_err(|error| match error {
                tokio_tungstenite::tungstenite::Error::Http(answer) => {
                    answer.status().as_u16().to_string()
                }
                other => other.to_string(),
            })?;
        let client = Self::run(socket);
        client.wait_for("IdentityToken").await.map(|_| client)
    }

    fn run(mut socket: Socket) -> Self {
        let (outgoing, mut queue) = mpsc::unbounded_channel::<Message>();
        let waiting = Waiting::default();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (closing, closed) = watch::channel(false);
        let (answers, messages) = (waiting.clone(), seen.clone());
        let task = tokio::spawn(async move {
            loop {
                tokio::select! {
                    message = queue.recv() => match message {
                        Some(message) => if socket.send(message).await.is_err() { break },
                        None => break,
                    },
                    message = socket.next() => match message {
                        Some(Ok(Message::Text(text))) => {
                            let value: Value = serde_json::from_str(&text).expect("JSON");
                            // Seen before it is answered: who has an outcome finds its message.
                            messages.lock().expect("unpoisoned").push(value.clone());
                            answer(&answers, &value);
                        }
                        Some(Ok(_)) => {}
                        Some(Err(_)) | None => break,
                    },
                }
            }
            let _ = socket.close(None).await;
            answers.lock().expect("unpoisoned").clear();
            let _ = closing.send(true);
        });
        Self { outgoing, waiting, next_request: AtomicU32::new(1), closed, seen, task }
    }

    /// Calls a reducer with JSON arguments and waits for its outcome.
    ///
    /// # Errors
    /// The reducer's message, or `closed`.
    pub async fn call(&self, reducer: &str, args: Value) -> Result<(), String> {
        let request_id = self.next_request.fetch_add(1, Ordering::Relaxed);
        let (sender, outcome) = oneshot::channel();
        let call = json!({ "CallReducer": {
            "reducer": reducer, "args": args.to_string(), "request_id": request_id, "flags": 0,
        }});
        {
            let mut waiting = self.waiting.lock().expect("unpoisoned");
            waiting.push_back(sender);
            self.send(&call);
        }
        match tokio::time::timeout(Duration::from_secs(20), outcome).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err("closed".to_owned()),
            Err(_) => Err("no answer".to_owned()),
        }
    }

    /// Sends a message as it is.
    pub fn send(&self, message: &Value) {
        let _ = self.outgoing.send(Message::text(message.to_string()));
    }

    /// Subscribes to queries and waits until they apply.
    pub async fn subscribe(&self, queries: &[&str]) {
        let request_id = self.next_request.fetch_add(1, Ordering::Relaxed);
        self.send(&json!({ "SubscribeMulti": {
            "query_strings": queries, "request_id": request_id, "query_id": { "id": request_id },
        }}));
        let applied = self.wait_for("SubscribeMultiApplied").await;
        assert!(applied.is_ok(), "subscribed: {:?}", self.messages());
    }

    /// Everything that came so far.
    pub fn messages(&self) -> Vec<Value> {
        self.seen.lock().expect("unpoisoned").clone()
    }

    /// Waits for a message of that kind.
    ///
    /// # Errors
    /// `closed` when the connection ends first.
    pub async fn wait_for(&self, kind: &str) -> Result<Value, String> {
        let deadline = tokio::time::Instant::now() + super::PATIENCE;
        loop {
            let found = self.messages().into_iter().find(|message| message.get(kind).is_some());
            if let Some(message) = found {
                return Ok(message);
            }
            if *self.closed.borrow() || tokio::time::Instant::now() > deadline {
                return Err("closed".to_owned());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Waits until the other side has closed the connection.
    pub async fn wait_closed(&self) {
        let mut closed = self.closed.clone();
        let ended = tokio::time::timeout(super::PATIENCE, closed.wait_for(|closed| *closed)).await;
        assert!(ended.is_ok(), "the connection was not closed");
    }

    /// Ends the connection.
    pub async fn close(&self) {
        let _ = self.outgoing.send(Message::Close(None));
        self.wait_closed().await;
    }
}

fn answer(waiting: &Waiting, message: &Value) {
    let Some(update) = message.get("TransactionUpdate") else { return };
    let Some(sender) = waiting.lock().expect("unpoisoned").pop_front() else { return };
    let outcome = match &update["status"] {
        status if status.get("Committed").is_some() => Ok(()),
        status => Err(status["Failed"].as_str().unwrap_or("out of energy").to_owned()),
    };
    let _ = sender.send(outcome);
}

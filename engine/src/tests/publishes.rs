//! Publishing over a database that is in use: whose sockets end, and whose do not.

use futures::StreamExt as _;

use super::*;

impl Host {
    /// Publishes some bytes; whether they were accepted.
    async fn try_publish(&self, engine: &Engine, query: &str, wasm: &[u8]) -> bool {
        let answer = reqwest::Client::new()
            .put(format!("{}/v1/database/haven{query}", engine.uri()))
            .bearer_auth(self.issuer.owner_token())
            .header("content-type", "application/wasm")
            .body(wasm.to_vec())
            .send()
            .await;
        answer.expect("the engine answers").status().is_success()
    }
}

/// Whether a socket ends within a while.
async fn ends(socket: &mut Socket) -> bool {
    let end = async { while let Some(Ok(_)) = socket.next().await {} };
    tokio::time::timeout(Duration::from_secs(2), end).await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_that_does_not_start_is_refused_before_anybody_is_sent_away() {
    let host = Host::new();
    let engine = host.start(true).await;
    host.publish(&engine).await;
    let mut socket = host.connect(&engine).await;
    assert!(!host.try_publish(&engine, "", b"not wasm").await);
    assert!(!ends(&mut socket).await, "nothing has changed");
    assert_eq!(host.count(&engine, "realm_owner").await, 1);
    host.publish_noted(&engine, b"good").await;
    assert!(ends(&mut socket).await, "another module needs other sockets");
    engine.stop().await.expect("stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_published_anew_or_deleted_keeps_no_socket() {
    let host = Host::new();
    let engine = host.start(false).await;
    host.publish(&engine).await;
    host.insert(&engine, 9).await;
    let mut socket = host.connect(&engine).await;
    assert!(host.try_publish(&engine, "?clear=true", MODULE_WASM).await);
    assert!(ends(&mut socket).await);
    assert_eq!(host.count(&engine, "realm_owner").await, 1, "it begins anew");
    let mut socket = host.connect(&engine).await;
    let delete = reqwest::Client::new().delete(format!("{}/v1/database/haven", engine.uri()));
    let deleted = delete.bearer_auth(host.issuer.owner_token()).send().await;
    assert!(deleted.expect("the engine answers").status().is_success());
    assert!(ends(&mut socket).await);
    engine.stop().await.expect("stopped");
}

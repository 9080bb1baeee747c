//! The audit trail: what is recorded, and that clients cannot sweep it.

use crate::support::{on_database, sha256};
use serde_json::json;

#[test]
fn logins_and_staff_actions_leave_an_entry() {
    on_database(|database| async move {
        let account_id = database.register("ann@example.org").await;
        let owner = &database.owner;
        let args = json!([account_id, 1, sha256("second"), 3600]);
        owner.call("session_open", args).await.expect("opened");
        owner.call("account_role_set", json!([account_id, 2])).await.expect("set");
        let mut entries = database.rows("audit_entry").await;
        entries.sort_by_key(|row| row["audit_id"].as_u64());
        let told: Vec<String> = entries
            .iter()
            .map(|row| format!("{} {} {}", row["action"], row["subject_account_id"], row["detail"]))
            .collect();
        insta::assert_snapshot!(told.join("\n"));
    });
}

#[test]
fn a_refused_action_leaves_no_entry() {
    on_database(|database| async move {
        let before = database.rows("audit_entry").await.len();
        database.owner.call("account_role_set", json!([99, 2])).await.expect_err("unknown");
        database.owner.call("realm_close", json!([7])).await.expect_err("unknown");
        assert_eq!(database.rows("audit_entry").await.len(), before);
    });
}

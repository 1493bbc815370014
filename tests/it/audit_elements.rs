//! 접속기록의 다섯 항목: each entry about customers' data says who, when, from where, whose data, and what was done.

use orgdesk::kernel::Action;
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::TestApp,
        grants,
        ticket::{REVEAL, desk, made, update},
    },
};

/// Acme's entries of an action that were done.
async fn entries(app: &TestApp, action: &str) -> Vec<Value> {
    let query = "query Q($action: [Permission!]) { auditEntries(first: 20, filter: { action: $action, outcome: [DONE] }) { nodes {
        action occurredAt address subjects actor { kind name reference } } } }";
    let data = app.owner().data(query, json!({ "action": [action] })).await;
    data["auditEntries"]["nodes"].as_array().unwrap().clone()
}

both! {
    // case: C6
    async fn l1_an_entry_about_customers_says_all_five(app) {
        let service = desk(&app, "desk").await;
        grants::give(app.owner(), "agent", json!({ "serviceIds": [service.id], "networks": ["127.0.0.1"] })).await;
        let agent = app.someone("acme", "agent");
        let ticket = made(agent, &service, json!({ "phone": "010-2345-6789" })).await;
        update(agent, &ticket, json!({ "priority": "URGENT" })).await;
        agent.deed(REVEAL, json!({ "input": { "ids": [ticket["id"]], "reason": "배송지 정정 상담을 위한 회신" } })).await;

        for action in ["TICKET_CREATE", "TICKET_UPDATE", "TICKET_REVEAL"] {
            let found = entries(&app, action).await;
            assert_eq!(found.len(), 1, "{action}");
            let entry = &found[0];
            assert_eq!(entry["subjects"], json!([ticket["id"]]), "{entry}");
            assert_eq!((&entry["action"], &entry["address"]), (&json!(action), &json!("127.0.0.1")));
            assert!(entry["actor"]["reference"].as_str().unwrap().starts_with("mbr_"), "{entry}");
            assert!(!entry["occurredAt"].as_str().unwrap().is_empty());
        }
    }
}

#[test]
fn l1_what_leaves_as_a_file_or_shows_data_in_clear_handles_personal_data() {
    for action in [
        Action::TicketReveal,
        Action::CtiLogDownload,
        Action::ImportFileDownload,
        Action::TicketUpdate,
    ] {
        assert!(action.handles_personal_data(), "{action:?}");
    }
    for action in [
        Action::AuditRead,
        Action::ContractSign,
        Action::CtiAgentDownload,
        Action::SessionStart,
    ] {
        assert!(!action.handles_personal_data(), "{action:?}");
    }
}

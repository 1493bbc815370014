//! 계약: drafting, signing, and the one edit a day.

use serde_json::json;

use crate::{both, support::make};

both! {
    async fn s5_a_contract_is_edited_once_a_day(app) {
        let owner = app.owner();
        let desk = make::in_use(owner, "desk", 3).await;
        let edit = |version: i64, users: i32| {
            json!({ "id": desk.contract, "input": { "expectedVersion": version, "items": [{ "code": "TICKET", "userCount": users }] } })
        };

        owner.deed("contractUpdate(id: $id, input: $input)", edit(2, 4)).await;
        let second = owner.payload("contractUpdate(id: $id, input: $input)", edit(3, 5)).await;

        assert_eq!(crate::support::app::codes(&second), ["CONTRACT_ALREADY_CHANGED_TODAY at id"]);
        assert_eq!(second["userErrors"][0]["availableAt"], "2026-11-10T15:00:00.000Z");
    }
}

//! 전체 관리: which parts the menu shows, by the service through which it was opened and by what is contracted.

use serde_json::{Value, json};

use crate::{
    both,
    support::{app::TestApp, make, staff},
};

/// What is not shown, with its reason, seen through a service or through none.
async fn hidden(app: &TestApp, via: Option<&str>) -> Vec<String> {
    let query = "query Q($via: ID) { menu(viaServiceId: $via) { name isVisible reason helpUrl } }";
    let menu = app.owner().data(query, json!({ "via": via })).await["menu"].clone();
    let entries = menu.as_array().unwrap();
    assert_eq!(entries.len(), 7, "{menu}");
    let mut hidden = Vec::new();
    for entry in entries {
        assert!(entry["helpUrl"].as_str().unwrap().starts_with("https://"), "{entry}");
        assert_eq!(entry["isVisible"], entry["reason"].is_null(), "{entry}");
        if let Value::String(reason) = &entry["reason"] {
            hidden.push(format!("{} {reason}", entry["name"].as_str().unwrap()));
        }
    }
    hidden
}

both! {
    async fn s11_the_menu_depends_on_the_entry_and_on_what_is_contracted(app) {
        let desk = make::in_use(app.owner(), "desk", 3).await;
        let issue = staff::issue(app.owner(), "issue").await;
        let silent = ["CTI NO_TELEPHONY_CONTRACTED"];
        let from_issue = ["COMPANY NOT_FROM_ISSUE_SERVICE", "CTI NOT_FROM_ISSUE_SERVICE"];

        assert_eq!(hidden(&app, None).await, silent);
        assert_eq!(hidden(&app, Some(&desk.id)).await, silent);
        assert_eq!(hidden(&app, Some(&issue.id)).await, from_issue);
        staff::full(app.owner(), "phones").await;
        assert_eq!(hidden(&app, None).await, Vec::<String>::new());
        assert_eq!(hidden(&app, Some(&desk.id)).await, Vec::<String>::new());
        assert_eq!(hidden(&app, Some(&issue.id)).await, from_issue);
    }

    async fn s11_a_service_of_somebody_else_has_no_menu(app) {
        let other = make::in_use(app.rival(), "theirs", 3).await;

        let data = app.owner().data("query Q($via: ID) { menu(viaServiceId: $via) { name } }", json!({ "via": other.id })).await;

        assert_eq!(data["menu"], json!([]));
    }
}

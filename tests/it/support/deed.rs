//! A deed past the API, through the kernel's door all the same: for what no mutation does in just this way.

use std::net::IpAddr;

use orgdesk::kernel::{Actor, Caller, Language, MemberId, OrganizationId, Origin, SignedIn};
use serde_json::json;

use super::app::TestApp;

/// Somebody of Acme, from this address, with every role.
pub async fn caller(app: &TestApp, login: &str, address: &str) -> Caller {
    let data = app
        .someone("acme", login)
        .data("{ viewer { member { id name } } }", json!({}))
        .await;
    let organization = app.owner().data("{ organization { id } }", json!({})).await;
    let organization: OrganizationId = organization["organization"]["id"].as_str().unwrap().parse().unwrap();
    let member = &data["viewer"]["member"];
    let member_id: MemberId = member["id"].as_str().unwrap().parse().unwrap();
    let actor = SignedIn {
        member_id,
        session_id: member_id.0.into(),
        login: login.to_owned(),
        name: member["name"].as_str().unwrap().to_owned(),
        is_owner: true,
        is_administrator: true,
        is_manager: true,
        has_second_factor: false,
        must_enroll: false,
        confirmed_at: app.app.clock.now(),
    };
    let origin = Origin {
        address: Some(address.parse::<IpAddr>().unwrap()),
        request_id: "test".to_owned(),
        client: String::new(),
    };
    let mut app = app.app.clone();
    app.standing = |_, _, then| Box::pin(async { Ok(Some(then.clone())) });
    Caller::new(app, Actor::Member(actor), Some(organization), origin, Language::English)
}

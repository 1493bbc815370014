//! 개인정보 취급 권한: giving, changing and taking back grants, how they end by themselves, and the log of all of it.

use chrono::Duration;
use orgdesk::kernel::Action;
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{TestApp, codes},
        authenticator, grants,
        make::{self, Made},
        people::{self, EXPEL, LEAVE, on, own},
        staff,
    },
};

const REFUSED: &str =
    "mutation M($input: PiiGrantCreateInput!) { piiGrantCreate(input: $input) { userErrors { code } } }";

/// A service in use with a manager and an agent.
async fn staffed(app: &TestApp) -> Made {
    let desk = make::in_use(app.owner(), "desk", 5).await;
    let like = people::somebody(app).await;
    for (login, is_manager) in [("manager", true), ("agent", false)] {
        people::join_like(app, login, false, &like).await;
        people::employ(app, "desk", login, is_manager).await;
    }
    desk
}

fn everywhere() -> Value {
    json!({ "isForAllServices": true })
}

fn with(more: Value) -> Value {
    let mut all = everywhere();
    for (name, value) in more.as_object().unwrap() {
        all[name] = value.clone();
    }
    all
}

async fn status(app: &TestApp, grant: &Value) -> String {
    let query = "query N($id: ID!) { node(id: $id) { ... on PiiGrant { status } } }";
    let data = app.owner().data(query, json!({ "id": grant["id"] })).await;
    data["node"]["status"].as_str().unwrap().to_owned()
}

both! {
    async fn i1_a_grant_is_to_an_account_with_its_address_from_few_networks_for_a_purpose_and_a_time(app) {
        let desk = staffed(&app).await;
        let owner = app.owner();

        let grant = grants::give(owner, "agent", json!({ "serviceIds": [desk.id], "networks": [" 203.0.113.0/24", "2001:DB8:0:1::/64"] })).await;

        assert_eq!(grant["networks"], json!(["203.0.113.0/24", "2001:db8:0:1::/64"]));
        assert_eq!((&grant["services"], &grant["isForAllServices"]), (&json!([{ "code": "desk" }]), &json!(false)));
        assert_eq!(grant["validUntil"], "2027-11-10T01:00:00.000Z");
        assert_eq!((&grant["status"], &grant["email"], &grant["grantedByName"]), (&json!("ACTIVE"), &json!("agent@example.com"), &json!("소유자 (owner)")));
        assert_eq!(grants::problems(owner, "agent", everywhere()).await, ["PII_GRANT_EXISTS at input.memberId"]);
        let list = "{ piiGrants(filter: { status: ACTIVE }) { totalCount nodes { member { login } } } }";
        let listed = app.administrator().data(list, json!({})).await;
        assert_eq!(listed["piiGrants"], json!({ "totalCount": 1, "nodes": [{ "member": { "login": "agent" } }] }));
        assert_eq!(app.rival().data(list, json!({})).await["piiGrants"]["totalCount"], 0);
        assert_eq!(grants::log(owner, json!({})).await, ["GRANTED owner agent - 203.0.113.0/24,2001:db8:0:1::/64 -"]);
    }

    async fn i1_every_rule_is_refused_with_its_own_code_and_path(app) {
        let desk = staffed(&app).await;
        let ended = make::in_use(app.owner(), "ended", 1).await;
        make::suspend(app.owner(), &ended).await;
        make::terminate(app.owner(), &ended).await;
        let rivals = make::in_use(app.rival(), "rivals", 1).await;
        let long = |length: usize| "가".repeat(length);
        let cases = [
            (with(json!({ "email": "agent2@example.com" })), "EMAIL_DIFFERS at input.email"),
            (with(json!({ "networks": [] })), "BLANK at input.networks"),
            (with(json!({ "networks": ["203.0.113.0/23"] })), "INVALID at input.networks.0"),
            (with(json!({ "networks": ["203.0.112.0/23"] })), "NETWORK_TOO_WIDE at input.networks.0"),
            (with(json!({ "networks": ["::/0"] })), "NETWORK_TOO_WIDE at input.networks.0"),
            (with(json!({ "networks": ["203.0.113.7", "203.0.113.7/32"] })), "DUPLICATE at input.networks.1"),
            (with(json!({ "networks": vec!["203.0.113.7"; 11] })), "TOO_MANY at input.networks"),
            (json!({}), "BLANK at input.serviceIds"),
            (json!({ "serviceIds": [] }), "BLANK at input.serviceIds"),
            (json!({ "serviceIds": [rivals.id] }), "NOT_FOUND at input.serviceIds.0"),
            (json!({ "serviceIds": [desk.id, desk.id] }), "DUPLICATE at input.serviceIds.1"),
            (json!({ "serviceIds": [ended.id] }), "SERVICE_TERMINATED at input.serviceIds.0"),
            (with(json!({ "serviceIds": [desk.id] })), "INVALID at input.isForAllServices"),
            (with(json!({ "purpose": "          " })), "BLANK at input.purpose"),
            (with(json!({ "purpose": long(9) })), "TOO_SHORT at input.purpose"),
            (with(json!({ "purpose": long(201) })), "TOO_LONG at input.purpose"),
            (with(json!({ "purpose": "목적\u{0}을 적는 자리에" })), "INVALID at input.purpose"),
            (with(json!({ "validUntil": "2026-11-10T01:00:00Z" })), "OUT_OF_RANGE at input.validUntil"),
            (with(json!({ "validUntil": "2027-11-10T01:00:01Z" })), "OUT_OF_RANGE at input.validUntil"),
        ];

        for (more, problem) in cases {
            assert_eq!(grants::problems(app.owner(), "agent", more.clone()).await, [problem], "{more}");
        }
        let three = with(json!({ "email": "x@example.com", "purpose": "짧다", "networks": ["0.0.0.0/0"] }));
        assert_eq!(grants::problems(app.owner(), "agent", three).await,
            ["EMAIL_DIFFERS at input.email", "NETWORK_TOO_WIDE at input.networks.0", "TOO_SHORT at input.purpose"]);
        assert_eq!(grants::log(app.owner(), json!({})).await, [""; 0]);
    }

    async fn i1_nobody_grants_himself_and_only_who_works_in_a_service_is_granted(app) {
        staffed(&app).await;
        people::employ(&app, "desk", "admin", true).await;
        people::employ(&app, "desk", "owner", true).await;

        assert_eq!(grants::problems(app.owner(), "owner", everywhere()).await, ["NOT_ONESELF at input.memberId"]);
        assert_eq!(grants::problems(app.administrator(), "owner", everywhere()).await, [""; 0]);
        assert_eq!(grants::problems(app.owner(), "member", everywhere()).await, ["NO_SERVICE_ROLE at input.memberId"]);
        let own = grants::give(app.owner(), "admin", everywhere()).await;
        let widened = grants::update(app.administrator(), &own, json!({ "networks": ["198.51.100.0/24"] })).await;
        assert_eq!(codes(&widened), ["NOT_ONESELF at id"]);
        assert_eq!(codes(&grants::revoke(app.administrator(), &own, json!({})).await), [""; 0], "giving one's own up is free");
        let input = grants::input(app.owner(), "agent", everywhere()).await;
        for who in [app.member(), app.someone("acme", "manager"), app.someone("acme", "agent")] {
            assert_eq!(who.ask(REFUSED, input.clone()).await.code(), "FORBIDDEN");
        }
        let theirs = app.rival().problems("piiGrantCreate(input: $input)", input).await;
        assert_eq!(theirs, ["NOT_FOUND at input.memberId"]);
    }

    async fn i1_a_grant_takes_a_password_that_was_given_within_five_minutes(app) {
        // case: D12
        staffed(&app).await;
        for action in [Action::PiiGrantCreate, Action::PiiGrantUpdate, Action::PiiGrantRevoke] {
            assert!(action.needs_confirmation(), "{}", action.name());
        }
        let input = grants::input(app.owner(), "agent", everywhere()).await;
        let token = app.owner().token().await;
        app.wait(Duration::minutes(5) + Duration::seconds(1));

        let late = app.ask(Some(&token), REFUSED, input.clone()).await;
        let fresh = app.owner().problems("piiGrantCreate(input: $input)", input).await;

        assert_eq!(late.code(), "CONFIRMATION_REQUIRED", "{}", late.text);
        assert_eq!(fresh, [""; 0]);
    }

    async fn i1_a_grant_is_changed_and_taken_back_and_the_log_tells_each(app) {
        let desk = staffed(&app).await;
        let owner = app.owner();
        let other = make::draft(owner, "other").await;
        let grant = grants::give(owner, "agent", everywhere()).await;
        app.wait(Duration::hours(1));
        let changed = grants::update(owner, &grant, json!({ "networks": ["198.51.100.7"], "serviceIds": [desk.id], "reason": " 재택 근무 " })).await;
        let same = grants::update(owner, &changed["grant"], json!({ "networks": ["198.51.100.7"] })).await;
        let stale = grants::revoke(owner, &grant, json!({})).await;
        app.wait(Duration::hours(1));
        let revoked = grants::revoke(app.administrator(), &same["grant"], json!({ "reason": "업무 변경" })).await;
        let again = grants::revoke(owner, &revoked["grant"], json!({})).await;
        let late = grants::update(owner, &revoked["grant"], json!({ "purpose": "다시 필요해진 정정 업무" })).await;

        assert_eq!((&changed["grant"]["version"], &same["grant"]["version"]), (&json!(2), &json!(2)));
        assert_eq!(codes(&stale), ["STALE_VERSION at input.expectedVersion"]);
        assert_eq!((&revoked["grant"]["status"], &revoked["grant"]["endedAt"]), (&json!("REVOKED"), &json!("2026-11-10T03:00:00.000Z")));
        assert_eq!(codes(&again), ["PII_GRANT_ENDED at id"]);
        assert_eq!(codes(&late), ["PII_GRANT_ENDED at id"]);
        let (given, updated, taken) = ("GRANTED owner agent - 203.0.113.0/24 -", "UPDATED owner agent 203.0.113.0/24 198.51.100.7 재택 근무",
            "REVOKED admin agent 198.51.100.7 - 업무 변경");
        assert_eq!(grants::log(owner, json!({})).await, [taken, updated, given]);
        for (filter, found) in [
            (json!({ "kind": ["UPDATED", "GRANTED"] }), vec![updated, given]),
            (json!({ "kind": [] }), vec![]),
            (json!({ "login": "admin" }), vec![taken]),
            (json!({ "login": "agent" }), vec![taken, updated, given]),
            (json!({ "login": "owner", "kind": ["GRANTED"] }), vec![given]),
            (json!({ "name": "조직관리자" }), vec![taken]),
            (json!({ "address": "127.0.0.1" }), vec![taken, updated, given]),
            (json!({ "address": "127.0.0.2" }), vec![]),
            (json!({ "grantId": grant["id"] }), vec![taken, updated, given]),
            (json!({ "grantId": desk.id }), vec![]),
            (json!({ "serviceId": desk.id }), vec![taken, updated, given]),
            (json!({ "serviceId": other.id }), vec![updated, given]),
            (json!({ "serviceId": other.id, "kind": ["UPDATED"], "login": "owner" }), vec![updated]),
            (json!({ "serviceId": grant["id"] }), vec![]),
            (json!({ "occurredAt": { "from": "2026-11-10T02:00:00Z", "to": "2026-11-10T03:00:00Z" } }), vec![updated]),
        ] {
            assert_eq!(grants::log(owner, filter.clone()).await, found, "{filter}");
        }
        assert_eq!(grants::log(app.rival(), json!({})).await, [""; 0]);
        let query = "query Q($filter: PiiGrantChangeFilter) { piiGrantChanges(filter: $filter) { totalCount } }";
        for (name, wrong) in [("name", 1), ("name", 101), ("login", 1), ("login", 41), ("address", 51)] {
            let filter = json!({ name: "a".repeat(wrong) });
            assert_eq!(owner.ask(query, json!({ "filter": filter })).await.code(), "BAD_USER_INPUT", "{name}: {wrong}");
        }
        for (name, right) in [("name", 2), ("name", 100), ("login", 2), ("login", 40), ("address", 50)] {
            let found = owner.data(query, json!({ "filter": { name: "x".repeat(right) } })).await;
            assert_eq!(found["piiGrantChanges"]["totalCount"], 0, "{name}: {right}");
        }
    }

    async fn i1_the_purpose_of_a_grant_is_changed_by_the_rules_that_it_was_given_by(app) {
        staffed(&app).await;
        let owner = app.owner();
        let grant = grants::give(owner, "agent", everywhere()).await;
        let too_short = grants::update(owner, &grant, json!({ "purpose": "정정" })).await;
        let blank = grants::update(owner, &grant, json!({ "purpose": "          " })).await;
        let changed = grants::update(owner, &grant, json!({ "purpose": " 반품을 접수하는 상담 업무 " })).await;

        assert_eq!(codes(&too_short), ["TOO_SHORT at input.purpose"]);
        assert_eq!(codes(&blank), ["BLANK at input.purpose"]);
        assert_eq!((&changed["grant"]["purpose"], &changed["grant"]["version"]), (&json!("반품을 접수하는 상담 업무"), &json!(2)));
    }

    async fn i1_the_log_comes_in_pages_and_each_row_has_its_entry_in_the_chain(app) {
        staffed(&app).await;
        let owner = app.owner();
        for _ in 0..3 {
            let grant = grants::give(owner, "agent", everywhere()).await;
            grants::revoke(owner, &grant, json!({})).await;
            app.wait(Duration::minutes(1));
        }
        let query = "query Q($after: String) { piiGrantChanges(first: 4, after: $after) { pageInfo { hasNextPage endCursor }
            nodes { id kind entry { action outcome } } } }";
        let first = owner.data(query, json!({})).await["piiGrantChanges"].clone();
        let rest = owner.data(query, json!({ "after": first["pageInfo"]["endCursor"] })).await["piiGrantChanges"].clone();

        assert_eq!((first["nodes"].as_array().unwrap().len(), rest["nodes"].as_array().unwrap().len()), (4, 2));
        assert_eq!((&first["pageInfo"]["hasNextPage"], &rest["pageInfo"]["hasNextPage"]), (&json!(true), &json!(false)));
        assert_eq!(rest["nodes"][1]["entry"], json!({ "action": "PII_GRANT_CREATE", "outcome": "DONE" }));
        let token = owner.token().await;
        let before = app.app.database.statements();
        app.ask(Some(&token), query, json!({})).await;
        assert!(app.app.database.statements() - before <= 4, "the session's check, the page, the entries");
    }

    async fn i1_a_grant_whose_time_is_over_lapses_by_itself(app) {
        staffed(&app).await;
        let owner = app.owner();
        let short = with(json!({ "validUntil": "2026-11-11T01:00:00Z" }));
        let grant = grants::give(owner, "agent", short.clone()).await;
        let unchanged = grants::give(owner, "manager", short).await;
        let longer = grants::update(owner, &grant, json!({ "validUntil": "2026-11-12T01:00:00Z" })).await;
        app.go_to("2026-11-11T01:00:00Z");
        app.run_due().await;
        let extended = status(&app, &grant).await;
        let first_over = status(&app, &unchanged).await;
        app.go_to("2026-11-12T01:00:00Z");
        let late = grants::update(owner, &longer["grant"], json!({ "purpose": "조금 더 필요한 정정 업무" })).await;
        app.run_due().await;
        let over = status(&app, &grant).await;
        app.run_due().await;

        assert_eq!([extended, first_over, over], ["ACTIVE", "EXPIRED", "EXPIRED"]);
        assert_eq!(codes(&late), ["PII_GRANT_ENDED at id"]);
        assert_eq!(grants::log(owner, json!({ "kind": ["EXPIRED"] })).await,
            ["EXPIRED SYSTEM agent 203.0.113.0/24 - -", "EXPIRED SYSTEM manager 203.0.113.0/24 - -"]);
        assert_eq!(grants::problems(owner, "agent", everywhere()).await, [""; 0], "there is room for another");
    }

    async fn i1_a_grant_that_is_over_but_not_yet_noted_makes_room_for_another(app) {
        staffed(&app).await;
        grants::give(app.owner(), "agent", with(json!({ "validUntil": "2026-11-11T01:00:00Z" }))).await;
        app.go_to("2026-11-11T01:00:00Z");

        grants::give(app.owner(), "agent", everywhere()).await;
        app.run_due().await;

        let log = grants::log(app.owner(), json!({})).await;
        assert_eq!(log.len(), 3, "{log:?}");
        assert!(log.contains(&"EXPIRED owner agent 203.0.113.0/24 - -".to_owned()), "{log:?}");
    }

    async fn a7_a_grant_goes_with_the_membership_and_with_the_last_place_in_a_service(app) {
        let desk = staffed(&app).await;
        let other = make::in_use(app.owner(), "other", 5).await;
        let owner = app.owner();
        people::join(&app, "leaver", false).await;
        for (service, login) in [("desk", "leaver"), ("other", "agent")] {
            people::employ(&app, service, login, false).await;
        }
        let (kept, left, expelled) = (grants::give(owner, "agent", everywhere()).await, grants::give(owner, "leaver", everywhere()).await,
            grants::give(owner, "manager", everywhere()).await);
        let place = async |service: &Made, login: &str| {
            let query = "query Q($id: ID!) { service(by: { id: $id }) { agents(first: 100) { nodes { id version member { login } } } } }";
            let data = owner.data(query, json!({ "id": service.id })).await;
            let nodes = data["service"]["agents"]["nodes"].as_array().unwrap().clone();
            nodes.into_iter().find(|agent| agent["member"]["login"] == login).unwrap()
        };

        assert_eq!(staff::remove(owner, &place(&desk, "agent").await).await, [""; 0]);
        let with_one_left = status(&app, &kept).await;
        assert_eq!(staff::remove(owner, &place(&other, "agent").await).await, [""; 0]);
        let leaver = app.someone("acme", "leaver");
        leaver.deed(LEAVE, own(&people::member(owner, "leaver").await)).await;
        let manager = people::member(owner, "manager").await;
        owner.deed(EXPEL, on(&manager, json!({}))).await;

        assert_eq!(with_one_left, "ACTIVE");
        for grant in [&kept, &left, &expelled] {
            assert_eq!(status(&app, grant).await, "REVOKED");
        }
        assert_eq!(grants::log(owner, json!({ "kind": ["AUTO_REVOKED"] })).await.len(), 3);
        assert_eq!(grants::log(owner, json!({ "kind": ["AUTO_REVOKED"], "login": "leaver" })).await,
            ["AUTO_REVOKED leaver leaver 203.0.113.0/24 - -"]);
    }

    async fn a10_an_organization_demands_a_second_factor_of_whoever_holds_a_grant(app) {
        staffed(&app).await;
        let owner = app.owner();
        grants::give(owner, "agent", everywhere()).await;
        let organization = owner.data("{ organization { id version } }", json!({})).await["organization"].clone();
        let demand = json!({ "id": organization["id"], "input": { "expectedVersion": organization["version"], "requiresSecondFactorForPii": true } });
        let verb = "organizationUpdate(id: $id, input: $input) => organization { requiresSecondFactorForPii version }";
        let by_administrator = app.administrator().problems(verb, demand.clone()).await;
        owner.deed(verb, demand).await;
        let viewer = "{ viewer { permissions secondFactor { isDemanded } } }";
        let may = |viewer: &Value| viewer["permissions"].as_array().unwrap().contains(&json!("FIELD_READ"));
        let (agent, manager) = (app.someone("acme", "agent"), app.someone("acme", "manager"));

        assert_eq!(by_administrator, ["OWNER_REQUIRED at input.requiresSecondFactorForPii"]);
        let held = agent.data(viewer, json!({})).await["viewer"].clone();
        assert_eq!((may(&held), &held["secondFactor"]["isDemanded"]), (false, &json!(true)));
        let free = manager.data(viewer, json!({})).await["viewer"].clone();
        assert_eq!((may(&free), &free["secondFactor"]["isDemanded"]), (true, &json!(false)));
        let authenticator = authenticator::activated(&app, agent).await;
        assert!(may(&agent.data(viewer, json!({})).await["viewer"]));
        app.wait(Duration::seconds(30));
        let code = json!({ "input": { "code": authenticator.code(&app) } });
        assert_eq!(agent.problems("secondFactorRemove(input: $input)", code).await, ["SECOND_FACTOR_DEMANDED at -"]);
    }
}

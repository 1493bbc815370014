//! 조직관리자: who becomes one and who stops being one, who corrects members, and how the ownership moves.

use chrono::Duration;
use orgdesk::kernel::Undelivered;
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{PASSWORD, TestApp, Who},
        people::{self, ADD, EXPEL, LEAVE, REMOVE, TRANSFER, UPDATE, member, of, on, own},
        raw::Raw,
    },
};

const ADMINS: &str = "{ organization { admins { addedAt addedBy { login } member { login roles } } } }";

/// The login IDs of the administrators.
async fn admins(app: &TestApp) -> Vec<String> {
    let data = app.owner().data(ADMINS, json!({})).await;
    let admins = data["organization"]["admins"].as_array().unwrap();
    admins
        .iter()
        .map(|admin| admin["member"]["login"].as_str().unwrap().to_owned())
        .collect()
}

/// The newest entry of an action in the log.
async fn logged(app: &TestApp, action: &str) -> Value {
    let query = "query Q($action: [Permission!]) { auditEntries(first: 1, filter: { action: $action }) {
        nodes { log outcome actor { name } target { label } changes { field before after } } } }";
    let data = app.owner().data(query, json!({ "action": [action] })).await;
    data["auditEntries"]["nodes"][0].clone()
}

/// What the caller could do with a member.
async fn actions(who: Who<'_>, login: &str) -> Value {
    let query = "query Q($login: String) { members(search: { login: $login, status: [ACTIVE, LEFT] }) { nodes { actions { name reasonCode } } } }";
    let data = who.data(query, json!({ "login": login })).await;
    let actions = data["members"]["nodes"][0]["actions"].as_array().unwrap();
    let named = actions.iter().map(|action| {
        (
            action["name"].as_str().unwrap().to_owned(),
            action["reasonCode"].clone(),
        )
    });
    Value::Object(named.collect())
}

async fn signs_in(app: &TestApp, login: &str) -> bool {
    let query = "mutation M($input: SessionStartInput!) { sessionStart(input: $input) { tokens { accessToken } } }";
    let input = json!({ "organization": "acme", "login": login, "password": PASSWORD });
    let answer = app.ask(None, query, json!({ "input": input })).await;
    !answer.json["data"]["sessionStart"]["tokens"].is_null()
}

both! {
    // case: D10
    async fn a2_an_administrator_is_added_and_removed_and_either_holds_with_the_next_request(app) {
        let token = app.member().token().await;
        let sees = async || app.ask(Some(&token), "{ organization { name } }", json!({})).await.code().to_owned();
        let person = member(app.owner(), "member").await;
        let before = sees().await;

        let added = app.administrator().deed(ADD, of(&person)).await;
        let during = sees().await;
        let listed = app.owner().data(ADMINS, json!({})).await["organization"]["admins"].clone();
        let log = (logged(&app, "ADMIN_ADD").await, "조직관리자 (admin)");
        let removed = app.owner().deed(REMOVE, on(&person, json!({}))).await;
        let after = sees().await;

        assert_eq!([before, during, after], ["FORBIDDEN", "none", "FORBIDDEN"]);
        assert_eq!(added["admin"], json!({
            "addedAt": "2026-11-10T01:00:00.000Z", "addedBy": { "login": "admin" }, "member": { "login": "member", "roles": ["ORGANIZATION_ADMIN", "MEMBER"] },
        }));
        let logins: Vec<_> = listed.as_array().unwrap().iter().map(|admin| (admin["member"]["login"].as_str().unwrap(), &admin["addedBy"])).collect();
        assert_eq!(logins.len(), 2);
        assert!(logins.contains(&("admin", &Value::Null)), "the operator made the first: {logins:?}");
        assert_eq!((&log.0["log"], &log.0["actor"]["name"], &log.0["target"]["label"]), (&json!("PERMISSION"), &json!(log.1), &json!("구성원")));
        assert_eq!(removed["member"]["roles"], json!(["MEMBER"]));
        assert_eq!(admins(&app).await, ["admin"]);
        let log = logged(&app, "ADMIN_REMOVE").await;
        assert_eq!((&log["outcome"], &log["target"]["label"]), (&json!("DONE"), &json!("구성원")));
    }

    async fn a2_nobody_adds_or_removes_himself_and_nobody_becomes_what_he_is(app) {
        let (owner, admin) = (app.owner(), app.administrator());
        let [the_owner, the_admin, the_member] = [member(owner, "owner").await, member(owner, "admin").await, member(owner, "member").await];
        people::join(&app, "gone", false).await;
        let gone = member(owner, "gone").await;
        owner.deed(EXPEL, on(&gone, json!({}))).await;
        let gone = member(owner, "gone").await;
        let theirs = member(app.rival(), "member").await;

        let cases = [
            (owner, ADD, of(&the_owner), "NOT_ONESELF at input.memberId"), (admin, ADD, of(&the_admin), "NOT_ONESELF at input.memberId"),
            (admin, ADD, of(&the_owner), "ALREADY_ADMINISTRATOR at input.memberId"), (owner, ADD, of(&the_admin), "ALREADY_ADMINISTRATOR at input.memberId"),
            (owner, ADD, of(&gone), "MEMBER_LEFT at input.memberId"), (owner, ADD, of(&theirs), "NOT_FOUND at input.memberId"),
            (owner, ADD, of(&json!({ "id": "mbr_x" })), "NOT_FOUND at input.memberId"),
            (admin, REMOVE, on(&the_admin, json!({})), "NOT_ONESELF at id"), (owner, REMOVE, on(&the_owner, json!({})), "NOT_ONESELF at id"),
            (admin, REMOVE, on(&the_owner, json!({})), "NOT_ADMINISTRATOR at id"), (owner, REMOVE, on(&the_member, json!({})), "NOT_ADMINISTRATOR at id"),
            (owner, REMOVE, on(&gone, json!({})), "MEMBER_LEFT at id"), (owner, REMOVE, on(&theirs, json!({})), "NOT_FOUND at id"),
            (owner, REMOVE, on(&the_admin, json!({ "expectedVersion": 2 })), "STALE_VERSION at input.expectedVersion"),
        ];

        for (who, verb, variables, code) in cases {
            assert_eq!(who.problems(verb, variables.clone()).await, [code], "{verb} {variables}");
        }
        assert_eq!(admins(&app).await, ["admin"]);
    }

    async fn a2_a_repeated_request_adds_once_and_a_trial_adds_nobody(app) {
        let owner = app.owner();
        let person = member(owner, "member").await;
        let keyed = json!({ "input": { "memberId": person["id"], "idempotencyKey": "once" } });

        let tried = owner.deed(ADD, json!({ "input": { "memberId": person["id"], "dryRun": true } })).await;
        let between = admins(&app).await;
        let first = owner.deed(ADD, keyed.clone()).await;
        let again = owner.deed(ADD, keyed).await;

        assert_eq!(tried["admin"]["member"]["roles"], json!(["ORGANIZATION_ADMIN", "MEMBER"]));
        assert_eq!(between, ["admin"]);
        assert_eq!(first, again);
        let added = owner.data("{ auditEntries(filter: { action: [ADMIN_ADD] }) { totalCount } }", json!({})).await;
        assert_eq!(added["auditEntries"]["totalCount"], 1);
    }

    // case: D12
    async fn a2_every_verb_of_members_wants_a_fresh_confirmation(app) {
        let person = member(app.owner(), "member").await;
        let (owner, other) = (app.owner().token().await, app.member().token().await);
        app.wait(Duration::minutes(5) + Duration::milliseconds(1));
        let ask = async |token: &str, name: &str, given: &str, variables: &Value| {
            let kind = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
            let id = if given.contains("$id") { "$id: ID!, " } else { "" };
            let query = format!("mutation M({id}$input: {kind}!) {{ {name}({given}) {{ userErrors {{ code }} }} }}");
            app.ask(Some(token), &query, variables.clone()).await.code().to_owned()
        };

        let added = ask(&owner, "adminAdd", "input: $input", &of(&person)).await;
        let left = ask(&other, "memberLeave", "input: $input", &own(&person)).await;
        let mut codes = vec![added, left];
        for name in ["adminRemove", "memberUpdate", "memberRemove", "ownershipTransfer"] {
            codes.push(ask(&owner, name, "id: $id, input: $input", &on(&person, json!({}))).await);
        }

        assert_eq!(codes, ["CONFIRMATION_REQUIRED"; 6]);
        assert_eq!(member(app.owner(), "member").await, person);
    }

    async fn a2_the_last_one_who_looks_after_the_organization_stays(app) {
        people::join(&app, "second", true).await;
        let mut raw = Raw::admin(&app).await;
        let [first, second] = [member(app.owner(), "admin").await, member(app.owner(), "second").await];
        // An organization whose owner has not accepted yet.
        raw.must("UPDATE member SET is_owner = false WHERE login = 'owner'").await;
        let admin = app.administrator();

        let removed = admin.deed(REMOVE, on(&second, json!({}))).await;
        let stays = admin.problems(LEAVE, own(&first)).await;
        admin.deed(ADD, of(&second)).await;
        let goes = admin.deed(LEAVE, own(&first)).await;
        let alone = app.someone("acme", "second").problems(LEAVE, own(&second)).await;

        assert_eq!(removed["member"]["roles"], json!(["MEMBER"]));
        assert_eq!((stays, alone), (vec!["LAST_ADMINISTRATOR at id".to_owned()], vec!["LAST_ADMINISTRATOR at id".to_owned()]));
        assert_eq!(goes["member"]["status"], "LEFT");
        assert_eq!(raw.count("organization_admin a JOIN member m ON m.id = a.member_id WHERE m.login = 'second'").await, 1);
    }

    async fn a2_a_hundred_administrators_are_enough(app) {
        let like = people::somebody(&app).await;
        for number in 0..99 {
            people::join_like(&app, &format!("admin-{number}"), true, &like).await;
        }
        let person = member(app.owner(), "member").await;
        let heir = member(app.owner(), "admin").await;

        let refused = app.owner().problems(ADD, of(&person)).await;
        let over = app.owner().problems(TRANSFER, on(&person, json!({}))).await;
        let listed = admins(&app).await.len();
        app.owner().deed(TRANSFER, on(&heir, json!({}))).await;

        assert_eq!((refused, over), (vec!["LIMIT_REACHED at -".to_owned()], vec!["LIMIT_REACHED at -".to_owned()]));
        assert_eq!(listed, 100);
    }

    async fn a2_a_member_is_corrected_by_whoever_stands_above_him(app) {
        let (owner, admin) = (app.owner(), app.administrator());
        let person = member(owner, "member").await;

        let named = admin.deed(UPDATE, on(&person, json!({ "name": " 새 이름 " }))).await;
        let moved = owner.deed(UPDATE, on(&member(owner, "member").await, json!({ "email": " New.Address@Example.com " }))).await;
        let person = member(owner, "member").await;
        let wrong = owner.problems(UPDATE, on(&person, json!({ "name": "", "email": "x" }))).await;
        let taken = owner.problems(UPDATE, on(&person, json!({ "email": "OWNER@example.com" }))).await;
        let same = owner.deed(UPDATE, on(&person, json!({ "email": "New.Address@Example.com" }))).await;
        let stale = owner.problems(UPDATE, on(&person, json!({ "expectedVersion": 1, "name": "x" }))).await;

        assert_eq!(named["member"], json!({ "login": "member", "name": "새 이름", "email": "member@example.com", "version": 2 }));
        assert_eq!((&moved["member"]["email"], &moved["member"]["version"]), (&json!("New.Address@Example.com"), &json!(3)));
        assert_eq!(wrong, ["BLANK at input.name", "INVALID at input.email"]);
        assert_eq!((taken, stale), (vec!["TAKEN at input.email".to_owned()], vec!["STALE_VERSION at input.expectedVersion".to_owned()]));
        assert_eq!(same["member"]["version"], 3, "what does not change is not written");
        assert!(signs_in(&app, "member").await, "the password stays");
        let log = logged(&app, "MEMBER_UPDATE").await;
        assert_eq!((&log["log"], &log["target"]["label"]), (&json!("PERMISSION"), &json!("새 이름")));
    }

    async fn a2_whoever_moves_a_mailbox_kills_the_links_in_it(app) {
        let mut raw = Raw::admin(&app).await;
        let pending = "INSERT INTO password_reset (id, organization_id, member_id, requested_at, expires_at, used_from)
            SELECT id, organization_id, id, joined_at, joined_at, '' FROM member WHERE login IN ('member', 'admin')";
        raw.must(pending).await;
        let before = raw.count("password_reset WHERE used_at IS NULL").await;
        let person = member(app.owner(), "member").await;

        app.owner().deed(UPDATE, on(&person, json!({ "email": "new@example.com" }))).await;

        assert_eq!(before - raw.count("password_reset WHERE used_at IS NULL").await, 1, "this member's only");
    }

    // Taking the role, the mailbox and the password, and giving the role back, would be taking an equal's account.
    async fn a2_an_administrator_cannot_move_the_mailbox_of_who_was_one_last_week(app) {
        people::join(&app, "second", true).await;
        let (owner, admin) = (app.owner(), app.administrator());
        admin.deed(REMOVE, on(&member(admin, "second").await, json!({}))).await;
        let moved = json!({ "email": "elsewhere@example.com" });

        let at_once = admin.problems(UPDATE, on(&member(admin, "second").await, moved.clone())).await;
        let name = admin.deed(UPDATE, on(&member(admin, "second").await, json!({ "name": "새 이름", "email": "second@example.com" }))).await;
        let plain = admin.problems(UPDATE, on(&member(admin, "member").await, json!({ "email": "other@example.com" }))).await;
        app.wait(Duration::days(7) + Duration::seconds(1));
        let later = admin.problems(UPDATE, on(&member(admin, "second").await, moved)).await;
        let by_owner = owner.problems(UPDATE, on(&member(owner, "second").await, json!({ "email": "third@example.com" }))).await;

        assert_eq!(at_once, ["ABOVE_OWN_RANK at input.email"]);
        assert_eq!(name["member"]["email"], "second@example.com");
        assert_eq!((plain, later, by_owner), (vec![], vec![], vec![]));
    }

    async fn a2_the_ownership_moves_and_there_is_always_one_owner(app) {
        let (owner, admin) = (app.owner(), app.administrator());
        let [the_owner, heir, other] = [member(owner, "owner").await, member(owner, "admin").await, member(owner, "member").await];
        let old = owner.token().await;

        let himself = owner.problems(TRANSFER, on(&the_owner, json!({}))).await;
        let not_his = admin.ask("mutation M($id: ID!, $input: OwnershipTransferInput!) { ownershipTransfer(id: $id, input: $input) { userErrors { code } } }", on(&other, json!({}))).await;
        let moved = owner.deed(TRANSFER, on(&heir, json!({}))).await;
        let roles = app.ask(Some(&old), "{ viewer { roles member { isOwner } } }", json!({})).await;
        let back = admin.deed(TRANSFER, on(&member(admin, "owner").await, json!({}))).await;

        assert_eq!((himself, not_his.code()), (vec!["NOT_ONESELF at id".to_owned()], "FORBIDDEN"));
        assert_eq!(moved["member"], json!({ "login": "admin", "isOwner": true, "roles": ["OWNER", "MEMBER"] }));
        assert_eq!(roles.json["data"]["viewer"], json!({ "roles": ["ORGANIZATION_ADMIN", "MEMBER"], "member": { "isOwner": false } }));
        assert_eq!(back["member"], json!({ "login": "owner", "isOwner": true, "roles": ["OWNER", "MEMBER"] }));
        assert_eq!(admins(&app).await, ["admin"]);
        let error = Raw::admin(&app).await.run("UPDATE member SET is_owner = true WHERE login = 'member'").await.unwrap_err();
        assert!(error.to_lowercase().contains("unique"), "{error}");
    }

    async fn a2_what_can_be_done_with_a_member_is_said_beforehand(app) {
        people::join(&app, "gone", false).await;
        let gone = member(app.owner(), "gone").await;
        app.owner().deed(EXPEL, on(&gone, json!({}))).await;
        let all = |code: &str| json!({ "ADMIN_ADD": code, "ADMIN_REMOVE": code, "MEMBER_UPDATE": code, "SECOND_FACTOR_RESET": code, "MEMBER_REMOVE": code, "OWNERSHIP_TRANSFER": code });

        let by_owner = [actions(app.owner(), "owner").await, actions(app.owner(), "gone").await];
        let on_admin = actions(app.owner(), "admin").await;
        let by_admin = [actions(app.administrator(), "owner").await, actions(app.administrator(), "member").await];

        assert_eq!(by_owner, [all("NOT_ONESELF"), all("MEMBER_LEFT")]);
        assert_eq!(on_admin, json!({
            "ADMIN_ADD": "ALREADY_ADMINISTRATOR", "ADMIN_REMOVE": null, "MEMBER_UPDATE": null, "SECOND_FACTOR_RESET": "SECOND_FACTOR_ABSENT",
            "MEMBER_REMOVE": null, "OWNERSHIP_TRANSFER": null,
        }));
        assert_eq!(by_admin[0], json!({
            "ADMIN_ADD": "ALREADY_ADMINISTRATOR", "ADMIN_REMOVE": "NOT_ADMINISTRATOR", "MEMBER_UPDATE": "ABOVE_OWN_RANK", "SECOND_FACTOR_RESET": "ABOVE_OWN_RANK",
            "MEMBER_REMOVE": "OWNER_STAYS", "OWNERSHIP_TRANSFER": "FORBIDDEN",
        }));
        assert_eq!(by_admin[1], json!({
            "ADMIN_ADD": null, "ADMIN_REMOVE": "NOT_ADMINISTRATOR", "MEMBER_UPDATE": null, "SECOND_FACTOR_RESET": "SECOND_FACTOR_ABSENT",
            "MEMBER_REMOVE": null, "OWNERSHIP_TRANSFER": "FORBIDDEN",
        }));
    }

    // case: D20
    async fn a2_the_old_address_is_told_of_a_new_one_and_both_owners_of_each_other(app) {
        let (owner, heir) = (app.owner(), member(app.owner(), "admin").await);
        let person = member(owner, "member").await;
        owner.deed(UPDATE, on(&person, json!({ "email": "new@example.com" }))).await;
        owner.deed(UPDATE, on(&member(owner, "member").await, json!({ "name": "새 이름" }))).await;
        owner.deed(TRANSFER, on(&heir, json!({ "dryRun": true }))).await;
        owner.deed(TRANSFER, on(&heir, json!({}))).await;
        app.let_mail_fail(Some(Undelivered::Later("SMTP 451".into())));
        app.run_due().await;
        let nothing = app.letters().len();
        app.let_mail_fail(None);
        app.wait(Duration::minutes(1));

        app.run_due().await;

        let mut sent: Vec<_> = app.letters().into_iter().map(|letter| (letter.to.email, letter.subject, letter.text)).collect();
        sent.sort();
        let told: Vec<_> = sent.iter().map(|(to, subject, _)| (to.as_str(), subject.as_str())).collect();
        assert_eq!(nothing, 0);
        assert_eq!(told, [
            ("admin@example.com", "Acme: 조직의 소유자가 바뀌었습니다"), ("member@example.com", "Acme: 이메일 주소가 바뀌었습니다"),
            ("new@example.com", "Acme: 이메일 주소가 바뀌었습니다"), ("owner@example.com", "Acme: 조직의 소유자가 바뀌었습니다"),
        ]);
        for (to, _, text) in &sent {
            assert!(text.contains("2026-11-10 10:00"), "{to}: {text}");
            assert!(!text.contains("@example.com"), "a letter tells nobody another address: {text}");
        }
        app.run_due().await;
        assert_eq!(app.letters().len(), 4);
    }
}

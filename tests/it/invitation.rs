//! 회원 초대: inviting, sending again, correcting and taking back; the states of an invitation and of its letters.

use chrono::Duration;
use orgdesk::{kernel::Undelivered, operate};
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{TestApp, codes},
        invite::{self, accepted, made, on, preview, read, refused, token},
        ledger::{jobs, texts},
        make,
    },
};

/// A manager of one of Acme's services.
async fn manager(app: &TestApp) {
    make::in_use(app.owner(), "desk", 1).await;
    operate::add_agent(&app.app, "acme", "desk", "member", true)
        .await
        .unwrap();
}

/// Each letter as `number DELIVERY failure`, the newest first.
fn letters(invitation: &Value) -> Vec<String> {
    let mailings = invitation["mailings"].as_array().unwrap().iter();
    mailings
        .map(|letter| {
            let failure = letter["failure"].as_str().unwrap_or("-");
            format!(
                "{} {} {failure}",
                letter["number"],
                letter["delivery"].as_str().unwrap()
            )
        })
        .collect()
}

/// What can be done, as `NAME` or `NAME REASON`.
fn actions(invitation: &Value) -> Vec<String> {
    let actions = invitation["actions"].as_array().unwrap().iter();
    actions
        .map(|action| {
            let words = [&action["name"], &action["reasonCode"]];
            words
                .into_iter()
                .filter_map(Value::as_str)
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect()
}

both! {
    async fn a3_an_invitation_is_written_with_its_letter_and_the_letter_brings_a_link(app) {
        let invitation = made(app.owner(), "new.agent").await;
        let before = read(app.owner(), &invitation).await;
        let id = invitation["id"].as_str().unwrap().to_owned();
        let waiting = jobs(&app, "acme").await;
        app.run_due().await;
        let after = read(app.owner(), &invitation).await;

        assert_eq!(before, invitation);
        assert!(id.starts_with("inv_"), "{id}");
        assert_eq!(
            (&invitation["state"], &invitation["delivery"], &invitation["expiresAt"], &invitation["invitedBy"]["login"], &invitation["isOwner"]),
            (&json!("PENDING"), &json!("QUEUED"), &json!("2026-11-17T01:00:00.000Z"), &json!("owner"), &json!(false))
        );
        assert_eq!(waiting[1], format!("{id}/1 WAITING 0"), "the job holds an ID and a number");
        assert_eq!((letters(&after), &after["version"]), (vec!["1 SENT -".to_owned()], &json!(1)));
        let sent = app.letters();
        assert_eq!((sent.len(), sent[0].to.email.as_str(), sent[0].subject.as_str()), (1, "new.agent@example.com", "You are invited to Acme"));
        for said in ["소유자 invites you to Acme", "new.agent", "2026-11-17 10:00 +09:00"] {
            assert!(sent[0].text.contains(said), "{said}: {}", sent[0].text);
        }
        let link = invite::link(&sent[0]);
        assert!(link.starts_with("https://desk.example.com/invitation#inv_") && !link.contains('?'), "{link}");
        assert!(sent[0].html.contains(&link));
    }

    async fn a3_the_letter_is_in_the_persons_language(app) {
        let mut input = invite::input("korean");
        input["language"] = json!("KOREAN");
        invite::invite(app.owner(), input.clone()).await;
        input = invite::input("absent");
        input.as_object_mut().unwrap().remove("language");
        let absent = invite::invite(app.owner(), input).await;
        app.run_due().await;

        let sent = app.letters();
        assert_eq!(absent["invitation"]["language"], "KOREAN");
        assert!(sent.iter().all(|letter| letter.subject == "Acme에서 초대가 왔습니다"), "{}", sent.len());
        assert_eq!(preview(&app, &token(&app, "korean")).await["language"], "KOREAN");
    }

    async fn a3_owner_administrator_and_manager_invite_and_others_do_not(app) {
        manager(&app).await;
        let query = "mutation M($input: MemberInviteInput!) { memberInvite(input: $input) { invitation { invitedBy { login } } userErrors { code } } }";

        let mut who = Vec::new();
        for (login, invited) in [("owner", "one"), ("admin", "two"), ("member", "three")] {
            let answer = app.someone("acme", login).ask(query, json!({ "input": invite::input(invited) })).await;
            who.push(answer.json["data"]["memberInvite"]["invitation"]["invitedBy"]["login"].clone());
        }
        let members = app.someone("rival", "member").ask(query, json!({ "input": invite::input("four") })).await;
        let nobody = app.ask(None, query, json!({ "input": invite::input("five") })).await;

        assert_eq!(who, ["owner", "admin", "member"]);
        assert_eq!((members.code(), nobody.code()), ("FORBIDDEN", "UNAUTHENTICATED"));
        for role in ["role: OWNER", "isOwner: true", "isAdministrator: true"] {
            let smuggled = format!(r#"mutation {{ memberInvite(input: {{ login: "six", name: "Six", email: "six@example.com", {role} }}) {{ userErrors {{ code }} }} }}"#);
            assert_eq!(app.administrator().ask(&smuggled, json!({})).await.code(), "BAD_USER_INPUT", "{role}");
        }
    }

    // case: E14
    async fn a3_what_a_mailer_would_read_in_two_ways_is_refused_with_everything_else_that_is_wrong(app) {
        let addresses = [
            "", "@", "a@", "@example.com", "a@localhost", "a@b@example.com", "a b@example.com", "a\r\nBcc: x@example.com", "a@example.com\n", "a\0@example.com",
            "a@example.com,b@example.com", "a@example.com;b@example.com", "<a@example.com>", "A <a@example.com>", "\"a b\"@example.com", "a(comment)@example.com",
            "가@example.com", "a@예시.example", "a@-example.com", "a@example..com", ".a@example.com", "a..b@example.com", "a@[127.0.0.1]",
        ];
        let long = format!("{}@{}.example.com", "a".repeat(64), "b.".repeat(100));
        for address in addresses.into_iter().chain([long.as_str()]) {
            let mut input = invite::input("agent");
            input["email"] = json!(address);
            let expected = if address == "a@example.com\n" { vec![] } else { vec!["INVALID at input.email".to_owned()] };
            input["dryRun"] = json!(true);
            assert_eq!(codes(&invite::invite(app.owner(), input).await), expected, "{address:?}");
        }
        let wrong = json!({ "login": "No Login", "name": " ", "email": "nowhere" });
        let everything = invite::invite(app.owner(), wrong).await;
        for login in ["ab", "Ab.c", "a".repeat(41).as_str(), "-abc", "a\0b", "가나다"] {
            let mut input = invite::input("agent");
            input["login"] = json!(login);
            assert_eq!(codes(&invite::invite(app.owner(), input).await), ["INVALID at input.login"], "{login:?}");
        }

        assert_eq!(codes(&everything), ["BLANK at input.name", "INVALID at input.login", "INVALID at input.email"]);
        assert_eq!(everything["invitation"], Value::Null);
        assert_eq!((app.run_due().await, app.letters().len()), (0, 0));
    }

    // case: D17
    async fn a3_who_is_a_member_or_invited_already_is_not_invited_whatever_the_case(app) {
        made(app.owner(), "new.agent").await;
        let cases = [
            ("member", "other@example.com", vec!["ALREADY_MEMBER at input.login"]),
            ("other", "MEMBER@Example.COM", vec!["ALREADY_MEMBER at input.email"]),
            ("owner", "owner@example.com", vec!["ALREADY_MEMBER at input.login", "ALREADY_MEMBER at input.email"]),
            ("new.agent", "other@example.com", vec!["ALREADY_INVITED at input.login"]),
            ("other", "New.Agent@EXAMPLE.com", vec!["ALREADY_INVITED at input.email"]),
            ("new.agent", "admin@example.com", vec!["ALREADY_INVITED at input.login", "ALREADY_MEMBER at input.email"]),
            // Another mailbox to everybody but some mail servers: it is another address.
            ("other", "owner+second@example.com", vec![]),
        ];

        for (login, email, expected) in cases {
            let payload = invite::invite(app.owner(), json!({ "login": login, "name": "Name", "email": email, "dryRun": true })).await;
            assert_eq!(codes(&payload), expected, "{login} {email}");
        }
        let rivals = invite::invite(app.rival(), invite::input("new.agent")).await;
        assert_eq!(codes(&rivals), Vec::<String>::new(), "another organization's people are its own");
    }

    async fn a5_an_invitation_expires_by_the_clock_and_blocks_nobody_then(app) {
        let first = made(app.owner(), "new.agent").await;
        app.run_due().await;
        let link = token(&app, "new.agent");
        app.go_to("2026-11-17T00:59:59.999Z");
        let in_time = read(app.owner(), &first).await;
        let opens = preview(&app, &link).await;
        app.go_to("2026-11-17T01:00:00Z");
        let over = read(app.owner(), &first).await;
        let opens_no_more = preview(&app, &link).await;
        let pending = "{ invitations(filter: { state: [PENDING] }) { totalCount } expired: invitations(filter: { state: [EXPIRED] }) { totalCount } }";
        let counted = app.owner().data(pending, json!({})).await;
        let second = made(app.owner(), "new.agent").await;
        let old = read(app.owner(), &first).await;

        assert_eq!((&in_time["state"], &opens["login"]), (&json!("PENDING"), &json!("new.agent")));
        assert_eq!((&over["state"], &opens_no_more), (&json!("EXPIRED"), &Value::Null));
        assert_eq!(accepted(&app, &link).await, refused());
        assert_eq!(counted, json!({ "invitations": { "totalCount": 0 }, "expired": { "totalCount": 1 } }));
        assert_eq!((&second["state"], &old["state"]), (&json!("PENDING"), &json!("EXPIRED")));
        let again = on(app.owner(), "invitationResend", &old, json!({})).await;
        assert_eq!(codes(&again), ["ALREADY_INVITED at id"]);
    }

    async fn a5_sending_again_makes_a_new_link_and_the_old_one_is_dead_at_once(app) {
        let first = made(app.owner(), "new.agent").await;
        app.run_due().await;
        let old = token(&app, "new.agent");
        app.wait(Duration::days(8));
        let again = on(app.owner(), "invitationResend", &first, json!({})).await;
        let between = preview(&app, &old).await;
        app.run_due().await;
        let new = token(&app, "new.agent");

        let invitation = &again["invitation"];
        assert_eq!(
            (codes(&again), &invitation["state"], &invitation["expiresAt"], &invitation["version"]),
            (vec![], &json!("PENDING"), &json!("2026-11-25T01:00:00.000Z"), &json!(2)),
            "what had expired is good again for seven days"
        );
        assert_eq!(between, Value::Null);
        assert_ne!(old, new);
        assert_eq!(accepted(&app, &old).await, refused());
        assert_eq!(letters(&read(app.owner(), invitation).await), ["2 SENT -", "1 SENT -"]);
        assert_eq!(accepted(&app, &new).await, Ok("new.agent".to_owned()));
    }

    async fn a5_a_wrong_address_is_corrected_and_the_old_link_is_dead(app) {
        let mut input = invite::input("new.agent");
        input["email"] = json!("wrong@example.com");
        let first = invite::invite(app.owner(), input).await["invitation"].clone();
        app.run_due().await;
        let old = token(&app, "wrong");
        let taken = on(app.owner(), "invitationUpdate", &first, json!({ "email": "Member@example.com" })).await;
        let invalid = on(app.owner(), "invitationUpdate", &first, json!({ "email": "nowhere", "name": "" })).await;
        let same = on(app.owner(), "invitationUpdate", &first, json!({ "email": "wrong@example.com" })).await;
        let right = on(app.owner(), "invitationUpdate", &first, json!({ "email": "new.agent@example.com", "name": "Right", "language": "KOREAN" })).await;
        app.run_due().await;

        assert_eq!((codes(&taken), codes(&invalid)), (vec!["ALREADY_MEMBER at input.email".to_owned()], vec!["BLANK at input.name".to_owned(), "INVALID at input.email".to_owned()]));
        assert_eq!((codes(&same), &same["invitation"]["version"], same["invitation"]["mailings"].as_array().unwrap().len()), (vec![], &json!(1), 1));
        assert_eq!(codes(&right), Vec::<String>::new(), "a correction waits for nothing");
        let now = read(app.owner(), &first).await;
        let addresses: Vec<_> = now["mailings"].as_array().unwrap().iter().map(|letter| letter["email"].as_str().unwrap()).collect();
        assert_eq!(addresses, ["new.agent@example.com", "wrong@example.com"]);
        assert_eq!(accepted(&app, &old).await, refused());
        let opened = preview(&app, &token(&app, "new.agent")).await;
        assert_eq!((&opened["name"], &opened["language"], &opened["login"]), (&json!("Right"), &json!("KOREAN"), &json!("new.agent")));
    }

    async fn a5_what_is_taken_back_is_neither_sent_nor_opened(app) {
        let first = made(app.owner(), "one").await;
        let second = made(app.owner(), "two").await;
        let revoked = on(app.owner(), "invitationRevoke", &first, json!({})).await;
        app.run_due().await;
        let link = token(&app, "two");
        on(app.owner(), "invitationRevoke", &second, json!({})).await;

        assert_eq!((&revoked["invitation"]["state"], &revoked["invitation"]["revokedAt"]), (&json!("REVOKED"), &json!("2026-11-10T01:00:00.000Z")));
        let sent = app.letters();
        assert_eq!(sent.iter().map(|letter| letter.to.email.as_str()).collect::<Vec<_>>(), ["two@example.com"]);
        assert_eq!(letters(&read(app.owner(), &first).await), ["1 FAILED REVOKED"]);
        assert_eq!((preview(&app, &link).await, accepted(&app, &link).await), (Value::Null, refused()));
        made(app.owner(), "one").await;
    }

    // case: D6
    async fn a5_the_states_say_what_can_be_done(app) {
        let pending = made(app.owner(), "pending").await;
        let expired = made(app.owner(), "expired").await;
        app.wait(Duration::days(7));
        let revoked = made(app.owner(), "revoked").await;
        on(app.owner(), "invitationRevoke", &revoked, json!({})).await;
        let done = made(app.owner(), "accepted").await;
        on(app.owner(), "invitationResend", &pending, json!({})).await;
        app.run_due().await;
        accepted(&app, &token(&app, "accepted")).await.unwrap();
        app.wait(Duration::minutes(10));

        let all = ["RESEND", "UPDATE", "REVOKE"];
        let table = [
            (&pending, "PENDING", [None, None, None]),
            (&expired, "EXPIRED", [None, None, Some("INVITATION_NOT_PENDING")]),
            (&revoked, "REVOKED", [Some("INVITATION_NOT_PENDING"); 3]),
            (&done, "ACCEPTED", [Some("INVITATION_NOT_PENDING"); 3]),
        ];
        for (invitation, state, reasons) in table {
            let now = read(app.owner(), invitation).await;
            assert_eq!(now["state"], state);
            for (verb, reason) in all.iter().zip(reasons) {
                let said = reason.map_or(format!("INVITATION_{verb}"), |reason| format!("INVITATION_{verb} {reason}"));
                assert!(actions(&now).contains(&said), "{state}: {said} of {:?}", actions(&now));
                let name = format!("invitation{}{}", &verb[..1], verb[1..].to_lowercase());
                let more = if *verb == "UPDATE" { json!({ "dryRun": true, "name": "Other" }) } else { json!({ "dryRun": true }) };
                let tried = on(app.owner(), &name, &now, more).await;
                let expected: Vec<_> = reason.iter().map(|reason| format!("{reason} at id")).collect();
                assert_eq!(codes(&tried), expected, "{state} {verb}");
            }
        }
    }

    async fn a5_what_was_read_too_long_ago_is_not_changed(app) {
        let invitation = made(app.owner(), "new.agent").await;
        on(app.owner(), "invitationUpdate", &invitation, json!({ "email": "other@example.com" })).await;

        for verb in ["invitationResend", "invitationUpdate", "invitationRevoke"] {
            let stale = on(app.owner(), verb, &invitation, json!({})).await;
            assert_eq!((codes(&stale), &stale["invitation"]["version"]), (vec!["STALE_VERSION at input.expectedVersion".to_owned()], &json!(2)), "{verb}");
            let theirs = on(app.rival(), verb, &invitation, json!({})).await;
            assert_eq!((codes(&theirs), &theirs["invitation"]), (vec!["NOT_FOUND at id".to_owned()], &Value::Null), "{verb}");
        }
        assert_eq!(read(app.rival(), &invitation).await, Value::Null);
    }

    async fn a5_a_letter_that_does_not_go_is_seen_to_and_can_be_sent_again(app) {
        app.let_mail_fail(Some(Undelivered::Never("SMTP 550 5.1.1".to_owned())));
        let bounced = made(app.owner(), "bounced").await;
        app.run_due().await;
        app.let_mail_fail(Some(Undelivered::Later("CONNECTION".to_owned())));
        let failed = made(app.owner(), "failed").await;
        app.run_due().await;
        let waiting = letters(&read(app.owner(), &failed).await);
        for _ in 0..30 {
            app.wait(Duration::minutes(26));
            app.run_due().await;
        }
        let given_up = letters(&read(app.owner(), &failed).await);
        app.let_mail_fail(None);
        let again = on(app.owner(), "invitationResend", &failed, json!({})).await;
        app.run_due().await;

        assert_eq!(letters(&read(app.owner(), &bounced).await), ["1 BOUNCED SMTP 550 5.1.1"]);
        assert_eq!((waiting, given_up), (vec!["1 QUEUED CONNECTION".to_owned()], vec!["1 FAILED CONNECTION".to_owned()]));
        assert_eq!(letters(&read(app.owner(), &again["invitation"]).await), ["2 SENT -", "1 FAILED CONNECTION"]);
        let tried = app.letters_tried();
        let to_failed: Vec<_> = tried.iter().filter(|letter| letter.to.email == "failed@example.com").collect();
        let mut ids: Vec<_> = to_failed.iter().map(|letter| &letter.message_id).collect();
        assert_eq!(ids.len(), 13, "twelve attempts, and the one that went");
        ids.dedup();
        assert_eq!(ids.len(), 2, "each attempt at a letter has its Message-ID");
        assert_eq!(operate::revive_jobs(&app.app).await.unwrap().len(), 2);
        app.run_due().await;
        assert_eq!(letters(&read(app.owner(), &bounced).await), ["1 SENT -"], "an operator has it sent after all");
        assert_eq!(letters(&read(app.owner(), &failed).await), ["2 SENT -", "1 FAILED SUPERSEDED"]);
    }

    // case: J1
    async fn a5_a_job_that_is_done_twice_sends_once_more_only_where_nobody_knows_that_it_was_sent(app) {
        let invitation = made(app.owner(), "new.agent").await;
        app.run_due().await;
        let first = token(&app, "new.agent");
        let again = "UPDATE job_outbox SET state = 'WAITING', attempts = 0 WHERE kind = 'invitation-mail'";
        crate::support::ledger::execute(&app, again).await;
        app.run_due().await;
        let known = app.letters().len();
        // The server was killed after the letter had gone and before that was written down.
        crate::support::ledger::execute(&app, "UPDATE invitation_mailing SET delivery = 'QUEUED', sent_at = NULL").await;
        crate::support::ledger::execute(&app, again).await;
        app.run_due().await;
        let sent = app.letters();

        assert_eq!((known, sent.len()), (1, 2));
        assert_eq!(sent[0].message_id, sent[1].message_id, "whoever gets both sees that they are one");
        assert_eq!(accepted(&app, &first).await, refused(), "only the last one's link is good");
        assert_eq!(letters(&read(app.owner(), &invitation).await), ["1 SENT -"]);
        crate::support::ledger::execute(&app, "UPDATE invitation_mailing SET delivery = 'QUEUED', sent_at = NULL").await;
        accepted(&app, &token(&app, "new.agent")).await.unwrap();
        crate::support::ledger::execute(&app, again).await;
        app.run_due().await;
        assert_eq!((app.letters().len(), letters(&read(app.owner(), &invitation).await)), (2, vec!["1 SENT -".to_owned()]), "whoever accepted has had it");
    }

    async fn a5_invitations_are_found_by_state_name_login_and_address(app) {
        manager(&app).await;
        made(app.owner(), "first.agent").await;
        app.wait(Duration::seconds(1));
        made(app.someone("acme", "member"), "second.agent").await;
        app.wait(Duration::seconds(1));
        let third = made(app.administrator(), "third").await;
        on(app.owner(), "invitationRevoke", &third, json!({})).await;
        let list = "query Q($filter: InvitationFilter, $order: InvitationOrder) { invitations(first: 2, filter: $filter, orderBy: $order) {
            totalCount pageInfo { hasNextPage } nodes { login } } }";
        let find = async |login: &str, filter: Value| {
            let data = app.someone("acme", login).data(list, json!({ "filter": filter })).await;
            let nodes = data["invitations"]["nodes"].as_array().unwrap().iter();
            (nodes.map(|node| node["login"].as_str().unwrap().to_owned()).collect::<Vec<_>>(), data["invitations"]["totalCount"].as_u64().unwrap())
        };
        let found = |logins: &[&str], count: u64| (logins.iter().map(|login| (*login).to_owned()).collect::<Vec<_>>(), count);

        assert_eq!(find("owner", json!({})).await, found(&["third", "second.agent"], 3));
        assert_eq!(find("owner", json!({ "state": ["REVOKED"] })).await, found(&["third"], 1));
        assert_eq!(find("owner", json!({ "state": [] })).await, found(&[], 0));
        assert_eq!(find("owner", json!({ "query": "FIRST" })).await, found(&["first.agent"], 1));
        assert_eq!(find("owner", json!({ "query": "t%" })).await, found(&[], 0));
        assert_eq!(find("owner", json!({ "query": "@EXAMPLE" })).await, found(&["third", "second.agent"], 3));
        assert_eq!(find("member", json!({ "query": "@example" })).await, found(&["second.agent"], 1), "a manager searches the addresses that he has typed");
        let ordered = json!({ "order": { "field": "EXPIRES_AT", "direction": "ASC" } });
        let data = app.owner().data(list, ordered).await;
        assert_eq!(data["invitations"]["nodes"], json!([{ "login": "first.agent" }, { "login": "second.agent" }]));
        assert_eq!(app.owner().ask(list, json!({ "filter": { "query": "x".repeat(101) } })).await.code(), "BAD_USER_INPUT");
        assert_eq!(app.owner().ask(list, json!({ "filter": { "query": "\0" } })).await.code(), "BAD_USER_INPUT");
    }

    async fn a5_a_manager_sees_the_addresses_of_those_whom_he_has_invited(app) {
        manager(&app).await;
        let theirs = made(app.owner(), "first.agent").await;
        let own = made(app.someone("acme", "member"), "second.agent").await;

        let seen = read(app.someone("acme", "member"), &own).await;
        let unseen = read(app.someone("acme", "member"), &theirs).await;

        assert_eq!((&seen["email"], &seen["mailings"][0]["email"]), (&json!("second.agent@example.com"), &json!("second.agent@example.com")));
        assert_eq!((&unseen["login"], &unseen["email"], &unseen["mailings"][0]["email"]), (&json!("first.agent"), &Value::Null, &Value::Null));
    }

    // case: D17
    async fn a5_a_manager_decides_about_his_own_invitations_only(app) {
        manager(&app).await;
        let theirs = made(app.owner(), "new.ceo").await;
        let manager = app.member();
        let own = made(manager, "new.agent").await;
        app.wait(Duration::hours(1));
        let mut problems = Vec::new();
        for (verb, more) in [("invitationUpdate", json!({ "email": "mine@example.com" })), ("invitationResend", json!({})), ("invitationRevoke", json!({}))] {
            problems.push(codes(&on(manager, verb, &theirs, more).await));
        }
        let corrected = on(manager, "invitationUpdate", &own, json!({ "email": "right@example.com" })).await;
        let query = "{ invitations { nodes { login actions { name reasonCode } } } }";
        let seen = manager.data(query, json!({})).await["invitations"]["nodes"].clone();
        let by_admin = codes(&on(app.administrator(), "invitationRevoke", &theirs, json!({})).await);

        assert_eq!(problems, vec![vec!["ABOVE_OWN_RANK at id".to_owned()]; 3]);
        assert_eq!((codes(&corrected), by_admin), (vec![], vec![]));
        let of = |login: &str| seen.as_array().unwrap().iter().find(|one| one["login"] == login).unwrap()["actions"][1].clone();
        assert_eq!(of("new.ceo"), json!({ "name": "INVITATION_UPDATE", "reasonCode": "ABOVE_OWN_RANK" }));
        assert_eq!(of("new.agent"), json!({ "name": "INVITATION_UPDATE", "reasonCode": null }));
    }

    async fn a5_an_invitation_outlives_whoever_sent_it(app) {
        made(app.administrator(), "new.agent").await;
        app.run_due().await;
        crate::support::ledger::execute(&app, "DELETE FROM organization_admin").await;
        crate::support::ledger::execute(&app, "UPDATE member SET status = 'LEFT' WHERE login = 'admin'").await;

        assert_eq!(accepted(&app, &token(&app, "new.agent")).await, Ok("new.agent".to_owned()));
        let data = app.owner().data("{ invitations { nodes { state invitedBy { login } member { login roles } } } }", json!({})).await;
        assert_eq!(
            data["invitations"]["nodes"],
            json!([{ "state": "ACCEPTED", "invitedBy": { "login": "admin" }, "member": { "login": "new.agent", "roles": ["MEMBER"] } }])
        );
    }

    async fn l2_every_verb_of_invitations_stands_in_the_log_and_no_token_does(app) {
        let invitation = made(app.owner(), "new.agent").await;
        app.wait(Duration::seconds(1));
        let again = on(app.administrator(), "invitationUpdate", &invitation, json!({ "email": "other@example.com" })).await;
        app.wait(Duration::seconds(1));
        on(app.owner(), "invitationRevoke", &again["invitation"], json!({})).await;
        app.run_due().await;

        let log = "{ auditEntries(filter: { action: [MEMBER_INVITE, INVITATION_UPDATE, INVITATION_REVOKE] }) { nodes { action log target { reference label } changes { record field before after } } } }";
        let data = app.owner().data(log, json!({})).await;
        let nodes = data["auditEntries"]["nodes"].as_array().unwrap();
        let told: Vec<_> = nodes.iter().map(|node| node["action"].as_str().unwrap()).collect();
        assert_eq!(told, ["INVITATION_REVOKE", "INVITATION_UPDATE", "MEMBER_INVITE"]);
        assert!(nodes.iter().all(|node| node["log"] == "PERMISSION" && node["target"]["reference"] == invitation["id"]), "{nodes:#?}");
        let change = json!({ "record": "invitation", "field": "email", "before": "\"new.agent@example.com\"", "after": "\"other@example.com\"" });
        assert!(nodes[1]["changes"].as_array().unwrap().contains(&change), "{:#}", nodes[1]);
        let sends = texts(&app, "SELECT CAST(count(*) AS text) FROM audit_entry WHERE action = 'LETTER_SEND' AND actor_name = 'invitation-mail'").await;
        assert_eq!(sends, ["2"], "two letters that were not needed any more");
    }
}

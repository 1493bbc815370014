//! What a member changes of himself.

use chrono::Duration;
use orgdesk::kernel::Undelivered;
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{PASSWORD, TestApp, codes},
        invite,
        people::{UPDATE, member, on},
    },
};

const FIELD: &str = "viewerUpdate(input: $input) => member { name email language version }";

async fn update(app: &TestApp, input: Value) -> Value {
    app.member().payload(FIELD, json!({ "input": input })).await
}

both! {
    async fn a4_a_member_changes_his_name_and_language(app) {
        let changed = update(&app, json!({ "expectedVersion": 1, "name": "  New Name ", "language": "ENGLISH" })).await;
        let same = update(&app, json!({ "expectedVersion": 2, "email": "member@example.com" })).await;
        let stale = update(&app, json!({ "expectedVersion": 1, "name": "x" })).await;
        let bad = update(&app, json!({ "expectedVersion": 2, "name": " ", "email": "no address" })).await;
        let long = update(&app, json!({ "expectedVersion": 2, "name": "x".repeat(101) })).await;
        let tried = update(&app, json!({ "expectedVersion": 2, "name": "x", "dryRun": true })).await;
        app.run_due().await;

        let member = json!({ "name": "New Name", "email": "member@example.com", "language": "ENGLISH", "version": 2 });
        assert_eq!(changed, json!({ "member": member, "userErrors": [] }));
        assert_eq!(same["member"], member);
        assert_eq!(codes(&stale), ["STALE_VERSION at input.expectedVersion"]);
        assert_eq!(codes(&bad), ["BLANK at input.name", "INVALID at input.email"]);
        assert_eq!(codes(&long), ["TOO_LONG at input.name"]);
        assert_eq!(long["member"], member);
        assert_eq!(tried["member"]["name"], "x");
        assert_eq!(update(&app, json!({ "expectedVersion": 2 })).await["member"], member);
        assert_eq!(app.letters().len(), 0);
    }

    // case: D12
    // case: D20
    async fn a4_a_new_address_takes_a_confirmation_and_is_told_at_both(app) {
        let token = app.member().token().await;
        let query = "mutation M($input: ViewerUpdateInput!) { viewerUpdate(input: $input) { member { email } userErrors { code } } }";
        let input = json!({ "input": { "expectedVersion": 1, "email": "New@Example.com", "idempotencyKey": "once" } });
        app.wait(Duration::minutes(6));
        let stale = app.ask(Some(&token), query, input.clone()).await;

        let changed = app.member().ask(query, input.clone()).await;
        let again = app.member().ask(query, input).await;
        app.run_due().await;

        assert_eq!(stale.code(), "CONFIRMATION_REQUIRED", "{}", stale.text);
        assert_eq!(changed.json["data"]["viewerUpdate"], json!({ "member": { "email": "New@Example.com" }, "userErrors": [] }));
        assert_eq!(changed.json["data"], again.json["data"]);
        let mut told: Vec<String> = app.letters().iter().map(|letter| letter.to.email.clone()).collect();
        told.sort();
        assert_eq!(told, ["New@Example.com", "member@example.com"]);
        assert!(app.letters().iter().all(|letter| letter.text.contains("이메일 주소가 바뀌었습니다")));
    }

    async fn a4_an_address_is_one_members(app) {
        let taken = update(&app, json!({ "expectedVersion": 1, "email": "ADMIN@example.com" })).await;
        let own = update(&app, json!({ "expectedVersion": 1, "email": "MEMBER@example.com" })).await;

        assert_eq!(codes(&taken), ["TAKEN at input.email"]);
        assert_eq!(own["member"]["email"], "MEMBER@example.com");
    }

    async fn a4_an_address_that_is_invited_is_the_invited_persons(app) {
        let token = invite::sent(&app, "guest").await;
        let email = json!({ "email": "Guest@example.com" });

        let taken = update(&app, json!({ "expectedVersion": 1, "email": "Guest@example.com" })).await;
        let given = app.owner().problems(UPDATE, on(&member(app.owner(), "member").await, email.clone())).await;
        let accepted = invite::accepted(&app, &token).await;
        invite::sent(&app, "other").await;
        app.wait(Duration::days(30));
        let free = update(&app, json!({ "expectedVersion": 1, "email": "other@example.com" })).await;

        assert_eq!(codes(&taken), ["TAKEN at input.email"]);
        assert_eq!(given, ["TAKEN at input.email"]);
        assert_eq!(accepted.as_deref(), Ok("guest"));
        assert_eq!(free["member"]["email"], "other@example.com", "an invitation whose time is over holds nothing");
    }

    async fn a4_other_capitals_are_no_other_mailbox(app) {
        for (round, email) in ["Member@example.com", "MEMBER@example.com", "member@example.com"].into_iter().enumerate() {
            let changed = update(&app, json!({ "expectedVersion": round + 1, "email": email })).await;
            assert_eq!(changed["member"]["email"], email);
        }
        let change = on(&member(app.owner(), "member").await, json!({ "email": "MEMBER@example.com" }));
        app.owner().deed(UPDATE, change).await;
        app.run_due().await;

        assert_eq!(app.letters().len(), 0);
    }

    async fn a4_a_member_fills_no_mailbox(app) {
        let mut version = 1;
        for round in 0..30 {
            let email = if round % 2 == 0 { "victim@example.com" } else { "member@example.com" };
            let changed = update(&app, json!({ "expectedVersion": version, "email": email })).await;
            assert_eq!(changed["member"]["email"], email, "the deed is done, whatever is told of it");
            version += 1;
        }
        app.run_due().await;
        let of_hour = app.letters();
        app.wait(Duration::minutes(61));
        update(&app, json!({ "expectedVersion": version, "email": "victim@example.com" })).await;
        app.run_due().await;

        let to = |email: &str| of_hour.iter().filter(|letter| letter.to.email == email).count();
        assert_eq!((to("victim@example.com"), to("member@example.com")), (5, 5));
        assert_eq!(app.letters().len(), 12, "an hour later the theft of an account is told again");
    }

    async fn a4_a_members_notices_are_counted_over_all_mailboxes(app) {
        for round in 0..12 {
            let input = json!({ "expectedVersion": round + 1, "email": format!("somebody{round}@example.com") });
            assert_eq!(codes(&update(&app, input).await), Vec::<String>::new());
        }
        app.run_due().await;
        let own = app.letters().len();
        let change = on(&member(app.owner(), "admin").await, json!({ "email": "moved@example.com" }));
        app.owner().deed(UPDATE, change).await;
        app.run_due().await;

        assert_eq!((own, app.letters().len()), (10, 12), "another member's are counted apart");
    }

    async fn a2_changes_of_a_password_fill_no_mailbox(app) {
        let passwords: Vec<String> = (0..8).map(|round| format!("{PASSWORD} number {round}")).collect();
        let mut current = PASSWORD.to_owned();
        for next in &passwords {
            let input = json!({ "input": { "currentPassword": current, "newPassword": next } });
            app.member().deed("passwordChange(input: $input)", input).await;
            current.clone_from(next);
        }
        app.run_due().await;

        assert_eq!(app.letters().len(), 5);
    }

    async fn a4_a_letter_that_could_not_be_sent_is_not_counted(app) {
        app.let_mail_fail(Some(Undelivered::Later("SMTP 451".into())));
        update(&app, json!({ "expectedVersion": 1, "email": "new@example.com" })).await;
        for _ in 0..7 {
            app.run_due().await;
            app.wait(Duration::minutes(5));
        }
        app.let_mail_fail(None);
        app.wait(Duration::minutes(20));
        app.run_due().await;

        assert_eq!(app.letters().len(), 2);
    }
}

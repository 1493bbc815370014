//! What proves who somebody is, after every verb that handles it: nowhere in the database in clear, and nowhere in its logs
//! and jobs.

use chrono::Duration;
use serde_json::json;

use crate::{
    both,
    support::{
        account::{reset, reset_token, sign_in},
        app::PASSWORD,
        authenticator,
        raw::Raw,
    },
};

both! {
    // case: J5
    async fn a1_no_password_token_or_secret_is_kept(app) {
        let mut secrets = vec![PASSWORD.to_owned()];
        let authenticator = authenticator::activated(&app, app.member()).await;
        let unproved = authenticator::enrolled(app.administrator()).await;
        for secret in [&authenticator, &unproved] {
            secrets.push(secret.secret.clone());
            secrets.push(secret.bytes().iter().map(|byte| format!("{byte:02x}")).collect());
        }
        let typed = |code: &String| [code.clone(), code.replace('-', "")];
        secrets.extend(authenticator.recovery_codes.iter().flat_map(typed));
        app.wait(Duration::seconds(30));
        let new = "another password for tests";
        let code = authenticator.code(&app);
        let inside = sign_in(&app, "member", PASSWORD, Some(&code)).await;
        secrets.extend(["accessToken", "refreshToken"].map(|token| inside["tokens"][token].as_str().unwrap().to_owned()));
        let renewed = json!({ "input": { "code": authenticator.recovery_codes[0] } });
        let renewed = app.member().deed("recoveryCodesRenew(input: $input) => recoveryCodes", renewed).await;
        let renewed: Vec<String> = renewed["recoveryCodes"].as_array().unwrap().iter().map(|code| code.as_str().unwrap().to_owned()).collect();
        secrets.extend(renewed.iter().flat_map(typed));
        let change = json!({ "input": { "currentPassword": PASSWORD, "newPassword": new } });
        app.member().deed("passwordChange(input: $input)", change).await;
        let token = reset_token(&app, "member").await;
        secrets.extend([new.to_owned(), token.clone(), token.rsplit('_').next().unwrap().to_owned()]);
        let third = "a third password for tests";
        reset(&app, &token, third, Some(&renewed[0])).await;
        secrets.push(third.to_owned());
        let remove = json!({ "input": { "code": renewed[1] } });
        app.member().deed("secondFactorRemove(input: $input)", remove).await;
        app.run_due().await;

        let dump = Raw::admin(&app).await.dump().await;

        assert_eq!(app.letters().len(), 5, "added, changed, the link, changed, removed");
        assert!(secrets.len() > 40);
        for (table, rows) in &dump {
            for row in rows.iter().map(|row| row.to_lowercase()) {
                for secret in &secrets {
                    assert!(!row.contains(&secret.to_lowercase()), "{table} keeps {secret}: {row}");
                }
                let is_job = ["job_outbox", "Jobs", "jobs"].contains(&table.as_str());
                assert!(!is_job || !row.contains('@'), "{table} keeps an address: {row}");
            }
        }
        assert!(dump["job_outbox"].iter().any(|row| row.contains("PASSWORD_CHANGED")), "the jobs were looked at");
        assert!(dump["audit_entry"].iter().any(|row| row.contains("SECOND_FACTOR_ACTIVATE")), "the log was looked at");
    }
}

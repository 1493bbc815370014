//! Servers of their own processes that work on the imports of a test's installation.

use std::{process::Command, time::Duration};

use orgdesk::kernel::{Clock as _, SystemClock};

use super::{
    app::{KEY_RING, TestApp},
    ledger::{self, texts},
    running::{BINARY, Running},
};

/// The secret of the tests' installations.
pub const SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// The program with what it needs to work on the installation; its letters go to this port.
pub fn orgdesk(app: &TestApp, arguments: &[&str], mail: u16) -> Command {
    let folder = app.data();
    let smtp = format!("smtp://127.0.0.1:{mail}?tls=none");
    let mut command = Command::new(BINARY);
    command.args(arguments).env_clear().current_dir(folder).envs([
        ("DATABASE_URL", app.url.as_str()),
        ("ORGDESK_DATA", folder.to_str().unwrap()),
        ("ORGDESK_SECRET", SECRET),
        ("ORGDESK_KEY_RING", KEY_RING),
        ("ORGDESK_ORGANIZATION_URL", "https://{domain}.example.com"),
        ("ORGDESK_PUBLIC_URL", "https://desk.example.com"),
        ("ORGDESK_MAIL_FROM", "Orgdesk <no-reply@example.com>"),
        ("ORGDESK_SMTP_URL", smtp.as_str()),
    ]);
    command
}

/// A server, as it runs for real.
pub fn serve(app: &TestApp, address: &str, mail: u16) -> Running {
    let mut command = orgdesk(app, &["serve"], mail);
    Running::start(command.env("ORGDESK_LISTEN", address), address)
}

/// What a server that was killed has begun is another's after a minute, which nobody waits for here.
pub async fn a_minute_later(app: &TestApp) {
    let then = (SystemClock.now().0 - chrono::Duration::minutes(2)).to_rfc3339();
    let lost = format!("UPDATE job_outbox SET handed_over_at = '{then}' WHERE state = 'QUEUED'");
    ledger::execute(app, &lost).await;
}

/// A number that the database answers with.
pub async fn number(app: &TestApp, sql: &str) -> usize {
    texts(app, &format!("SELECT CAST(({sql}) AS TEXT)")).await[0]
        .parse()
        .unwrap()
}

/// Waits until more tickets are there than these, or all of them.
///
/// # Panics
/// When none comes for a minute.
pub async fn more_than(app: &TestApp, tickets: usize) {
    for _ in 0..3_000 {
        let now = number(app, "SELECT count(*) FROM ticket").await;
        let is_over = number(app, "SELECT count(*) FROM import WHERE finished_at IS NOT NULL").await;
        if now > tickets || is_over > 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("no ticket comes after {tickets}");
}

/// Waits until every import is over.
///
/// # Panics
/// When one is not after three minutes.
pub async fn all_over(app: &TestApp) {
    for _ in 0..9_000 {
        if number(app, "SELECT count(*) FROM import WHERE finished_at IS NULL").await == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("an import does not come to its end");
}

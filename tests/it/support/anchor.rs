//! Installations whose logs are anchored outside the database, and the command that verifies them.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::Arc,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use orgdesk::kernel::{
    App, Settings,
    config::{AnchorPlace, LogSettings},
};

use super::{
    app::{KEY_RING, TestApp},
    running::BINARY,
};

/// The same installation with other settings of its logs.
#[must_use]
pub fn keeping(app: TestApp, change: impl FnOnce(&mut LogSettings)) -> TestApp {
    app.changed(|app| {
        let mut logs = app.settings.logs.clone();
        change(&mut logs);
        App {
            settings: Arc::new(Settings {
                logs,
                ..(*app.settings).clone()
            }),
            ..app
        }
    })
}

/// The same installation, whose logs are anchored in a file of its own.
#[must_use]
pub fn anchored(app: TestApp) -> (TestApp, PathBuf) {
    let file = app.data().join("anchor.jsonl");
    let place = AnchorPlace::File(file.clone());
    (keeping(app, |logs| logs.anchor = place), file)
}

/// `orgdesk audit …` on the same database, anchored in this file.
pub fn command(app: &TestApp, file: &Path, arguments: &[&str]) -> Output {
    let secret = STANDARD.encode((0..32).collect::<Vec<u8>>());
    let mut command = Command::new(BINARY);
    command
        .arg("audit")
        .args(arguments)
        .env_clear()
        .current_dir(std::env::temp_dir());
    command.envs([
        ("DATABASE_URL", app.url.as_str()),
        ("ORGDESK_SECRET", &secret),
        ("ORGDESK_KEY_RING", KEY_RING),
        ("ORGDESK_ORGANIZATION_URL", "https://{domain}.example.com"),
        ("ORGDESK_PUBLIC_URL", "https://desk.example.com"),
        ("ORGDESK_MAIL_FROM", "Orgdesk <no-reply@example.com>"),
        ("ORGDESK_SMTP_URL", "smtp://127.0.0.1:2525?tls=none"),
        ("ORGDESK_AUDIT_ANCHOR", &file.display().to_string()),
    ]);
    command.output().unwrap()
}

/// What it printed.
pub fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

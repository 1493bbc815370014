//! The example clients of `docs/partners`, run as a partner system runs them: against a server, over a socket.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use orgdesk::serve;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::oneshot};

use crate::{
    both,
    support::{
        app::TestApp,
        partner::{code, key},
        skip::skipped,
    },
};

/// What a client prints, line by line; `None` where the machine lacks its interpreter.
async fn run(app: &TestApp, interpreter: &str, file: &str) -> Option<Vec<Value>> {
    if Command::new(interpreter).arg("--version").output().is_err() {
        skipped(file, &format!("there is no {interpreter}"));
        return None;
    }
    // Signatures hold for the real time, as the client sees it.
    app.clock
        .set(std::fs::metadata(touched().path()).unwrap().modified().unwrap().into());
    let made = key(app.owner(), &["SERVICE_MANAGE"]).await;
    let code = code(app).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(serve::serve_on(app.app.clone(), None, listener, async {
        let _ = stopped.await;
    }));
    let client = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/partners").join(file);
    let mut command = Command::new(interpreter);
    command
        .arg(client)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("ORGDESK_URL", format!("http://{address}"))
        .env("ORGDESK_ORGANIZATION", code)
        .env("ORGDESK_KEY", made.secret)
        .env("ORGDESK_SIGNING_SECRET", made.signing_secret)
        .stdin(Stdio::null());
    let ran = tokio::task::spawn_blocking(move || command.output())
        .await
        .unwrap()
        .unwrap();
    stop.send(()).unwrap();
    serving.abort();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let printed = String::from_utf8(ran.stdout).unwrap();
    Some(
        printed
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect(),
    )
}

/// A file of this moment: the tests ask no clock.
fn touched() -> tempfile::NamedTempFile {
    tempfile::NamedTempFile::new().unwrap()
}

fn expected() -> Vec<Value> {
    ["token", "signature"]
        .map(|by| json!({ "by": by, "states": ["IN_USE", "SUSPENDED", "TERMINATED"], "left": 0 }))
        .into()
}

both! {
    async fn o5_the_client_in_python_does_what_a_partner_does(app) {
        if let Some(printed) = run(&app, "python3", "client.py").await {
            assert_eq!(printed, expected());
        }
    }

    async fn o5_the_client_in_javascript_does_what_a_partner_does(app) {
        if let Some(printed) = run(&app, "node", "client.mjs").await {
            assert_eq!(printed, expected());
        }
    }
}

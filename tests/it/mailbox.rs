//! The demo's mailbox: where letters go for want of a mail server, on its pages and in a browser.

use std::{net::SocketAddr, os::unix::fs::PermissionsExt, path::Path, sync::Arc, time::Duration};

use axum::{Router, body::Body, http::Request};
use orgdesk::{
    api::{health::Ready, server::PeerAddress},
    kernel::{App, Language, Letter, Random, Settings, StoppedClock, Undelivered},
    serve, setup,
};
use tokio::net::TcpListener;
use tower::ServiceExt;

use super::mail::invitation;
use crate::support::{
    app::{BEGIN, instant, settings},
    mail_server::MailServer,
    skip::skipped,
    webdriver::{Browser, Skip},
};

/// A demo in this folder, without a mail server.
fn demo(folder: &Path) -> Settings {
    Settings {
        is_demo: true,
        data: folder.to_owned(),
        ..settings(&format!("sqlite:{}", folder.join("orgdesk.db").display()))
    }
}

async fn open(settings: Settings, clock: &StoppedClock) -> App {
    let clock = Arc::new(clock.clone());
    setup::open(settings, clock, Random::from_system().unwrap())
        .await
        .unwrap()
}

fn clock() -> StoppedClock {
    StoppedClock::at(instant(BEGIN))
}

/// A page of these routes: its status, its content policy and its text.
async fn page(routes: &Router, path: &str) -> (u16, String, String) {
    let mut request = Request::get(path).body(Body::empty()).unwrap();
    request
        .extensions_mut()
        .insert(PeerAddress(SocketAddr::from(([127, 0, 0, 1], 40_000))));
    let response = routes.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let policy = response.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(response.headers()["referrer-policy"], "no-referrer");
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, policy, String::from_utf8(body.to_vec()).unwrap())
}

fn routes(app: &App) -> Router {
    serve::routes(app, Ready::default(), None).unwrap()
}

/// The addresses of the letters on the list, in its order.
fn letters_of(list: &str) -> Vec<String> {
    let parts = list.split("<a href=\"").skip(1);
    parts.map(|part| part.split('"').next().unwrap().to_owned()).collect()
}

fn letter(job: &str, name: &str) -> Letter {
    invitation(Language::Korean, job, name, "lee@example.com")
}

#[tokio::test]
async fn a3_the_mailbox_shows_what_was_sent_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock();
    let app = open(demo(folder.path()), &clock).await;
    let (status, _, empty) = page(&routes(&app), "/dev/mailbox").await;
    assert!(status == 200 && empty.contains("No letter"), "{empty}");

    app.mailer.send(letter("job_1", "이<i>상담</i>")).await.unwrap();
    clock.advance(chrono::Duration::seconds(1));
    let second = invitation(Language::English, "job_2", "Kim", "kim@example.com");
    app.mailer.send(second).await.unwrap();
    app.database.close().await;

    let app = open(demo(folder.path()), &clock).await;
    let routes = routes(&app);
    let (status, policy, list) = page(&routes, "/dev/mailbox").await;
    assert_eq!(status, 200);
    assert!(policy.starts_with("default-src 'none'; style-src 'self';"), "{policy}");
    let addresses = letters_of(&list);
    assert_eq!(addresses.len(), 2, "{list}");
    assert!(list.contains("이&#60;i&#62;상담") && !list.contains("<i>"), "{list}");
    assert!(!list.contains("invitation#"), "a link stands in its letter only");
    assert!(list.contains("2026-11-10T01:00:01.000Z"), "{list}");

    let (_, _, newest) = page(&routes, &addresses[0]).await;
    assert!(
        newest.contains("&#60;kim@example.com&#62;") || newest.contains("&lt;kim@example.com&gt;"),
        "{newest}"
    );
    assert!(newest.contains("&#60;job_2@example.com&#62;"), "{newest}");
    let (status, policy, oldest) = page(&routes, &addresses[1]).await;
    assert_eq!(status, 200);
    assert!(
        policy.contains("default-src 'none'") && !policy.contains("unsafe"),
        "{policy}"
    );
    let link = "<a href=\"https://desk.example.com/invitation#";
    assert_eq!(oldest.matches(link).count(), 1, "{oldest}");
    for text in [&list, &newest, &oldest] {
        assert!(!text.contains("<script") && !text.contains("http://"), "{text}");
    }

    let (status, policy, html) = page(&routes, &format!("{}/html", addresses[1])).await;
    assert_eq!(status, 200);
    assert!(
        policy.contains("default-src 'none'") && policy.contains("sandbox allow-popups"),
        "{policy}"
    );
    assert!(
        !policy.contains("allow-scripts") && !policy.contains("allow-same-origin"),
        "{policy}"
    );
    assert!(
        html.contains("lang=\"ko\"") && html.contains("이&#60;i&#62;상담"),
        "{html}"
    );
}

#[tokio::test]
async fn a3_the_mailbox_is_readable_by_its_owner_only_and_keeps_the_newest_200() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock();
    let app = open(demo(folder.path()), &clock).await;

    for number in 0..203 {
        clock.advance(chrono::Duration::milliseconds(1));
        app.mailer
            .send(letter(&format!("job_{number:03}"), "Lee"))
            .await
            .unwrap();
    }

    let mailbox = folder.path().join("mailbox");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&mailbox), 0o700);
    let files: Vec<_> = std::fs::read_dir(&mailbox)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(
        files.len(),
        200,
        "the oldest are gone, and nothing half-written is left"
    );
    assert!(files.iter().all(|file| mode(file) == 0o600));
    let routes = routes(&app);
    let addresses = letters_of(&page(&routes, "/dev/mailbox").await.2);
    assert_eq!(addresses.len(), 200);
    for (address, job) in [(&addresses[0], "job_202"), (&addresses[199], "job_003")] {
        let (_, _, letter) = page(&routes, address).await;
        assert!(letter.contains(job), "{job}: {letter}");
    }

    // A file that is damaged hides no other.
    std::fs::write(&files[0], "{").unwrap();
    assert_eq!(letters_of(&page(&routes, "/dev/mailbox").await.2).len(), 199);
}

#[tokio::test]
async fn a3_the_mailbox_shows_letters_and_no_other_file() {
    let folder = tempfile::tempdir().unwrap();
    let app = open(demo(folder.path()), &clock()).await;
    std::fs::write(folder.path().join("secret.json"), "{}").unwrap();
    let refused = app.mailer.send(letter("job_1", "Lee\r\nBcc: x@example.com")).await;
    assert_eq!(
        refused,
        Err(Undelivered::Never("UNSENDABLE".to_owned())),
        "as a mail server's way would"
    );

    let routes = routes(&app);
    for name in [
        "01kay3ga00e1gx4w2qrxmgk0fa",
        "..%2fsecret",
        "%2e%2e%2fsecret.json",
        "secret.json",
        "x",
        "",
        "01KAY3GA00E1GX4W2QRXMGK0FA",
    ] {
        for path in [format!("/dev/mailbox/{name}"), format!("/dev/mailbox/{name}/html")] {
            assert_eq!(page(&routes, &path).await.0, 404, "{path}");
        }
    }
}

#[tokio::test]
async fn a3_only_a_demo_without_a_mail_server_has_a_mailbox() {
    let folder = tempfile::tempdir().unwrap();
    let real = Settings {
        is_demo: false,
        ..demo(folder.path())
    };
    let app = open(real, &clock()).await;
    assert_eq!(page(&routes(&app), "/dev/mailbox").await.0, 404);
    app.database.close().await;

    let Some(server) = MailServer::plain() else { return };
    let mut with_server = demo(folder.path());
    with_server.mail.server = Some(server.way());
    let app = open(with_server, &clock()).await;
    assert_eq!(page(&routes(&app), "/dev/mailbox").await.0, 404);
    app.mailer.send(letter("job_1", "Lee")).await.unwrap();
    assert_eq!(server.letters().len(), 1, "its letters go to the server");
    assert!(!folder.path().join("mailbox").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a4_a_letter_is_read_in_a_browser_and_its_link_opens() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let settings = Settings {
        public_url: base.clone(),
        ..demo(folder.path())
    };
    let app = open(settings, &clock()).await;
    let mut letter = letter("job_1", "이상담");
    for text in [&mut letter.text, &mut letter.html] {
        *text = text.replace("https://desk.example.com", &base);
    }
    app.mailer.send(letter).await.unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(serve::serve_on(app, None, listener, async {
        let _ = stopped.await;
    }));

    let read = read_in_a_browser(&base).await;

    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();
    if let Err(Skip(why)) = read {
        skipped("the mailbox in a browser", &why);
    }
}

async fn read_in_a_browser(base: &str) -> Result<(), Skip> {
    let browser = Browser::open("ko-KR").await?;
    browser.goto(&format!("{base}/dev/mailbox")).await;
    browser.click("tbody a").await;
    let patience = Duration::from_secs(20);
    browser
        .wait_until("return document.querySelector('iframe')", patience)
        .await;
    assert!(browser.text("h1").await.contains("초대"));
    assert!(browser.text("pre").await.contains("agent.lee"));
    // The frame has an origin of its own, so that what a letter brings along reaches nothing.
    assert_eq!(
        browser
            .run("return document.querySelector('iframe').contentDocument")
            .await,
        serde_json::Value::Null
    );
    if std::env::var("ORGDESK_TEST_PICTURE").is_ok_and(|value| value == "1") {
        let picture = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mailbox.png");
        browser.screenshot(&picture, 1_000, 1_200).await;
    }
    let said = browser.console_log().await;
    assert_eq!(said, [""; 0], "the pages keep their own policy");

    browser.click("pre a").await;
    let opened = format!("return location.href.startsWith('{base}/invitation#')");
    browser.wait_until(&opened, patience).await;
    Ok(())
}

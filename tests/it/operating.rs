//! What an operator does at the command line, with the binary itself.

use std::{
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};

use crate::support::{
    cluster::free_port,
    invite::{ACCEPT, CHOSEN, PREVIEW},
    raw::Raw,
    running::{BINARY, Running},
};

const SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const KEY_RING: &str = "test:JSYnKCkqKywtLi8wMTIzNDU2Nzg5Ojs8PT4/QEFCQ0Q=";

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("ORGDESK_")) {
        command.env_remove(name);
    }
    command
        .args(arguments)
        .current_dir(folder)
        .env("ORGDESK_SECRET", SECRET)
        .env("ORGDESK_KEY_RING", KEY_RING)
        .env("ORGDESK_ORGANIZATION_URL", "https://{domain}.example.com")
        .env("ORGDESK_PUBLIC_URL", "https://desk.example.com")
        .env("ORGDESK_MAIL_FROM", "no-reply@example.com")
        .env("ORGDESK_SMTP_URL", "smtp://127.0.0.1:1025?tls=none")
        .env(
            "DATABASE_URL",
            format!("sqlite:{}", folder.join("orgdesk.db").display()),
        );
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).stdin(Stdio::null()).output().unwrap()
}

/// What a command that must work prints.
fn done(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn create<'a>(domain: &'a str, login: &'a str, email: &'a str) -> Vec<&'a str> {
    vec![
        "organization",
        "create",
        "--name",
        "Acme",
        "--domain",
        domain,
        "--owner-login",
        login,
        "--owner-name",
        "Owner",
        "--owner-email",
        email,
    ]
}

/// Asks a server.
async fn ask(address: &str, query: &str, variables: Value) -> Value {
    let body = json!({ "query": query, "variables": variables });
    let request = reqwest::Client::new()
        .post(format!("http://{address}/graphql"))
        .json(&body);
    request.send().await.unwrap().json().await.unwrap()
}

/// The token of a link that was printed.
fn token(printed: &str) -> String {
    let link = printed.lines().last().unwrap();
    let token = link.strip_prefix("https://desk.example.com/invitation#");
    token.unwrap_or_else(|| panic!("no link: {printed}")).to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn o7_an_operator_makes_an_organization_and_its_owner_comes_by_a_link() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    let create = [create("acme", "owner", "owner@example.com"), vec!["--print-link"]].concat();

    let printed = done(folder, &create);
    let (id, first) = (printed.lines().next().unwrap().to_owned(), token(&printed));
    let nobody = said(&run(folder, &["token", "--organization", "acme", "--login", "owner"]));
    let again = done(
        folder,
        &[
            "organization",
            "invite-owner",
            "--domain",
            "acme",
            "--email",
            "right@example.com",
            "--print-link",
        ],
    );
    let second = token(&again);
    let address = format!("127.0.0.1:{}", free_port());
    let server = Running::start(command(folder, &["serve"]).env("ORGDESK_LISTEN", &address), &address);
    let dead = ask(&address, PREVIEW, json!({ "token": first })).await;
    let input = json!({ "token": second, "password": CHOSEN });
    let accepted = ask(&address, ACCEPT, json!({ "input": input })).await;
    let signed = server.printed();
    drop(server);
    let access = done(folder, &["token", "--organization", "acme", "--login", "owner"]);
    let too_late = said(&run(folder, &["organization", "invite-owner", "--domain", "acme"]));

    assert!(id.starts_with("org_"), "{id}");
    assert!(nobody.contains("no member owner"), "{nobody}");
    assert_ne!(first, second);
    assert_eq!(dead["data"]["invitationPreview"], Value::Null);
    assert_eq!(
        accepted["data"]["invitationAccept"],
        json!({ "organizationDomain": "acme", "login": "owner", "userErrors": [] })
    );
    assert_eq!(
        access.trim().split('.').count(),
        3,
        "a token and nothing else: {access}"
    );
    assert!(too_late.contains("owner"), "{too_late}");
    let mut raw = Raw::open(&format!("sqlite:{}", folder.join("orgdesk.db").display())).await;
    assert_eq!(
        raw.texts("SELECT email || ' ' || CAST(is_owner AS text) FROM member")
            .await,
        ["right@example.com 1"]
    );
    let everything = format!("{:?}{signed}", raw.dump().await);
    for token in [first, second] {
        assert!(
            !everything.contains(token.splitn(3, '_').nth(2).unwrap()),
            "a link is printed once and kept nowhere"
        );
    }
    assert_eq!(
        raw.count("job_outbox WHERE kind = 'invitation-mail'").await,
        0,
        "no letter beside a link that was printed"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn o7_without_being_asked_for_no_link_is_printed_and_a_letter_is_to_go() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();

    let printed = done(folder, &create("acme", "owner", "owner@example.com"));
    let too_soon = said(&run(folder, &["organization", "invite-owner", "--domain", "acme"]));
    let corrected = done(
        folder,
        &[
            "organization",
            "invite-owner",
            "--domain",
            "acme",
            "--email",
            "right@example.com",
        ],
    );

    assert!(
        printed.starts_with("org_") && printed.lines().count() == 1 && !printed.contains("inv_"),
        "{printed}"
    );
    assert!(too_soon.contains("short while ago"), "{too_soon}");
    assert_eq!(corrected, "");
    let mut raw = Raw::open(&format!("sqlite:{}", folder.join("orgdesk.db").display())).await;
    assert_eq!(
        raw.count("job_outbox WHERE kind = 'invitation-mail' AND state = 'WAITING'")
            .await,
        2
    );
    assert_eq!(
        raw.texts("SELECT state || ' ' || CAST(mailing AS text) FROM invitation")
            .await,
        ["PENDING 2"]
    );
    assert_eq!(raw.count("member").await, 0);
}

/// Creates Acme, and accepts in its owner's place.
async fn found(folder: &Path) {
    let create = [create("acme", "owner", "owner@example.com"), vec!["--print-link"]].concat();
    let input = json!({ "token": token(&done(folder, &create)), "password": CHOSEN });
    let address = format!("127.0.0.1:{}", free_port());
    let _server = Running::start(command(folder, &["serve"]).env("ORGDESK_LISTEN", &address), &address);
    let accepted = ask(&address, ACCEPT, json!({ "input": input })).await;
    assert_eq!(accepted["data"]["invitationAccept"]["login"], "owner", "{accepted}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn o7_an_operator_looks_after_an_organization() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    found(folder).await;

    done(folder, &["organization", "approve", "--domain", "acme", "ipcc"]);
    done(
        folder,
        &["organization", "approve", "--domain", "acme", "ipcc", "--withdraw"],
    );
    let at = |verb| {
        vec![
            "identity-provider",
            verb,
            "--organization",
            "acme",
            "--issuer",
            "https://login.example.com",
        ]
    };
    let how = ["--client-id", "orgdesk", "--algorithm", "ES256", "--links-by-email"];
    let keys = ["--jwks-url", "https://login.example.com/keys"];
    let set = done(folder, &[&at("set"), &how[..], &keys[..]].concat());
    done(
        folder,
        &[&at("link")[..], &["--login", "owner", "--subject", "u-1"]].concat(),
    );
    let listed = done(folder, &["identity-provider", "list", "--organization", "acme"]);
    done(folder, &[&at("unlink")[..], &["--login", "owner"]].concat());
    done(folder, &at("remove"));
    let token = done(folder, &["token", "--organization", "acme", "--login", "owner"]);
    let verified = done(folder, &["audit", "verify"]);

    assert_eq!(token.trim().split('.').count(), 3, "a token and nothing else: {token}");
    assert!(
        verified.contains("PERMISSION 8 entries") && verified.contains("ACCESS 1 entries"),
        "{verified}"
    );
    assert!(!verified.contains("BROKEN"));
    assert!(
        set.starts_with("idp_") && set.ends_with(" https://login.example.com/keys\n"),
        "{set}"
    );
    assert_eq!(
        listed,
        "https://login.example.com orgdesk ES256 https://login.example.com/keys links-by-email enabled https://login.example.com\n"
    );
}

#[test]
fn o7_every_fault_is_reported_and_nothing_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |arguments: &[&str], words: &[&str]| {
        let output = run(folder.path(), arguments);
        let said = said(&output);
        assert!(!output.status.success(), "{arguments:?}: {said}");
        for word in words {
            assert!(said.contains(word), "{arguments:?} does not say {word}: {said}");
        }
        assert!(!said.contains("panicked") && !said.contains("SELECT"), "{said}");
    };
    let good = create("acme", "owner", "owner@example.com");
    let bad_zone = [create("x!", "Owner", "nowhere"), vec!["--time-zone", "Mars/Base"]].concat();

    refused(&bad_zone, &["domain", "timeZone", "login", "email"]);
    refused(&create("acme", "Owner", "nowhere"), &["login", "email"]);
    refused(
        &["token", "--organization", "acme", "--login", "owner"],
        &["no organization acme"],
    );
    refused(
        &["organization", "approve", "--domain", "acme", "ipcc"],
        &["no organization acme"],
    );
    refused(&["price", "load", "absent.toml"], &["absent.toml"]);
    refused(
        &["identity-provider", "list", "--organization", "acme"],
        &["no organization acme"],
    );
    std::fs::write(folder.path().join("bad.toml"), "effective_on = 1").unwrap();
    refused(&["price", "load", "bad.toml"], &[]);
    assert!(run(folder.path(), &good).status.success());
    refused(&good, &["domain"]);
    refused(
        &["token", "--organization", "acme", "--login", "ghost"],
        &["no member ghost"],
    );
    refused(
        &[
            "contract",
            "discount",
            "--domain",
            "acme",
            "--service",
            "none",
            "--percent",
            "5",
        ],
        &["service"],
    );
}

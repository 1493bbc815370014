//! What an operator does at the command line, with the binary itself.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
};

use crate::support::running::BINARY;

const SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn run(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(BINARY);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("ORGDESK_")) {
        command.env_remove(name);
    }
    let mut child = command
        .args(arguments)
        .current_dir(folder)
        .env("ORGDESK_SECRET", SECRET)
        .env("ORGDESK_ORGANIZATION_URL", "https://{domain}.example.com")
        .env("ORGDESK_PUBLIC_URL", "https://desk.example.com")
        .env("ORGDESK_MAIL_FROM", "no-reply@example.com")
        .env("ORGDESK_SMTP_URL", "smtp://127.0.0.1:1025?tls=none")
        .env(
            "DATABASE_URL",
            format!("sqlite:{}", folder.join("orgdesk.db").display()),
        )
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that reads nothing may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
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

#[test]
fn o7_an_operator_makes_an_organization_and_looks_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let done = |arguments: &[&str], input: &str| {
        let output = run(folder.path(), arguments, input);
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    };

    let id = done(
        &create("acme", "owner", "owner@example.com"),
        "a password for tests\r\n",
    );
    done(&["organization", "approve", "--domain", "acme", "ipcc"], "");
    done(
        &["organization", "approve", "--domain", "acme", "ipcc", "--withdraw"],
        "",
    );
    let token = done(&["token", "--organization", "acme", "--login", "owner"], "");
    let verified = done(&["audit", "verify"], "");

    assert!(id.starts_with("org_"), "{id}");
    assert_eq!(token.trim().split('.').count(), 3, "a token and nothing else: {token}");
    assert!(
        verified.contains("PERMISSION 3 entries") && verified.contains("ACCESS 1 entries"),
        "{verified}"
    );
    assert!(!verified.contains("BROKEN"));
}

#[test]
fn o7_every_fault_is_reported_and_nothing_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |arguments: &[&str], input: &str, words: &[&str]| {
        let output = run(folder.path(), arguments, input);
        let said = said(&output);
        assert!(!output.status.success(), "{arguments:?}: {said}");
        for word in words {
            assert!(said.contains(word), "{arguments:?} does not say {word}: {said}");
        }
        assert!(!said.contains("panicked") && !said.contains("SELECT"), "{said}");
    };
    let good = create("acme", "owner", "owner@example.com");
    let bad_zone = [create("x!", "Owner", "nowhere"), vec!["--time-zone", "Mars/Base"]].concat();

    refused(&good, "short", &["password", "15"]);
    refused(&good, "", &["password"]);
    refused(&good, &"x".repeat(1_025), &["password", "1024"]);
    refused(&bad_zone, "a password for tests", &["domain", "timeZone"]);
    refused(
        &create("acme", "Owner", "nowhere"),
        "a password for tests",
        &["login", "email"],
    );
    refused(
        &["token", "--organization", "acme", "--login", "owner"],
        "",
        &["no organization acme"],
    );
    refused(
        &["organization", "approve", "--domain", "acme", "ipcc"],
        "",
        &["no organization acme"],
    );
    refused(&["price", "load", "absent.toml"], "", &["absent.toml"]);
    std::fs::write(folder.path().join("bad.toml"), "effective_on = 1").unwrap();
    refused(&["price", "load", "bad.toml"], "", &[]);
    assert!(run(folder.path(), &good, "a password for tests").status.success());
    refused(&good, "a password for tests", &["domain"]);
    refused(
        &["token", "--organization", "acme", "--login", "ghost"],
        "",
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
        "",
        &["service"],
    );
}

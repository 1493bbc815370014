//! A mail server that fails, in each phase of a delivery and each way: no letter is lost, none is sent twice but where
//! nobody can know, and whatever went wrong with one letter does not touch the next.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use orgdesk::kernel::{Language, Mailer, Undelivered, config::SmtpServer};
use serde_json::Value;

use super::mail::{invitation, mailer};
use crate::support::{cluster::free_port, mail_server::MailServer};

/// The phases of a delivery: before the letter is spoken of, and after.
const BEFORE: [&str; 2] = ["GREETING", "EHLO"];
const AFTER: [&str; 4] = ["MAIL", "RCPT", "DATA", "LETTER"];

fn later(code: &str) -> Result<(), Undelivered> {
    Err(Undelivered::Later(code.to_owned()))
}

fn never(code: &str) -> Result<(), Undelivered> {
    Err(Undelivered::Never(code.to_owned()))
}

/// What came of sending the letter of a job.
async fn send(mailer: &impl Mailer, job: &str) -> Result<(), Undelivered> {
    let letter = invitation(Language::Korean, job, "이상담", "lee@example.com");
    mailer.send(letter).await
}

/// The jobs whose letters came, in their order.
fn came(server: &MailServer) -> Vec<String> {
    let id = |letter: &Value| letter["message_id"].as_str().unwrap().to_owned();
    server.letters().iter().map(id).collect()
}

fn of(jobs: &[&str]) -> Vec<String> {
    jobs.iter().map(|job| format!("<{job}@example.com>")).collect()
}

#[tokio::test]
async fn a3_a_refusal_for_now_is_tried_again_and_one_for_good_is_not() {
    // case: J2
    let Some(server) = MailServer::plain() else { return };
    let mut sent = Vec::new();

    for phase in BEFORE.iter().chain(&AFTER) {
        // With a connection that waits, and without one.
        let mailer = mailer(server.way());
        for round in ["first", "second"] {
            let is_new = round == "first";
            if BEFORE.contains(phase) && !is_new {
                continue;
            }
            server.fail(phase, "451 4.7.1 lee@example.com: come back later", None);
            assert_eq!(
                send(&mailer, "refused").await,
                later("SMTP 451 4.7.1"),
                "{phase} {round}"
            );
            server.fail(phase, "421 too busy", None);
            assert_eq!(send(&mailer, "refused").await, later("SMTP 421"), "{phase} {round}");
            server.fail(phase, "550 5.1.1 lee@example.com: no such user", None);
            let refused = send(&mailer, "refused").await;
            if BEFORE.contains(phase) {
                assert_eq!(refused, later("SMTP 550 5.1.1"), "{phase}: the letter is not at fault");
            } else {
                assert_eq!(refused, never("SMTP 550 5.1.1"), "{phase} {round}");
            }
            server.mend();
            let job = format!("{phase}-{round}");
            assert_eq!(send(&mailer, &job).await, Ok(()), "{phase} {round}");
            sent.push(job);
        }
    }

    let sent: Vec<&str> = sent.iter().map(String::as_str).collect();
    assert_eq!(came(&server), of(&sent));
}

/// Long enough for a delivery on a busy machine, and short enough to be waited for.
const SHORT: Duration = Duration::from_secs(5);

/// A server of its own that failed in this phase like this and is mended, and a mailer that gave up on it in time.
async fn slow(phase: &str, act: &str) -> Option<(MailServer, impl Mailer)> {
    let server = MailServer::plain()?;
    let mailer = mailer(SmtpServer {
        timeout: SHORT,
        ..server.way()
    });
    server.fail(phase, act, None);
    let began = Instant::now();
    assert_eq!(send(&mailer, phase).await, later("TIMEOUT"), "{phase}");
    assert!(began.elapsed() < SHORT * 2, "{phase}: {:?}", began.elapsed());
    server.mend();
    Some((server, mailer))
}

#[tokio::test]
async fn a3_a_server_that_hangs_is_given_up_in_time() {
    // case: J2
    let tried = BEFORE.iter().chain(&AFTER).map(async |phase| {
        let Some((server, mailer)) = slow(phase, "hang").await else {
            return;
        };

        // The next letter has a connection of its own: no answer that comes late is taken for its.
        assert_eq!(send(&mailer, phase).await, Ok(()), "{phase}");

        // Twice where the server had it and did not say so: nobody can know.
        let times = if *phase == "LETTER" { 2 } else { 1 };
        assert_eq!(came(&server), of(&vec![*phase; times]), "{phase}");
    });
    join_all(tried).await;
}

#[tokio::test]
async fn a3_one_byte_a_second_is_no_answer() {
    // case: J2
    let tried = ["GREETING", "EHLO", "RCPT"].iter().map(async |phase| {
        let Some((server, mailer)) = slow(phase, "drip").await else {
            return;
        };

        assert_eq!(send(&mailer, "fast").await, Ok(()), "{phase}");
        assert_eq!(came(&server), of(&["fast"]), "{phase}");
    });
    join_all(tried).await;
}

#[tokio::test]
async fn a3_a_connection_that_is_cut_costs_at_most_one_letter_twice() {
    // case: J2
    let Some(server) = MailServer::plain() else { return };
    let mut expected = Vec::new();

    for phase in BEFORE.iter().chain(&AFTER) {
        let mailer = mailer(server.way());
        server.fail(phase, "cut", Some(1));
        assert_eq!(send(&mailer, phase).await, later("CONNECTION"), "{phase}");
        assert_eq!(send(&mailer, phase).await, Ok(()), "{phase}");
        if *phase == "LETTER" {
            expected.push(*phase);
        }
        expected.push(phase);
    }

    // Both have one Message-ID, by which mail programs know them to be one.
    assert_eq!(came(&server), of(&expected));
}

#[tokio::test]
async fn a3_a_connection_that_waited_is_tried_before_it_is_used() {
    let Some(server) = MailServer::plain() else { return };
    let mailer = mailer(server.way());

    for (act, job) in [("cut", "job_1"), ("421 closing", "job_2"), ("hang", "job_3")] {
        assert_eq!(send(&mailer, "before").await, Ok(()), "{act}");
        server.fail("NOOP", act, Some(1));
        assert_eq!(send(&mailer, job).await, Ok(()), "{act}");
    }

    let expected = ["before", "job_1", "before", "job_2", "before", "job_3"];
    assert_eq!(came(&server), of(&expected));
}

#[tokio::test]
async fn a3_a_server_that_is_away_is_tried_again() {
    // case: J2
    let port = free_port();
    let Some(server) = MailServer::plain() else { return };
    let way = SmtpServer { port, ..server.way() };
    let mailer = mailer(way);

    assert_eq!(send(&mailer, "job_1").await, later("CONNECTION"));
    let Some(server) = MailServer::start(&["--port", &port.to_string()]) else {
        return;
    };
    assert_eq!(send(&mailer, "job_1").await, Ok(()));
    drop(server);
    assert_eq!(
        send(&mailer, "job_2").await,
        later("CONNECTION"),
        "the connection that waited is gone too"
    );
    let Some(server) = MailServer::start(&["--port", &port.to_string()]) else {
        return;
    };
    assert_eq!(send(&mailer, "job_2").await, Ok(()));

    assert_eq!(came(&server), of(&["job_2"]));
}

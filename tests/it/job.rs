//! The outbox and the job runner for real: what is due is done once, whoever does it and however often servers stop.

use chrono::Duration;
use orgdesk::{kernel::App, worker};
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    both,
    support::{
        app::{PASSWORD, TestApp},
        ledger::{self, charge, charges, jobs, texts, total, until},
        make,
    },
};

/// A server's workers.
struct Workers(CancellationToken, JoinHandle<()>);

impl Workers {
    fn start(app: &App) -> Self {
        let stop = CancellationToken::new();
        Self(stop.clone(), tokio::spawn(worker::work(app.clone(), stop)))
    }

    async fn stop(self) {
        self.0.cancel();
        tokio::time::timeout(std::time::Duration::from_secs(20), self.1)
            .await
            .unwrap()
            .unwrap();
    }
}

/// The total and state of the month's charge, once it is closed.
async fn closed(app: &TestApp, made: &make::Made, month: &str) -> Value {
    until(
        async || charge(app.owner(), made, month).await,
        |charge| charge["status"] == "CLOSED",
    )
    .await
}

const CLOSES: &str = "SELECT CAST(count(*) AS text) FROM month_close";

both! {
    async fn b3_the_runner_closes_a_month_when_it_is_due(app) {
        let desk = make::in_use(app.owner(), "desk", 3).await;
        let workers = Workers::start(&app.app);

        app.go_to("2026-12-01T00:10:00+09:00");
        let bill = closed(&app, &desk, "2026-11").await;
        let done = until(async || jobs(&app, "acme").await, |jobs| jobs[0].contains("DONE")).await;
        workers.stop().await;

        assert_eq!(total(&bill), 21 * 3 * 333 * 11 / 10);
        assert_eq!(done, ["2026-11 DONE 1", "2026-12 WAITING 0"]);
        let unfinished = "SELECT CAST(count(*) AS text) FROM job_outbox WHERE (state = 'DONE') <> (finished_at IS NOT NULL)";
        assert_eq!(texts(&app, unfinished).await, ["0"]);
    }

    // case: J4
    async fn j4_workers_that_stop_and_start_again_go_on_at_once(app) {
        let desk = make::in_use(app.owner(), "desk", 3).await;

        for (round, month) in ["2026-11", "2026-12", "2027-01", "2027-02", "2027-03"].into_iter().enumerate() {
            let server = app.second_server().await;
            // The tests' generator begins anew with each server; a boot has another name than the one before.
            for _ in 0..round {
                let _: [u8; 16] = server.app.random.bytes();
            }
            let workers = Workers::start(&server.app);
            let due = ["2026-12", "2027-01", "2027-02", "2027-03", "2027-04"][round];
            app.go_to(&format!("{due}-01T00:10:00+09:00"));
            closed(&app, &desk, month).await;
            workers.stop().await;
        }

        let jobs = jobs(&app, "acme").await;
        assert_eq!(jobs.len(), 6);
        assert!(jobs[5].starts_with("2027-04 WAITING"), "{jobs:?}");
    }

    async fn j1_a_job_whose_server_was_lost_is_done_by_another(app) {
        let desk = make::in_use(app.owner(), "desk", 3).await;
        app.go_to("2026-12-01T00:10:00+09:00");
        // A server took the jobs and was gone before it began them.
        ledger::execute(&app, "UPDATE job_outbox SET state = 'QUEUED', handed_over_at = due_at").await;

        app.wait(Duration::seconds(599));
        let too_early = app.run_due().await;
        app.wait(Duration::seconds(1));
        let server = app.second_server().await;
        let workers = Workers::start(&server.app);
        closed(&app, &desk, "2026-11").await;
        until(async || jobs(&app, "acme").await, |jobs| jobs[0].contains("DONE")).await;
        workers.stop().await;

        assert_eq!(too_early, 0);
        assert_eq!(jobs(&app, "acme").await[0], "2026-11 DONE 1");
    }

    // case: J1
    async fn j1_a_deed_that_is_rolled_back_leaves_no_job(app) {
        let password_hash = orgdesk::operate::hash_password(&app.app, PASSWORD).await.unwrap();
        let person = |login: &str| orgdesk::operate::Person {
            login: login.to_owned(),
            name: "소유자".to_owned(),
            email: "owner@example.com".to_owned(),
            password_hash: password_hash.clone(),
            is_administrator: false,
        };
        let all = "SELECT CAST(count(*) AS text) FROM job_outbox";
        let before = texts(&app, all).await;

        // The organization and its first job come before its owner, who can't be made.
        let create = async |login: &str| {
            orgdesk::operate::create_organization(&app.app, "New", "newcomer", "Asia/Seoul", person(login)).await
        };
        let refused = create("not a login!").await;
        let after_refusal = texts(&app, all).await;
        create("owner").await.unwrap();

        refused.unwrap_err();
        assert_eq!((&before, &after_refusal), (&vec!["2".to_owned()], &vec!["2".to_owned()]));
        assert_eq!(jobs(&app, "newcomer").await, ["2026-11 WAITING 0"]);
    }

    async fn j1_a_job_that_fails_waits_longer_each_time_and_is_given_up(app) {
        make::in_use(app.rival(), "desk", 1).await;
        ledger::execute(
            &app,
            "UPDATE job_outbox SET argument = 'no month' WHERE organization_id = (SELECT id FROM organization WHERE domain = 'acme')",
        )
        .await;
        app.go_to("2026-12-01T00:10:00+09:00");

        let mut seen = vec![(app.run_due().await, jobs(&app, "acme").await.concat())];
        for pause in (1..=12).map(|attempt: u32| 1 << attempt.min(10)) {
            // Whoever is up counts on: the row knows, not the server.
            let server = app.second_server().await;
            app.wait(Duration::seconds(pause) - Duration::microseconds(1));
            let too_early = server.run_due().await;
            // By chance up to half as long again.
            app.wait(Duration::seconds(pause) / 2 + Duration::microseconds(1));
            seen.push((server.run_due().await - too_early, jobs(&app, "acme").await.concat()));
        }
        app.wait(Duration::days(1));
        let later = app.run_due().await;

        let row = |state: &str, attempts: usize| format!("no month {state} {attempts}");
        let mut expected = vec![(2, row("WAITING", 1))];
        expected.extend((2..=12).map(|attempts| (1, row("WAITING", attempts))));
        expected.push((1, row("DEAD", 12)));
        assert_eq!(seen, expected);
        assert_eq!(later, 0, "what was given up is not begun again");
        assert_eq!(texts(&app, "SELECT failure FROM job_outbox WHERE state = 'DEAD'").await, ["internal error"]);
        let listed = orgdesk::operate::dead_jobs(&app.app).await.unwrap();
        let listed: Vec<Vec<&str>> = listed.iter().map(|line| line.split('\t').collect()).collect();
        assert_eq!(listed.len(), 1, "{listed:?}");
        assert!(listed[0][0].starts_with("job_") && listed[0][1].starts_with("org_"), "{listed:?}");
        assert_eq!(listed[0][2..5], ["month-close", "no month", "12"]);
        assert_eq!(listed[0][5..], ["2026-11-30T16:52:21.000Z", "internal error"]);
        assert_eq!(orgdesk::operate::revive_jobs(&app.app).await.unwrap().len(), 1);
        assert_eq!(orgdesk::operate::dead_jobs(&app.app).await.unwrap(), [""; 0]);
        assert_eq!(jobs(&app, "acme").await.concat(), "no month WAITING 0", "an operator has it done again");
        assert_eq!(jobs(&app, "rival").await[0], "2026-11 DONE 1", "the other organization's is done");
    }

    async fn j6_a_job_of_a_kind_that_is_not_known_waits_for_a_server_that_knows_it(app) {
        let desk = make::in_use(app.owner(), "desk", 1).await;
        ledger::execute(&app, "UPDATE job_outbox SET kind = 'of tomorrow'").await;
        app.go_to("2026-12-01T00:10:00+09:00");

        let mut begun = Vec::new();
        for _ in 0..8 {
            begun.push(app.run_due().await);
            app.wait(Duration::minutes(1));
        }
        let waiting = jobs(&app, "acme").await;
        ledger::execute(&app, "UPDATE job_outbox SET kind = 'month-close'").await;
        app.run_due().await;

        assert_eq!(begun, [2; 8]);
        assert_eq!(waiting, ["2026-11 WAITING 0"]);
        assert_eq!(charge(app.owner(), &desk, "2026-11").await["status"], "CLOSED");
    }

    // case: A14
    async fn a14_a_job_works_for_its_own_organization_only(app) {
        let desk = make::in_use(app.owner(), "desk", 1).await;
        let rival = make::in_use(app.rival(), "desk", 1).await;
        ledger::execute(
            &app,
            "DELETE FROM job_outbox WHERE organization_id = (SELECT id FROM organization WHERE domain = 'rival')",
        )
        .await;
        app.go_to("2026-12-01T00:10:00+09:00");

        let begun = app.run_due().await;

        assert_eq!(begun, 1);
        assert_eq!(charge(app.owner(), &desk, "2026-11").await["status"], "CLOSED");
        assert_eq!(charge(app.rival(), &rival, "2026-11").await["status"], "ESTIMATED");
        assert_eq!(texts(&app, CLOSES).await, ["1"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b3_two_servers_close_each_month_once() {
    let Some(app) = TestApp::on_postgres().await else {
        return;
    };
    let desk = make::in_use(app.owner(), "desk", 3).await;
    make::in_use(app.rival(), "desk", 1).await;
    let other = app.second_server().await;
    let workers = [Workers::start(&app.app), Workers::start(&other.app)];

    app.go_to("2027-02-01T00:10:00+09:00");
    closed(&app, &desk, "2027-01").await;
    let is_done = |jobs: &Vec<String>| jobs.iter().filter(|job| job.contains("DONE")).count() == 3;
    until(async || jobs(&app, "acme").await, is_done).await;
    until(async || jobs(&app, "rival").await, is_done).await;
    for workers in workers {
        workers.stop().await;
    }

    let done = [
        "2026-11 DONE 1",
        "2026-12 DONE 1",
        "2027-01 DONE 1",
        "2027-02 WAITING 0",
    ];
    assert_eq!(
        (jobs(&app, "acme").await, jobs(&app, "rival").await),
        (done.map(str::to_owned).to_vec(), done.map(str::to_owned).to_vec())
    );
    assert_eq!(texts(&app, CLOSES).await, ["6"]);
    let entries = "SELECT CAST(count(*) AS text) FROM audit_entry WHERE action = 'MONTH_CLOSE'";
    assert_eq!(texts(&app, entries).await, ["6"]);
    let (listed, count, _) = charges(app.owner(), "2026-11", "2027-01").await;
    assert_eq!((listed.len(), count), (3, 3));
    assert_eq!(
        texts(&app, "SELECT CAST(count(*) AS text) FROM apalis.jobs").await,
        ["6"]
    );
}

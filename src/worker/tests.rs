//! What becomes of a job whose letter can't be sent.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::run_due;
use crate::{
    kernel::{
        App, Clock, Random, Settings, StoppedClock, Undelivered,
        config::Source,
        outbox::{self, Attempt, Fate, Taken},
    },
    operate::{self, Person},
    setup,
};

/// An installation with one organization and one job that is due.
async fn with_a_job_that_is_due(folder: &std::path::Path) -> (App, StoppedClock) {
    let pairs = [("ORGDESK_DATA", folder.to_str().unwrap())];
    let source = Source::read(
        pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into_iter(),
    );
    let ring = crate::kernel::seal::KeyRing::parse("test:JSYnKCkqKywtLi8wMTIzNDU2Nzg5Ojs8PT4/QEFCQ0Q=", b"").unwrap();
    let settings = Settings::for_demo(&source.unwrap(), Zeroizing::new((0..32).collect()), ring).unwrap();
    let clock = StoppedClock::at("2026-11-10T01:00:00Z".parse().unwrap());
    let app = setup::open(settings, Arc::new(clock.clone()), Random::seeded(1))
        .await
        .unwrap();
    let owner = Person {
        login: "owner".to_owned(),
        name: "소유자".to_owned(),
        email: "owner@example.com".to_owned(),
        password_hash: operate::hash_password(&app, "a password for tests").await.unwrap(),
        is_administrator: false,
    };
    operate::create_organization(&app, "Acme", "acme", "Asia/Seoul", owner)
        .await
        .unwrap();
    clock.set("2026-12-01T00:00:00Z".parse().unwrap());
    (app, clock)
}

/// Begins an attempt; `None` where there is nothing to begin.
async fn begun(app: &App, taken: Taken) -> Option<outbox::Model> {
    match outbox::begin_attempt(app, taken).await.unwrap() {
        Attempt::Begun(job) => Some(job),
        Attempt::Spent(_) | Attempt::Nothing => None,
    }
}

/// Begins the job that is due and ends it like this.
async fn end(app: &App, sent: Result<(), Undelivered>) {
    let due = outbox::take_due(app, None).await.unwrap();
    assert_eq!(due.len(), 1);
    let job = begun(app, due[0]).await.unwrap();
    outbox::end_attempt(app, &job, Fate::from(sent)).await.unwrap();
}

#[tokio::test]
async fn a3_a_letter_that_is_refused_for_good_is_given_up_at_once_and_is_seen() {
    // case: J2
    let folder = tempfile::tempdir().unwrap();
    let (app, clock) = with_a_job_that_is_due(folder.path()).await;

    end(&app, Err(Undelivered::Never("SMTP 550 5.1.1".to_owned()))).await;
    clock.advance(chrono::Duration::days(1));
    let again = run_due(&app).await.unwrap();

    assert_eq!(again, 0, "no retry would help");
    let listed = operate::dead_jobs(&app).await.unwrap();
    assert_eq!(listed.len(), 1);
    let (_, seen) = listed[0].split_once("month-close").unwrap();
    assert_eq!(seen, "\t2026-11\t1\t2026-12-01T00:00:00.000Z\tSMTP 550 5.1.1");
    assert_eq!(operate::revive_jobs(&app).await.unwrap().len(), 1);
    assert_eq!(
        outbox::oldest_due(&app).await.unwrap(),
        Some(clock.now()),
        "it is due again"
    );
    assert!(run_due(&app).await.unwrap() > 0);
    assert_eq!(operate::dead_jobs(&app).await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn a3_a_letter_that_is_refused_for_now_comes_again() {
    // case: J2
    let folder = tempfile::tempdir().unwrap();
    let (app, clock) = with_a_job_that_is_due(folder.path()).await;

    end(&app, Err(Undelivered::Later("TIMEOUT".to_owned()))).await;
    clock.advance(chrono::Duration::milliseconds(1_999));
    assert_eq!(outbox::take_due(&app, None).await.unwrap(), []);
    clock.advance(chrono::Duration::milliseconds(1_001));

    end(&app, Ok(())).await;
    clock.advance(chrono::Duration::days(1));
    assert_eq!(run_due(&app).await.unwrap(), 0, "what was sent is not sent again");
    assert_eq!(operate::dead_jobs(&app).await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn a3_a_job_that_was_handed_over_twice_is_not_begun_twice_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (app, clock) = with_a_job_that_is_due(folder.path()).await;
    let first = outbox::take_due(&app, None).await.unwrap()[0];
    // The runner has so much to do that the job seems lost, and is handed over again.
    clock.advance(chrono::Duration::minutes(10));
    let second = outbox::take_due(&app, None).await.unwrap()[0];

    let under_way = begun(&app, first).await;
    let meanwhile = begun(&app, second).await;
    clock.advance(chrono::Duration::seconds(599));
    let not_yet = outbox::take_due(&app, None).await.unwrap();
    clock.advance(chrono::Duration::seconds(1));
    let lost = outbox::take_due(&app, None).await.unwrap();

    assert_eq!(first, second);
    assert_eq!(under_way.map(|job| job.attempts), Some(1));
    assert_eq!(meanwhile, None, "the letter is on its way");
    assert_eq!(not_yet, [], "it is not lost before ten minutes after its beginning");
    assert_eq!(begun(&app, lost[0]).await.map(|job| job.attempts), Some(2));
}

#[tokio::test]
async fn j1_whoever_tells_that_he_is_at_work_keeps_his_job_until_he_is_silent() {
    let folder = tempfile::tempdir().unwrap();
    let (app, clock) = with_a_job_that_is_due(folder.path()).await;
    let word = outbox::take_due(&app, None).await.unwrap()[0];
    let job = begun(&app, word).await.unwrap();

    for _ in 0..3 {
        clock.advance(chrono::Duration::seconds(599));
        assert!(outbox::keep(&app, &job).await.unwrap());
        assert_eq!(outbox::take_due(&app, None).await.unwrap(), [], "he has told so");
    }
    clock.advance(chrono::Duration::seconds(600));
    let lost = outbox::take_due(&app, None).await.unwrap();
    let another = begun(&app, lost[0]).await.unwrap();

    assert!(!outbox::keep(&app, &job).await.unwrap(), "it is another's now");
    assert!(outbox::keep(&app, &another).await.unwrap());
    outbox::end_attempt(&app, &another, Fate::from(Ok(()))).await.unwrap();
    assert!(!outbox::keep(&app, &another).await.unwrap(), "it is done");
}

#[tokio::test]
async fn j1_a_word_of_before_begins_no_job_that_was_put_off_or_revived() {
    let folder = tempfile::tempdir().unwrap();
    let (app, _) = with_a_job_that_is_due(folder.path()).await;
    let fates = [
        Fate::Later(app.clock.now()),
        Fate::GivenUp("SMTP 550".to_owned()),
        Fate::Later(app.clock.now()),
    ];
    let mut words: Vec<Taken> = Vec::new();

    for fate in fates {
        let is_given_up = matches!(fate, Fate::GivenUp(_));
        let word = outbox::take_due(&app, None).await.unwrap()[0];
        for before in &words {
            assert_eq!(begun(&app, *before).await, None, "{before} is of before {word}");
        }
        let job = begun(&app, word).await.unwrap();
        for before in &words {
            assert_eq!(begun(&app, *before).await, None, "{before} is of before {word}");
        }
        outbox::end_attempt(&app, &job, fate).await.unwrap();
        if is_given_up {
            assert_eq!(operate::revive_jobs(&app).await.unwrap().len(), 1);
        }
        words.push(word);
    }

    let word = outbox::take_due(&app, None).await.unwrap()[0];
    let job = begun(&app, word).await.unwrap();
    assert_eq!(
        (job.attempts, job.generation),
        (1, 4),
        "it has as many attempts as ever"
    );
}

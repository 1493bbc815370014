//! Running jobs. A job may be begun more than once, so each is written to be effective once; a panic is a failure like
//! any other, and a runner that loses its database starts again.

use std::{panic::AssertUnwindSafe, time::Duration};

use apalis::prelude::{BackendExt, BoxDynError, Data, Monitor, WorkerBuilder, WorkerBuilderExt};
use apalis_postgres::PostgresStorage;
use apalis_sqlite::SqliteStorage;
use futures_util::FutureExt;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{
    keeper,
    relay::{QUEUE, WEBHOOKS, runner_statement},
    ticker::Ticker,
};
use crate::{
    billing,
    cti::log as cti_log,
    extraction, import,
    kernel::{
        Action, App, Caller, Error, Month, Plain, Result,
        db::JobPool,
        outbox::{self, Attempt, EXTRACTION_RECHECK, EXTRACTION_RUN, Fate, MONTH_CLOSE, Taken},
        trace,
    },
    member::{invitation, notice, password_reset},
    partner::webhook,
    picture, pii, ticket,
};

/// How often the outbox is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// How often the runner looks at its own table.
const POLL: Duration = Duration::from_millis(250);

/// A runner tells every so often that it lives; after three silences its tasks are another's.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// Runs jobs as they become due, until `stop`.
pub async fn work(app: App, stop: CancellationToken) {
    let relay = tokio::spawn(relay(app.clone(), stop.clone()));
    let all = tokio::spawn(runner(app.clone(), (QUEUE, 2), stop.clone()));
    let webhooks = tokio::spawn(runner(app.clone(), (WEBHOOKS, 16), stop.clone()));
    let logs = tokio::spawn(keeper::keep(app.clone(), stop));
    for task in [relay, all, webhooks, logs] {
        if let Err(error) = task.await {
            tracing::error!(%error, "a part of the job runner ended badly");
        }
    }
    keeper::end(&app).await;
}

/// Runs the jobs that are due now, one after the other, without a runner: for the demo's seed and for tests that set
/// the clock. Answers how many were begun.
///
/// # Errors
/// Only if the database fails.
pub async fn run_due(app: &App) -> Result<usize> {
    let mut begun = 0;
    loop {
        let due = outbox::take_due(app, None).await?;
        if due.is_empty() {
            return Ok(begun);
        }
        for taken in due {
            begun += 1;
            attempt(app, taken).await?;
        }
    }
}

async fn relay(app: App, stop: CancellationToken) {
    let mut interval = tokio::time::interval(LOOK);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while stop.run_until_cancelled(interval.tick()).await.is_some() {
        if let Err(error) = outbox::take_due(&app, Some(runner_statement(&app))).await {
            tracing::warn!(?error, "the outbox could not be read");
        }
    }
}

/// Runs the jobs of a queue, so many at a time.
async fn runner(app: App, (queue, at_once): (&'static str, usize), stop: CancellationToken) {
    // Two workers of one name are not refused by the runner, so each process has its own.
    let name = format!(
        "{queue}-{}-{}",
        std::process::id(),
        crate::kernel::id::encode(uuid::Uuid::from_bytes(app.random.bytes()))
    );
    let signal = async move {
        stop.cancelled().await;
        Ok::<(), std::io::Error>(())
    };
    macro_rules! run {
        ($storage:expr) => {{
            let storage = $storage;
            Monitor::new()
                .register(move |_| {
                    WorkerBuilder::new(&*name)
                        .backend(storage.clone().poll_with_strategy(Ticker::new(POLL)))
                        .data(app.clone())
                        .concurrency(at_once)
                        .build(handle)
                })
                .should_restart(|_, error| {
                    tracing::warn!(%error, "the job runner starts again");
                    true
                })
                .shutdown_timeout(Duration::from_secs(10))
                .run_with_signal(signal)
                .await
        }};
    }
    let ended = match app.database.jobs().clone() {
        JobPool::Sqlite(pool) => {
            let config = apalis_sqlite::Config::default()
                .queue(queue)
                .heartbeat_interval(HEARTBEAT)
                .missed_heartbeats(3);
            run!(SqliteStorage::<String>::new(&pool).with_config(config))
        }
        JobPool::Postgres(pool) => {
            let config = apalis_postgres::Config::default()
                .queue(queue)
                .heartbeat_interval(HEARTBEAT)
                .missed_heartbeats(3);
            run!(PostgresStorage::<String>::new(&pool).with_config(config))
        }
    };
    if let Err(error) = ended {
        tracing::error!(%error, "the job runner ended");
    }
}

/// What the runner calls. The outbox row says how it went, so that the runner itself never has to try again.
///
/// A job has a task of its own: the runner asks its table for more whenever its own task is woken, and a job that takes steps
/// would have it ask at each of them.
async fn handle(taken: String, app: Data<App>) -> Result<(), BoxDynError> {
    // What another version wrote here is found again in the outbox, ten minutes later.
    let Ok(taken) = taken.parse() else { return Ok(()) };
    let job = tokio::spawn(async move { attempt(&app, taken).await });
    let ended = AbortOnDropHandle::new(job).await;
    ended?.map_err(|error| format!("{error:?}").into())
}

async fn attempt(app: &App, taken: Taken) -> Result<()> {
    let job = match outbox::begin_attempt(app, taken).await? {
        Attempt::Begun(job) => job,
        Attempt::Spent(job) => return give_up(app, &job).await,
        Attempt::Nothing => return Ok(()),
    };
    let span = app.traces.job(&job.kind, job.attempts);
    let fate = trace::within(span.as_ref(), Box::pin(fate(app, &job))).await;
    if let Some(span) = &span {
        match &fate {
            Fate::Done => span.ended("done", true),
            Fate::Later(_) => span.ended("later", true),
            Fate::Failed(_) => span.ended("failed", false),
            Fate::GivenUp(_) => span.ended("given up", false),
        }
    }
    outbox::end_attempt(app, &job, fate).await
}

/// Does a job; whatever goes wrong is its fate.
async fn fate(app: &App, job: &outbox::Model) -> Fate {
    let id = job.id;
    let done = AssertUnwindSafe(perform(app, job)).catch_unwind().await;
    match done {
        Ok(Ok(Fate::Failed(reason))) => {
            tracing::warn!(job = %id, kind = job.kind, reason, "a job failed");
            Fate::Failed(reason)
        }
        Ok(Ok(fate)) => fate,
        Ok(Err(error)) => {
            tracing::warn!(job = %id, kind = job.kind, ?error, "a job failed");
            Fate::Failed(error.to_string())
        }
        Err(_) => {
            tracing::error!(job = %id, kind = job.kind, "a job panicked");
            Fate::Failed("panic".to_owned())
        }
    }
}

/// Ends a job that was begun too often, and tells whoever shows how it fares.
async fn give_up(app: &App, job: &outbox::Model) -> Result<()> {
    if job.kind == invitation::KIND {
        invitation::give_up(app, job).await?;
    }
    if job.kind == webhook::KIND {
        webhook::give_up(app, job).await?;
    }
    if job.kind == import::CHECK {
        import::give_up_check(app, job).await?;
    }
    if job.kind == EXTRACTION_RUN {
        extraction::give_up(app, job).await?;
    }
    if job.kind == import::RUN && import::goes_on(app, job).await? {
        return outbox::end_attempt(app, job, Fate::Later(app.clock.now())).await;
    }
    let reason = job.failure.clone().unwrap_or_else(|| "LOST".to_owned());
    outbox::end_attempt(app, job, Fate::GivenUp(reason)).await
}

/// Every job there is.
async fn perform(app: &App, job: &outbox::Model) -> Result<Fate> {
    match job.kind.as_str() {
        MONTH_CLOSE => {
            let month = Month::parse(&job.argument).ok_or_else(|| Error::internal("no month to close"))?;
            let caller = Caller::system(app.clone(), MONTH_CLOSE, job.organization_id);
            let closing = caller
                .act(Action::MonthClose, &Plain, async |tx| billing::close(tx, month).await)
                .await?;
            Ok(match closing {
                billing::Closing::NotYet(at) => Fate::Later(at),
                billing::Closing::Closed(_) | billing::Closing::Already => Fate::Done,
            })
        }
        pii::LAPSE => Ok(pii::lapse(app, job.organization_id, &job.argument).await),
        notice::KIND => notice::send(app, job).await,
        password_reset::KIND => password_reset::send(app, job).await,
        invitation::KIND => invitation::send(app, job).await,
        cti_log::PURGE => cti_log::purge(app, job).await,
        cti_log::OUTBOUND => ticket::from_call(app, job).await,
        webhook::KIND => webhook::deliver(app, job).await,
        webhook::PURGE => webhook::purge(app, job).await,
        import::RUN => import::run(app, job).await,
        import::UNDO => import::undo(app, job).await,
        import::LETTER => import::send_letter(app, job).await,
        import::CHECK => import::check(app, job).await,
        import::FORGET => import::forget(app, job).await,
        import::SWEEP => import::sweep(app, job).await,
        EXTRACTION_RUN => extraction::run(app, job).await,
        EXTRACTION_RECHECK => extraction::recheck(app, job).await,
        extraction::EXPIRE => extraction::expire(app, job).await,
        extraction::SWEEP => extraction::sweep(app, job).await,
        picture::KIND => picture::sweep(app, job).await,
        // A newer server may have asked for a job that this one does not know: it is left for that one.
        _ => Ok(Fate::Later(crate::kernel::Timestamp(
            app.clock.now().0 + chrono::Duration::minutes(1),
        ))),
    }
}

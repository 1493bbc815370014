//! Two hundred writers of one chain: every deed is a transaction of its own, in the organization's turn. Beside it the same
//! row as a deed's entry, in a transaction of its own, by as many writers over as many connections, without a chain.

use std::{sync::Arc, time::Instant};

use futures_util::future::join_all;
use orgdesk::{
    kernel::{Action, Caller, Outcome, Plain, Result, Tx},
    operate,
};

use crate::stand::Stand;

/// The least rate of a chain, beside that of bare rows.
const GOAL: f64 = 0.3;

/// Something that leaves its entry and nothing else.
struct Done;

impl Outcome for Done {
    type Receipt = ();

    fn receipt(&self) {}

    async fn again(_: &Tx, (): ()) -> Result<Self> {
        Ok(Self)
    }
}

/// Measures both, and checks the chain that was made: no gap, no fork.
pub async fn measure(stand: &Stand, writers: u32, rounds: u32) {
    let before = stand.count("MANAGEMENT").await;
    let app = Arc::new(stand.app.clone());
    let organization = stand.organization;
    let begun = Instant::now();
    let tasks = (0..writers).map(|_| {
        let app = app.clone();
        tokio::spawn(async move {
            for _ in 0..rounds {
                let caller = Caller::system((*app).clone(), "bench", organization);
                let done = caller.act(Action::PictureSweep, &Plain, async |_: &Tx| Ok(Done)).await;
                done.map_err(|error| format!("{error:?}")).expect("a deed");
            }
        })
    });
    for task in join_all(tasks).await {
        task.expect("a writer");
    }
    let count = u64::from(writers) * u64::from(rounds);
    let chained = count as f64 / begun.elapsed().as_secs_f64();
    assert_eq!(
        stand.count("MANAGEMENT").await - before,
        count,
        "each deed has its entry"
    );
    for (_, reports) in operate::verify_audit(&stand.app).await.expect("a verification") {
        for report in reports {
            assert_eq!(report.broken, None, "no fork and no gap");
        }
    }
    let bare = count as f64 / stand.bare(writers, rounds).await.as_secs_f64();
    let share = chained / bare;
    println!(
        "  {writers} writers of one chain: {chained:.0} entries/s; {bare:.0} rows/s without a chain; {share:.2} of it, goal {GOAL}"
    );
}

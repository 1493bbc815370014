//! How a server ends: what is in flight, what is new, and what will not end.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    time::{sleep, timeout},
};

use super::{
    server::{PATIENCE, SHORT, Served, exchange, graphql, patient, read_some, read_to_close, served},
    *,
};
use crate::api::server::{HardStop, ServerSettings};

#[tokio::test]
async fn stopping_finishes_what_is_in_flight_and_takes_nothing_new() -> Outcome {
    let settings = ServerSettings {
        announce: Duration::from_millis(1_500),
        ..patient()
    };
    let Served {
        address,
        ready,
        stop,
        stopped,
        ..
    } = served(settings).await?;
    let mut waiting = Vec::new();
    for _ in 0..10 {
        let request = graphql("{ wait(ms: 900) }");
        waiting.push(tokio::spawn(async move {
            exchange(address, request.as_bytes()).await.map_err(|e| e.to_string())
        }));
    }
    let mut kept = TcpStream::connect(address).await?;
    kept.write_all(graphql("{ hello }").as_bytes()).await?;
    read_some(&mut kept, r#""hello":"hello""#).await?;
    sleep(Duration::from_millis(300)).await;
    assert!(ready.get());
    stop.send(()).map_err(|()| "gone")?;
    while ready.get() {
        sleep(Duration::from_millis(5)).await;
    }
    // While it is announced, requests are still served, but on no connection twice.
    kept.write_all(graphql("{ hello }").as_bytes()).await?;
    assert!(read_to_close(&mut kept).await?.contains("connection: close"));
    for reply in waiting {
        let text = reply.await??;
        assert!(text.contains(r#"{"data":{"wait":900}"#), "{text}");
    }
    let stopped = timeout(PATIENCE, stopped).await??;
    assert_eq!(stopped.cut_off, 0);
    assert!(TcpStream::connect(address).await.is_err());
    Ok(())
}

#[tokio::test]
async fn what_does_not_end_is_cut_off() -> Outcome {
    let Served {
        address,
        demo,
        stop,
        stopped,
        ..
    } = served(ServerSettings {
        drain: SHORT,
        ..patient()
    })
    .await?;
    let mut stuck = TcpStream::connect(address).await?;
    stuck.write_all(graphql("{ slow }").as_bytes()).await?;
    while demo.visits.open.load(Ordering::SeqCst) == 0 {
        sleep(Duration::from_millis(5)).await;
    }
    stop.send(()).map_err(|()| "gone")?;
    let stopped = timeout(PATIENCE, stopped).await??;
    assert_eq!((stopped.cut_off, demo.visits.open.load(Ordering::SeqCst)), (1, 0));
    assert_eq!(read_to_close(&mut stuck).await?, "");
    Ok(())
}

#[tokio::test]
async fn the_hard_stop_strikes_unless_it_is_dropped() -> Outcome {
    let struck = Arc::new(AtomicUsize::new(0));
    let strike = |by: usize| {
        let struck = Arc::clone(&struck);
        move || {
            struck.fetch_add(by, Ordering::SeqCst);
        }
    };
    drop(HardStop::after(SHORT, strike(1)));
    let kept = HardStop::after(SHORT, strike(10));
    while struck.load(Ordering::SeqCst) < 10 {
        sleep(Duration::from_millis(5)).await;
    }
    drop(kept);
    assert_eq!(struck.load(Ordering::SeqCst), 10);
    Ok(())
}

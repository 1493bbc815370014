//! The settings of where a server listens.

use std::net::SocketAddr;

use super::Source;

/// Where to listen for requests, and where to tell the metrics.
pub(super) fn read(source: &Source, faults: &mut Vec<String>) -> (SocketAddr, Option<SocketAddr>) {
    let text = source.get("LISTEN").unwrap_or("127.0.0.1:8080");
    let listen = text.parse().unwrap_or_else(|_| {
        faults.push("ORGDESK_LISTEN must be an address and port, such as 127.0.0.1:8080".to_owned());
        SocketAddr::from(([127, 0, 0, 1], 0))
    });
    let Some(text) = source.get("METRICS_LISTEN") else {
        return (listen, None);
    };
    let metrics = text.parse().ok().filter(|address| *address != listen);
    if metrics.is_none() {
        let fault = "must be an address and port, such as 127.0.0.1:9464, and not that of ORGDESK_LISTEN";
        faults.push(format!("ORGDESK_METRICS_LISTEN {fault}"));
    }
    (listen, metrics)
}

//! GraphQL over WebSocket, by the protocol graphql-transport-ws, on the route of GraphQL over HTTP. A loop of its own
//! ([`conversation`]), since async-graphql's knows no limits and closes with other codes than the protocol has: the caller is
//! let in by the token of `connection_init`, what he subscribes to passes the guards and the bucket of points that a request
//! passes ([`operation`]), and his token is looked at until it is over.
//!
//! Subscriptions are served here, queries and mutations by POST: limits of time and of requests in flight, files and signed
//! requests are there, and nothing is done in two ways.

mod allowance;
mod conversation;
mod handshake;
mod known;
mod message;
mod operation;
mod places;
mod strangers;

use std::{sync::Arc, time::Duration};

use axum::{middleware, routing::MethodRouter};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::{places::Places, strangers::Strangers};
use super::session::Api;

/// The protocol's name.
pub const PROTOCOL: &str = "graphql-transport-ws";
/// Largest message in bytes.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024;
/// Longest ID of an operation in bytes.
pub const MAX_OPERATION_ID_BYTES: usize = 128;
/// How long closing may take when the server stops.
const GOODBYE: Duration = Duration::from_secs(3);

/// The limits of sockets. The defaults hold wherever nothing else is said.
#[derive(Clone, Copy, Debug)]
pub struct SocketSettings {
    /// Longest wait for `connection_init`: 5 s.
    pub init_within: Duration,
    /// How often the other side is asked for a sign of life: 25 s.
    pub ping_every: Duration,
    /// Longest silence of the other side: 60 s.
    pub silence: Duration,
    /// Longest that the other side may take for a message: 10 s. Whoever reads more slowly is cut off.
    pub send_within: Duration,
    /// How often a socket looks at its clocks: 1 s.
    pub look_every: Duration,
    /// How often it is asked whether the session of a socket still holds, beside each event: 30 s.
    pub recheck_every: Duration,
    /// Most sockets of a server whose callers are known: 1,000.
    pub most: usize,
    /// Most sockets from one address whose caller is not known yet: 32.
    pub most_strangers_of_address: usize,
    /// Most sockets of a server whose callers are not known yet: 200, beside the others. Where there are as many, the next
    /// one pushes another out.
    pub most_strangers: usize,
    /// Most sockets of one member: 10.
    pub most_of_member: usize,
    /// Most sockets of one organization: 200.
    pub most_of_organization: usize,
    /// Most operations at once on a socket: 20.
    pub most_operations: usize,
    /// Most operations at once of one member or key, on all his sockets: 40.
    pub most_operations_of_member: usize,
    /// Most operations at once of one organization: 400.
    pub most_operations_of_organization: usize,
    /// Most messages at once on a socket that begin and end nothing, such as signs of life: 60.
    pub most_idle: u32,
    /// How long it takes until there may be one more of those: 1 s.
    pub idle_back: Duration,
}

impl Default for SocketSettings {
    fn default() -> Self {
        Self {
            init_within: Duration::from_secs(5),
            ping_every: Duration::from_secs(25),
            silence: Duration::from_secs(60),
            send_within: Duration::from_secs(10),
            look_every: Duration::from_secs(1),
            recheck_every: Duration::from_secs(30),
            most: 1_000,
            most_strangers_of_address: 32,
            most_strangers: 200,
            most_of_member: 10,
            most_of_organization: 200,
            most_operations: 20,
            most_operations_of_member: 40,
            most_operations_of_organization: 400,
            most_idle: 60,
            idle_back: Duration::from_secs(1),
        }
    }
}

/// The sockets of a server. Cheap to clone.
#[derive(Clone)]
pub struct Sockets {
    settings: SocketSettings,
    places: Places,
    strangers: Strangers,
    stopping: CancellationToken,
    open: TaskTracker,
}

impl Default for Sockets {
    fn default() -> Self {
        Self::new(SocketSettings::default())
    }
}

impl Sockets {
    /// No sockets yet.
    #[must_use]
    pub fn new(settings: SocketSettings) -> Self {
        Self {
            settings,
            places: Places::default(),
            strangers: Strangers::default(),
            stopping: CancellationToken::new(),
            open: TaskTracker::new(),
        }
    }

    /// How many sockets are open.
    #[must_use]
    pub fn count(&self) -> usize {
        self.open.len()
    }

    /// Closes all sockets with 1012 (service restart), so that their clients come again elsewhere, and takes no more.
    pub fn stop(&self) {
        self.stopping.cancel();
    }

    /// Waits until all are closed, three seconds at the longest.
    pub async fn stopped(&self) {
        self.stop();
        self.open.close();
        if tokio::time::timeout(GOODBYE, self.open.wait()).await.is_err() {
            tracing::warn!(open = self.open.len(), "sockets were not closed in time");
        }
    }

    /// Serves sockets beside a route of GraphQL over HTTP.
    pub fn beside(&self, http: MethodRouter, api: Api) -> MethodRouter {
        let state = Arc::new((api, self.clone()));
        http.layer(middleware::from_fn_with_state(state, handshake::or_http))
    }
}

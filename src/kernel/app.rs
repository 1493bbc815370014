//! Everything that is built once when the service starts and handed to whoever needs it.

use std::{
    path::Path,
    sync::{Arc, atomic::AtomicU64},
};

use tokio::sync::Semaphore;
use uuid::Uuid;

use super::{
    Announce, Clock, Database, Demand, Departure, Keys, Mailer, Random, Standing, Traces,
    audit::Walks,
    config::Settings,
    extract::Source,
    id,
    seal::{Sealing, Vault},
    security::Hush,
    shelf::Shelf,
    store::Store,
    watch::Watches,
};

/// One installation: its database, its clock, its randomness, its keys, its settings. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// Where everything is kept.
    pub database: Database,
    /// The only source of now.
    pub clock: Arc<dyn Clock>,
    /// The only source of randomness.
    pub random: Random,
    /// The keys, derived from the installation's secret.
    pub keys: Keys,
    /// Whoever wraps the keys that data are sealed under.
    pub vault: Arc<Vault>,
    /// The way that letters go.
    pub mailer: Arc<dyn Mailer>,
    /// Where files are kept that are no rows.
    pub store: Store,
    /// This service's own program, which is started anew to read files that it does not trust.
    pub program: Arc<Path>,
    /// Held by whoever decodes a picture: each takes memory, and nobody waits for the others' answers.
    pub decoding: Arc<Semaphore>,
    /// What is read rarely and changes more rarely.
    pub shelf: Arc<Shelf>,
    /// The rows that somebody watches on this server.
    pub watches: Arc<Watches>,
    /// How many passwords were hashed since the start: each sign-in costs one, whatever comes of it.
    pub hashes: Arc<AtomicU64>,
    /// Who walks whole audit chains: few at a time.
    pub verification: Arc<Walks>,
    /// What each area takes from a member who leaves.
    pub departures: &'static [Departure],
    /// Which tokens that are not good were told of in the log, by their address.
    pub bad_tokens: Arc<Hush>,
    /// Which refusals were told of in the log.
    pub refusals: Arc<Hush>,
    /// How each write asks anew who its actor is.
    pub standing: Standing,
    /// Who is told of each deed that is done.
    pub announce: Announce,
    /// What makes a member one of those of whom an organization can demand a second factor.
    pub demands: &'static [Demand],
    /// Where each area keeps sealed values.
    pub sealings: &'static [Sealing],
    /// The lists that can leave as files.
    pub sources: &'static [Source],
    /// Who makes traces of what a server does; nobody, before it serves.
    pub traces: Traces,
    /// What the operator chose.
    pub settings: Arc<Settings>,
}

impl App {
    /// A new ID, of this instant.
    pub fn fresh_id<I: From<Uuid>>(&self) -> I {
        I::from(id::fresh(self.clock.now(), &self.random))
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App")
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}

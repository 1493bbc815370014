//! A caller who stays: what goes on after a request was let in, such as a subscription, asks anew for each of its events who
//! he is by then. Each time he pays as for a request, and waits until few enough others who stay hold a view: however many
//! follow what changes, requests are not kept waiting.

use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use super::{Actor, Caller, Error, Result, watch::Pass};

/// What being asked anew costs; in how many seconds there is as much, where there is not.
pub type Toll = Arc<dyn Fn() -> std::result::Result<(), u32> + Send + Sync>;

/// Longest pause in seconds before it is tried again to pay.
const LONGEST_PAUSE: u32 = 5;

/// What a caller has who stays.
#[derive(Default)]
pub(super) struct Stay {
    toll: OnceLock<Toll>,
    pass: Mutex<Option<Pass>>,
}

impl Stay {
    /// A pass is held as long as the view.
    pub(super) fn give_back(&self) {
        self.pass.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl Caller {
    /// Makes him one who stays: what he has open he has under this pass, and each time that he is asked anew he pays. He
    /// releases what he has open before he waits for anything, or else the pass is kept from the others.
    pub(crate) fn stays(&self, toll: Toll, pass: Pass) {
        // Whoever stays already pays already.
        let _ = self.stay.toll.set(toll);
        *self.stay.pass.lock().unwrap_or_else(PoisonError::into_inner) = Some(pass);
    }

    /// The same caller as he is now, with a view of now: rights that he has lost meanwhile are gone. Whoever can't pay at
    /// the moment waits until he can.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` where his session, his key or he himself is no more.
    pub async fn anew(&self) -> Result<Self> {
        let organization = self.organization_id().ok_or(Error::Unauthenticated)?;
        let door = Self::new(
            self.app().clone(),
            Actor::Nobody,
            Some(organization),
            self.origin().clone(),
            self.language(),
        );
        if let Some(toll) = self.stay.toll.get() {
            pay(toll).await;
            door.stays(toll.clone(), self.app().watches.pass().await);
        }
        let view = door.open(organization).await?;
        let now = (self.app().standing)(self.app(), &view, self.actor()).await;
        drop(view);
        match now {
            Ok(Some(actor)) => Ok(door.known_as(actor)),
            other => {
                door.release().await;
                Err(other.err().unwrap_or(Error::Unauthenticated))
            }
        }
    }
}

async fn pay(toll: &Toll) {
    while let Err(seconds) = toll() {
        tokio::time::sleep(Duration::from_secs(seconds.clamp(1, LONGEST_PAUSE).into())).await;
    }
}

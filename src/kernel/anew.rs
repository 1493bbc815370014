//! A caller who stays: what goes on after a request was let in, such as a subscription, asks anew for each of its events who
//! he is by then.

use super::{Actor, Caller, Error, Result};

impl Caller {
    /// The same caller as he is now, with a view of now: rights that he has lost meanwhile are gone.
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

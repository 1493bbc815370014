//! Who is let in, and what he may begin: his places, and what it costs him, are taken before anything is done.

use std::sync::Arc;

use async_graphql::ServerError;

use super::{
    Sockets,
    message::Close,
    operation::{self, Ready},
    places::{Holder, Place},
};
use crate::{
    api::{
        codes::{RequestCode, request_error},
        cost::{Meter, Taker},
        parameters::Parameters,
        session::Api,
    },
    kernel::{OrganizationId, Timestamp},
};

/// What an operation costs in points that is not begun, whatever is wrong with it.
const UNREADABLE: u64 = 1;

/// Who is let in, and what he holds for as long as the socket is open.
pub(super) struct Known {
    pub(super) token: Arc<str>,
    pub(super) until: Timestamp,
    caller: Taker,
    organization: OrganizationId,
    _places: [Place; 3],
}

impl Known {
    /// Takes his places: he is let in.
    ///
    /// # Errors
    /// How his socket is closed, where there is none for him.
    pub(super) fn new(
        token: String,
        until: Timestamp,
        (caller, organization): (Taker, OrganizationId),
        sockets: &Sockets,
    ) -> Result<Self, Close> {
        let (settings, all) = (sockets.settings, &sockets.places);
        let own = all.take(Holder::Caller(caller), settings.most_of_member);
        let ours = all.take(Holder::Organization(organization), settings.most_of_organization);
        let (Some(own), Some(ours)) = (own, ours) else {
            return Err(Close::TOO_MANY);
        };
        let server = all.take(Holder::Server, settings.most).ok_or(Close::TRY_LATER)?;
        Ok(Self {
            token: token.into(),
            until,
            caller,
            organization,
            _places: [own, ours, server],
        })
    }

    /// Takes an operation's places, beside those that the socket has, and what its first event costs: whoever begins and
    /// gives up at once has paid.
    ///
    /// # Errors
    /// `TOO_MANY_SUBSCRIPTIONS`, `THROTTLED`, and what is wrong with the operation.
    pub(super) fn admit(
        &self,
        api: &Api,
        sockets: &Sockets,
        live: usize,
        parameters: Result<Parameters, ServerError>,
    ) -> Result<(Ready, Arc<Meter>, [Place; 2]), ServerError> {
        let (settings, all) = (sockets.settings, &sockets.places);
        if live >= settings.most_operations {
            return Err(too_many("the socket"));
        }
        let own = Holder::SubscriptionsOf(self.caller);
        let own = all.take(own, settings.most_operations_of_member);
        let own = own.ok_or_else(|| too_many("the member or key"))?;
        let ours = Holder::SubscriptionsIn(self.organization);
        let ours = all.take(ours, settings.most_operations_of_organization);
        let ours = ours.ok_or_else(|| too_many("the organization"))?;
        let ready = match operation::read(api, parameters) {
            Ok(ready) => ready,
            Err(error) => {
                // Reading it was work too.
                api.charge(self.caller, UNREADABLE)
                    .map_err(|refusal| operation::told(&refusal))?;
                return Err(error);
            }
        };
        let meter = api.meter(self.caller, ready.points);
        Ok((ready, meter.map_err(|refusal| operation::told(&refusal))?, [own, ours]))
    }
}

fn too_many(whose: &str) -> ServerError {
    let message = format!("There are as many subscriptions of {whose} as may be: complete one of them first.");
    request_error(RequestCode::TooManySubscriptions, message, None)
}

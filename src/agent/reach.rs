//! Whose places somebody may see and change: owner and administrators reach every service, managers the services that
//! they manage. For them any other service is one that does not exist.

use sea_orm::{
    ColumnTrait, QueryFilter,
    sea_query::{Expr, ExprTrait, SelectStatement},
};

use super::entity::{Column, Entity, Model, Role};
use crate::{
    admin::rank::{Rank, Standing},
    kernel::{Action, Code, Error, MemberId, Reader, Result, ServiceId, Tx},
    service::{self, Service},
};

/// Narrows a selection of places to those that make `member` a manager. Whoever manages nothing but services that have
/// been terminated manages nothing.
pub fn managing(reader: &Reader, places: &mut SelectStatement, member: Expr) {
    let lives = reader.related::<service::Entity>(|service| {
        service
            .and_where(Expr::col((service::Entity, service::Column::Id)).eq(Expr::col((Entity, Column::ServiceId))))
            .and_where(service::Column::Status.ne(service::Status::Terminated));
    });
    places
        .and_where(Expr::col((Entity, Column::MemberId)).eq(member))
        .and_where(Column::Role.eq(Role::Manager))
        .and_where(Expr::exists(lives));
}

/// The places in the services that a manager manages.
pub(super) fn reached(reader: &Reader, manager: MemberId) -> Expr {
    let managed = reader.related::<Entity>(|places| {
        places.clear_selects().column((Entity, Column::ServiceId));
        managing(reader, places, Expr::val(manager));
    });
    Column::ServiceId.in_subquery(managed)
}

/// What somebody who acts reaches.
#[derive(Debug)]
pub(super) enum Reach {
    /// Every service of the organization.
    All,
    /// The services in which he has these places, as their manager.
    Own(Vec<Model>),
}

impl Reach {
    /// What whoever acts reaches, as it is in this transaction: since his session was checked another deed may have
    /// taken his role away.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` if he is no member any more, `FORBIDDEN` if he manages nothing any more.
    pub async fn of_actor(tx: &Tx) -> Result<Self> {
        let Some(actor) = tx.actor().member() else {
            return Ok(Self::All);
        };
        if Standing::of_actor(tx, Rank::Member).await?.rank >= Rank::Administrator {
            return Ok(Self::All);
        }
        let mut own = tx.select::<Entity>();
        managing(tx, QueryFilter::query(&mut own), Expr::val(actor.member_id));
        let own = own.all().await?;
        if own.is_empty() {
            return Err(Error::Forbidden(tx.action()));
        }
        Ok(Self::Own(own))
    }

    /// Whether it reaches into every service.
    pub fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }

    /// Whether it reaches into a service.
    pub fn includes(&self, service: ServiceId) -> bool {
        match self {
            Self::All => true,
            Self::Own(places) => places.iter().any(|place| place.service_id == service),
        }
    }

    /// Whether he may let others in the service see access logs, which are the whole organization's: a manager only
    /// where he sees them himself.
    pub fn gives_log_view(&self, service: ServiceId) -> bool {
        match self {
            Self::All => true,
            Self::Own(places) => places
                .iter()
                .any(|place| place.service_id == service && place.views_access_logs),
        }
    }
}

/// Why somebody who reaches a service can't do this to a member there; `None` where he can. Nobody gives or takes his
/// own rights, and a manager does not put owner or administrators to work. A suspended service comes back, and its
/// people may be put in order before that; of a terminated one they can only be taken out.
pub(super) fn obstacle(
    action: Action,
    actor: Option<MemberId>,
    reaches_all: bool,
    target: &Standing,
    service: &Service,
) -> Option<Code> {
    let is_over = service.status == service::Status::Terminated;
    match action {
        _ if actor == Some(target.member) => Some(Code::NotOneself),
        _ if !target.is_active => Some(Code::MemberLeft),
        _ if !reaches_all && target.rank >= Rank::Administrator => Some(Code::AboveOwnRank),
        Action::AgentAdd | Action::AgentUpdate | Action::AgentUpdateMany if is_over => Some(Code::ServiceTerminated),
        _ => None,
    }
}

//! Which agents a list shows, and in what order.

use async_graphql::{Enum, ID, InputObject};
use sea_orm::{
    ColumnTrait, Condition,
    sea_query::{Expr, ExprTrait},
};

use crate::{
    agent::{
        Channel,
        entity::{Column, Entity, Model, Role},
        reach::reached,
    },
    kernel::{
        Action, Caller, MemberId, Reader, Result, ServiceId, View,
        page::{Cursors, Direction, Part, Place},
    },
    member::{self, search},
};

/// Which agents; conditions are joined by *and*.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, InputObject)]
pub struct ServiceAgentFilter {
    /// 기본권한: only these.
    pub role: Option<Role>,
    /// 상담권한: only who has this channel, offered by the contract or not.
    pub channel: Option<Channel>,
    /// 이름: the member's name contains this, whatever the case; at most 100 characters.
    pub name_contains: Option<String>,
    /// 계정: the member's login ID contains this, whatever the case; at most 100 characters.
    pub login_contains: Option<String>,
    /// The member's e-mail address contains this, whatever the case; at most 100 characters. For a manager it must be the whole address.
    pub email_contains: Option<String>,
}

/// Which agents of which services; conditions are joined by *and*.
#[derive(Debug, Default, InputObject)]
pub struct AgentFilter {
    /// Only those of this service.
    pub service_id: Option<ID>,
    /// Which agents.
    #[graphql(flatten)]
    pub agents: ServiceAgentFilter,
}

/// What agents are sorted by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Enum)]
pub enum AgentOrderField {
    /// When they came into the service.
    AddedAt,
    /// By role: agents, then managers.
    Role,
}

/// The order of agents.
#[derive(Debug, InputObject)]
pub struct AgentOrder {
    /// What to sort by.
    pub field: AgentOrderField,
    /// Which way.
    pub direction: Direction,
}

/// The member to whose services a caller is confined; `None` for who reaches all of them.
pub(super) fn confined(caller: &Caller) -> Option<MemberId> {
    let actor = caller.actor().member();
    actor
        .filter(|_| !caller.may(Action::OrganizationRead))
        .map(|actor| actor.member_id)
}

/// What a list is asked for, and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Asked {
    filter: ServiceAgentFilter,
    field: AgentOrderField,
    is_descending: bool,
    confined: Option<MemberId>,
}

impl Asked {
    /// The first to come first, unless another order is asked for.
    pub(super) fn by(caller: &Caller, filter: ServiceAgentFilter, order: Option<AgentOrder>) -> Self {
        let (field, direction) = order.map_or((AgentOrderField::AddedAt, Direction::Asc), |order| {
            (order.field, order.direction)
        });
        Self {
            filter,
            field,
            is_descending: direction == Direction::Desc,
            confined: confined(caller),
        }
    }

    /// The rows that are shown.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` where a text is too long or has a NUL in it.
    pub(super) fn condition(&self, reader: &Reader) -> Result<Condition> {
        let filter = &self.filter;
        let mut all = Condition::all();
        if let Some(manager) = self.confined {
            all = all.add(reached(reader, manager));
        }
        if let Some(role) = filter.role {
            all = all.add(Column::Role.eq(role));
        }
        if let Some(channel) = filter.channel {
            let right = match channel {
                Channel::Ticket => Column::HandlesTickets,
                Channel::Chat => Column::HandlesChats,
                Channel::Phone => Column::HandlesCalls,
            };
            all = all.add(right.eq(true));
        }
        let texts = [&filter.name_contains, &filter.login_contains, &filter.email_contains];
        let named = search::matching(texts, self.confined.is_none())?;
        if !named.is_empty() {
            all = all.add(Expr::exists(reader.related::<member::Entity>(|member| {
                let own = Expr::col((Entity, Column::MemberId));
                member
                    .and_where(Expr::col((member::Entity, member::Column::Id)).eq(own))
                    .cond_where(named);
            })));
        }
        Ok(all)
    }

    /// The columns that make the order.
    pub(super) fn columns(&self) -> [Column; 2] {
        let first = match self.field {
            AgentOrderField::AddedAt => Column::AddedAt,
            AgentOrderField::Role => Column::Role,
        };
        [first, Column::Id]
    }

    /// Which way.
    pub(super) fn direction(&self) -> Direction {
        if self.is_descending {
            Direction::Desc
        } else {
            Direction::Asc
        }
    }

    /// The place of a row in the order.
    pub(super) fn place(&self, row: &Model) -> Place {
        let first = match self.field {
            AgentOrderField::AddedAt => Part::Instant(row.added_at),
            AgentOrderField::Role => Part::Text(sea_orm::ActiveEnum::to_value(&row.role)),
        };
        [first, Part::Id(row.id.0)]
    }

    /// The cursors of the list of a service, or of all.
    pub(super) fn cursors(&self, caller: &Caller, view: &View, service: Option<ServiceId>) -> Cursors {
        let service = service.map(|service| service.to_string()).unwrap_or_default();
        let name = format!("agents {service} {:?} {:?}", self.field, self.direction());
        Cursors::new(&caller.app().keys, view.organization_id(), &name)
    }
}

//! What the API says of logging in to the telephony.

use std::sync::Arc;

use async_graphql::{Context, ID, SimpleObject};

use crate::{
    cti::{
        login::{self, Obstacle},
        setting::CtiVersion,
    },
    kernel::{Action, Caller, Result},
    member::{self, Member},
    service::Service,
};

/// Whether an agent can log in to the telephony, and everything that he lacks for it.
#[derive(Debug, SimpleObject)]
pub struct CtiLoginCheck {
    /// Who.
    pub member: Member,
    /// Whether he can.
    pub is_allowed: bool,
    /// Everything that he lacks, at most 10; empty where he can.
    pub obstacles: Vec<Obstacle>,
    /// The services in which he has the phone right and whose contracts have the telephone, suspended ones among them, in the order of their names, at most 100.
    pub services: Vec<Service>,
    /// CTI ID: what he logs in with; null where he has none.
    pub cti_id: Option<String>,
    /// CTI NO: what he is called at; null where he has none.
    pub cti_number: Option<String>,
    /// CTI 버전: the telephony to log in to; null where none was chosen.
    pub cti_version: Option<CtiVersion>,
    /// 테넌트 ID: his organization there; null where it is not set.
    pub tenant_id: Option<String>,
}

/// The check of oneself, or of another member; `None` where there is none.
pub(super) async fn check(context: &Context<'_>, member: Option<&ID>) -> Result<Option<CtiLoginCheck>> {
    let caller = context.data_unchecked::<Arc<Caller>>();
    let mut view = caller.view(Action::ViewerRead).await?;
    let own = caller.actor().member().map(|actor| actor.member_id.to_string());
    let id = match (member, own) {
        (None, Some(own)) => own,
        (Some(id), Some(own)) if id.as_str() == own => own,
        (Some(id), _) => {
            view = caller.view(Action::CtiRead).await?;
            id.to_string()
        }
        (None, None) => return Ok(None),
    };
    let Some(member) = view.seek::<member::Entity>(&id).await? else {
        return Ok(None);
    };
    let check = login::check(&view, &member).await?;
    let (cti_id, cti_number) = check.pair.map(|pair| (pair.id, pair.number)).unzip();
    Ok(Some(CtiLoginCheck {
        member,
        is_allowed: check.obstacles.is_empty(),
        obstacles: check.obstacles,
        services: check.services,
        cti_id,
        cti_number,
        cti_version: check.setting.cti_version,
        tenant_id: check.setting.tenant_id,
    }))
}

//! What the API says of the CTI setting beside its values.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, Enum};

use crate::{
    cti::{
        contracted,
        setting::{self, CtiSetting, lacks},
    },
    kernel::{Action, Caller, Result},
    organization,
    service::graphql::PossibleAction,
};

/// What keeps the setting from being of use. More may be added.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Enum)]
pub enum CtiSettingObstacle {
    /// No version was chosen.
    VersionNotChosen,
    /// The operator has not agreed to the version, or has withdrawn that.
    VersionNotApproved,
    /// A value that the version needs is not there.
    Incomplete,
}

#[ComplexObject]
impl CtiSetting {
    /// What keeps the setting from being of use, so that nobody can log in by it, at most 3; empty where nothing does. Needs `CTI_READ`.
    async fn obstacles(&self, context: &Context<'_>) -> Result<Vec<CtiSettingObstacle>> {
        let view = context.data_unchecked::<Arc<Caller>>().view(Action::CtiRead).await?;
        Ok(obstacles(self, &organization::own(&view).await?))
    }

    /// What the caller can do with it now, and why not where not; at most 10.
    async fn actions(&self, context: &Context<'_>) -> Vec<PossibleAction> {
        // There is no setting to be seen where it could not be changed.
        let caller = context.data_unchecked::<Arc<Caller>>();
        vec![PossibleAction::of(caller, Action::CtiSettingUpdate, None)]
    }
}

/// What keeps a setting from being of use.
pub(super) fn obstacles(setting: &CtiSetting, organization: &organization::Organization) -> Vec<CtiSettingObstacle> {
    let Some(version) = setting.cti_version else {
        return vec![CtiSettingObstacle::VersionNotChosen];
    };
    let mut found = Vec::new();
    if !setting::is_approved(version, organization) {
        found.push(CtiSettingObstacle::VersionNotApproved);
    }
    if lacks(setting) {
        found.push(CtiSettingObstacle::Incomplete);
    }
    found
}

/// The setting, where there is CTI.
pub(super) async fn shown(caller: &Arc<Caller>) -> Result<Option<CtiSetting>> {
    let view = caller.view(Action::CtiRead).await?;
    if contracted(&view).await?.is_somewhere() {
        setting::read(&view).await.map(Some)
    } else {
        Ok(None)
    }
}

//! Whether an agent can log in to the telephony from the phone widget, and everything that he lacks for it.

use async_graphql::Enum;

use super::{
    Contracted, contracted,
    line::{self, Pair},
    setting::{self, CtiSetting},
};
use crate::{
    kernel::{Reader, Result},
    member::{self, Member},
    organization,
    service::{self, Service},
};

/// What an agent lacks to log in to the telephony. More may be added.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Enum)]
#[graphql(name = "CtiLoginObstacle")]
pub enum Obstacle {
    /// 탈퇴: he has left the organization.
    MemberLeft,
    /// 전화 권한 없음: he has the phone right in no service.
    NoPhoneRight,
    /// 전화 CTI 미계약: none of the services in which he has the phone right, or no service at all, has the telephone in its contract.
    NotContracted,
    /// 서비스 사용 중지: every service in which he could telephone is suspended.
    ServiceSuspended,
    /// CTI 정보 없음: he has no CTI ID and number.
    NoNumber,
    /// CTI 버전 미선택: the organization has chosen no telephony.
    VersionNotChosen,
    /// CTI 버전 미승인: the operator has not agreed to the telephony, or has withdrawn that.
    VersionNotApproved,
    /// CTI 설정 미완료: the CTI setting lacks a value that its version needs.
    SettingIncomplete,
}

/// What came of the check.
#[derive(Debug)]
pub struct Check {
    /// Everything that he lacks.
    pub obstacles: Vec<Obstacle>,
    /// The services in which he can telephone, or could if they were not suspended, in the order of their names.
    pub services: Vec<Service>,
    /// What he logs in with.
    pub pair: Option<Pair>,
    /// Where to.
    pub setting: CtiSetting,
}

/// Checks a member: five statements.
///
/// # Errors
/// Only if the database fails.
pub async fn check(reader: &Reader, member: &Member) -> Result<Check> {
    let contracted = contracted(reader).await?;
    let rights = line::rights(reader, [member.id]).await?;
    let pair = line::of(reader, [member.id]).await?.iter().find_map(line::Line::pair);
    let setting = setting::read(reader).await?;
    let organization = organization::own(reader).await?;
    let has_left = member.status != member::Status::Active;
    let services = services(&contracted, rights.iter().map(|place| place.service_id));
    let is_in_use = |service: &Service| service.status == service::Status::InUse;
    let mut obstacles = Vec::new();
    let mut lacks = |is_so: bool, obstacle| obstacles.extend(is_so.then_some(obstacle));
    lacks(has_left, Obstacle::MemberLeft);
    lacks(rights.is_empty(), Obstacle::NoPhoneRight);
    let is_nowhere = !contracted.is_somewhere() || (!rights.is_empty() && services.is_empty());
    lacks(is_nowhere, Obstacle::NotContracted);
    let is_suspended = !services.is_empty() && !services.iter().any(is_in_use);
    lacks(is_suspended, Obstacle::ServiceSuspended);
    lacks(pair.is_none(), Obstacle::NoNumber);
    match setting.cti_version {
        None => lacks(true, Obstacle::VersionNotChosen),
        Some(version) => {
            let is_approved = setting::is_approved(version, &organization);
            lacks(!is_approved, Obstacle::VersionNotApproved);
            lacks(setting::lacks(&setting), Obstacle::SettingIncomplete);
        }
    }
    Ok(Check {
        obstacles,
        services,
        pair,
        setting,
    })
}

fn services(contracted: &Contracted, ids: impl Iterator<Item = crate::kernel::ServiceId>) -> Vec<Service> {
    let mut services: Vec<_> = ids.filter_map(|id| contracted.service(id).cloned()).collect();
    services.sort_by(|one, other| (&one.name_key, one.id).cmp(&(&other.name_key, other.id)));
    services
}

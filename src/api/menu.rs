//! 전체 관리: what the menu shows, seen from the service through which it was opened, and why something is missing.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, SimpleObject};

use crate::{
    cti,
    kernel::{Action, Caller, Result, scalar::Url},
    service::{self, ServiceKind},
};

/// A part of the menu. More may be added.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Enum)]
pub enum MenuName {
    /// 계약 서비스 현황: services, charges and the organization.
    Contracts,
    /// 조직관리자.
    OrganizationAdmins,
    /// 회사정보 관리.
    Company,
    /// CTI 관리.
    Cti,
    /// 로그 관리.
    Logs,
    /// 데이터 이관.
    Imports,
    /// 개인정보 취급 권한.
    PiiGrants,
}

/// Why a part of the menu is not shown. More may be added.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Enum)]
pub enum MenuReason {
    /// The menu was opened from an issue service, which has no such part.
    NotFromIssueService,
    /// No service has telephony in its contract.
    NoTelephonyContracted,
}

/// A part of the menu, shown or not.
#[derive(Debug, SimpleObject)]
pub struct MenuEntry {
    /// Which part.
    pub name: MenuName,
    /// Whether it is shown.
    pub is_visible: bool,
    /// Why not; null where it is shown.
    pub reason: Option<MenuReason>,
    /// Where its use is explained.
    pub help_url: Url,
}

/// The menu, to look at.
#[derive(Debug, Default)]
pub struct MenuQuery;

#[Object]
impl MenuQuery {
    /// 전체 관리: the parts of the menu, at most 20; empty where the service does not exist. Needs `SERVICE_READ`.
    async fn menu(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The service through which the menu is opened; none where absent.")] via_service_id: Option<
            ID,
        >,
    ) -> Result<Vec<MenuEntry>> {
        let view = context
            .data_unchecked::<Arc<Caller>>()
            .view(Action::ServiceRead)
            .await?;
        let via = match &via_service_id {
            Some(id) => match view.seek::<service::Entity>(id).await? {
                Some(service) => Some(service.kind),
                None => return Ok(Vec::new()),
            },
            None => None,
        };
        let has_telephony = cti::contracted(&view).await?.is_somewhere();
        Ok(entries(via, has_telephony))
    }
}

fn entries(via: Option<ServiceKind>, has_telephony: bool) -> Vec<MenuEntry> {
    let from_issue = (via == Some(ServiceKind::Issue)).then_some(MenuReason::NotFromIssueService);
    let silent = (!has_telephony).then_some(MenuReason::NoTelephonyContracted);
    let entry = |name, reason: Option<MenuReason>, page: &str| MenuEntry {
        name,
        is_visible: reason.is_none(),
        reason,
        help_url: Url(format!("https://docs.contiple.com/guide/global-management#{page}")),
    };
    vec![
        entry(MenuName::Contracts, None, "1"),
        entry(MenuName::OrganizationAdmins, None, "2"),
        entry(MenuName::Company, from_issue, "3"),
        entry(MenuName::Cti, from_issue.or(silent), "4"),
        entry(MenuName::Logs, None, "5"),
        entry(MenuName::Imports, None, "6"),
        entry(MenuName::PiiGrants, None, "7"),
    ]
}

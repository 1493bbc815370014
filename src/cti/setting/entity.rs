//! The CTI setting of an organization: one row, once something was set.

use async_graphql::{Enum, SimpleObject};
use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::kernel::{OrganizationId, record::part};

/// CTI 버전: the telephony that the organization is connected to. More may be added.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Enum, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CtiVersion {
    /// IPCC(Private): a private switchboard. It has to be agreed on with the operator first, and needs tenant ID, tenant name and the representative IVR number.
    IpccPrivate,
    /// 모바일 컨택: Mobile Contact. The operator enables it first. It needs tenant ID and name, and `isMobileContactEnabled`; its IVR numbers begin with 070.
    MobileContact,
}

impl CtiVersion {
    /// What people call it: in Korean, and in English.
    pub fn labels(self) -> (&'static str, &'static str) {
        match self {
            Self::IpccPrivate => ("IPCC(Private)", "IPCC(Private)"),
            Self::MobileContact => ("모바일 컨택", "Mobile Contact"),
        }
    }
}

/// CTI 설정: which telephony the organization is connected to, and what it does with calls.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, SimpleObject)]
#[sea_orm(table_name = "cti_setting")]
#[graphql(name = "CtiSetting", complex)]
pub struct Model {
    /// Whose it is.
    #[sea_orm(primary_key, auto_increment = false)]
    #[graphql(skip)]
    pub organization_id: OrganizationId,
    /// CTI 버전: the telephony; null before one is chosen.
    pub cti_version: Option<CtiVersion>,
    /// 테넌트 ID: as whoever runs the telephony gave it; null where it is not set.
    pub tenant_id: Option<String>,
    /// 테넌트 명칭: the name that the service has there; null where it is not set.
    pub tenant_name: Option<String>,
    /// 대표 IVR 서비스 번호: the number whose IVR serves the representative scenario; null where it is not set.
    pub representative_ivr_number: Option<String>,
    /// 모바일 컨택 활성화: on, agents can take and make calls in the application for phones and PCs; off, in the phone widget only.
    pub is_mobile_contact_enabled: bool,
    /// CTI Log 모니터링: on, what happens to each call is logged, a file a day, which can be downloaded; off, nothing is kept.
    pub is_cti_log_monitored: bool,
    /// 대기 상태 일괄 설정: on, every agent goes to work (ticket handling) after a call; off, a notice asks the agent and he chooses his state.
    pub has_bulk_wait_state: bool,
    /// 아웃바운드 티켓 자동 생성: on, every outgoing call becomes a ticket, connected or not; off, only when the customer was reached.
    pub is_outbound_ticket_auto_created: bool,
    /// 인바운드 전화 자동 수신: on, an incoming call is answered by itself within 10 seconds of the first ring, transfers excepted; off, by the button.
    pub is_inbound_auto_answered: bool,
    /// Counts the changes: give it back as `expectedVersion`. 0 before anything was set.
    pub version: i32,
}

impl Model {
    /// The setting of an organization that has set nothing: no telephony, every switch off.
    pub fn unset(organization_id: OrganizationId) -> Self {
        Self {
            organization_id,
            cti_version: None,
            tenant_id: None,
            tenant_name: None,
            representative_ivr_number: None,
            is_mobile_contact_enabled: false,
            is_cti_log_monitored: false,
            has_bulk_wait_state: false,
            is_outbound_ticket_auto_created: false,
            is_inbound_auto_answered: false,
            version: 0,
        }
    }
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

part! { "CTI setting", key: |row| row.organization_id.to_string(), version: Version }

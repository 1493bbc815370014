//! One event of one agent's telephone.

use async_graphql::Enum;
use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::kernel::{Day, Journal, Language, MemberId, OrganizationId, Timestamp, record::part};

/// What happened. More may be added.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Enum, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
#[graphql(name = "CtiEventKind")]
pub enum Kind {
    /// 로그인: the agent logged in to the CTI.
    LoggedIn,
    /// 로그아웃: he logged out of it, or it logged him out.
    LoggedOut,
    /// 상태 변경: his state became another; `state` says which.
    StateChanged,
    /// 착신: a call came in and rang.
    CallRang,
    /// 발신: he dialled.
    CallDialed,
    /// 연결: the call was answered, whoever had begun it.
    CallConnected,
    /// 보류: the call was put on hold.
    CallHeld,
    /// 보류 해제: the call went on.
    CallResumed,
    /// 호전환: the call was passed to somebody else.
    CallTransferred,
    /// 종료: the call ended.
    CallEnded,
    /// 부재중: the call ended without having been answered.
    CallMissed,
    /// 오류: the telephone or the CTI failed; `resultCode` says how.
    Failed,
}

impl Kind {
    /// Whether it is of a call, and so has a call to name.
    pub(super) fn is_of_call(self) -> bool {
        match self {
            Self::LoggedIn | Self::LoggedOut | Self::StateChanged | Self::Failed => false,
            Self::CallRang
            | Self::CallDialed
            | Self::CallConnected
            | Self::CallHeld
            | Self::CallResumed
            | Self::CallTransferred
            | Self::CallEnded
            | Self::CallMissed => true,
        }
    }

    /// What people call it.
    pub(super) fn label(self, language: Language) -> &'static str {
        let (korean, english) = match self {
            Self::LoggedIn => ("로그인", "Logged in"),
            Self::LoggedOut => ("로그아웃", "Logged out"),
            Self::StateChanged => ("상태 변경", "State changed"),
            Self::CallRang => ("착신", "Call rang"),
            Self::CallDialed => ("발신", "Call dialed"),
            Self::CallConnected => ("연결", "Call connected"),
            Self::CallHeld => ("보류", "Call held"),
            Self::CallResumed => ("보류 해제", "Call resumed"),
            Self::CallTransferred => ("호전환", "Call transferred"),
            Self::CallEnded => ("종료", "Call ended"),
            Self::CallMissed => ("부재중", "Call missed"),
            Self::Failed => ("오류", "Failed"),
        };
        match language {
            Language::Korean => korean,
            Language::English => english,
        }
    }
}

/// 상담원 상태: what an agent is doing, as the CTI knows it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Enum, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
#[graphql(name = "CtiState")]
pub enum State {
    /// 기본: logged in, and no more said.
    Idle,
    /// 대기: waiting for a call.
    Waiting,
    /// 업무(교육): in training.
    WorkTraining,
    /// 업무(취합/보고): collecting and reporting.
    WorkReporting,
    /// 업무(회의): in a meeting.
    WorkMeeting,
    /// 업무(티켓처리): at work on a ticket.
    WorkTicket,
    /// 업무(채팅처리): at work on a chat.
    WorkChat,
    /// 업무(코칭): coaching.
    WorkCoaching,
    /// 휴식(식사): at rest, or at table.
    Resting,
    /// 통화중: in a call.
    InCall,
    /// 보류중: with a call on hold.
    OnHold,
    /// 발신중: dialling.
    Dialing,
    /// 통화중(호전환): in a call that was passed on.
    InTransferredCall,
}

impl State {
    /// What people call it.
    pub(super) fn label(self, language: Language) -> &'static str {
        let (korean, english) = match self {
            Self::Idle => ("기본", "Idle"),
            Self::Waiting => ("대기", "Waiting"),
            Self::WorkTraining => ("업무(교육)", "Work (training)"),
            Self::WorkReporting => ("업무(취합/보고)", "Work (reporting)"),
            Self::WorkMeeting => ("업무(회의)", "Work (meeting)"),
            Self::WorkTicket => ("업무(티켓처리)", "Work (ticket)"),
            Self::WorkChat => ("업무(채팅처리)", "Work (chat)"),
            Self::WorkCoaching => ("업무(코칭)", "Work (coaching)"),
            Self::Resting => ("휴식(식사)", "Resting"),
            Self::InCall => ("통화중", "In a call"),
            Self::OnHold => ("보류중", "On hold"),
            Self::Dialing => ("발신중", "Dialing"),
            Self::InTransferredCall => ("통화중(호전환)", "In a transferred call"),
        };
        match language {
            Language::Korean => korean,
            Language::English => english,
        }
    }
}

/// An event. Its day and offset are those of the organization's zone when it came in.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "cti_event")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub member_id: MemberId,
    /// The name that the widget gave it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub external_id: String,
    pub day: Day,
    pub occurred_at: Timestamp,
    /// How far the organization's clocks were ahead of UTC then, in seconds.
    pub utc_offset: i32,
    pub kind: Kind,
    pub state: Option<State>,
    pub call_reference: Option<String>,
    /// Masked: the whole number is never kept.
    pub customer_number: Option<String>,
    pub result_code: Option<String>,
    pub recorded_at: Timestamp,
}

impl Model {
    /// Whether it tells the same. When it came in, and what day that made it, is not what it tells.
    pub(super) fn tells_the_same(&self, other: &Self) -> bool {
        let told = |row: &Self| {
            let texts = [&row.call_reference, &row.customer_number, &row.result_code].map(Clone::clone);
            (row.occurred_at, row.kind, row.state, texts)
        };
        told(self) == told(other)
    }
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

part! { "CTI event", key: |row| format!("{}/{}", row.member_id, row.external_id) }

impl Journal for Entity {}

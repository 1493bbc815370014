//! The members of the organization as a file.

use async_graphql::InputObject;
use futures_util::future::FutureExt as _;
use sea_orm::{ColumnTrait, QueryFilter};

use super::entity::{Column, Entity, Model, Status};
use crate::kernel::{
    Action, Language, Result,
    extract::{self, Asking, Cell, Checked, Column as Of, Part, Source, SourceName, own},
    page::{Direction, Part as Place},
    reader::Scoped,
};

/// Which members.
#[derive(Debug, InputObject)]
pub struct MemberExtraction {
    /// Any of these states, at most 2; all of them where absent.
    pub status: Option<Vec<Status>>,
}

/// The members of the organization as a file.
pub const SOURCE: Source = Source {
    name: SourceName::Members,
    action: Action::OrganizationRead,
    check: |asking| {
        async move {
            Ok(Checked {
                heads: extract::heads(COLUMNS, asking.caller.language()),
                service: None,
                count: Some(select(asking)?.count().await?),
            })
        }
        .boxed()
    },
    part: |asking, chosen, after| {
        async move {
            let columns = [Column::JoinedAt, Column::Id];
            let place = |row: &Model| [Place::Instant(row.joined_at), Place::Id(row.id.0)];
            let (rows, next) = extract::next(select(asking)?, columns, Direction::Asc, after, place).await?;
            let rows = extract::cells(COLUMNS, chosen, asking.caller.language(), &rows);
            Ok(Part { rows, next })
        }
        .boxed()
    },
};

fn select<'v>(asking: &Asking<'v>) -> Result<Scoped<'v, Entity>> {
    let wanted: MemberExtraction = asking.input()?;
    let mut select = asking.view.select::<Entity>().filter(Column::JoinedAt.lte(asking.at));
    if let Some(states) = wanted.status {
        select = select.filter(Column::Status.is_in(states));
    }
    Ok(select)
}

fn status(status: Status, language: Language) -> &'static str {
    match status {
        Status::Active => own(language, "정상 이용", "Active"),
        Status::Left => own(language, "탈퇴", "Left"),
    }
}

const COLUMNS: &[Of<Model>] = &[
    Of {
        code: "login",
        title: ("로그인 ID", "Login ID"),
        cell: |row, _| Cell::Text(row.login.clone()),
    },
    Of {
        code: "name",
        title: ("이름", "Name"),
        cell: |row, _| Cell::Text(row.name.clone()),
    },
    Of {
        code: "email",
        title: ("이메일", "E-mail address"),
        cell: |row, _| Cell::Text(row.email.clone()),
    },
    Of {
        code: "isOwner",
        title: ("소유자", "Owner"),
        cell: |row, _| Cell::truth(row.is_owner),
    },
    Of {
        code: "status",
        title: ("상태", "Status"),
        cell: |row, language| Cell::Text(status(row.status, language).to_owned()),
    },
    Of {
        code: "joinedAt",
        title: ("가입일시", "Joined at"),
        cell: |row, _| Cell::Instant(row.joined_at),
    },
    Of {
        code: "leftAt",
        title: ("탈퇴일시", "Left at"),
        cell: |row, _| Cell::instant(row.left_at),
    },
];

//! CTI Log 다운로드: a day of somebody's log as a file. It leaves only after it stands in the log of extractions that it
//! does: who fetched whose day, from where, how many events, and the hash by which the file is known again.

use std::fmt::Write as _;

use futures_util::future::{BoxFuture, FutureExt as _};
use sea_orm::{
    ColumnTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait},
};
use sha2::{Digest as _, Sha256};

use super::{
    day,
    event::{Column, Entity, Model},
    sheet::Sheet,
};
use crate::{
    kernel::{Action, Caller, Error, Plain, Reader, Result, Tx, download::File},
    member,
};

/// How many events are in memory at once.
const PAGE: u64 = 2_000;

/// What links to these files are called.
pub const KIND: &str = "cti-log";

/// The file of a day by the text that names it, for whoever fetches it: one's own day, and for who may see them anybody's.
///
/// # Errors
/// `FORBIDDEN` for others' days, which stands in the log of access; `NOT_FOUND` for a day without a log.
pub fn make<'c>(caller: &'c Caller, key: &'c str) -> BoxFuture<'c, Result<File>> {
    async move {
        let view = caller.view(Action::CtiLogDownload).await?;
        let day = day::of_key(&view, key).await?.ok_or_else(|| Error::not_found("day"))?;
        if caller.actor().member().map(|own| own.member_id) != Some(day.member_id) {
            caller.view(Action::CtiLogRead).await?;
        }
        let whose = view.find::<member::Entity>("day", &day.member_id.to_string()).await?;
        let (content, events) = workbook(caller, &view, &day).await?;
        drop(view);
        let facts = [
            ("login", whose.login.clone().into()),
            ("events", events.into()),
            ("bytes", content.len().into()),
            ("sha256", hash(&content).into()),
        ];
        let deed = async |tx: &Tx| {
            tx.tell_facts::<day::Entity>(&day, &facts);
            Ok(())
        };
        caller.act(Action::CtiLogDownload, &Plain, deed).await?;
        Ok(File::workbook(
            &format!("cti-log-{}-{}", whose.login, day.day.0),
            content,
        ))
    }
    .boxed()
}

/// The file of a day, in the language of whoever asks, and how many events are in it. They are read and written a page at
/// a time.
async fn workbook(caller: &Caller, reader: &Reader, day: &day::Model) -> Result<(Vec<u8>, u64)> {
    // A read-only root has no folder for temporary files; the data folder is written anyhow.
    let folder = &caller.app().settings.data;
    tokio::fs::create_dir_all(folder).await.map_err(Error::internal)?;
    let mut sheet = Sheet::new(folder, day.day, caller.now(), caller.language())?;
    let (mut events, mut last) = (0, None);
    loop {
        let page = page(reader, day, last.as_ref()).await?;
        for event in &page {
            sheet.add(event)?;
        }
        events += page.len() as u64;
        let is_last = (page.len() as u64) < PAGE;
        last = page.into_iter().next_back();
        if is_last {
            break;
        }
    }
    let content = tokio::task::spawn_blocking(move || sheet.finish()).await;
    Ok((content.map_err(Error::internal)??, events))
}

/// The SHA-256, in hexadecimal.
fn hash(content: &[u8]) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(content) {
        // A string takes whatever is written to it.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The next events of a day, in the order in which they happened.
async fn page(reader: &Reader, day: &day::Model, after: Option<&Model>) -> Result<Vec<Model>> {
    let mut events = reader
        .select::<Entity>()
        .filter(Column::Day.eq(day.day))
        .filter(Column::MemberId.eq(day.member_id));
    if let Some(last) = after {
        let here = Expr::tuple([Expr::col(Column::OccurredAt), Expr::col(Column::ExternalId)]);
        let there = Expr::tuple([Expr::val(last.occurred_at), Expr::val(last.external_id.clone())]);
        events = events.filter(here.gt(there));
    }
    let events = events.order_by_asc(Column::OccurredAt).order_by_asc(Column::ExternalId);
    QuerySelect::limit(events, Some(PAGE)).all().await
}

//! The workbook on its way out, with what every CTI agent has now. Fetching it stands in the log of extractions.

use std::collections::HashMap;

use futures_util::future::{BoxFuture, FutureExt as _};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{Filled, MOST_ROWS, SHEETS, write};
use crate::{
    cti::{contracted, line},
    kernel::{Action, Caller, Code, Error, File, Language, Outcome, Plain, Problem, Reader, Result, Tx},
    member, organization,
};

/// What links to it carry.
pub const KIND: &str = "cti-agents";

/// The rows of a workbook.
struct Rows(Vec<Filled>);

impl Outcome for Rows {
    type Receipt = ();

    fn receipt(&self) {}

    async fn again(tx: &Tx, (): ()) -> Result<Self> {
        filled(tx).await.map(Self)
    }
}

/// The workbook, for whoever fetches it now.
pub fn download<'c>(caller: &'c Caller, _: &'c str) -> BoxFuture<'c, Result<File>> {
    async move {
        let deed = async |tx: &Tx| {
            let rows = filled(tx).await?;
            tx.about::<organization::Entity>(&organization::own(tx).await?);
            Ok(Rows(rows))
        };
        let rows = caller.act(Action::CtiAgentDownload, &Plain, deed).await?;
        let (language, now) = (caller.language(), caller.now());
        let written = tokio::task::spawn_blocking(move || write(&rows.0, language, now)).await;
        let name = match language {
            Language::Korean => SHEETS.0,
            Language::English => SHEETS.1,
        };
        Ok(File::workbook(name, written.map_err(Error::internal)??))
    }
    .boxed()
}

/// Every CTI agent, by name.
async fn filled(reader: &Reader) -> Result<Vec<Filled>> {
    let contracted = contracted(reader).await?;
    if !contracted.is_somewhere() {
        return Err(Problem::of(Code::CtiNotContracted).into());
    }
    let members = reader
        .select::<member::Entity>()
        .filter(member::Column::Status.eq(member::Status::Active))
        .filter(line::telephoning(reader, contracted.ids()))
        .order_by_asc(member::Column::NameKey)
        .order_by_asc(member::Column::Id)
        .limit(u64::from(MOST_ROWS));
    let members = members.all().await?;
    let lines = line::of(reader, members.iter().map(|member| member.id)).await?;
    let lines: HashMap<_, _> = lines.into_iter().map(|line| (line.member_id, line)).collect();
    let places = line::places(reader, members.iter().map(|member| member.id), &contracted).await?;
    let mut services = HashMap::<_, Vec<String>>::new();
    for place in places {
        let name = contracted.service(place.service_id).map(|service| service.name.clone());
        services.entry(place.member_id).or_default().extend(name);
    }
    let row = |member: member::Member| {
        let line = lines.get(&member.id);
        let pair = line.and_then(line::Line::pair);
        let mut services = services.remove(&member.id).unwrap_or_default();
        services.sort();
        Filled {
            login: member.login,
            name: member.name,
            email: member.email,
            services: services.join(", "),
            cti_id: pair.as_ref().map(|pair| pair.id.clone()).unwrap_or_default(),
            cti_number: pair.map(|pair| pair.number).unwrap_or_default(),
            version: line.map_or(0, |line| line.version),
        }
    };
    Ok(members.into_iter().map(row).collect())
}

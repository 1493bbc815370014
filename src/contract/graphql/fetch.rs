//! Contracts and their versions as answers need them: of many services in one statement.

use std::{
    cmp::{max, min},
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use async_graphql::{Context, dataloader::Loader};
use sea_orm::{
    QueryFilter,
    sea_query::{Expr, ExprTrait as _},
};

use crate::{
    contract::{
        Revision,
        entity::{Column, Entity, Model},
        revision::{self, Version},
    },
    kernel::{
        Action, Batch, Caller, ContractId, Error, Keys, Page, PageRequest, Result, ServiceId, Timestamp, View,
        page::{Cursors, Part},
    },
};

/// The question for the contract of a service.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct OfService(pub ServiceId);

impl Loader<OfService> for Batch {
    type Value = Model;
    type Error = String;

    async fn load(&self, keys: &[OfService]) -> std::result::Result<HashMap<OfService, Model>, String> {
        let services = keys.iter().map(|key| key.0);
        let rows = self.select::<Entity>().among(Column::ServiceId, services).all().await;
        let rows = rows.map_err(|error| format!("{error:?}"))?;
        Ok(rows.into_iter().map(|row| (OfService(row.service_id), row)).collect())
    }
}

/// The contract of a service.
pub(crate) async fn of_service(context: &Context<'_>, service: ServiceId) -> Result<Option<Model>> {
    let view = context
        .data_unchecked::<Arc<Caller>>()
        .view(Action::ContractRead)
        .await?;
    view.loader.load_one(OfService(service)).await.map_err(Error::internal)
}

/// The question for the version of a contract that was the last one at an instant.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct AsOf(pub ContractId, pub Timestamp);

impl Loader<AsOf> for Batch {
    type Value = Revision;
    type Error = String;

    async fn load(&self, keys: &[AsOf]) -> std::result::Result<HashMap<AsOf, Revision>, String> {
        use revision::Column::{ContractId, Revision};
        let mut instants = BTreeMap::<_, Vec<_>>::new();
        for AsOf(contract, at) in keys {
            instants.entry(*at).or_default().push(*contract);
        }
        let mut found = HashMap::new();
        for (at, contracts) in instants {
            let last = revision::last_at(self.organization_id(), &contracts, at);
            let is_last = Expr::tuple([ContractId, Revision].map(Expr::col)).in_subquery(last);
            let rows = self.select::<revision::Entity>().filter(is_last).all().await;
            let rows = rows.map_err(|error| format!("{error:?}"))?;
            found.extend(rows.into_iter().map(|row| (AsOf(row.contract_id, at), row)));
        }
        Ok(found)
    }
}

/// A page of a contract's versions, newest first. They are numbered without a gap, so what is on the page is known
/// before it is read, and the pages of many contracts are read at once.
pub(super) async fn revisions(
    view: &View,
    keys: &Keys,
    contract: &Model,
    request: &PageRequest,
) -> Result<Page<Revision>> {
    let (size, from_end) = request.size()?;
    let order = format!("versions of {}", contract.id);
    let cursors = Cursors::new(keys, view.organization_id(), &order);
    let number = |cursor: Option<&str>| {
        Ok::<_, Error>(match cursors.read(cursor)? {
            Some([_, Part::Number(number)]) => i32::try_from(number).ok(),
            _ => None,
        })
    };
    let newest = number(request.after.as_deref())?.map_or(contract.revision, |after| after - 1);
    let oldest = number(request.before.as_deref())?.map_or(1, |before| before + 1);
    // One more than wanted says whether there are more, and is the version before the page's last.
    let most = i32::try_from(size).unwrap_or(i32::MAX);
    let numbers: Vec<_> = if from_end {
        (oldest..=min(newest, oldest.saturating_add(most))).collect()
    } else {
        (max(oldest, newest.saturating_sub(most))..=newest).rev().collect()
    };
    let versions = numbers.iter().map(|number| Version(contract.id, *number));
    let mut found = view.loader.load_many(versions).await.map_err(Error::internal)?;
    let place = |row: &Revision| [Part::Id(row.contract_id.0), Part::Number(row.revision.into())];
    let rows = numbers
        .iter()
        .filter_map(|number| found.remove(&Version(contract.id, *number)))
        .map(|row| (place(&row), row))
        .collect();
    Page::cut(rows, request, &cursors)
}

//! Metered usage, entry by entry, and its sums.

use std::collections::{BTreeMap, HashMap};

use sea_orm::{
    ColumnTrait, Condition, FromQueryResult, QueryFilter, QuerySelect,
    entity::prelude::*,
    sea_query::{Alias, CaseStatement, Expr, ExprTrait, Func},
};
use serde::Serialize;

use super::formula::Usage;
use crate::{
    contract::{Revision, item::Meter},
    kernel::{Day, Month, OrganizationId, Reader, Result, ServiceId, Timestamp, record::part},
};

/// How many months after it happened usage can still be recorded.
pub const LATEST: i32 = 3;

/// One piece of usage, as whoever measured it reported it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "usage_entry")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub service_id: ServiceId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub meter: Meter,
    #[sea_orm(primary_key, auto_increment = false)]
    pub external_id: String,
    pub quantity: i64,
    pub occurred_on: Day,
    /// The month in which it happened.
    pub month: Month,
    /// The month that it is charged in: the same, or the one that was open when it came late.
    pub charge_month: Month,
    pub recorded_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

part! { "usage entry", key: |row| format!("{}/{}", row.service_id, row.external_id), service: service_id }

#[derive(FromQueryResult)]
struct Sum {
    service_id: ServiceId,
    meter: Meter,
    month: Month,
    charge_month: Month,
    total: i64,
    on_trial: i64,
}

/// The sums of usage that the charges of one month ask for: by service, month of use, month of charge and meter.
#[derive(Debug, Default)]
pub struct Tally(HashMap<ServiceId, Vec<(Month, Month, Meter, Usage)>>);

impl Tally {
    /// Reads the sums for the charges of `month`, in one statement. `revisions` say which days were free.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn read(
        reader: &Reader,
        services: &[ServiceId],
        trials: &[(ServiceId, Day, Day)],
        month: Month,
    ) -> Result<Self> {
        let mut free = Condition::any().add(Expr::value(false));
        for (service, from, to) in trials {
            let days = Column::ServiceId
                .eq(*service)
                .and(Column::OccurredOn.between(*from, *to));
            free = free.add(days);
        }
        let sum = |what: Expr| Expr::expr(Func::sum(what)).cast_as(Alias::new("bigint"));
        let on_trial = CaseStatement::new()
            .case(free, Expr::col(Column::Quantity))
            .finally(0_i64);
        // What was open lies one month ahead of the clock where a zone moved west over the end of a month.
        let oldest = Month::from_index(month.index() - LATEST - 1).unwrap_or(Month::FIRST);
        let sums: Vec<Sum> = reader
            .select::<Entity>()
            .select_only()
            .columns([Column::ServiceId, Column::Meter, Column::Month, Column::ChargeMonth])
            .column_as(sum(Expr::col(Column::Quantity)), "total")
            .column_as(sum(on_trial.into()), "on_trial")
            .filter(Column::ServiceId.is_in(services.iter().copied()))
            .filter(Column::Month.between(oldest, month))
            .filter(Column::ChargeMonth.lte(month))
            .group_by(Column::ServiceId)
            .group_by(Column::Meter)
            .group_by(Column::Month)
            .group_by(Column::ChargeMonth)
            .rows()
            .await?;
        let mut tally = Self::default();
        for sum in sums {
            let count = |number: i64| u64::try_from(number).unwrap_or_default();
            let usage = Usage {
                total: count(sum.total),
                on_trial_days: count(sum.on_trial),
            };
            tally
                .0
                .entry(sum.service_id)
                .or_default()
                .push((sum.month, sum.charge_month, sum.meter, usage));
        }
        Ok(tally)
    }

    /// What happened in a month and is charged in it.
    pub fn of(&self, service: ServiceId, month: Month) -> BTreeMap<Meter, Usage> {
        let rows = self.rows(service).iter();
        rows.filter(|(used, charged, ..)| *used == month && *charged == month)
            .map(|(.., meter, usage)| (*meter, *usage))
            .collect()
    }

    /// What came late and is charged in `month`: month of use, meter, and the counts, free days left out, that were
    /// charged before and that are charged now.
    pub fn late(&self, service: ServiceId, month: Month) -> Vec<(Month, Meter, u64, u64)> {
        let mut late = BTreeMap::<(Month, Meter), (u64, u64)>::new();
        for (used, charged, meter, usage) in self.rows(service).iter().filter(|(used, ..)| *used < month) {
            let count = usage.total - usage.on_trial_days;
            let (before, now) = late.entry((*used, *meter)).or_default();
            *now += count;
            if *charged < month {
                *before += count;
            }
        }
        late.into_iter()
            .filter(|(_, (before, now))| before != now)
            .map(|((used, meter), (before, now))| (used, meter, before, now))
            .collect()
    }

    fn rows(&self, service: ServiceId) -> &[(Month, Month, Meter, Usage)] {
        self.0.get(&service).map_or(&[], Vec::as_slice)
    }
}

/// The free days of a contract as its last version says.
pub fn trial_of(service: ServiceId, revisions: &[Revision]) -> Option<(ServiceId, Day, Day)> {
    let last = revisions.last()?;
    Some((service, last.trial_from?, last.trial_to?))
}

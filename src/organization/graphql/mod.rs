//! What the API says of organizations; of their keys, in `keys.rs`.

pub mod keys;

use std::{collections::HashMap, sync::Arc};

use async_graphql::{ComplexObject, Context, ID, Object, dataloader::Loader};
use chrono::NaiveDate;
use chrono_tz::Tz;

use super::{
    entity::{Entity, Model},
    key, rules,
};
use crate::{
    admin::{self, Model as OrganizationAdmin},
    billing::graphql::{ChargeConnection, ChargeFilter, charge_page},
    kernel::{
        Action, Batch, Caller, Error, On, PageRequest, PictureId, Result, View,
        payload::{payload, settle, user_errors},
        scalar::Url,
        zone,
    },
    member::graphql::{MemberConnection, member_page},
    picture::{self, Picture},
    service::graphql::{PossibleAction, ServiceConnection, ServiceFilter, ServiceOrder, service_page},
};

user_errors! { OrganizationUserError, OrganizationErrorCode, "an organization or one of its keys", {
    /// A value is needed.
    Blank,
    /// A value is too short.
    TooShort,
    /// A value is too long.
    TooLong,
    /// A value does not have the form that it must have.
    Invalid,
    /// A number is out of its range.
    OutOfRange,
    /// There are too many of them.
    TooMany,
    /// The domain is another organization's.
    Taken,
    /// The domain is a word that addresses use already.
    Reserved,
    /// There is no time zone of this name.
    UnknownTimeZone,
    /// Only the owner may change this.
    OwnerRequired,
    /// The owner has no second factor himself.
    SecondFactorAbsent,
    /// There are as many live keys as there can be.
    LimitReached,
    /// No other key is live: rotate this one instead.
    LastKey,
    /// The key has been revoked or has expired.
    KeyNotLive,
    /// The addresses allowed leave out the one that is being used.
    AddressLocksOut,
} }

payload! { OrganizationUpdatePayload, "organizationUpdate", OrganizationUserError, {
    /// The organization as it is now, also where it was not changed; null where there is none.
    organization: Model,
} }

/// The question for the caller's own organization.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Own;

impl Loader<Own> for Batch {
    type Value = Model;
    type Error = String;

    async fn load(&self, _: &[Own]) -> std::result::Result<HashMap<Own, Model>, String> {
        let row = self.seek::<Entity>(&self.organization_id().to_string()).await;
        let row = row.map_err(|error| format!("{error:?}"))?;
        Ok(row.into_iter().map(|row| (Own, row)).collect())
    }
}

/// The caller's organization; the check of the session has fetched it already.
pub(crate) async fn own(context: &Context<'_>) -> Result<Option<Model>> {
    let view = context
        .data_unchecked::<Arc<Caller>>()
        .view(Action::OrganizationRead)
        .await?;
    view.loader.load_one(Own).await.map_err(Error::internal)
}

/// The organization's time zone.
pub(crate) async fn zone(context: &Context<'_>) -> Result<Tz> {
    let caller = context.data_unchecked::<Arc<Caller>>();
    // A partner system does not see itself, but the contracts whose days these are.
    let seen = match caller.actor().partner() {
        Some(_) => Action::ContractRead,
        None => Action::ViewerRead,
    };
    zone_of(&*caller.view(seen).await?).await
}

/// The organization's time zone, as a view sees it.
pub(crate) async fn zone_of(view: &View) -> Result<Tz> {
    row_of(view).await?.time_zone.parse().map_err(Error::internal)
}

/// The day on which the organization was created, in its zone, as a view sees it.
pub(crate) async fn created_on(view: &View) -> Result<NaiveDate> {
    Ok(zone::date_at(row_of(view).await?.created_at.0, zone_of(view).await?))
}

async fn row_of(view: &View) -> Result<Model> {
    let row = view.loader.load_one(Own).await.map_err(Error::internal)?;
    row.ok_or(Error::Unauthenticated)
}

fn url_of(context: &Context<'_>, domain: &str) -> Url {
    let template = &context.data_unchecked::<Arc<Caller>>().app().settings.organization_url;
    Url(template.replace("{domain}", domain))
}

/// 제품 조직: the organization as the product and its partners know it.
#[derive(Debug)]
pub struct ProductOrganization {
    domain: String,
    main_logo_id: Option<PictureId>,
}

/// 제품 조직: the organization as the product and its partners know it.
#[Object]
impl ProductOrganization {
    /// 접속 URL: where members reach it, made from the domain. It changes with the domain.
    async fn url(&self, context: &Context<'_>) -> Url {
        url_of(context, &self.domain)
    }

    /// The organization keys, at most 100: first those that are neither revoked nor expired, of which there are 20 at the most, then those that were; each of both newest first. A key that is not among them is found by `node`. Needs `ORGANIZATION_READ`.
    async fn keys(&self, context: &Context<'_>) -> Result<Vec<key::Model>> {
        keys::all(context).await
    }

    /// 메인 로고: what stands at the top of its pages; null where that is the product's own. Needs `ORGANIZATION_READ`.
    async fn main_logo(&self, context: &Context<'_>) -> Result<Option<Picture>> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        picture::graphql::of_id(&*caller.view(Action::OrganizationRead).await?, self.main_logo_id).await
    }
}

#[ComplexObject]
impl Model {
    /// 제품 조직: its other half, as the product and partners know it.
    async fn product(&self) -> ProductOrganization {
        ProductOrganization {
            domain: self.domain.clone(),
            main_logo_id: self.main_logo_id,
        }
    }

    /// 접속 URL: where members reach it, made from the domain. It changes with the domain.
    #[graphql(deprecation = "Ask for `product { url }`. Removal on 2027-06-30.")]
    async fn url(&self, context: &Context<'_>) -> Url {
        url_of(context, &self.domain)
    }

    /// The organization keys, at most 100: first those that are neither revoked nor expired, of which there are 20 at the most, then those that were; each of both newest first. A key that is not among them is found by `node`. Needs `ORGANIZATION_READ`.
    #[graphql(deprecation = "Ask for `product { keys }`. Removal on 2027-06-30.")]
    async fn keys(&self, context: &Context<'_>) -> Result<Vec<key::Model>> {
        keys::all(context).await
    }

    /// What the caller can do with it now, and why not where not; at most 10.
    async fn actions(&self, context: &Context<'_>) -> Vec<PossibleAction> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        vec![PossibleAction::of(caller, Action::OrganizationUpdate, None)]
    }

    /// The members. Needs `ORGANIZATION_READ`.
    async fn members(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many from the start, 1 to 100; 20 where neither `first` nor `last` is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<MemberConnection> {
        member_page(
            context,
            PageRequest {
                first,
                after,
                last,
                before,
            },
        )
        .await
    }

    /// 조직관리자: its administrators beside the owner, in the order of their becoming one, at most 100. Needs `ORGANIZATION_READ`.
    async fn admins(&self, context: &Context<'_>) -> Result<Vec<OrganizationAdmin>> {
        admin::graphql::admins(context).await
    }

    /// The services. Needs `SERVICE_READ`.
    #[expect(clippy::too_many_arguments, reason = "a list's arguments, as the schema has them")]
    async fn services(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many from the start, 1 to 100; 20 where neither `first` nor `last` is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which services; terminated ones are left out unless asked for.")] filter: Option<
            ServiceFilter,
        >,
        #[graphql(desc = "In what order; newest first where absent. Ties are broken by ID.")] order_by: Option<
            ServiceOrder,
        >,
    ) -> Result<ServiceConnection> {
        service_page(
            context,
            PageRequest {
                first,
                after,
                last,
                before,
            },
            filter,
            order_by,
        )
        .await
    }

    /// The charges of all services. Needs `CHARGE_READ`.
    async fn charges(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many from the start, 1 to 100; 20 where neither `first` nor `last` is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which months and services.")] filter: ChargeFilter,
    ) -> Result<ChargeConnection> {
        charge_page(
            context,
            PageRequest {
                first,
                after,
                last,
                before,
            },
            filter,
        )
        .await
    }
}

/// The organization, to look at.
#[derive(Debug, Default)]
pub struct OrganizationQuery;

#[Object]
impl OrganizationQuery {
    /// 조직 정보: the organization that the caller acts for. Needs `ORGANIZATION_READ`.
    async fn organization(&self, context: &Context<'_>) -> Result<Option<Model>> {
        own(context).await
    }
}

/// The organization, to change.
#[derive(Debug, Default)]
pub struct OrganizationMutation;

#[Object]
impl OrganizationMutation {
    /// Changes the organization. Absent fields stay as they are. Needs `ORGANIZATION_UPDATE`.
    async fn organization_update(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The organization's ID.")] id: ID,
        #[graphql(desc = "The changes.")] input: rules::OrganizationUpdateInput,
    ) -> Result<OrganizationUpdatePayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let done = caller
            .act(Action::OrganizationUpdate, &On(&id, &input), async |tx| {
                rules::update(tx, &id, &input).await
            })
            .await;
        let (done, problems) = settle(done)?;
        let organization = match done {
            Some(organization) => Some(organization),
            None => caller.view(Action::OrganizationRead).await?.seek::<Entity>(&id).await?,
        };
        Ok(OrganizationUpdatePayload {
            organization,
            user_errors: OrganizationUserError::all(problems)?,
        })
    }
}

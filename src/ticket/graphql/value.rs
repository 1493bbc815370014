//! The values of tickets as the API shows them: personal data masked, whoever looks. What can't be shown says so in its
//! place, and the rest of the list stands.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{Context, Enum, SimpleObject, dataloader::Loader};

use crate::{
    field::{Field, FieldType},
    kernel::{Action, Batch, Caller, Error, Result, View, audit::UNREADABLE, seal::FieldKeys},
    ticket::{
        content::Kept,
        entity::Model,
        filled,
        ground::{Ground, GroundOf},
    },
};

/// Why a value is not shown. More may be added.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Enum)]
pub enum TicketValueFault {
    /// It does not open: its key is lost, or it was changed by somebody. The log has it.
    Unreadable,
}

/// The value of one field of a ticket.
#[derive(Debug, SimpleObject)]
pub struct TicketValue {
    /// 코드: the field.
    pub code: String,
    /// 유형: the field's type, which says where the value stands.
    #[graphql(name = "type")]
    pub kind: FieldType,
    /// The text, also of a day, a time or an option; of personal data the mask. Null for other types, and where there is a fault.
    pub text: Option<String>,
    /// The options of a `CHECKBOX`, at most 100; empty for other types.
    pub options: Vec<String>,
    /// Yes or no, of an `AGREE`; null for other types.
    pub is_agreed: Option<bool>,
    /// 개인정보: whether it is encrypted, and `text` its mask.
    pub is_masked: bool,
    /// Why it is not shown; null where it is.
    pub fault: Option<TicketValueFault>,
}

/// The values of a ticket that the caller sees, in the order of the fields.
pub(super) async fn of_ticket(context: &Context<'_>, ticket: &Model) -> Result<Vec<TicketValue>> {
    let caller = context.data_unchecked::<Arc<Caller>>();
    let Some(ground) = ground(context, ticket).await? else {
        return Ok(Vec::new());
    };
    let keys = match ground.fields.iter().any(|field| field.is_encrypted) {
        true => Some(keys(context).await?),
        false => None,
    };
    let one = |field: &Field| match keys.as_deref().filter(|_| field.is_encrypted) {
        Some(keys) => masked(caller, keys, ticket, field),
        None => ticket.plain.0.get(&field.code).map(|kept| shown(field, kept)),
    };
    Ok(ground.fields.iter().filter_map(one).collect())
}

/// The caller's ground in a ticket's service.
pub(super) async fn ground(context: &Context<'_>, ticket: &Model) -> Result<Option<Ground>> {
    let caller = context.data_unchecked::<Arc<Caller>>();
    let view = caller.view(Action::TicketRead).await?;
    let Some(actor) = caller.actor().member() else {
        return Ok(None);
    };
    let ground = view.loader.load_one(GroundOf(ticket.service_id, actor.member_id)).await;
    ground.map_err(Error::internal)
}

/// The keys of encrypted fields, read once for all of a request.
pub(super) async fn keys(context: &Context<'_>) -> Result<Arc<FieldKeys>> {
    keys_of(&*context.data_unchecked::<Arc<Caller>>().view(Action::TicketRead).await?).await
}

/// The same by what is seen.
pub(super) async fn keys_of(view: &View) -> Result<Arc<FieldKeys>> {
    let keys = view.loader.load_one(Keys).await.map_err(Error::internal)?;
    keys.ok_or_else(|| Error::internal("keys that were not read"))
}

fn shown(field: &Field, kept: &Kept) -> TicketValue {
    let (text, options, is_agreed) = match kept {
        Kept::Text(text) => (Some(text.clone()), Vec::new(), None),
        Kept::Options(chosen) => (None, chosen.clone(), None),
        Kept::Agreed(is) => (None, Vec::new(), Some(*is)),
    };
    TicketValue {
        code: field.code.clone(),
        kind: field.kind,
        text,
        options,
        is_agreed,
        is_masked: false,
        fault: None,
    }
}

fn masked(caller: &Caller, keys: &FieldKeys, ticket: &Model, field: &Field) -> Option<TicketValue> {
    let opened = filled::open(&keys.values, ticket, field);
    let (text, fault) = match opened {
        Ok(None) => return None,
        Ok(Some(value)) => (Some(value.masked()), None),
        Err(broken) => {
            tracing::error!(ticket = %ticket.id, field = %field.id, %broken, "a sealed value does not open");
            caller.alarm(Action::TicketRead, UNREADABLE);
            (None, Some(TicketValueFault::Unreadable))
        }
    };
    Some(TicketValue {
        code: field.code.clone(),
        kind: field.kind,
        text,
        options: Vec::new(),
        is_agreed: None,
        is_masked: true,
        fault,
    })
}

/// The question for the keys of encrypted fields.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Keys;

impl Loader<Keys> for Batch {
    type Value = Arc<FieldKeys>;
    type Error = String;

    async fn load(&self, _: &[Keys]) -> std::result::Result<HashMap<Keys, Arc<FieldKeys>>, String> {
        let keys = FieldKeys::of(self, &self.app)
            .await
            .map_err(|error| format!("{error:?}"))?;
        Ok(HashMap::from([(Keys, Arc::new(keys))]))
    }
}

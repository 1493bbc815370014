//! 아웃바운드 티켓 자동 생성: the job that makes a ticket of a call that an agent began, once however often it is asked for. It
//! has what is known of the call; the rest is the agent's, who fills it in.

use sea_orm::{ColumnTrait, QueryFilter, QueryOrder};

use super::{
    content::{Kept, Plain, SealedValues},
    entity::{Channel, Column, Entity, Model, Priority, Status},
    rules, term,
};
use crate::{
    agent,
    cti::{
        self,
        log::{Call, OUTBOUND, dialed},
    },
    field::{self, Field},
    kernel::{
        Action, App, Caller, Outcome, Plain as Asked, Result, TicketId, Tx,
        outbox::{self, Fate},
    },
    service::{self, Service},
};

/// The field that says what a ticket is about: every service has it.
const SUBJECT: &str = "subject";

/// What became of a call.
enum Made {
    /// It is a ticket, since now or since before.
    Ticket,
    /// Whoever called telephones in no service that is in use any more.
    Nowhere,
}

impl Outcome for Made {
    type Receipt = ();

    fn receipt(&self) {}

    async fn again(_: &Tx, (): ()) -> Result<Self> {
        Ok(Self::Ticket)
    }
}

/// Does the job.
///
/// # Errors
/// Only if the database fails.
pub async fn make(app: &App, job: &outbox::Model) -> Result<Fate> {
    let caller = Caller::system(app.clone(), OUTBOUND, job.organization_id);
    let deed = async |tx: &Tx| {
        let same = tx.select::<Entity>();
        let same = same.filter(Column::CallReference.eq(job.argument.as_str()));
        if same.one().await?.is_some() {
            return Ok(Made::Ticket);
        }
        let Some(call) = dialed(tx, &job.argument).await? else {
            return Ok(Made::Nowhere);
        };
        let Some(service) = desk(tx, &call).await? else {
            return Ok(Made::Nowhere);
        };
        let fields = field::of_service(tx, service.id).await?;
        let (ticket, terms) = ticket(tx, &call, &service, &fields).await?;
        rules::add(tx, ticket, terms).await.map(|_| Made::Ticket)
    };
    Ok(match caller.act(Action::TicketFromCall, &Asked, deed).await? {
        Made::Ticket => Fate::Done,
        Made::Nowhere => Fate::GivenUp("NO_SERVICE".to_owned()),
    })
}

/// The service of a call: of those in use in which the agent telephones, the one in which he has been longest.
async fn desk(tx: &Tx, call: &Call) -> Result<Option<Service>> {
    let places = tx
        .select::<agent::Entity>()
        .filter(agent::Column::MemberId.eq(call.member_id))
        .filter(agent::Column::HandlesCalls.eq(true))
        .order_by_asc(agent::Column::AddedAt)
        .order_by_asc(agent::Column::Id);
    let contracted = cti::contracted(tx).await?;
    for place in places.all().await? {
        let service = contracted.service(place.service_id);
        if let Some(service) = service.filter(|service| service.status == service::Status::InUse) {
            return Ok(Some(service.clone()));
        }
    }
    Ok(None)
}

async fn ticket(tx: &Tx, call: &Call, service: &Service, fields: &[Field]) -> Result<(Model, Vec<term::Model>)> {
    let id: TicketId = tx.fresh_id();
    let is_korean = service.languages.0.first().is_none_or(|main| main == "ko");
    let called = if is_korean { "발신 전화" } else { "Outgoing call" };
    let subject = match &call.customer_number {
        Some(masked) => format!("{called} {masked}"),
        None => called.to_owned(),
    };
    let about = fields.iter().find(|field| field.code == SUBJECT);
    let terms = about.map(|field| term::Model {
        organization_id: tx.organization_id(),
        ticket_id: id,
        field_id: field.id,
        term: term::of_text(&subject),
        received_at: call.occurred_at,
    });
    let values = about.map(|field| (field.code.clone(), Kept::Text(subject)));
    let ticket = Model {
        id,
        organization_id: tx.organization_id(),
        service_id: service.id,
        number: rules::next_number(tx, service.id).await?,
        channel: Channel::Phone,
        status: Status::Open,
        priority: Priority::Normal,
        assignee_id: Some(call.member_id),
        received_at: call.occurred_at,
        processed_at: None,
        processing: None,
        external_id: None,
        is_migrated: false,
        import_id: None,
        import_row: None,
        call_reference: Some(call.call_reference.clone()),
        plain: Plain(values.into_iter().collect()),
        sealed: SealedValues::default(),
        created_at: tx.now(),
        version: 1,
    };
    Ok((ticket, terms.into_iter().collect()))
}

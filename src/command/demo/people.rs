//! Who is there in the demo: its owner, administrators, managers and agents.

use super::{DOMAIN, LOGIN, PASSWORD, seed::ZONE};
use crate::{
    admin,
    agent::{self, AgentAddInput, AgentRightsInput, Channel},
    contract,
    kernel::{Action, Actor, App, Caller, Language, MemberId, OrganizationId, Origin, Plain, Result, SignedIn, Tx},
    member::{self, Hasher},
    organization,
    service::Service,
};

/// What somebody is in the services, and the channels that he takes where they are contracted.
type Place = (agent::Role, &'static [Channel]);

/// Login ID, name, whether an organization administrator, and role and channels in the services: a channel is given
/// where the contract offers it.
const PEOPLE: [(&str, &str, bool, Option<Place>); 9] = [
    ("admin.kim", "김운영", true, None),
    ("admin.lee", "이총괄", true, None),
    (
        "manager.park",
        "박관리",
        false,
        Some((agent::Role::Manager, &Channel::ALL)),
    ),
    (
        "manager.choi",
        "최품질",
        false,
        Some((agent::Role::Manager, &[Channel::Ticket])),
    ),
    (
        "agent.jung",
        "정상담",
        false,
        Some((agent::Role::Agent, &[Channel::Ticket, Channel::Chat])),
    ),
    (
        "agent.kang",
        "강전화",
        false,
        Some((agent::Role::Agent, &[Channel::Ticket, Channel::Phone])),
    ),
    (
        "agent.cho",
        "조채팅",
        false,
        Some((agent::Role::Agent, &[Channel::Ticket, Channel::Chat])),
    ),
    (
        "agent.yoon",
        "윤접수",
        false,
        Some((agent::Role::Agent, &[Channel::Ticket])),
    ),
    ("member.jang", "장신입", false, None),
];

/// Makes the organization and everybody in it; answers its owner, signed in.
///
/// # Errors
/// If the database fails.
pub(super) async fn people(app: &App) -> Result<Caller> {
    let password_hash = Hasher::hash(app, PASSWORD).await?;
    let person = |login: &str, name: &str, is_owner| member::New {
        login: login.to_owned(),
        name: name.to_owned(),
        email: format!("{login}@demo.example"),
        is_email_proved: false,
        language: Language::default(),
        password_hash: password_hash.clone(),
        is_owner,
    };
    let new = organization::New {
        name: "데모 컨택센터".into(),
        domain: DOMAIN.into(),
        time_zone: ZONE.name().into(),
    };
    let organization = member::create_organization(app, new, person(LOGIN, "한대표", true)).await?;
    let operator = Caller::operator(app.clone(), organization);
    for (login, name, is_administrator, _) in PEOPLE {
        let person = person(login, name, false);
        let deed = async |tx: &_| {
            let member = member::create(tx, person).await?;
            if is_administrator {
                admin::add(tx, member.id).await?;
            }
            Ok(member)
        };
        operator.act(Action::MemberCreate, &Plain, deed).await?;
    }
    signed_in(app, organization, LOGIN).await
}

/// Somebody who is there, signed in.
///
/// # Errors
/// If the database fails.
pub(super) async fn signed_in(app: &App, organization: OrganizationId, login: &str) -> Result<Caller> {
    let member = find(&Caller::operator(app.clone(), organization), login).await?;
    let actor = SignedIn {
        member_id: member.id,
        session_id: uuid::Uuid::nil().into(),
        login: member.login,
        name: member.name,
        is_owner: member.is_owner,
        is_administrator: false,
        is_manager: false,
        has_second_factor: false,
        must_enroll: false,
        confirmed_at: app.clock.now(),
    };
    let origin = Origin {
        address: Some([127, 0, 0, 1].into()),
        request_id: "demo".to_owned(),
        client: String::new(),
    };
    // The story is told as if he had sat there for two years: no session stands behind it.
    let mut app = app.clone();
    app.standing = |_, _, then| Box::pin(async { Ok(Some(then.clone())) });
    Ok(Caller::new(
        app,
        Actor::Member(actor),
        Some(organization),
        origin,
        Language::default(),
    ))
}

/// The member of a login ID.
pub(super) async fn find(caller: &Caller, login: &str) -> Result<member::Member> {
    use sea_orm::{ColumnTrait, QueryFilter};
    let view = caller.view(Action::SessionStart).await?;
    let found = view
        .select::<member::Entity>()
        .filter(member::Column::Login.eq(login))
        .one()
        .await?;
    drop(view);
    caller.release().await;
    found.ok_or_else(|| crate::kernel::Error::not_found("login"))
}

/// Puts everybody into the services who works in them.
///
/// # Errors
/// If the database fails.
pub(super) async fn employ(owner: &Caller, services: &[Service]) -> Result<()> {
    let organization = owner.organization_id().ok_or(crate::kernel::Error::Unauthenticated)?;
    let operator = Caller::operator(owner.app().clone(), organization);
    for (login, _, _, role) in PEOPLE {
        let Some((role, channels)) = role else { continue };
        let member: MemberId = find(&operator, login).await?.id;
        for service in services {
            let deed = async |tx: &Tx| {
                let contract = contract::of_service(tx, service).await?;
                let offered = channels.iter().copied().filter(|channel| channel.is_offered(&contract));
                let rights = AgentRightsInput {
                    role: Some(role),
                    channels: Some(offered.collect()),
                    forwards_tickets: Some(role == agent::Role::Manager),
                    ..AgentRightsInput::default()
                };
                let input = AgentAddInput {
                    idempotency_key: None,
                    dry_run: None,
                    service_id: service.id.to_string().into(),
                    member_id: member.to_string().into(),
                    rights,
                };
                agent::add(tx, &input).await
            };
            operator.act(Action::AgentAdd, &Plain, deed).await?;
        }
    }
    Ok(())
}

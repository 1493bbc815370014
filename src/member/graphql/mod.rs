//! What the API says of members, and the verbs of signing in and out.

mod at_hand;
mod possible;

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, Enum, InputObject, Object, SimpleObject};
use chrono::Duration;

use super::{
    Credentials,
    account::own::{self, ViewerSecondFactor},
    confirm::{self, Confirmation, Shown},
    entity::{Column, Entity, Model},
    own_session,
    session::{self, Started, Tokens},
    sign_in,
};
use crate::{
    admin,
    agent::{Model as Agent, graphql as agents},
    cti::log::graphql::{self as cti_log, CtiLogDay},
    kernel::{
        Action, Caller, Code, Error, PageRequest, Plain, Problem, Result, Timestamp,
        page::{self, Cursors, Direction, Part, connection},
        payload::{payload, settle, user_errors},
    },
    organization::{self, Organization},
    service::graphql::PossibleAction,
};

user_errors! { SessionUserError, SessionErrorCode, "a session", {
    /// The organization, login ID or password is not right; it is not said which.
    CredentialsRefused,
    /// There were too many attempts; `availableAt` says when the next one is taken.
    SignInBlocked,
    /// The refresh token is not good, or its session has ended: sign in again.
    RefreshTokenRefused,
    /// The password is right; a code of the second factor is needed too.
    SecondFactorRequired,
    /// The code is not right, or was used before.
    SecondFactorRefused,
    /// The organization, the identity provider, its token or its member is not right; it is not said which.
    TokenRefused,
    /// Exactly one of two values is needed.
    Invalid,
    /// A value is too long.
    TooLong,
} }

payload! { SessionStartPayload, "sessionStart", SessionUserError, {
    /// The tokens; null where there are user errors.
    tokens: Tokens,
} }

payload! { SessionRefreshPayload, "sessionRefresh", SessionUserError, {
    /// The new tokens; null where there are user errors.
    tokens: Tokens,
} }

payload! { SessionConfirmPayload, "sessionConfirm", SessionUserError, {
    /// Until when the confirmation holds: five minutes from the sign-in that it tells of; null where there are user errors.
    confirmed_until: Timestamp,
} }

payload! { SessionEndPayload, "sessionEnd", SessionUserError, {
    /// How many sessions ended: 1, or 0 where it had ended before.
    ended_count: i32,
} }

payload! { SessionEndAllPayload, "sessionEndAll", SessionUserError, {
    /// How many sessions ended, this one included.
    ended_count: i32,
} }

/// What to sign in with.
#[derive(Debug, InputObject)]
pub struct SessionStartInput {
    /// The organization's domain, such as `demo`.
    pub organization: String,
    /// The login ID.
    pub login: String,
    /// The password, at most 1,024 bytes.
    #[graphql(secret)]
    pub password: String,
    /// A code of the authenticator or a recovery code, where the member uses a second factor.
    #[graphql(secret)]
    pub code: Option<String>,
}

/// What to refresh.
#[derive(Debug, InputObject)]
pub struct SessionRefreshInput {
    /// The refresh token of `sessionStart` or of the last `sessionRefresh`. It is good once.
    #[graphql(secret)]
    pub refresh_token: String,
}

/// What to confirm with: exactly one of the two.
#[derive(Debug, InputObject)]
pub struct SessionConfirmInput {
    /// The signed-in member's password, at most 1,024 bytes.
    #[graphql(secret)]
    pub password: Option<String>,
    /// A code of the authenticator or a recovery code, beside the password of a member who uses a second factor.
    #[graphql(secret)]
    pub code: Option<String>,
    /// An ID token of the identity provider that began this session, at most 16,384 bytes. It tells of the same member having signed in there at most five minutes ago (`auth_time`), and it is good once.
    #[graphql(secret)]
    pub token: Option<String>,
}

connection! { at hand MemberConnection, MemberEdge, Model, "member", "members" }

/// A page of members, in the order of their joining.
pub(crate) async fn member_page(context: &Context<'_>, request: PageRequest) -> Result<MemberConnection> {
    let caller = context.data_unchecked::<Arc<Caller>>();
    let view = caller.view(Action::OrganizationRead).await?;
    let cursors = Cursors::new(&caller.app().keys, view.organization_id(), "members");
    let total = if context.look_ahead().field("totalCount").exists() {
        view.select::<Entity>().count().await?
    } else {
        0
    };
    let place = |row: &Model| [Part::Instant(row.joined_at), Part::Id(row.id.0)];
    let columns = [Column::JoinedAt, Column::Id];
    let page = page::read(
        view.select::<Entity>(),
        columns,
        Direction::Asc,
        &request,
        &cursors,
        place,
    )
    .await?;
    admin::graphql::prefetch_asked(context, &view, &page).await?;
    Ok(MemberConnection::of(page, total))
}

/// A role in an organization. Roles add up: an owner who is also an administrator has both.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Enum)]
#[graphql(name = "Role")]
pub enum MemberRole {
    /// 소유자: the owner. Everything in the organization.
    Owner,
    /// 조직관리자: an organization administrator. Everything of this menu that is not the owner's alone.
    #[graphql(name = "ORGANIZATION_ADMIN")]
    Administrator,
    /// 구성원: a member, with or without roles in services. Sees himself.
    Member,
}

impl MemberRole {
    fn all(is_owner: bool, is_administrator: bool) -> Vec<Self> {
        let owner = is_owner.then_some(Self::Owner);
        let administrator = is_administrator.then_some(Self::Administrator);
        owner.into_iter().chain(administrator).chain([Self::Member]).collect()
    }
}

/// Whether a field, or a path of fields, is asked for below a path such as `edges.node`.
pub(crate) fn selects(context: &Context<'_>, path: &str, field: &str) -> bool {
    let steps = path.split('.').chain(field.split('.')).filter(|step| !step.is_empty());
    steps
        .fold(context.look_ahead(), |ahead, step| ahead.field(step))
        .exists()
}

#[ComplexObject]
impl Model {
    /// The roles in the organization, at most 3.
    async fn roles(&self, context: &Context<'_>) -> Result<Vec<MemberRole>> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let view = caller.view(Action::ViewerRead).await?;
        let is_administrator = admin::is_administrator(&view, self.id).await?;
        Ok(MemberRole::all(self.is_owner, is_administrator))
    }

    /// The e-mail address; null where the caller may not see it: he needs `ORGANIZATION_READ` for others' than his own.
    #[graphql(name = "email")]
    async fn visible_email(&self, context: &Context<'_>) -> Option<&str> {
        self.email_for(context.data_unchecked::<Arc<Caller>>())
    }

    /// What the caller can do with the member now, and why not where not; at most 10.
    async fn actions(&self, context: &Context<'_>) -> Result<Vec<PossibleAction>> {
        admin::graphql::actions(context, self).await
    }
}

/// The member who is signed in.
#[derive(Debug, SimpleObject)]
#[graphql(complex)]
pub struct Viewer {
    /// The member.
    member: Model,
}

#[ComplexObject]
impl Viewer {
    /// The roles in the organization, at most 3.
    async fn roles(&self, context: &Context<'_>) -> Vec<MemberRole> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let member = caller.actor().member();
        member.map_or_else(Vec::new, |member| {
            MemberRole::all(member.is_owner, member.is_administrator)
        })
    }

    /// Everything that these roles allow, at most 200.
    async fn permissions(&self, context: &Context<'_>) -> Vec<Action> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        Action::ALL
            .iter()
            .copied()
            .filter(|action| caller.may(*action))
            .collect()
    }

    /// Whether it was shown within the last five minutes who this is, as keys, the domain, second factors and the rights of others need it.
    async fn is_recently_confirmed(&self, context: &Context<'_>) -> bool {
        let caller = context.data_unchecked::<Arc<Caller>>();
        caller.actor().is_confirmed(caller.now())
    }

    /// The sessions in which the member can be acting now, newest first, at most 50. `sessionRevoke` ends one.
    async fn sessions(&self, context: &Context<'_>) -> Result<Vec<own_session::Shown>> {
        own::sessions(context).await
    }

    /// The second factor, used or not.
    async fn second_factor(&self, context: &Context<'_>) -> Result<ViewerSecondFactor> {
        own::second_factor(context, &self.member).await
    }

    /// The services in which the member is a manager or an agent, with his rights there, at most 100.
    async fn agents(&self, context: &Context<'_>) -> Result<Vec<Agent>> {
        agents::own(context).await
    }

    /// CTI Log 다운로드: the days of which the member's telephone left a log, the latest first, at most 100.
    async fn cti_log_days(&self, context: &Context<'_>) -> Result<Vec<CtiLogDay>> {
        cti_log::own_days(context).await
    }

    /// The organization's name, for members who may not see the rest of it.
    async fn organization_name(&self, context: &Context<'_>) -> Result<String> {
        let view = context.data_unchecked::<Arc<Caller>>().view(Action::ViewerRead).await?;
        let row: Option<Organization> = view
            .seek::<organization::Entity>(&view.organization_id().to_string())
            .await?;
        Ok(row.map(|row| row.name).unwrap_or_default())
    }
}

/// Members and oneself, to look at.
#[derive(Debug, Default)]
pub struct MemberQuery;

#[Object]
impl MemberQuery {
    /// The member who is signed in; null where nobody is.
    async fn viewer(&self, context: &Context<'_>) -> Result<Option<Viewer>> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let Some(signed_in) = caller.actor().member() else {
            return Ok(None);
        };
        let view = caller.view(Action::ViewerRead).await?;
        let member = view.seek::<Entity>(&signed_in.member_id.to_string()).await?;
        Ok(member.map(|member| Viewer { member }))
    }
}

/// Signing in and out.
#[derive(Debug, Default)]
pub struct MemberMutation;

#[Object]
impl MemberMutation {
    /// Signs in. Needs nobody: `SESSION_START`.
    async fn session_start(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What to sign in with.")] input: SessionStartInput,
    ) -> Result<SessionStartPayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let credentials = Credentials {
            organization: input.organization,
            login: input.login,
            password: input.password,
            code: input.code,
        };
        let (tokens, user_errors) = answer(sign_in::sign_in(caller, &credentials).await)?;
        Ok(SessionStartPayload { tokens, user_errors })
    }

    /// Gets new tokens for a refresh token, which is used up by it. Needs nobody: `SESSION_REFRESH`.
    async fn session_refresh(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What to refresh.")] input: SessionRefreshInput,
    ) -> Result<SessionRefreshPayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let token = &input.refresh_token;
        let refused = Started::Refused(Code::RefreshTokenRefused);
        let organization = session::organization_of(token).filter(|_| token.len() <= 200);
        let organization = match organization {
            Some(organization) if session::is_worth_a_look(caller, organization, token).await? => Some(organization),
            _ => None,
        };
        let done = match organization {
            Some(organization) => {
                let deed = async |tx: &_| session::refresh(tx, token).await;
                let door = caller.at(organization).await;
                known(door.act(Action::SessionRefresh, &Plain, deed).await, refused)
            }
            None => Ok(refused),
        };
        let (tokens, user_errors) = answer(done)?;
        Ok(SessionRefreshPayload { tokens, user_errors })
    }

    /// Confirms who the signed-in member is, for what needs that; it holds for five minutes. Needs `SESSION_CONFIRM`.
    async fn session_confirm(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What to confirm with.")] input: SessionConfirmInput,
    ) -> Result<SessionConfirmPayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let shown = Shown {
            password: input.password.as_deref(),
            code: input.code.as_deref(),
            token: input.token.as_deref(),
        };
        let (confirmed, problems) = match settle(confirm::confirm(caller, &shown).await)? {
            (Some(Confirmation::Done(session)), problems) => (Some(session), problems),
            (Some(Confirmation::Refused(code)), _) => (None, vec![session::refusal(code)]),
            (None, problems) => (None, problems),
        };
        let confirmed_until = confirmed.map(|session| Timestamp(session.confirmed_at.0 + Duration::minutes(5)));
        Ok(SessionConfirmPayload {
            confirmed_until,
            user_errors: SessionUserError::all(problems)?,
        })
    }

    /// Signs out. Needs `SESSION_END`.
    async fn session_end(&self, context: &Context<'_>) -> Result<SessionEndPayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let ending = caller
            .act(Action::SessionEnd, &Plain, async |tx| session::end(tx, false).await)
            .await?;
        Ok(SessionEndPayload {
            ended_count: Some(ending.0),
            user_errors: Vec::new(),
        })
    }

    /// Signs out everywhere. Needs `SESSION_END_ALL`.
    async fn session_end_all(&self, context: &Context<'_>) -> Result<SessionEndAllPayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let ending = caller
            .act(Action::SessionEndAll, &Plain, async |tx| session::end(tx, true).await)
            .await?;
        Ok(SessionEndAllPayload {
            ended_count: Some(ending.0),
            user_errors: Vec::new(),
        })
    }
}

/// Tokens, or why there are none.
pub(super) fn answer(done: Result<Started>) -> Result<(Option<Tokens>, Vec<SessionUserError>)> {
    let (started, problems) = settle(done)?;
    let (tokens, problems) = match started {
        Some(Started::Session(tokens, _)) => (Some(tokens), problems),
        Some(Started::Refused(code)) => (None, vec![session::refusal(code)]),
        None => (None, problems),
    };
    Ok((tokens, SessionUserError::all(problems)?))
}

/// An organization that does not exist refuses a token like one that does.
fn known(done: Result<Started>, otherwise: Started) -> Result<Started> {
    match done {
        Err(Error::Problems(problems)) if problems.iter().all(is_absence) => Ok(otherwise),
        done => done,
    }
}

fn is_absence(problem: &Problem) -> bool {
    problem.code == Code::NotFound
}

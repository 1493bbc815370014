//! From a provider's token to a member: `sessionExchange`, and the fresh token that confirms a session. Whatever is
//! wrong, with the organization, the provider, the token or the member, the answer is the same.

use chrono::Duration;
use sea_orm::{
    ColumnTrait, QueryFilter,
    sea_query::{Expr, ExprTrait, Func},
};

use super::{
    keys, link, provider, rules,
    token::{Believed, Doubt, Token, is_subject},
};
use crate::{
    kernel::{
        Action, Caller, Code, Error, MemberId, Plain, Reader, Result, Timestamp, Tx,
        security::{self, Brake},
    },
    member::{
        self, Status,
        session::{self, Proof, Started},
        sign_in,
    },
    organization,
};

/// A token is good once, to sign in or to confirm. It is remembered for a day: none is good for longer than half of it.
const ONE_TOKEN: Brake = Brake {
    name: "identity token",
    attempts: 1,
    window: Duration::days(1),
};

/// A token that confirms tells of a sign-in that is no older.
const RECENT: Duration = Duration::minutes(5);

/// `sessionExchange`.
///
/// # Errors
/// `SIGN_IN_BLOCKED` with the time of its end. A refusal is an outcome, so that it is logged.
pub async fn exchange(caller: &Caller, domain: &str, token: &str) -> Result<Started> {
    caller.release().await;
    let domain = sign_in::searchable(domain);
    let Some(organization) = organization::find_by_domain(caller.app(), &domain).await? else {
        sign_in::check_token(caller, None).await?;
        security::log(caller, "SIGN_IN_UNKNOWN_ORGANIZATION").await?;
        return Ok(Started::Refused(Code::TokenRefused));
    };
    let door = caller.at(organization).await;
    let view = door.view(Action::SessionExchange).await?;
    let found = look_up(&view, token, &caller.origin().address_text()).await;
    drop(view);
    door.release().await;
    let (providers, known) = found?;
    let counted = sign_in::check_token(caller, known).await?;
    let believed = believe(&door, providers, token).await?;
    let started = let_in(&door, believed).await?;
    if let Started::Session(..) = started {
        security::give_back(caller, &counted).await?;
    }
    Ok(started)
}

/// The providers; and the member that a token says it is of, where he has been let in from this address before. Nothing
/// in it is believed yet: that chooses what it is counted against.
async fn look_up(reader: &Reader, text: &str, address: &str) -> Result<(Vec<provider::Model>, Option<MemberId>)> {
    let providers = rules::list(reader).await?;
    let Ok(token) = Token::read(text) else {
        return Ok((providers, None));
    };
    let provider = providers.iter().find(|provider| provider.issuer == token.issuer());
    let Some(provider) = provider.filter(|_| is_subject(token.subject())) else {
        return Ok((providers, None));
    };
    let link = find_by_subject(reader, provider, token.subject()).await?;
    let known = match link {
        Some(link) if session::knows_address(reader, link.member_id, address).await? => Some(link.member_id),
        _ => None,
    };
    Ok((providers, known))
}

/// Starts a session for the member of a token that is believed.
async fn let_in(door: &Caller, believed: Option<(provider::Model, Believed)>) -> Result<Started> {
    door.act(Action::SessionExchange, &Plain, async |tx| {
        let member = match &believed {
            Some((provider, believed)) => find_member(tx, provider, believed).await?,
            None => None,
        };
        match (member, &believed) {
            (Some(member), Some((provider, believed))) if member.status == Status::Active => {
                let proof = Proof::Provider(provider.id, believed.authenticated_at);
                session::start_for(tx, &member, proof).await
            }
            (member, _) => {
                tx.failed(Code::TokenRefused);
                if let Some(member) = &member {
                    tx.about::<member::Entity>(member);
                }
                Ok(Started::Refused(Code::TokenRefused))
            }
        }
    })
    .await
}

/// When the signed-in member last showed the provider that began his session who he is, by a token of it that is no
/// older than five minutes; `None` for any other token, and where his session began with a password.
///
/// # Errors
/// `SIGN_IN_BLOCKED` with the time of its end.
pub(in crate::member) async fn authenticated_at(caller: &Caller, token: &str) -> Result<Option<Timestamp>> {
    let signed_in = caller.actor().member().ok_or(Error::Unauthenticated)?;
    let counted = sign_in::check_token(caller, Some(signed_in.member_id)).await?;
    let view = caller.view(Action::SessionConfirm).await?;
    let session = view
        .find::<session::Entity>("id", &signed_in.session_id.to_string())
        .await?;
    let provider = match session.provider_id {
        Some(id) => view.seek::<provider::Entity>(&id.to_string()).await?,
        None => None,
    };
    let link = match &provider {
        Some(provider) => rules::find_link(&view, provider, signed_in.member_id).await?,
        None => None,
    };
    drop(view);
    caller.release().await;
    let believed = believe(caller, provider.into_iter().collect(), token).await?;
    let at = believed.map(|(_, believed)| believed).and_then(|believed| {
        let is_own = link.is_some_and(|link| link.subject == believed.subject);
        let is_recent = |at: &Timestamp| caller.now().0 - at.0 <= RECENT;
        believed.authenticated_at.filter(|at| is_own && is_recent(at))
    });
    if at.is_some() {
        security::give_back(caller, &counted).await?;
    }
    Ok(at)
}

/// What a token says, if it is one of these providers, is right and comes for the first time. Why it is not believed
/// stands in the operator's log alone.
async fn believe(
    caller: &Caller,
    providers: Vec<provider::Model>,
    text: &str,
) -> Result<Option<(provider::Model, Believed)>> {
    let believed = examine(caller, providers, text).await?;
    if let Err(doubt) = &believed {
        let request = &caller.origin().request_id;
        tracing::info!(doubt, request, "an identity provider's token was refused");
    }
    Ok(believed.ok())
}

async fn examine(
    caller: &Caller,
    providers: Vec<provider::Model>,
    text: &str,
) -> Result<Result<(provider::Model, Believed), Doubt>> {
    let app = caller.app();
    let now = caller.now();
    let checked = Token::read(text).and_then(|token| {
        let mut providers = providers.into_iter();
        let provider = providers.find(|provider| provider.is_enabled && provider.issuer == token.issuer());
        let provider = provider.ok_or("no provider of this issuer")?;
        token.check(&provider, now).map(|()| (provider, token))
    });
    let (provider, token) = match checked {
        Ok(checked) => checked,
        Err(doubt) => return Ok(Err(doubt)),
    };
    // Only a token that would be right gets anything fetched, and only from the provider's own address.
    let keys = keys::keys_of(app, &provider, token.key_id()).await;
    let believed = match token.believe(&provider, &keys, now) {
        Ok(believed) => believed,
        Err(doubt) => return Ok(Err(doubt)),
    };
    if security::attempt(caller, &[(ONE_TOKEN, believed.signed.clone())])
        .await?
        .is_some()
    {
        return Ok(Err("it came before"));
    }
    Ok(Ok((provider, believed)))
}

/// The member whose token it is: by its subject, or, where he is not known there yet, by his verified e-mail address,
/// after which the subject is his.
async fn find_member(tx: &Tx, checked: &provider::Model, believed: &Believed) -> Result<Option<member::Model>> {
    // What the token was held against must still hold.
    let provider = tx.seek::<provider::Entity>(&checked.id.to_string()).await?;
    let Some(provider) = provider.filter(|provider| provider == checked) else {
        return Ok(None);
    };
    if let Some(link) = find_by_subject(tx, &provider, &believed.subject).await? {
        return tx.seek::<member::Entity>(&link.member_id.to_string()).await;
    }
    let Some(email) = believed.email.as_deref().filter(|_| provider.links_by_email) else {
        return Ok(None);
    };
    // What a member only says to be his address may be somebody else's, whose door this is not.
    let found = find_by_email(tx, email).await?;
    let Some(member) = found.filter(|member| member.email_proved_at.is_some()) else {
        return Ok(None);
    };
    // Whoever is known there under another subject is somebody else: addresses are given to new people.
    if rules::find_link(tx, &provider, member.id).await?.is_some() {
        return Ok(None);
    }
    if member.status == Status::Active {
        rules::create_link(tx, &provider, member.id, &believed.subject).await?;
    }
    Ok(Some(member))
}

async fn find_by_subject(reader: &Reader, provider: &provider::Model, subject: &str) -> Result<Option<link::Model>> {
    let links = reader
        .select::<link::Entity>()
        .filter(link::Column::ProviderId.eq(provider.id));
    links.filter(link::Column::Subject.eq(subject)).one().await
}

/// The one member of this address, whatever its capitals. Whoever has left has given it up, perhaps to himself.
async fn find_by_email(tx: &Tx, email: &str) -> Result<Option<member::Model>> {
    if email.chars().any(char::is_control) {
        return Ok(None);
    }
    let small = Expr::expr(Func::lower(Expr::col(member::Column::Email)));
    let found = tx
        .select::<member::Entity>()
        .filter(small.eq(email.to_ascii_lowercase()))
        .filter(member::Column::Status.eq(Status::Active))
        .all()
        .await?;
    let mut found = found
        .into_iter()
        .filter(|member| member.email.eq_ignore_ascii_case(email));
    Ok(found.next().filter(|_| found.next().is_none()))
}

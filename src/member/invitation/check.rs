//! Whether somebody can be invited: what is wrong with what was said of him, and whether he is here or invited already.

use std::collections::HashSet;

use sea_orm::{
    ColumnTrait, Condition, QueryFilter,
    sea_query::{Expr, ExprTrait, Func},
};

use super::entity::{Column, Entity, Model, State};
use crate::{
    kernel::{Code, InvitationId, Language, Problem, Record, Result, Tx},
    member::{self, check_email, check_login},
    organization::check_name,
};

/// Somebody to be invited.
#[derive(Debug, Clone)]
pub struct Invitee {
    /// The login ID.
    pub login: String,
    /// The name.
    pub name: String,
    /// The e-mail address.
    pub email: String,
    /// The language of his letters.
    pub language: Language,
}

impl Invitee {
    /// The invited person of an invitation.
    pub(super) fn of(invitation: &Model) -> Self {
        Self {
            login: invitation.login.clone(),
            name: invitation.name.clone(),
            email: invitation.email.clone(),
            language: invitation.language,
        }
    }

    /// Everything that is wrong with what was said, whoever else there is. `place` is the path of a field.
    pub(super) fn problems(&self, place: &impl Fn(&str) -> String) -> Vec<Problem> {
        let name = check_name(&place("name"), &self.name);
        let login = check_login(&place("login"), &self.login);
        let email = check_email(&place("email"), &self.email);
        name.into_iter().chain(login).chain(email).collect()
    }
}

/// Login IDs and addresses that are somebody's, addresses in small letters.
#[derive(Debug, Default)]
struct Held {
    logins: HashSet<String>,
    emails: HashSet<String>,
}

impl Held {
    fn add(&mut self, login: String, email: &str) {
        self.logins.insert(login);
        self.emails.insert(email.to_lowercase());
    }
}

/// Who has login IDs and addresses already, among members and in open invitations.
#[derive(Debug, Default)]
pub(super) struct Holders {
    members: Held,
    invited: Held,
}

impl Holders {
    /// Looks for whoever has what these people are to get, `except` for one invitation. An open one whose time is over
    /// holds nothing any more, and that is written down.
    ///
    /// # Errors
    /// Only if the database fails.
    pub(super) async fn find(tx: &Tx, people: &[&Invitee], except: Option<InvitationId>) -> Result<Self> {
        let mut holders = Self::default();
        let members = tx
            .select::<member::Entity>()
            .filter(member::Column::Status.eq(member::Status::Active));
        let members = members.filter(same::<member::Entity>(
            member::Column::Login,
            member::Column::Email,
            people,
        ));
        for member in members.all().await? {
            holders.members.add(member.login, &member.email);
        }
        let open = tx.select::<Entity>().filter(Column::State.eq(State::Pending));
        let open = open.filter(same::<Entity>(Column::Login, Column::Email, people));
        for invitation in open.all().await?.into_iter().filter(|row| Some(row.id) != except) {
            if invitation.state_at(tx.now()) == State::Pending {
                holders.invited.add(invitation.login, &invitation.email);
            } else {
                tx.update::<Entity>(invitation, |row| row.state = State::Expired)
                    .await?;
            }
        }
        Ok(holders)
    }

    /// What of this person's is somebody's. `place` is the path of a field.
    pub(super) fn problems(&self, place: &impl Fn(&str) -> String, person: &Invitee) -> Vec<Problem> {
        let email = person.email.to_lowercase();
        let code = |in_members: bool, in_invited: bool| match (in_members, in_invited) {
            (true, _) => Some(Code::AlreadyMember),
            (false, true) => Some(Code::AlreadyInvited),
            (false, false) => None,
        };
        let login = code(
            self.members.logins.contains(&person.login),
            self.invited.logins.contains(&person.login),
        );
        let address = code(
            self.members.emails.contains(&email),
            self.invited.emails.contains(&email),
        );
        [("login", login), ("email", address)]
            .into_iter()
            .filter_map(|(field, code)| Some(Problem::at(&place(field), code?)))
            .collect()
    }
}

/// Whether somebody is invited at an address, whatever its capitals: it is his until the invitation ends.
///
/// # Errors
/// Only if the database fails.
pub async fn is_invited(tx: &Tx, email: &str) -> Result<bool> {
    let same = Expr::expr(Func::lower(Expr::col((Entity, Column::Email)))).eq(email.to_lowercase());
    let open = tx.select::<Entity>().filter(Column::State.eq(State::Pending));
    let found = open.filter(same).one().await?;
    Ok(found.is_some_and(|invitation| invitation.state_at(tx.now()) == State::Pending))
}

/// Rows with one of these people's login IDs or addresses.
fn same<E: Record>(login: E::Column, email: E::Column, people: &[&Invitee]) -> Condition {
    let logins = people.iter().map(|person| person.login.clone());
    let emails = people.iter().map(|person| person.email.to_lowercase());
    Condition::any()
        .add(login.is_in(logins))
        .add(Expr::expr(Func::lower(Expr::col((E::default(), email)))).is_in(emails))
}

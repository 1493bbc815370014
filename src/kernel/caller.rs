//! One request, or one job, and its only two doors: `view` to look and `act` to change. No row can be reached but
//! through them, and neither opens without naming what is to be seen or done.

use std::sync::Arc;

use tokio::sync::Mutex;

use super::{
    Action, Actor, App, Error, Language, OrganizationId, Origin, Result, Role, SignedIn, Timestamp, audit,
    idempotency::{Ask, Outcome, Slot},
    tx::Tx,
    view::View,
};

/// Who asks, of which organization, from where, in which language.
pub struct Caller {
    app: App,
    actor: Actor,
    organization: Option<OrganizationId>,
    origin: Origin,
    language: Language,
    view: Mutex<Option<Arc<View>>>,
}

impl Caller {
    /// A caller of this organization; `None` where nobody has signed in.
    pub fn new(
        app: App,
        actor: Actor,
        organization: Option<OrganizationId>,
        origin: Origin,
        language: Language,
    ) -> Self {
        Self {
            app,
            actor,
            organization,
            origin,
            language,
            view: Mutex::new(None),
        }
    }

    /// The service itself, at work for an organization.
    pub fn system(app: App, job: &'static str, organization: OrganizationId) -> Self {
        let origin = Origin {
            address: None,
            request_id: job.to_owned(),
        };
        Self::new(app, Actor::System(job), Some(organization), origin, Language::default())
    }

    /// Whoever runs the service, for an organization.
    pub fn operator(app: App, organization: OrganizationId) -> Self {
        let origin = Origin {
            address: None,
            request_id: "command line".to_owned(),
        };
        Self::new(app, Actor::Operator, Some(organization), origin, Language::default())
    }

    /// Somebody knocking at an organization's door: for signing in, before it is known who it is. Whoever the request
    /// came from, there he is nobody yet: a member of one organization must not stand in another's log.
    #[must_use]
    pub fn at(&self, organization: OrganizationId) -> Self {
        Self::new(
            self.app.clone(),
            Actor::Nobody,
            Some(organization),
            self.origin.clone(),
            self.language,
        )
    }

    /// The same caller, now known, with what was opened to get to know him.
    #[must_use]
    pub fn signed_in_as(self, member: SignedIn) -> Self {
        Self {
            actor: Actor::Member(member),
            ..self
        }
    }

    /// The installation.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Whose rows are seen; `None` where nobody has signed in.
    pub fn organization_id(&self) -> Option<OrganizationId> {
        self.organization
    }

    /// Who asks.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// From where.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The language of what people read.
    pub fn language(&self) -> Language {
        self.language
    }

    /// The present instant.
    pub fn now(&self) -> Timestamp {
        self.app.clock.now()
    }

    /// Whether the caller's roles allow the action.
    pub fn may(&self, action: Action) -> bool {
        let roles = self.actor.roles();
        action.roles().iter().any(|role| roles.contains(role))
    }

    /// The door for looking. All views of a request see the organization at one instant; after a change, at a later
    /// one; after a dry run, as if it had happened.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `FORBIDDEN`.
    pub async fn view(&self, action: Action) -> Result<Arc<View>> {
        let organization = self.admit(action)?;
        self.open(organization).await
    }

    /// The view that a session's check needs before the actor is known. It can read one organization's rows, and is
    /// not handed to any resolver.
    pub(crate) async fn open(&self, organization: OrganizationId) -> Result<Arc<View>> {
        let mut kept = self.view.lock().await;
        if let Some(view) = &*kept {
            return Ok(view.clone());
        }
        let view = Arc::new(View::over(
            self.app.database.begin_read(organization).await?,
            organization,
        ));
        *kept = Some(view.clone());
        Ok(view)
    }

    /// The door for changing: permission, one write transaction, the deed, its audit entry and its jobs, commit. An
    /// error on the way leaves nothing behind; a refusal leaves its entry in the log.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `FORBIDDEN`, `CONFIRMATION_REQUIRED`, and what the deed says.
    pub async fn act<T: Outcome>(
        &self,
        action: Action,
        ask: &impl Ask,
        deed: impl for<'t> AsyncFnOnce(&'t Tx) -> Result<T> + Send,
    ) -> Result<T> {
        self.release().await;
        let organization = match self.admit(action) {
            Err(refusal) => return Err(self.refuse(action, refusal).await),
            Ok(organization) => organization,
        };
        let turn = self.app.database.turn(organization).await?;
        let tx = Tx::begin(
            self.app.clone(),
            self.actor.clone(),
            self.origin.clone(),
            action,
            organization,
        )
        .await?;
        match Self::perform(&tx, ask, deed).await {
            Ok(outcome) if ask.is_dry_run() => {
                *self.view.lock().await = Some(Arc::new(View::of(tx.reader().clone())));
                Ok(outcome)
            }
            Ok(outcome) => tx.commit().await.map(|()| outcome),
            Err(error) => {
                tx.rollback().await;
                drop(turn);
                Err(self.refuse(action, error).await)
            }
        }
    }

    /// Ends what this request has open. A dry run ends here, as if it had never been.
    pub async fn release(&self) {
        if let Some(view) = self.view.lock().await.take().and_then(Arc::into_inner) {
            view.end().await;
        }
    }

    async fn perform<T: Outcome>(
        tx: &Tx,
        ask: &impl Ask,
        deed: impl for<'t> AsyncFnOnce(&'t Tx) -> Result<T> + Send,
    ) -> Result<T> {
        let slot = Slot::of(tx, ask)?;
        let connection = &tx.reader().connection;
        if let Some(slot) = &slot
            && let Some(receipt) = slot.earlier(connection).await?
        {
            return T::again(tx, serde_json::from_value(receipt)?).await;
        }
        let outcome = deed(tx).await?;
        tx.log().await?;
        if let Some(slot) = slot {
            slot.keep(connection, &outcome.receipt()).await?;
        }
        Ok(outcome)
    }

    /// The organization, if the caller may.
    fn admit(&self, action: Action) -> Result<OrganizationId> {
        if self.may(action) {
            if action.needs_confirmation() && !self.actor.is_confirmed(self.now()) {
                return Err(Error::ConfirmationRequired);
            }
            return self.organization.ok_or(Error::Unauthenticated);
        }
        Err(if self.actor.roles() == [Role::Nobody] {
            Error::Unauthenticated
        } else {
            Error::Forbidden(action)
        })
    }

    /// Leaves the entry of a refusal in the organization's log. Where that can't be written, the refusal stands all
    /// the same.
    async fn refuse(&self, action: Action, error: Error) -> Error {
        let reason = match &error {
            Error::Forbidden(_) => "FORBIDDEN",
            Error::ConfirmationRequired => "CONFIRMATION_REQUIRED",
            _ => return error,
        };
        if let Err(fault) = self.log_refusal(action, reason).await {
            tracing::error!(error = ?fault, action = action.name(), "a refusal could not be logged");
        }
        error
    }

    async fn log_refusal(&self, action: Action, reason: &str) -> Result<()> {
        let (Some(organization), Some(log)) = (self.organization, action.log()) else {
            return Ok(());
        };
        let _turn = self.app.database.turn(organization).await?;
        let tx = Tx::begin(
            self.app.clone(),
            self.actor.clone(),
            self.origin.clone(),
            action,
            organization,
        )
        .await?;
        let draft = audit::Draft {
            id: tx.fresh_id(),
            log,
            occurred_at: tx.now(),
            action: action.name(),
            outcome: audit::Outcome::Denied,
            reason: Some(reason.to_owned()),
            actor_kind: self.actor.kind(),
            actor_id: self.actor.id(),
            actor_name: self.actor.display_name(),
            address: self.origin.address_text(),
            request_id: self.origin.request_id.clone(),
            target: None,
            service_id: None,
            changes: Vec::new(),
            rights: Vec::new(),
        };
        audit::append(&tx.reader().connection, &self.app.keys, organization, draft).await?;
        tx.commit().await
    }
}

impl std::fmt::Debug for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Caller")
            .field("actor", &self.actor)
            .field("organization", &self.organization)
            .finish_non_exhaustive()
    }
}

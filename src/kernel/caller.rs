//! One request, or one job, and its doors: `view` to look and `act` to change; `journal.rs` has a third, narrow one. No
//! row can be reached but through them, and none opens without naming what is to be seen or done.

use std::sync::Arc;

use tokio::sync::Mutex;

use super::{
    Action, Actor, App, Error, Language, OrganizationId, Origin, Reader, Result, Role, Timestamp,
    anew::Stay,
    aside::Aside,
    fetches::Fetches,
    idempotency::{Ask, Outcome, Plain, Slot},
    looks::Looks,
    trace::Work,
    tx::{Doing, Tx},
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
    /// Whether his views may come from the read replica.
    pub(super) aside: Aside,
    fetches: Fetches,
    /// What he has seen of the logs, and what he was not let see.
    pub(super) looks: Looks,
    /// What he has as one who stays.
    pub(super) stay: Stay,
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
            aside: Aside::default(),
            fetches: Fetches::default(),
            looks: Looks::default(),
            stay: Stay::default(),
        }
    }

    /// The service itself, at work for an organization.
    pub fn system(app: App, job: &'static str, organization: OrganizationId) -> Self {
        let origin = Origin {
            address: None,
            request_id: job.to_owned(),
            client: String::new(),
        };
        Self::new(app, Actor::System(job), Some(organization), origin, Language::default())
    }

    /// Whoever runs the service, for an organization.
    pub fn operator(app: App, organization: OrganizationId) -> Self {
        let origin = Origin {
            address: None,
            request_id: "command line".to_owned(),
            client: String::new(),
        };
        Self::new(app, Actor::Operator, Some(organization), origin, Language::default())
    }

    /// Somebody knocking at an organization's door: for signing in, before it is known who it is. Whoever the request
    /// came from, there he is nobody yet: a member of one organization must not stand in another's log. What the request
    /// has open ends here: it holds one connection at a time.
    pub async fn at(&self, organization: OrganizationId) -> Self {
        self.release().await;
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
    pub fn known_as(self, actor: Actor) -> Self {
        Self { actor, ..self }
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
    /// one; after a dry run, as if it had happened. A refusal is kept for the log until [`Caller::leave`].
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `FORBIDDEN`, `SECOND_FACTOR_REQUIRED`.
    pub async fn view(&self, action: Action) -> Result<Arc<View>> {
        let organization = self
            .admit(&self.actor, action)
            .inspect_err(|refusal| self.keep(action, refusal))?;
        self.look(organization).await
    }

    /// The door for looking where whoever may not know of a thing is told that there is none.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn view_if_allowed(&self, action: Action) -> Result<Option<Arc<View>>> {
        match self.view(action).await {
            Err(Error::Unauthenticated | Error::Forbidden(_)) => Ok(None),
            view => view.map(Some),
        }
    }

    /// What he looks through: of the read replica if that may be, else what is open or will be.
    pub(super) async fn look(&self, organization: OrganizationId) -> Result<Arc<View>> {
        if self.aside.is_due() {
            Box::pin(self.go_aside(organization)).await;
        }
        self.open(organization).await
    }

    /// Opens a view of the read replica, where it has one.
    async fn go_aside(&self, organization: OrganizationId) {
        let mut kept = self.view.lock().await;
        // Another of his looks may have been here before, and nobody finds what was kept until this is decided.
        if let Some(mark) = self.aside.take()
            && let Some(replica) = self.app.database.replica()
            && let Some(view) = replica.view((organization, &mark), &self.app, &self.fetches).await
        {
            self.aside.went();
            if let Some(checked) = kept.replace(view).and_then(Arc::into_inner) {
                checked.end().await;
            }
        }
    }

    /// The view that a session's check needs before the actor is known. It can read one organization's rows, and is
    /// not handed to any resolver: it is always the first database's.
    pub(crate) async fn open(&self, organization: OrganizationId) -> Result<Arc<View>> {
        // The runtime lets a task take a lock that waits only so often in a row; a long list takes it more often.
        if let Ok(kept) = self.view.try_lock()
            && let Some(view) = &*kept
        {
            return Ok(view.clone());
        }
        // On the heap: it would be part of every field that may look at something, and is copied with it.
        Box::pin(self.opened(organization)).await
    }

    async fn opened(&self, organization: OrganizationId) -> Result<Arc<View>> {
        let mut kept = self.view.lock().await;
        if let Some(view) = &*kept {
            return Ok(view.clone());
        }
        let mut work = Work::look(self.app.database.backend());
        let (connection, mark) = self.app.database.begin_read(organization).await?;
        self.aside.saw(mark);
        work.iter_mut().for_each(Work::has_begun);
        let reader = Arc::new(Reader {
            connection,
            organization,
        });
        let view = self.view_of(reader, work);
        *kept = Some(view.clone());
        Ok(view)
    }

    fn view_of(&self, reader: Arc<Reader>, work: Option<Work>) -> Arc<View> {
        Arc::new(View::of(reader, self.app.clone(), self.fetches.clone(), work))
    }

    /// Works on an answer; what its resolvers ask for is fetched when nothing else of it can go on.
    pub async fn answer<T>(&self, work: impl Future<Output = T>) -> T {
        self.fetches.drive(work).await
    }

    /// The door for changing: permission, one write transaction, the deed, its audit entry and its jobs, commit. An
    /// error on the way leaves nothing behind; a refusal leaves its entry in the log.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `FORBIDDEN`, `SECOND_FACTOR_REQUIRED`, `CONFIRMATION_REQUIRED`, and what the deed says.
    pub async fn act<T: Outcome>(
        &self,
        action: Action,
        ask: &impl Ask,
        deed: impl for<'t> AsyncFnOnce(&'t Tx) -> Result<T> + Send,
    ) -> Result<T> {
        Box::pin(self.done(Doing::Deed(action), ask, deed)).await
    }

    /// The same for a step of something larger, of which nobody relies on more than that it is there whole or not at all:
    /// it does not wait for the disk. Where the database loses its memory, the last steps are as if they had never been.
    ///
    /// # Errors
    /// As [`Caller::act`].
    pub async fn step<T: Outcome>(
        &self,
        action: Action,
        deed: impl for<'t> AsyncFnOnce(&'t Tx) -> Result<T> + Send,
    ) -> Result<T> {
        if action.log().is_some() {
            return Err(Error::internal("what stands in the log waits for the disk"));
        }
        Box::pin(self.done(Doing::Step(action), &Plain, deed)).await
    }

    async fn done<T: Outcome>(
        &self,
        doing: Doing,
        ask: &impl Ask,
        deed: impl for<'t> AsyncFnOnce(&'t Tx) -> Result<T> + Send,
    ) -> Result<T> {
        self.release().await;
        let action = doing.action();
        let organization = match self.admit(&self.actor, action) {
            Err(refusal) => return Err(self.refuse(action, refusal).await),
            Ok(organization) => organization,
        };
        let mut work = Work::deed(action, self.app.database.backend());
        let turn = self.app.database.turn(organization).await?;
        let (app, actor, origin) = (self.app.clone(), self.actor.clone(), self.origin.clone());
        let mut tx = Tx::begin(app, actor, origin, doing, &turn).await?;
        work.iter_mut().for_each(Work::has_begun);
        let performed = match self.actor_now(tx.reader(), action).await {
            Ok(actor) => {
                tx.be(actor);
                Self::perform(&tx, ask, deed).await
            }
            Err(refusal) => Err(refusal),
        };
        match performed {
            Ok(outcome) if ask.is_dry_run() => {
                let view = View::of(tx.reader().clone(), self.app.clone(), self.fetches.clone(), work);
                *self.view.lock().await = Some(Arc::new(view.keeping(turn)));
                Ok(outcome)
            }
            Ok(outcome) => tx.commit(turn).await.map(|()| outcome),
            Err(error) => {
                tx.rollback().await;
                drop(turn);
                work.iter_mut().for_each(Work::was_undone);
                drop(work);
                Err(self.refuse(action, error).await)
            }
        }
    }

    /// Ends what this request has open. A dry run ends here, as if it had never been.
    pub async fn release(&self) {
        self.aside.end();
        if let Some(view) = self.view.lock().await.take().and_then(Arc::into_inner) {
            Box::pin(view.end()).await;
        }
        self.stay.give_back();
    }

    /// Ends a dry run, if this request has one open; what else it looks at stays as it was.
    pub(super) async fn end_dry_run(&self) {
        let is_open = self.view.lock().await.as_ref().is_some_and(|view| view.is_of_dry_run());
        if is_open {
            self.release().await;
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
        // On the heap: what is asked of a deed should not weigh on every request's stack.
        let outcome = Box::pin(deed(tx)).await?;
        tx.log().await?;
        if let Some(slot) = slot {
            slot.keep(connection, &outcome.receipt()).await?;
        }
        Ok(outcome)
    }

    /// Who it is inside a write: whoever waited may have lost his right, his session or his key meanwhile.
    pub(super) async fn actor_now(&self, reader: &Reader, action: Action) -> Result<Actor> {
        if !matches!(self.actor, Actor::Member(_) | Actor::Key(_)) {
            return Ok(self.actor.clone());
        }
        let now = (self.app.standing)(&self.app, reader, &self.actor).await?;
        let actor = now.ok_or(Error::Unauthenticated)?;
        self.admit(&actor, action)?;
        Ok(actor)
    }

    /// The organization, if this actor may.
    pub(super) fn admit(&self, actor: &Actor, action: Action) -> Result<OrganizationId> {
        let roles = actor.roles();
        if action.roles().iter().any(|role| roles.contains(role)) {
            if action.needs_confirmation() && !actor.is_confirmed(self.now()) {
                return Err(Error::ConfirmationRequired);
            }
            return self.organization.ok_or(Error::Unauthenticated);
        }
        Err(match roles[..] {
            [Role::Nobody] => Error::Unauthenticated,
            [Role::Enrolling] => Error::SecondFactorRequired,
            _ => Error::Forbidden(action),
        })
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

//! The loop of one socket: what the other side says, what its operations come to, and its clocks. It is one task, and each
//! operation is another, so that none of them stands still with something open while this one waits for the other side to
//! read; nothing of it waits for another socket.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use async_graphql::{ServerError, parser::types::OperationType};
use axum::{
    Error,
    extract::ws::{CloseFrame, Message},
};
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use tokio::{
    sync::mpsc,
    task::{AbortHandle, JoinError, JoinSet},
    time::{self, MissedTickBehavior, interval, timeout, timeout_at},
};

use super::{
    MAX_MESSAGE_BYTES, SocketSettings, Sockets,
    allowance::Allowance,
    handshake::Visitor,
    known::Known,
    message::{self, Close, Incoming, Outgoing},
    operation::{self, Happening, Teller, Told},
    places::Place,
    strangers::Stranger,
};
use crate::api::{backend::Backend, cost::Taker, parameters::Parameters, session::Api};

/// How long the other side may take to say goodbye as well.
const GOODBYE: Duration = Duration::from_secs(1);
/// What letting somebody in costs, in points of his bucket.
const INIT: u64 = 10;
/// How many events of operations wait for the other side to read; each operation waits with one more.
const WAITING: usize = 4;

/// How a conversation ends.
enum End {
    /// We close, and say why.
    Close(Close),
    /// The other side closes, is gone, or does not read what it is sent.
    Gone,
}

impl From<Close> for End {
    fn from(close: Close) -> Self {
        Self::Close(close)
    }
}

/// An operation that is not over. It ends where this is dropped.
struct Live {
    number: u64,
    running: AbortHandle,
    _places: [Place; 2],
}

impl Drop for Live {
    fn drop(&mut self) {
        self.running.abort();
    }
}

/// What comes next.
enum Turn {
    Heard(Option<Result<Message, Error>>),
    Happened(Told),
    Ended(Result<(), JoinError>),
    Looked,
}

/// One socket.
pub(super) struct Conversation<S> {
    socket: S,
    api: Api,
    visitor: Arc<Visitor>,
    sockets: Sockets,
    stranger: Option<Stranger>,
    known: Option<Known>,
    running: JoinSet<()>,
    telling: mpsc::Sender<Told>,
    told: mpsc::Receiver<Told>,
    live: HashMap<String, Live>,
    begun: u64,
    allowance: Allowance,
    opened: Instant,
    heard: Instant,
    pinged: Instant,
    checked: Instant,
}

impl<S> Conversation<S>
where
    S: Stream<Item = Result<Message, Error>> + Sink<Message, Error = Error> + Unpin,
{
    pub(super) fn new(socket: S, api: Api, visitor: Visitor, sockets: &Sockets, stranger: Stranger) -> Self {
        let now = Instant::now();
        let (telling, told) = mpsc::channel(WAITING);
        let (most, back) = (sockets.settings.most_idle, sockets.settings.idle_back);
        Self {
            socket,
            api,
            visitor: Arc::new(visitor),
            sockets: sockets.clone(),
            stranger: Some(stranger),
            known: None,
            running: JoinSet::new(),
            telling,
            told,
            live: HashMap::new(),
            begun: 0,
            allowance: Allowance::new(most, back, now),
            opened: now,
            heard: now,
            pinged: now,
            checked: now,
        }
    }

    /// Holds the conversation to its end; the code that it was closed with, 1000 where the other side closed it or is gone.
    pub(super) async fn hold(mut self) -> u16 {
        let end = self.talk().await;
        // What runs has no reader any more.
        self.live.clear();
        self.running.abort_all();
        let End::Close(Close(code, reason)) = end else {
            return 1000;
        };
        let frame = CloseFrame {
            code,
            reason: reason.into(),
        };
        let (socket, stranger) = (&mut self.socket, &self.stranger);
        let crowded = async {
            match stranger {
                Some(stranger) => stranger.pushed_out.cancelled().await,
                None => std::future::pending().await,
            }
        };
        let goodbye = async {
            if socket.send(Message::Close(Some(frame))).await.is_ok() {
                while let Some(Ok(_)) = socket.next().await {}
            }
        };
        let is_answered = tokio::select! {
            // Whoever has to make room is told so, and not waited for.
            biased;
            said = timeout(GOODBYE, goodbye) => said.is_ok(),
            () = crowded => false,
        };
        if !is_answered {
            tracing::debug!(code, "a socket was closed without an answer");
        }
        code
    }

    fn settings(&self) -> SocketSettings {
        self.sockets.settings
    }

    async fn talk(&mut self) -> End {
        let stopping = self.sockets.stopping.clone();
        let crowded = self.stranger.as_ref().map(|stranger| stranger.pushed_out.clone());
        let crowded = crowded.unwrap_or_default();
        let begun_by = time::Instant::from_std(self.opened) + self.settings().init_within;
        let mut look = interval(self.settings().look_every);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let turn = tokio::select! {
                () = stopping.cancelled() => return Close::RESTART.into(),
                () = crowded.cancelled(), if self.stranger.is_some() => return Close::CROWDED.into(),
                heard = self.socket.next() => Turn::Heard(heard),
                Some(told) = self.told.recv() => Turn::Happened(told),
                Some(ended) = self.running.join_next() => Turn::Ended(ended),
                _ = look.tick() => Turn::Looked,
            };
            let taken = if self.known.is_some() {
                self.take(turn).await
            } else {
                // Whatever he says, and however slowly he reads what is answered.
                let taken = timeout_at(begun_by, self.take(turn)).await;
                taken.unwrap_or_else(|_| Err(Close::INIT_LATE.into()))
            };
            if let Err(end) = taken {
                return end;
            }
        }
    }

    async fn take(&mut self, turn: Turn) -> Result<(), End> {
        match turn {
            Turn::Heard(Some(Ok(message))) => self.hear(message).await,
            Turn::Heard(None | Some(Err(_))) => Err(End::Gone),
            Turn::Happened(told) => self.tell(told).await,
            Turn::Ended(Err(error)) if error.is_panic() => {
                tracing::error!(
                    request_id = self.visitor.request_id,
                    "an operation of a socket has panicked"
                );
                Err(Close::TRY_LATER.into())
            }
            Turn::Ended(_) => Ok(()),
            Turn::Looked => self.look().await,
        }
    }

    async fn hear(&mut self, message: Message) -> Result<(), End> {
        self.heard = Instant::now();
        let text = match message {
            Message::Text(text) if text.len() > MAX_MESSAGE_BYTES => return Err(Close::TOO_LARGE.into()),
            Message::Text(text) => text,
            Message::Binary(_) => return Err(Close::INVALID.into()),
            // Answered by the layer below.
            Message::Ping(_) | Message::Pong(_) => return self.idle(),
            Message::Close(_) => return Err(End::Gone),
        };
        match message::read(&text)? {
            Incoming::Init(_) if self.known.is_some() => Err(Close::INIT_AGAIN.into()),
            Incoming::Init(None) => Err(Close::FORBIDDEN.into()),
            Incoming::Init(Some(token)) => self.let_in(token).await,
            Incoming::Ping => {
                self.idle()?;
                self.say(&Outgoing::Pong).await
            }
            Incoming::Pong => self.idle(),
            Incoming::Subscribe(id, parameters) => self.subscribe(id, *parameters).await,
            Incoming::Complete(id) => match self.live.remove(&id) {
                Some(_) => Ok(()),
                None => self.idle(),
            },
        }
    }

    /// Counts a message that begins and ends nothing: no caller pays for those, so there may be so many.
    fn idle(&mut self) -> Result<(), End> {
        match self.allowance.take(Instant::now()) {
            true => Ok(()),
            false => Err(Close::IDLE.into()),
        }
    }

    /// Lets in whoever has a good token, and a place.
    async fn let_in(&mut self, token: String) -> Result<(), End> {
        let head = operation::head(&self.visitor, &token, OperationType::Query, (INIT, None));
        let visit = match self.api.enter(head).await {
            Ok(entered) => entered.visit,
            Err(refusal) => {
                return Err(End::Close(match refusal.status.as_u16() {
                    429 => Close::THROTTLED,
                    500.. => Close::TRY_LATER,
                    _ => Close::FORBIDDEN,
                }));
            }
        };
        let (caller, organization) = (Taker::of(visit.actor(), visit.origin()), visit.organization_id());
        self.api.leave(visit).await;
        let (Some(until), Some(organization)) = (self.api.until(&token), organization) else {
            return Err(Close::FORBIDDEN.into());
        };
        self.known = Some(Known::new(token, until, (caller, organization), &self.sockets)?);
        self.stranger = None;
        self.checked = Instant::now();
        self.say(&Outgoing::ConnectionAck).await
    }

    async fn subscribe(&mut self, id: String, parameters: Result<Parameters, ServerError>) -> Result<(), End> {
        let Some(known) = &self.known else {
            return Err(Close::UNAUTHORIZED.into());
        };
        if self.live.contains_key(&id) {
            return Err(Close::TWICE.into());
        }
        let (ready, meter, places) = match known.admit(&self.api, &self.sockets, self.live.len(), parameters) {
            Ok(admitted) => admitted,
            Err(error) => {
                self.idle()?;
                let payload = &[error];
                return self.say(&Outgoing::Error { id: &id, payload }).await;
            }
        };
        self.begun += 1;
        let number = self.begun;
        let (visitor, token) = (self.visitor.clone(), known.token.clone());
        let teller = Teller::new(number, &id, &self.telling);
        let run = operation::run(self.api.clone(), visitor, token, (ready, meter), teller);
        let live = Live {
            number,
            running: self.running.spawn(run),
            _places: places,
        };
        self.live.insert(id, live);
        Ok(())
    }

    /// Tells what an operation came to, unless its ID is free or another's by now.
    async fn tell(&mut self, told: Told) -> Result<(), End> {
        let Told { number, id, happening } = told;
        if self.live.get(&*id).is_none_or(|live| live.number != number) {
            return Ok(());
        }
        match happening {
            Happening::Next(response) => {
                let payload = &*response;
                self.say(&Outgoing::Next { id: &id, payload }).await
            }
            Happening::Refused(errors) => {
                self.live.remove(&*id);
                let payload = errors.as_slice();
                self.say(&Outgoing::Error { id: &id, payload }).await
            }
            Happening::Over => {
                self.live.remove(&*id);
                self.say(&Outgoing::Complete { id: &id }).await
            }
        }
    }

    /// Looks at the clocks: of the begin, of the token, of the session, of the other side.
    async fn look(&mut self) -> Result<(), End> {
        let settings = self.settings();
        let Some(known) = &self.known else {
            return match self.opened.elapsed() >= settings.init_within {
                true => Err(Close::INIT_LATE.into()),
                false => Ok(()),
            };
        };
        if self.api.app().clock.now() >= known.until {
            return Err(Close::TOKEN_OVER.into());
        }
        if self.checked.elapsed() >= settings.recheck_every {
            self.checked = Instant::now();
            if !self.api.still_holds(&self.visitor.request_id, &known.token).await {
                return Err(Close::TOKEN_OVER.into());
            }
        }
        if self.heard.elapsed() >= settings.silence {
            return Err(Close::SILENT.into());
        }
        if self.pinged.elapsed() >= settings.ping_every {
            self.pinged = Instant::now();
            return self.send(Message::Ping(axum::body::Bytes::new())).await;
        }
        Ok(())
    }

    async fn say(&mut self, message: &Outgoing<'_>) -> Result<(), End> {
        match message.text() {
            Ok(text) => self.send(Message::text(text)).await,
            Err(error) => {
                tracing::error!(%error, "a message could not be written");
                Err(Close::TRY_LATER.into())
            }
        }
    }

    /// Whoever takes too long to read is cut off: what would be sent to him does not pile up.
    async fn send(&mut self, message: Message) -> Result<(), End> {
        match timeout(self.settings().send_within, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Gone),
            Err(_) => {
                tracing::info!(request_id = self.visitor.request_id, "a socket was not read from");
                Err(End::Gone)
            }
        }
    }
}

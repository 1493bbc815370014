//! Requests that bring files: `multipart/form-data` by the GraphQL multipart request specification, its parts in the
//! specified order, so that the request is judged and its caller let in before a byte of a file is read.
//!
//! What is kept in memory is bounded three times: by part, by request and, over all requests, by [`Room`]. What goes past
//! the size that a mutation takes is read to be thrown away, so that its sender is told in the payload.

mod map;
mod steps;

use std::{borrow::Cow, sync::Arc, time::Duration};

use async_graphql::Variables;
use axum::{
    body::{Body, HttpBody},
    http::{HeaderMap, HeaderValue, StatusCode, header},
};
use bytes::{Bytes, BytesMut};
use multer::{Field, Multipart};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub use self::map::{MAX_FILES, Places};
use self::steps::{Allowance, Steps, Stopped};
use super::{
    codes::RequestCode,
    graphql_http::Refusal,
    layers::AnswerClock,
    parameters::{self, MAX_BODY_BYTES, Parameters},
};
use crate::kernel::upload::Upload;

/// Largest form in bytes, all its parts together: one workbook of 20 MB, or five pictures, and room for the rest.
pub const MAX_FORM_BYTES: usize = 24 * 1024 * 1024;
/// Largest `map` in bytes.
pub const MAX_MAP_BYTES: usize = 16 * 1024;
/// Longest that the files of a request may take to arrive.
pub const FILES_DEADLINE: Duration = Duration::from_secs(60);
/// Files of all requests together, in bytes, that are in memory at a time.
pub const MAX_ROOM_BYTES: usize = 64 * 1024 * 1024;
/// Longest name of a file, in characters.
const MAX_FILE_NAME: usize = 255;
/// What a permit of the room stands for, in bytes.
const GRAIN: usize = 1024;
/// Seconds after which a sender may come again who found no room.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// Headers that a page of another site can't send without asking first; one of them has to be there.
const PREFLIGHT: [&str; 3] = [
    "graphql-require-preflight",
    "apollo-require-preflight",
    "x-requested-with",
];

/// Whether the browser, if there is one, had to ask before it sent this.
#[must_use]
pub fn has_preflight(headers: &HeaderMap) -> bool {
    PREFLIGHT
        .iter()
        .any(|name| headers.get(*name).is_some_and(|value| !value.is_empty()))
}

/// The memory that files of all requests share.
#[derive(Clone, Debug)]
pub struct Room(Arc<Semaphore>);

impl Room {
    /// A room of this many bytes.
    #[must_use]
    pub fn of(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes / GRAIN)))
    }

    /// How many bytes are free.
    #[must_use]
    pub fn free(&self) -> usize {
        self.0.available_permits() * GRAIN
    }
}

impl Default for Room {
    fn default() -> Self {
        Self::of(MAX_ROOM_BYTES)
    }
}

/// What one request has of the room; it is given back when this is dropped.
#[derive(Debug)]
pub struct Taken {
    room: Room,
    permits: Vec<OwnedSemaphorePermit>,
    grains: usize,
}

impl Taken {
    /// Nothing yet.
    #[must_use]
    pub fn nothing(room: &Room) -> Self {
        Self {
            room: room.clone(),
            permits: Vec::new(),
            grains: 0,
        }
    }

    fn reach(&mut self, bytes: usize) -> Result<(), Refusal> {
        let wanted = bytes.div_ceil(GRAIN).saturating_sub(self.grains);
        if wanted == 0 {
            return Ok(());
        }
        let permits = u32::try_from(wanted).map_err(|_| no_room())?;
        let permit = self.room.0.clone().try_acquire_many_owned(permits);
        self.permits.push(permit.map_err(|_| no_room())?);
        self.grains += wanted;
        Ok(())
    }
}

/// Reads a form as far as its files, within a deadline: the parameters of the request, its files' places in their
/// variables marked.
///
/// # Errors
/// 400 for what is none of the specification's forms, 408 past the deadline, 413 for what is too large.
pub async fn begin(body: Body, boundary: String, deadline: Duration) -> Result<(Parameters, Form, Places), Refusal> {
    let mut form = Form::open(body, boundary)?;
    let beginning = tokio::time::timeout(deadline, form.beginning()).await;
    let (operations, map) = beginning.unwrap_or_else(|_| Err(late()))?;
    let mut parameters = parameters::parse(&operations).map_err(|error| bad(error.message))?;
    let places = Places::mark(&map, &mut parameters.variables)?;
    Ok((parameters, form, places))
}

/// The files of a form that was read as far as them.
#[derive(Debug)]
pub struct Files {
    /// The form.
    pub form: Form,
    /// Where they belong.
    pub places: Places,
    /// The largest of them in bytes that is taken.
    pub largest: usize,
}

impl Files {
    /// Waits for the files, and puts each into its place in the variables.
    ///
    /// # Errors
    /// 400 where a file is missing, comes twice or has no place, 408 where they are late, 413 where the form is too large,
    /// 503 where no room is left for them.
    pub async fn receive(
        self,
        clock: Option<&AnswerClock>,
        variables: &mut Variables,
        taken: &mut Taken,
    ) -> Result<(), Refusal> {
        if let Some(clock) = clock {
            clock.await_body(FILES_DEADLINE);
        }
        let reading = self.form.files(self.places, self.largest, variables, taken);
        let read = tokio::time::timeout(FILES_DEADLINE, reading).await;
        let is_seated = clock.is_none_or(AnswerClock::restart);
        read.unwrap_or_else(|_| Err(late()))?;
        if is_seated { Ok(()) } else { Err(overloaded()) }
    }
}

/// A form that is being read.
pub struct Form {
    parts: Multipart<'static>,
    allowance: Allowance,
}

impl Form {
    /// Begins to read a form.
    ///
    /// # Errors
    /// 413 where it is announced as larger than [`MAX_FORM_BYTES`].
    fn open(body: Body, boundary: String) -> Result<Self, Refusal> {
        if body.size_hint().lower() > u64::try_from(MAX_FORM_BYTES).unwrap_or(u64::MAX) {
            return Err(form_too_large());
        }
        let allowance = Allowance::of(MAX_FORM_BYTES);
        let steps = Steps::new(body.into_data_stream(), allowance.clone());
        Ok(Self {
            parts: Multipart::new(steps, boundary),
            allowance,
        })
    }

    /// The parts `operations` and `map`, which come first and in this order.
    ///
    /// # Errors
    /// 400 where they do not, 413 where one is too large.
    async fn beginning(&mut self) -> Result<(Bytes, Bytes), Refusal> {
        let operations = self.text("operations", MAX_BODY_BYTES).await?;
        let map = self.text("map", MAX_MAP_BYTES).await?;
        Ok((operations, map))
    }

    /// Reads the files to the end of the form.
    async fn files(
        mut self,
        mut places: Places,
        largest: usize,
        variables: &mut Variables,
        taken: &mut Taken,
    ) -> Result<(), Refusal> {
        let mut held = 0;
        while let Some(field) = self.next().await? {
            let part = field.name().unwrap_or_default().to_owned();
            let Some(place) = places.take(&part) else {
                return Err(bad("The form has a part that map does not name, or has one twice."));
            };
            let name = shown(field.file_name().unwrap_or_default());
            let content = self.content(field, largest, held, taken).await?;
            held += content.as_ref().map_or(0, Bytes::len);
            place.put(variables, Upload::new(name, content).into_value())?;
        }
        if places.are_filled() {
            Ok(())
        } else {
            Err(bad("The form ends before every file that map names has come."))
        }
    }

    async fn next(&mut self) -> Result<Option<Field<'static>>, Refusal> {
        self.allowance.renew();
        self.parts.next_field().await.map_err(|error| refusal(&error))
    }

    async fn text(&mut self, name: &str, most: usize) -> Result<Bytes, Refusal> {
        let order = || bad("A form has the parts operations, map and the files that map names, in this order.");
        let field = self.next().await?.ok_or_else(order)?;
        if field.name() != Some(name) {
            return Err(order());
        }
        let mut field = field;
        let mut content = BytesMut::new();
        while let Some(chunk) = self.chunk(&mut field).await? {
            if content.len() + chunk.len() > most {
                return Err(too_large(format!("The part {name} is larger than {most} bytes.")));
            }
            content.extend_from_slice(&chunk);
        }
        Ok(content.freeze())
    }

    /// The content of a file, or nothing where it is larger than `largest`.
    async fn content(
        &mut self,
        mut field: Field<'static>,
        largest: usize,
        held: usize,
        taken: &mut Taken,
    ) -> Result<Option<Bytes>, Refusal> {
        let mut content = Some(BytesMut::new());
        while let Some(chunk) = self.chunk(&mut field).await? {
            if let Some(kept) = &mut content {
                if kept.len() + chunk.len() > largest {
                    content = None;
                } else {
                    kept.extend_from_slice(&chunk);
                    taken.reach(held + kept.capacity())?;
                }
            }
        }
        Ok(content.map(BytesMut::freeze))
    }

    async fn chunk(&self, field: &mut Field<'static>) -> Result<Option<Bytes>, Refusal> {
        self.allowance.renew();
        field.chunk().await.map_err(|error| refusal(&error))
    }
}

impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Form").finish_non_exhaustive()
    }
}

/// A name as it may stand on a page: what its sender gave, without control characters.
fn shown(name: &str) -> String {
    name.chars()
        .filter(|letter| !letter.is_control())
        .take(MAX_FILE_NAME)
        .collect()
}

fn refuse(status: StatusCode, code: RequestCode, message: impl Into<Cow<'static, str>>) -> Refusal {
    Refusal {
        status,
        code: code.as_str(),
        message: message.into(),
        headers: Vec::new(),
    }
}

/// The refusal of a form that is none of the specification's.
fn bad(message: impl Into<Cow<'static, str>>) -> Refusal {
    refuse(StatusCode::BAD_REQUEST, RequestCode::BadRequest, message)
}

fn too_large(message: impl Into<Cow<'static, str>>) -> Refusal {
    refuse(StatusCode::PAYLOAD_TOO_LARGE, RequestCode::PayloadTooLarge, message)
}

fn form_too_large() -> Refusal {
    too_large(format!("The form is larger than {MAX_FORM_BYTES} bytes."))
}

fn no_room() -> Refusal {
    Refusal {
        headers: vec![(header::RETRY_AFTER, RETRY_AFTER)],
        ..refuse(
            StatusCode::SERVICE_UNAVAILABLE,
            RequestCode::Overloaded,
            "Too many files are on their way.",
        )
    }
}

/// The refusal of a form for which there is no room among the requests in flight, now that it is here.
fn overloaded() -> Refusal {
    refuse(
        StatusCode::SERVICE_UNAVAILABLE,
        RequestCode::Overloaded,
        "Too many requests are in flight.",
    )
}

/// The refusal of a form whose parts are late.
fn late() -> Refusal {
    refuse(
        StatusCode::REQUEST_TIMEOUT,
        RequestCode::RequestTimeout,
        "The form did not arrive in time.",
    )
}

/// What a failure of the reader means; its own text may quote the form.
fn refusal(error: &multer::Error) -> Refusal {
    let stopped = match error {
        multer::Error::StreamReadFailed(cause) => cause.downcast_ref::<Stopped>(),
        _ => None,
    };
    match stopped {
        Some(Stopped::FormTooLarge) => form_too_large(),
        Some(Stopped::HeadTooLarge) => bad("A part of the form does not begin as one."),
        Some(Stopped::BrokeOff) => bad("The body broke off."),
        None => bad("The body is not a form that is read here."),
    }
}

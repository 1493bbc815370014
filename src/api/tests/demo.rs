//! A small schema and a backend for it, to test the HTTP layer against.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_graphql::{
    ComplexObject, Context, Data, EmptySubscription, Enum, Error, ErrorExtensions, InputObject, Object, Result, Schema,
    SimpleObject,
};
use axum::http::{HeaderValue, StatusCode, header};

use crate::{
    api::{
        cost::CostTable,
        graphql_http::{Backend, EnteredCaller, Refusal, RequestHead},
        null_in_place::NullInPlace,
    },
    kernel::Upload,
};

/// The largest file that `keep` takes, in bytes.
pub const LARGEST_FILE: usize = 100 * 1024;

#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub enum Color {
    Red,
    Green,
}

#[derive(InputObject)]
pub struct RoomInput {
    pub number: i32,
    pub password: Option<String>,
}

#[derive(SimpleObject, Clone)]
#[graphql(complex)]
pub struct Room {
    pub number: i32,
}

#[ComplexObject]
impl Room {
    async fn key(&self) -> Result<Option<String>> {
        Err("SELECT key FROM room: no such table".into())
    }
}

#[derive(SimpleObject)]
pub struct RoomEdge {
    pub cursor: String,
    pub node: Room,
}

#[derive(SimpleObject)]
pub struct RoomConnection {
    pub edges: Vec<RoomEdge>,
    pub total_count: i32,
}

pub struct Caller {
    pub name: Option<String>,
    pub request_id: String,
}

pub struct Query;

#[Object]
impl Query {
    async fn hello(&self) -> &str {
        "hello"
    }
    async fn who(&self, context: &Context<'_>) -> Result<String> {
        let caller = context.data::<Caller>()?;
        let name = caller.name.clone();
        name.ok_or_else(|| Error::new("Sign in first.").extend_with(|_, e| e.set("code", "UNAUTHENTICATED")))
    }
    async fn request_id(&self, context: &Context<'_>) -> Result<String> {
        Ok(context.data::<Caller>()?.request_id.clone())
    }
    async fn echo(&self, number: i32, color: Option<Color>, room: Option<RoomInput>) -> i32 {
        let room = room.map_or(0, |room| room.number + room.password.map_or(0, |_| 1));
        number + room + i32::from(color == Some(Color::Green))
    }
    async fn rooms(&self, first: Option<i32>) -> RoomConnection {
        let edges = (0..first.unwrap_or(20)).map(|number| RoomEdge {
            cursor: number.to_string(),
            node: Room { number },
        });
        RoomConnection {
            edges: edges.collect(),
            total_count: 1_000,
        }
    }
    async fn broken(&self) -> Result<Option<i32>> {
        Err("SELECT secret FROM vault".into())
    }
    async fn needed(&self) -> Result<i32> {
        Err("cannot open /var/lib/secret".into())
    }
    async fn panics(&self) -> Option<i32> {
        let none: Option<i32> = None;
        let list = [1];
        none.or_else(|| list.get(1).copied())
            .or_else(|| Some(list[list.len() + list[0] as usize - 1]))
    }
    async fn slow(&self) -> i32 {
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        1
    }
    async fn wait(&self, ms: u64) -> u64 {
        tokio::time::sleep(Duration::from_millis(ms)).await;
        ms
    }
}

pub struct Mutation;

#[Object]
impl Mutation {
    async fn count(&self, context: &Context<'_>) -> Result<usize> {
        Ok(context.data::<Arc<AtomicUsize>>()?.fetch_add(1, Ordering::SeqCst) + 1)
    }
    async fn session_start(&self) -> bool {
        true
    }
    /// The name and size of each file; -1 for what is too large.
    async fn keep(&self, context: &Context<'_>, files: Vec<Upload>) -> Result<Vec<String>> {
        context.data::<Arc<AtomicUsize>>()?.fetch_add(1, Ordering::SeqCst);
        let told = |file: &Upload| {
            let bytes = file
                .content("files", LARGEST_FILE)
                .map_or(-1, |content| content.len() as i64);
            format!("{}: {bytes}", file.name())
        };
        Ok(files.iter().map(told).collect())
    }
}

/// Counts what was opened and what was closed.
#[derive(Clone, Default)]
pub struct Visits {
    pub open: Arc<AtomicUsize>,
    pub left: Arc<AtomicUsize>,
    pub paused: Arc<AtomicUsize>,
}

pub struct Visit(Arc<AtomicUsize>);

impl Drop for Visit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[derive(Clone)]
pub struct Demo {
    pub schema: Schema<Query, Mutation, EmptySubscription>,
    pub cost: Arc<CostTable>,
    pub counter: Arc<AtomicUsize>,
    pub visits: Visits,
    pub open: bool,
}

impl Demo {
    /// `open`: introspection without a token.
    pub fn new(open: bool) -> Result<Self, async_graphql::parser::Error> {
        let counter = Arc::new(AtomicUsize::new(0));
        let schema = Schema::build(Query, Mutation, EmptySubscription)
            .extension(NullInPlace)
            .data(Arc::clone(&counter))
            .limit_recursive_depth(64)
            .finish();
        let cost = Arc::new(CostTable::from_sdl(&schema.sdl())?);
        Ok(Self {
            schema,
            cost,
            counter,
            visits: Visits::default(),
            open,
        })
    }
}

impl Backend for Demo {
    type Executor = Schema<Query, Mutation, EmptySubscription>;
    type Visit = Visit;

    fn executor(&self) -> &Self::Executor {
        &self.schema
    }

    fn cost(&self) -> &CostTable {
        &self.cost
    }

    async fn enter(&self, head: RequestHead<'_>) -> Result<EnteredCaller<Visit>, Refusal> {
        let name = match head.bearer {
            None => None,
            Some("good") => Some("member".to_owned()),
            Some("busy") => {
                return Err(Refusal {
                    status: StatusCode::TOO_MANY_REQUESTS,
                    code: "THROTTLED",
                    message: "Come back later.".into(),
                    headers: vec![(header::RETRY_AFTER, HeaderValue::from_static("7"))],
                });
            }
            Some(_) => return Err(Refusal::bad_token()),
        };
        let introspection = self.open || name.is_some();
        let mut data = Data::default();
        data.insert(Caller {
            name,
            request_id: head.request_id.to_owned(),
        });
        let english = head.accept_language.is_some_and(|language| language.starts_with("en"));
        self.visits.open.fetch_add(1, Ordering::SeqCst);
        let visit = Visit(Arc::clone(&self.visits.open));
        Ok(EnteredCaller {
            data,
            throttle: None,
            language: if english { "en" } else { "ko" },
            introspection,
            visit,
        })
    }

    fn largest_file(&self, mutation: &str) -> Option<usize> {
        (mutation == "keep").then_some(LARGEST_FILE)
    }

    async fn pause(&self, _: &Visit) {
        self.visits.paused.fetch_add(1, Ordering::SeqCst);
    }

    async fn leave(&self, visit: Visit) {
        drop(visit);
        self.visits.left.fetch_add(1, Ordering::SeqCst);
    }
}

//! Pages of a list by keyset: a cursor names a place between rows, not a number of rows, so that it holds while rows
//! come and go. It is sealed for one organization and one order; any other text is refused.

use std::{borrow::Cow, sync::Arc};

use async_graphql::{
    ContextSelectionSet, OutputType, Positioned, ServerResult, parser::types::Field, registry::Registry,
};
use sea_orm::{Value, sea_query::Order};
use serde::{Deserialize, Serialize};

use super::{Action, Caller, Error, Keys, OrganizationId, Record, Result, Timestamp, reader::Scoped, secret::Purpose};

/// Which way a list is sorted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, async_graphql::Enum)]
#[graphql(name = "OrderDirection")]
pub enum Direction {
    /// Smallest or oldest first.
    Asc,
    /// Largest or newest first.
    Desc,
}

/// Where a page begins and ends.
#[derive(Debug, Clone, async_graphql::SimpleObject)]
pub struct PageInfo {
    /// Whether there is more after this page.
    pub has_next_page: bool,
    /// Whether there is more before this page.
    pub has_previous_page: bool,
    /// The cursor of the first edge; null on an empty page.
    pub start_cursor: Option<Cursor>,
    /// The cursor of the last edge; null on an empty page.
    pub end_cursor: Option<Cursor>,
}

/// The arguments of a list.
#[derive(Debug, Clone, Default)]
pub struct PageRequest {
    /// How many from the start.
    pub first: Option<i32>,
    /// Only what comes after this cursor.
    pub after: Option<String>,
    /// How many from the end.
    pub last: Option<i32>,
    /// Only what comes before this cursor.
    pub before: Option<String>,
}

impl PageRequest {
    /// How many rows are wanted, and whether they are counted from the end.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for a size out of 1 to 100, or for both ends at once.
    pub fn size(&self) -> Result<(usize, bool)> {
        let (size, from_end) = match (self.first, self.last) {
            (Some(_), Some(_)) => return Err(Error::BadInput("Give `first` or `last`, not both.".into())),
            (None, Some(last)) => (last, true),
            (first, None) => (first.unwrap_or(20), false),
        };
        match usize::try_from(size) {
            Ok(size @ 1..=100) => Ok((size, from_end)),
            _ => Err(Error::BadInput("`first` and `last` are from 1 to 100.".into())),
        }
    }
}

/// One part of a place in a list.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
pub enum Part {
    /// A text.
    Text(String),
    /// A number.
    Number(i64),
    /// An instant.
    Instant(Timestamp),
    /// An ID.
    Id(uuid::Uuid),
}

impl From<Part> for Value {
    fn from(part: Part) -> Self {
        match part {
            Part::Text(text) => text.into(),
            Part::Number(number) => number.into(),
            Part::Instant(at) => at.into(),
            Part::Id(id) => id.into(),
        }
    }
}

/// A place in a list: the values of its two order columns. The second makes it unique.
pub type Place = [Part; 2];

/// Writes and reads the cursors of one organization's lists in one order.
#[derive(Debug, Clone)]
pub struct Cursors {
    keys: Keys,
    context: Arc<[u8]>,
}

impl Cursors {
    /// For the list and order of this name.
    pub fn new(keys: &Keys, organization: OrganizationId, order: &str) -> Self {
        Self {
            keys: keys.clone(),
            context: [organization.0.as_bytes(), order.as_bytes()].concat().into(),
        }
    }

    /// The cursor of a place.
    pub fn at(&self, place: Place) -> Cursor {
        Cursor {
            cursors: self.clone(),
            place,
        }
    }

    /// The place of a cursor.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for any text that was not written for this list, order and organization.
    pub fn read(&self, cursor: Option<&str>) -> Result<Option<Place>> {
        let Some(cursor) = cursor else { return Ok(None) };
        let payload = self.keys.open(Purpose::Cursor, &self.context, cursor);
        let place = payload.and_then(|payload| serde_json::from_slice(&payload).ok());
        place
            .map(Some)
            .ok_or_else(|| Error::BadInput("This is no cursor of this list in this order.".into()))
    }
}

/// A place in a list, for the other side a sealed text. It is sealed where it is asked for: of most lists that are read, that
/// is the last row's alone. Sealed twice, it is the same text.
#[derive(Debug, Clone)]
pub struct Cursor {
    cursors: Cursors,
    place: Place,
}

impl Cursor {
    /// The text.
    pub fn sealed(&self) -> String {
        let payload = serde_json::to_vec(&self.place).unwrap_or_default();
        self.cursors.keys.seal(Purpose::Cursor, &self.cursors.context, &payload)
    }
}

impl OutputType for Cursor {
    fn type_name() -> Cow<'static, str> {
        <String as OutputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <String as OutputType>::create_type_info(registry)
    }

    async fn resolve(&self, _: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<async_graphql::Value> {
        Ok(async_graphql::Value::String(self.sealed()))
    }
}

/// One page of rows.
#[derive(Debug)]
pub struct Page<M> {
    /// The rows with their cursors, in the order of the list.
    pub edges: Vec<(Cursor, M)>,
    /// Whether rows follow.
    pub has_next: bool,
    /// Whether rows precede.
    pub has_previous: bool,
}

impl<M> Page<M> {
    /// Whether there is nothing but this page.
    pub fn is_whole(&self) -> bool {
        !self.has_next && !self.has_previous
    }

    /// Cuts a page out of rows that were read in its direction, one more than wanted if there are more.
    pub fn cut(mut rows: Vec<(Place, M)>, request: &PageRequest, cursors: &Cursors) -> Result<Self> {
        let (size, from_end) = request.size()?;
        let more = rows.len() > size;
        rows.truncate(size);
        if from_end {
            rows.reverse();
        }
        let edges = rows.into_iter().map(|(place, row)| (cursors.at(place), row)).collect();
        let (has_next, has_previous) = if from_end {
            (request.before.is_some(), more)
        } else {
            (more, request.after.is_some())
        };
        Ok(Self {
            edges,
            has_next,
            has_previous,
        })
    }
}

/// Reads one page of a selection, ordered by two columns of which the second is unique.
///
/// # Errors
/// `BAD_USER_INPUT` for wrong sizes and cursors.
pub async fn read<E: Record>(
    select: Scoped<'_, E>,
    columns: [E::Column; 2],
    direction: Direction,
    request: &PageRequest,
    cursors: &Cursors,
    place: impl Fn(&E::Model) -> Place,
) -> Result<Page<E::Model>> {
    read_any(vec![select], columns, direction, request, cursors, place).await
}

/// Reads one page of what lies in any of these selections, each of which has an index in this order.
///
/// # Errors
/// `BAD_USER_INPUT` for wrong sizes and cursors.
pub async fn read_any<E: Record>(
    selects: Vec<Scoped<'_, E>>,
    columns: [E::Column; 2],
    direction: Direction,
    request: &PageRequest,
    cursors: &Cursors,
    place: impl Fn(&E::Model) -> Place,
) -> Result<Page<E::Model>> {
    if E::LOG.is_some() {
        return Err(Error::internal("a log is read with `read_log`"));
    }
    // On the heap, as all that is large and waited for by a field: see `Caller::open`.
    Box::pin(read_rows(selects, columns, direction, request, cursors, place)).await
}

/// Reads one page of a log, the newest first, of what lies in any of these selections. That it was read, by whom and from
/// where, with which arguments, and how many rows, stands in the log of access once the answer is done.
///
/// # Errors
/// `BAD_USER_INPUT` for wrong sizes and cursors.
pub async fn read_log<E: Record>(
    context: &async_graphql::Context<'_>,
    action: Action,
    selects: Vec<Scoped<'_, E>>,
    columns: [E::Column; 2],
    request: &PageRequest,
    cursors: &Cursors,
    place: impl Fn(&E::Model) -> Place,
) -> Result<Page<E::Model>> {
    let rows = read_rows(selects, columns, Direction::Desc, request, cursors, place);
    let page = Box::pin(rows).await?;
    let log = E::LOG.ok_or_else(|| Error::internal("what is no log is read with `read`"))?;
    let caller = context.data_unchecked::<std::sync::Arc<Caller>>();
    caller.has_read(action, log, &asked(context)?, page.edges.len());
    Ok(page)
}

/// The arguments of the field that is being answered, as JSON.
pub(crate) fn asked(context: &async_graphql::Context<'_>) -> Result<String> {
    let arguments = context.field().arguments().map_err(Error::internal)?;
    let told = arguments
        .iter()
        .filter(|(_, value)| *value != async_graphql::Value::Null);
    let told: std::collections::BTreeMap<_, _> = told.map(|(name, value)| (name.as_str(), value)).collect();
    Ok(serde_json::to_string(&told)?)
}

async fn read_rows<E: Record>(
    selects: Vec<Scoped<'_, E>>,
    columns: [E::Column; 2],
    direction: Direction,
    request: &PageRequest,
    cursors: &Cursors,
    place: impl Fn(&E::Model) -> Place,
) -> Result<Page<E::Model>> {
    let (size, from_end) = request.size()?;
    let (after, before) = (
        cursors.read(request.after.as_deref())?,
        cursors.read(request.before.as_deref())?,
    );
    let forward = if direction == Direction::Asc {
        Order::Asc
    } else {
        Order::Desc
    };
    let backward = if direction == Direction::Asc {
        Order::Desc
    } else {
        Order::Asc
    };
    let values = |place: Place| place.map(Value::from);
    let (way, start, end) = if from_end {
        (backward, before, after)
    } else {
        (forward, after, before)
    };
    let mut cut = Vec::with_capacity(selects.len());
    for mut select in selects {
        if let Some(end) = end.clone() {
            select = select.within(columns, values(end), &way);
        }
        cut.push(select.beyond(columns, start.clone().map(values), way.clone()));
    }
    let rows = match Scoped::first_of(cut, columns, &way, size as u64 + 1) {
        Some(select) => select.all().await?,
        None => Vec::new(),
    };
    Page::cut(
        rows.into_iter().map(|row| (place(&row), row)).collect(),
        request,
        cursors,
    )
}

/// Writes the types of a list of `$node`: connection and edge. `at hand` before them: nodes and edges are written past the
/// executor where everything that is asked for is at hand.
macro_rules! connection {
    (at hand $connection:ident, $edge:ident, $node:ty, $($rest:tt)*) => {
        impl $crate::kernel::at_hand::AtHand for $edge {
            fn write(
                field: &str,
                asked: &$crate::kernel::at_hand::Asked<'_>,
            ) -> Option<$crate::kernel::at_hand::Way<Self>> {
                match field {
                    "cursor" => $crate::kernel::at_hand::made_text(|edge: &Self| edge.cursor.sealed()),
                    "node" => $crate::kernel::at_hand::object(asked, |edge: &Self| &edge.node),
                    _ => None,
                }
            }
        }

        $crate::kernel::page::connection! {
            [$crate::kernel::at_hand::AllAtHand<$edge>] [$crate::kernel::at_hand::EachAtHand<'_, $node>]
            $connection, $edge, $node, $($rest)*
        }
    };
    ($connection:ident, $edge:ident, $node:ty, $($rest:tt)*) => {
        $crate::kernel::page::connection! { [Vec<$edge>] [Vec<&$node>] $connection, $edge, $node, $($rest)* }
    };
    (
        [$edges:ty] [$nodes:ty] $connection:ident, $edge:ident, $node:ty, $one:literal, $many:literal
        $(, $(#[$doc:meta])* $extra:ident: $type:ty)?
    ) => {
        #[doc = concat!("A page of ", $many, ".")]
        #[derive(Debug, async_graphql::SimpleObject)]
        #[graphql(complex)]
        pub struct $connection {
            /// The page with its cursors, at most 100.
            pub edges: $edges,
            /// Where the page begins and ends.
            pub page_info: $crate::kernel::page::PageInfo,
            /// How many there are on all pages together.
            pub total_count: i32,
            $($(#[$doc])* pub $extra: $type,)?
        }

        #[doc = concat!("One of ", $many, ", and its place in the list.")]
        #[derive(Debug, Clone, async_graphql::SimpleObject)]
        pub struct $edge {
            /// The place in the list.
            pub cursor: $crate::kernel::page::Cursor,
            #[doc = concat!("The ", $one, ".")]
            pub node: $node,
        }

        #[async_graphql::ComplexObject]
        impl $connection {
            /// The page without its cursors, at most 100.
            async fn nodes(&self) -> $nodes {
                self.edges.iter().map(|edge| &edge.node).collect()
            }
        }

        impl $connection {
            /// The answer for a page; `total_count` where it was asked for.
            pub fn of(page: $crate::kernel::Page<$node>, total_count: u64 $(, $extra: $type)?) -> Self {
                let edges: $edges = page.edges.into_iter().map(|(cursor, node)| $edge { cursor, node }).collect();
                let page_info = $crate::kernel::page::PageInfo {
                    has_next_page: page.has_next,
                    has_previous_page: page.has_previous,
                    start_cursor: edges.first().map(|edge| edge.cursor.clone()),
                    end_cursor: edges.last().map(|edge| edge.cursor.clone()),
                };
                Self { edges, page_info, total_count: i32::try_from(total_count).unwrap_or(i32::MAX) $(, $extra)? }
            }
        }
    };
}

pub(crate) use connection;

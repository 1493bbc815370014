//! How rows are read: through a `Reader`, which is one transaction of one organization. It lends no connection; what
//! it selects is narrowed to the organization before anyone can add a condition, so that another organization's row
//! is simply not there.

use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait as _, DbBackend, DbErr, EntityTrait, ExprTrait, FromQueryResult,
    PaginatorTrait, QueryFilter, QueryOrder, QueryResult, QuerySelect, Select, Statement, StatementBuilder,
    sea_query::{
        self, ArrayType, Expr, Func, IntoCondition, Order, Query, SelectStatement, UnionType,
        extension::postgres::PgFunc,
    },
};
use uuid::Uuid;

use super::{Error, OrganizationId, Record, Result, constant::Constant, transaction::Transaction};

/// One transaction that sees one organization's rows.
pub struct Reader {
    pub(super) connection: Transaction,
    pub(super) organization: OrganizationId,
}

impl Reader {
    /// Whose rows are seen.
    pub fn organization_id(&self) -> OrganizationId {
        self.organization
    }

    /// The organization's rows of a table.
    pub fn select<E: Record>(&self) -> Scoped<'_, E> {
        Scoped {
            select: E::find().filter(E::owner().eq(self.organization)),
            filters: Vec::new(),
            reader: self,
        }
    }

    /// The organization's rows of another table, as a condition on rows of a selection: `EXISTS (SELECT 1 …)`.
    pub fn related<E: Record>(&self, narrow: impl FnOnce(&mut SelectStatement)) -> SelectStatement {
        let mut select = QuerySelect::query(&mut E::find().select_only().filter(E::owner().eq(self.organization)))
            .expr(Expr::val(1))
            .to_owned();
        narrow(&mut select);
        select
    }

    /// Whether a column is one of these IDs. PostgreSQL gets them as one value, so that the statement is the same for any
    /// number of them, and is prepared once.
    pub fn is_among<C: ColumnTrait>(&self, column: C, ids: impl IntoIterator<Item = impl Into<Uuid>>) -> Expr {
        let ids = ids.into_iter().map(Into::into);
        match self.connection.get_database_backend() {
            DbBackend::Postgres => {
                let ids = ids.map(sea_query::Value::from).collect();
                let ids = sea_query::Value::Array(ArrayType::Uuid, Some(Box::new(ids)));
                Expr::col(column.as_column_ref()).eq(PgFunc::any(Expr::val(ids)))
            }
            _ => column.is_in(ids),
        }
    }

    /// The rows of a selection whose text never changes: `make` makes it the first time, of these IDs, and from then on they
    /// are filled in, and so is the organization's own.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn constant<'r, E: Record, T: FromQueryResult>(
        &'r self,
        statement: &Constant,
        [one, other]: [Uuid; 2],
        make: impl FnOnce() -> Scoped<'r, E>,
    ) -> Result<Vec<T>> {
        let backend = self.connection.get_database_backend();
        let ids = [self.organization.0, one, other];
        let statement = statement.of(ids, backend, || {
            StatementBuilder::build(QuerySelect::query(&mut make()), &backend)
        });
        shaped(self.connection.query_all_raw(statement).await?)
    }

    /// The row of this key. A text that is no key, an absent row and another organization's row are one and the same.
    ///
    /// # Errors
    /// `NOT_FOUND` at `path`.
    pub async fn find<E: Record>(&self, path: &str, key: &str) -> Result<E::Model> {
        self.seek::<E>(key).await?.ok_or_else(|| Error::not_found(path))
    }

    /// The row of this key, if there is one.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn seek<E: Record>(&self, key: &str) -> Result<Option<E::Model>> {
        match E::of_key(key) {
            Some(condition) => self.select::<E>().filter(condition).one().await,
            None => Ok(None),
        }
    }

    /// The rows of these keys, in no order; where there is none, there is none.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn seek_many<E: Record>(&self, keys: &[&str]) -> Result<Vec<E::Model>> {
        let known: Vec<_> = keys.iter().filter_map(|key| E::of_key(key)).collect();
        if known.is_empty() {
            return Ok(Vec::new());
        }
        let any = known.into_iter().fold(Condition::any(), Condition::add);
        self.select::<E>().filter(any).all().await
    }
}

fn shaped<T: FromQueryResult>(rows: Vec<QueryResult>) -> Result<Vec<T>> {
    // Each row goes as soon as it has its shape.
    let rows = rows.into_iter().map(|row| T::from_query_result(&row, ""));
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A selection of one organization's rows, to be narrowed, ordered and run.
pub struct Scoped<'r, E: EntityTrait> {
    select: Select<E>,
    /// How it is narrowed beside that. Where a page begins or ends is written before it: of two bounds of one column SQLite
    /// reads from the one that stands first, and the bounds of a span of time lie farther apart.
    filters: Vec<Condition>,
    reader: &'r Reader,
}

impl<E: EntityTrait> Scoped<'_, E> {
    /// The statement with all that narrows it: there is no way to it past this.
    fn narrowed(&mut self) -> &mut SelectStatement {
        let statement = QuerySelect::query(&mut self.select);
        for filter in self.filters.drain(..) {
            statement.cond_where(filter);
        }
        statement
    }
}

impl<E: EntityTrait> QueryFilter for Scoped<'_, E> {
    type QueryStatement = SelectStatement;
    fn query(&mut self) -> &mut SelectStatement {
        self.narrowed()
    }

    fn filter<F: IntoCondition>(mut self, filter: F) -> Self {
        self.filters.push(filter.into_condition());
        self
    }
}

impl<E: EntityTrait> QueryOrder for Scoped<'_, E> {
    type QueryStatement = SelectStatement;
    fn query(&mut self) -> &mut SelectStatement {
        self.narrowed()
    }
}

impl<E: EntityTrait> QuerySelect for Scoped<'_, E> {
    type QueryStatement = SelectStatement;
    fn query(&mut self) -> &mut SelectStatement {
        self.narrowed()
    }
}

impl<'r, E: Record> Scoped<'r, E> {
    /// Narrows to rows of which a column is one of these IDs: see [`Reader::is_among`].
    #[must_use]
    pub fn among(self, column: E::Column, ids: impl IntoIterator<Item = impl Into<Uuid>>) -> Self {
        let is_among = self.reader.is_among(column, ids);
        self.filter(is_among)
    }

    /// All rows.
    ///
    /// # Errors
    /// Only if the database fails, as for the other runs.
    pub fn all(self) -> impl Future<Output = Result<Vec<E::Model>>> + 'r {
        self.rows::<E::Model>()
    }

    /// The first row.
    ///
    /// # Errors
    /// Only if the database fails.
    pub fn one(self) -> impl Future<Output = Result<Option<E::Model>>> + 'r {
        let (reader, statement) = self.limit(1).statement();
        async move {
            let row = reader.connection.query_one_raw(statement).await?;
            let shaped = row.map(|row| E::Model::from_query_result(&row, ""));
            Ok(shaped.transpose()?)
        }
    }

    /// How many rows.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn count(mut self) -> Result<u64>
    where
        E::Model: Send,
    {
        self.narrowed();
        Ok(self.select.count(&self.reader.connection).await?)
    }

    /// Rows of another shape: the columns that were chosen with `select_only` and `column_as`.
    ///
    /// # Errors
    /// Only if the database fails.
    pub fn rows<T: FromQueryResult>(self) -> impl Future<Output = Result<Vec<T>>> + 'r {
        let (reader, statement) = self.statement();
        async move { shaped(reader.connection.query_all_raw(statement).await?) }
    }

    /// Looks at each row in its turn, by the places of its columns: for rows whose shape depends on those before.
    ///
    /// # Errors
    /// Only if the database fails, or a column is not what `look` takes it for.
    pub async fn each(self, mut look: impl FnMut(&QueryResult) -> std::result::Result<(), DbErr>) -> Result<()> {
        let (reader, statement) = self.statement();
        for row in reader.connection.query_all_raw(statement).await? {
            look(&row)?;
        }
        Ok(())
    }

    /// What will be run. A selection is large, and is not carried along while its rows are waited for.
    fn statement(mut self) -> (&'r Reader, Statement) {
        let backend = self.reader.connection.get_database_backend();
        let statement = StatementBuilder::build(QuerySelect::query(&mut self), &backend);
        (self.reader, statement)
    }

    /// Narrows to what lies beyond a place, and orders: both columns together make the place.
    pub(super) fn beyond(
        mut self,
        columns: [E::Column; 2],
        place: Option<[sea_query::Value; 2]>,
        order: Order,
    ) -> Self {
        if let Some(place) = place {
            let (here, there) = Self::sides(columns, place);
            self.begin_with(if order == Order::Asc {
                here.gt(there)
            } else {
                here.lt(there)
            });
        }
        self.ordered(columns, &order)
    }

    /// The first rows of all that lie in any of the selections, which are in the same order. Each is cut by itself, so
    /// that each is read along an index of its own, and only then are they put together. `None` for no selection.
    pub(super) fn first_of(selects: Vec<Self>, columns: [E::Column; 2], order: &Order, limit: u64) -> Option<Self> {
        let mut cut = selects.into_iter().map(|select| select.limit(limit));
        let first = cut.next()?;
        let mut others = cut.peekable();
        if others.peek().is_none() {
            return Some(first);
        }
        let (reader, key) = (first.reader, columns[1]);
        let cut = [first].into_iter().chain(others).map(|select| {
            let keys = select.keys(key);
            Query::select().column(key).from_subquery(keys, "cut").to_owned()
        });
        let all = union(cut, UnionType::All)?;
        let mut rows = reader.select::<E>().filter(key.in_subquery(all)).limit(limit);
        for column in columns {
            // The order must not look like that of an index, or SQLite walks the whole of it in search of a few keys.
            let column = Expr::col((E::default(), column));
            let value = Func::coalesce([column.clone(), column]);
            QueryOrder::query(&mut rows).order_by_expr(value.into(), order.clone());
        }
        Some(rows)
    }

    /// How many rows lie in any of the selections, each of which is read along an index of its own.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn count_of(selects: Vec<Self>, key: E::Column) -> Result<u64>
    where
        E::Model: Send,
    {
        let Some(reader) = selects.first().map(|select| select.reader) else {
            return Ok(0);
        };
        let keys = selects.into_iter().map(|select| select.keys(key));
        let Some(all) = union(keys, UnionType::Distinct) else {
            return Ok(0);
        };
        let count = Query::select()
            .expr_as(Func::count(Expr::col(sea_query::Asterisk)), "rows")
            .from_subquery(all, "any")
            .to_owned();
        let row = reader.connection.query_one(&count).await?;
        let rows: i64 = row.map_or(Ok(0), |row| row.try_get("", "rows"))?;
        Ok(u64::try_from(rows).unwrap_or(0))
    }

    /// The same selection, of which only the key is read.
    fn keys(mut self, key: E::Column) -> SelectStatement {
        QuerySelect::query(&mut self)
            .clear_selects()
            .column((E::default(), key))
            .to_owned()
    }

    fn ordered(mut self, columns: [E::Column; 2], order: &Order) -> Self {
        for column in columns {
            QueryOrder::query(&mut self).order_by_expr(Expr::col((E::default(), column)), order.clone());
        }
        self
    }

    /// Narrows to what lies before a place, seen in this order.
    pub(super) fn within(mut self, columns: [E::Column; 2], place: [sea_query::Value; 2], order: &Order) -> Self {
        let (here, there) = Self::sides(columns, place);
        self.begin_with(if *order == Order::Asc {
            here.lt(there)
        } else {
            here.gt(there)
        });
        self
    }

    /// Narrows by a bound of the page, before all that was narrowed by so far.
    fn begin_with(&mut self, bound: Expr) {
        QuerySelect::query(&mut self.select).cond_where(bound);
    }

    /// Both sides of a comparison of rows, which one index answers.
    fn sides(columns: [E::Column; 2], place: [sea_query::Value; 2]) -> (Expr, Expr) {
        let here = columns.map(|column| Expr::col((E::default(), column)));
        (Expr::tuple(here), Expr::tuple(place.map(Expr::val)))
    }
}

/// All of these together; `None` where there are none.
fn union(selects: impl IntoIterator<Item = SelectStatement>, kind: UnionType) -> Option<SelectStatement> {
    let mut selects = selects.into_iter();
    let first = selects.next()?;
    Some(selects.fold(first, |mut all, other| all.union(kind, other).to_owned()))
}

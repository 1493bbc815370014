//! Costs of operations on a small schema, one row each.

use std::error::Error;

use async_graphql::{ServerError, Variables};
use serde_json::{Value as Json, json};

use super::*;
use crate::api::guard::{check, complete, parse};

const SDL: &str = r#"
schema { query: QueryRoot mutation: MutationRoot subscription: Subscription }
type QueryRoot {
    viewer: Viewer
    node(id: ID!): Node
    nodes(ids: [ID!]!): [Node]!
    services(first: Int, after: String, last: Int, before: String): ServiceConnection
    charges(first: Int = 50): ChargeConnection!
    items: [Item!]!
    "Menu entries, at most 4."
    menu: [Item!]!
    "At most 1,000 of them."
    many: [Item!]
    grid: [[Item!]!]!
    names: [String!]!
    search: [Found!]!
}
type MutationRoot { make(input: MakeInput!): MakePayload! ping: Boolean! }
type Subscription { changed: Service! }
type MakePayload { service: Service, userErrors: [UserError!]! }
type UserError { code: Code!, message: String! }
enum Code { TAKEN }
input MakeInput { name: String! }
interface Node { id: ID! }
union Found = Service | Item
type Viewer { name: String!, home: Service! }
type Item { name: String!, price: Money! }
type Money { amount: String!, currencyCode: String! }
type Service implements Node { id: ID!, name: String!, price: Money!, prices: [Money!]!, items: [Item!]!, parts(first: Int): ServiceConnection! }
type ServiceConnection { edges: [ServiceEdge!]!, nodes: [Service!]!, pageInfo: PageInfo!, totalCount: Int! }
type ServiceEdge { cursor: String!, node: Service! }
type ChargeConnection { edges: [ChargeEdge!]!, pageInfo: PageInfo!, total: Money!, largest: Item }
type ChargeEdge { cursor: String!, node: Item! }
type PageInfo { endCursor: String, hasNextPage: Boolean! }
directive @requires(permission: String!) on FIELD_DEFINITION
"#;

fn price(document: &str, variables: Json) -> Result<Result<u64, ServerError>, Box<dyn Error>> {
    let table = CostTable::from_sdl(SDL)?;
    let parsed = parse(document).map_err(|error| error.message)?;
    let operation = check(&parsed, None).map_err(|error| error.message)?.operation;
    let mut variables = Variables::from_json(variables);
    complete(operation, &mut variables).map_err(|error| error.message)?;
    Ok(charge(&table, &parsed, operation, &variables))
}

#[test]
fn costs_are_those_of_the_table() -> Result<(), Box<dyn Error>> {
    let node = "edges { cursor node { id name price { amount } } } pageInfo { endCursor }";
    for (document, variables, cost) in [
        ("{ __typename }".to_owned(), json!({}), 0),
        ("{ names }".to_owned(), json!({}), 0),
        ("{ viewer { name } }".to_owned(), json!({}), 1),
        (
            "{ viewer { name home { name price { amount } prices { amount } } } }".to_owned(),
            json!({}),
            2,
        ),
        (format!("{{ services {{ {node} }} }}"), json!({}), 22),
        (format!("{{ services(first: 50) {{ {node} }} }}"), json!({}), 52),
        (format!("{{ services(last: 7) {{ {node} }} }}"), json!({}), 9),
        (format!("{{ services(first: 3, last: 7) {{ {node} }} }}"), json!({}), 9),
        (format!("{{ services(first: null) {{ {node} }} }}"), json!({}), 22),
        (format!("{{ services(first: -5) {{ {node} }} }}"), json!({}), 2),
        (
            format!("query($n: Int) {{ services(first: $n) {{ {node} }} }}"),
            json!({ "n": 9 }),
            11,
        ),
        (
            format!("query($n: Int) {{ services(first: $n) {{ {node} }} }}"),
            json!({}),
            22,
        ),
        (
            format!("query($n: Int = 4) {{ services(first: $n) {{ {node} }} }}"),
            json!({}),
            6,
        ),
        (
            format!("query($n: Int = 4) {{ services(first: $n) {{ {node} }} }}"),
            json!({ "n": null }),
            22,
        ),
        (
            format!("query($n: Int) {{ services(first: $n) {{ {node} }} }}"),
            json!({ "n": "nine" }),
            22,
        ),
        ("{ services { totalCount } }".to_owned(), json!({}), 12),
        (
            "{ services(first: 100) { pageInfo { hasNextPage } } }".to_owned(),
            json!({}),
            2,
        ),
        ("{ services(first: 5) { nodes { name } } }".to_owned(), json!({}), 7),
        (
            "{ services(first: 5) { nodes { name } edges { node { id } } totalCount } }".to_owned(),
            json!({}),
            22,
        ),
        (
            "{ charges { edges { node { name } } total { amount } } }".to_owned(),
            json!({}),
            52,
        ),
        (
            "{ charges(first: 2) { edges { node { name } } largest { name } } }".to_owned(),
            json!({}),
            5,
        ),
        ("{ items { name } }".to_owned(), json!({}), 10),
        (
            "{ items { price { amount } } menu { name } many { name } }".to_owned(),
            json!({}),
            24,
        ),
        ("{ grid { name } }".to_owned(), json!({}), 100),
        (
            "{ search { ... on Service { items { name } } ... on Item { price { amount } } } }".to_owned(),
            json!({}),
            110,
        ),
        ("{ nodes(ids: [1, 2, 3]) { id } }".to_owned(), json!({}), 3),
        (
            "query($i: [ID!]!) { nodes(ids: $i) { id } }".to_owned(),
            json!({ "i": vec!["x"; 100] }),
            100,
        ),
        (
            "query($i: ID!) { nodes(ids: [$i, $i]) { id } }".to_owned(),
            json!({ "i": "x" }),
            2,
        ),
        (
            "{ node(id: 1) { ... on Service { items { name } } } }".to_owned(),
            json!({}),
            11,
        ),
        ("mutation { ping }".to_owned(), json!({}), 10),
        (
            "mutation { make(input: {}) { service { name } userErrors { code } } }".to_owned(),
            json!({}),
            21,
        ),
        (
            "mutation { a: make(input: {}) { service { id } } b: make(input: {}) { service { id } } }".to_owned(),
            json!({}),
            22,
        ),
        ("subscription { changed { items { name } } }".to_owned(), json!({}), 11),
        // A page of pages: 2 + 10 × (1 + 2 + 20 × 1).
        (
            "{ services(first: 10) { nodes { parts { nodes { id } } } } }".to_owned(),
            json!({}),
            232,
        ),
        ("{ unknown { field } viewer { unknown } }".to_owned(), json!({}), 1),
    ] {
        let priced = price(&document, variables)?.map_err(|error| error.message)?;
        assert_eq!(priced, cost, "{document}");
    }
    Ok(())
}

#[test]
fn fragments_cost_what_they_stand_for() -> Result<(), Box<dyn Error>> {
    for (with, without) in [
        (
            "{ viewer { ...V } } fragment V on Viewer { home { id } }",
            "{ viewer { home { id } } }",
        ),
        (
            "{ services(first: 9) { ...C } many: services(first: 90) { ...C } } \
             fragment C on ServiceConnection { edges { ...E } totalCount } fragment E on ServiceEdge { node { ...S } } \
             fragment S on Service { items { name } }",
            "{ services(first: 9) { edges { node { items { name } } } totalCount } \
             many: services(first: 90) { edges { node { items { name } } } totalCount } }",
        ),
        (
            "{ items { ... { name } ... @skip(if: true) { price { amount } } } }",
            "{ items { name } }",
        ),
        (
            "{ ...Q ...Q } fragment Q on QueryRoot { viewer { name } }",
            "{ viewer { name } viewer { name } }",
        ),
    ] {
        let (with, without) = (price(with, json!({}))?, price(without, json!({}))?);
        assert_eq!(
            with.map_err(|error| error.message)?,
            without.map_err(|error| error.message)?
        );
    }
    Ok(())
}

#[test]
fn too_costly_operations_are_refused_with_both_numbers() -> Result<(), Box<dyn Error>> {
    let pages = "{ services(first: 100) { nodes { parts(first: 100) { nodes { id } } } } }";
    let huge = "{ services(first: 2147483647) { nodes { parts(first: 2147483647) { nodes { parts(first: 2147483647) { nodes { id } } } } } } }";
    for (document, requested) in [
        (pages, 10_302),
        ("{ services(first: 4999) { nodes { id } } }", 5_001),
        (huge, 2_147_483_647),
        (
            "{ services(first: 99999999999999999999) { nodes { id } } }",
            2_147_483_647,
        ),
        ("{ services(first: 1e40) { nodes { id } } }", 2_147_483_647),
    ] {
        let error = price(document, json!({}))?.err().ok_or("was let through")?;
        let extensions = serde_json::to_value(&error.extensions)?;
        let expected =
            json!({ "code": "QUERY_TOO_COMPLEX", "requestedQueryCost": requested, "maximumQueryCost": 5_000 });
        assert_eq!(extensions, expected);
        assert!(error.message.contains(&requested.to_string()) && error.message.contains("5000"));
    }
    assert_eq!(
        price("{ services(first: 4998) { nodes { id } } }", json!({}))?.ok(),
        Some(5_000)
    );
    Ok(())
}

#[test]
fn introspection_has_a_price_that_tools_can_pay() -> Result<(), Box<dyn Error>> {
    let standard = price(include_str!("../guard/introspection.graphql"), json!({}))?;
    assert!(standard.is_ok_and(|cost| (5..100).contains(&cost)));
    let aliases: String = (0..30)
        .map(|n| format!("a{n}: __schema {{ types {{ fields {{ type {{ fields {{ type {{ name }} }} }} }} }} }} "))
        .collect();
    assert!(price(&format!("{{ {aliases} }}"), json!({}))?.is_ok_and(|cost| cost > 500));
    Ok(())
}

#[test]
fn a_cycle_ends_even_without_the_guard() -> Result<(), Box<dyn Error>> {
    let table = CostTable::from_sdl(SDL)?;
    let parsed = parse("{ ...A } fragment A on QueryRoot { viewer { name } ...B } fragment B on QueryRoot { ...A }")
        .map_err(|error| error.message)?;
    for (_, operation) in parsed.operations.iter() {
        assert!(charge(&table, &parsed, &operation.node, &Variables::default()).is_ok_and(|cost| cost == 1));
    }
    assert!(CostTable::from_sdl("not a schema").is_err());
    Ok(())
}

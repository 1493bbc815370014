//! Hostile documents against the guard. The work is bounded by counting visits, never by time.

use std::fmt::Write;

use async_graphql::{ServerError, Variables, parser::types::ExecutableDocument};
use serde_json::json;

use super::*;
use crate::api::codes::code_of;

const INTROSPECTION: &str = include_str!("introspection.graphql");

/// Everything that happens to a document before validation; the code of the refusal, if there is one.
fn verdict(document: &str) -> Option<String> {
    judged(document, None)
        .err()
        .and_then(|error| code_of(&error).map(str::to_owned))
}

fn judged(document: &str, operation_name: Option<&str>) -> Result<bool, ServerError> {
    scan(document)?;
    let parsed = parse(document)?;
    check(&parsed, operation_name).map(|checked| checked.introspects)
}

/// `levels` fragments, each spreading the next `fan` times, and the last with `leaf`.
fn bomb(begin: &str, levels: usize, fan: usize, leaf: &str) -> String {
    let mut document = format!("{begin} ");
    for level in 0..levels {
        let spreads = format!("...F{} ", level + 1).repeat(fan);
        let _ = write!(document, "fragment F{level} on Query {{ {spreads} }} ");
    }
    let _ = write!(document, "fragment F{levels} on Query {{ {leaf} }}");
    document
}

fn chain(levels: usize, opening: &str, closing: &str) -> String {
    format!("{}a{}", opening.repeat(levels), closing.repeat(levels))
}

const COMPLEX: Option<&str> = Some("QUERY_TOO_COMPLEX");
const INVALID: Option<&str> = Some("GRAPHQL_VALIDATION_FAILED");

fn bombs() -> Vec<(String, Option<&'static str>)> {
    let chosen = "query A { ...F0 }";
    let other = "query A { a } query B { ...F0 }";
    vec![
        (bomb("{ ...F0 }", 24, 2, "__typename"), COMPLEX),
        (bomb("{ ...F0 }", 12, 4, "a"), COMPLEX),
        (bomb("{ ...F0 }", 5, 20, "a"), COMPLEX),
        (bomb("{ ...F0 }", 58, 2, "a"), COMPLEX),
        (bomb("{ ...F0 }", 40, 10, "a"), COMPLEX),
        (bomb(chosen, 24, 2, "a { b { c } }"), COMPLEX),
        (bomb(other, 24, 2, "a"), COMPLEX),
        (bomb("query A { a } mutation B { ...F0 }", 20, 3, "a"), COMPLEX),
        (bomb("query A { a } subscription B { ...F0 }", 20, 3, "a"), COMPLEX),
        // Never spread by an operation, or ending in a fragment that does not exist: no field at all.
        (bomb("{ a }", 24, 2, "a"), COMPLEX),
        (bomb("{ ...F0 }", 24, 2, "...Nowhere"), COMPLEX),
        (bomb("{ ...F0 }", 24, 2, "... on Query { ...Nowhere }"), COMPLEX),
        (bomb("{ ...F0 }", 6, 4, "x: a"), COMPLEX),
        (bomb("{ ...F0 }", 6, 4, "a @skip(if: false)"), COMPLEX),
        (
            bomb("{ ...F0 }", 24, 2, "a").replace("...F1 ", "...F1 @include(if: false) "),
            COMPLEX,
        ),
        (
            bomb("{ ...F0 }", 24, 2, "a").replace("...F1 ", "... on Query { ...F1 } "),
            COMPLEX,
        ),
        (bomb("{ ...F0 }", 24, 2, "a").replace("...F1 ", "a { ...F1 } "), COMPLEX),
        (bomb("{ ...F0 }", 3, 2, "...F0"), INVALID),
        ("{ ...A } fragment A on Query { ...A }".to_owned(), INVALID),
        (
            "{ a } fragment A on Query { b { ...B } } fragment B on Query { ...A }".to_owned(),
            INVALID,
        ),
    ]
}

fn shapes() -> Vec<(String, Option<&'static str>)> {
    let wide = |count: usize, item: &dyn Fn(usize) -> String| (0..count).map(item).collect::<Vec<_>>().join(" ");
    let mutation = |fields: &str| format!("mutation {{ {fields} }}");
    let types = "types { fields { type { fields { name } } } }";
    vec![
        (format!("{{ {} }}", wide(31, &|n| format!("a{n}: a"))), COMPLEX),
        (format!("{{ {} }}", wide(10_000, &|n| format!("a{n}: a"))), COMPLEX),
        (format!("{{ {} }}", "a ".repeat(20_000)), COMPLEX),
        (format!("{{ a {} }}", "@skip(if: true) ".repeat(51)), COMPLEX),
        (format!("query Q {} {{ a }}", "@d ".repeat(51)), COMPLEX),
        (format!("query Q($v: Int {}) {{ a }}", "@d ".repeat(51)), COMPLEX),
        (format!("{{ ...A }} fragment A on Q {} {{ a }}", "@d ".repeat(51)), COMPLEX),
        (format!("{{ {} }}", wide(51, &|n| format!("... on Q @d {{ a{n} }}"))), COMPLEX),
        (wide(101, &|n| format!("query Q{n} {{ a }}")), COMPLEX),
        (format!("{{ a }} {}", wide(61, &|n| format!("fragment F{n} on Q {{ a }}"))), COMPLEX),
        (wide(90, &|n| format!("query Q{n} {{ ...F }}")) + "fragment F on Q { a a a a a a a a a a a a a a a a a a a a a a a }", COMPLEX),
        (chain(16, "{a", "}"), COMPLEX),
        (chain(100_000, "{a", "}"), COMPLEX),
        (chain(60, "{...", "}"), None),
        (format!("{{ a(b: {}) }}", chain(100_000, "[", "]")), COMPLEX),
        (format!("{{ a(b: {}) }}", chain(100_000, "{c:", "}")), COMPLEX),
        (format!("query($v: {}) {{ a }}", chain(100_000, "[", "]")), COMPLEX),
        (format!("query({}) {{ a }}", wide(1_000, &|n| format!("$v{n}: Int"))), COMPLEX),
        (format!("{{ a(b: \"{}\") }}", "x".repeat(32 * 1024)), COMPLEX),
        (format!("{{ {} }}", "n".repeat(129)), COMPLEX),
        (format!("{{ __schema {{ {types} }} }}"), None),
        (format!("{{ __schema {{ {} }} }}", types.replace("name", "args { name }")), COMPLEX),
        ("{ __type(name: \"Q\") { fields { type { fields { type { fields { type { fields { name } } } } } } } } }".to_owned(), COMPLEX),
        ("{ __type(name: \"Q\") { ...T } } fragment T on __Type { fields { type { possibleTypes { interfaces { inputFields { name } } } } } }".to_owned(), COMPLEX),
        ("{ ticket { fields { types { fields { args { name } } } } } }".to_owned(), None),
        (mutation(&wide(11, &|n| format!("m{n}"))), COMPLEX),
        (mutation("make make"), INVALID),
        (mutation("make other ... { make }"), INVALID),
        ("mutation { make ...M } fragment M on Mutation { ... on Mutation { make } }".to_owned(), INVALID),
        ("query A { a } mutation B { make x: other x: other }".to_owned(), INVALID),
        (mutation("...M ...M") + "fragment M on Mutation { make }", INVALID),
        (mutation("a: sessionStart b: sessionStart"), COMPLEX),
        (mutation("sessionStart ... { sessionConfirm }"), COMPLEX),
        ("mutation A { sessionRefresh } mutation B { sessionRefresh }".to_owned(), COMPLEX),
    ]
}

// case: E1
// case: E3
#[test]
fn hostile_documents_are_refused_before_validation() {
    let all: Vec<_> = bombs().into_iter().chain(shapes()).collect();
    assert!(all.len() >= 50);
    for (document, code) in all {
        assert_eq!(verdict(&document).as_deref(), code, "{document:.300}");
    }
}

// case: E2
#[test]
fn no_refusal_quotes_the_document_or_is_long() {
    for (document, _) in bombs().into_iter().chain(shapes()) {
        if let Err(error) = judged(&document, None) {
            assert!(
                error.message.len() <= MAX_MESSAGE && !error.message.contains("F1"),
                "{}",
                error.message
            );
        }
    }
}

#[test]
fn each_selection_is_visited_once_whatever_it_comes_to() -> Result<(), ServerError> {
    for (levels, fan) in [(24, 2), (58, 2), (40, 10), (5, 20)] {
        let parsed = parse(&bomb("query A { ...F0 } query B { ...F0 }", levels, fan, "a"))?;
        let mut measuring = Measuring::new(&parsed);
        for name in parsed.fragments.keys() {
            measuring.fragment(name, 0)?;
        }
        for (_, operation) in parsed.operations.iter() {
            assert!(measuring.operation(&operation.node)?.fields >= 2_u64.saturating_pow(24).min(20_u64.pow(5)));
        }
        assert_eq!(measuring.visits(), levels * fan + 3);
    }
    Ok(())
}

#[test]
fn measures_are_those_of_the_written_out_document() -> Result<(), ServerError> {
    let measured = |document: &str| -> Result<Measure, ServerError> {
        let parsed = parse(document)?;
        let mut measuring = Measuring::new(&parsed);
        let mut total = Measure::default();
        for (_, operation) in parsed.operations.iter() {
            total.add(measuring.operation(&operation.node)?);
        }
        Ok(total)
    };
    let document = "query A($v: Int @d) @d { x: a { ...F ...F } ... @d { b } } query B { ...F } \
                    fragment F on Q @d { y: c @d { e } }";
    let written = "query A($v: Int @d) @d { x: a { ... @d { y: c @d { e } } ... @d { y: c @d { e } } } ... @d { b } } \
                   query B { ... @d { y: c @d { e } } }";
    assert_eq!(measured(document)?, measured(written)?);
    let measure = measured(document)?;
    assert_eq!(
        (measure.fields, measure.selections, measure.aliases, measure.directives),
        (8, 12, 4, 9)
    );
    assert_eq!((measure.depth, measure.nesting), (3, 4));
    Ok(())
}

#[test]
fn documents_of_everyday_tools_pass() -> Result<(), ServerError> {
    assert!(judged(INTROSPECTION, Some("IntrospectionQuery"))?);
    let relay = (0..60).fold("query Page { ".to_owned(), |document, n| format!("{document} ...F{n}"))
        + " __typename }"
        + &(0..60)
            .map(|n| format!("fragment F{n} on Query {{ node {{ id edges {{ node {{ id __typename }} }} }} }}"))
            .collect::<String>();
    assert!(!judged(&relay, None)?);
    assert!(!judged(
        "mutation { sessionStart { tokens { accessToken } } __typename ...M } fragment M on Mutation { __typename }",
        None
    )?);
    assert!(judged(
        "{ a } fragment Unused on Query { __type(name: \"Q\") { name } }",
        None
    )?);
    assert!(!judged("{ ...Unknown }", None)?);
    Ok(())
}

#[test]
fn the_operation_is_the_one_that_was_named() -> Result<(), ServerError> {
    let kind = |document: &str, name: Option<&str>| -> Result<String, ServerError> {
        let parsed = parse(document)?;
        let operation = check(&parsed, name).map(|checked| checked.operation.ty.to_string());
        operation.or_else(|error| code_of(&error).map(str::to_owned).ok_or(error))
    };
    let two = "query A { a } mutation B { b }";
    let unresolved = "OPERATION_RESOLUTION_FAILURE";
    for (document, name, expected) in [
        ("{ a }", None, "query"),
        ("{ a }", Some("A"), unresolved),
        ("mutation M { a }", None, "mutation"),
        ("mutation M { a }", Some("M"), "mutation"),
        ("mutation M { a }", Some("m"), unresolved),
        (two, None, unresolved),
        (two, Some("A"), "query"),
        (two, Some("B"), "mutation"),
        ("subscription S { a }", None, "subscription"),
    ] {
        assert_eq!(kind(document, name)?, expected, "{document} {name:?}");
    }
    Ok(())
}

#[test]
fn required_variables_are_asked_for_before_execution() -> Result<(), ServerError> {
    fn operation(parsed: &ExecutableDocument) -> Result<&OperationDefinition, ServerError> {
        check(parsed, None).map(|checked| checked.operation)
    }
    for (definition, given, completed) in [
        ("$a: Int!", json!({}), None),
        ("$a: Int!", json!({ "a": null }), None),
        ("$a: [Int]!", json!({ "b": 1 }), None),
        ("$a: Int! = 5", json!({ "a": null }), None),
        ("$a: Int! = 5", json!({}), Some("{\"a\":5}")),
        ("$a: Int = 5", json!({}), Some("{\"a\":5}")),
        ("$a: Int = 5", json!({ "a": null }), Some("{\"a\":null}")),
        ("$a: Int = 5", json!({ "a": 6 }), Some("{\"a\":6}")),
        ("$a: Int", json!({}), Some("{}")),
        (
            "$a: Boolean! = true, $b: ID!",
            json!({ "b": "x" }),
            Some("{\"b\":\"x\",\"a\":true}"),
        ),
    ] {
        let parsed = parse(&format!("query({definition}) {{ a }}"))?;
        let mut variables = Variables::from_json(given);
        match (complete(operation(&parsed)?, &mut variables), completed) {
            (Ok(()), Some(completed)) => {
                let parts: serde_json::Value = serde_json::from_str(completed).unwrap_or_default();
                assert_eq!(variables, Variables::from_json(parts), "{definition}");
            }
            (Err(error), None) => assert_eq!(code_of(&error), Some("BAD_USER_INPUT")),
            (outcome, _) => assert!(outcome.is_err(), "{definition}: {outcome:?}"),
        }
    }
    Ok(())
}

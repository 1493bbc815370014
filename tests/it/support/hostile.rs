//! Documents that must not run and cost next to nothing to refuse: for the tests, and for the benchmark of what
//! refusing costs.

/// A document that must never run.
pub const MARK: &str =
    "mutation Mark { serviceCreate(input: { kind: CONSULTATION, code: \"mark\", name: \"Mark\" }) { service { id } } }";

/// Documents with what they are and the code that refuses them. All but the last few hold [`MARK`], chosen to run.
pub fn documents() -> Vec<(&'static str, String, &'static str)> {
    const COMPLEX: &str = "QUERY_TOO_COMPLEX";
    const INVALID: &str = "GRAPHQL_VALIDATION_FAILED";
    let wide = |count: usize, item: &dyn Fn(usize) -> String| (0..count).map(item).collect::<Vec<_>>().join(" ");
    let beside = |other: String| format!("{MARK} {other}");
    let bomb = |levels: usize, fan: usize| {
        let fragment = |level: usize| {
            let next = format!("...F{} ", level + 1).repeat(fan);
            format!("fragment F{level} on Query {{ {next} }}")
        };
        beside(format!(
            "query B {{ ...F0 }} {} fragment F{levels} on Query {{ viewer {{ roles }} }}",
            wide(levels, &fragment)
        ))
    };
    let mark = MARK
        .strip_prefix("mutation Mark { ")
        .and_then(|rest| rest.strip_suffix(" }"))
        .unwrap_or_default();
    vec![
        ("a bomb of fragments", bomb(24, 2), COMPLEX),
        ("a wide bomb of fragments", bomb(5, 20), COMPLEX),
        ("fragments in a circle", beside("query B { ...A } fragment A on Query { ...A }".into()), INVALID),
        ("10,000 levels", beside(format!("query B {}{}", "{a".repeat(10_000), "}".repeat(10_000))), COMPLEX),
        ("16 levels", beside(format!("query B {}{}", "{a".repeat(16), "}".repeat(16))), COMPLEX),
        ("10,000 lists", beside(format!("query B {{ a(b: {}{}) }}", "[".repeat(10_000), "]".repeat(10_000))), COMPLEX),
        ("10,000 aliases", beside(format!("query B {{ {} }}", wide(10_000, &|n| format!("a{n}: __typename")))), COMPLEX),
        ("31 aliases", beside(format!("query B {{ {} }}", wide(31, &|n| format!("a{n}: __typename")))), COMPLEX),
        ("51 directives", beside(format!("query B {{ viewer {} {{ roles }} }}", "@skip(if: true) ".repeat(51))), COMPLEX),
        ("20,000 fields", beside(format!("query B {{ {} }}", "__typename ".repeat(20_000))), COMPLEX),
        ("over 32 KiB", beside(format!("query B {{ a(b: \"{}\") }}", "x".repeat(32 * 1024))), COMPLEX),
        ("a long name", beside(format!("query B {{ {} }}", "n".repeat(129))), COMPLEX),
        ("102 operations", beside(wide(101, &|n| format!("query Q{n} {{ __typename }}"))), COMPLEX),
        ("11 root fields", format!("mutation Mark {{ {} }}", wide(11, &|n| format!("m{n}: {mark}"))), COMPLEX),
        ("a key twice", format!("mutation Mark {{ {mark} {mark} }}"), INVALID),
        ("a key twice, in a fragment", format!("mutation Mark {{ {mark} ...M }} fragment M on Mutation {{ {mark} }}"), INVALID),
        ("two credentials", "mutation Mark { a: sessionStart(input: {}) { userErrors { code } } b: sessionStart(input: {}) { userErrors { code } } }".into(), COMPLEX),
        ("an unknown field beside it", format!("mutation Mark {{ {mark} nothing }}"), INVALID),
        ("half a document", MARK[..MARK.len() - 2].to_owned(), "GRAPHQL_PARSE_FAILED"),
        ("two of its name", format!("{MARK} {MARK}"), INVALID),
    ]
}

//! The built-in price list, and what is refused in others.

use super::*;
use crate::billing::formula::UsagePrice;

fn list(text: &str) -> PriceList {
    PriceList::parse(text).expect("a price list without faults")
}

/// The places of all faults after a part of the built-in list is replaced.
fn faults_after(old: &str, new: &str) -> Vec<String> {
    assert!(CATALOGUE.contains(old), "{old}");
    let Faults(faults) = PriceList::parse(&CATALOGUE.replacen(old, new, 1)).expect_err("faults");
    faults.into_iter().map(|fault| fault.at).collect()
}

#[test]
fn the_catalogue_is_sound_and_whole() {
    let list = list(CATALOGUE);
    assert_eq!(list.effective_on.to_string(), "2020-01-01");
    assert_eq!(list.currency, Currency::Krw);
    assert!(list.prices.keys().copied().eq(ItemCode::ALL));
    let telticket = ItemPrice {
        base_milli: 70_000_000,
        day_milli: 2_333_000,
        per_user: true,
        usage: Some(UsagePrice {
            free: 6_000,
            unit1_milli: 3_000,
            limit1: 40_000,
            unit2_milli: 1_500,
        }),
    };
    assert_eq!(list.prices.get(&ItemCode::Telticket), Some(&telticket));
    for (item, price) in &list.prices {
        assert_eq!(price.per_user, item.is_per_user());
        assert_eq!(price.usage.is_some(), item.meter().is_some());
        // The catalogue's rule: a day is a thirtieth of the month, in whole won.
        let thirtieth = (price.base_milli / 1000 + 15).div_euclid(30) * 1000;
        assert_eq!(price.day_milli, thirtieth, "{item:?}");
    }
}

#[test]
fn prices_are_text_with_at_most_three_decimals() {
    let day = |text: &str| {
        let text = CATALOGUE.replacen("day = \"333\"", &format!("day = {text}"), 1);
        PriceList::parse(&text)
            .ok()
            .map(|list| list.prices[&ItemCode::Ticket].day_milli)
    };
    for (text, thousandths) in [
        ("\"0\"", 0),
        ("\"0.001\"", 1),
        ("\"1.5\"", 1_500),
        ("\"1.50\"", 1_500),
        ("\"333.333\"", 333_333),
        ("\"10000\"", 10_000_000),
    ] {
        assert_eq!(day(text), Some(thousandths), "{text}");
    }
    for text in [
        "333",
        "333.5",
        "\"\"",
        "\".5\"",
        "\"1.\"",
        "\"1.2345\"",
        "\"-1\"",
        "\"+1\"",
        "\"01\"",
        "\"00\"",
        "\"1,000\"",
        "\"1e3\"",
        "\" 1\"",
        "\"1 \"",
        "\"１\"",
        "\"0x1\"",
        "\"99999999999999999999\"",
        "true",
        "[]",
    ] {
        assert_eq!(day(text), None, "{text}");
    }
}

#[test]
fn the_largest_price_is_a_billion_won() {
    let largest = CATALOGUE.replacen("base = \"10000\"", "base = \"1000000000.000\"", 1);
    assert_eq!(
        list(&largest).prices[&ItemCode::Ticket].base_milli,
        MAXIMUM_PRICE * 1000
    );
    assert_eq!(
        faults_after("base = \"10000\"", "base = \"1000000000.001\""),
        ["items.TICKET.base"]
    );
}

#[test]
fn each_rule_names_its_place() {
    for (old, new, at) in [
        ("2020-01-01\"", "2020-1-1\"", "effective_on"),
        ("2020-01-01\"", "2020-02-30\"", "effective_on"),
        ("2020-01-01\"", "1999-12-31\"", "effective_on"),
        ("2020-01-01\"", "2201-01-01\"", "effective_on"),
        ("\"2020-01-01\"", "2020-01-01", "effective_on"),
        ("effective_on = \"2020-01-01\"", "", "effective_on"),
        ("KRW", "USD", "currency"),
        ("KRW", "krw", "currency"),
        ("currency", "note = 1\ncurrency", "note"),
        ("[items.CHAT]", "[items.TICKETEVALUATION]", "items.TICKETEVALUATION"),
        (
            "[items.HAPPYCALL]\nbase = \"50000\"\nday = \"1667\"",
            "",
            "items.HAPPYCALL",
        ),
        ("day = \"333\"", "day = \"10000.001\"", "items.TICKET.day"),
        ("day = \"333\"", "", "items.TICKET.day"),
        ("day = \"333\"", "day = \"333\"\nweek = \"1\"", "items.TICKET.week"),
        ("free = 3000", "free = -1", "items.TICKET.usage.free"),
        ("free = 3000", "free = 3000.0", "items.TICKET.usage.free"),
        ("free = 3000", "free = 1000000000001", "items.TICKET.usage.free"),
        ("free = 3000, ", "", "items.TICKET.usage.free"),
        ("free = 3000", "free = 3000, paid = 1", "items.TICKET.usage.paid"),
        ("limit1 = 40000", "limit1 = 6000", "items.TELTICKET.usage.limit1"),
        ("limit1 = 40000", "limit1 = 0", "items.TELTICKET.usage.unit2"),
        ("usage = {", "use = {", "items.TICKET.use"),
        (
            "[items.KNOWLEDGE]",
            "usage = { free = 0, unit1 = \"0\", limit1 = 0, unit2 = \"0\" }\n[items.KNOWLEDGE]",
            "items.HELPDOC.usage",
        ),
    ] {
        let found = faults_after(old, new);
        assert!(found.iter().any(|place| place == at), "{old} → {new}: {found:?}");
    }
    assert_eq!(
        faults_after("[items.CHAT]", "[items.chat]"),
        ["items.chat", "items.CHAT"]
    );
}

#[test]
fn all_faults_come_at_once() {
    let text = "currency = \"USD\"\nextra = 1\n[items.TICKET]\nbase = 1\nusage = 1\n[items]\nCHAT = 1";
    let Faults(faults) = PriceList::parse(text).expect_err("faults");
    let places: Vec<&str> = faults.iter().map(|fault| fault.at.as_str()).collect();
    let top = ["extra", "effective_on", "currency"];
    let ticket = ["items.TICKET.base", "items.TICKET.day", "items.TICKET.usage"];
    assert_eq!(places[..3], top);
    assert_eq!(places[3..6], ticket);
    let others: Vec<String> = ItemCode::ALL[1..]
        .iter()
        .map(|item| format!("items.{}", item.code()))
        .collect();
    assert_eq!(places[6..], others);
    assert_eq!(Faults(faults).to_string().lines().count(), 19);
}

#[test]
fn text_that_is_not_toml_is_one_fault() {
    let text = format!("{CATALOGUE}\n[items.TICKET]");
    for text in ["effective_on = ", "\u{0}", text.as_str()] {
        let Faults(faults) = PriceList::parse(text).expect_err("a fault");
        assert_eq!(faults.len(), 1);
        assert_eq!(faults[0].at, "");
        assert!(
            faults[0].to_string().contains("TOML parse error at line"),
            "{}",
            faults[0]
        );
    }
    assert_eq!(
        PriceList::parse("").expect_err("faults").to_string().lines().next(),
        Some("effective_on: is missing: a day as \"2026-11-01\", 2000 to 2200")
    );
}

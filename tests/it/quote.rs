//! 예상 비용: what is quoted is what is billed, and a quote whose price moved does not sign.

use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{TestApp, codes},
        ledger::{self, balanced, charge, lines, price_list, quote, sign_at, sums, total, update_at, used},
        make::{self, Made},
    },
};

/// Whatever is used in the examples is used on this day.
const USED_AT: &str = "2026-11-25T03:00:00Z";

/// Signs at a quote on the day that the clock shows; the quote.
async fn signed_at_quote(app: &TestApp, code: &str, items: Value) -> (Made, Value) {
    let made = make::draft(app.owner(), code).await;
    let quoted = quote(app.owner(), &made, items.clone()).await["quote"].clone();
    let signed = sign_at(app.owner(), &made, items, quoted["quoteId"].as_str()).await;
    assert_eq!(signed["userErrors"], json!([]), "{code}");
    (made, quoted)
}

fn tickets(users: i32, volume: i32) -> Value {
    json!({ "code": "TICKET", "userCount": users, "expectedVolume": volume })
}

both! {
    async fn s4_a_quote_is_the_bill_of_a_whole_month(app) {
        let on = |code: &str| json!({ "code": code, "isOn": true });
        let calls = json!({ "code": "TELTICKET", "isOn": true, "userCount": 4, "expectedVolume": 50_000 });
        let chats = json!({ "code": "CHAT", "isOn": true, "userCount": 2, "expectedVolume": 3_000 });
        // code, items, usage, supply, VAT, total
        let examples = [
            ("one", json!([tickets(3, 2_500)]), vec![("TICKETS", 2_500)], [30_000, 3_000, 33_000]),
            ("two", json!([tickets(5, 3_420)]), vec![("TICKETS", 3_420)], [71_000, 7_100, 78_100]),
            ("three", json!([tickets(2, 0), calls]), vec![("CALL_SECONDS", 50_000)], [417_000, 41_700, 458_700]),
            (
                "four",
                json!([tickets(5, 3_420), chats, on("HELPDOC"), { "code": "CALLBACK", "isOn": false }]),
                vec![("TICKETS", 3_420), ("CHATS", 3_000)],
                [141_000, 14_100, 155_100],
            ),
        ];
        app.go_to("2026-11-01T00:00:00+09:00");
        let mut signed = Vec::new();
        for (code, items, usage, amounts) in examples {
            let (made, quoted) = signed_at_quote(&app, code, items).await;
            signed.push((code, made, quoted, usage, amounts));
        }

        app.go_to("2026-11-25T12:00:00+09:00");
        for (code, made, _, usage, _) in &signed {
            for (meter, quantity) in usage {
                used(app.owner(), made, meter, code, *quantity, USED_AT).await;
            }
        }
        app.go_to("2026-12-01T00:10:00+09:00");
        app.run_due().await;

        for (code, made, quoted, _, amounts) in &signed {
            let bill = charge(app.owner(), made, "2026-11").await;
            assert_eq!(bill["status"], "CLOSED", "{code}");
            assert_eq!(["supply", "vat", "total"].map(|name| ledger::won(&bill[name])), *amounts, "{code}");
            assert_eq!(sums(&quoted["wholeMonth"]), sums(&quoted["thisMonth"]), "{code}");
            // Nothing was used where nothing is expected, so that only the quote has a line for it.
            let told = |of: &Value| lines(of).into_iter().filter(|line| line != "USAGE TICKET 0").collect::<Vec<_>>();
            assert_eq!(told(&quoted["wholeMonth"]), told(&bill), "{code}");
            balanced(&bill);
        }
    }

    async fn s4_a_quote_is_the_bill_of_a_month_that_began_on_the_21st(app) {
        app.go_to("2026-11-21T10:00:00+09:00");
        let (made, quoted) = signed_at_quote(&app, "five", json!([tickets(3, 0)])).await;

        app.go_to("2026-12-01T00:10:00+09:00");
        app.run_due().await;

        let bill = charge(app.owner(), &made, "2026-11").await;
        assert_eq!(lines(&bill), ["LICENCE TICKET 9990", "VAT 999"]);
        assert_eq!(total(&bill), 10_989);
        assert_eq!(bill["lines"][0]["dayCount"], 10);
        assert_eq!(total(&quoted["thisMonth"]), 10_989);
        assert_eq!(total(&quoted["wholeMonth"]), 33_000);
    }

    async fn s4_a_quote_is_the_bill_of_a_contract_that_is_free(app) {
        app.go_to("2026-11-01T00:00:00+09:00");
        let made = make::draft(app.owner(), "six").await;
        orgdesk::operate::discount(&app.app, "acme", "six", Some(100), None).await.unwrap();
        let items = json!([{ "code": "TICKET", "userCount": 3 }]);
        let quoted = quote(app.owner(), &made, items.clone()).await["quote"].clone();
        sign_at(app.owner(), &made, items, quoted["quoteId"].as_str()).await;

        app.go_to("2026-12-01T00:10:00+09:00");
        app.run_due().await;

        let bill = charge(app.owner(), &made, "2026-11").await;
        assert_eq!(lines(&bill), ["LICENCE TICKET 30000", "DISCOUNT -30000", "VAT 0"]);
        assert_eq!(total(&bill), 0);
        assert_eq!(sums(&quoted["thisMonth"]), sums(&bill));
        assert_eq!(sums(&quoted["wholeMonth"]), sums(&bill));
    }

    async fn s4_a_quote_is_the_bill_of_a_month_in_which_an_item_was_added(app) {
        app.go_to("2026-11-01T00:00:00+09:00");
        let (made, _) = signed_at_quote(&app, "seven", json!([tickets(3, 2_500)])).await;
        app.go_to("2026-11-24T10:00:00+09:00");
        let more = json!([{ "code": "KNOWLEDGE", "isOn": true }]);
        let quoted = quote(app.owner(), &made, more.clone()).await["quote"].clone();

        let edited = update_at(app.owner(), &made, more, quoted["quoteId"].as_str()).await;
        app.go_to("2026-11-25T12:00:00+09:00");
        used(app.owner(), &made, "TICKETS", "all", 2_500, USED_AT).await;
        app.go_to("2026-12-01T00:10:00+09:00");
        app.run_due().await;

        assert_eq!(edited["userErrors"], json!([]));
        let bill = charge(app.owner(), &made, "2026-11").await;
        let expected = ["LICENCE TICKET 30000", "LICENCE KNOWLEDGE 11669", "USAGE TICKET 0", "VAT 4166"];
        assert_eq!(lines(&bill), expected);
        assert_eq!(total(&bill), 45_835);
        assert_eq!(sums(&quoted["thisMonth"]), sums(&bill));
    }

    async fn s4_a_quote_of_the_first_leaves_free_days_out_of_this_month_only(app) {
        app.go_to("2026-11-01T10:00:00+09:00");
        let made = make::draft(app.owner(), "trial").await;
        let day = |text: &str| orgdesk::kernel::Day(text.parse().unwrap());
        let free = Some((day("2026-11-01"), day("2026-11-10")));
        orgdesk::operate::discount(&app.app, "acme", "trial", None, free).await.unwrap();

        let items = json!([{ "code": "TICKET", "userCount": 3 }]);
        let quoted = quote(app.owner(), &made, items.clone()).await["quote"].clone();
        sign_at(app.owner(), &made, items, quoted["quoteId"].as_str()).await;

        let estimate = charge(app.owner(), &made, "2026-11").await;
        assert_eq!(lines(&estimate), ["LICENCE TICKET 30000", "FREE_TRIAL -10020", "VAT 1998"]);
        assert_eq!(sums(&quoted["thisMonth"]), sums(&estimate));
        assert_eq!(total(&quoted["wholeMonth"]), 33_000);
    }

    async fn s4_a_quote_whose_price_moved_does_not_sign(app) {
        let (moved, kept) = (make::draft(app.owner(), "moved").await, make::draft(app.owner(), "kept").await);
        let running = make::in_use(app.owner(), "running", 3).await;
        let items = json!([{ "code": "TICKET", "userCount": 3 }]);
        let more = json!([{ "code": "TICKET", "userCount": 4 }]);
        let text = |quoted: Value| quoted["quote"]["quoteId"].as_str().unwrap().to_owned();
        let of_moved = text(quote(app.owner(), &moved, items.clone()).await);
        let of_kept = text(quote(app.owner(), &kept, items.clone()).await);
        let of_running = text(quote(app.owner(), &running, more.clone()).await);

        let tomorrow = price_list("2026-11-11", &[("base = \"10000\"", "base = \"12000\"")]);
        orgdesk::operate::load_prices(&app.app, &tomorrow).await.unwrap();
        let at_old_price = sign_at(app.owner(), &kept, items.clone(), Some(&of_kept)).await;
        app.go_to("2026-11-10T02:00:00Z");
        let today = price_list("2026-11-10", &[("base = \"10000\"", "base = \"11000\"")]);
        orgdesk::operate::load_prices(&app.app, &today).await.unwrap();
        let at_moved_price = sign_at(app.owner(), &moved, items.clone(), Some(&of_moved)).await;
        let again = text(quote(app.owner(), &moved, items.clone()).await);
        let at_new_price = sign_at(app.owner(), &moved, items, Some(&again)).await;
        let edited = update_at(app.owner(), &running, more, Some(&of_running)).await;

        assert_eq!(at_old_price["userErrors"], json!([]));
        assert_eq!(codes(&at_moved_price), ["QUOTE_PRICE_MOVED at input.quoteId"]);
        assert_eq!(at_new_price["userErrors"], json!([]));
        assert_eq!(edited["userErrors"], json!([]), "the month of a running contract keeps its prices");
    }

    async fn s4_a_quote_moves_with_the_discount(app) {
        let made = make::draft(app.owner(), "desk").await;
        let items = json!([{ "code": "TICKET", "userCount": 3 }]);
        let quoted = quote(app.owner(), &made, items.clone()).await["quote"].clone();
        orgdesk::operate::discount(&app.app, "acme", "desk", Some(10), None).await.unwrap();

        let signed = sign_at(app.owner(), &made, items, quoted["quoteId"].as_str()).await;

        assert_eq!(codes(&signed), ["QUOTE_PRICE_MOVED at input.quoteId"]);
    }

    async fn s4_a_quote_is_good_to_the_end_of_the_local_day(app) {
        let (late, next) = (make::draft(app.owner(), "late").await, make::draft(app.owner(), "next").await);
        let items = json!([{ "code": "TICKET", "userCount": 3 }]);
        let of_late = quote(app.owner(), &late, items.clone()).await["quote"].clone();
        let of_next = quote(app.owner(), &next, items.clone()).await["quote"].clone();

        app.go_to("2026-11-10T23:59:59+09:00");
        let in_time = sign_at(app.owner(), &late, items.clone(), of_late["quoteId"].as_str()).await;
        app.go_to("2026-11-11T00:00:00+09:00");
        let too_late = sign_at(app.owner(), &next, items, of_next["quoteId"].as_str()).await;

        assert_eq!(of_next["goodOn"], "2026-11-10");
        assert_eq!(in_time["userErrors"], json!([]));
        assert_eq!(codes(&too_late), ["QUOTE_EXPIRED at input.quoteId"]);
    }

    async fn s4_a_quote_is_for_what_it_was_given_for(app) {
        let (desk, other) = (make::draft(app.owner(), "desk").await, make::draft(app.owner(), "other").await);
        let rival = make::draft(app.rival(), "desk").await;
        let items = |users: i32| json!([{ "code": "TICKET", "userCount": users }]);
        let text = |quoted: Value| quoted["quote"]["quoteId"].as_str().unwrap().to_owned();
        let right = text(quote(app.owner(), &desk, items(3)).await);
        let mut wrong = vec![
            text(quote(app.owner(), &desk, items(4)).await),
            text(quote(app.owner(), &other, items(3)).await),
            text(quote(app.rival(), &rival, items(3)).await),
            String::new(),
            right[1..].to_owned(),
            format!("{right}A"),
        ];
        for place in 0..right.len() - 1 {
            let mut bytes = right.clone().into_bytes();
            bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
            wrong.push(String::from_utf8(bytes).unwrap());
        }

        // One of ten changed texts, and the right one at the end: a refusal uses nothing up.
        let mut refused = Vec::new();
        for text in wrong.iter().enumerate().filter(|(place, _)| *place < 6 || place % 10 == 0).map(|(_, text)| text) {
            refused.push(codes(&sign_at(app.owner(), &desk, items(3), Some(text)).await));
        }
        let signed = sign_at(app.owner(), &desk, items(3), Some(&right)).await;

        assert!(refused.len() > 10);
        assert_eq!(refused, vec![["QUOTE_MISMATCH at input.quoteId"]; refused.len()]);
        assert_eq!(signed["userErrors"], json!([]));
    }

    async fn s4_a_quote_leaves_nothing_in_the_database(app) {
        let made = make::draft(app.owner(), "desk").await;
        let token = app.owner().token().await;
        let query = "query Q($id: ID!) { contractQuote(input: { contractId: $id, items: [{ code: TICKET, userCount: 3 }] }) { quote { quoteId } } }";
        let before = counts(&app).await;

        let answer = app.ask(Some(&token), query, json!({ "id": made.contract })).await;

        assert!(answer.json["data"]["contractQuote"]["quote"]["quoteId"].is_string(), "{}", answer.text);
        assert_eq!(counts(&app).await, before);
        assert!(before.len() > 15, "{before:?}");
    }
}

/// How many rows each table has.
async fn counts(app: &TestApp) -> Vec<(String, String)> {
    let tables = if app.admin_url.is_some() {
        "SELECT quote_ident(schemaname) || '.' || quote_ident(relname) FROM pg_stat_user_tables ORDER BY 1"
    } else {
        "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1"
    };
    let mut counts = Vec::new();
    for table in ledger::texts(app, tables).await {
        let count = ledger::texts(app, &format!("SELECT CAST(count(*) AS text) FROM {table}")).await;
        counts.push((table, count.concat()));
    }
    counts
}

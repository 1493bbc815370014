//! What an operator does with imports at the command line, with the binary itself, on the databases of others' making.

use std::process::{Command, Output, Stdio};

use crate::{
    both,
    support::{
        app::TestApp,
        cluster::free_port,
        import_server::orgdesk,
        imports::{self, GOOD, In, fill, import, template, with},
        make,
        raw::Raw,
        running::BINARY,
        skip::skipped,
    },
};

/// How it ended, what it printed and what it said.
fn ended(output: Output) -> (Option<i32>, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn run(app: &TestApp, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = orgdesk(app, arguments, free_port()).stdin(Stdio::null()).output();
    ended(output.unwrap())
}

both! {
    async fn m5_an_operator_sees_what_is_not_over_and_has_done_what_is_due(app) {
        let desk = make::in_use(app.owner(), "desk", 1).await;
        let template = template(&app, app.owner(), &desk.id).await;
        let other = with(&[("subject", In::Text("둘째"))]);
        let first = imports::reserved(&app, app.owner(), &desk.id, &fill(&template, &[GOOD, GOOD])).await;
        app.wait(chrono::Duration::seconds(1));
        let second = imports::reserved(&app, app.owner(), &desk.id, &fill(&template, &[&other])).await;

        let (code, listed, said) = run(&app, &["import", "list", "acme"]);
        let line = |id: &str, rows| format!("{id}\t{}\tRESERVED\t{rows}\t0\t0\t0\t2026-11-10T16:00:00.000Z\n", desk.id);
        assert_eq!((code, listed), (Some(0), line(&second, 1) + &line(&first, 2)), "{said}");
        assert_eq!(run(&app, &["import", "list", "rival"]).1, "", "another's are another's");

        // Their night was long ago by the machine's clock.
        let (code, begun, said) = run(&app, &["import", "run-due"]);
        assert_eq!(code, Some(0), "{said}");
        assert!(begun.trim().parse::<u32>().unwrap() >= 2, "{begun}");
        assert!(!said.contains('\r') && !said.contains(" rows"), "no bar where there is no terminal: {said}");
        for id in [&first, &second] {
            assert_eq!(import(app.owner(), id).await["state"], "COMPLETED", "both, though one waits for the other");
        }
        assert_eq!(Raw::admin(&app).await.count("ticket").await, 3);
        let (code, listed, _) = run(&app, &["import", "list", "acme"]);
        assert_eq!((code, &*listed), (Some(0), ""), "nothing is left");
        // A letter that could not be sent may be tried again.
        let (code, _, said) = run(&app, &["import", "run-due"]);
        assert_eq!(code, Some(0), "{said}");
        assert_eq!(Raw::admin(&app).await.count("ticket").await, 3);
    }

    async fn m5_an_operator_is_told_what_he_asked_wrongly(app) {
        let (code, printed, said) = run(&app, &["import", "list", "nowhere"]);
        assert_eq!((code, &*printed), (Some(1), ""));
        assert!(said.contains("there is no organization nowhere"), "{said}");
        for arguments in [&["import"][..], &["import", "list"], &["import", "check"], &["import", "run-due", "now"]] {
            let (code, printed, said) = run(&app, arguments);
            assert_eq!((code, &*printed), (Some(2), ""), "{arguments:?}: {said}");
        }
        let nobody = ended(Command::new(BINARY).args(["import", "list", "acme"]).env_clear().current_dir(app.data()).output().unwrap());
        assert_eq!(nobody.0, Some(1), "without its settings it does nothing: {}", nobody.2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn m12_an_operator_sees_on_a_terminal_how_far_it_is() {
    let app = TestApp::on_sqlite().await;
    let desk = make::in_use(app.owner(), "desk", 1).await;
    let rows = vec![GOOD; 3_000];
    let file = app.data().join("old.xlsx");
    std::fs::write(&file, fill(&template(&app, app.owner(), &desk.id).await, &rows)).unwrap();

    let plain = ended(
        Command::new(BINARY)
            .args(["import", "check"])
            .arg(&file)
            .env_clear()
            .output()
            .unwrap(),
    );
    assert_eq!(
        (plain.0, &*plain.2),
        (Some(0), ""),
        "nothing but its answer where there is no terminal"
    );
    assert!(plain.1.contains("\nrows 3000\n"), "{}", plain.1);
    let absent = ended(
        Command::new(BINARY)
            .args(["import", "check", "/nowhere/old.xlsx"])
            .env_clear()
            .output()
            .unwrap(),
    );
    assert!(
        absent.0 == Some(1) && absent.2.contains("/nowhere/old.xlsx"),
        "{absent:?}"
    );

    let line = format!("'{BINARY}' import check '{}'", file.display());
    let Ok(shown) = Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .stdin(Stdio::null())
        .output()
    else {
        skipped("The bar on a terminal", "no script of util-linux");
        return;
    };
    let (code, shown, said) = ended(shown);
    assert_eq!(code, Some(0), "{said}");
    let told = shown.split('\r').filter(|part| part.contains(" rows\u{1b}[K")).count();
    assert!(
        told >= 1 && shown.contains("\u{1b}[K") && shown.contains("rows 3000"),
        "{shown:?}"
    );
}

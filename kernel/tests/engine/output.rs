use crate::session::Session;

#[test]
fn everything_a_cell_shows_arrives_whole_and_in_order() {
    let mut session = Session::start(&[]);
    let ran = session.run("print!(\"no newline\");");
    assert_eq!((ran.ok(), ran.stdout.as_str()), ("", "no newline"));
    let ran = session.run("for i in 0..3 { print!(\"\\r{i}\"); } eprintln!(\"warned\");");
    assert_eq!(
        (ran.stdout.as_str(), ran.stderr.as_str()),
        ("\r0\r1\r2", "warned\n")
    );

    let ran = session.run(
        "use swath::display::Output;\nfor i in 0..3 { println!(\"before {i}\"); swath::session::display(&Output::text(format!(\"shown {i}\"))); }\n\"end\"",
    );
    let expected = [
        "stdout:before 0\n",
        "display:shown 0",
        "stdout:before 1\n",
        "display:shown 1",
        "stdout:before 2\n",
        "display:shown 2",
        "result:\"end\"",
    ];
    assert_eq!(ran.order, expected);

    let ran = session.run("for i in 0..100_000 { println!(\"line {i}\"); }");
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines.len(), 100_000);
    assert!(
        lines
            .iter()
            .enumerate()
            .all(|(number, line)| *line == format!("line {number}"))
    );
    assert!(ran.order.len() == 1, "one stream");

    let ran = session.run("use std::io::Write; std::io::stdout().write_all(b\"ok \\xff\\xfe\\x00 EVCXR_EXECUTION_COMPLETE\\n\")?; println!(\"after\");");
    assert_eq!(
        ran.stdout,
        "ok \u{fffd}\u{fffd}\0 EVCXR_EXECUTION_COMPLETE\nafter\n"
    );

    let ran = session.run("struct Html;\nimpl Html { fn evcxr_display(&self) { println!(\"EVCXR_BEGIN_CONTENT text/html\\n<b>x</b>\\nEVCXR_END_CONTENT\"); } }\nHtml");
    assert_eq!(
        ran.result.map(|bundle| bundle["text/html"].clone()),
        Some("<b>x</b>".into())
    );
    assert_eq!(
        session
            .run("let answer = swath::session::input(\"name? \"); answer")
            .ok(),
        "Some(\"name? \")"
    );

    let live = session.run("let live = swath::session::Live::new(&swath::display::Output::text(\"0\")); live.update(&swath::display::Output::text(\"1\")); swath::session::clear_output(true);");
    assert_eq!(live.order, ["display:0", "update:1", "clear:"]);
    assert_eq!(
        session
            .run("swath::session::result(swath::display::Output::text(\"hidden\"));")
            .ok(),
        "hidden"
    );
}

#[test]
fn commands_of_evcxr_go_on_working() {
    let mut session = Session::start(&[]);
    session.run("let a = 1;").ok();
    assert_eq!(session.run(":vars").stdout, "a: i32\n");
    assert!(session.run(":help").ok().contains(":dep"));
    assert_eq!(session.run(":vars\nlet b = a + 1;\nb").ok(), "2");
    assert_eq!(session.run(":nonsense").status, "error");
    assert_eq!(session.run(":quit").ename, "CommandError");
    session.run(":clear").ok();
    assert_eq!(session.variables(), []);
    assert_eq!(session.run("1 + 1").ok(), "2");
}

use std::time::{Duration, Instant};

use serde_json::json;

use crate::session::Session;

#[test]
fn an_interrupt_stops_a_polling_loop_and_keeps_the_state() {
    let mut session = Session::start(&[]);
    session.run("let kept = 5; let mut steps = 0;").ok();
    session.send(&json!({ "execute": "println!(\"begun\"); loop { steps += 1; std::thread::sleep(std::time::Duration::from_millis(5)); swath::session::check_interrupt(\"counting\")?; }" }));
    while session.event()["event"] != "stdout" {}
    let asked = Instant::now();
    session.send(&json!({ "interrupt": true }));
    let ran = session.end();
    assert_eq!(
        (ran.status.as_str(), ran.evalue.as_str()),
        ("interrupted", "interrupted while counting")
    );
    assert!(
        asked.elapsed() < Duration::from_secs(3),
        "{:?}",
        asked.elapsed()
    );
    assert_eq!(session.run("(kept, steps > 0)").ok(), "(5, true)");
    assert_eq!(
        session.run("swath::session::interrupted()").ok(),
        "false",
        "the next cell starts afresh"
    );
}

#[test]
fn an_interrupt_stops_the_compiler_and_keeps_the_state() {
    let mut session = Session::start(&[]);
    session.run("let kept = 5;").ok();
    // Many functions at the highest level keep the compiler busy.
    let body = (0..3000).fold(String::new(), |text, number| {
        format!("{text}fn f{number}(x: &[f64]) -> Vec<f64> {{ let mut v: Vec<f64> = x.iter().map(|a| a.sin() + {number}.0).collect(); v.sort_by(f64::total_cmp); v }}\n")
    });
    let calls = (0..3000).fold(String::new(), |text, number| {
        format!("{text}f{number}(&[1.0]); ")
    });
    session.send(&json!({ "execute": format!("{body}{calls}") }));
    std::thread::sleep(Duration::from_millis(1500));
    let asked = Instant::now();
    session.send(&json!({ "interrupt": true }));
    let ran = session.end();
    assert_eq!(ran.status, "interrupted", "{ran:#?}");
    assert!(
        asked.elapsed() < Duration::from_secs(5),
        "{:?}",
        asked.elapsed()
    );
    assert_eq!(session.run("kept").ok(), "5");
}

#[test]
fn a_dead_child_is_replaced_and_its_end_is_told() {
    let mut session = Session::start(&[]);
    session.run("fn kept() -> i32 { 3 }\nlet lost = 5;").ok();
    let killed = session.run("println!(\"last words\"); unsafe { unsafe extern \"C\" { fn kill(pid: i32, signal: i32) -> i32; } kill(std::process::id() as i32, 9); }");
    assert_eq!(
        (killed.status.as_str(), killed.stdout.as_str()),
        ("lost", "last words\n")
    );
    assert!(
        killed.evalue.contains("SIGKILL") && killed.evalue.contains("lost"),
        "{killed:#?}"
    );
    assert_eq!(session.run("kept()").ok(), "3");

    session.run("let again = 1;").ok();
    let segv = session.run("unsafe { std::ptr::null_mut::<i32>().write_volatile(1) }");
    assert!(
        segv.status == "lost" && segv.evalue.contains("signal"),
        "{segv:#?}"
    );
    let exit = session.run("std::process::exit(7)");
    assert!(exit.evalue.contains("exit code 7"), "{exit:#?}");
    let overflow = session.run("fn deep(n: u64) -> u64 { if n == 0 { 0 } else { 1 + deep(std::hint::black_box(n - 1)) } }\ndeep(u64::MAX)");
    assert_eq!(overflow.status, "lost", "{overflow:#?}");
    assert_eq!(session.run("let a = 1; a + kept()").ok(), "4");
}

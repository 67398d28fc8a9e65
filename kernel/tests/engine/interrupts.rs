//! Interrupts of cells that do not listen: the cell's thread is put aside, the variables stay.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::session::{Ran, Session};

/// Long enough for a busy machine: what is not stopped by other means is killed after it, and the test fails.
const PATIENT: (&str, &str) = ("SWATH_KILL_AFTER", "60");

/// Runs a cell and interrupts it `times` times as soon as it has begun.
#[track_caller]
fn interrupted(session: &mut Session, code: &str, times: usize) -> Ran {
    let (items, code) = code.split_once("//---\n").unwrap_or(("", code));
    session.send(&json!({ "execute": format!("{items}\nprintln!(\"begun\");\n{code}") }));
    loop {
        let event = session.event();
        assert_ne!(event["event"], "status", "{code}: {event}");
        if event["event"] == "stdout" {
            break;
        }
    }
    std::thread::sleep(Duration::from_millis(100));
    for _ in 0..times {
        session.send(&json!({ "interrupt": true }));
    }
    session.end()
}

#[track_caller]
fn keep_something(session: &mut Session) {
    session
        .run("use std::{cell::RefCell, rc::Rc, time::Duration};\nfn double(n: i32) -> i32 { 2 * n }\nlet kept = vec![1, 2, 3]; let counter = Rc::new(RefCell::new(0));")
        .ok();
}

#[track_caller]
fn is_kept(session: &mut Session, times: usize) {
    let ran = session.run("*counter.borrow_mut() += 1; (kept.len(), double(*counter.borrow()))");
    assert_eq!(ran.ok(), format!("(3, {})", 2 * times));
}

/// Every way of waiting and of going round that Rust's standard library offers.
const DEAF: [(&str, &str); 20] = [
    ("sleep", "std::thread::sleep(Duration::from_secs(77));"),
    ("endless loop", "loop {}"),
    (
        "loop that counts",
        "let mut n = 1u64; loop { n = std::hint::black_box(n).wrapping_mul(3); }",
    ),
    (
        "loop over the clock",
        "let began = std::time::Instant::now(); while began.elapsed().as_secs() < 77 {}",
    ),
    (
        "loop of arithmetic",
        "let mut x = 1.0f64; while x < 2.0 { x = std::hint::black_box(x).sin(); }",
    ),
    (
        "loop that allocates",
        "loop { std::hint::black_box(vec![1u8; 5000]); }",
    ),
    ("loop that yields", "loop { std::thread::yield_now(); }"),
    (
        "loop of text",
        "loop { std::hint::black_box(format!(\"{:?}\", (1.5, \"a\"))); }",
    ),
    (
        "loop in a method",
        "struct S(u64); impl S { fn go(&mut self) { loop { self.0 = std::hint::black_box(self.0 + 1); } } }\n//---\nS(1).go();",
    ),
    (
        "closure",
        "let mut n = 0u8; let mut go = || loop { n = std::hint::black_box(n ^ 1); }; go();",
    ),
    (
        "trait object",
        "let go: Box<dyn Fn()> = Box::new(|| loop { std::hint::black_box(1); }); go();",
    ),
    (
        "join",
        "std::thread::spawn(|| std::thread::sleep(Duration::from_secs(77))).join().unwrap();",
    ),
    (
        "scope",
        "std::thread::scope(|scope| { scope.spawn(|| std::thread::sleep(Duration::from_secs(77))); });",
    ),
    (
        "recv",
        "let (_sender, receiver) = std::sync::mpsc::channel::<u8>(); let _ = receiver.recv();",
    ),
    (
        "deadlock",
        "let mutex: &'static _ = Box::leak(Box::new(std::sync::Mutex::new(1))); let _one = mutex.lock(); let _two = mutex.lock();",
    ),
    (
        "condvar",
        "let pair = (std::sync::Mutex::new(false), std::sync::Condvar::new()); { let _guard = pair.1.wait_while(pair.0.lock().unwrap(), |ready| !*ready); }",
    ),
    ("barrier", "std::sync::Barrier::new(2).wait();"),
    (
        "accept",
        "let listener = std::net::TcpListener::bind(\"127.0.0.1:0\")?; listener.accept()?;",
    ),
    (
        "deep recursion",
        "fn deep(n: u64) -> u64 { if n == 0 { loop {} } else { 1 + deep(std::hint::black_box(n - 1)) } }\n//---\ndeep(10_000);",
    ),
    ("future", "std::future::pending::<()>().await;"),
];

#[test]
fn whatever_a_cell_waits_for_it_can_be_stopped_and_all_variables_are_kept() {
    let mut session = Session::start(&[PATIENT]);
    keep_something(&mut session);
    for (number, (what, code)) in (1..).zip(DEAF) {
        // Twice, which is at once.
        let ran = interrupted(&mut session, code, 2);
        assert_eq!(ran.status, "interrupted", "{what}: {ran:#?}");
        assert_eq!(ran.ename, "Interrupted", "{what}: {ran:#?}");
        assert!(
            ran.evalue.contains("all variables are kept"),
            "{what}: {ran:#?}"
        );
        is_kept(&mut session, number);
    }
}

#[test]
fn a_program_that_does_not_listen_is_left_and_one_that_does_is_interrupted() {
    let mut session = Session::start(&[PATIENT]);
    keep_something(&mut session);
    let asked = Instant::now();
    let ran = interrupted(
        &mut session,
        "let status = std::process::Command::new(\"sleep\").arg(\"77\").status()?;",
        1,
    );
    assert_eq!(ran.status, "interrupted", "{ran:#?}");
    assert!(asked.elapsed() < Duration::from_secs(50));
    // It has ended by itself, so what it made is kept.
    assert!(session.run("status.to_string()").ok().contains("signal: 2"));
    is_kept(&mut session, 1);
    for call in ["status", "output"] {
        let code = format!(
            "std::process::Command::new(\"sh\").args([\"-c\", \"trap '' INT; sleep 71; sleep 72\"]).{call}()?;"
        );
        let ran = interrupted(&mut session, &code, 2);
        assert!(ran.evalue.contains("stopped by force"), "{ran:#?}");
    }
    is_kept(&mut session, 2);
}

#[test]
fn one_interrupt_suffices_and_what_the_cell_used_is_lost_by_name() {
    let mut session = Session::start(&[("SWATH_KILL_AFTER", "10")]);
    keep_something(&mut session);
    session
        .run("let burdened = vec![1.5]; let mut changed = 1;")
        .ok();
    let ran = interrupted(
        &mut session,
        "changed += burdened.len() as i32; let new = 5; std::thread::sleep(Duration::from_secs(77)); println!(\"{burdened:?}\");",
        1,
    );
    assert_eq!(ran.status, "interrupted", "{ran:#?}");
    assert!(
        ran.evalue
            .contains("`burdened`, `changed`, which it was using, are lost"),
        "{ran:#?}"
    );
    is_kept(&mut session, 1);
    assert_eq!(
        session
            .variables()
            .iter()
            .map(|(name, _)| name.as_str())
            .collect::<Vec<_>>(),
        ["counter", "kept"]
    );
    let ran = session.run("burdened.len()");
    assert!(ran.traceback.contains("stopped by force"), "{ran:#?}");
    assert_eq!(session.run("let burdened = 3; burdened").ok(), "3");
}

#[test]
fn who_prints_without_end_is_stopped_and_later_cells_can_print() {
    let mut session = Session::start(&[PATIENT]);
    keep_something(&mut session);
    for (number, code) in (1..).zip([
        "loop { println!(\"line\"); }",
        "loop { eprintln!(\"line\"); }",
        "loop { print!(\"x\"); }",
        "loop { dbg!(1); }",
    ]) {
        let ran = interrupted(&mut session, code, 2);
        assert_eq!(ran.status, "interrupted", "{code}: {}", ran.evalue);
        let next = session.run("println!(\"out\"); eprintln!(\"err\");");
        assert_eq!(
            (next.status.as_str(), next.stdout.ends_with("out\n")),
            ("ok", true)
        );
        assert!(next.stderr.ends_with("err\n"));
        is_kept(&mut session, number);
    }
}

#[test]
fn who_shows_without_end_is_stopped_and_keeps_even_what_it_uses() {
    let mut session = Session::start(&[PATIENT]);
    keep_something(&mut session);
    session.run("let mut shown = 0;").ok();
    let ran = interrupted(
        &mut session,
        "loop { shown += 1; swath::session::display(&swath::display::Output::text(\"again\")); }",
        2,
    );
    assert_eq!(ran.status, "interrupted", "{}", ran.evalue);
    is_kept(&mut session, 1);
    session.run("shown").ok();
}

#[test]
fn who_asks_now_and_then_has_time_to_end_well() {
    let mut session = Session::start(&[("SWATH_KILL_AFTER", "30")]);
    keep_something(&mut session);
    session.run("let mut steps = 0;").ok();
    let ran = interrupted(
        &mut session,
        "loop { swath::session::check_interrupt(\"counting\")?; std::thread::sleep(Duration::from_secs(3)); steps += 1; }",
        2,
    );
    assert_eq!(
        (ran.status.as_str(), ran.evalue.as_str()),
        ("interrupted", "interrupted while counting")
    );
    assert_eq!(session.run("steps >= 1").ok(), "true");
    // A loop that leaves by itself has made something, and yet the cells that wait are not to run.
    let ran = interrupted(
        &mut session,
        "while !swath::session::interrupted() { std::thread::sleep(Duration::from_millis(20)); } let made = 4;",
        1,
    );
    assert_eq!(ran.status, "interrupted");
    assert!(ran.evalue.contains("what it made is kept"), "{ran:#?}");
    assert_eq!(session.run("made + steps - steps").ok(), "4");
}

#[test]
fn twenty_cells_put_aside_take_no_memory_and_no_processor() {
    let mut session = Session::start(&[PATIENT]);
    keep_something(&mut session);
    let pid: u32 = session.run("std::process::id()").ok().parse().unwrap();
    let megabytes = || {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .unwrap();
        line.split_whitespace()
            .nth(1)
            .unwrap()
            .parse::<u64>()
            .unwrap()
            / 1024
    };
    let mut before = 0;
    for round in 0..22 {
        // Each one has touched 50 MB of its stack before.
        let ran = interrupted(
            &mut session,
            "fn deep(n: u64) -> u64 { let page = std::hint::black_box([n; 64]); if n == 0 { page[0] } else { page[1] + deep(n - 1) } }\n//---\ndeep(80_000); loop {}",
            2,
        );
        assert_eq!(ran.status, "interrupted", "{ran:#?}");
        if round == 1 {
            before = megabytes();
        }
    }
    let grown = megabytes().saturating_sub(before);
    assert!(grown < 80, "{grown} MB more after twenty");
    is_kept(&mut session, 1);
    let ticks = || {
        let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let fields: Vec<&str> = text.rsplit(") ").next().unwrap().split(' ').collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    };
    let (began, idle) = (ticks(), Duration::from_secs(2));
    std::thread::sleep(idle);
    // Twenty-two loops that still went round would have used all processors: two hundred ticks each and more.
    assert!(
        ticks() - began < 40,
        "{} ticks in {idle:?}",
        ticks() - began
    );
}

#[test]
fn who_holds_what_everybody_needs_is_killed_as_before() {
    let mut session = Session::start(&[("SWATH_KILL_AFTER", "1")]);
    session.run("fn kept() -> i32 { 3 }\nlet lost = 5;").ok();
    let ran = interrupted(
        &mut session,
        "struct Deaf; impl std::fmt::Display for Deaf { fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { loop {} } }\n//---\nprintln!(\"{Deaf}\");",
        1,
    );
    assert_eq!(ran.status, "lost", "{ran:#?}");
    assert!(
        ran.evalue.contains("did not stop when asked") && ran.evalue.contains("lost"),
        "{ran:#?}"
    );
    assert_eq!(session.variables(), []);
    assert!(
        session
            .run("lost")
            .traceback
            .contains("was lost when the cells' process ended")
    );
    assert_eq!(session.run("kept()").ok(), "3");
}

/// The processes whose command line is this.
fn running(command: &str) -> usize {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    entries
        .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
        .filter(|line| String::from_utf8_lossy(line).replace('\0', " ").trim() == command)
        .count()
}

#[track_caller]
fn wait_until_gone(command: &str) {
    let began = Instant::now();
    while running(command) > 0 {
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "{command} lives on"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Starts programs that stay: one of the cells' group, one in a session of its own, one that ignores what can be.
const PROGRAMS: &str = "for line in [\"exec sleep NUMBER\", \"setsid sleep NUMBER & exit\", \"trap '' INT TERM HUP; sleep NUMBER & exit\"] { std::process::Command::new(\"sh\").args([\"-c\", line]).spawn()?; }";

#[test]
fn no_program_of_a_cell_outlives_the_session() {
    // Numbers that no earlier run has left behind.
    let first = 1_000_000 + 10 * std::process::id();
    for (number, end) in (first..).zip([
        "reset",
        "the child's death",
        "the front's death",
        "shutdown",
    ]) {
        let mut session = Session::start(&[]);
        let command = format!("sleep {number}");
        session
            .run(&PROGRAMS.replace("NUMBER", &number.to_string()))
            .ok();
        let began = Instant::now();
        while running(&command) < 3 {
            assert!(
                began.elapsed() < Duration::from_secs(30),
                "{end}: {}",
                running(&command)
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        match end {
            "reset" => {
                assert_eq!(
                    session.ask(&json!({ "reset": true }), "reset")["error"],
                    json!(null)
                );
                // Those in a session of their own stay until the kernel ends.
                few_run(&command);
            }
            "the child's death" => {
                assert_eq!(session.run("std::process::abort()").status, "lost");
                few_run(&command);
            }
            "the front's death" => session.kill(),
            _ => {}
        }
        if end != "the front's death" {
            session.close();
        }
        wait_until_gone(&command);
    }
}

/// Waits until at most one of the programs runs: a loaded machine takes its time to end them.
#[track_caller]
fn few_run(command: &str) {
    let began = Instant::now();
    while running(command) > 1 {
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "{}",
            running(command)
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

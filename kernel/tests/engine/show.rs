//! What a person sees of a cell: values, displays, places in texts, words of errors.

use serde_json::json;

use crate::session::{Ran, Session};

/// Everything of a kind in order, as the text in it.
fn of_kind<'a>(ran: &'a Ran, kind: &str) -> Vec<&'a str> {
    ran.order
        .iter()
        .filter_map(|event| event.strip_prefix(kind))
        .collect()
}

#[test]
fn a_value_takes_a_screen_at_most_and_says_what_is_left_out() {
    let mut session = Session::start(&[]);
    // IPython shows the first 1000 elements, some 6000 characters, of the same list.
    let ran = session.run("let long = vec![0.5f32; 2_000_000]; long");
    let text = ran.ok();
    assert!(text.len() < 7_000, "{}", text.len());
    assert!(
        text.starts_with("[0.5, 0.5,")
            && text.ends_with(
                "… 1,999,000 more of 2,000,000 elements: `show_all(&value)` shows it whole"
            ),
        "{}",
        &text[text.len() - 200..]
    );
    assert_eq!(session.run("long.len()").ok(), "2000000", "it is whole");
    let all = session.run("show_all(&long[..3000])");
    assert_eq!(all.ok().matches("0.5").count(), 3000);

    for (value, left_out) in [
        (
            "\"é\".repeat(1_000_000)",
            "994,002 more of 1,000,002 characters",
        ),
        // How many there are is counted for as long as that takes no time.
        ("&long", "`show_all(&value)` shows it whole"),
        (
            "(0..5000).map(|i| (i, vec![i; 2])).collect::<std::collections::BTreeMap<_, _>>()",
            "more of 5,000 elements",
        ),
        (
            "(0..5000).collect::<std::collections::VecDeque<u8>>()",
            "4,000 more of 5,000 elements",
        ),
        ("[0u8; 5000]", "4,000 more of 5,000 elements"),
        ("Some(vec![vec![7; 1000]; 100])", "more of "),
    ] {
        let value = value.replace(
            "collect::<std::collections::VecDeque<u8>>",
            "map(|it| it as u8).collect::<std::collections::VecDeque<u8>>",
        );
        let text = session.run(&value).ok().to_owned();
        assert!(
            text.chars().count() < 7_000 && text.contains(left_out),
            "{value}: {}",
            text.lines().last().unwrap_or_default()
        );
    }
    assert_eq!(session.run("vec![Some(1), None]").ok(), "[Some(1), None]");
    assert_eq!(
        session
            .run("(1..=3).map(|i| (i, i * i)).collect::<std::collections::BTreeMap<_, _>>()")
            .ok(),
        "{1: 1, 2: 4, 3: 9}"
    );

    let tall = session.run(
        "struct Tall; impl std::fmt::Debug for Tall { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { (0..1000).try_for_each(|i| writeln!(f, \"line {i}\")) } }\nTall",
    );
    assert!(tall.ok().lines().count() <= 61, "{}", tall.plain());
    let endless = session.run(
        "struct Ring; impl std::fmt::Debug for Ring { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.debug_list().entries(std::iter::repeat(1)).finish() } }\nRing",
    );
    assert!(endless.ok().contains("… cut after "), "{}", endless.plain());
    let bad = session.run(
        "struct Bad; impl std::fmt::Debug for Bad { fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { panic!(\"bad debug\") } }\nBad",
    );
    assert_eq!(
        (bad.ename.as_str(), bad.evalue.as_str()),
        ("Panic", "bad debug")
    );
    let message = session.run("panic!(\"{long:?}\")");
    assert!(
        message.evalue.len() < 7_000 && message.evalue.contains("characters are left out"),
        "{}",
        message.evalue.len()
    );
    assert_eq!(session.run("long.len()").ok(), "2000000", "still there");
}

const SHOWN: &str = "struct H(&'static str); impl H { fn evcxr_display(&self) { println!(\"EVCXR_BEGIN_CONTENT text/plain\\n{}\\nEVCXR_END_CONTENT\", self.0); } }";

#[test]
fn displays_by_evcxrs_convention_are_shown_all_and_are_no_values() {
    let mut session = Session::start(&[]);
    session.run(SHOWN).ok();
    let ran = session.run("for text in [\"a\", \"b\", \"c\"] { H(text).evcxr_display(); }");
    assert_eq!(ran.order, ["display:a", "display:b", "display:c"]);
    assert_eq!(ran.result, None, "a display is not the cell's value");
    let ran = session.run("H(\"value\")");
    assert_eq!(ran.order, ["result:value"]);
    let ran = session.run("H(\"shown\").evcxr_display()");
    assert_eq!(ran.order, ["display:shown"]);
    let ran = session.run("H(\"shown\").evcxr_display(); 5");
    assert_eq!(ran.order, ["display:shown", "result:5"]);
    let ran = session.run("print!(\"50 % \"); H(\"after text\").evcxr_display(); print!(\"E\");");
    assert_eq!(
        ran.order,
        ["stdout:50 % ", "display:after text", "stdout:E"]
    );
    let ran = session.run("use swath::display::Output;\nH(\"first\").evcxr_display(); session::display(&Output::text(\"second\")); H(\"third\").evcxr_display();");
    assert_eq!(
        ran.order,
        ["display:first", "display:second", "display:third"]
    );
    let ran = session.run("let threads: Vec<_> = [\"a\", \"b\", \"c\", \"d\"].map(|text| std::thread::spawn(move || H(text).evcxr_display())).into_iter().collect(); for thread in threads { thread.join().unwrap(); }");
    let mut shown = of_kind(&ran, "display:");
    shown.sort_unstable();
    assert_eq!((shown, ran.stdout.as_str()), (vec!["a", "b", "c", "d"], ""));
    let ran = session.run("H(\"early\").evcxr_display(); std::thread::sleep(std::time::Duration::from_millis(1500)); println!(\"late\");");
    assert_eq!(ran.order, ["display:early", "stdout:late\n"]);
}

#[test]
fn a_large_block_arrives_whole() {
    let mut session = Session::start(&[]);
    let ran = session.run("println!(\"EVCXR_BEGIN_CONTENT text/plain\\n{}\\nEVCXR_END_CONTENT\", \"<td>1</td>\\n\".repeat(2_000_000));");
    let shown = of_kind(&ran, "display:");
    assert_eq!((ran.status.as_str(), shown.len()), ("ok", 1));
    assert_eq!(shown[0].len(), 11 * 2_000_000);
}

#[test]
fn texts_of_a_cell_name_the_cell_and_the_line() {
    let mut session = Session::start(&[]);
    let ran =
        session.run("fn helper(x: i32) -> i32 {\n    dbg!(x)\n}\n\nlet y = dbg!(2) + helper(3);");
    assert_eq!(ran.stderr, "[In[1]:5:9] 2 = 2\n[In[1]:2:5] x = 3\n");
    let ran = session.run("helper(4); // of an earlier cell\nlet é = 1; dbg!(é); dbg!(y)");
    assert_eq!(
        ran.stderr,
        "[In[1]:2:5] x = 4\n[In[2]:2:12] é = 1\n[In[2]:2:21] y = 5\n"
    );
    let ran = session.run("std::thread::Builder::new().name(\"worker\".into()).spawn(|| { let v: Vec<i32> = vec![]; v[0] }).unwrap().join().is_err()");
    assert_eq!(ran.ok(), "true");
    assert!(
        ran.stderr
            .starts_with("thread 'worker' panicked at In[3]:1:89:\nindex out of bounds"),
        "{}",
        ran.stderr
    );
    let ran = session.run("println!(\"{}\", std::panic::Location::caller());");
    assert_eq!(ran.stdout, "In[4]:1:16\n");
    assert_eq!(session.run("file!()").ok(), "\"In[5]\"", "as it is shown");

    // A closure of an earlier cell panics in this one.
    session
        .run("let index: Box<dyn Fn(usize) -> i32> =\n    Box::new(|i| vec![1][i]);")
        .ok();
    let ran = session.run("\nindex(5)");
    assert!(
        ran.ename == "Panic" && ran.traceback.contains("In[6]:2:25"),
        "{ran:#?}"
    );
    // A thread of an earlier cell panics while a later one runs.
    session.run("let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false)); let other = stop.clone(); let thread: std::thread::JoinHandle<()> = std::thread::spawn(move || { while !other.load(std::sync::atomic::Ordering::SeqCst) { std::thread::yield_now(); }\npanic!(\"late\") });").ok();
    let ran = session.run("fn more() {}\nstop.store(true, std::sync::atomic::Ordering::SeqCst); let _ = thread.join();");
    assert!(
        ran.stderr.contains("panicked at In[8]:2:1:\nlate"),
        "{ran:#?}"
    );
    assert!(!ran.stderr.contains("swath-cell"), "{}", ran.stderr);
}

#[test]
fn a_type_keeps_its_identity_whatever_the_file_is_called() {
    let mut session = Session::start(&[]);
    session.run("#[derive(Debug)] struct P { x: i32 }\nlet p = P { x: 1 }; let name = std::any::TypeId::of::<P>();").ok();
    assert_eq!(session.run("p").ok(), "P { x: 1 }");
    assert_eq!(
        session
            .run("(name == std::any::TypeId::of::<P>(), p.x)")
            .ok(),
        "(true, 1)"
    );
}

#[test]
fn names_of_types_are_those_of_the_users_code() {
    let mut session = Session::start(&[]);
    let ran = session.run("#[derive(Debug)] struct MyError; impl std::fmt::Display for MyError { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(\"mine\") } }\nErr(MyError)?;");
    assert_eq!(
        (ran.ename.as_str(), ran.evalue.as_str()),
        ("MyError", "mine")
    );
    assert_eq!(
        session.run("struct Plain;\nPlain").ok(),
        "a value of type Plain (it has no `Debug` text)"
    );
    assert_eq!(
        session.run("{ struct Local; Some(Local) }").ok(),
        "a value of type core::option::Option<Local> (it has no `Debug` text)"
    );
    assert_eq!(
        session.run("|x: i32| x + 1").ok(),
        "a closure (it has no `Debug` text)"
    );
    let ran = session.run("let l = { struct Local; Local };");
    assert!(
        ran.evalue.contains("a type that is defined inside a block")
            && ran.traceback.contains("outside of every block"),
        "{ran:#?}"
    );
    let ran = session.run("fn double(x: i32) -> i32 { 2 * x }\nlet f = double;");
    assert!(
        ran.evalue.contains("a function by its own type"),
        "{ran:#?}"
    );
}

#[test]
fn errors_are_about_the_cell_before_they_are_about_earlier_ones() {
    let mut session = Session::start(&[]);
    session
        .run("fn g(x: i32) -> i32 { x }\nfn uses_g() -> i32 { g(1) }")
        .ok();
    let ran = session.run("fn g(x: &str) -> usize { x.len() }");
    assert!(
        ran.status == "ok"
            && ran
                .stderr
                .contains("`fn uses_g() -> i32` does not fit any more (In[1]:2: mismatched types)"),
        "{ran:#?}"
    );
    let again = session.run("fn other() {}");
    assert_eq!(again.stderr, "", "told once");
    let ran = session.run("let q: i32 = \"x\";");
    assert_eq!(ran.evalue, "mismatched types");
    assert!(
        ran.traceback.contains("In[4]:1:14") && !ran.traceback.contains("In[1]"),
        "{}",
        ran.traceback
    );
    let ran = session.run("uses_g()");
    assert!(
        ran.evalue.contains("(in `In[1]`)") && ran.traceback.contains("In[1]:2:24"),
        "{ran:#?}"
    );
    assert_eq!(session.run("g(\"four\")").ok(), "4");
}

#[test]
fn suggestions_say_what_to_write() {
    let mut session = Session::start(&[]);
    session
        .run("fn earlier() {}\nlet v = vec![1]; let n = 1;")
        .ok();
    let ran = session.run("let map: HashMap<u8, u8> = Default::default();");
    assert!(
        ran.traceback
            .contains("consider importing this struct: `use std::collections::HashMap;`"),
        "{}",
        ran.traceback
    );
    let ran = session.run("let wait = Duration::from_secs(1);");
    assert!(
        ran.traceback.contains("use std::time::Duration;") && !ran.traceback.contains("In[1]"),
        "{}",
        ran.traceback
    );
    // Several paths: each is named.
    let ran = session.run("let map = HashSet::<u8>::new(); swap(&mut 1, &mut 2);");
    assert!(
        ran.traceback.contains("use std::collections::HashSet;")
            && ran.traceback.contains("use std::mem::swap;"),
        "{}",
        ran.traceback
    );
    // Several names for one place.
    session
        .run("mod a { pub enum A { Only } }\nmod b { pub enum B { Only } }")
        .ok();
    let ran = session.run("fn take(x: Only) {}");
    assert!(
        ran.traceback.contains("a::A\n") && ran.traceback.contains("b::B"),
        "{}",
        ran.traceback
    );
    for code in ["v.push(2)", "n += 1;"] {
        let ran = session.run(code);
        let name = &code[..1];
        assert!(
            ran.traceback.contains(&format!("let mut {name} = {name};"))
                && !ran.traceback.contains("__swath"),
            "{}",
            ran.traceback
        );
    }
    assert_eq!(session.run("let mut v = v; v.push(2); v.len()").ok(), "2");
}

#[test]
fn standard_input_asks_the_user() {
    let mut session = Session::start(&[]);
    // The trial front end answers a question with its prompt.
    let ran = session.run("let mut line = String::new(); let length = std::io::stdin().read_line(&mut line)?; (length, line)");
    assert_eq!(ran.ok(), "(1, \"\\n\")");
    let ran = session.run("print!(\"a \"); println!(\"EVCXR_INPUT_REQUEST:Name?\"); let mut name = String::new(); std::io::stdin().read_line(&mut name)?; name");
    assert_eq!((ran.ok(), ran.stdout.as_str()), ("\"Name?\\n\"", "a "));
    let ran = session.run("println!(\"EVCXR_INPUT_REQUEST_PASSWORD:Key:\"); let mut key = String::new(); std::io::stdin().read_line(&mut key)?; key");
    assert_eq!((ran.ok(), ran.stdout.as_str()), ("\"Key:\\n\"", ""));
    let ran =
        session.run("String::from_utf8(std::process::Command::new(\"cat\").output()?.stdout)?");
    assert_eq!(ran.ok(), "\"\"", "programs find the end of their input");
    let ran = session.run("println!(\"EVCXR_INPUT_REQUEST:never read\");");
    assert_eq!(ran.stdout, "never read\n");
    // Somebody has put a file in the place of standard input.
    let ran = session.run("std::fs::write(\"in.txt\", \"from a file\\n\")?; let mut line = String::new(); unsafe { unsafe extern \"C\" { fn open(path: *const std::ffi::c_char, flags: i32) -> i32; fn dup2(a: i32, b: i32) -> i32; fn dup(a: i32) -> i32; } let old = dup(0); dup2(open(c\"in.txt\".as_ptr(), 0), 0); std::io::stdin().read_line(&mut line)?; dup2(old, 0); } std::fs::remove_file(\"in.txt\")?; line");
    assert_eq!(ran.ok(), "\"from a file\\n\"");
    let asked = session.run("use std::io::IsTerminal; (std::io::stdout().is_terminal(), std::io::stderr().is_terminal(), std::io::stdin().is_terminal())");
    assert_eq!(asked.ok(), "(true, true, false)");
}

#[test]
fn a_panic_while_an_old_value_is_dropped_is_told() {
    let mut session = Session::start(&[]);
    session.run("struct Bomb; impl Drop for Bomb { fn drop(&mut self) { panic!(\"boom in drop\") } }\nlet b = Bomb;").ok();
    let ran = session.run("let b = 5;");
    assert!(
        !ran.stdout.contains("EVCXR") && (ran.evalue + &ran.stderr).contains("boom in drop"),
        "{}",
        ran.stdout
    );
    session.send(&json!({ "execute": "println!(\"EVCXR_PANIC_NOTIFICATION\"); 1 + 1" }));
    let ran = session.end();
    assert!(!ran.stdout.contains("EVCXR"), "{ran:#?}");
}

//! A value is kept or refused, never lost later; no cell reads a value as what it is not; state stays.

use crate::session::Session;

#[test]
fn types_of_any_length_are_kept() {
    let mut session = Session::start(&[]);
    for (name, value) in [
        (
            "loaded",
            "Ok::<Vec<u8>, Box<dyn std::error::Error + Send + Sync>>(vec![])",
        ),
        (
            "tree",
            "std::collections::BTreeMap::<String, std::collections::BTreeMap<String, Vec<(String, std::path::PathBuf, Vec<f32>)>>>::new()",
        ),
        (
            "shared",
            "std::sync::Arc::new(std::sync::Mutex::new(Vec::<(std::time::Duration, Result<String, String>)>::new()))",
        ),
        (
            "call",
            "Box::new(|_: &str, v: Vec<String>| Ok(v)) as Box<dyn Fn(&str, Vec<String>) -> Result<Vec<String>, Box<dyn std::error::Error>>>",
        ),
    ] {
        session.run(&format!("let {name} = {value};")).ok();
    }
    session.run("struct HashMap(u8);").ok();
    assert_eq!(
        session.run("(loaded.is_ok(), tree.len(), shared.lock().unwrap().len(), call(\"\", vec![]).is_ok())").ok(),
        "(true, 0, 0, true)"
    );
    session.run("let len = std::collections::BTreeMap::<String, std::collections::BTreeMap<String, Vec<f64>>>::new();").ok();
    assert_eq!(session.run("let v = vec![1, 2]; v.len()").ok(), "2");
}

#[test]
fn a_type_that_later_cells_cannot_write_is_refused_where_it_is_made() {
    let mut session = Session::start(&[]);
    session.run("let kept = vec![1];").ok();
    let local = session.run("let local = { #[derive(Debug)] struct Local; Local };");
    assert!(
        local
            .evalue
            .contains("`local` is a value of a type that is defined inside a block"),
        "{local:#?}"
    );
    assert_eq!(
        session
            .run("let local = { #[derive(Debug)] struct Local; Local }; format!(\"{local:?}\")")
            .ok(),
        "\"Local\""
    );
    assert!(
        session
            .run("local")
            .traceback
            .contains("defined inside a block")
    );
    assert_eq!(session.run("kept").ok(), "[1]");
}

#[test]
fn names_of_any_form_are_kept() {
    let mut session = Session::start(&[]);
    session.run("let X = vec![vec![1.0, 2.0]]; let y = vec![0, 1]; let (A, b) = (1, 2); let r#type = 7;").ok();
    assert_eq!(
        session.run("(X.len(), y.len(), A + b, r#type)").ok(),
        "(1, 2, 3, 7)"
    );
    session.run("let e\u{301}te\u{301} = 5;").ok();
    assert_eq!(session.run("\u{e9}t\u{e9} + 1").ok(), "6");

    // A constant, a unit struct and a variant stay what they are.
    session.run("const LIMIT: i32 = 3; struct Unit; #[derive(Debug, PartialEq)] enum Color { Red, Green } use Color::*;").ok();
    session.run("let Unit = Unit; let LIMIT = 3 else { panic!() }; let Red = Color::Red else { panic!() };").ok();
    assert!(
        !session.has_variable("Unit")
            && !session.has_variable("LIMIT")
            && !session.has_variable("Red")
    );
    assert_eq!(session.run("(LIMIT, Red == Color::Red)").ok(), "(3, true)");
    let named: Vec<String> = session
        .variables()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert!(named.contains(&"X".to_owned()), "{named:?}");
}

#[test]
fn what_macros_make_is_kept() {
    let mut session = Session::start(&[]);
    session
        .run(
            "macro_rules! point { ($n:ident) => { #[derive(Debug, Clone)] struct $n { x: i32 } } }",
        )
        .ok();
    session.run("point!(Pt);").ok();
    assert_eq!(session.run("Pt { x: 1 }").ok(), "Pt { x: 1 }");
    session.run("let p = Pt { x: 2 };").ok();
    assert_eq!(session.run("p.x").ok(), "2");
    session.run("macro_rules! make { ($n:ident, $e:expr) => { let mut $n = $e; } }\nmake!(made, vec![1]);").ok();
    assert_eq!(session.run("made.push(2); made").ok(), "[1, 2]");
    session
        .run(
            "macro_rules! quiet { ($n:ident) => { { let $n = 1; let _ = $n; } } }\nquiet!(inside);",
        )
        .ok();
    assert!(!session.has_variable("inside"));
    // One that nobody knows is a statement when it does not make items.
    assert_eq!(
        session.run("mod m { macro_rules! run { ($($t:tt)*) => { $($t)* } } pub(crate) use run; }\nuse m::run;\nrun! { fn seven() -> i32 { 7 } }").ok(),
        ""
    );
    assert_eq!(session.run("seven()").ok(), "7");
    assert_eq!(
        session
            .run("let mut total = 0; run! { for i in 0..3 { total += i; } fn unused() {} }\ntotal")
            .ok(),
        "3"
    );
}

#[test]
fn comments_and_spaces_change_nothing() {
    let mut session = Session::start(&[]);
    session
        .run("struct P { x: i32 }\nimpl P { fn get(&self) -> i32 { self.x } }")
        .ok();
    session.run("let p = P { x: 1 };").ok();
    let same = session.run("// a comment only\nstruct P /* a */ {\n    x: i32, // here\n}");
    assert_eq!((same.ok(), same.stderr.as_str()), ("", ""));
    assert_eq!(session.run("p.get()").ok(), "1");
}

#[test]
fn no_definition_makes_a_value_of_another_type_of_it() {
    for (definitions, value, redefinition) in [
        (
            "const N: usize = 3; #[derive(Debug)] struct A([u64; N]);",
            "A([1; 3])",
            "const N: usize = 12;",
        ),
        (
            "const fn n() -> usize { 2 } #[derive(Debug)] struct A([u64; n()]);",
            "A([1; 2])",
            "const fn n() -> usize { 12 }",
        ),
        (
            "macro_rules! elem { () => { u8 } } #[derive(Debug)] struct A(elem!(), u64);",
            "A(1, 2)",
            "macro_rules! elem { () => { [u64; 6] } }",
        ),
        (
            "mod cfg { pub const N: usize = 1; #[derive(Debug)] pub struct A(pub [u64; N]); }",
            "cfg::A([1])",
            "mod cfg { pub const N: usize = 9; #[derive(Debug)] pub struct A(pub [u64; N]); }",
        ),
        (
            "use std::num::Wrapping as Kind; #[derive(Debug)] struct S(Kind<u64>);",
            "S(Kind(1))",
            "use std::boxed::Box as Kind;",
        ),
        (
            "trait Tr { type O: std::fmt::Debug; } #[derive(Debug)] struct X; impl Tr for X { type O = u64; } #[derive(Debug)] struct H<T: Tr>(T::O);",
            "H::<X>(5)",
            "impl Tr for X { type O = String; }",
        ),
        (
            "struct B; impl B { const N: usize = 1; } #[derive(Debug)] struct A([u64; B::N]);",
            "A([1])",
            "impl B { const N: usize = 7; }",
        ),
        (
            "type T = u64; #[derive(Debug)] struct A(T);",
            "vec![Some(A(1))]",
            "type T = String;",
        ),
        (
            "#[derive(Debug)] struct A(Vec<u8>);",
            "A(vec![1])",
            "#[derive(Debug)] struct Vec(u128);",
        ),
        (
            "trait Say { fn one(&self) -> u8; } impl Say for u8 { fn one(&self) -> u8 { 1 } }",
            "Box::new(5_u8) as Box<dyn Say>",
            "trait Say { fn zero(&self) -> u64 { 0 } fn one(&self) -> u8; }",
        ),
    ] {
        let mut session = Session::start(&[]);
        session.run(definitions).ok();
        session
            .run(&format!("let kept = vec![1, 2, 3]; let value = {value};"))
            .ok();
        let told = session.run(redefinition);
        assert_eq!(told.ok(), "", "{redefinition}");
        assert!(
            told.stderr.contains("dropped `value`"),
            "{redefinition}: {told:#?}"
        );
        let gone = session.run("let _ = &value;");
        assert_eq!(
            (gone.status.as_str(), gone.ename.as_str()),
            ("error", "E0425"),
            "{redefinition}: {gone:#?}"
        );
        assert_eq!(session.run("kept").ok(), "[1, 2, 3]", "{redefinition}");
    }
}

#[test]
fn the_structure_of_a_type_is_compared_without_following_names() {
    let mut session = Session::start(&[]);
    // No item of the session mentions the constant: an environment variable of the compiler decides.
    session.run("#[derive(Debug)] struct A([u64; if std::mem::size_of::<Inner>() > 8 { 4 } else { 1 }]); type Inner = u8;").ok();
    session.run("let a = A([1]);").ok();
    session.run("fn unrelated() {}").ok();
    assert_eq!(
        session.run("a").ok(),
        "A([1])",
        "the same structure in every cell"
    );
}

#[test]
fn a_failed_redefinition_drops_nothing() {
    let mut session = Session::start(&[]);
    session.run("#[derive(Debug)] struct P { x: i32 }").ok();
    session.run("let p = P { x: 1 };").ok();
    assert_eq!(session.run("struct P { x: Missing }").status, "error");
    assert_eq!(session.run("p").ok(), "P { x: 1 }");
}

#[test]
fn statics_keep_their_state() {
    let mut session = Session::start(&[]);
    session
        .run("use std::sync::atomic::{AtomicUsize, Ordering}; static COUNT: AtomicUsize = AtomicUsize::new(0); fn bump() -> usize { COUNT.fetch_add(1, Ordering::SeqCst) + 1 }")
        .ok();
    assert_eq!(session.run("bump()").ok(), "1");
    assert_eq!(session.run("bump()").ok(), "2");
    assert_eq!(session.run("COUNT.load(Ordering::SeqCst)").ok(), "2");

    session.run("use std::sync::{Mutex, OnceLock}; static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new()); static ONCE: OnceLock<u8> = OnceLock::new();").ok();
    session
        .run("LOG.lock()?.push(\"a\".to_owned()); ONCE.set(5).unwrap();")
        .ok();
    session
        .run("LOG.lock().unwrap().push(\"b\".to_owned());")
        .ok();
    assert_eq!(
        session.run("(LOG.lock().unwrap().len(), ONCE.get())").ok(),
        "(2, Some(5))"
    );

    session.run("fn next() -> usize { static N: AtomicUsize = AtomicUsize::new(10); N.fetch_add(1, Ordering::SeqCst) }\nmod inner { use std::cell::Cell; thread_local! { pub static T: Cell<u8> = const { Cell::new(1) }; } }").ok();
    session.run("next(); inner::T.set(7);").ok();
    assert_eq!(session.run("(next(), inner::T.get())").ok(), "(11, 7)");

    session.run("thread_local! { static TOP: std::cell::RefCell<Vec<u8>> = std::cell::RefCell::new(vec![]); }").ok();
    session.run("TOP.with_borrow_mut(|it| it.push(1));").ok();
    assert_eq!(session.run("TOP.with_borrow(|it| it.len())").ok(), "1");

    session.run("static mut RAW: u32 = 1;").ok();
    session.run("unsafe { RAW += 1 }").ok();
    assert_eq!(session.run("unsafe { RAW }").ok(), "2");

    // Defined again, be it with the same text, it begins anew, and so it does when its type changes; both is said.
    let again = session.run("// once more\nstatic COUNT: AtomicUsize = AtomicUsize::new(40);");
    assert_eq!(
        again.stderr,
        "`COUNT` begins anew: this cell defines it again\n"
    );
    session
        .run("static NAMES: [&str; 2] = [\"a\", \"b\"];")
        .ok();
    assert_eq!(
        session
            .run("static NAMES: [&str; 2] = [\"a\", \"c\"];")
            .stderr,
        ""
    );
    assert_eq!(session.run("bump()").ok(), "41");
    session
        .run("struct Kept(u8); static KEPT: Mutex<Option<Kept>> = Mutex::new(None);")
        .ok();
    session.run("*KEPT.lock().unwrap() = Some(Kept(1));").ok();
    let changed = session.run("struct Kept(u64);");
    assert!(
        changed.stderr.contains("`KEPT` begins anew"),
        "{changed:#?}"
    );
    assert_eq!(session.run("KEPT.lock().unwrap().is_none()").ok(), "true");
}

#[test]
fn a_static_that_is_part_of_a_constant_is_told_about() {
    let mut session = Session::start(&[]);
    session.run("static TABLE: [u8; 3] = [1, 2, 3];").ok();
    let length = session.run("const LENGTH: usize = TABLE.len() + TABLE[0] as usize;\nLENGTH");
    assert_eq!(length.ok(), "4");
    assert!(length.stderr.contains("`TABLE`"), "{length:#?}");
}

#[test]
fn state_begins_anew_with_the_process() {
    let mut session = Session::start(&[]);
    session.run("use std::sync::atomic::{AtomicUsize, Ordering}; static COUNT: AtomicUsize = AtomicUsize::new(5);").ok();
    session.run("COUNT.fetch_add(1, Ordering::SeqCst);").ok();
    assert_eq!(session.run("std::process::exit(3)").status, "lost");
    assert_eq!(session.run("COUNT.load(Ordering::SeqCst)").ok(), "5");
    session.run("COUNT.store(9, Ordering::SeqCst);").ok();
    assert_eq!(session.run("COUNT.load(Ordering::SeqCst)").ok(), "9");
}

#[test]
fn an_early_end_tells_what_is_lost() {
    let mut session = Session::start(&[]);
    let early = session.run("let a = 1; if a == 1 { return; }\nlet b = 2;");
    assert_eq!(early.ok(), "");
    assert!(early.stderr.contains("`b`"), "{early:#?}");
    assert_eq!(session.run("a").ok(), "1");
    session
        .run("let c = vec![1]; let n = a; return Ok(());")
        .ok();
    assert_eq!(session.run("(c, n)").ok(), "([1], 1)");

    session.run("let word = String::from(\"w\");").ok();
    let failed =
        session.run("let fresh = 1; let word = word + \"!\"; let _ = &word; panic!(\"stop\")");
    assert!(
        failed.traceback.contains("moved `word`") && failed.traceback.contains("`fresh`"),
        "{failed:#?}"
    );
    assert!(
        session
            .run("fresh")
            .traceback
            .contains("ended before `fresh` was kept")
    );
}

#[test]
fn a_panic_in_the_drop_of_an_old_value_is_an_error_of_the_cell() {
    let mut session = Session::start(&[]);
    session.run("struct Bomb; impl Drop for Bomb { fn drop(&mut self) { panic!(\"boom in drop\") } }\nlet b = Bomb;").ok();
    let shadowed = session.run("let b = 5;");
    assert_eq!(shadowed.ename, "Panic", "{shadowed:#?}");
    assert!(
        shadowed.evalue.contains("boom in drop") && !shadowed.stdout.contains("EVCXR"),
        "{shadowed:#?}"
    );
    assert_eq!(session.run("let b = 6; b").ok(), "6");
}

#[test]
fn blocks_of_a_struct_can_be_written_anew_in_a_cell_of_their_own() {
    let mut session = Session::start(&[]);
    session.run("#[derive(Clone)] struct P { x: i32 }\nimpl P { fn get(&self) -> i32 { self.x } fn other(&self) -> i32 { 9 } }\nimpl std::fmt::Display for P { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { write!(f, \"one\") } }\nlet p = P { x: 4 };").ok();
    session
        .run("impl P { fn get(&self) -> i32 { self.x + 1 } }")
        .ok();
    session.run("impl std::fmt::Display for P { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { write!(f, \"two\") } }").ok();
    assert_eq!(
        session
            .run("format!(\"{} {} {p}\", p.get(), p.other())")
            .ok(),
        "\"5 9 two\""
    );
    session.run("fn P() -> u8 { 3 }").ok();
    assert_eq!(
        session.run("P() as i32 + p.x").ok(),
        "7",
        "a function and a struct of one name"
    );
}

#[test]
fn values_behind_any_and_error_are_never_taken_for_others() {
    let mut session = Session::start(&[]);
    session
        .run(
            "use std::any::Any; use std::sync::Mutex; #[derive(Debug)] struct Foo(u32); #[derive(Debug)] struct Fault(u64);\n\
             impl std::fmt::Display for Fault { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { write!(f, \"fault\") } }\n\
             impl std::error::Error for Fault {}\nstruct Holder { any: Box<dyn Any> }\ntrait Shape: Any {}\nimpl Shape for Foo {}\n\
             static REGISTRY: Mutex<Vec<Box<dyn Any + Send>>> = Mutex::new(Vec::new());",
        )
        .ok();
    session
        .run(
            "let any: Box<dyn Any> = Box::new(Foo(7)); let fault: Box<dyn std::error::Error> = Box::new(Fault(3)); let kept = vec![1];\n\
             let holder = Holder { any: Box::new(Foo(1)) }; let shape: Box<dyn Shape> = Box::new(Foo(2));",
        )
        .ok();
    session
        .run("REGISTRY.lock().unwrap().push(Box::new(Foo(8)));")
        .ok();
    assert_eq!(
        session.run("any.downcast_ref::<Foo>()").ok(),
        "Some(Foo(7))"
    );

    let changed = session.run("#[derive(Debug)] struct Foo(String);");
    for name in ["any", "holder", "shape"] {
        assert!(
            changed.stderr.contains(&format!("`{name}`")),
            "{name}: {changed:#?}"
        );
        assert!(!session.has_variable(name), "{name}");
    }
    assert!(
        changed.stderr.contains("`REGISTRY` begins anew"),
        "{changed:#?}"
    );
    assert_eq!(session.run("REGISTRY.lock().unwrap().len()").ok(), "0");
    assert!(session.has_variable("fault"), "no error changed");

    session.run("#[derive(Debug)] struct Fault(Vec<String>);\nimpl std::fmt::Display for Fault { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { write!(f, \"fault\") } }\nimpl std::error::Error for Fault {}").ok();
    assert!(!session.has_variable("fault"));
    assert_eq!(session.run("kept").ok(), "[1]");
}

#[test]
fn a_value_that_is_hidden_behind_an_error_or_a_thread_is_never_one_of_a_type_defined_later() {
    const IMPLS: &str = "impl std::fmt::Display for Fault { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { write!(f, \"fault\") } }\n\
         impl std::error::Error for Fault {}\n";
    let mut session = Session::start(&[]);
    let first = format!(
        "#[derive(Debug)] struct Fault(u32);\n{IMPLS}impl Fault {{ fn new() -> Fault {{ Fault(7) }} }}"
    );
    session.run(&first).ok();
    session
        .run(
            "use std::io; use std::sync::Mutex; #[derive(Debug, Clone, PartialEq)] struct Point { x: u8, name: String }\n\
             let mut points = vec![Point { x: 1, name: \"a\".to_owned() }];\n\
             let boxed: Box<dyn Fn() -> io::Error> = Box::new(|| io::Error::other(Fault::new()));\n\
             let pointer: fn() -> io::Error = || io::Error::other(Fault::new());\n\
             let thread = std::thread::spawn(|| { if true { std::panic::panic_any(Fault::new()) } });\n\
             let kept = io::Error::other(Fault::new());\n\
             static LAST: Mutex<Option<io::Error>> = Mutex::new(None);\n\
             *LAST.lock().unwrap() = Some(io::Error::other(Fault::new()));\n\
             let id = std::any::TypeId::of::<Fault>();",
        )
        .ok();
    let found = "LAST.lock().unwrap().as_ref().unwrap().get_ref().unwrap().downcast_ref::<Fault>()";
    assert_eq!(session.run(found).ok(), "Some(Fault(7))");

    let second = format!("#[derive(Debug)] struct Fault(String);\n{IMPLS}");
    let changed = session.run(&second);
    assert!(changed.stderr.contains("dropped `"), "{changed:#?}");
    assert!(
        !session.has_variable("kept"),
        "it is known to hold an error"
    );
    assert_eq!(
        session.run("id == std::any::TypeId::of::<Fault>()").ok(),
        "false"
    );
    for holder in ["boxed", "pointer"] {
        assert!(
            !session.has_variable(holder),
            "{holder} says that it makes errors"
        );
    }
    assert_eq!(
        session
            .run("thread.join().unwrap_err().downcast_ref::<Fault>()")
            .ok(),
        "None"
    );
    let last = session.run(
        &found
            .replace(".as_ref().unwrap()", ".as_ref().map(|it| it")
            .replace("::<Fault>()", "::<Fault>().is_some())"),
    );
    assert_eq!(last.ok(), "Some(false)", "it is there, and of another type");

    // What did not change is there, as often as other things do.
    for round in 2..5_u8 {
        session.run(&format!("points.push(Point {{ x: {round}, name: \"b\".to_owned() }}); struct Other([u8; {round}]);")).ok();
        assert_eq!(
            session.run("let points = points; points.len()").ok(),
            round.to_string()
        );
        session.run("let mut points = points;").ok();
    }
    assert_eq!(session.run("points[0]").ok(), "Point { x: 1, name: \"a\" }");
    let changed = session.run("#[derive(Debug)] struct Point { x: u16 }");
    assert!(changed.stderr.contains("dropped `points`"), "{changed:#?}");
}

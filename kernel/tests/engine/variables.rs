use crate::session::Session;

#[test]
fn variables_of_every_nameable_type_live_on() {
    let mut session = Session::start(&[]);
    session.run("use std::collections::HashMap;\n#[derive(Debug, Clone)] struct Point { x: i32, y: f64 }").ok();
    session
        .run(
            "let n = 5; let mut list = vec![1.5, 2.5]; let text = \"static\"; let owned = String::from(\"é\");\n\
             let map: HashMap<String, Vec<Option<Point>>> = HashMap::new();\n\
             let (a, b) = (1_u8, 'c'); let Point { x, y: height } = Point { x: 3, y: 0.5 };\n\
             let [first, .., last] = [1, 2, 3]; let boxed: Box<dyn Fn(i32) -> i32> = Box::new(|v| v + 1);\n\
             let pointer: fn(i32) -> i32 = i32::abs; let unit = (); let nested = (1, (2.0, [3_i64; 2]));",
        )
        .ok();
    assert_eq!(
        session
            .run("list.push(3.5); (n, list.len(), text, &owned, a, b, x, height)")
            .ok(),
        "(5, 3, \"static\", \"é\", 1, 'c', 3, 0.5)"
    );
    assert_eq!(
        session
            .run("(first, last, boxed(1), pointer(-4), map.len(), nested)")
            .ok(),
        "(1, 3, 2, 4, 0, (1, (2.0, [3, 3])))"
    );
    assert_eq!(session.run("unit").ok(), "", "unit shows nothing");

    session
        .run(
            "use swath::burn::tensor::{Device, Tensor};\n\
             let device = Device::flex();\n\
             let tensor = Tensor::<2>::ones([2, 3], &device);\n\
             let layer = swath::burn::nn::conv::Conv2dConfig::new([3, 8], [3, 3]).init(&device);",
        )
        .ok();
    assert!(
        session
            .run("tensor.clone() * 2.0")
            .ok()
            .contains("[[2.0, 2.0, 2.0]")
    );
    assert!(
        session
            .run("println!(\"{:?}\", layer.weight.dims());")
            .stdout
            .contains("[8, 3, 3, 3]")
    );
    let types = session.variables();
    let type_of = |name: &str| {
        types
            .iter()
            .find(|(it, _)| it == name)
            .map_or("", |(_, type_name)| type_name)
    };
    assert!(
        type_of("tensor").starts_with("swath::burn::") && type_of("tensor").ends_with("Tensor<2>"),
        "{types:?}"
    );
    assert_eq!(type_of("list"), "std::vec::Vec<f64>");
}

#[test]
fn moves_shadowing_and_failures_leave_the_right_variables() {
    let mut session = Session::start(&[]);
    session
        .run("let v = vec![1, 2, 3]; let keep = 7; let mut count = 0;")
        .ok();
    assert_eq!(
        session.run("let v = v.len(); v").ok(),
        "3",
        "shadowed by a value made from it"
    );
    session.run("let word = String::from(\"w\");").ok();
    session.run("let taken = word;").ok();
    assert!(!session.has_variable("word"));
    let gone = session.run("word");
    assert_eq!(
        (gone.status.as_str(), gone.ename.as_str()),
        ("error", "E0425")
    );
    assert!(
        gone.traceback
            .contains("`word` was moved by the cell In[4]"),
        "{}",
        gone.traceback
    );

    let panicked =
        session.run("count += 1; let fresh = 1; if keep == 7 { panic!(\"stop at {count}\") }");
    assert_eq!(
        (panicked.ename.as_str(), panicked.evalue.as_str()),
        ("Panic", "stop at 1")
    );
    assert!(!session.has_variable("fresh"));
    assert_eq!(session.run("(count, keep, taken)").ok(), "(1, 7, \"w\")");
    assert_eq!(session.run("let v: u8 = \"x\";").status, "error");
    assert_eq!(session.run("(count, v)").ok(), "(1, 3)");

    let early = session.run("let n: i32 = \"12x\".parse()?; println!(\"not reached\");");
    assert_eq!(
        (early.ename.as_str(), early.stdout.as_str()),
        ("ParseIntError", "")
    );
    session.run("let n: i32 = \"12\".parse()?;").ok();
    assert_eq!(session.run("n + keep").ok(), "19");
    assert_eq!(session.run("let r = async { n + 1 }.await; r").ok(), "13");
}

#[test]
fn redefinitions_replace_and_drop_what_no_longer_fits() {
    let mut session = Session::start(&[]);
    session
        .run("fn f() -> i32 { 1 }\nstruct P { x: i32 }\nimpl P { fn get(&self) -> i32 { self.x } }")
        .ok();
    session
        .run("let p = P { x: 4 }; let ps = vec![P { x: 5 }]; let other = 1;")
        .ok();
    assert_eq!(session.run("f() + p.get() + ps[0].get()").ok(), "10");
    session.run("fn f() -> i32 { 100 }").ok();
    assert_eq!(session.run("f()").ok(), "100");

    // A block of its own cell may run again, and grow.
    session
        .run("impl P { fn twice(&self) -> i32 { self.x * 2 } }")
        .ok();
    session.run("impl P { fn twice(&self) -> i32 { self.x * 2 } fn thrice(&self) -> i32 { self.x * 3 } }").ok();
    assert_eq!(session.run("p.twice() + p.thrice()").ok(), "20");

    let same = session.run("struct P { x: i32 }\nimpl P { fn get(&self) -> i32 { self.x } }");
    assert_eq!(
        (same.ok(), same.stderr.as_str()),
        ("", ""),
        "the same text changes nothing"
    );
    assert_eq!(session.run("p.get()").ok(), "4");

    let changed = session.run("struct P { x: u64 }\nimpl P { fn get(&self) -> u64 { self.x } fn twice(&self) -> u64 { 0 } fn thrice(&self) -> u64 { 0 } }");
    assert!(changed.stderr.contains("dropped `p`, `ps`"), "{changed:#?}");
    assert!(!session.has_variable("p") && session.has_variable("other"));
}

#[test]
fn a_variable_without_a_nameable_type_is_explained() {
    let mut session = Session::start(&[]);
    let closure = session.run("let add = |a: i32, b: i32| a + b;");
    assert_eq!(closure.status, "error");
    assert!(
        closure.evalue.contains("`add` is a closure") && closure.traceback.contains("Box<dyn Fn"),
        "{closure:#?}"
    );
    assert_eq!(
        session
            .run("let add = |a: i32, b: i32| a + b; add(2, 3)")
            .ok(),
        "5",
        "its own cell may use it"
    );
    assert!(
        session
            .run("add(1, 1)")
            .traceback
            .contains("`add` was a closure")
    );
    let reference = session.run("let word = String::from(\"a\"); let part = &word[..];");
    assert!(
        reference.traceback.contains("cannot hold a reference"),
        "{reference:#?}"
    );
}

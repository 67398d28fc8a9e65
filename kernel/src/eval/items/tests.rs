use super::*;

struct Session {
    store: ItemStore,
    cells: u32,
}

impl Session {
    fn new(cells: &[&str]) -> Self {
        let mut session = Self {
            store: ItemStore::default(),
            cells: 0,
        };
        for code in cells {
            session.run(code);
        }
        session
    }

    fn run(&mut self, code: &str) -> Merged {
        self.cells += 1;
        let cell = Cell::parse(code, &self.store.known());
        assert!(!cell.broken, "{code}");
        let source = CellSource::new(self.cells, code);
        let merged = self.store.merge(&cell, &source);
        self.store.replace(&merged.items, |_| true);
        merged
    }

    fn changed(&mut self, code: &str) -> Vec<String> {
        self.run(code).changed.into_iter().collect()
    }

    fn texts(&self) -> Vec<&str> {
        self.store
            .items()
            .iter()
            .map(|item| item.text.as_str())
            .collect()
    }
}

#[test]
fn a_definition_replaces_those_of_its_name_and_name_space() {
    let mut session = Session::new(&[
        "use std::collections::{HashMap, BTreeMap};",
        "struct a { x: u8 }\nfn a() {}",
    ]);
    assert_eq!(session.texts().len(), 4);
    session.run("struct HashMap;");
    session.run("fn a() -> u8 { 1 }");
    assert_eq!(
        session.texts(),
        [
            "use std::collections::BTreeMap;",
            "struct a { x: u8 }",
            "struct HashMap;",
            "fn a() -> u8 { 1 }"
        ]
    );
}

#[test]
fn blocks_are_replaced_by_header_and_by_member() {
    let mut session = Session::new(&[
        "struct P;",
        "impl P { fn a(&self) {} fn b(&self) {} }\nimpl Clone for P { fn clone(&self) -> P { P } }",
    ]);
    session.run("impl P { fn b(&self) -> u8 { 1 } }");
    assert_eq!(
        session.texts()[1].trim_end(),
        "impl P { fn a(&self) {}                }".trim_end()
    );
    session.run("impl  Clone for P { fn clone(&self) -> P { todo!() } }");
    assert_eq!(session.texts().len(), 4);
}

#[test]
fn blocks_of_a_cell_go_with_the_old_definition() {
    let mut session = Session::new(&[
        "struct P;\nimpl P { fn a(&self) {} }",
        "impl P { fn b(&self) {} }",
    ]);
    session.run("// the same\nstruct P;");
    assert_eq!(session.texts().len(), 3);
    let merged = session.run("struct P { x: u8 }");
    assert_eq!(
        session.texts(),
        ["impl P { fn b(&self) {} }", "struct P { x: u8 }"],
        "{:?}",
        merged.notes
    );
    assert!(
        session
            .run("struct P { y: u8 }\nimpl P {}")
            .notes
            .is_empty()
    );
}

#[test]
fn whatever_a_layout_depends_on_changes_it() {
    for (before, after, wanted) in [
        (
            "const N: usize = 3;\nstruct A([u64; N]);",
            "const N: usize = 4;",
            "A N",
        ),
        (
            "const fn n() -> usize { 2 }\nstruct A([u64; n()]);",
            "const fn n() -> usize { 3 }",
            "A n",
        ),
        (
            "macro_rules! e { () => { u8 } }\nstruct A(e!());",
            "macro_rules! e { () => { u64 } }",
            "A e",
        ),
        (
            "use std::num::Wrapping as K;\nstruct A(K<u64>);",
            "use std::vec::Vec as K;",
            "A K",
        ),
        (
            "trait T { type O; }\nstruct X;\nimpl T for X { type O = u64; }\nstruct A(<X as T>::O);",
            "impl T for X { type O = String; }",
            "A T X",
        ),
        (
            "struct B;\nimpl B { const N: usize = 1; }\nstruct A([u8; B::N]);",
            "impl B { const N: usize = 2; }",
            "A B",
        ),
        (
            "mod m { pub const N: usize = 1; }\ntype L = [u8; m::N];\nstruct A(L);",
            "mod m { pub const N: usize = 2; }",
            "A L m",
        ),
        ("struct A(Vec<u8>);", "struct Vec(u8);", "A Vec"),
        (
            "struct A(Option<Box<A>>);\nstruct B(A);",
            "struct A(u8);",
            "A B",
        ),
    ] {
        let mut session = Session::new(&[before]);
        assert_eq!(
            session.changed(after).join(" "),
            wanted,
            "{before} then {after}"
        );
        assert!(session.changed(after).is_empty(), "the same again: {after}");
    }
}

#[test]
fn methods_and_functions_change_no_layout() {
    let mut session = Session::new(&[
        "struct P { x: i32 }\nfn x() {}",
        "impl P { fn get(&self) -> i32 { 1 } }",
    ]);
    assert!(
        session
            .changed("impl P { fn get(&self) -> i32 { 2 } }")
            .is_empty()
    );
    assert!(session.changed("fn x() -> u8 { 1 }").is_empty());
    assert!(
        session
            .changed("impl Drop for P { fn drop(&mut self) {} }")
            .is_empty()
    );
}

#[test]
fn statics_stay_until_what_they_are_made_of_changes() {
    let mut session = Session::new(&["struct P(u8);", "static S: Mutex<P> = Mutex::new(P(1));"]);
    let made = |session: &Session| {
        session
            .store
            .items()
            .iter()
            .filter_map(|item| item.state.as_ref())
            .map(|state| (state.made, state.texts.finding.clone()))
            .next()
    };
    let first = made(&session).unwrap();
    session.run("fn f() {}");
    assert_eq!(made(&session), Some(first.clone()));
    let merged = session.run("struct P(u64);");
    assert_eq!(
        merged.notes,
        ["`S` begins anew: what it is made of was defined anew"]
    );
    assert_ne!(made(&session).unwrap().1, first.1);
    session.store.forget_state();
    assert!(!made(&session).unwrap().0);
}

#[test]
fn the_heads_of_a_type_are_what_a_cell_may_have_defined() {
    let heads: Vec<_> = heads("std::vec::Vec<cfg::A, fn(B) -> [C; 3]>")
        .into_iter()
        .collect();
    assert_eq!(heads, ["3", "B", "C", "cfg", "fn", "std"]);
}

use crate::session::{Ran, Session};

/// Cells that must come out the same whether our own tool or cargo compiles them.
const CELLS: &[&str] = &[
    "1 + 1",
    "let scene = vec![1.5, 2.5, 4.0];",
    "scene.iter().sum::<f64>()",
    "#[derive(Debug, Clone, PartialEq)] enum Kind { A, B(i32) }\nfn pick(n: i32) -> Kind { if n > 0 { Kind::B(n) } else { Kind::A } }",
    "let kind = pick(3);",
    "kind",
    "use std::collections::BTreeMap;\nlet mut counts: BTreeMap<&str, i32> = BTreeMap::new();\ncounts.insert(\"a\", 1);",
    "counts",
    "let moved = scene; println!(\"{}\", moved.len());",
    "scene",
    "let t = swath::burn::tensor::Tensor::<1>::ones([3], &swath::burn::tensor::Device::flex()); t.sum()",
    "let wrong: i32 = \"text\";",
    "panic!(\"on purpose\")",
    "\"x\".parse::<f64>()?;",
    "let closure = |x: i32| x;",
    "340282366920938463463374607431768211455_u128 / 7",
];

fn outcome(ran: &Ran) -> (String, String, String, String, String) {
    (
        ran.status.clone(),
        ran.ename.clone(),
        ran.evalue.clone(),
        ran.plain().to_owned(),
        ran.stdout.clone(),
    )
}

#[test]
fn cells_come_out_the_same_through_plain_cargo() {
    let mut fast = Session::start(&[]);
    let mut plain = Session::start(&[("SWATH_PLAIN_CARGO", "1")]);
    for cell in CELLS {
        let (fast, plain) = (fast.run(cell), plain.run(cell));
        assert_eq!(
            outcome(&fast),
            outcome(&plain),
            "{cell}\n{fast:#?}\n{plain:#?}"
        );
        assert_eq!(fast.traceback, plain.traceback, "{cell}");
    }
    assert_eq!(fast.variables(), plain.variables());
}

/// Cells whose items depend on each other in ways that names do not always show.
const ITEMS: &[&str] = &[
    "fn unused() -> u8 { 1 }\nstruct Unused;",
    "const FACTOR: f64 = 2.5;\nfn scale(x: f64) -> f64 { x * FACTOR }",
    "#[derive(Debug, Clone, PartialEq, Default)] struct Point { x: f64, y: f64 }",
    "impl Point { fn norm(&self) -> f64 { scale(self.x).hypot(self.y) } }",
    "impl std::ops::Add for Point { type Output = Point; fn add(self, o: Point) -> Point { Point { x: self.x + o.x, y: self.y + o.y } } }",
    "trait Doubled { fn doubled(&self) -> f64; }\nimpl Doubled for f64 { fn doubled(&self) -> f64 { 2.0 * self } }\nimpl Doubled for Point { fn doubled(&self) -> f64 { self.norm().doubled() } }",
    "impl From<Point> for String { fn from(point: Point) -> String { format!(\"{} {}\", point.x, point.y) } }",
    "struct Noisy(u8);\nimpl Drop for Noisy { fn drop(&mut self) { println!(\"dropped {}\", self.0); } }",
    "macro_rules! tripled { ($x:expr) => { scale($x) * 3.0 } }",
    "mod shapes { pub fn square(side: f64) -> f64 { super::scale(side) * side } }",
    "use shapes::square as of_side;",
    "scale(2.0)",
    "let point = Point { x: 1.0, y: 2.0 };",
    "point.norm()",
    "point.clone() + Point::default()",
    "1.5_f64.doubled()",
    "point.doubled()",
    "let text: String = point.clone().into(); text",
    "let noisy = Noisy(7);",
    "drop(noisy); 3",
    "tripled!(1.0)",
    "of_side(3.0)",
    "[point.clone(), Point::default()].iter().map(|p| format!(\"{p:?}\")).collect::<Vec<_>>()",
    "fn scale(x: f64) -> f64 { x * 10.0 }",
    "point.norm()",
    "of_side(3.0)",
    "point.nothing()",
    "1_u8.doubled()",
    // One that still fits its impls: the order of several errors would be that of evcxr's hash map.
    "#[derive(Debug)] struct Point { y: f64, x: f64 }",
    "Point { x: 3.0, y: 0.0 }.norm()",
    "point",
];

#[test]
fn cells_come_out_the_same_with_and_without_the_items_that_they_do_not_mention() {
    let mut pruned = Session::start(&[]);
    let mut whole = Session::start(&[("SWATH_KEEP_ITEMS", "1")]);
    for cell in ITEMS {
        let (pruned, whole) = (pruned.run(cell), whole.run(cell));
        assert_eq!(
            outcome(&pruned),
            outcome(&whole),
            "{cell}\n{pruned:#?}\n{whole:#?}"
        );
        assert_eq!(pruned.traceback, whole.traceback, "{cell}");
    }
    assert_eq!(pruned.variables(), whole.variables());
}

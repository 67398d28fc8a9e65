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

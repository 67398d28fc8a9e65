use crate::session::Session;

#[test]
fn errors_point_to_the_users_own_lines() {
    let mut session = Session::start(&[]);
    session
        .run("fn old(x: i32) -> i32 { x }\nlet base = 1;")
        .ok();

    let ran = session.run("let a = base;\n// é\nlet b: String = a + 1;\nb");
    assert_eq!(
        (ran.status.as_str(), ran.ename.as_str(), ran.evalue.as_str()),
        ("error", "E0308", "mismatched types")
    );
    assert!(
        ran.traceback.contains("In[2]:3:17") && ran.traceback.contains("let b: String = a + 1;"),
        "{}",
        ran.traceback
    );
    assert_eq!(
        ran.traceback.matches("error").count(),
        1,
        "one diagnostic: {}",
        ran.traceback
    );
    assert!(
        !ran.traceback.contains("swath::rt") && !ran.traceback.contains("__swath"),
        "{}",
        ran.traceback
    );
    assert_eq!(ran.stderr, "");

    let help = session.run("let s = String::from(\"a\");\nlet t = s;\ns.len()");
    assert!(
        help.traceback.contains("clone") && help.traceback.contains("In[3]:3:1"),
        "{}",
        help.traceback
    );
    let typo = session.run("base.cout_ones()");
    assert!(
        typo.traceback.contains("count_ones"),
        "rustc's suggestion: {}",
        typo.traceback
    );
    let item = session.run("\nfn bad() -> i32 { \"x\" }");
    assert!(item.traceback.contains("In[5]:2:19"), "{}", item.traceback);
    let import = session.run("use std::collections::HashMapp;");
    assert!(
        import.ename == "E0432" && import.traceback.contains("HashMapp"),
        "{import:#?}"
    );

    let syntax = session.run("let = 5;");
    assert!(
        syntax.ename == "SyntaxError" && syntax.traceback.contains("In[7]:1:5"),
        "{syntax:#?}"
    );
    assert_eq!(session.run("fn open( {\n 1").ename, "SyntaxError");

    let panic = session.run("let list = vec![base];\n\nlet x = list[base as usize + 4];");
    assert!(
        panic.ename == "Panic" && panic.traceback.contains("In[9]:3:"),
        "{panic:#?}"
    );
    assert!(
        panic.evalue.contains("index out of bounds") && panic.stderr.is_empty(),
        "{panic:#?}"
    );
    let unwrap = session.run("let y = 1;\nlet none: Option<i32> = None; none.unwrap();");
    assert!(unwrap.traceback.contains("In[10]:2:36"), "{unwrap:#?}");

    let question = session.run("let z = 1;\nlet scene = swath::Error::Interrupted { doing: \"x\" };\nstd::fs::read(\"/nonexistent\")?;");
    assert!(
        question.ename == "Error" && question.traceback.contains("In[11]:3:1"),
        "{question:#?}"
    );
    assert!(question.evalue.contains("No such file"), "{question:#?}");
    assert_eq!(
        session.run("base + old(1)").ok(),
        "2",
        "everything is still there"
    );
}

#[test]
fn completion_and_inspection_know_the_users_variables() {
    let mut session = Session::start(&[]);
    session.run("let words = vec![String::from(\"a\")];\n/// Doubles.\nfn double(x: i32) -> i32 { x * 2 }").ok();
    let texts = |answer: &serde_json::Value| -> Vec<String> {
        answer["matches"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|it| it["text"].as_str().map(str::to_owned))
            .collect()
    };
    let code = "let é = 1; words.ret";
    let found = session.ask(
        &serde_json::json!({ "complete": code, "cursor": 20 }),
        "completions",
    );
    assert!(
        texts(&found).iter().any(|text| text.starts_with("retain")),
        "{found}"
    );
    assert_eq!(found["range"], serde_json::json!([17, 20]));
    let found = session.ask(
        &serde_json::json!({ "complete": "swath::session::disp", "cursor": 20 }),
        "completions",
    );
    assert!(
        texts(&found).iter().any(|text| text.starts_with("display")),
        "{found}"
    );
    let known = session.ask(
        &serde_json::json!({ "inspect": "let y = double(2);", "cursor": 10 }),
        "inspection",
    );
    let text = known["bundle"]["text/plain"].as_str().unwrap_or_default();
    assert!(
        text.contains("fn double(x: i32) -> i32") && text.contains("Doubles"),
        "{known}"
    );
}

#[test]
fn a_type_of_one_s_own_is_never_taken_for_one_of_the_library() {
    let mut session = Session::start(&[]);
    session
        .run("struct Model<T>(T);\nstruct Ensemble<T>(T);")
        .ok();
    let own = session.run("let own = Model(1u8);\nown.fit();");
    assert!(
        own.traceback.contains("`Model<") && !own.traceback.contains("Segmenter"),
        "{}",
        own.traceback
    );
    let bound =
        session.run("fn copies<T: Clone>(_: T) {}\nfn mine<T>(it: Ensemble<T>) { copies(it) }");
    assert!(
        bound.traceback.contains("Ensemble<T>") && !bound.traceback.contains("Detector"),
        "{}",
        bound.traceback
    );
}

#[test]
fn a_cell_that_cannot_be_handed_to_the_compiler_is_an_error_and_runs_no_other() {
    let temporary = tempfile::tempdir().unwrap();
    let mut session = Session::start(&[("TMPDIR", temporary.path().to_str().unwrap())]);
    session.run("let mut runs = 0;").ok();
    session.run("runs += 1;").ok();
    // A folder in the place of the file: no permission would keep root from writing.
    let folders = std::fs::read_dir(temporary.path()).unwrap();
    let request = folders
        .map(|entry| entry.unwrap().path().join("request.json"))
        .find(|path| path.exists())
        .unwrap();
    std::fs::remove_file(&request).unwrap();
    std::fs::create_dir(&request).unwrap();
    let ran = session.run("let other = 1;");
    assert_eq!(ran.status, "error", "{ran:#?}");
    assert!(
        (ran.evalue.clone() + &ran.traceback).contains("handed to the compiler"),
        "{ran:#?}"
    );
    std::fs::remove_dir(&request).unwrap();
    assert_eq!(session.run("runs").ok(), "1");
}

"""What newcomers type: a hundred mistakes and more, with the words that the answer must have. Read by test_mistakes.py.

A mistake is a cell, the error's name (None: the cell ends well and says the words), and words of the answer, each of which
must be there; without any, that the error has this name and shows no code of ours is what counts. They are run in order, each group in one session, after the group's own cells.
"""

SCENE = "let scene = samples::town(1, 256)?.scene()?;"
SPLIT = "let (train, valid) = scene.split(Split::columns(0.75));"
CHIPS = "let chips = train.chips(Chips::random(8, 64).seed(7))?;"

# Lines of Python: the answer names the Rust.
PYTHON = [
    ("import os", "CompileError|SyntaxError", ["use std::fs;", "%dep NAME"]),
    ("import numpy as np", "SyntaxError", ["no `import`"]),
    ("from swath import Scene", "SyntaxError", ["there already"]),
    ("# load the scene", "SyntaxError", ["comments begin with `//`"]),
    ("for i in range(3):\n    print(i)", "SyntaxError", ["for i in 0..3 {"]),
    ("for name in names:", "SyntaxError", ["for item in &items"]),
    ("while True:\n    pass", "SyntaxError", ["while x < 3 {"]),
    ("if 1 == 1:\n    pass", "SyntaxError", ["else if"]),
    ("def area(w, h):\n    return w * h", "SyntaxError", ["fn area("]),
    ("class Tile:\n    pass", "SyntaxError", ["struct Name"]),
    ("try:\n    f()\nexcept:\n    pass", "SyntaxError", ["`Result`"]),
    ("with open('a.txt') as f:", "SyntaxError", ["read_to_string"]),
    ("raise ValueError('x')", "SyntaxError", ["Err("]),
    ("@decorator\ndef f(): pass", "SyntaxError", ["decorators"]),
    ("del x", "SyntaxError", ["drop(name)"]),
    ("assert 1 == 1", "SyntaxError", ["assert_eq!"]),
    ("print 'hello'", "SyntaxError", ["println!"]),
    ("f = lambda x: x + 1", "SyntaxError", ["|x| x + 1"]),
    ("squares = [x * x for x in numbers]", "SyntaxError", [".collect::<Vec<_>>()"]),
    ("y = 1 if 2 > 1 else 0", "SyntaxError", ["if x > 0 { a } else { b }"]),
    ('let a = 1; println!(f"{a}")', "SyntaxError|CompileError", ["format!"]),
    ("let p = 2 ** 3;", "E0614|SyntaxError", ["powi"]),
    ("if true and false { }", "SyntaxError", ["`&&`"]),
    ("let t = 'text';", "SyntaxError", ["double quotes"]),
    ("let d = {\"a\": 1};", "SyntaxError", ["HashMap::from"]),
    ("let v = vec![1, 2, 3]; v[0:2]", "SyntaxError", ["&items[1..3]"]),
]

# Names of Python's.
NAMES = [
    ("x = 5", "E0425", ["let x = …;", "let mut x"]),
    ("x = 5;", "E0425", ["let x"]),
    ("print(1)", "E0423", ["println!"]),
    ("len(vec![1])", "E0425", [".len()"]),
    ("dir(1)", "E0425", ["Tab", "%who"]),
    ("help(1)", "E0425", ["?name"]),
    ("type(1)", "SyntaxError|E0425", []),
    ("str(1)", "E0423", ["to_string()"]),
    ("int(1.5)", "E0425", ["as i64"]),
    ("float(1)", "E0425", ["as f64"]),
    ("range(3)", "E0425", ["0..n"]),
    ('open("a.txt")', "E0425", ["Scene::open", "read_to_string"]),
    ("sum(vec![1])", "E0425", ["iter().sum"]),
    ("sorted(vec![1])", "E0425", ["sort()"]),
    ("list(1)", "E0425", ["vec!"]),
    ("dict()", "E0425", ["HashMap"]),
    ("True", "E0425", ["`true`"]),
    ("let a = False;", "E0425", ["`false`"]),
    ("let a = null;", "E0425", ["`None`"]),
    ("np.zeros(3)", "E0425", ["Vec<f64>"]),
    ("plt.plot(1)", "E0425", ["draw themselves"]),
    ('rasterio.open("a.tif")', "E0425", ["Scene::open"]),
    ('gpd.read_file("a.shp")', "E0425", ["with_labels"]),
    ("torch.cuda", "E0425", ["%fit"]),
    ("os.getcwd()", "E0425", ["std::env"]),
    ("math.sqrt(2)", "E0425", ["x.sqrt()"]),
    ("time.time()", "E0425", ["%time"]),
    ("display(1)", "E0425", ["show_all"]),
    ('"a".upper()', "E0599", ["to_uppercase()"]),
    ('" a ".strip()', "E0599", ["trim()"]),
    ('"a".startswith("a")', "E0599", ["starts_with"]),
    ("vec![1].shape", "E0609|E0599", ["len()"]),
    ("let mut v = vec![1]; v.append(2);", "E0308", ["push"]),
]

# Magics that are none, and magics written wrongly.
MAGICS = [
    ("%matplotlib inline", "UsageError", ["show themselves"]),
    ("%pip install numpy", "UsageError", ["%dep NAME"]),
    ("%conda install gdal", "UsageError", ["%dep NAME"]),
    ("%%python\nprint(1)", "UsageError", ["runs Rust"]),
    ("%help", "UsageError", ["%lsmagic"]),
    ("%ls", "UsageError", ["`!ls`"]),
    ("%whos", "UsageError", ["%who"]),
    ("%load_ext autoreload", "UsageError", ["built in"]),
    ("%%html\n<b>x</b>", "UsageError", ["Output::html"]),
    ("%run a.py", "UsageError", ["%load"]),
    ("%train", "UsageError", ["%fit"]),
    ("%scen a.tif", "UsageError", ["did you mean %scene"]),
    ("%predct", "UsageError", ["did you mean %predict"]),
    ("%scene", "UsageError", ["needs a raster file"]),
    ("%scene nothing.tif", "Error", ["there is no such raster", "nothing.tif"]),
    ("%scene a.tif lables=b", "UsageError", ["labels"]),
    ("%scene a.tif labels=b", "UsageError", ["class="]),
    ("%split 75", "UsageError", ["between 0 and 1", "found 75"]),
    ("%reset all", "UsageError", ["takes no further word"]),
    ("%time", "UsageError", ["needs something to run"]),
]

# Steps in the wrong order, in a session without any.
ORDER = [
    ("%split 0.75", "UsageError", ["%split needs `scene`", "run `%scene"]),
    ("%chips 400 256", "UsageError", ["%chips needs `train`", "`%split 0.75` first"]),
    ("%fit steps=5", "UsageError", ["%fit needs", "`chips`", "`valid`", "run `%scene", "`%split 0.75`, then `%chips"]),
    ("%predict", "UsageError", ["%predict needs", "`run`", "then `%fit` first"]),
    ("%map", "UsageError", ["%map needs `map`", "then `%predict` first"]),
    ("%evaluate", "UsageError", ["%evaluate needs", "`map`"]),
    ("%map threshold=0.3", "UsageError", ["%map needs `map`"]),
    ("%predict run scene=other", "UsageError", ["`other`"]),
]

# What is forgotten or misspelt while a scene is there.
SCENES = [
    ('std::fs::write("/proc/nope", "x");', None, ["this may have failed", "`?`"]),
    ('std::fs::write("/proc/nope", "x")', "Error", ["No such file"]),
    ('let r = std::fs::write("/proc/nope", "x"); r', "Error", ["No such file"]),
    ('Scene::open("nothing.tif")', "Error", ["there is no such raster", "nothing.tif"]),
    ('Scene::open("nothing.tif").show()', "E0599", ["Result"]),
    ("scen", "E0425", ["`scene`"]),
    ("%split 0.75 scene=scnee", "UsageError", ["%split needs `scnee`", "`scene`"]),
    ("Scene::open('town.tif')", "SyntaxError|E0762", ["double quotes"]),
    ('let scene = scene.with_labels("twon.gpkg", "class")?;', "Error", ["twon.gpkg"]),
    ('scene.only(["bulding"])?', "Error", ["bulding"]),
    ("scene.size()", None, ["256"]),
    ("scene.show_bands([0]).width()", "E0599", ["inside a `Result`"]),
    ("scnee.size()", "E0425", ["`scene`"]),
    # The Rust behind `%time` is the user's own: its errors are the compiler's.
    ("%time scnee.size()", "E0425", ["cannot find value `scnee`", "`scene`"]),
    ("%time scene.splt(1)", "E0599", ["`split`"]),
    # A `Vec` is mended otherwise than a `Result`.
    ("vec![1].map(|x| x)", "E0599", ["into_iter()"]),
    ("scene.show_bands([0]).map_figure()", "E0599", []),
    ('scene.with_labels("a.gpkg", class="class")', "E0425", ["arguments have no names"]),
    ("let (a, b) = scene.try_split(Split::columns(0.5));", "E0308", ["write `?` behind the call"]),
    ("%scene my data/town.tif", "UsageError", ["quotes"]),
    ("ls", "E0425", ["`!ls`"]),
    ("pip install numpy", "SyntaxError", ["`!` runs"]),
    ("%predict scene", "UsageError", ["%predict does not work on a value of type `Scene`"]),
    ("%save town.tif scene", "UsageError", ["ends in .swath"]),
    ("%chips 8 64 stride=8", "UsageError", ["stride= is for sliding chips"]),
    ("Scene", "E0423", []),
    ("scene.chips(Chips::random(8, 64)).unwrap().lenn()", "E0599", ["`len`"]),
    ("scene.splt(Split::columns(0.5))", "E0599", ["`split`"]),
    ("scene.split(Split::columns(75.0))", "Error", ["between 0 and 1", "Split::columns(0.75)"]),
    ("scene.split(Split::columns(-1.0))", "Error", ["between 0 and 1"]),
    ("scene.split(Split::columns(75))", "E0308", ["75.0"]),
    ("scene.size()[0]", "E0277|E0608", ["parts of a tuple are `.0`"]),
    ("scene.chips(Chips::random(8, 512))?", "Error", ["512", "256"]),
    ("scene.split(0.75)", "E0308", ["Split"]),
    ("Fit::epochs(2).learning_rate(0.1)", "E0599", ["lr"]),
    ("let first = scene.label_polygons().iter().max_by_key(|p| p.1);", "E0597", ["kept for later cells"]),
    ("None::<u8>?", "E0277", ["this is an `Option`", "ok_or"]),
    ("let kept = scene; kept.name()", None, []),
    ("scene.name()", "E0425", ["moved by the cell"]),
]

# Text that is no Rust yet.
SYNTAX = [
    ("let x = 5", "SyntaxError", ["found the end of the cell", "add `;`"]),
    ("vec![1, 2, 3", "SyntaxError", ["`[` is never closed"]),
    ('println!("a"', "SyntaxError", ["`(` is never closed"]),
    ("if true {\n    1", "SyntaxError", ["`{` is never closed"]),
    ("fn f() {\n    let v = vec![1;\n}", "SyntaxError", ["`[` is never closed"]),
    ("f(1))", "SyntaxError", ["`)` closes nothing"]),
    ("let s = \"text", "E0765|SyntaxError", ["unterminated"]),
    ("let = 5;", "SyntaxError", []),
    ("fn (x: i32) {}", "SyntaxError", []),
    ("let x: i32 = \"5\";", "E0308", ["expected `i32`"]),
    ("let y = 5; y = 6;", "E0384", ["mut"]),
    ("undefined_function()", "E0425", ["undefined_function"]),
    ("HashMap::<u8, u8>::new()", "E0433|E0425", ["use std::collections::HashMap;"]),
    ("%timeit panic!(\"x\")", "Panic", ["%timeit panic!"]),
    ("let v = vec![1]; v[3]", "Panic", ["index out of bounds"]),
    ("let d = 0; 1 / d", "Panic", ["divide by zero"]),
]

# Questions: the cell ends well and the page has the words.
QUESTIONS = [
    ("?", None, ["name?", "%lsmagic", "%who"]),
    ("Scene::open?", None, ["Opens any raster", "RasterError"]),
    ("scene?", None, ["let scene: Scene", "imagery"]),
    ("?scene", None, ["let scene: Scene"]),
    ("scene.split?", None, ["share"]),
    ("Vec?", None, ["growable"]),
    ("?Fit", None, ["batch"]),
    ("%fit?", None, ["epochs"]),
    ("Some(scene.clone())", None, ["town", "256 x 256"]),
    ("scene.histogram()", None, ["Values of town"]),
    ("let r = scene.histogram(); r", None, ["Values of town"]),
]

GROUPS = {
    "python": ([], PYTHON),
    "names": ([], NAMES),
    "magics": ([], MAGICS),
    "order": ([], ORDER),
    "scenes": ([SCENE], SCENES),
    "syntax": ([], SYNTAX),
    "questions": ([SCENE], QUESTIONS),
}

//! The library's public names, read from its sources: what Tab offers while rust-analyzer, which knows all of Rust, is
//! still reading.

use std::collections::BTreeMap;
use std::path::Path;

use ra_ap_syntax::ast::{
    self, HasAttrs as _, HasGenericArgs as _, HasGenericParams as _, HasModuleItem as _,
    HasName as _, HasVisibility as _,
};
use ra_ap_syntax::{AstNode as _, SyntaxKind};
use strsim::levenshtein;
use swath_link::networks::{NETWORKS, Network};

use super::names::{byte_of, codepoint_of};
use crate::eval::interface::{Completion, Completions};

/// A function or method.
#[derive(Clone, Debug)]
struct Function {
    name: String,
    /// `chips(options)`
    call: String,
    has_self: bool,
    /// The name of the type that it returns, or of the one inside a `Result`.
    returns: Option<String>,
    can_fail: bool,
}

/// What Rust itself has in every cell, as far as beginners need it.
const RUST: [(&str, &str); 24] = [
    ("Err", "function"),
    ("None", "instance"),
    ("Ok", "function"),
    ("Option", "class"),
    ("Result", "class"),
    ("Some", "function"),
    ("String", "class"),
    ("Vec", "class"),
    ("assert!", "function"),
    ("assert_eq!", "function"),
    ("dbg!", "function"),
    ("false", "keyword"),
    ("fn", "keyword"),
    ("for", "keyword"),
    ("format!", "function"),
    ("if", "keyword"),
    ("let", "keyword"),
    ("match", "keyword"),
    ("println!", "function"),
    ("struct", "keyword"),
    ("true", "keyword"),
    ("use", "keyword"),
    ("vec!", "function"),
    ("while", "keyword"),
];

/// So many names are offered at most in place of one that is not known.
const MOST_NAMED: usize = 5;

/// What can stand behind the names of types and modules.
#[derive(Debug, Default)]
pub(crate) struct Api {
    functions: BTreeMap<String, Vec<Function>>,
    /// Variants of enums, by the enum's name.
    variants: BTreeMap<String, Vec<String>>,
    /// The names that every cell has.
    prelude: Vec<String>,
}

/// What is written about types with a parameter, until all files are read.
#[derive(Default)]
struct Generics {
    /// `impl Model<T>`, `impl Model<Segmentation>`: the type, its parameter, the methods.
    blocks: Vec<(String, String, ast::Impl)>,
    /// `type Segmenter = Model<Segmentation>`: the name, the type, its parameter.
    aliases: Vec<(String, String, String)>,
    /// `type Prediction = SceneMap` in an `impl … for Segmentation`.
    associated: BTreeMap<(String, String), String>,
}

impl Api {
    /// Reads the sources in `folder`; what cannot be read is left out.
    pub(crate) fn read(folder: &Path) -> Self {
        let mut api = Self::default();
        let mut generics = Generics::default();
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs")
                    && let Ok(text) = std::fs::read_to_string(&path)
                {
                    api.add_file(&path, &text, &mut generics);
                }
            }
        }
        api.add_aliases(&generics);
        for functions in api.functions.values_mut() {
            functions.sort_by(|one, other| one.name.cmp(&other.name));
            functions.dedup_by(|one, other| one.name == other.name);
        }
        api
    }

    fn add_file(&mut self, path: &Path, text: &str, generics: &mut Generics) {
        // A module's own functions: `plot::bars` is in `plot/bars.rs`.
        let of_path = path.iter().rev().filter_map(|part| part.to_str());
        let modules: Vec<String> = of_path
            .take_while(|part| *part != "src")
            .map(|part| part.trim_end_matches(".rs").to_owned())
            .filter(|part| part != "mod")
            .collect();
        let file = crate::parse::source(text).tree();
        if modules == ["prelude"] {
            self.prelude = names_of_uses(&file);
            return;
        }
        if modules == ["registry", "models"] {
            self.add_builders(text);
        }
        for item in file.items() {
            match item {
                ast::Item::Impl(block) => {
                    let of_type = block.self_ty();
                    let Some(name) = of_type.as_ref().and_then(head) else {
                        continue;
                    };
                    let parameter = of_type.as_ref().and_then(first_argument);
                    match (block.trait_().is_some(), parameter) {
                        (true, _) => generics.add_associated(&name, &block),
                        (false, None) => self.add_block(&name, &block),
                        (false, Some(parameter)) => {
                            self.add_block(&name, &block);
                            generics.blocks.push((name, parameter, block));
                        }
                    }
                }
                ast::Item::TypeAlias(item) => generics.aliases.extend(alias(&item)),
                ast::Item::Enum(item) => self.add_variants(&item),
                ast::Item::Fn(item) if is_public(&item) => {
                    for module in &modules {
                        let known = self.functions.entry(module.clone()).or_default();
                        known.extend(function(&item, module));
                    }
                }
                _ => {}
            }
        }
    }

    fn add_block(&mut self, name: &str, block: &ast::Impl) {
        let known = self.functions.entry(name.to_owned()).or_default();
        known.extend(functions_of(block, name));
    }

    /// The methods of `Segmenter`, which is a name of `Model<Segmentation>`.
    fn add_aliases(&mut self, generics: &Generics) {
        for (alias, of, task) in &generics.aliases {
            let mut functions = Vec::new();
            for (name, parameter, block) in &generics.blocks {
                if name == of && (parameter == task || is_generic(block, parameter)) {
                    functions.extend(functions_of(block, alias));
                }
            }
            for function in &mut functions {
                let key = |name: &String| (task.clone(), name.clone());
                let named = function.returns.as_ref().map(key);
                if let Some(known) = named.and_then(|key| generics.associated.get(&key)) {
                    function.returns = Some(known.clone());
                }
            }
            self.functions.insert(alias.clone(), functions);
        }
    }

    /// The builders of networks: their constructors are in the registry's table, the methods that all of them have in a macro.
    fn add_builders(&mut self, text: &str) {
        let body = text
            .split_once("macro_rules! shared_choices {")
            .and_then(|(_, rest)| Some(rest.split_once("=> {")?.1.split_once("\n    };\n")?.0));
        let block = body.unwrap_or_default().replace('$', "");
        let file = crate::parse::source(&block).tree();
        let shared = file.items().find_map(|item| match item {
            ast::Item::Impl(block) if block.trait_().is_none() => Some(block),
            _ => None,
        });
        for Network {
            builder, encoders, ..
        } in NETWORKS.iter()
        {
            let known = self.functions.entry(builder.clone()).or_default();
            known.extend(encoders.iter().map(|name| Function {
                call: format!("{name}()"),
                name: name.clone(),
                has_self: false,
                returns: Some(builder.clone()),
                can_fail: false,
            }));
            known.extend(shared.iter().flat_map(|block| functions_of(block, builder)));
        }
    }

    fn add_variants(&mut self, item: &ast::Enum) {
        let (Some(name), Some(list)) = (item.name(), item.variant_list()) else {
            return;
        };
        if item
            .visibility()
            .is_some_and(|it| it.syntax().text() == "pub")
        {
            let names = list.variants().filter_map(|variant| variant.name());
            let names = names.map(|name| name.text().to_string()).collect();
            self.variants.insert(name.text().to_string(), names);
        }
    }

    /// The names that every cell has.
    pub(crate) fn prelude(&self) -> &[String] {
        &self.prelude
    }

    /// The functions and methods with a name, as `Scene::zoom`; where there is none, those whose name is nearly that.
    pub(crate) fn named(&self, name: &str) -> Vec<String> {
        let allowed = name.len() / 4;
        let mut found: Vec<(usize, String)> = Vec::new();
        for (owner, functions) in &self.functions {
            // A module's functions are listed by the file's name, too.
            let is_type = owner.starts_with(char::is_uppercase);
            for function in functions.iter().filter(|_| is_type) {
                let distance = levenshtein(&function.name, name);
                if distance <= allowed {
                    found.push((distance, format!("{owner}::{}", function.name)));
                }
            }
            if self.prelude.contains(owner) && levenshtein(owner, name) <= allowed {
                found.push((levenshtein(owner, name), owner.clone()));
            }
        }
        found.sort();
        let least = found.first().map_or(0, |(distance, _)| *distance);
        found.retain(|(distance, _)| *distance == least);
        found.truncate(MOST_NAMED);
        found.into_iter().map(|(_, name)| name).collect()
    }

    /// What can stand at the cursor (in code points); `type_of` tells the types of variables.
    pub(crate) fn complete(
        &self,
        code: &str,
        cursor: usize,
        type_of: &dyn Fn(&str) -> Option<String>,
    ) -> Option<Completions> {
        let end = byte_of(code, cursor);
        let before = code.get(..end)?;
        let stem = before.trim_end_matches(|c: char| c.is_alphanumeric() || c == '_');
        let typed = &before[stem.len()..];
        let found: Vec<(String, String, &str)> = if let Some(path) = stem.strip_suffix("::") {
            let name = last_name(path)?;
            let functions = self.functions.get(name).into_iter().flatten();
            let variants = self.variants.get(name).into_iter().flatten();
            functions
                .filter(|function| !function.has_self)
                .map(|function| (function.name.clone(), function.call.clone(), "function"))
                .chain(variants.map(|name| (name.clone(), name.clone(), "instance")))
                .collect()
        } else if let Some(value) = stem.strip_suffix('.') {
            let of_type = self.type_of_expression(value, type_of)?;
            let functions = self.functions.get(&of_type).into_iter().flatten();
            functions
                .filter(|function| function.has_self)
                .map(|function| (function.name.clone(), function.call.clone(), "function"))
                .collect()
        } else if typed.is_empty() {
            return None;
        } else {
            let names = self.prelude.iter().map(String::as_str);
            names
                .map(|name| (name, "class"))
                .chain(RUST.iter().copied())
                .map(|(name, kind)| (name.to_owned(), name.to_owned(), kind))
                .collect()
        };
        // Nobody has to know that types begin with a capital.
        let begins = |name: &str| {
            let begin = name.get(..typed.len());
            begin.is_some_and(|begin| begin.eq_ignore_ascii_case(typed))
        };
        let matches: Vec<Completion> = found
            .into_iter()
            .filter(|(name, ..)| begins(name))
            .map(|(_, text, kind)| Completion {
                label: text.clone(),
                text,
                kind: kind.to_owned(),
            })
            .collect();
        (!matches.is_empty()).then(|| Completions {
            matches,
            start: codepoint_of(code, stem.len()),
            end: cursor,
        })
    }

    /// The name of the type of what `text` ends in: a variable, `Type::make(…)`, `value.method(…)?`.
    fn type_of_expression(
        &self,
        text: &str,
        type_of: &dyn Fn(&str) -> Option<String>,
    ) -> Option<String> {
        let text = text.trim_end();
        let (text, is_tried) = text
            .strip_suffix('?')
            .map_or((text, false), |text| (text.trim_end(), true));
        let Some(call) = text.strip_suffix(')') else {
            let name = last_name(text)?;
            let is_alone = !text[..text.len() - name.len()].ends_with(['.', ':']);
            let of_type = type_of(name).filter(|_| is_alone && !is_tried)?;
            let of_type = swath_link::types::short_type(&of_type);
            return Some(of_type.split('<').next()?.to_owned());
        };
        let open = matching_open(call)?;
        let name = last_name(call[..open].trim_end())?;
        let owner = call[..open].trim_end().strip_suffix(name)?;
        let of_type = match (owner.strip_suffix("::"), owner.strip_suffix('.')) {
            (Some(path), _) => last_name(path)?.to_owned(),
            (_, Some(value)) => self.type_of_expression(value, type_of)?,
            _ => return None,
        };
        let functions = self.functions.get(&of_type)?;
        let function = functions.iter().find(|function| function.name == name)?;
        function
            .returns
            .clone()
            .filter(|_| function.can_fail == is_tried)
    }
}

impl Generics {
    fn add_associated(&mut self, name: &str, block: &ast::Impl) {
        let items = block.assoc_item_list().into_iter();
        for item in items.flat_map(|list| list.assoc_items()) {
            if let ast::AssocItem::TypeAlias(item) = item
                && let Some(associated) = item.name()
                && let Some(of_type) = item.ty().as_ref().and_then(head)
            {
                let key = (name.to_owned(), associated.text().to_string());
                self.associated.insert(key, of_type);
            }
        }
    }
}

/// `pub type Segmenter = Model<Segmentation>`: the name, the type, its parameter.
fn alias(item: &ast::TypeAlias) -> Option<(String, String, String)> {
    let of_type = item.ty()?;
    let name = item.name()?.text().to_string();
    Some((name, head(&of_type)?, first_argument(&of_type)?))
}

/// Whether an `impl` block is for any type in the place of a parameter.
fn is_generic(block: &ast::Impl, parameter: &str) -> bool {
    let parameters = block.generic_param_list().into_iter();
    parameters
        .flat_map(|list| list.type_or_const_params())
        .any(|known| match known {
            ast::TypeOrConstParam::Type(known) => {
                known.name().is_some_and(|name| name.text() == parameter)
            }
            ast::TypeOrConstParam::Const(_) => false,
        })
}

/// The public functions of an `impl` block of a type.
fn functions_of(block: &ast::Impl, owner: &str) -> Vec<Function> {
    let items = block.assoc_item_list().into_iter();
    items
        .flat_map(|list| list.assoc_items())
        .filter_map(|item| match item {
            ast::AssocItem::Fn(item) if is_public(&item) => function(&item, owner),
            _ => None,
        })
        .collect()
}

fn is_public(item: &ast::Fn) -> bool {
    let is_pub = item
        .visibility()
        .is_some_and(|it| it.syntax().text() == "pub");
    let is_hidden = item.attrs().any(|attribute| {
        attribute
            .syntax()
            .text()
            .to_string()
            .contains("doc(hidden)")
    });
    is_pub && !is_hidden
}

fn function(item: &ast::Fn, owner: &str) -> Option<Function> {
    let name = item.name()?.text().to_string();
    let parameters = item.param_list();
    let names: Vec<String> = parameters
        .iter()
        .flat_map(ast::ParamList::params)
        .map(|parameter| match parameter.pat() {
            Some(ast::Pat::IdentPat(pattern)) => pattern
                .name()
                .map_or_else(String::new, |name| name.text().to_string()),
            _ => "value".to_owned(),
        })
        .collect();
    let returned = item.ret_type().and_then(|it| it.ty());
    let outer = returned.as_ref().and_then(head);
    let can_fail = outer.as_deref() == Some("Result");
    let returns = if can_fail {
        returned.as_ref().and_then(first_argument)
    } else {
        outer
    };
    Some(Function {
        call: format!("{name}({})", names.join(", ")),
        has_self: parameters.is_some_and(|list| list.self_param().is_some()),
        returns: returns.map(|name| {
            if name == "Self" {
                owner.to_owned()
            } else {
                name
            }
        }),
        can_fail,
        name,
    })
}

/// The last name of a type's path: `Scene` for `&crate::scene::Scene`.
fn head(of_type: &ast::Type) -> Option<String> {
    match of_type {
        ast::Type::PathType(it) => {
            let name = it.path()?.segment()?.name_ref()?;
            Some(name.text().to_string())
        }
        ast::Type::RefType(it) => head(&it.ty()?),
        _ => None,
    }
}

/// `Scene` for `Result<Scene>`.
fn first_argument(of_type: &ast::Type) -> Option<String> {
    let ast::Type::PathType(it) = of_type else {
        return None;
    };
    let arguments = it.path()?.segment()?.generic_arg_list()?;
    arguments
        .generic_args()
        .find_map(|argument| match argument {
            ast::GenericArg::TypeArg(argument) => head(&argument.ty()?),
            _ => None,
        })
}

/// The names that the `use` items of a file bring.
fn names_of_uses(file: &ast::SourceFile) -> Vec<String> {
    let mut names: Vec<String> = file
        .items()
        .filter(|item| matches!(item, ast::Item::Use(_)))
        .flat_map(|item| {
            let trees: Vec<ast::UseTree> = item
                .syntax()
                .descendants()
                .filter_map(ast::UseTree::cast)
                .collect();
            trees
        })
        .filter(|tree| tree.use_tree_list().is_none())
        .filter_map(|tree| {
            let name = tree.path()?.segment()?.name_ref()?;
            Some(name.text().to_string())
        })
        .collect();
    names.sort();
    names.dedup();
    names
}

fn last_name(text: &str) -> Option<&str> {
    let start = text
        .trim_end_matches(|c: char| c.is_alphanumeric() || c == '_')
        .len();
    (start < text.len()).then(|| &text[start..])
}

/// Where the bracket opens that the end of `text` closes.
fn matching_open(text: &str) -> Option<usize> {
    let tokens = crate::parse::tokens(text);
    let mut depth = 1;
    for token in (0..tokens.len()).rev() {
        match tokens.kind(token) {
            SyntaxKind::R_PAREN | SyntaxKind::R_BRACK | SyntaxKind::R_CURLY => depth += 1,
            SyntaxKind::L_PAREN | SyntaxKind::L_BRACK | SyntaxKind::L_CURLY => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(tokens.text_range(token).start);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_s_own_names_are_offered_without_rust_analyzer() {
        let api = Api::read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../src")));
        let type_of = |name: &str| match name {
            "scene" => Some("swath::prelude::Scene".to_owned()),
            "run" => Some(
                "swath::prelude::Run<swath::models::Model<swath::models::Segmentation>>".to_owned(),
            ),
            "model" => Some("swath::models::Model<swath::models::Segmentation>".to_owned()),
            _ => None,
        };
        let texts = |code: &str| -> Vec<String> {
            let found = api.complete(code, code.chars().count(), &type_of);
            let matches = found.map(|found| found.matches).unwrap_or_default();
            matches.into_iter().map(|it| it.text).collect()
        };
        for (code, wanted) in [
            ("let é = scene.spl", "split(split)"),
            ("Scene::op", "open(path)"),
            ("FitOptions::epochs(2).ba", "batch(chips)"),
            (
                "Scene::open(\"a.tif\")?.with_lab",
                "with_labels(source, class)",
            ),
            ("run.", "best()"),
            ("Segmenter::lo", "load(path)"),
            ("Detector::n", "new(architecture, classes)"),
            ("Segmenter::load(\"a.swath\")?.pred", "predict(scene)"),
            (
                "Segmenter::load(\"a.swath\")?.predict(&scene)?.obj",
                "objects()",
            ),
            (
                "Detector::load(\"a.swath\")?.predict(&scene)?.thr",
                "threshold(score)",
            ),
            ("model.evaluate(&scene)?.conf", "confusion()"),
            ("PredictOptions::new().sc", "scores(keep)"),
            ("DetectionOptions::new().fus", "fusion(fusion)"),
            (
                "DetectionOptions::new().window(256).max",
                "max_boxes(boxes)",
            ),
            ("Unet::res", "resnet50()"),
            ("Unet::resnet18().pre", "pretrained(pretrained)"),
            (
                "RetinaNet::resnet18().weights(\"a\").anch",
                "anchor_sizes(sizes)",
            ),
            ("samples::", "town(seed, size)"),
            ("Optimizer::", "AdamW"),
            ("let model = Segm", "Segmenter"),
            ("sc", "Scene"),
            ("pri", "println!"),
        ] {
            assert!(
                texts(code).iter().any(|text| text == wanted),
                "{code}: {:?}",
                texts(code)
            );
        }
        // `open` may fail: nothing can stand behind it but what a `Result` has.
        for code in ["Scene::open(\"a.tif\").", "nobody.", "scene.raster", "1."] {
            let private = texts(code);
            assert!(
                private.iter().all(|text| text == "raster()"),
                "{code}: {private:?}"
            );
        }
        assert!(
            !texts("scene.")
                .iter()
                .any(|text| text.contains("quicklook"))
        );
        let named = api.named("zoom");
        assert!(named.contains(&"Scene::zoom".to_owned()), "{named:?}");
        assert!(api.named("zooom").contains(&"Scene::zoom".to_owned()));
        assert_eq!(api.named("Scen"), ["Scene"]);
        assert!(api.named("xyzzy").is_empty());
    }
}

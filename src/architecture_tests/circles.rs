//! Imports between files run one way, but for a file and the modules that declare it.

use super::source::{SourceFile, sources, statements};
use std::collections::{BTreeMap, BTreeSet};

/// The modules that each module imports from.
type Imports = BTreeMap<String, BTreeSet<String>>;

/// `app::keymap` for `src/app/keymap.rs`, `app` for `src/app/mod.rs`.
fn module(file: &SourceFile) -> String {
    let path = file.path.trim_start_matches("src/").trim_end_matches(".rs");
    path.trim_end_matches("/mod").replace('/', "::")
}

/// Returns the path of a name from the root; one of another crate lies in the module itself.
fn from_root(name: &str, mut module: &str) -> String {
    if let Some(path) = name.strip_prefix("crate::") {
        return path.to_owned();
    }
    let mut name = name;
    while let Some(rest) = name.strip_prefix("super::") {
        name = rest;
        module = module.rsplit_once("::").map_or("", |(above, _)| above);
    }
    format!("{module}::{name}")
}

/// Returns the module that defines a name, which others may re-export.
fn defining(name: &str, imports: &Imports, exports: &BTreeMap<String, String>) -> Option<String> {
    match exports.get(name) {
        _ if imports.contains_key(name) => Some(name.to_owned()),
        Some(target) => defining(target, imports, exports),
        None => defining(name.rsplit_once("::")?.0, imports, exports),
    }
}

fn imports(files: &[SourceFile]) -> Imports {
    let (mut names, mut exports) = (Imports::new(), BTreeMap::new());
    for file in files {
        let module = module(file);
        let used = names.entry(module.clone()).or_default();
        for line in statements(&file.production()) {
            let Some((visibility, name)) = line.trim_end_matches(';').split_once("use ") else {
                continue;
            };
            let path = from_root(name, &module);
            if visibility.is_empty() {
                used.insert(path);
            } else if ["pub ", "pub(super) ", "pub(crate) "].contains(&visibility) {
                let last = name.rsplit("::").next().unwrap_or(name);
                exports.insert(format!("{module}::{last}"), path);
            }
        }
    }
    let defining = |name: &String| defining(name, &names, &exports);
    let others = |(module, used): (&String, &BTreeSet<String>)| {
        let is_other = |other: &String| !format!("{module}::").starts_with(&format!("{other}::"));
        let others = used.iter().filter_map(defining).filter(is_other);
        (module.clone(), others.collect())
    };
    names.iter().map(others).collect()
}

/// Returns the modules that import from themselves through others.
fn circles(imports: &Imports) -> Vec<String> {
    let is_in_circle = |module: &&String| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![*module]);
        while let Some(next) = open.pop() {
            open.extend(imports[next].iter().filter(|name| seen.insert(*name)));
        }
        seen.contains(module)
    };
    imports.keys().filter(is_in_circle).cloned().collect()
}

#[test]
fn no_files_import_from_each_other() {
    assert_eq!(circles(&imports(&sources(""))), [""; 0]);
}

#[test]
fn a_circle_is_found_through_reexports() {
    let files = [
        ("src/a/mod.rs", "pub use one::One;\nuse two::Two;"),
        (
            "src/a/one.rs",
            "use super::Parent;\nuse super::two::Two;\nuse std::fs;",
        ),
        ("src/a/two.rs", "use crate::b::Name;"),
        ("src/b.rs", "use crate::{a::One, c::Name};"),
        ("src/c.rs", "use crate::a::one::One;"),
        ("src/d.rs", "use crate::c::Name;"),
    ];
    let files = files.map(|(path, text)| SourceFile {
        path: path.to_owned(),
        text: text.to_owned(),
    });
    assert_eq!(circles(&imports(&files)), ["a::one", "a::two", "b", "c"]);
}

//! What a process runs: its title, or the script, module, class, project or target in its arguments.

use super::launcher::{Launcher, Shows};
use crate::model::process::Process;
use crate::model::text::SystemText;

/// Returns the title that the process wrote, or what it runs without interpreter and path, with the words directly after it.
pub fn program(process: &Process) -> String {
    if let Some(title) = process.title() {
        return without_directory(&title, process).to_string();
    }
    let arguments = process.arguments();
    let Some((first, rest)) = arguments.split_first() else {
        return process.name.to_string();
    };
    // exec(2) takes an empty one too.
    let named = if first.is_empty() {
        &process.name
    } else {
        first
    };
    let mut words = described(named, launcher(first, process), rest);
    // The PROCESS column already shows this name.
    if words.len() > 1 && words.first() == Some(&process.name.to_string()) {
        words.remove(0);
    }
    words.join(" ")
}

/// Finds the launcher by the first argument, or else by the executable: not that of a shell, whose links are other programs.
fn launcher(first: &SystemText, process: &Process) -> Option<&'static Launcher> {
    let by_executable = || {
        let executable = process.executable.as_ref()?;
        let found = Launcher::named(file_name(&executable.raw()));
        found.filter(|launcher| launcher.shows == Shows::Target)
    };
    Launcher::named(file_name(&first.raw())).or_else(by_executable)
}

/// Describes a program with its arguments. A launcher may run another: `npx`, `uv run`, `python -m`.
fn described(
    program: &SystemText,
    launcher: Option<&Launcher>,
    arguments: &[SystemText],
) -> Vec<String> {
    let Some(launcher) = launcher else {
        return with_direct_words(file_stem(program), arguments);
    };
    let read = launcher.read(arguments);
    match (launcher.shows, read.target) {
        (Shows::Target | Shows::Script, Some((target, rest))) => {
            let found = Launcher::named(file_name(&target.raw()));
            let found = found.filter(|launcher| launcher.shows != Shows::Script);
            let target = described(&target, found, rest);
            [read.shown, target].concat()
        }
        (Shows::Target | Shows::Script, None) => {
            let own = vec![file_stem(program)];
            [own, read.skipped, read.shown].concat()
        }
        (Shows::Words(_), _) => [vec![launcher.name().to_owned()], read.shown].concat(),
    }
}

/// Adds at most two subcommands or ports that follow.
fn with_direct_words(program: String, arguments: &[SystemText]) -> Vec<String> {
    let words = arguments.iter().take(2).map(ToString::to_string);
    let words = words.take_while(|word| is_subcommand_or_port(word));
    [program].into_iter().chain(words).collect()
}

/// True for a word such as `dev` or `runserver`, or a port: neither a flag nor a path.
fn is_subcommand_or_port(word: &str) -> bool {
    !word.is_empty()
        && word.len() <= 24
        && !word.starts_with(['-', '/', '.', '~'])
        && !word.contains(['/', '\\', ' '])
}

/// Endings of files in a package, whose name says enough, and of the files that describe a project.
const PACKAGE_ENDINGS: [&str; 4] = [".js", ".mjs", ".cjs", ".exe"];
const PROJECT_ENDINGS: [&str; 3] = [".csproj", ".fsproj", ".vbproj"];

/// Names that many packages give to the file that starts them: the package is named instead.
const COMMON_NAMES: [&str; 6] = ["index", "main", "cli", "bin", "start", "__main__.py"];

/// Returns the file name of a path; of a package's `bin/vite.js` only `vite`, of its `cli.js` its own name.
fn file_stem(path: &SystemText) -> String {
    let raw = path.raw();
    let name = file_name(&raw);
    let package = package_of(&raw);
    let is_of_package = package.is_some() || raw.ends_with(".exe");
    let endings = PACKAGE_ENDINGS.iter().filter(|_| is_of_package);
    let mut endings = endings.chain(&PROJECT_ENDINGS);
    let stem = endings.find_map(|ending| name.strip_suffix(ending));
    let stem = stem.unwrap_or(name);
    let package = package.filter(|_| COMMON_NAMES.contains(&stem));
    SystemText::from(package.unwrap_or(stem)).to_string()
}

/// Returns the package of a file: of node what follows the last `node_modules`, of Python the directory of `__main__.py`.
fn package_of(path: &str) -> Option<&str> {
    if let Some(directory) = path.strip_suffix("/__main__.py") {
        return Some(file_name(directory));
    }
    let (_, inside) = path.rsplit_once("node_modules/")?;
    let scope = inside.strip_prefix('@').and_then(|rest| rest.find('/'));
    let end = scope.map_or(0, |at| at + 2);
    let length = inside.get(end..)?.find('/').unwrap_or_default();
    inside.get(..end + length)
}

fn file_name(path: &str) -> &str {
    let mut parts = path.rsplit(['/', '\\']);
    parts.find(|part| !part.is_empty()).unwrap_or(path)
}

/// Returns a title without the directory of the program, where it begins with the path of that (as Chromium writes it).
fn without_directory(title: &SystemText, process: &Process) -> SystemText {
    let raw = title.raw();
    let executable = process.executable.as_ref().map(SystemText::raw);
    let rest = executable.and_then(|path| {
        let rest = raw.strip_prefix(&*path)?;
        let name = path.rsplit('/').next()?;
        rest.starts_with(' ').then(|| format!("{name}{rest}"))
    });
    rest.map_or_else(|| title.clone(), |text| text.as_str().into())
}

#[cfg(test)]
mod tests;

//! `rekindle init`: a small project where there is none, and what an existing one lacks.
//!
//! ```text
//! empty folder, --template react   →  package.json, index.html, src/main.tsx, src/App.tsx, …
//! src/main.ts and nothing else     →  shows index.html and tsconfig.json, asks, writes them
//! ```
//!
//! A file that is there is never written to.

use std::fs::{self, OpenOptions};
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use rekindle_compile::files::file;
use rekindle_config::join;
use serde_json::Value;

use crate::flags::{InitFlags, Template};
use crate::settings::PACKAGE_VARIABLE;

mod own_types;
use own_types::own_types;

const PAGE: &str = include_str!("init/templates/index.html");
const TSCONFIG: &str = include_str!("init/templates/tsconfig.json");
const STYLE: &str = include_str!("init/templates/style.css");
const GITIGNORE: &str = include_str!("init/templates/gitignore.txt");
const TYPES: &str = "/// <reference types=\"{{types}}/client\" />\n";
/// How `package.json` names our own package.
const OWN_PACKAGE: &str = concat!("\"rekindle\": \"^", env!("CARGO_PKG_VERSION"), "\"");

/// Files that may lie in a folder in which nothing was begun.
const IGNORED_IN_EMPTY_FOLDER: [&str; 6] =
    [".git", ".gitattributes", ".gitignore", ".editorconfig", ".DS_Store", ".vscode"];

/// Where an application usually begins.
const ENTRIES: [&str; 16] = [
    "src/main.tsx",
    "src/main.ts",
    "src/main.jsx",
    "src/main.js",
    "src/index.tsx",
    "src/index.ts",
    "src/index.jsx",
    "src/index.js",
    "main.tsx",
    "main.ts",
    "main.jsx",
    "main.js",
    "index.tsx",
    "index.ts",
    "index.jsx",
    "index.js",
];

/// Whom to ask and tell.
pub struct Terminal<'t> {
    pub input: &'t mut dyn BufRead,
    pub output: &'t mut dyn Write,
    /// Somebody is there to answer.
    pub answers: bool,
}

/// What the user types next, by how this program was started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commands {
    /// Our npm package can be installed, for that is how this program came here.
    has_package: bool,
    install: String,
    /// Starts the server without any installed package.
    start: String,
    /// The same once packages are installed.
    start_installed: String,
}

/// The command: reads the terminal, writes the files.
pub fn run(flags: &InitFlags) -> ExitCode {
    let here = match std::env::current_dir() {
        Ok(here) => here,
        Err(error) => {
            let _ = writeln!(anstream::stderr(), "error: the current folder cannot be read: {error}");
            return ExitCode::FAILURE;
        }
    };
    let answers = io::stdin().is_terminal();
    let mut terminal = Terminal { input: &mut io::stdin().lock(), output: &mut io::stdout().lock(), answers };
    let commands = Commands::of(
        std::env::var_os(PACKAGE_VARIABLE).is_some(),
        &std::env::var("npm_config_user_agent").unwrap_or_default(),
    );
    match init(flags, &here, &commands, &mut terminal) {
        Ok(()) => ExitCode::SUCCESS,
        Err(InitError { text, code }) => {
            let _ = writeln!(anstream::stderr(), "{text}");
            ExitCode::from(code)
        }
    }
}

/// Why nothing, or not everything, was written.
#[derive(Debug, PartialEq, Eq)]
pub struct InitError {
    pub text: String,
    pub code: u8,
}

impl InitError {
    fn new(code: u8, text: impl Into<String>) -> Self {
        Self { text: text.into(), code }
    }
}

impl From<io::Error> for InitError {
    fn from(error: io::Error) -> Self {
        Self::new(1, format!("error: {error}"))
    }
}

/// One file that is missing.
#[derive(Debug)]
struct MissingFile {
    path: &'static str,
    text: String,
    about: String,
}

pub fn init(flags: &InitFlags, here: &Path, commands: &Commands, terminal: &mut Terminal<'_>) -> Result<(), InitError> {
    let root = join(here, flags.root.as_deref().unwrap_or(Path::new("")));
    if root.exists() && !root.is_dir() {
        return Err(InitError::new(1, format!("error: `{}` is a file, not a folder", shown(&root))));
    }
    let project = Project::look(&root);
    let is_whole = project.entry.is_none() && !project.has_page;
    let template = match (flags.template, is_whole) {
        (Some(template), _) => template,
        (None, false) => project.template(),
        (None, true) if !project.is_new || flags.yes => project.template(),
        (None, true) if terminal.answers => ask_template(terminal)?,
        (None, true) => {
            return Err(InitError::new(
                2,
                "error: cannot ask which template to use, because the input is not a terminal\n  help: pass --template typescript or --template react; --yes takes TypeScript",
            ));
        }
    };
    let types = project.types(commands);
    let files = if is_whole { whole(template, &project, types, commands) } else { completion(&project, types) };
    let (kept, missing): (Vec<_>, Vec<_>) = files.into_iter().partition(|file| exists(&root.join(file.path)));
    let kept: Vec<&str> = kept.iter().map(|file| file.path).collect();
    if missing.is_empty() {
        writeln!(terminal.output, "  Nothing is missing in {}.", shown(&root))?;
        return next(here, &root, &project, project.lacks_packages(), commands, terminal);
    }
    if project.is_new {
        write_all(&root, &missing, terminal)?;
    } else {
        show(&root, &missing, &kept, terminal)?;
        if !flags.yes && !terminal.answers {
            return Err(InitError::new(
                2,
                "error: nothing was written, because the input is not a terminal and cannot confirm it\n  help: pass --yes to write these files",
            ));
        }
        if !flags.yes && !confirm(terminal)? {
            return Err(InitError::new(1, "Nothing was written."));
        }
        write_all(&root, &missing, terminal)?;
    }
    let installs = project.lacks_packages() || (is_whole && template == Template::React);
    next(here, &root, &project, installs, commands, terminal)
}

/// What lies in the folder.
struct Project {
    name: String,
    is_new: bool,
    entry: Option<&'static str>,
    /// Some HTML page lies at the top.
    has_page: bool,
    /// Neither here nor above, in the same repository, is said what git ignores.
    lacks_gitignore: bool,
    /// Our npm package is installed.
    has_own_package: bool,
    has_typescript: bool,
    has_tsconfig: bool,
    /// Some file brings the types of `import.meta.hot`.
    has_types: bool,
    package: Option<Value>,
    has_modules: bool,
    has_src: bool,
}

impl Project {
    fn look(root: &Path) -> Self {
        let names: Vec<String> = names_in(root);
        let is_new = names.iter().all(|name| {
            let lower = name.to_ascii_lowercase();
            IGNORED_IN_EMPTY_FOLDER.contains(&name.as_str())
                || lower.starts_with("readme")
                || lower.starts_with("license")
        });
        let entry = ENTRIES.into_iter().find(|entry| root.join(entry).is_file());
        let sources = names_in(&root.join("src"));
        let is_typescript = |name: &String| name.ends_with(".ts") || name.ends_with(".tsx");
        let has_tsconfig = root.join("tsconfig.json").is_file();
        let package = file::read_text(&root.join("package.json"));
        let declarations =
            sources.iter().filter(|name| name.ends_with(".d.ts")).map(|name| root.join("src").join(name));
        let at_top = names
            .iter()
            .filter(|name| name.ends_with(".d.ts") || (name.starts_with("tsconfig") && name.ends_with(".json")));
        let mut type_files = declarations.chain(at_top.map(|name| root.join(name)));
        let has_types = type_files.any(|path| {
            file::read_text(&path).is_ok_and(|text| text.contains("vite/client") || text.contains("rekindle/client"))
        });
        Self {
            name: root.file_name().map_or_else(|| "app".to_owned(), |name| name.to_string_lossy().into_owned()),
            is_new,
            entry,
            has_page: names.iter().any(|name| name.ends_with(".html")),
            lacks_gitignore: lacks_gitignore(root),
            has_own_package: root.ancestors().any(|folder| folder.join("node_modules/rekindle/client.d.ts").is_file()),
            has_typescript: has_tsconfig || sources.iter().chain(&names).any(is_typescript),
            has_tsconfig,
            has_types,
            package: package.ok().map(|text| serde_json::from_str(&text).unwrap_or_default()),
            has_modules: root.ancestors().any(|folder| folder.join("node_modules").is_dir()),
            has_src: root.join("src").is_dir(),
        }
    }

    fn depends_on(&self, name: &str) -> bool {
        let lists = ["dependencies", "devDependencies", "peerDependencies"];
        let package = self.package.as_ref();
        lists.iter().any(|list| package.and_then(|package| package.get(list)?.get(name)).is_some())
    }

    /// The package that brings types of `import.meta.hot`, if there is one.
    fn types(&self, commands: &Commands) -> Option<&'static str> {
        let has_ours = self.depends_on("rekindle") || self.has_own_package;
        if !has_ours && self.depends_on("vite") {
            Some("vite")
        } else {
            (has_ours || commands.has_package).then_some("rekindle")
        }
    }

    /// Something has to be installed before the project can run.
    fn lacks_packages(&self) -> bool {
        let dependencies = self.package.as_ref().and_then(|package| package.get("dependencies")?.as_object());
        !self.has_modules && dependencies.is_some_and(|dependencies| !dependencies.is_empty())
    }

    fn template(&self) -> Template {
        let is_react = self.depends_on("react") || self.entry.is_some_and(|entry| entry.ends_with('x'));
        if is_react { Template::React } else { Template::Typescript }
    }

    /// Whether a script of package.json starts us already, by whichever name.
    fn has_script(&self) -> bool {
        let scripts = self.package.as_ref().and_then(|package| package.get("scripts")?.as_object());
        let mut texts = scripts.into_iter().flat_map(|scripts| scripts.values()).filter_map(Value::as_str);
        texts.any(|text| text.split_whitespace().any(|word| matches!(word, "rekindle" | "vite")))
    }
}

fn lacks_gitignore(root: &Path) -> bool {
    let repository = root.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(root);
    !root
        .ancestors()
        .take_while(|folder| folder.starts_with(repository))
        .any(|folder| exists(&folder.join(".gitignore")))
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// A link counts as well, wherever it leads.
fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// All files of a template.
fn whole(template: Template, project: &Project, types: Option<&str>, commands: &Commands) -> Vec<MissingFile> {
    let (entry, about) = match template {
        Template::Typescript => ("src/main.ts", "the page; it runs src/main.ts"),
        Template::React => ("src/main.tsx", "the page; it runs src/main.tsx"),
    };
    let file = |path, text: &str, about: &str| MissingFile { path, text: text.to_owned(), about: about.to_owned() };
    let package = |text: &str| {
        let text = text.replace("{{package}}", &package_name(&project.name));
        let (own, optional) = if commands.has_package {
            (format!("    {OWN_PACKAGE},\n"), String::new())
        } else {
            (String::new(), format!(",\n  \"{}\": {{\n    {OWN_PACKAGE}\n  }}", commands.dependency_list()))
        };
        text.replace("{{own}}", &own).replace("{{optional}}", &optional)
    };
    let mut files = vec![
        file("index.html", &page(project, entry, template), about),
        file("tsconfig.json", &tsconfig(template == Template::React, true, types), "TypeScript options"),
        file(".gitignore", GITIGNORE, "what git ignores"),
    ];
    files.extend(match template {
        Template::Typescript => vec![
            file(
                "package.json",
                &package(include_str!("init/templates/typescript/package.json")),
                "scripts and packages",
            ),
            file("src/main.ts", include_str!("init/templates/typescript/src/main.ts"), "the entry"),
            file(
                "src/counter.ts",
                include_str!("init/templates/typescript/src/counter.ts"),
                "keeps its count when it is edited",
            ),
        ],
        Template::React => vec![
            file("package.json", &package(include_str!("init/templates/react/package.json")), "scripts and packages"),
            file("src/main.tsx", include_str!("init/templates/react/src/main.tsx"), "the entry"),
            file("src/App.tsx", include_str!("init/templates/react/src/App.tsx"), "a component that keeps its count"),
        ],
    });
    files.push(file("src/style.css", STYLE, "styles"));
    if types.is_none() {
        files.push(env_types("src/rekindle-env.d.ts", None));
    }
    files
}

/// What a project with sources or pages of its own needs to be served, and for its editor.
fn completion(project: &Project, types: Option<&str>) -> Vec<MissingFile> {
    let mut files = Vec::new();
    if let (Some(entry), false) = (project.entry, project.has_page) {
        let about = format!("the page; it runs {entry}");
        files.push(MissingFile { path: "index.html", text: page(project, entry, project.template()), about });
    }
    if project.has_typescript && !project.has_tsconfig {
        // Code that was written without it may rely on imports of types going away by themselves.
        let text = tsconfig(project.template() == Template::React, project.has_src, types)
            .replace("    \"verbatimModuleSyntax\": true,\n", "");
        files.push(MissingFile { path: "tsconfig.json", text, about: "TypeScript options".to_owned() });
    }
    let names_them = project.has_typescript && !project.has_tsconfig && types.is_some();
    if project.has_typescript && !project.has_types && !names_them {
        let path = if project.has_src { "src/rekindle-env.d.ts" } else { "rekindle-env.d.ts" };
        files.push(env_types(path, types));
    }
    if project.lacks_gitignore {
        files.push(MissingFile {
            path: ".gitignore",
            text: GITIGNORE.to_owned(),
            about: "what git ignores".to_owned(),
        });
    }
    files
}

/// The file that makes types known: those of a package, or our own.
fn env_types(path: &'static str, package: Option<&str>) -> MissingFile {
    let text = package.map_or_else(own_types, |package| TYPES.replace("{{types}}", package));
    MissingFile { path, text, about: "types of import.meta.hot and of asset imports".to_owned() }
}

fn page(project: &Project, entry: &str, template: Template) -> String {
    let title = project.name.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mount = if template == Template::React { "root" } else { "app" };
    PAGE.replace("{{name}}", &title).replace("{{entry}}", entry).replace("{{mount}}", mount)
}

fn tsconfig(is_react: bool, has_src: bool, types: Option<&str>) -> String {
    let types = types.map_or_else(String::new, |package| format!("\"{package}/client\""));
    let jsx = if is_react { "\n    \"jsx\": \"react-jsx\"," } else { "" };
    TSCONFIG
        .replace("{{jsx}}", jsx)
        .replace("{{types}}", &types)
        .replace("{{sources}}", if has_src { "src" } else { "." })
}

/// A folder's name as npm allows it for a package.
fn package_name(folder: &str) -> String {
    let lower = folder.to_lowercase();
    let plain = lower.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' });
    let name: String = plain.collect();
    let name = name.trim_matches(['-', '_', '.']);
    if name.is_empty() { "app".to_owned() } else { name.to_owned() }
}

// ---- the terminal

fn ask_template(terminal: &mut Terminal<'_>) -> Result<Template, InitError> {
    let text = "\n  Which template?\n\n    1  typescript  plain TypeScript, no packages needed\n    2  react       React with TypeScript\n\n";
    write!(terminal.output, "{text}")?;
    loop {
        match ask(terminal, "  1 or 2 [1]: ")?.as_str() {
            "" | "1" | "typescript" | "ts" => return Ok(Template::Typescript),
            "2" | "react" => return Ok(Template::React),
            _ => {}
        }
    }
}

fn confirm(terminal: &mut Terminal<'_>) -> Result<bool, InitError> {
    let answer = ask(terminal, "\n  Write them? [y/N] ")?;
    Ok(matches!(answer.as_str(), "y" | "yes"))
}

/// A line in lower case. The end of the input is the end of the talk.
fn ask(terminal: &mut Terminal<'_>, question: &str) -> Result<String, InitError> {
    write!(terminal.output, "{question}")?;
    terminal.output.flush()?;
    let mut line = String::new();
    match terminal.input.read_line(&mut line)? {
        0 => Err(InitError::new(1, "\nNothing was written.")),
        _ => Ok(line.trim().to_lowercase()),
    }
}

fn show(root: &Path, missing: &[MissingFile], kept: &[&str], terminal: &mut Terminal<'_>) -> io::Result<()> {
    writeln!(terminal.output, "\n  Missing in {}:\n", shown(root))?;
    let width = missing.iter().map(|file| file.path.len()).max().unwrap_or(0);
    for MissingFile { path, text, about } in missing {
        writeln!(terminal.output, "    {path:width$}  {:>3} lines  {about}", text.lines().count())?;
    }
    match kept {
        [] => Ok(()),
        kept => writeln!(terminal.output, "\n  Left as it is: {}", kept.join(", ")),
    }
}

fn write_all(root: &Path, missing: &[MissingFile], terminal: &mut Terminal<'_>) -> Result<(), InitError> {
    writeln!(terminal.output)?;
    for MissingFile { path, text, .. } in missing {
        let target = root.join(path);
        let written = target.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| {
            // Never over a file that came while we asked, nor through a link.
            OpenOptions::new().write(true).create_new(true).open(&target)?.write_all(text.as_bytes())
        });
        match written {
            Ok(()) => writeln!(terminal.output, "  wrote {path}")?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => writeln!(terminal.output, "  kept  {path}")?,
            Err(error) => return Err(InitError::new(1, format!("error: cannot write {}: {error}", shown(&target)))),
        }
    }
    Ok(())
}

/// The commands to type now.
fn next(
    here: &Path,
    root: &Path,
    project: &Project,
    installs: bool,
    commands: &Commands,
    terminal: &mut Terminal<'_>,
) -> Result<(), InitError> {
    let out = &mut terminal.output;
    if project.package.is_some() && !project.has_script() {
        writeln!(out, "\n  package.json was not changed. To start rekindle from it, add:\n")?;
        writeln!(
            out,
            "    \"scripts\": {{ \"dev\": \"rekindle\", \"build\": \"rekindle build\", \"preview\": \"rekindle preview\" }}"
        )?;
        writeln!(out, "    \"{}\": {{ {OWN_PACKAGE} }}", commands.dependency_list())?;
    }
    writeln!(out, "\n  Next:\n")?;
    if root != here {
        let below: PathBuf = root.strip_prefix(here).map_or_else(|_| root.to_owned(), Path::to_owned);
        writeln!(out, "    cd {}", quoted(&shown(&below)))?;
    }
    if installs {
        writeln!(out, "    {}\n    {}\n", commands.install, commands.start_installed)?;
    } else {
        writeln!(out, "    {}\n", commands.start)?;
    }
    Ok(())
}

impl Commands {
    /// Where `package.json` names our own package, so that a colleague's clone can start. A registry that this program did
    /// not come from may not have it, and an installation must not end for that: whoever starts it has it anyway.
    fn dependency_list(&self) -> &'static str {
        if self.has_package { "devDependencies" } else { "optionalDependencies" }
    }

    /// `agent` is what npm and its like say about themselves: `pnpm/10.1.0 npm/? node/…`.
    pub fn of(from_npm: bool, agent: &str) -> Self {
        let manager = agent.split('/').next().filter(|name| ["npm", "pnpm", "yarn", "bun"].contains(name));
        let manager = manager.unwrap_or("npm");
        let installed = match manager {
            "npm" | "bun" => format!("{manager} run dev"),
            manager => format!("{manager} dev"),
        };
        let without = match manager {
            "npm" => "npx rekindle",
            "bun" => "bunx rekindle",
            "pnpm" => "pnpm dlx rekindle",
            _ => "yarn dlx rekindle",
        };
        let ours = "rekindle dev".to_owned();
        Self {
            has_package: from_npm,
            install: format!("{manager} install"),
            start: if from_npm { without.to_owned() } else { ours.clone() },
            start_installed: if from_npm { installed } else { ours },
        }
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string().chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// A path as a shell takes it.
fn quoted(path: &str) -> String {
    if path.chars().all(|c| c.is_alphanumeric() || "-_./\\:".contains(c)) {
        path.to_owned()
    } else {
        format!("\"{path}\"")
    }
}

#[cfg(test)]
mod tests;

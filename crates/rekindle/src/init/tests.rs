//! `rekindle init`, on folders of each kind.

use tempfile::TempDir;

use super::*;

/// A folder with files in it, and what became of `init` there: what was said, and how it ended.
struct Case {
    folder: TempDir,
    flags: InitFlags,
    answers: Option<&'static str>,
}

fn case(files: &[(&str, &str)]) -> Case {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join("app").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    Case { folder, flags: InitFlags { root: Some("app".into()), ..InitFlags::default() }, answers: None }
}

impl Case {
    fn with(mut self, template: Template) -> Self {
        self.flags.template = Some(template);
        self
    }

    fn yes(mut self) -> Self {
        self.flags.yes = true;
        self
    }

    fn typing(mut self, answers: &'static str) -> Self {
        self.answers = Some(answers);
        self
    }

    fn run(&self) -> (String, Result<(), InitError>) {
        let mut output = Vec::new();
        let mut terminal = Terminal {
            input: &mut self.answers.unwrap_or_default().as_bytes(),
            output: &mut output,
            answers: self.answers.is_some(),
        };
        let result = init(&self.flags, self.folder.path(), &Commands::of(false, ""), &mut terminal);
        (String::from_utf8(output).unwrap(), result)
    }

    fn files(&self) -> Vec<String> {
        let root = self.folder.path().join("app");
        let below =
            |folder: &'static str| names_in(&root.join(folder)).into_iter().map(move |name| format!("{folder}{name}"));
        let mut files: Vec<String> = below("").chain(below("src/")).filter(|name| root.join(name).is_file()).collect();
        files.sort();
        files
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join("app").join(name)).unwrap()
    }
}

const VERSION: &str = concat!("^", env!("CARGO_PKG_VERSION"));

const TYPESCRIPT: [&str; 8] = [
    ".gitignore",
    "index.html",
    "package.json",
    "src/counter.ts",
    "src/main.ts",
    "src/rekindle-env.d.ts",
    "src/style.css",
    "tsconfig.json",
];

#[test]
fn a_folder_with_nothing_becomes_a_project() {
    let new = case(&[]).with(Template::Typescript);
    let (said, result) = new.run();
    assert_eq!(result, Ok(()));
    assert_eq!(new.files(), TYPESCRIPT);
    assert!(said.ends_with("  Next:\n\n    cd app\n    rekindle dev\n\n"), "{said}");
    assert!(new.read("index.html").contains("<title>app</title>") && new.read("index.html").contains("/src/main.ts\""));
    for name in ["index.html", "package.json", "tsconfig.json"] {
        assert!(!new.read(name).contains("{{"), "{name}");
    }
    let package: Value = serde_json::from_str(&new.read("package.json")).unwrap();
    // An installation must not end because of it: this program did not come from npm.
    assert_eq!(package["optionalDependencies"]["rekindle"], VERSION);
    assert!(package["devDependencies"]["rekindle"].is_null() && package["devDependencies"]["typescript"].is_string());

    let react = case(&[]).with(Template::React);
    let (said, result) = react.run();
    assert_eq!(result, Ok(()));
    assert!(said.ends_with("    cd app\n    npm install\n    rekindle dev\n\n"), "{said}");
    assert!(react.files().contains(&"src/App.tsx".to_owned()));
    let package: Value = serde_json::from_str(&react.read("package.json")).unwrap();
    assert!(package["dependencies"]["react"].is_string());
    let tsconfig: Value = serde_json::from_str(&react.read("tsconfig.json")).unwrap();
    assert_eq!(tsconfig["compilerOptions"]["jsx"], "react-jsx");
}

#[test]
fn who_is_there_is_asked_and_who_is_not_is_told_what_to_pass() {
    let asked = case(&[]).typing("3\nreact\n");
    let (said, result) = asked.run();
    assert_eq!(result, Ok(()));
    assert!(said.contains("Which template?") && said.matches("1 or 2 [1]: ").count() == 2, "{said}");
    assert!(asked.files().contains(&"src/App.tsx".to_owned()));

    let alone = case(&[]);
    let (_, result) = alone.run();
    let stop = result.unwrap_err();
    assert!(stop.code == 2 && stop.text.contains("--template typescript") && alone.files().is_empty(), "{stop:?}");

    let hung_up = case(&[]).typing("");
    assert_eq!(hung_up.run().1.unwrap_err().code, 1);
    assert!(hung_up.files().is_empty());

    let hurried = case(&[]).yes();
    assert_eq!(hurried.run().1, Ok(()));
    assert_eq!(hurried.files(), TYPESCRIPT);
}

#[test]
fn what_belongs_to_a_new_folder_is_kept() {
    let new = case(&[("README.md", "mine"), (".gitignore", "mine")]).with(Template::Typescript);
    assert_eq!(new.run().1, Ok(()));
    assert_eq!((new.read("README.md").as_str(), new.read(".gitignore").as_str()), ("mine", "mine"));
}

#[test]
fn an_existing_project_gets_only_what_it_lacks_and_is_asked_first() {
    let files = [("src/main.tsx", "mine"), ("package.json", r#"{"dependencies":{"react":"19"}}"#)];
    let alone = case(&files);
    let (said, result) = alone.run();
    assert!(said.contains("index.html") && said.contains("it runs src/main.tsx"), "{said}");
    let stop = result.unwrap_err();
    assert!(stop.code == 2 && stop.text.contains("--yes"), "{stop:?}");
    assert_eq!(alone.files(), ["package.json", "src/main.tsx"]);

    let unsure = case(&files).typing("\n");
    assert_eq!(unsure.run().1, Err(InitError::new(1, "Nothing was written.")));
    assert_eq!(unsure.files().len(), 2);

    let sure = case(&files).typing("y\n");
    let (said, result) = sure.run();
    assert_eq!(result, Ok(()));
    let all = [".gitignore", "index.html", "package.json", "src/main.tsx", "src/rekindle-env.d.ts", "tsconfig.json"];
    assert_eq!(sure.files(), all);
    assert_eq!(sure.read("src/main.tsx"), "mine");
    assert!(sure.read("index.html").contains("id=\"root\""));
    assert!(said.contains("package.json was not changed") && said.contains("npm install"), "{said}");
    assert!(said.contains(&format!("\"optionalDependencies\": {{ \"rekindle\": \"{VERSION}\" }}")), "{said}");

    let (said, result) = sure.run();
    assert!(result.is_ok() && said.contains("Nothing is missing"), "{said}");
}

#[test]
fn types_come_by_the_name_that_is_installed() {
    let types = |files: &[(&str, &str)]| {
        let project = case(files).yes();
        assert_eq!(project.run().1, Ok(()));
        project.files().contains(&"src/rekindle-env.d.ts".to_owned()).then(|| project.read("src/rekindle-env.d.ts"))
    };
    let base = [("index.html", ""), ("src/main.ts", ""), ("tsconfig.json", "{}")];
    let with = |more: (&'static str, &'static str)| types(&[&base[..], &[more]].concat());
    assert_eq!(types(&base).as_deref(), Some(own_types().as_str()));
    let ours = with(("package.json", r#"{"devDependencies":{"rekindle":"0.1"}}"#));
    assert_eq!(ours.as_deref(), Some("/// <reference types=\"rekindle/client\" />\n"));
    let vite = with(("package.json", r#"{"devDependencies":{"vite":"npm:rekindle"}}"#));
    assert_eq!(vite.as_deref(), Some("/// <reference types=\"vite/client\" />\n"));
    assert_eq!(with(("src/vite-env.d.ts", "/// <reference types=\"vite/client\" />")), None);
    assert_eq!(with(("tsconfig.app.json", r#"{"types":["vite/client"]}"#)), None);
}

#[test]
fn who_got_this_program_from_npm_gets_its_package() {
    let new = case(&[]).with(Template::React);
    let mut terminal = Terminal { input: &mut &b""[..], output: &mut Vec::new(), answers: false };
    init(&new.flags, new.folder.path(), &Commands::of(true, "npm/10"), &mut terminal).unwrap();
    let package: Value = serde_json::from_str(&new.read("package.json")).unwrap();
    assert_eq!(package["devDependencies"]["rekindle"], VERSION);
    assert!(package["optionalDependencies"].is_null());
    assert!(new.read("tsconfig.json").contains(r#""types": ["rekindle/client"]"#));
    assert!(!new.files().contains(&"src/rekindle-env.d.ts".to_owned()));
}

#[test]
fn what_git_leaves_alone_is_missing_unless_it_is_said_above() {
    let alone = case(&[("index.html", ""), ("main.js", "")]).yes();
    assert_eq!(alone.run().1, Ok(()));
    assert!(alone.files().contains(&".gitignore".to_owned()));
    let inside = case(&[("index.html", ""), ("main.js", "")]).yes();
    fs::create_dir(inside.folder.path().join(".git")).unwrap();
    fs::write(inside.folder.path().join(".gitignore"), "node_modules").unwrap();
    assert!(inside.run().0.contains("Nothing is missing"));
}

#[cfg(unix)]
#[test]
fn nothing_is_written_through_a_link() {
    let project = case(&[("src/main.ts", "")]).yes();
    let outside = project.folder.path().join("outside.html");
    std::os::unix::fs::symlink(&outside, project.folder.path().join("app/index.html")).unwrap();
    let _ = project.run();
    assert!(!outside.exists());
}

#[test]
fn names_of_folders_become_names_of_packages() {
    for (folder, name) in [("My App", "my-app"), ("été", "t"), ("_x", "x"), ("...", "app"), ("a.b", "a.b")] {
        assert_eq!(package_name(folder), name, "{folder}");
    }
}

#[test]
fn the_next_command_is_that_of_who_started_us() {
    let start = |from_npm, agent| {
        let commands = Commands::of(from_npm, agent);
        format!("{} | {} | {}", commands.install, commands.start, commands.start_installed)
    };
    assert_eq!(start(false, ""), "npm install | rekindle dev | rekindle dev");
    assert_eq!(start(true, "npm/10.1 node/v20"), "npm install | npx rekindle | npm run dev");
    assert_eq!(start(true, "pnpm/10.1 npm/?"), "pnpm install | pnpm dlx rekindle | pnpm dev");
}

#[test]
fn the_types_it_writes_are_those_of_the_package_in_one_file() {
    let text = own_types();
    for name in ["'*.gif'", "'*.jpeg'", "'*.woff2'", "'*.mp4'", "'*.less'", "'*.wasm?init'", "dirname: string"] {
        assert!(text.contains(name), "{name}");
    }
    assert!(!text.contains("from './") && !text.contains("import('./") && !text.contains("reference path"), "{text}");
}

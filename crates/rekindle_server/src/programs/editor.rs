//! Opens a file of the project in the developer's editor, when the page's overlay asks for it (rule S10), and the
//! browser, when the developer does.

use std::io;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};

use rekindle_compile::kind::path_of;
use thiserror::Error;

/// Opens files below one root.
#[derive(Clone, Debug)]
pub struct Editor {
    root: PathBuf,
}

#[derive(Debug, Error)]
pub enum EditorError {
    #[error("the file does not belong to this project")]
    NotOurs,
    #[error("no editor was found; set LAUNCH_EDITOR to your editor's command")]
    NoEditor,
    #[error("{0} needs a terminal; set LAUNCH_EDITOR to an editor with a window")]
    NeedsTerminal(String),
    #[error("the editor did not start: {0}")]
    NotStarted(io::Error),
}

impl EditorError {
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::NotOurs => 404,
            Self::NoEditor | Self::NeedsTerminal(_) | Self::NotStarted(_) => 501,
        }
    }
}

impl Editor {
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// `place` is a module's address or a path below the root, with `:line` or `:line:column` after it.
    pub async fn open(&self, place: &str) -> Result<(), EditorError> {
        let (editor, place) = (self.clone(), place.to_owned());
        let opened = tokio::task::spawn_blocking(move || {
            let place = editor.find(&place).ok_or(EditorError::NotOurs)?;
            start(&place)
        });
        opened.await.unwrap_or_else(|error| Err(EditorError::NotStarted(io::Error::other(error))))
    }

    fn find(&self, place: &str) -> Option<EditorTarget> {
        let (path, line, column) = split_place(place);
        let path = path_of(path);
        // No options, no shares on other machines (`//host/share`), no drives or streams, nothing a terminal interprets.
        if path.starts_with('-')
            || path.starts_with("//")
            || path.contains(['\\', ':'])
            || path.chars().any(char::is_control)
        {
            return None;
        }
        let root = std::fs::canonicalize(&self.root).ok()?;
        let below = Path::new(
            path.strip_prefix("/@fs")
                .and_then(|path| path.strip_prefix(root.to_str()?))
                .unwrap_or(path)
                .trim_start_matches('/'),
        );
        if below.as_os_str().is_empty() || !below.components().all(|part| matches!(part, Component::Normal(_))) {
            return None;
        }
        let file = std::fs::canonicalize(root.join(below)).ok()?;
        (file.starts_with(&root) && file.is_file()).then_some(EditorTarget { file, line, column })
    }
}

/// A place in a file that was found below the root. The path is absolute, so it cannot be taken for an option.
#[derive(Debug)]
struct EditorTarget {
    file: PathBuf,
    line: Option<u32>,
    column: Option<u32>,
}

fn split_place(place: &str) -> (&str, Option<u32>, Option<u32>) {
    let cut = |text: &str| -> Option<(usize, u32)> {
        let (before, number) = text.rsplit_once(':')?;
        number.bytes().all(|byte| byte.is_ascii_digit()).then(|| Some((before.len(), number.parse().ok()?)))?
    };
    match cut(place) {
        None => (place, None, None),
        Some((end, last)) => match cut(&place[..end]) {
            None => (&place[..end], Some(last), None),
            Some((start, line)) => (&place[..start], Some(line), Some(last)),
        },
    }
}

fn start(place: &EditorTarget) -> Result<(), EditorError> {
    let command = editor_command()?;
    let Some((program, own)) = command.split_first() else {
        return Err(EditorError::NoEditor);
    };
    let name = Path::new(program).file_stem().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    if matches!(
        name.as_str(),
        "vi" | "vim" | "nvim" | "nano" | "micro" | "hx" | "helix" | "kak" | "joe" | "pico" | "ed"
    ) {
        return Err(EditorError::NeedsTerminal(name));
    }
    let mut child = Command::new(program)
        .args(own)
        .args(arguments(&name, place))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(EditorError::NotStarted)?;
    // The process has to be waited for, or it stays in the process table after it was closed.
    std::thread::spawn(move || child.wait());
    Ok(())
}

fn editor_command() -> Result<Vec<String>, EditorError> {
    let named = ["LAUNCH_EDITOR", "VISUAL", "EDITOR"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.trim().is_empty()));
    if let Some(named) = named {
        // A path with spaces is one word if such a program exists, otherwise the words after the first are its options.
        return if Path::new(&named).is_file() {
            Ok(vec![named])
        } else {
            Ok(named.split_whitespace().map(str::to_owned).collect())
        };
    }
    let known = ["code", "cursor", "windsurf", "codium", "zed", "subl", "webstorm", "idea"];
    let found = known.iter().find_map(|name| find_program(name));
    found.map(|program| vec![program.to_string_lossy().into_owned()]).ok_or(EditorError::NoEditor)
}

fn find_program(name: &str) -> Option<PathBuf> {
    let endings: &[&str] = if cfg!(windows) { &[".exe", ".cmd"] } else { &[""] };
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders)
        .flat_map(|folder| endings.iter().map(move |ending| folder.join(format!("{name}{ending}"))))
        .find(|program| program.is_file())
}

/// How an editor wants to be told a line.
fn arguments(editor: &str, place: &EditorTarget) -> Vec<std::ffi::OsString> {
    let file = place.file.clone().into_os_string();
    let Some(line) = place.line else {
        return vec![file];
    };
    let column = place.column.unwrap_or(1);
    let with_place = || {
        let mut text = file.clone();
        text.push(format!(":{line}:{column}"));
        text
    };
    match editor {
        "code" | "code-insiders" | "codium" | "vscodium" | "cursor" | "windsurf" | "trae" => {
            vec!["-r".into(), "-g".into(), with_place()]
        }
        "zed" | "zeditor" | "subl" | "sublime_text" | "atom" => vec![with_place()],
        "emacs" | "emacsclient" => vec![format!("+{line}:{column}").into(), file],
        "gvim" | "mvim" | "neovide" | "gedit" | "kate" | "mate" => {
            vec![format!("+{line}").into(), file]
        }
        "notepad++" => vec![format!("-n{line}").into(), format!("-c{column}").into(), file],
        "idea" | "idea64" | "webstorm" | "webstorm64" | "phpstorm" | "pycharm" | "rubymine" | "rustrover"
        | "goland" | "rider" | "clion" => {
            vec!["--line".into(), line.to_string().into(), "--column".into(), column.to_string().into(), file]
        }
        _ => vec![file],
    }
}

/// Opens the browser, unless `BROWSER=none` says that nobody wants one.
pub fn open_browser(url: &str) -> io::Result<()> {
    match std::env::var("BROWSER").as_deref() {
        Ok("none") => Ok(()),
        _ => open::that_detached(url),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_may_have_a_line_and_a_column() {
        assert_eq!(split_place("a.js"), ("a.js", None, None));
        assert_eq!(split_place("a.js:3"), ("a.js", Some(3), None));
        assert_eq!(split_place("a.js:3:5"), ("a.js", Some(3), Some(5)));
        assert_eq!(split_place("a:b.js:3:5"), ("a:b.js", Some(3), Some(5)));
        assert_eq!(split_place("a.js:99999999999"), ("a.js:99999999999", None, None));
    }

    #[test]
    fn only_files_of_the_project_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        std::fs::create_dir_all(root.join("src")).unwrap();
        std::fs::write(root.join("src/a.js"), "").unwrap();
        std::fs::write(folder.path().join("secret.txt"), "").unwrap();
        let editor = Editor::new(&root);
        let real = std::fs::canonicalize(&root).unwrap();
        for place in
            ["src/a.js", "/src/a.js", "/src/a.js?raw:3:5", "src/a.js:3", &format!("/@fs{}/src/a.js", real.display())]
        {
            assert_eq!(editor.find(place).map(|place| place.file), Some(real.join("src/a.js")), "{place}");
        }
        let outside = format!("{}/secret.txt", folder.path().display());
        let escape = format!("/@fs{}/../secret.txt", real.display());
        for place in [
            "",
            "/",
            "src",
            "../secret.txt",
            "src/../../secret.txt",
            &outside,
            &escape,
            "-r src/a.js",
            "//host/share",
            "\\\\host\\share",
            "src\\a.js",
            "src/a.js;x",
            "C:/a.js",
            "src/a.js\0",
            "$(id)",
        ] {
            assert!(editor.find(place).is_none(), "{place}");
        }
    }

    #[test]
    fn editors_are_told_the_line_in_their_own_way() {
        let place = EditorTarget { file: "/p/a.js".into(), line: Some(3), column: Some(5) };
        let told = |editor: &str| {
            arguments(editor, &place)
                .iter()
                .map(|word| word.to_string_lossy().into_owned())
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(told("code"), "-r -g /p/a.js:3:5");
        assert_eq!(told("subl"), "/p/a.js:3:5");
        assert_eq!(told("webstorm"), "--line 3 --column 5 /p/a.js");
        assert_eq!(told("unknown"), "/p/a.js");
    }
}

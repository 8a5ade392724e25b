//! Flags, `rekindle.toml` and a configuration of Vite together: which of them wins, and which files they are.

use std::fs;

use expect_test::expect;
use rekindle_config::Https;
use tempfile::TempDir;

use super::*;

#[test]
fn flags_win_over_the_file() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("index.html"), "").unwrap();
    fs::write(folder.path().join("rekindle.toml"), "base = '/file/'\nmode = 'file'\n[server]\nport = 1\n").unwrap();
    let flags = DevFlags {
        root: Some(folder.path().to_owned()),
        port: Some(2),
        base: Some("flag".into()),
        ..DevFlags::default()
    };
    let Settings { config, notes, .. } = read(&flags).unwrap();
    assert_eq!((config.server.port, config.base.as_str(), config.mode.as_str()), (2, "/flag/", "file"));
    assert_eq!(notes, [""; 0]);
}

#[test]
fn another_file_can_be_named_and_must_exist() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("other.toml");
    let flags = DevFlags { root: Some(folder.path().to_owned()), config: Some(file.clone()), ..DevFlags::default() };
    assert_eq!(read(&flags).unwrap_err()[0].message, format!("there is no file `{}`", file.display()));
    fs::write(&file, "[server]\nport = 7\n").unwrap();
    assert_eq!(read(&flags).unwrap().config.server.port, 7);
    let script = folder.path().join("dev.config.mjs");
    fs::write(&script, "export default { server: { port: 8 } }").unwrap();
    let flags = DevFlags { config: Some(script), ..flags };
    assert_eq!(read(&flags).unwrap().config.server.port, 8);
}

#[test]
fn a_root_must_be_a_folder_and_may_lack_an_index() {
    let folder = TempDir::new().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let said = |root: PathBuf| {
        let flags = DevFlags { root: Some(root), ..DevFlags::default() };
        match read(&flags) {
            Ok(settings) => settings.notes.join("\n"),
            Err(problems) => problems[0].message.clone(),
        }
        .replace(&folder.path().canonicalize().unwrap().display().to_string(), "<root>")
    };
    fs::write(root.join("a.txt"), "").unwrap();
    let mut told = vec![said(root.join("gone")), said(root.join("a.txt")), said(root.clone())];
    fs::write(root.join("admin.html"), "").unwrap();
    told.push(said(root.clone()));
    expect![[r#"
        there is no folder `<root>/gone`
        `<root>/a.txt` is a file, not a folder
        <root> has no index.html; is it the project folder? `rekindle init` writes a project
        <root> has no index.html, so / answers 404; try /admin.html"#]]
    .assert_eq(&told.join("\n"));
}

#[test]
fn rekindle_toml_wins_over_the_configuration_of_vite_key_by_key() {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("index.html", "");
    write("vite.config.js", "export default { base: '/vite/', server: { port: 1, strictPort: true } }");
    write("rekindle.toml", "[server]\nport = 2\n");
    let flags = DevFlags { root: Some(folder.path().to_owned()), https: true, ..DevFlags::default() };
    let Settings { config, vite, files, .. } = read(&flags).unwrap();
    assert_eq!((config.base.as_str(), config.server.port, config.server.strict_port), ("/vite/", 2, true));
    assert_eq!(config.server.https, Some(Https::Generated));
    assert_eq!(vite.unwrap().rows, [("taken", "base, server.port, server.strictPort".to_owned())]);
    assert!(
        files.iter().any(|file| file.ends_with("vite.config.mts"))
            && files.iter().any(|file| file.ends_with("rekindle.toml"))
    );
}

#[test]
fn a_pipe_in_the_place_of_settings_is_named_and_not_waited_for() {
    let folder = TempDir::new().unwrap();
    let make_pipe = |name: &str| {
        let made = std::process::Command::new("mkfifo").arg(folder.path().join(name)).status();
        assert!(made.unwrap().success());
    };
    let flags = DevFlags { root: Some(folder.path().to_owned()), ..DevFlags::default() };
    fs::write(folder.path().join("vite.config.mjs"), "export default { base: '/vite/' }").unwrap();
    for name in ["vite.config.js", "vite.config.ts"] {
        make_pipe(name);
    }
    let settings = read(&flags).unwrap();
    // A file that comes later in the order is taken, and what comes after it is not looked at.
    assert_eq!(settings.config.base, "/vite/");
    assert_eq!(settings.left_out, ["vite.config.js is a named pipe, not a file, and is left out"]);
    fs::remove_file(folder.path().join("vite.config.mjs")).unwrap();
    let left_out = read(&flags).unwrap().left_out;
    assert!(left_out.len() == 2 && left_out[1].starts_with("vite.config.ts is a named pipe"), "{left_out:?}");

    let named = DevFlags { vite_config: Some(folder.path().join("vite.config.js")), ..flags.clone() };
    let message = &read(&named).unwrap_err()[0].message;
    assert!(message.ends_with("vite.config.js` is a named pipe, not a file"), "{message}");

    make_pipe("rekindle.toml");
    let problem = &read(&flags).unwrap_err()[0];
    assert_eq!(problem.message, "the settings cannot be read: it is a named pipe, not a file");
    assert!(problem.file.as_ref().unwrap().ends_with("rekindle.toml"));
}

//! Saves that belong together: what git, formatters and codemods do, and what `rekindle edit` announces, is one update.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use rekindle::{Config, DevServer};
use rekindle_server::config::Variables;
use rekindle_server::control::{self, Control, ControlFile, OpenEdit, Scope};
use rekindle_server::report::Report;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

const PATIENCE: Duration = Duration::from_secs(30);
/// A module that is saved to see that nothing came before it.
const SENTINEL: &str = "sentinel.js";

struct Project {
    server: DevServer,
    folder: TempDir,
    socket: WebSocketStream<TcpStream>,
    sentinels: usize,
}

/// A project with these files and modules `m0.js` … that `main.js` imports, a server, and a tab in step with it.
async fn project(modules: usize, files: &[(&str, &str)]) -> Project {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let imports: String = (0..modules).map(|at| format!("import './m{at}.js'\n")).collect();
    let write = |name: &str, text: &str| std::fs::write(root.join(name), text).unwrap();
    write("index.html", "<!doctype html><script type=module src=/main.js></script>");
    write("main.js", &format!("{imports}import './{SENTINEL}'\nimport './entry.js'\nimport.meta.hot.accept()"));
    write("entry.js", "");
    write(SENTINEL, "");
    write(".gitignore", &format!(".rekindle\n{SENTINEL}\n"));
    for at in 0..modules {
        write(&format!("m{at}.js"), "export const v = 1");
    }
    for (name, text) in files {
        write(name, text);
    }
    start(folder).await
}

async fn start(folder: TempDir) -> Project {
    let server = serve(folder.path(), |_| {}).await;
    let mut project = connect(server, folder).await;
    project.settled().await;
    project
}

async fn serve(root: &Path, change: impl FnOnce(&mut Config)) -> DevServer {
    let mut config = Config::new(root.canonicalize().unwrap());
    config.server.port = 0;
    config.variables = Variables::default();
    change(&mut config);
    DevServer::builder(config).report(Report::plain(io::sink())).start().await.unwrap()
}

/// A server with a tab.
async fn connect(server: DevServer, folder: TempDir) -> Project {
    let host = host_of(&server);
    get(&host, "/").await;
    let page = get(&host, "/@rekindle/page.js?path=/index.html").await;
    let client = get(&host, "/@rekindle/client.js").await;
    let token = between(&client, "token = \"", "\"");
    let mut request = format!("ws://{host}/@rekindle/socket?token={token}").into_client_request().unwrap();
    request.headers_mut().insert("origin", format!("http://{host}").parse().unwrap());
    request.headers_mut().insert("sec-websocket-protocol", "rekindle".parse().unwrap());
    let (socket, _) = client_async(request, TcpStream::connect(&host).await.unwrap()).await.unwrap();
    let mut project = Project { server, folder, socket, sentinels: 0 };
    let seq: u64 = between(&page, "\"seq\":", ",").parse().unwrap();
    let session = between(&page, "\"session\":\"", "\"");
    project.says(json!({ "type": "hello", "page": "/index.html", "session": session, "seq": seq })).await;
    project
}

fn host_of(server: &DevServer) -> String {
    server.url().trim_start_matches("http://").trim_end_matches('/').to_owned()
}

/// What a page with all its scripts loads.
async fn load(host: &str, page: &str) -> String {
    let mut loaded = get(host, &format!("/@rekindle/page.js?path={page}")).await;
    let segments: Vec<String> =
        loaded.split("/@rekindle/s/").skip(1).map(|part| part.split('"').next().unwrap().to_owned()).collect();
    for segment in segments {
        loaded += &get(host, &format!("/@rekindle/s/{segment}")).await;
    }
    loaded
}

async fn get(host: &str, target: &str) -> String {
    let mut stream = TcpStream::connect(host).await.unwrap();
    let head = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no {before} in {text}"));
    rest.split_once(after).unwrap().0
}

/// A batch as these tests see it.
#[derive(Debug)]
struct Update {
    ids: Vec<String>,
    errors: Vec<String>,
    code: String,
}

impl Update {
    fn read(message: &Value) -> Self {
        let definitions = message["definitions"].as_array().unwrap();
        let deleted = message["deleted"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned());
        Self {
            ids: definitions.iter().map(|one| one["id"].as_str().unwrap().to_owned()).chain(deleted).collect(),
            errors: message["errors"].as_object().unwrap().keys().cloned().collect(),
            code: definitions.iter().map(|one| one["code"].as_str().unwrap()).collect(),
        }
    }

    fn is_of(&self, file: &str) -> bool {
        self.ids.iter().chain(&self.errors).any(|id| id.trim_start_matches('/') == file)
    }
}

impl Project {
    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.at(name), text).unwrap();
    }

    async fn says(&mut self, message: Value) {
        self.socket.send(Message::text(message.to_string())).await.unwrap();
    }

    /// The next batch that is there, or comes within `wait`.
    async fn hears(&mut self, wait: Duration) -> Option<Update> {
        loop {
            let Message::Text(text) = timeout(wait, self.socket.next()).await.ok()?.unwrap().unwrap() else { continue };
            let message: Value = serde_json::from_str(&text).unwrap();
            if message["type"] == "batch" {
                return Some(Update::read(&message));
            }
        }
    }

    /// All updates up to now: those before the one of a file that is saved for this.
    async fn settled(&mut self) -> Vec<Update> {
        tokio::time::sleep(Duration::from_millis(500)).await;
        self.sentinels += 1;
        let text = format!("sentinel-{}-", self.sentinels);
        self.write(SENTINEL, &format!("export const sentinel = '{text}'"));
        let mut updates = Vec::new();
        loop {
            let update = self.hears(PATIENCE).await.expect("the server says nothing");
            let is_last = update.code.contains(&text);
            if !is_last || update.ids.len() > 1 {
                updates.push(update);
            }
            if is_last {
                return updates;
            }
        }
    }

    fn git(&self, arguments: &[&str]) -> Output {
        git(self.folder.path(), arguments)
    }

    fn git_succeeds(&self, arguments: &[&str]) {
        let output = self.git(arguments);
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn rekindle(&self, arguments: &[&str]) -> Command {
        rekindle(self.folder.path(), arguments)
    }
}

fn git(folder: &Path, arguments: &[&str]) -> Output {
    Command::new("git")
        .current_dir(folder)
        .args(["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "core.hooksPath=/nowhere"])
        .args(["-c", "advice.detachedHead=false", "-c", "gc.auto=0", "-c", "init.defaultBranch=main"])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .env("GIT_EDITOR", "true")
        .output()
        .unwrap()
}

/// The program, without what the shell has set for it: `REKINDLE_LOG` would add lines to what it prints.
fn rekindle(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rekindle"));
    command.current_dir(folder).args(arguments);
    for (name, _) in std::env::vars_os() {
        let upper = name.to_string_lossy().to_ascii_uppercase();
        if upper.starts_with("VITE_") || upper.starts_with("REKINDLE_") {
            command.env_remove(name);
        }
    }
    command
}

/// A branch in which all modules are others, some are gone and one is new, so that no mixture of the two fits.
async fn project_with_branches() -> Project {
    let mut project =
        project(200, &[("gone.js", "export const gone = 1"), ("entry.js", "import { gone } from './gone.js'; gone")])
            .await;
    project.git_succeeds(&["init", "-q"]);
    project.git_succeeds(&["add", "."]);
    project.git_succeeds(&["commit", "-qm", "one"]);
    project.git_succeeds(&["checkout", "-qb", "other"]);
    std::fs::remove_file(project.at("gone.js")).unwrap();
    project.write("arrived.js", "export const arrived = 1");
    project.write("entry.js", "import { arrived } from './arrived.js'; arrived");
    for at in 0..200 {
        project.write(&format!("m{at}.js"), "export const v = 2");
    }
    project.git_succeeds(&["add", "."]);
    project.git_succeeds(&["commit", "-qm", "two"]);
    project.settled().await;
    project
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkout_is_one_update_without_errors() {
    let mut project = project_with_branches().await;
    for branch in ["main", "other", "main"] {
        project.git_succeeds(&["checkout", "-q", branch]);
        let updates = project.settled().await;
        let sizes: Vec<usize> = updates.iter().map(|update| update.ids.len()).collect();
        assert_eq!(sizes.len(), 1, "{branch}: updates with {sizes:?} modules");
        assert!(updates[0].errors.iter().all(|id| id == "/gone.js" || id == "/arrived.js"), "{:?}", updates[0].errors);
        assert!(sizes[0] >= 202, "{branch}: {sizes:?}");
    }
    project.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stash_and_its_return_are_one_update_each() {
    let mut project = project_with_branches().await;
    for at in 0..200 {
        project.write(&format!("m{at}.js"), "export const v = 3");
    }
    project.settled().await;
    for action in ["push", "pop"] {
        project.git_succeeds(&["stash", action, "-q"]);
        let sizes: Vec<usize> = project.settled().await.iter().map(|update| update.ids.len()).collect();
        assert_eq!(sizes, [200], "stash {action}");
    }
    project.server.stop().await;
}

/// Three commits that touch other modules each, and one on main that is in conflict with the second.
async fn project_with_conflict() -> Project {
    let mut project = project(60, &[]).await;
    project.git_succeeds(&["init", "-q"]);
    project.git_succeeds(&["add", "."]);
    project.git_succeeds(&["commit", "-qm", "base"]);
    project.git_succeeds(&["checkout", "-qb", "work"]);
    for commit in 0..3 {
        for at in 0..20 {
            project.write(&format!("m{}.js", commit * 20 + at), "export const v = 'work'");
        }
        project.git_succeeds(&["commit", "-qam", "work"]);
    }
    project.git_succeeds(&["checkout", "-q", "main"]);
    project.write("m20.js", "export const v = 'main'");
    project.git_succeeds(&["commit", "-qam", "main"]);
    project.git_succeeds(&["checkout", "-q", "work"]);
    project.settled().await;
    project
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebase_is_one_update_up_to_its_conflict_and_one_after_it() {
    let mut project = project_with_conflict().await;
    assert!(!project.git(&["rebase", "-q", "main"]).status.success(), "there is a conflict");
    let updates = project.settled().await;
    let all: Vec<_> = updates.iter().map(|update| (update.ids.len(), &update.errors)).collect();
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(updates[0].errors, ["/m20.js"]);
    // While it waits for a person, what the person saves is told as ever.
    project.write("m20.js", "export const v = 'resolved'");
    let updates = project.settled().await;
    assert_eq!(updates.iter().map(|update| &update.ids).collect::<Vec<_>>(), [&["/m20.js"]]);
    project.git_succeeds(&["add", "m20.js"]);
    project.git_succeeds(&["rebase", "--continue"]);
    let updates = project.settled().await;
    assert_eq!(updates.len(), 1, "{updates:?}");
    assert_eq!((updates[0].ids.len(), updates[0].errors.len()), (20, 0));
    project.server.stop().await;
}

/// A file and its text; none: it is removed.
type Save = (&'static str, Option<&'static str>);

fn save(folder: &Path, saves: &[Save]) {
    for (name, text) in saves {
        match text {
            Some(text) => std::fs::write(folder.join(name), text).unwrap(),
            None => std::fs::remove_file(folder.join(name)).unwrap(),
        }
    }
}

impl Project {
    /// The updates that come of saves 20 ms apart. A round in which the machine was too busy for them to belong together says
    /// nothing, so it is undone and repeated.
    async fn updates_of(&mut self, saves: &[Save], undo: &[Save]) -> Vec<Update> {
        loop {
            let mut longest = Duration::ZERO;
            for one in saves {
                let start = Instant::now();
                save(self.folder.path(), &[*one]);
                tokio::time::sleep(Duration::from_millis(20)).await;
                longest = longest.max(start.elapsed());
            }
            let updates = self.settled().await;
            if longest < Duration::from_millis(60) {
                return updates;
            }
            save(self.folder.path(), undo);
            self.settled().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_is_renamed_file_by_file_is_one_update_without_errors() {
    let count = ("a.js", Some("export const count = 1"));
    let total = ("a.js", Some("export const total = 1"));
    let of_count = ("entry.js", Some("import { count } from './a.js'; count"));
    let of_total = ("entry.js", Some("import { total } from './a.js'; total"));
    let files = [("a.js", count.1.unwrap()), ("entry.js", of_count.1.unwrap())];
    for saves in [[total, of_total], [of_total, total]] {
        let mut project = project(0, &files).await;
        let updates = project.updates_of(&saves, &[count, of_count]).await;
        assert_eq!(updates.len(), 1, "{updates:?}");
        assert_eq!(updates[0].errors.len(), 0);
        assert!(updates[0].is_of("a.js") && updates[0].is_of("entry.js"));
        project.server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_moved_and_its_importers_are_one_update_without_errors() {
    let files = [("a.js", "export const a = 1"), ("entry.js", "import './a.js'")];
    let import = |text| ("entry.js", Some(text));
    let (gone, arrived) = (("a.js", None), ("b.js", Some("export const a = 1")));
    let undo = [("b.js", None), ("a.js", Some("export const a = 1")), import("import './a.js'")];
    for saves in [[import("import './b.js'"), arrived, gone], [gone, arrived, import("import './b.js'")]] {
        let mut project = project(0, &files).await;
        let updates = project.updates_of(&saves, &undo).await;
        let errors: Vec<_> = updates.iter().flat_map(|update| &update.errors).filter(|id| *id != "/a.js").collect();
        assert_eq!(errors, [""; 0], "{updates:?}");
        let of_entry = updates.iter().filter(|update| update.is_of("entry.js")).count();
        assert_eq!(of_entry, 1, "{updates:?}");
        project.server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_vanishes_and_returns_in_a_moment_is_no_news() {
    let mut project = project(0, &[("a.js", "export const a = 1"), ("entry.js", "import './a.js'")]).await;
    let returned = ("a.js", Some("export const a = 1"));
    let updates =
        project.updates_of(&[("a.js", None), ("other.js", Some("")), ("other.js", Some("")), returned], &[]).await;
    assert!(updates.is_empty(), "{updates:?}");
    // Another text is.
    let updates = project.updates_of(&[("a.js", None), ("a.js", Some("export const a = 2"))], &[returned]).await;
    assert_eq!(
        updates.iter().map(|update| (&*update.ids, update.errors.len())).collect::<Vec<_>>(),
        [(&["/a.js".to_owned()][..], 0)]
    );
    project.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stays_missing_is_an_error_and_so_is_every_mistake_of_its_own() {
    let mut project = project(0, &[]).await;
    let mistakes = [
        ("import './nowhere.js'", &["/entry.js"][..]),
        ("const x = ;", &["/entry.js"]),
        ("export const fine = 1", &[]),
    ];
    for (text, errors) in mistakes {
        project.write("entry.js", text);
        let update = project.hears(PATIENCE).await.unwrap();
        assert!(update.is_of("entry.js") || errors.is_empty(), "{update:?}");
        assert_eq!(update.errors, errors, "{text}");
    }
    project.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_asked_for_while_an_edit_waits_has_the_edit() {
    let mut project = project(0, &[]).await;
    let host = project.server.url().trim_start_matches("http://").trim_end_matches('/').to_owned();
    project.write("entry.js", "import './nowhere.js'");
    let start = Instant::now();
    loop {
        let script = get(&host, "/@rekindle/page.js?path=/index.html").await;
        if script.contains("nowhere") {
            // The tab was told before the page, so that its number covers it.
            assert_eq!(project.hears(PATIENCE).await.unwrap().errors, ["/entry.js"]);
            assert!(!script.contains("\"seq\":0,"), "{script}");
            return project.server.stop().await;
        }
        assert!(start.elapsed() < PATIENCE);
    }
}

// ---- rekindle edit

/// Saves three modules with pauses, in a way that has errors in between.
#[cfg(unix)]
const CODEMOD: &str = "echo \"import './late.js'\" > entry.js; sleep 0.4; echo 'broken(' > m0.js; sleep 0.4; \
                       echo 'export const v = 7' > m0.js; echo 'export {}' > late.js; exit 3";

#[cfg(unix)]
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn what_a_command_does_is_one_update() {
    let mut project = project(2, &[]).await;
    let output = project.rekindle(&["edit", "--", "sh", "-c", CODEMOD]).output().unwrap();
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(3), String::new()));
    assert!(text(&output.stderr).contains("one update with"), "{}", text(&output.stderr));
    // It is out when the command has ended.
    let update = project.hears(PATIENCE).await.unwrap();
    assert!(update.is_of("entry.js") && update.is_of("m0.js") && update.is_of("late.js"), "{update:?}");
    assert_eq!(update.errors.len(), 0);
    let rest = project.settled().await;
    assert!(rest.is_empty(), "{rest:?}");
    project.server.stop().await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn edits_inside_edits_go_out_with_the_last() {
    let mut project = project(2, &[]).await;
    let inner = format!("{} edit -- sh -c 'echo \"export const v = 8\" > m0.js'", env!("CARGO_BIN_EXE_rekindle"));
    let script = format!("{inner}; sleep 0.5; echo 'export const v = 9' > m1.js");
    let output = project.rekindle(&["edit", "--", "sh", "-c", &script]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("when the other edit that is under way ends"), "{}", text(&output.stderr));
    let update = project.hears(PATIENCE).await.unwrap();
    assert_eq!(update.ids, ["/m0.js", "/m1.js"]);
    project.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_may_begin_and_end_in_two_commands() {
    let mut project = project(2, &[]).await;
    let begun = project.rekindle(&["edit", "begin", "--lease", "10m"]).output().unwrap();
    let id = String::from_utf8(begun.stdout).unwrap().trim().to_owned();
    assert!(begun.status.success() && id.len() == 32, "{id:?}");
    for name in ["m0.js", "m1.js"] {
        project.write(name, "export const v = 5");
        assert!(project.hears(Duration::from_millis(700)).await.is_none(), "an update went out before the end");
    }
    let committed = project.rekindle(&["edit", "commit", &id]).output().unwrap();
    assert!(committed.status.success());
    assert_eq!(project.hears(PATIENCE).await.unwrap().ids, ["/m0.js", "/m1.js"]);
    let again = project.rekindle(&["edit", "commit", &id]).output().unwrap();
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&again.stderr).contains("no server knows the edit"));
    project.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_nobody_renews_runs_out() {
    let mut project = project(1, &[]).await;
    assert!(project.rekindle(&["edit", "begin", "--lease", "2s"]).output().unwrap().status.success());
    let start = Instant::now();
    project.write("m0.js", "export const v = 5");
    assert_eq!(project.hears(PATIENCE).await.unwrap().ids, ["/m0.js"]);
    assert!(start.elapsed() > Duration::from_secs(1), "told after {:?}", start.elapsed());
    assert!(project.settled().await.is_empty());
    project.server.stop().await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_lease_lasts_while_the_command_runs_and_a_signal_reaches_it() {
    let mut project = project(1, &[]).await;
    let script = "trap 'echo \"export const v = 6\" > m0.js; exit 9' TERM; echo 'export const v = 5' > m0.js; \
                  touch started; while true; do sleep 0.1; done";
    let mut child = project.rekindle(&["edit", "--lease", "1s", "--", "sh", "-c", script]).spawn().unwrap();
    let start = Instant::now();
    while !project.at("started").exists() {
        assert!(start.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(project.hears(Duration::from_secs(4)).await.is_none(), "the lease ran out");
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    assert_eq!(child.wait().unwrap().code(), Some(9));
    let update = project.hears(PATIENCE).await.unwrap();
    assert!(update.ids == ["/m0.js"] && update.code.contains('6'), "{update:?}");
    project.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_server_the_command_runs_all_the_same() {
    let project = project(1, &[]).await;
    let Project { server, folder, .. } = project;
    let scope = Scope::of_project(folder.path());
    let (_, control) = control::servers(&scope).remove(0);
    server.stop().await;
    assert!(control::servers(&scope).is_empty(), "a server that has stopped says that it runs");
    // One that was killed leaves its note behind, and somebody else may have its port.
    ControlFile::of_server(&control).unwrap().leave();
    let successor_folder = tempfile::tempdir().unwrap();
    std::fs::write(successor_folder.path().join("index.html"), "<!doctype html>").unwrap();
    let successor = serve(successor_folder.path(), |_| {}).await;
    let address = control::servers(&Scope::of_project(successor_folder.path()))[0].1.address;
    ControlFile::of_server(&Control { address, ..control }).unwrap().leave();
    let version = [env!("CARGO_BIN_EXE_rekindle"), "--version"];
    let output = rekindle(folder.path(), &[&["edit", "--"], &version[..]].concat()).output().unwrap();
    assert!(output.status.success() && String::from_utf8_lossy(&output.stdout).starts_with("rekindle "));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no server runs"));
    assert!(control::servers(&scope).is_empty(), "what a killed server left behind stays");
    successor.stop().await;
    let missing = rekindle(folder.path(), &["edit", "--", "no-such-program-here"]).output().unwrap();
    assert_eq!(missing.status.code(), Some(127));
    let commit = rekindle(folder.path(), &["edit", "commit", "ab12"]).output().unwrap();
    assert!(commit.status.success() && String::from_utf8_lossy(&commit.stderr).contains("no server runs"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_reaches_every_server_of_the_project_however_it_serves() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("index.html"), "<!doctype html><script type=module src=/main.js></script>")
        .unwrap();
    std::fs::write(folder.path().join("main.js"), "").unwrap();
    let changes: [fn(&mut Config); 4] = [
        |config| config.server.https = Some(rekindle_server::config::Https::Generated),
        |config| config.base = "/an app/".to_owned(),
        |config| config.server.host = Some("0.0.0.0".to_owned()),
        |config| config.cache_dir = config.root.join("elsewhere"),
    ];
    let mut servers = Vec::new();
    for change in changes {
        servers.push(serve(folder.path(), change).await);
    }
    let below = folder.path().join("src/deep");
    std::fs::create_dir_all(&below).unwrap();
    let begun = rekindle(&below, &["edit", "begin"]).output().unwrap();
    let id = String::from_utf8(begun.stdout).unwrap();
    std::fs::write(folder.path().join("main.js"), "export const edited = 1").unwrap();
    let committed = rekindle(&below, &["edit", "commit", id.trim()]).output().unwrap();
    let said = String::from_utf8_lossy(&committed.stderr).into_owned();
    assert_eq!(said, "rekindle: one update with 1 file\n".repeat(4));
    for server in servers {
        server.stop().await;
    }
}

/// What `rekindle edit` with these arguments says; it must succeed.
fn edit(folder: &Path, arguments: &[&str]) -> (String, String) {
    let output = rekindle(folder, &[&["edit"], arguments].concat()).output().unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(output.status.success(), "{arguments:?}: {err}");
    (out.trim().to_owned(), err)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_in_a_folder_around_the_project_reaches_its_server() {
    let around = tempfile::tempdir().unwrap();
    let app = around.path().join("app");
    std::fs::create_dir(&app).unwrap();
    std::fs::write(app.join("index.html"), "<!doctype html>").unwrap();
    let server = serve(&app, |_| {}).await;
    let (_, said) = edit(around.path(), &["--", "git", "--version"]);
    assert!(said.contains("no file that a page uses has changed"), "{said}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_starts_within_an_edit_waits_for_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("index.html", "<!doctype html><script type=module src=/main.js></script>");
    write("main.js", "export const main = 1");
    let (id, said) = edit(folder.path(), &["begin", "--lease", "10m"]);
    assert!(said.contains("no server runs"), "{said}");
    let path = folder.path().to_owned();
    let server = serve(&path, |_| {}).await;
    let mut project = connect(server, folder).await;
    project.write("main.js", "export const main =");
    assert!(project.hears(Duration::from_secs(1)).await.is_none(), "an update went out before the end");
    // And anew: the page that was open comes to another server.
    let Project { server, folder, .. } = project;
    server.stop().await;
    let server = serve(&path, |_| {}).await;
    let mut project = connect(server, folder).await;
    project.write("main.js", "export const main = 2");
    assert!(project.hears(Duration::from_secs(1)).await.is_none(), "an update went out before the end");
    let (_, said) = edit(&path, &["commit", &id]);
    assert!(said.contains("one update with 1 file"), "{said}");
    assert_eq!(project.hears(PATIENCE).await.unwrap().ids, ["/main.js"]);
    project.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_without_a_server_may_be_committed_without_one_and_with_one_that_began_later() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("index.html"), "<!doctype html>").unwrap();
    let (id, _) = edit(folder.path(), &["begin"]);
    let (_, said) = edit(folder.path(), &["commit", &id]);
    assert!(said.contains("no server runs"), "{said}");
    let (id, _) = edit(folder.path(), &["begin"]);
    let server = serve(folder.path(), |_| {}).await;
    let (_, said) = edit(folder.path(), &["commit", &id]);
    assert!(said.contains("no file that a page uses has changed"), "{said}");
    // The same where the server knows nothing of it, as one that looked while the note was not there.
    let scope = Scope::of_project(folder.path());
    let note = ControlFile::of_edit(&OpenEdit { scope, id: "1234".into(), lease: 60_000 }).unwrap();
    edit(folder.path(), &["commit", "1234"]);
    drop(note);
    server.stop().await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_starts_while_a_command_runs_is_told_of_its_end() {
    let mut project = project(1, &[]).await;
    let script = "echo 'broken(' > m0.js; touch started; until test -e over; do sleep 0.1; done; echo 'export const v = 6' > m0.js";
    let child = project
        .rekindle(&["edit", "--lease", "1s", "--", "sh", "-c", script])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while !project.at("started").exists() {
        assert!(start.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let Project { server, folder, .. } = project;
    server.stop().await;
    let server = serve(folder.path(), |_| {}).await;
    project = connect(server, folder).await;
    assert!(project.hears(Duration::from_secs(4)).await.is_none(), "the lease ran out");
    project.write("over", "");
    let output = child.wait_with_output().unwrap();
    let said = text(&output.stderr);
    assert!(output.status.success() && said == "rekindle: one update with 1 file\n", "{said}");
    let update = project.hears(PATIENCE).await.unwrap();
    assert!(update.ids == ["/m0.js"] && update.errors.is_empty() && update.code.contains('6'), "{update:?}");
    project.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_loaded_within_an_edit_has_as_they_were_the_files_that_a_page_had_before() {
    let files = [
        ("entry.js", "import './a.css'\nexport const entry = 'old'"),
        ("a.css", "p { color: red }"),
        ("other.html", "<!doctype html><p>old</p><script type=module src=/other.js></script>"),
        ("other.js", "import './entry.js'\nimport './never.js'"),
        ("never.js", "export const never = 'old'"),
    ];
    let mut project = project(0, &files).await;
    let host = host_of(&project.server);
    let (id, _) = edit(project.folder.path(), &["begin", "--lease", "10m"]);
    project.write("entry.js", "export const entry = 'new'");
    project.write("a.css", "p { color: blue }");
    project.write("never.js", "export const never == 'new'");
    project.write("index.html", "<!doctype html><p>new</p><script type=module src=/main.js></script>");
    assert!(project.hears(Duration::from_secs(1)).await.is_none(), "an update went out before the end");
    for page in ["/index.html", "/other.html"] {
        let loaded = load(&host, page).await;
        assert!(loaded.contains("entry = \"old\"") && !loaded.contains("\"new\""), "{page}: {loaded}");
        assert!(loaded.contains("red") && !loaded.contains("blue"), "{page}: {loaded}");
        // Nobody has read it before the edit, so there is nothing older.
        assert_eq!(loaded.contains("\"/never.js\""), page == "/other.html", "{page}: {loaded}");
    }
    let document = get(&host, "/").await;
    assert!(!document.contains("<p>new</p>"), "{document}");
    project.write("never.js", "export const never = 'new'");
    edit(project.folder.path(), &["commit", &id]);
    let update = project.hears(PATIENCE).await.unwrap();
    assert!(update.errors.is_empty() && update.is_of("entry.js") && update.is_of("never.js"), "{update:?}");
    let loaded = load(&host, "/other.html").await;
    assert!(
        loaded.contains("entry = \"new\"") && loaded.contains("never = \"new\"") && !loaded.contains("\"old\""),
        "{loaded}"
    );
    project.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_command_may_announce_edits() {
    let project = project(1, &[]).await;
    let host = project.server.url().trim_start_matches("http://").trim_end_matches('/').to_owned();
    let (_, control) = control::servers(&Scope::of_project(project.folder.path())).remove(0);
    let token = control.token.as_str();
    let client = get(&host, "/@rekindle/client.js").await;
    let page_token = between(&client, "token = \"", "\"").to_owned();
    assert!(!client.contains(token));
    let ask = async |method: &str, target: &str, headers: &str| {
        let mut stream = TcpStream::connect(&host).await.unwrap();
        let head = format!("{method} /@rekindle/edit?{target} HTTP/1.1\r\nConnection: close\r\n{headers}\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
        answer.split(' ').nth(1).unwrap().to_owned()
    };
    let begin = "do=begin&id=a&lease=1000";
    let ours = format!("Host: {host}\r\nX-Rekindle-Token: {token}\r\n");
    assert_eq!(ask("POST", begin, &ours).await, "200");
    assert_eq!(ask("POST", "do=commit&id=a", &ours).await, "200");
    assert_eq!(ask("POST", "do=commit&id=a", &ours).await, "404");
    assert_eq!(ask("POST", "do=begin&id=a&lease=0", &ours).await, "400");
    assert_eq!(ask("GET", begin, &ours).await, "405");
    for refused in [
        format!("Host: {host}\r\n"),
        format!("Host: {host}\r\nX-Rekindle-Token: {page_token}\r\n"),
        format!("Host: evil.example\r\nX-Rekindle-Token: {token}\r\n"),
        format!("{ours}Origin: http://{host}\r\n"),
        format!("{ours}Sec-Fetch-Site: none\r\n"),
    ] {
        assert_eq!(ask("POST", begin, &refused).await, "403", "{refused}");
    }
    for number in 0..16 {
        assert_eq!(ask("POST", &format!("do=begin&id={number}&lease=60000"), &ours).await, "200");
    }
    assert_eq!(ask("POST", "do=begin&id=toomany&lease=60000", &ours).await, "429");
    project.server.stop().await;
}

//! One client, and one odd file, cannot hurt the others: promise 7 of SECURITY.md on a whole server.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test may fail")]

#[path = "bounds/project.rs"]
mod project;

use std::fs;
use std::time::Duration;

use futures_util::SinkExt;
use project::{
    ANSWER, PAGE, PATIENCE, PROCESS, Project, Tab, between, folder, make_pipe, start, start_alone, start_with, write,
};
use rekindle_server::config::Config;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

// ---- odd files

#[tokio::test(flavor = "multi_thread")]
async fn a_pipe_where_a_file_is_expected_is_named_and_everything_else_is_served() {
    let folder = folder(&[
        (
            "main.js",
            "import all from './all.js'\nimport './typed.ts'\nimport './a.css'\nconsole.log(all, import.meta.env.VITE_A)",
        ),
        ("all.js", "export default import.meta.glob('./pages/*.js', { eager: true })"),
        ("pages/a.js", "export const a = 1"),
        ("typed.ts", "export const b: number = 1"),
        ("a.css", "p { color: red }"),
        ("public/a.txt", "public"),
        (".env", "VITE_A=from-env"),
    ]);
    for name in
        [".env.local", "package.json", "tsconfig.json", "postcss.config.js", "pages/b.js", "public/b.txt", "other.html"]
    {
        make_pipe(&folder.path().join(name));
    }
    let project = start(folder).await;
    let script = project.load_page().await;
    assert!(script.contains("from-env"), "{script}");
    let segment = between(&script, "/@rekindle/s/", "\"");
    let definitions = project.get(&format!("/@rekindle/s/{segment}")).await;
    assert!(definitions.contains("/pages/a.js") && !definitions.contains("/pages/b.js"), "{definitions}");
    assert!(project.get("/a.txt").await.ends_with("public"));
    assert!(project.get("/b.txt").await.starts_with("HTTP/1.1 404"));
    for name in
        [".env.local", "package.json", "tsconfig.json", "postcss.config.js", "pages/b.js", "b.txt", "other.html"]
    {
        project.screen.shows(&format!("{name} is a named pipe, not a file")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watched_file_that_becomes_a_pipe_is_an_error_until_it_is_a_file_again() {
    let folder = folder(&[
        (
            "main.js",
            "import text from './t.txt?raw'\nimport './code.js'\nimport './all.js'\nimport './a.css'\nconsole.log(text)",
        ),
        ("t.txt", "one"),
        ("code.js", "export const code = 1"),
        ("all.js", "export default import.meta.glob('./pages/*.js', { eager: true })"),
        ("pages/a.js", "export const a = 1"),
        ("a.css", "@import './b.css';"),
        ("b.css", "p { color: red }"),
    ]);
    let project = start(folder).await;
    let mut tab = project.loaded_tab().await;
    for name in ["t.txt", "code.js", "pages/a.js", "b.css", ".env"] {
        make_pipe(&project.root().join(name));
        project.screen.shows(name).await;
    }
    for message in ["the file cannot be read: it is a named pipe, not a file", "`./b.css` is a named pipe, not a file"]
    {
        project.screen.shows(message).await;
    }
    project.load_page().await;
    for (name, text) in [
        ("t.txt", "two"),
        ("code.js", "export const code = 2"),
        ("pages/a.js", "export const a = 2"),
        ("b.css", "p { margin: 7px }"),
    ] {
        fs::remove_file(project.root().join(name)).unwrap();
        write(project.root(), name, text);
    }
    let healed = async {
        loop {
            let script = project.load_page().await;
            let errors = between(&script, "\"errors\":", ",\"").to_owned();
            let mut segments = String::new();
            for part in script.split("/@rekindle/s/").skip(1) {
                segments += &project.get(&format!("/@rekindle/s/{}", part.split('"').next().unwrap())).await;
            }
            let is_whole =
                ["two", "code = 2", "a = 2", "7px", "/pages/a.js"].iter().all(|text| segments.contains(text));
            if errors == "{}" && is_whole {
                return;
            }
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(PATIENCE, healed).await.unwrap_or_else(|_| panic!("not healed:\n{}", project.screen.text()));
    tab.says(json!({ "type": "ping" })).await;
    tab.hears("pong").await;
}

/// Each expects some of [`ODD_NAMES`].
const ODD_FILES: [(&str, &str); 7] = [
    (
        "main.js",
        "import './s.scss'\nimport './a.ts'\nconsole.log(new URL('./n.png', import.meta.url), () => import('./lazy.js'))",
    ),
    ("s.scss", "@use 't'; p { margin: t.$x }"),
    ("a.ts", "export const a: number = 1"),
    ("tsconfig.json", r#"{ "extends": "./base.json" }"#),
    ("b.css", "p { background: url(b.png) }"),
    ("unrelated.js", ""),
    ("index.html", "<!doctype html><p>hello</p><img src=/i.png><script type=module src=/main.js></script>"),
];
/// What is said of each.
const ODD_LINES: [&str; 9] = [
    "_t.scss is a named pipe, not a file",
    "the base config `./base.json` is a named pipe, not a file",
    "n.png is a named pipe, not a file",
    "lazy.js is a named pipe, not a file",
    "p.txt is a named pipe, not a file",
    "served.txt is a named pipe, not a file",
    "other.html is a named pipe, not a file",
    "i.png is a named pipe, not a file",
    ".browserslistrc is a named pipe, not a file",
];
const ODD_NAMES: [(&str, &str); 9] = [
    ("_t.scss", "$x: 7px;"),
    ("base.json", "{}"),
    ("n.png", "png"),
    ("lazy.js", "1"),
    ("public/p.txt", "public"),
    ("served.txt", "served"),
    ("other.html", PAGE),
    ("i.png", "png"),
    (".browserslistrc", "chrome 100"),
];

fn serves_text(config: &mut Config) {
    config.serve.include = vec!["*.txt".to_owned()];
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_kind_of_file_a_pipe_stands_for_it_is_named() {
    let folder = folder(&ODD_FILES);
    for (name, _) in ODD_NAMES {
        make_pipe(&folder.path().join(name));
    }
    let project = start_with(folder, serves_text).await;
    project.load_page().await;
    for line in ODD_LINES {
        project.screen.shows(line).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_kind_of_file_becomes_a_pipe_it_is_named_and_heals() {
    let folder = folder(&[&ODD_FILES[..], &ODD_NAMES[..]].concat());
    let project = start_with(folder, serves_text).await;
    let mut tab = project.loaded_tab().await;
    for ((name, _), line) in ODD_NAMES.iter().zip(ODD_LINES) {
        make_pipe(&project.root().join(name));
        project.screen.shows(line).await;
    }
    project.load_page().await;
    for target in ["/n.png", "/p.txt", "/served.txt", "/other.html"] {
        assert!(project.get(target).await.starts_with("HTTP/1.1 404"), "{target}");
    }
    for (name, text) in ODD_NAMES {
        fs::remove_file(project.root().join(name)).unwrap();
        write(project.root(), name, text);
    }
    let healed = async {
        loop {
            let script = project.load_page().await;
            let mut all = between(&script, "\"errors\":", ",\"").to_owned();
            for target in ["/n.png", "/p.txt", "/served.txt", "/other.html"] {
                all += project.get(target).await.split(' ').nth(1).unwrap();
            }
            if all == "{}200200200200" {
                return;
            }
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(PATIENCE, healed).await.unwrap_or_else(|_| panic!("not healed:\n{}", project.screen.text()));
    tab.says(json!({ "type": "ping" })).await;
    tab.hears("pong").await;
}

// ---- readers

/// Resident memory of this process, which is server and clients.
#[cfg(target_os = "linux")]
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() / 1024
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn readers_that_do_not_read_share_one_body() {
    let large: String =
        (0..100_000).map(|at| format!("export const name{at} = 'some text that takes room {at}'\n")).collect();
    let folder =
        folder(&[("main.js", "import './large.js'\nimport large from './large.bin?url'\nlarge"), ("large.js", &large)]);
    fs::write(folder.path().join("large.bin"), vec![7; 8 << 20]).unwrap();
    let _process = PROCESS.write().await;
    let project = start_alone(folder, |_| {}).await;
    let script = project.load_page().await;
    let mut addresses: Vec<String> = script
        .split("/@rekindle/s/")
        .skip(1)
        .map(|part| format!("/@rekindle/s/{}", part.split('"').next().unwrap()))
        .collect();
    addresses.extend(["/large.bin".to_owned(), "/@rekindle/client.js".to_owned()]);
    let mut lengths = Vec::new();
    for address in &addresses {
        lengths.push(project.get(address).await.len());
    }
    assert!(lengths.iter().any(|length| *length > 8_000_000), "{lengths:?}");
    let before = resident();
    let mut readers = Vec::new();
    for at in 0..300 {
        let mut stream = TcpStream::connect(project.host()).await.unwrap();
        for turn in 0..3 {
            let target = &addresses[(at + turn) % addresses.len()];
            let head = format!("GET {target} HTTP/1.1\r\nHost: {}\r\n\r\n", project.host());
            stream.write_all(head.as_bytes()).await.unwrap();
        }
        readers.push(stream);
    }
    // Each has begun to be answered.
    for stream in &mut readers {
        timeout(PATIENCE, stream.read_exact(&mut [0; 12])).await.unwrap().unwrap();
    }
    // Nobody's connection is taken to make room for the page.
    timeout(ANSWER, project.load_page()).await.expect("no page beside readers that do not read");
    let grown = resident().saturating_sub(before);
    assert!(grown < 150, "{grown} MB more");
    for stream in &mut readers {
        timeout(PATIENCE, stream.read_exact(&mut [0; 1 << 16])).await.unwrap().expect("its connection was closed");
    }
    drop(readers);
    timeout(ANSWER, project.load_page()).await.expect("no page after readers that did not read");
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn readers_that_do_not_read_share_what_their_answers_are_made_of() {
    const MODULES: usize = 80;
    let text: String =
        (0..1500).map(|at| format!("export const name{at} = 'some text that takes room {at}'\n")).collect();
    let mut files: Vec<(String, &str)> = (0..MODULES).map(|at| (format!("m{at}.js"), text.as_str())).collect();
    let main: String = (0..MODULES).map(|at| format!("import './m{at}.js'\n")).collect();
    files.push(("main.js".to_owned(), &main));
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    let _process = PROCESS.write().await;
    let project = start_alone(folder(&files), |_| {}).await;
    project.load_page().await;
    let all_but = |left_out: usize| {
        let asked: String = (0..MODULES).filter(|at| *at != left_out).map(|at| format!("&id=/m{at}.js")).collect();
        format!("/@rekindle/load.js?value=1{asked}")
    };
    let whole = project.get(&all_but(MODULES)).await;
    assert!(whole.len() > 8_000_000 && whole.contains("export const manifest="), "{}", whole.len());
    let before = resident();
    let mut readers = Vec::new();
    for at in 0..MODULES {
        let mut stream = project.ask(&all_but(at)).await;
        timeout(PATIENCE, stream.read_exact(&mut [0; 12])).await.unwrap().unwrap();
        readers.push(stream);
    }
    timeout(ANSWER, project.load_page()).await.expect("no page beside readers that do not read");
    let grown = resident().saturating_sub(before);
    assert!(grown < 150, "{grown} MB more");
    // Each answer is whole.
    for (at, stream) in readers.iter_mut().enumerate().take(3) {
        let mut answer = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.ends_with("\r\n0\r\n\r\n"));
        for module in 0..MODULES {
            assert_eq!(answer.contains(&format!("$d(\"/m{module}.js\"")), module != at, "{module} of {at}");
        }
    }
}

// ---- what sockets say

#[tokio::test(flavor = "multi_thread")]
async fn stacks_in_a_large_module_hold_up_nobody() {
    let large: String =
        (0..60_000).map(|at| format!("export const name{at} = () => {{ throw new Error('{at}') }}\n")).collect();
    let project = start(folder(&[
        ("main.js", "import './large.js'\nimport './small.js'"),
        ("large.js", &large),
        ("small.js", "one"),
    ]))
    .await;
    let mut tab = project.loaded_tab().await;
    let mut noisy = project.tab().await;
    let address = format!("http://{}/large.js", project.host());
    let frames: Vec<Value> = (0..30).map(|at| json!([address, at * 1000 + 2, 40])).collect();
    for id in 0..900 {
        noisy.says(json!({ "type": "trace", "id": id, "frames": frames })).await;
    }
    write(project.root(), "small.js", "two");
    assert_eq!(tab.hears("batch").await["definitions"][0]["id"], "/small.js");
    project.load_page().await;
    // The first of the accepted stacks are answered with their first frame, then as a whole; those too many with nothing.
    let mut answers = vec![Vec::new(); 900];
    while answers.iter().any(|answer: &Vec<Value>| answer.last().is_none_or(|last| last["more"] == true)) {
        let traced = noisy.hears("traced").await;
        answers[traced["id"].as_u64().unwrap() as usize].push(traced);
    }
    let first = &answers[0];
    assert_eq!(first.len(), 2, "{first:?}");
    assert_eq!(first[0]["frames"][0], first[1]["frames"][0]);
    assert_eq!(first[1]["frames"].as_array().unwrap().iter().filter(|frame| frame["file"] == "large.js").count(), 30);
    assert!(first[0]["frame"].as_str().unwrap().contains("throw"), "{first:?}");
}

/// A part of the digests of a page that has very many modules.
fn digests(part: usize) -> Value {
    let modules: serde_json::Map<String, Value> = (0..40_000).map(|at| (format!("/{part}/{at}"), json!("1"))).collect();
    json!({ "type": "versions", "page": "/index.html", "entries": [], "modules": modules, "last": false })
}

async fn from_another_session(project: &Project) -> Tab {
    let mut tab = project.tab().await;
    tab.says(json!({ "type": "hello", "page": "/index.html", "session": "another", "seq": 7, "entries": [] })).await;
    tab.hears("compare").await;
    tab
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tab_whose_digests_never_end_is_closed() {
    let project = start(folder(&[("main.js", "one")])).await;
    let mut endless = from_another_session(&project).await;
    let mut other = project.loaded_tab().await;
    for part in 0..8 {
        if endless.socket.send(Message::text(digests(part).to_string())).await.is_err() {
            break;
        }
    }
    endless.is_closed().await;
    write(project.root(), "main.js", "two");
    assert_eq!(other.hears("batch").await["definitions"][0]["id"], "/main.js");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_tabs_with_endless_digests_those_that_say_most_are_closed() {
    let project = start(folder(&[("main.js", "one")])).await;
    let mut modest = from_another_session(&project).await;
    modest.says(digests(0)).await;
    let mut greedy = Vec::new();
    for _ in 0..4 {
        let mut tab = from_another_session(&project).await;
        for part in 0..4 {
            tab.says(digests(part)).await;
        }
        tab.says(json!({ "type": "ping" })).await;
        greedy.push(tab);
    }
    let mut closed = 0;
    for tab in &mut greedy {
        closed += usize::from(tab.ends_with("pong").await.is_none());
    }
    assert!((1..4).contains(&closed), "{closed} were closed");
    modest.says(json!({ "type": "versions", "page": "/index.html", "entries": [], "modules": {}, "last": true })).await;
    assert_eq!(modest.hears("batch").await["deleted"].as_array().unwrap().len(), 40_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tab_that_says_hello_without_end_is_closed() {
    let project = start(folder(&[("main.js", "one")])).await;
    let mut endless = project.loaded_tab().await;
    let mut other = project.loaded_tab().await;
    for seq in 0..200 {
        let hello = json!({ "type": "hello", "page": "/index.html", "session": "another", "seq": seq, "entries": ["/main.js"] });
        if endless.socket.send(Message::text(hello.to_string())).await.is_err() {
            break;
        }
    }
    endless.is_closed().await;
    write(project.root(), "main.js", "two");
    assert_eq!(other.hears("batch").await["definitions"][0]["id"], "/main.js");
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn what_tabs_do_not_take_takes_a_bounded_room_and_the_others_go_on() {
    let large: String =
        (0..100_000).map(|at| format!("export const name{at} = 'some text that takes room {at}'\n")).collect();
    let folder =
        folder(&[("main.js", "import './large.js'\nimport './small.js'"), ("large.js", &large), ("small.js", "one")]);
    let _process = PROCESS.write().await;
    let project = start_alone(folder, |_| {}).await;
    let mut other = project.loaded_tab().await;
    let before = resident();
    let mut deaf = Vec::new();
    for at in 0..80 {
        let mut tab = from_another_session(&project).await;
        let modules = json!({ "/large.js": at.to_string() });
        tab.says(json!({ "type": "versions", "page": "/index.html", "entries": [], "modules": modules, "last": true }))
            .await;
        deaf.push(tab);
    }
    write(project.root(), "small.js", "two");
    assert_eq!(other.hears("batch").await["definitions"][0]["id"], "/small.js");
    timeout(ANSWER, project.load_page()).await.expect("no page beside tabs that do not read");
    let grown = resident().saturating_sub(before);
    assert!(grown < 150, "{grown} MB more");
    // Who reads gets an answer, though it may have to wait until others were sent away.
    let mut reading = from_another_session(&project).await;
    let modules = json!({ "/large.js": "none" });
    reading
        .says(json!({ "type": "versions", "page": "/index.html", "entries": [], "modules": modules, "last": true }))
        .await;
    assert_eq!(timeout(PATIENCE, reading.hears("batch")).await.unwrap()["definitions"][0]["id"], "/large.js");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_tabs_that_have_said_something_large_those_are_closed_whose_turn_was_longest_ago() {
    let project = start(folder(&[("main.js", "one")])).await;
    let mut other = project.loaded_tab().await;
    let data = "x".repeat(900_000);
    let mut tabs = Vec::new();
    for _ in 0..40 {
        let mut tab = project.tab().await;
        tab.says(json!({ "type": "custom", "event": "large", "data": data })).await;
        tab.says(json!({ "type": "ping" })).await;
        tab.hears("pong").await;
        tabs.push(tab);
    }
    for tab in &mut tabs[..8] {
        tab.is_closed().await;
    }
    for tab in &mut tabs[8..] {
        tab.says(json!({ "type": "ping" })).await;
        tab.hears("pong").await;
    }
    write(project.root(), "main.js", "two");
    assert_eq!(other.hears("batch").await["definitions"][0]["id"], "/main.js");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_tab_cannot_fill_the_terminal() {
    let project = start(folder(&[("main.js", "one")])).await;
    let mut tab = project.loaded_tab().await;
    write(project.root(), "main.js", "two");
    let seq = tab.hears("batch").await["seq"].clone();
    let chain: Vec<String> = (0..50_000).map(|at| format!("/m{at}.js")).collect();
    for result in ["reload", "failed", "updated", "restart", "stayed"] {
        for _ in 0..20 {
            let chain = &chain[..if result == "reload" { 50_000 } else { 100 }];
            tab.says(json!({ "type": "applied", "seq": seq, "result": result, "boundaries": chain, "chain": chain, "error": "x".repeat(5000), "reason": "x".repeat(5000) })).await;
            tab.says(json!({ "type": "ping" })).await;
            if tab.ends_with("pong").await.is_none() {
                tab = project.loaded_tab().await;
            }
        }
    }
    let shown = project.screen.text().len();
    assert!(shown < 20_000, "{shown}");
}

// ---- errors

#[tokio::test(flavor = "multi_thread")]
async fn a_module_with_very_many_importers_that_is_deleted_is_one_error() {
    const IMPORTERS: usize = 20_000;
    let mut files = vec![("x.js".to_owned(), "export const x = 1".to_owned())];
    files.extend(
        (0..IMPORTERS).map(|at| (format!("m{at}.js"), "import { x } from './x.js'\nconsole.log(x)".to_owned())),
    );
    let main: String = (0..IMPORTERS).map(|at| format!("import './m{at}.js'\n")).collect();
    files.push(("main.js".to_owned(), main));
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let project = start(folder(&files)).await;
    let mut tab = project.loaded_tab().await;
    let before = project.screen.text().len();
    fs::remove_file(project.root().join("x.js")).unwrap();
    let batch = tab.hears("batch").await;
    project.screen.shows("cannot find `./x.js`").await;
    project.screen.shows(&format!("and {} more", IMPORTERS - 4)).await;
    let shown = project.screen.text().split_off(before);
    assert!(shown.len() < 1000, "{shown}");
    assert_eq!(batch["errors"].as_object().unwrap().len(), IMPORTERS);
    let size = batch.to_string().len();
    assert!(size < IMPORTERS * 30, "{size}");
}

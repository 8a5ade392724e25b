//! The server's loop for the model test, told by lines on standard input what happens; each is answered by one line.
//!
//! ```text
//! {"do":"start","root":"/tmp/project","token":"t1"}         {}            a new session; the one before ends like a crash
//! {"do":"files","written":["a.js"],"listed":["b.js"]}       {}            listed: appeared or vanished
//! {"do":"request","path":"/@rekindle/client","query":""}    {"status":200,"type":"text/javascript…","body":"…"}
//! {"do":"connect","tab":1}                                  {"words":[[1,"{\"type\":\"connected\"}"]]}
//! {"do":"say","tab":1,"text":"…"} · {"do":"gone","tab":1}   {"words":[…]}
//! ```
//!
//! `words` is what the loop said to its tabs meanwhile, `report` what it wrote for the terminal.

use std::io;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rekindle_server::config::Config;
use rekindle_server::driven::{DrivenLoop, Reply};
use rekindle_server::event::RequestPurpose;
use rekindle_server::report::Report;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "lowercase")]
enum Step {
    Start { root: PathBuf, token: String },
    Stop,
    Files { written: Vec<PathBuf>, listed: Vec<PathBuf> },
    Request { path: String, query: String, wants: Purpose },
    Connect { tab: u64 },
    Say { tab: u64, text: String },
    Gone { tab: u64 },
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Purpose {
    Page,
    Module,
    Content,
}

/// Where the report's lines are kept until they are told.
#[derive(Clone, Default)]
struct Terminal(Arc<Mutex<Vec<u8>>>);

impl Terminal {
    fn take(&self) -> String {
        let mut text = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&std::mem::take(&mut *text)).into_owned()
    }
}

impl Write for Terminal {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The loop of the present session, if one runs.
#[derive(Default)]
struct Session {
    root: PathBuf,
    driven: Option<DrivenLoop>,
    terminal: Terminal,
}

fn main() -> io::Result<()> {
    let mut session = Session::default();
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let step = serde_json::from_str(&line?).map_err(io::Error::other)?;
        let mut answer = session.take(step)?;
        if let Some(driven) = &mut session.driven {
            let words = driven.words();
            if !words.is_empty() {
                answer["words"] = json!(words);
            }
        }
        let report = session.terminal.take();
        if !report.is_empty() {
            answer["report"] = json!(report);
        }
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    session.stop();
    Ok(())
}

impl Session {
    fn take(&mut self, step: Step) -> io::Result<Value> {
        match (step, &mut self.driven) {
            (Step::Start { root, token }, _) => {
                self.stop();
                self.root = std::fs::canonicalize(root)?;
                let report = Report::plain(self.terminal.clone());
                self.driven = Some(DrivenLoop::start(Config::new(&self.root), &token, report)?);
            }
            (Step::Stop, _) => self.stop(),
            (Step::Files { written, listed }, Some(driven)) => {
                driven.files(&below(&self.root, written), &below(&self.root, listed));
            }
            (Step::Request { path, query, wants: purpose }, Some(driven)) => {
                let wants = match purpose {
                    Purpose::Module => RequestPurpose::Module,
                    Purpose::Content => RequestPurpose::Content,
                    Purpose::Page => RequestPurpose::Unsaid,
                };
                return Ok(in_json(&driven.request(&path, &query, wants, purpose == Purpose::Page)));
            }
            (Step::Connect { tab }, Some(driven)) => driven.connect(tab),
            (Step::Say { tab, text }, Some(driven)) => driven.say(tab, &text),
            (Step::Gone { tab }, Some(driven)) => driven.gone(tab),
            (_, None) => return Err(io::Error::other("no session has been started: say `start` first")),
        }
        Ok(json!({}))
    }

    fn stop(&mut self) {
        if let Some(driven) = self.driven.take() {
            driven.stop();
        }
    }
}

fn below(root: &Path, names: Vec<PathBuf>) -> Vec<PathBuf> {
    names.into_iter().map(|name| root.join(name)).collect()
}

fn in_json(reply: &Reply) -> Value {
    json!({
        "status": reply.status,
        "type": reply.content_type,
        "body": String::from_utf8_lossy(&reply.body),
        "immutable": reply.is_immutable,
    })
}

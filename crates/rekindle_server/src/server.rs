//! `DevServer`: the library's entry point.
//!
//! ```no_run
//! # async fn example() -> Result<(), rekindle_server::ServeError> {
//! use rekindle_server::{DevServer, config::Config};
//! let server = DevServer::builder(Config::new("/path/to/project"))
//!     .on("my:question", |data, client| client.send("my:answer", data))
//!     .start()
//!     .await?;
//! println!("{}", server.url());
//! server.send("my:news", Some(serde_json::json!({ "text": "hello, every page" })));
//! server.stop().await;
//! # Ok(())
//! # }
//! ```

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use thiserror::Error;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::dev::{Loop, Start};
use crate::event::{Event, Inbox};
use crate::files::secret;
use crate::http::connections::certificate::{CertificateError, tls};
use crate::http::connections::listen::{BoundListeners, ListenError, listen};
use crate::http::connections::serve::serve;
use crate::http::site::Site;
use crate::programs::control;
use crate::programs::control::{Control, ControlFile};
use crate::programs::events_process::EventsProcess;
use crate::programs::leases::{EditRequest, LONGEST};
use crate::report::{News, Report, rounds};
use crate::tabs::client::{Client, EventHandler};
use crate::watch::Watcher;
use rekindle_config::Config;

/// Why a server could not start.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The system gives no more threads.
    #[error("cannot start the compiling threads: {0}")]
    Threads(#[from] std::io::Error),
    /// The certificate of `--https` cannot be made or read.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

/// A running development server. Dropping it without [`DevServer::stop`] leaves it running until the process ends.
pub struct DevServer {
    inbox: Inbox,
    site: Arc<Site>,
    urls: Vec<(&'static str, String)>,
    port: u16,
    serving: JoinHandle<()>,
    /// Holds the note by which commands find the server.
    announcing: JoinHandle<()>,
    looping: std::thread::JoinHandle<Option<EventsProcess>>,
}

/// Settings and handlers of a server that is about to start.
pub struct Builder {
    config: Config,
    report: Report,
    handlers: BTreeMap<String, Vec<EventHandler>>,
    known: Option<String>,
}

impl Builder {
    /// Calls `handler` for each custom event of this name that a page sends, with the data (`None` if it sent none)
    /// and the page's client, through which it may answer. `vite:client:connect` and `vite:client:disconnect` tell of
    /// tabs that come and go. Handlers run on the server's own thread: hand longer work on.
    pub fn on(mut self, event: &str, handler: impl Fn(Option<Value>, Client) + Send + Sync + 'static) -> Self {
        self.handlers.entry(event.to_owned()).or_default().push(Arc::new(handler));
        self
    }

    /// Where lines for the user go. Default: standard output.
    pub fn report(mut self, report: Report) -> Self {
        self.report = report;
        self
    }

    /// Says nothing about its addresses if the first is this one, which an earlier server has told.
    pub fn known_at(mut self, url: &str) -> Self {
        self.known = Some(url.to_owned());
        self
    }

    /// Binds the port and begins to serve.
    ///
    /// # Errors
    /// The port is taken (`strict_port`), the host is unknown, or the system gives no threads.
    pub async fn start(self) -> Result<DevServer, ServeError> {
        let Self { config, report, handlers, known } = self;
        let began = Instant::now();
        let wanted = config.server.port;
        let mut bound = listen(&config.server).await?;
        let (inbox, events) = mpsc::unbounded_channel();
        let mut site = Site::new(&config, &bound, inbox.clone());
        if let Some(https) = &config.server.https {
            site.tls = Some(tls(https, &config.cache_dir, &names(&config, &bound))?);
        }
        let site = Arc::new(site);
        let urls = addresses(&bound.local, &bound.network, &site, &config.base);
        let note: Arc<dyn Fn(String) + Send + Sync> = {
            let report = report.clone();
            Arc::new(move |text| report.note(&text))
        };
        let events_process = (!config.events.command.is_empty()).then(|| {
            EventsProcess::start(config.events.command.clone(), config.root.clone(), inbox.clone(), note.clone())
        });
        let watcher = Watcher::start(config.root.clone(), &config.watch, inbox.clone(), note);
        // Nobody is answered yet, so a command that finds the note cannot commit before its edit is known here.
        let mut note_for_commands =
            control_of(&config, &bound, &site).and_then(|control| ControlFile::of_server(&control));
        join_edits(&config, &inbox, &watcher, &report);
        let start = Start {
            token: site.token.as_str().to_owned(),
            secret: secret::load_or_make(&config.cache_dir),
            report: report.clone(),
            handlers,
            events_process,
            watcher,
            inbox: inbox.clone(),
            config,
        };
        let server_loop = Loop::new(start, events)?;
        let looping = std::thread::Builder::new()
            .name("rekindle-loop".into())
            .stack_size(16 << 20)
            .spawn(move || server_loop.run())?;
        tokio::spawn(tick(inbox.clone()));
        let serving = tokio::spawn(serve(std::mem::take(&mut bound.listeners), site.clone()));
        let mut stopping = site.stopping();
        let announcing = tokio::spawn(async move {
            let mut renewals = tokio::time::interval(control::RENEWAL);
            loop {
                tokio::select! {
                    _ = stopping.wait_for(|stopping| *stopping) => return drop(note_for_commands),
                    _ = renewals.tick() => note_for_commands.iter_mut().for_each(ControlFile::renew),
                }
            }
        });
        // The key of a network address is new with each start.
        let is_known = known.is_some() && known.as_ref() == urls.first().map(|(_, url)| url) && !bound.exposed;
        if !is_known {
            report.tell(News::Started {
                version: env!("CARGO_PKG_VERSION"),
                addresses: urls.clone(),
                took: began.elapsed(),
            });
            News::of_port(wanted, bound.port).into_iter().for_each(|news| report.tell(news));
        }
        if bound.exposed {
            report.tell(News::Exposed);
        }
        Ok(DevServer { inbox, site, urls, port: bound.port, serving, announcing, looping })
    }
}

/// Names and addresses that a certificate has to be for.
pub(crate) fn names(config: &Config, bound: &BoundListeners) -> Vec<String> {
    let hosts = config.server.allowed_hosts.iter().filter(|host| !host.contains(':')).map(|host| {
        match host.strip_prefix('.') {
            Some(parent) => format!("*.{parent}"),
            None => host.clone(),
        }
    });
    let network = bound.network.iter().filter_map(|url| {
        let host = url.split("://").nth(1)?.rsplit_once(':')?.0;
        Some(host.trim_matches(['[', ']']).to_owned())
    });
    let own = ["localhost", "*.localhost", "127.0.0.1", "::1"].map(str::to_owned);
    own.into_iter().chain(hosts).chain(network).chain(bound.name.clone()).collect()
}

/// How commands of this machine reach the server.
fn control_of(config: &Config, bound: &BoundListeners, site: &Site) -> Option<Control> {
    let mut address = bound.listeners.first()?.local_addr().ok()?;
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
    }
    let root = control::text_of(&control::real(&config.root));
    Some(Control { root, address, path: site.edit_path(), token: site.control.as_str().to_owned() })
}

/// A server that starts in the middle of edits waits for their end, too.
fn join_edits(config: &Config, inbox: &Inbox, watcher: &Watcher, report: &Report) {
    for (edit, rest) in control::edits_of(&control::text_of(&control::real(&config.root))) {
        report.tell(News::EditUnderWay);
        watcher.hold();
        let (asker, _) = tokio::sync::oneshot::channel(); // The command asks again.
        let _ = inbox.send(Event::Edit(EditRequest::Begin { id: edit.id, lease: rest.min(LONGEST) }, asker));
    }
}

/// Wakes the loop now and then, so that neither a tab which never answers nor a command that was killed is waited for without end.
async fn tick(inbox: Inbox) {
    let mut ticks = tokio::time::interval(rounds::PATIENCE / 2);
    loop {
        ticks.tick().await;
        if inbox.send(Event::RoundDue).is_err() {
            return;
        }
    }
}

pub(crate) fn addresses(local: &[String], network: &[String], site: &Site, base: &str) -> Vec<(&'static str, String)> {
    let local = local.iter().map(|url| ("Local:", format!("{url}{base}")));
    let network = network.iter().map(|url| ("Network:", site.with_key(&format!("{url}{base}"))));
    local.chain(network).collect()
}

impl DevServer {
    /// A server for `config`, to be given handlers and started.
    pub fn builder(config: Config) -> Builder {
        Builder { config, report: Report::stdout(), handlers: BTreeMap::new(), known: None }
    }

    /// The address to open on this machine, base included.
    pub fn url(&self) -> &str {
        self.urls.first().map_or("", |(_, url)| url)
    }

    /// The port it listens on, which may be another than the one it was told.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Waits until no edit is under way that a command has announced (`rekindle edit`); at once if there is none.
    pub async fn edits_over(&self) {
        let (asker, answer) = tokio::sync::oneshot::channel();
        if self.inbox.send(Event::AwaitEdits(asker)).is_ok() {
            let _ = answer.await; // A loop that has ended has no edit under way.
        }
    }

    /// Sends a custom event to every page.
    pub fn send(&self, event: &str, data: Option<Value>) {
        let _ = self.inbox.send(Event::Send { event: event.to_owned(), data, to: None });
    }

    /// Ends it: sockets are closed, the port is free again. Takes less than a second.
    pub async fn stop(self) {
        let Self { inbox, site, serving, announcing, looping, .. } = self;
        site.stop();
        let _ = inbox.send(Event::Stop);
        let ended = tokio::task::spawn_blocking(move || looping.join());
        let process_ends = async {
            if let Ok(Ok(Some(process))) = ended.await {
                process.stop().await;
            }
        };
        // Both end at the same time, so that together they take no longer than the promised second.
        let both = async { tokio::join!(process_ends, serving, announcing) };
        let _ = tokio::time::timeout(Duration::from_millis(800), both).await;
    }
}

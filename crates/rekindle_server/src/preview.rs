//! `PreviewServer`: serves the folder of a finished build as a static host would.
//!
//! ```text
//! /                →  dist/index.html
//! /assets/a.js     →  dist/assets/a.js
//! /docs/           →  dist/docs/index.html;  /docs → /docs/;  /about → dist/about.html
//! /users/7         →  dist/404.html with 404 if there is one, else dist/index.html
//! /gone.js         →  404, unless a page is gone to
//! ```
//!
//! Requests pass the gate and the checks of the development server, and select from a listing of the folder (rule S1). The
//! folder is listed again when a new build took its place, and before something counts as missing.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use thiserror::Error;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::event::{Event, Inbox, Request};
use crate::files::compressed::{CompressedCopies, CompressedFile};
use crate::files::content_type::content_type;
use crate::files::public::PublicFiles;
use crate::http::address::{decode_base, encode_path};
use crate::http::answer::{Answer, Body, Cache};
use crate::http::connections::certificate::tls;
use crate::http::connections::listen::listen;
use crate::http::connections::serve::serve;
use crate::http::site::Site;
use crate::report::{News, Report};
use crate::server::{ServeError, addresses, names};
use rekindle_config::Config;

/// Looking for what is missing may take this part of the time at most: a flood of wrong addresses costs no more.
const LOOK_SHARE: u32 = 10;

/// Why a preview could not start.
#[derive(Debug, Error)]
pub enum PreviewError {
    /// The folder of the output is not there, or holds no build.
    #[error("there is no build in {}", folder.display())]
    NoBuild { folder: PathBuf },
    /// It cannot listen.
    #[error(transparent)]
    Serve(#[from] ServeError),
}

/// A running preview. Dropping it without [`PreviewServer::stop`] leaves it running until the process ends.
pub struct PreviewServer {
    inbox: Inbox,
    site: Arc<Site>,
    urls: Vec<(&'static str, String)>,
    port: u16,
    serving: JoinHandle<()>,
}

impl PreviewServer {
    /// Serves `config.build.out_dir` with the settings of `config.preview`, and what those leave open as `config.server` has it.
    ///
    /// # Errors
    /// The folder holds no file; otherwise as for the development server.
    pub async fn start(config: Config, report: Report) -> Result<Self, PreviewError> {
        let began = Instant::now();
        let mut config = config;
        config.server = config.preview_server();
        let mut build = Build::new(&config);
        if build.files.is_empty() {
            return Err(PreviewError::NoBuild { folder: build.folder });
        }
        for warning in &build.files.warnings {
            report.warn(warning);
        }
        if build.files.get("/index.html").is_none() {
            let folder = build.folder.display().to_string();
            report.tell(News::NoIndexPage { folder, base: config.base.clone() });
        }
        let wanted = config.server.port;
        let mut bound = listen(&config.server).await.map_err(ServeError::from)?;
        let (inbox, mut events) = mpsc::unbounded_channel();
        let mut site = Site::new(&config, &bound, inbox.clone());
        site.has_dev_routes = false;
        if let Some(https) = &config.server.https {
            let names = names(&config, &bound);
            site.tls = Some(tls(https, &config.cache_dir, &names).map_err(ServeError::from)?);
        }
        let site = Arc::new(site);
        let urls = addresses(&bound.local, &bound.network, &site, &config.base);
        let voice = report.clone();
        let answer_all = move || {
            while let Some(event) = events.blocking_recv() {
                match event {
                    Event::Request(request, asker) => {
                        // A mistake of ours in one answer must not end the server (rule S11): the asker is told.
                        let answer = catch_unwind(AssertUnwindSafe(|| build.answer(&request)));
                        drop(answer.map(|answer| asker.send(answer)));
                    }
                    Event::Warning(text) => voice.warn(&text),
                    Event::Stop => return,
                    _ => {}
                }
            }
        };
        std::thread::Builder::new().name("rekindle-preview".into()).spawn(answer_all).map_err(ServeError::from)?;
        let serving = tokio::spawn(serve(std::mem::take(&mut bound.listeners), site.clone()));
        report.tell(News::Started {
            version: env!("CARGO_PKG_VERSION"),
            addresses: urls.clone(),
            took: began.elapsed(),
        });
        News::of_port(wanted, bound.port).into_iter().for_each(|news| report.tell(news));
        if bound.exposed {
            report.tell(News::Exposed);
        }
        Ok(Self { inbox, site, urls, port: bound.port, serving })
    }

    /// The address to open on this machine, base included.
    pub fn url(&self) -> &str {
        self.urls.first().map_or("", |(_, url)| url)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends it; the port is free again. Takes less than a second.
    pub async fn stop(self) {
        self.site.stop();
        let _ = self.inbox.send(Event::Stop);
        let _ = tokio::time::timeout(Duration::from_millis(800), self.serving).await;
    }
}

/// The folder as it was when it was listed last.
struct Build {
    folder: PathBuf,
    base: String,
    files: PublicFiles,
    identity: Option<FolderIdentity>,
    copies: Arc<CompressedCopies>,
    /// When the folder was last looked through, and how long that took.
    looked: (Instant, Duration),
}

/// What tells a folder from another one in its place. It also changes when something comes or goes at the top of the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
struct FolderIdentity {
    real: PathBuf,
    modified: Option<SystemTime>,
    number: u64,
}

impl FolderIdentity {
    fn of(folder: &Path) -> Option<Self> {
        let real = folder.canonicalize().ok()?;
        let facts = real.metadata().ok().filter(|facts| facts.is_dir())?;
        #[cfg(unix)]
        let number = std::os::unix::fs::MetadataExt::ino(&facts);
        #[cfg(not(unix))]
        let number = 0;
        Some(Self { modified: facts.modified().ok(), real, number })
    }
}

enum Destination {
    File(String),
    /// A folder that was asked for without a slash at the end. The browser is sent to the address with the slash, since it would
    /// resolve what the page refers to one folder too high.
    Folder,
}

impl Build {
    fn new(config: &Config) -> Self {
        let folder = config.build.out_dir.clone();
        let mut build = Self {
            files: PublicFiles::default(),
            folder,
            base: decode_base(&config.base),
            identity: None,
            copies: Arc::default(),
            looked: (Instant::now(), Duration::ZERO),
        };
        build.look();
        build
    }

    fn look(&mut self) {
        let began = Instant::now();
        // The identity is taken first, so that a change during the listing makes the next request list the folder again.
        self.identity = FolderIdentity::of(&self.folder);
        self.files = PublicFiles::list(&self.folder);
        self.looked = (Instant::now(), began.elapsed());
    }

    fn answer(&mut self, request: &Request) -> Answer {
        if FolderIdentity::of(&self.folder) != self.identity {
            self.look();
        }
        let mut found = self.find(&request.path);
        if found.is_none() && self.looked.0.elapsed() >= self.looked.1 * LOOK_SHARE {
            self.look();
            found = self.find(&request.path);
        }
        match found {
            Some(Destination::File(path)) => self.send(200, &path),
            Some(Destination::Folder) => {
                let mark = if request.query.is_empty() { "" } else { "?" };
                let below = request.path.trim_start_matches('/');
                let to = format!("{}{mark}{}", encode_path(&format!("{}{below}/", self.base)), request.query);
                Answer { body: Body::Elsewhere(to), ..Answer::text(302, "") }
            }
            // Scripts fetch addresses of the application as well, which get its page. An address with an extension means a file.
            None if !request.navigation && has_extension(&request.path) => not_found(&request.path),
            None => match ["/404.html", "/index.html"].iter().find(|page| self.files.get(page).is_some()) {
                Some(&"/404.html") => self.send(404, "/404.html"),
                Some(page) => self.send(200, page),
                None if self.files.is_empty() => Answer::text(
                    404,
                    format!("there is no longer a build in {}; run `rekindle build`", self.folder.display()),
                ),
                None => not_found(&request.path),
            },
        }
    }

    fn find(&self, path: &str) -> Option<Destination> {
        let is_there = |path: &str| self.files.get(path).is_some();
        if path.ends_with('/') {
            let page = format!("{path}index.html");
            return is_there(&page).then_some(Destination::File(page));
        }
        let page = format!("{path}.html");
        if is_there(path) {
            Some(Destination::File(path.to_owned()))
        } else if is_there(&page) {
            Some(Destination::File(page))
        } else {
            is_there(&format!("{path}/index.html")).then_some(Destination::Folder)
        }
    }

    fn send(&self, status: u16, path: &str) -> Answer {
        match self.files.get(path) {
            Some(file) => Answer {
                status,
                content_type: if path.ends_with(".map") { "application/json" } else { content_type(path) },
                body: Body::Compressed(CompressedFile { file: file.clone(), copies: self.copies.clone() }),
                cache: Cache::Revalidate,
            },
            None => not_found(path),
        }
    }
}

fn has_extension(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| name.contains('.'))
}

fn not_found(path: &str) -> Answer {
    Answer::text(404, format!("{path} is not in the build"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn build(files: &[&str]) -> (tempfile::TempDir, Build) {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("dist"), files);
        let mut config = Config::new(folder.path());
        config.base = "/app/".into();
        let build = Build::new(&config);
        (folder, build)
    }

    fn write(below: &Path, files: &[&str]) {
        for file in files {
            let path = below.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
    }

    /// Status and file, or where to go.
    fn ask(build: &mut Build, path: &str, navigation: bool) -> String {
        let request = Request {
            path: path.into(),
            query: "q=1".into(),
            navigation,
            wants: crate::event::RequestPurpose::Unsaid,
            guest: false,
        };
        let answer = build.answer(&request);
        match answer.body {
            Body::Compressed(sent) => {
                let name = sent.file.path().strip_prefix(build.folder.canonicalize().unwrap()).unwrap().to_owned();
                format!("{} {}", answer.status, name.display())
            }
            Body::Elsewhere(to) => format!("to {to}"),
            _ => answer.status.to_string(),
        }
    }

    #[test]
    fn addresses_mean_files_as_on_a_host() {
        let (_folder, mut build) = build(&["index.html", "about.html", "docs/index.html", "a/x y.js"]);
        let mut ask = |path: &str| ask(&mut build, path, true);
        assert_eq!(ask("/"), "200 index.html");
        assert_eq!(ask("/about"), "200 about.html");
        assert_eq!(ask("/docs/"), "200 docs/index.html");
        assert_eq!(ask("/docs"), "to /app/docs/?q=1");
        assert_eq!(ask("/a/x y.js"), "200 a/x y.js");
        assert_eq!(ask("/users/7"), "200 index.html");
        assert_eq!(ask("/a/"), "200 index.html");
    }

    #[test]
    fn what_is_missing_is_a_404_unless_it_is_a_page_of_the_application() {
        let (folder, mut build) = build(&["index.html"]);
        assert_eq!(ask(&mut build, "/assets/gone.js", false), "404");
        assert_eq!(ask(&mut build, "/users/7", true), "200 index.html");
        assert_eq!(ask(&mut build, "/users/7", false), "200 index.html");
        write(&folder.path().join("dist"), &["404.html"]);
        assert_eq!(ask(&mut build, "/users/7", true), "404 404.html");
        assert_eq!(ask(&mut build, "/users/7", false), "404 404.html");
        assert_eq!(ask(&mut build, "/assets/gone.js", false), "404");
    }

    #[test]
    fn a_new_build_in_the_place_of_the_old_one_is_served_at_once() {
        let (folder, mut build) = build(&["index.html", "assets/a-1.js"]);
        assert_eq!(ask(&mut build, "/assets/a-1.js", false), "200 assets/a-1.js");
        write(&folder.path().join("next"), &["index.html", "assets/a-2.js"]);
        fs::rename(folder.path().join("dist"), folder.path().join("old")).unwrap();
        assert_eq!(ask(&mut build, "/", true), "404");
        fs::rename(folder.path().join("next"), folder.path().join("dist")).unwrap();
        assert_eq!(ask(&mut build, "/assets/a-2.js", false), "200 assets/a-2.js");
        assert_eq!(ask(&mut build, "/assets/a-1.js", false), "404");
    }

    #[cfg(unix)]
    #[test]
    fn secrets_and_links_that_lead_out_are_not_in_the_listing() {
        let (folder, mut build) = build(&["index.html", ".env", "server.key"]);
        fs::write(folder.path().join("outside.txt"), "").unwrap();
        std::os::unix::fs::symlink(folder.path().join("outside.txt"), folder.path().join("dist/out.txt")).unwrap();
        for path in ["/.env", "/server.key", "/out.txt"] {
            assert_eq!(ask(&mut build, path, false), "404", "{path}");
        }
    }
}

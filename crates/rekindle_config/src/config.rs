//! All settings, with their defaults. The command fills it from its sources, as `keys.rs` says; a
//! program that embeds the library sets the fields itself.

use std::path::PathBuf;

pub use rekindle_compile::compiler::asset_globs;
pub use rekindle_compile::plain::build_settings::{BuildSettings, LegalComments, SourceMaps};
pub use rekindle_compile::project::env::Variables;
pub use rekindle_compile::resolve::settings::{Alias, Find, ResolveSettings};
pub use rekindle_compile::style::settings as css;

pub mod cors;
pub mod proxy;

use cors::Cors;
use proxy::ProxyRule;

/// Settings of one server. Paths are absolute.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Project folder, the one with `index.html`.
    pub root: PathBuf,
    /// Path under which everything is served, encoded as in addresses; begins and ends with a slash. Default `/`.
    pub base: String,
    /// `development` unless said otherwise; picks the `.env.[mode]` files.
    pub mode: String,
    /// Folder of files served as they are; `None` turns it off. Default `<root>/public`.
    pub public_dir: Option<PathBuf>,
    /// Folder of the `.env` files. Default the root.
    pub env_dir: PathBuf,
    /// Only names with one of these prefixes reach the page. Default `VITE_`.
    pub env_prefix: Vec<String>,
    /// What wins over the `.env` files. Default those of the process.
    pub variables: Variables,
    /// Globs of files that are assets, whatever their extension says.
    pub assets_include: Vec<String>,
    /// Folder for what outlives a start. Default `<root>/node_modules/.rekindle`, or `<root>/.rekindle` without `node_modules`.
    pub cache_dir: PathBuf,
    /// Names in sources and the expressions that stand for them.
    pub define: Vec<(String, String)>,
    /// Where JSX functions come from if no tsconfig says so.
    pub jsx_import_source: Option<String>,
    /// Plugins of a configuration of Vite that do not run here: what they would have done is missing.
    pub missing_plugins: Vec<String>,
    /// `[resolve]`
    pub resolve: ResolveSettings,
    /// `[build]`
    pub build: BuildSettings,
    /// `[server]`
    pub server: ServerConfig,
    /// `[preview]`
    pub preview: PreviewConfig,
    /// `[serve]`
    pub serve: ServeConfig,
    /// `[css]`
    pub css: css::StyleSettings,
    /// `[hmr]`
    pub hmr: HmrConfig,
    /// `[watch]`
    pub watch: WatchConfig,
    /// `[events]`
    pub events: EventsConfig,
}

/// `[server]`
#[derive(Clone, Debug, PartialEq)]
pub struct ServerConfig {
    /// Default 5173; the next free one is taken unless `strict_port`.
    pub port: u16,
    /// End with an error when the port is taken.
    pub strict_port: bool,
    /// `None`: loopback, both families. `Some("0.0.0.0")` and the like expose the server.
    pub host: Option<String>,
    /// Open the browser: `Some("/")` or another path.
    pub open: Option<String>,
    /// Names besides `localhost`, `*.localhost` and IP addresses that the Host header may hold; `.example.com` covers subdomains.
    pub allowed_hosts: Vec<String>,
    /// Origins that may read answers and open the socket besides the server's own. Exact, never `*`.
    pub allowed_origins: Vec<String>,
    /// Other origins that may read answers, and no more than that. Default none.
    pub cors: Cors,
    /// Headers that every answer gets. Names in lower case.
    pub headers: Vec<(String, String)>,
    /// TLS, and HTTP/2 over it. Default `None`.
    pub https: Option<Https>,
    /// Requests that other servers answer. The first rule that fits is taken.
    pub proxy: Vec<ProxyRule>,
    /// Pages and modules that are compiled at the start, after the first page. Paths from the root.
    pub warmup: Vec<String>,
}

/// `[preview]`: what is not said is as in `[server]`, but for the port.
#[derive(Clone, Debug, PartialEq)]
pub struct PreviewConfig {
    /// Default 4173; the next free one is taken unless `strict_port`.
    pub port: u16,
    /// As in `[server]`.
    pub strict_port: Option<bool>,
    /// As in `[server]`.
    pub host: Option<Option<String>>,
    /// As in `[server]`.
    pub open: Option<Option<String>>,
    /// As in `[server]`.
    pub https: Option<Option<Https>>,
    /// As in `[server]`.
    pub proxy: Option<Vec<ProxyRule>>,
    /// As in `[server]`.
    pub headers: Option<Vec<(String, String)>>,
    /// As in `[server]`.
    pub cors: Option<Cors>,
    /// As in `[server]`.
    pub allowed_hosts: Option<Vec<String>>,
}

impl PreviewConfig {
    /// Takes those settings of `from` whose names are set.
    pub fn take(&mut self, from: ServerConfig, is_set: impl Fn(&str) -> bool) {
        fn put<T>(to: &mut Option<T>, value: T, is_set: bool) {
            if is_set {
                *to = Some(value);
            }
        }
        if is_set("port") {
            self.port = from.port;
        }
        put(&mut self.strict_port, from.strict_port, is_set("strict_port"));
        put(&mut self.host, from.host, is_set("host"));
        put(&mut self.open, from.open, is_set("open"));
        put(&mut self.https, from.https, is_set("https"));
        put(&mut self.proxy, from.proxy, is_set("proxy"));
        put(&mut self.headers, from.headers, is_set("headers"));
        put(&mut self.cors, from.cors, is_set("cors"));
        put(&mut self.allowed_hosts, from.allowed_hosts, is_set("allowed_hosts"));
    }
}

/// Where the certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Https {
    /// Made here, and kept in the cache folder.
    Generated,
    /// PEM files.
    Files {
        /// The key.
        key: PathBuf,
        /// The certificate.
        cert: PathBuf,
    },
}

/// `[serve]`: what may be fetched without being imported.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ServeConfig {
    /// Globs relative to the root; the table is filled by listing, not by matching requests.
    pub include: Vec<String>,
    /// Which files they are besides.
    pub mode: ServeMode,
}

/// Which files may be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ServeMode {
    /// Modules and assets of the graph, `public/`, pages, and what `include` lists.
    #[default]
    Graph,
    /// Vite's rule for projects that migrate: every file below the root that is not on the list of secrets.
    Root,
}

/// `[hmr]`
#[derive(Clone, Debug, PartialEq)]
pub struct HmrConfig {
    /// `false`: the API and custom events work, no update is sent.
    pub enabled: bool,
    /// Show errors on the page.
    pub overlay: bool,
    /// What importers see of an update.
    pub bindings: Bindings,
    /// What an edit does that nothing in a worker accepts.
    pub workers: Workers,
    /// What an edit of a page's own text does.
    pub html: Html,
    /// Where pages find the socket.
    pub socket: SocketConfig,
}

/// What an edit of a page's own text does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Html {
    /// Patch the running document where some module of the page accepts updates or it has no scripts; else reload it, as
    /// every other edit there does.
    #[default]
    Auto,
    /// Patch the running document.
    Patch,
    /// Reload the page.
    Reload,
}

/// What an edit does that nothing in a worker accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Workers {
    /// Restart the worker where the page or the worker has a module that accepts updates; else reload the page, as
    /// every other edit there does.
    #[default]
    Auto,
    /// Restart the worker.
    Restart,
    /// Reload the page.
    Reload,
}

/// Where pages find the socket, if not at their own origin.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct SocketConfig {
    /// `ws` or `wss`.
    pub protocol: Option<String>,
    /// Its host.
    pub host: Option<String>,
    /// Its port.
    pub client_port: Option<u16>,
    /// Below the base, in place of `@rekindle/socket`.
    pub path: Option<String>,
}

/// What importers see of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Bindings {
    /// Importers read the new exports after an update.
    #[default]
    Live,
    /// Importers keep the copy they imported, as in Vite.
    Frozen,
}

/// `[watch]`
#[derive(Clone, Debug, PartialEq)]
pub struct WatchConfig {
    /// Poll instead of asking the system for events.
    pub poll: bool,
    /// Milliseconds between two looks when polling. Default 100.
    pub interval: u64,
    /// Milliseconds of quiet that end a batch. Default 1.
    pub settle: u64,
}

/// `[events]`
#[derive(Clone, Debug, PartialEq, Default)]
pub struct EventsConfig {
    /// Program and arguments of the process that answers custom events; empty: none.
    pub command: Vec<String>,
}

impl Config {
    /// The server settings of a preview.
    pub fn preview_server(&self) -> ServerConfig {
        let (preview, server) = (self.preview.clone(), self.server.clone());
        ServerConfig {
            port: preview.port,
            strict_port: preview.strict_port.unwrap_or(server.strict_port),
            host: preview.host.unwrap_or(server.host),
            open: preview.open.unwrap_or(server.open),
            https: preview.https.unwrap_or(server.https),
            proxy: preview.proxy.unwrap_or(server.proxy),
            headers: preview.headers.unwrap_or(server.headers),
            cors: preview.cors.unwrap_or(server.cors),
            allowed_hosts: preview.allowed_hosts.unwrap_or(server.allowed_hosts),
            allowed_origins: server.allowed_origins,
            warmup: server.warmup,
        }
    }

    /// The defaults for a project folder.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        let cache_dir = if root.join("node_modules").is_dir() {
            root.join("node_modules/.rekindle")
        } else {
            root.join(".rekindle")
        };
        Self {
            base: "/".into(),
            mode: "development".into(),
            public_dir: Some(root.join("public")),
            env_dir: root.clone(),
            env_prefix: vec!["VITE_".into()],
            variables: Variables::of_process(),
            assets_include: Vec::new(),
            cache_dir,
            define: Vec::new(),
            jsx_import_source: None,
            missing_plugins: Vec::new(),
            resolve: ResolveSettings::default(),
            build: BuildSettings::new(&root),
            preview: PreviewConfig {
                port: 4173,
                strict_port: None,
                host: None,
                open: None,
                https: None,
                proxy: None,
                headers: None,
                cors: None,
                allowed_hosts: None,
            },
            root,
            server: ServerConfig {
                port: 5173,
                strict_port: false,
                host: None,
                open: None,
                allowed_hosts: Vec::new(),
                allowed_origins: Vec::new(),
                cors: Cors::default(),
                headers: Vec::new(),
                https: None,
                proxy: Vec::new(),
                warmup: Vec::new(),
            },
            serve: ServeConfig::default(),
            css: css::StyleSettings::default(),
            hmr: HmrConfig {
                enabled: true,
                overlay: true,
                bindings: Bindings::Live,
                workers: Workers::Auto,
                html: Html::Auto,
                socket: SocketConfig::default(),
            },
            watch: WatchConfig { poll: false, interval: 100, settle: 1 },
            events: EventsConfig::default(),
        }
    }
}

//! Keys about the server and what it does: `[server]`, `[preview]`, `[serve]`, `[hmr]`, `[watch]` and `[events]`.

use crate::checks::{host_name, origin, page_path, socket_path};
use crate::config::{Bindings, Html, ServeMode, Workers};
use crate::key::{DefaultValue, KEY, Key, Type};
use crate::parts::{cors, headers, https, proxy};
use crate::reader::Setting;

const PORT: &str = "a port from 1 to 65535";

pub(super) static KEYS: &[Key] = &[
    Key {
        toml: "server.port",
        vite: &["server.port"],
        flag: Some("port"),
        is_shared: true,
        doc: "Port to listen on; when it is taken the next free one is used, and the terminal says so",
        default: DefaultValue::Toml("5173"),
        holds: Type::Number { range: 1..=65535, wanted: PORT, set: |config, port| config.server.port = port as u16 },
        ..KEY
    },
    Key {
        toml: "server.strict_port",
        vite: &["server.strictPort"],
        flag: Some("strict-port"),
        is_shared: true,
        doc: "End with an error when the port is taken",
        default: DefaultValue::Toml("false"),
        holds: Type::Switch(|config, is_on| config.server.strict_port = is_on),
        ..KEY
    },
    Key {
        toml: "server.host",
        vite: &["server.host"],
        flag: Some("host"),
        is_shared: true,
        doc: "Let other machines in: on the given address, or on all of them (`true`, or the flag without an address)",
        default: DefaultValue::Described("`false`: this machine only"),
        holds: Type::Setting {
            wanted: "an address, or true for all addresses",
            texts: &[],
            set: |config, host| {
                config.server.host = text_of(host, "0.0.0.0");
                Ok(())
            },
        },
        ..KEY
    },
    Key {
        toml: "server.open",
        vite: &["server.open"],
        flag: Some("open"),
        is_shared: true,
        doc: "Open the browser, at the given path if there is one; `BROWSER=none` in the environment keeps it closed",
        default: DefaultValue::Toml("false"),
        holds: Type::Setting {
            wanted: "a path, or true for the first page",
            texts: &[],
            set: |config, open| {
                config.server.open = text_of(open, "/").map(|path| page_path(&path));
                Ok(())
            },
        },
        ..KEY
    },
    Key {
        toml: "server.https",
        vite: &["server.https"],
        flag: Some("https"),
        is_shared: true,
        doc: "Speak https: `true` with a certificate that is made here and kept in `cache_dir`, \
              `{ key = \"k.pem\", cert = \"c.pem\" }` with these files",
        default: DefaultValue::Toml("false"),
        holds: Type::Other(https::SHAPE),
        ..KEY
    },
    Key {
        toml: "server.proxy",
        vite: &["server.proxy"],
        is_shared: true,
        doc: "Addresses that other servers answer: `{ \"/api\" = \"http://localhost:3000\" }`",
        default: DefaultValue::Described("none"),
        holds: Type::Other(proxy::SHAPE),
        ..KEY
    },
    Key {
        toml: "server.headers",
        vite: &["server.headers"],
        is_shared: true,
        doc: "Headers of every answer but those of proxied addresses: `{ Cross-Origin-Opener-Policy = \"same-origin\" }`",
        default: DefaultValue::Described("none"),
        holds: Type::Other(headers::SHAPE),
        ..KEY
    },
    Key {
        toml: "server.cors",
        vite: &["server.cors"],
        is_shared: true,
        doc: "Other origins that may read answers, and no more than that: `true`, or `{ origin, methods, allowed_headers, \
              exposed_headers, credentials, max_age }`, where `origin` is one or a list, and `^…` a pattern",
        default: DefaultValue::Toml("false"),
        holds: Type::Other(cors::SHAPE),
        ..KEY
    },
    Key {
        toml: "server.allowed_hosts",
        vite: &["server.allowedHosts"],
        vite_type: "string[] | true",
        is_shared: true,
        doc: "Names the server may be called by, besides `localhost`, `*.localhost` and IP addresses; `.example.com` covers \
              subdomains. Each goes with our own port; a name that a proxy or container gives another port is listed with it: \
              `\"localhost:8080\"`",
        default: DefaultValue::Toml("[]"),
        holds: Type::Texts(|text| Ok(text.to_owned()), |config, hosts| config.server.allowed_hosts = hosts),
        ..KEY
    },
    Key {
        toml: "server.allowed_origins",
        doc: "Other origins that may read answers and open the socket, written out whole",
        default: DefaultValue::Toml("[]"),
        holds: Type::Texts(origin, |config, origins| config.server.allowed_origins = origins),
        ..KEY
    },
    Key {
        toml: "server.warmup",
        vite: &["server.warmup.clientFiles"],
        doc: "Pages and modules that are compiled when the server starts, after the first page; paths from the project folder",
        default: DefaultValue::Toml("[]"),
        holds: Type::Texts(|text| Ok(text.to_owned()), |config, files| config.server.warmup = files),
        ..KEY
    },
];

/// The only key of `[preview]` that is not as in `[server]`.
pub(super) static PREVIEW: &[Key] = &[Key {
    toml: "preview.port",
    vite: &["preview.port"],
    doc: "Port of `rekindle preview`; when it is taken the next free one is used",
    default: DefaultValue::Toml("4173"),
    holds: Type::Number { range: 1..=65535, wanted: PORT, set: |config, port| config.preview.port = port as u16 },
    ..KEY
}];

pub(super) static SERVE: &[Key] = &[
    Key {
        toml: "serve.include",
        doc: "Globs of files that may be fetched without being imported",
        default: DefaultValue::Toml("[]"),
        holds: Type::Texts(|text| Ok(text.to_owned()), |config, globs| config.serve.include = globs),
        ..KEY
    },
    Key {
        toml: "serve.mode",
        doc: "`\"graph\"`: what is imported, pages, `public/`, `include`; `\"root\"`: every file of the project but hidden \
              folders, `node_modules` and secrets",
        default: DefaultValue::Toml(r#""graph""#),
        holds: Type::Choice(&["graph", "root"], |config, at| {
            config.serve.mode = [ServeMode::Graph, ServeMode::Root][at];
        }),
        ..KEY
    },
];

pub(super) static REST: &[Key] = &[
    Key {
        toml: "hmr.enabled",
        vite: &["server.hmr"],
        vite_type: "boolean | HmrOptions",
        doc: "`false`: the API and custom events work, no update is sent",
        default: DefaultValue::Toml("true"),
        holds: Type::Switch(|config, is_on| config.hmr.enabled = is_on),
        ..KEY
    },
    Key {
        toml: "hmr.overlay",
        vite: &["server.hmr.overlay"],
        doc: "`false`: errors are shown in the console only",
        default: DefaultValue::Toml("true"),
        holds: Type::Switch(|config, is_on| config.hmr.overlay = is_on),
        ..KEY
    },
    Key {
        toml: "hmr.bindings",
        doc: "`\"live\"`: importers see new exports; `\"frozen\"`: they keep what they imported, as in Vite",
        default: DefaultValue::Toml(r#""live""#),
        holds: Type::Choice(&["live", "frozen"], |config, at| {
            config.hmr.bindings = [Bindings::Live, Bindings::Frozen][at];
        }),
        ..KEY
    },
    Key {
        toml: "hmr.workers",
        doc: "What an edit does that nothing in a worker accepts: `\"restart\"` the worker, `\"reload\"` the page, or `\"auto\"`: \
              restart where some module of the page or the worker accepts updates, else reload",
        default: DefaultValue::Toml(r#""auto""#),
        holds: Type::Choice(&["auto", "restart", "reload"], |config, at| {
            config.hmr.workers = [Workers::Auto, Workers::Restart, Workers::Reload][at];
        }),
        ..KEY
    },
    Key {
        toml: "hmr.html",
        doc: "What an edit of a page's HTML does: `\"patch\"` the document, `\"reload\"`, or `\"auto\"`: patch where some module of \
              the page accepts updates or it has no scripts, else reload",
        default: DefaultValue::Toml(r#""auto""#),
        holds: Type::Choice(&["auto", "patch", "reload"], |config, at| {
            config.hmr.html = [Html::Auto, Html::Patch, Html::Reload][at];
        }),
        ..KEY
    },
    Key {
        toml: "hmr.protocol",
        vite: &["server.hmr.protocol"],
        vite_type: "string",
        doc: "Protocol by which pages reach the socket: `\"ws\"` or `\"wss\"`",
        default: DefaultValue::Described("that of the client script"),
        holds: Type::Choice(&["ws", "wss"], |config, at| {
            config.hmr.socket.protocol = Some(["ws", "wss"][at].to_owned());
        }),
        ..KEY
    },
    Key {
        toml: "hmr.host",
        vite: &["server.hmr.host"],
        doc: "Host at which pages find the socket",
        default: DefaultValue::Described("where the client script came from"),
        holds: Type::Text(|config, text| host_name(text).map(|host| config.hmr.socket.host = Some(host))),
        ..KEY
    },
    Key {
        toml: "hmr.client_port",
        vite: &["server.hmr.clientPort"],
        doc: "Port at which pages find the socket",
        default: DefaultValue::Described("where the client script came from"),
        holds: Type::Number {
            range: 1..=65535,
            wanted: PORT,
            set: |config, port| config.hmr.socket.client_port = Some(port as u16),
        },
        ..KEY
    },
    Key {
        toml: "hmr.path",
        vite: &["server.hmr.path"],
        doc: "Path of the socket, below `base`",
        default: DefaultValue::Described("`\"@rekindle/socket\"`"),
        holds: Type::Text(|config, text| socket_path(text).map(|path| config.hmr.socket.path = Some(path))),
        ..KEY
    },
    Key {
        toml: "watch.poll",
        vite: &["server.watch.usePolling"],
        doc: "Look at the files in turn instead of asking the system",
        default: DefaultValue::Toml("false"),
        holds: Type::Switch(|config, is_on| config.watch.poll = is_on),
        ..KEY
    },
    Key {
        toml: "watch.interval",
        vite: &["server.watch.interval"],
        doc: "Milliseconds between two looks",
        default: DefaultValue::Toml("100"),
        holds: Type::Number {
            range: 1..=60_000,
            wanted: "milliseconds from 1 to 60000",
            set: |config, interval| config.watch.interval = interval,
        },
        ..KEY
    },
    Key {
        toml: "watch.settle",
        doc: "Milliseconds of quiet that end a batch of saves",
        default: DefaultValue::Toml("1"),
        holds: Type::Number {
            range: 0..=10_000,
            wanted: "milliseconds from 0 to 10000",
            set: |config, settle| config.watch.settle = settle,
        },
        ..KEY
    },
    Key {
        toml: "events.command",
        doc: "Program and arguments that answer custom events",
        default: DefaultValue::Toml("[]"),
        holds: Type::Texts(|text| Ok(text.to_owned()), |config, command| config.events.command = command),
        ..KEY
    },
];

/// A text, or what stands for `true`.
fn text_of(setting: Setting<'_>, meant: &str) -> Option<String> {
    match setting {
        Setting::On => Some(meant.to_owned()),
        Setting::Off => None,
        Setting::Text(text) => Some(text.to_owned()),
    }
}

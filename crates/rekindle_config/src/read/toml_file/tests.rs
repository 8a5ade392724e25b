//! `rekindle.toml`: what each key sets, and what is said of mistakes.

use std::path::{Path, PathBuf};

use expect_test::{Expect, expect};

use super::*;
use crate::Variables;
use crate::checks::base_path;

fn apply(text: &str) -> Result<Config, Vec<Diagnostic>> {
    let mut config = Config::new("/project");
    config.variables = Variables::default();
    apply_text(text, "rekindle.toml", &mut config).map(|()| config)
}

fn check(text: &str, expected: Expect) {
    let shown = match apply(text) {
        Ok(_) => "fine\n".to_owned(),
        Err(problems) => problems.iter().map(show).collect(),
    };
    expected.assert_eq(&shown);
}

/// As the terminal shows a mistake.
fn show(problem: &Diagnostic) -> String {
    let mut shown = format!("error: {}\n  --> {}\n", problem.message, problem.location().unwrap());
    for line in problem.frame.iter().flat_map(|frame| frame.lines()) {
        shown += &format!("  {line}\n");
    }
    shown + &problem.help.iter().map(|help| format!("  help: {help}\n")).collect::<String>()
}

#[test]
fn every_key_arrives() {
    let config = apply(
        r#"
        base = "app"
        mode = "staging"
        public_dir = false
        env_dir = "../env"
        env_prefix = ["VITE_", "APP_"]
        cache_dir = ".cache/rekindle"
        [server]
        port = 3000
        strict_port = true
        host = true
        open = "admin.html"
        allowed_hosts = [".example.com"]
        allowed_origins = ["https://app.example.com"]
        warmup = ["admin.html", "src/chart.ts"]
        [serve]
        include = ["docs/**"]
        mode = "root"
        [css]
        dev_sourcemap = true
        postcss = "config"
        [css.modules]
        locals_convention = "camelCase"
        generate_scoped_name = "[name]__[local]"
        hash_prefix = "x"
        scope_behaviour = "global"
        [css.preprocessor_options.scss]
        additional_data = "$a: 1;"
        load_paths = ["styles"]
        [css.preprocessor_options.less]
        global_vars = { lead = "7px" }
        math = "always"
        [hmr]
        enabled = false
        overlay = false
        bindings = "frozen"
        [watch]
        poll = true
        interval = 250
        settle = 10
        [events]
        command = ["node", "events.js"]
        "#,
    )
    .unwrap();
    expect![[r#"
        Config {
            root: "/project",
            base: "/app/",
            mode: "staging",
            public_dir: None,
            env_dir: "/env",
            env_prefix: [
                "VITE_",
                "APP_",
            ],
            variables: {},
            assets_include: [],
            cache_dir: "/project/.cache/rekindle",
            define: [],
            jsx_import_source: None,
            missing_plugins: [],
            resolve: ResolveSettings {
                alias: [],
                extensions: [
                    ".mjs",
                    ".js",
                    ".mts",
                    ".ts",
                    ".jsx",
                    ".tsx",
                    ".json",
                ],
                conditions: [
                    "development",
                    "browser",
                    "module",
                ],
                main_fields: [
                    "browser",
                    "module",
                    "jsnext:main",
                    "jsnext",
                ],
                dedupe: [],
                preserve_symlinks: false,
            },
            build: BuildSettings {
                out_dir: "/project/dist",
                assets_dir: "assets",
                assets_inline_limit: 4096,
                target: [
                    "chrome111",
                    "edge111",
                    "firefox114",
                    "safari16.4",
                    "ios16.4",
                ],
                css_target: None,
                minify: true,
                css_minify: None,
                sourcemap: None,
                manifest: None,
                empty_out_dir: None,
                css_code_split: true,
                copy_public_dir: true,
                report_compressed_size: true,
                chunk_size_warning_limit: 500,
                module_preload: true,
                legal_comments: Inline,
                input: [],
                relative_base: false,
                base_address: None,
            },
            server: ServerConfig {
                port: 3000,
                strict_port: true,
                host: Some(
                    "0.0.0.0",
                ),
                open: Some(
                    "/admin.html",
                ),
                allowed_hosts: [
                    ".example.com",
                ],
                allowed_origins: [
                    "https://app.example.com",
                ],
                cors: Cors {
                    origin: None,
                    methods: [],
                    allowed_headers: [],
                    exposed_headers: [],
                    credentials: false,
                    max_age: None,
                },
                headers: [],
                https: None,
                proxy: [],
                warmup: [
                    "admin.html",
                    "src/chart.ts",
                ],
            },
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
            serve: ServeConfig {
                include: [
                    "docs/**",
                ],
                mode: Root,
            },
            css: StyleSettings {
                dev_sourcemap: true,
                postcss: Folder(
                    "/project/config",
                ),
                modules: ModulesSettings {
                    locals_convention: CamelCase,
                    generate_scoped_name: Some(
                        "[name]__[local]",
                    ),
                    hash_prefix: "x",
                    scope_behaviour: Global,
                },
                preprocessor_options: {
                    "less": PreprocessorOptions {
                        additional_data: "",
                        load_paths: [],
                        others: {
                            "globalVars": Object {
                                "lead": String("7px"),
                            },
                            "math": String("always"),
                        },
                    },
                    "scss": PreprocessorOptions {
                        additional_data: "$a: 1;",
                        load_paths: [
                            "/project/styles",
                        ],
                        others: {},
                    },
                },
            },
            hmr: HmrConfig {
                enabled: false,
                overlay: false,
                bindings: Frozen,
                workers: Auto,
                html: Auto,
                socket: SocketConfig {
                    protocol: None,
                    host: None,
                    client_port: None,
                    path: None,
                },
            },
            watch: WatchConfig {
                poll: true,
                interval: 250,
                settle: 10,
            },
            events: EventsConfig {
                command: [
                    "node",
                    "events.js",
                ],
            },
        }"#]]
    .assert_eq(&format!("{config:#?}"));
}

#[test]
fn an_empty_file_changes_nothing() {
    assert_eq!(apply("").unwrap(), Config { variables: Variables::default(), ..Config::new("/project") });
}

#[test]
fn unknown_keys_name_the_nearest_one() {
    check(
        "[server]\nstrictport = true\n",
        expect![[r#"
        error: unknown key `strictport` in [server]
          --> rekindle.toml:2:1
            1 | [server]
          > 2 | strictport = true
              | ^^^^^^^^^^
          help: did you mean `strict_port`?
    "#]],
    );
    check(
        "[server]\nstrictPort = true\n",
        expect![[r#"
        error: unknown key `strictPort` in [server]
          --> rekindle.toml:2:1
            1 | [server]
          > 2 | strictPort = true
              | ^^^^^^^^^^
          help: did you mean `strict_port`?
    "#]],
    );
    check(
        "publicDir = 'static'\n[Server]\nport = 1\n",
        expect![[r#"
        error: unknown key `publicDir`
          --> rekindle.toml:1:1
          > 1 | publicDir = 'static'
              | ^^^^^^^^^
            2 | [Server]
            3 | port = 1
          help: did you mean `public_dir`?
        error: unknown key `Server`
          --> rekindle.toml:2:2
            1 | publicDir = 'static'
          > 2 | [Server]
              |  ^^^^^^
            3 | port = 1
          help: did you mean `server`?
    "#]],
    );
    check(
        "[hmr]\nport = 24678\n",
        expect![[r#"
        error: unknown key `port` in [hmr]
          --> rekindle.toml:2:1
            1 | [hmr]
          > 2 | port = 24678
              | ^^^^
          help: `port` belongs in [server]
    "#]],
    );
    check(
        "port = 3000\n",
        expect![[r#"
        error: unknown key `port`
          --> rekindle.toml:1:1
          > 1 | port = 3000
              | ^^^^
          help: `port` belongs in [server]
    "#]],
    );
    check(
        "[watch]\nwhatever = 1\n",
        expect![[r#"
        error: unknown key `whatever` in [watch]
          --> rekindle.toml:2:1
            1 | [watch]
          > 2 | whatever = 1
              | ^^^^^^^^
          help: the keys here are poll, interval, settle
    "#]],
    );
}

#[test]
fn all_mistakes_are_reported_at_once_in_order() {
    check(
        "base = 7\n[server]\nport = 70000\nhost = 1\nallowed_origins = ['*', 'http://a.b', 3]\n[hmr]\nbindings = 'forzen'\noverlay = 'yes'\n",
        expect![[r#"
            error: `base` is a string, and this is a number
              --> rekindle.toml:1:8
              > 1 | base = 7
                  |        ^
                2 | [server]
                3 | port = 70000
            error: `server.port` is a port from 1 to 65535
              --> rekindle.toml:3:8
                1 | base = 7
                2 | [server]
              > 3 | port = 70000
                  |        ^^^^^
                4 | host = 1
                5 | allowed_origins = ['*', 'http://a.b', 3]
            error: `server.host` is an address, or true for all addresses, and this is a number
              --> rekindle.toml:4:8
                2 | [server]
                3 | port = 70000
              > 4 | host = 1
                  |        ^
                5 | allowed_origins = ['*', 'http://a.b', 3]
                6 | [hmr]
            error: `server.allowed_origins`: an origin is written like "https://app.example.com:8443", whole and without a path
              --> rekindle.toml:5:20
                3 | port = 70000
                4 | host = 1
              > 5 | allowed_origins = ['*', 'http://a.b', 3]
                  |                    ^^^
                6 | [hmr]
                7 | bindings = 'forzen'
            error: `server.allowed_origins` is a list of strings
              --> rekindle.toml:5:39
                3 | port = 70000
                4 | host = 1
              > 5 | allowed_origins = ['*', 'http://a.b', 3]
                  |                                       ^
                6 | [hmr]
                7 | bindings = 'forzen'
            error: `hmr.bindings` is "live" or "frozen"
              --> rekindle.toml:7:12
                5 | allowed_origins = ['*', 'http://a.b', 3]
                6 | [hmr]
              > 7 | bindings = 'forzen'
                  |            ^^^^^^^^
                8 | overlay = 'yes'
              help: did you mean "frozen"?
            error: `hmr.overlay` is true or false, and this is a string
              --> rekindle.toml:8:11
                 6 | [hmr]
                 7 | bindings = 'forzen'
              >  8 | overlay = 'yes'
                   |           ^^^^^
        "#]],
    );
}

#[test]
fn a_file_that_is_no_toml_shows_where() {
    check(
        "[server]\nport = \nhost = 'a\n",
        expect![[r#"
        error: string values must be quoted, expected literal string
          --> rekindle.toml:2:8
            1 | [server]
          > 2 | port = 
              |        ^
            3 | host = 'a
        error: invalid literal string, expected `'`
          --> rekindle.toml:3:10
            1 | [server]
            2 | port = 
          > 3 | host = 'a
              |          ^
    "#]],
    );
}

#[test]
fn risky_values_are_refused() {
    check(
        "env_prefix = ''\nmode = 'local'\nbase = 'ftp://cdn.example.com/'\n",
        expect![[r#"
        error: `env_prefix`: an empty prefix would show the whole environment to the page
          --> rekindle.toml:1:14
          > 1 | env_prefix = ''
              |              ^^
            2 | mode = 'local'
            3 | base = 'ftp://cdn.example.com/'
        error: `mode`: "local" would clash with the .env.local file
          --> rekindle.toml:2:8
            1 | env_prefix = ''
          > 2 | mode = 'local'
              |        ^^^^^^^
            3 | base = 'ftp://cdn.example.com/'
        error: `base`: a base is a path such as "/app/", or an address that begins with https:// or http://
          --> rekindle.toml:3:8
            1 | env_prefix = ''
            2 | mode = 'local'
          > 3 | base = 'ftp://cdn.example.com/'
              |        ^^^^^^^^^^^^^^^^^^^^^^^^
    "#]],
    );
    check(
        "[watch]\ninterval = 0\nsettle = -1\n[server]\nport = 5173.5\n",
        expect![[r#"
        error: `watch.interval` is milliseconds from 1 to 60000
          --> rekindle.toml:2:12
            1 | [watch]
          > 2 | interval = 0
              |            ^
            3 | settle = -1
            4 | [server]
        error: `watch.settle` is milliseconds from 0 to 10000
          --> rekindle.toml:3:10
            1 | [watch]
            2 | interval = 0
          > 3 | settle = -1
              |          ^^
            4 | [server]
            5 | port = 5173.5
        error: `server.port` is a port from 1 to 65535, and this is a fraction
          --> rekindle.toml:5:8
            3 | settle = -1
            4 | [server]
          > 5 | port = 5173.5
              |        ^^^^^^
    "#]],
    );
}

#[test]
fn a_base_begins_and_ends_with_a_slash() {
    for base in ["app", "/app", "app/", "/app/", "./app//"] {
        assert_eq!(base_path(base).unwrap(), "/app/");
    }
    for base in ["", "/", "./"] {
        assert_eq!(base_path(base).unwrap(), "/");
    }
    assert_eq!(base_path("a/b").unwrap(), "/a/b/");
    assert_eq!(base_path("/foo bar/").unwrap(), "/foo%20bar/");
    assert_eq!(base_path("/foo%20bar/é").unwrap(), "/foo%20bar/%C3%A9/");
    for wrong in ["../up", "a?b", "a%3Fb", "a%5cb", "a%25", "%ff", "a /b", "a./b"] {
        assert!(base_path(wrong).is_err(), "{wrong}");
    }
    let cdn = apply("base = \"https://cdn.example.com/x\"").unwrap();
    let address = cdn.build.base_address.as_deref();
    assert_eq!((cdn.base.as_str(), address), ("/x/", Some("https://cdn.example.com/x/")));
    assert_eq!(
        apply("base = \"//cdn.example.com\"").unwrap().build.base_address.as_deref(),
        Some("//cdn.example.com/")
    );
    for wrong in ["https://", "ftp://x/y", "https://x/a?b", "https://x y/"] {
        assert!(apply(&format!("base = \"{wrong}\"")).is_err(), "{wrong}");
    }
}

#[test]
fn keys_with_a_shape_of_their_own() {
    let config = apply(
        r#"
        [define]
        __A__ = '"text"'
        __B__ = true
        __C__ = { a = [1, "x"] }
        "import.meta.env.VITE_X" = '"y"'
        [resolve]
        extensions = [".ts"]
        preserve_symlinks = true
        [[resolve.alias]]
        find = "^~(.*)"
        replacement = "/src/$1"
        [[resolve.alias]]
        find = "lib"
        replacement = "./lib"
        [server]
        https = { key = "k.pem", cert = "../c.pem" }
        headers = { X-A = "b", X-N = 1 }
        cors = { origin = ["http://a.test", "^https://.*[.]test$"], max_age = 5 }
        [server.proxy]
        "/z" = "http://localhost:1"
        "/api" = { target = "https://localhost:2/base", change_origin = true, secure = false, rewrite = [{ from = "^/api", to = "" }], headers = { X-B = "c" } }
        "^/v(1|2)/" = "ws://localhost:3"
        [hmr]
        protocol = "wss"
        host = "my.test"
        client_port = 443
        path = "/hmr"
        "#,
    )
    .unwrap();
    assert_eq!((config.define.len(), config.resolve.alias.len(), config.server.headers.len()), (4, 2, 2));
    let keys: Vec<&str> = config.server.proxy.iter().map(|rule| rule.key.as_str()).collect();
    assert_eq!(keys, ["/z", "/api", "^/v(1|2)/"]);
    assert_eq!(config.hmr.socket.client_port, Some(443));
}

#[test]
fn mistakes_in_them_have_their_place() {
    let problems = apply(
        r#"define = { __A__ = "two words", "a-b" = 1 }
[resolve]
alias = [{ find = "x" }]
extensions = ["ts"]
[server]
https = { key = "k.pem" }
headers = { Access-Control-Allow-Origin = "*", Content-Length = "1" }
cors = { origin = "example.test" }
[server.proxy]
api = "http://localhost:1"
"/a" = "localhost:1"
"/b" = { change_origin = true }
"/c" = { target = "http://localhost:1", rewrite = [{ from = "(", to = "" }], changeOrigin = true }
[hmr]
path = "../x"
"#,
    )
    .unwrap_err();
    assert!(problems.len() >= 8 && problems.iter().all(|problem| problem.place.is_some()), "{problems:?}");
}

#[cfg(unix)]
#[test]
fn the_preview_takes_what_it_does_not_say_from_the_server() {
    let mut config = Config::new("/project");
    let text = "[preview]\nport = 4200\nhost = false\nproxy = { \"/api\" = \"http://localhost:1\" }\n\
                [server]\nhost = true\nstrict_port = true\nallowed_hosts = [\"a.test\"]\n[build]\nout_dir = \"out\"\n";
    apply_text(text, "rekindle.toml", &mut config).unwrap();
    let preview = config.preview_server();
    assert_eq!((preview.port, preview.host, preview.strict_port), (4200, None, true));
    assert_eq!((preview.proxy.len(), config.server.proxy.len()), (1, 0));
    assert_eq!(preview.allowed_hosts, ["a.test"]);
    assert_eq!(config.server.host.as_deref(), Some("0.0.0.0"));
    assert_eq!(config.build.out_dir, Path::new("/project/out"));

    let problems =
        apply_text("[preview]\nprot = 1\nhttps = { key = \"k\" }\n", "rekindle.toml", &mut config).unwrap_err();
    assert!(problems[0].message.contains("`prot` in [preview]"), "{problems:?}");
    assert!(problems[1].message.starts_with("`preview.https` needs both"), "{problems:?}");
}

#[test]
fn what_a_build_is_told_arrives() {
    use crate::SourceMaps;
    let config = apply(
        r#"
        base = "./"
        [build]
        out_dir = "out"
        target = ["chrome90", "es2020"]
        css_target = "safari15"
        sourcemap = "hidden"
        manifest = true
        assets_inline_limit = 0
        input = ["./a.html", "docs/b.html"]
        "#,
    )
    .unwrap();
    let build = config.build;
    assert!(build.relative_base && build.out_dir.ends_with("out"));
    assert_eq!(build.target, ["chrome90", "es2020"]);
    assert_eq!(build.css_target, Some(vec!["safari15".to_owned()]));
    assert_eq!((build.sourcemap, build.assets_inline_limit), (SourceMaps::Hidden, 0));
    assert_eq!(build.manifest.as_deref(), Some(".vite/manifest.json"));
    let inputs = |build: &crate::BuildSettings| -> Vec<(Option<String>, PathBuf)> {
        build.input.iter().map(|input| (input.name.clone(), input.path.clone())).collect()
    };
    assert_eq!(inputs(&build), [(None, PathBuf::from("a.html")), (None, "docs/b.html".into())]);
    let named = apply("[build.input]\n\"app/main\" = \"src/app.ts\"").unwrap().build;
    assert_eq!(inputs(&named), [(Some("app/main".to_owned()), "src/app.ts".into())]);
    for wrong in
        ["target = \"netscape4\"", "sourcemap = \"yes\"", "assets_dir = \"../x\"", "outdir = \"x\"", "minify = 1"]
    {
        assert!(apply(&format!("[build]\n{wrong}")).is_err(), "{wrong}");
    }
}

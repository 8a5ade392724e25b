//! Sheets and what they compile to; those of CSS modules are in `modules.rs`.

mod modules;

use std::path::{Path, PathBuf};

use expect_test::{Expect, expect};

use super::*;

const ROOT: &str = "/app";

/// Files of a project by their path from the root; `node_modules/<specifier>` and a leading `@/` are resolved.
struct Project<'a>(&'a [(&'a str, &'a str)]);

impl Project<'_> {
    fn has(&self, path: &Path) -> bool {
        self.text(path).is_some()
    }

    fn text(&self, path: &Path) -> Option<String> {
        let name = path.strip_prefix(ROOT).ok()?.to_str()?;
        self.0.iter().find(|(file, _)| *file == name).map(|(_, text)| (*text).to_owned())
    }

    fn compile(&self, file: &str) -> Result<StyleOutput, StyleError> {
        let path = Path::new(ROOT).join(file);
        let source = self.text(&path).unwrap();
        let display = |path: &Path| path.strip_prefix(ROOT).unwrap_or(path).display().to_string();
        let resolve = |specifier: &str, from: &Path| {
            let path = if let Some(rest) = specifier.strip_prefix('/') {
                Path::new(ROOT).join(rest)
            } else if let Some(rest) = specifier.strip_prefix("@/") {
                Path::new(ROOT).join("src").join(rest)
            } else if specifier.starts_with('.') {
                normal(&from.parent().unwrap().join(specifier))
            } else {
                Path::new(ROOT).join("node_modules").join(specifier)
            };
            self.has(&path).then_some(path)
        };
        let read = |path: &Path| self.text(path).ok_or_else(|| std::io::ErrorKind::NotFound.into());
        compile_style(&StyleInput {
            file: &path,
            source: &source,
            modules: file.contains(".module."),
            options: &StyleOptions::default(),
            display: &display,
            resolve: &resolve,
            read: &read,
        })
    }
}

fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            std::path::Component::ParentDir => drop(normal.pop()),
            std::path::Component::CurDir => {}
            other => normal.push(other),
        }
    }
    normal
}

/// Compiles the first file and writes down all that comes out.
fn check(files: &[(&str, &str)], expected: Expect) {
    let mut text = String::new();
    match Project(files).compile(files[0].0) {
        Ok(output) => {
            text.push_str(&output.css);
            for url in &output.urls {
                text.push_str(&format!("{} = {}\n", url.placeholder, url.specifier));
                if let Some((start, end)) = url.offset {
                    assert!(files[0].1.get(start as usize..end as usize).is_some());
                }
            }
            for (name, value) in output.class_map.iter().flatten() {
                text.push_str(&format!("{name} → {value}\n"));
            }
            if !output.files.is_empty() {
                let files: Vec<_> = output.files.iter().map(ToString::to_string).collect();
                text.push_str(&format!("files {}\n", files.join(" ")));
            }
            for warning in &output.warnings {
                text.push_str(&format!("warning {}: {}\n", warning.location().unwrap_or_default(), warning.message));
            }
        }
        Err(error) => {
            for diagnostic in &error.diagnostics {
                text.push_str(&format!("{}: {}\n", diagnostic.location().unwrap_or_default(), diagnostic.message));
                text.push_str(&format!("{}\n", diagnostic.frame.as_deref().unwrap_or("(no frame)")));
                text.push_str(&diagnostic.help.as_deref().map(|help| format!("help: {help}\n")).unwrap_or_default());
            }
            let files: Vec<_> = error.files.iter().map(ToString::to_string).collect();
            text.push_str(&format!("files {}\n", files.join(" ")));
        }
    }
    expected.assert_eq(&text);
}

#[test]
fn imports_are_inlined_with_their_conditions() {
    check(
        &[
            (
                "src/a.css",
                "@layer base, ui;\n@import 'reset.css' layer(base);\n@import url(\"./deep/b.css\") supports(display: grid) screen;\n.a { color: red }",
            ),
            ("src/reset.css", "* { margin: 0 }"),
            ("src/deep/b.css", "@import '../c.css' print;\n.b { background: url(img/b.png) }"),
            ("src/c.css", ".c { & .d { color: blue } }"),
        ],
        expect![[r#"
            @layer base, ui;

            @layer base {
              * {
                margin: 0;
              }
            }

            @media screen {
              @supports (display: grid) {
                @media print {
                  .c {
                    & .d {
                      color: #00f;
                    }
                  }
                }
              }
            }

            @media screen {
              @supports (display: grid) {
                .b {
                  background: url("__rekindle_url_0__");
                }
              }
            }

            .a {
              color: red;
            }
            __rekindle_url_0__ = ./deep/img/b.png
            files /app/src/reset.css /app/src/deep/b.css /app/src/c.css
        "#]],
    );
}

#[test]
fn the_last_import_of_a_sheet_decides() {
    check(
        &[
            ("a.css", "@import './x.css';\n@import './y.css';\n@import './x.css';\n@import './y.css' print;"),
            ("x.css", ".x { color: red }"),
            ("y.css", "@import './x.css'; .y { color: red }"),
        ],
        expect![[r#"
            .y {
              color: red;
            }

            .x {
              color: red;
            }

            @media print {
              .x {
                color: red;
              }
            }

            @media print {
              .y {
                color: red;
              }
            }
            files /app/x.css /app/y.css
        "#]],
    );
}

#[test]
fn a_circle_of_imports_ends() {
    check(
        &[
            ("a.css", "@import './b.css' print; .a { color: red }"),
            ("b.css", "@import './a.css' screen; .b { color: red }"),
        ],
        expect![[r#"
            @media print {
              .b {
                color: red;
              }
            }

            .a {
              color: red;
            }
            files /app/b.css
        "#]],
    );
}

#[test]
fn remote_imports_move_to_the_top() {
    check(
        &[
            (
                "a.css",
                "@layer one, two;\n@import './b.css' layer;\n@import url(https://fonts.example/x.css);\n@import './b.css' layer(two);\n.a { color: red }",
            ),
            (
                "b.css",
                "@import '//cdn.example/y.css' print;\n@namespace svg url(http://www.w3.org/2000/svg);\n.b { color: red }",
            ),
        ],
        expect![[r#"
            @layer one, two;
            @import "//cdn.example/y.css" layer(rekindle-anonymous-0) print;
            @import "https://fonts.example/x.css";
            @import "//cdn.example/y.css" layer(two) print;
            @namespace svg "http://www.w3.org/2000/svg";

            @layer rekindle-anonymous-0 {
              .b {
                color: red;
              }
            }

            @layer two {
              .b {
                color: red;
              }
            }

            .a {
              color: red;
            }
            files /app/b.css
        "#]],
    );
}

#[test]
fn packages_aliases_and_root_paths_resolve() {
    check(
        &[
            (
                "src/deep/a.css",
                "@import 'pkg/x.css'; @import '~pkg/x.css' print; @import '@/y.css'; @import '/src/y.css' screen;",
            ),
            ("node_modules/pkg/x.css", ".x { background: url(./x.png) }"),
            ("src/y.css", ".y { background: url(@/img.png) }"),
            ("src/img.png", ""),
        ],
        expect![[r#"
            .x {
              background: url("__rekindle_url_0__");
            }

            @media print {
              .x {
                background: url("__rekindle_url_0__");
              }
            }

            .y {
              background: url("__rekindle_url_1__");
            }

            @media screen {
              .y {
                background: url("__rekindle_url_1__");
              }
            }
            __rekindle_url_0__ = ../../node_modules/pkg/x.png
            __rekindle_url_1__ = ../img.png
            files /app/node_modules/pkg/x.css /app/src/y.css
        "#]],
    );
}

#[test]
fn addresses_become_placeholders() {
    check(
        &[(
            "src/a.css",
            ".a {\n  background: url(a.png), url('./b c.svg#icon'), url(\"../c.png?x=1\");\n  mask: url(#m); cursor: url(data:image/png;base64,AA), auto;\n  \
             --bg: url(./d.png); background-image: image-set('e.png' 1x, url(a.png) 2x);\n  border-image: url(/public.png) 3;\n  behavior: var(--x) url(f.htc);\n}\n\
             @font-face { font-family: x; src: url(//cdn/x.woff) format('woff'), url(https://h/x.woff), url(x.woff2) }\n\
             @unknown { a: url(g.png) }",
        )],
        expect![[r##"
            .a {
              background: url("__rekindle_url_0__"), url("__rekindle_url_1__"), url("__rekindle_url_2__");
              mask: url("#m");
              cursor: url("data:image/png;base64,AA"), auto;
              --bg: url("__rekindle_url_3__");
              background-image: image-set("__rekindle_url_4__" 1x, "__rekindle_url_0__" 2x);
              border-image: url("__rekindle_url_5__") 3;
              behavior: var(--x) url("__rekindle_url_6__");
            }

            @font-face {
              font-family: x;
              src: url("//cdn/x.woff") format("woff"), url("https://h/x.woff"), url("__rekindle_url_7__");
            }

            @unknown {
              a: url("__rekindle_url_8__")
            }
            __rekindle_url_0__ = ./a.png
            __rekindle_url_1__ = ./b c.svg#icon
            __rekindle_url_2__ = ../c.png?x=1
            __rekindle_url_3__ = ./d.png
            __rekindle_url_4__ = ./e.png
            __rekindle_url_5__ = /public.png
            __rekindle_url_6__ = ./f.htc
            __rekindle_url_7__ = ./x.woff2
            __rekindle_url_8__ = ./g.png
        "##]],
    );
}

#[test]
fn a_missing_import_is_shown_where_it_is_written() {
    check(
        &[
            ("src/a.css", "@import './there.css';\n@import './nowhere.css';\n@import 'nopkg/x.css';\n"),
            ("src/there.css", ""),
        ],
        expect![[r#"
            src/a.css:2:10: cannot find `./nowhere.css`
              1 | @import './there.css';
            > 2 | @import './nowhere.css';
                |          ^^^^^^^^^^^^^
              3 | @import 'nopkg/x.css';
            help: there is no file `src/nowhere.css`
            src/a.css:3:10: cannot find `nopkg/x.css`
              1 | @import './there.css';
              2 | @import './nowhere.css';
            > 3 | @import 'nopkg/x.css';
                |          ^^^^^^^^^^^
            help: there is neither a file `src/nopkg/x.css` nor a package of that name
            files /app/src/there.css /app/src/nowhere.css /app/src/nopkg/x.css
        "#]],
    );
}

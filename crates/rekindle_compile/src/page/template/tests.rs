//! Pages and what is made of them.

use expect_test::{Expect, expect};

use super::*;

fn env(name: &str) -> Option<String> {
    match name {
        "VITE_TITLE" => Some("A <b> & \"c\"".to_owned()),
        "BASE_URL" => Some("/".to_owned()),
        _ => None,
    }
}

#[test]
fn a_page_says_where_its_addresses_begin() {
    let seen = |base: &str, address: &str| below_base(base, address);
    assert_eq!(seen("/", "./a.js?x"), "/a.js?x");
    assert_eq!(seen("/sub/page.html", "../a.js"), "/a.js");
    assert_eq!(seen("/sub/", "/a.js"), "/a.js");
    assert_eq!(seen("../lib/", "./a.js"), "../lib/a.js");
    assert_eq!(seen("#top", "./a.js"), "./a.js");
    assert_eq!(seen("https://cdn.test/x/y", "a.js"), "https://cdn.test/x/a.js");
    let page = parse_page(
        "<base target=_top><base href=/lib/><base href=/no/><script type=module src=a.js></script><img src=b.png><img src=/c.png>",
        &env,
    );
    assert!(matches!(&page.scripts[0], PageScript::External { specifier, .. } if specifier == "/lib/a.js"));
    let assets: Vec<&str> = page.assets.iter().map(|asset| asset.specifier.as_str()).collect();
    assert_eq!(assets, ["/lib/b.png", "/c.png"]);
}

#[test]
fn what_nobody_fills_in_is_noticed() {
    let of = |page: &str| parse_page(page, &env).unfilled;
    assert_eq!(of("<p>\n<%= title %></p>"), Some(UnfilledTemplate::Template { line: 2 }));
    assert_eq!(of("<script>const t = '<%= x %>'</script><!-- <% x %> -->"), None);
    assert_eq!(of("<head><title>x</title></head><body>\n<div id=root></div></body>"), Some(UnfilledTemplate::Blank));
    assert_eq!(of("<body><div></div><template><p>x</p></template></body>"), Some(UnfilledTemplate::Blank));
    for shown in ["text", "<img src=a.png>", "<script src=a.js></script>", "<meta http-equiv=refresh content=0>"] {
        assert_eq!(of(&format!("<head><title>x</title></head><body>{shown}</body>")), None, "{shown}");
    }
}

/// The page with its places in double brackets, then what was taken out.
fn check(source: &str, expected: Expect) {
    let page = parse_page(source, &env);
    let mut text = String::new();
    for piece in &page.pieces {
        match piece {
            Piece::Text(piece) => text.push_str(piece),
            Piece::Head => text.push_str("[[head]]"),
            Piece::HeadEnd => {}
            Piece::Boot => text.push_str("[[boot]]"),
            Piece::Link(index) => text.push_str(&format!("[[link {}]]", page.links[*index].specifier)),
            Piece::Asset(index) => text.push_str(&format!("[[asset {}]]", page.assets[*index].specifier)),
            Piece::Import(index) => text.push_str(&format!("[[import {}]]", page.imports[*index])),
        }
    }
    for script in &page.scripts {
        match script {
            PageScript::External { specifier, offset } => {
                assert!(source[*offset..].starts_with(specifier.as_str()), "{offset}");
                text.push_str(&format!("\nscript {specifier}"));
            }
            PageScript::Inline { code, offset } => {
                assert!(source[*offset..].starts_with(code.as_str()), "{offset}");
                text.push_str(&format!("\ncode {code:?}"));
            }
        }
    }
    expected.assert_eq(&text);
}

#[test]
fn a_whole_page_keeps_all_but_its_module_scripts() {
    check(
        "<!doctype html>\n<html>\n<head>\n<meta charset=utf-8>\n<link rel=\"stylesheet\" href=\"./a.css?x=1&amp;y\">\n</head>\n\
         <body>\n<div  id='app' ></div>\n<script type=\"module\" src=\"/src/main.tsx\"></script>\n\
         <script type='Module' async>\nconst a = '%OTHER%' < 1 && \"</div>\"\n</script>\n<p>end</body></html>\n",
        expect![[r#"
            <!doctype html>
            <html>
            <head>[[head]]
            <meta charset=utf-8>
            <link rel="stylesheet" href="[[link ./a.css?x=1&y]]">
            </head>
            <body>
            <div  id='app' ></div>
            [[boot]]

            <p>end</body></html>

            script /src/main.tsx
            code "\nconst a = '%OTHER%' < 1 && \"</div>\"\n""#]],
    );
}

#[test]
fn pages_without_head_or_html_work() {
    check(
        "<!doctype html><script type=module src=./main.js></script>",
        expect![[r#"
            <!doctype html>[[head]][[boot]]
            script ./main.js"#]],
    );
    check("<p>one</p>", expect!["[[head]]<p>one</p>[[boot]]"]);
    check("", expect!["[[head]][[boot]]"]);
    check("just text", expect!["just text[[head]][[boot]]"]);
    check("<html lang=en><body>x</body></html>", expect!["<html lang=en>[[head]]<body>x[[boot]]</body></html>"]);
    check("<html><body>x</html>", expect!["<html>[[head]]<body>x</html>[[boot]]"]);
    check("<!-- <head> --><title>x</title>", expect!["<!-- <head> -->[[head]]<title>x</title>[[boot]]"]);
}

#[test]
fn an_unclosed_script_reaches_to_the_end() {
    check(
        "<p>x</p><script type=module>let a = 1",
        expect![[r#"
            [[head]]<p>x</p>[[boot]]
            code "let a = 1""#]],
    );
}

#[test]
fn local_addresses_become_assets() {
    check(
        "<img src=./a.png srcset=\"./a.png 1x, ./b.png 2x\"><img srcset=\"./c.png,./d.png 2x\">\n\
         <link rel=\"shortcut icon\" href=\"%BASE_URL%favicon.ico\"><video poster='p.jpg' src=\"v.mp4\"></video>\n\
         <svg><use href=\"./s.svg#one\"/><use href=\"#two\"/></svg><object data=\"o.pdf\"></object>\n\
         <script src=\"/old.js\"></script><meta property=\"og:image\" content=\"./og.png\">",
        expect![[r##"
            [[head]]<img src="[[asset ./a.png]]" srcset="[[asset ./a.png]] 1x, [[asset ./b.png]] 2x"><img srcset="[[asset ./c.png,./d.png]] 2x">
            <link rel="shortcut icon" href="[[asset /favicon.ico]]"><video poster='[[asset p.jpg]]' src="[[asset v.mp4]]"></video>
            <svg><use href="[[asset ./s.svg#one]]"/><use href="#two"/></svg><object data="[[asset o.pdf]]"></object>
            <script src="[[asset /old.js]]"></script><meta property="og:image" content="[[asset ./og.png]]">[[boot]]"##]],
    );
}

#[test]
fn addresses_elsewhere_are_left_alone() {
    let page = "<img src=\"https://x.y/a.png\"><img src=\"//x.y/a.png\"><img src=\"data:image/png;base64,AA==\"><img src=\"\">\
         <a href=\"./page.html\">x</a><script type=module src=\"https://cdn/x.js\"></script><script src=\"HTTP://x/y.js\"></script>\
         <link rel=canonical href=\"/x\"><script type=importmap>{\"imports\":{}}</script><img srcset=\"https://x/a 1x\">\
         <link rel=stylesheet href=\"https://fonts/x.css\"><link rel=preload as=script href=\"/a.js\">";
    let template = parse_page(page, &env);
    assert_eq!(template.pieces, [Piece::Head, Piece::HeadEnd, Piece::Text(page.to_owned()), Piece::Boot]);
}

#[test]
fn modules_that_plain_scripts_and_handlers_import_have_their_places() {
    check(
        "<script>import('./a.js')</script><button onclick=\"import('/b.js').then(m => m.run())\"></button>\
         <script src=x>import('./no.js')</script><script type=text/x>import('./no.js')</script>\
         <template><script>import('./no.js')</script></template><script>import('bare'); import('https://x/y.js')</script>",
        expect![[
            r#"[[head]]<script>import('[[import ./a.js]]')</script><button onclick="import('[[import /b.js]]').then(m => m.run())"></button><script src="[[asset x]]">import('./no.js')</script><script type=text/x>import('./no.js')</script><template><script>import('./no.js')</script></template><script>import('bare'); import('https://x/y.js')</script>[[boot]]"#
        ]],
    );
    check(
        "<base href=/sub/><script>import('./a.js')</script>",
        expect!["[[head]]<base href=/sub/><script>import('[[import /sub/a.js]]')</script>[[boot]]"],
    );
}

#[test]
fn known_names_are_replaced_and_escaped() {
    check(
        "<title>%VITE_TITLE% at 100% %UNKNOWN% 5%%BASE_URL%</title><p title=\"%VITE_TITLE%\"></p><script>x = '%BASE_URL%'</script>",
        expect![[
            r#"[[head]]<title>A &lt;b&gt; &amp; &quot;c&quot; at 100% %UNKNOWN% 5%/</title><p title="A &lt;b&gt; &amp; &quot;c&quot;"></p><script>x = '/'</script>[[boot]]"#
        ]],
    );
}

#[test]
fn vite_ignore_keeps_an_element_as_it_is() {
    check(
        "<script type=module vite-ignore src=\"./x.js\"></script><img src=\"./a.png\" vite-ignore=\"yes\">",
        expect![[r#"[[head]]<script type=module src="./x.js"></script><img src="./a.png">[[boot]]"#]],
    );
}

#[test]
fn addresses_in_noscript_count_and_scripts_in_it_do_not() {
    check(
        "<head><noscript><link rel=stylesheet href=./a.css></noscript></head><body><noscript>\n<img src='./a.png'>\
         <script type=module src=./no.js></script></noscript><script type=module src=./x.js></script></body>",
        expect![[r#"
            <head>[[head]]<noscript><link rel=stylesheet href="[[link ./a.css]]"></noscript></head><body><noscript>
            <img src='[[asset ./a.png]]'><script type=module src=./no.js></script></noscript>[[boot]]</body>
            script ./x.js"#]],
    );
}

#[test]
fn elements_that_fetch_a_module_by_itself_go() {
    let page = "<link rel=modulepreload href=/src/x.ts><link rel=preload as=script href=/src/x.ts><link rel=modulepreload href=/lib.js>";
    let template = parse_page_for_build(page, &env, &|specifier| specifier.ends_with(".ts"));
    let assets: Vec<&str> = template.assets.iter().map(|asset| asset.specifier.as_str()).collect();
    assert_eq!(assets, ["/lib.js"]);
    assert!(!template.pieces.iter().any(|piece| matches!(piece, Piece::Text(text) if text.contains(".ts"))));
    let served = parse_page(page, &env);
    assert_eq!(served.pieces[2], Piece::Text("<link rel=preload as=script href=/src/x.ts>".to_owned()));
}

#[test]
fn what_stays_as_it_is_is_told() {
    let page = "<link rel=icon href=./i.svg><img src=./i.svg><p style=\"background: url('./a.png')\">%VITE_NOPE% 5% x</p>\
         <style>a { background: url(b.png), url(https://x/y), url(\"data:,\") }</style>";
    let template = parse_page(page, &env);
    assert_eq!(template.style_urls, ["./a.png", "b.png"]);
    assert_eq!(template.unknown_env, ["VITE_NOPE"]);
    let files: Vec<bool> = template.assets.iter().map(|asset| asset.wants_file).collect();
    assert_eq!(files, [true, false]);
}

#[test]
fn attributes_without_value_do_not_disturb_others() {
    check(
        "<script async type=module crossorigin src=\"./x.js\"></script><video autoplay src=v.mp4 loop></video>",
        expect![[r#"
            [[head]][[boot]]<video autoplay src="[[asset v.mp4]]" loop></video>
            script ./x.js"#]],
    );
}

#[test]
fn scripts_that_do_not_run_stay() {
    let page = "<!-- <script type=module src=a.js></script> --><template><script type=module src=\"b.js\"></script></template>\
         <textarea><script type=module src=c.js></script></textarea>";
    let template = parse_page(page, &env);
    assert_eq!(template.scripts, []);
    assert_eq!(
        template.pieces,
        [
            Piece::Text(page[..47].to_owned()),
            Piece::Head,
            Piece::HeadEnd,
            Piece::Text(page[47..].to_owned()),
            Piece::Boot
        ]
    );
}

#[test]
fn text_beyond_ascii_keeps_its_place() {
    check(
        "\u{feff}<p>größe 日本</p><script type=module src=\"./ä.js\"></script>",
        expect![[r#"
            ﻿[[head]]<p>größe 日本</p>[[boot]]
            script ./ä.js"#]],
    );
}

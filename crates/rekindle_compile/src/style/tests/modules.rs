//! CSS modules: names, what they are composed of, and values.

use super::*;

#[test]
fn names_of_a_module_are_unique_and_listed_in_source_order() {
    check(
        &[(
            "src/b.module.css",
            ".zeta-x { color: red; animation: spin 1s, global-fade 1s; animation-name: spin }\n.alpha:not(.beta) > .gamma { animation: var(--d) spin }\n\
             :global(.outside) .in { grid-area: main; view-transition-name: card }\n#id { counter-reset: n }\n\
             @keyframes spin { to { rotate: 1turn } }\n.sm\\:flex { color: red }\n@media print { .zeta-x { color: blue } }",
        )],
        expect![[r#"
            ._zeta-x_d22db4 {
              color: red;
              animation: 1s _spin_d22db4, 1s global-fade;
              animation-name: _spin_d22db4;
            }

            ._alpha_d22db4:not(._beta_d22db4) > ._gamma_d22db4 {
              animation: var(--d) _spin_d22db4;
            }

            .outside ._in_d22db4 {
              grid-area: main;
              view-transition-name: card;
            }

            #_id_d22db4 {
              counter-reset: n;
            }

            @keyframes _spin_d22db4 {
              to {
                rotate: 1turn;
              }
            }

            ._sm\:flex_d22db4 {
              color: red;
            }

            @media print {
              ._zeta-x_d22db4 {
                color: #00f;
              }
            }
            zeta-x → _zeta-x_d22db4
            alpha → _alpha_d22db4
            beta → _beta_d22db4
            gamma → _gamma_d22db4
            in → _in_d22db4
            id → _id_d22db4
            spin → _spin_d22db4
            sm:flex → _sm:flex_d22db4
        "#]],
    );
}

#[test]
fn classes_are_composed_from_here_from_files_and_from_global() {
    check(
        &[
            (
                "src/a.module.css",
                ".a { composes: b; composes: x y from './other.module.css'; composes: g from global; color: red }\n.b { composes: c }\n.c { color: blue }",
            ),
            ("src/other.module.css", ".x { composes: z from './third.module.css'; color: red }\n.y { color: red }"),
            ("src/third.module.css", ".z { background: url(z.png) }"),
        ],
        expect![[r#"
            ._z_da6d17 {
              background: url("__rekindle_url_0__");
            }

            ._x_fb7236 {
              color: red;
            }

            ._y_fb7236 {
              color: red;
            }

            ._a_8f563b {
              color: red;
            }

            ._b_8f563b {
            }

            ._c_8f563b {
              color: #00f;
            }
            __rekindle_url_0__ = ./z.png
            a → _a_8f563b g _b_8f563b _c_8f563b _x_fb7236 _z_da6d17 _y_fb7236
            b → _b_8f563b _c_8f563b
            c → _c_8f563b
            files /app/src/other.module.css /app/src/third.module.css
        "#]],
    );
}

#[test]
fn names_of_imported_sheets_belong_to_the_module() {
    check(
        &[
            ("a.module.css", "@import './base.css';\n.a { composes: base; color: red }"),
            ("base.css", ".base { color: red }"),
        ],
        expect![[r#"
            ._base_183cf8 {
              color: red;
            }

            ._a_183cf8 {
              color: red;
            }
            a → _a_183cf8 _base_183cf8
            base → _base_183cf8
            files /app/base.css
        "#]],
    );
}

#[test]
fn compositions_that_lead_nowhere_are_told() {
    check(
        &[
            ("a.module.css", ".a { composes: nothing; composes: no from './b.module.css'; color: red }"),
            ("b.module.css", ".b { composes: a from './a.module.css' }"),
        ],
        expect![[r#"
            ._b_a13ee7 {
            }

            ._a_183cf8 {
              color: red;
            }
            a → _a_183cf8
            files /app/b.module.css
            warning a.module.css: `a.module.css` has no class `nothing` to compose
            warning a.module.css: `b.module.css` has no class `no` to compose
        "#]],
    );
    check(
        &[("a.module.css", ".a { composes: x from './none.css' }\n.a .b { composes: c }\n.c { .d { composes: c } }")],
        expect![[r#"
        a.module.css:2:9: `composes` cannot be used here
          1 | .a { composes: x from './none.css' }
        > 2 | .a .b { composes: c }
            |         ^^^^^^^^
          3 | .c { .d { composes: c } }
        help: it works in a rule whose selector is a single class, outside of other rules
        a.module.css:3:11: `composes` cannot be used here
          1 | .a { composes: x from './none.css' }
          2 | .a .b { composes: c }
        > 3 | .c { .d { composes: c } }
            |           ^^^^^^^^
        help: it works in a rule whose selector is a single class, outside of other rules
        a.module.css:1:24: cannot find `./none.css`
        > 1 | .a { composes: x from './none.css' }
            |                        ^^^^^^^^^^
          2 | .a .b { composes: c }
          3 | .c { .d { composes: c } }
        help: there is no file `none.css`
        files /app/none.css
    "#]],
    );
}

#[test]
fn a_hash_depends_on_the_path_alone() {
    let class = |source: &str| {
        Project(&[("src/a.module.css", source)]).compile("src/a.module.css").unwrap().class_map.unwrap()[0].1.clone()
    };
    assert_eq!(class(".a { color: red }"), class(".a { color: blue }\n.b { color: red }"));
}

#[test]
fn what_a_browser_skips_does_not_stop_the_sheet() {
    check(
        &[(
            "a.css",
            "@charset \"utf-8\";\n.a { color red; *zoom: 1; _height: 1px; filter: progid:DXImageTransform.Microsoft.gradient(startColorstr='#1', endColorstr='#2'); color: blue; }\n\
             .b:unknown-thing { color: re } .c::what { color: red }\n\
             @tailwind base;\n.d { @apply font-bold; }\n@import './late.css';\n.e { color: var(--x,) } .f { width: 10p; }\n\
             <!-- .g { color: red } -->\n.h { color: red;; }\n.i { color: red",
        )],
        expect![[r##"
            .a {
              _height: 1px;
              filter: progid:DXImageTransform.Microsoft.gradient(startColorstr="#1", endColorstr="#2");
              color: #00f;
            }

            .b:unknown-thing {
              color: re;
            }

            .c::what {
              color: red;
            }

            @tailwind base;

            .d {
              @apply font-bold;
            }

            .e {
              color: var(--x, );
            }

            .f {
              width: 10p;
            }

            .g {
              color: red;
            }

            .h {
              color: red;
            }

            .i {
              color: red;
            }
            warning a.css:2:11: this is not valid CSS: browsers skip it
            warning a.css:2:25: unexpected `;`
            warning a.css:6:8: `@import` after other rules is ignored
        "##]],
    );
}

#[test]
fn mistakes_cost_what_a_browser_skips_and_are_warned_of() {
    check(
        &[("a.css", ".a { color: red }}\n.b { color: blue }")],
        expect![[r#"
            .a {
              color: red;
            }
            warning a.css:1:18: unexpected `}`
        "#]],
    );
    check(
        &[("a.css", ".a { color: red }\n.b")],
        expect![[r#"
            .a {
              color: red;
            }
            warning a.css:2:3: the stylesheet ends in the middle of a rule
        "#]],
    );
    check(
        &[("a.css", ".a { content: 'open\n}\n.b { color: red }")],
        expect![[r#"
            .a {
            }

            .b {
              color: red;
            }
            warning a.css:1:15: a string that is not closed on its line: browsers skip the declaration
        "#]],
    );
    check(
        &[("a.css", ".a { color: red; ) }")],
        expect![[r#"
            .a {
              color: red;
            }
            warning a.css:1:20: this is not valid CSS: browsers skip it
        "#]],
    );
    check(
        &[("a.css", "{ color: red }\n.a, { color: red }\n.b { color: red }")],
        expect![[r#"
        .b {
          color: red;
        }
        warning a.css:1:1: invalid empty selector
        warning a.css:2:5: invalid empty selector
    "#]],
    );
}

#[test]
fn values_come_from_other_files_and_a_missing_one_is_told() {
    check(
        &[
            (
                "a.module.css",
                "@value x: red;\n@value y from './b.css';\n.a { color: x; composes: c from './b.css' }\n@media y { .a { top: 0 } }",
            ),
            ("b.css", "@value y: (width > 1px);\n.c { top: y }"),
        ],
        expect![[r#"
            ._c_35ba05 {
              top: (width > 1px);
            }

            ._a_183cf8 {
              color: red;
            }

            @media (width > 1px) {
              ._a_183cf8 {
                top: 0;
              }
            }
            a → _a_183cf8 _c_35ba05
            x → red
            y → (width > 1px)
            files /app/b.css
        "#]],
    );
    check(
        &[("a.module.css", "@value x from './none.css';\n.a { color: x }")],
        expect![[r#"
            a.module.css:1:7: this `@value` cannot be understood
            > 1 | @value x from './none.css';
                |       ^
              2 | .a { color: x }
            help: write `@value name: value;`, or `@value name from './other.css';` where that file has the name
            files /app/none.css
        "#]],
    );
}

#[test]
fn what_follows_global_without_parentheses_keeps_its_names() {
    check(
        &[(
            "a.module.css",
            ":global .a .b, .c { color: red }\n.d :global { .e { top: 0 } .f & { top: 1px } }\n:global {\n  .g:hover, #h { top: 0 }\n  @media print { .i { top: 0 } }\n}\n.j :global .k :local .l { top: 0 }",
        )],
        expect![[r#"
            .a .b, ._c_183cf8 {
              color: red;
            }

            ._d_183cf8 {
              & .e {
                top: 0;
              }

              .f & {
                top: 1px;
              }
            }

            .g:hover, #h {
              top: 0;
            }

            @media print {
              .i {
                top: 0;
              }
            }

            ._j_183cf8 .k ._l_183cf8 {
              top: 0;
            }
            c → _c_183cf8
            d → _d_183cf8
            j → _j_183cf8
            l → _l_183cf8
        "#]],
    );
}

#[test]
fn a_bad_declaration_takes_no_neighbour_with_it() {
    check(
        &[(
            "a.css",
            ".a { color: red; foo }\n.b { color: red; *zoom: 1 }\n.c { color: red; ) }\n.e { foo; color: red }\n\
             .f { color: red; .g }\n.h { @media print { color: red; foo } color: blue }\n.i { color: red; foo; foo; *a: b; !; color: green; }",
        )],
        expect![[r#"
            .a {
              color: red;
            }

            .b {
              color: red;
            }

            .c {
              color: red;
            }

            .e {
              color: red;
            }

            .f {
              color: red;
            }

            .h {
              @media print {
                color: red;
              }

              color: #00f;
            }

            .i {
              color: red;
              color: green;
            }
            warning a.css:1:22: this is not valid CSS: browsers skip it
            warning a.css:2:27: this is not valid CSS: browsers skip it
            warning a.css:3:20: this is not valid CSS: browsers skip it
            warning a.css:4:9: this is not valid CSS: browsers skip it
            warning a.css:5:21: this is not valid CSS: browsers skip it
            warning a.css:6:37: this is not valid CSS: browsers skip it
            warning a.css:7:21: this is not valid CSS: browsers skip it
            warning a.css:7:26: this is not valid CSS: browsers skip it
            warning a.css:7:33: unexpected `;`
            warning a.css:7:36: unexpected `;`
        "#]],
    );
}

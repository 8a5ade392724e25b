//! Small programs, compiled and run in Node by the client's own registry; where Node can run the same sources as
//! ECMAScript modules, both must log the same lines.
//!
//! `log(…)` writes a line, `later(ms)` waits; an error that ends the program is logged as `threw …`.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::HashSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use expect_test::{Expect, expect};
use rekindle_compile::compiler::Compiler;
use rekindle_compile::script::bundle::Exports;
use rekindle_compile::script::bundle::join_modules;
use rekindle_compile::source::Source;
use rekindle_graph::{Definition, FilePath, Link, ModuleUrl};
use tempfile::TempDir;

type Files<'a> = &'a [(&'a str, &'a str)];

/// Runs `main.js` of the program with us and with Node: both log `expect`.
fn check(files: Files, expect: Expect) {
    let program = Program::write(files);
    let native = program.run("native");
    expect.assert_eq(&native);
    program.compile("main.js");
    let ours = program.run("ours");
    assert!(ours == native, "Node says\n{native}\nwe say\n{ours}");
}

/// The same for what Node has not got, or does otherwise. The first file is the entry.
fn check_ours(files: Files, expect: Expect) {
    let program = Program::write(files);
    program.compile(files[0].0);
    expect.assert_eq(&program.run("ours"));
}

struct Program {
    folder: TempDir,
    root: PathBuf,
}

impl Program {
    fn write(files: Files) -> Self {
        let folder = TempDir::new().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for (name, text) in [("package.json", "{ \"type\": \"module\" }")].iter().chain(files) {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Self { folder, root }
    }

    /// Compiles all that `entry` reaches, also by `import()` and globs.
    fn compile(&self, entry: &str) {
        let compiler = Compiler::new(&self.root, None, "/");
        let entry = ModuleUrl::new(format!("/{entry}"));
        let mut pending = vec![(entry.clone(), FilePath::new(self.root.join(&entry.path()[1..])))];
        let mut seen: HashSet<ModuleUrl> = [entry.clone()].into();
        let mut script = String::from("import { $segment } from './client.mjs'\nconst $d = $segment('all')\n");
        while let Some((url, file)) = pending.pop() {
            let compiled = compiler.compile(&url, &file, &Source::File);
            let definition = compiled.result.unwrap_or_else(|errors| panic!("{url} does not compile: {errors:#?}"));
            write_definition(&mut script, &url, &definition, &compiled.links.links, &compiled.links.globs);
            pending.extend(compiled.links.files.into_iter().filter(|(url, _)| seen.insert(url.clone())));
        }
        let out = self.root.join("out");
        std::fs::create_dir_all(&out).unwrap();
        std::fs::write(out.join("definitions.mjs"), script).unwrap();
        std::fs::write(out.join("entry.mjs"), format!("export default [{:?}]", entry.as_str())).unwrap();
        std::fs::write(out.join("client.mjs"), client()).unwrap();
    }

    fn run(&self, mode: &str) -> String {
        let runner = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/execution/run.mjs");
        let output = Command::new("node")
            .args(["--no-warnings", "--stack-size=900"])
            .arg(runner)
            .arg(mode)
            .arg(self.folder.path().canonicalize().unwrap())
            .output()
            .expect("these tests need Node");
        let error = String::from_utf8_lossy(&output.stderr);
        format!("{}{error}", String::from_utf8_lossy(&output.stdout))
    }
}

/// As the server writes them into segments.
fn write_definition(
    script: &mut String,
    url: &ModuleUrl,
    definition: &Definition,
    links: &[Link],
    globs: &[Vec<(String, ModuleUrl)>],
) {
    let links: Vec<serde_json::Value> = links
        .iter()
        .map(|link| match link {
            Link::Module(url) => url.as_str().into(),
            Link::Address(address) => vec![address.as_str()].into(),
            Link::Picked(picked) => {
                let entries =
                    picked.iter().map(|(name, url, there)| (name.clone(), serde_json::json!([url.as_str(), there])));
                serde_json::Value::Object(entries.collect())
            }
            Link::Missing => serde_json::Value::Null,
        })
        .collect();
    let (links, globs) = (serde_json::to_string(&links).unwrap(), serde_json::to_string(globs).unwrap());
    writeln!(script, "$d({:?},{:?},{links},{globs},{});", url.as_str(), &*definition.hash, definition.code).unwrap();
}

fn client() -> &'static str {
    static CLIENT: OnceLock<String> = OnceLock::new();
    CLIENT.get_or_init(|| {
        let script = join_modules(&include!("../../../client/sources.rs"), Exports::Last).expect("the client compiles");
        let socket = "{ protocol: null, host: 'localhost', port: null, path: null }";
        let policies = "bindingsMode = 'live', workerPolicy = 'auto', pagePolicy = 'auto'";
        let settings = format!("const base = '/', socketAt = {socket}, overlayEnabled = false, {policies}");
        format!("let token = 'none';{settings};\n{script}")
    })
}

// ---- bindings

#[test]
fn bindings_are_live_in_both_directions() {
    check(
        &[
            (
                "main.js",
                "import { n, up, default as d, set } from './counter.js'\nimport * as all from './counter.js'\nlog(n, d, all.n)\nup()\nlog(n, d, all.n)\nset(7)\nlog(n, all.n, d)",
            ),
            (
                "counter.js",
                "export let n = 0\nexport default n\nexport function up() { n++ }\nexport function set(value) { ;({ value: n } = { value }) }",
            ),
        ],
        expect![[r#"
            0 0 0
            1 0 1
            7 7 0
        "#]],
    );
}

#[test]
fn a_default_declaration_is_live_and_a_default_expression_is_not() {
    check(
        &[
            (
                "main.js",
                "import f, { change } from './f.js'\nimport v, { changeV } from './v.js'\nimport l, { changeL } from './l.js'\nlog(f(), v, l)\nchange(); changeV(); changeL()\nlog(f(), v, l)",
            ),
            ("f.js", "export default function f() { return 1 }\nexport function change() { f = () => 2 }"),
            ("v.js", "let v = 1\nexport default v\nexport function changeV() { v = 2 }"),
            ("l.js", "let l = 1\nexport { l as default }\nexport function changeL() { l = 2 }"),
        ],
        expect![[r#"
            1 1 1
            2 1 2
        "#]],
    );
}

#[test]
fn bindings_stay_live_through_modules_that_pass_them_on() {
    check(
        &[
            (
                "main.js",
                "import { n, up, renamed, ns } from './a.js'\nlog(n, renamed, ns.n)\nup()\nlog(n, renamed, ns.n)",
            ),
            (
                "a.js",
                "export * from './b.js'\nexport { n as renamed } from './b.js'\nimport * as ns from './b.js'\nexport { ns }",
            ),
            ("b.js", "import { n, up } from './c.js'\nexport { n, up }"),
            ("c.js", "export let n = 1\nexport const up = () => n++"),
        ],
        expect![[r#"
            1 1 1
            2 2 2
        "#]],
    );
}

#[test]
fn functions_are_hoisted_across_a_cycle() {
    check(
        &[
            (
                "main.js",
                "import { early } from './b.js'\nlog('main')\nexport function hoisted() { return 'hoisted' }\nexport default function () { return 'default' }\nlog(early)",
            ),
            (
                "b.js",
                "import d, { hoisted } from './main.js'\nlog(hoisted(), d(), d.name)\nexport const early = hoisted()",
            ),
        ],
        expect![[r#"
            hoisted default default
            main
            hoisted
        "#]],
    );
}

#[test]
fn a_binding_read_too_early_is_a_reference_error() {
    let dead = |kind: &str, declaration: &str| {
        let main = format!("import './b.js'\nexport {declaration}");
        (kind.to_owned(), main)
    };
    let cases = [
        dead("let", "let x = 1"),
        dead("const", "const x = 1"),
        dead("class", "class x {}"),
        dead("default", "default class {}"),
    ];
    for (kind, main) in cases {
        let import = if kind == "default" { "x" } else { "{ x }" };
        let b = format!(
            "import {import} from './main.js'\ntry {{ x }} catch (error) {{ log(error.name) }}\nlog(typeof later)\nx"
        );
        let files = [("main.js", main.as_str()), ("b.js", b.as_str())];
        let program = Program::write(&files);
        let native = program.run("native");
        program.compile("main.js");
        let ours = program.run("ours");
        // The engine's name of a default binding is its own.
        let line = |text: &str| text.lines().take(2).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(line(&native), ["ReferenceError", "function"], "{kind}");
        assert_eq!(line(&ours), line(&native), "{kind}: {ours}");
        assert!(ours.contains("threw ReferenceError: Cannot access '"), "{kind}: {ours}");
    }
}

#[test]
fn a_var_read_too_early_is_undefined() {
    check(
        &[
            ("main.js", "import './b.js'\nexport var v = 1\nlog(v)"),
            ("b.js", "import { v } from './main.js'\nlog(v)\nqueueMicrotask(() => log('later', v))"),
        ],
        expect![[r#"
            undefined
            1
            later 1
        "#]],
    );
}

#[test]
fn imports_are_hoisted_above_the_code_before_them() {
    check(
        &[("main.js", "log('main', a)\nimport { a } from './a.js'"), ("a.js", "log('a')\nexport const a = 1")],
        expect![[r#"
            a
            main 1
        "#]],
    );
}

// ---- stars and re-exports

#[test]
fn stars_leave_default_and_what_is_ambiguous_out() {
    check(
        &[
            ("main.js", "import * as all from './all.js'\nlog(Object.keys(all).join())\nlog(all.same, all.own)"),
            ("all.js", "export * from './a.js'\nexport * from './b.js'\nexport const own = 'mine'"),
            ("a.js", "export const a = 1, clash = 1, own = 2\nexport default 1\nexport { same } from './c.js'"),
            ("b.js", "export const b = 1, clash = 2\nexport { same } from './c.js'"),
            ("c.js", "export const same = 'one binding over two ways'"),
        ],
        expect![[r#"
            a,b,own,same
            one binding over two ways mine
        "#]],
    );
}

#[test]
fn importing_an_ambiguous_name_is_a_syntax_error() {
    let files = [
        ("main.js", "import { clash } from './all.js'\nlog(clash)"),
        ("all.js", "export * from './a.js'\nexport * from './b.js'"),
        ("a.js", "log('a runs')\nexport const clash = 1"),
        ("b.js", "export const clash = 2"),
    ];
    check(
        &files,
        expect![[r#"
        threw SyntaxError
    "#]],
    );
    check(
        &[
            ("main.js", "import './passing.js'"),
            ("passing.js", "export { clash } from './all.js'"),
            files[1],
            files[2],
            files[3],
        ],
        expect![[r#"
            threw SyntaxError
        "#]],
    );
}

// V8 gives `b` the name, though ECMA-262 section 16.2.1.7.2.2 finds it ambiguous.
#[test]
fn a_name_that_is_ambiguous_below_a_cycle_is_so_above_it() {
    check_ours(
        &[
            (
                "main.js",
                "import * as a from './a.js'\nimport * as b from './b.js'\nlog(Object.keys(a).join(), '|', Object.keys(b).join())",
            ),
            ("a.js", "export * from './b.js'\nexport * from './x.js'\nexport const onlyA = 1"),
            ("b.js", "export * from './a.js'\nexport * from './y.js'\nexport const onlyB = 1"),
            ("x.js", "export const clash = 1, x = 1"),
            ("y.js", "export const clash = 2, y = 1"),
        ],
        expect![[r#"
            onlyA,onlyB,x,y | onlyA,onlyB,x,y
        "#]],
    );
}

#[test]
fn stars_may_form_a_cycle() {
    check(
        &[
            (
                "main.js",
                "import * as a from './a.js'\nimport { fromC } from './b.js'\nlog(Object.keys(a).join(), fromC)\nexport * from './a.js'",
            ),
            ("a.js", "export * from './b.js'\nexport const fromA = 'a'"),
            ("b.js", "export * from './c.js'\nexport const fromB = 'b'"),
            ("c.js", "export * from './a.js'\nexport * from './c.js'\nexport const fromC = 'c'"),
        ],
        expect![[r#"
            fromA,fromB,fromC c
        "#]],
    );
}

#[test]
fn a_name_that_only_leads_in_a_circle_is_a_syntax_error() {
    check(
        &[
            ("main.js", "import { x } from './a.js'\nlog(x)"),
            ("a.js", "export { x } from './b.js'"),
            ("b.js", "export { x } from './a.js'"),
        ],
        expect![[r#"
            threw SyntaxError
        "#]],
    );
}

#[test]
fn namespaces_are_passed_on_by_name() {
    check(
        &[
            (
                "main.js",
                "import { ns, again } from './a.js'\nimport * as direct from './b.js'\nlog(ns === direct, again === ns, ns.x)",
            ),
            ("a.js", "export * as ns from './b.js'\nimport * as again from './b.js'\nexport { again }"),
            ("b.js", "export const x = 1"),
        ],
        expect![[r#"
            true true 1
        "#]],
    );
}

// V8 says it is, ECMA-262 section 16.2.1.7.2.2 compares the modules.
#[test]
fn one_namespace_over_two_stars_is_not_ambiguous() {
    check_ours(
        &[
            ("main.js", "import { ns } from './all.js'\nlog(ns.x)"),
            ("all.js", "export * from './p.js'\nexport * from './q.js'"),
            ("p.js", "export * as ns from './b.js'"),
            ("q.js", "export * as ns from './b.js'"),
            ("b.js", "export const x = 1"),
        ],
        expect![[r#"
            1
        "#]],
    );
}

#[test]
fn names_that_are_strings_or_look_like_the_prototype() {
    check(
        &[
            (
                "main.js",
                "import { 'two words' as two, __proto__ as p, constructor as c } from './a.js'\nimport * as ns from './a.js'\nimport { 'again' as again, __proto__ as p2 } from './b.js'\nlog(two, p, c, again, p2)\nlog(Object.keys(ns).join('|'), Object.getPrototypeOf(ns), ns.__proto__, ns['two words'])",
            ),
            (
                "a.js",
                "const x = 1, y = 2\nexport { x as 'two words', y as __proto__, x as constructor, x as toString }",
            ),
            ("b.js", "export { 'two words' as 'again' } from './a.js'\nexport * from './a.js'"),
        ],
        expect![[r#"
            1 2 1 1 2
            __proto__|constructor|toString|two words null 2 1
        "#]],
    );
}

// ---- names

#[test]
fn default_exports_are_named() {
    check(
        &[
            (
                "main.js",
                "import a from './a.js'\nimport b from './b.js'\nimport c from './c.js'\nimport d from './d.js'\nimport e from './e.js'\nimport f from './f.js'\nimport g from './g.js'\nimport h from './h.js'\nfor (const x of [a, b, c, d, e, f, g, h]) log(x.name, Object.getOwnPropertyDescriptor(x, 'name').writable)",
            ),
            ("a.js", "export default function () {}"),
            ("b.js", "export default class {}"),
            ("c.js", "export default () => {}"),
            ("d.js", "export default async function* () {}"),
            ("e.js", "export default (class {})"),
            ("f.js", "export default function named() {}"),
            ("g.js", "export default class Named {}"),
            ("h.js", "const local = () => {}\nexport default local"),
        ],
        expect![[r#"
            default false
            default false
            default false
            default false
            default false
            named false
            Named false
            local false
        "#]],
    );
}

#[test]
fn a_default_class_with_its_own_name_keeps_it() {
    check(
        &[
            ("main.js", "import c from './c.js'\nlog(c.name, c.seen)"),
            ("c.js", "export default class { static name = 'mine'; static seen = this.name }"),
        ],
        expect![[r#"
            mine mine
        "#]],
    );
}

#[test]
fn functions_and_classes_keep_their_names() {
    check(
        &[
            ("main.js", "import { f, C, arrow, method } from './a.js'\nlog(f.name, C.name, arrow.name, method.name)"),
            (
                "a.js",
                "export function f() {}\nexport class C {}\nexport const arrow = () => {}\nexport const { method } = { method() {} }",
            ),
        ],
        expect![[r#"
            f C arrow method
        "#]],
    );
}

#[test]
fn shadowed_imports_are_the_inner_names() {
    check(
        &[
            (
                "main.js",
                "import { a, b } from './a.js'\nfunction param(a) { return a }\nfunction local() { const a = 'local'; return { a, b } }\nconst inner = function a() { return typeof a }\nlog(param('param'), local(), inner(), a)\nfor (const a of ['loop']) log(a)\ntry { throw 'caught' } catch (a) { log(a) }\n{ function a() {} log(typeof a) }\na: for (;;) break a\nlog({ a, b, get c() { return a } }.c, { a }.a, (({ a }) => a)({ a: 'destructured' }), ((x = a, { a: y = b } = {}) => [x, y])())\nclass K { a = a; static b = b; ['x' + a] = 1 }\nlog(new K(), K.b)",
            ),
            ("a.js", "export const a = 'import', b = 'b'"),
        ],
        expect![[r#"
            param { a: 'local', b: 'b' } function import
            loop
            caught
            function
            import import destructured [ 'import', 'b' ]
            K { a: 'import', ximport: 1 } b
        "#]],
    );
}

#[test]
fn names_of_the_wrapper_are_free() {
    check(
        &[
            (
                "main.js",
                "import { $0, $x } from './a.js'\nimport $default, { $m as $r } from './b.js'\nconst $n = 1\nlet $1 = $0 + $x\nlog($0, $x, $default, $r, $n, $1, import.meta.url.includes('main.js'))\nexport default () => $n",
            ),
            ("a.js", "export const $0 = 1, $x = 2\nconst $n = 3, $$x = 4\nlog($n, $$x)"),
            ("b.js", "const $default = 'd', $m = 'm'\nexport { $default as default, $m }\nlog(typeof $x, typeof $1)"),
        ],
        expect![[r#"
            3 4
            undefined undefined
            1 2 d m 1 3 true
        "#]],
    );
}

// ---- this, calls, globals

#[test]
fn calls_of_imports_have_the_this_they_should() {
    check(
        &[
            (
                "main.js",
                "import f, { tag, o, k as K } from './a.js'\nimport * as ns from './a.js'\nlog(f(), f?.(), tag`x`, ns.default() === ns, ns.tag`x` === ns, o.m() === o, o?.m?.() === o, (0, ns.default)())\nlog(new K().me, new ns.k().me, f.call('given'), [f].map((g) => g())[0])\nconst { tag: t } = ns\nlog(t(), (ns.default)() === ns, ns?.default() === ns)",
            ),
            (
                "a.js",
                "export default function () { return this }\nexport function tag() { return this }\nexport const o = { m() { return this } }\nexport class k { me = this.constructor.name }",
            ),
        ],
        expect![[r#"
            undefined undefined undefined true true true true undefined
            k k given undefined
            undefined true true
        "#]],
    );
}

#[test]
fn modules_are_strict_and_this_is_undefined() {
    check(
        &[(
            "main.js",
            "log(this, (() => this)(), typeof this)\nlog((function () { return this })())\ntry { undeclared = 1 } catch (error) { log(error.name, error.message) }\ntry { Object.freeze({}).x = 1 } catch (error) { log(error.name) }\nlog(typeof arguments, (() => typeof arguments)(), (function () { return arguments.length })(1, 2))\ntry { arguments } catch (error) { log(error.name) }\nlog(eval('typeof leaked'), (eval('var inEval = 1'), typeof inEval))",
        )],
        expect![[r#"
            undefined undefined undefined
            undefined
            ReferenceError undeclared is not defined
            TypeError
            undefined undefined 2
            ReferenceError
            undefined undefined
        "#]],
    );
}

#[test]
fn nothing_leaks_into_the_global_object() {
    check(
        &[
            (
                "main.js",
                "const before = Reflect.ownKeys(globalThis).length\nvar v = 1\nfunction f() {}\nlet l\nclass C {}\nimport './a.js'\nlog(Reflect.ownKeys(globalThis).length === before, 'v' in globalThis, 'f' in globalThis, typeof fromA)",
            ),
            ("a.js", "var fromA = 1\nfunction alsoFromA() {}"),
        ],
        expect![[r#"
            true false false undefined
        "#]],
    );
}

// ---- namespace objects

#[test]
fn namespace_objects_are_what_the_standard_says() {
    check(
        &[
            (
                "main.js",
                "import * as ns from './a.js'\nimport * as again from './a.js'\nlog(ns === again, Object.keys(ns).join(), Object.prototype.toString.call(ns), Object.getPrototypeOf(ns))\nlog(Reflect.ownKeys(ns).map(String).join(), 'a' in ns, 'nope' in ns, ns.nope, 'toString' in ns)\nlog(Object.isSealed(ns), Object.isExtensible(ns), Reflect.set(ns, 'a', 1), Reflect.deleteProperty(ns, 'a'), Reflect.deleteProperty(ns, 'nope'), Reflect.defineProperty(ns, 'x', { value: 1 }))\nfor (const act of [() => (ns.a = 2), () => delete ns.a, () => (ns.x = 1)]) try { act() } catch (error) { log(error.name) }\nlog(Object.getOwnPropertyDescriptor(ns, Symbol.toStringTag))\nlog({ ...ns }.z, Object.entries(ns).join(' '), JSON.stringify(ns))\nconst { enumerable, configurable } = Object.getOwnPropertyDescriptor(ns, 'a')\nlog(enumerable, configurable)",
            ),
            ("a.js", "export const z = 'z', a = 'a', B = 'B', $ = '$'\nexport default 'd'"),
        ],
        expect![[r#"
            true $,B,a,default,z [object Module] null
            $,B,a,default,z,Symbol(Symbol.toStringTag) true false undefined false
            true false false false true false
            TypeError
            TypeError
            TypeError
            {
              value: 'Module',
              writable: false,
              enumerable: false,
              configurable: false
            }
            z $,$ B,B a,a default,d z,z {"$":"$","B":"B","a":"a","default":"d","z":"z"}
            true false
        "#]],
    );
}

#[test]
fn a_namespace_sees_dead_zones() {
    check(
        &[
            ("main.js", "import './b.js'\nexport let x = 1\nexport function f() {}"),
            (
                "b.js",
                "import * as ns from './main.js'\nlog('x' in ns, typeof ns.f)\ntry { ns.x } catch (error) { log(error.name, error.message) }",
            ),
        ],
        expect![[r#"
            true function
            ReferenceError Cannot access 'x' before initialization
        "#]],
    );
}

#[test]
fn import_of_itself() {
    check(
        &[(
            "main.js",
            "import * as self from './main.js'\nimport { x as y } from './main.js'\nexport let x = 1\nlog(self.x, y, Object.keys(self).join())\nx = 2\nlog(self.x, y)\nimport('./main.js').then((again) => log('then', again === self))\nlog('end')",
        )],
        expect![[r#"
            1 1 x
            2 2
            end
            then true
        "#]],
    );
}

// ---- order and errors

#[test]
fn modules_run_once_in_post_order() {
    check(
        &[
            (
                "main.js",
                "log('main')\nimport './a.js'\nexport * from './b.js'\nimport './c.js'\nexport { d } from './d.js'\nimport './a.js'",
            ),
            ("a.js", "import './shared.js'\nlog('a')"),
            ("b.js", "import './c.js'\nimport './shared.js'\nlog('b')"),
            ("c.js", "import './main.js'\nlog('c')"),
            ("d.js", "log('d')\nexport const d = 1"),
            ("shared.js", "log('shared')"),
        ],
        expect![[r#"
            shared
            a
            c
            b
            d
            main
        "#]],
    );
}

#[test]
fn a_missing_export_is_a_syntax_error_before_anything_runs() {
    let files = [
        ("main.js", "import { nope } from './a.js'\nlog('main', nope)"),
        ("a.js", "log('a runs')\nexport const a = 1"),
    ];
    check(
        &files,
        expect![[r#"
        threw SyntaxError
    "#]],
    );
    check(
        &[("main.js", "import nope from './a.js'\nlog(nope)"), files[1]],
        expect![[r#"
        threw SyntaxError
    "#]],
    );
    check(
        &[("main.js", "export { nope } from './a.js'"), files[1]],
        expect![[r#"
        threw SyntaxError
    "#]],
    );
}

#[test]
fn a_missing_export_is_reported_with_both_modules() {
    check_ours(
        &[
            (
                "main.js",
                "for (const one of ['missing', 'clash', 'circle']) await import(`./${one}.js`).catch((error) => log(error.name, error.message))",
            ),
            ("missing.js", "import { nope } from './a.js'"),
            ("clash.js", "import { a } from './all.js'"),
            ("circle.js", "export { x } from './circle.js'\nimport { x } from './circle.js'"),
            ("all.js", "export * from './a.js'\nexport * from './b.js'"),
            ("a.js", "export const a = 1"),
            ("b.js", "export const a = 2"),
        ],
        expect![[r#"
            SyntaxError `nope`, imported by /missing.js, is not exported by /a.js
            SyntaxError `a`, imported by /clash.js, is exported by more than one module behind `export *` of /all.js
            SyntaxError `x`, imported by /circle.js, is not exported by /circle.js
        "#]],
    );
}

#[test]
fn what_did_not_link_links_when_it_is_asked_for_alone() {
    check(
        &[
            (
                "main.js",
                "await import('./broken.js').catch((error) => log(error.name))\nlog((await import('./good.js')).good)\nawait import('./broken.js').catch((error) => log('again', error.name))",
            ),
            ("broken.js", "import { good } from './good.js'\nimport { nope } from './other.js'\nlog('broken runs')"),
            ("good.js", "log('good runs')\nexport const good = 1"),
            ("other.js", "log('other runs')"),
        ],
        expect![[r#"
            SyntaxError
            good runs
            1
            again SyntaxError
        "#]],
    );
}

#[test]
fn an_error_keeps_the_importers_from_running() {
    check(
        &[
            ("main.js", "import './a.js'\nimport './after.js'\nlog('main')"),
            ("a.js", "import './throws.js'\nlog('a')"),
            ("throws.js", "log('throws')\nthrow new TypeError('on purpose')"),
            ("after.js", "log('after')"),
        ],
        expect![[r#"
            throws
            threw TypeError: on purpose
        "#]],
    );
}

#[test]
fn a_module_that_threw_throws_the_same_again_and_others_can_still_run() {
    check(
        &[
            (
                "main.js",
                "const first = await import('./a.js').catch((error) => error)\nconst second = await import('./a.js').catch((error) => error)\nconst third = await import('./throws.js').catch((error) => error)\nlog(first.message, first === second, second === third)\nlog(Object.keys(await import('./after.js')).join())\nlog(Object.keys(await import('./before.js')).join())",
            ),
            ("a.js", "import './before.js'\nimport './throws.js'\nimport './after.js'\nlog('a')"),
            ("throws.js", "log('throws')\nthrow new TypeError('on purpose')"),
            ("after.js", "log('after')\nexport const after = 1"),
            ("before.js", "log('before')\nexport const before = 1"),
        ],
        expect![[r#"
            before
            throws
            on purpose true true
            after
            after
            before
        "#]],
    );
}

#[test]
fn a_cycle_that_failed_has_failed_as_a_whole() {
    check(
        &[
            (
                "main.js",
                "for (const name of ['a', 'b', 'free']) await import(`./${name}.js`).then(() => log(name, 'fine'), (error) => log(name, error.message))",
            ),
            ("a.js", "import './b.js'\nthrow new Error('on purpose')"),
            ("b.js", "import './free.js'\nimport './a.js'\nlog('b')"),
            ("free.js", "log('free')"),
        ],
        expect![[r#"
            free
            b
            a on purpose
            b on purpose
            free fine
        "#]],
    );
}

#[test]
fn a_module_may_throw_undefined() {
    check(
        &[
            (
                "main.js",
                "await import('./a.js').then(() => log('fine'), (error) => log('rejected', error))\nawait import('./a.js').then(() => log('fine'), (error) => log('rejected', error))",
            ),
            ("a.js", "import './b.js'\nlog('a')"),
            ("b.js", "throw undefined"),
        ],
        expect![[r#"
            rejected undefined
            rejected undefined
        "#]],
    );
}

// ---- import()

#[test]
fn dynamic_imports_give_the_one_namespace() {
    check(
        &[
            (
                "main.js",
                "import * as a from './a.js'\nlog((await import('./a.js')) === a)\nconst name = './b' + '.js'\nconst [b, again] = await Promise.all([import(name), import('./b.js')])\nlog(b === again, b.b)\nlog(import('./b.js') instanceof Promise)\nawait import('./' + 'nope.js').catch((error) => log('rejected', error instanceof Error))\nawait import({ toString() { throw new RangeError('on purpose') } }).catch((error) => log(error.message))",
            ),
            ("a.js", "export const a = 1"),
            ("b.js", "log('b')\nexport const b = 2"),
        ],
        expect![[r#"
            true
            b
            true 2
            true
            rejected true
            on purpose
        "#]],
    );
}

#[test]
fn a_dynamic_import_of_a_module_whose_turn_is_to_come() {
    check(
        &[
            ("main.js", "import './a.js'\nimport './b.js'\nlog('main')"),
            ("a.js", "import('./b.js').then(({ b }) => log('then', b))\nlog('a')"),
            ("b.js", "log('b begins')\nawait later(5)\nlog('b ends')\nexport const b = 1"),
        ],
        expect![[r#"
            a
            b begins
            b ends
            main
            then 1
        "#]],
    );
    check(
        &[
            ("main.js", "import './a.js'\nimport './b.js'\nlog('main')"),
            ("a.js", "import('./b.js').then(({ b }) => log('then', b))\nlog('a')"),
            ("b.js", "import './slow.js'\nlog('b')\nexport const b = 1"),
            ("slow.js", "await later(5)\nlog('slow')"),
        ],
        expect![[r#"
            a
            slow
            b
            main
            then 1
        "#]],
    );
}

#[test]
fn a_dynamic_import_outlives_the_error_that_kept_its_module_from_running() {
    check(
        &[
            ("main.js", "await import('./root.js').catch((error) => log(error.message))\nawait later(5)"),
            ("root.js", "import './a.js'\nimport './throws.js'\nimport './b.js'"),
            ("a.js", "import('./b.js').then(({ b }) => log('then', b))\nlog('a')"),
            ("throws.js", "throw new Error('on purpose')"),
            ("b.js", "log('b')\nexport const b = 1"),
        ],
        expect![[r#"
            a
            b
            on purpose
            then 1
        "#]],
    );
}

#[test]
fn templates_with_holes_import_what_matched() {
    check(
        &[
            (
                "main.js",
                "for (const name of ['one', 'two']) log((await import(`./pages/${name}.js`)).default)\nawait import(`./pages/${'nope'}.js`).catch((error) => log('rejected', error instanceof Error))",
            ),
            ("pages/one.js", "export default 1"),
            ("pages/two.js", "export default 2"),
        ],
        expect![[r#"
            1
            2
            rejected true
        "#]],
    );
}

#[test]
fn attributes_choose_what_a_file_is() {
    check(
        &[
            (
                "main.js",
                "import data from './data.json' with { type: 'json' }\nlog(data)\nlog((await import('./data.json', { with: { type: 'json' } })).default === data)",
            ),
            ("data.json", "{ \"a\": [1, null], \"__proto__\": 2 }"),
        ],
        expect![[r#"
            { a: [ 1, null ], ['__proto__']: 2 }
            true
        "#]],
    );
    check_ours(
        &[
            (
                "main.js",
                "import text from './note.txt' with { type: 'text' }\nimport raw from './note.txt?raw'\nimport bytes from './note.txt' with { type: 'bytes' }\nimport url from './note.txt?url'\nimport data, { a } from './data.json'\nimport inline from './note.txt?inline'\nlog(text === raw, text, bytes, url, data, a, inline)",
            ),
            ("note.txt", "hi"),
            ("data.json", "{ \"a\": 1 }"),
        ],
        expect![[r#"
            true hi Uint8Array(2) [ 104, 105 ] /note.txt { a: 1 } 1 data:text/plain;base64,aGk=
        "#]],
    );
}

#[test]
fn addresses_are_imported_natively_and_first() {
    const ADDRESS: &str = "data:text/javascript,export const x = 1; export let n = 0; export const up = () => n%2B%2B; export default 'd'; log('native')";
    let main = format!(
        "import d, {{ x, n, up }} from \"{ADDRESS}\"\nimport * as ns from \"{ADDRESS}\"\nimport {{ x as y, all, up2, again }} from './a.js'\nlog(d, x, ns.x, y, all.x, again, Object.keys(await import('./a.js')).join())\nup()\nup2()\nlog(n, ns.n)\nlog((await import(\"{ADDRESS}\")) === ns, (await import({ADDRESS:?} + '')) === ns)\nlog((await import('data:application/json,[1]', {{ with: {{ type: 'json' }} }})).default, (await import('data:application/json,' + '[2]', {{ with: {{ type: 'json' }} }})).default)"
    );
    let a = format!(
        "export * from \"{ADDRESS}\"\nexport * as all from \"{ADDRESS}\"\nexport {{ up as up2, default as again }} from \"{ADDRESS}\"\nlog('a')"
    );
    check(
        &[("main.js", &main), ("a.js", &a)],
        expect![[r#"
        native
        a
        d 1 1 1 1 d again,all,n,up,up2,x
        2 2
        true true
        [ 1 ] [ 2 ]
    "#]],
    );
}

#[test]
fn a_name_that_an_address_has_not_got_is_a_syntax_error() {
    check(
        &[("main.js", "import { nope } from 'data:text/javascript,export const x = 1'\nlog(nope)")],
        expect![[r#"
        threw SyntaxError
    "#]],
    );
}

// ---- top-level await

#[test]
fn importers_wait_and_siblings_do_not() {
    check(
        &[
            (
                "main.js",
                "import { slow } from './slow.js'\nimport './sync.js'\nimport './after-slow.js'\nlog('main', slow)",
            ),
            ("slow.js", "log('slow begins')\nexport const slow = await later(5).then(() => 'value')\nlog('slow ends')"),
            ("sync.js", "log('sync')"),
            ("after-slow.js", "import { slow } from './slow.js'\nlog('after', slow)"),
        ],
        expect![[r#"
            slow begins
            sync
            slow ends
            after value
            main value
        "#]],
    );
}

#[test]
fn awaits_in_all_places() {
    check(
        &[(
            "main.js",
            "const one = async (x) => x\nlog(await one(1) + (await one(2)), `${await one(3)}`, [await one(4), ...(await one([5]))], { [await one('k')]: await one(6) })\nconst { a = await one(7), ...rest } = await one({ b: 8 })\nlog(a, rest)\nfor (const x of await one([9])) log(await one(x))\nfor await (const x of [one(10)]) log(x)\nif (await one(true)) log(await (await one({ m: async () => 11 })).m())\ntry { await Promise.reject(new Error('caught')) } catch (error) { log(error.message) } finally { await null; log('finally') }\nlog(await { then(done) { done('thenable') } }, await 12, await undefined)\nclass C extends (await one(Array)) { static [await one('s')] = 13 }\nlog(C.s, new C() instanceof Array)\nlabel: for (let i = 0; ; i++) { await null; if (i > 2) break label }\nlog((await one(null))?.x, (await one(undefined)) ?? 'nullish', await one(true) ? 'yes' : 'no', typeof await one(1), !(await one(false)), (-(await one(1))) ** 2)\nlet n = 1; n += await one(1); log(n)\nexport default await one('default')\nlog((await import('./main.js')).default === undefined)",
        )],
        expect![[r#"
            3 3 [ 4, 5 ] { k: 6 }
            7 { b: 8 }
            9
            10
            11
            caught
            finally
            thenable 12 undefined
            13 true
            undefined nullish yes number true 1
            2
        "#]],
    );
}

#[test]
fn for_await_at_the_top_level() {
    check(
        &[
            ("main.js", "import { list } from './a.js'\nlog('main', list)"),
            (
                "a.js",
                "export const list = []\nlog('begin')\nfor await (const x of (async function* () { yield 1; yield 2 })()) list.push(x)\nexport const after = await later(1)\nlog('end')",
            ),
        ],
        expect![[r#"
            begin
            end
            main [ 1, 2 ]
        "#]],
    );
}

#[test]
fn a_diamond_with_an_asynchronous_module() {
    check(
        &[
            ("main.js", "import './left.js'\nimport './right.js'\nlog('main')"),
            ("left.js", "import './base.js'\nlog('left')"),
            ("right.js", "import './base.js'\nlog('right begins')\nawait null\nlog('right ends')"),
            ("base.js", "log('base begins')\nawait null\nlog('base ends')"),
        ],
        expect![[r#"
            base begins
            base ends
            left
            right begins
            right ends
            main
        "#]],
    );
}

#[test]
fn asynchronous_siblings_run_at_the_same_time() {
    check(
        &[
            ("main.js", "import './a.js'\nimport './b.js'\nimport './c.js'\nlog('main')"),
            ("a.js", "log('a begins')\nawait later(20)\nlog('a ends')"),
            ("b.js", "log('b begins')\nawait later(1)\nlog('b ends')"),
            ("c.js", "import './b.js'\nlog('c')"),
        ],
        expect![[r#"
            a begins
            b begins
            b ends
            c
            a ends
            main
        "#]],
    );
}

#[test]
fn an_error_in_an_asynchronous_dependency() {
    check(
        &[
            ("main.js", "import './a.js'\nimport './b.js'\nlog('main')"),
            ("a.js", "import './rejects.js'\nlog('a')"),
            ("b.js", "log('b')"),
            ("rejects.js", "await null\nthrow new RangeError('on purpose')"),
        ],
        expect![[r#"
            b
            threw RangeError: on purpose
        "#]],
    );
    check(
        &[
            (
                "main.js",
                "const first = await import('./a.js').catch((error) => error)\nconst second = await import('./rejects.js').catch((error) => error)\nconst third = await import('./a.js').catch((error) => error)\nlog(first.message, first === second, third === first)",
            ),
            ("a.js", "import './rejects.js'\nlog('a')"),
            ("rejects.js", "log('once')\nawait null\nthrow new RangeError('on purpose')"),
        ],
        expect![[r#"
            once
            on purpose true true
        "#]],
    );
}

#[test]
fn two_asynchronous_errors_are_one_rejection() {
    check(
        &[
            ("main.js", "import './a.js'\nimport './b.js'\nlog('main')"),
            ("a.js", "await later(1)\nawait later(1)\nthrow new Error('a')"),
            ("b.js", "await later(1)\nthrow new Error('b')"),
        ],
        expect![[r#"
            threw Error: b
        "#]],
    );
}

#[test]
fn an_error_while_something_waits() {
    check(
        &[
            (
                "main.js",
                "await import('./root.js').catch((error) => log(error.message))\nawait later(10)\nlog((await import('./waits.js')).x)",
            ),
            ("root.js", "import './waits.js'\nimport './throws.js'\nlog('root')"),
            ("waits.js", "await later(3)\nlog('waits goes on')\nexport const x = 1"),
            ("throws.js", "throw new Error('on purpose')"),
        ],
        expect![[r#"
            on purpose
            waits goes on
            1
        "#]],
    );
}

#[test]
fn a_cycle_with_an_asynchronous_module() {
    check(
        &[
            ("main.js", "import './a.js'\nlog('main')"),
            ("a.js", "import './b.js'\nlog('a begins')\nawait later(1)\nlog('a ends')\nexport const a = 1"),
            ("b.js", "import { a } from './a.js'\nlog('b')\nexport const getA = () => a"),
        ],
        expect![[r#"
            b
            a begins
            a ends
            main
        "#]],
    );
}

#[test]
fn importers_of_a_cycle_wait_for_all_of_it() {
    check(
        &[
            ("main.js", "import './a.js'\nimport './outside.js'\nlog('main')"),
            ("a.js", "import './b.js'\nlog('a begins')\nawait later(2)\nlog('a ends')\nexport const a = 1"),
            ("b.js", "import { a } from './a.js'\nlog('b')\nexport const getA = () => a"),
            ("outside.js", "import { getA } from './b.js'\nlog('outside', getA())"),
        ],
        expect![[r#"
            b
            a begins
            a ends
            outside 1
            main
        "#]],
    );
    // Node reads files side by side, so which of the two it starts with is not always the same.
    check_ours(
        &[
            ("main.js", "import('./a.js')\nconst { getA } = await import('./b.js')\nlog(getA())"),
            ("a.js", "import './b.js'\nlog('a begins')\nawait later(2)\nlog('a ends')\nexport const a = 1"),
            ("b.js", "import { a } from './a.js'\nlog('b')\nexport const getA = () => a"),
        ],
        expect![[r#"
            b
            a begins
            a ends
            1
        "#]],
    );
}

#[test]
fn dynamic_imports_of_a_waiting_module_wait_too() {
    check(
        &[
            (
                "main.js",
                "const first = import('./a.js').then(({ a }) => log('first', a))\nconst second = import('./a.js').then(({ a }) => log('second', a))\nawait later(0)\nconst third = import('./b.js').then(({ b }) => log('third', b))\nawait Promise.all([first, second, third])",
            ),
            ("a.js", "log('a')\nawait later(5)\nexport const a = 1"),
            ("b.js", "import { a } from './a.js'\nexport const b = a + 1"),
        ],
        expect![[r#"
            a
            first 1
            second 1
            third 2
        "#]],
    );
}

// ---- length

/// A program of `length` modules, each made by `module` from its number; the last one gets `None` as its successor.
fn chain(length: usize, main: &str, module: impl Fn(usize, Option<String>) -> String, expect: Expect) {
    let names: Vec<String> = (0..length).map(|at| format!("m{at}.js")).collect();
    let texts: Vec<String> =
        (0..length).map(|at| module(at, (at + 1 < length).then(|| format!("./m{}.js", at + 1)))).collect();
    let mut files = vec![("main.js", main)];
    files.extend(names.iter().map(String::as_str).zip(texts.iter().map(String::as_str)));
    check_ours(&files, expect);
}

#[test]
fn a_chain_of_imports_may_be_long() {
    chain(
        10_000,
        "import { n } from './m0.js'\nlog(n)",
        |_, next| match next {
            Some(next) => format!("import {{ n as below }} from '{next}'\nexport const n = below + 1"),
            None => "export const n = 1".into(),
        },
        expect![[r#"
            10000
        "#]],
    );
}

#[test]
fn a_chain_of_re_exports_may_be_long() {
    chain(
        10_000,
        "import { n } from './m0.js'\nimport * as ns from './m0.js'\nlog(n, ns.n)",
        |_, next| next.map_or("export const n = 'deep'".into(), |next| format!("export {{ n }} from '{next}'")),
        expect![[r#"
            deep deep
        "#]],
    );
}

#[test]
fn a_chain_of_stars_may_be_long() {
    chain(
        10_000,
        "import { n } from './m0.js'\nimport * as ns from './m0.js'\nlog(n, ns.n)",
        |_, next| next.map_or("export const n = 'deep'".into(), |next| format!("export * from '{next}'")),
        expect![[r#"
            deep deep
        "#]],
    );
}

#[test]
fn a_chain_of_waiting_modules_may_be_long() {
    chain(
        10_000,
        "import { n } from './m0.js'\nlog(n)",
        |_, next| match next {
            Some(next) => format!("import {{ n as below }} from '{next}'\nexport const n = below + 1"),
            None => "export const n = await 1".into(),
        },
        expect![[r#"
            10000
        "#]],
    );
}

// ---- TypeScript

const LEGACY: (&str, &str) =
    ("tsconfig.json", "{ \"compilerOptions\": { \"experimentalDecorators\": true, \"emitDecoratorMetadata\": true } }");

#[test]
fn decorators_of_every_kind_work() {
    check_ours(
        &[
            (
                "main.ts",
                "import './reflect.js'
const note = (what: string) => (...all: any[]) => { log(what, all.length, typeof all[0], String(all[1]), all[2] === undefined ? 'undefined' : typeof all[2]) }
const method = (target: any, key: string, descriptor: PropertyDescriptor) => ({ ...descriptor, value() { return 'wrapped ' + descriptor.value.call(this) } })
const accessor = (target: any, key: string, descriptor: PropertyDescriptor) => { const { get } = descriptor; descriptor.get = function () { return get!.call(this) * 2 } }
const seal = (c: Function) => { Object.seal(c) }
const replace = <T extends new (...all: any[]) => object>(C: T) => class extends C { extra = 'added' }
class Service {}
@replace @seal @note('class') export class A {
  @note('property') p: string = 'p'
  @note('static') static s: Service
  constructor(@note('parameter 0') private a: Service, @note('parameter 1') b: number) {}
  @note('method second') @method m(@note('method parameter') x: string, y?: A): Promise<void> { return 'called' as any }
  @accessor get g(): number { return 21 }
  @note('computed') ['com' + 'puted']() {}
}
const a: any = new A(new Service(), 1)
log(a.m(), a.g, a.extra, a.p)
const meta = (target: any, key?: string) => (Reflect as any).entries(target, key).map(([k, v]: any) => k + '=' + (Array.isArray(v) ? v.map((c) => c?.name) : v?.name)).join(' ')
const Original = Object.getPrototypeOf(A)
log(meta(Original.prototype, 'p'), '|', meta(Original, 's'), '|', meta(Original.prototype, 'm'), '|', meta(Original))",
            ),
            (
                "reflect.js",
                "const all = new Map()
const of = (target, key) => { let m = all.get(target); if (!m) all.set(target, (m = new Map())); if (!m.has(key)) m.set(key, []); return m.get(key) }
Reflect.metadata = (name, value) => (target, key) => { of(target, key).unshift([name, value]) }
Reflect.entries = (target, key) => of(target, key)",
            ),
            LEGACY,
        ],
        expect![[r#"
            property 3 object p undefined
            static 3 function s undefined
            method parameter 3 object m number
            method second 3 object m object
            computed 3 object computed object
            parameter 1 3 function undefined number
            parameter 0 3 function undefined number
            class 1 function undefined undefined
            wrapped called 42 added p
            design:type=String | design:type=Service | design:type=Function design:paramtypes=String,A design:returntype=Promise | design:paramtypes=Service,Number
        "#]],
    );
}

#[test]
fn a_decorated_class_that_names_itself_sees_its_replacement() {
    check_ours(
        &[
            (
                "main.ts",
                "const swap = (C: any) => class Swapped extends C {} as any
@swap class A { static me() { return A.name } static self = A.name }
log(A.name, A.me(), (A as any).self)
@swap export default class B { static make() { return new B() } }
log(B.make().constructor.name)",
            ),
            LEGACY,
        ],
        expect![[r#"
            Swapped Swapped A
            Swapped
        "#]],
    );
}

#[test]
fn assigned_class_fields_meet_setters() {
    let source = "class Base { set x(v: number) { log('setter', v) } }
class A extends Base { x = 1; y?: number; #p = 2; static #s = 3; static t = A.#s; #m() { return this.#p } static has(o: object) { return #p in o } get #acc() { return this.#p } set #acc(v) { this.#p = v }
  go() { this.#acc = 5; this.#p++; this.#p ??= 1; [this.#p] = [this.#p + 1]; return [this.#m(), this.#acc, A.t, A.has(this), A.has({})] }
  bad() { try { (this as any).#m = 1 } catch (error) { return (error as Error).name } }
  static sup = super.toString === Function.prototype.toString
  static ['computed' + 1] = 'c' }
const a = new A()
log(Object.keys(a).join(), 'y' in a, a.go(), A.sup, (A as any).computed1)
log((() => { try { A.prototype.go.call({}) } catch (error) { return (error as Error).name } })())";
    let with = |define: bool, expect: Expect| {
        let tsconfig = format!("{{ \"compilerOptions\": {{ \"useDefineForClassFields\": {define} }} }}");
        check_ours(&[("main.ts", source), ("tsconfig.json", &tsconfig)], expect);
    };
    with(
        true,
        expect![[r#"
        x,y true [ 7, 7, 3, true, false ] true c
        TypeError
    "#]],
    );
    with(
        false,
        expect![[r#"
        setter 1
         false [ 7, 7, 3, true, false ] true c
        TypeError
    "#]],
    );
}

#[test]
fn a_namespace_that_continues_another_sees_what_that_exports() {
    check_ours(
        &[(
            "main.ts",
            "namespace N { export const a = 1; export function f() { return a + 1 } export enum E { X = 7 } const hidden = 1 }
namespace N { export const b = a + f() + E.X; export const own = ((a: number) => a)(9); export const short = { a } }
namespace N.M { export const deep = b }
namespace N { export namespace M { export const deeper = deep + a; export const whole = M.deep } }
namespace N { export const missing = typeof hidden }
log(N.b, N.own, N.short, N.M.deeper, N.M.whole, N.missing)",
        )],
        expect![[r#"
            10 9 { a: 1 } 11 10 undefined
        "#]],
    );
}

#[test]
fn what_only_a_type_checker_would_mind_is_removed_like_types() {
    check_ours(
        &[(
            "main.ts",
            "abstract class Q { private constructor(); static made = 1 }
class PlainModule { abstract run(): void; abstract size: number; go() { return 2 } }
class Overloaded { constructor(private a: number); constructor(private a: any) { log('made', this.a) } }
class Lazy { get open(): number; set open(value: number); late(): void }
function lost(): void;
declare function told(): void
export function gone(a: string): void
log(Q.made, new PlainModule().go(), Object.getOwnPropertyNames(Lazy.prototype), typeof lost)
new Overloaded(3)",
        )],
        expect![[r#"
            1 2 [ 'constructor' ] undefined
            made 3
        "#]],
    );
}

#[test]
fn enums_namespaces_and_parameter_properties_run() {
    check_ours(
        &[
            (
                "main.ts",
                "import { Color, N, Const, f } from './types'
import type { Nothing } from './types'
log(Color, Color[1], Const.One, N.value, N.Inner.deep, N.twice(4), f(), f.help)
class P { constructor(public a: number, protected readonly b = a * 2) {} sum() { return this.a + this.b } }
log(new P(2), new P(2).sum())
const x: Nothing = { ok: true } satisfies Nothing
log(x as unknown, (<T,>(y: T): T => y)(1), x!.ok)
export { type Nothing }",
            ),
            (
                "types.ts",
                "export enum Color { Red, Green = Red + 1, Blue = 'blue'.length, Name = 'name' }
export const enum Const { One = 1 }
export namespace N { export const value = 'v'; export function twice(n: number) { return n * 2 } export namespace Inner { export const deep = value + '!' } }
export interface Nothing { ok: boolean }
export function f(): string
export function f(): any { return 'f' }
export namespace f { export const help = 'merged' }",
            ),
        ],
        expect![[r#"
            {
              '0': 'Red',
              '1': 'Green',
              '4': 'Blue',
              Red: 0,
              Green: 1,
              Blue: 4,
              Name: 'name'
            } Green 1 v v! 8 f merged
            P { a: 2, b: 4 } 6
            { ok: true } 1 true
        "#]],
    );
}

#[test]
fn jsx_tags_that_are_imports() {
    check_ours(
        &[
            (
                "main.tsx",
                "/** @jsxRuntime classic */\n/** @jsx h */\n/** @jsxFrag F */\nimport { h, F } from './h'\nimport Button, { Card as C, ui } from './ui'\nimport * as all from './ui'\nlog(<Button a><C {...{ b: 1 }} /><ui.Deep /><all.Card /><></></Button>)",
            ),
            (
                "h.ts",
                "export const F = 'fragment'\nexport const h = (tag: any, props: any, ...children: any[]): string => `${tag.name ?? tag}(${JSON.stringify(props)})[${children.join()}]`",
            ),
            (
                "ui.ts",
                "export default function Button() {}\nexport const Card = () => {}\nexport const ui = { Deep() {} }",
            ),
        ],
        expect![[r#"
            Button({"a":true})[Card({"b":1})[],Deep(null)[],Card(null)[],fragment(null)[]]
        "#]],
    );
    check_ours(
        &[
            (
                "main.jsx",
                "import { Button } from './ui.js'\nfunction inner(Button) { return <Button /> }\nlog(<Button key='k'>text</Button>, inner('shadow'))",
            ),
            ("ui.js", "export function Button() {}"),
            ("node_modules/react/package.json", "{ \"name\": \"react\" }"),
            (
                "node_modules/react/jsx-dev-runtime.js",
                "exports.jsxDEV = (tag, props, key) => [tag.name ?? tag, props, key]\nexports.Fragment = 'f'",
            ),
        ],
        expect![[r#"
            [ 'Button', { children: 'text' }, 'k' ] [ 'shadow', {}, undefined ]
        "#]],
    );
}

// ---- import.meta

#[test]
fn import_meta_has_what_modules_ask_for() {
    check_ours(
        &[
            (
                "main.js",
                "import './sub/a b.js'\nlog(import.meta.url, import.meta.dirname, import.meta.filename, import.meta.env.MODE, import.meta.env.NOPE, typeof import.meta.hot.accept)\nlog(import.meta === import.meta, Object.getPrototypeOf(import.meta), new URL('./logo.svg', import.meta.url).href)",
            ),
            ("sub/a b.js", "log(import.meta.url, import.meta.dirname)"),
            ("logo.svg", "<svg/>"),
        ],
        expect![[r#"
            http://localhost:5173/sub/a%20b.js /sub
            http://localhost:5173/main.js / /main.js development undefined function
            true null http://localhost:5173/logo.svg
        "#]],
    );
}

#[test]
fn globs_are_objects_of_modules_or_of_functions() {
    check_ours(
        &[
            (
                "main.js",
                "log('main')\nconst eager = import.meta.glob('./pages/*.js', { eager: true })\nlog(eager)\nconst lazy = import.meta.glob(['./lazy/*.js', '!**/not.js'])\nlog(Object.keys(lazy))\nlog((await lazy['./lazy/c.js']()).default)\nlog(import.meta.glob('./pages/*.js', { eager: true, import: 'name' }))\nlog(await import.meta.glob('./pages/a.js', { query: '?raw', import: 'default' })['./pages/a.js']())\nlog(import.meta.glob('./nothing/*.js'))",
            ),
            ("pages/a.js", "log('a')\nexport const name = 'a'"),
            ("pages/b.js", "import './a.js'\nlog('b')\nexport const name = 'b'"),
            ("lazy/c.js", "log('c')\nexport default 'c'"),
            ("lazy/not.js", "log('not')"),
        ],
        expect![[r#"
            a
            b
            main
            {
              './pages/a.js': [Object: null prototype] [Module] { name: [Getter] },
              './pages/b.js': [Object: null prototype] [Module] { name: [Getter] }
            }
            [ './lazy/c.js' ]
            c
            c
            { './pages/a.js': 'a', './pages/b.js': 'b' }
            log('a')
            export const name = 'a'
            {}
        "#]],
    );
}

// ---- CommonJS

#[test]
fn commonjs_and_modules_import_each_other() {
    check_ours(
        &[
            (
                "main.js",
                "import plain, { a, late } from 'plain'\nimport * as ns from 'plain'\nimport compiled, { named } from 'compiled'\nimport fn from 'fn'\nlog(plain, a, late, Object.keys(ns).join(), compiled, named, fn(), fn.extra)\nlog((await import('plain')).default === plain, typeof (await import('compiled')).default)",
            ),
            (
                "node_modules/plain/index.js",
                "log(this === module.exports, typeof require, typeof global)\nexports.a = 1\nfor (const name of ['late']) exports[name] = 'dynamic'",
            ),
            (
                "node_modules/compiled/index.js",
                "Object.defineProperty(exports, '__esModule', { value: true })\nexports.default = 'the default'\nexports.named = require('esm').x + require('esm').default",
            ),
            (
                "node_modules/fn/index.js",
                "module.exports = function () { return 'called' }\nmodule.exports.extra = 'extra'",
            ),
            ("node_modules/esm/index.js", "export const x = 'x'\nexport default 'd'"),
        ],
        expect![[r#"
            true function object
            { a: 1, late: 'dynamic' } 1 dynamic a,default,late { default: 'the default', named: 'xd' } xd called extra
            true object
        "#]],
    );
}

#[test]
fn commonjs_behind_stars_and_re_exports() {
    check_ours(
        &[
            (
                "main.js",
                "import { a, b } from './outer.js'\nimport * as ns from './outer.js'\nlog(a, b, Object.keys(ns).join(), ns.renamed)\nawait import('./wrong.js').catch((error) => log(error.name, error.message))",
            ),
            ("outer.js", "export * from './inner.js'\nexport const own = 1"),
            ("inner.js", "export * from 'plain'\nexport { a as renamed, default as whole } from 'plain'"),
            ("wrong.js", "import { nope } from './outer.js'\nlog(nope)"),
            ("node_modules/plain/index.js", "module.exports = { a: 'a', b: 'b' }"),
        ],
        expect![[r#"
            a b a,b,own,renamed,whole a
            SyntaxError `nope`, imported by /wrong.js, is not exported by /outer.js
        "#]],
    );
}

#[test]
fn commonjs_files_that_import_dynamically() {
    check_ours(
        &[
            ("main.js", "import load from 'p'\nlog('main')\nlog((await load()).lazy)"),
            ("node_modules/p/index.js", "log('p')\nmodule.exports = () => import('./lazy.js')"),
            ("node_modules/p/lazy.js", "log('lazy')\nexport const lazy = 'lazily'"),
        ],
        expect![[r#"
            p
            main
            lazy
            lazily
        "#]],
    );
}

// Known gap: `require` runs its module ahead of its requirer, not at the call, so `seen` is not yet "number".
#[test]
fn commonjs_cycles_and_missing_requires() {
    check_ours(
        &[
            ("main.js", "import p from 'p'\nlog(p.b.seen, p.optional)"),
            (
                "node_modules/p/index.js",
                "exports.early = 1\nexports.b = require('./b.js')\ntry { require('not-installed') } catch (error) { exports.optional = error.message }",
            ),
            ("node_modules/p/b.js", "const p = require('./index.js')\nexports.seen = typeof p.early"),
        ],
        expect![[r#"
            number cannot find module 'not-installed', required by /node_modules/p/index.js
        "#]],
    );
}

#[test]
fn typescript_may_be_commonjs() {
    check_ours(
        &[
            ("main.js", "import { P, h } from './old.cts'\nlog(new P(1), h)"),
            (
                "old.cts",
                "class P { constructor(public a: number) {} }\nmodule.exports = { P, h: [1].map((n: number) => n + 1) }",
            ),
        ],
        expect![[r#"
            P { a: 1 } [ 2 ]
        "#]],
    );
}

#[test]
fn sloppy_commonjs_runs_sloppily() {
    check_ours(
        &[
            ("main.js", "import x from './old.cjs'\nlog(x)"),
            (
                "old.cjs",
                "with ({ a: 1 }) { module.exports = [a, 010, (function () { return this === globalThis })(), typeof global] }",
            ),
        ],
        expect![[r#"
            [ 1, 8, true, 'object' ]
        "#]],
    );
}

// ---- packages

#[test]
fn required_modules_run_in_the_order_of_the_calls() {
    check(
        &[
            ("main.js", "import './a.cjs'\nimport { b } from './b.cjs'\nlog('main', b)"),
            (
                "a.cjs",
                "log('a')\nconst c = require('./c.cjs')\nlog('c is', c)\nlet tried\ntry { require('./throws.cjs') } catch (error) { tried = error.message }\ntry { require('./throws.cjs') } catch (error) { tried += error.message }\nlog(tried)\nexports.later = () => require('./never.cjs')\nif (c.a) require('./never.cjs')",
            ),
            ("b.cjs", "log('b')\nexports.b = require('./c.cjs').done"),
            (
                "c.cjs",
                "log('c')\nexports.early = 1\nconst a = require('./a.cjs')\nlog('a so far', Object.keys(a))\nexports.done = true",
            ),
            ("throws.cjs", "log('throws')\nthrow new Error('no')"),
            ("never.cjs", "log('never')"),
        ],
        expect![[r#"
            a
            c
            a so far []
            c is { early: 1, done: true }
            throws
            throws
            nono
            b
            main true
        "#]],
    );
}

#[test]
fn commonjs_surroundings_are_those_of_node() {
    check(
        &[
            (
                "main.js",
                "import value, { way } from 'umd'\nimport * as all from 'umd'\nlog(value.list, way, all.default === value)",
            ),
            ("node_modules/umd/package.json", "{ \"main\": \"./lib\" }"),
            (
                "node_modules/umd/lib/index.js",
                "(function (root, factory) {\n  if (typeof exports === 'object' && typeof module !== 'undefined') factory(exports)\n  else factory(root.umd = {})\n})(this, function (exports) {\n  exports.way = 'commonjs'\n  exports.list = require('../data.json').length\n})\nlog(this === exports, global === globalThis, typeof require.resolve, typeof module.exports)",
            ),
            ("node_modules/umd/data.json", "[1, 2]"),
        ],
        expect![[r#"
            true true function object
            2 commonjs true
        "#]],
    );
}

#[test]
fn names_of_a_barrel_are_those_of_where_they_are_declared() {
    check(
        &[
            (
                "main.js",
                "import { One, two as zwei, parts } from 'ui'\nexport { One as again } from 'ui'\nimport * as self from './main.js'\nlog(One, zwei, parts.two, self.again, Object.keys(parts))",
            ),
            (
                "node_modules/ui/package.json",
                "{ \"type\": \"module\", \"sideEffects\": false, \"exports\": \"./index.js\" }",
            ),
            (
                "node_modules/ui/index.js",
                "export { default as One } from './one.js'\nexport * from './parts.js'\nexport * as parts from './parts.js'",
            ),
            ("node_modules/ui/one.js", "export default 'one'"),
            ("node_modules/ui/parts.js", "export const two = 'two', three = 'three'"),
        ],
        expect![[r#"
            one two two one [ 'three', 'two' ]
        "#]],
    );
}

#[test]
fn auto_accessors_are_a_field_with_a_getter_and_a_setter() {
    check_ours(
        &[(
            "main.ts",
            "class A { accessor n: number = 1; static accessor s = 's'; accessor ['c' + 1] = 2; accessor #p = 3; get p() { return this.#p++ + this.#p } }
class B extends A { accessor m = super.n + 1 }
const b = new B()
b.n += 5
A.s += '!'
log(b.n, b.m, A.s, b.c1, b.p, 'n' in B.prototype, Object.keys(b))",
        )],
        expect![[r#"
            6 2 s! 2 7 true []
        "#]],
    );
}

#[test]
fn a_package_that_imports_and_requires() {
    check_ours(
        &[
            ("main.js", "import { a, b, c } from 'mixed'\nlog(a, b, c())"),
            ("node_modules/mixed/package.json", "{ \"name\": \"mixed\" }"),
            (
                "node_modules/mixed/index.js",
                "import y from './y.js'\nlog('begins')\nconst z = require('./z.js')\nexport const a = y\nexport const b = z\nexport const c = () => require('./late.js').v + require('./d.json').k + typeof require\nlog('ends')",
            ),
            ("node_modules/mixed/y.js", "log('y')\nmodule.exports = 'y'"),
            ("node_modules/mixed/z.js", "log('z')\nmodule.exports = 'z'"),
            ("node_modules/mixed/late.js", "log('late')\nexports.v = 'v'"),
            ("node_modules/mixed/d.json", "{ \"k\": 1 }"),
        ],
        expect![[r#"
            y
            begins
            z
            ends
            late
            y z v1undefined
        "#]],
    );
}

#[test]
fn templates_and_globs_may_begin_with_an_alias() {
    check_ours(
        &[
            (
                "main.ts",
                "const n = 'one'
const found = await import(`~/pages/${n}.ts`)
log(found.default, Object.keys(import.meta.glob('~/pages/*.ts')), import.meta.glob(['~/pages/*.ts', '!~/pages/two.ts'], { eager: true, import: 'default' }))
await import(`nothing/${n}.js`).catch((error) => log(error.message))",
            ),
            ("tsconfig.json", r#"{ "compilerOptions": { "paths": { "~/*": ["./src/*"] } } }"#),
            ("src/pages/one.ts", "export default 1"),
            ("src/pages/two.ts", "export default 2"),
        ],
        expect![[r#"
            1 [ '/src/pages/one.ts', '/src/pages/two.ts' ] { '/src/pages/one.ts': 1 }
            cannot find nothing/one.js, imported by /main.ts
        "#]],
    );
}

#[test]
fn what_has_side_effects_behind_a_barrel_runs_once_and_in_order() {
    check_ours(
        &[
            ("main.js", "import { a } from 'ui'\nimport { b } from 'ui'\nlog(a, b)"),
            ("node_modules/ui/package.json", r#"{ "name": "ui", "type": "module", "sideEffects": ["./poly.js"] }"#),
            (
                "node_modules/ui/index.js",
                "import './quiet.js'\nimport './poly.js'\nexport { a } from './a.js'\nexport { b } from './b.js'",
            ),
            ("node_modules/ui/quiet.js", "log('quiet')"),
            ("node_modules/ui/poly.js", "log('poly')"),
            ("node_modules/ui/a.js", "log('a')\nexport const a = 'a'"),
            ("node_modules/ui/b.js", "log('b')\nexport const b = 'b'"),
        ],
        expect![[r#"
            poly
            a
            b
            a b
        "#]],
    );
}

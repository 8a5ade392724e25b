//! Source in, definition out: one case for every construct that the compiler knows.
//!
//! To take in an intended change: `UPDATE_EXPECT=1 cargo test -p rekindle_compile --test definitions`, then read the difference.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::path::Path;

use expect_test::{Expect, expect};
use rekindle_compile::compiler::Compiler;
use rekindle_compile::source::Source;
use rekindle_graph::{Diagnostic, FilePath, ModuleUrl};
use tempfile::TempDir;

/// Compiles the file `name` of a project that holds nothing else.
fn check(name: &str, source: &str, expect: Expect) {
    check_in(&[], name, source, expect);
}

/// The same in a project whose tsconfig.json has `options`.
fn check_with(options: &str, name: &str, source: &str, expect: Expect) {
    check_in(&[("tsconfig.json", &format!("{{ \"compilerOptions\": {options} }}"))], name, source, expect);
}

/// The same in a project with other `files`. `name` may carry a query.
fn check_in(files: &[(&str, &str)], name: &str, source: &str, expect: Expect) {
    check_bytes(files, name, source.as_bytes(), expect);
}

fn check_bytes(files: &[(&str, &str)], name: &str, source: &[u8], expect: Expect) {
    let folder = TempDir::new().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let path = name.split('?').next().unwrap();
    for (name, text) in [("package.json", "{ \"type\": \"module\" }")].iter().chain(files) {
        write(&root.join(name), text.as_bytes());
    }
    write(&root.join(path), source);
    let compiler = Compiler::new(&root, None, "/");
    let file = FilePath::new(root.join(path));
    let compiled = compiler.compile(&ModuleUrl::new(format!("/{name}")), &file, &Source::File);
    let text = match compiled.result {
        Ok(definition) if compiled.links.errors.is_empty() => definition.code.to_string(),
        Ok(_) => errors(&compiled.links.errors),
        Err(diagnostics) => errors(&diagnostics),
    };
    expect.assert_eq(&text);
}

fn write(path: &Path, content: &[u8]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

fn errors(diagnostics: &[Diagnostic]) -> String {
    let mut text = String::new();
    for diagnostic in diagnostics {
        text.push_str(&format!("error: {}\n", diagnostic.message));
        text.extend(diagnostic.location().map(|location| format!("at {location}\n")));
        text.extend(diagnostic.frame.as_ref().map(|frame| format!("{frame}\n")));
        text.extend(diagnostic.help.as_ref().map(|help| format!("help: {help}\n")));
    }
    text
}

/// Modules that the cases import, so that no case is about a missing file.
const AB: [(&str, &str); 3] = [("a.js", ""), ("b.js", ""), ("c.js", "")];

// ---- imports

#[test]
fn imports_are_read_through_the_namespace_each_time() {
    check_in(
        &AB,
        "main.js",
        "import d, { a, b as c } from './a.js'\nimport * as ns from './b.js'\nimport './c.js'\nconsole.log(d, a, c, ns, ns.x, typeof a)",
        expect![[r#"
            {deps:["./a.js","./b.js","./c.js"],names:[["default","a","b"],["*"],[]]},(function*($x){let $0,$1;$x({},($n=>{$0=$n(0);$1=$n(1)}));yield;
            console.log($0.default, $0.a, $0.b, $1, $1.x, typeof $0.a);
            })"#]],
    );
}

#[test]
fn one_module_imported_twice_is_one_dependency() {
    check_in(
        &AB,
        "main.js",
        "import { a } from './a.js'\nimport { b } from './a.js'\nexport { a as c } from './a.js'\nexport const sum = a + b",
        expect![[r#"
            {deps:["./a.js"],names:[["a","b"]],from:{c:[0,"a"]}},(function*($x){let $0;$x({c:()=>$0.a,sum:()=>sum},($n=>{$0=$n(0)}));yield;
            const sum = $0.a + $0.b;
            })"#]],
    );
}

#[test]
fn an_unused_import_is_still_checked_and_run() {
    check_in(
        &AB,
        "main.js",
        "import { a } from './a.js'",
        expect![[r#"
            {deps:["./a.js"],names:[["a"]]},(function*($x){let $0;$x({},($n=>{$0=$n(0)}));yield;
            })"#]],
    );
}

#[test]
fn calls_of_imports_get_no_this() {
    check_in(
        &AB,
        "main.js",
        "import f, { g } from './a.js'\nimport * as ns from './b.js'\nf(1)\ng?.(2)\ng`t`\nns.h(3)\nns.h?.(4)\nns.h`t`\nnew f()\nnew f.Inner()\nf.call(5)\nf?.x\n;(0, g)(6)\nawait f()",
        expect![[r#"
            {deps:["./a.js","./b.js"],names:[["default","g"],["*"]],async:true},(function*($x){let $0,$1;$x({},($n=>{$0=$n(0);$1=$n(1)}));yield;
            (0, $0.default)(1);
            (0, $0.g)?.(2);
            (0, $0.g)`t`;
            $1.h(3);
            $1.h?.(4);
            $1.h`t`;
            new $0.default();
            new $0.default.Inner();
            $0.default.call(5);
            $0.default?.x;
            (0, $0.g)(6);
            yield (0, $0.default)();
            })"#]],
    );
}

#[test]
fn shorthand_properties_keep_their_name() {
    check_in(
        &AB,
        "main.js",
        "import d, { a, b as c } from './a.js'\nconsole.log({ d, a, c, e: a, [a]: 1 })",
        expect![[r#"
            {deps:["./a.js"],names:[["default","a","b"]]},(function*($x){let $0;$x({},($n=>{$0=$n(0)}));yield;
            console.log({
            	d: $0.default,
            	a: $0.a,
            	c: $0.b,
            	e: $0.a,
            	[$0.a]: 1
            });
            })"#]],
    );
}

#[test]
fn shadowed_import_names_are_left_alone() {
    check_in(
        &AB,
        "main.js",
        "import { a } from './a.js'\nfunction f(a) { return a }\nconst g = ({ a }) => a\n{ let a = 1; a++ }\nfor (const a of []) a\ntry {} catch (a) { a }\nclass C { a = a; m() { class a {} return a } }\na",
        expect![[r#"
            {deps:["./a.js"],names:[["a"]]},(function*($x){let $0;$x({},($n=>{$0=$n(0)}));yield;
            function f(a) {
            	return a;
            }
            const g = ({ a }) => a;
            {
            	let a = 1;
            	a++;
            }
            for (const a of []) a;
            try {} catch (a) {
            	a;
            }
            class C {
            	a = $0.a;
            	m() {
            		class a {}
            		return a;
            	}
            }
            $0.a;
            })"#]],
    );
}

#[test]
fn destructuring_reads_and_writes_around_imports() {
    check_in(
        &AB,
        "main.js",
        "import { a } from './a.js'\nlet x, y\n;({ x = a, [a]: y } = { x: a })\n;[x = a, ...y] = a\nconst { z = a, ...rest } = a\nexport { x, y, z, rest }",
        expect![[r#"
            {deps:["./a.js"],names:[["a"]]},(function*($x){let $0;$x({x:()=>x,y:()=>y,z:()=>z,rest:()=>rest},($n=>{$0=$n(0)}));yield;
            let x, y;
            ({x = $0.a, [$0.a]: y} = { x: $0.a });
            [x = $0.a, ...y] = $0.a;
            const { z = $0.a, ...rest } = $0.a;
            })"#]],
    );
}

#[test]
fn string_names_and_prototype_names_are_properties_like_others() {
    check_in(
        &AB,
        "main.js",
        "import { 'two words' as two, __proto__ as p } from './a.js'\nexport { 'a-b' as 'c-d' } from './b.js'\nexport { __proto__ } from './b.js'\nconst local = two + p\nexport { local as 'with space', local as constructor }\nexport * as 'name space' from './c.js'",
        expect![[r#"
            {deps:["./a.js","./b.js","./c.js"],names:[["two words","__proto__"],["a-b","__proto__"],["*"]],from:{"c-d":[1,"a-b"],["__proto__"]:[1,"__proto__"],"name space":[2,"*"]}},(function*($x){let $0,$1,$2;$x({"c-d":()=>$1["a-b"],["__proto__"]:()=>$1.__proto__,"with space":()=>local,constructor:()=>local,"name space":()=>$2},($n=>{$0=$n(0);$1=$n(1);$2=$n(2)}));yield;
            const local = $0["two words"] + $0.__proto__;
            })"#]],
    );
    check(
        "main.js",
        "const x = 1\nexport { x as __proto__ }",
        expect![[r#"
            {deps:[],names:[]},(function*($x){$x({["__proto__"]:()=>x});yield;
            const x = 1;
            })"#]],
    );
}

#[test]
fn names_that_the_wrapper_would_use_are_avoided() {
    check_in(
        &AB,
        "main.js",
        "import { a } from './a.js'\nconst $0 = a, $x = 1\nexport default $0",
        expect![[r#"
            {deps:["./a.js"],names:[["a"]]},(function*($$x){let $$0;$$x({default:()=>$$default},($$n=>{$$0=$$n(0)}));yield;
            const $0 = $$0.a, $x = 1;
            const $$default = $0;
            })"#]],
    );
    check_in(
        &AB,
        "main.js",
        "import { a } from './a.js'\nconst $m = import.meta.url, $$x = a, $el = $\nexport { $m, $el }",
        expect![[r#"
            {deps:["./a.js"],names:[["a"]]},(function*($_$x,$_$r,$_$m){let $_$0;$_$x({$m:()=>$m,$el:()=>$el},($_$n=>{$_$0=$_$n(0)}));yield;
            const $m = $_$m.url, $$x = $_$0.a, $el = $;
            })"#]],
    );
}

#[test]
fn attributes_travel_beside_the_specifier() {
    check_in(
        &[("d.json", "{}"), ("t.txt", "")],
        "main.js",
        "import data from './d.json' with { type: 'json' }\nimport text from './t.txt' with { 'type': 'text' }\nimport plain from './d.json'\nexport { default as again } from './d.json' with { type: 'json' }\nexport const all = [data, text, plain]",
        expect![[r#"
            {deps:["./d.json","./t.txt","./d.json"],names:[["default"],["default"],["default"]],from:{again:[0,"default"]},with:["json","text",null]},(function*($x){let $0,$1,$2;$x({again:()=>$0.default,all:()=>all},($n=>{$0=$n(0);$1=$n(1);$2=$n(2)}));yield;
            const all = [
            	$0.default,
            	$1.default,
            	$2.default
            ];
            })"#]],
    );
}

#[test]
fn addresses_stay_addresses() {
    check_in(
        &AB,
        "main.js",
        "import { x } from 'https://esm.sh/x'\nexport * from 'https://esm.sh/y'\nimport { a } from './a.js'\nconsole.log(x, a)",
        expect![[r#"
            {deps:["https://esm.sh/x","https://esm.sh/y","./a.js"],names:[["x"],[],["a"]],stars:[1]},(function*($x){let $0,$2;$x({},($n=>{$0=$n(0);$2=$n(2)}));yield;
            console.log($0.x, $2.a);
            })"#]],
    );
}

// ---- exports

#[test]
fn declarations_are_exported_by_getters() {
    check(
        "main.js",
        "export let a = 1, { b, c: [d, ...e] } = {}\nexport const f = 2\nexport var g\nexport function h() {}\nexport async function* i() {}\nexport class J {}\na = 3",
        expect![[r#"
            {deps:[],names:[]},(function*($x){$x({a:()=>a,b:()=>b,d:()=>d,e:()=>e,f:()=>f,g:()=>g,h:()=>h,i:()=>i,J:()=>J});yield;
            let a = 1, { b, c: [d, ...e] } = {};
            const f = 2;
            var g;
            function h() {}
            async function* i() {}
            class J {}
            a = 3;
            })"#]],
    );
}

#[test]
fn lists_of_exports_read_locals_and_pass_imports_on() {
    check_in(
        &AB,
        "main.js",
        "export { local, local as other, local as default, a, d as e, ns }\nimport d, { a } from './a.js'\nimport * as ns from './b.js'\nlet local = 1",
        expect![[r#"
            {deps:["./a.js","./b.js"],names:[["default","a"],["*"]],from:{a:[0,"a"],e:[0,"default"],ns:[1,"*"]}},(function*($x){let $0,$1;$x({local:()=>local,other:()=>local,default:()=>local,a:()=>$0.a,e:()=>$0.default,ns:()=>$1},($n=>{$0=$n(0);$1=$n(1)}));yield;
            let local = 1;
            })"#]],
    );
}

#[test]
fn export_from_and_stars_name_their_module() {
    check_in(
        &AB,
        "main.js",
        "export { x, y as z, default, default as q } from './a.js'\nexport * from './b.js'\nexport * from './b.js'\nexport * as ns from './c.js'\nexport {} from './c.js'",
        expect![[r#"
            {deps:["./a.js","./b.js","./c.js"],names:[["x","y","default"],[],["*"]],stars:[1],from:{x:[0,"x"],z:[0,"y"],default:[0,"default"],q:[0,"default"],ns:[2,"*"]}},(function*($x){let $0,$2;$x({x:()=>$0.x,z:()=>$0.y,default:()=>$0.default,q:()=>$0.default,ns:()=>$2},($n=>{$0=$n(0);$2=$n(2)}));yield;
            })"#]],
    );
}

#[test]
fn default_exports_of_declarations() {
    check(
        "main.js",
        "export default function () { return 1 }",
        expect![[r#"
            {deps:[],names:[]},(function*($x,$r){$r.nameDefault($default);$x({default:()=>$default});yield;
            function $default() {
            	return 1;
            }
            })"#]],
    );
    check(
        "main.js",
        "export default async function named() {}\nnamed = 1",
        expect![[r#"
            {deps:[],names:[]},(function*($x){$x({default:()=>named});yield;
            async function named() {}
            named = 1;
            })"#]],
    );
    check(
        "main.js",
        "export default class { static x = 1 }",
        expect![[r#"
            {deps:[],names:[]},(function*($x){$x({default:()=>$default});yield;
            const $default = { default: class {
            	static x = 1;
            } }.default;
            })"#]],
    );
    check(
        "main.js",
        "export default class Named {}",
        expect![[r#"
            {deps:[],names:[]},(function*($x){$x({default:()=>Named});yield;
            class Named {}
            })"#]],
    );
    check(
        "main.js",
        "export default function* () {}",
        expect![[r#"
            {deps:[],names:[]},(function*($x,$r){$r.nameDefault($default);$x({default:()=>$default});yield;
            function* $default() {}
            })"#]],
    );
}

#[test]
fn default_exports_of_expressions() {
    check(
        "main.js",
        "export default () => 1",
        expect![[r#"
            {deps:[],names:[]},(function*($x){$x({default:()=>$default});yield;
            const $default = { default: () => 1 }.default;
            })"#]],
    );
    check(
        "main.js",
        "export default (function () {})",
        expect![[r#"
            {deps:[],names:[]},(function*($x){$x({default:()=>$default});yield;
            const $default = { default: (function() {}) }.default;
            })"#]],
    );
    check(
        "main.js",
        "export default (class {})",
        expect![[r#"
            {deps:[],names:[]},(function*($x){$x({default:()=>$default});yield;
            const $default = { default: class {} }.default;
            })"#]],
    );
    check(
        "main.js",
        "let x = 1\nexport default x\nx = 2",
        expect![[r#"
            {deps:[],names:[]},(function*($x){$x({default:()=>$default});yield;
            let x = 1;
            const $default = x;
            x = 2;
            })"#]],
    );
    check(
        "main.js",
        "export default { a: 1 }",
        expect![[r#"
            {deps:[],names:[]},(function*($x){$x({default:()=>$default});yield;
            const $default = { a: 1 };
            })"#]],
    );
    check(
        "main.js",
        "export default [1, 2].map((n) => n)",
        expect![[r#"
            {deps:[],names:[]},(function*($x){$x({default:()=>$default});yield;
            const $default = [1, 2].map((n) => n);
            })"#]],
    );
}

#[test]
fn directives_and_the_hashbang_line_go() {
    check(
        "main.js",
        "#!/usr/bin/env node\n'use strict'\n'use client'\nexport const a = 1",
        expect![[r#"
            {deps:[],names:[]},(function*($x){$x({a:()=>a});yield;
            const a = 1;
            })"#]],
    );
}

// ---- import() and import.meta

#[test]
fn dynamic_imports_by_number_or_by_text() {
    check_in(
        &AB,
        "main.js",
        "import './a.js'\nimport('./a.js')\nimport('./b.js').then(({ x }) => x)\nimport(`./c.js`)\nconst load = (path) => import(path)\nconst both = (path) => import('./' + path)",
        expect![[r#"
            {deps:["./a.js","./b.js","./c.js"],names:[[]],dynamic:[0,1,2],computed:true},(function*($x,$r){$x({});yield;
            $r.import(0);
            $r.import(1).then(({ x }) => x);
            $r.import(2);
            const load = (path) => $r.import(path);
            const both = (path) => $r.import("./" + path);
            })"#]],
    );
}

#[test]
fn dynamic_imports_of_a_template_are_globs() {
    check_in(
        &[("pages/a.js", "")],
        "main.js",
        "export const page = (name) => import(`./pages/${name}.js`)\nexport const raw = (name) => import(`./pages/${name}.js?raw`)\nexport const any = (name) => import(`${name}.js`)",
        expect![[r#"
            {deps:[],names:[],computed:true},(function*($x,$r){$x({page:()=>page,raw:()=>raw,any:()=>any});yield;
            const page = (name) => $r.importGlob(0, `./pages/${name}.js`);
            const raw = (name) => $r.importGlob(1, `./pages/${name}.js?raw`);
            const any = (name) => $r.import(`${name}.js`);
            })"#]],
    );
}

#[test]
fn options_of_dynamic_imports_travel_with_them() {
    check_in(
        &[("d.json", "{}")],
        "main.js",
        "import('./d.json', { with: { type: 'json' } })\nconst load = (path, options) => import(path, options)",
        expect![[r#"
            {deps:["./d.json"],names:[],dynamic:[0],computed:true,with:["json"]},(function*($x,$r){$x({});yield;
            $r.import(0);
            const load = (path, options) => $r.import(path, options);
            })"#]],
    );
}

#[test]
fn import_meta_is_a_parameter() {
    check(
        "main.js",
        "const { url, dirname, filename } = import.meta\nconst f = () => import.meta.url + import.meta.dirname\nif (import.meta.hot) import.meta.hot.accept()\nimport.meta.hot?.dispose(() => {})\nconsole.log(import.meta.env.MODE, import.meta.env.VITE_X, import.meta['env'])",
        expect![[r#"
            {deps:[],names:[]},(function*($x,$r,$m){$x({});yield;
            const { url, dirname, filename } = $m;
            const f = () => $m.url + $m.dirname;
            if ($m.hot) $m.hot.accept();
            $m.hot?.dispose(() => {});
            console.log($m.env.MODE, $m.env.VITE_X, $m["env"]);
            })"#]],
    );
}

#[test]
fn accepted_dependencies_are_dependencies() {
    check_in(
        &AB,
        "main.js",
        "import { a } from './a.js'\nimport.meta.hot?.accept('./a.js', () => {})\nimport.meta.hot.accept(['./b.js', `./c.js`], ([b]) => b)\nconst { hot } = import.meta\nhot?.accept('./b.js', () => a)",
        expect![[r#"
            {deps:["./a.js","./b.js","./c.js"],names:[["a"]]},(function*($x,$r,$m){let $0;$x({},($n=>{$0=$n(0)}));yield;
            $m.hot?.accept("./a.js", () => {});
            $m.hot.accept(["./b.js", `./c.js`], ([b]) => b);
            const { hot } = $m;
            hot?.accept("./b.js", () => $0.a);
            })"#]],
    );
}

#[test]
fn globs_are_numbered_and_eager_ones_named() {
    check_in(
        &[("pages/a.js", ""), ("pages/b.js", "")],
        "main.js",
        "export const lazy = import.meta.glob('./pages/*.js')\nexport const eager = import.meta.glob(['./pages/*.js', '!**/b.js'], { eager: true, import: 'default' })\nexport const raw = import.meta.glob('./pages/*.js', { query: '?raw', import: 'default' })",
        expect![[r#"
            {deps:[],names:[],eager:[1]},(function*($x,$r){$x({lazy:()=>lazy,eager:()=>eager,raw:()=>raw});yield;
            const lazy = $r.glob(0, null);
            const eager = $r.glob(1, "default");
            const raw = $r.glob(2, "default");
            })"#]],
    );
}

#[test]
fn addresses_of_assets_are_asked_for() {
    check_in(
        &[("logo.svg", ""), ("worker.js", "")],
        "main.js",
        "export const logo = new URL('./logo.svg', import.meta.url).href\nexport const bare = new URL('logo.svg', import.meta.url)\nexport const computed = new URL(logo, import.meta.url)\nexport const root = new URL('/x', import.meta.url)\nfunction f(URL) { return new URL('./logo.svg', import.meta.url) }",
        expect![[r#"
            {deps:["./logo.svg","logo.svg"],names:[]},(function*($x,$r,$m){$x({logo:()=>logo,bare:()=>bare,computed:()=>computed,root:()=>root});yield;
            const logo = new URL($r.asset(0), $m.url).href;
            const bare = new URL($r.asset(1), $m.url);
            const computed = new URL(logo, $m.url);
            const root = new URL("/x", $m.url);
            function f(URL) {
            	return new URL("./logo.svg", $m.url);
            }
            })"#]],
    );
}

#[test]
fn workers_are_addresses_of_modules_and_templates_of_files() {
    check_in(
        &[("worker.js", ""), ("pics/a.svg", "")],
        "main.js",
        "import './worker.js'\nnew Worker(new URL('./worker.js', import.meta.url), { type: 'module' })\nnew SharedWorker(new URL('./worker.js', import.meta.url))\nconst pic = (name) => new URL(`./pics/${name}.svg`, import.meta.url)\nfunction f(Worker) { return new Worker(new URL(pic, import.meta.url)) }",
        expect![[r#"
            {deps:["./worker.js","./worker.js"],names:[[]],eager:[0]},(function*($x,$r,$m){$x({});yield;
            new Worker(new URL($r.worker(1), $m.url), { type: "module" });
            new SharedWorker(new URL($r.worker(1), $m.url));
            const pic = (name) => new URL($r.assetGlob(0, `./pics/${name}.svg`), $m.url);
            function f(Worker) {
            	return new Worker(new URL(pic, $m.url));
            }
            })"#]],
    );
    check(
        "main.js",
        "new Worker(new URL('./nobody.js', import.meta.url))",
        expect![[r#"
            error: cannot find `./nobody.js`
            at main.js:1:20
            > 1 | new Worker(new URL('./nobody.js', import.meta.url))
                |                    ^^^^^^^^^^^^^
        "#]],
    );
    check(
        "worker.js?worker",
        "postMessage(1)",
        expect![[r#"
            {deps:[""],names:[]},(function*($x,$r){$x({default:()=>$d});yield;
            var $d=$r.workerClass(0,"Worker");
            })"#]],
    );
    check(
        "note.txt?worker",
        "",
        expect![[r#"
            error: only a script can be a worker
            at note.txt
            help: use `?worker` with a JavaScript or TypeScript file
        "#]],
    );
}

#[test]
fn a_sum_of_texts_is_read_like_a_template() {
    check_in(
        &[("a/b.js", "")],
        "main.js",
        "export const load = (name) => import('./a/' + name + '.js')\nexport const any = (name) => import(name + '.js')",
        expect![[r#"
            {deps:[],names:[],computed:true},(function*($x,$r){$x({load:()=>load,any:()=>any});yield;
            const load = (name) => $r.importGlob(0, "./a/" + name + ".js");
            const any = (name) => $r.import(name + ".js");
            })"#]],
    );
}

// ---- top-level await

#[test]
fn top_level_await_yields() {
    check_in(
        &AB,
        "main.js",
        "import { a } from './a.js'\nexport const x = await a\nconst y = (await a()) + (await x)\nconst { z = await x } = await y\nif (await z) console.log(`${await z}`, [await x, ...(await y)], await (await z).p)\nclass C extends (await x) { [await y] = 1 }\nasync () => await x\nasync function f() { await x }",
        expect![[r#"
            {deps:["./a.js"],names:[["a"]],async:true},(function*($x){let $0;$x({x:()=>x},($n=>{$0=$n(0)}));yield;
            const x = yield $0.a;
            const y = (yield (0, $0.a)()) + (yield x);
            const { z = yield x } = yield y;
            if (yield z) console.log(`${yield z}`, [yield x, ...yield y], yield (yield z).p);
            class C extends (yield x) {
            	[yield y] = 1;
            }
            async () => await x;
            async function f() {
            	await x;
            }
            })"#]],
    );
}

#[test]
fn asynchronous_statements_make_an_asynchronous_generator() {
    check(
        "main.js",
        "for await (const x of []) console.log(await x)",
        expect![[r#"
            {deps:[],names:[],async:true},(async function*($x){$x({});yield;
            for await (const x of []) console.log(await x);
            })"#]],
    );
    check(
        "main.js",
        "await using file = open()\nawait file",
        expect![[r#"
            {deps:[],names:[],async:true},(async function*($x){$x({});yield;
            await using file = open();
            await file;
            })"#]],
    );
    check(
        "main.js",
        "async function f() { for await (const x of []) x; await using y = x }",
        expect![[r#"
            {deps:[],names:[]},(function*($x){$x({});yield;
            async function f() {
            	for await (const x of []) x;
            	await using y = x;
            }
            })"#]],
    );
    check(
        "main.js",
        "using file = open()",
        expect![[r#"
            {deps:[],names:[]},(function*($x){$x({});yield;
            using file = open();
            })"#]],
    );
}

#[test]
fn arguments_is_nothing_at_the_top_level() {
    check(
        "main.js",
        "console.log(typeof arguments, (() => arguments)(), { arguments })\nfunction f() { return arguments }",
        expect![[r#"
            {deps:[],names:[]},(function*($x){$x({});yield;
            console.log(typeof $arguments, (() => $arguments)(), { arguments: $arguments });
            function f() {
            	return arguments;
            }
            })"#]],
    );
}

// ---- TypeScript

#[test]
fn types_go() {
    check_in(
        &AB,
        "main.ts",
        "interface A { a: number }\ntype B = A\ndeclare const c: B\ndeclare module 'x' {}\nabstract class D<T> implements A { a!: number; abstract e(): void; private f?: T; g(this: D<T>, x?: number): asserts x is number {} }\nexport const h = (c as unknown as B)!.a satisfies number\nexport const i = <T,>(x: T) => x\nexport type { B }\nexport default interface J {}",
        expect![[r#"
            {deps:[],names:[]},(function*($x){$x({h:()=>h,i:()=>i});yield;
            class D {
            	a;
            	f;
            	g(x) {}
            }
            const h = c.a;
            const i = (x) => x;
            })"#]],
    );
}

#[test]
fn imports_of_types_go() {
    check_in(
        &AB,
        "main.ts",
        "import type { A } from './a.js'\nimport { type B, b } from './b.js'\nimport { C } from './c.js'\nexport type { T } from './c.js'\nexport const x: A | B | C = b",
        expect![[r#"
            {deps:["./b.js"],names:[["b"]]},(function*($x){let $0;$x({x:()=>x},($n=>{$0=$n(0)}));yield;
            const x = $0.b;
            })"#]],
    );
    check_with(
        "{ \"isolatedModules\": true }",
        "main.ts",
        "import { A, a } from 'https://a'\nimport B from 'https://b'\nexport const x: A | B = a",
        expect![[r#"
            {deps:["https://a"],names:[["a"]]},(function*($x){let $0;$x({x:()=>x},($n=>{$0=$n(0)}));yield;
            const x = $0.a;
            })"#]],
    );
}

#[test]
fn verbatim_module_syntax_keeps_every_import_that_is_not_marked() {
    check_with(
        "{ \"verbatimModuleSyntax\": true }",
        "main.ts",
        "import type { A } from 'https://a'\nimport { type B } from 'https://b'\nimport { C, type D } from 'https://c'\nexport { type E } from 'https://e'\nexport const x = 1 as unknown as A | B | C | D",
        expect![[r#"
            {deps:["https://b","https://c"],names:[[],["C"]]},(function*($x){let $1;$x({x:()=>x},($n=>{$1=$n(1)}));yield;
            const x = 1;
            })"#]],
    );
}

#[test]
fn enums_are_objects() {
    check(
        "main.ts",
        "export enum A { X, Y = 5, Z }\nenum B { S = 's', T = `${S}t` }\nexport const enum C { One = 1 }\nexport enum A { W = 10 }\nexport default B\nexport const one = C.One",
        expect![[r#"
            {deps:[],names:[]},(function*($x){$x({A:()=>A,C:()=>C,default:()=>$default,one:()=>one});yield;
            let A = function(A) {
            	A[A["X"] = 0] = "X";
            	A[A["Y"] = 5] = "Y";
            	A[A["Z"] = 6] = "Z";
            	return A;
            }({});
            var B = function(B) {
            	B["S"] = "s";
            	B["T"] = "st";
            	return B;
            }(B || {});
            let C = function(C) {
            	C[C["One"] = 1] = "One";
            	return C;
            }({});
            A = function(A) {
            	A[A["W"] = 10] = "W";
            	return A;
            }(A || {});
            const $default = B;
            const one = C.One;
            })"#]],
    );
}

// Known gap of oxc: `y++` does not reach `N.Inner.y`.
#[test]
fn namespaces_are_objects() {
    check(
        "main.ts",
        "export namespace N { export const x = 1; const hidden = 2; export function f() { return x + hidden } }\nexport namespace N.Inner { export let y = N.x; y++ }\nexport function g() {}\nexport namespace g { export const z = 1 }\nnamespace Types { export type T = 1 }\nimport Alias = N.Inner\nexport const v = Alias.y",
        expect![[r#"
            {deps:[],names:[]},(function*($x){$x({N:()=>N,g:()=>g,v:()=>v});yield;
            let N;
            (function(_N) {
            	const x = _N.x = 1;
            	const hidden = 2;
            	function f() {
            		return x + hidden;
            	}
            	_N.f = f;
            })(N || (N = {}));
            (function(_N2) {
            	let Inner;
            	(function(_Inner) {
            		let y = _Inner.y = N.x;
            		y++;
            	})(Inner || (Inner = _N2.Inner || (_N2.Inner = {})));
            })(N || (N = {}));
            function g() {}
            (function(_g) {
            	const z = _g.z = 1;
            })(g || (g = {}));
            var Alias = N.Inner;
            const v = Alias.y;
            })"#]],
    );
}

#[test]
fn merged_declarations_are_one_export() {
    check(
        "main.ts",
        "export function f(a: string): void\nexport function f(a: any) {}\nexport declare const x: number\nexport declare function g(): void\nexport class C {}\nexport namespace C { export const a = 1 }\nexport interface C { b: number }\nexport import A = C.a\nexport abstract class D {}\nexport type { C as T }",
        expect![[r#"
            {deps:[],names:[]},(function*($x){$x({f:()=>f,C:()=>C,A:()=>A,D:()=>D});yield;
            function f(a) {}
            class C {}
            (function(_C) {
            	const a = _C.a = 1;
            })(C || (C = {}));
            var A = C.a;
            class D {}
            })"#]],
    );
}

#[test]
fn parameter_properties_are_assigned_first() {
    check(
        "main.ts",
        "class A extends B { x = this.p; constructor(public p: number, private readonly q = p, r?: string) { super(); console.log(r) } }",
        expect![[r#"
            {deps:[],names:[]},(function*($x){$x({});yield;
            class A extends B {
            	p;
            	q;
            	x = this.p;
            	constructor(p, q = p, r) {
            		super();
            		this.p = p;
            		this.q = q;
            		console.log(r);
            	}
            }
            })"#]],
    );
    check_with(
        "{ \"useDefineForClassFields\": false }",
        "main.ts",
        "class A extends B { x = this.p; y: number; constructor(public p: number) { super() } }",
        expect![[r#"
            {deps:[],names:[]},(function*($x){$x({});yield;
            class A extends B {
            	constructor(p) {
            		super();
            		this.p = p;
            		this.x = this.p;
            	}
            }
            })"#]],
    );
}

#[test]
fn class_fields_are_defined_or_assigned() {
    const SOURCE: &str = "export class A { a = 1; b: number; declare c: number; static d = A.name; ['e' + 1] = 2; #f = 3; get() { return this.#f } }";
    check_with(
        "{ \"useDefineForClassFields\": true, \"target\": \"es2015\" }",
        "main.ts",
        SOURCE,
        expect![[r#"
            {deps:[],names:[]},(function*($x){$x({A:()=>A});yield;
            class A {
            	a = 1;
            	b;
            	static d = A.name;
            	["e" + 1] = 2;
            	#f = 3;
            	get() {
            		return this.#f;
            	}
            }
            })"#]],
    );
    check_with(
        "{ \"useDefineForClassFields\": false }",
        "main.ts",
        SOURCE,
        expect![[r#"
            {deps:["@oxc-project/runtime/helpers/classPrivateFieldInitSpec","@oxc-project/runtime/helpers/classPrivateFieldGet2"],names:[["default"],["default"]]},(function*($x){let $0,$1;$x({A:()=>A},($n=>{$0=$n(0);$1=$n(1)}));yield;
            var _A;
            let _ref;
            var _f = new WeakMap();
            _ref = "e" + 1;
            class A {
            	constructor() {
            		this.a = 1;
            		this[_ref] = 2;
            		(0, $0.default)(this, _f, 3);
            	}
            	get() {
            		return (0, $1.default)(_f, this);
            	}
            }
            _A = A;
            A.d = _A.name;
            })"#]],
    );
    check_with(
        "{ \"target\": \"ES2021\" }",
        "main.ts",
        "class A { a = 1; b }",
        expect![[r#"
            {deps:[],names:[]},(function*($x){$x({});yield;
            class A {
            	constructor() {
            		this.a = 1;
            	}
            }
            })"#]],
    );
    check_with(
        "{ \"target\": \"ES2022\" }",
        "main.ts",
        "class A { a = 1; b }",
        expect![[r#"
            {deps:[],names:[]},(function*($x){$x({});yield;
            class A {
            	a = 1;
            	b;
            }
            })"#]],
    );
}

#[test]
fn decorators_are_compiled_with_their_metadata() {
    check_with(
        "{ \"experimentalDecorators\": true, \"emitDecoratorMetadata\": true }",
        "main.ts",
        "import { dec, type Type, Service } from 'https://d'\n@dec export class A { @dec p: string = ''; @dec({ x: 1 }) static s: Type; constructor(@dec private a: Service, b: number) {} @dec m(@dec x: A, y?: Date): Promise<void> {} @dec get g(): number { return 1 } }",
        expect![[r#"
            {deps:["https://d","@oxc-project/runtime/helpers/decorateMetadata","@oxc-project/runtime/helpers/decorate","@oxc-project/runtime/helpers/decorateParam"],names:[["dec","Service"],["default"],["default"],["default"]]},(function*($x){let $0,$1,$2,$3;$x({A:()=>A},($n=>{$0=$n(0);$1=$n(1);$2=$n(2);$3=$n(3)}));yield;
            let A = class A {
            	a;
            	p = "";
            	static s;
            	constructor(a, b) {
            		this.a = a;
            	}
            	m(x, y) {}
            	get g() {
            		return 1;
            	}
            };
            (0, $2.default)([$0.dec, (0, $1.default)("design:type", String)], A.prototype, "p", void 0);
            (0, $2.default)([(0, $0.dec)({ x: 1 }), (0, $1.default)("design:type", Object)], A, "s", void 0);
            (0, $2.default)([
            	$0.dec,
            	(0, $3.default)(0, $0.dec),
            	(0, $1.default)("design:type", Function),
            	(0, $1.default)("design:paramtypes", [typeof A === "undefined" ? Object : A, typeof Date === "undefined" ? Object : Date]),
            	(0, $1.default)("design:returntype", typeof Promise === "undefined" ? Object : Promise)
            ], A.prototype, "m", null);
            (0, $2.default)([
            	$0.dec,
            	(0, $1.default)("design:type", Number),
            	(0, $1.default)("design:paramtypes", [])
            ], A.prototype, "g", null);
            A = (0, $2.default)([
            	$0.dec,
            	(0, $3.default)(0, $0.dec),
            	(0, $1.default)("design:paramtypes", [typeof $0.Service === "undefined" ? Object : $0.Service, Number])
            ], A);
            })"#]],
    );
    check_with(
        "{ \"experimentalDecorators\": true }",
        "main.ts",
        "export default @dec class { @dec m() {} }\ndeclare const dec: any",
        expect![[r#"
            {deps:["@oxc-project/runtime/helpers/decorate"],names:[["default"]]},(function*($x){let $0;$x({default:()=>$default},($n=>{$0=$n(0)}));yield;
            let _default = class {
            	m() {}
            };
            (0, $0.default)([dec], _default.prototype, "m", null);
            _default = (0, $0.default)([dec], _default);
            const $default = _default;
            })"#]],
    );
}

#[test]
fn require_of_typescript_and_export_assignment_are_refused() {
    check_in(
        &AB,
        "main.ts",
        "import a = require('./a.js')\nexport const x = a",
        expect![[r#"
            error: `import = require()` is CommonJS
            at main.ts:1:1
            > 1 | import a = require('./a.js')
                | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
              2 | export const x = a
            help: write `import name from` instead
        "#]],
    );
    check(
        "main.ts",
        "const a = 1\nexport = a",
        expect![[r#"
            error: `export =` is CommonJS
            at main.ts:2:1
              1 | const a = 1
            > 2 | export = a
                | ^^^^^^^^^^
            help: write `export default` instead
        "#]],
    );
}

#[test]
fn modules_of_other_extensions() {
    check(
        "main.mts",
        "export const a: number = 1",
        expect![[r#"
            {deps:[],names:[]},(function*($x){$x({a:()=>a});yield;
            const a = 1;
            })"#]],
    );
    check(
        "main.mjs",
        "export const a = 1",
        expect![[r#"
            {deps:[],names:[]},(function*($x){$x({a:()=>a});yield;
            const a = 1;
            })"#]],
    );
    check(
        "main.cts",
        "const a: number = 1\nexports.A = class { constructor(public b = a) {} }\nexports.C = require('./main.cts')",
        expect![[r#"
            {cjs:true,deps:["./main.cts"],names:[]},(function(module,exports,require,$r){
            const a = 1;
            exports.A = class {
            	b;
            	constructor(b = a) {
            		this.b = b;
            	}
            };
            exports.C = require("./main.cts");
            })"#]],
    );
}

// ---- JSX

const JSX: &str = "import { Button as B } from 'https://b'\nimport * as ui from 'https://ui'\nexport const x = <div className=\"a\" {...p}><B key=\"k\">{1}</B><ui.Card /><></></div>";

#[test]
fn jsx_automatic_is_the_default() {
    check_in(
        &REACT,
        "main.jsx",
        JSX,
        expect![[r#"
            {deps:["https://b","https://ui","react/jsx-dev-runtime"],names:[["Button"],["*"],["jsxDEV","Fragment"]]},(function*($x){let $0,$1,$2;$x({x:()=>x},($n=>{$0=$n(0);$1=$n(1);$2=$n(2)}));yield;
            var _jsxFileName = "/main.jsx";
            const x = (0, $2.jsxDEV)("div", {
            	className: "a",
            	...p,
            	children: [
            		(0, $2.jsxDEV)($0.Button, { children: 1 }, "k", false, {
            			fileName: _jsxFileName,
            			lineNumber: 3,
            			columnNumber: 44
            		}, this),
            		(0, $2.jsxDEV)($1.Card, {}, void 0, false, {
            			fileName: _jsxFileName,
            			lineNumber: 3,
            			columnNumber: 62
            		}, this),
            		(0, $2.jsxDEV)($2.Fragment, {}, void 0, false, {
            			fileName: _jsxFileName,
            			lineNumber: 3,
            			columnNumber: 73
            		}, this)
            	]
            }, void 0, true, {
            	fileName: _jsxFileName,
            	lineNumber: 3,
            	columnNumber: 18
            }, this);
            })"#]],
    );
}

#[test]
fn jsx_follows_tsconfig() {
    let with = |options: &str, expect: Expect| {
        let tsconfig = format!("{{ \"compilerOptions\": {options} }}");
        let files = [("tsconfig.json", tsconfig.as_str()), REACT[0], REACT[1], REACT[2], REACT[3]];
        check_in(&files, "main.tsx", "export const x = <a><></></a>", expect);
    };
    with(
        "{ \"jsx\": \"react-jsx\" }",
        expect![[r#"
            {deps:["react/jsx-dev-runtime"],names:[["Fragment","jsxDEV"]]},(function*($x){let $0;$x({x:()=>x},($n=>{$0=$n(0)}));yield;
            var _jsxFileName = "/main.tsx";
            const x = (0, $0.jsxDEV)("a", { children: (0, $0.jsxDEV)($0.Fragment, {}, void 0, false, {
            	fileName: _jsxFileName,
            	lineNumber: 1,
            	columnNumber: 21
            }, this) }, void 0, false, {
            	fileName: _jsxFileName,
            	lineNumber: 1,
            	columnNumber: 18
            }, this);
            })"#]],
    );
    with(
        "{ \"jsx\": \"react-jsxdev\", \"jsxImportSource\": \"preact\" }",
        expect![[r#"
            {deps:["preact/jsx-dev-runtime"],names:[["Fragment","jsxDEV"]]},(function*($x){let $0;$x({x:()=>x},($n=>{$0=$n(0)}));yield;
            var _jsxFileName = "/main.tsx";
            const x = (0, $0.jsxDEV)("a", { children: (0, $0.jsxDEV)($0.Fragment, {}, void 0, false, {
            	fileName: _jsxFileName,
            	lineNumber: 1,
            	columnNumber: 21
            }, this) }, void 0, false, {
            	fileName: _jsxFileName,
            	lineNumber: 1,
            	columnNumber: 18
            }, this);
            })"#]],
    );
    with(
        "{ \"jsx\": \"react\" }",
        expect![[r#"
            {deps:[],names:[]},(function*($x){$x({x:()=>x});yield;
            const x = React.createElement("a", null, React.createElement(React.Fragment, null));
            })"#]],
    );
    with(
        "{ \"jsx\": \"react\", \"jsxFactory\": \"h\", \"jsxFragmentFactory\": \"Fragment\" }",
        expect![[r#"
            {deps:[],names:[]},(function*($x){$x({x:()=>x});yield;
            const x = h("a", null, h(Fragment, null));
            })"#]],
    );
    with(
        "{ \"jsx\": \"preserve\" }",
        expect![[r#"
            {deps:["react/jsx-dev-runtime"],names:[["Fragment","jsxDEV"]]},(function*($x){let $0;$x({x:()=>x},($n=>{$0=$n(0)}));yield;
            var _jsxFileName = "/main.tsx";
            const x = (0, $0.jsxDEV)("a", { children: (0, $0.jsxDEV)($0.Fragment, {}, void 0, false, {
            	fileName: _jsxFileName,
            	lineNumber: 1,
            	columnNumber: 21
            }, this) }, void 0, false, {
            	fileName: _jsxFileName,
            	lineNumber: 1,
            	columnNumber: 18
            }, this);
            })"#]],
    );
}

#[test]
fn jsx_follows_pragmas() {
    check_in(
        &REACT,
        "main.jsx",
        "/** @jsxImportSource preact */\nexport const x = <a />",
        expect![[r#"
            {deps:["preact/jsx-dev-runtime"],names:[["jsxDEV"]]},(function*($x){let $0;$x({x:()=>x},($n=>{$0=$n(0)}));yield;
            var _jsxFileName = "/main.jsx";
            const x = (0, $0.jsxDEV)("a", {}, void 0, false, {
            	fileName: _jsxFileName,
            	lineNumber: 2,
            	columnNumber: 18
            }, this);
            })"#]],
    );
    check_in(
        &AB,
        "main.tsx",
        "/** @jsx h */\n/** @jsxFrag Fragment */\n/** @jsxRuntime classic */\nimport { h, Fragment } from './a.js'\nexport const x = <><a /></>",
        expect![[r#"
            {deps:["./a.js"],names:[["h","Fragment"]]},(function*($x){let $0;$x({x:()=>x},($n=>{$0=$n(0)}));yield;
            const x = (0, $0.h)($0.Fragment, null, (0, $0.h)("a", null));
            })"#]],
    );
}

/// The packages that compiled JSX imports.
const REACT: [(&str, &str); 4] = [
    ("node_modules/react/package.json", "{}"),
    ("node_modules/react/jsx-dev-runtime.js", "export {}"),
    ("node_modules/preact/package.json", "{}"),
    ("node_modules/preact/jsx-dev-runtime.js", "export {}"),
];

// ---- CommonJS

#[test]
fn commonjs_is_wrapped_in_its_own_function() {
    check_in(
        &[("node_modules/p/b.js", "")],
        "node_modules/p/a.js",
        "'use strict'\nvar b = require('./b.js')\nexports.a = b\nmodule.exports.c = function () { return global.x }\nimport('./b.js')",
        expect![[r#"
            {cjs:true,deps:["./b.js","./b.js"],names:[],dynamic:[0],babel:1},(function(module,exports,require,$r){var global=globalThis;
            var b = require("./b.js");
            exports.a = b;
            module.exports.c = function() {
            	return global.x;
            };
            $r.import(0);
            })"#]],
    );
}

#[test]
fn sloppy_commonjs_is_compiled_when_it_runs() {
    check(
        "old.cjs",
        "with (Math) { module.exports = max(1, 2) }\nvar public = 010",
        expect![[
            r#"{cjs:true,deps:[],names:[]},(0,eval)("(function(module,exports,require,$r){\nwith(Math) {\n\tmodule.exports = max(1, 2);\n}\nvar public = 8;\n})")"#
        ]],
    );
}

#[test]
fn only_the_build_for_development_is_required() {
    check_in(
        &[("node_modules/p/dev.js", "")],
        "node_modules/p/index.js",
        "if (process.env.NODE_ENV === 'production') { module.exports = require('./prod.js') } else { module.exports = require('./dev.js') }\nconst x = process.env.NODE_ENV !== 'production' ? require('./dev.js') : require('./prod.js')\nprocess.env.NODE_ENV === 'production' && require('./prod.js')",
        expect![[r#"
            {cjs:true,deps:["./dev.js"],names:[]},(function(module,exports,require,$r){
            if ("development" === "production") {
            	module.exports = require("./prod.js");
            } else {
            	module.exports = require("./dev.js");
            }
            const x = "development" !== "production" ? require("./dev.js") : require("./prod.js");
            "development" === "production" && require("./prod.js");
            })"#]],
    );
}

#[test]
fn node_env_is_a_constant_in_modules_too() {
    check(
        "main.js",
        "export const dev = process.env.NODE_ENV !== 'production'",
        expect![[r#"
            {deps:[],names:[]},(function*($x){$x({dev:()=>dev});yield;
            const dev = "development" !== "production";
            })"#]],
    );
}

#[test]
fn a_script_of_the_project_is_no_commonjs() {
    check(
        "main.js",
        "console.log(typeof module, typeof exports)",
        expect![[r#"
            {deps:[],names:[]},(function*($x){$x({});yield;
            console.log(typeof module, typeof exports);
            })"#]],
    );
}

// ---- JSON, CSS, assets

#[test]
fn json_has_an_export_per_key() {
    check(
        "data.json",
        "{ \"a\": 1, \"two words\": [2], \"default\": 3, \"class\": 4 }",
        expect![[r#"
            {deps:[],names:[],value:true},(function*($x){$x({default:()=>$j,a:()=>$j.a});yield;
            var $j={ "a": 1, "two words": [2], "default": 3, "class": 4 };
            })"#]],
    );
    check(
        "data.json",
        "[1, 2]",
        expect![[r#"
            {deps:[],names:[],value:true},(function*($x){$x({default:()=>$j});yield;
            var $j=[1, 2];
            })"#]],
    );
    check(
        "data.json",
        "{ \"__proto__\": 1 }",
        expect![[r#"
            {deps:[],names:[],value:true},(function*($x){$x({default:()=>$j});yield;
            var $j=JSON.parse("{ \"__proto__\": 1 }");
            })"#]],
    );
}

#[test]
fn a_stylesheet_puts_itself_on_the_page() {
    check_in(
        &[("dot.svg", ""), ("base.css", "p { margin: 0 }")],
        "main.css",
        "@import './base.css';\n.a { background: url(./dot.svg#x); color: red }",
        expect![[r##"
            {deps:["./dot.svg"],names:[]},(function*($x,$r){$x({});yield;
            $r.style("p {\n  margin: 0;\n}\n\n.a {\n  background: url(\""+$r.asset(0,"#x")+"\");\n  color: red;\n}\n",true);
            })"##]],
    );
}

#[test]
fn a_css_module_exports_its_names() {
    check(
        "box.module.css",
        ".title { color: red }\n.two-words { composes: title }",
        expect![[r#"
            {deps:[],names:[],shape:"f02fd0da0b0d1a22"},(function*($x,$r){$x({default:()=>$d,title:()=>$d["title"]});yield;
            var $d={"title":"_title_e9a8da","two-words":"_two-words_e9a8da _title_e9a8da"};$r.style("._title_e9a8da {\n  color: red;\n}\n\n._two-words_e9a8da {\n}\n",false);
            })"#]],
    );
}

#[test]
fn queries_ask_for_text_addresses_and_data() {
    check(
        "note.txt?raw",
        "one\n\"two\" \u{2028}",
        expect![[r#"
            {deps:[],names:[]},(function*($x){$x({default:()=>$d});yield;
            var $d="one\n\"two\"  ";
            })"#]],
    );
    check(
        "main.css?inline",
        "a { color: red }",
        expect![[r#"
            {deps:[],names:[]},(function*($x,$r){$x({default:()=>$d});yield;
            var $d="a {\n  color: red;\n}\n";
            })"#]],
    );
    check(
        "main.css?raw",
        "a { color: red }",
        expect![[r#"
            {deps:[],names:[]},(function*($x){$x({default:()=>$d});yield;
            var $d="a { color: red }";
            })"#]],
    );
    check(
        "main.js?raw",
        "export {}",
        expect![[r#"
            {deps:[],names:[]},(function*($x){$x({default:()=>$d});yield;
            var $d="export {}";
            })"#]],
    );
    check(
        "main.css?url",
        "a {}",
        expect![[r#"
            {deps:[""],names:[]},(function*($x,$r){$x({default:()=>$a});yield;
            var $a=$r.asset(0);
            })"#]],
    );
    check(
        "dot.svg",
        "<svg/>",
        expect![[r#"
            {deps:[""],names:[]},(function*($x,$r){$x({default:()=>$a});yield;
            var $a=$r.asset(0);
            })"#]],
    );
    check(
        "dot.svg?inline",
        "<svg/>",
        expect![[r#"
            {deps:[],names:[]},(function*($x){$x({default:()=>$d});yield;
            var $d="data:image/svg+xml,%3csvg/%3e";
            })"#]],
    );
    check(
        "dot.bin?bytes",
        "ab",
        expect![[r#"
            {deps:[],names:[]},(function*($x){$x({default:()=>$d});yield;
            var $d=new Uint8Array([97,98]);
            })"#]],
    );
    check(
        "main.css?sheet",
        "a { color: red }",
        expect![[r#"
            {deps:[],names:[]},(function*($x,$r){$x({default:()=>$d});yield;
            var $d=new CSSStyleSheet();$d.replaceSync("a {\n  color: red;\n}\n");
            })"#]],
    );
}

// ---- mistakes

#[test]
fn a_syntax_error_has_its_place() {
    check(
        "main.js",
        "const a = 1\nconst b = = 2\n",
        expect![[r#"
        error: Unexpected token
        at main.js:2:11
          1 | const a = 1
        > 2 | const b = = 2
            |           ^
    "#]],
    );
    check(
        "main.ts",
        "let x: = 1",
        expect![[r#"
        error: Unexpected token
        at main.ts:1:8
        > 1 | let x: = 1
            |        ^
    "#]],
    );
    check(
        "main.js",
        "const a = 1\nlet a = 2",
        expect![[r#"
        error: Identifier `a` has already been declared
        at main.js:1:7
        > 1 | const a = 1
            |       ^
          2 | let a = 2
    "#]],
    );
    check(
        "main.js",
        "export { nothing }",
        expect![[r#"
        error: Export 'nothing' is not defined
        at main.js:1:10
        > 1 | export { nothing }
            |          ^^^^^^^
    "#]],
    );
    check(
        "main.js",
        "const a = 1\nexport { a as x, a as x }",
        expect![[r#"
        error: Duplicated export 'x'
        at main.js:2:15
          1 | const a = 1
        > 2 | export { a as x, a as x }
            |               ^
    "#]],
    );
}

#[test]
fn imports_cannot_be_assigned_to() {
    check_in(
        &AB,
        "main.js",
        "import { a } from './a.js'\na = 1",
        expect![[r#"
        error: the import `a` cannot be assigned to
        at main.js:2:1
          1 | import { a } from './a.js'
        > 2 | a = 1
            | ^
        help: imports are read-only: export a function that changes the value from the other module
    "#]],
    );
    check_in(
        &AB,
        "main.js",
        "import a, * as ns from './a.js'\na++\n;[a] = []\n;({ a, x: ns } = {})\nfor (a of []) {}",
        expect![[r#"
            error: the import `a` cannot be assigned to
            at main.js:2:1
              1 | import a, * as ns from './a.js'
            > 2 | a++
                | ^
              3 | ;[a] = []
              4 | ;({ a, x: ns } = {})
            help: imports are read-only: export a function that changes the value from the other module
            error: the import `a` cannot be assigned to
            at main.js:3:3
              1 | import a, * as ns from './a.js'
              2 | a++
            > 3 | ;[a] = []
                |   ^
              4 | ;({ a, x: ns } = {})
              5 | for (a of []) {}
            help: imports are read-only: export a function that changes the value from the other module
            error: the import `a` cannot be assigned to
            at main.js:4:5
              2 | a++
              3 | ;[a] = []
            > 4 | ;({ a, x: ns } = {})
                |     ^
              5 | for (a of []) {}
            help: imports are read-only: export a function that changes the value from the other module
            error: the import `ns` cannot be assigned to
            at main.js:4:11
              2 | a++
              3 | ;[a] = []
            > 4 | ;({ a, x: ns } = {})
                |           ^^
              5 | for (a of []) {}
            help: imports are read-only: export a function that changes the value from the other module
            error: the import `a` cannot be assigned to
            at main.js:5:6
              3 | ;[a] = []
              4 | ;({ a, x: ns } = {})
            > 5 | for (a of []) {}
                |      ^
            help: imports are read-only: export a function that changes the value from the other module
        "#]],
    );
}

#[test]
fn decorators_need_the_option() {
    check(
        "main.ts",
        "@dec\nclass A {}",
        expect![[r#"
        error: no browser runs decorators yet
        at main.ts:1:1
        > 1 | @dec
            | ^^^^
          2 | class A {}
        help: set `experimentalDecorators: true` in tsconfig.json to have them compiled away
    "#]],
    );
    check(
        "main.js",
        "class A { @dec m() {} }",
        expect![[r#"
        error: no browser runs decorators yet
        at main.js:1:11
        > 1 | class A { @dec m() {} }
            |           ^^^^
        help: set `experimentalDecorators: true` in tsconfig.json to have them compiled away
    "#]],
    );
}

#[test]
fn accept_takes_literals() {
    check(
        "main.js",
        "const path = './a.js'\nimport.meta.hot?.accept(path, () => {})",
        expect![[r#"
        error: import.meta.hot.accept() takes a string literal or an array of string literals
        at main.js:2:25
          1 | const path = './a.js'
        > 2 | import.meta.hot?.accept(path, () => {})
            |                         ^^^^
        help: write the path of each accepted module as a literal here
    "#]],
    );
    check(
        "main.js",
        "import.meta.hot.accept(['./a.js', path], () => {})",
        expect![[r#"
        error: import.meta.hot.accept() takes a string literal or an array of string literals
        at main.js:1:35
        > 1 | import.meta.hot.accept(['./a.js', path], () => {})
            |                                   ^^^^
        help: write the path of each accepted module as a literal here
    "#]],
    );
}

#[test]
fn glob_takes_literals() {
    check(
        "main.js",
        "const all = import.meta.glob(path)",
        expect![[r#"
        error: import.meta.glob() takes a string literal or an array of string literals
        at main.js:1:30
        > 1 | const all = import.meta.glob(path)
            |                              ^^^^
        help: import.meta.glob is expanded before the module runs, so its arguments must be literals
    "#]],
    );
    check(
        "main.js",
        "import.meta.glob('./*.js', { eager: yes })",
        expect![[r#"
        error: the option `eager` of import.meta.glob() must be a literal
        at main.js:1:37
        > 1 | import.meta.glob('./*.js', { eager: yes })
            |                                     ^^^
        help: import.meta.glob is expanded before the module runs, so its arguments must be literals
    "#]],
    );
    check(
        "main.js",
        "import.meta.glob('./*.js', { egger: true })",
        expect![[r#"
        error: import.meta.glob() has no option `egger`
        at main.js:1:30
        > 1 | import.meta.glob('./*.js', { egger: true })
            |                              ^^^^^^^^^^^
        help: import.meta.glob is expanded before the module runs, so its arguments must be literals
    "#]],
    );
    check(
        "main.js",
        "import.meta.glob('./*.js', options)",
        expect![[r#"
        error: the options of import.meta.glob() must be an object literal
        at main.js:1:28
        > 1 | import.meta.glob('./*.js', options)
            |                            ^^^^^^^
        help: import.meta.glob is expanded before the module runs, so its arguments must be literals
    "#]],
    );
    check(
        "main.js",
        "import.meta.glob('pages/*.js')",
        expect![[r#"
        error: the pattern `pages/*.js` must start with `./`, `../`, `/`, `**` or an alias
        at main.js:1:1
        > 1 | import.meta.glob('pages/*.js')
            | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    "#]],
    );
}

#[test]
fn import_phases_are_not_supported() {
    check_in(
        &AB,
        "main.js",
        "import defer * as a from './a.js'\na.x",
        expect![[r#"
        error: `import defer` is not supported
        at main.js:1:1
        > 1 | import defer * as a from './a.js'
            | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          2 | a.x
        help: import the module without a phase
    "#]],
    );
}

#[test]
fn a_missing_import_names_what_is_near() {
    check_in(
        &[("button.tsx", "")],
        "main.ts",
        "import { Button } from './buton'\nButton()",
        expect![[r#"
        error: cannot find `./buton`
        at main.ts:1:24
        > 1 | import { Button } from './buton'
            |                        ^^^^^^^^^
          2 | Button()
        help: did you mean `./button.tsx`?
    "#]],
    );
    check(
        "main.js",
        "import 'some-package/part'",
        expect![[r#"
        error: cannot find `some-package/part`
        at main.js:1:8
        > 1 | import 'some-package/part'
            |        ^^^^^^^^^^^^^^^^^^^
        help: install it: npm install some-package
    "#]],
    );
    check(
        "main.js",
        "import fs from 'node:fs'\nfs",
        expect![[r#"
            {deps:["node:fs"],names:[["default"]]},(function*($x){let $0;$x({},($n=>{$0=$n(0)}));yield;
            $0.default;
            })"#]],
    );
}

#[test]
fn nesting_has_a_limit() {
    let deep = format!("export const a = {}1{}", "(".repeat(70_000), ")".repeat(70_000));
    check(
        "main.js",
        &deep,
        expect![[r#"
            error: the source is nested too deeply to be parsed
            at main.js:1:60018
            > 1 | …(((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((
                |                                                             ^
            help: if a program generates this file, have it build the value in steps
        "#]],
    );
}

#[test]
fn a_file_must_be_utf8() {
    check_bytes(
        &[],
        "main.js",
        b"const a = 1\nconst b = '\xff'",
        expect![[r#"
        error: the file is not valid UTF-8 at byte 23
        at main.js:2:12
          1 | const a = 1
        > 2 | const b = '
            |            ^
        help: save it as UTF-8
    "#]],
    );
}

#[test]
fn json_must_be_json() {
    check(
        "data.json",
        "{\n  \"a\": 1,\n}",
        expect![[r#"
        error: data.json is not valid JSON: trailing comma
        at data.json:3:1
          1 | {
          2 |   "a": 1,
        > 3 | }
            | ^
        help: remove the comma before the closing bracket
    "#]],
    );
}

#[test]
fn css_must_be_css() {
    check(
        "main.css",
        "a { color: red }\n}\nb { color: blue",
        expect![[r#"
            {deps:[],names:[]},(function*($x,$r){$x({});yield;
            $r.style("a {\n  color: red;\n}\n",true);
            })"#]],
    );
}

#[test]
fn what_needs_a_tool_is_refused() {
    check(
        "main.vue",
        "<template><p></p></template>",
        expect![[r#"
        error: Vue files are not supported yet
        at main.vue
        help: compile it to JavaScript beforehand, or import it with `?raw` or `?url`
    "#]],
    );
}

#[test]
fn paths_of_commonjs_are_addresses() {
    check(
        "node_modules/p/lib/a.js",
        "exports.here = [__dirname, __filename, typeof process]",
        expect![[r#"
            {cjs:true,deps:[],names:[]},(function(module,exports,require,$r){var __filename="/node_modules/p/lib/a.js";var __dirname="/node_modules/p/lib";
            exports.here = [
            	__dirname,
            	__filename,
            	typeof process
            ];
            })"#]],
    );
}

#[test]
fn a_module_that_imports_and_exports_through_module_is_commonjs() {
    check_in(
        &[("node_modules/p/b.js", "export const b = 1")],
        "node_modules/p/a.js",
        "import { b } from './b.js'\nimport './b.js'\nmodule.exports = b",
        expect![[r#"
            {cjs:true,deps:["./b.js"],names:[["b"]]},(function(module,exports,require,$r){var $0=$r.imported(0);
            module.exports = $0.b;
            })"#]],
    );
}

#[test]
fn who_is_no_module_for_node_reads_the_default_of_compiled_modules() {
    let files = [("node_modules/p/b.js", "exports.b = 1")];
    let source = "import b, { b as c } from './b.js'\nexport const x = [b, c, import('./b.js')]";
    check_in(
        &files,
        "node_modules/p/a.js",
        source,
        expect![[r#"
            {deps:["./b.js"],names:[["default","b"]],dynamic:[0],babel:1},(function*($x,$r){let $0;$x({x:()=>x},($n=>{$0=$n(0)}));yield;
            const x = [
            	$0.default,
            	$0.b,
            	$r.import(0)
            ];
            })"#]],
    );
    let commonjs = [files[0], ("node_modules/p/package.json", "{ \"type\": \"commonjs\" }")];
    check_in(
        &commonjs,
        "node_modules/p/a.js",
        source,
        expect![[r#"
            {deps:["./b.js"],names:[["default","b"]],dynamic:[0],babel:2},(function*($x,$r){let $0;$x({x:()=>x},($n=>{$0=$n(0)}));yield;
            const x = [
            	$0.default,
            	$0.b,
            	$r.import(0)
            ];
            })"#]],
    );
    check_in(
        &files,
        "node_modules/p/a.mjs",
        source,
        expect![[r#"
            {deps:["./b.js"],names:[["default","b"]],dynamic:[0]},(function*($x,$r){let $0;$x({x:()=>x},($n=>{$0=$n(0)}));yield;
            const x = [
            	$0.default,
            	$0.b,
            	$r.import(0)
            ];
            })"#]],
    );
}

#[test]
fn a_script_without_module_syntax_is_commonjs_in_a_package_that_does_not_say_otherwise() {
    check(
        "node_modules/p/a.js",
        "this.a = 1",
        expect![[r#"
            {cjs:true,deps:[],names:[]},(function(module,exports,require,$r){
            this.a = 1;
            })"#]],
    );
    let module = [("node_modules/p/package.json", "{ \"type\": \"module\" }")];
    check_in(
        &module,
        "node_modules/p/a.js",
        "globalThis.a = 1",
        expect![[r#"
            {deps:[],names:[]},(function*($x){$x({});yield;
            globalThis.a = 1;
            })"#]],
    );
}

#[test]
fn the_event_of_the_window_is_read_from_it() {
    check(
        "main.js",
        "on((event) => log(event.type))\nlog(event, { event }, typeof event)",
        expect![[r#"
        {deps:[],names:[]},(function*($x){$x({});yield;
        on((event) => log(event.type));
        log(globalThis.event, { event: globalThis.event }, typeof globalThis.event);
        })"#]],
    );
    check(
        "main.cjs",
        "exports.type = () => event.type",
        expect![[r#"
        {cjs:true,deps:[],names:[]},(function(module,exports,require,$r){
        exports.type = () => globalThis.event.type;
        })"#]],
    );
}

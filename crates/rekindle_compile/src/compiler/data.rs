//! Modules that are values: the content of a file, its address, a constructor of workers.

use rekindle_graph::{Definition, Dep, DepKind, Diagnostic, FilePath, ModuleUrl, digest, quoted};

use super::Compiler;
use crate::data::{inline, json, wasm};
use crate::kind::{KEEPS_FILE, is_script, is_style};

/// Assets up to this size are hashed by content, larger ones by size and time.
const LARGEST_HASHED: u64 = 16 << 20;

impl Compiler {
    pub(super) fn json(&self, file: &FilePath) -> Result<Definition, Vec<Diagnostic>> {
        let source = self.read_text(file)?;
        let module = json::compile_json(&source, &self.display(file.as_path())).map_err(|error| vec![error])?;
        Ok(Definition::of_code(module.code, module.exports, &source))
    }

    pub(super) fn raw(&self, file: &FilePath) -> Result<Definition, Vec<Diagnostic>> {
        let text = self.raw_value(file)?;
        Ok(Definition::of_value(&text, &text))
    }

    pub(super) fn bytes(&self, file: &FilePath) -> Result<Definition, Vec<Diagnostic>> {
        let value = self.bytes_value(file)?;
        Ok(Definition::of_value(&value, &value))
    }

    /// The text of a file as an expression.
    pub(crate) fn raw_value(&self, file: &FilePath) -> Result<String, Vec<Diagnostic>> {
        Ok(quoted(&self.read_text_as_is(file)?))
    }

    /// The content of a file as an expression.
    pub(crate) fn bytes_value(&self, file: &FilePath) -> Result<String, Vec<Diagnostic>> {
        let list: Vec<String> = self.read(file)?.iter().map(u8::to_string).collect();
        Ok(format!("new Uint8Array([{}])", list.join(",")))
    }

    pub(super) fn data_url(&self, file: &FilePath) -> Result<Definition, Vec<Diagnostic>> {
        let url = inline::data_url(file.as_path(), &self.read(file)?);
        Ok(Definition::of_value(&quoted(&url), &url))
    }

    /// `keeps_file`: its address is never its content.
    pub(super) fn asset(&self, file: &FilePath, keeps_file: bool) -> Result<Definition, Vec<Diagnostic>> {
        // The content is not in the definition; its digest is, so that an edit counts as one.
        let content = if is_style(&file.as_path().to_string_lossy()) {
            self.read(file).map(|_| file.to_string())?
        } else {
            self.asset_digest(file)?
        };
        let code = "{deps:[\"\"],names:[]},(function*($x,$r){$x({default:()=>$a});yield;\nvar $a=$r.asset(0);\n})";
        let attribute = keeps_file.then(|| KEEPS_FILE.to_owned());
        let dep = Dep { specifier: String::new(), kind: DepKind::Asset, span: (0, 0), attribute, names: Vec::new() };
        let mut definition = Definition::of_code(code.to_owned(), vec!["default".into()], &content);
        definition.deps = vec![dep];
        Ok(definition)
    }

    /// `?worker`: a constructor. What the worker runs is not in it, so an edit of that does not change it.
    pub(super) fn worker(
        &self,
        url: &ModuleUrl,
        file: &FilePath,
        class: &str,
        address: bool,
    ) -> Result<Definition, Vec<Diagnostic>> {
        self.check_worker(url, file)?;
        let value = if address { "$r.worker(0)".to_owned() } else { format!("$r.workerClass(0,\"{class}\")") };
        let code =
            format!("{{deps:[\"\"],names:[]}},(function*($x,$r){{$x({{default:()=>$d}});yield;\nvar $d={value};\n}})");
        let dep =
            Dep { specifier: String::new(), kind: DepKind::Worker, span: (0, 0), attribute: None, names: Vec::new() };
        let mut definition = Definition::of_code(code.clone(), vec!["default".into()], &code);
        definition.deps = vec![dep];
        Ok(definition)
    }

    /// What is wrong with a file as the script of a worker.
    pub(crate) fn check_worker(&self, url: &ModuleUrl, file: &FilePath) -> Result<(), Vec<Diagnostic>> {
        if !is_script(&ModuleUrl::new(url.path())) {
            return Err(vec![
                Diagnostic::error("only a script can be a worker")
                    .in_file(self.display(file.as_path()))
                    .with_help("use `?worker` with a JavaScript or TypeScript file"),
            ]);
        }
        if !file.as_path().is_file() {
            return Err(vec![self.unreadable(file, &std::io::ErrorKind::NotFound.into())]);
        }
        Ok(())
    }

    pub(super) fn wasm_init(&self, file: &FilePath) -> Result<Definition, Vec<Diagnostic>> {
        let content = self.asset_digest(file)?;
        Ok(wasm_definition(wasm::init(), &content))
    }

    pub(super) fn wasm(&self, file: &FilePath) -> Result<Definition, Vec<Diagnostic>> {
        let bytes = self.read(file)?;
        let module = wasm::module(&bytes, &self.display(file.as_path())).map_err(|error| vec![error])?;
        Ok(wasm_definition(module, &digest(&[&bytes])))
    }

    /// Digest of an asset's content.
    pub fn asset_digest(&self, file: &FilePath) -> Result<String, Vec<Diagnostic>> {
        let meta = std::fs::metadata(file).map_err(|error| vec![self.unreadable(file, &error)])?;
        if !meta.is_file() || meta.len() <= LARGEST_HASHED {
            return Ok(digest(&[&self.read(file)?]).to_string());
        }
        Ok(format!("{}-{:?}", meta.len(), meta.modified().ok()))
    }
}

fn wasm_definition(module: wasm::WasmModule, content: &str) -> Definition {
    let wasm::WasmModule { code, deps, exports } = module;
    let mut definition = Definition::of_code(code, exports, content);
    definition.deps = deps;
    definition
}

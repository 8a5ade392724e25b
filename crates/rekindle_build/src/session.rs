//! What one build is made with: its configuration, the compiler, the addresses of the output; and what is wrong.

use std::collections::BTreeSet;
use std::sync::Mutex;

use rekindle_compile::compiler::Compiler;
use rekindle_compile::project::defines::Defines;
use rekindle_compile::project::env::{Env, PageEnv};
use rekindle_compile::project::framework::Framework;
use rekindle_config::Config;
use rekindle_graph::Diagnostic;
use serde_json::Value;

use crate::lock::lock;
use crate::output::addresses::Addresses;
use crate::output::targets;

/// One build, shared by all threads of it.
pub(crate) struct Session {
    pub config: Config,
    pub compiler: Compiler,
    pub addresses: Addresses,
    /// `import.meta.env`.
    pub env: std::collections::BTreeMap<String, Value>,
    pub css_targets: lightningcss::targets::Targets,
    problems: Mutex<Vec<Diagnostic>>,
    warnings: Mutex<BTreeSet<String>>,
}

impl Session {
    pub fn new(config: Config) -> Result<Self, Vec<Diagnostic>> {
        let plain = |message: String| vec![Diagnostic::error(message)];
        let given = Defines::new(&config.define);
        let base = if config.build.relative_base { "./" } else { &config.base };
        let env = PageEnv {
            dir: &config.env_dir,
            mode: &config.mode,
            base,
            prefixes: &config.env_prefix,
            defines: &given,
            is_production: true,
            variables: &config.variables,
        }
        .values();
        let defines = Defines::new(&constants(&config, &env));
        let compiler = config.compiler(defines).map_err(plain)?.for_production();
        compiler.set_framework(Framework::detect(&config.root, &compiler.resolver));
        let css_target = config.build.css_target.as_ref().unwrap_or(&config.build.target);
        Ok(Self {
            addresses: Addresses::new(&config),
            css_targets: targets::of_sheets(css_target),
            compiler,
            env,
            problems: Mutex::default(),
            warnings: Mutex::default(),
            config,
        })
    }

    /// What stands for `%KEY%` in a page.
    pub fn env_text(&self, key: &str) -> Option<String> {
        self.env.get(key).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    }

    pub fn problem(&self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        let mut problems = lock(&self.problems);
        for diagnostic in diagnostics {
            if !problems.contains(&diagnostic) {
                problems.push(diagnostic);
            }
        }
    }

    /// The mistakes found so far, in the order of their files.
    pub fn take_problems(&self) -> Vec<Diagnostic> {
        let mut problems = std::mem::take(&mut *lock(&self.problems));
        problems.sort_by(|a, b| {
            let key = |it: &Diagnostic| (it.file.clone(), it.place.map(|place| (place.line, place.column)));
            key(a).cmp(&key(b))
        });
        problems
    }

    pub fn warn(&self, text: impl Into<String>) {
        lock(&self.warnings).insert(text.into());
    }

    pub fn take_warnings(&self) -> Vec<String> {
        let left_out = self.compiler.left_out();
        Env::files(&self.config.env_dir, &self.config.mode).iter().for_each(|file| _ = left_out.note(file));
        for (path, reason) in left_out.take() {
            self.warn(format!("{} {reason}", self.compiler.display(&path)));
        }
        std::mem::take(&mut *lock(&self.warnings)).into_iter().collect()
    }
}

/// The settings' constants and those of a build: `import.meta.hot` is nothing, `import.meta.env` is known.
fn constants(config: &Config, env: &std::collections::BTreeMap<String, Value>) -> Vec<(String, String)> {
    let mut all = config.define.clone();
    let mut put = |name: String, value: String| {
        if !all.iter().any(|(known, _)| *known == name) {
            all.push((name, value));
        }
    };
    put("process.env.NODE_ENV".into(), "\"production\"".into());
    put("import.meta.hot".into(), "undefined".into());
    for (key, value) in env {
        put(format!("import.meta.env.{key}"), value.to_string());
    }
    put("import.meta.env.*".into(), "undefined".into());
    let object = Value::Object(env.iter().map(|(key, value)| (key.clone(), value.clone())).collect());
    put("import.meta.env".into(), object.to_string());
    all
}

//! How settings reach the compiler: the one place where the server and the build make theirs.

use rekindle_compile::compiler::Compiler;
use rekindle_compile::project::defines::Defines;

use crate::config::Config;

impl Config {
    /// A compiler for these settings. `constants` are those of `define`, and what a build adds to them.
    ///
    /// # Errors
    /// A glob of `assets_include` that cannot be understood.
    pub fn compiler(&self, constants: Defines) -> Result<Compiler, String> {
        Compiler::new(&self.root, self.public_dir.as_deref(), &self.base)
            .with_resolve(self.public_dir.as_deref(), &self.resolve)
            .with_constants(constants, self.jsx_import_source.clone())
            .with_styles(&self.mode, &self.css)
            .with_inline_limit(self.build.assets_inline_limit)
            .with_assets(&self.assets_include)
    }
}

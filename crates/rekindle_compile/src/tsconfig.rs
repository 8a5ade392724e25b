//! placeholder until the branch lands
#[derive(Clone, Debug, Default)]
pub struct TsOptions {
    pub experimental_decorators: bool,
    pub emit_decorator_metadata: bool,
    pub use_define_for_class_fields: Option<bool>,
    pub jsx: Option<String>,
    pub jsx_factory: Option<String>,
    pub jsx_fragment_factory: Option<String>,
    pub jsx_import_source: Option<String>,
    pub verbatim_module_syntax: bool,
    pub preserve_value_imports: bool,
}
impl TsOptions {
    pub fn define_class_fields(&self) -> bool { self.use_define_for_class_fields.unwrap_or(true) }
}

//! The module graph.
pub struct Delta;
pub struct Module;
pub struct ModuleGraph;
pub struct ModuleId;
pub struct ModuleState;

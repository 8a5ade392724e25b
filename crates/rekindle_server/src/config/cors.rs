//! `server.cors` as it is set: which other origins may read answers. Reading is all they may: neither the token nor the
//! socket is theirs, for that there is `server.allowed_origins`.

use rekindle_compile::resolve::pattern::Pattern;

/// `server.cors`. The default admits nobody.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Cors {
    pub origin: CorsOrigin,
    /// Methods a preflight allows; empty: those that the route takes.
    pub methods: Vec<String>,
    /// Headers a preflight allows; empty: those that it asks for.
    pub allowed_headers: Vec<String>,
    pub exposed_headers: Vec<String>,
    pub credentials: bool,
    /// Seconds for which a browser may keep the answer of a preflight.
    pub max_age: Option<u64>,
}

/// The origins that are admitted.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum CorsOrigin {
    #[default]
    None,
    Any,
    Listed(Vec<OriginRule>),
}

/// One entry of a list of origins.
#[derive(Clone, Debug, PartialEq)]
pub enum OriginRule {
    Exact(String),
    Pattern(Pattern),
}

impl Cors {
    /// Whether pages of an origin may read answers.
    pub fn admits(&self, origin: &str) -> bool {
        match &self.origin {
            CorsOrigin::None => false,
            CorsOrigin::Any => true,
            CorsOrigin::Listed(rules) => rules.iter().any(|rule| match rule {
                OriginRule::Exact(listed) => listed == origin && origin != "null",
                OriginRule::Pattern(pattern) => pattern.is_match(origin),
            }),
        }
    }

    /// Whether pages of every origin may.
    pub fn is_open_to_all(&self) -> bool {
        self.origin == CorsOrigin::Any
    }
}

//! `server.cors` as it is set: which other origins may read answers. Reading is all they may: neither the token nor the
//! socket is theirs, for that there is `server.allowed_origins`.

use rekindle_compile::resolve::pattern::Pattern;

/// `server.cors`. The default admits nobody.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Cors {
    /// The origins that are admitted.
    pub origin: CorsOrigin,
    /// Methods a preflight allows; empty: those that the route takes.
    pub methods: Vec<String>,
    /// Headers a preflight allows; empty: those that it asks for.
    pub allowed_headers: Vec<String>,
    /// Headers of answers that scripts of those origins may read.
    pub exposed_headers: Vec<String>,
    /// Requests may carry cookies.
    pub credentials: bool,
    /// Seconds for which a browser may keep the answer of a preflight.
    pub max_age: Option<u64>,
}

/// The origins that are admitted.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum CorsOrigin {
    /// None.
    #[default]
    None,
    /// Every origin.
    Any,
    /// Those that a rule admits.
    Listed(Vec<OriginRule>),
}

/// One entry of a list of origins.
#[derive(Clone, Debug, PartialEq)]
pub enum OriginRule {
    /// This origin.
    Exact(String),
    /// Origins that a pattern fits.
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

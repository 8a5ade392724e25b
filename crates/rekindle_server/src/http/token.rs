//! Secrets of one start: the token that opens the socket, and the key that admits visitors from the network.

use std::fmt;

use subtle::ConstantTimeEq;

/// 128 random bits as text, made anew by each start and compared in constant time.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// # Panics
    /// When the system has no randomness to give; a server without it must not start.
    pub fn fresh() -> Self {
        let mut bytes = [0u8; 16];
        getrandom::fill(&mut bytes).expect("the system gives random bytes");
        Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// For the page's own client, and for nobody else.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn matches(&self, offered: &str) -> bool {
        self.0.as_bytes().ct_eq(offered.as_bytes()).into()
    }
}

/// Never written to a log by accident.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_matches() {
        let token = Token::fresh();
        assert!(token.matches(token.as_str()));
        assert!(!token.matches(""));
        assert!(!token.matches(&token.as_str()[1..]));
        assert!(!token.matches(&format!("{}x", token.as_str())));
        assert!(!token.matches(Token::fresh().as_str()));
        assert_eq!(token.as_str().len(), 32);
    }
}

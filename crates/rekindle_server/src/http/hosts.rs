//! Who may ask: the Host check every request passes (rule S5), and which origins may read and connect (S6, S7).

use std::net::{Ipv4Addr, Ipv6Addr};

/// The names under which this server may be addressed.
///
/// A website can point its own name at this machine (DNS rebinding) and would then be "same origin" with us, so a
/// name counts only when it cannot be such a website: `localhost`, its subdomains, addresses, and what the user listed.
#[derive(Clone, Debug)]
pub struct Hosts {
    port: String,
    /// Lower case; a leading dot covers the name and its subdomains, a trailing `:port` replaces our own port.
    names: Vec<String>,
}

impl Hosts {
    /// `names` are the configured hosts and the name the server was bound to.
    pub fn new(port: u16, names: impl IntoIterator<Item = String>) -> Self {
        Self { port: port.to_string(), names: names.into_iter().map(|name| name.to_ascii_lowercase()).collect() }
    }

    /// Whether a Host header names this server.
    pub fn admit(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        if self.names.contains(&host) {
            return true;
        }
        let Some((name, port)) = split_port(&host) else {
            return false;
        };
        port.is_none_or(|port| port == self.port) && self.is_ours(name)
    }

    /// What is to be done so that the server answers to this Host header.
    pub fn refusal(&self, host: &str) -> String {
        // Only what is written like a host is repeated.
        let is_plain =
            host.len() <= 260 && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:[]".contains(&byte));
        if !is_plain || host.is_empty() {
            return "this host is not allowed; if it is yours, add it to `server.allowed_hosts`".to_owned();
        }
        let host = host.to_ascii_lowercase();
        let why = match split_port(&host) {
            Some((name, Some(port))) if port != self.port && self.is_ours(name) => {
                format!(": `{name}` is known, but with the port {} of this server", self.port)
            }
            _ => String::new(),
        };
        format!(
            "the host `{host}` is not allowed{why}\n\nif it is yours, add \"{host}\" to server.allowed_hosts in rekindle.toml:\n\n[server]\nallowed_hosts = [\"{host}\"]\n"
        )
    }

    fn is_ours(&self, name: &str) -> bool {
        if let Some(address) = name.strip_prefix('[') {
            return address.strip_suffix(']').is_some_and(|address| address.parse::<Ipv6Addr>().is_ok());
        }
        if name.parse::<Ipv4Addr>().is_ok() {
            return true;
        }
        is_domain(name) && (name == "localhost" || name.ends_with(".localhost") || self.is_listed(name))
    }

    fn is_listed(&self, name: &str) -> bool {
        self.names.iter().any(|listed| match listed.strip_prefix('.') {
            Some(parent) => name == parent || name.ends_with(listed.as_str()),
            None => name == listed,
        })
    }
}

/// `name:port` or `name`; `None` when the port is empty or not a plain number.
fn split_port(host: &str) -> Option<(&str, Option<&str>)> {
    let after_address = host.rfind(']').map_or(0, |at| at + 1);
    let Some(colon) = host[after_address..].find(':') else {
        return Some((host, None));
    };
    let (name, port) = (&host[..after_address + colon], &host[after_address + colon + 1..]);
    let is_number = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some((name, Some(port)))
}

fn is_domain(name: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

/// Where a request comes from, by its `Origin` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// No header: not a cross-origin `fetch`, and not a socket of a browser.
    Absent,
    /// The page came from the host this request is addressed to.
    Same,
    /// Listed by the user, letter by letter.
    Allowed,
    /// `server.cors` lets it read answers. It gets no token and opens no socket.
    Reader,
    Foreign,
}

impl Origin {
    /// `host` must have passed [`Hosts::admit`].
    pub fn of(origin: Option<&str>, host: &str, allowed: &[String]) -> Self {
        let Some(origin) = origin else {
            return Self::Absent;
        };
        // A proxy in front of us may speak TLS, so both schemes count; the authority must be the one we were addressed by.
        let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        if authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host)) {
            return Self::Same;
        }
        if allowed.iter().any(|listed| listed == origin && listed != "null" && listed != "*") {
            Self::Allowed
        } else {
            Self::Foreign
        }
    }

    /// May open the socket, together with the token.
    pub fn is_trusted(self) -> bool {
        matches!(self, Self::Same | Self::Allowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts() -> Hosts {
        Hosts::new(5173, ["my.test".to_owned(), ".example.com".to_owned(), "mapped.test:8080".to_owned()])
    }

    #[test]
    fn a_refusal_says_what_to_list() {
        let refusal = hosts().refusal("LocalHost:8080");
        assert!(refusal.contains("add \"localhost:8080\" to server.allowed_hosts"), "{refusal}");
        assert!(refusal.contains("the port 5173 of this server"), "{refusal}");
        let refusal = hosts().refusal("app.test");
        assert!(refusal.contains("add \"app.test\" to"), "{refusal}");
        assert!(!hosts().refusal("<b>").contains('<'));
    }

    #[test]
    fn this_machine_and_listed_names_are_admitted() {
        for host in [
            "localhost",
            "localhost:5173",
            "LOCALHOST:5173",
            "app.localhost:5173",
            "127.0.0.1:5173",
            "192.168.1.10",
            "[::1]:5173",
            "[::1]",
            "[fe80::1]:5173",
            "my.test",
            "My.Test:5173",
            "example.com",
            "a.b.example.com:5173",
            "mapped.test:8080",
        ] {
            assert!(hosts().admit(host), "{host}");
        }
    }

    #[test]
    fn every_other_name_is_refused() {
        for host in [
            "",
            " ",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "evil.example.",
            "localhost.",
            "xlocalhost",
            ".localhost",
            "a..localhost",
            "localhost@evil.example",
            "evil.example@localhost",
            "localhost,evil.example",
            "evil.example localhost",
            "evil.example/localhost",
            "evil.example#.localhost",
            "http://localhost",
            "file://localhost",
            "localhost:",
            "localhost:abc",
            "localhost:80",
            "localhost:5173:5173",
            "localhost:05173",
            "localhost:+5173",
            "localhost:5173.evil.example",
            "[::1",
            "[",
            "]",
            "[]",
            "::1",
            ":::",
            "a]b",
            "[::1]x",
            "[::1]x:5173",
            "[::1%25eth0]",
            "%",
            "@",
            "\\",
            "127.1",
            "0x7f.0.0.1",
            "127.0.0.01",
            "2130706433",
            "évil.localhost",
            "xn--lcalhost-54a",
            "my.test.evil",
            "notexample.com",
            "my.test:8080",
            "mapped.test",
        ] {
            assert!(!hosts().admit(host), "{host}");
        }
    }

    #[test]
    fn an_origin_is_ours_only_when_it_is_where_the_request_goes() {
        let allowed = ["http://backend.test:8000".to_owned(), "*".to_owned(), "null".to_owned()];
        let of = |origin| Origin::of(origin, "localhost:5173", &allowed);
        assert_eq!(of(None), Origin::Absent);
        assert_eq!(of(Some("http://localhost:5173")), Origin::Same);
        assert_eq!(of(Some("https://LOCALHOST:5173")), Origin::Same);
        assert_eq!(of(Some("http://backend.test:8000")), Origin::Allowed);
        for foreign in [
            "",
            "null",
            "*",
            "http://localhost",
            "http://localhost:5174",
            "http://127.0.0.1:5173",
            "http://localhost:5173.evil.example",
            "http://localhost:5173@evil.example",
            "file://",
            "localhost:5173",
            "http://[",
            "http://backend.test",
            "https://backend.test:8000",
            "http://localhost:5173/",
            "chrome-extension://localhost:5173",
        ] {
            assert_eq!(of(Some(foreign)), Origin::Foreign, "{foreign}");
        }
    }
}

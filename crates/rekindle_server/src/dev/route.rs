//! What a request asks for. This is the one place that reads the loop's own addresses.
//!
//! ```text
//! /@rekindle/s/4be1….js          Segment
//! /@rekindle/page.js?path=…      PageScript
//! /src/main.ts, /about           Address: whatever the project has there
//! ```

use crate::event::Request;
use crate::http::address::parameter;

/// The meaning of an address.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route<'r> {
    /// `/@rekindle/client.js`
    Client,
    /// `/@rekindle/client`: the same by another name.
    OtherClient,
    /// `/@vite/client`: what tools that are made for Vite call it.
    ViteClient,
    /// `/@react-refresh`: what pages of other servers run before React does.
    ReactPreamble,
    /// `/@rekindle/runtime/….js`; the name is that below `/@rekindle/`.
    Runtime { name: &'r str },
    /// `/@rekindle/page.js?path=…`: starts a page.
    PageScript(PageScript),
    /// `/@rekindle/load.js?id=…`: a part of the graph.
    Load,
    /// `/@rekindle/waiting.js`: shows that a page waits.
    Waiting,
    /// `/@rekindle/progress`: what it waits for.
    Progress,
    /// `/@rekindle/s/….js`; the name has its ending still.
    Segment { name: &'r str },
    /// `/@rekindle/s/….js.map`
    SegmentMap { address: &'r str },
    /// `/@rekindle/map?id=…`
    ModuleMap { id: Option<String> },
    /// An address below `/@rekindle/` that does not exist.
    Nothing,
    /// None of ours.
    Address,
}

/// Which page is started, and as of which batch of which session its text was written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PageScript {
    pub path: Option<String>,
    pub session: Option<String>,
    pub seq: Option<u64>,
    /// Digest of the text.
    pub text: Option<String>,
}

impl<'r> Route<'r> {
    /// Reads the address of a request.
    pub fn of(request: &'r Request) -> Self {
        let path = request.path.as_str();
        let Some(name) = path.strip_prefix("/@rekindle/") else {
            return match path {
                "/@vite/client" => Self::ViteClient,
                "/@react-refresh" => Self::ReactPreamble,
                _ => Self::Address,
            };
        };
        let query = |name: &str| parameter(&request.query, name);
        match name {
            "client.js" => Self::Client,
            "client" => Self::OtherClient,
            "page.js" => Self::PageScript(PageScript {
                path: query("path"),
                session: query("session"),
                seq: query("seq").and_then(|seq| seq.parse().ok()),
                text: query("text"),
            }),
            "load.js" => Self::Load,
            "waiting.js" => Self::Waiting,
            "progress" => Self::Progress,
            "map" => Self::ModuleMap { id: query("id") },
            _ if name.starts_with("runtime/") => Self::Runtime { name },
            _ => match name.strip_prefix("s/") {
                Some(segment) => match segment.strip_suffix(".js.map") {
                    Some(address) => Self::SegmentMap { address },
                    None => Self::Segment { name: segment },
                },
                None => Self::Nothing,
            },
        }
    }

    /// Whether the answer says nothing of how modules stand: it is given whatever is being compiled or waits to be told.
    pub fn is_independent(&self) -> bool {
        matches!(
            self,
            Self::Client
                | Self::OtherClient
                | Self::Runtime { .. }
                | Self::Segment { .. }
                | Self::SegmentMap { .. }
                | Self::Waiting
                | Self::Progress
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::RequestPurpose;

    fn request(path: &str, query: &str) -> Request {
        Request {
            path: path.into(),
            query: query.into(),
            navigation: false,
            wants: RequestPurpose::Unsaid,
            guest: false,
        }
    }

    #[test]
    fn our_own_addresses_are_told_from_those_of_the_project() {
        let of = |path: &str| format!("{:?}", Route::of(&request(path, "id=/a.js")));
        assert_eq!(of("/@rekindle/client.js"), "Client");
        assert_eq!(of("/@rekindle/s/4b.js"), "Segment { name: \"4b.js\" }");
        assert_eq!(of("/@rekindle/s/4b.js.map"), "SegmentMap { address: \"4b\" }");
        assert_eq!(of("/@rekindle/map"), "ModuleMap { id: Some(\"/a.js\") }");
        assert_eq!(of("/@rekindle/nothing"), "Nothing");
        assert_eq!(of("/@id/react"), "Address");
        assert_eq!(of("/rekindle/client.js"), "Address");
    }

    #[test]
    fn what_says_nothing_of_modules_never_waits_for_them() {
        let is_independent = |path: &str| Route::of(&request(path, "")).is_independent();
        for path in ["/@rekindle/client", "/@rekindle/runtime/1a.js", "/@rekindle/s/4b.js", "/@rekindle/progress"] {
            assert!(is_independent(path), "{path}");
        }
        for path in ["/@rekindle/load.js", "/@rekindle/page.js", "/@vite/client", "/src/main.ts", "/"] {
            assert!(!is_independent(path), "{path}");
        }
    }
}

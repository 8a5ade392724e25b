//! The messages between server and tab are the same in Rust and in TypeScript: both read the samples in `client/test/messages.json`.
//! There is one of each message, of each result of an update and of each reason for which the server asks for a reload, so a message
//! that is added needs a sample.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use rekindle_graph::wire::{ClientMessage, Outcome, ServerMessage, ServerReload};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// The names of an enum's variants on the wire, and a function that gives the name of a value. It does not compile when a variant is missing.
macro_rules! variants {
    ($names:ident, $name_of:ident, $enum:ident: $($variant:ident => $name:literal),+ $(,)?) => {
        const $names: &[&str] = &[$($name),+];
        fn $name_of(message: &$enum) -> &'static str {
            match message {
                $($enum::$variant { .. } => $name),+
            }
        }
    };
}

variants!(SERVER_MESSAGES, name_of_server_message, ServerMessage:
    Batch => "batch", Connected => "connected", Pong => "pong", Unreadable => "unreadable", Compare => "compare",
    Welcome => "welcome", Custom => "custom", Traced => "traced");

variants!(CLIENT_MESSAGES, name_of_client_message, ClientMessage:
    Ping => "ping", Hello => "hello", Versions => "versions", Custom => "custom", Applied => "applied",
    Unreadable => "unreadable", Trace => "trace");

variants!(OUTCOMES, name_of_outcome, Outcome:
    Nothing => "nothing", Updated => "updated", Reload => "reload", Stayed => "stayed", Restart => "restart",
    Failed => "failed", Waiting => "waiting");

variants!(SERVER_RELOADS, name_of_server_reload, ServerReload:
    FrameworkChanged => "framework-changed");

/// The samples of one direction, by the `type` of the message.
fn samples(direction: &str) -> Map<String, Value> {
    let all: Value = serde_json::from_str(include_str!("../../../client/test/messages.json")).unwrap();
    all[direction].as_object().unwrap().clone()
}

/// Reads every sample of a direction, checks that it is written as it was read, and gives the messages.
fn check<M: DeserializeOwned + Serialize>(direction: &str, names: &[&str], name_of: fn(&M) -> &'static str) -> Vec<M> {
    let samples = samples(direction);
    assert_eq!(
        samples.keys().collect::<Vec<_>>(),
        names,
        "{direction}: one list of samples for each message, in this order"
    );
    let mut messages = Vec::new();
    for (name, list) in &samples {
        assert!(list.as_array().is_some_and(|list| !list.is_empty()), "{direction}: no sample of {name}");
        for sample in list.as_array().unwrap() {
            let message: M = serde_json::from_value(sample.clone()).unwrap_or_else(|error| panic!("{error}: {sample}"));
            assert_eq!(name_of(&message), name);
            assert_eq!(serde_json::to_value(&message).unwrap(), *sample);
            messages.push(message);
        }
    }
    messages
}

#[test]
fn what_the_server_says_is_what_the_client_reads() {
    let messages = check("fromServer", SERVER_MESSAGES, name_of_server_message);
    let mut reasons: Vec<&str> = Vec::new();
    for message in &messages {
        if let ServerMessage::Batch(batch) = message {
            reasons.extend(batch.reload.as_ref().map(name_of_server_reload));
        }
    }
    for reason in SERVER_RELOADS {
        assert!(reasons.contains(reason), "no sample of a reload for the reason {reason}");
    }
}

#[test]
fn what_a_tab_says_is_what_the_server_reads() {
    let messages = check("fromTab", CLIENT_MESSAGES, name_of_client_message);
    let mut results: Vec<&str> = Vec::new();
    for message in &messages {
        if let ClientMessage::Applied(applied) = message {
            results.push(name_of_outcome(&applied.result));
        }
    }
    for outcome in OUTCOMES {
        assert!(results.contains(outcome), "no sample of the result {outcome}");
    }
}

//! A program with a development server inside: it answers the custom events of `examples/hmr-api` in the place of that
//! project's own process.
//!
//! ```text
//! cargo run --release --example custom_events            then greet somebody in the panel "custom events"
//! ```

use std::error::Error;

use rekindle::{Config, DevServer};
use serde_json::json;
use tokio::sync::mpsc;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let root = std::env::args().nth(1).unwrap_or_else(|| "examples/hmr-api".into());
    let config = Config::new(std::fs::canonicalize(root)?);

    // Handlers run on the server's own thread and answer the page that asked. What concerns all pages is handed on.
    let (greetings, mut greeted) = mpsc::unbounded_channel();
    let server = DevServer::builder(config)
        .on("greet:hello", move |data, client| {
            let name = data.as_ref().and_then(|data| data["name"].as_str()).unwrap_or("stranger").to_owned();
            client.send("greet:answer", Some(json!({ "text": format!("Hello {name}, from Rust") })));
            let _ = greetings.send(name);
        })
        .on("vite:client:connect", |_, client| println!("a page came: number {}", client.id.0))
        .on("vite:client:disconnect", |_, client| println!("page {} went", client.id.0))
        .start()
        .await?;

    let mut number = 0;
    loop {
        tokio::select! {
            Some(name) = greeted.recv() => {
                number += 1;
                server.send("greet:seen", Some(json!({ "name": name, "greeted": number })));
            }
            _ = tokio::signal::ctrl_c() => break,
        }
    }
    server.stop().await;
    Ok(())
}

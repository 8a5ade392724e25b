//! The HTTP side with a loop that knows one page: `stub dev <root> --port <port>`. The attack corpus runs against it.

use std::sync::Arc;

use rekindle_server::answer::{Answer, Body, Cache};
use rekindle_server::config::Config;
use rekindle_server::event::{Event, Request};
use rekindle_server::http::{Site, serve};
use rekindle_server::listen::listen;
use rekindle_server::public::PublicFiles;
use tokio::sync::mpsc;

const PAGE: &str = "<!doctype html><title>SHELL_OK</title><script type=\"module\" src=\"/@rekindle/client\"></script>";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let mut config = Config::new(std::fs::canonicalize(&arguments[2])?);
    config.server.port = arguments[4].parse()?;
    config.server.strict_port = true;
    let (inbox, mut events) = mpsc::unbounded_channel();
    let bound = listen(&config.server).await?;
    let site = Arc::new(Site::new(&config, &bound, inbox));
    let public = PublicFiles::list(config.root.join("public"));
    let client = format!("const token = \"{}\"; export {{}} // MODULE_OK", site.token.as_str());
    tokio::spawn(async move {
        let mut outboxes = Vec::new();
        while let Some(event) = events.recv().await {
            match event {
                Event::Request(request, asker) => drop(asker.send(answer(&request, &public, &client))),
                Event::Connected(id, outbox) => {
                    outbox.send(r#"{"type":"connected"}"#);
                    outboxes.push((id, outbox));
                }
                Event::Gone(gone) => outboxes.retain(|(id, _)| *id != gone),
                _ => {}
            }
        }
    });
    let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    let stopper = site.clone();
    tokio::spawn(async move {
        terminated.recv().await;
        stopper.stop();
    });
    serve(bound.listeners, site).await;
    Ok(())
}

fn answer(request: &Request, public: &PublicFiles, client: &str) -> Answer {
    match request.path.as_str() {
        "/" | "/index.html" => Answer::ok("text/html", PAGE, Cache::No),
        "/src/main.js" if request.query.is_empty() => {
            Answer::ok("text/javascript", "export const MODULE_OK = 1", Cache::Revalidate)
        }
        "/@rekindle/client.js" | "/@vite/client" => Answer::ok("text/javascript", client.to_owned(), Cache::No),
        path => match public.get(path) {
            Some(file) => Answer {
                status: 200,
                content_type: "text/plain",
                body: Body::File(file.clone()),
                cache: Cache::Revalidate,
            },
            None if request.navigation => Answer::ok("text/html", PAGE, Cache::No),
            None => Answer::text(404, "not found"),
        },
    }
}

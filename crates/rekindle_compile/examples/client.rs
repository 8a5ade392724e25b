//! Prints the client as one script: `cargo run --example client`
fn main() {
    let names = ["registry", "hot", "propagate", "apply", "runtime", "overlay", "styles", "socket", "client"];
    let sources: Vec<(String, String)> = names
        .iter()
        .map(|name| {
            let path = format!("client/src/{name}.ts");
            let source = std::fs::read_to_string(&path).expect("the client's sources");
            (path, source)
        })
        .collect();
    let files: Vec<(&str, &str)> = sources.iter().map(|(name, source)| (name.as_str(), source.as_str())).collect();
    match rekindle_compile::bundle::join_modules(&files) {
        Ok(script) => print!("{script}"),
        Err(errors) => eprintln!("{errors:#?}"),
    }
}

//! Prints the definition of a script: `cargo run --example one -- /src/app.tsx < app.tsx`
use std::io::Read;

use rekindle_compile::script::{ScriptInput, compile_script};
use rekindle_compile::tsconfig::TsOptions;

fn main() {
    let url = std::env::args().nth(1).unwrap_or_else(|| "/main.tsx".into());
    let mut source = String::new();
    std::io::stdin().read_to_string(&mut source).expect("a script on standard input");
    let options = TsOptions::default();
    let input = ScriptInput {
        source: &source,
        url: &url,
        display: &url,
        options: &options,
        may_be_commonjs: true,
        source_map: false,
    };
    match compile_script(&input) {
        Ok(output) => println!("{}", output.code),
        Err(diagnostics) => {
            for diagnostic in diagnostics {
                println!(
                    "{} {}\n{}",
                    diagnostic.message,
                    diagnostic.location().unwrap_or_default(),
                    diagnostic.frame.unwrap_or_default()
                );
            }
        }
    }
}

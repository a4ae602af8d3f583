//! Prints the JSON schema of `results.json`: cargo run -p flatleak-results --features schemars --example schema
#![allow(clippy::print_stdout, reason = "an example")]

fn main() -> Result<(), serde_json::Error> {
    println!("{}", serde_json::to_string_pretty(&schemars::schema_for!(flatleak_results::Document))?);
    Ok(())
}

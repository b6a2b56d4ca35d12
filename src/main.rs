//! temp
#[tokio::main]
async fn main() {
    let args: Vec<String> = std::env::args().collect();
    let port = args
        .iter()
        .position(|a| a == "--port")
        .and_then(|i| args.get(i + 1))
        .and_then(|p| p.parse().ok())
        .unwrap_or(8080);
    consentry::cli::demo::run(consentry::cli::demo::Options { port, json: args.iter().any(|a| a == "--json") })
        .await
        .unwrap()
}

//! Benches beside peers, in one run. They print figures and ratios, and never fail on either.
//!
//! `bench NAME…` runs the named ones, `bench` all; `tests/bench` builds everything and installs the peers first. Every contestant
//! is a process of its own ([`process`]), gets the same load from the same generator ([`load`]) and takes turns with the others,
//! so that what else the machine does falls on all of them; the table shows the median of the rounds ([`report`]).
#![expect(clippy::print_stdout, reason = "a bench prints")]

mod analysis;
mod etcd;
mod figures;
mod import;
mod indicator;
mod load;
mod open;
mod peer;
mod process;
mod report;
mod streaming;
mod unary;
mod watch;
mod writes;

use anyhow::{Result, bail};

const NAMES: [&str; 11] = [
    "analysis",
    "unary",
    "writes",
    "import",
    "streaming",
    "open",
    "watch",
    "watch-latest",
    "watch-stalled",
    "watch-idle",
    "watch-replay",
];

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [first, recording] = arguments.as_slice()
        && first == peer::ARGUMENT
    {
        return peer::serve(recording.as_ref()).await;
    }
    if let Some(unknown) = arguments.iter().find(|name| !NAMES.contains(&name.as_str())) {
        bail!("there is no bench {unknown:?}; there are {}", NAMES.join(", "));
    }
    let wanted = |name: &str| arguments.is_empty() || arguments.iter().any(|a| a == name);
    for name in NAMES.into_iter().filter(|name| wanted(name)) {
        match name {
            "analysis" => analysis::run().await?,
            "unary" => unary::run().await?,
            "writes" => writes::run().await?,
            "import" => import::run().await?,
            "streaming" => streaming::run().await?,
            "open" => open::run().await?,
            "watch" => watch::fanout::run().await?,
            "watch-latest" => watch::latest::run().await?,
            "watch-stalled" => watch::stalled::run().await?,
            "watch-idle" => watch::idle::run().await?,
            "watch-replay" => watch::replay::run().await?,
            _ => unreachable!("the names were checked"),
        }
    }
    Ok(())
}

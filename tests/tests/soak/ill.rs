//! Clients that mean ill, or know no better.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use fastrand::Rng;
use indicator_proto::v1::Observation;
use indicator_tests::{
    churn::World,
    client::merge,
    figures::{stations, value},
};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use super::goes_on;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Vexes the server in one way after the other.
pub(crate) async fn vex(world: Arc<World>, mut rng: Rng) {
    while goes_on(&world, Duration::from_millis(rng.u64(50..500))).await {
        let (address, _) = world.server();
        if rng.u8(..10) == 0 {
            send_too_much(&world).await;
        } else {
            // The server may be away, and may hang up in the middle.
            let _ = send_nonsense(&world, address, &mut rng).await;
        }
    }
}

async fn send_nonsense(world: &World, address: SocketAddr, rng: &mut Rng) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    let mut garbage = vec![0; rng.usize(1..4096)];
    rng.fill(&mut garbage);
    match rng.u8(..6) {
        // Says nothing.
        0 => {}
        1 => stream.write_all(&garbage).await?,
        2 => stream.write_all(&PREFACE[..rng.usize(1..PREFACE.len())]).await?,
        // Frames that are none.
        3 => stream.write_all(&[PREFACE, &garbage].concat()).await?,
        // Settings, and then headers that never end.
        4 => stream.write_all(&[PREFACE, &[0, 0, 0, 4, 0, 0, 0, 0, 0], &[0, 0, 64, 1, 0, 0, 0, 0, 1]].concat()).await?,
        _ => stream.write_all(b"GET / HTTP/1.1\r\nHost: here\r\nContent-Length: 1000000\r\n\r\n").await?,
    }
    world.wait(Duration::from_millis(rng.u64(..3000))).await;
    if rng.bool() {
        // Closing a socket that does not linger resets it.
        stream.set_zero_linger()?;
    }
    Ok(())
}

/// A message that is larger than any may be.
async fn send_too_much(world: &World) {
    let note = "x".repeat(17 << 20);
    let write = merge(vec![Observation { note, ..value(&stations(), "2020", "1") }]);
    // Refused for its size, or in whatever way a server that stops or is killed breaks off.
    assert!(world.client().observations().write_observations(write).await.is_err());
}

//! Connections that cost more than they bring.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    time::sleep,
};
use tonic::Code;

use crate::{
    bystander::{Attacked, ELSEWHERE, health},
    wire::*,
};
use indicator_tests::{LONG, client::Client, eventually, figures::stations, refusal::Refusal};

const GET: &str = "/indicator.v1.ObservationService/GetObservation";

#[tokio::test]
async fn who_is_slow_to_say_what_he_speaks_is_cut_off() {
    let attacked = Attacked::start(&["--handshake-seconds", "1"]).await;
    let address = attacked.server.address();
    let starts: [&'static [u8]; 4] =
        [b"", b"PRI * HTTP/2.0\r\n\r\nSM\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", b"\x16\x03\x01"];
    let slow = (0..200).map(|n| {
        tokio::spawn(async move {
            let mut socket = TcpStream::connect(address).await.unwrap();
            // Each byte for itself, which gives no more time.
            for byte in starts[n % 4] {
                if socket.write_all(&[*byte]).await.is_err() {
                    break;
                }
                sleep(MOMENT / 2).await;
            }
            is_ended(socket).await
        })
    });
    for ended in slow.collect::<Vec<_>>() {
        assert!(ended.await.unwrap());
    }
    attacked.survived().await;
}

#[tokio::test]
async fn idle_connections_hold_their_places_for_a_time_only_and_are_told() {
    let attacked = Attacked::start(&["--max-connections", "20", "--idle-seconds", "1"]).await;
    let address = attacked.server.address();
    // Those that are not accepted wait in the queue of the system.
    let idle = (0..40).map(|_| {
        tokio::spawn(async move {
            let mut raw = Raw::connect(address).await;
            let mut received = Vec::new();
            while let Some(frame) = raw.receive().await {
                // The server asks whether everything before has come.
                if frame.kind == PING && frame.flags == 0 {
                    raw.send(&pong(&frame)).await;
                }
                received.push(frame);
            }
            farewell(&received)
        })
    });
    let idle: Vec<_> = idle.collect();
    attacked.goes_on().await;
    let client = attacked.client();
    assert_eq!(client.value(&stations(), "2020").await, "1", "a new client comes in");
    for told in idle {
        assert_eq!(told.await.unwrap(), Some((0, String::new())), "gracefully");
    }
    drop(client);
    attacked.survived().await;
}

fn pong(ping: &Received) -> Vec<u8> {
    frame(PING, 1, 0, &ping.payload)
}

#[tokio::test]
async fn an_idle_connection_that_does_not_answer_the_farewell_is_cut() {
    let attacked = Attacked::start(&["--handshake-seconds", "1", "--idle-seconds", "1"]).await;
    let raw = Raw::connect(attacked.server.address()).await;
    assert!(is_ended(raw.socket).await);
    attacked.survived().await;
}

#[tokio::test]
async fn one_address_has_no_more_connections_than_its_share() {
    let attacked = Attacked::start(&["--max-connections-per-peer", "5"]).await;
    let address = attacked.server.address();
    let mut held = Vec::new();
    for _ in 0..5 {
        let mut raw = Raw::connect(address).await;
        assert_eq!(raw.receive().await.unwrap().kind, SETTINGS);
        held.push(raw);
    }
    for _ in 0..100 {
        assert!(is_ended(TcpStream::connect(address).await.unwrap()).await);
    }
    let warned = |line: &&String| line.contains("too many connections from one address");
    assert_eq!(attacked.server.log().iter().filter(warned).count(), 1, "once, and not a hundred times");
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((std::net::Ipv4Addr::new(127, 0, 0, 3), 0).into()).unwrap();
    let mut other = socket.connect(address).await.unwrap();
    other.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
    let mut page = String::new();
    other.read_to_string(&mut page).await.unwrap();
    assert!(page.contains("location: /regions/"), "another address has its own share: {page}");
    drop(held);
    attacked.survived().await;
}

#[tokio::test]
async fn floods_of_frames_end_their_connection_with_a_reason() {
    let attacked = Attacked::start(&[]).await;
    let setting = [0, 1, 0, 0, 16, 0];
    let floods: [(u8, u8, u32, &'static [u8], &str); 5] = [
        (PING, 0, 0, &[7; 8], "too_many_pings"),
        (PING, 1, 0, &[7; 8], "too_many_pings"),
        (SETTINGS, 0, 0, &[], "too_many_settings"),
        (PRIORITY, 0, 1, &[0, 0, 0, 0, 1], "too_many_priorities"),
        (WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1], "too_many_window_updates"),
    ];
    for (kind, flags, stream, payload, what) in floods {
        let raw = Raw::connect(attacked.server.address()).await;
        let received = raw.flood(20_000, move |_| frame(kind, flags, stream, payload)).await;
        assert_eq!(farewell(&received), Some((ENHANCE_YOUR_CALM, what.to_owned())));
    }
    let raw = Raw::connect(attacked.server.address()).await;
    let received = raw.flood(20_000, move |_| frame(SETTINGS, 0, 0, &setting)).await;
    assert_eq!(farewell(&received), Some((ENHANCE_YOUR_CALM, "too_many_settings".to_owned())));
    attacked.survived().await;
}

#[tokio::test]
async fn a_flood_of_empty_data_ends_its_connection() {
    let attacked = Attacked::start(&[]).await;
    let mut raw = Raw::connect(attacked.server.address()).await;
    raw.send(&frame(HEADERS, END_HEADERS, 1, &call(GET, &[]))).await;
    let received = raw.flood(20_000, |_| frame(DATA, 0, 1, &[])).await;
    assert_eq!(farewell(&received).unwrap().0, ENHANCE_YOUR_CALM);
    attacked.survived().await;
}

#[tokio::test]
async fn rapid_resets_end_their_connection() {
    let attacked = Attacked::start(&[]).await;
    let attackers = (0..4).map(|_| {
        let address = attacked.server.address();
        tokio::spawn(async move {
            let block = call(GET, &[]);
            let open_and_cancel = move |number| {
                let stream = 2 * number + 1;
                [frame(HEADERS, END_HEADERS, stream, &block), frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])].concat()
            };
            Raw::connect(address).await.flood(50_000, open_and_cancel).await
        })
    });
    for attacker in attackers.collect::<Vec<_>>() {
        assert_eq!(farewell(&attacker.await.unwrap()).unwrap().0, ENHANCE_YOUR_CALM);
    }
    attacked.survived().await;
}

#[tokio::test]
async fn thousands_of_calls_cancelled_at_once_are_no_attack() {
    let attacked = Attacked::start(&[]).await;
    let mut raw = Raw::connect(attacked.server.address()).await;
    let streams = || (0..4096).map(|number| 2 * number + 1);
    let block = call(GET, &[]);
    raw.send(&streams().flat_map(|stream| frame(HEADERS, END_HEADERS, stream, &block)).collect::<Vec<_>>()).await;
    raw.send(&streams().flat_map(|stream| frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])).collect::<Vec<_>>()).await;
    raw.send(&frame(PING, 0, 0, b"still on")).await;
    loop {
        let frame = raw.receive().await.expect("the connection goes on");
        assert_ne!(frame.kind, GOAWAY, "{frame:?}");
        if (frame.kind, &frame.payload[..]) == (PING, b"still on") {
            break;
        }
    }
    drop(raw);
    attacked.survived().await;
}

#[tokio::test]
async fn headers_without_end_and_headers_too_large_end_their_connection() {
    let attacked = Attacked::start(&[]).await;
    let address = attacked.server.address();
    let continued = |part: Vec<u8>| async move {
        let mut raw = Raw::connect(address).await;
        raw.send(&frame(HEADERS, 0, 1, &call(GET, &[]))).await;
        farewell(&raw.flood(100_000, move |_| frame(CONTINUATION, 0, 1, &part)).await)
    };
    assert_eq!(continued(Vec::new()).await.unwrap().1, "too_many_continuations");
    // Literals of 8 KiB, and then a name that is spelled and a value that is counted, again and again.
    let value = "x".repeat(8 << 10);
    let large = call("/", &[("large", &value)]);
    assert!(continued(large[3..].to_vec()).await.is_some());
    // One header of 4 kB in the table, named in each byte of a block.
    let mut raw = Raw::connect(address).await;
    let mut block = call(GET, &[]);
    block.push(0x40);
    let mut literal = call("/", &[("bomb", &"x".repeat(4000))]);
    literal.drain(..literal.len() - 4000 - 3 - 5);
    block.extend(&literal);
    block.extend(vec![0xBE; 16_000]);
    raw.send(&frame(HEADERS, END_HEADERS, 1, &block[..block.len().min(16_384)])).await;
    let received = raw.flood(0, |_| Vec::new()).await;
    assert_eq!(farewell(&received), Some((ENHANCE_YOUR_CALM, "header_list_way_too_large".to_owned())));
    attacked.survived().await;
}

#[tokio::test]
async fn a_call_with_large_headers_is_refused_and_the_next_is_answered() {
    let attacked = Attacked::start(&[]).await;
    let mut raw = Raw::connect(attacked.server.address()).await;
    let value = "x".repeat(1000);
    let many: Vec<(&str, &str)> = (0..20).map(|_| ("many", value.as_str())).collect();
    let block = call(GET, &many);
    let (first, rest) = block.split_at(16_000);
    raw.send(&[frame(HEADERS, END_STREAM, 1, first), frame(CONTINUATION, END_HEADERS, 1, rest)].concat()).await;
    raw.send(&[frame(HEADERS, END_HEADERS, 3, &call(GET, &[])), frame(DATA, END_STREAM, 3, &[0; 5])].concat()).await;
    let mut answered = Vec::new();
    while !answered.contains(&3) {
        let frame = raw.receive().await.expect("the connection goes on");
        assert_ne!(frame.kind, GOAWAY, "{frame:?}");
        if frame.kind == HEADERS {
            answered.push(frame.stream);
        }
    }
    assert!(answered.contains(&1), "refused with an answer");
    drop(raw);
    attacked.survived().await;
}

#[tokio::test]
async fn garbage_and_bombs_of_http_1_are_answered_or_closed() {
    let attacked = Attacked::start(&["--handshake-seconds", "2"]).await;
    let address = attacked.server.address();
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(10_000));
    let large = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "y".repeat(10 << 20));
    let path = format!("GET /{} HTTP/1.1\r\n\r\n", "y".repeat(1 << 20));
    let endless =
        format!("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{}", "f\r\n0123456789abcde\r\n".repeat(1000));
    let garbage: Vec<u8> = (0..1 << 20).map(|_| fastrand::u8(..)).collect();
    let all =
        [many.as_bytes(), large.as_bytes(), path.as_bytes(), endless.as_bytes(), &garbage, b"\r\n\r\n\r\n", b"GET\0/\0\r\n\r\n"];
    for (n, bytes) in all.into_iter().enumerate() {
        for _ in 0..3 {
            let mut socket = TcpStream::connect(address).await.unwrap();
            // The server may close before it has read all.
            let _ = tokio::time::timeout(LONG, socket.write_all(bytes)).await.expect("it is read or refused");
            assert!(is_ended(socket).await, "number {n}");
        }
    }
    attacked.survived().await;
}

#[tokio::test]
async fn ten_thousand_streams_on_one_connection_end_it() {
    let attacked = Attacked::start(&[]).await;
    let block = call(GET, &[]);
    let raw = Raw::connect(attacked.server.address()).await;
    let received = raw.flood(10_000, move |number| frame(HEADERS, END_HEADERS, 2 * number + 1, &block)).await;
    assert_eq!(farewell(&received), Some((ENHANCE_YOUR_CALM, "too_many_internal_resets".to_owned())));
    attacked.survived().await;
}

#[tokio::test]
async fn ten_thousand_calls_at_once_leave_room_for_those_of_another_address() {
    let attacked = Attacked::start(&[]).await;
    let block = call(GET, &[]);
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut raw = Raw::connect(attacked.server.address()).await;
        let open = (0..3400).flat_map(|number| frame(HEADERS, END_HEADERS, 2 * number + 1, &block));
        raw.send(&open.collect::<Vec<_>>()).await;
        held.push(raw);
    }
    let client = attacked.client();
    let refusal = async || client.get(&stations(), "2020").await.err();
    eventually("its share is taken", async || refusal().await.is_some()).await;
    let Refusal { code, reason, message, retry_after, .. } = refusal().await.unwrap();
    assert_eq!((code, reason.as_str()), (Code::ResourceExhausted, "TOO_MANY_REQUESTS"));
    assert!(message.contains("your address has 4096") && retry_after.is_some(), "{message}");
    assert_eq!(health(&client).await.unwrap(), 1, "health checks are always answered");
    attacked.goes_on().await;
    drop(held);
    eventually("the calls have ended", async || refusal().await.is_none()).await;
    drop(client);
    attacked.survived().await;
}

#[tokio::test]
async fn clients_that_vanish_or_close_half_leave_nothing_behind() {
    let attacked = Attacked::start(&[]).await;
    let address = attacked.server.address();
    let watch = call("/indicator.v1.WatchService/Watch", &[]);
    for n in 0..300 {
        let mut raw = Raw::connect(address).await;
        for stream in [1, 3, 5] {
            raw.send(&[frame(HEADERS, END_HEADERS, stream, &watch), frame(DATA, END_STREAM, stream, &[0; 5])].concat()).await;
        }
        raw.receive().await.unwrap();
        match n % 3 {
            // With a reset, with an end, and with an end of what it says only.
            0 => raw.socket.set_zero_linger().unwrap(),
            1 => {}
            _ => {
                raw.socket.shutdown().await.unwrap();
                assert!(is_ended(raw.socket).await);
            }
        }
    }
    let client = Client::from_address(address, ELSEWHERE);
    eventually("no watch is left", async || client.status().await.subscribers == 0).await;
    drop(client);
    attacked.survived().await;
}

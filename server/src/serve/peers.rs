use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

/// Who connects, by address, and what each of them holds.
#[derive(Debug)]
pub(super) struct Peers {
    most_connections: usize,
    known: Mutex<HashMap<IpAddr, Arc<Held>>>,
}

/// What all connections of one address hold.
#[derive(Debug, Default)]
struct Held {
    connections: AtomicUsize,
    requests: Arc<AtomicUsize>,
    watches: Arc<AtomicUsize>,
}

/// A connection among those of its address, as long as it lives.
#[derive(Debug)]
pub(super) struct Share {
    peers: Arc<Peers>,
    address: IpAddr,
    held: Arc<Held>,
}

impl Peers {
    pub(super) fn new(most_connections: usize) -> Arc<Self> {
        Arc::new(Self { most_connections, known: Mutex::default() })
    }

    /// A connection from an address, unless it has as many as it may.
    pub(super) fn connect(self: &Arc<Self>, address: IpAddr) -> Option<Share> {
        let address = holder(address);
        let mut known = self.known.lock().expect("nothing panics while it holds this lock");
        let held = known.entry(address).or_default();
        if held.connections.load(Ordering::Relaxed) >= self.most_connections {
            return None;
        }
        held.connections.fetch_add(1, Ordering::Relaxed);
        let held = Arc::clone(held);
        drop(known);
        Some(Share { peers: Arc::clone(self), address, held })
    }
}

impl Share {
    /// Counts the calls that its address has under way.
    pub(super) fn requests(&self) -> &Arc<AtomicUsize> {
        &self.held.requests
    }

    /// Counts the watches that its address has open.
    pub(super) fn watches(&self) -> &Arc<AtomicUsize> {
        &self.held.watches
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut known = self.peers.known.lock().expect("nothing panics while it holds this lock");
        if self.held.connections.fetch_sub(1, Ordering::Relaxed) == 1 {
            known.remove(&self.address);
        }
    }
}

/// Whom an address belongs to: a customer has a whole /64 of IPv6, and as many addresses as there are in it.
fn holder(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connect(peers: &Arc<Peers>, address: &str) -> Option<Share> {
        peers.connect(address.parse().unwrap())
    }

    #[test]
    fn an_address_has_no_more_connections_than_it_may_and_others_have_theirs() {
        let peers = Peers::new(2);
        let first = connect(&peers, "192.0.2.1").unwrap();
        let _second = connect(&peers, "192.0.2.1").unwrap();
        assert!(connect(&peers, "192.0.2.1").is_none());
        assert!(connect(&peers, "::ffff:192.0.2.1").is_none(), "the same address");
        assert!(connect(&peers, "192.0.2.2").is_some());
        drop(first);
        assert!(connect(&peers, "192.0.2.1").is_some());
    }

    #[test]
    fn all_addresses_of_a_64_are_one() {
        let peers = Peers::new(1);
        let _first = connect(&peers, "2001:db8:0:1::1").unwrap();
        assert!(connect(&peers, "2001:db8:0:1:ffff::2").is_none());
        assert!(connect(&peers, "2001:db8:0:2::1").is_some());
    }

    #[test]
    fn who_has_gone_is_forgotten() {
        let peers = Peers::new(1);
        for n in 0..100_u8 {
            drop(peers.connect(IpAddr::from([192, 0, 2, n])).unwrap());
        }
        assert!(peers.known.lock().unwrap().is_empty());
    }
}

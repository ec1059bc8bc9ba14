//! What must hold for any bytes on a connection: they are followed alike however they come.

use super::{Calm, Frames, HEAD, Head};

/// The first byte says how the others come.
pub(crate) fn frames(bytes: &[u8]) {
    let Some((&piece, bytes)) = bytes.split_first() else { return };
    let (piece, most) = (1 + usize::from(piece & 0x1f), usize::from(piece >> 5));
    let all = heads(bytes);
    for piece in [piece, bytes.len().max(1)] {
        let (found, whole) = follow(bytes, piece, usize::MAX);
        assert_eq!(found.as_ref(), Ok(&all));
        let end: usize = all.iter().map(|head| HEAD + head.length).sum();
        assert_eq!(whole, end == bytes.len());
    }
    assert_eq!(follow(bytes, piece, most).0, follow(bytes, bytes.len().max(1), most).0);

    let streams = [piece, bytes.len().max(1)].map(|piece| {
        let mut calm = Calm::new((), u32::MAX);
        for piece in bytes.chunks(piece) {
            calm.receive(piece).expect("as many frames may come");
            calm.send(piece);
        }
        calm.watched.map(|watched| watched.last_stream)
    });
    assert_eq!(streams[0], streams[1]);
}

/// The beginnings of the frames, from all bytes at once.
fn heads(mut bytes: &[u8]) -> Vec<Head> {
    let mut heads = Vec::new();
    while let Some((head, rest)) = bytes.split_first_chunk() {
        let head = Head::parse(*head);
        heads.push(head);
        bytes = rest.get(head.length..).unwrap_or_default();
    }
    heads
}

/// The heads of the frames, or those before the one that is refused, and why.
type Followed = Result<Vec<Head>, (Vec<Head>, &'static str)>;

/// The beginnings of the frames, until there are too many without content; and whether the last one is whole.
fn follow(bytes: &[u8], piece: usize, mut most: usize) -> (Followed, bool) {
    let (mut frames, mut found) = (Frames::default(), Vec::new());
    for piece in bytes.chunks(piece) {
        let followed = frames.follow(piece, |head| {
            found.push(head);
            let Some(what) = head.without_content() else { return Ok(()) };
            most = most.checked_sub(1).ok_or(what)?;
            Ok(())
        });
        if let Err(what) = followed {
            return (Err((found, what)), false);
        }
    }
    (Ok(found), frames.are_whole())
}

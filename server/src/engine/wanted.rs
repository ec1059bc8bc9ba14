//! Work that ends early when nobody wants its result any more.

use std::cell::RefCell;

use tokio_util::sync::CancellationToken;

use super::Error;

thread_local! {
    static UNWANTED: RefCell<Option<CancellationToken>> = const { RefCell::new(None) };
}

/// Reads of the record by `work` fail with [`Error::Unwanted`] once `unwanted` is cancelled: its caller has gone, and a computation
/// over many series would go on for nobody.
pub fn while_wanted<T>(unwanted: CancellationToken, work: impl FnOnce() -> T) -> T {
    let before = UNWANTED.replace(Some(unwanted));
    let _restore = Restore(before);
    work()
}

/// Puts back what was there, also when the work panics: threads are used again.
struct Restore(Option<CancellationToken>);

impl Drop for Restore {
    fn drop(&mut self) {
        UNWANTED.set(self.0.take());
    }
}

/// Before each read that may be one of many.
pub(super) fn check() -> Result<(), Error> {
    let unwanted = UNWANTED.with_borrow(|unwanted| unwanted.as_ref().is_some_and(CancellationToken::is_cancelled));
    if unwanted { Err(Error::Unwanted) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_told_that_nobody_wants_it_and_what_comes_after_on_its_thread_is_not() {
        let unwanted = CancellationToken::new();
        while_wanted(unwanted.clone(), || {
            assert!(check().is_ok());
            unwanted.cancel();
            assert!(matches!(check(), Err(Error::Unwanted)));
            while_wanted(CancellationToken::new(), || assert!(check().is_ok()));
            assert!(check().is_err());
        });
        assert!(check().is_ok());
    }
}

//! Who may do what.
//!
//! - A [`Credential`] names a caller, with a [`Role`]; it is a token, of which only a hash is kept, or a certificate;
//! - [`CredentialFile`] keeps them in a file beside the store, which `indicatord token` changes while the server runs;
//! - a [`Keyring`] is what the server holds of it: it recognises callers, and ends the calls of those whose credential has ended;
//! - a [`Caller`] travels with each request, and answers what it may do.

mod caller;
mod credential;
mod file;
mod keyring;
mod right;
mod token;

pub use caller::{Caller, Denied};
pub use credential::{Credential, Proof, Role, State};
pub use file::{CredentialFile, FileError};
pub use keyring::{Evidence, Identity, Keyring, Refusal};
pub use right::Right;
pub use token::Token;

/// Replaced by its author.
#[derive(Debug)]
pub struct Tokens;
/// Replaced by its author.
#[derive(Debug)]
pub struct TokenError;
/// Replaced by its author.
#[derive(Debug)]
pub enum Purpose {}

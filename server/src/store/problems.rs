/// As many are kept; more are counted.
const LISTED: usize = 100;

/// What is wrong with a history or a store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems {
    listed: Vec<String>,
    count: u64,
}

impl Problems {
    pub(super) fn note(&mut self, problem: impl FnOnce() -> String) {
        if self.listed.len() < LISTED {
            self.listed.push(problem());
        }
        self.count += 1;
    }

    /// The first of them.
    #[must_use]
    pub fn listed(&self) -> &[String] {
        &self.listed
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Adds those of another look.
    pub fn append(&mut self, other: Self) {
        let room = LISTED.saturating_sub(self.listed.len());
        self.listed.extend(other.listed.into_iter().take(room));
        self.count += other.count;
    }

    /// Whether there are none.
    ///
    /// # Errors
    ///
    /// [`super::Error::Corrupt`] with the first.
    pub fn into_result(self) -> Result<(), super::Error> {
        self.check().map_err(super::Error::Corrupt)
    }

    /// The first in words, if there is one.
    pub(super) fn check(&self) -> Result<(), String> {
        match self.listed.first() {
            None => Ok(()),
            Some(first) if self.count == 1 => Err(first.clone()),
            Some(first) => Err(format!("{first}; and {} more", self.count - 1)),
        }
    }
}

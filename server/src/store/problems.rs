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

    /// The first as an error, if there is one.
    pub(super) fn check(&self) -> Result<(), String> {
        match self.listed.first() {
            None => Ok(()),
            Some(first) if self.count == 1 => Err(first.clone()),
            Some(first) => Err(format!("{first}; and {} more", self.count - 1)),
        }
    }
}

use super::Error;

/// No store has more spans of numbers without commits: each is left by one restore.
const MOST: usize = 1_000;

/// The revisions below the head that no commit has.
///
/// A restore goes on at a number far beyond the backup's, since the history that was lost may have used those between. There, a
/// revision that somebody still holds means nothing, and must not come to mean something else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gaps(Vec<Gap>);

/// The revisions between two successive commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// The commit before; 0 if there was none.
    pub before: u64,
    /// The commit after.
    pub after: u64,
}

impl Gaps {
    /// A commit follows another. Notes what lies between.
    pub(super) fn follow(&mut self, before: u64, after: u64) -> Result<(), Error> {
        if before.checked_add(1).is_some_and(|next| next < after) {
            if self.0.len() == MOST {
                return Err(Error::Corrupt(format!("more than {MOST} restores have left numbers out")));
            }
            self.0.push(Gap { before, after });
        }
        Ok(())
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        self.0.iter().flat_map(|gap| [gap.before, gap.after]).flat_map(u64::to_be_bytes).collect()
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (pairs, []) = bytes.as_chunks::<16>() else { return None };
        let mut gaps = Self::default();
        for pair in pairs {
            let numbers = pair.as_chunks::<8>().0;
            let (before, after) = (u64::from_be_bytes(numbers[0]), u64::from_be_bytes(numbers[1]));
            let ascends = gaps.0.last().is_none_or(|last| last.after <= before);
            gaps.follow(before, after).ok()?;
            if !ascends || gaps.0.last() != Some(&Gap { before, after }) {
                return None;
            }
        }
        Some(gaps)
    }

    /// The last gap that begins below a revision.
    fn last_before(&self, revision: u64) -> Option<(usize, Gap)> {
        let at = self.0.partition_point(|gap| gap.before < revision).checked_sub(1)?;
        Some((at, self.0[at]))
    }

    /// The gap that a revision lies in.
    #[must_use]
    pub fn around(&self, revision: u64) -> Option<Gap> {
        self.last_before(revision).map(|(_, gap)| gap).filter(|gap| revision < gap.after)
    }

    /// The number of the commit that follows a revision, where there is one; the next number after the head.
    #[must_use]
    pub fn next(&self, revision: u64) -> u64 {
        let next = revision.saturating_add(1);
        self.around(next).map_or(next, |gap| gap.after)
    }

    /// The number of the commit before a revision; 0 before the first.
    #[must_use]
    pub fn previous(&self, revision: u64) -> u64 {
        let previous = revision.saturating_sub(1);
        self.around(previous).map_or(previous, |gap| gap.before)
    }

    /// How many commits there are up to a revision.
    #[must_use]
    pub fn count(&self, revision: u64) -> u64 {
        let Some((at, last)) = self.last_before(revision) else { return revision };
        let missing: u64 = self.0[..at].iter().map(|gap| gap.after - gap.before - 1).sum();
        if revision < last.after { last.before - missing } else { revision - missing - (last.after - last.before - 1) }
    }

    /// How many commits there are after a revision, up to another.
    #[must_use]
    pub fn between(&self, after: u64, to: u64) -> u64 {
        self.count(to).saturating_sub(self.count(after))
    }

    /// The revision of the commit with so many up to it.
    #[must_use]
    pub fn nth(&self, count: u64) -> u64 {
        let mut revision = count;
        for gap in &self.0 {
            if revision <= gap.before {
                break;
            }
            revision = revision.saturating_add(gap.after - gap.before - 1);
        }
        revision
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn gaps_answer_as_the_list_of_all_commits_does(runs in prop::collection::vec((0_u64..5, 1_u64..6), 0..6), asked in 0_u64..60) {
            // Lengths of runs without commits, and with.
            let (mut commits, mut number) = (Vec::new(), 0);
            for (without, with) in runs {
                number += without;
                commits.extend(number + 1..=number + with);
                number += with;
            }
            let mut gaps = Gaps::default();
            let mut before = 0;
            for &commit in &commits {
                gaps.follow(before, commit).unwrap();
                before = commit;
            }
            prop_assert_eq!(Gaps::decode(&gaps.encode()), Some(gaps.clone()));
            let head = commits.last().copied().unwrap_or(0);
            let asked = asked.min(head);
            prop_assert_eq!(gaps.around(asked).is_some(), asked != 0 && !commits.contains(&asked));
            let up_to = commits.iter().filter(|c| **c <= asked).count();
            prop_assert_eq!(gaps.count(asked), up_to as u64);
            prop_assert_eq!(gaps.next(asked), commits.get(up_to).copied().unwrap_or(head + 1));
            prop_assert_eq!(gaps.previous(asked), commits.iter().copied().rfind(|c| *c < asked).unwrap_or(0));
            prop_assert_eq!(gaps.nth(gaps.count(asked)), commits[..up_to].last().copied().unwrap_or(0));
            prop_assert_eq!(gaps.between(asked, head), (commits.len() - up_to) as u64);
        }
    }

    #[test]
    fn what_no_store_has_written_is_no_list_of_gaps() {
        let bytes = |numbers: &[u64]| numbers.iter().flat_map(|n| n.to_be_bytes()).collect::<Vec<u8>>();
        for wrong in [&[1, 2][..], &[1], &[5, 3], &[1, 9, 8, 20], &[u64::MAX, 0], &[1, u64::MAX, u64::MAX, u64::MAX]] {
            assert_eq!(Gaps::decode(&bytes(wrong)), None, "{wrong:?}");
        }
        assert_eq!(Gaps::decode(&bytes(&[1, 9, 9, 20])).map(|gaps| gaps.count(20)), Some(3));
    }
}

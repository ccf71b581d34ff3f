//! Several things that went wrong in one collector, as the one error that it may return.

use super::CollectError;

/// How many are told in full; the rest is counted.
const TOLD_MAX: usize = 4;

/// What went wrong so far in a pass.
#[derive(Debug, Default)]
pub struct Problems {
    told: Vec<CollectError>,
    more: usize,
}

impl Problems {
    /// Takes one more.
    pub fn add(&mut self, problem: CollectError) {
        if self.told.contains(&problem) {
            return;
        }
        if self.told.len() < TOLD_MAX {
            self.told.push(problem);
        } else {
            self.more += 1;
        }
    }

    /// How many there are so far.
    pub fn count(&self) -> usize {
        self.told.len() + self.more
    }

    /// All of them in one, of the kind that needs a person most: what failed, then what is denied.
    pub fn finish(self) -> Result<(), CollectError> {
        let (mut denied, mut failed) = (false, false);
        let mut texts = Vec::with_capacity(self.told.len() + 1);
        for problem in self.told {
            texts.push(match problem {
                CollectError::Denied(text) => {
                    denied = true;
                    text
                }
                CollectError::Failed(text) => {
                    failed = true;
                    text
                }
                CollectError::NoData(text) => text,
            });
        }
        if texts.is_empty() {
            return Ok(());
        }
        if self.more > 0 {
            texts.push(format!("and {} more", self.more));
        }
        let text = texts.join("; ");
        Err(if failed {
            CollectError::Failed(text)
        } else if denied {
            CollectError::Denied(text)
        } else {
            CollectError::NoData(text)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_problems_are_one_bounded_error_of_the_kind_that_needs_a_person_most() {
        assert_eq!(Problems::default().finish(), Ok(()));
        let mut problems = Problems::default();
        problems.add(CollectError::NoData("no a".into()));
        problems.add(CollectError::NoData("no a".into()));
        problems.add(CollectError::Denied("not b".into()));
        assert_eq!(
            problems.finish(),
            Err(CollectError::Denied("no a; not b".into()))
        );
        let mut problems = Problems::default();
        for number in 0..10 {
            problems.add(CollectError::Failed(number.to_string()));
        }
        assert_eq!(
            problems.finish(),
            Err(CollectError::Failed("0; 1; 2; 3; and 6 more".into()))
        );
    }
}

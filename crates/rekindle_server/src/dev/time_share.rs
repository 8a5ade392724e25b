//! How much of each second goes into something that must not hold up the rest.

use std::time::{Duration, Instant};

/// What comparisons may take of each second while something else is to be done.
const COMPARING: Duration = Duration::from_millis(200);

/// Time that was spent on something within the last second.
#[derive(Debug, Default)]
pub struct TimeShare {
    since: Option<Instant>,
    sum: Duration,
}

impl TimeShare {
    pub fn note(&mut self, began: Instant) {
        let now = Instant::now();
        if self.since.is_none_or(|since| now - since > Duration::from_secs(1)) {
            (self.since, self.sum) = (Some(began), Duration::ZERO);
        }
        self.sum += now - began;
    }

    pub fn is_too_much(&self) -> bool {
        self.since.is_some_and(|since| since.elapsed() < Duration::from_secs(1)) && self.sum > COMPARING
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparisons_are_too_much_only_while_they_fill_a_second() {
        let mut compared = TimeShare::default();
        assert!(!compared.is_too_much());
        compared.note(Instant::now() - COMPARING * 2);
        assert!(compared.is_too_much());
        compared.since = compared.since.map(|since| since - Duration::from_secs(1));
        assert!(!compared.is_too_much());
    }
}

//! How long a failed job waits.

use super::*;

#[test]
fn j2_what_failed_together_does_not_come_back_together() {
    // case: J2
    let random = Random::seeded(1);
    for (attempts, least) in [(1, 2), (2, 4), (9, 512), (10, 1_024), (12, 1_024), (i32::MAX, 1_024)] {
        let least = Duration::seconds(least);
        let pauses: Vec<_> = (0..200).map(|_| pause(&random, attempts)).collect();

        assert!(
            pauses.iter().all(|pause| (least..=least * 3 / 2).contains(pause)),
            "{attempts}"
        );
        let earliest = pauses.iter().min().unwrap();
        let latest = pauses.iter().max().unwrap();
        assert!(
            *latest - *earliest > least * 2 / 5,
            "{attempts}: {earliest} to {latest}"
        );
    }
}

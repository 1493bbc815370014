//! The settings of how much a caller may ask for.

use super::Source;

/// The points of a bucket where nothing else is said: twice what the dearest request costs.
const USUAL_BUCKET: u32 = 10_000;

/// The points that come back in a second where nothing else is said.
const USUAL_REFILL: u32 = 500;

/// The dearest request, which a full bucket must be enough for.
const DEAREST: u32 = 5_000;

/// More than anybody can use up.
const MOST: u32 = 1_000_000_000;

/// The points of a caller's bucket, and those that come back in a second.
pub(super) fn cost(source: &Source, faults: &mut Vec<String>) -> (u32, u32) {
    let mut number = |name: &str, usual: u32, least: u32| {
        let text = source.get(name);
        let read = text.map_or(Ok(usual), str::parse).ok();
        read.filter(|points| (least..=MOST).contains(points))
            .unwrap_or_else(|| {
                faults.push(format!("ORGDESK_{name} is a number of points from {least} to {MOST}"));
                usual
            })
    };
    (
        number("COST_BUCKET", USUAL_BUCKET, DEAREST),
        number("COST_REFILL", USUAL_REFILL, 1),
    )
}

/// The most rows of an extraction, and the most days of tickets or of the CTI log in one.
pub(super) fn extraction(source: &Source, faults: &mut Vec<String>) -> (u32, u32) {
    let mut number = |name: &str, usual: u32, most: u32| {
        let text = source.get(name);
        let read = text.map_or(Ok(usual), str::parse).ok();
        read.filter(|number| (1..=most).contains(number)).unwrap_or_else(|| {
            faults.push(format!("ORGDESK_{name} is a number from 1 to {most}"));
            usual
        })
    };
    (
        number("EXTRACTION_ROWS", 10_000, 100_000),
        number("EXTRACTION_DAYS", 31, 184),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g5_a_bucket_is_enough_for_the_dearest_request() {
        let read = |bucket: &str, refill: &str| {
            let pairs = [("ORGDESK_COST_BUCKET", bucket), ("ORGDESK_COST_REFILL", refill)];
            let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
            let mut faults = Vec::new();
            let read = cost(&Source::read(pairs.into_iter()).unwrap(), &mut faults);
            (read, faults.len())
        };

        assert_eq!(read("", ""), ((10_000, 500), 0));
        assert_eq!(read("5000", "1"), ((5_000, 1), 0));
        assert_eq!(read("1000000000", "1000000000"), ((MOST, MOST), 0));
        for (bucket, refill, wrong) in [
            ("4999", "0", 2),
            ("-1", "500", 1),
            ("10000", "many", 1),
            ("1000000001", "1.5", 2),
        ] {
            assert_eq!(read(bucket, refill).1, wrong, "{bucket} {refill}");
        }
    }

    #[test]
    fn l4_an_extraction_has_a_most_of_rows_and_days() {
        let read = |rows: &str, days: &str| {
            let pairs = [("ORGDESK_EXTRACTION_ROWS", rows), ("ORGDESK_EXTRACTION_DAYS", days)];
            let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
            let mut faults = Vec::new();
            let read = extraction(&Source::read(pairs.into_iter()).unwrap(), &mut faults);
            (read, faults.len())
        };

        assert_eq!(read("", ""), ((10_000, 31), 0));
        assert_eq!(read("100000", "184"), ((100_000, 184), 0));
        assert_eq!(read("100001", "0"), ((10_000, 31), 2));
    }
}

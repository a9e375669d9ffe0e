//! Times of batches, to two significant digits, and their percentiles.

use std::time::Duration;

use hdrhistogram::Histogram;

/// The longest time that is told apart, in microseconds: an hour.
const LONGEST_US: u64 = 3_600_000_000;

/// Times of batches.
pub struct Batches(Histogram<u64>);

impl Default for Batches {
    fn default() -> Batches {
        Batches(Histogram::new_with_bounds(1, LONGEST_US, 2).expect("the bounds are in order"))
    }
}

impl Batches {
    /// Times as they were recorded: microseconds, and how many batches took so long.
    pub fn of<'a>(recorded: impl IntoIterator<Item = &'a (u64, u64)>) -> Batches {
        let mut batches = Batches::default();
        for (us, count) in recorded {
            batches.0.saturating_record_n((*us).max(1), *count);
        }
        batches
    }

    /// Adds a batch.
    pub fn took(&mut self, time: Duration) {
        self.0.saturating_record((time.as_micros() as u64).max(1));
    }

    /// Adds all of another.
    pub fn add(&mut self, other: &Batches) {
        // Both were made with the same bounds, so every value fits.
        let _ = self.0.add(&other.0);
    }

    /// As [`Batches::of`] takes them.
    pub fn recorded(&self) -> Vec<(u64, u64)> {
        self.0.iter_recorded().map(|step| (step.value_iterated_to(), step.count_at_value())).collect()
    }

    /// Microseconds within which this share of the batches was done; 0 where there are none.
    pub fn quantile_us(&self, share: f64) -> u64 {
        self.0.value_at_quantile(share)
    }

    /// The longest, in microseconds.
    pub fn max_us(&self) -> u64 {
        self.0.max()
    }

    /// The percentiles in the format of HdrHistogram's `outputPercentileDistribution`, in milliseconds, which its plotter reads.
    pub fn hgrm(&self) -> String {
        const US_PER_MS: f64 = 1_000.0;
        let histogram = &self.0;
        let mut text =
            format!("{:>12} {:>14} {:>10} {:>14}\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
        let mut total = 0;
        for step in histogram.iter_quantiles(5) {
            total += step.count_since_last_iteration();
            let (value, share) = (step.value_iterated_to() as f64 / US_PER_MS, step.quantile_iterated_to());
            match share < 1.0 {
                true => {
                    let inverse = 1.0 / (1.0 - share);
                    text += &format!("{value:>12.3} {share:>14.12} {total:>10} {inverse:>14.2}\n");
                }
                false => text += &format!("{value:>12.3} {share:>14.12} {total:>10}\n"),
            }
        }
        let ms = |us: f64| us / US_PER_MS;
        text +=
            &format!("#[Mean    = {:>12.3}, StdDeviation   = {:>12.3}]\n", ms(histogram.mean()), ms(histogram.stdev()));
        text +=
            &format!("#[Max     = {:>12.3}, Total count    = {:>12}]\n", ms(histogram.max() as f64), histogram.len());
        text += &format!("#[Buckets = {:>12}, SubBuckets     = {:>12}]\n", histogram.buckets(), 256);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_percentiles_are_those_of_the_batches() {
        let mut batches = Batches::default();
        for us in 1..=100 {
            batches.took(Duration::from_micros(us * 1_000));
        }
        assert_eq!(batches.quantile_us(0.5) / 1_000, 50);
        let again = Batches::of(&batches.recorded());
        assert_eq!(again.recorded(), batches.recorded());
        let text = batches.hgrm();
        let rows: Vec<Vec<f64>> = text
            .lines()
            .skip(2)
            .filter(|line| !line.starts_with('#'))
            .map(|line| line.split_whitespace().filter_map(|word| word.parse().ok()).collect())
            .collect();
        assert!(rows.len() > 10 && rows.is_sorted_by(|a, b| a[0] <= b[0] && a[2] <= b[2]), "{text}");
        assert_eq!(rows.last().map(|row| (row[1], row[2])), Some((1.0, 100.0)), "{text}");
        assert!(text.contains("Total count    =          100]"), "{text}");
    }
}

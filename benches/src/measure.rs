//! Side by side: every round runs each case once, so that what disturbs the machine disturbs all
//! of them, and the ratio is taken within the round.

use std::time::{Duration, Instant};

use crate::contender::Result;

/// Something to measure: given the number of the round, it says how long it took.
pub(crate) struct Case<'a> {
    name: String,
    run: Box<dyn FnMut(usize) -> Result<Duration> + 'a>,
}

impl<'a> Case<'a> {
    pub(crate) fn new(
        name: impl Into<String>,
        run: impl FnMut(usize) -> Result<Duration> + 'a,
    ) -> Self {
        let run = Box::new(run);
        Self {
            name: name.into(),
            run,
        }
    }
}

/// What `run` returns, and how long it took.
pub(crate) fn timed<T>(run: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let done = run();
    (start.elapsed(), done)
}

/// Measures the cases in turn and prints a table. Round 0 warms up and does not count; the order
/// turns by one each round, so that nobody always follows the same neighbour.
pub(crate) fn side_by_side(rounds: usize, mut cases: Vec<Case<'_>>) -> Result<()> {
    let mut seconds = vec![Vec::with_capacity(rounds); cases.len()];
    for round in 0..=rounds {
        for turn in 0..cases.len() {
            let index = (round + turn) % cases.len();
            let time = (cases[index].run)(round)?;
            if round > 0 {
                seconds[index].push(time.as_secs_f64());
            }
        }
    }
    println!("| contender | median | ratio | middle half of the ratios |");
    println!("|---|---:|---:|---:|");
    for (case, times) in cases.iter().zip(&seconds) {
        let ratios: Vec<f64> = times.iter().zip(&seconds[0]).map(|(a, b)| a / b).collect();
        println!(
            "| {} | {:.3} ms | {:.2} | {:.2} to {:.2} |",
            case.name,
            quantile(times, 0.5) * 1e3,
            quantile(&ratios, 0.5),
            quantile(&ratios, 0.25),
            quantile(&ratios, 0.75),
        );
    }
    Ok(())
}

/// The nearest of the values at this part of their order; there is at least one.
pub(crate) fn quantile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * part).round() as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles() {
        let values = [5.0, 1.0, 4.0, 2.0, 3.0];
        assert_eq!(
            [0.25, 0.5, 0.75].map(|part| quantile(&values, part)),
            [2.0, 3.0, 4.0]
        );
        assert_eq!(quantile(&[7.0], 0.75), 7.0);
    }
}

//! A mixture of log-normal crossing times, and its quantiles.

/// One hypothesis' crossing time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Part {
    /// Its share; all parts and the share that never crosses add up to 1.
    pub(super) weight: f64,
    /// Logarithm of the median time left in seconds.
    pub(super) log_s: f64,
    /// Standard deviation of the logarithm.
    pub(super) sd: f64,
}

/// The time at which the parts have together crossed with probability `share` (0 to 1), given that they
/// cross at all. `None` without parts.
pub(super) fn quantile(parts: &[Part], share: f64) -> Option<f64> {
    let total: f64 = parts.iter().map(|part| part.weight).sum();
    if total <= 0.0 {
        return None;
    }
    let edge = |sign: f64| parts.iter().map(move |p| sign * p.log_s + 4.0 * p.sd);
    let mut low = -edge(-1.0).fold(f64::MIN, f64::max);
    let mut high = edge(1.0).fold(f64::MIN, f64::max);
    // 14 halvings of a span of a few units: exact to a thousandth.
    for _ in 0..14 {
        let middle = f64::midpoint(low, high);
        let below: f64 = parts
            .iter()
            .map(|part| part.weight * normal_cdf((middle - part.log_s) / part.sd))
            .sum();
        if below < share * total {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(low.exp())
}

/// The normal distribution function, by the logistic that comes within 0.01 of it (Bowling et al., 2009).
fn normal_cdf(z: f64) -> f64 {
    1.0 / (1.0 + (-(0.07056 * z * z * z + 1.5976 * z)).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_one_part_are_those_of_its_log_normal() {
        let part = Part {
            weight: 0.4,
            log_s: 1000_f64.ln(),
            sd: 0.2,
        };
        let median = quantile(&[part], 0.5).unwrap();
        let high = quantile(&[part], 0.9).unwrap();
        assert!((median - 1000.0).abs() < 1.0, "{median}");
        // 1000 * exp(1.2816 * 0.2)
        assert!((high - 1292.2).abs() < 5.0, "{high}");
    }

    #[test]
    fn two_parts_far_apart_give_a_wide_interval() {
        let part = |s: f64| Part {
            weight: 0.5,
            log_s: s.ln(),
            sd: 0.1,
        };
        let parts = [part(1000.0), part(9000.0)];
        let (low, high) = (
            quantile(&parts, 0.1).unwrap(),
            quantile(&parts, 0.9).unwrap(),
        );
        assert!(low < 1100.0 && high > 8000.0, "{low} {high}");
        assert_eq!(quantile(&[], 0.5), None);
    }
}

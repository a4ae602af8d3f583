//! Exact one-sided tests of counts. Tails are summed from their first term by the ratio of neighbours, until nothing is added any more.

use statrs::function::gamma::ln_gamma;

fn ln_choose(n: u64, k: u64) -> f64 {
    let f = |v: u64| ln_gamma(v as f64 + 1.0);
    f(n) - f(k) - f(n - k)
}

/// exp(first) (1 + r(1) + r(1) r(2) + ...), at most 1; `ratio(i)` is term i over term i - 1, and there are `terms` in all.
fn tail(first: f64, terms: u64, ratio: impl Fn(u64) -> f64) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for i in 1..terms {
        term *= ratio(i);
        sum += term;
        // Ratios fall, so that the rest is smaller than a falling geometric series.
        if ratio(i) < 0.9 && term < 1e-18 * sum {
            break;
        }
    }
    libm::exp(first + libm::log(sum)).min(1.0)
}

/// P(X >= `successes`) for X binomial over `trials` fair coins: the sign test (Arbuthnott 1710; Conover 1999, section 3.4).
/// 1 for no successes, 0 for more than trials.
pub fn sign_upper(successes: u64, trials: u64) -> f64 {
    if successes == 0 {
        return 1.0;
    }
    if successes > trials {
        return 0.0;
    }
    let first = ln_choose(trials, successes) - trials as f64 * std::f64::consts::LN_2;
    tail(first, trials - successes + 1, |i| {
        let k = successes + i;
        (trials - k + 1) as f64 / k as f64
    })
}

/// P(X >= `both`) for X hypergeometric: of `all` things `first` have one property and `second` another, independently;
/// X have both. Fisher's exact test, one-sided (Fisher 1935).
pub fn fisher_upper(both: u64, first: u64, second: u64, all: u64) -> f64 {
    let least = (first + second).saturating_sub(all);
    let most = first.min(second);
    if both <= least {
        return 1.0;
    }
    if both > most {
        return 0.0;
    }
    let start = ln_choose(first, both) + ln_choose(all - first, second - both) - ln_choose(all, second);
    tail(start, most - both + 1, |i| {
        let k = both + i;
        ((first - k + 1) * (second - k + 1)) as f64 / (k * (all + k - first - second)) as f64
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scipy.stats.binom.sf(k - 1, n, .5) and hypergeom.sf(k - 1, all, first, second).
    #[test]
    fn tails_as_scipy_has_them() {
        for (k, n, wanted) in
            [(7, 10, 0.171875), (90, 128, 2.461_423_779_718_757e-6), (512, 512, 7.458_340_731_200_207e-155)]
        {
            let found = sign_upper(k, n);
            assert!((found / wanted - 1.0).abs() < 1e-10, "{k} of {n}: {found:e}");
        }
        assert_eq!((sign_upper(0, 5), sign_upper(6, 5)), (1.0, 0.0));
        for (args, wanted) in [
            ((5, 8, 9, 20), 0.204_929_745_177_423_16),
            ((60, 128, 70, 256), 5.001_004_271_954_23e-13),
            ((3, 3, 3, 6), 0.05),
        ] {
            let (both, first, second, all) = args;
            let found = fisher_upper(both, first, second, all);
            assert!((found / wanted - 1.0).abs() < 1e-9, "{args:?}: {found:e}");
        }
        assert_eq!((fisher_upper(2, 5, 5, 8), fisher_upper(6, 5, 9, 20)), (1.0, 0.0));
    }
}

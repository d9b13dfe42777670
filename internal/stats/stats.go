// Package stats is arithmetic on []float64: exact rank tests, the estimates and
// intervals that belong to them, Holm's correction, and the floor and the smallest
// detectable shift of a test. It knows no units, no benchmarks and no policy: it
// never says whether a number is good, and no level or margin is built in.
//
// # Conventions
//
// Every p-value is one-sided and every test gives both sides: greater is small
// when the data lie above the hypothesised shift, less when they lie below it.
// Slices are read, never changed, and their order never matters except in [Holm],
// which answers in the order of its input. All functions are pure.
//
// # What it refuses
//
// There are no errors and no panics: what cannot be answered is answered with the
// result that can do no harm, stated with each function. A test without data, or
// with a NaN in it, has p-values 1; an interval is the whole line with confidence 1;
// an estimate is NaN; an effect that cannot be detected is +Inf. Infinite values
// are data (a ratio to zero, say): they rank first or last and equal to each other.
//
// # Methods
//
//   - signed-rank test: Wilcoxon, Biometrics Bulletin 1 (1945); zeros as in Pratt,
//     JASA 54 (1959); ties by the permutation distribution given the mid-ranks.
//   - rank-sum test: Wilcoxon (1945); Mann and Whitney, Ann. Math. Stat. 18 (1947).
//   - estimates and intervals: Hodges and Lehmann, Ann. Math. Stat. 34 (1963);
//     Hollander, Wolfe and Chicken, Nonparametric Statistical Methods, 3.2-3.3, 4.2-4.3.
//   - family-wise error: Holm, Scand. J. Statist. 6 (1979).
package stats

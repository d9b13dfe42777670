package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"golang.org/x/perf/benchunit"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/result"
)

// Values beyond these have more digits with a prefix than a cell has room for.
const smallest, largest = 1e-13, 1e18

// value writes v in unit u with a prefix: 1.234µs, 1.500KiB, 3.
func value(v float64, u result.Unit) string {
	switch {
	case math.IsNaN(v):
		return "–"
	case v == 0, v == math.Trunc(v) && math.Abs(v) < 1000 && !u.Timing():
		return strconv.FormatFloat(v, 'f', -1, 64) + suffix(u)
	case math.Abs(v) < smallest || math.Abs(v) >= largest: // no prefix is
		return strconv.FormatFloat(v, 'g', 4, 64) + suffix(u)
	case math.Abs(v) < 1 && u.Base() == "": // a share or a ratio
		return strconv.FormatFloat(v, 'g', 4, 64)
	}
	return benchunit.Scale(v, benchunit.ClassOf(u.Name)) + suffix(u)
}

// suffix is the unit of one value where it is short and known.
func suffix(u result.Unit) string {
	switch base := u.Base(); {
	case base == "sec":
		return "s"
	case u.Name == "B/s":
		return "B/s"
	default:
		return base
	}
}

// side writes the summary of one side of a comparison. Of a constant nothing is uncertain, however few
// samples it has.
func side(c *compare.Comparison, s compare.Summary) string {
	if c.Exact {
		s.Lo, s.Hi = s.Center, s.Center
	}
	return summary(s, c.Unit)
}

// summary writes a side's median with the half width of its interval, as benchstat does.
func summary(s compare.Summary, u result.Unit) string {
	if s.N == 0 {
		return "–"
	}
	text := value(s.Center, u)
	if s.Lo == s.Hi {
		return text
	}
	if math.IsInf(s.Lo, 0) || math.IsInf(s.Hi, 0) || s.Center == 0 {
		return text + " ±∞"
	}
	return fmt.Sprintf("%s ±%.0f%%", text, 100*math.Max(s.Hi-s.Center, s.Center-s.Lo)/math.Abs(s.Center))
}

// change writes the estimated change with its interval.
func change(c *compare.Comparison) string {
	switch {
	case c.Unit.Name == "" || c.Base.N == 0 || c.Head.N == 0 || math.IsNaN(c.Change):
		return "–"
	case c.Exact:
		return exactChange(c)
	case c.Absolute && c.Change == 0 && c.Lo == 0 && c.Hi == 0:
		return "0"
	case math.IsInf(c.Lo, 0) || math.IsInf(c.Hi, 0):
		return estimate(c, c.Change)
	}
	return fmt.Sprintf("%s [%s, %s]", estimate(c, c.Change), estimate(c, c.Lo), estimate(c, c.Hi))
}

// estimate writes a change of c, or a bound of it: a difference where base has zeros, else a
// percentage.
func estimate(c *compare.Comparison, v float64) string {
	if c.Absolute {
		return signed(v, c.Unit)
	}
	return percent(v)
}

// exactChange writes the difference of two constants, which has no interval.
func exactChange(c *compare.Comparison) string {
	diff := c.Head.Center - c.Base.Center
	switch {
	case diff == 0:
		return "0"
	case c.Base.Center == 0:
		return signed(diff, c.Unit)
	}
	return fmt.Sprintf("%s (%s)", signed(diff, c.Unit), percent(c.Change))
}

func signed(v float64, u result.Unit) string {
	if v < 0 {
		return "−" + value(-v, u)
	}
	return "+" + value(v, u)
}

// percent writes a fraction with a sign, with more digits where it is small.
func percent(f float64) string {
	sign := "+"
	if f < 0 {
		sign, f = "−", -f
	}
	switch p := 100 * f; {
	case math.IsInf(p, 0):
		return sign + "∞"
	case p >= 100:
		return fmt.Sprintf("%s%.0f%%", sign, p)
	case p >= 0.05:
		return fmt.Sprintf("%s%.1f%%", sign, p)
	}
	return "0.0%"
}

// bare writes a fraction as a percentage without a sign.
func bare(f float64) string {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return "∞"
	}
	return strings.Replace(strings.TrimLeft(percent(f), "+"), ".0%", "%", 1)
}

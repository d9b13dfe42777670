package report

import (
	"math"
	"testing"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/result"
)

var inf, nan = math.Inf(1), math.NaN()

func TestValue(t *testing.T) {
	tests := []struct {
		v    float64
		unit string
		want string
	}{
		{1.234e-6, "sec/op", "1.234µs"},
		{1, "sec/op", "1.000s"},
		{0, "sec/op", "0s"},
		{3600, "sec/op", "3.600ks"},
		{2e-12, "sec/op", "0.002000ns"},
		{0.05, "self-sec", "50.00ms"},
		{3, "allocs/op", "3"},
		{2.5, "allocs/op", "2.500"},
		{999, "allocs/op", "999"},
		{1234, "allocs/op", "1.234k"},
		{1e6, "allocs/op", "1.000M"},
		{64, "B/op", "64B"},
		{0, "B/op", "0B"},
		{1536, "B/op", "1.500KiB"},
		{1 << 20, "init-B", "1.000MiB"},
		{1e8, "B/s", "95.37MiB/s"},
		{7, "gadgets", "7"},
		{0.5, "hit-rate", "0.5"},
		{250, "req/s", "250.0"}, // a rate is an estimate: its digits are shown
		{-3, "gadgets", "-3"},
		{nan, "sec/op", "–"},
		{1e300, "sec/op", "1e+300s"},
		{-1e300, "gadgets", "-1e+300"},
		{1e-300, "sec/op", "1e-300s"},
		{inf, "sec/op", "+Infs"},
	}
	for _, tt := range tests {
		if got := value(tt.v, result.UnitOf(tt.unit)); got != tt.want {
			t.Errorf("value(%v, %s) = %q, want %q", tt.v, tt.unit, got, tt.want)
		}
	}
}

func TestSummary(t *testing.T) {
	tests := []struct {
		s    compare.Summary
		unit string
		want string
	}{
		{compare.Summary{}, "sec/op", "–"},
		{compare.Summary{N: 10, Center: 1e-6, Lo: 0.98e-6, Hi: 1.01e-6}, "sec/op", "1.000µs ±2%"},
		{compare.Summary{N: 10, Center: 1e-6, Lo: 0.99e-6, Hi: 1.03e-6}, "sec/op", "1.000µs ±3%"},
		{compare.Summary{N: 10, Center: 5, Lo: 5, Hi: 5}, "allocs/op", "5"},
		{compare.Summary{N: 3, Center: 5, Lo: -inf, Hi: inf}, "allocs/op", "5 ±∞"},
		{compare.Summary{N: 10, Center: 0, Lo: 0, Hi: 1}, "allocs/op", "0 ±∞"},
		{compare.Summary{N: 10, Center: -10, Lo: -11, Hi: -10}, "gadgets", "-10 ±10%"},
	}
	for _, tt := range tests {
		if got := summary(tt.s, result.UnitOf(tt.unit)); got != tt.want {
			t.Errorf("summary(%+v, %s) = %q, want %q", tt.s, tt.unit, got, tt.want)
		}
	}
}

func TestChange(t *testing.T) {
	some := compare.Summary{N: 20, Center: 4}
	row := func(unit string, change func(*compare.Comparison)) *compare.Comparison {
		c := &compare.Comparison{Unit: result.UnitOf(unit), Base: some, Head: some}
		change(c)
		return c
	}
	tests := []struct {
		name string
		c    *compare.Comparison
		want string
	}{
		{"interval", row("sec/op", func(c *compare.Comparison) { c.Change, c.Lo, c.Hi = 0.123, 0.1, 0.2 }), "+12.3% [+10.0%, +20.0%]"},
		{"fall", row("sec/op", func(c *compare.Comparison) { c.Change, c.Lo, c.Hi = -0.5, -0.51, -0.49 }), "−50.0% [−51.0%, −49.0%]"},
		{"no interval", row("sec/op", func(c *compare.Comparison) { c.Change, c.Lo, c.Hi = 0.1, -1, inf }), "+10.0%"},
		{"exact", row("allocs/op", func(c *compare.Comparison) { c.Exact, c.Change, c.Head.Center = true, 0.25, 5 }), "+1 (+25.0%)"},
		{"exact, less", row("B/op", func(c *compare.Comparison) { c.Exact, c.Change, c.Head.Center = true, -0.5, 2 }), "−2B (−50.0%)"},
		{"exact, equal", row("B/op", func(c *compare.Comparison) { c.Exact = true }), "0"},
		{"exact from zero", row("B/op", func(c *compare.Comparison) { c.Exact, c.Absolute, c.Change, c.Base.Center = true, true, 4, 0 }), "+4B"},
		{"difference", row("allocs/op", func(c *compare.Comparison) { c.Absolute, c.Change, c.Lo, c.Hi = true, 1, -0.5, 2 }), "+1 [−0.5, +2]"},
		{"difference, none", row("allocs/op", func(c *compare.Comparison) { c.Absolute = true }), "0"},
		{"difference, no interval", row("allocs/op", func(c *compare.Comparison) { c.Absolute, c.Change, c.Lo, c.Hi = true, 1, -inf, inf }), "+1"},
		{"undefined", row("sec/op", func(c *compare.Comparison) { c.Change = nan }), "–"},
		{"whole benchmark", row("", func(c *compare.Comparison) { c.Change = 1 }), "–"},
		{"one side", row("sec/op", func(c *compare.Comparison) { c.Base.N = 0 }), "–"},
	}
	for _, tt := range tests {
		if got := change(tt.c); got != tt.want {
			t.Errorf("%s: change = %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestPercent(t *testing.T) {
	tests := []struct {
		f          float64
		want, bare string
	}{
		{0, "0.0%", "0%"},
		{0.05, "+5.0%", "5%"},
		{0.125, "+12.5%", "12.5%"},
		{1.0 / 30, "+3.3%", "3.3%"},
		{0.0004, "0.0%", "0%"},
		{0.0006, "+0.1%", "0.1%"},
		{-0.0006, "−0.1%", "−0.1%"},
		{-0.25, "−25.0%", "−25%"},
		{1, "+100%", "100%"},
		{12.34, "+1234%", "1234%"},
		{inf, "+∞", "∞"},
		{-inf, "−∞", "∞"},
	}
	for _, tt := range tests {
		if got := percent(tt.f); got != tt.want {
			t.Errorf("percent(%v) = %q, want %q", tt.f, got, tt.want)
		}
		if got := bare(tt.f); got != tt.bare {
			t.Errorf("bare(%v) = %q, want %q", tt.f, got, tt.bare)
		}
	}
	if got := bare(nan); got != "∞" {
		t.Errorf("bare(NaN) = %q", got)
	}
}

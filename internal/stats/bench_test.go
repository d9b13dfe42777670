package stats

import (
	"fmt"
	"testing"
)

func BenchmarkSignedRank(b *testing.B) {
	for _, n := range []int{20, 60} {
		d := draw(newRand(1), n, false)
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				SignedRank(d, 0)
			}
		})
	}
}

func BenchmarkSignedRankInterval(b *testing.B) {
	for _, n := range []int{20, 60, 1000} {
		d := draw(newRand(1), n, false)
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				SignedRankInterval(d, 0.95)
			}
		})
	}
}

func BenchmarkHodgesLehmann(b *testing.B) {
	for _, n := range []int{20, 60, 1000} {
		d := draw(newRand(1), n, false)
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				HodgesLehmann(d)
			}
		})
	}
}

func BenchmarkRankSum(b *testing.B) {
	for _, ties := range []bool{false, true} {
		r := newRand(1)
		x, y := draw(r, 10, ties), draw(r, 10, ties)
		b.Run(fmt.Sprintf("10x10/ties=%t", ties), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				RankSum(x, y, 0)
			}
		})
	}
}

func BenchmarkShiftBetween(b *testing.B) {
	r := newRand(1)
	x, y := draw(r, 10, false), draw(r, 10, false)
	b.Run("10x10", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			ShiftBetween(x, y)
		}
	})
}

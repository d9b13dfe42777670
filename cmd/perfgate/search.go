package main

// state is what is known of a commit.
type state string

const (
	unknown state = ""
	good    state = "good"
	bad     state = "bad"
	skipped state = "skipped"
)

// search narrows down the first bad one of a series, whose last is bad; what comes before the first is good.
type search []state

// bounds are the last good one before the first bad one, -1 where none is known, and the first bad one.
func (s search) bounds() (lastGood, firstBad int) {
	for firstBad = 0; firstBad < len(s)-1 && s[firstBad] != bad; firstBad++ {
	}
	for lastGood = firstBad - 1; lastGood >= 0 && s[lastGood] != good; lastGood-- {
	}
	return lastGood, firstBad
}

// next is the one to look at, nearest to the middle; there is none when the search is over.
func (s search) next() (i int, ok bool) {
	lo, hi := s.bounds()
	middle := lo + (hi-lo)/2
	for d := 0; middle-d > lo || middle+d < hi; d++ {
		for _, i := range []int{middle - d, middle + d} {
			if i > lo && i < hi && s[i] == unknown {
				return i, true
			}
		}
	}
	return 0, false
}

// left is the number of looks that the search takes at most when none is skipped.
func (s search) left() int {
	lo, hi := s.bounds()
	n := 0
	for width := hi - lo; width > 1; width = (width + 1) / 2 {
		n++
	}
	return n
}

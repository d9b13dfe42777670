package mockllm

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// A mixture draws from one distribution or another, by their shares: most calls are fast, and some are not.
const (
	mixture       = "mixture"
	mixtureParams = "95%=V|5%=V, of any distributions"
)

// component is a distribution of a mixture.
type component struct {
	from, share float64 // of the uniform numbers: those from, as wide as share
	Dist
}

// mix reads the distributions of a mixture and their shares.
func (r reader) mix(text, list string) (Dist, error) {
	var all []component
	sum := 0.0
	for item := range strings.SplitSeq(list, "|") {
		part, of, ok := strings.Cut(strings.TrimSpace(item), "=")
		if !ok {
			return Dist{}, fmt.Errorf("%q: want %s:%s", item, mixture, mixtureParams)
		}
		c := component{from: sum}
		var err error
		if c.share, err = share(strings.TrimSpace(part)); err != nil {
			return Dist{}, fmt.Errorf("mixture: %w", err)
		}
		if strings.HasPrefix(strings.TrimSpace(of), mixture) {
			return Dist{}, errors.New("mixture: a mixture of mixtures is one: write all of its distributions down")
		}
		if c.Dist, err = r.parse(of); err != nil {
			return Dist{}, fmt.Errorf("mixture: %w", err)
		}
		sum += c.share
		all = append(all, c)
	}
	if math.Abs(sum-1) > 1e-9 {
		return Dist{}, fmt.Errorf("mixture: the shares add up to %v%%: want 100%%", math.Round(sum*1e6)/1e4)
	}
	return Dist{text: text, quantile: func(u float64) float64 { return drawFrom(all, u) }}, nil
}

// drawFrom draws from the distribution whose share has the number. Where in the share it is decides which value:
// one number is enough.
func drawFrom(all []component, u float64) float64 {
	i := len(all) - 1
	for u < all[i].from {
		i--
	}
	return all[i].of(min((u-all[i].from)/all[i].share, 1-0x1p-53))
}

package load

import (
	"encoding/binary"
	"hash/fnv"
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/mathext"

	"github.com/org/perfgate/internal/suggest"
)

// Arrival is how the times between arrivals scatter about their mean: a row of Arrivals, with the shape of
// the gamma distribution.
type Arrival struct {
	Name  string
	Shape float64
}

// arrivalRow is a distribution of the times between arrivals, of mean 1.
type arrivalRow struct {
	Name, Usage string
	shaped      bool
	// gap is the inverse of the distribution function. Nil: all gaps are equal.
	gap func(u, shape float64) float64
}

// Arrivals is the one list of distributions. Help, errors and the tests range over it.
var Arrivals = []arrivalRow{
	{Name: "constant", Usage: "equal distances"},
	{Name: "poisson", Usage: "independent arrivals", gap: func(u, _ float64) float64 { return -math.Log1p(-u) }},
	{Name: "gamma", Usage: "gamma:SHAPE, below 1 burstier than poisson and above it more even", shaped: true,
		gap: func(u, shape float64) float64 { return mathext.GammaIncRegInv(shape, u) / shape }},
}

func (a Arrival) row() (arrivalRow, bool) {
	for _, r := range Arrivals {
		if r.Name == a.Name || a.Name == "" && r.gap == nil {
			return r, true
		}
	}
	return arrivalRow{}, false
}

func (a Arrival) check() error {
	r, ok := a.row()
	switch {
	case !ok:
		return fieldErrorf("arrival", "%q is none of %s%s", a.Name, strings.Join(arrivalNames(), ", "), suggest.Question(a.Name, arrivalNames()))
	case r.shaped && !(a.Shape >= 0.01 && a.Shape <= 1e6):
		return fieldErrorf("arrival", "gamma: a shape of %g: want at least 0.01 and at most 1e6, such as gamma:0.5", a.Shape)
	}
	return nil
}

func arrivalNames() (names []string) {
	for _, r := range Arrivals {
		names = append(names, r.Name)
	}
	return names
}

// String is the text that ParseArrival reads.
func (a Arrival) String() string {
	r, _ := a.row()
	if r.shaped {
		return r.Name + ":" + strconv.FormatFloat(a.Shape, 'g', -1, 64)
	}
	return r.Name
}

// ParseArrival reads a row's name, with a shape where the row has one: poisson, gamma:0.5.
func ParseArrival(text string) (Arrival, error) {
	name, shape, shaped := strings.Cut(text, ":")
	a := Arrival{Name: name}
	if name == "" {
		return a, fieldErrorf("arrival", "want one of %s", strings.Join(arrivalNames(), ", "))
	}
	if r, ok := a.row(); ok && r.shaped != shaped {
		return a, fieldErrorf("arrival", "%q: gamma has a shape, such as gamma:0.5, and no other has", text)
	}
	if shaped {
		var err error
		if a.Shape, err = strconv.ParseFloat(shape, 64); err != nil {
			return a, fieldErrorf("arrival", "%q: %q is no number", text, shape)
		}
	}
	return a, a.check()
}

// due returns, for n arrivals at a mean distance of 1, when each is due. Constant ones begin at 0; of the
// others the first has waited too, and all are stretched so that the last is due at n exactly: the offered
// number of runs in the offered time does not vary with the seed (as vLLM's benchmark does it).
func (a Arrival) due(n int, seed uint64) []float64 {
	r, _ := a.row()
	at := make([]float64, n)
	if r.gap == nil {
		for i := range at {
			at[i] = float64(i)
		}
		return at
	}
	sum := 0.0
	for i := range at {
		sum += r.gap(uniform(seed, "arrival", uint64(i)), a.Shape)
		at[i] = sum
	}
	if sum == 0 {
		return at
	}
	for i := range at {
		at[i] *= float64(n) / sum
	}
	return at
}

// uniform draws a number in [0, 1) for one purpose: no draw depends on how many others came before it. FNV
// brings the arguments together, the finaliser of splitmix64 mixes them.
func uniform(seed uint64, draw string, i uint64) float64 {
	h := fnv.New64a()
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], seed)
	h.Write(b[:])
	h.Write([]byte(draw))
	binary.LittleEndian.PutUint64(b[:], i)
	h.Write(b[:])
	x := h.Sum64() + 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return float64((x^x>>31)>>11) / (1 << 53)
}

package load

import (
	"math"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// From the stored histogram comes any quantile, within three digits of the nearest rank.
func TestHistogram(t *testing.T) {
	tr := traceOf(1000) // of 1 to 1000 ms
	text, err := tr.Histogram()
	if err != nil {
		t.Fatal(err)
	}
	h, err := hdrhistogram.Decode([]byte(text))
	if err != nil || h.TotalCount() != 1000 {
		t.Fatalf("%v of %d", err, h.TotalCount())
	}
	for _, q := range []float64{0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1} {
		want, _ := tr.Quantile(q)
		if got := h.ValueAtQuantile(100 * q); math.Abs(float64(got)/float64(want)-1) > 1e-3 {
			t.Errorf("quantile %v: %v, want %v", q, time.Duration(got), want)
		}
	}
	if len(text) > 8000 {
		t.Errorf("1000 values take %d bytes", len(text))
	}
	tr.Records[0].Done, tr.Records[1].Done = tr.Records[0].Due, tr.Records[1].Due+int64(48*time.Hour)
	if text, err = tr.Histogram(); err != nil {
		t.Errorf("a run of nothing, and one of two days: %v", err)
	}
	if h, _ := hdrhistogram.Decode([]byte(text)); h == nil || h.TotalCount() != 1000 {
		t.Errorf("%v, want all runs", h)
	}
	if text, err := (&Trace{Records: []Record{{Kind: NotStarted}}}).Histogram(); text != "" || err != nil {
		t.Errorf("of no run: %q, %v", text, err)
	}
}

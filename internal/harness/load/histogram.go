package load

import (
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// The bounds of a stored histogram: what is shorter or longer counts as these. Three digits are an error of 0.1 % at
// most.
const (
	shortestStored, longestStored = time.Microsecond, 24 * time.Hour
	storedDigits                  = 3
)

// Histogram is the latency of all runs that began as an HdrHistogram of nanoseconds, in the V2 compressed form and base64
// that its ports in all languages and their log tools read: any quantile can be computed from it later. Empty where no
// run began.
func (t *Trace) Histogram() (string, error) {
	latencies := t.values((*Record).Latency)
	if len(latencies) == 0 {
		return "", nil
	}
	h := hdrhistogram.New(int64(shortestStored), int64(longestStored), storedDigits)
	for _, d := range latencies {
		if err := h.RecordValue(int64(min(max(d, shortestStored), longestStored))); err != nil {
			return "", fmt.Errorf("the histogram of latencies: %w", err)
		}
	}
	text, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	return string(text), err
}

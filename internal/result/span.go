package result

// Span is what the spans of a name took in a program under load. All is a run's on average.
type Span struct {
	Name  string  `json:"name"`
	Count float64 `json:"count"`
	// Self is in seconds, without the time that spans below were under way. Total is with it.
	Self  float64 `json:"self_sec"`
	Total float64 `json:"total_sec"`
	// P95 is that of one span, in seconds.
	P95 float64 `json:"p95_sec"`
}

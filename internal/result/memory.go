package result

// Memory is what the processes of a benchmark held and allocated. Nothing is judged by it: what can be is a metric.
type Memory struct {
	// Peak is the most that the process tree had in RAM, as the system says, in bytes; 0 where it is not known.
	Peak float64 `json:"peak_rss_bytes,omitempty"`
	// Inside is what Go's runtime says. It is nil where nobody asked it, as of programs that do not mark their memory.
	Inside *Inside `json:"inside,omitempty"`
}

// Inside is what Go's runtime says of memory: bytes of the heap that are live, and goroutines; and how many bytes and
// objects were allocated in how many collections, by an operation of a benchmark or by a program up to its last mark.
type Inside struct {
	Live       float64 `json:"heap_live_bytes"`
	Allocated  float64 `json:"allocated_bytes"`
	Objects    float64 `json:"allocated_objects"`
	Cycles     float64 `json:"gc_cycles"`
	Goroutines float64 `json:"goroutines"`
}

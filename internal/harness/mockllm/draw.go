package mockllm

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"hash/fnv"
	"regexp"
)

// draws are the seeded random numbers of one call. They follow from what the call is, not from when it
// came: the order of arrival changes nothing, and two builds of a program that make the same call wait
// for the same time. Golden vectors freeze how: another function would make all stored results stale.
type draws uint64

// newDraws mixes words into the numbers that follow from them.
func newDraws(seed uint64, words ...string) draws {
	h := fnv.New64a()
	var n [8]byte
	h.Write(binary.LittleEndian.AppendUint64(n[:0], seed))
	for _, w := range words { // with lengths: "ab", "c" is not "a", "bc"
		h.Write(binary.LittleEndian.AppendUint64(n[:0], uint64(len(w))))
		h.Write([]byte(w))
	}
	return draws(h.Sum64())
}

// with are the numbers that follow from d and some more numbers.
func (d draws) with(more ...uint64) draws {
	h := fnv.New64a()
	var n [8]byte
	h.Write(binary.LittleEndian.AppendUint64(n[:0], uint64(d)))
	for _, m := range more {
		h.Write(binary.LittleEndian.AppendUint64(n[:0], m))
	}
	return draws(h.Sum64())
}

// increment is that of splitmix64: 2^64 divided by the golden ratio.
const increment = 0x9e3779b97f4a7c15

// stream is the random numbers of one name. Any of them can be had without those before.
type stream uint64

func (d draws) stream(name string) stream {
	h := fnv.New64a()
	var n [8]byte
	h.Write(binary.LittleEndian.AppendUint64(n[:0], uint64(d)))
	h.Write([]byte(name))
	return stream(h.Sum64())
}

// bits is the i-th random word.
func (s stream) bits(i int) uint64 { return splitmix64(uint64(s) + uint64(i)*increment) }

// uniform is the i-th random number, in [0, 1).
func (s stream) uniform(i int) float64 { return float64(s.bits(i)>>11) / (1 << 53) }

// id is an identifier of the kind that the prefix names.
func (d draws) id(prefix string) string {
	n := binary.BigEndian.AppendUint64(nil, d.stream(prefix).bits(0))
	return prefix + hex.EncodeToString(n)
}

// splitmix64 is the generator of Steele, Lea and Flood, OOPSLA 2014: the output that follows a state. It
// spreads what FNV leaves together.
func splitmix64(x uint64) uint64 {
	x += increment
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// volatile are the keys of a request that do not change what is asked. Streaming is one of them: the
// same question takes as long either way.
var volatile = []string{"user", "metadata", "stream", "stream_options", "prompt_cache_key", "safety_identifier"}

// fingerprint is the canonical form of a request without what is volatile, and without what is to be ignored, hashed.
// It takes the volatile keys out of the fields.
func fingerprint(fields map[string]any, ignore []*regexp.Regexp) (uint64, error) {
	for _, key := range volatile {
		delete(fields, key)
	}
	canonical, err := json.Marshal(fields) // sorts the keys
	for _, pattern := range ignore {
		canonical = pattern.ReplaceAllLiteral(canonical, nil)
	}
	h := fnv.New64a()
	h.Write(canonical)
	return h.Sum64(), err
}

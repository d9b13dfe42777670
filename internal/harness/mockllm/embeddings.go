package mockllm

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
)

// Sizes of embeddings: what the usual model has, and what is accepted.
const (
	usualDimensions = 1536
	maxDimensions   = 8192
	maxInputs       = 2048
)

// embeddingsBody is a request to /v1/embeddings. An input is a text, or tokens, or a list of either.
type embeddingsBody struct {
	Model          string          `json:"model"`
	Input          json.RawMessage `json:"input"`
	EncodingFormat string          `json:"encoding_format"`
	Dimensions     int             `json:"dimensions"`
}

func parseEmbeddings(body []byte) (*request, *apiError) {
	var b embeddingsBody
	if e := read(body, &b); e != nil {
		return nil, e
	}
	r := &request{Model: b.Model, Base64: b.EncodingFormat == "base64", Dimensions: either(b.Dimensions, usualDimensions)}
	var inputs listOrOne[json.RawMessage]
	if json.Unmarshal(b.Input, &inputs) != nil || len(inputs) == 0 || len(inputs) > maxInputs {
		return nil, invalid("input", "input must be a text, a list of tokens, or a list of at most %d of either", maxInputs)
	}
	var token int
	if json.Unmarshal(inputs[0], &token) == nil { // a list of tokens is one input
		inputs = listOrOne[json.RawMessage]{b.Input}
	}
	for _, in := range inputs {
		r.Inputs = append(r.Inputs, string(in))
	}
	if r.Dimensions < 1 || r.Dimensions > maxDimensions {
		return nil, invalid("dimensions", "dimensions must be from 1 to %d", maxDimensions)
	}
	return r, nil
}

type embeddingList struct {
	Object string         `json:"object"`
	Data   []embedding    `json:"data"`
	Model  string         `json:"model"`
	Usage  embeddingUsage `json:"usage"`
}

type embedding struct {
	Object    string `json:"object"`
	Index     int    `json:"index"`
	Embedding any    `json:"embedding"` // []float32, or base64 of it
}

type embeddingUsage struct {
	PromptTokens int `json:"prompt_tokens"`
	TotalTokens  int `json:"total_tokens"`
}

func fullEmbeddings(c *call) any {
	n := c.inputTokens()
	list := embeddingList{Object: "list", Model: c.request.Model, Usage: embeddingUsage{n, n}}
	for i, input := range c.request.Inputs {
		v := vector(newDraws(c.server.config.Seed, "embedding", c.request.Model, input).stream("vector"), c.request.Dimensions)
		e := embedding{Object: "embedding", Index: i, Embedding: v}
		if c.request.Base64 {
			e.Embedding = base64.StdEncoding.EncodeToString(littleEndian(v))
		}
		list.Data = append(list.Data, e)
	}
	return list
}

// vector is a direction that follows from the text alone, of length 1: equal texts are equal, and others
// are far from each other.
func vector(from stream, dimensions int) []float32 {
	v := make([]float64, dimensions)
	square := 0.0
	for i := range v {
		v[i] = 2*from.uniform(i) - 1
		square += v[i] * v[i]
	}
	unit := make([]float32, dimensions)
	for i := range v {
		unit[i] = float32(v[i] / math.Sqrt(square))
	}
	return unit
}

func littleEndian(v []float32) []byte {
	var b []byte
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

package load

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// maxLine bounds a line of a stream.
const maxLine = 1 << 20

// readStream reads server-sent events to their end and notes when tokens came: events with content. now is
// nanoseconds since the trace began.
func readStream(body io.Reader, r *Record, now func() int64) error {
	lines := bufio.NewReaderSize(body, 16<<10)
	last := int64(0)
	var line []byte
	for {
		part, err := lines.ReadSlice('\n')
		at := now()
		line = append(line, part...)
		if errors.Is(err, bufio.ErrBufferFull) && len(line) < maxLine {
			continue
		}
		if data, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte("data:")); ok && isToken(data) {
			if last == 0 {
				r.FirstToken = at
			} else {
				r.Gaps = append(r.Gaps, at-last)
			}
			last = at
		}
		line = line[:0]
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, bufio.ErrBufferFull):
			return errors.New("a line of the stream is longer than 1 MiB")
		case err != nil:
			return err
		}
	}
}

// delta is what the events of a stream that carry content look like, whichever API they are of: Chat
// Completions, Responses and Messages.
type delta struct {
	Type    string `json:"type"`
	Choices *[]struct {
		Delta struct {
			Content   string            `json:"content"`
			Reasoning string            `json:"reasoning_content"`
			Tools     []json.RawMessage `json:"tool_calls"`
		} `json:"delta"`
	} `json:"choices"`
	Delta json.RawMessage `json:"delta"`
}

// isToken reports whether an event carries content: the role that a stream begins with, usage and the end
// are none. An event that is of no known API does.
func isToken(data []byte) bool {
	data = bytes.TrimSpace(data)
	var d delta
	switch {
	case len(data) == 0 || bytes.Equal(data, []byte("[DONE]")):
		return false
	case data[0] != '{' || json.Unmarshal(data, &d) != nil:
		return true
	case d.Choices != nil:
		for _, c := range *d.Choices {
			if c.Delta.Content != "" || c.Delta.Reasoning != "" || len(c.Delta.Tools) > 0 {
				return true
			}
		}
		return false
	case d.Type != "":
		// response.output_text.delta, response.function_call_arguments.delta, content_block_delta
		return len(d.Delta) > 0 && (bytes.HasSuffix([]byte(d.Type), []byte(".delta")) || d.Type == "content_block_delta")
	}
	return true
}

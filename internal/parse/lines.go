package parse

import (
	"bufio"
	"errors"
	"io"
)

// maxLine bounds one line of an input, in bytes: what is beyond it is dropped.
const maxLine = 1 << 20

// lineReader reads lines of bounded length.
type lineReader struct {
	r    *bufio.Reader
	long []byte // a line that is longer than r's buffer
	// line is the number of the line last returned, from 1.
	line int
	// cut says that the line last returned was longer than maxLine.
	cut bool
}

func newLineReader(r io.Reader) *lineReader {
	return &lineReader{r: bufio.NewReaderSize(r, 64<<10)}
}

// next returns the next line without its end (LF or CRLF), valid until the call after. At the
// end of the input the error is io.EOF; a last line without an end is still a line.
func (l *lineReader) next() ([]byte, error) {
	l.cut = false
	line, err := l.r.ReadSlice('\n')
	if err != nil {
		if errors.Is(err, bufio.ErrBufferFull) {
			line, err = l.rest(line)
		}
		if err != nil && (len(line) == 0 || !errors.Is(err, io.EOF)) {
			return nil, err
		}
	}
	l.line++
	for _, end := range []byte{'\n', '\r'} {
		if n := len(line); n > 0 && line[n-1] == end {
			line = line[:n-1]
		}
	}
	return line, nil
}

// rest reads on to the end of a long line, of which it keeps the first maxLine bytes.
func (l *lineReader) rest(part []byte) ([]byte, error) {
	l.long = l.long[:0]
	for err := bufio.ErrBufferFull; ; part, err = l.r.ReadSlice('\n') {
		keep := min(len(part), maxLine-len(l.long))
		l.long = append(l.long, part[:keep]...)
		l.cut = l.cut || keep < len(part)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return l.long, err
		}
	}
}

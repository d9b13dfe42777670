package harness

import (
	"cmp"
	"slices"
	"strings"

	"github.com/org/perfgate/internal/result"
)

// ranBlock is a block of a source file with how often it ran an operation.
type ranBlock struct {
	block
	text string // of its lines, without indentation
	runs float64
}

// weight is the number of statements that the block adds to an operation.
func (b ranBlock) weight() float64 { return b.runs * float64(b.statements) }

// blocksOf lists the blocks by file, in the order of their lines.
func blocksOf(ran map[int][]float64, files map[int]*covered) map[string][]ranBlock {
	out := map[string][]ranBlock{}
	for id, per := range ran {
		f := files[id]
		bs := make([]ranBlock, len(per))
		for i, b := range f.blocks {
			bs[i] = ranBlock{block: b, text: f.texts[i], runs: per[i]}
		}
		slices.SortStableFunc(bs, func(a, b ranBlock) int { return cmp.Compare(a.from, b.from) })
		out[f.name] = bs
	}
	return out
}

func textOf(lines []string, b block) string {
	if b.from < 1 || b.to > len(lines) || b.from > b.to {
		return ""
	}
	text := slices.Clone(lines[b.from-1 : b.to])
	for i := range text {
		text[i] = strings.TrimSpace(text[i])
	}
	return strings.Join(text, "\n")
}

// mostChanged is the number of blocks that a benchmark keeps.
const mostChanged = 5

// changedBlocks finds the blocks in which head executes other numbers of statements, the largest rise
// first. Lines move, so blocks of a file are matched by their text, and what is left over in their order.
func changedBlocks(base, head map[string][]ranBlock) []result.Block {
	var out []result.Block
	add := func(file string, b, h *ranBlock) {
		c := result.Block{File: file}
		if b != nil {
			c.From, c.To, c.Base = b.from, b.to, b.weight()
		}
		if h != nil {
			c.From, c.To, c.Head = h.from, h.to, h.weight()
		} else {
			c.Gone = true
		}
		if c.Base != c.Head {
			out = append(out, c)
		}
	}
	for file, hs := range head {
		left := matchBlocks(base[file], hs, func(b, h *ranBlock) { add(file, b, h) })
		for i := range max(len(left[0]), len(left[1])) {
			var b, h *ranBlock
			if i < len(left[0]) {
				b = left[0][i]
			}
			if i < len(left[1]) {
				h = left[1][i]
			}
			add(file, b, h)
		}
	}
	slices.SortFunc(out, func(a, b result.Block) int {
		return cmp.Or(cmp.Compare(b.Head-b.Base, a.Head-a.Base), cmp.Compare(a.File, b.File), cmp.Compare(a.From, b.From))
	})
	return out[:min(len(out), mostChanged)]
}

// matchBlocks hands over the blocks of the same text, the first with the first, and returns what is left
// of base and head.
func matchBlocks(base, head []ranBlock, match func(b, h *ranBlock)) (left [2][]*ranBlock) {
	byText := map[string][]*ranBlock{}
	for i := range base {
		byText[base[i].text] = append(byText[base[i].text], &base[i])
	}
	for i := range head {
		h := &head[i]
		if same := byText[h.text]; len(same) > 0 {
			match(same[0], h)
			byText[h.text] = same[1:]
		} else {
			left[1] = append(left[1], h)
		}
	}
	for i := range base {
		if b := &base[i]; slices.Contains(byText[b.text], b) {
			left[0] = append(left[0], b)
		}
	}
	return left
}

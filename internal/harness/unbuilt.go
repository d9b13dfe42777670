package harness

import (
	"context"
	"math/rand/v2"

	"github.com/org/perfgate/internal/result"
)

// unbuilt is what the runners of programs have in common that perfgate does not build itself.
type unbuilt struct{}

// CountInstructions does nothing: the programs are strangers.
func (unbuilt) CountInstructions(context.Context, []*Target, *rand.Rand, func(*Target, Reading)) error {
	return nil
}

// Control does nothing: a sample is dear, and the benchmarks beside it watch the machine.
func (unbuilt) Control(context.Context, []*Target, *rand.Rand, func(*Target, Reading)) error {
	return nil
}

// Link makes nothing, and says so.
func (unbuilt) Link(_ context.Context, _ Build, targets []*Target) error {
	for _, t := range targets {
		if t.Bench[Head] != nil {
			t.Bench[Head].FixedLayout = "perfgate does not build the program"
		}
	}
	return nil
}

// Unlink has nothing to remove.
func (unbuilt) Unlink(Build) {}

// Warnings are none: what is worth a remark stands at its benchmark.
func (unbuilt) Warnings() []string { return nil }

// Close has nothing to end: every sample ends what it started.
func (unbuilt) Close() error { return nil }

// setsOf are the targets' benchmarks of each side that has a tree.
func setsOf(dirs [2]string, targets []*Target) (base, head *result.Set) {
	var sets [2]*result.Set
	for side, dir := range dirs {
		if dir == "" {
			continue
		}
		sets[side] = &result.Set{Env: Fingerprint()}
		for _, t := range targets {
			sets[side].Benchmarks = append(sets[side].Benchmarks, t.Bench[side])
		}
		sets[side].Sort()
	}
	return sets[Base], sets[Head]
}

// inTurn are both sides, in the order of a coin.
func inTurn(rng *rand.Rand) []Side {
	if rng.IntN(2) == 1 {
		return []Side{Head, Base}
	}
	return []Side{Base, Head}
}

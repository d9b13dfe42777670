//go:build !linux

package pace

func held(*Pacer) int { return 0 }

package pace

// held is the number of waiters that the wheel knows.
func held(p *Pacer) int {
	p.wheel.mu.Lock()
	defer p.wheel.mu.Unlock()
	return len(p.wheel.wait)
}

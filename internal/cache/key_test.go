package cache

import "testing"

// All of these are different values, and have different keys.
func TestKeysDiffer(t *testing.T) {
	seen := map[string]int{}
	for i, k := range []Key{
		NewKey("plan", 1), NewKey("plan", 1, ""), NewKey("plan", 1, "", ""), NewKey("plan", 1, "ab", "c"), NewKey("plan", 1, "a", "bc"),
		NewKey("plan", 1, "abc"), NewKey("plan", 1, "c", "ab"), NewKey("plan", 1, "abc", ""), NewKey("plan", 1, "", "abc"),
		NewKey("plan", 1, "\x00\x00\x00\x00\x00\x00\x00\x01a"), NewKey("plan", 1, "", "a"),
		NewKey("plan", 2, "abc"), NewKey("plan", 11, "abc"), NewKey("work", 1, "abc"), NewKey("plan", 1, "1", "abc"),
	} {
		if j, ok := seen[k.String()]; ok {
			t.Errorf("keys %d and %d are both %v", i, j, k)
		}
		seen[k.String()] = i
	}
}

// The key of a value is the same in every release: what is stored for it lives on.
func TestKeyStays(t *testing.T) {
	k := NewKey("plan", 3, "ab", "c")
	if want := "plan:v3:601d5476e2ccfe2c87a2bba7a322659734a05749d5b5aa781f513e4912db0d5f"; k.String() != want {
		t.Errorf("got %v, want %v", k, want)
	}
	if k.Kind() != "plan" || KindOf(k.String()) != "plan" {
		t.Errorf("kind %q, %q", k.Kind(), KindOf(k.String()))
	}
}

func TestKeyRefuses(t *testing.T) {
	for _, kind := range []string{"", "Plan", "a b", "a:b", "a*", "../a", "1a"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("kind %q is accepted", kind)
				}
			}()
			NewKey(kind, 1)
		}()
	}
}

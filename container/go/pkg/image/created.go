package image

import (
	"fmt"
	"math/big"
	"regexp"
	"time"
)

// milliseconds is the number above which a creation time is not in seconds.
const milliseconds = 1e11

const (
	firstSecond = -62135596800 // 0001-01-01T00:00:00Z
	lastSecond  = 253402300799 // 9999-12-31T23:59:59Z
)

// created gives the RFC 3339 form of a creation time, which is a number of seconds
// or milliseconds since the epoch, RFC 3339 itself, or "" for the epoch.
func created(text string) (string, error) {
	number := regexp.MustCompile(`^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$`)
	var when time.Time
	switch {
	case text == "":
		when = time.Unix(0, 0).UTC()
	case number.MatchString(text):
		t, ok := sinceEpoch(text)
		if !ok {
			return "", fmt.Errorf("creation_time %q is not within the years 1 to 9999", text)
		}
		when = t
	default:
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return "", fmt.Errorf("creation_time %q is neither a number of seconds or milliseconds since the epoch "+
				"nor a time such as 2006-01-02T15:04:05Z (RFC 3339); a {KEY} in it needs stamp = True and a value "+
				"from the workspace status command", text)
		}
		when = t
	}
	return when.Format(time.RFC3339Nano), nil
}

// sinceEpoch is exact where a float64 would not be.
func sinceEpoch(number string) (time.Time, bool) {
	n, ok := new(big.Rat).SetString(number)
	if !ok {
		return time.Time{}, false
	}
	if n.Cmp(big.NewRat(milliseconds, 1)) > 0 {
		n.Quo(n, big.NewRat(1000, 1))
	}
	n.Mul(n, big.NewRat(int64(time.Second), 1))
	nanos := new(big.Int).Div(n.Num(), n.Denom())
	seconds, rest := new(big.Int).DivMod(nanos, big.NewInt(int64(time.Second)), new(big.Int))
	if !seconds.IsInt64() || seconds.Int64() < firstSecond || seconds.Int64() > lastSecond {
		return time.Time{}, false
	}
	return time.Unix(seconds.Int64(), rest.Int64()).UTC(), true
}

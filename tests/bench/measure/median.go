package measure

import (
	"cmp"
	"slices"
)

// Median is the middle one of values, the lower of two; the zero value of none.
func Median[T cmp.Ordered](values []T) T {
	var none T
	if len(values) == 0 {
		return none
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[(len(sorted)-1)/2]
}

// Ratio is the median of ours to theirs, pair by pair: what disturbs the machine
// disturbs both of a pair. It reports false unless there are pairs.
func Ratio(ours, theirs []float64) (float64, bool) {
	var ratios []float64
	for i := range min(len(ours), len(theirs)) {
		if theirs[i] > 0 {
			ratios = append(ratios, ours[i]/theirs[i])
		}
	}
	return Median(ratios), len(ratios) > 0
}

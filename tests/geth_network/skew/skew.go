// Package clique gets a clock of its own, that many seconds off.
package clique

import (
	"os"
	"strconv"
	"time"
)

var offset = func() time.Duration {
	seconds, _ := strconv.Atoi(os.Getenv("CLIQUE_CLOCK_OFFSET_S"))
	return time.Duration(seconds) * time.Second
}()

func skewedNow() time.Time {
	return time.Now().Add(offset)
}

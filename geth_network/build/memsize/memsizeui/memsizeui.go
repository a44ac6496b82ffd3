// Package memsizeui stands in for a debugging page that no longer links on Go 1.23 and newer.
package memsizeui

import "net/http"

// Handler answers every request with 404: the memory page is left out.
type Handler struct{}

// ServeHTTP reports that there is no such page.
func (*Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }

// Add takes a root object and forgets it.
func (*Handler) Add(string, interface{}) {}

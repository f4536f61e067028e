// Package ext has the types through which Traefik's commercial edition adds fields to its configuration; Traefik Proxy adds none.
package ext

// HTTP extends the HTTP configuration.
type HTTP struct{}

// Router extends an HTTP router.
type Router struct{}

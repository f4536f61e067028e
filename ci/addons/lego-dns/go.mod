module github.com/wordpress-ha/ci/addons/lego-dns

go 1.26.0

// The version that Traefik requires.
require github.com/go-acme/lego/v5 v5.4.1

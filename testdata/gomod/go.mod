module example.com/sitetools

go 1.26.0

require (
	golang.org/x/image v0.47.0
	golang.org/x/net v0.62.0
)

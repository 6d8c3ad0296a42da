package harness

import "embed"

// Source is the text of this package, which is compiled into probe binaries
// inside other people's modules.
//
//go:embed *.go
var Source embed.FS

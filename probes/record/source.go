package record

import "embed"

// Source is the text of this package, which is compiled into probe binaries
// inside other people's modules. The list is explicit so that tests and what
// is not finished stay out; a test of the builder holds it to the folder.
//
//go:embed digest.go event.go histogram.go python.go race.go record.go result.go status.go
var Source embed.FS

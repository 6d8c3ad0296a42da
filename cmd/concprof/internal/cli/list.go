package cli

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/pflag"
)

// listFormat is the format of a command that prints a list instead of a
// verdict.
type listFormat string

const (
	listText listFormat = "text"
	listJSON listFormat = "json"
)

func (f *listFormat) String() string { return string(*f) }
func (f *listFormat) Type() string   { return "format" }
func (f *listFormat) Set(s string) error {
	switch v := listFormat(s); v {
	case listText, listJSON:
		*f = v
		return nil
	}
	return fmt.Errorf("want text or json")
}

// AddFlag adds --format.
func (f *listFormat) AddFlag(fs *pflag.FlagSet) {
	*f = listText
	fs.VarP(f, "format", "f", "print as text or json")
}

// writeJSON writes v as one indented document.
func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

package runner

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/concprof/concprof/probes/record"
)

// minSecret is the shortest value that is taken for a secret: shorter ones
// ("1", "true") would blot out half of every text.
const minSecret = 6

// credentials are the user and password of a URL.
var credentials = regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://)[^/\s:@"']*:[^/\s@"']+@`)

// A Redactor takes secrets out of texts that a workload wrote.
type Redactor struct{ replace *strings.Replacer }

// NewRedactor returns a Redactor of the values of the variables that a
// workload was given.
func NewRedactor(values []string) *Redactor {
	var pairs []string
	add := func(v string) {
		if len(v) >= minSecret {
			pairs = append(pairs, v, "[redacted]")
		}
	}
	for _, v := range values {
		add(v)
		// A client may report the password of an address by itself.
		if u, err := url.Parse(v); err == nil && u.User != nil {
			password, _ := u.User.Password()
			add(password)
		}
	}
	return &Redactor{replace: strings.NewReplacer(pairs...)}
}

// Text returns s without secrets.
func (r *Redactor) Text(s string) string {
	if r != nil {
		s = r.replace.Replace(s)
	}
	return credentials.ReplaceAllString(s, "${1}[redacted]@")
}

// record takes the secrets out of all texts of a record that a workload can
// have written.
func (r *Redactor) record(rec *record.Record) {
	rec.Reason = r.Text(rec.Reason)
	for i := range rec.Errors {
		rec.Errors[i].Message = r.Text(rec.Errors[i].Message)
	}
	if rec.Dry != nil {
		rec.Dry.Result = r.Text(rec.Dry.Result)
	}
}

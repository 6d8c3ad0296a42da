package workload

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// minSecret is the length in bytes of the shortest value that is taken for a
// secret: shorter ones ("1", "true") would blot out half of every text.
const minSecret = 6

// Redacted stands where a secret was.
const Redacted = "[redacted]"

var (
	// credentials are the user and password of a URL.
	credentials = regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://)[^/\s:@"']*:[^/\s@"']+@`)
	// cutCredentials are those of a URL that was cut within the password: it
	// would be a port if it were of digits only.
	cutCredentials = regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://)[^/\s:@"'\[]*:[^/\s@"']*[^/\s@"'0-9][^/\s@"']*$`)
	// credentialName is the name of a variable that holds a secret by custom.
	credentialName = regexp.MustCompile(`(?i)TOKEN|SECRET|PASSW(OR)?D|CREDENTIAL|(API|ACCESS|AUTH|SIGNING|PRIVATE)_?KEY`)
)

// Secrets returns the values that the file itself gives to variables of its
// workloads.
func (f *File) Secrets() []string {
	var values []string
	for i := range f.Workloads {
		w := &f.Workloads[i]
		entries := w.Env
		for _, c := range w.Callables() {
			entries = slices.Concat(entries, c.Env)
		}
		for _, entry := range entries {
			if _, value, set := strings.Cut(entry, "="); set {
				values = append(values, value)
			}
		}
	}
	return values
}

// Credentials returns the values of the variables in an environment that hold
// secrets, to go by their names. A shell may have put them into a command.
func Credentials(environ []string) []string {
	var values []string
	for _, kv := range environ {
		if name, value, ok := strings.Cut(kv, "="); ok && credentialName.MatchString(name) {
			values = append(values, value)
		}
	}
	return values
}

// A Redactor takes secrets out of texts on their way into a file. A nil one
// knows none but the credentials of URLs.
type Redactor struct {
	secrets []string // the longest first
	replace *strings.Replacer
}

// NewRedactor returns a Redactor of values that are secret, in the forms that
// they take in texts as well: quoted, or escaped within a URL; of several
// lines, each.
func NewRedactor(values []string) *Redactor {
	r := &Redactor{}
	add := func(v string) {
		if len(v) >= minSecret && !slices.Contains(r.secrets, v) {
			r.secrets = append(r.secrets, v)
		}
	}
	for _, v := range values {
		quoted := strconv.Quote(v)
		for _, form := range []string{v, quoted[1 : len(quoted)-1], url.QueryEscape(v), url.PathEscape(v)} {
			add(form)
		}
		for line := range strings.Lines(v) {
			add(strings.TrimSpace(line))
		}
		// A client may report the password of an address by itself.
		if u, err := url.Parse(v); err == nil && u.User != nil {
			password, _ := u.User.Password()
			add(password)
		}
	}
	slices.SortStableFunc(r.secrets, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	var pairs []string
	for _, s := range r.secrets {
		pairs = append(pairs, s, Redacted)
	}
	r.replace = strings.NewReplacer(pairs...)
	return r
}

// Text returns s without secrets. Texts are cut to some length before they
// come here, so a part of a secret at an end of s goes as well.
func (r *Redactor) Text(s string) string {
	if r != nil {
		s = r.cut(r.replace.Replace(s))
	}
	s = credentials.ReplaceAllString(s, "${1}"+Redacted+"@")
	return cutCredentials.ReplaceAllString(s, "${1}"+Redacted)
}

// cut takes the beginning of a secret off the end of s, and the end of one
// off its beginning.
func (r *Redactor) cut(s string) string {
	body := strings.TrimRight(s, "…\"")
	for _, secret := range r.secrets {
		for n := len(secret) - 1; n >= minSecret; n-- {
			if rest, ok := strings.CutSuffix(body, secret[:n]); ok {
				body, s = rest, rest+Redacted+s[len(body):]
				break
			}
		}
		for n := len(secret) - 1; n >= minSecret; n-- {
			if rest, ok := strings.CutPrefix(s, secret[len(secret)-n:]); ok {
				return Redacted + rest
			}
		}
	}
	return s
}

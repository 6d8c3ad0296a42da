package pprofui

import "strconv"

// flagSet answers the driver's registrations of flags from a map, and with
// the driver's default where the map has no value.
type flagSet struct {
	values  map[string]string
	sources []string
}

func (f *flagSet) Bool(name string, def bool, _ string) *bool {
	if v, err := strconv.ParseBool(f.values[name]); err == nil {
		def = v
	}
	return &def
}

func (f *flagSet) Int(name string, def int, _ string) *int {
	if v, err := strconv.Atoi(f.values[name]); err == nil {
		def = v
	}
	return &def
}

func (f *flagSet) Float64(name string, def float64, _ string) *float64 {
	if v, err := strconv.ParseFloat(f.values[name], 64); err == nil {
		def = v
	}
	return &def
}

func (f *flagSet) String(name string, def string, _ string) *string {
	if v, ok := f.values[name]; ok {
		def = v
	}
	return &def
}

func (f *flagSet) StringList(name string, def string, _ string) *[]*string {
	return &[]*string{f.String(name, def, "")}
}

func (f *flagSet) ExtraUsage() string    { return "" }
func (f *flagSet) AddExtraUsage(string)  {}
func (f *flagSet) Parse(func()) []string { return f.sources }

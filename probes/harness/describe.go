package harness

import (
	"fmt"
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What is shown of a result. Nobody reads more, and the record of a dry trial
// holds no more than describedBytes.
const (
	describedBytes = 256
	shownRunes     = 80             // of the first line of a text
	shownBytes     = 4 * shownRunes // as many bytes as shownRunes can have
	shownHex       = 8              // bytes of what is not text
	shownParts     = 256            // fields, elements and characters of a value
)

// describe shows what an op returned, for people to recognise: of a text the
// first line, of bytes their number and beginning, of a value its fields.
func describe(out any, err error) string {
	if err != nil {
		return clip(oneLine("error: "+err.Error()), describedBytes)
	}
	switch v := out.(type) {
	case nil:
		return ""
	case string:
		return clip(quoteLine(v[:min(len(v), shownBytes)], len(v) > shownBytes), describedBytes)
	case []byte:
		return clip(describeBytes(int64(len(v)), string(v[:min(len(v), shownBytes)])), describedBytes)
	case longAnswer:
		return clip(v.String(), describedBytes)
	}
	if left := shownParts; !fits(reflect.ValueOf(out), &left) {
		return clip(describeLarge(reflect.ValueOf(out)), describedBytes)
	}
	return clip(oneLine(fmt.Sprintf("%+v", out)), describedBytes)
}

// describeBytes shows bytes, of which head is the beginning.
func describeBytes(size int64, head string) string {
	noun := "bytes"
	if size == 1 {
		noun = "byte"
	}
	s := fmt.Sprintf("%d %s", size, noun)
	cut := size > int64(len(head))
	switch text, ok := textOf(head, cut); {
	case size == 0:
		return s
	case ok:
		return s + ", " + quoteLine(text, cut)
	}
	s += fmt.Sprintf(", hex % x", head[:min(len(head), shownHex)])
	if size > shownHex {
		s += "…"
	}
	return s
}

// textOf reports whether bytes are text: UTF-8 without control characters. If
// they are cut, so may the last character be, which is left out.
func textOf(s string, cut bool) (string, bool) {
	for i := 0; cut && i < utf8.UTFMax-1 && len(s) > 0; i++ {
		if r, n := utf8.DecodeLastRuneInString(s); r != utf8.RuneError || n != 1 {
			break
		}
		s = s[:len(s)-1]
	}
	control := strings.IndexFunc(s, func(r rune) bool { return unicode.IsControl(r) && !unicode.IsSpace(r) })
	return s, utf8.ValidString(s) && control < 0
}

// quoteLine quotes the first line of a text, up to shownRunes characters; cut
// says that there is more text than this.
func quoteLine(s string, cut bool) string {
	line := s
	if i := strings.IndexAny(s, "\r\n"); i >= 0 {
		line = s[:i]
		cut = cut || strings.TrimRight(s[i:], "\r\n") != ""
	}
	n := 0
	for i := range line {
		if n++; n > shownRunes {
			line, cut = line[:i], true
			break
		}
	}
	if cut {
		return fmt.Sprintf("%q…", line)
	}
	return fmt.Sprintf("%q", line)
}

// fits reports whether v has no more parts than are left, so that formatting
// it cannot take long or much memory. It goes where the formatting goes:
// through one pointer, but not through those below it.
func fits(v reflect.Value, left *int) bool {
	if v.Kind() == reflect.Ptr {
		v = v.Elem()
	}
	return partsFit(v, left)
}

func partsFit(v reflect.Value, left *int) bool {
	*left--
	switch v.Kind() {
	case reflect.String:
		*left -= v.Len()
	case reflect.Struct:
		for i := 0; i < v.NumField() && *left >= 0; i++ {
			partsFit(v.Field(i), left)
		}
	case reflect.Slice, reflect.Array:
		for i := 0; i < v.Len() && *left >= 0; i++ {
			partsFit(v.Index(i), left)
		}
	case reflect.Map:
		for it := v.MapRange(); *left >= 0 && it.Next(); {
			partsFit(it.Key(), left)
			partsFit(it.Value(), left)
		}
	case reflect.Interface:
		partsFit(v.Elem(), left)
	}
	return *left >= 0
}

// describeLarge shows the type of a value that is too large to be shown, and
// how many elements it has.
func describeLarge(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Slice, reflect.Array, reflect.Map:
		return fmt.Sprintf("%s of %d elements", v.Type(), v.Len())
	case reflect.String:
		s := v.String()
		return quoteLine(s[:min(len(s), shownBytes)], true)
	}
	return "a large " + v.Type().String()
}

// oneLine replaces line breaks and other control characters.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
}

package harness

import (
	"hash/crc32"
	"math"
	"math/bits"
	"reflect"
	"sync"
	"time"
	"unsafe"
)

// Limits of the walk over a result. What lies beyond them does not enter the
// hash, and the hash is then marked opaque.
const (
	maxDepth = 64     // nested pointers, structs, slices, maps
	maxNodes = 16_384 // values visited; at 10 to 30 ns each at most half a millisecond
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// hashResult hashes the result of an op together with the op's number, such
// that equal results of the same op hash equally in every process. A failed
// op hashes as the type of its error: messages hold addresses, times and
// attempts. opaque says that a part of the result could not be read.
//
// A result that its op still shares with others is not safe to read, so
// structs that hold a lock or an atomic value, which say that they are shared,
// are opaque as a whole.
func hashResult(op int64, out any, err error) (h uint64, opaque bool) {
	w := walker{nodes: maxNodes}
	h = mix(uint64(op), 0)
	if err != nil {
		return mix(mix(h, 2), hashText(typePath(reflect.TypeOf(err)))), false
	}
	h = mix(h, 1)
	switch v := out.(type) {
	case nil:
	case string:
		h = mix(mix(h, 3), hashText(v))
	case []byte:
		h = mix(mix(h, 4), hashBytes(v))
	case int:
		h = mix(mix(h, 5), uint64(v))
	case int64:
		h = mix(mix(h, 6), uint64(v))
	case uint64:
		h = mix(mix(h, 7), v)
	default:
		value := reflect.ValueOf(out)
		h = mix(mix(h, hashText(typePath(value.Type()))), w.hash(value, maxDepth))
	}
	return h, w.opaque
}

// mix enters v into h. It is the finaliser of SplitMix64 (Steele, Lea and
// Flood, OOPSLA 2014): each input bit flips each output bit half of the time.
func mix(h, v uint64) uint64 {
	h = bits.RotateLeft64(h, 5) + 0x9e3779b97f4a7c15 ^ v
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}

func hashBytes(b []byte) uint64 {
	return uint64(len(b))<<32 ^ uint64(crc32.Update(0, castagnoli, b))
}

// hashText equals hashBytes([]byte(s)) without the copy, which would escape.
func hashText(s string) uint64 {
	return hashBytes(unsafe.Slice(unsafe.StringData(s), len(s)))
}

// typePath names a type the same way in every build of the same code.
func typePath(t reflect.Type) string {
	if t.Name() == "" {
		return t.String()
	}
	return t.PkgPath() + "." + t.Name()
}

// A walker hashes one result.
type walker struct {
	nodes  int // that may still be visited
	opaque bool
	path   []uintptr // pointers between the root and here
}

// hash returns the hash of v, whose parts may be depth levels deep.
func (w *walker) hash(v reflect.Value, depth int) uint64 {
	if !v.IsValid() {
		return 1
	}
	k := v.Kind()
	if w.nodes <= 0 || depth <= 0 {
		w.opaque = true
		return 2
	}
	w.nodes--
	h := uint64(k)
	switch {
	case v.CanInt():
		return mix(h, uint64(v.Int()))
	case k == reflect.Uintptr:
		w.opaque = true // an address, most likely
		return h
	case v.CanUint():
		return mix(h, v.Uint())
	case v.CanFloat():
		return mix(h, hashFloat(v.Float()))
	case v.CanComplex():
		c := v.Complex()
		return mix(mix(h, hashFloat(real(c))), hashFloat(imag(c)))
	}
	switch k {
	case reflect.Bool:
		if v.Bool() {
			return mix(h, 1)
		}
		return mix(h, 0)
	case reflect.String:
		return mix(h, hashText(v.String()))
	case reflect.Interface:
		if v.IsNil() {
			return h
		}
		e := v.Elem()
		return mix(mix(h, hashText(typePath(e.Type()))), w.hash(e, depth-1))
	case reflect.Pointer:
		return w.hashPointer(v, depth)
	case reflect.Slice, reflect.Array:
		return w.hashList(v, depth)
	case reflect.Map:
		return w.hashMap(v, depth)
	case reflect.Struct:
		return w.hashStruct(v, depth)
	}
	// A channel, a function or an unsafe pointer: nil or not is all that
	// can be told.
	if !v.IsNil() {
		w.opaque = true
		return mix(h, 1)
	}
	return h
}

// hashFloat gives every NaN the same hash.
func hashFloat(f float64) uint64 {
	if f != f {
		return math.Float64bits(math.NaN())
	}
	return math.Float64bits(f)
}

// hashPointer hashes what v points at. On a cycle it hashes how far up the
// path the cycle closes.
func (w *walker) hashPointer(v reflect.Value, depth int) uint64 {
	h := uint64(reflect.Pointer)
	if v.IsNil() {
		return h
	}
	if guarded(v.Type().Elem()) {
		w.opaque = true
		return mix(h, 3)
	}
	p := v.Pointer()
	for i := len(w.path) - 1; i >= 0; i-- {
		if w.path[i] == p {
			return mix(h, uint64(len(w.path)-i))
		}
	}
	w.path = append(w.path, p)
	h = mix(h, w.hash(v.Elem(), depth-1))
	w.path = w.path[:len(w.path)-1]
	return h
}

func (w *walker) hashList(v reflect.Value, depth int) uint64 {
	h := mix(uint64(v.Kind()), uint64(v.Len()))
	if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8 {
		return mix(h, hashBytes(v.Bytes()))
	}
	for i := 0; i < v.Len(); i++ {
		if w.nodes <= 0 {
			w.opaque = true
			break
		}
		h = mix(h, w.hash(v.Index(i), depth-1))
	}
	return h
}

// hashMap adds up the hashes of the entries. Each entry has the same
// allowance of nodes, or the order of iteration would decide what is left out.
func (w *walker) hashMap(v reflect.Value, depth int) uint64 {
	h := mix(uint64(reflect.Map), uint64(v.Len()))
	if v.Len() == 0 {
		return h
	}
	share := w.nodes / v.Len()
	if share < 2 {
		w.opaque = true
		return h
	}
	var sum uint64
	for it := v.MapRange(); it.Next(); {
		entry := walker{nodes: share, path: w.path}
		e := mix(entry.hash(it.Key(), depth-1), 0)
		sum += mix(e, entry.hash(it.Value(), depth-1))
		w.nodes -= share - entry.nodes
		w.opaque = w.opaque || entry.opaque
	}
	return mix(h, sum)
}

func (w *walker) hashStruct(v reflect.Value, depth int) uint64 {
	t := v.Type()
	h := uint64(reflect.Struct)
	if t == timeType {
		return mix(h, w.hashTime(v))
	}
	if guarded(t) {
		w.opaque = true
		return mix(h, 3)
	}
	for i := 0; i < t.NumField(); i++ {
		h = mix(h, w.hash(v.Field(i), depth-1))
	}
	return h
}

var timeType = reflect.TypeOf(time.Time{})

// hashTime hashes the instant: the same one may be written with and without
// a monotonic reading, and in any time zone.
func (w *walker) hashTime(v reflect.Value) uint64 {
	if !v.CanInterface() {
		// An unexported field of type Time cannot be read as one.
		w.opaque = true
		return 0
	}
	t := v.Interface().(time.Time)
	return mix(uint64(t.Unix()), uint64(t.Nanosecond()))
}

// guardedTypes remembers what guarded found: reflect.Type to bool.
var guardedTypes sync.Map

// guarded reports whether t is a struct with a lock or an atomic value in it.
func guarded(t reflect.Type) bool {
	for t.Kind() == reflect.Array {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return false
	}
	if g, ok := guardedTypes.Load(t); ok {
		return g.(bool)
	}
	g := t.PkgPath() == "sync" || t.PkgPath() == "sync/atomic"
	for i := 0; i < t.NumField() && !g; i++ {
		g = guarded(t.Field(i).Type)
	}
	guardedTypes.Store(t, g)
	return g
}

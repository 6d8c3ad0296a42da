package profile_test

import (
	"os"
	"testing"

	pprof "github.com/google/pprof/profile"

	"github.com/concprof/concprof/analyzer/profile"
)

// BenchmarkAnalyse compares what a re-analysis does with the profiles of 100
// trials with what go tool pprof must do with the same bytes: read and merge.
func BenchmarkAnalyse(b *testing.B) {
	var cpus, walls [][]byte
	for i := range 100 {
		o := ops()[i%len(ops())]
		for kind, to := range map[string]*[][]byte{"cpu": &cpus, "wall": &walls} {
			data, err := os.ReadFile("testdata/" + o.name + "." + kind + ".pb.gz")
			if err != nil {
				b.Fatal(err)
			}
			*to = append(*to, data)
		}
	}
	b.Run("concprof", func(b *testing.B) {
		for b.Loop() {
			var raws []profile.Raw
			var ws []*pprof.Profile
			for i := range cpus {
				cpu, err := profile.Read(cpus[i])
				if err != nil {
					b.Fatal(err)
				}
				wall, err := profile.Read(walls[i])
				if err != nil {
					b.Fatal(err)
				}
				raws, ws = append(raws, profile.Raw{CPU: cpu, Wall: wall, Ops: 1}), append(ws, wall)
			}
			profile.Options{}.Waits(ws...)
			if set := profile.Derive(raws, ""); set.Wall == nil {
				b.Fatal(set.Problem)
			}
		}
	})
	b.Run("pprof", func(b *testing.B) {
		for b.Loop() {
			for _, kind := range [][][]byte{cpus, walls} {
				var ps []*pprof.Profile
				for _, data := range kind {
					p, err := pprof.ParseData(data)
					if err != nil {
						b.Fatal(err)
					}
					ps = append(ps, p)
				}
				if _, err := pprof.Merge(ps); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

package analyzer

import (
	"strings"
	"testing"

	"github.com/concprof/concprof/analyzer/profile"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// A downstream is placed at the wait that grows when others are in flight,
// and at none if none does.
func TestDownstreamIsPlacedWhereOpsWaitForEachOther(t *testing.T) {
	waiting := func(kind record.Wait, blocked int64) looks {
		place := profile.Place{Function: "m.(*Decoder).DecodeAll", File: "/m/decoder.go", Line: 315, Samples: blocked}
		return looks{profile.WaitShares{Samples: 100, Blocked: map[record.Wait]int64{kind: blocked}, Places: map[record.Wait][]profile.Place{kind: {place}}}}
	}
	for _, tt := range []struct {
		name         string
		alone, among looks
		line         int
		said         string
	}{
		{"a pool of decoders", waiting(record.Channel, 2), waiting(record.Channel, 90), 315, "90 % of their time for other goroutines, in m.(*Decoder).DecodeAll"},
		{"a server", waiting(record.Network, 90), waiting(record.Network, 95), 315, "serves no more at once"},
		{"little more", waiting(record.Channel, 10), waiting(record.Channel, 30), 0, "serves no more at once"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := &judgement{view: &view{o: DefaultOptions()}, load: &load{w: &plan.Workload{Name: "w"}}, looks: tt.alone, probe: tt.among}
			j.limitDownstream(0.9)
			if l := j.out.Limits[0]; len(j.out.Limits) != 1 || l.Kind != LimitDownstream || l.Line != tt.line {
				t.Errorf("limits %+v, want line %d", j.out.Limits, tt.line)
			}
			if said := strings.Join(j.chain(), "; "); !strings.Contains(said, tt.said) {
				t.Errorf("said %q, want %q", said, tt.said)
			}
		})
	}
}

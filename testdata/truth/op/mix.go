package op

import "time"

// Mix10 computes for a millisecond and waits for nine.
func Mix10() { mix(1) }

// Mix50 computes for 5 ms and waits for as long.
func Mix50() { mix(5) }

// Mix90 computes for 9 ms and waits for one.
func Mix90() { mix(9) }

func mix(tenths int) {
	burn(time.Duration(tenths) * time.Millisecond)
	time.Sleep(time.Duration(10-tenths) * time.Millisecond)
}

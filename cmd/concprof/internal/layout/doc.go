// Package layout holds the rules of the repository's structure as a test:
// which package may import which, where each third-party package is at home,
// and what no package may do. The test reads the sources itself; one that
// asks the go command stays "ok (cached)" after a violation.
package layout

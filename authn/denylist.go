package authn

import (
	"bytes"
	"compress/gzip"
	_ "embed" // for the list
	"io"
	"strings"
	"sync"

	"golang.org/x/text/unicode/norm"
)

// denylistFile holds 49,233 well-known passwords in lower case, sorted, one a
// line: @zxcvbn-ts/language-common 4.1.3, src/passwords.json (MIT, see NOTICE).
//
//go:embed denylist.txt.gz
var denylistFile []byte

// denylist unpacks the list at its first use; 390 kB, searched where it lies.
var denylist = sync.OnceValue(func() []byte {
	r, err := gzip.NewReader(bytes.NewReader(denylistFile))
	if err != nil {
		panic(err) // the file is embedded
	}
	list, err := io.ReadAll(r)
	if err != nil {
		panic(err)
	}
	return list
})

// denied reports whether the whole password is a well-known one, in any letter
// case and any width.
func denied(password string) bool {
	return containsLine(denylist(), strings.ToLower(norm.NFKC.String(password)))
}

// containsLine searches sorted lines by bisection.
func containsLine(lines []byte, want string) bool {
	low, high := 0, len(lines)
	for low < high {
		middle := (low + high) / 2
		start := low + bytes.LastIndexByte(lines[low:middle], '\n') + 1
		end := middle + bytes.IndexByte(lines[middle:], '\n')
		switch strings.Compare(string(lines[start:end]), want) {
		case 0:
			return true
		case -1:
			low = end + 1
		default:
			high = start
		}
	}
	return false
}

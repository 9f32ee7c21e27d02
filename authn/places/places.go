package places

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/oschwald/maxminddb-golang/v2"

	"gatehouse/directory"
)

// kinds are words of the types of databases that have countries or cities.
var kinds = []string{"City", "Country", "Enterprise"}

// File is an open database of places. It never changes.
type File struct{ db *maxminddb.Reader }

// Open reads a database whole: a file that is mapped and then written over, as cp
// does, would end the process. Its errors do not repeat the path.
func Open(path string) (*File, error) {
	content, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	db, err := maxminddb.OpenBytes(content)
	if err != nil {
		return nil, fmt.Errorf("not a MaxMind DB: %w", err)
	}
	kind := db.Metadata.DatabaseType
	if !slices.ContainsFunc(kinds, func(k string) bool { return strings.Contains(kind, k) }) {
		return nil, fmt.Errorf("a database of the type %q has neither countries nor cities", kind)
	}
	return &File{db}, nil
}

// names are those of one place, by BCP 47 tags.
type names struct {
	Names map[string]string `maxminddb:"names"`
}

// in is the name in a language, or else in English.
func (n names) in(l directory.Language) string {
	return cmp.Or(n.Names[string(l)], n.Names[string(directory.English)])
}

// Place names the city and the country of an address in a language, or in English
// where the file has no name in it: "Cardiff, United Kingdom". It is "" for an
// address of which nothing is known.
func (f *File) Place(addr netip.Addr, l directory.Language) string {
	var found struct {
		City    names `maxminddb:"city"`
		Country names `maxminddb:"country"`
	}
	if err := f.db.Lookup(addr.Unmap()).Decode(&found); err != nil {
		return "" // also when the file is damaged there: whoever signs in cannot mend it
	}
	known := slices.DeleteFunc([]string{found.City.in(l), found.Country.in(l)}, func(name string) bool { return name == "" })
	return strings.Join(known, ", ")
}

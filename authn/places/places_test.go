package places_test

import (
	"bytes"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/authn/places"
	"gatehouse/directory"
)

// sample is a small database that tests of other packages read as well.
const sample = "testdata/places.mmdb"

var write = flag.Bool("write", false, "write "+sample)

func TestPlaceIsInTheLanguageOfThePerson(t *testing.T) {
	made := cities.file()
	if *write {
		if err := os.WriteFile(sample, made, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if kept, err := os.ReadFile(sample); err != nil || !bytes.Equal(kept, made) {
		t.Fatalf("%s is another file, %v: run go test ./authn/places -write", sample, err)
	}
	file, err := places.Open(sample)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		addr string
		in   directory.Language
		want string
	}{
		{"127.0.0.1", directory.English, "Cardiff, United Kingdom"},
		{"127.0.0.1", directory.Welsh, "Caerdydd, Y Deyrnas Unedig"},
		{"127.0.0.1", "", "Cardiff, United Kingdom"},
		{"::ffff:127.0.0.1", directory.English, "Cardiff, United Kingdom"},
		{"198.51.100.7", directory.English, "France"},
		{"198.51.100.7", directory.Welsh, "France"},
		{"203.0.113.9", directory.English, ""},
		{"2001:db8::1", directory.English, ""}, // the file knows IPv4 alone
		{"192.0.2.1", directory.English, ""},   // and has no names here
	} {
		if got := file.Place(netip.MustParseAddr(test.addr), test.in); got != test.want {
			t.Errorf("%s in %q: %q, want %q", test.addr, test.in, got, test.want)
		}
	}
	if got := file.Place(netip.Addr{}, directory.English); got != "" {
		t.Errorf("no address is in %q", got)
	}
}

// TestFileWithoutPlacesIsRefused, with what is wrong and without its path, which
// the configuration names.
func TestFileWithoutPlacesIsRefused(t *testing.T) {
	dir := t.TempDir()
	networks := database{kind: "GeoLite2-ASN"}
	for name, content := range map[string][]byte{"empty": {}, "text": []byte("Cardiff"), "networks": networks.file(), "cut": cities.file()[:40]} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := places.Open(path); err == nil || strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := places.Open(filepath.Join(dir, "none")); err == nil || strings.Contains(err.Error(), dir) {
		t.Errorf("no file: %v", err)
	}
}

// TestDamagedFileKnowsNoPlace: it is no reason to refuse a sign-in.
func TestDamagedFileKnowsNoPlace(t *testing.T) {
	damaged := bytes.ReplaceAll(cities.file(), []byte("\x47country"), []byte("\xa7country")) // a number of seven bytes
	path := filepath.Join(t.TempDir(), "damaged")
	if err := os.WriteFile(path, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := places.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := file.Place(netip.MustParseAddr("198.51.100.7"), directory.English); got != "" {
		t.Errorf("in %q", got)
	}
}

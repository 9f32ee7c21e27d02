package main

import (
	"net/url"
	"strings"
	"testing"
)

// TestPeopleAreToldWhereTheirAccountIsUsed, in the mail and on the page, where the
// operator has a file of places.
func TestPeopleAreToldWhereTheirAccountIsUsed(t *testing.T) {
	d := newDeployment(t, sqliteConfig(t))
	d.vars["GATEHOUSE_GEOIP_FILE"] = "../../authn/places/testdata/places.mmdb"
	person := d.person()
	s := d.start()
	for n := range 2 {
		d.journey(s).enter(person, testPassword, n+1)
	}
	d.wantMessage(person.Email, "new_browser")
	if m := d.messages(person.Email)[0]; !strings.Contains(m.Body, "Where: Cardiff, United Kingdom (127.0.0.1)") {
		t.Errorf("%s", m.Body)
	}
	j := d.journey(s)
	j.enter(person, testPassword, 3)
	wantPage(t, j.get(s.url+"/account/sessions"), 200, "from Cardiff, United Kingdom (127.0.0.1)")
	j.submit("/language", url.Values{"language": {"cy"}})
	wantPage(t, j.get(s.url+"/account/sessions"), 200, "lleoliad: Caerdydd, Y Deyrnas Unedig (127.0.0.1)")
}

// TestFileWithoutPlacesStopsTheStart, as every fault of the configuration does.
func TestFileWithoutPlacesStopsTheStart(t *testing.T) {
	vars := map[string]string{"GATEHOUSE_DATA": t.TempDir(), "GATEHOUSE_ADDR": "127.0.0.1:0", "GATEHOUSE_GEOIP_FILE": "places_test.go"}
	if code, _, stderr := runCommand(t, vars, "serve"); code != exitUsage || !strings.Contains(stderr, "GATEHOUSE_GEOIP_FILE: not a MaxMind DB") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

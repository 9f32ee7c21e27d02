package main

import (
	"bytes"
	"image"
	"image/png"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// logoFiles fills the directory of logos and returns it.
func logoFiles(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// smallPNG is an image of one pixel.
func smallPNG(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 1, 1))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestProgramSaysWhichLogosNobodySees names every file and why, and ends with the
// code of a wrong configuration.
func TestProgramSaysWhichLogosNobodySees(t *testing.T) {
	d := newDeployment(t, sqliteConfig(t))
	d.vars["GATEHOUSE_BRANDING_DIR"] = logoFiles(t, map[string][]byte{
		"good.png": smallPNG(t), "good.svg": []byte(`<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>`), ".hidden": nil,
		"large.png": append(smallPNG(t), make([]byte, 1<<20)...), "page.png": []byte("<!DOCTYPE html>"), "moved.gif": []byte("GIF89a"), "empty.svg": nil,
	})
	code, stdout, stderr := d.runProgram("config", "check")
	for _, want := range []string{
		`"large.png" is larger than 1048576 bytes, so no page shows it`, `"page.png" is no image of the type image/png`,
		`"moved.gif" is not named with letters`, `"empty.svg" is no SVG document`,
	} {
		if !strings.Contains(stderr, "GATEHOUSE_BRANDING_DIR: "+want) {
			t.Errorf("nothing of %s:\n%s", want, stderr)
		}
	}
	if code != exitUsage || stdout != "" || strings.Contains(stderr, "good") || strings.Contains(stderr, "hidden") {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}

	for _, dir := range []string{filepath.Join(d.vars["GATEHOUSE_BRANDING_DIR"], "good.png"), "/nowhere"} {
		d.vars["GATEHOUSE_BRANDING_DIR"] = dir
		for _, command := range [][]string{{"serve"}, {"config", "check"}} {
			code, _, stderr := d.runProgram(command...)
			if code != exitUsage || strings.Count(stderr, "GATEHOUSE_BRANDING_DIR: is no directory that can be read") != 1 {
				t.Errorf("%s at %s: exit %d\n%s", command, dir, code, stderr)
			}
		}
	}
}

// branded is an organisation with a brand of its own, and a client of it.
func (d *deployment) branded(s *server, admin, name, brand string) *journey {
	d.t.Helper()
	var branding struct{ Data struct{ ID string } }
	s.call(admin, http.MethodPost, "/email-branding", brand).json(d.t, &branding)
	var organisation struct{ ID string }
	s.call(admin, http.MethodPost, "/organisation", `{"name":"`+name+`","crown":true,"organisation_type":"central"}`).json(d.t, &organisation)
	if res := s.call(admin, http.MethodPost, "/organisation/"+organisation.ID, `{"email_branding_id":"`+branding.Data.ID+`"}`); res.status != http.StatusNoContent {
		d.t.Fatalf("%d %s", res.status, res.body)
	}
	code, _, stderr := d.runProgram("client", "create", "--id", strings.ToLower(name), "--name", name+" shop", "--grant", "authorization_code",
		"--redirect-uri", callback, "--scope", "openid", "--organisation", organisation.ID)
	if code != exitOK {
		d.t.Fatalf("exit %d: %s", code, stderr)
	}
	j := d.journey(s)
	j.authorize(clientOutput{ClientID: strings.ToLower(name)}, "openid")
	return j
}

// TestProgramShowsTheBrandOfAClient: the page on the way to a client has the name,
// the colour and the logo of its organisation, as far as they can be shown.
func TestProgramShowsTheBrandOfAClient(t *testing.T) {
	d := newDeployment(t, sqliteConfig(t))
	logo := smallPNG(t)
	d.vars["GATEHOUSE_BRANDING_DIR"] = logoFiles(t, map[string][]byte{"ministry.png": logo, "page.png": []byte("<!DOCTYPE html>")})
	machine := d.client("--id", "machine", "--grant", "client_credentials", "--scope", "notify.admin")
	s := d.spawn().server
	admin := s.token(machine, "notify.admin")

	whole := d.branded(s, admin, "Whole", `{"name":"W","text":"Ministry of Examples","colour":"#1D70B8","logo":"ministry.png","brand_type":"both"}`)
	for _, want := range []string{"Ministry of Examples", `/branding/1d70b8.css`, `/branding/logo/ministry.png`} {
		if !strings.Contains(whole.last.body, want) {
			t.Errorf("the page is without %s:\n%s", want, whole.last.body)
		}
	}
	if res := whole.get(s.url + "/branding/logo/ministry.png"); res.body != string(logo) || res.header.Get("Content-Type") != "image/png" {
		t.Errorf("the logo: %d %v", res.status, res.header)
	}
	broken := d.branded(s, admin, "Broken", `{"name":"B","colour":"url(javascript:alert(1))","logo":"page.png"}`)
	if body := broken.last.body; !strings.Contains(body, `<span class="gh-brand__name">Broken</span>`) || strings.Contains(body, `"/branding/`) {
		t.Errorf("a brand that cannot be shown:\n%s", body)
	}
	if res := broken.get(s.url + "/branding/logo/page.png"); res.status != http.StatusNotFound {
		t.Errorf("what is no image: %d", res.status)
	}

	for id, want := range map[string]string{
		"0b0e7a4e-0000-4000-8000-000000000001": "organisation_id: is no organisation of the directory", "ministry": "organisation_id: must be a UUID in lower case",
	} {
		for _, args := range [][]string{{"create", "--id", "stray", "--grant", "client_credentials", "--scope", "openid"}, {"update", "whole"}} {
			code, stdout, stderr := d.runProgram(append(append([]string{"client"}, args...), "--organisation="+id)...)
			if code != exitError || stdout != "" || !strings.Contains(stderr, want) {
				t.Errorf("client %s of %s: exit %d %s%s", args[0], id, code, stdout, stderr)
			}
		}
	}
	if code, stdout, _ := d.runProgram("client", "list"); code != exitOK || strings.Contains(stdout, "stray") {
		t.Errorf("exit %d: %s", code, stdout)
	}
}

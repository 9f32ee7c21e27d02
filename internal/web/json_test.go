package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

type document struct {
	Email string `json:"email"`
	Admin bool   `json:"admin"`
}

func TestReadJSONTakesOneExactDocument(t *testing.T) {
	for name, c := range map[string]struct {
		body, contentType string
		strict            bool
		ok                bool
	}{
		"a document":                {body: `{"email":"a"}`, ok: true},
		"with a charset":            {body: `{"email":"a"}`, contentType: "application/json; charset=utf-8", ok: true},
		"an unknown key":            {body: `{"email":"a","x":1}`, ok: true},
		"an unknown key, strict":    {body: `{"email":"a","x":1}`, strict: true},
		"a key twice":               {body: `{"email":"a","email":"b"}`},
		"two documents":             {body: `{"email":"a"}{"email":"b"}`},
		"trailing text":             {body: `{"email":"a"} x`},
		"nothing":                   {body: ``},
		"no JSON":                   {body: `email=a`},
		"a wrong type":              {body: `{"email":1}`},
		"bytes that are no text":    {body: "{\"email\":\"\xff\"}"},
		"another content type":      {body: `{"email":"a"}`, contentType: "text/plain"},
		"content type of something": {body: `{"email":"a"}`, contentType: "application/jsonp"},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(c.body))
			r.Header.Set("Content-Type", "application/json")
			if c.contentType != "" {
				r.Header.Set("Content-Type", c.contentType)
			}
			var d document
			if err := ReadJSON(r, &d, c.strict); (err == nil) != c.ok {
				t.Errorf("error %v, want ok %v", err, c.ok)
			}
		})
	}
}

func TestReadJSONDoesNotFoldLetterCase(t *testing.T) {
	var d document
	if err := DecodeJSON([]byte(`{"email":"a","EMAIL":"evil","ADMIN":true,"Admin":true}`), &d, false); err != nil {
		t.Fatal(err)
	}
	if d != (document{Email: "a"}) {
		t.Errorf("decoded %+v", d)
	}
}

func FuzzDecodeJSON(f *testing.F) {
	f.Add([]byte(`{"email":"a","admin":true}`))
	f.Add([]byte(`{"email":"a","email":"b"}`))
	f.Add([]byte(`[`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var d document
		err := DecodeJSON(body, &d, true)
		if err != nil {
			if !errors.Is(err, ErrBody) {
				t.Errorf("error %v is no ErrBody", err)
			}
			return
		}
		if !json.Valid(body) {
			t.Errorf("took %q", body)
		}
	})
}

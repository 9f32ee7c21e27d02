package oauth

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"gatehouse/directory"
)

// jwksMaxAge is how long others may cache our keys.
const jwksMaxAge = 5 * time.Minute

// JWKS answers GET /oauth/jwks with the public halves of the keys that sign,
// will sign and have signed (RFC 7517). It needs no store once keys are loaded.
func (k *Keys) JWKS(w http.ResponseWriter, r *http.Request) error {
	set := k.current.Load()
	if set == nil {
		return fmt.Errorf("keys not loaded: %w", directory.ErrUnavailable)
	}
	return set.jwks.serve(w, r)
}

// document is a public JSON body that is built once and served from memory.
// Its header values are shared between responses and never changed.
type document struct {
	body                        []byte
	etag, length, cache, jsonCT []string
}

func newDocument(v any, maxAge time.Duration) *document {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // the documents are made of strings, lists and valid JSON
	}
	body = append(body, '\n')
	sum := sha256.Sum256(body)
	return &document{
		body:   body,
		etag:   []string{`"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`},
		length: []string{strconv.Itoa(len(body))},
		cache:  []string{"public, max-age=" + strconv.Itoa(int(maxAge.Seconds()))},
		jsonCT: []string{"application/json"},
	}
}

var varyOrigin = []string{"Origin"}

// serve writes the document, or 304 when the caller has it.
func (d *document) serve(w http.ResponseWriter, r *http.Request) error {
	h := w.Header()
	h["Cache-Control"], h["Etag"], h["Vary"] = d.cache, d.etag, varyOrigin
	if r.Header.Get("If-None-Match") == d.etag[0] {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h["Content-Type"], h["Content-Length"] = d.jsonCT, d.length
	_, _ = w.Write(d.body) // the client has gone when this fails
	return nil
}

package conformance

import (
	"encoding/json"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Site is a relying service's own web site, as far as the server under test goes
// there: it takes logout requests, which it answers with 200 and keeps, and
// serves documents.
type Site struct {
	mu        sync.Mutex
	received  map[string][]url.Values // by path
	documents map[string][]byte       // by path
}

// maxLogoutBody bounds what is read of a logout request, in bytes.
const maxLogoutBody = 64 << 10

// ServeHTTP takes a logout request (Back-Channel Logout section 2.5) or serves a
// document.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if document, has := s.documents[r.URL.Path]; has && r.Method == http.MethodGet {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(document)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxLogoutBody)
	if r.Method != http.MethodPost || r.ParseForm() != nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	if s.received == nil {
		s.received = map[string][]url.Values{}
	}
	s.received[r.URL.Path] = append(s.received[r.URL.Path], r.PostForm)
	w.Header().Set("Cache-Control", "no-store")
}

// take returns the oldest request to a path and forgets it; nil for none.
func (s *Site) take(path string) url.Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.received[path]
	if len(all) == 0 {
		return nil
	}
	s.received[path] = all[1:]
	return all[0]
}

// publish puts a document at a path of the site, in the place of another, and
// returns its address.
func (e *Env) publish(path string, v any) string {
	e.t.Helper()
	encoded, err := json.Marshal(v)
	e.must("encode document", err)
	e.Site.mu.Lock()
	defer e.Site.mu.Unlock()
	if e.Site.documents == nil {
		e.Site.documents = map[string][]byte{}
	}
	e.Site.documents[path] = encoded
	return e.SiteURL + path
}

// logoutPatience is how long a logout request may take to arrive.
const logoutPatience = time.Minute

// logoutRequest waits for the server to call a client.
func (e *Env) logoutRequest(c *Client) url.Values {
	e.t.Helper()
	u, err := url.Parse(c.BackchannelLogoutURI)
	e.must("backchannel_logout_uri", err)
	const pause = 20 * time.Millisecond
	for range logoutPatience / pause {
		if form := e.Site.take(u.Path); form != nil {
			return form
		}
		e.wait(pause)
	}
	e.Fatalf("there was no logout request")
	return nil
}

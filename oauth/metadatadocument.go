package oauth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"gatehouse/directory"
	"gatehouse/internal/web"
)

// Documents accepts clients that nobody registered: their id is the address of
// a document that describes them (draft-ietf-oauth-client-id-metadata-document).
// Only hosts that the operator names are asked. Such a client is restricted
// like one that registers itself, shows its host wherever its name is shown, and
// is asked for consent about each time.
type Documents struct {
	// Fetch reads documents, with a bound on their size.
	Fetch Fetcher
	// Hosts are those whose documents count: a host, with its port where that is
	// not 443, or *.suffix for every host below one.
	Hosts []string
	// Scopes are what such clients can ask for; none are DefaultRegistrationScopes.
	Scopes []string

	mu    sync.Mutex
	tried map[string]*documentState
}

// documentState keeps one document from being fetched by many at once.
type documentState struct {
	mu    sync.Mutex
	tried time.Time // of the last fetch that failed
}

const (
	// MaxClientDocument is how long a document may be, in bytes.
	MaxClientDocument = 10 << 10

	maxDocumentID = 512
	// A document is believed for as long as its server says, within bounds.
	minDocumentLife = 5 * time.Minute
	maxDocumentLife = time.Hour
	// documentRetry is how long an address is left alone after a failure, and
	// documentStale how long what it said last counts meanwhile.
	documentRetry = 10 * time.Second
	documentStale = 24 * time.Hour
)

// isDocumentID reports whether a client id is the address of a document, in
// its one form: https, a path, and nothing that could be written in two ways or
// hide where it leads.
func isDocumentID(id string) bool {
	u, err := url.Parse(id)
	return err == nil && len(id) <= maxDocumentID && u.Scheme == "https" && strings.HasPrefix(id, "https://") && u.String() == id &&
		u.Hostname() != "" && u.Host == strings.ToLower(u.Host) && !strings.HasSuffix(u.Host, ":443") && !strings.HasSuffix(u.Host, ":") &&
		u.User == nil && u.RawQuery == "" && !u.ForceQuery && !strings.Contains(id, "#") &&
		strings.HasPrefix(u.Path, "/") && !strings.ContainsAny(u.Path, "\\") && !slices.ContainsFunc(strings.Split(u.Path, "/"), isDotSegment)
}

// isDotSegment sees a decoded path, so that %2e is a dot as well.
func isDotSegment(segment string) bool { return segment == "." || segment == ".." }

// accepts reports whether an id is the address of a document on one of the hosts.
func (d *Documents) accepts(id string) bool {
	if d == nil || !isDocumentID(id) {
		return false
	}
	u, err := url.Parse(id)
	return err == nil && slices.ContainsFunc(d.Hosts, func(host string) bool {
		suffix, any := strings.CutPrefix(strings.ToLower(host), "*")
		return any && strings.HasPrefix(suffix, ".") && strings.HasSuffix(u.Host, suffix) || !any && u.Host == suffix
	})
}

func (d *Documents) state(id string) *documentState {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s, ok := d.tried[id]; ok {
		return s
	}
	if d.tried == nil || len(d.tried) >= maxCached {
		d.tried = map[string]*documentState{}
	}
	s := &documentState{}
	d.tried[id] = s
	return s
}

// described returns the client of an address, fetching its document when what is
// stored is no longer to be believed. A row is stored because grants refer to
// it. An address that does not lead to a client is directory.ErrNotFound.
func (cs *Clients) described(ctx context.Context, id string) (*Client, error) {
	if !cs.Documents.accepts(id) {
		return nil, directory.ErrNotFound
	}
	state := cs.Documents.state(id)
	state.mu.Lock()
	defer state.mu.Unlock()
	stored, err := cs.read(ctx, id)
	if err != nil && !errors.Is(err, directory.ErrNotFound) {
		return nil, err
	}
	now := cs.Clock()
	if stored != nil && now.Before(time.Unix(stored.DocumentUntil, 0)) {
		return stored, nil
	}
	if state.tried.IsZero() || now.Sub(state.tried) >= documentRetry {
		c, err := cs.fetchDocument(ctx, id)
		if err == nil {
			state.tried = time.Time{}
			return cs.keep(ctx, stored, c)
		}
		state.tried = now
		web.Note(ctx, slog.String("client_document", err.Error()))
	}
	if stored != nil && now.Before(time.Unix(stored.DocumentUntil, 0).Add(documentStale)) {
		return stored, nil
	}
	return nil, directory.ErrNotFound
}

// keep stores what was fetched. What was granted before stays granted.
func (cs *Clients) keep(ctx context.Context, stored, c *Client) (*Client, error) {
	by := directory.Actor{Kind: "client", ID: c.ID}
	if stored != nil {
		c.keepOperators(stored)
	}
	var err error
	switch {
	case stored == nil:
		_, err = cs.create(ctx, by, c)
	case maps.EqualFunc(members(stored), members(c), slices.Equal):
		// Nothing but the time until which it is believed: no news for the audit trail.
		c.CreatedAt, c.UpdatedAt = stored.CreatedAt, cs.now()
		err = cs.Store.ReplaceClient(ctx, c, stored.UpdatedAt)
		cs.forget(c.ID)
	default:
		_, err = cs.replace(ctx, by, stored, c)
	}
	// Another replica may have been faster.
	if errors.Is(err, directory.ErrConflict) || errors.Is(err, ErrChanged) || errors.Is(err, directory.ErrNotFound) {
		return cs.read(ctx, c.ID)
	}
	if err != nil {
		return nil, fmt.Errorf("keep client document: %w", err)
	}
	return c, nil
}

// fetchDocument returns the client that a document describes. The error says
// why there is none.
func (cs *Clients) fetchDocument(ctx context.Context, id string) (*Client, error) {
	body, header, err := cs.Documents.Fetch.Get(ctx, id, "application/json")
	if err != nil {
		return nil, err
	}
	mediaType, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil || mediaType != "application/json" && !strings.HasSuffix(mediaType, "+json") {
		return nil, errors.New("the document is not JSON by its content type")
	}
	if len(body) > MaxClientDocument {
		return nil, errors.New("the document is too long")
	}
	var q registrationRequest
	if err := q.read(body); err != nil {
		return nil, errors.New("the document is no JSON object of client metadata")
	}
	c, err := q.describes(id, cs.Documents.Scopes)
	if err != nil {
		return nil, err
	}
	c.DocumentUntil = cs.Clock().Add(documentLife(header)).Unix()
	return c, cs.prepare(ctx, c)
}

// describes is the client of a document that was found at an address. It has
// no secret: whatever both sides know would be public.
func (q *registrationRequest) describes(id string, scopes []string) (*Client, error) {
	if q.ClientID != id {
		return nil, errors.New("the document is about another client")
	}
	if q.TokenEndpointAuthMethod == "" {
		q.TokenEndpointAuthMethod = NoAuthentication
	}
	if q.TokenEndpointAuthMethod != NoAuthentication && q.TokenEndpointAuthMethod != PrivateKeyJWT || q.ClientSecret != "" || q.ClientSecretExpiresAt != nil {
		return nil, errors.New("the document is about a client with a secret")
	}
	c, err := q.restricted(scopes)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(id)
	if err != nil {
		return nil, err
	}
	for _, uri := range slices.Concat(c.RedirectURIs, c.PostLogoutRedirectURIs) {
		if !sameOrigin(u, uri) {
			return nil, errors.New("the document has a redirect URI that is neither of its origin nor on the loopback")
		}
	}
	c.Origin = OriginDocument
	c.Name = nameWithHost(c.Name, u.Host)
	for name, text := range c.Localised {
		if strings.HasPrefix(name, "client_name#") {
			c.Localised[name] = nameWithHost(text, u.Host)
		}
	}
	return c, nil
}

// sameOrigin reports whether a URI is of the document's origin or on the loopback.
func sameOrigin(document *url.URL, uri string) bool {
	u, err := url.Parse(uri)
	return err == nil && (u.Scheme == document.Scheme && u.Host == document.Host || u.Scheme == "http" && isLoopback(u.Hostname()))
}

// nameWithHost is a name that cannot be taken for somebody else's: the host is
// the one thing about such a client that was checked.
func nameWithHost(name, host string) string {
	runes := []rune(name)
	const shown = 60
	if len(runes) > shown {
		name = string(runes[:shown]) + "…"
	}
	return name + " (" + host + ")"
}

// documentLife is how long a document is believed.
func documentLife(header http.Header) time.Duration {
	for directive := range strings.SplitSeq(header.Get("Cache-Control"), ",") {
		value, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(directive)), "max-age=")
		if !ok {
			continue
		}
		if seconds, err := strconv.Atoi(value); err == nil {
			return min(max(time.Duration(min(seconds, int(maxDocumentLife.Seconds())))*time.Second, minDocumentLife), maxDocumentLife)
		}
	}
	return minDocumentLife
}

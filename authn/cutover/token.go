package cutover

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

const (
	// tokenSpare is how long before its end a token is fetched anew.
	tokenSpare = 30 * time.Second
	// tokenLife is assumed of a token that does not say how long it lives.
	tokenLife = time.Minute
	maxToken  = 64 << 10 // bytes of a token endpoint's answer
)

// tokens are what the old system wants to see of us: a configured token, or those
// of a client credentials grant (RFC 6749 section 4.4), each for as long as it lives.
type tokens struct {
	config UpstreamConfig
	client *http.Client
	// turn is held by the one who fetches a token; the others wait for it.
	turn chan struct{}

	mu      sync.Mutex
	current string
	until   time.Time
}

// get returns a token that should be good; "" when none is configured.
func (t *tokens) get(ctx context.Context) (string, error) {
	if t.config.TokenURL == "" {
		return t.config.Token, nil
	}
	if token := t.kept(); token != "" {
		return token, nil
	}
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if token := t.kept(); token != "" {
		return token, nil // somebody else has fetched it
	}
	return t.fetch(ctx)
}

func (t *tokens) kept() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.config.Clock().Before(t.until) {
		return t.current
	}
	return ""
}

func (t *tokens) keep(token string, until time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.current, t.until = token, until
}

// forget drops a token that was refused, and reports whether another can be had.
func (t *tokens) forget(token string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.current == token {
		t.until = time.Time{}
	}
	return t.config.TokenURL != ""
}

func (t *tokens) fetch(ctx context.Context) (string, error) {
	form := url.Values{"grant_type": {"client_credentials"}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, t.config.TokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	r.SetBasicAuth(url.QueryEscape(t.config.ClientID), url.QueryEscape(t.config.ClientSecret)) // RFC 6749 section 2.3.1
	response, err := t.client.Do(r)
	if err != nil {
		return "", fmt.Errorf("fetch token: %w", withoutURL(err))
	}
	defer response.Body.Close()
	var answer struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int64  `json:"expires_in"`
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("fetch token: the endpoint answered %d", response.StatusCode)
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxToken)).Decode(&answer); err != nil || answer.AccessToken == "" {
		return "", fmt.Errorf("fetch token: the endpoint's answer holds none")
	}
	life := tokenLife
	if answer.ExpiresIn > 0 {
		life = time.Duration(min(answer.ExpiresIn, int64(24*60*60))) * time.Second
	}
	t.keep(answer.AccessToken, t.config.Clock().Add(max(life-tokenSpare, life/2)))
	return answer.AccessToken, nil
}

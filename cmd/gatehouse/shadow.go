package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gatehouse/authn/cutover"
	"gatehouse/directory"
	"gatehouse/storage"
)

// shadowConfig says which old system is asked about passwords beside this one.
type shadowConfig struct {
	Upstream string        `group:"Configuration" placeholder:"URL" help:"The old Delius, which is asked about the passwords of POST /authenticate as well: https, or http on this machine. Empty asks nobody."`
	Mode     string        `group:"Configuration" default:"upstream-first" enum:"off,upstream-first,local-first" help:"Which system callers rely on that have no mode of their own: off, upstream-first or local-first."`
	Timeout  time.Duration `group:"Configuration" default:"1500ms" help:"How long the old system may take, 50ms to 2s."`
	Fallback bool          `group:"Configuration" help:"Let this service decide when the old system should and gives no answer; otherwise the answer is 503."`
	TokenURL string        `group:"Configuration" name:"token-url" placeholder:"URL" help:"Where tokens for the old system come from, by client credentials."`
	ClientID string        `group:"Configuration" name:"client-id" help:"Client id to get them with."`
}

// check reports every fault of the old system's configuration.
func (c *shadowConfig) check(s *secrets) error {
	if c.Upstream == "" {
		return nil
	}
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if err := cutover.CheckURL(c.Upstream); err != nil {
		fault("GATEHOUSE_SHADOW_UPSTREAM: %w", err)
	}
	if c.Timeout < cutover.MinTimeout || c.Timeout > cutover.MaxTimeout {
		fault("GATEHOUSE_SHADOW_TIMEOUT: want %s to %s, for callers are answered within three seconds", cutover.MinTimeout, cutover.MaxTimeout)
	}
	switch {
	case c.TokenURL == "" && s.ShadowToken == "":
		fault("GATEHOUSE_SHADOW_TOKEN_URL: the old system wants a token: name where to get one, or set GATEHOUSE_SHADOW_TOKEN")
	case c.TokenURL != "" && s.ShadowToken != "":
		fault("GATEHOUSE_SHADOW_TOKEN: set beside GATEHOUSE_SHADOW_TOKEN_URL: keep one")
	case c.TokenURL != "" && (c.ClientID == "" || s.ShadowClientSecret == ""):
		fault("GATEHOUSE_SHADOW_CLIENT_ID and GATEHOUSE_SHADOW_CLIENT_SECRET: want both with GATEHOUSE_SHADOW_TOKEN_URL")
	}
	if c.TokenURL != "" {
		if err := cutover.CheckURL(c.TokenURL); err != nil {
			fault("GATEHOUSE_SHADOW_TOKEN_URL: %w", err)
		}
	}
	return errors.Join(faults...)
}

// wireCutover makes what counts legacy calls, and, where an old system is
// configured, what asks it.
func (a *app) wireCutover() error {
	a.records = &cutover.Records{Store: storage.Cutover{DB: a.stores.DB}, Clock: a.clock.Now, Log: a.log}
	c := &a.config.Shadow
	if c.Upstream == "" {
		return nil
	}
	upstream, err := cutover.NewUpstream(cutover.UpstreamConfig{
		URL: c.Upstream, Timeout: c.Timeout, Token: a.secrets.ShadowToken, TokenURL: c.TokenURL, ClientID: c.ClientID,
		ClientSecret: a.secrets.ShadowClientSecret, Clock: a.clock.Now,
	})
	if err != nil {
		return fmt.Errorf("GATEHOUSE_SHADOW_UPSTREAM: %w", err)
	}
	a.upstream = upstream
	a.shadow = &cutover.Shadow{
		Authn: a.authn, Upstream: upstream, Mode: a.shadowMode, Fallback: c.Fallback, Records: a.records, Log: a.log,
	}
	return nil
}

// shadowMode is a caller's own mode, or the configured one; "" where there is no
// old system to ask.
func (a *app) shadowMode(ctx context.Context, caller string) (cutover.Mode, error) {
	if a.config.Shadow.Upstream == "" {
		return "", nil
	}
	client, err := a.clients.Get(ctx, caller)
	switch {
	case errors.Is(err, directory.ErrNotFound):
		return cutover.Off, nil
	case err != nil:
		return "", err
	case client.Shadow != "":
		return client.Shadow, nil
	}
	return cutover.Mode(a.config.Shadow.Mode), nil
}

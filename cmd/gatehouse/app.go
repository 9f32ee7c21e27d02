package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"math"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/authn/cutover"
	"gatehouse/authn/message"
	"gatehouse/authn/pages"
	"gatehouse/directory"
	"gatehouse/directory/notify"
	"gatehouse/internal/web"
	"gatehouse/oauth"
	"gatehouse/storage"
)

// app is the whole program, wired. Commands use its services, serve and dev its
// routes as well.
type app struct {
	config   *Config
	secrets  *secrets
	log      *slog.Logger
	clock    *clock
	stores   *storage.Stores
	keyring  *storage.Keyring
	registry *directory.Registry
	authn    *authn.Service
	queue    *message.Queue
	links    *notify.Links
	worker   *message.Worker
	reports  *message.Callbacks
	keys     *oauth.Keys
	market   *directory.Marketplace
	profiles storage.Profiles
	clients  *oauth.Clients
	outbound *web.Outbound
	server   *oauth.Server
	refusals *oauth.Refusals
	cleaner  *cleaner
	metrics  *metrics // nil without an address to serve them on
	pages    *pages.Pages
	router   *web.Router
	health   *health

	registrar *oauth.Registrar

	records      *cutover.Records  // who calls what, and how often two systems agree
	upstream     *cutover.Upstream // nil without an old system to ask
	shadow       *cutover.Shadow   // nil likewise
	legacy       map[string]string // routes that are counted, as they are told
	deprecations deprecations

	background     sync.WaitGroup
	stopBackground context.CancelFunc
	closers        []func()
}

// storageConfig says where the stores are.
func (e *environment) storageConfig(s *secrets) storage.Config {
	return storage.Config{
		DatabaseURL: s.DatabaseURL, Dir: e.config.Data, MaxConns: e.config.MaxConns,
		RedisURL: s.RedisURL, RedisPrefix: e.config.RedisPrefix,
	}
}

// withApp runs f with the services wired, for commands that do not serve.
func withApp(env *environment, f func(a *app) error) error {
	s, err := env.load()
	if err != nil {
		return err
	}
	a, err := newApp(env, s, &clock{})
	if err != nil {
		return err
	}
	defer a.close()
	return f(a)
}

// newApp opens the stores, migrates them and wires every service.
func newApp(env *environment, s *secrets, c *clock) (*app, error) {
	a := &app{config: env.config, secrets: s, clock: c}
	var flush func()
	a.log, flush = newLogger(env.config, env.stderr)
	a.closers = append(a.closers, flush)
	if err := a.open(env); err != nil {
		a.close()
		return nil, err
	}
	if err := a.wire(); err != nil {
		a.close()
		return nil, usageError{err}
	}
	return a, nil
}

func (a *app) open(env *environment) error {
	where := env.storageConfig(a.secrets)
	if err := a.migrate(env.ctx, where); err != nil {
		return err
	}
	keyring, err := openKeyring(a.secrets, a.config.Data)
	if err != nil {
		return err
	}
	stores, err := storage.Open(env.ctx, where)
	if err != nil {
		return err
	}
	a.keyring, a.stores = keyring, stores
	a.profiles = storage.Profiles{DB: stores.DB, Keys: &storage.FieldKeys{DB: stores.DB, Sealer: keyring, Clock: a.clock.Now}}
	a.closers = append(a.closers, func() {
		if err := stores.Close(); err != nil {
			a.log.Error("close stores", "error", err)
		}
	})
	return a.profiles.Keys.Ensure(env.ctx)
}

func (a *app) migrate(ctx context.Context, where storage.Config) error {
	if a.config.AutoMigrate {
		_, err := storage.Migrate(ctx, where)
		return err
	}
	pending, err := storage.PendingMigrations(ctx, where)
	if err != nil {
		return err
	}
	if pending > 0 {
		return fmt.Errorf("%d migrations are missing: run gatehouse migrate", pending)
	}
	return nil
}

func (a *app) wire() error {
	store := storage.Directory{DB: a.stores.DB}
	a.registry = &directory.Registry{Store: store, Clock: a.clock.Now, NewID: uuid.New}
	a.market = &directory.Marketplace{Store: a.profiles, Clock: a.clock.Now, NewID: uuid.New}
	senders, err := message.ParseSenders(a.messages(), message.SenderConfig{From: a.sender(), Log: a.log, Clock: a.clock.Now, Issuer: a.config.Issuer})
	if err != nil {
		return fmt.Errorf("GATEHOUSE_MESSAGES: %w", err)
	}
	outbox := storage.Outbox{DB: a.stores.DB}
	a.worker = &message.Worker{Store: outbox, Sealer: a.keyring, Clock: a.clock.Now, NewID: uuid.New, Senders: senders, Log: a.log}
	a.reports = &message.Callbacks{Senders: senders, Store: outbox, Clock: a.clock.Now}
	a.queue = &message.Queue{Store: outbox, Sealer: a.keyring, Clock: a.clock.Now, NewID: uuid.New, ServiceName: a.config.ServiceName, Wake: a.worker.Wake}
	grants := storage.OAuthGrants{DB: a.stores.DB}
	a.authn = &authn.Service{
		Directory: store, Store: storage.Authn{DB: a.stores.DB}, Cache: storage.AuthnCache{Redis: a.stores.Redis},
		Messages: a.queue, Hasher: &authn.Hasher{Rand: rand.Reader, Clock: a.clock.Now}, CodeKey: a.keyring.Derive("codes"), Clock: a.clock.Now, Rand: rand.Reader,
		Sealer: a.keyring, Issuer: a.config.Issuer, Accounts: a.registry,
		CodeDigits: a.config.CodeDigits, CodeTTL: a.config.CodeTTL, SessionIdle: a.config.SessionIdle, SessionLifetime: a.config.SessionMax,
		EmailRevalidation: a.config.EmailRevalidation, Log: a.log,
		Texting:      authn.Texting{Countries: a.config.SMSCountries, PerHour: a.config.SMSPerHour},
		RelyingParty: authn.RelyingParty{Origin: a.config.Issuer, Name: a.config.ServiceName},
	}
	a.keys = &oauth.Keys{Store: storage.OAuthKeys{DB: a.stores.DB}, Sealer: a.keyring, Audit: store, Clock: a.clock.Now, Log: a.log}
	a.keys.RotateEvery, a.keys.Retain = a.config.rotateEvery(), a.config.KeyRetain
	networks, _ := a.config.outboundNetworks() // checked with the configuration
	a.outbound = &web.Outbound{Allowed: networks}
	a.clients = &oauth.Clients{
		Store: storage.OAuthClients{DB: a.stores.DB}, Audit: store, Once: storage.OAuthOnce{Redis: a.stores.Redis}, Tries: a.authn,
		Clock: a.clock.Now, Rand: rand.Reader, Issuer: a.config.Issuer, Fetch: a.outbound,
		Organisations: store,
	}
	if len(a.config.ClientDocuments) > 0 {
		a.clients.Documents = &oauth.Documents{
			Fetch: &web.Outbound{Allowed: networks, MaxBody: oauth.MaxClientDocument}, Hosts: a.config.ClientDocuments, Scopes: a.config.RegistrationScopes,
		}
	}
	a.registrar = &oauth.Registrar{
		Clients: a.clients, Store: storage.OAuthRegistrations{DB: a.stores.DB}, Tries: a.authn,
		Issuer: a.config.Issuer, Scopes: a.config.RegistrationScopes,
	}
	if a.authn.Places, err = a.config.places(); err != nil {
		return err
	}
	if err := a.wireCutover(); err != nil {
		return err
	}
	a.wireServer(store, grants)
	if err := a.wireBrands(store); err != nil {
		return err
	}
	a.wireEndings(grants)
	if err := a.wireLinks(); err != nil {
		return err
	}
	return a.wireDeprecations()
}

// wireBrands lets the pages look like the organisation that people are on the way to.
func (a *app) wireBrands(store storage.Directory) error {
	a.pages.Brands = &directory.Brands{Store: store, Clock: a.clock.Now}
	if a.config.BrandingDir == "" {
		return nil
	}
	logos, err := os.OpenRoot(a.config.BrandingDir) // which nothing leads out of
	if err != nil {
		return fmt.Errorf("GATEHOUSE_BRANDING_DIR: %w", errors.Unwrap(err))
	}
	a.closers = append(a.closers, func() { _ = logos.Close() })
	a.pages.Logos = logos.FS()
	return nil
}

// wireLinks takes keys of the installation's own where none are shared with the
// application that the links lead to.
func (a *app) wireLinks() error {
	keys := a.keyring.DeriveAll("notify links")
	if a.secrets.NotifyTokenKey != "" {
		var err error
		if keys, err = notify.ParseLinkKeys(a.secrets.NotifyTokenKey); err != nil {
			return fmt.Errorf("GATEHOUSE_NOTIFY_TOKEN_KEY: %w", err)
		}
	}
	a.links = &notify.Links{AdminURL: a.config.NotifyAdminURL, Keys: keys, Clock: a.clock.Now, Rand: rand.Reader}
	return nil
}

// invitationID opens the link of an invitation. How old the link is does not
// matter, since the invitation itself knows.
func (a *app) invitationID(token string) (uuid.UUID, error) {
	id, err := a.links.Open(token, math.MaxInt64)
	if err != nil {
		return uuid.Nil, err
	}
	return uuid.ParseBytes(id)
}

func (a *app) wireServer(store storage.Directory, grants storage.OAuthGrants) {
	cookies := authn.Cookies{Secure: strings.HasPrefix(a.config.Issuer, "https://")}
	a.pages = &pages.Pages{
		Authn: a.authn, Cookies: cookies, Issuer: a.config.Issuer, ServiceName: a.config.ServiceName, Invitations: a.registry,
		InvitationID: a.invitationID, Returns: storage.Returns{Redis: a.stores.Redis}, Clock: a.clock.Now, NewSecret: rand.Text,
		Registration: a.config.Registration == "open",
	}
	a.server = &oauth.Server{
		Issuer: a.config.Issuer, Store: grants, Flows: storage.OAuthFlows{Redis: a.stores.Redis}, Clients: a.clients, Keys: a.keys,
		Profiles: a.market, Sessions: a.authn, Pages: a.pages, Cookies: cookies, Secrets: a.keyring.DeriveAll("tokens"), Once: storage.OAuthOnce{Redis: a.stores.Redis},
		Tries: a.authn, Clock: a.clock.Now, Rand: rand.Reader,
	}
	a.pages.Flows, a.pages.Services, a.pages.Users = a.server, a.server, a.registry
	a.refusals = oauth.NewRefusals(storage.OAuthRefusals{DB: a.stores.DB}, a.clock.Now, rand.Reader, a.log)
	if a.config.MetricsAddr != "" {
		a.metrics = newMetrics(a)
		a.authn.Observe, a.authn.ObserveLimit = a.metrics.signIn, a.metrics.limit
	}
	a.cleaner = newCleaner(a.stores.DB, uuid.New(), a.clock.Now, a.log)
	a.cleaner.profiles = &a.profiles
	a.health = &health{version: versionString(), parts: map[string]func(context.Context) error{
		"database": a.stores.DB.Ping, "redis": a.stores.Redis.Ping,
	}}
}

// messages falls back to saying that a message was not sent anywhere.
func (a *app) messages() string {
	if a.secrets.Messages == "" {
		return "log:"
	}
	return a.secrets.Messages
}

// sender is who e-mail comes from where the configuration does not say.
func (a *app) sender() string {
	u, err := url.Parse(a.config.Issuer)
	if err != nil {
		return ""
	}
	return "no-reply@" + u.Hostname()
}

// startServing makes the first keys and starts what runs beside requests.
func (a *app) startServing(ctx context.Context) error {
	if err := a.keys.Ensure(ctx); err != nil {
		return err
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	a.stopBackground = stop
	if err := a.serveMetrics(background); err != nil {
		return err
	}
	a.background.Go(func() { a.worker.Run(background) })
	a.background.Go(func() { a.keys.Run(background) })
	a.background.Go(func() { a.cleaner.run(background) })
	a.background.Go(func() { a.refusals.Run(background) })
	a.background.Go(func() { a.records.Run(background) })
	if a.shadow != nil {
		a.background.Go(func() { a.shadow.Run(background) })
	}
	return nil
}

// close stops what runs in the background and frees the stores, last opened first.
func (a *app) close() {
	if a.stopBackground != nil {
		a.stopBackground()
		a.background.Wait()
	}
	for _, closer := range slices.Backward(a.closers) {
		closer()
	}
}

// errorLog takes what net/http says of broken connections.
func (a *app) errorLog() *log.Logger { return slog.NewLogLogger(a.log.Handler(), slog.LevelWarn) }

// checkSecrets reports secrets that no start could use.
func checkSecrets(s *secrets) error {
	var faults []error
	if s.EncryptionKeys != "" {
		if _, err := storage.ParseKeyring(s.EncryptionKeys); err != nil {
			faults = append(faults, fmt.Errorf("GATEHOUSE_ENCRYPTION_KEYS: %w", err))
		}
	}
	if s.Messages != "" {
		if _, err := message.ParseSenders(s.Messages, message.SenderConfig{From: "no-reply@localhost", Log: slog.New(slog.DiscardHandler)}); err != nil {
			faults = append(faults, fmt.Errorf("GATEHOUSE_MESSAGES: %w", err))
		}
	}
	if s.NotifyTokenKey != "" {
		if _, err := notify.ParseLinkKeys(s.NotifyTokenKey); err != nil {
			faults = append(faults, fmt.Errorf("GATEHOUSE_NOTIFY_TOKEN_KEY: %w", err))
		}
	}
	if err := storage.CheckURLs(s.DatabaseURL, s.RedisURL); err != nil {
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

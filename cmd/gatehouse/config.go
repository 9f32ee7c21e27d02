package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"gatehouse/oauth"
)

// Config is the whole configuration: each field a flag and an environment
// variable, GATEHOUSE_ and the flag's name in capitals. The secrets below it are
// read from the environment or from files alone, since a command line can be
// read by everybody on the machine.
type Config struct {
	Addr              string        `group:"Configuration" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Address to listen on; port 0 picks a free one, which is printed."`
	MetricsAddr       string        `group:"Configuration" placeholder:"HOST:PORT" help:"Address to serve GET /metrics on, for Prometheus. Whoever reaches it reads it: a loopback or private one. Empty serves none."`
	Issuer            string        `group:"Configuration" default:"http://localhost:8080" placeholder:"URL" help:"Issuer identifier: the URL under which everybody reaches this service. Tokens and links carry it."`
	Data              string        `group:"Configuration" default:"data" placeholder:"DIR" help:"Directory for the SQLite database and the generated encryption key."`
	Hosts             []string      `group:"Configuration" placeholder:"HOST,…" help:"Further Host header values to answer, such as an internal name. The issuer's and loopback are always answered."`
	TrustedProxies    []string      `group:"Configuration" placeholder:"CIDR,…" help:"Networks whose X-Forwarded-For is believed when limits look at where a request comes from."`
	OutboundNetworks  []string      `group:"Configuration" placeholder:"CIDR,…" help:"Networks that requests to addresses of clients' choosing may reach although they are not public."`
	MaxConns          int           `group:"Configuration" default:"0" help:"PostgreSQL connections at most; 0 leaves it to the driver (the number of cores, at least 4)."`
	RedisPrefix       string        `group:"Configuration" default:"gatehouse:" help:"Put in front of every Redis key, so that deployments can share a Redis."`
	AutoMigrate       bool          `group:"Configuration" default:"true" negatable:"" help:"Migrate the database at start. Without it, a start on an old schema is refused."`
	CodeDigits        int           `group:"Configuration" default:"6" help:"Digits of a one-time code, 5 to 10."`
	CodeTTL           time.Duration `group:"Configuration" name:"code-ttl" default:"60m" help:"How long a one-time code can be used."`
	SessionIdle       time.Duration `group:"Configuration" default:"2h" help:"A browser session ends after this time without use."`
	SessionMax        time.Duration `group:"Configuration" default:"20h" help:"A browser session ends after this time whatever its use."`
	AdminMaxAge       time.Duration `group:"Configuration" default:"1h" help:"How long after a sign-in with more than one factor people may use what their token of the scope notify.admin or notify.usage allows."`
	EmailRevalidation time.Duration `group:"Configuration" default:"2160h" help:"Who has not proved access to the email address for this long must do so at the next sign-in; 0 never asks."`
	NotifyAdminURL    string        `group:"Configuration" name:"notify-admin-url" default:"http://localhost:6012" placeholder:"URL" help:"Where links in Notify's messages start when the request names no host."`
	Registration      string        `group:"Configuration" default:"open" enum:"open,closed" help:"Whether people can make themselves an account at /register: open or closed. An account alone gives access to nothing here."`
	ServiceName       string        `group:"Configuration" default:"Gatehouse" help:"Name shown on pages and in messages."`
	BrandingDir       string        `group:"Configuration" placeholder:"DIR" help:"Directory of the logos of organisations, by the names that their e-mail brandings have. Empty shows none."`
	RequestTimeout    time.Duration `group:"Configuration" default:"2500ms" help:"How long a request may wait for stores and for its turn before it is answered 503, 100ms to 25s."`
	DrainDelay        time.Duration `group:"Configuration" default:"0s" help:"How long to go on serving, reported as not ready, before connections are drained at a stop."`
	KeyRotation       time.Duration `group:"Configuration" default:"2160h" help:"Age at which a signing key is replaced; 0 replaces one only when gatehouse keys rotate asks for it."`
	KeyRetain         time.Duration `group:"Configuration" default:"720h" help:"How long a replaced signing key still verifies, at least 24h. ID tokens come back as hints."`
	LogLevel          string        `group:"Configuration" default:"info" enum:"debug,info,warn,error" help:"Lowest level logged: debug, info, warn or error."`
	LogFormat         string        `group:"Configuration" default:"json" enum:"json,text" help:"Format of the log: json or text."`

	SMSCountries []string `group:"Configuration" name:"sms-countries" default:"GB,GG,IM,JE" placeholder:"CODE,…" help:"Countries to whose numbers text messages are sent, by ISO 3166-1 codes; * is every one."`
	GeoIPFile    string   `group:"Configuration" name:"geoip-file" placeholder:"PATH" help:"MaxMind DB of cities or countries, to tell people where their account was signed in to. Without it they are shown the address."`
	SMSPerHour   int      `group:"Configuration" name:"sms-per-hour" default:"5000" help:"Codes by text message in an hour, altogether: a fuse for what they cost. 0 sets none."`

	// Moving in from old systems.
	Shadow           shadowConfig `embed:"" prefix:"shadow-"`
	DeprecationsFile string       `group:"Configuration" placeholder:"PATH" help:"JSON of the routes that callers should leave, and until when."`

	// What clients may do by themselves.
	RegistrationScopes []string `group:"Configuration" placeholder:"SCOPE,…" help:"Scopes that clients which register themselves can ask for; by default openid, profile, email, phone and offline_access."`
	ClientDocuments    []string `group:"Configuration" placeholder:"HOST,…" help:"Hosts, or *.suffix, whose client ID metadata documents are accepted as clients; none by default."`
}

// defaultIssuer is the default of Config.Issuer.
const defaultIssuer = "http://localhost:8080"

// secrets are the configuration that must not be seen.
type secrets struct {
	DatabaseURL           string              // GATEHOUSE_DATABASE_URL: postgres://…; empty means SQLite
	RedisURL              string              // GATEHOUSE_REDIS_URL; empty means the in-process Redis
	Messages              string              // GATEHOUSE_MESSAGES: how messages are sent
	EncryptionKeys        string              // GATEHOUSE_ENCRYPTION_KEYS: base64 root keys, the newest first
	NotifyInternalClients map[string][]string // GATEHOUSE_NOTIFY_INTERNAL_CLIENTS: {client: [secrets]}
	NotifyTokenKey        string              // GATEHOUSE_NOTIFY_TOKEN_KEY: Fernet keys of the links in Notify's messages
	ShadowToken           string              // GATEHOUSE_SHADOW_TOKEN: bearer token for the old system
	ShadowClientSecret    string              // GATEHOUSE_SHADOW_CLIENT_SECRET: gets such tokens
}

// secret reads NAME, or the file that NAME_FILE names.
func (e *environment) secret(name string) (string, error) {
	value, set := e.lookup(name)
	path, fromFile := e.lookup(name + "_FILE")
	if !fromFile || path == "" {
		return value, nil
	}
	if set && value != "" {
		return "", fmt.Errorf("%s and %s_FILE are both set: keep one", name, name)
	}
	content, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		return "", fmt.Errorf("%s_FILE: %w", name, errors.Unwrap(err))
	}
	return strings.TrimRight(string(content), "\r\n"), nil
}

// secrets reads every secret and reports all faults at once.
func (e *environment) secrets() (*secrets, error) {
	var s secrets
	var internal string
	var faults []error
	for name, to := range map[string]*string{
		"GATEHOUSE_DATABASE_URL":            &s.DatabaseURL,
		"GATEHOUSE_REDIS_URL":               &s.RedisURL,
		"GATEHOUSE_MESSAGES":                &s.Messages,
		"GATEHOUSE_ENCRYPTION_KEYS":         &s.EncryptionKeys,
		"GATEHOUSE_NOTIFY_INTERNAL_CLIENTS": &internal,
		"GATEHOUSE_NOTIFY_TOKEN_KEY":        &s.NotifyTokenKey,
		"GATEHOUSE_SHADOW_TOKEN":            &s.ShadowToken,
		"GATEHOUSE_SHADOW_CLIENT_SECRET":    &s.ShadowClientSecret,
	} {
		value, err := e.secret(name)
		faults = append(faults, err)
		*to = value
	}
	if internal != "" {
		if err := json.Unmarshal([]byte(internal), &s.NotifyInternalClients); err != nil {
			faults = append(faults, errors.New(`GATEHOUSE_NOTIFY_INTERNAL_CLIENTS: not JSON of the form {"client": ["secret"]}`))
		}
	}
	return &s, errors.Join(faults...)
}

// usageError marks a fault of the configuration, for the exit code.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func exitCode(err error) int {
	if _, ok := errors.AsType[usageError](err); ok {
		return exitUsage
	}
	return exitError
}

// documentHost is a host, with its port where that is not 443, or *.suffix.
var documentHost = regexp.MustCompile(`^(\*\.)?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:[0-9]{1,5})?$`)

// countryCode is a country, or all of them.
var countryCode = regexp.MustCompile(`^([A-Z]{2}|\*)$`)

// check reports every fault of the configuration at once.
func (c *Config) check() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if _, _, err := net.SplitHostPort(c.Addr); err != nil {
		fault("GATEHOUSE_ADDR: want host:port, such as 127.0.0.1:8080")
	}
	if _, _, err := net.SplitHostPort(c.MetricsAddr); c.MetricsAddr != "" && err != nil {
		fault("GATEHOUSE_METRICS_ADDR: want host:port, such as 127.0.0.1:9090")
	}
	if info, err := os.Stat(c.BrandingDir); c.BrandingDir != "" && (err != nil || !info.IsDir()) {
		fault("GATEHOUSE_BRANDING_DIR: is no directory that can be read")
	}
	if err := checkIssuer(c.Issuer); err != nil {
		fault("GATEHOUSE_ISSUER: %w", err)
	}
	if u, err := url.Parse(c.NotifyAdminURL); err != nil || u.Host == "" {
		fault("GATEHOUSE_NOTIFY_ADMIN_URL: want an absolute URL")
	}
	if _, err := c.proxies(); err != nil {
		fault("GATEHOUSE_TRUSTED_PROXIES: %w", err)
	}
	if _, err := c.outboundNetworks(); err != nil {
		fault("GATEHOUSE_OUTBOUND_NETWORKS: %w", err)
	}
	for _, scope := range c.RegistrationScopes {
		if !oauth.KnownScope(scope) {
			fault("GATEHOUSE_REGISTRATION_SCOPES: %q is no scope of this service", scope)
		}
	}
	for _, host := range c.ClientDocuments {
		if !documentHost.MatchString(host) {
			fault("GATEHOUSE_CLIENT_DOCUMENTS: %q is neither a host nor *.suffix", host)
		}
	}
	if c.CodeDigits < 5 || c.CodeDigits > 10 {
		fault("GATEHOUSE_CODE_DIGITS: want 5 to 10")
	}
	for name, d := range map[string]time.Duration{"CODE_TTL": c.CodeTTL, "SESSION_IDLE": c.SessionIdle, "SESSION_MAX": c.SessionMax, "ADMIN_MAX_AGE": c.AdminMaxAge} {
		if d < time.Minute {
			fault("GATEHOUSE_%s: want at least 1m", name)
		}
	}
	if c.RequestTimeout < 100*time.Millisecond || c.RequestTimeout > longestRequest {
		fault("GATEHOUSE_REQUEST_TIMEOUT: want 100ms to %s", longestRequest)
	}
	if c.KeyRotation < 0 || c.KeyRotation > 0 && c.KeyRotation < time.Hour {
		fault("GATEHOUSE_KEY_ROTATION: want 0, or at least 1h")
	}
	if c.KeyRetain < 24*time.Hour {
		fault("GATEHOUSE_KEY_RETAIN: want at least 24h")
	}
	for _, country := range c.SMSCountries {
		if !countryCode.MatchString(country) {
			fault("GATEHOUSE_SMS_COUNTRIES: %q is no ISO 3166-1 code of two capital letters, nor *", country)
		}
	}
	if c.SMSPerHour < 0 {
		fault("GATEHOUSE_SMS_PER_HOUR: want 0 or more")
	}
	if c.EmailRevalidation < 0 {
		fault("GATEHOUSE_EMAIL_REVALIDATION: want 0 or more")
	}
	if c.MaxConns < 0 {
		fault("GATEHOUSE_MAX_CONNS: want 0 or more")
	}
	return errors.Join(faults...)
}

func checkIssuer(issuer string) error {
	u, err := url.Parse(issuer)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http"):
		return errors.New("want an absolute http or https URL")
	case u.RawQuery != "" || u.Fragment != "" || u.User != nil || strings.HasSuffix(issuer, "/"):
		return errors.New("must have no query, fragment, user or trailing slash")
	case u.Path != "":
		return errors.New("must have no path: every route is at the root")
	}
	return nil
}

// checkProduction reports the development defaults that `serve` refuses.
func (c *Config) checkProduction(s *secrets) error {
	var faults []error
	if c.loopbackIssuer() {
		return nil
	}
	if strings.HasPrefix(c.Issuer, "http://") {
		faults = append(faults, errors.New("GATEHOUSE_ISSUER: a public issuer must be https://, with TLS in front of this service"))
	}
	if s.Messages == "" {
		faults = append(faults, errors.New("GATEHOUSE_MESSAGES: not set, so no code or link would reach anybody; name smtp://…, file:PATH or log: there"))
	}
	if s.DatabaseURL != "" && s.EncryptionKeys == "" {
		faults = append(faults, errors.New("GATEHOUSE_ENCRYPTION_KEYS: not set; every replica on PostgreSQL needs the same key (openssl rand -base64 32)"))
	}
	if s.DatabaseURL != "" && s.RedisURL == "" {
		faults = append(faults, errors.New("GATEHOUSE_REDIS_URL: not set; replicas on PostgreSQL must share one Redis"))
	}
	for client, list := range s.NotifyInternalClients {
		for _, secret := range list {
			if len(secret) < minInternalSecret || strings.HasPrefix(secret, "dev-") {
				faults = append(faults, fmt.Errorf("GATEHOUSE_NOTIFY_INTERNAL_CLIENTS: a secret of %q is a development default or shorter than %d characters", client, minInternalSecret))
			}
		}
	}
	return errors.Join(faults...)
}

// minInternalSecret is the shortest shared HS256 secret `serve` accepts, in bytes (RFC 7518 section 3.2).
const minInternalSecret = 32

// rotateEvery is [oauth.Keys.RotateEvery], where never is less than zero.
func (c *Config) rotateEvery() time.Duration {
	if c.KeyRotation == 0 {
		return -1
	}
	return c.KeyRotation
}

// loopbackIssuer reports whether only this machine can use the issuer.
func (c *Config) loopbackIssuer() bool {
	u, err := url.Parse(c.Issuer)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// load reads the secrets and checks everything, for commands that need the stores.
func (e *environment) load() (*secrets, error) {
	s, err := e.secrets()
	if err := errors.Join(err, e.config.check(), checkSecrets(s), e.config.Shadow.check(s)); err != nil {
		return nil, usageError{err}
	}
	return s, nil
}

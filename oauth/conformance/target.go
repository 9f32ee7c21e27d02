package conformance

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"net/http"
	"net/url"
	"testing"
	"time"
)

// Target is the server under test and what it takes to use it. Its fields are
// set before the first plan is run.
type Target struct {
	// Issuer is the issuer identifier, without a slash at its end.
	Issuer string
	// Transport reaches the server and trusts its certificate.
	Transport http.RoundTripper
	Clock     func() time.Time
	Clients   Clients
	// Site is the clients' own web site, which the server reaches at SiteURL.
	Site    *Site
	SiteURL string
	// Borrow lends a person nobody else uses until give is called. It waits
	// when everybody is taken.
	Borrow func(t testing.TB) (p Person, give func())
	// InitialToken is what clients register with (RFC 7591 section 3); "" registers
	// without one.
	InitialToken string
	// RotateKeys gives the server new signing keys, and returns when it uses them.
	RotateKeys func(t testing.TB)
	// Declines are demands that the server does not meet on purpose, by their
	// names, with the reason: the results say so instead of failing.
	Declines map[string]string
	// Check sees each answer of the server, for example to hold it to a
	// description of its API; nil for none. The body can be read and is put back.
	Check func(t testing.TB, r *http.Request, res *http.Response)
}

// Clients are registered with the server before a run. Each has one redirect URI
// at a site that does not exist: no browser here goes there.
type Clients struct {
	// Basic and Basic2 authenticate with client_secret_basic, may refresh, need
	// no PKCE and have everything that OpenID Connect Core needs by default.
	Basic, Basic2 *Client
	// Post authenticates with client_secret_post and is like Basic otherwise.
	Post *Client
	// Backchannel is like Basic and is told of logouts, with the sid.
	Backchannel *Client
	// FAPI and FAPI2 authenticate with private_key_jwt, push their requests, bind
	// their tokens with DPoP and want ID tokens of ES256. The redirect URI of
	// FAPI2 has a query.
	FAPI, FAPI2 *Client
}

// Client is a registration at the server under test.
type Client struct {
	ID, Secret            string
	AuthMethod            string // of the token endpoint, as in RFC 7591
	RedirectURI           string
	PostLogoutRedirectURI string
	BackchannelLogoutURI  string // at Target.Site

	// Key signs assertions with ES256; RSAKey is one that the client may use with
	// PS256 only. Their ids are KeyID and KeyID with "-rsa" behind it.
	Key    *ecdsa.PrivateKey
	RSAKey *rsa.PrivateKey
	KeyID  string
}

// Step is what a page of the server under test asked a person.
type Step string

// Steps. A sign-in may take several pages, and begins with the first of them.
const (
	SignIn  Step = "sign-in"
	Factor  Step = "second factor"
	Consent Step = "consent"
	SignOut Step = "sign-out"
)

// Person is somebody with an account at the server under test, and knows its pages.
type Person interface {
	// LoginHint is what the person's login_hint would be.
	LoginHint() string
	// Answer fills in a page of the server. It returns the form to submit, or nil
	// when the page asks nothing. A person who refuses does not consent.
	Answer(t testing.TB, p *Page, refuse bool) (Step, *Form)
}

// Page is a page of the server under test, as a browser shows it.
type Page struct {
	URL    *url.URL
	Status int
	Header http.Header
	Body   string
	Forms  []*Form
}

// Form is a form of a page, with the values its fields have.
type Form struct {
	Action *url.URL
	Method string // GET or POST
	Fields url.Values
}

// Form returns the page's first form that goes to a path; nil for none.
func (p *Page) Form(path string) *Form {
	for _, f := range p.Forms {
		if f.Action.Path == path {
			return f
		}
	}
	return nil
}

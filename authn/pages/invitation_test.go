package pages_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// invited stands where the directory and Redis stand in the program.
type invited struct {
	to      *directory.TeamInvitation // nil: what clean-up leaves of it
	account bool                      // who is invited has one
	err     error                     // what writing fails with
	closes  bool                      // it is closed by the time it is accepted
	mu      sync.Mutex
	returns map[string][]byte
	done    []string // what was written, in order
}

func (i *invited) open(token string) (uuid.UUID, error) {
	if token != "good" {
		return uuid.Nil, errors.New("not a token")
	}
	return uuid.UUID{15: 7}, nil
}

func (i *invited) TeamInvitation(context.Context, directory.TeamKind, uuid.UUID) (*directory.TeamInvitation, error) {
	if i.to == nil {
		return nil, directory.ErrNotFound
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	to := *i.to
	return &to, nil
}

func (i *invited) InvitedAccount(context.Context, *directory.TeamInvitation) (*directory.User, error) {
	if i.account {
		return user, nil
	}
	return nil, nil
}

func (i *invited) RegisterInvited(ctx context.Context, _ *directory.TeamInvitation, name, mobile string, also func(context.Context, *directory.User) error) (*directory.User, error) {
	if i.err != nil {
		return nil, i.err
	}
	i.done = append(i.done, "register "+name+" "+mobile)
	return user, also(ctx, user)
}

func (i *invited) AcceptInvitation(context.Context, directory.TeamKind, uuid.UUID, uuid.UUID) error {
	if i.closes {
		return directory.ErrInvitationClosed
	}
	if i.err != nil {
		return i.err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.done = append(i.done, "accept")
	i.to.Status = directory.InvitationAccepted
	return nil
}

func (i *invited) PutReturn(_ context.Context, secret string, to []byte, _ time.Duration) error {
	i.returns = map[string][]byte{secret: to}
	return nil
}

func (i *invited) Return(_ context.Context, secret string) ([]byte, error) {
	if to, ok := i.returns[secret]; ok {
		return to, nil
	}
	return nil, directory.ErrNotFound
}

func (i *invited) TakeReturn(ctx context.Context, secret string) ([]byte, error) {
	to, err := i.Return(ctx, secret)
	delete(i.returns, secret)
	return to, err
}

func (p *person) CheckNewPassword(password string) error {
	if password == "short" {
		return &authn.PasswordError{Reason: "Password must be 12 characters or more"}
	}
	return nil
}

func (p *person) PreparePassword(_ context.Context, password string) (authn.PreparedPassword, error) {
	return authn.PreparedPassword{}, p.CheckNewPassword(password)
}

func (p *person) StorePassword(context.Context, uuid.UUID, authn.PreparedPassword, directory.Actor) error {
	p.invited.done = append(p.invited.done, "password")
	return nil
}

// aliceInvited is an invitation for the user who can sign in.
func aliceInvited(change ...func(*directory.TeamInvitation)) *directory.TeamInvitation {
	i := &directory.TeamInvitation{
		ID: uuid.UUID{15: 7}, Kind: directory.ServiceTeam, TeamName: "Fishing licences", Active: true, InvitedBy: "Bob Example",
		EmailAddress: "Alice@Example.gov.uk", Status: directory.InvitationPending, AuthType: directory.SMSAuth, CreatedAt: noon.Add(-time.Hour),
	}
	for _, f := range change {
		f(i)
	}
	return i
}

func forBob(i *directory.TeamInvitation)    { i.EmailAddress = "bob@example.gov.uk" }
func accepted(i *directory.TeamInvitation)  { i.Status = directory.InvitationAccepted }
func cancelled(i *directory.TeamInvitation) { i.Status = directory.InvitationCancelled }
func tooOld(i *directory.TeamInvitation)    { i.CreatedAt = noon.Add(-directory.InvitationTTL) }
func archived(i *directory.TeamInvitation)  { i.Active = false }
func byEmail(i *directory.TeamInvitation) {
	i.AuthType, i.Features = directory.EmailAuth, []string{"email_auth"}
}
func toMinistry(i *directory.TeamInvitation) {
	i.Kind, i.TeamName = directory.OrganisationTeam, "The Ministry"
}

// atLength is an invitation with the longest word that each of its texts can be.
func atLength(i *directory.TeamInvitation) {
	i.EmailAddress = strings.Repeat("a", 240) + "@example.gov.uk"
	i.InvitedBy, i.TeamName = strings.Repeat("Bob", 85), strings.Repeat("Team", 63)
}

func TestInvitationPageTellsWhatItIs(t *testing.T) {
	for _, c := range []struct {
		name     string
		path     string
		to       *directory.TeamInvitation
		account  bool
		signedIn bool
		status   int
		says     string
	}{
		{"no account", "/invitation/good", aliceInvited(), false, false, 200, "Create the account"},
		{"an account", "/invitation/good", aliceInvited(), true, false, 200, "Sign in to accept"},
		{"signed in", "/invitation/good", aliceInvited(), true, true, 200, "Accept the invitation"},
		{"an organisation", "/organisation-invitation/good", aliceInvited(toMinistry), true, false, 200, "Bob Example has invited you to join the organisation The Ministry."},
		{"signed in as another", "/invitation/good", aliceInvited(forBob), true, true, 403, "This invitation is for somebody else"},
		{"accepted by who looks", "/invitation/good", aliceInvited(accepted), true, true, 200, "You have joined Fishing licences"},
		{"accepted", "/invitation/good", aliceInvited(accepted), true, false, 410, "This invitation has been accepted already"},
		{"accepted by another", "/invitation/good", aliceInvited(accepted, forBob), true, true, 410, "This invitation has been accepted already"},
		{"withdrawn", "/invitation/good", aliceInvited(cancelled), true, true, 410, "This invitation has been withdrawn"},
		{"to what is archived", "/invitation/good", aliceInvited(archived), true, true, 410, "This invitation has been withdrawn"},
		{"expired", "/invitation/good", aliceInvited(tooOld), false, false, 410, "This invitation has expired"},
		{"deleted", "/invitation/good", nil, false, false, 410, "This invitation has expired"},
		{"not ours", "/invitation/bad", aliceInvited(), false, false, 404, "Something is wrong with this link"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := &person{invited: invited{to: c.to, account: c.account}}
			v := visit(t, serve(t, p))
			if c.signedIn {
				v.cookies[authn.SessionCookie] = "session-1"
			}
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				res, body := v.do(method, c.path, nil)
				if res.StatusCode != c.status || method == http.MethodGet && !strings.Contains(body, c.says) {
					t.Errorf("%s: %d %s", method, res.StatusCode, body)
				}
			}
			if len(p.invited.done) != 0 || len(p.invited.returns) != 0 || p.attempts.Load() != 0 {
				t.Errorf("looking did %v", p.invited.done)
			}
			if c.status == 200 && c.says != "You have joined Fishing licences" {
				return
			}
			res, _ := v.do(http.MethodPost, c.path, url.Values{"name": {"A"}, "mobile_number": {"07700900123"}, "password": {rightPassword}})
			if res.StatusCode != c.status || len(p.invited.done) != 0 {
				t.Errorf("accepting: %d, did %v", res.StatusCode, p.invited.done)
			}
		})
	}
}

func TestSignedInUserAcceptsWithOneButton(t *testing.T) {
	p := &person{invited: invited{to: aliceInvited(), account: true}}
	v := visit(t, serve(t, p))
	v.cookies[authn.SessionCookie] = "session-1"
	res, _ := v.do(http.MethodPost, "/invitation/good", url.Values{})
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/invitation/good" || !slices.Equal(p.invited.done, []string{"accept"}) {
		t.Errorf("%d, Location %q, did %v", res.StatusCode, res.Header.Get("Location"), p.invited.done)
	}
	res, _ = v.do(http.MethodPost, "/invitation/good", url.Values{}, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site")
	if res.StatusCode != http.StatusForbidden {
		t.Errorf("from another site: %d", res.StatusCode)
	}
}

func TestSignInLeadsBackToTheInvitation(t *testing.T) {
	p := &person{invited: invited{to: aliceInvited(), account: true}}
	v := visit(t, serve(t, p))
	res, _ := v.do(http.MethodPost, "/invitation/good", url.Values{})
	if got := res.Header.Get("Location"); res.StatusCode != http.StatusSeeOther || got != "/signin" || v.cookies[authn.ReturnCookie] != "secret-1" {
		t.Fatalf("%d, Location %q, cookies %v", res.StatusCode, got, v.cookies)
	}
	res, _ = v.do(http.MethodPost, "/signin", credentials(""))
	if got := res.Header.Get("Location"); got != "/invitation/good" || v.cookies[authn.ReturnCookie] != "" || len(p.invited.returns) != 0 {
		t.Errorf("Location %q, cookies %v", got, v.cookies)
	}
	if len(p.invited.done) != 0 {
		t.Errorf("signing in did %v", p.invited.done)
	}
	res, _ = v.do(http.MethodPost, "/signin", credentials(""))
	if got := res.Header.Get("Location"); got != "/" {
		t.Errorf("the next time: Location %q", got)
	}
	v.cookies[authn.ReturnCookie] = "of somebody else"
	if res, _ = v.do(http.MethodPost, "/signin", credentials("")); res.Header.Get("Location") != "/" {
		t.Errorf("an unknown secret: Location %q", res.Header.Get("Location"))
	}
}

// TestRelyingServiceComesBeforeTheInvitation: a sign-in for a service ends there.
func TestRelyingServiceComesBeforeTheInvitation(t *testing.T) {
	p := &person{invited: invited{to: aliceInvited(), account: true}}
	v := visit(t, serve(t, p))
	v.do(http.MethodPost, "/invitation/good", url.Values{})
	v.do(http.MethodGet, "/begin", nil)
	res, _ := v.do(http.MethodPost, "/signin", credentials("flow-1"))
	if got := res.Header.Get("Location"); got != "/oauth/continue?flow=flow-1" {
		t.Errorf("Location %q", got)
	}
}

func registration(change ...string) url.Values {
	form := url.Values{"name": {" Alice Example "}, "mobile_number": {"07700 900123"}, "password": {rightPassword}}
	for i := 0; i < len(change); i += 2 {
		form.Set(change[i], change[i+1])
	}
	return form
}

func TestNewAccountJoinsWithItsFirstCode(t *testing.T) {
	p := &person{next: authn.SMSCode, invited: invited{to: aliceInvited()}}
	v := visit(t, serve(t, p))
	res, body := v.do(http.MethodPost, "/invitation/good", registration())
	if got := res.Header.Get("Location"); res.StatusCode != http.StatusSeeOther || got != "/signin/code" {
		t.Fatalf("%d, Location %q, %s", res.StatusCode, got, body)
	}
	if a := p.last.Load(); a.UserID != user.ID || !a.AdmitPending || a.Identifier != "" {
		t.Errorf("attempt %+v", a)
	}
	if v.cookies[authn.SessionCookie] != "" || slices.Contains(p.invited.done, "accept") {
		t.Errorf("before the code: cookies %v, did %v", v.cookies, p.invited.done)
	}
	if res, _ = v.do(http.MethodPost, "/signin/code", url.Values{"code": {"000000"}}); res.StatusCode != http.StatusForbidden {
		t.Errorf("a wrong code: %d", res.StatusCode)
	}
	res, _ = v.do(http.MethodPost, "/signin/code", url.Values{"code": {rightCode}})
	if got := res.Header.Get("Location"); got != "/invitation/good" || v.cookies[authn.SessionCookie] != "session-1" || v.cookies[authn.ReturnCookie] != "" {
		t.Errorf("Location %q, cookies %v", got, v.cookies)
	}
	if want := []string{"register Alice Example 07700 900123", "password", "accept"}; !slices.Equal(p.invited.done, want) {
		t.Errorf("did %q, want %q", p.invited.done, want)
	}
	if _, body := v.do(http.MethodGet, "/invitation/good", nil); !strings.Contains(body, "You have joined Fishing licences") {
		t.Error(body)
	}
}

// TestInvitationLostMeanwhileEndsOnItsPage: and not in a session.
func TestInvitationLostMeanwhileEndsOnItsPage(t *testing.T) {
	p := &person{next: authn.SMSCode, invited: invited{to: aliceInvited()}}
	v := visit(t, serve(t, p))
	v.do(http.MethodPost, "/invitation/good", registration())
	p.invited.err = directory.ErrInvitationClosed
	res, _ := v.do(http.MethodPost, "/signin/code", url.Values{"code": {rightCode}})
	if got := res.Header.Get("Location"); got != "/invitation/good" || v.cookies[authn.SessionCookie] != "" {
		t.Errorf("%d, Location %q, cookies %v", res.StatusCode, got, v.cookies)
	}
	p.invited.err = nil
	if res, _ = v.do(http.MethodPost, "/invitation/good", registration("password", "replaced at the same time")); res.Header.Get("Location") != "/invitation/good" {
		t.Errorf("%d, Location %q", res.StatusCode, res.Header.Get("Location"))
	}
	for _, err := range []error{&directory.ConflictError{Field: "email_address"}, directory.ErrInvitationClosed} {
		p.invited.err = err
		if res, _ = v.do(http.MethodPost, "/invitation/good", registration()); res.Header.Get("Location") != "/invitation/good" {
			t.Errorf("%v: %d, Location %q", err, res.StatusCode, res.Header.Get("Location"))
		}
	}
}

func TestRegistrationIsCheckedField(t *testing.T) {
	for _, c := range []struct {
		name string
		form url.Values
		err  error
		says string
	}{
		{"no name", registration("name", " "), nil, `href="#name">Enter your full name`},
		{"no number", registration("mobile_number", ""), nil, `href="#mobile_number">Enter your mobile number`},
		{"a landline", registration("mobile_number", "020 7946 0000"), nil, `href="#mobile_number">Enter a mobile number that can`},
		{"another country", registration("mobile_number", jamaican), nil, `href="#mobile_number">We do not send text messages to`},
		{"no password", registration("password", ""), nil, `href="#password">Enter your password`},
		{"a weak password", registration("password", "short"), nil, `href="#password">Password must be 12 characters or more`},
		{"a name too long", registration(), &directory.FieldError{Field: "name", Reason: "x"}, `href="#name">Enter your name in 255`},
		{"a number refused", registration(), &directory.FieldError{Field: "mobile_number", Reason: "x"}, `href="#mobile_number">Enter a mobile number that can`},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := &person{next: authn.SMSCode, invited: invited{to: aliceInvited(), err: c.err}}
			v := visit(t, serve(t, p))
			res, body := v.do(http.MethodPost, "/invitation/good", c.form)
			if res.StatusCode != http.StatusBadRequest || !strings.Contains(body, c.says) || strings.Contains(body, rightPassword) {
				t.Errorf("%d %s", res.StatusCode, body)
			}
			if len(p.invited.done) != 0 || p.attempts.Load() != 0 || len(v.cookies) != 0 {
				t.Errorf("did %v, cookies %v", p.invited.done, v.cookies)
			}
		})
	}
}

func TestAccountThatSignsInByEmailNeedsNoNumber(t *testing.T) {
	p := &person{next: authn.EmailCode, invited: invited{to: aliceInvited(byEmail)}}
	v := visit(t, serve(t, p))
	if _, body := v.do(http.MethodGet, "/invitation/good", nil); strings.Contains(body, "mobile_number") {
		t.Error(body)
	}
	res, _ := v.do(http.MethodPost, "/invitation/good", registration("mobile_number", ""))
	if res.StatusCode != http.StatusSeeOther || !slices.Equal(p.invited.done, []string{"register Alice Example ", "password"}) {
		t.Errorf("%d, did %v", res.StatusCode, p.invited.done)
	}
}

func TestNameInAnInvitationIsNoMarkup(t *testing.T) {
	p := &person{invited: invited{to: aliceInvited(func(i *directory.TeamInvitation) { i.InvitedBy, i.TeamName = "<script>", `"><b>` })}}
	_, body := visit(t, serve(t, p)).do(http.MethodGet, "/invitation/good", nil)
	if strings.Contains(body, "<script>") || strings.Contains(body, "<b>") {
		t.Error(body)
	}
}

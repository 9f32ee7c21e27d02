package pages_test

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/authn/pages"
	"gatehouse/directory"
)

const takenEmail = "carol@example.gov.uk"

func (p *person) BeginContactChange(_ context.Context, _ *authn.Session, _ *directory.User, _ authn.Contact, to string) error {
	p.pending.Store(&to)
	return p.err
}

func (p *person) PendingContact(context.Context, *authn.Session, authn.Contact) (string, error) {
	if to := p.pending.Load(); to != nil {
		return *to, nil
	}
	return "", authn.ErrNoSignIn
}

func (p *person) ChangeContact(ctx context.Context, _ *authn.Session, _ *directory.User, _ authn.Contact, code string, change func(context.Context, string) error) error {
	if code != rightCode {
		return authn.ErrRefused
	}
	return change(ctx, *p.pending.Load())
}

var hereID, thereID = uuid.UUID{15: 7}, uuid.UUID{15: 8}

func (p *person) Sessions(context.Context, uuid.UUID) ([]*authn.Session, error) {
	return []*authn.Session{
		{ID: hereID, UserAgent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36 Edg/130.0",
			Network: "192.0.2.1", CreatedAt: noon, SeenAt: noon},
		{ID: thereID, UserAgent: "curl/8", Network: "2001:db8::1234:5678:9abc:def0", CreatedAt: noon.Add(-time.Hour), SeenAt: noon.Add(-time.Minute)},
	}, p.err
}

func (p *person) Browsers(context.Context, uuid.UUID) ([]*authn.KnownBrowser, error) {
	return []*authn.KnownBrowser{{TokenHash: []byte("hash of a token"), CreatedAt: noon.Add(-time.Hour), SeenAt: noon}}, p.err
}

func (p *person) Where(address string, l directory.Language) string {
	if address != "192.0.2.1" {
		return ""
	}
	return map[directory.Language]string{directory.English: "Cardiff, United Kingdom", directory.Welsh: "Caerdydd, Y Deyrnas Unedig"}[l]
}

func (p *person) EndSessions(_ context.Context, userID, except uuid.UUID, actor directory.Actor) error {
	p.did = append(p.did, "end sessions of "+userID.String()+" but "+except.String()+" by "+actor.ID)
	return p.err
}

func (p *person) EndSessionOf(_ context.Context, userID, id uuid.UUID) error {
	if userID != user.ID || id != thereID {
		return directory.ErrNotFound
	}
	p.did = append(p.did, "end session "+id.String())
	return p.err
}

func (p *person) Activity(_ context.Context, _ uuid.UUID, before time.Time, _ int) (page []authn.Activity, more time.Time, err error) {
	if !before.IsZero() {
		return []authn.Activity{{At: before.Add(-time.Hour), Kind: "create_user"}}, time.Time{}, p.err
	}
	return []authn.Activity{
		{At: noon, Kind: "sign_in"}, {At: noon, Kind: "end_access"}, {At: noon.Add(-time.Hour), Kind: authn.AttemptRefused},
		{At: noon.Add(-2 * time.Hour), Kind: "unlock_user", ByOther: true},
	}, noon.Add(-2 * time.Hour), p.err
}

func (p *person) RemoveMobile(ctx context.Context, _ *authn.Session, _ *directory.User, change func(context.Context) error) error {
	return change(ctx)
}

func (p *person) MayMoveTo(_ context.Context, _ *directory.User, address string) error {
	if strings.HasSuffix(address, "@example.com") {
		return directory.ErrForbidden
	}
	return p.err
}

func (p *person) CloseAccount(_ context.Context, u *directory.User) error {
	p.did = append(p.did, "close "+u.ID.String())
	return p.err
}

func (p *person) ServicesOf(context.Context, uuid.UUID) ([]pages.UsedService, error) {
	if p.unused {
		return nil, nil
	}
	return []pages.UsedService{
		{ClientID: "forms", Name: exampleForms, Scopes: []string{"openid", "email", "ABC001"}, AllowedAt: noon.Add(-time.Hour), LastUsed: noon},
		{ClientID: "long", Name: directory.Wording{Plain: strings.Repeat("Averyverylongname", 8)}},
	}, p.err
}

func (p *person) WithdrawConsent(_ context.Context, id uuid.UUID, client string) error {
	p.did = append(p.did, "withdraw "+client+" of "+id.String())
	return p.err
}

func (p *person) UpdateUser(_ context.Context, id uuid.UUID, c directory.UserChange, actor directory.Actor, _ func(context.Context, *directory.User) error) (*directory.User, error) {
	changed := *user
	switch {
	case id != user.ID || actor.ID != user.ID.String() || c.PlatformAdmin != nil || c.AuthType != nil:
		return nil, directory.ErrInvalid
	case c.EmailAddress != nil && *c.EmailAddress == takenEmail:
		return nil, &directory.ConflictError{Field: "email_address"}
	case c.Name != nil && len(*c.Name) > 255:
		return nil, &directory.FieldError{Field: "name"}
	}
	p.changed.Store(&c)
	return &changed, p.err
}

func (p *person) ArchiveUser(ctx context.Context, id uuid.UUID, domain string, _ directory.Actor, also func(context.Context) error) error {
	if p.needed {
		return directory.ErrNeeded
	}
	p.did = append(p.did, "archive "+id.String()+" at "+domain)
	return also(ctx)
}

func (p *person) TeamsOf(context.Context, uuid.UUID) (organisations, services []string, err error) {
	return []string{"Ministry"}, []string{"Fishing licences"}, p.err
}

func signedInVisitor(t *testing.T, p *person) *visitor {
	v := visit(t, serve(t, p))
	v.cookies[authn.SessionCookie] = "session-1"
	return v
}

func TestNewAddressIsAskedForThenProved(t *testing.T) {
	p := &person{}
	v := signedInVisitor(t, p)
	for entered, says := range map[string]string{
		"alice@example.com": "one of a government organisation",
		"":                  "Enter your email address", "nobody": "like name@example.gov.uk", "Alice@Example.gov.uk": "This is your email address already",
	} {
		if res, body := v.do(http.MethodPost, "/account/email", url.Values{"email": {entered}}); res.StatusCode != http.StatusBadRequest || !strings.Contains(body, says) {
			t.Errorf("%q: %d %s", entered, res.StatusCode, body)
		}
	}
	if p.pending.Load() != nil {
		t.Fatal("a code was sent")
	}
	v.wantRedirect("/account/email?sent=1", http.MethodPost, "/account/email", url.Values{"email": {" alice@new.example.gov.uk "}})
	if _, body := v.do(http.MethodGet, "/account/email?sent=1", nil); !strings.Contains(body, "alice@new.example.gov.uk") || !strings.Contains(body, `name="code"`) {
		t.Errorf("%s", body)
	}
	for code, status := range map[string]int{"": http.StatusBadRequest, "abc": http.StatusBadRequest, "000000": http.StatusForbidden} {
		if res, _ := v.do(http.MethodPost, "/account/email", url.Values{"code": {code}}); res.StatusCode != status {
			t.Errorf("code %q: %d", code, res.StatusCode)
		}
	}
	form := url.Values{"code": {"271 828"}, "email": {"mallory@example.com"}, "platform_admin": {"true"}, "auth_type": {"email_auth"}}
	v.wantRedirect("/account?done=email", http.MethodPost, "/account/email", form)
	if c := p.changed.Load(); c == nil || *c.EmailAddress != "alice@new.example.gov.uk" || c.EmailAccessValidatedAt == nil {
		t.Errorf("changed %+v", c)
	}
}

// TestWhoHasAnAddressIsNotSaid: only whoever has entered the code from its mail
// learns that it belongs to somebody else.
func TestWhoHasAnAddressIsNotSaid(t *testing.T) {
	p := &person{}
	v := signedInVisitor(t, p)
	v.wantRedirect("/account/email?sent=1", http.MethodPost, "/account/email", url.Values{"email": {takenEmail}})
	res, body := v.do(http.MethodPost, "/account/email", url.Values{"code": {rightCode}})
	if res.StatusCode != http.StatusConflict || !strings.Contains(body, "belongs to another account") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
}

func TestNewNumberIsAskedForThenProved(t *testing.T) {
	p := &person{}
	v := signedInVisitor(t, p)
	if res, body := v.do(http.MethodPost, "/account/mobile", url.Values{"code": {rightCode}}); res.StatusCode != http.StatusBadRequest || !strings.Contains(body, "Start again") {
		t.Errorf("a code that nobody waits for: %d %s", res.StatusCode, body)
	}
	for _, entered := range []string{"", "020 7946 0000", "07700 900123"} {
		if res, _ := v.do(http.MethodPost, "/account/mobile", url.Values{"mobile": {entered}}); res.StatusCode != http.StatusBadRequest || p.pending.Load() != nil {
			t.Errorf("%q: %d", entered, res.StatusCode)
		}
	}
	v.wantRedirect("/account/mobile?sent=1", http.MethodPost, "/account/mobile", url.Values{"mobile": {"07700 900456"}})
	v.wantRedirect("/account?done=mobile", http.MethodPost, "/account/mobile", url.Values{"code": {rightCode}})
	if c := p.changed.Load(); c == nil || *c.MobileNumber != "07700 900456" || c.EmailAddress != nil {
		t.Errorf("changed %+v", c)
	}
}

// TestNumberIsRemovedWhereNoCodeIsSentToIt and nowhere else.
func TestNumberIsRemovedWhereNoCodeIsSentToIt(t *testing.T) {
	for kind, want := range map[directory.AuthType]int{
		directory.SMSAuth: http.StatusConflict, directory.EmailAuth: http.StatusSeeOther, directory.WebAuthnAuth: http.StatusSeeOther,
	} {
		p := &person{kind: kind}
		v := signedInVisitor(t, p)
		if _, body := v.do(http.MethodGet, "/account/mobile", nil); strings.Contains(body, `name="remove"`) != (want == http.StatusSeeOther) {
			t.Errorf("%s: %s", kind, body)
		}
		res, _ := v.do(http.MethodPost, "/account/mobile", url.Values{"remove": {"1"}})
		c := p.changed.Load()
		if removed := c != nil && c.MobileNumber != nil && *c.MobileNumber == ""; res.StatusCode != want || removed != (want == http.StatusSeeOther) {
			t.Errorf("%s: %d, changed %+v", kind, res.StatusCode, c)
		}
	}
}

// TestNameIsAllThatTheFormOfTheNameChanges: fields that a form does not have are
// not looked at.
func TestNameIsAllThatTheFormOfTheNameChanges(t *testing.T) {
	p := &person{}
	v := signedInVisitor(t, p)
	for _, name := range []string{"", "  ", strings.Repeat("x", 256)} {
		if res, _ := v.do(http.MethodPost, "/account/name", url.Values{"name": {name}}); res.StatusCode != http.StatusBadRequest {
			t.Errorf("%q: %d", name, res.StatusCode)
		}
	}
	v.wantRedirect("/account?done=name", http.MethodPost, "/account/name", url.Values{
		"name": {"Alice Exemplar"}, "platform_admin": {"true"}, "auth_type": {"email_auth"}, "id": {uuid.New().String()}, "email_address": {takenEmail},
	})
	if c := p.changed.Load(); *c.Name != "Alice Exemplar" || c.EmailAddress != nil || c.MobileNumber != nil || c.PlatformAdmin != nil || c.AuthType != nil {
		t.Errorf("changed %+v", c)
	}
}

func TestSessionsAreEndedByTheirOwner(t *testing.T) {
	p := &person{}
	v := signedInVisitor(t, p)
	_, body := v.do(http.MethodGet, "/account/sessions", nil)
	for _, says := range []string{"Edge on Windows", "A browser that we do not know", "from Cardiff, United Kingdom (192.0.2.1)", "from 2001:db8:", "this browser", "1 March 2026 at 12:00 UTC"} {
		if !strings.Contains(body, says) {
			t.Errorf("does not say %q", says)
		}
	}
	v.cookies[authn.LanguageCookie] = "cy"
	if _, body := v.do(http.MethodGet, "/account/sessions", nil); !strings.Contains(body, "lleoliad: Caerdydd, Y Deyrnas Unedig (192.0.2.1)") {
		t.Error("the place is not in the language of the page")
	}
	for _, id := range []string{uuid.New().String(), "not an id"} {
		if res, _ := v.do(http.MethodPost, "/account/sessions", url.Values{"session": {id}, "user": {uuid.New().String()}}); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", id, res.StatusCode)
		}
	}
	v.wantRedirect("/account/sessions?done=session", http.MethodPost, "/account/sessions", url.Values{"session": {thereID.String()}})
	v.wantRedirect("/account/sessions?done=sessions", http.MethodPost, "/account/sessions", url.Values{"others": {"end"}})
	want := []string{"end session " + thereID.String(), "end sessions of " + user.ID.String() + " but " + hereID.String() + " by " + user.ID.String()}
	if len(p.did) != 2 || p.did[0] != want[0] || p.did[1] != want[1] {
		t.Errorf("did %q", p.did)
	}
}

func TestServiceIsStoppedByItsUser(t *testing.T) {
	p := &person{}
	v := signedInVisitor(t, p)
	if _, body := v.do(http.MethodGet, "/account/services", nil); !strings.Contains(body, "Example Forms") || !strings.Contains(body, "ABC001") {
		t.Errorf("%s", body)
	}
	if res, _ := v.do(http.MethodPost, "/account/services", url.Values{"client": {"no client of theirs"}}); res.StatusCode != http.StatusNotFound || len(p.did) != 0 {
		t.Errorf("%d, did %q", res.StatusCode, p.did)
	}
	v.wantRedirect("/account/services?done=service", http.MethodPost, "/account/services", url.Values{"client": {"forms"}})
	if len(p.did) != 1 || p.did[0] != "withdraw forms of "+user.ID.String() {
		t.Errorf("did %q", p.did)
	}
}

func TestActivityIsInWords(t *testing.T) {
	v := signedInVisitor(t, &person{})
	_, body := v.do(http.MethodGet, "/account/activity", nil)
	for says, want := range map[string]bool{
		"Signed in": true, "Somebody tried to sign in and was refused": true, "by somebody who looks after accounts": true, "end_access": false,
	} {
		if strings.Contains(body, says) != want {
			t.Errorf("%q: %v", says, !want)
		}
	}
	older := "/account/activity?before=" + strconv.FormatInt(noon.Add(-2*time.Hour).UnixMicro(), 10)
	if !strings.Contains(body, `href="`+older+`"`) || strings.Contains(body, "Latest activity") {
		t.Errorf("does not lead on: %s", body)
	}
	if _, body := v.do(http.MethodGet, older, nil); !strings.Contains(body, "The account was created") || !strings.Contains(body, "Latest activity") || strings.Contains(body, "Older activity") {
		t.Errorf("the last page: %s", body)
	}
	if _, again := v.do(http.MethodGet, "/account/activity?before=yesterday", nil); !strings.Contains(again, older) {
		t.Error("what is no time is not the first page")
	}
}

func TestDataIsAFileWithoutSecrets(t *testing.T) {
	v := signedInVisitor(t, &person{})
	res, body := v.do(http.MethodPost, "/account/data", nil)
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Disposition") != `attachment; filename="account.json"` || res.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d %v", res.StatusCode, res.Header)
	}
	for _, says := range []string{`"email_address": "alice@example.gov.uk"`, "Fishing licences", "Ministry", "Example Forms", "192.0.2.1", `"kind": "refused"`,
		`"last_signed_in": "2026-03-01T12:00:00Z"`, `"passkeys": []`, `"recovery_codes_left": 0`, `"authenticator_app": false`} {
		if !strings.Contains(body, says) {
			t.Errorf("no %s in %s", says, body)
		}
	}
}

func TestAccountIsClosedByItsOwner(t *testing.T) {
	p := &person{needed: true}
	v := signedInVisitor(t, p)
	if res, _ := v.do(http.MethodPost, "/account/close", nil); res.StatusCode != http.StatusBadRequest {
		t.Errorf("nothing chosen: %d", res.StatusCode)
	}
	if res, body := v.do(http.MethodPost, "/account/close", url.Values{"close": {"yes"}}); res.StatusCode != http.StatusConflict || !strings.Contains(body, "A service needs you") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	p.needed = false
	res, body := v.do(http.MethodPost, "/account/close", url.Values{"close": {"yes"}})
	if res.StatusCode != http.StatusOK || !strings.Contains(body, "Your account is closed") || v.cookies[authn.SessionCookie] != "" {
		t.Errorf("%d %v", res.StatusCode, v.cookies)
	}
	if want := []string{"archive " + user.ID.String() + " at 127.0.0.1", "close " + user.ID.String()}; !slices.Equal(p.did, want) {
		t.Errorf("did %q", p.did)
	}
}

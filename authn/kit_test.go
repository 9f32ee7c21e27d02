package authn_test

import (
	"context"
	"encoding/base64"
	"errors"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

const (
	rightPassword = "SecurePassword123!"
	wrongPassword = "not the password at all"
	// cheap is the memory of a hash in KiB, where nothing depends on what it costs.
	cheap = 64
)

var office = netip.MustParseAddr("192.0.2.10")

// kit is a service on real engines, with a clock to move and the messages it
// sent to read.
type kit struct {
	*authn.Service
	t      *testing.T
	stores *storage.Stores
	clock  *clock
	sent   *outbox
	ended  *revocations
}

// each runs a test with a fresh kit on every engine.
func each(t *testing.T, test func(t *testing.T, k *kit)) {
	t.Helper()
	storagetest.Each(t, func(t *testing.T, stores *storage.Stores) { test(t, newKit(t, stores)) })
}

func newKit(t *testing.T, stores *storage.Stores) *kit {
	t.Helper()
	k := &kit{
		t: t, stores: stores, clock: &clock{now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)},
		sent: &outbox{}, ended: &revocations{},
	}
	k.Service = &authn.Service{
		Directory: storage.Directory{DB: stores.DB}, Store: storage.Authn{DB: stores.DB}, Cache: storage.AuthnCache{Redis: stores.Redis},
		Messages: k.sent, Revoker: k.ended, Hasher: &authn.Hasher{Memory: cheap}, CodeKey: []byte("a key of thirty-two random bytes"), Clock: k.clock.Now,
		RelyingParty: authn.RelyingParty{Origin: "https://id.example.com", Name: "Gatehouse"},
		RefusalTime:  time.Nanosecond, Sealer: keyring(t), Issuer: "https://id.example.gov.uk",
	}
	k.Accounts = k.registry()
	return k
}

func (k *kit) registry() *directory.Registry {
	return &directory.Registry{Store: k.Directory, Clock: k.clock.Now, NewID: uuid.New}
}

func keyring(t *testing.T) *storage.Keyring {
	t.Helper()
	k, err := storage.ParseKeyring(base64.StdEncoding.EncodeToString(make([]byte, storage.KeySize)))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// advance moves the clock of the service and of the in-process Redis.
func (k *kit) advance(d time.Duration) {
	k.clock.advance(d)
	k.stores.Advance(d)
}

// user creates an active user with a password.
func (k *kit) user(n directory.NewUser) *directory.User {
	k.t.Helper()
	u := k.userWithoutPassword(n)
	if err := k.SetPassword(k.t.Context(), u.ID, rightPassword, directory.Actor{Kind: "operator"}); err != nil {
		k.t.Fatal(err)
	}
	return u
}

func (k *kit) userWithoutPassword(n directory.NewUser) *directory.User {
	k.t.Helper()
	if n.Name == "" {
		n.Name = "Alice Example"
	}
	if n.State == "" {
		n.State = directory.Active
	}
	u, err := k.registry().CreateUser(k.t.Context(), n, directory.Actor{Kind: "operator"}, func(context.Context, *directory.User) error { return nil })
	if err != nil {
		k.t.Fatal(err)
	}
	return u
}

// alice signs in with a code by text message, bob with one by e-mail.
func (k *kit) alice() *directory.User {
	k.t.Helper()
	return k.user(directory.NewUser{
		Username: "alice", EmailAddress: "alice@example.com", MobileNumber: "07700 900123", AuthType: directory.SMSAuth,
	})
}

func (k *kit) bob() *directory.User {
	k.t.Helper()
	return k.user(directory.NewUser{Name: "Bob Example", EmailAddress: "bob@example.com", AuthType: directory.EmailAuth})
}

// reload reads a user again.
func (k *kit) reload(u *directory.User) *directory.User {
	k.t.Helper()
	again, err := k.Directory.User(k.t.Context(), u.ID)
	if err != nil {
		k.t.Fatal(err)
	}
	return again
}

func (k *kit) wantFailures(u *directory.User, want int) {
	k.t.Helper()
	if got := k.reload(u).FailedLoginCount; got != want {
		k.t.Errorf("failed_login_count = %d, want %d", got, want)
	}
}

// password tries a password at a front.
func (k *kit) password(front authn.Front, identifier, password string) (*authn.Outcome, error) {
	return k.Authenticate(k.t.Context(), authn.Attempt{
		Front: front, Factor: authn.Password, Identifier: identifier, Secret: password, Network: office, Caller: "test",
	})
}

// begin gets the password right on the hosted pages.
func (k *kit) begin(identifier string) *authn.Outcome {
	k.t.Helper()
	o, err := k.password(authn.Browser, identifier, rightPassword)
	if err != nil {
		k.t.Fatalf("password of %s: %v", identifier, err)
	}
	return o
}

// code tries a code.
func (k *kit) code(o *authn.Outcome, code string) (*authn.Outcome, error) {
	return k.Authenticate(k.t.Context(), authn.Attempt{
		Front: authn.Browser, Factor: o.Next, SignIn: o.SignIn, Secret: code, Network: office,
	})
}

// signIn completes a sign-in.
func (k *kit) signIn(identifier string) *authn.Outcome {
	k.t.Helper()
	o, err := k.code(k.begin(identifier), k.sent.lastCode(k.t))
	if err != nil {
		k.t.Fatalf("code of %s: %v", identifier, err)
	}
	return o
}

func wantRefused(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, authn.ErrRefused) {
		t.Errorf("error = %v, want %v", err, authn.ErrRefused)
	}
}

func wantThrottled(t *testing.T, err error) {
	t.Helper()
	var limit *authn.ThrottledError
	if !errors.As(err, &limit) || limit.RetryAfter <= 0 {
		t.Errorf("error = %v, want a limit with a time to wait", err)
	}
}

// parallel runs f n times at once and returns the errors.
func parallel(n int, f func(i int) error) []error {
	errs := make([]error, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			errs[i] = f(i)
		})
	}
	close(start)
	wg.Wait()
	return errs
}

// countNil returns how many succeeded, and fails for anything but refusals.
func countNil(t *testing.T, errs []error) int {
	t.Helper()
	n := 0
	for _, err := range errs {
		switch {
		case err == nil:
			n++
		case !errors.Is(err, authn.ErrRefused) && !errors.Is(err, authn.ErrNoSignIn):
			t.Errorf("error = %v, want success or a refusal", err)
		}
	}
	return n
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// outbox stands for the mail and the telephone network.
type outbox struct {
	mu       sync.Mutex
	messages []authn.Message
	fail     error
}

func (o *outbox) Send(_ context.Context, m authn.Message) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fail != nil {
		return o.fail
	}
	o.messages = append(o.messages, m)
	return nil
}

func (o *outbox) codes() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var all []string
	for _, m := range o.messages {
		if code, ok := m.Personalisation["verify_code"].(string); ok {
			all = append(all, code)
		}
	}
	return all
}

func (o *outbox) lastCode(t *testing.T) string {
	t.Helper()
	all := o.codes()
	if len(all) == 0 {
		t.Fatal("no code was sent")
	}
	return all[len(all)-1]
}

// count returns how many messages of a template were sent.
func (o *outbox) count(template string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := 0
	for _, m := range o.messages {
		if m.Template == template {
			n++
		}
	}
	return n
}

// otherThan returns a code that is not the given one.
func otherThan(code string) string {
	last := '0' + (code[len(code)-1]-'0'+1)%10
	return code[:len(code)-1] + string(rune(last))
}

type revocations struct {
	mu    sync.Mutex
	users []uuid.UUID // whose access has ended
	// forgotten are those whose consents were.
	forgotten []uuid.UUID
	// sessions are those that ended, and moved the pairs where one took another's place.
	sessions, moved []uuid.UUID
}

func (r *revocations) EndUser(_ context.Context, userID uuid.UUID, sessions []uuid.UUID) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.users = append(r.users, userID)
	r.sessions = append(r.sessions, sessions...)
	return nil
}

func (r *revocations) ForgetConsents(_ context.Context, userID uuid.UUID) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forgotten = append(r.forgotten, userID)
	return nil
}

func (r *revocations) EndSessions(_ context.Context, _ uuid.UUID, sessions []uuid.UUID) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sessions = append(r.sessions, sessions...)
	return nil
}

func (r *revocations) MoveSession(_ context.Context, from, to uuid.UUID) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.moved = append(r.moved, from, to)
	return nil
}

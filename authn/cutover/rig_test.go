package cutover_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/authn/cutover"
	"gatehouse/directory"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

const password = "SecurePassword123!"

// oldDelius is a server that plays the system that callers come from: what it
// does about a username is what the test says.
type oldDelius struct {
	*httptest.Server
	mu     sync.Mutex
	does   map[string]string // by username: yes, slow, fault, hang up, lie; anything else is no
	asked  map[string]int
	opened chan struct{} // closed to let what is slow go on
}

func newOldDelius(t *testing.T) *oldDelius {
	t.Helper()
	o := &oldDelius{does: map[string]string{}, asked: map[string]int{}, opened: make(chan struct{})}
	o.Server = httptest.NewServer(http.HandlerFunc(o.authenticate))
	t.Cleanup(func() { close(o.opened); o.Close() })
	return o
}

func (o *oldDelius) authenticate(w http.ResponseWriter, r *http.Request) {
	var body struct{ Username, Password string }
	if r.URL.Path != "/authenticate" || r.Header.Get("Authorization") != "Bearer of the old" || json.NewDecoder(r.Body).Decode(&body) != nil {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	o.mu.Lock()
	o.asked[body.Username]++
	does := o.does[body.Username]
	o.mu.Unlock()
	switch does {
	case "yes":
		w.WriteHeader(http.StatusOK)
	case "slow":
		<-o.opened
	case "fault":
		w.WriteHeader(http.StatusInternalServerError)
	case "hang up":
		hangUp(w, "HTTP/1.1 200 OK\r\n")
	case "lie":
		_, _ = io.WriteString(w, "OK")
	default:
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, "Authentication failed for '"+body.Username+"'")
	}
}

func (o *oldDelius) says(username, does string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.does[username] = does
}

func (o *oldDelius) askedAbout(username string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.asked[username]
}

// rig is both systems and what compares them. The mode of a caller is the part
// of its id before the slash.
type rig struct {
	t      *testing.T
	stores *storage.Stores
	old    *oldDelius
	trail  *trail
	authn  *authn.Service
	shadow *cutover.Shadow
	stop   func() // and wait for what is under way
}

func eachRig(t *testing.T, timeout time.Duration, test func(t *testing.T, r *rig)) {
	storagetest.Each(t, func(t *testing.T, stores *storage.Stores) {
		r := &rig{t: t, stores: stores, old: newOldDelius(t), trail: &trail{Store: storage.Directory{DB: stores.DB}, count: map[string]int{}}}
		r.authn = &authn.Service{
			Directory: r.trail, Store: storage.Authn{DB: stores.DB}, Cache: storage.AuthnCache{Redis: stores.Redis},
			Messages: noPost{}, Hasher: &authn.Hasher{Memory: 64}, CodeKey: make([]byte, 32), Clock: time.Now, RefusalTime: time.Millisecond,
		}
		records := &cutover.Records{Store: storage.Cutover{DB: stores.DB}, Clock: time.Now, Log: slog.New(slog.DiscardHandler)}
		r.shadow = &cutover.Shadow{
			Authn: r.authn, Upstream: newUpstream(t, cutover.UpstreamConfig{URL: r.old.URL, Token: "of the old", Timeout: timeout}), Records: records, Log: records.Log,
			Mode: func(_ context.Context, caller string) (cutover.Mode, error) {
				mode, _, _ := strings.Cut(caller, "/")
				return cutover.Mode(mode), nil
			},
		}
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { r.shadow.Run(ctx) })
		r.stop = func() { cancel(); running.Wait() }
		t.Cleanup(r.stop)
		test(t, r)
	})
}

// user creates an active user, without a password for "".
func (r *rig) user(username, password string) *directory.User {
	r.t.Helper()
	registry := &directory.Registry{Store: r.authn.Directory, Clock: time.Now, NewID: uuid.New}
	n := directory.NewUser{Username: username, Name: "A B", EmailAddress: username + "@example.gov.uk", State: directory.Active}
	u, err := registry.CreateUser(r.t.Context(), n, directory.Actor{Kind: "system"}, func(ctx context.Context, u *directory.User) error {
		if password == "" {
			return nil
		}
		return r.authn.Store.PutPassword(ctx, u.ID, hashOf(r.t, password), time.Now())
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return u
}

var hashes sync.Map

// hashOf hashes each password once, which is what takes long here.
func hashOf(t *testing.T, password string) string {
	t.Helper()
	if hash, known := hashes.Load(password); known {
		return hash.(string)
	}
	hash, err := (&authn.Hasher{Memory: 64}).Hash(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	hashes.Store(password, hash)
	return hash
}

// attempt is what POST /authenticate makes of a request.
func attempt(caller, username, password string) authn.Attempt {
	return authn.Attempt{Front: authn.Legacy, Factor: authn.Password, Identifier: username, Secret: password, Caller: caller}
}

func (r *rig) current(u *directory.User) *directory.User {
	r.t.Helper()
	now, err := r.authn.Directory.User(r.t.Context(), u.ID)
	if err != nil {
		r.t.Fatal(err)
	}
	return now
}

// figures stops comparing and returns how often each result was counted, and of
// which kind the differences were, by caller.
func (r *rig) figures() (results map[string]map[cutover.Result]int64, kinds map[string]string) {
	r.t.Helper()
	r.stop()
	store := storage.Cutover{DB: r.stores.DB}
	counted, err := store.Comparisons(r.t.Context(), time.Time{}.Add(time.Hour))
	if err != nil {
		r.t.Fatal(err)
	}
	results, kinds = map[string]map[cutover.Result]int64{}, map[string]string{}
	for _, c := range counted {
		if results[c.Caller] == nil {
			results[c.Caller] = map[cutover.Result]int64{}
		}
		results[c.Caller][c.Result] += c.Count
	}
	differences, err := store.Differences(r.t.Context(), 100)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, d := range differences {
		kinds[d.Caller] += d.Kind
	}
	return results, kinds
}

// becomes gives a user another state.
func (r *rig) becomes(u *directory.User, state directory.State) {
	r.t.Helper()
	u.State = state
	if err := r.authn.Directory.UpdateUser(r.t.Context(), u); err != nil {
		r.t.Fatal(err)
	}
}

// events counts audit events of a kind about a user.
func (r *rig) events(kind string, u *directory.User) int {
	r.trail.mu.Lock()
	defer r.trail.mu.Unlock()
	return r.trail.count[kind+" "+u.ID.String()]
}

// trail is the directory, which counts what is appended to the audit trail.
type trail struct {
	directory.Store
	mu    sync.Mutex
	count map[string]int
}

// AppendEvent implements directory.Store.
func (d *trail) AppendEvent(ctx context.Context, e directory.Event) error {
	d.mu.Lock()
	d.count[e.Type+" "+e.Subject]++
	d.mu.Unlock()
	return d.Store.AppendEvent(ctx, e)
}

// noPost is the way out to people, which these tests do not follow.
type noPost struct{}

func (noPost) Send(context.Context, authn.Message) error { return nil }

package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"gatehouse/authn/passkeytest"
)

// keyed is somebody with a key, and the browser in which it was added.
type keyed struct {
	userOutput
	*passkeytest.Device
	j *journey
}

// keyed makes somebody with a key: "passkey", or "key" for one that follows a password.
func (a *abuse) keyed(name, mobile, kind string) *keyed {
	a.t.Helper()
	u := a.user(name, mobile)
	p := &keyed{u, passkeytest.New("localhost", a.s.url), a.signIn(u)}
	if kind == "passkey" {
		p.Auth.Options.UserHandle = u.ID[:]
	}
	if res := a.added(p.j, p.Device, kind); res.status != http.StatusOK {
		a.t.Fatalf("add a %s: %d %s", kind, res.status, res.body)
	}
	return p
}

// options asks for what an authenticator is to be asked.
func (a *abuse) options(j *journey, path string, form url.Values) json.RawMessage {
	a.t.Helper()
	res := j.submit(path+"/options", form)
	if res.status != http.StatusOK {
		a.t.Fatalf("%s: %d %s", path, res.status, res.body)
	}
	return json.RawMessage(res.body)
}

// added gives whoever is signed in another key.
func (a *abuse) added(j *journey, d *passkeytest.Device, kind string) response {
	a.t.Helper()
	form := url.Values{"kind": {kind}}
	options := a.options(j, "/account/passkeys", form)
	form.Set("response", d.Made(a.t, options))
	return j.submit("/account/passkeys", form)
}

const passkeySignIn, keySignIn = "/signin/passkey", "/signin/security-key"

// answered is a fresh browser that has asked, and what a device says to it.
func (a *abuse) answered(d *passkeytest.Device) (*journey, url.Values) {
	a.t.Helper()
	j := a.fresh()
	return j, url.Values{"response": {d.Signed(a.t, a.options(j, passkeySignIn, nil))}}
}

func (a *abuse) refused(what string, j *journey, path string, form url.Values) {
	a.t.Helper()
	if res := j.submit(path, form); res.status != http.StatusForbidden {
		a.t.Errorf("%s: %d\n%s", what, res.status, res.body)
	}
	a.wantOut(what, j)
}

// refusedDevice lets a device sign in in a fresh browser.
func (a *abuse) refusedDevice(what string, d *passkeytest.Device) {
	a.t.Helper()
	j, form := a.answered(d)
	a.refused(what, j, passkeySignIn, form)
}

// accepted is the end of each case: what is right still signs in.
func (a *abuse) accepted(d *passkeytest.Device) {
	a.t.Helper()
	j, form := a.answered(d)
	if j.submit(passkeySignIn, form); j.cookie("gatehouse_session") == "" {
		a.t.Errorf("the right key: %d\n%s", j.last.status, j.last.body)
	}
}

// wrongOrigin (W01): a key answers for one site, compared byte by byte.
func (a *abuse) wrongOrigin() {
	p := a.keyed("Origin", "07700900421", "passkey")
	host := strings.TrimPrefix(a.s.url, "http://")
	for _, origin := range []string{
		"https://evil.example", "https://" + host, "http://localhost", "http://localhost:1", "http://a." + host, "http://evil." + host + ".evil.example", "null", "",
		a.s.url + "/", strings.ToUpper(a.s.url), strings.Replace(a.s.url, "localhost", "LocalHost", 1), strings.Replace(a.s.url, "localhost", "127.0.0.1", 1),
		"android:apk-key-hash:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU",
	} {
		elsewhere, another := p.Copied(), passkeytest.New("localhost", origin)
		elsewhere.RP.Origin = origin
		a.refusedDevice("origin "+origin, elsewhere)
		if res := a.added(p.j, another, "passkey"); res.status != http.StatusForbidden {
			a.t.Errorf("a new key of %s: %d", origin, res.status)
		}
	}
	p.Cred.Counter++
	a.accepted(p.Device)
}

// wrongParty (W02): a key answers for one relying party.
func (a *abuse) wrongParty() {
	p := a.keyed("Party", "07700900422", "passkey")
	for _, id := range []string{"", "evil.example", "a.localhost", "LOCALHOST", "127.0.0.1", a.s.url} {
		elsewhere := p.Copied()
		elsewhere.RP.ID = id
		a.refusedDevice("party "+id, elsewhere)
		if res := a.added(p.j, passkeytest.New(id, a.s.url), "passkey"); res.status != http.StatusForbidden {
			a.t.Errorf("a new key of %s: %d", id, res.status)
		}
	}
	a.accepted(p.Device)
}

// replayedAssertion (W03): one answer signs in once, in turn and of 64 at once.
func (a *abuse) replayedAssertion() {
	p := a.keyed("Replayed", "07700900423", "passkey")
	j, form := a.answered(p.Device)
	if j.submit(passkeySignIn, form); j.cookie("gatehouse_session") == "" {
		a.t.Fatalf("the first: %d\n%s", j.last.status, j.last.body)
	}
	if j.submit(passkeySignIn, form); j.last.status != http.StatusForbidden {
		a.t.Errorf("the second: %d", j.last.status)
	}

	j, form = a.answered(p.Device)
	got, signedIn := a.atOnce(j, 64, passkeySignIn, func(int) url.Values { return form })
	if signedIn != 1 || got.all[http.StatusForbidden] != 63 {
		a.t.Errorf("%d signed in of %v", signedIn, got.all)
	}
}

// swappedChallenge (W04): a challenge is for one browser, one sign-in, one session
// and one purpose.
func (a *abuse) swappedChallenge() {
	p, k := a.keyed("Swapped", "07700900424", "passkey"), a.keyed("Keyed", "07700900425", "key")
	one, form := a.answered(p.Device)
	two, others := a.answered(p.Device)
	a.refused("another browser's", two, passkeySignIn, form)
	a.refused("another browser's, the other way", one, passkeySignIn, others)
	bare := a.fresh()
	_, form = a.answered(p.Device)
	a.refused("in a browser that has not asked", bare, passkeySignIn, form)

	mine, same := a.atKey(k), a.atKey(k)
	a.options(same, keySignIn, nil)
	a.refused("another sign-in's", same, keySignIn, url.Values{"response": {k.Signed(a.t, a.options(mine, keySignIn, nil))}})
	a.refused("a passkey's challenge for a key", mine, keySignIn, url.Values{"response": {k.Signed(a.t, a.options(mine, passkeySignIn, nil))}})
	a.refused("a key's challenge for a passkey", mine, passkeySignIn, url.Values{"response": {k.Signed(a.t, a.options(mine, keySignIn, nil))}})
	if n := a.failures(k.userOutput); n != 0 {
		a.t.Errorf("%d failures", n)
	}

	options := a.options(p.j, "/account/passkeys", url.Values{"kind": {"passkey"}})
	made := url.Values{"kind": {"passkey"}, "response": {passkeytest.New("localhost", a.s.url).Made(a.t, options)}}
	if res := k.j.submit("/account/passkeys", made); res.status != http.StatusForbidden {
		a.t.Errorf("another session's new key: %d", res.status)
	}
	a.accepted(p.Device)
}

// atKey is a browser in which a password was right and a key is asked for.
func (a *abuse) atKey(k *keyed) *journey {
	a.t.Helper()
	j := a.fresh()
	if j.submit("/signin", url.Values{"identifier": {k.Email}, "password": {testPassword}}); !strings.HasSuffix(j.at, keySignIn) {
		a.t.Fatalf("at %s: %d %s", j.at, j.last.status, j.last.body)
	}
	return j
}

// unverified (W08): who asks the browser to leave the user unverified is not
// listened to, since what is asked for is kept here.
func (a *abuse) unverified() {
	p := a.keyed("Unverified", "07700900426", "passkey")
	absent, silent := p.Copied(), p.Copied()
	absent.Auth.Options.UserNotPresent, silent.Auth.Options.UserNotVerified = true, true
	a.refusedDevice("nobody there", absent)
	a.refusedDevice("nobody verified", silent)
	j, lenient := a.fresh(), url.Values{"userVerification": {"discouraged"}, "user_verification": {"discouraged"}}
	asked := a.options(j, passkeySignIn, lenient)
	edited := strings.Replace(string(asked), `"required"`, `"discouraged"`, 1)
	if edited == string(asked) {
		a.t.Errorf("the user is not to be verified: %s", asked)
	}
	lenient.Set("response", silent.Signed(a.t, json.RawMessage(edited)))
	a.refused("options that the client has edited", j, passkeySignIn, lenient)
	weak := passkeytest.New("localhost", a.s.url)
	weak.Auth.Options.UserNotVerified = true
	if res := a.added(p.j, weak, "passkey"); res.status != http.StatusForbidden {
		a.t.Errorf("a new passkey of who was not verified: %d", res.status)
	}
	p.Cred.Counter++
	a.accepted(p.Device)
}

// copiedPasskey (W11): a count that does not grow is refused, its owner and the
// trail are told, and the count that is stored stays.
func (a *abuse) copiedPasskey() {
	p := a.keyed("Copied", "07700900427", "passkey")
	p.Cred.Counter = 40
	a.accepted(p.Device) // with 41
	for i, count := range []uint32{41, 40, 1, 0} {
		clone := p.Copied()
		clone.Cred.Counter = count - 1
		a.refusedDevice("a count of what was", clone)
		if n := a.audited("passkey_copied", "", p.userOutput); n != i+1 {
			a.t.Errorf("%d: in the trail %d times", count, n)
		}
		a.told(p.userOutput, "passkey_copied", i+1)
	}
	a.accepted(p.Device) // 42 is the next
}

// othersPasskey (W13): an id, a handle and a signature are of one and the same person.
func (a *abuse) othersPasskey() {
	hers, his := a.keyed("Hers", "07700900428", "passkey"), a.keyed("His", "07700900429", "passkey")
	crossed, missing, forged := his.Copied(), hers.Copied(), hers.Copied()
	crossed.Auth.Options.UserHandle = hers.ID[:]
	missing.Auth.Options.UserHandle = nil
	forged.Cred.Key = his.Cred.Key
	unknown, nobody := passkeytest.New("localhost", a.s.url), uuid.New()
	unknown.Auth.Options.UserHandle = hers.ID[:]
	gone := hers.Copied()
	gone.Auth.Options.UserHandle = nobody[:]
	for what, d := range map[string]*passkeytest.Device{
		"his key with her handle": crossed, "no handle": missing, "her id signed by him": forged, "a key of nobody": unknown, "a handle of nobody": gone,
	} {
		a.refusedDevice(what, d)
	}
	k := a.keyed("Holder", "07700900430", "key")
	j := a.atKey(k)
	a.refused("his key after another's password", j, keySignIn, url.Values{"response": {his.Signed(a.t, a.options(j, keySignIn, nil))}})
	hers.Cred.Counter++
	a.accepted(hers.Device)
}

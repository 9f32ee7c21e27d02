package main

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"gatehouse/directory"
)

// told is all of an answer but its time: the status, which headers there are, and
// the body with whoever it is about taken out.
func (r response) told(who string) string {
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(r.header)), func(name string) bool { return name == "Content-Length" })
	return fmt.Sprint(r.status, names, strings.ReplaceAll(r.body, who, "WHO"))
}

// alike fails when answers about several people differ in anything but their names.
// They are asked for at once, since each is held back.
func (a *abuse) alike(what string, status int, people map[string]string, ask func(who string) response) {
	a.t.Helper()
	names, answers := slices.Sorted(maps.Keys(people)), map[string]string{}
	var mu sync.Mutex
	race(len(names), func(i int) {
		res := ask(people[names[i]])
		mu.Lock()
		defer mu.Unlock()
		if answers[names[i]] = res.told(people[names[i]]); res.status != status {
			a.t.Errorf("%s, %s: %d, want %d", what, names[i], res.status, status)
		}
	})
	for _, name := range names {
		if answers[name] != answers["ghost"] {
			a.t.Errorf("%s tells %s from nobody:\n%s\n%s", what, name, answers[name], answers["ghost"])
		}
	}
}

// signInAnswers (E01, L13): nobody but who has the password is told apart, whichever
// password is tried on an account that is closed to it.
func (a *abuse) signInAnswers() {
	var people cast
	a.d.inProcess(func(app *app) { people = newCast(a.t, app) })
	everybody := people.addresses()
	token := a.s.token(a.legacy, "")
	for _, password := range []string{"not the password", testPassword} {
		if password == testPassword {
			delete(everybody, "alice") // it is hers
		}
		a.alike("/signin", http.StatusForbidden, everybody, func(who string) response {
			return a.form("/signin", "identifier", who, "password", password)
		})
		a.alike("/authenticate", http.StatusUnauthorized, everybody, func(who string) response {
			return a.s.call(token, http.MethodPost, "/authenticate", string(marshal(a.t, map[string]string{"username": who, "password": password})))
		})
	}
}

// forgottenAnswers (E04) are one for everybody, and mail goes to who can use it.
func (a *abuse) forgottenAnswers() {
	u := a.user("Forgetful", "07700900271")
	var pending, archived *directory.User
	a.d.inProcess(func(app *app) {
		for to, n := range map[**directory.User]directory.NewUser{
			&pending:  {Name: "P", EmailAddress: "pending-e04@example.gov.uk", State: directory.Pending},
			&archived: {Name: "A", EmailAddress: "archived-e04@example.gov.uk", State: directory.Inactive},
		} {
			made, err := app.createUser(a.t.Context(), n, "")
			if err != nil {
				a.t.Fatal(err)
			}
			*to = made
		}
	})
	people := map[string]string{"alice": u.Email, "ghost": ghost, "unverified": pending.EmailAddress, "disabled": archived.EmailAddress}
	a.alike("/forgotten-password", http.StatusAccepted, people, func(who string) response { return a.form("/forgotten-password", "identifier", who) })
	eventually(a.t, "mail", func() bool { return len(a.d.messages(u.Email)) == 1 })
	for _, who := range []string{ghost, pending.EmailAddress, archived.EmailAddress} {
		if sent := a.d.messages(who); len(sent) != 0 {
			a.t.Errorf("%d mails to who cannot use them", len(sent))
		}
	}
}

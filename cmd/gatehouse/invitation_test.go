package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

// team is a service and an organisation, and the manager who invites to them.
type team struct {
	*deployment
	s                     *server
	token                 string
	manager               userOutput
	service, organisation string
}

func (d *deployment) team(s *server) *team {
	d.t.Helper()
	machine := d.client("--id", "machine", "--grant", "client_credentials", "--scope", "notify.admin")
	return d.teamOf(s, s.token(machine, "notify.admin"))
}

// teamOf is a team that a token for everything makes.
func (d *deployment) teamOf(s *server, token string) *team {
	d.t.Helper()
	f := &team{deployment: d, s: s, token: token}
	f.manager = d.user("--name", "Bob Example", "--email", "bob@example.gov.uk", "--mobile", "07700900100")
	f.service = f.create("/service", fmt.Sprintf(`{"name":"Fishing licences","user_id":%q,"created_by":%q,"email_message_limit":50,`+
		`"sms_message_limit":40,"letter_message_limit":30,"restricted":true}`, f.manager.ID, f.manager.ID))
	f.organisation = f.create("/organisation", `{"name":"Ministry","crown":true,"organisation_type":"central"}`)
	return f
}

// create posts to the API and returns the new id, wrapped or not.
func (f *team) create(path, body string) string {
	f.t.Helper()
	res := f.s.call(f.token, http.MethodPost, path, body)
	var made struct {
		ID   string
		Data struct{ ID string }
	}
	res.json(f.t, &made)
	if res.status != http.StatusCreated {
		f.t.Fatalf("POST %s: %d %s", path, res.status, res.body)
	}
	return made.ID + made.Data.ID
}

// invite invites an address to the service and returns the invitation's id and
// the page that the message leads to.
func (f *team) invite(to, more string) (id, page string) {
	f.t.Helper()
	body := fmt.Sprintf(`{"service":%q,"email_address":%q,"from_user":%q,"permissions":"send_texts,view_activity","invite_link_host":%q%s}`,
		f.service, to, f.manager.ID, f.s.url, more)
	return f.create("/service/"+f.service+"/invite", body), f.page(to)
}

func (f *team) inviteToOrganisation(to string) (id, page string) {
	f.t.Helper()
	body := fmt.Sprintf(`{"email_address":%q,"invited_by":%q,"permissions":["can_make_services_live"],"invite_link_host":%q}`, to, f.manager.ID, f.s.url)
	return f.create("/organisation/"+f.organisation+"/invite", body), f.page(to)
}

// page is the path of the newest link sent to somebody.
func (f *team) page(to string) string {
	f.t.Helper()
	link := ""
	eventually(f.t, "a message with a link", func() bool {
		if sent := f.messages(to); len(sent) > 0 {
			link, _ = sent[len(sent)-1].Personalisation["url"].(string)
		}
		return link != ""
	})
	if !strings.HasPrefix(link, f.s.url+"/") {
		f.t.Fatalf("the link leads to another host")
	}
	return strings.TrimPrefix(link, f.s.url)
}

// member is what the API says of a user.
type member struct {
	State            string
	AuthType         string `json:"auth_type"`
	MobileNumber     string `json:"mobile_number"`
	Name             string
	Services         []string
	Permissions      map[string][]string
	OrganisationPerm map[string][]string `json:"organisation_permissions"`
}

func (f *team) member(email string) member {
	f.t.Helper()
	var body struct{ Data member }
	f.s.call(f.token, http.MethodPost, "/user/email", fmt.Sprintf(`{"email":%q}`, email)).json(f.t, &body)
	return body.Data
}

func (f *team) status(path string) string {
	f.t.Helper()
	var body struct{ Data struct{ Status string } }
	f.s.call(f.token, http.MethodGet, path, nil).json(f.t, &body)
	return body.Data.Status
}

func wantPage(t *testing.T, res response, status int, says string) {
	t.Helper()
	if res.status != status || !strings.Contains(res.body, says) {
		t.Fatalf("%d, want %d with %q: %s", res.status, status, says, res.body)
	}
}

func TestUserWithAnAccountAcceptsAnInvitation(t *testing.T) {
	eachDeployment(t, func(t *testing.T, d *deployment) {
		person := d.person()
		s := d.start()
		f := d.team(s)
		id, page := f.invite("Pat@Example.gov.uk", "")
		j := d.journey(s)
		wantPage(t, j.get(s.url+page), 200, "Bob Example has invited you to join the team of the service Fishing licences.")
		j.submit(page, nil)
		if !strings.HasSuffix(j.at, "/signin") {
			t.Fatalf("led to %s", j.at)
		}
		j.submit("/signin", url.Values{"identifier": {person.Email}, "password": {testPassword}})
		wantPage(t, j.submit("/signin/code", url.Values{"code": {d.code(person.Mobile, 1)}}), 200, "Accept the invitation")
		if j.at != s.url+page {
			t.Errorf("back at %s", j.at)
		}
		if got := f.member(person.Email); len(got.Services) != 0 {
			t.Errorf("a member before accepting: %+v", got)
		}
		wantPage(t, j.submit(page, nil), 200, "You have joined Fishing licences")
		got := f.member(person.Email)
		if len(got.Services) != 1 || len(got.Permissions[f.service]) != 2 || got.AuthType != "sms_auth" {
			t.Errorf("%+v", got)
		}
		if got := f.status("/service/" + f.service + "/invite/" + id); got != "accepted" {
			t.Errorf("the invitation is %s", got)
		}
		wantPage(t, d.journey(s).get(s.url+page), 410, "This invitation has been accepted already")

		organisationInvitation, page := f.inviteToOrganisation(person.Email)
		wantPage(t, j.get(s.url+page), 200, "join the organisation Ministry")
		wantPage(t, j.submit(page, nil), 200, "You have joined Ministry")
		if got := f.member(person.Email).OrganisationPerm[f.organisation]; len(got) != 1 || got[0] != "can_make_services_live" {
			t.Errorf("permissions %v", got)
		}
		if got := f.status("/organisation/" + f.organisation + "/invite/" + organisationInvitation); got != "accepted" {
			t.Errorf("the invitation is %s", got)
		}
	})
}

func TestPersonWithoutAnAccountAcceptsAnInvitation(t *testing.T) {
	t.Parallel()
	eachDeployment(t, func(t *testing.T, d *deployment) {
		s := d.start()
		f := d.team(s)
		const email, mobile = "new.person@example.gov.uk", "07700900555"
		_, page := f.invite(email, "")
		j := d.journey(s)
		wantPage(t, j.get(s.url+page), 200, "Create the account")
		form := url.Values{"name": {"New Person"}, "mobile_number": {"07700900554"}, "password": {testPassword}}
		wantPage(t, j.submit(page, form), 200, "Check your phone")

		// The number was wrong: the link begins again, and what was begun is of no use.
		if got := f.member(email); got.State != "pending" || len(got.Services) != 0 {
			t.Fatalf("%+v", got)
		}
		elsewhere := d.journey(s)
		wantPage(t, elsewhere.submit("/signin", url.Values{"identifier": {email}, "password": {testPassword}}), 403, "not accepted")
		form.Set("mobile_number", mobile)
		wantPage(t, j.submit(page, form), 200, "Check your phone")
		wantPage(t, j.submit("/signin/code", url.Values{"code": {d.code("07700900554", 1)}}), 403, "The security code is wrong")
		wantPage(t, j.submit("/signin/code", url.Values{"code": {d.code(mobile, 1)}}), 200, "You have joined Fishing licences")
		wantPage(t, j.get(s.url+"/"), 200, "You are signed in")
		got := f.member(email)
		if got.State != "active" || got.MobileNumber != mobile || got.Name != "New Person" || len(got.Permissions[f.service]) != 2 {
			t.Errorf("%+v", got)
		}
		wantPage(t, elsewhere.submit(page, form), 410, "This invitation has been accepted already")
		wantPage(t, elsewhere.submit("/signin", url.Values{"identifier": {email}, "password": {testPassword}}), 200, "Check your phone")

		const second = "second.person@example.gov.uk"
		_, page = f.inviteToOrganisation(second)
		form.Set("mobile_number", "07700900556")
		k := d.journey(s)
		wantPage(t, k.submit(page, form), 200, "Check your phone")
		wantPage(t, k.submit("/signin/code", url.Values{"code": {d.code("07700900556", 1)}}), 200, "You have joined Ministry")
	})
}

func TestNewAccountMaySignInByEmailWhereTheServiceLetsIt(t *testing.T) {
	d := newDeployment(t, sqliteConfig(t))
	s := d.start()
	f := d.team(s)
	const email = "new.person@example.gov.uk"
	if res := s.call(f.token, http.MethodPost, "/service/"+f.service, `{"permissions":["email","sms","email_auth"]}`); res.status != http.StatusOK {
		t.Fatalf("%d %s", res.status, res.body)
	}
	_, page := f.invite(email, `,"auth_type":"email_auth"`)
	j := d.journey(s)
	wantPage(t, j.submit(page, url.Values{"name": {"New Person"}, "password": {testPassword}}), 200, "Check your email")
	wantPage(t, j.submit("/signin/code", url.Values{"code": {d.code(email, 2)}}), 200, "You have joined Fishing licences")
	if got := f.member(email); got.AuthType != "email_auth" || got.State != "active" {
		t.Errorf("%+v", got)
	}
}

func TestInvitationOfSomebodyElseIsRefused(t *testing.T) {
	d := newDeployment(t, sqliteConfig(t))
	person := d.person()
	s := d.start()
	f := d.team(s)
	id, page := f.invite("bob.elsewhere@example.gov.uk", "")
	j := d.journey(s)
	j.submit("/signin", url.Values{"identifier": {person.Email}, "password": {testPassword}})
	j.submit("/signin/code", url.Values{"code": {d.code(person.Mobile, 1)}})
	wantPage(t, j.get(s.url+page), 403, "This invitation is for somebody else")
	wantPage(t, j.submit(page, nil), 403, "This invitation is for somebody else")
	if res := s.call(f.token, http.MethodPost, "/service/"+f.service+"/invite/"+id, `{"status":"cancelled"}`); res.status != http.StatusOK {
		t.Fatalf("%d %s", res.status, res.body)
	}
	wantPage(t, d.journey(s).get(s.url+page), 410, "This invitation has been withdrawn")
	token := page[strings.LastIndex(page, "/")+1:]
	wantPage(t, j.get(s.url+"/organisation-invitation/"+token), 410, "This invitation has expired")
	for _, bad := range []string{"x", uuid.NewString(), token[:len(token)-6] + "AAAAAA"} {
		wantPage(t, j.get(s.url+"/invitation/"+bad), 404, "Something is wrong with this link")
	}
	if strings.Contains(s.log.String(), token) {
		t.Error("the log holds a token")
	}
}

// TestInvitationLostBetweenAccountAndCode: the account stays pending, and has no session.
func TestInvitationLostBetweenAccountAndCode(t *testing.T) {
	d := newDeployment(t, sqliteConfig(t))
	s := d.start()
	f := d.team(s)
	const email, mobile = "new.person@example.gov.uk", "07700900555"
	id, page := f.invite(email, "")
	j := d.journey(s)
	j.submit(page, url.Values{"name": {"New Person"}, "mobile_number": {mobile}, "password": {testPassword}})
	s.call(f.token, http.MethodPost, "/service/"+f.service+"/invite/"+id, `{"status":"cancelled"}`)
	wantPage(t, j.submit("/signin/code", url.Values{"code": {d.code(mobile, 1)}}), 410, "This invitation has been withdrawn")
	wantPage(t, j.get(s.url+"/"), 200, "You are not signed in")
	if got := f.member(email); got.State != "pending" || len(got.Services) != 0 {
		t.Errorf("%+v", got)
	}
}

// TestOneNewAccountOfManyRegistrations: two replicas, one form sent again and again.
func TestOneNewAccountOfManyRegistrations(t *testing.T) {
	t.Parallel()
	eachReplicaSet(t, func(t *testing.T, d *deployment, replica func(i int) *server) {
		f := d.team(replica(0))
		const email = "new.person@example.gov.uk"
		_, page := f.invite(email, "")
		var got statuses
		race(8, func(i int) {
			s := replica(i)
			form := url.Values{"name": {"New Person"}, "mobile_number": {fmt.Sprintf("0770090050%d", i)}, "password": {testPassword}}
			status := http.StatusServiceUnavailable
			for range 10 { // a machine that is busy with something else may send a browser away for a moment
				r := request(t, http.MethodPost, s.url+page, form, "Origin", s.url, "Sec-Fetch-Site", "same-origin")
				if status = do(t, newBrowser(t), r).status; status != http.StatusServiceUnavailable {
					break
				}
			}
			got.add(status)
		})
		if got.all[http.StatusSeeOther] != 8 {
			t.Errorf("answers %v", got.all)
		}
		var found struct{ Data []struct{ ID string } }
		f.s.call(f.token, http.MethodPost, "/user/find-users-by-email", fmt.Sprintf(`{"email":%q}`, email)).json(t, &found)
		if len(found.Data) != 1 {
			t.Errorf("%d accounts", len(found.Data))
		}
	})
}

// TestAddressIsProvedAnewOnTheHostedPages also shows where the period is set.
func TestAddressIsProvedAnewOnTheHostedPages(t *testing.T) {
	d := newDeployment(t, sqliteConfig(t))
	d.vars["GATEHOUSE_EMAIL_REVALIDATION"] = time.Nanosecond.String()
	person := d.person()
	s := d.start()
	j := d.journey(s)
	j.submit("/signin", url.Values{"identifier": {person.Email}, "password": {testPassword}})
	wantPage(t, j.submit("/signin/code", url.Values{"code": {d.code(person.Mobile, 1)}}), 200, "from time to time we check")
	wantPage(t, j.get(s.url+"/"), 200, "You are not signed in")
	j.submit("/signin/code", url.Values{"code": {d.code(person.Email, 1)}})
	wantPage(t, j.get(s.url+"/"), 200, "You are signed in")
}

package notify

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"gatehouse/directory"
	"gatehouse/internal/web/webtest"
)

// nobodyAsked are the routes without a caller.
var nobodyAsked = []string{"GET /_status", "GET /_status/live-service-and-organisation-counts"}

func TestEveryRouteHasARowInThePolicy(t *testing.T) {
	stale := maps.Clone(policy)
	for path, item := range webtest.Document(t).Paths.Map() {
		for method, operation := range item.Operations() {
			if !slices.Contains(operation.Tags, "Notify") || slices.Contains(nobodyAsked, method+" "+path) {
				continue
			}
			if _, ok := policy[shape(method, path)]; !ok {
				t.Errorf("%s %s: nothing says which people may call it", method, path)
			}
			delete(stale, shape(method, path))
		}
	}
	for route := range stale {
		t.Errorf("%s is no route", route)
	}
}

// world is two organisations with a service each, and people of all kinds.
type world struct {
	s      *server
	ids    map[string]uuid.UUID // what the names in a route stand for
	people map[string]uuid.UUID
}

var system = directory.Actor{Kind: "system"}

func newWorld(t *testing.T, s *server) *world {
	t.Helper()
	w := &world{s: s, ids: map[string]uuid.UUID{}, people: map[string]uuid.UUID{}}
	for _, name := range []string{"nobody", "member A", "manager A", "member B", "manager B", "platform"} {
		w.people[name] = w.user(t, name == "platform")
	}
	for _, side := range []string{"A", "B"} {
		crown := true
		o, err := s.registry.CreateOrganisation(t.Context(), directory.NewOrganisation{Name: "Organisation " + uuid.NewString(), Crown: &crown, Type: directory.Central}, system)
		if err != nil {
			t.Fatal(err)
		}
		service := &directory.Service{ID: uuid.New(), Name: "Service " + uuid.NewString(), Active: true, Restricted: true, CreatedAt: testNow}
		if err := s.registry.Store.CreateService(t.Context(), service); err != nil {
			t.Fatal(err)
		}
		w.ids["organisation "+side], w.ids["service "+side] = o.ID, service.ID
		w.join(t, w.people["member "+side], side, []string{"view_activity"}, []string{})
		w.join(t, w.people["manager "+side], side, []string{"manage_users", "manage_templates", "view_activity"}, []string{"manage_organisation"})
	}
	w.ids["{organisation_id}"], w.ids["{service_id}"] = w.ids["organisation A"], w.ids["service A"]
	return w
}

func (w *world) user(t *testing.T, platformAdmin bool) uuid.UUID {
	t.Helper()
	u, err := w.s.registry.CreateUser(t.Context(), directory.NewUser{
		Name: "Test User", EmailAddress: uuid.NewString() + "@example.gov.uk", MobileNumber: "07900900123",
		State: directory.Active, PlatformAdmin: platformAdmin,
	}, system, nil)
	if err != nil {
		t.Fatal(err)
	}
	return u.ID
}

func (w *world) join(t *testing.T, user uuid.UUID, side string, inService, inOrganisation []string) {
	t.Helper()
	store := w.s.registry.Store
	err := store.AddServiceMember(t.Context(), directory.Membership{UserID: user, Of: w.ids["service "+side], Permissions: inService, CreatedAt: testNow})
	if err != nil {
		t.Fatal(err)
	}
	err = store.AddOrganisationMember(t.Context(), directory.Membership{UserID: user, Of: w.ids["organisation "+side], Permissions: inOrganisation, CreatedAt: testNow})
	if err != nil {
		t.Fatal(err)
	}
}

// colleague is a fresh member of A without permissions.
func (w *world) colleague(t *testing.T) uuid.UUID {
	t.Helper()
	id := w.user(t, false)
	w.join(t, id, "A", []string{}, []string{})
	return id
}

func (w *world) as(role string) string {
	switch role {
	case "client":
		return "Bearer gh_at_admin"
	case "internal":
		return ""
	}
	return "Bearer gh_at_of_" + w.people[role].String()
}

// path fills the names of a route in; what has no id yet gets one that nothing has.
func (w *world) path(route string) string {
	segments := strings.Split(route, "/")
	for i, segment := range segments {
		if id, ok := w.ids[segment]; ok {
			segments[i] = id.String()
		} else if segment == "{notice}" { // see notice
			segments[i] = "notify-users-of-request-to-go-live"
		} else if strings.HasPrefix(segment, "{") {
			segments[i] = uuid.NewString()
		}
	}
	return strings.Join(segments, "/")
}

// through sends a request and reports whether it got past the gate.
func (w *world) through(q request) (response, bool) {
	w.s.mu.Lock()
	before := len(w.s.callers)
	w.s.mu.Unlock()
	got := w.s.do(q)
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	return got, len(w.s.callers) > before
}

const hiddenBody = `{"message":"No result found","result":"error"}`

// TestRouteByRole asks every route about organisation A as everybody. Whoever is
// not let in hears what they hear about an id that nothing has, to the byte.
func TestRouteByRole(t *testing.T) {
	const members, managers, own, platform = "member A, manager A, platform", "manager A, platform", "member A, platform", "platform"
	open := map[string]string{
		"GET /user/{user_id}":                                             own,
		"GET /user/{user_id}/organisations-and-services":                  own,
		"POST /user/{user_id}/service/{service_id}/permission":            managers,
		"POST /user/{user_id}/organisation/{organisation_id}/permissions": managers,
		"POST /user/find-users-by-email":                                  platform,
		"GET /organisation":                                               platform,
		"GET /organisation/by-domain":                                     platform,
		"GET /organisation/search":                                        platform,
		"GET /organisation/{organisation_id}":                             members,
		"GET /organisation/{organisation_id}/services":                    members,
		"GET /organisation/{organisation_id}/services-with-usage":         members,
		"GET /organisation/{organisation_id}/users":                       members,
		"POST /organisation/{organisation_id}/users/{user_id}":            managers,
		"DELETE /organisation/{organisation_id}/users/{user_id}":          managers,
		"GET /organisation/{organisation_id}/email-branding-pool":         members,
		"GET /organisation/{organisation_id}/letter-branding-pool":        members,
		"GET /organisation/{organisation_id}/invite":                      members,
		"POST /organisation/{organisation_id}/invite":                     managers,
		"GET /organisation/{organisation_id}/invite/{}":                   members,
		"POST /organisation/{organisation_id}/invite/{}":                  managers,
		"GET /service":                                           platform,
		"GET /service/find-services-by-name":                     platform,
		"GET /service/{service_id}":                              members,
		"GET /service/{service_id}/users":                        members,
		"POST /service/{service_id}/users/{user_id}":             managers,
		"DELETE /service/{service_id}/users/{user_id}":           managers,
		"GET /service/{service_id}/template-folder":              members,
		"POST /service/{service_id}/template-folder":             managers,
		"POST /service/{service_id}/template-folder/contents":    managers,
		"POST /service/{service_id}/template-folder/{}":          managers,
		"DELETE /service/{service_id}/template-folder/{}":        managers,
		"POST /service/{service_id}/template-folder/{}/contents": managers,
		"GET /service/{service_id}/invite":                       members,
		"POST /service/{service_id}/invite":                      managers,
		"GET /service/{service_id}/invite/{}":                    members,
		"POST /service/{service_id}/invite/{}":                   managers,
		"GET /email-branding":                                    platform,
		"GET /email-branding/{}":                                 platform,
		"GET /letter-branding":                                   platform,
		"GET /letter-branding/{}":                                platform,
		"GET /events":                                            platform,
		"POST /platform-admin/users-list":                        platform,
		"POST /platform-admin/find-by-uuid":                      platform,
	}
	allowed := map[string]string{}
	for route, who := range open {
		method, path, _ := strings.Cut(route, " ")
		allowed[shape(method, path)] = who
	}
	roles := []string{"nobody", "member A", "manager A", "member B", "manager B", "platform", "client", "internal"}
	eachServer(t, func(t *testing.T, s *server) {
		for _, route := range s.router.Routes() {
			method, path, _ := strings.Cut(route, " ")
			if slices.Contains(nobodyAsked, route) {
				continue
			}
			t.Run(route, func(t *testing.T) {
				w := newWorld(t, s)
				for _, role := range roles {
					who := allowed[shape(method, path)]
					w.ids["{user_id}"] = w.people["member A"]
					if who != own {
						w.ids["{user_id}"] = w.colleague(t)
					}
					want := role == "client" || role == "internal" || slices.Contains(strings.Split(who, ", "), role)
					q := request{method: method, path: w.path(path), authorization: w.as(role)}
					got, through := w.through(q)
					if through != want {
						t.Errorf("%s: let through %t, want %t: %d %s", role, through, want, got.StatusCode, got.body)
					}
					if !want {
						got.want(t, 404, hiddenBody)
						q.path = (&world{}).path(path)
						unknown := s.do(q)
						if diff := headerDifference(got, unknown); diff != "" {
							t.Errorf("%s: unlike an id that nothing has: %s", role, diff)
						}
						unknown.want(t, 404, hiddenBody)
					}
				}
			})
		}
	})
}

// headerDifference names a header in which two answers differ, but for what
// differs between any two.
func headerDifference(a, b response) string {
	for name := range a.Header {
		switch name {
		case "Date", "X-B3-Traceid", "X-B3-TraceId", "X-B3-Spanid", "X-B3-SpanId", "X-Request-Id":
			continue
		}
		if !slices.Equal(a.Header[name], b.Header[name]) {
			return name
		}
	}
	if len(a.Header) != len(b.Header) {
		return "number of headers"
	}
	return ""
}

func TestNobodyGrantsWhatTheyLack(t *testing.T) {
	const (
		forbidden = `{"message":{"token":["You are not allowed to make this change"]},"result":"error"}`
		service   = "/user/%s/service/{service_id}/permission"
		join      = "/service/{service_id}/users/%s"
		of        = "/organisation/{organisation_id}/users/%s"
		ofRights  = "/user/%s/organisation/{organisation_id}/permissions"
	)
	cases := []struct {
		name, role, method, path, whom string
		permissions                    []string
		status                         int
		body                           string // "": any
	}{
		{"what they have", "manager A", "POST", service, "colleague", []string{"view_activity"}, 204, ""},
		{"nothing", "manager A", "POST", service, "colleague", nil, 204, ""},
		{"what they lack", "manager A", "POST", service, "colleague", []string{"manage_api_keys"}, 403, forbidden},
		{"what they lack, beside what they have", "manager A", "POST", service, "colleague", []string{"view_activity", "send_texts"}, 403, forbidden},
		{"what they lack, by its other name", "manager A", "POST", service, "colleague", []string{"send_messages"}, 403, forbidden},
		{"half of a pair", "manager A", "POST", service, "colleague", []string{"manage_service"}, 403, forbidden},
		{"the name of the platform's administrators", "manager A", "POST", service, "colleague", []string{"platform_admin"}, 403, forbidden},
		{"more for themselves", "manager A", "POST", service, "manager A", []string{"manage_users", "manage_settings"}, 403, forbidden},
		{"less for themselves", "manager A", "POST", service, "manager A", []string{"manage_users", "manage_templates", "view_activity"}, 204, ""},
		{"to a platform administrator", "manager A", "POST", service, "platform in A", []string{"view_activity"}, 403, forbidden},
		{"from a platform administrator", "manager A", "DELETE", join, "platform in A", nil, 403, forbidden},
		{"to a stranger", "manager A", "POST", join, "nobody", []string{"view_activity"}, 404, hiddenBody},
		{"to somebody of B", "manager A", "POST", join, "member B", []string{"view_activity"}, 404, hiddenBody},
		{"to an id that nothing has", "manager A", "POST", join, "", []string{"view_activity"}, 404, hiddenBody},
		{"to somebody of the organisation", "manager A", "POST", join, "in organisation A", []string{"view_activity"}, 201, ""},
		{"too much to somebody of the organisation", "manager A", "POST", join, "in organisation A", []string{"manage_settings"}, 403, forbidden},
		{"as a member", "member A", "POST", service, "colleague", []string{"view_activity"}, 404, hiddenBody},
		{"as the manager of another", "manager B", "POST", service, "colleague", []string{"view_activity"}, 404, hiddenBody},
		{"as a platform administrator", "platform", "POST", service, "colleague", []string{"manage_api_keys"}, 204, ""},
		{"as the client", "client", "POST", service, "colleague", []string{"manage_api_keys"}, 204, ""},
		{"in the organisation what they have", "manager A", "POST", ofRights, "colleague", []string{"manage_organisation"}, 204, ""},
		{"in the organisation what they lack", "manager A", "POST", ofRights, "colleague", []string{"can_make_services_live"}, 403, forbidden},
		{"more for themselves in the organisation", "manager A", "POST", ofRights, "manager A", []string{"manage_organisation", "manage_services"}, 403, forbidden},
		{"in the organisation from a platform administrator", "manager A", "DELETE", of, "platform in A", nil, 403, forbidden},
		{"in the organisation to a stranger", "manager A", "POST", of, "nobody", nil, 404, hiddenBody},
		{"out of the organisation", "manager A", "DELETE", of, "colleague", nil, 204, ""},
	}
	eachServer(t, func(t *testing.T, s *server) {
		w := newWorld(t, s)
		w.people["platform in A"] = w.user(t, true)
		w.join(t, w.people["platform in A"], "A", []string{}, []string{})
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				got := s.do(request{
					method: c.method, path: w.path(fmt.Sprintf(c.path, w.whom(t, c.whom))), authorization: w.as(c.role), body: permissionsBody(c.permissions),
				})
				if got.StatusCode != c.status || c.body != "" && got.body != c.body+"\n" {
					t.Errorf("got %d %s, want %d %s", got.StatusCode, got.body, c.status, c.body)
				}
			})
		}
	})
}

// whom returns the user that a case is about.
func (w *world) whom(t *testing.T, name string) uuid.UUID {
	t.Helper()
	switch name {
	case "":
		return uuid.New()
	case "colleague":
		return w.colleague(t)
	case "in organisation A":
		id := w.user(t, false)
		m := directory.Membership{UserID: id, Of: w.ids["organisation A"], Permissions: []string{}, CreatedAt: testNow}
		if err := w.s.registry.Store.AddOrganisationMember(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		return id
	}
	return w.people[name]
}

func permissionsBody(names []string) string {
	items := make([]string, len(names))
	for i, name := range names {
		items[i] = `{"permission":"` + name + `"}`
	}
	return `{"permissions":[` + strings.Join(items, ",") + `]}`
}

func TestColleaguesDoNotShowTheirOtherTeams(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		w := newWorld(t, s)
		both := w.colleague(t)
		w.join(t, both, "B", []string{"manage_users"}, []string{"manage_organisation"})
		for _, path := range []string{"/service/{service_id}/users", "/organisation/{organisation_id}/users", "/organisations/{organisation_id}/users"} {
			seen := s.do(request{method: "GET", path: w.path(path), authorization: w.as("member A")})
			for _, secret := range []string{w.ids["service B"].String(), w.ids["organisation B"].String()} {
				if seen.StatusCode != http.StatusOK || strings.Contains(seen.body, secret) {
					t.Errorf("%s: %d %s shows %s", path, seen.StatusCode, seen.body, secret)
				}
			}
			if !strings.Contains(seen.body, both.String()) || !strings.Contains(seen.body, w.ids["service A"].String()) {
				t.Errorf("%s does not show the colleague: %s", path, seen.body)
			}
			if all := s.do(request{method: "GET", path: w.path(path)}); !strings.Contains(all.body, w.ids["service B"].String()) {
				t.Errorf("%s hides from the administration: %s", path, all.body)
			}
		}
	})
}

func TestOnlyActivePeopleAreLetIn(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		w := newWorld(t, s)
		u, err := s.registry.Store.User(t.Context(), w.people["member A"])
		if err != nil {
			t.Fatal(err)
		}
		own := request{method: "GET", path: "/user/" + u.ID.String(), authorization: w.as("member A")}
		if got := s.do(own); got.StatusCode != http.StatusOK {
			t.Fatalf("got %d %s", got.StatusCode, got.body)
		}
		u.State = directory.Inactive
		if err := s.registry.Store.UpdateUser(t.Context(), u); err != nil {
			t.Fatal(err)
		}
		s.do(own).want(t, 404, hiddenBody)
	})
}

// TestPeopleInviteInTheirOwnName also holds that the link of the message leads
// here, and not to the host that the person asks for.
func TestPeopleInviteInTheirOwnName(t *testing.T) {
	const own, more = 0, 1 // of the permissions of manager A
	teams := []struct {
		path, body  string
		permissions [2]string
	}{
		{
			"/organisation/{organisation_id}/invite",
			`{"email_address":"new@example.gov.uk","invited_by":"%s","permissions":["%s"],"invite_link_host":"https://evil.example"}`,
			[2]string{"manage_organisation", "can_make_services_live"},
		},
		{
			"/service/{service_id}/invite",
			`{"email_address":"new@example.gov.uk","from_user":"%s","permissions":"%s","invite_link_host":"https://evil.example","service":"{service_id}"}`,
			[2]string{"view_activity", "manage_api_keys"},
		},
	}
	cases := []struct {
		name, role, inviter string
		permission          int
		status              int
	}{
		{"their own", "manager A", "manager A", own, 201},
		{"more than their own", "manager A", "manager A", more, 403},
		{"in another name", "manager A", "member A", own, 404},
		{"in a stranger's name", "manager A", "manager B", own, 404},
		{"as a member", "member A", "member A", own, 404},
		{"as the manager of another", "manager B", "manager B", own, 404},
		{"as a platform administrator", "platform", "platform", more, 201},
		{"as a platform administrator in another name", "platform", "manager A", own, 404},
		{"as the client", "client", "manager A", more, 201},
	}
	eachServer(t, func(t *testing.T, s *server) {
		w := newWorld(t, s)
		for _, c := range cases {
			for _, team := range teams {
				t.Run(c.name+team.path, func(t *testing.T) {
					body := fmt.Sprintf(team.body, w.people[c.inviter], team.permissions[c.permission])
					body = strings.ReplaceAll(body, "{service_id}", w.ids["{service_id}"].String())
					got := s.do(request{method: "POST", path: w.path(team.path), authorization: w.as(c.role), body: body})
					if got.StatusCode != c.status || c.status == 404 && got.body != hiddenBody+"\n" {
						t.Errorf("got %d %s, want %d", got.StatusCode, got.body, c.status)
					}
					sent := s.outbox.take()
					if (len(sent) == 1) != (c.status == 201) {
						t.Errorf("%d messages", len(sent))
					}
					for _, m := range sent {
						url, _ := m.Personalisation["url"].(string)
						if strings.HasPrefix(url, "https://evil.example") != (c.role == "client") {
							t.Errorf("the link leads to %s", url)
						}
					}
				})
			}
		}
	})
}

func TestNobodyRaisesAnInvitation(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		w := newWorld(t, s)
		body := fmt.Sprintf(`{"email_address":"new@example.gov.uk","from_user":%q,"permissions":"manage_api_keys","service":%q}`, w.people["manager A"], w.ids["{service_id}"])
		made := decode[struct{ Data struct{ ID string } }](t, s.do(request{method: "POST", path: w.path("/service/{service_id}/invite"), body: body}), 201)
		path := w.path("/service/{service_id}/invite/") + made.Data.ID
		for _, c := range []struct {
			role, body string
			status     int
		}{
			{"manager A", `{"permissions":"manage_settings"}`, 403},
			{"manager A", `{"permissions":"manage_api_keys,view_activity"}`, 200},
			{"manager A", `{"status":"cancelled"}`, 200},
			{"member A", `{"status":"pending"}`, 404},
			{"manager B", `{"status":"pending"}`, 404},
		} {
			if got := s.do(request{method: "POST", path: path, authorization: w.as(c.role), body: c.body}); got.StatusCode != c.status {
				t.Errorf("%s sends %s: %d %s, want %d", c.role, c.body, got.StatusCode, got.body, c.status)
			}
		}
	})
}

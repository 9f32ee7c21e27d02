package notify

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"gatehouse/directory"
)

const (
	alreadyMember = `User id: %s already part of service id: %s`
	tooSmall      = "User cannot be removed from the service"
	tooFew        = "Cannot change user permissions - service would have too few users with manage_settings"
)

func TestMembersAreAddedChangedAndRemoved(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		ann, bob, cat := s.person("ann@example.gov.uk"), s.person("bob@example.com"), s.person("cat@example.com")
		id, other := s.service(t, "Passports", ann), s.service(t, "Other", ann)
		folder, foreign := s.folder(t, id, "A", nil), s.folder(t, other, "B", nil)
		users := "/service/" + id + "/users"
		of := func(u *directory.User) string { return users + "/" + u.ID.String() }
		permission := "/user/" + bob.ID.String() + "/service/" + id + "/permission"
		withFolders := func(folders string) string {
			return `{"permissions":[{"permission":"view_activity"}],"folder_permissions":` + folders + `}`
		}
		s.steps(t, []step{
			{"unknown service", "POST", "/service/" + nobody + "/users/" + bob.ID.String(), rights(), 404, noResult},
			{"service is no UUID", "POST", "/service/x/users/" + bob.ID.String(), rights(), 404, rule(notFoundText)},
			{"unknown user", "POST", users + "/" + nobody, rights(), 404, noResult},
			{"user is no UUID", "POST", users + "/x", rights(), 404, noResult},
			{"member already, before the body", "POST", of(ann), `[]`, 400, rule(fmt.Sprintf(alreadyMember, ann.ID, id))},
			{"null", "POST", of(bob), `null`, 400, schemaFaults("None is not of type object")},
			{"array", "POST", of(bob), `[]`, 400, schemaFaults("[] is not of type object")},
			{"empty", "POST", of(bob), `{}`, 400, schemaFaults("permissions is a required property")},
			{"permissions null", "POST", of(bob), `{"permissions":null}`, 400, schemaFaults("permissions None is not of type array")},
			{"permission a string", "POST", of(bob), `{"permissions":["x"]}`, 400, schemaFaults("permissions x is not of type object")},
			{"permission without its name", "POST", of(bob), `{"permissions":[{}]}`, 400, schemaFaults("permissions permission is a required property")},
			{"permission a number", "POST", of(bob), `{"permissions":[{"permission":1}]}`, 400, schemaFaults("permissions 1 is not of type string")},
			{"folders null", "POST", of(bob), `{"permissions":[],"folder_permissions":null}`, 400, schemaFaults("folder_permissions None is not of type array")},
			{"folder a number", "POST", of(bob), `{"permissions":[],"folder_permissions":[1.0]}`, 400, schemaFaults("folder_permissions 1.0 is not of type string")},
			{"strict", "POST", of(bob), `{"permissions":[],"zeta":1,"alpha":2}`, 400, schemaFaults("Additional properties are not allowed (alpha, zeta were unexpected)")},
			{"unknown permission", "POST", of(bob), rights("view_activity", "fly"), 404, noResult},
			{"folder is no UUID", "POST", of(bob), withFolders(`["x"]`), 404, noResult},
			{"folder of another service", "POST", of(bob), withFolders(`["` + foreign + `"]`), 404, noResult},
			{"unparsable", "POST", of(bob), `{`, 400, rule(notUnderstoodText)},
			{"nobody was added", "DELETE", of(bob), ``, 404, rule("User not found")},
			{"not a member yet", "POST", permission, rights(), 404, noResult},
			{"not a member, before the body", "POST", permission, `{`, 404, noResult},
			{"added", "POST", of(bob), withFolders(`["` + folder + `","` + nobody + `","` + folder + `"]`), 201, ``},
			{"added twice", "POST", of(bob), rights(), 400, rule(fmt.Sprintf(alreadyMember, bob.ID, id))},
			{"removed by who is unknown", "DELETE", users + "/" + nobody, ``, 404, noResult},
			{"removed with garbage", "DELETE", users + "/garbage", ``, 404, noResult},
			{"removed from an unknown service", "DELETE", "/service/" + nobody + "/users/" + bob.ID.String(), ``, 404, noResult},
			{"not a member", "DELETE", of(cat), ``, 404, rule("User not found")},
			{"the only manager", "DELETE", of(ann), ``, 400, rule(tooSmall)},
			{"wrong method", "GET", of(ann), ``, 405, rule(notAllowedText)},
			{"team of an unknown service", "GET", "/service/" + nobody + "/users", ``, 404, noResult},
			{"permissions missing", "POST", permission, `{}`, 400, schemaFaults("permissions is a required property")},
			{"permissions strict", "POST", permission, `{"permissions":[],"foo":1}`, 400, schemaFaults("Additional properties are not allowed (foo was unexpected)")},
			{"permission strings", "POST", permission, `{"permissions":["view_activity"]}`, 400, schemaFaults("permissions view_activity is not of type object")},
			{"unknown name", "POST", permission, rights("fly"), 404, noResult},
			{"foreign folder changes nothing", "POST", permission, `{"permissions":[],"folder_permissions":["` + foreign + `"]}`, 404, noResult},
			{"folder is no id", "POST", permission, `{"permissions":[],"folder_permissions":["x"]}`, 404, noResult},
			{"unknown user's permissions", "POST", "/user/" + nobody + "/service/" + id + "/permission", rights(), 404, noResult},
			{"permissions in an unknown service", "POST", "/user/" + bob.ID.String() + "/service/" + nobody + "/permission", rights(), 404, noResult},
			{"user of the permissions is no UUID", "POST", "/user/x/service/" + id + "/permission", rights(), 404, rule(notFoundText)},
			{"the only manager loses it", "POST", "/user/" + ann.ID.String() + "/service/" + id + "/permission", rights("view_activity"), 400, rule(tooFew)},
		})
		if diff := cmp.Diff([]string{"view_activity"}, s.permissionsIn(t, bob, id)); diff != "" {
			t.Errorf("after what was refused: %s", diff)
		}
		for _, c := range []struct {
			body        string
			permissions []string
			sees        bool
		}{
			{rights("manage_service", "view_activity"), []string{"manage_users", "manage_settings", "view_activity"}, true},
			{rights("send_messages"), []string{"send_texts", "send_emails", "send_letters"}, true},
			{rights("manage_templates", "manage_templates"), []string{"manage_templates"}, true},
			{withFolders(`[]`), []string{"view_activity"}, false},
			{withFolders(`["` + folder + `"]`), []string{"view_activity"}, true},
			{rights(), nil, true},
		} {
			t.Run(c.body, func(t *testing.T) {
				s.do(request{method: "POST", path: permission, body: c.body}).wantNothing(t)
				if diff := cmp.Diff(c.permissions, s.permissionsIn(t, bob, id)); diff != "" {
					t.Error(diff)
				}
				if sees := slices.Contains(s.folders(t, id)[folder].UsersWithPermission, bob.ID); sees != c.sees {
					t.Errorf("sees the folder: %t", sees)
				}
			})
		}
		s.do(request{method: "DELETE", path: of(bob), body: `{"created_by":"` + ann.ID.String() + `"}`}).wantNothing(t)
		if slices.Contains(s.folders(t, id)[folder].UsersWithPermission, bob.ID) {
			t.Error("somebody who was removed still sees the folder")
		}
	})
}

// permissionsIn returns what a user may do in a service, as their own route tells.
func (s *server) permissionsIn(t *testing.T, u *directory.User, service string) []string {
	t.Helper()
	r := s.do(request{method: "GET", path: "/user/" + u.ID.String()})
	return decode[struct {
		Data struct{ Permissions map[string][]string }
	}](t, r, 200).Data.Permissions[service]
}

func TestTeamListsMembersWhateverTheirState(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		ann := s.person("ann@example.com")
		pending, err := s.registry.CreateUser(t.Context(), directory.NewUser{Name: "Pat", EmailAddress: "pat@example.com"}, directory.Actor{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		id := s.service(t, "Passports", ann)
		s.join(t, id, pending, "view_activity")
		team := decode[struct {
			Data []struct {
				Name, State string
				Permissions map[string][]string
				Services    []string
			}
		}](t, s.do(request{method: "GET", path: "/service/" + id + "/users"}), 200).Data
		if len(team) != 2 {
			t.Fatalf("got %d members", len(team))
		}
		for _, m := range team {
			if len(m.Permissions[id]) == 0 || !slices.Equal(m.Services, []string{id}) || (m.Name == "Pat") != (m.State == "pending") {
				t.Errorf("got %+v", m)
			}
		}
	})
}

func TestMinimumTeamOverHTTP(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		var managers []*directory.User
		for i := range 3 {
			managers = append(managers, s.person(fmt.Sprintf("m%d@example.gov.uk", i)))
		}
		stranger := s.person("x@example.com")
		id := s.service(t, "Passports", managers[0])
		for _, u := range append(managers[1:], stranger) {
			s.join(t, id, u, "manage_service")
		}
		path := "/service/" + id
		remove := func(name string, u *directory.User, status int, want string) step {
			return step{name, "DELETE", path + "/users/" + u.ID.String(), ``, status, want}
		}
		demote := func(name string, u *directory.User, status int, want string) step {
			return step{name, "POST", "/user/" + u.ID.String() + "/service/" + id + "/permission", rights("view_activity"), status, want}
		}
		s.steps(t, []step{
			{"live", "POST", path, `{"restricted":false}`, 200, ``},
			demote("one of three", managers[0], 204, ``),
			demote("one of two", managers[1], 400, rule(tooFew)),
			remove("one of two", managers[1], 400, rule(tooSmall)),
			remove("who manages nothing any more", managers[0], 204, ``),
			demote("no government address", stranger, 204, ``),
			{"on trial again", "POST", path, `{"restricted":true}`, 200, ``},
			{"asks to go live", "POST", path, `{"has_active_go_live_request":true}`, 200, ``},
			remove("one of two with a request", managers[1], 400, rule(tooSmall)),
			{"asks no more", "POST", path, `{"has_active_go_live_request":false}`, 200, ``},
			remove("one of two on trial", managers[1], 204, ``),
			remove("the last one", managers[2], 400, rule(tooSmall)),
			demote("the last one", managers[2], 400, rule(tooFew)),
			remove("somebody else", stranger, 204, ``),
			remove("the only member", managers[2], 400, rule(tooSmall)),
		})
	})
}

func TestDomainsOfOrganisationsAreGovernment(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		ann, bob := s.person("ann@charity.example"), s.person("bob@it.charity.example")
		id := s.service(t, "Passports", ann)
		s.join(t, id, bob, "manage_settings")
		o, err := s.registry.CreateOrganisation(t.Context(), directory.NewOrganisation{Name: "Charity", Type: directory.Other}, directory.Actor{})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.registry.Store.ReplaceDomains(t.Context(), o.ID, []string{"charity.example"}); err != nil {
			t.Fatal(err)
		}
		s.steps(t, []step{
			{"live", "POST", "/service/" + id, `{"restricted":false}`, 200, ``},
			{"two are needed", "DELETE", "/service/" + id + "/users/" + bob.ID.String(), ``, 400, rule(tooSmall)},
		})
	})
}

// TestManagersCannotAllLeaveAtOnce removes, and demotes, every manager at the
// same moment: exactly as many succeed as the rule allows.
func TestManagersCannotAllLeaveAtOnce(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		for _, live := range []bool{false, true} {
			for round := range 3 {
				name := fmt.Sprintf("live %t, round %d", live, round)
				t.Run(name, func(t *testing.T) {
					var managers []*directory.User
					for i := range 4 {
						managers = append(managers, s.person(fmt.Sprintf("m%d.%t.%d@example.gov.uk", i, live, round)))
					}
					id := s.service(t, name, managers[0])
					for _, u := range managers[1:] {
						s.join(t, id, u, "manage_service")
					}
					s.do(request{method: "POST", path: "/service/" + id, body: fmt.Sprintf(`{"restricted":%t}`, !live)})
					minimum := 1
					if live {
						minimum = 2
					}
					answers := s.atOnce(len(managers), func(i int) response {
						u := managers[i].ID.String()
						if i%2 == 0 {
							return s.do(request{method: "DELETE", path: "/service/" + id + "/users/" + u})
						}
						return s.do(request{method: "POST", path: "/user/" + u + "/service/" + id + "/permission", body: rights("view_activity")})
					})
					gone := 0
					for _, r := range answers {
						switch r.StatusCode {
						case http.StatusNoContent:
							gone++
						case http.StatusBadRequest:
						default:
							t.Errorf("got %d %s", r.StatusCode, r.body)
						}
					}
					if gone != len(managers)-minimum {
						t.Errorf("%d of %d managers left, and %d must stay", gone, len(managers), minimum)
					}
				})
			}
		}
	})
}

func TestOneOfTwoAddsAMember(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		ann, bob := s.person("ann@example.com"), s.person("bob@example.com")
		id := s.service(t, "Passports", ann)
		answers := s.atOnce(4, func(int) response {
			return s.do(request{method: "POST", path: "/service/" + id + "/users/" + bob.ID.String(), body: rights("view_activity")})
		})
		added := 0
		for _, r := range answers {
			if r.StatusCode == http.StatusCreated {
				added++
			} else {
				r.want(t, 400, rule(fmt.Sprintf(alreadyMember, bob.ID, id)))
			}
		}
		if added != 1 {
			t.Errorf("added %d times", added)
		}
	})
}

// folder creates a template folder over HTTP and returns its id.
func (s *server) folder(t *testing.T, service, name string, parent *string) string {
	t.Helper()
	above := "null"
	if parent != nil {
		above = `"` + *parent + `"`
	}
	r := s.do(request{method: "POST", path: "/service/" + service + "/template-folder", body: fmt.Sprintf(`{"name":%q,"parent_id":%s}`, name, above)})
	return decode[struct{ Data struct{ ID string } }](t, r, 201).Data.ID
}

type shownFolder struct {
	ID, Name            string
	ParentID            *string     `json:"parent_id"`
	UsersWithPermission []uuid.UUID `json:"users_with_permission"`
}

func (s *server) folders(t *testing.T, service string) map[string]shownFolder {
	t.Helper()
	r := s.do(request{method: "GET", path: "/service/" + service + "/template-folder"})
	all := map[string]shownFolder{}
	for _, f := range decode[struct {
		Folders []shownFolder `json:"template_folders"`
	}](t, r, 200).Folders {
		all[f.ID] = f
	}
	return all
}

func TestFolders(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		ann, bob := s.person("ann@example.com"), s.person("bob@example.com")
		id, other := s.service(t, "Passports", ann), s.service(t, "Other", bob)
		s.join(t, id, bob, "view_activity")
		base := "/service/" + id + "/template-folder"
		a := s.folder(t, id, "  A ", nil)
		foreign := s.folder(t, other, "F", nil)
		s.do(request{method: "POST", path: base + "/" + a, body: `{"name":"A","users_with_permission":["` + ann.ID.String() + `"]}`})
		b := s.folder(t, id, "B", &a)
		c := s.folder(t, id, "C", &b)
		all := s.folders(t, id)
		if all[a].Name != "A" || all[a].ParentID != nil || *all[b].ParentID != a || !slices.Equal(all[c].UsersWithPermission, []uuid.UUID{ann.ID}) {
			t.Errorf("got %+v", all)
		}
		d := s.folder(t, id, "D", nil)
		if users := s.folders(t, id)[d].UsersWithPermission; len(users) != 2 {
			t.Errorf("a folder at the top is seen by %v", users)
		}
		move := func(folders string) string { return `{"templates":[],"folders":[` + folders + `]}` }
		quoted := func(id string) string { return `"` + id + `"` }
		noName := "name is a required property"
		s.steps(t, []step{
			{"list of an unknown service", "GET", "/service/" + nobody + "/template-folder", ``, 404, noResult},
			{"create: empty", "POST", base, `{}`, 400, schemaFaults(noName, "parent_id is a required property")},
			{"create: null", "POST", base, `null`, 400, schemaFaults("None is not of type object")},
			{"create: empty name", "POST", base, `{"name":"","parent_id":null}`, 400, schemaFaults("name  should be non-empty")},
			{"create: blank name", "POST", base, `{"name":"  ","parent_id":null}`, 400, schemaFaults("name    should be non-empty")},
			{"create: name null", "POST", base, `{"name":null,"parent_id":null}`, 400, schemaFaults("name None is not of type string")},
			{"create: parent no UUID", "POST", base, `{"name":"x","parent_id":"7"}`, 400, schemaFaults("parent_id is not a valid UUID")},
			{"create: parent unknown", "POST", base, `{"name":"x","parent_id":"` + nobody + `"}`, 400, rule("parent_id not found")},
			{"create: parent foreign", "POST", base, `{"name":"x","parent_id":"` + foreign + `"}`, 400, rule("parent_id not found")},
			{"create: unknown service", "POST", "/service/" + nobody + "/template-folder", `{"name":"x","parent_id":null}`, 404, noResult},
			{"change: empty", "POST", base + "/" + a, `{}`, 400, schemaFaults(noName)},
			{"change: unknown", "POST", base + "/" + nobody, `{"name":"x"}`, 404, noResult},
			{"change: foreign", "POST", base + "/" + foreign, `{"name":"x"}`, 404, noResult},
			{"change: no UUID", "POST", base + "/x", `{"name":"x"}`, 404, rule(notFoundText)},
			{"change: not a member", "POST", base + "/" + a, `{"name":"x","users_with_permission":["` + nobody + `"]}`, 404, noResult},
			{"change: user no UUID", "POST", base + "/" + a, `{"name":"x","users_with_permission":["7"]}`, 400, schemaFaults("users_with_permission is not a valid UUID")},
			{"change: users null", "POST", base + "/" + a, `{"name":"x","users_with_permission":null}`, 400, schemaFaults("users_with_permission None is not of type array")},
			{"change: nobody sees it", "POST", base + "/" + a, `{"name":"A2","users_with_permission":[]}`, 200, ``},
			{"change: the name alone", "POST", base + "/" + a, `{"name":"A3"}`, 200, ``},
			{"delete: not empty", "DELETE", base + "/" + a, ``, 400, rule("Folder is not empty")},
			{"delete: unknown", "DELETE", base + "/" + nobody, ``, 404, noResult},
			{"delete: foreign", "DELETE", base + "/" + foreign, ``, 404, noResult},
			{"move: empty", "POST", base + "/contents", `{}`, 400, schemaFaults("templates is a required property", "folders is a required property")},
			{"move: no ids", "POST", base + "/contents", `{"templates":["7"],"folders":[8]}`, 400, schemaFaults("templates is not a valid UUID", "folders is not a valid UUID")},
			{"move: into itself", "POST", base + "/" + a + "/contents", move(quoted(a)), 400, rule("You cannot move a folder to itself")},
			{"move: into a subfolder", "POST", base + "/" + b + "/contents", move(quoted(a)), 400, rule("You cannot move a folder to one of its subfolders")},
			{"move: into one far below", "POST", base + "/" + c + "/contents", move(quoted(a)), 400, rule("You cannot move a folder to one of its subfolders")},
			{"move: unknown", "POST", base + "/contents", move(quoted(nobody)), 400, rule("No folder found with id " + nobody + " for service " + id)},
			{"move: foreign", "POST", base + "/contents", move(quoted(c) + "," + quoted(foreign)), 400, rule("No folder found with id " + foreign + " for service " + id)},
			{"move: no template is kept here", "POST", base + "/contents", `{"templates":["` + nobody + `"],"folders":[]}`, 400, rule("Could not move to folder: No template found with id " + nobody + " for service " + id)},
			{"move: target unknown", "POST", base + "/" + nobody + "/contents", move(``), 404, noResult},
			{"move: nothing", "POST", base + "/contents", move(``), 204, ``},
			{"move: to the top", "POST", base + "/contents", move(quoted(b)), 204, ``},
			{"move: the parent under its former child", "POST", base + "/" + c + "/contents", move(quoted(a)), 204, ``},
			{"delete", "DELETE", base + "/" + a, ``, 204, ``},
			{"delete twice", "DELETE", base + "/" + a, ``, 404, noResult},
		})
		if after := s.folders(t, id); after[b].ParentID != nil || *after[c].ParentID != b {
			t.Errorf("got %+v", after)
		}
	})
}

// TestFoldersCannotMoveIntoEachOther moves two folders into each other at once.
func TestFoldersCannotMoveIntoEachOther(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		id := s.service(t, "Passports", s.person("ann@example.com"))
		a, b := s.folder(t, id, "A", nil), s.folder(t, id, "B", nil)
		pairs := [][2]string{{a, b}, {b, a}}
		answers := s.atOnce(2, func(i int) response {
			return s.do(request{
				method: "POST", path: "/service/" + id + "/template-folder/" + pairs[i][0] + "/contents",
				body: `{"templates":[],"folders":["` + pairs[i][1] + `"]}`,
			})
		})
		if answers[0].StatusCode == answers[1].StatusCode {
			t.Errorf("got %d and %d", answers[0].StatusCode, answers[1].StatusCode)
		}
	})
}

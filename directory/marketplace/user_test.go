package marketplace

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse/directory"
)

// example is a value for each field that can be written, made of the struct.
func example() map[string]any {
	all := map[string]any{}
	for name, field := range dataFields(&directory.ProfileData{}) {
		switch field.(type) {
		case **int64:
			all[name] = json.Number("12")
		case **bool:
			all[name] = true
		case **time.Time:
			all[name] = "1985-06-07T17:32:28Z"
		default:
			all[name] = "the " + name
		}
	}
	all["email"] = "Ada@Example.com"
	all["meta"] = map[string]any{"a": map[string]any{"b": json.Number("1.50")}, "c": nil}
	return all
}

func encode(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestEveryFieldIsKeptAndShown(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		all := example()
		delete(all["meta"].(map[string]any), "c")
		// What the partner knew before is taken with a new user, and not later.
		all["visits"], all["last_visited"], all["associated_cp_user"] = json.Number("7"), "2025-12-31T23:59:59Z", "customer 12"
		created := s.want(200, "owner", "POST", "/users", encode(t, all))
		id := created["id"].(string)
		all["id"], all["created"], all["updated"] = id, "2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"
		for what, got := range map[string]map[string]any{"created": created, "read": s.want(200, "owner", "GET", "/users/"+id, "")} {
			if diff := cmp.Diff(all, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", what, diff)
			}
		}
		// Every key is there of a user of whom hardly anything is known, too.
		bare := s.want(200, "owner", "POST", "/users", `{"first_name":"A","surname":"B","email":"b@example.com","anon_user_id":"visitor 7"}`)
		for name := range all {
			if _, there := bare[name]; !there {
				t.Errorf("no key %s", name)
			}
		}
		if len(bare) != len(all) {
			t.Errorf("%d keys, want %d", len(bare), len(all))
		}
	})
}

// TestMassAssignment D06 sends every field that is not writable, and every one
// with a value of another type.
func TestMassAssignment(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		id := s.create("ada@example.com")
		before := s.do("owner", "GET", "/users/"+id, "").body
		refused := []string{"partner_id", "version", "key_id", "email_normalised", "Email", "cp_user_id", "root_user_id", ""}
		refused = append(refused, notWritable...)
		ours := slices.Concat(notWritable, notChanged, []string{associatedField, "unreadable"})
		for field := range reflect.TypeFor[user]().Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if name != "" && !slices.Contains(ours, name) {
				t.Errorf("%s is neither data nor refused", name)
			}
		}
		wrong := map[string]string{"visits": "1.5", "last_visited": `"yesterday"`, associatedField: "7", "unreadable": "true"}
		for _, name := range refused {
			wrong[name] = `"2026-01-31T12:00:00Z"`
		}
		for name := range example() {
			wrong[name] = `[1]`
		}
		for name, value := range wrong {
			member := encode(t, name) + ":" + value
			bodies := map[string]string{"/users/" + id: `{` + member + `}`}
			if !slices.Contains([]string{"first_name", "surname", "email"}, name) {
				bodies["/users"] = `{"first_name":"A","surname":"B","email":"b@example.com",` + member + `}`
			}
			for path, body := range bodies {
				if got := pointers(s.want(400, "owner", "POST", path, body)); !slices.Equal(got, []string{"#/" + name}) {
					t.Errorf("%s: faults %q, want %q alone", path, got, name)
				}
			}
		}
		for _, member := range []string{`"anon_user_id":"x"`, `"visits":1`, `"last_visited":null`} {
			s.want(400, "owner", "POST", "/users/"+id, `{`+member+`}`)
		}
		if after := s.do("owner", "GET", "/users/"+id, "").body; after != before {
			t.Errorf("changed from %s to %s", before, after)
		}
	})
}

func TestFaultyFieldsAreNamed(t *testing.T) {
	long := strings.Repeat("x", 256)
	meta := `{"first_name":"A","surname":"B","email":"b@example.com","meta":{"x":"` + strings.Repeat("x", 16<<10) + `"}}`
	eachServer(t, func(t *testing.T, s *server) {
		for body, want := range map[string]string{
			`{}`: "#/email #/first_name #/surname",
			`{"first_name":" ","surname":null,"email":"nobody"}`:                                                         "#/email #/first_name #/surname",
			`{"first_name":"` + long + `","surname":"a\u0000b","email":"b@example.com"}`:                                 "#/first_name #/surname",
			`{"first_name":"A","surname":"B","email":"b@example.com","dob":"1985-06-07"}`:                                "#/dob",
			`{"first_name":"A","surname":"B","email":"b@example.com","number_of_units_per_week":-1}`:                     "#/number_of_units_per_week",
			`{"first_name":"A","surname":"B","email":"b@example.com","number_of_units_per_week":1.5}`:                    "#/number_of_units_per_week",
			`{"first_name":"A","surname":"B","email":"b@example.com","terms_conditions":"yes","a/b~":1}`:                 "#/a~1b~0 #/terms_conditions",
			`{"first_name":"A","surname":"B","email":"b@example.com","anon_user_id":"\u0000"}`:                           "#/anon_user_id",
			`{"first_name":"A","surname":"B","email":"b@example.com","partner_dob":"0001-01-01T00:00:00+23:00"}`:         "#/partner_dob",
			`{"first_name":"A","surname":"B","email":"b@example.com","meta":[],"visits":-1,"passport_number":12345678}`:  "#/meta #/passport_number",
			`{"first_name":"A","surname":"B","email":"b@example.com","visits":-1,"last_visited":"2026-01-31T12:00:01Z"}`: "#/last_visited #/visits",
			`{"first_name":"A","surname":"B","email":"b@example.com","associated_cp_user":"` + long[:201] + `"}`:         "#/associated_cp_user",
			meta: "#/meta",
		} {
			if got := strings.Join(pointers(s.want(400, "owner", "POST", "/users", body)), " "); got != want {
				t.Errorf("%.90s: faults %s, want %s", body, got, want)
			}
		}
		for _, body := range []string{`[]`, `{`, `{"first_name":"A","first_name":"B"}`, `{"meta":{"a":1,"a":2}}`} {
			s.want(400, "owner", "POST", "/users", body)
		}
		s.want(415, "owner", "POST", "/users", "")
		s.want(413, "owner", "POST", "/users", `{"first_name":"`+strings.Repeat("x", 1<<20)+`"}`)
		if total := s.want(200, "owner", "GET", "/users", "")["total"]; total != json.Number("0") {
			t.Errorf("%v users", total)
		}
	})
}

func TestUpdateChangesWhatItNames(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		created := s.want(200, "owner", "POST", "/users", encode(t, example()))
		id := created["id"].(string)
		pseudonym := s.consent(id, "consented", "")
		s.now = s.now.Add(time.Minute)
		s.want(200, "owner", "POST", "/users/"+id, `{"title":null,"dob":null,"surname":"King","email":"countess@example.com","meta":{"a":null,"d":[1]}}`)
		changed := s.want(200, "consented", "POST", "/users/"+pseudonym, `{"postcode":"E1 6AN","meta":{"e":true},"passport_number":"123"}`)
		want := created
		want["title"], want["dob"], want["surname"], want["email"] = nil, nil, "King", "countess@example.com"
		want["postcode"], want["passport_number"], want["updated"] = "E1 6AN", "123", "2026-01-31T12:01:00Z"
		want["meta"] = map[string]any{"d": []any{json.Number("1")}, "e": true}
		if diff := cmp.Diff(want, s.want(200, "owner", "GET", "/users/"+id, "")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if changed["id"] != pseudonym || changed["associated_cp_user"] != pseudonym || changed["postcode"] != "E1 6AN" {
			t.Errorf("the provider is shown %v", changed)
		}
		if meta := s.want(200, "owner", "POST", "/users/"+id, `{"meta":null}`)["meta"]; len(meta.(map[string]any)) != 0 {
			t.Errorf("meta is %v", meta)
		}
		// By the address a profile finds its person.
		if got := pointers(s.want(400, "consented", "POST", "/users/"+id, `{"email":"mallory@example.com"}`)); !slices.Equal(got, []string{"#/email"}) {
			t.Errorf("faults %q", got)
		}
	})
}

// TestAssociatedUserIsTheCallersOwn is a partner's reference, which no provider is
// shown, and a provider's cp_user_id, which it cannot change.
func TestAssociatedUserIsTheCallersOwn(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		id := s.create("ada@example.com")
		pseudonym := s.consent(id, "consented", "")
		owners := s.want(200, "owner", "POST", "/users/"+id, `{"associated_cp_user":"customer 12"}`)
		providers := s.want(200, "consented", "POST", "/users/"+id, `{"associated_cp_user":"`+pseudonym+`","title":"Dr"}`)
		if owners["associated_cp_user"] != "customer 12" || providers["associated_cp_user"] != pseudonym {
			t.Errorf("the owner is shown %v, the provider %v", owners["associated_cp_user"], providers["associated_cp_user"])
		}
		for _, other := range []string{`"customer 12"`, `null`, `"` + id + `"`} {
			if got := pointers(s.want(400, "consented", "POST", "/users/"+id, `{"associated_cp_user":`+other+`}`)); !slices.Equal(got, []string{"#/associated_cp_user"}) {
				t.Errorf("%s: faults %q", other, got)
			}
		}
		if kept := s.want(200, "owner", "GET", "/users/"+id, ""); kept["associated_cp_user"] != "customer 12" {
			t.Errorf("the owner is shown %v", kept["associated_cp_user"])
		}
		if cleared := s.want(200, "owner", "POST", "/users/"+id, `{"associated_cp_user":null}`); cleared["associated_cp_user"] != nil {
			t.Errorf("cleared to %v", cleared["associated_cp_user"])
		}
	})
}

func TestAddressIsUniqueWithinAPartner(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		id, other := s.create("ada@example.com"), s.create("charles@example.com")
		conflict := s.want(409, "owner", "POST", "/users", `{"first_name":"A","surname":"B","email":"ADA@example.COM"}`)
		if conflict["id"] != id {
			t.Errorf("conflict tells %v, want %s", conflict["id"], id)
		}
		if s.want(409, "owner", "POST", "/users/"+other, `{"email":"Ada@example.com"}`)["id"] != id {
			t.Error("an update does not tell whose address it is")
		}
		s.want(200, "rival", "POST", "/users", minimal)
		s.want(200, "owner", "POST", "/users/"+id, `{"email":"ADA@example.com"}`)
	})
}

func TestOneOfManyCreatesOfAnAddressWins(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		counts := s.race(64, func(int) response { return s.do("owner", "POST", "/users", minimal) })
		if counts[200] != 1 || counts[409] != 63 {
			t.Errorf("answers %v, want one 200 and 63 409", counts)
		}
		if total := s.want(200, "owner", "GET", "/users", "")["total"]; total != json.Number("1") {
			t.Errorf("total %v", total)
		}
	})
}

// TestConcurrentUpdatesAreNotLost sends changes of different fields at once.
func TestConcurrentUpdatesAreNotLost(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		id := s.create("ada@example.com")
		s.race(16, func(i int) response {
			return s.do("owner", "POST", "/users/"+id, fmt.Sprintf(`{"meta":{"k%d":%d}}`, i, i))
		})
		if meta := s.want(200, "owner", "GET", "/users/"+id, "")["meta"]; len(meta.(map[string]any)) != 16 {
			t.Errorf("meta %v", meta)
		}
	})
}

// race does n requests at once and counts their statuses.
func (s *server) race(n int, request func(i int) response) map[int]int {
	var ready, done sync.WaitGroup
	var mu sync.Mutex
	counts := map[int]int{}
	start := make(chan struct{})
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			<-start
			res := request(i)
			mu.Lock()
			defer mu.Unlock()
			counts[res.status]++
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
	return counts
}

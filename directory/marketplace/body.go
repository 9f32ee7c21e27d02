package marketplace

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"gatehouse/directory"
	"gatehouse/internal/web"
)

// body is the JSON object of a request, of which members are taken one by one,
// so that every fault is found and none is written half.
type body struct {
	members map[string]json.RawMessage
	faults  directory.ProfileFaults
}

func readBody(r *http.Request) (*body, error) {
	b := &body{}
	return b, web.ReadJSON(r, &b.members, false)
}

// has reports whether a member is there, be it null.
func (b *body) has(name string) bool {
	_, ok := b.members[name]
	return ok
}

// take decodes a member into a pointer, when it is there; null clears.
func (b *body) take(name string, into any) {
	if value, ok := b.members[name]; ok {
		b.faults.Add(web.DecodeJSON(value, into, false) != nil, name, "must be "+wanted(reflect.TypeOf(into).Elem()))
		delete(b.members, name)
	}
}

// refuse finds fault with members that cannot be written here.
func (b *body) refuse(reason string, names ...string) {
	for _, name := range names {
		b.faults.Add(b.has(name), name, reason)
		delete(b.members, name)
	}
}

// err finds fault with what nobody has taken, and returns every fault.
func (b *body) err() error {
	for name := range b.members {
		b.faults.Add(true, pointerEscape.Replace(name), "is not known")
	}
	return b.faults.Err()
}

// pointerEscape spells a name in a JSON Pointer (RFC 6901 section 3).
var pointerEscape = strings.NewReplacer("~", "~0", "/", "~1")

// wanted says what a member's value must be.
func wanted(t reflect.Type) string {
	if t.Kind() == reflect.Pointer {
		return wanted(t.Elem()) + " or null"
	}
	switch {
	case t == reflect.TypeFor[time.Time]():
		return "a date and time as in RFC 3339"
	case t.Kind() == reflect.Int64:
		return "a whole number"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Map:
		return "an object"
	default:
		return "a string"
	}
}

// The members of a user that are ours to say: always, and once it was created.
var (
	notWritable = []string{"id", "created", "updated"}
	notChanged  = []string{"visits", "last_visited"}
)

// profile takes what a body says of a user's data and returns the names of the
// members that it had.
func (b *body) profile(data *directory.ProfileData) []string {
	b.refuse("cannot be written", notWritable...)
	var names []string
	for name, field := range dataFields(data) {
		if b.has(name) {
			names = append(names, name)
			b.take(name, field)
		}
	}
	if b.has("meta") {
		names = append(names, "meta")
		b.meta(&data.Meta)
	}
	data.Email = strings.TrimSpace(data.Email)
	slices.Sort(names)
	return names
}

// meta merges the object meta into what there is; null empties it.
func (b *body) meta(into *json.RawMessage) {
	var change map[string]json.RawMessage
	text := b.members["meta"]
	b.take("meta", &change)
	merged := json.RawMessage("{}")
	if change != nil {
		var err error
		merged, err = directory.MergeMeta(*into, text)
		b.faults.Add(err != nil, "meta", "must be an object")
	}
	*into = merged
}

// dataFields are the members of a user's data that can be written, but for meta,
// with pointers to them: the struct itself says which there are.
func dataFields(data *directory.ProfileData) map[string]any {
	all := map[string]any{}
	for _, part := range []any{&data.ProfileDetails, &data.ProfileSecrets} {
		v := reflect.ValueOf(part).Elem()
		for i := range v.NumField() {
			all[v.Type().Field(i).Tag.Get("json")] = v.Field(i).Addr().Interface()
		}
	}
	all["email"] = &data.Email
	return all
}

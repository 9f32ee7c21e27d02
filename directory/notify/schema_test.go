package notify

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// everything uses each keyword that the dialect's routes need.
var everything = schema{
	types: []string{"object"}, strict: true, required: []string{"name", "id"},
	properties: []property{
		{"name", schema{types: []string{"string"}, nonEmpty: true, maxLength: 5}},
		{"id", schema{types: []string{"string"}, uuid: true}},
		{"parent", nullableID},
		{"count", schema{types: []string{"integer"}}},
		{"rate", schema{types: []string{"number", "null"}}},
		{"contacts", schema{types: []string{"array"}, nonEmpty: true, items: &schema{types: []string{"string"}}}},
		{"permissions", schema{types: []string{"array"}, items: &schema{
			types: []string{"object"}, strict: true, required: []string{"permission"},
			properties: []property{{"permission", schema{types: []string{"string"}}}},
		}}},
	},
}

func TestSchemaFaultsAreWordedAsUpstreamWordsThem(t *testing.T) {
	const id = `"id":"D6AA2C68-a2d9-4437-ab19-3ae8eb202553"`
	cases := []struct {
		name, body string
		want       []string
	}{
		{"good", `{"name":"it's",` + id + `,"parent":null,"count":2.0,"rate":1e3,"contacts":["x"],"permissions":[{"permission":"p"}]}`, nil},
		{"what is missing", `{}`, []string{"name is a required property", "id is a required property"}},
		{"one too many", `{"name":"a",` + id + `,"foo":1}`, []string{"Additional properties are not allowed (foo was unexpected)"}},
		{"some too many", `{"name":"a",` + id + `,"zeta":1,"alpha":2}`, []string{"Additional properties are not allowed (alpha, zeta were unexpected)"}},
		{"no UUID", `{"name":"a","id":7,"parent":"d6aa2c68a2d94437ab193ae8eb202553"}`, []string{"id is not a valid UUID", "parent is not a valid UUID"}},
		{"too long", `{"name":"abcdef",` + id + `}`, []string{"name abcdef is too long"}},
		{"integer", `{"name":"a",` + id + `,"count":1.5}`, []string{"count 1.5 is not of type integer"}},
		{"boolean is no number", `{"name":"a",` + id + `,"count":true,"rate":false}`, []string{"count True is not of type integer", "rate False is not of type number, null"}},
		{"empty array", `{"name":"a",` + id + `,"contacts":[]}`, []string{"contacts [] should be non-empty"}},
		{"only the first element of a path", `{"name":"a",` + id + `,"permissions":["x",{"permission":1},{"no":1}]}`, []string{
			"permissions x is not of type object", "permissions 1 is not of type string", "permissions permission is a required property",
			"permissions Additional properties are not allowed (no was unexpected)",
		}},
		{"the same twice", `{"name":"a",` + id + `,"contacts":[1,1]}`, []string{"contacts 1 is not of type string"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			v, err := parseValue([]byte(c.body))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, messages(everything.validate(v))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func messages(err error) []string {
	fault, ok := errors.AsType[body](err)
	if !ok {
		return nil
	}
	var texts []string
	for _, e := range fault.json.(schemaBody).Errors {
		texts = append(texts, e.Message)
	}
	return texts
}

func TestValuesAreShownAsPythonShowsThem(t *testing.T) {
	cases := []struct{ json, want string }{
		{`null`, `None`}, {`true`, `True`}, {`false`, `False`}, {`[]`, `[]`}, {`{}`, `{}`},
		{`[1,"a",null]`, `[1, a, None]`},
		{`{"b":1,"a":{"c":[true]}}`, `{b: 1, a: {c: [True]}}`},
		{`""`, ``}, {`"it's"`, `"its"`}, {`"it's \"so\""`, `it\s "so"`}, {`"say \"so\""`, `say "so"`},
		{`"a\\b\n\t\r\u0001\u00e9\u200b\ue000\ud83d\ude00\udb40\udc01"`, `a\\b\n\t\r\x01é\u200b\ue000😀\U000e0001`},
		{`0`, `0`}, {`-0`, `0`}, {`12345678901234567890123`, `12345678901234567890123`},
		{`1.0`, `1.0`}, {`1.50`, `1.5`}, {`-0.0`, `-0.0`}, {`0.0001`, `0.0001`}, {`0.00001`, `1e-05`}, {`1e15`, `1000000000000000.0`},
		{`1e16`, `1e+16`}, {`1.5E300`, `1.5e+300`}, {`1e999`, `inf`}, {`-1e999`, `-inf`},
	}
	for _, c := range cases {
		v, err := parseValue([]byte(c.json))
		if err != nil {
			t.Fatalf("%s: %v", c.json, err)
		}
		if got := show(v); got != c.want {
			t.Errorf("%s is shown as %s, want %s", c.json, got, c.want)
		}
	}
}

func FuzzParseValue(f *testing.F) {
	for _, seed := range []string{`{"a":[1,2.5e3,null,true,"é\u2019"]}`, `"\ud83d\ude00'"`, `[[[]]]`, `{"a":1,"a":2}`, ``, "\xff"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := parseValue(text)
		if err != nil {
			return
		}
		show(v)
		_ = everything.validate(v)
		if form, err := newForm(v); err == nil {
			form.text("a", required, validName)
			form.flag("b", true)
		}
	})
}

func FuzzReadJWT(f *testing.F) {
	f.Add(internalJWT(secretOne, nil))
	f.Add("..")
	f.Add("e30.e30.e30")
	f.Fuzz(func(t *testing.T, token string) {
		if jwt, ok := readJWT(token); ok && !jwt.signedWith(secretOne) && jwt.signedWith("") {
			t.Error("the empty secret signed a token")
		}
	})
}

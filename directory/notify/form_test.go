package notify

import "testing"

func TestBooleansHaveMarshmallowsSpellings(t *testing.T) {
	cases := []struct {
		json      string
		value, ok bool
	}{
		{`true`, true, true}, {`false`, false, true}, {`"true"`, true, true}, {`"FALSE"`, false, true}, {`"1"`, true, true},
		{`0`, false, true}, {`1`, true, true}, {`1.0`, true, true}, {`"off"`, false, true}, {`"Yes"`, true, true},
		{`2`, false, false}, {`"maybe"`, false, false}, {`""`, false, false}, {`[]`, false, false}, {`{}`, false, false},
	}
	for _, c := range cases {
		v, err := parseValue([]byte(c.json))
		if err != nil {
			t.Fatal(err)
		}
		if value, ok := truth(v); value != c.value || ok != c.ok {
			t.Errorf("%s is %t, %t; want %t, %t", c.json, value, ok, c.value, c.ok)
		}
	}
}

func TestEscapeLeavesOnlyASCII(t *testing.T) {
	if got, want := string(escape([]byte("é’😀<\x7f"))), `\u00e9\u2019\ud83d\ude00<`+"\x7f"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

package directory

import "testing"

func TestWordingIsInTheLanguageOfTheReader(t *testing.T) {
	for _, c := range []struct {
		in            map[string]string
		welsh, either string
	}{
		{nil, "Shop", "Shop"},
		{map[string]string{"cy": "Siop"}, "Siop", "Shop"},
		{map[string]string{"CY": "Siop", "en": "The shop"}, "Siop", "The shop"},
		{map[string]string{"cy-GB": "Siop Prydain", "cy-AR": "Siop Patagonia", "fr": "Boutique"}, "Siop Patagonia", "Shop"},
		{map[string]string{"cy-AR": "Siop Patagonia", "Cy": "Siop", "en-GB": "Shop!"}, "Siop", "Shop!"},
		{map[string]string{"cym": "Siop", "": "nothing"}, "Shop", "Shop"},
	} {
		w := Wording{Plain: "Shop", In: c.in}
		if w.For(Welsh) != c.welsh || w.For(English) != c.either {
			t.Errorf("%v: %q in Welsh, %q in English", c.in, w.For(Welsh), w.For(English))
		}
	}
	if got := (Wording{Plain: "Shop", In: map[string]string{"fr": "Boutique"}}).For(""); got != "Shop" {
		t.Errorf("in no language: %q", got)
	}
}

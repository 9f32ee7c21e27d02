package directory

import (
	"errors"
	"strings"
	"testing"
)

func TestAddressIsReadAsTheNotifyAPIReadsIt(t *testing.T) {
	good := []string{
		"john.smith@example.gov.uk", "a@b.co", ".dot@example.com", "dot.@example.com", "x+tag@example.com", "o'neill@example.com",
		"!#$%&'*+/=?^_`{|}~-@example.com", "a@double--hyphen.com", "a@ab--cd.com", "a@xn--fiqs8s.xn--fiqs8s", "a@例え.テスト", "a@EXAMPLE.COM",
		" a@example.com ", "a@exam\u200bple.com", "a@1.example.museum", strings.Repeat("a", 240) + "@example.com",
	}
	bad := []string{
		"", "a", "@example.com", "a@", "a@b", "a@@example.com", "a@b@example.com", "a b@example.com", "a@exa mple.com", "a..b@example.com",
		"a@example..com", "a@.example.com", "a@example.com.", "a@-example.com", "a@example-.com", "a@exa_mple.com", "a@example.c", "a@example.123",
		"a@[127.0.0.1]", "a@127.0.0.1", `"a"@example.com`, "Victim <attacker@evil.example>", "a@example.com\nBcc: b@example.com", "é@example.com",
		"а@example.com", "a@" + strings.Repeat("a", 64) + ".com", "a@" + strings.Repeat("abc.", 64) + "com", strings.Repeat("a", 320) + "@example.com", "a@exam\x00ple.com",
	}
	for _, address := range good {
		if err := ValidateEmail(address); err != nil {
			t.Errorf("%q is refused: %v", address, err)
		}
	}
	for _, address := range bad {
		if err := ValidateEmail(address); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q is accepted", address)
		}
	}
}

func TestGovernmentAddressIsKnownByItsDomain(t *testing.T) {
	own := []string{"Council.Example"}
	for address, want := range map[string]bool{
		"a@gov.uk": true, "a@x.y.gov.uk": true, "A@DIGITAL.CABINET-OFFICE.GOV.UK": true, "a@nhs.net": true, "a@council.example": true,
		"a@sub.council.example": true, "a@notgov.uk": false, "a@gov.uk.example": false, "a@notcouncil.example": false, "gov.uk": false, "": false,
	} {
		if got := GovernmentAddress(address, own); got != want {
			t.Errorf("%q: %t, want %t", address, got, want)
		}
	}
}

// TestNobodyLooksLikeAlice (U12): a twin of a username is refused, one of an address
// is the same address or is shown with a domain that looks like nothing else.
func TestNobodyLooksLikeAlice(t *testing.T) {
	for _, username := range []string{"alice", "ALICE", "Siân", "dŵr", "zoë.müller", "o'neill", "a-b_c.d+1", "i\u0302an"} {
		if !ValidUsername(username) {
			t.Errorf("%q is refused", username)
		}
	}
	for _, username := range []string{
		"аlice", "alicе", "αlice", "ɑlice", "alıce", "ａｌｉｃｅ", "alice\u200b", "al\u00adice", "\u202eecila", "alice\u200f", "al\u2060ice", "𝒶lice", "ⓐlice",
		"a\u0337lice", "аӏісе", "ліса", "alice\x00", "aliсe", "ꓮlice", "kĸ", "alice/", "a@b", "a b",
	} {
		if ValidUsername(username) {
			t.Errorf("%q is accepted", username)
		}
	}
	for typed, shown := range map[string]string{
		"Alice@Example.com": "Alice@Example.com", "alice@exаmple.com": "alice@xn--exmple-4nf.com", "al\u200bice@exam\u2060ple.com ": "alice@example.com",
		"alice@ｅxample.com": "alice@example.com", "alice@exam\u00adple.com": "alice@example.com", "nobody": "nobody", "a@\u202eb.com": "a@\u202eb.com",
	} {
		if got := ShownEmail(typed); got != shown {
			t.Errorf("%q is shown as %q, want %q", typed, got, shown)
		}
		if NormaliseEmail(typed) != NormaliseEmail(shown) {
			t.Errorf("%q is another address than %q", typed, shown)
		}
	}
}

// TestNamesReadInTheOrderTheyAreWritten: a name stands in sentences of ours, in mails
// and on pages, which it must not turn round.
func TestNamesReadInTheOrderTheyAreWritten(t *testing.T) {
	for _, name := range []string{"Ann \u202egro.live", "\u2067Ann", "Ann\u2069", "\u202aAnn"} {
		if err := validateNewUser(NewUser{Name: name, EmailAddress: "ann@example.com"}); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"Siân Ŵyn", "דוד \u200fכהן", "نام\u200cخانوادگی"} {
		if err := validateNewUser(NewUser{Name: name, EmailAddress: "ann@example.com"}); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestMobileNumberIsReadAsTheNotifyAPIReadsIt(t *testing.T) {
	cases := []struct {
		number, want string
		err          *MobileError
	}{
		{"+447700900123", "+447700900123", nil},
		{"07700900123", "+447700900123", nil},
		{"07700 900 123", "+447700900123", nil},
		{"(07700) 900-123", "+447700900123", nil},
		{"447700900123", "+447700900123", nil},
		{"00447700900123", "+447700900123", nil},
		{"0+447700900123", "+447700900123", nil},
		{"000007700900123", "+447700900123", nil},
		{"+07700900123", "+447700900123", nil},
		{"0+44(0)7700900123", "+447700900123", nil},
		{"7700900999", "+447700900999", nil},
		{"07911 123456", "+447911123456", nil},
		{"+1 202-555-0104", "+12025550104", nil},
		{"12025550104", "+12025550104", nil},
		{"+33 6 12 34 56 78", "+33612345678", nil},
		{"", "", errMobileShort},
		{"  ", "", errMobileShort},
		{"07700", "", errMobileShort},
		{"0770090012", "", errMobileInvalid},
		{"077009001234567890", "", errMobileLong},
		{"07700 9OO 123", "", errMobileChars},
		{"07700.900.123", "", errMobileChars},
		{"tel:+447700900123", "", errMobileChars},
		{"020 7946 0958", "", errNotUKMobile},
		{"+44 20 7946 0958", "", errNotUKMobile},
		{"0909 879 0000", "", errMobileInvalid},
		{"06000 900123", "", errMobileInvalid},
		{"+800 1234 5678", "", errMobileInvalid},
		{"07700 900123\x00", "", errMobileChars},
		{"٠٧٧٠٠٩٠٠١٢٣", "", errMobileChars},
	}
	for _, c := range cases {
		got, err := ParseMobile(c.number)
		if c.err == nil && (err != nil || got != c.want) {
			t.Errorf("%q: %q, %v; want %q", c.number, got, err, c.want)
		}
		if c.err != nil && (!errors.Is(err, error(c.err)) || got != "") {
			t.Errorf("%q: %q, %v; want %v", c.number, got, err, c.err)
		}
	}
}

func FuzzValidateEmail(f *testing.F) {
	for _, seed := range []string{"a@example.com", "a@例え.テスト", "a@xn--.com", "\u200b@", "a@b@c", "a@[::1]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, address string) {
		if ValidateEmail(address) != nil {
			return
		}
		normalised := NormaliseEmail(address)
		if strings.Count(normalised, "@") != 1 || strings.ContainsAny(normalised, " \r\n\x00<>\",;") {
			t.Errorf("%q was accepted and is %q", address, normalised)
		}
		if again := NormaliseEmail(normalised); again != normalised {
			t.Errorf("%q normalises to %q, that to %q", address, normalised, again)
		}
	})
}

func FuzzParseMobile(f *testing.F) {
	for _, seed := range []string{"+447700900123", "0+44(0)7700900123", "++", "000", "+1 (500) 555-1234", "٠٧"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, number string) {
		e164, err := ParseMobile(number)
		if err != nil {
			return
		}
		if again, err := ParseMobile(e164); err != nil || again != e164 || !strings.HasPrefix(e164, "+") {
			t.Errorf("%q is %q, which is %q (%v)", number, e164, again, err)
		}
	})
}

package directory

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"golang.org/x/net/idna"
	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/norm"
)

// NormaliseEmail is the form in which two spellings of an address are the same:
// NFKC, lower case, white space around it removed, its domain in ASCII without
// a trailing dot. It does not validate.
func NormaliseEmail(address string) string {
	s := strings.ToLower(norm.NFKC.String(strings.TrimSpace(stripObscureSpace(address))))
	local, domain, ok := cutLast(s, "@")
	if !ok {
		return s
	}
	domain = strings.TrimSuffix(domain, ".")
	if ascii, err := idna.Lookup.ToASCII(domain); err == nil {
		domain = ascii
	}
	return local + "@" + domain
}

// ShownEmail is an address as it is kept and shown: as it was given, but without
// white space that cannot be seen, and with a domain beyond ASCII in the form that
// begins with xn--. Nobody should take it for another that looks the same.
func ShownEmail(address string) string {
	s := strings.TrimSpace(stripObscureSpace(address))
	local, domain, ok := cutLast(s, "@")
	if !ok || !strings.ContainsFunc(domain, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return s
	}
	host, err := hostNames.ToASCII(domain)
	if err != nil {
		return s
	}
	return local + "@" + host
}

// NormaliseUsername is the form in which two spellings of a username are the
// same (RFC 8265 UsernameCaseMapped: NFC, width and case mapped). A string that
// cannot be a username normalises to itself in lower case.
func NormaliseUsername(username string) string {
	trimmed := strings.TrimSpace(username)
	if s, err := precis.UsernameCaseMapped.String(trimmed); err == nil {
		return s
	}
	return strings.ToLower(norm.NFKC.String(trimmed))
}

// ValidUsername reports whether a string may be a username: RFC 8265, at most
// 255 bytes, of Latin letters that cannot be taken for others, and never shaped
// like a UUID, which keeps GET /user/{username} and GET /user/{user_id} apart on
// one path.
func ValidUsername(username string) bool {
	if len(username) > 255 || strings.ContainsAny(username, "/@ ") {
		return false
	}
	if _, err := uuid.Parse(username); err == nil {
		return false
	}
	_, err := precis.UsernameCaseMapped.String(username)
	return err == nil && !strings.ContainsFunc(norm.NFC.String(username), mistakable)
}

// mistakable reports whether a character could be drawn like one of ASCII: all but
// ASCII itself and the letters with marks of the Latin alphabets of Europe, Welsh
// among them (Latin-1 Supplement and Latin Extended-A), where only the dotless i
// and kra have nothing that tells them apart.
func mistakable(r rune) bool {
	return r >= utf8.RuneSelf && (!unicode.Is(unicode.Latin, r) || r > '\u017f' || r == 'ı' || r == 'ĸ')
}

// Reorders reports whether a character lets those behind it be read in another order
// than they stand in: embeddings, overrides and isolates (Unicode UAX #9). The marks
// that people write in Hebrew and Arabic names do not.
func Reorders(r rune) bool {
	return r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

// stripObscureSpace removes zero-width and other white space that cannot be
// seen, wherever it stands.
func stripObscureSpace(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '\u180e', '\u200b', '\u200c', '\u200d', '\u2060', '\ufeff', '\u00a0', '\u202f':
			return -1
		}
		return r
	}, s)
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

package authn

import (
	"fmt"
	"strings"
)

// ForeignHash returns the form in which an imported hash is stored, and refuses
// what could not be compared with: the error wraps [ErrForeignHash] and names the
// scheme where it is a known one, never the hash. What LDAP servers put in front
// of hashes that name their scheme themselves is taken off.
func ForeignHash(text string) (string, error) {
	stored := text
	for _, prefix := range []string{"{CRYPT}", "{BCRYPT}", "{ARGON2}"} {
		if len(text) > len(prefix) && strings.EqualFold(text[:len(prefix)], prefix) {
			stored = text[len(prefix):]
		}
	}
	if scheme, rest, ok := strings.Cut(stored, "}"); ok && strings.HasPrefix(stored, "{") {
		stored = strings.ToUpper(scheme) + "}" + rest
	}
	if _, err := readHash(stored); err != nil {
		return "", fmt.Errorf("%w (%s)", ErrForeignHash, schemeName(stored))
	}
	return stored, nil
}

// refusedSchemes are how hashes begin that are never compared with: without a
// salt, of a broken function, or no hash at all.
var refusedSchemes = []string{
	"{MD5}", "{SMD5}", "{SHA}", "{SHA256}", "{SHA512}", "{CLEAR}", "{CLEARTEXT}", "{PLAIN}", "{SASL}", "{KERBEROS}", "{NT}", "{LANMAN}",
	"$1$", "$apr1$", "$7$", "$y$", "$gy$", "$sha1$", "$md5$", "$P$", "$H$",
	"md5$", "sha1$", "crypt$", "unsalted_md5$", "unsalted_sha1$",
}

// knownSchemes are those of formats that are read, for hashes that are damaged
// or cost too much.
var knownSchemes = []string{
	"$argon2id$", "$argon2i$", "$argon2d$", "$2a$", "$2b$", "$2y$", "$scrypt$", "$pbkdf2$", "$pbkdf2-sha1$", "$pbkdf2-sha256$", "$pbkdf2-sha512$",
	"$5$", "$6$", "{SSHA}", "{SSHA256}", "{SSHA512}", "pbkdf2_sha1$", "pbkdf2_sha256$",
}

// schemeName says of what scheme a refused hash is, in words of our own: it may
// be a password in clear.
func schemeName(stored string) string {
	for _, scheme := range refusedSchemes {
		if strings.HasPrefix(stored, scheme) {
			return strings.Trim(scheme, "${}") + " is not taken"
		}
	}
	for _, scheme := range knownSchemes {
		if strings.HasPrefix(stored, scheme) {
			return strings.Trim(scheme, "${}") + ", damaged or of too high a cost"
		}
	}
	return "of no known scheme"
}

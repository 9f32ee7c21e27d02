package authn

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// foreignHashes are of "pässword one", made by libxcrypt, CPython's hashlib and OpenSSL.
var foreignHashes = []string{
	"$2b$04$abcdefghijklmnopqrstuuvi37/F0u8u2P2bfBLR3equA3JR10iIi",
	"$2y$04$abcdefghijklmnopqrstuuvi37/F0u8u2P2bfBLR3equA3JR10iIi",
	"$2a$04$abcdefghijklmnopqrstuuvi37/F0u8u2P2bfBLR3equA3JR10iIi",
	"$5$saltsalt$yQYQMkKtU1Hm/I7SS3EGoX8v0OmH1.dp3KancspnGo2",
	"$5$rounds=1000$saltsalt$XCsJ5LF3UmRMndOUW2Hhn0hV5aA2DMIGF4S/IzUsQQ8",
	"$6$saltsalt$OS0xGyLZIvi/kGx1C1lDHh6tVSiourdVrjIF6IrnYmG8LfNCYuQIE.5VSH5/O1hhViuWKiGDfgTtXwqLleQjt1",
	"$6$rounds=1000$saltsalt$ulUtcLieFds0qigxrmfmYMWJaD5bhtEir31fZJ0YWBoHw305RH5uI29NdxV4wP/EzCufqNshWWUTtjUwASOuU/",
	"$scrypt$ln=8,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$V4rFrJjCAD0SbWc+qRhNCUBCIOwrWgXeHlVi5UKiPKg",
	"$pbkdf2$1000$MDEyMzQ1Njc4OWFiY2RlZg$TtXBmAuXdeQHP/laz5UIsRj2OiA",
	"$pbkdf2-sha256$1000$MDEyMzQ1Njc4OWFiY2RlZg$op2KFu1/XP2/vffZrBdmTusZbcH5mpkfAboTFiTeVpQ",
	"$pbkdf2-sha512$1000$MDEyMzQ1Njc4OWFiY2RlZg$LSWzo3lfoiDG02kG3YPHbhNbZUJgAM09k2cShIoy3.AIfA95Jmi/xi4zGHwoKuVEscKPHacCVLB4QB0EeT.SEg",
	"{SSHA}r+sJdS0SkNOdQx5jfb/3aIzMhyBzYWx0c2FsdA==",
	"{SSHA256}ME7X0JxGYW+9xsrPiKLFQPh5PtMeMF3QhmJAx10LIkxzYWx0c2FsdA==",
	"{SSHA512}9x0hKOJhnYr5NCeW5h62s+dM7A1hp84GK0Qw0hbrUT6rNlH1Qiqw6NrkF/Uw6xzebLfMrvPGC5Rvlho/xHrwynNhbHRzYWx0",
	"pbkdf2_sha1$1000$saltsaltsalt$OcG2MAWhcYLwsT5DuSFODhcvIzY=",
	"pbkdf2_sha256$1000$saltsaltsalt$65nSh30P6sK6RHwVGXUDmTsg1CN9DGQsV9uQqV38PYM=",
}

func argonHash(password string) string {
	salt := []byte("0123456789abcdef")
	key := argon2.IDKey([]byte(password), salt, 1, 1024, 2, 32)
	return fmt.Sprintf("$argon2id$v=19$m=1024,t=1,p=2$%s$%s", base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key))
}

func TestHashesOfOthersAreUnderstood(t *testing.T) {
	for _, stored := range append(foreignHashes, argonHash("pässword one")) {
		m, err := readHash(stored)
		if err != nil {
			t.Errorf("%s: %v", stored, err)
			continue
		}
		for password, want := range map[string]bool{"pässword one": true, "pässword onf": false, "": false} {
			if got := m.Match(password); got != want {
				t.Errorf("%s: match %q = %v", stored, password, got)
			}
		}
	}
}

func TestZeroByteIsNotOverlooked(t *testing.T) {
	for _, stored := range foreignHashes {
		if !matches(stored, []string{"pässword one"}) || matches(stored, []string{"pässword one\x00"}) {
			t.Errorf("%s: a password and the same with a zero byte are not told apart", stored)
		}
	}
}

func TestUnknownAndExpensiveHashesAreRefused(t *testing.T) {
	refused := []string{
		"", "x", "$", "$$", "plain", "{SSHA}", "{SSHA}AAAA", "{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=", "{CLEARTEXT}secret",
		"$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/", "$plaintext$secret", "$y$j9T$abc$def",
		"$argon2id$v=19$m=4194304,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=19456,t=0,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=19456,t=99,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=16$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"$2b$31$abcdefghijklmnopqrstuuvi37/F0u8u2P2bfBLR3equA3JR10iIi",
		"$2b$04$abcdefghijklmnopqrstuuvi37/F0u8u2P2bfBLR3equA3JR10iI",
		"$scrypt$ln=31,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$V4rFrJjCAD0SbWc+qRhNCUBCIOwrWgXeHlVi5UKiPKg",
		"$scrypt$ln=8,r=99,p=1$MDEyMzQ1Njc4OWFiY2RlZg$V4rFrJjCAD0SbWc+qRhNCUBCIOwrWgXeHlVi5UKiPKg",
		"$6$rounds=9999999$saltsalt$OS0xGyLZIvi/kGx1C1lDHh6tVSiourdVrjIF6IrnYmG8LfNCYuQIE.5VSH5/O1hhViuWKiGDfgTtXwqLleQjt1",
		"$pbkdf2-sha256$9999999$MDEyMzQ1Njc4OWFiY2RlZg$op2KFu1/XP2/vffZrBdmTusZbcH5mpkfAboTFiTeVpQ",
		"pbkdf2_sha256$1000$saltsaltsalt$OcG2MAWhcYLwsT5DuSFODhcvIzY=",
		strings.Repeat("{SSHA}", 200),
	}
	for _, stored := range refused {
		if _, err := readHash(stored); !errors.Is(err, ErrForeignHash) {
			t.Errorf("%q: %v, want %v", stored, err, ErrForeignHash)
		}
	}
}

func TestBcryptComparesTheWholePassword(t *testing.T) {
	beginning := strings.Repeat("x", maxBcrypt)
	hash, err := bcrypt.GenerateFromPassword([]byte(beginning), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	m, err := readHash(string(hash))
	if err != nil {
		t.Fatal(err)
	}
	if !m.Match(beginning) || m.Match(beginning+"x") || m.Match(beginning[1:]) {
		t.Errorf("72 bytes %v, 73 bytes %v, 71 bytes %v", m.Match(beginning), m.Match(beginning+"x"), m.Match(beginning[1:]))
	}
}

// FuzzReadHash looks for stored hashes that break a decoder or cost too much.
func FuzzReadHash(f *testing.F) {
	for _, stored := range append(foreignHashes, argonHash("pässword one"), (&Hasher{}).dummy()) {
		f.Add(stored)
	}
	f.Fuzz(func(t *testing.T, stored string) {
		m, err := readHash(stored)
		if err != nil {
			return
		}
		// Comparing is as expensive as the limits allow; decoding must not break.
		if strings.Contains(stored, "=1024,") || strings.Contains(stored, "$1000$") || strings.HasPrefix(stored, "{") {
			m.Match("password")
		}
	})
}

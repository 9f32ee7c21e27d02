package authn

import (
	"testing"
	"time"

	"github.com/pquerna/otp/hotp"
)

// TestCodesOfAppsAreThoseOfTheStandard (RFC 6238 appendix B, the last six digits).
func TestCodesOfAppsAreThoseOfTheStandard(t *testing.T) {
	secret := []byte("12345678901234567890")
	for at, code := range map[int64]string{
		1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
	} {
		for off, want := range map[time.Duration]bool{0: true, -totpPeriod: true, totpPeriod: true, 2 * totpPeriod: false, -2 * totpPeriod: false} {
			step, ok := matchStep(secret, code, time.Unix(at, 0).Add(off))
			if ok != want || ok && step != at/30 {
				t.Errorf("%s at %d %+v: %v, step %d", code, at, off, ok, step)
			}
		}
	}
}

// TestNothingMatchesByChance: a secret that is empty has codes that anybody can
// work out, and what is no code is no code.
func TestNothingMatchesByChance(t *testing.T) {
	at := time.Unix(59, 0)
	for step := range uint64(3) {
		code, err := hotp.GenerateCode("", step)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := matchStep(nil, code, at); ok {
			t.Errorf("%s of no secret", code)
		}
	}
	for _, code := range []string{"", "28708", "2870820", "94287082", "28708x", "２87082"} {
		if _, ok := matchStep([]byte("12345678901234567890"), code, at); ok {
			t.Errorf("%q is accepted", code)
		}
	}
}

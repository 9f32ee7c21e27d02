package authn

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestNetworksOfOneSubscriberAreOne(t *testing.T) {
	same := [][2]string{
		{"2001:db8::1", "2001:db8::ffff:1"},
		{"192.0.2.1", "::ffff:192.0.2.1"},
		{"fe80::1%eth0", "fe80::2%eth1"},
	}
	for _, pair := range same {
		if a, b := network(netip.MustParseAddr(pair[0])), network(netip.MustParseAddr(pair[1])); a != b {
			t.Errorf("%s is in %s, %s in %s", pair[0], a, pair[1], b)
		}
	}
	if a, b := network(netip.MustParseAddr("192.0.2.1")), network(netip.MustParseAddr("192.0.2.2")); a == b {
		t.Errorf("two addresses of IPv4 are both in %s", a)
	}
}

func TestBucketsHideWhatTheyCount(t *testing.T) {
	s := &Service{CodeKey: []byte("key")}
	attempt := Attempt{Front: Browser, Factor: Password, Secret: "hunter2hunter2", Network: netip.MustParseAddr("192.0.2.1")}
	for _, b := range s.failureBuckets(attempt) {
		if strings.Contains(b.Key, "hunter2") || strings.Contains(b.Key, "192.0.2") {
			t.Errorf("key %s tells what it counts", b.Key)
		}
	}
}

func TestLocalLimiter(t *testing.T) {
	var l localLimiter
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	bucket := Bucket{Key: "a", Limit: Limit{Burst: 2, Per: time.Minute}}
	take := func(want time.Duration) {
		t.Helper()
		if got, err := l.Take(t.Context(), bucket, now); got != want || err != nil {
			t.Errorf("wait = %v, %v; want %v", got, err, want)
		}
	}
	take(0)
	take(0)
	take(30 * time.Second)
	now = now.Add(30 * time.Second)
	take(0)
	take(30 * time.Second)
	if err := l.GiveBack(t.Context(), bucket, now); err != nil {
		t.Fatal(err)
	}
	take(0)
}

func TestLocalLimiterIsBounded(t *testing.T) {
	var l localLimiter
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	refused := 0
	for i := range maxLocalBuckets + 5 {
		wait, _ := l.Take(t.Context(), Bucket{Key: fmt.Sprint(i), Limit: Limit{Burst: 1, Per: time.Minute}}, now)
		if wait > 0 {
			refused++
		}
	}
	if refused != 5 || len(l.full) != maxLocalBuckets {
		t.Errorf("%d refused, %d kept", refused, len(l.full))
	}
	if wait, _ := l.Take(t.Context(), Bucket{Key: "later", Limit: Limit{Burst: 1, Per: time.Minute}}, now.Add(time.Minute)); wait != 0 {
		t.Errorf("wait = %v after the others are full again", wait)
	}
}

func TestDigitsAreEvenlySpread(t *testing.T) {
	var everyByte strings.Builder
	for i := range 256 {
		everyByte.WriteByte(byte(i))
	}
	digits, err := randomDigits(strings.NewReader(everyByte.String()), 250)
	if err != nil {
		t.Fatal(err)
	}
	for d := range 10 {
		if n := strings.Count(digits, fmt.Sprint(d)); n != 25 {
			t.Errorf("digit %d comes %d times in 250", d, n)
		}
	}
	if _, err := randomDigits(strings.NewReader("x"), 2); err == nil {
		t.Error("made digits without random bytes")
	}
}

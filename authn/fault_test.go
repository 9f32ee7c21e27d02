package authn_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"gatehouse/authn"
	"gatehouse/directory"
	"gatehouse/storage"
)

func TestWithoutRedisPasswordsAloneGoOn(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		k.Cache = storage.AuthnCache{Redis: unreachableRedis(t)}
		if _, err := k.password(authn.Legacy, "alice", rightPassword); err != nil {
			t.Errorf("at the legacy door: %v", err)
		}
		_, err := k.password(authn.Machine, "alice", wrongPassword)
		wantRefused(t, err)
		k.wantFailures(alice, 1)
		_, err = k.password(authn.Browser, "alice", rightPassword)
		if !errors.Is(err, directory.ErrUnavailable) {
			t.Errorf("on the hosted pages: %v, want unavailable", err)
		}
		k.wantFailures(alice, 1)
		k.Limits.CallerFailures = authn.Limit{Burst: 3, Per: time.Minute}
		for range 3 {
			_, _ = k.password(authn.Legacy, "nobody", wrongPassword)
		}
		_, err = k.password(authn.Legacy, "nobody", wrongPassword)
		wantThrottled(t, err)
	})
}

func unreachableRedis(t *testing.T) *storage.Redis {
	t.Helper()
	redis, err := storage.OpenRedis("redis://127.0.0.1:1/0", "test:")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = redis.Close() })
	return redis
}

func TestFailureOfAStoreCountsForNobody(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		k.sent.fail = directory.ErrUnavailable
		_, err := k.password(authn.Browser, "alice", rightPassword)
		if !errors.Is(err, directory.ErrUnavailable) {
			t.Errorf("error = %v, want unavailable", err)
		}
		k.wantFailures(alice, 0)
		k.sent.fail = nil
		o := k.begin("alice")
		working := k.Cache
		k.Cache = brokenCodes{working}
		if _, err := k.code(o, k.sent.lastCode(t)); !errors.Is(err, directory.ErrUnavailable) {
			t.Errorf("error = %v, want unavailable", err)
		}
		k.wantFailures(alice, 0)
		k.Cache = working
		if _, err := k.code(o, k.sent.lastCode(t)); err != nil {
			t.Error(err)
		}
	})
}

// brokenCodes is a Redis that goes away between the limits and the code.
type brokenCodes struct{ authn.Cache }

func (brokenCodes) TryCode(context.Context, authn.LiveCode, time.Time, int) (authn.CodeVerdict, error) {
	return authn.CodeGone, directory.ErrUnavailable
}

func TestOneNetworkBearsABusyOffice(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		k.alice()
		mustSignIn := func() {
			if o, err := k.password(authn.Browser, "alice", rightPassword); err != nil {
				t.Fatal(err)
			} else if _, err := k.code(o, k.sent.lastCode(t)); err != nil {
				t.Fatal(err)
			}
		}
		k.Limits.NetworkFailures = authn.Limit{Burst: 5, Per: time.Minute}
		k.Limits.PasswordFailures = authn.Limit{Burst: 5, Per: time.Minute}
		k.Limits.CodesPerUser = authn.Limit{Burst: 5, Per: time.Minute}
		for range 12 {
			mustSignIn()
		}
	})
}

package oauth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"time"

	"gatehouse/authn"
	"gatehouse/internal/web"
)

// Each request to the device authorization endpoint leaves a row behind and takes
// one of the short codes that people type, so that they are counted: those of a
// network before anything else, those of a client once it is known.
var (
	devicesPerNetwork = authn.Limit{Burst: 100, Per: 10 * time.Minute}
	devicesPerClient  = authn.Limit{Burst: 2000, Per: 10 * time.Minute}
)

func (s *Server) countDeviceOfNetwork(r *http.Request) error {
	return s.countDevice(r.Context(), "device-network", authn.NetworkOf(web.Network(r)).String(), devicesPerNetwork)
}

// countDevice takes a try of a limit; 429 when there is none left, and 503 when
// nobody can tell.
func (s *Server) countDevice(ctx context.Context, kind, subject string, l authn.Limit) error {
	mac := hmac.New(sha256.New, s.Secrets[0])
	mac.Write([]byte(kind + "|" + subject))
	const enough = 12 // bytes of the MAC: buckets do not meet by chance
	bucket := authn.Bucket{Key: kind + ":" + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:enough]), Limit: l}
	wait, err := s.Limiter.Take(ctx, bucket, s.now())
	switch {
	case err != nil:
		return unavailable(err)
	case wait > 0:
		return web.TooManyRequests(wait)
	}
	return nil
}

package notify

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"gatehouse/directory"
	"gatehouse/internal/web"
)

const unknownUser = "/user/00000000-0000-4000-8000-000000000000"

func TestInternalJWTIsJudgedAsUpstreamDoes(t *testing.T) {
	now := testNow.Unix()
	cases := []struct {
		name          string
		authorization string
		want          *web.Error // nil: let in
	}{
		{"none", "-", errNoToken},
		{"basic", "Basic bm90aWZ5OmFkbWlu", errNotBearer},
		{"short", "Bearer", errNotBearer},
		{"good", "Bearer " + internalJWT(secretOne, nil), nil},
		{"second secret", "Bearer " + internalJWT(secretTwo, nil), nil},
		{"any case of the scheme", "bEARER " + internalJWT(secretOne, nil), nil},
		{"another client", "Bearer " + internalJWT(secretOne, map[string]any{"iss": "somebody"}), errClient},
		{"a service", "Bearer " + internalJWT(secretOne, map[string]any{"iss": "d6aa2c68-a2d9-4437-ab19-3ae8eb202553"}), errClient},
		{"issuer of another type", "Bearer " + internalJWT(secretOne, map[string]any{"iss": 7}), errClient},
		{"functional tests", "Bearer " + internalJWT("functional-tests-secret-key", map[string]any{"iss": functionalTests}), errClient},
		{"no JWT", "Bearer garbage", errNotJWT},
		{"dots", "Bearer ..", errNotJWT},
		{"critical extension", "Bearer " + signJWT(`{"alg":"HS256","crit":["b64"],"b64":false}`, `{"iss":"notify-admin","iat":1769860800}`, secretOne), errNotJWT},
		{"broken payload", "Bearer e30.e30x.e30", errNotJWT},
		{"payload is no object", "Bearer " + signJWT(`{"alg":"HS256"}`, `[]`, secretOne), errNotJWT},
		{"payload is null", "Bearer " + signJWT(`{"alg":"HS256"}`, `null`, secretOne), errNotJWT},
		{"no issuer", "Bearer " + internalJWT(secretOne, map[string]any{"iss": nil}), errNoIssuer},
		{"wrong secret", "Bearer " + internalJWT("wrong", nil), errNoKey},
		{"empty secret", "Bearer " + internalJWT("", nil), errNoKey},
		{"no iat", "Bearer " + internalJWT(secretOne, map[string]any{"iat": nil}), errNoKey},
		{"iat at the edge", "Bearer " + internalJWT(secretOne, map[string]any{"iat": now - 29}), nil},
		{"iat a fraction", "Bearer " + internalJWT(secretOne, map[string]any{"iat": float64(now) + .5}), nil},
		{"iat old", "Bearer " + internalJWT(secretOne, map[string]any{"iat": now - 31}), errClock},
		{"iat ahead", "Bearer " + internalJWT(secretOne, map[string]any{"iat": now + 32}), errClock},
		{"iat text", "Bearer " + internalJWT(secretOne, map[string]any{"iat": "now"}), errClock},
		{"iat huge", "Bearer " + internalJWT(secretOne, map[string]any{"iat": 1e300}), errClock},
		{"nbf ahead", "Bearer " + internalJWT(secretOne, map[string]any{"nbf": now + 60}), errClock},
		{"exp ahead", "Bearer " + internalJWT(secretOne, map[string]any{"exp": now + 1}), nil},
		{"exp over", "Bearer " + internalJWT(secretOne, map[string]any{"exp": now}), errNotJWT},
		{"aud", "Bearer " + internalJWT(secretOne, map[string]any{"aud": "notify"}), errNotJWT},
		{"alg none", "Bearer " + signJWT(`{"alg":"none"}`, `{"iss":"notify-admin"}`, ""), errTokenAlgorithm},
		{"alg HS512", "Bearer " + signJWT(`{"alg":"HS512"}`, `{"iss":"notify-admin"}`, secretOne), errTokenAlgorithm},
		{"alg missing", "Bearer " + signJWT(`{}`, `{"iss":"notify-admin"}`, secretOne), errTokenAlgorithm},
	}
	eachServer(t, func(t *testing.T, s *server) {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				got := s.do(request{method: "GET", path: unknownUser, authorization: c.authorization})
				want := cmp.Or(c.want, errNoResult)
				told, _ := errors.AsType[body](want)
				text, err := json.Marshal(told.json)
				if err != nil {
					t.Fatal(err)
				}
				got.want(t, want.Status, string(text))
				if challenges := got.Header.Values("WWW-Authenticate"); (want.Status == http.StatusUnauthorized) != slices.Equal(challenges, []string{"Bearer", "DPoP"}) {
					t.Errorf("challenges %q", challenges)
				}
			})
		}
	})
}

func TestOurTokensGoTheirOwnWay(t *testing.T) {
	ours := signJWT(`{"alg":"HS256"}`, `{"iss":"`+testIssuer+`"}`, secretOne)
	cases := []struct {
		name, token string
		status      int
		challenge   string
		body        string
	}{
		{"with the scope", "gh_at_admin", 404, "", `{"message":"No result found","result":"error"}`},
		{"without the scope", "gh_at_other", 403, `Bearer error="insufficient_scope"`, `{"message":{"token":["The token has not the scope"]},"result":"error"}`},
		{"unknown", "gh_at_gone", 401, `Bearer error="invalid_token"`, `{"message":{"token":["The token is not valid"]},"result":"error"}`},
		{"our issuer under a secret of theirs", ours, 401, `Bearer error="invalid_token"`, `{"message":{"token":["The token is not valid"]},"result":"error"}`},
	}
	eachServer(t, func(t *testing.T, s *server) {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				got := s.do(request{method: "GET", path: unknownUser, authorization: "Bearer " + c.token})
				got.want(t, c.status, c.body)
				if challenge := got.Header.Get("WWW-Authenticate"); challenge != c.challenge {
					t.Errorf("challenge %q, want %q", challenge, c.challenge)
				}
			})
		}
	})
}

func TestOnBehalfOfIsRecordedAndGrantsNothing(t *testing.T) {
	user := "d6aa2c68-a2d9-4437-ab19-3ae8eb202553"
	eachServer(t, func(t *testing.T, s *server) {
		s.do(request{method: "GET", path: unknownUser, header: map[string]string{"X-Notify-User-Id": user}})
		s.do(request{method: "GET", path: unknownUser, header: map[string]string{"X-Notify-User-Id": "'; drop table users"}})
		s.do(request{method: "GET", path: unknownUser, authorization: "-", header: map[string]string{"X-Notify-User-Id": user}})
		if len(s.callers) != 2 {
			t.Fatalf("%d requests got through, want 2", len(s.callers))
		}
		want := directory.Caller{ClientID: "notify-admin", Internal: true, OnBehalfOf: user}
		if diff := gocmp.Diff(want, *s.callers[0]); diff != "" {
			t.Error(diff)
		}
		if got := s.callers[1].OnBehalfOf; got != "" {
			t.Errorf("recorded %q", got)
		}
	})
}

func TestPathAndMethodAreJudgedBeforeTheCaller(t *testing.T) {
	const notFound = `{"message":"The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.","result":"error"}`
	eachServer(t, func(t *testing.T, s *server) {
		s.do(request{method: "GET", path: "/organisation/not-a-uuid", authorization: "-"}).want(t, 404, notFound)
		s.do(request{method: "GET", path: "/organisation/D6AA2C68A2D94437AB193AE8EB202553", authorization: "-"}).want(t, 404, notFound)
		s.do(request{method: "GET", path: unknownUser + "/", authorization: "-"}).want(t, 404, notFound)
		s.do(request{method: "DELETE", path: "/organisation", authorization: "-"}).want(t, 405, `{"message":"The method is not allowed for the requested URL.","result":"error"}`)
	})
}

package oauth

import (
	"crypto/subtle"
	"errors"
	"net/http"

	"gatehouse/internal/web"
)

// checkPossession admits a token that is bound to a key only in the scheme DPoP
// and with a proof by that key, and every other token only as a bearer token
// (RFC 9449 sections 7.1 and 7.2).
func (s *Server) checkPossession(w http.ResponseWriter, r *http.Request, shown shown, t *accessToken) error {
	key := t.key()
	switch {
	case key == "" && shown.scheme == schemeBearer:
		return nil
	case key == "":
		return &denial{status: http.StatusUnauthorized, code: "invalid_token", message: "The access token is not bound to a key"}
	case shown.scheme == schemeBearer:
		w.Header().Set(nonceHeader, s.proofNonce())
		return &denial{status: http.StatusUnauthorized, code: "invalid_token", message: "The access token is bound to a key: it needs the scheme DPoP and a proof"}
	}
	prover, err := s.checkProof(w, r, shown.token)
	if err != nil {
		return proofDenied(err)
	}
	if prover == "" {
		w.Header().Set(nonceHeader, s.proofNonce())
		return proofDenied(invalidProof("A DPoP proof is required"))
	}
	if subtle.ConstantTimeCompare([]byte(prover), []byte(key)) == 0 {
		return &denial{status: http.StatusUnauthorized, code: "invalid_token", message: "The access token is bound to another key"}
	}
	return nil
}

// proofDenied is a refused proof in the words of a resource (RFC 9449 sections
// 7.1 and 9).
func proofDenied(err error) error {
	e, ok := errors.AsType[*web.Error](err)
	if !ok || e.Status != http.StatusBadRequest {
		return err
	}
	return &denial{status: http.StatusUnauthorized, code: e.Code, message: e.Message, cause: e.Cause}
}

package conformance

import (
	"encoding/json"

	"github.com/go-jose/go-jose/v4"
)

// sign returns the compact JWS of claims.
func (e *Env) sign(key jose.SigningKey, typ string, claims any) string {
	e.t.Helper()
	payload, err := json.Marshal(claims)
	e.must("encode claims", err)
	signer, err := jose.NewSigner(key, (&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
	e.must("make signer", err)
	jws, err := signer.Sign(payload)
	e.must("sign", err)
	token, err := jws.CompactSerialize()
	e.must("sign", err)
	return token
}

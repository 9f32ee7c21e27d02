package notify

import (
	"context"
	"errors"
	"net/http"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/authn/message"
	"gatehouse/directory"
)

// Proofs is what the API needs of [authn.Service] to check who somebody is.
type Proofs interface {
	Authenticate(ctx context.Context, a authn.Attempt) (*authn.Outcome, error)
	SendUserCode(ctx context.Context, u *directory.User, f authn.Factor, to string, word func(code string) (authn.Message, error)) error
	SecurityKey(ctx context.Context, userID uuid.UUID, caller string, right bool, also func(ctx context.Context) error) error
	Unlock(ctx context.Context, userID uuid.UUID, actor directory.Actor) error
	// Disable joins the transaction in ctx.
	Disable(ctx context.Context, userID uuid.UUID) error
}

// attempt is one try at a proof that the caller passes on.
func attempt(r *http.Request, u *directory.User, f authn.Factor, secret string) authn.Attempt {
	caller := directory.CallerFrom(r.Context()).ClientID
	return authn.Attempt{Front: authn.Machine, Factor: f, UserID: u.ID, Secret: secret, Caller: caller}
}

// VerifyPassword answers POST /user/{user_id}/verify/password. A locked account's
// password is always wrong.
func (a *API) VerifyPassword(w http.ResponseWriter, r *http.Request) error {
	_, v, err := readValue(r)
	if err != nil {
		return err
	}
	u, err := a.subject(r)
	if err != nil {
		return err
	}
	f, err := newForm(v)
	if err != nil {
		return err
	}
	if _, ok := f.body.get("password"); !ok {
		return fieldFault("password", "Required field missing data")
	}
	password := f.text("password", required, anyText)
	if err := f.err(); err != nil {
		return err
	}
	_, err = a.Proofs.Authenticate(r.Context(), attempt(r, u, authn.Password, password))
	if errors.Is(err, authn.ErrRefused) {
		return fieldFault("password", "Incorrect password")
	}
	if err != nil {
		return err
	}
	return noContent(w, r)
}

var smsCode = schema{types: []string{"object"}, strict: true, properties: []property{
	{"to", schema{types: []string{"string", "null"}}},
}}

// SendSMSCode answers POST /user/{user_id}/sms-code.
func (a *API) SendSMSCode(w http.ResponseWriter, r *http.Request) error {
	u, v, err := a.subjectAndBody(r, &smsCode)
	if err != nil {
		return err
	}
	to := textOf(v, "to")
	if to == "" {
		to = u.MobileNumber
	}
	if to == "" {
		return errNoRecipient
	}
	if _, err := directory.ParseMobile(to); err != nil {
		return mobileFault(err)
	}
	err = a.Proofs.SendUserCode(r.Context(), u, authn.SMSCode, to, func(code string) (authn.Message, error) {
		return authn.Message{Channel: message.SMS, To: to, Template: message.SMSCode, Personalisation: map[string]any{"verify_code": code}}, nil
	})
	if err != nil {
		return mobileFault(err)
	}
	return noContent(w, r)
}

// mobileFault says why nothing can be sent to a number.
func mobileFault(err error) error {
	if number, ok := errors.AsType[*directory.MobileError](err); ok {
		return fault(http.StatusBadRequest, number.Long)
	}
	return err
}

var emailCode = schema{types: []string{"object"}, strict: true, properties: []property{
	{"to", schema{types: []string{"null"}}},
	{"email_auth_link_host", schema{types: []string{"string", "null"}}},
	{"next", schema{types: []string{"string", "null"}}},
}}

// SendEmailCode answers POST /user/{user_id}/email-code with a link to sign in.
func (a *API) SendEmailCode(w http.ResponseWriter, r *http.Request) error {
	u, v, err := a.subjectAndBody(r, &emailCode)
	if err != nil {
		return err
	}
	if u.EmailAddress == "" {
		return errNoRecipient
	}
	err = a.Proofs.SendUserCode(r.Context(), u, authn.EmailCode, u.EmailAddress, func(code string) (authn.Message, error) {
		link, err := a.Links.To(textOf(v, "email_auth_link_host"), "email-auth", map[string]string{"user_id": u.ID.String(), "secret_code": code})
		return authn.Message{
			Channel: message.Email, To: u.EmailAddress, Template: message.SignInLink,
			Personalisation: map[string]any{"name": u.Name, "url": withNext(link, textOf(v, "next"))},
		}, err
	})
	if err != nil {
		return err
	}
	return noContent(w, r)
}

// subjectAndBody reads the body, finds the user, and then validates the body.
func (a *API) subjectAndBody(r *http.Request, s *schema) (*directory.User, any, error) {
	_, v, err := readValue(r)
	if err != nil {
		return nil, nil, err
	}
	u, err := a.subject(r)
	if err != nil {
		return nil, nil, err
	}
	return u, v, s.validate(v)
}

// textOf returns a member of an object that its schema let be a string or null.
func textOf(v any, name string) string {
	o, _ := v.(object)
	member, _ := o.get(name)
	text, _ := member.(string)
	return text
}

var verifyCode = schema{types: []string{"object"}, strict: true, required: []string{"code", "code_type"}, properties: []property{
	{"code", schema{types: []string{"string"}}},
	{"code_type", schema{types: []string{"string"}}},
}}

var (
	errCodeNotFound = fault(http.StatusNotFound, "Code not found")
	errCodeExpired  = fault(http.StatusBadRequest, "Code has expired")
	errTooManyFails = fault(http.StatusForbidden, "Maximum login count exceeded")
)

// codeTypes are the factors behind the types of codes.
var codeTypes = map[string]authn.Factor{"sms": authn.SMSCode, "email": authn.EmailCode}

// VerifyCode answers POST /user/{user_id}/verify/code. A locked account's code is
// never found.
func (a *API) VerifyCode(w http.ResponseWriter, r *http.Request) error {
	u, v, err := a.bodyAndSubject(r, &verifyCode)
	if err != nil {
		return err
	}
	factor, ok := codeTypes[textOf(v, "code_type")]
	if !ok {
		return errNoResult
	}
	_, err = a.Proofs.Authenticate(r.Context(), attempt(r, u, factor, textOf(v, "code")))
	switch {
	case errors.Is(err, authn.ErrCodeSpent):
		return errCodeExpired
	case errors.Is(err, authn.ErrRefused):
		return errCodeNotFound
	case err != nil:
		return err
	}
	return noContent(w, r)
}

// bodyAndSubject reads and validates the body before it finds the user.
func (a *API) bodyAndSubject(r *http.Request, s *schema) (*directory.User, any, error) {
	_, v, err := readValue(r)
	if err != nil {
		return nil, nil, err
	}
	if err := s.validate(v); err != nil {
		return nil, nil, err
	}
	u, err := a.subject(r)
	return u, v, err
}

var webAuthnLogin = schema{types: []string{"object"}, strict: true, required: []string{"successful"}, properties: []property{
	{"successful", schema{types: []string{"boolean"}}},
	{"webauthn_credential_id", schema{types: []string{"null"}, uuid: true}},
}}

// CompleteWebAuthn answers POST /user/{user_id}/complete/webauthn-login: the
// caller has checked the assertion, and reports.
func (a *API) CompleteWebAuthn(w http.ResponseWriter, r *http.Request) error {
	u, v, err := a.bodyAndSubject(r, &webAuthnLogin)
	if err != nil {
		return err
	}
	if u.Locked() {
		return errTooManyFails
	}
	given, _ := v.(object).get("successful")
	right, _ := given.(bool)
	key := textOf(v, "webauthn_credential_id")
	if right && key != "" {
		if _, err := a.Registry.Store.Credential(r.Context(), u.ID, uuid.MustParse(key)); err != nil {
			return err
		}
	}
	err = a.Proofs.SecurityKey(r.Context(), u.ID, directory.CallerFrom(r.Context()).ClientID, right, func(ctx context.Context) error {
		if key == "" {
			return nil
		}
		return a.Registry.Store.UseCredential(ctx, u.ID, uuid.MustParse(key), a.Registry.Clock())
	})
	switch {
	case errors.Is(err, authn.ErrLocked), right && errors.Is(err, authn.ErrRefused):
		return errTooManyFails
	case err != nil && !errors.Is(err, authn.ErrRefused):
		return err
	}
	return noContent(w, r)
}

// ResetFailedLogins answers POST /user/{user_id}/reset-failed-login-count, which
// also unlocks.
func (a *API) ResetFailedLogins(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "user_id")
	if err != nil {
		return err
	}
	if err := a.Proofs.Unlock(r.Context(), id, directory.CallerFrom(r.Context()).Actor()); err != nil {
		return err
	}
	u, err := a.Registry.Store.User(r.Context(), id)
	if err != nil {
		return err
	}
	return a.writeUser(w, r, http.StatusOK, u)
}

package notify

import (
	"context"
	"net/http"

	"gatehouse/authn"
	"gatehouse/authn/message"
	"gatehouse/directory"
)

// email queues one message to one address, in the language of whoever has it; ""
// where that is not known.
func (a *API) email(ctx context.Context, to string, l directory.Language, template string, personalisation map[string]any) error {
	if to == "" {
		return errNoRecipient
	}
	return a.Messages.Send(ctx, authn.Message{Channel: message.Email, To: to, Template: template, Language: l, Personalisation: personalisation})
}

// SendPasswordReset answers POST /user/reset-password. The message goes to the
// address as it is stored: another spelling of it may be somebody else's mailbox.
func (a *API) SendPasswordReset(w http.ResponseWriter, r *http.Request) error {
	_, v, err := readValue(r)
	if err != nil {
		return err
	}
	b, err := readAddress(v, validEmail)
	if err != nil {
		return err
	}
	u, err := a.Registry.UserOfAddress(r.Context(), b.email)
	if err != nil {
		return err
	}
	link, err := a.Links.To(b.adminBaseURL, "new-password", map[string]any{"email": u.EmailAddress, "created_at": plainInstant(a.Registry.Clock())})
	if err != nil {
		return err
	}
	err = a.email(r.Context(), u.EmailAddress, u.Language, message.PasswordReset, map[string]any{"user_name": u.Name, "url": withNext(link, b.next)})
	if err != nil {
		return err
	}
	return noContent(w, r)
}

// UpdatePassword answers POST /user/{user_id}/update-password. It does not unlock.
func (a *API) UpdatePassword(w http.ResponseWriter, r *http.Request) error {
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
	password := f.text("_password", required, a.validPassword)
	f.onlyKnown("_password")
	if err := f.err(); err != nil {
		return err
	}
	prepared, err := a.Passwords.PreparePassword(r.Context(), password)
	if err != nil {
		return err
	}
	if err := a.Passwords.StorePassword(r.Context(), u.ID, prepared, directory.CallerFrom(r.Context()).Actor()); err != nil {
		return err
	}
	updated, err := a.Registry.Store.User(r.Context(), u.ID)
	if err != nil {
		return err
	}
	return a.writeUser(w, r, http.StatusOK, updated)
}

// SendEmailVerification answers POST /user/{user_id}/email-verification.
func (a *API) SendEmailVerification(w http.ResponseWriter, r *http.Request) error {
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
	host := f.text("admin_base_url", nullable, anyText)
	if err := f.err(); err != nil {
		return err
	}
	link, err := a.Links.To(host, "verify-email", map[string]string{"user_id": u.ID.String(), "email": u.EmailAddress})
	if err != nil {
		return err
	}
	if err := a.email(r.Context(), u.EmailAddress, u.Language, message.VerifyEmail, map[string]any{"name": u.Name, "url": link}); err != nil {
		return err
	}
	return noContent(w, r)
}

// SendChangeEmailVerification answers POST /user/{user_id}/change-email-verification.
// Nothing changes before the link has come back.
func (a *API) SendChangeEmailVerification(w http.ResponseWriter, r *http.Request) error {
	_, v, err := readValue(r)
	if err != nil {
		return err
	}
	u, err := a.subject(r)
	if err != nil {
		return err
	}
	b, err := readAddress(v, validEmail)
	if err != nil {
		return err
	}
	link, err := a.Links.To("", "your-account/email/confirm", map[string]string{"user_id": u.ID.String(), "email": b.email})
	if err != nil {
		return err
	}
	err = a.email(r.Context(), b.email, u.Language, message.ChangeEmail, map[string]any{
		"name": u.Name, "url": link, "feedback_url": a.Links.Base("") + "/support",
	})
	if err != nil {
		return err
	}
	return noContent(w, r)
}

// SendAlreadyRegistered answers POST /user/{user_id}/email-already-registered. The
// user is not looked up.
func (a *API) SendAlreadyRegistered(w http.ResponseWriter, r *http.Request) error {
	_, v, err := readValue(r)
	if err != nil {
		return err
	}
	b, err := readAddress(v, validEmail)
	if err != nil {
		return err
	}
	base := a.Links.Base("")
	err = a.email(r.Context(), b.email, "", message.AlreadyRegistered, map[string]any{
		"signin_url": base + "/sign-in", "forgot_password_url": base + "/forgot-password", "feedback_url": base + "/support",
	})
	if err != nil {
		return err
	}
	return noContent(w, r)
}

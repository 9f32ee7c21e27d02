package notify

import (
	"context"
	"fmt"
	"net/http"

	"gatehouse/authn"
	"gatehouse/authn/message"
	"gatehouse/directory"
)

// confirmAgreement tells the one who signed the agreement, and whoever it was
// signed for, in the transaction in ctx.
func (a *API) confirmAgreement(ctx context.Context, o *directory.Organisation) error {
	signer, err := a.Registry.Store.User(ctx, o.AgreementSignedByID.UUID)
	if err != nil {
		return err
	}
	admin, document := a.Links.Base(""), "non-crown"
	if o.Crown != nil && *o.Crown {
		document = "crown"
	}
	personalisation := map[string]any{
		"mou_link": admin + "/agreement/" + document + ".pdf", "org_name": o.Name,
		"org_dashboard_link": admin + "/organisations/" + o.ID.String(),
		"signed_by_name":     signer.Name, "on_behalf_of_name": orEmpty(o.AgreementSignedOnBehalfOfName),
	}
	behalf := orEmpty(o.AgreementSignedOnBehalfOfEmail)
	if behalf == "" {
		return a.mail(ctx, authn.Message{To: signer.EmailAddress, Template: message.AgreementSigned, Language: signer.Language, Personalisation: personalisation})
	}
	if err := a.mail(ctx, authn.Message{To: behalf, Template: message.AgreementSignedForYou, Personalisation: personalisation}); err != nil {
		return err
	}
	return a.mail(ctx, authn.Message{To: signer.EmailAddress, Template: message.AgreementSignedOnBehalf, Language: signer.Language, Personalisation: personalisation})
}

// orEmpty is what a nullable text holds.
func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// mail queues an e-mail in the transaction in ctx. One to nobody is a fault of
// the caller.
func (a *API) mail(ctx context.Context, m authn.Message) error {
	if m.To == "" {
		return fault(http.StatusBadRequest, "Recipient can't be empty")
	}
	m.Channel = message.Email
	if err := a.Messages.Send(ctx, m); err != nil {
		return fmt.Errorf("send %s: %w", m.Template, err)
	}
	return nil
}

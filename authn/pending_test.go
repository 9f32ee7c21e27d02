package authn_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
)

// TestPendingUserIsAdmittedOnlyToBecomeActive: neither half of it is enough.
func TestPendingUserIsAdmittedOnlyToBecomeActive(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		carol := k.user(directory.NewUser{
			EmailAddress: "carol@example.com", MobileNumber: "07700 900124", AuthType: directory.SMSAuth, State: directory.Pending,
		})
		_, err := k.password(authn.Browser, carol.EmailAddress, rightPassword)
		wantRefused(t, err)
		begin := authn.Attempt{Front: authn.Browser, Factor: authn.Password, UserID: carol.ID, Secret: rightPassword, AdmitPending: true}
		attempt := func(also func(context.Context, *directory.User) error) (*authn.Outcome, error) {
			t.Helper()
			o, err := k.Authenticate(t.Context(), begin)
			if err != nil || o.Next != authn.SMSCode {
				t.Fatalf("password: %+v, %v", o, err)
			}
			return k.Authenticate(t.Context(), authn.Attempt{
				Front: authn.Browser, Factor: o.Next, SignIn: o.SignIn, Secret: k.sent.lastCode(t), Also: also,
			})
		}
		_, err = attempt(nil)
		wantRefused(t, err)
		broken := errors.New("broken")
		if _, err := attempt(func(context.Context, *directory.User) error { return broken }); !errors.Is(err, broken) {
			t.Errorf("error = %v, want what stands against it", err)
		}
		if got := k.reload(carol); got.State != directory.Pending || !got.LoggedInAt.IsZero() {
			t.Errorf("state %s, signed in at %s", got.State, got.LoggedInAt)
		}
		registry := &directory.Registry{Store: k.Directory, Clock: k.Clock, NewID: uuid.New}
		o, err := attempt(func(ctx context.Context, u *directory.User) error {
			_, err := registry.ActivateUser(ctx, u.ID, directory.Actor{Kind: "user", ID: u.ID.String()})
			return err
		})
		if err != nil || !o.Complete() {
			t.Fatalf("%+v, %v", o, err)
		}
		if got := k.reload(carol); got.State != directory.Active || got.LoggedInAt.IsZero() {
			t.Errorf("state %s, signed in at %s", got.State, got.LoggedInAt)
		}
	})
}

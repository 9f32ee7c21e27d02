package storage_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"gatehouse/directory"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

// team is a service and an organisation that somebody is invited to.
type team struct {
	*directory.Registry
	t            *testing.T
	stores       *storage.Stores
	now          time.Time
	manager      *directory.User
	service      *directory.Service
	folder       uuid.UUID
	organisation *directory.Organisation
}

var operator = directory.Actor{Kind: "operator"}

func newTeam(t *testing.T, stores *storage.Stores, features ...string) *team {
	t.Helper()
	f := &team{t: t, stores: stores, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	f.Registry = &directory.Registry{Store: storage.Directory{DB: stores.DB}, Clock: func() time.Time { return f.now }, NewID: uuid.New}
	f.manager = f.user(directory.NewUser{Name: "Bob Example", EmailAddress: "bob@example.gov.uk"})
	n := directory.NewService{UserID: f.manager.ID, CreatedBy: f.manager.ID}
	name, permissions := "Fishing licences", append(directory.DefaultServicePermissions(), features...)
	n.Name, n.Permissions = &name, &permissions
	var err error
	if f.service, err = f.CreateService(t.Context(), n, operator); err != nil {
		t.Fatal(err)
	}
	f.folder = uuid.New()
	folder := &directory.Folder{ID: f.folder, ServiceID: f.service.ID, Name: "Letters", CreatedAt: f.now}
	if err := f.Store.CreateFolder(t.Context(), folder); err != nil {
		t.Fatal(err)
	}
	if f.organisation, err = f.CreateOrganisation(t.Context(), directory.NewOrganisation{Name: "Ministry"}, operator); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *team) user(n directory.NewUser) *directory.User {
	f.t.Helper()
	if n.Name == "" {
		n.Name = "Alice Example"
	}
	if n.State == "" {
		n.State = directory.Active
	}
	u, err := f.CreateUser(f.t.Context(), n, operator, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return u
}

func (f *team) invite(change ...func(*directory.ServiceInvitation)) uuid.UUID {
	f.t.Helper()
	i := directory.ServiceInvitation{
		ServiceID: f.service.ID, EmailAddress: "alice@example.gov.uk", FromUserID: f.manager.ID, Status: directory.InvitationPending,
		Permissions: []string{"send_texts", "view_activity"}, Folders: []string{f.folder.String()}, AuthType: directory.SMSAuth,
	}
	for _, c := range change {
		c(&i)
	}
	made, err := f.InviteToService(f.t.Context(), i, operator, func(context.Context, *directory.ServiceInvitation, *directory.Service, *directory.User) error {
		return nil
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return made.ID
}

func (f *team) inviteToOrganisation(permissions ...string) uuid.UUID {
	f.t.Helper()
	i := directory.OrganisationInvitation{
		OrganisationID: f.organisation.ID, EmailAddress: "alice@example.gov.uk", InvitedByID: f.manager.ID, Permissions: permissions,
	}
	made, err := f.InviteToOrganisation(f.t.Context(), i, operator, func(context.Context, *directory.OrganisationInvitation, *directory.Organisation, *directory.User) error {
		return nil
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return made.ID
}

func (f *team) reload(u *directory.User) *directory.User {
	f.t.Helper()
	again, err := f.Store.User(f.t.Context(), u.ID)
	if err != nil {
		f.t.Fatal(err)
	}
	return again
}

func alice(auth directory.AuthType, mobile string) directory.NewUser {
	return directory.NewUser{EmailAddress: "Alice@Example.gov.uk", AuthType: auth, MobileNumber: mobile}
}

func TestInvitationGivesExactlyItsRights(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, stores *storage.Stores) {
		f := newTeam(t, stores)
		u := f.user(alice(directory.EmailAuth, ""))
		id := f.invite(func(i *directory.ServiceInvitation) {
			i.Permissions = append(i.Permissions, "of_long_ago")
			i.Folders = append(i.Folders, uuid.NewString(), "no id")
		})
		f.now = f.now.Add(time.Hour)
		if err := f.AcceptInvitation(t.Context(), directory.ServiceTeam, id, u.ID); err != nil {
			t.Fatal(err)
		}
		member, err := f.Store.ServiceMember(t.Context(), f.service.ID, u.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"send_texts", "view_activity"}, member.Permissions); diff != "" {
			t.Error(diff)
		}
		folders, err := f.Store.Folders(t.Context(), f.service.ID)
		if err != nil || !slices.Contains(folders[0].Users, u.ID) {
			t.Errorf("folders %+v, %v", folders, err)
		}
		if got := f.reload(u); !got.EmailAccessValidatedAt.Equal(f.now) || got.AuthType != directory.EmailAuth {
			t.Errorf("proved at %s, %s", got.EmailAccessValidatedAt, got.AuthType)
		}
		i, err := f.TeamInvitation(t.Context(), directory.ServiceTeam, id)
		if err != nil || !i.Accepted() || i.TeamName != "Fishing licences" || i.InvitedBy != "Bob Example" {
			t.Errorf("%+v, %v", i, err)
		}
		organisation := f.inviteToOrganisation(directory.CanMakeServicesLive)
		if err := f.AcceptInvitation(t.Context(), directory.OrganisationTeam, organisation, u.ID); err != nil {
			t.Fatal(err)
		}
		of, err := f.Store.MembershipsOf(t.Context(), u.ID)
		if diff := cmp.Diff(map[uuid.UUID][]string{f.organisation.ID: {directory.CanMakeServicesLive}}, of.OrganisationPermissions); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
	})
}

func TestInvitationIsAcceptedOnce(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, stores *storage.Stores) {
		f := newTeam(t, stores)
		// Delius users may share an address: any of them could accept, but only one does.
		var users []*directory.User
		for _, name := range []string{"one", "two", "three", "four"} {
			n := alice(directory.EmailAuth, "")
			n.Username = name
			users = append(users, f.user(n))
		}
		for kind, id := range map[directory.TeamKind]uuid.UUID{directory.ServiceTeam: f.invite(), directory.OrganisationTeam: f.inviteToOrganisation()} {
			errs := make([]error, 16)
			var wg sync.WaitGroup
			for n := range errs {
				wg.Go(func() { errs[n] = f.AcceptInvitation(t.Context(), kind, id, users[n%len(users)].ID) })
			}
			wg.Wait()
			accepted, members := 0, 0
			for _, err := range errs {
				switch {
				case err == nil:
					accepted++
				case !errors.Is(err, directory.ErrInvitationClosed):
					t.Errorf("%s: %v", kind, err)
				}
			}
			for _, u := range users {
				of, err := f.Store.MembershipsOf(t.Context(), u.ID)
				if err != nil {
					t.Fatal(err)
				}
				if slices.Contains(of.Services, f.service.ID) && kind == directory.ServiceTeam || slices.Contains(of.Organisations, f.organisation.ID) && kind == directory.OrganisationTeam {
					members++
				}
			}
			if accepted != 1 || members != 1 {
				t.Errorf("%s: accepted %d times, %d members", kind, accepted, members)
			}
		}
	})
}

// TestWithdrawnAndAcceptedAtOnce: whoever comes first wins, and nobody joins by
// an invitation that ends as withdrawn.
func TestWithdrawnAndAcceptedAtOnce(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, stores *storage.Stores) {
		f := newTeam(t, stores)
		u := f.user(alice(directory.EmailAuth, ""))
		for range 8 {
			id := f.invite()
			cancelled := directory.InvitationCancelled
			var acceptErr, cancelErr error
			var wg sync.WaitGroup
			wg.Go(func() { acceptErr = f.AcceptInvitation(t.Context(), directory.ServiceTeam, id, u.ID) })
			wg.Go(func() {
				_, cancelErr = f.ChangeServiceInvitation(t.Context(), f.service.ID, id, directory.InvitationChanges{Status: &cancelled}, operator)
			})
			wg.Wait()
			if cancelErr != nil || acceptErr != nil && !errors.Is(acceptErr, directory.ErrInvitationClosed) {
				t.Fatalf("accept: %v, withdraw: %v", acceptErr, cancelErr)
			}
			_, err := f.Store.ServiceMember(t.Context(), f.service.ID, u.ID)
			if member := err == nil; member != (acceptErr == nil) {
				t.Errorf("accept: %v, member: %t", acceptErr, member)
			}
			if acceptErr == nil {
				if err := f.RemoveServiceMember(t.Context(), f.service.ID, u.ID, operator); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

func TestInvitationThatIsNotOpenAddsNobody(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, stores *storage.Stores) {
		f := newTeam(t, stores)
		u := f.user(alice(directory.EmailAuth, ""))
		status := func(s directory.InvitationStatus) func(*directory.ServiceInvitation) {
			return func(i *directory.ServiceInvitation) { i.Status = s }
		}
		elsewhere := func(i *directory.ServiceInvitation) { i.EmailAddress = "alice@example.org" }
		refused := func(kind directory.TeamKind, id uuid.UUID, want error) {
			t.Helper()
			if err := f.AcceptInvitation(t.Context(), kind, id, u.ID); !errors.Is(err, want) {
				t.Errorf("error = %v, want %v", err, want)
			}
		}
		refused(directory.ServiceTeam, f.invite(elsewhere), directory.ErrNotInvited)
		refused(directory.ServiceTeam, f.invite(status(directory.InvitationCancelled)), directory.ErrInvitationClosed)
		refused(directory.ServiceTeam, f.invite(status(directory.InvitationAccepted)), directory.ErrInvitationClosed)
		refused(directory.ServiceTeam, uuid.New(), directory.ErrInvitationClosed)
		refused(directory.OrganisationTeam, f.invite(), directory.ErrInvitationClosed)
		old, oldOrganisation := f.invite(), f.inviteToOrganisation()
		f.now = f.now.Add(directory.InvitationTTL)
		refused(directory.ServiceTeam, old, directory.ErrInvitationClosed)
		refused(directory.OrganisationTeam, oldOrganisation, directory.ErrInvitationClosed)
		late := f.invite()
		if err := f.ArchiveService(t.Context(), f.service.ID, operator); err != nil {
			t.Fatal(err)
		}
		refused(directory.ServiceTeam, late, directory.ErrInvitationClosed)
		of, err := f.Store.MembershipsOf(t.Context(), u.ID)
		if err != nil || len(of.Services)+len(of.Organisations) != 0 || !f.reload(u).UpdatedAt.IsZero() {
			t.Errorf("%+v, %v", of, err)
		}
	})
}

func TestInvitationChangesHowPeopleSignInOnlyByTheRules(t *testing.T) {
	const mobile = "07700900123"
	for _, c := range []struct {
		name     string
		user     directory.NewUser
		wants    directory.AuthType
		features []string
		want     directory.AuthType
	}{
		{"to e-mail", alice(directory.SMSAuth, mobile), directory.EmailAuth, []string{"email_auth"}, directory.EmailAuth},
		{"to e-mail, which the service has not", alice(directory.SMSAuth, mobile), directory.EmailAuth, nil, directory.SMSAuth},
		{"to text messages", alice(directory.EmailAuth, mobile), directory.SMSAuth, []string{"email_auth"}, directory.SMSAuth},
		{"to text messages without a number", alice(directory.EmailAuth, ""), directory.SMSAuth, []string{"email_auth"}, directory.EmailAuth},
		{"to text messages, which the service may not say", alice(directory.EmailAuth, mobile), directory.SMSAuth, nil, directory.EmailAuth},
		{"from a security key", alice(directory.WebAuthnAuth, mobile), directory.EmailAuth, []string{"email_auth"}, directory.WebAuthnAuth},
		{"to a security key", alice(directory.SMSAuth, mobile), directory.WebAuthnAuth, []string{"email_auth"}, directory.SMSAuth},
		{"a platform administrator", func() directory.NewUser {
			n := alice(directory.SMSAuth, mobile)
			n.PlatformAdmin = true
			return n
		}(), directory.EmailAuth, []string{"email_auth"}, directory.SMSAuth},
	} {
		t.Run(c.name, func(t *testing.T) {
			storagetest.Each(t, func(t *testing.T, stores *storage.Stores) {
				f := newTeam(t, stores, c.features...)
				u := f.user(c.user)
				id := f.invite(func(i *directory.ServiceInvitation) { i.AuthType = c.wants })
				if err := f.AcceptInvitation(t.Context(), directory.ServiceTeam, id, u.ID); err != nil {
					t.Fatal(err)
				}
				if got := f.reload(u).AuthType; got != c.want {
					t.Errorf("%s, want %s", got, c.want)
				}
			})
		})
	}
}

func TestMemberWhoIsInvitedAgainKeepsTheirRights(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, stores *storage.Stores) {
		f := newTeam(t, stores)
		id := f.invite(func(i *directory.ServiceInvitation) { i.EmailAddress = "BOB@example.gov.uk" })
		if err := f.AcceptInvitation(t.Context(), directory.ServiceTeam, id, f.manager.ID); err != nil {
			t.Fatal(err)
		}
		member, err := f.Store.ServiceMember(t.Context(), f.service.ID, f.manager.ID)
		if err != nil || !slices.Contains(member.Permissions, directory.ManageSettings) {
			t.Errorf("%+v, %v", member, err)
		}
	})
}

// TestAccountBegunByOthersIsTakenOver: whoever reads the mail of an address gets
// the unfinished account of it, and nobody else's password opens it.
func TestAccountBegunByOthersIsTakenOver(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, stores *storage.Stores) {
		f := newTeam(t, stores)
		n := alice(directory.SMSAuth, "07700900666")
		n.State, n.Name = directory.Pending, "Mallory"
		begun := f.user(n)
		i, err := f.TeamInvitation(t.Context(), directory.ServiceTeam, f.invite())
		if err != nil {
			t.Fatal(err)
		}
		if account, err := f.InvitedAccount(t.Context(), i); err != nil || account != nil {
			t.Fatalf("account %v, %v", account, err)
		}
		passwords := 0
		also := func(context.Context, *directory.User) error { passwords++; return nil }
		u, err := f.RegisterInvited(t.Context(), i, "Alice Example", "07700900123", also)
		if err != nil || u.ID != begun.ID || u.Name != "Alice Example" || u.MobileNumber != "07700900123" || u.State != directory.Pending || passwords != 1 {
			t.Fatalf("%+v, %v", u, err)
		}
		if err := f.AcceptInvitation(t.Context(), i.Kind, i.ID, u.ID); err != nil || f.reload(u).State != directory.Active {
			t.Fatalf("state %s, %v", f.reload(u).State, err)
		}
		if account, err := f.InvitedAccount(t.Context(), i); err != nil || account == nil {
			t.Errorf("account %v, %v", account, err)
		}
		if _, err := f.RegisterInvited(t.Context(), i, "Mallory", "07700900666", also); !errors.Is(err, directory.ErrConflict) || passwords != 1 {
			t.Errorf("once more: %v, %d passwords", err, passwords)
		}
	})
}

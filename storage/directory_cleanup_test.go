package storage_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

// many are more rows than one statement deletes.
const many = 1200

// TestTwoReplicasCleanUpAtOnce moves the clock past each period and lets two
// replicas clean up at the same time, over more rows than one statement takes.
func TestTwoReplicasCleanUpAtOnce(t *testing.T) {
	const day = 24 * time.Hour
	storagetest.EachConfig(t, func(t *testing.T, c storage.Config) {
		one := storagetest.OpenConfig(t, c)
		now := noon
		registry := func(s *storage.Stores) *directory.Registry {
			return &directory.Registry{Store: storage.Directory{DB: s.DB}, Clock: func() time.Time { return now }, NewID: uuid.New}
		}
		two := storagetest.OpenConfig(t, c)
		service, organisation := fillForCleanup(t, one.DB, registry(one))
		steps := []struct {
			after                                      time.Duration
			toService, toOrganisation, events, members int
		}{
			{0, many, 1, many + 2, 1},
			{2*day - time.Microsecond, many, 1, many + 2, 1},
			{2 * day, 0, 0, many + 2, 1},
			{364 * day, 0, 0, many + 2, 1},
			{364*day + time.Microsecond, 0, 0, 0, 1},
		}
		for _, step := range steps {
			now = noon.Add(step.after)
			var wait sync.WaitGroup
			for _, replica := range []*storage.Stores{one, two} {
				wait.Go(func() {
					err := directory.ErrUnavailable
					for tries := 0; tries < 20 && errors.Is(err, directory.ErrUnavailable); tries++ {
						// SQLite waits for five seconds, which the other may take under the race detector.
						err = storage.Cleanup{DB: replica.DB}.Run(t.Context(), now, nil)
					}
					if err != nil {
						t.Errorf("after %s: %v", step.after, err)
					}
				})
			}
			wait.Wait()
			for table, want := range map[string]int{
				"service_invitations": step.toService, "organisation_invitations": step.toOrganisation,
				"events": step.events, "service_members": step.members,
			} {
				var n int
				if err := one.DB.Row(t.Context(), "select count(*) from "+table, nil, &n); err != nil || n != want {
					t.Errorf("after %s: %d rows in %s (%v), want %d", step.after, n, table, err, want)
				}
			}
		}
		if _, err := registry(two).Store.Service(t.Context(), service); err != nil {
			t.Error(err)
		}
		if _, err := registry(two).Store.Organisation(t.Context(), organisation); err != nil {
			t.Error(err)
		}
	})
}

// fillForCleanup writes a service and an organisation with invitations, and more
// events than one statement deletes, all at noon.
func fillForCleanup(t *testing.T, db *storage.DB, r *directory.Registry) (service, organisation uuid.UUID) {
	t.Helper()
	crown := true
	system := directory.Actor{Kind: "system"}
	o, err := r.CreateOrganisation(t.Context(), directory.NewOrganisation{Name: "Cabinet Office", Crown: &crown, Type: directory.Central}, system)
	if err != nil {
		t.Fatal(err)
	}
	u, err := r.CreateUser(t.Context(), directory.NewUser{Name: "Ann Other", EmailAddress: "ann@example.gov.uk", State: directory.Active}, system, nil)
	if err != nil {
		t.Fatal(err)
	}
	service, organisation = uuid.New(), o.ID
	if err := r.Store.CreateService(t.Context(), &directory.Service{ID: service, Name: "Bank holidays", Active: true, CreatedAt: noon}); err != nil {
		t.Fatal(err)
	}
	if err := r.Store.AddServiceMember(t.Context(), directory.Membership{UserID: u.ID, Of: service, CreatedAt: noon}); err != nil {
		t.Fatal(err)
	}
	err = db.InTx(t.Context(), func(ctx context.Context) error {
		for i := range many {
			address := fmt.Sprintf("invited%d@example.gov.uk", i)
			if _, err := db.Exec(ctx, `
				insert into service_invitations (id, service_id, email_address, email_normalised, from_user_id, status, permissions, folder_permissions, auth_type, created_at)
				values ($1, $2, $3, $3, $4, $5, '[]', '[]', 'sms_auth', $6)`,
				uuid.New(), service, address, u.ID, []string{"pending", "accepted", "cancelled"}[i%3], noon); err != nil {
				return err
			}
			if err := r.Store.AppendEvent(ctx, directory.Event{ID: uuid.New(), Type: "test", Actor: system, At: noon}); err != nil {
				return err
			}
		}
		_, err := db.Exec(ctx, `
			insert into organisation_invitations (id, organisation_id, email_address, email_normalised, invited_by_id, status, permissions, created_at)
			values ($1, $2, 'a@example.gov.uk', 'a@example.gov.uk', $3, 'pending', '[]', $4)`, uuid.New(), organisation, u.ID, noon)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return service, organisation
}

package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
)

// JoinStatus is what has become of a request to join a service.
type JoinStatus string

// What can become of a request to join a service.
const (
	JoinPending   JoinStatus = "pending"
	JoinApproved  JoinStatus = "approved"
	JoinRejected  JoinStatus = "rejected"
	JoinCancelled JoinStatus = "cancelled"
)

// JoinRequest asks members of a service to let somebody join them.
type JoinRequest struct {
	ID              uuid.UUID
	ServiceID       uuid.UUID
	RequesterID     uuid.UUID
	Contacts        []uuid.UUID // the users who were asked
	Reason          string
	Status          JoinStatus
	StatusChangedAt time.Time     // zero when never
	StatusChangedBy uuid.NullUUID // not valid when never
	CreatedAt       time.Time
}

// What stands against a request to join.
var (
	ErrAlreadyMember = errors.New("the user is in the service already")
	ErrNoManagers    = errors.New("none of those asked is in the service")
)

// joinRequestStore is the part of [Store] that keeps requests to join services.
type joinRequestStore interface {
	CreateJoinRequest(ctx context.Context, j *JoinRequest) error
	JoinRequest(ctx context.Context, id uuid.UUID) (*JoinRequest, error)
	// UpdateJoinRequest writes the status, who changed it and when, and the reason.
	UpdateJoinRequest(ctx context.Context, j *JoinRequest) error
	// PendingJoinRequests returns those of a user for a service.
	PendingJoinRequests(ctx context.Context, serviceID, requesterID uuid.UUID) ([]uuid.UUID, error)
}

// Asked is a request to join with everybody it concerns.
type Asked struct {
	Request   *JoinRequest
	Service   *Service
	Requester *User
	Contacts  []*User // everybody who was asked
	Managers  []*User // those of them who are in the service
}

// AskToJoin writes a request. Errors: [ErrNotFound] for a user or the service,
// [ErrAlreadyMember], [ErrNoManagers]. The function tell runs in the same transaction.
func (r *Registry) AskToJoin(ctx context.Context, j JoinRequest, actor Actor, tell func(ctx context.Context, a *Asked) error) (*JoinRequest, error) {
	j.ID, j.CreatedAt, j.Status, j.Contacts = r.NewID(), r.Clock(), JoinPending, unique(j.Contacts)
	err := r.Store.InTx(ctx, func(ctx context.Context) error {
		a, err := r.asked(ctx, &j)
		if err != nil {
			return err
		}
		if len(a.Managers) == 0 {
			return ErrNoManagers
		}
		if err := r.Store.CreateJoinRequest(ctx, &j); err != nil {
			return fmt.Errorf("create request: %w", err)
		}
		data := map[string]any{"service_id": j.ServiceID, "requester_id": j.RequesterID, "contacts": j.Contacts}
		if err := r.record(ctx, "ask_to_join_service", actor, j.ID.String(), data); err != nil {
			return err
		}
		return tell(ctx, a)
	})
	return &j, err
}

// asked looks up everybody whom a new request concerns.
func (r *Registry) asked(ctx context.Context, j *JoinRequest) (*Asked, error) {
	a := &Asked{Request: j}
	var err error
	if a.Requester, err = r.Store.User(ctx, j.RequesterID); err != nil {
		return nil, fmt.Errorf("look up requester: %w", err)
	}
	for _, id := range j.Contacts {
		u, err := r.Store.User(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("look up contact: %w", err)
		}
		a.Contacts = append(a.Contacts, u)
	}
	if a.Service, err = r.Store.LockService(ctx, j.ServiceID); err != nil {
		return nil, fmt.Errorf("lock service: %w", err)
	}
	members, err := r.Store.TeamMembers(ctx, j.ServiceID)
	if err != nil {
		return nil, fmt.Errorf("look up team: %w", err)
	}
	in := func(id uuid.UUID) bool {
		return slices.ContainsFunc(members, func(m TeamMember) bool { return m.UserID == id })
	}
	if in(j.RequesterID) {
		return nil, ErrAlreadyMember
	}
	for _, u := range a.Contacts {
		if in(u.ID) {
			a.Managers = append(a.Managers, u)
		}
	}
	return a, nil
}

// JoinDecision is what somebody decides about a request to join.
type JoinDecision struct {
	Status    JoinStatus
	ChangedBy uuid.UUID
	Reason    *string // nil: as it was
	// Rights and AuthType are for approvals. The type is only applied where the
	// team may choose it, see [Registry.DecideJoinRequest].
	Rights   Rights
	AuthType AuthType // "": as it is
}

// DecideJoinRequest changes what becomes of a request. An approved requester joins
// the team, or gains the permissions, and every other pending request of theirs
// for the service is cancelled. Their authentication type becomes email_auth only
// where the service has that feature, sms_auth only with a number; that of who
// signs in with a security key, or administers the platform, never changes.
// Errors: [ErrNotFound]. The function tell runs in the same transaction.
func (r *Registry) DecideJoinRequest(ctx context.Context, serviceID, id uuid.UUID, d JoinDecision, actor Actor, tell func(ctx context.Context, a *Asked, by *User) error) (*JoinRequest, error) {
	var j *JoinRequest
	err := r.Store.InTx(ctx, func(ctx context.Context) error {
		s, err := r.Store.LockService(ctx, serviceID)
		if err != nil {
			return fmt.Errorf("lock service: %w", err)
		}
		if j, err = r.Store.JoinRequest(ctx, id); err != nil {
			return fmt.Errorf("look up request: %w", err)
		}
		if j.ServiceID != serviceID {
			return fmt.Errorf("request for another service: %w", ErrNotFound)
		}
		by, err := r.Store.User(ctx, d.ChangedBy)
		if err != nil {
			return fmt.Errorf("look up approver: %w", err)
		}
		if err := r.decide(ctx, j, d, actor); err != nil {
			return err
		}
		if d.Status != JoinApproved {
			return nil
		}
		requester, err := r.admit(ctx, s, j, d, actor)
		if err != nil {
			return err
		}
		return tell(ctx, &Asked{Request: j, Service: s, Requester: requester}, by)
	})
	return j, err
}

func (r *Registry) decide(ctx context.Context, j *JoinRequest, d JoinDecision, actor Actor) error {
	before := j.Status
	j.Status, j.StatusChangedAt, j.StatusChangedBy = d.Status, r.Clock(), uuid.NullUUID{UUID: d.ChangedBy, Valid: true}
	set(&j.Reason, d.Reason)
	if err := r.Store.UpdateJoinRequest(ctx, j); err != nil {
		return fmt.Errorf("update request: %w", err)
	}
	return r.record(ctx, "decide_join_request", actor, j.ID.String(), map[string]any{
		"service_id": j.ServiceID, "requester_id": j.RequesterID, "status_changed_by_id": d.ChangedBy,
		"before": map[string]any{"status": before}, "after": map[string]any{"status": j.Status},
	})
}

// admit lets a requester into the team and settles their other requests.
func (r *Registry) admit(ctx context.Context, s *Service, j *JoinRequest, d JoinDecision, actor Actor) (*User, error) {
	member, err := r.Store.ServiceMember(ctx, s.ID, j.RequesterID)
	switch {
	case err == nil:
		d.Rights.Permissions = inOrder(append(member.Permissions, d.Rights.Permissions...))
		err = r.SetServiceRights(ctx, s.ID, j.RequesterID, d.Rights, actor)
	case errors.Is(err, ErrNotFound):
		err = r.AddServiceMember(ctx, s.ID, j.RequesterID, d.Rights, actor)
	}
	if err != nil {
		return nil, fmt.Errorf("admit: %w", err)
	}
	if err := r.cancelOthers(ctx, j, d, actor); err != nil {
		return nil, err
	}
	u, err := r.Store.User(ctx, j.RequesterID)
	if err != nil {
		return nil, fmt.Errorf("look up requester: %w", err)
	}
	if !mayTake(u, s, d.AuthType) {
		return u, nil
	}
	return r.UpdateUser(ctx, u.ID, UserChange{AuthType: &d.AuthType}, actor, nil)
}

// mayTake reports whether a team of a service may choose how somebody signs in.
func mayTake(u *User, s *Service, t AuthType) bool {
	if u.AuthType == t || u.AuthType == WebAuthnAuth || u.PlatformAdmin {
		return false
	}
	return t == EmailAuth && slices.Contains(s.Permissions, "email_auth") || t == SMSAuth && u.MobileNumber != ""
}

func (r *Registry) cancelOthers(ctx context.Context, j *JoinRequest, d JoinDecision, actor Actor) error {
	others, err := r.Store.PendingJoinRequests(ctx, j.ServiceID, j.RequesterID)
	if err != nil {
		return fmt.Errorf("look up other requests: %w", err)
	}
	for _, id := range others {
		other, err := r.Store.JoinRequest(ctx, id)
		if err != nil {
			return fmt.Errorf("look up other request: %w", err)
		}
		if err := r.decide(ctx, other, JoinDecision{Status: JoinCancelled, ChangedBy: d.ChangedBy}, actor); err != nil {
			return err
		}
	}
	return nil
}

package oauth

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// Organisations knows the organisations that clients may belong to.
type Organisations interface {
	// Organisation returns directory.ErrNotFound for one that is unknown.
	Organisation(ctx context.Context, id uuid.UUID) (*directory.Organisation, error)
}

// organisation is whose brand the pages carry; uuid.Nil for nobody's.
func (c *Client) organisation() uuid.UUID {
	id, _ := uuid.Parse(c.OrganisationID) // which was validated
	return id
}

func (c *Client) validateOrganisation(f *faults) {
	id := c.organisation()
	f.add(c.OrganisationID != "" && (id == uuid.Nil || id.String() != c.OrganisationID), "organisation_id", "must be a UUID in lower case")
}

// checkReferences checks what a client names that is elsewhere.
func (cs *Clients) checkReferences(ctx context.Context, c *Client) error {
	if err := cs.checkOrganisation(ctx, c); err != nil {
		return err
	}
	return cs.checkSector(ctx, c)
}

func (cs *Clients) checkOrganisation(ctx context.Context, c *Client) error {
	if c.OrganisationID == "" {
		return nil
	}
	_, err := cs.Organisations.Organisation(ctx, c.organisation())
	if errors.Is(err, directory.ErrNotFound) {
		return &directory.FieldError{Field: "organisation_id", Reason: "is no organisation of the directory"}
	}
	return err
}

// keepOperators takes over what only the operator changes, when a client that
// describes itself does so anew: the floor under its sign-ins is not lowered,
// and it goes on belonging to whom it does.
func (c *Client) keepOperators(old *Client) {
	c.MinimumACR = stricter(old.MinimumACR, c.MinimumACR)
	c.OrganisationID = old.OrganisationID
}

package transfer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// place is where a user belongs, found.
type place struct {
	kind        string
	of          uuid.UUID
	permissions []string
}

func (p place) membership(user uuid.UUID, at time.Time) directory.Membership {
	return directory.Membership{UserID: user, Of: p.of, Permissions: p.permissions, CreatedAt: at}
}

// teams are the organisations and services that a batch refers to, by external id or name.
type teams struct {
	organisations, services map[string]uuid.UUID
	seen                    *seen
}

func (i *Importer) teams(ctx context.Context, all []*UserRecord) (*teams, error) {
	var organisations, services []string
	for _, r := range all {
		for _, p := range r.Organisations {
			organisations = append(organisations, p.Of)
		}
		for _, p := range r.Services {
			services = append(services, p.Of)
		}
	}
	t := &teams{seen: i.seen}
	var err error
	if t.organisations, err = i.referred(ctx, KindOrganisation, organisations, i.Store.OrganisationsByName); err != nil {
		return nil, fmt.Errorf("look up organisations: %w", err)
	}
	if t.services, err = i.referred(ctx, KindService, services, i.Store.ServicesByName); err != nil {
		return nil, fmt.Errorf("look up services: %w", err)
	}
	return t, nil
}

// referred finds what references mean: an external id of the source, else a name.
func (i *Importer) referred(ctx context.Context, kind string, references []string, byName func(context.Context, []string) (map[string]uuid.UUID, error)) (map[string]uuid.UUID, error) {
	if len(references) == 0 {
		return nil, nil
	}
	found, err := byName(ctx, references)
	if err != nil {
		return nil, err
	}
	here, err := i.Store.ImportedRecords(ctx, i.Source, kind, references)
	if err != nil {
		return nil, err
	}
	for id, record := range here {
		found[id] = record.ID
	}
	return found, nil
}

func (t *teams) placesOf(r *UserRecord) ([]place, error) {
	var all []place
	for _, p := range r.Organisations {
		id, ok := t.organisations[p.Of]
		if !ok && !t.seen.has(KindOrganisation, p.Of) {
			return nil, errField("organisations", "Of an organisation that is not here.")
		}
		all = append(all, place{kind: KindOrganisation, of: id, permissions: p.Permissions})
	}
	for _, p := range r.Services {
		id, ok := t.services[p.Of]
		if !ok && !t.seen.has(KindService, p.Of) {
			return nil, errField("services", "Of a service that is not here.")
		}
		all = append(all, place{kind: KindService, of: id, permissions: p.Permissions})
	}
	return distinct(all)
}

// distinct refuses a place that a record has twice.
func distinct(all []place) ([]place, error) {
	seen := map[uuid.UUID]bool{}
	for _, p := range all {
		if p.of != uuid.Nil && seen[p.of] {
			return nil, errors.Join(errField(p.kind+"s", "The same one twice."))
		}
		seen[p.of] = true
	}
	return all, nil
}

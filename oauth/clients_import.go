package oauth

import (
	"context"
	"fmt"

	"gatehouse/directory"
)

// Imported is a client that was imported, and the secret that was made for it:
// "" when it has none, or one whose hash came with it.
type Imported struct {
	Client *Client
	Secret string
}

// Import creates every client of a list, or none of them. Errors name every
// client that is invalid; one that is there already is a *directory.ConflictError.
func (cs *Clients) Import(ctx context.Context, by directory.Actor, file []ClientDocument) ([]Imported, error) {
	all := make([]Imported, 0, len(file))
	var faults faults
	for i := range file {
		c, err := file[i].Client()
		if c.Origin != OriginFile {
			// Whoever managed it over the registration endpoint has no token for it here.
			c.Origin = OriginOperator
		}
		if err == nil {
			err = cs.prepare(ctx, &c)
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("client %s: %w", file[i].ClientID, err))
		}
		all = append(all, Imported{Client: &c})
	}
	if err := faults.err(); err != nil {
		return nil, err
	}
	err := cs.Store.InTx(ctx, func(ctx context.Context) (err error) {
		for i := range all {
			if all[i].Secret, err = cs.create(ctx, by, all[i].Client); err != nil {
				return fmt.Errorf("client %s: %w", all[i].Client.ID, err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("import: %w", err)
	}
	return all, nil
}

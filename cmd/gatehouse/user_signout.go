package main

import (
	"fmt"

	"github.com/google/uuid"
)

type userSignOutCommand struct {
	ID   uuid.UUID `arg:"" name:"id" help:"The user's id."`
	JSON bool      `name:"json" help:"Print JSON."`
}

// Run signs the user out everywhere. The services are told by whatever serves.
func (c userSignOutCommand) Run(env *environment) error {
	return withApp(env, func(a *app) error {
		if err := a.authn.EndAccess(env.ctx, c.ID, operator); err != nil {
			return fmt.Errorf("user %s: %w", c.ID, err)
		}
		if c.JSON {
			return printJSON(env.stdout, map[string]string{"id": c.ID.String(), "status": "signed out"})
		}
		fmt.Fprintln(env.stdout, "signed out", c.ID)
		return nil
	})
}

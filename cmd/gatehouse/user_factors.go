package main

import (
	"fmt"

	"github.com/google/uuid"
)

type userResetFactorsCommand struct {
	ID   uuid.UUID `arg:"" name:"id" help:"The user's id."`
	JSON bool      `name:"json" help:"Print JSON."`
}

// Run takes from the user whatever was enrolled, and tells them by mail.
func (c userResetFactorsCommand) Run(env *environment) error {
	return withApp(env, func(a *app) error {
		if err := a.authn.ResetFactors(env.ctx, c.ID, operator); err != nil {
			return fmt.Errorf("user %s: %w", c.ID, err)
		}
		if c.JSON {
			return printJSON(env.stdout, map[string]string{"id": c.ID.String(), "status": "factors reset"})
		}
		fmt.Fprintln(env.stdout, "factors reset", c.ID)
		return nil
	})
}

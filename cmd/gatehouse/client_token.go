package main

import (
	"fmt"
	"time"
)

type clientTokenCommand struct {
	Uses    int64         `help:"How many clients it can register." default:"1"`
	Expires time.Duration `help:"How long it can be used." default:"24h"`
	Note    string        `help:"What it is for, in the audit trail."`
	JSON    bool          `name:"json" help:"Print JSON."`
}

// Run makes the token and prints it, this once.
func (c clientTokenCommand) Run(env *environment) error {
	return withApp(env, func(a *app) error {
		token, until, err := a.registrar.NewToken(env.ctx, operator, c.Uses, c.Expires, c.Note)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(env.stdout, map[string]any{
				"initial_access_token": token, "uses": c.Uses, "expires_at": until, "registration_endpoint": a.config.Issuer + "/register",
			})
		}
		fmt.Fprintf(env.stdout, "%s\n\nRegistrations it is good for: %d, until %s. Keep it now: it is not shown again.\n", token, c.Uses, until.Format(time.RFC3339))
		return nil
	})
}

package main

import (
	"fmt"
	"io"

	"gatehouse/oauth"
)

type keysCommands struct {
	List   keysListCommand   `cmd:"" help:"List signing keys, without their private halves."`
	Rotate keysRotateCommand `cmd:"" help:"Begin a rotation: new keys are published at once and sign once everybody can know them."`
}

type keysListCommand struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// Run lists the keys.
func (c keysListCommand) Run(env *environment) error {
	return withApp(env, func(a *app) error {
		keys, err := a.keys.List(env.ctx)
		if err != nil {
			return err
		}
		return printKeys(env.stdout, keys, c.JSON)
	})
}

type keysRotateCommand struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// Run rotates every algorithm's key and lists the result.
func (c keysRotateCommand) Run(env *environment) error {
	return withApp(env, func(a *app) error {
		keys, err := a.keys.Rotate(env.ctx, operator)
		if err != nil {
			return err
		}
		return printKeys(env.stdout, keys, c.JSON)
	})
}

func printKeys(w io.Writer, keys []oauth.SigningKey, asJSON bool) error {
	if asJSON {
		return printJSON(w, keys)
	}
	for _, k := range keys {
		fmt.Fprintf(w, "%s\t%s\t%s\n", k.ID, k.Alg, k.State)
	}
	return nil
}

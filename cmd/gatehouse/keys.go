package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"gatehouse/oauth"
)

type keysCommands struct {
	List   keysListCommand   `cmd:"" help:"List signing keys, without their private halves."`
	Rotate keysRotateCommand `cmd:"" help:"Begin a rotation: new keys are published at once and sign once everybody can know them."`

	Fields       fieldKeysCommand      `cmd:"" help:"List the keys that encrypt single values in the database, and what each encrypts."`
	RotateFields rotateFieldKeyCommand `cmd:"" help:"Make a new key for single values and encrypt them with it, while others serve."`
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
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "KID\tALG\tSTATE\tMADE\tSIGNS")
	for _, k := range keys {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", k.ID, k.Alg, k.State, k.CreatedAt.Format(time.DateOnly), signs(k))
	}
	return table.Flush()
}

// signs says when a key signs, or did, in words.
func signs(k oauth.SigningKey) string {
	at := func(t time.Time) string { return t.Format(time.RFC3339) }
	switch {
	case k.State == oauth.NextKey && k.ActivatesAt.IsZero():
		return "when its turn comes"
	case k.State == oauth.NextKey:
		return "from " + at(k.ActivatesAt)
	case k.State == oauth.RetiredKey:
		return "until " + at(k.RetiredAt) + "; verifies until " + at(k.ExpiresAt)
	default:
		return "since " + at(k.ActivatesAt)
	}
}

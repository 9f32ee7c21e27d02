package main

import (
	"fmt"

	"gatehouse/storage"
)

type fieldKeysCommand struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// Run lists the keys that encrypt single values, and what each encrypts.
func (c fieldKeysCommand) Run(env *environment) error {
	return withApp(env, func(a *app) error {
		keys, err := a.profiles.Keys.List(env.ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(env.stdout, keys)
		}
		for _, k := range keys {
			use := "decrypts"
			if k.Primary {
				use = "encrypts and decrypts"
			}
			fmt.Fprintf(env.stdout, "%d\t%s\t%d users\n", k.ID, use, k.Users)
		}
		return nil
	})
}

type rotateFieldKeyCommand struct {
	Resume bool `help:"Make no new key; go on with what a rotation before has left."`
	JSON   bool `name:"json" help:"Print JSON."`
}

// Run makes a new key and encrypts with it what older ones did, while others serve.
func (c rotateFieldKeyCommand) Run(env *environment) error {
	return withApp(env, func(a *app) error {
		if !c.Resume {
			if err := a.profiles.Keys.Rotate(env.ctx, operator); err != nil {
				return err
			}
		}
		done, err := a.profiles.Reencrypt(env.ctx, func(done storage.Reencrypted) {
			fmt.Fprintf(env.stderr, "%d users encrypted anew\n", done.Users)
		})
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(env.stdout, done)
		}
		fmt.Fprintf(env.stdout, "%d users encrypted anew, %d unreadable, %d old keys deleted\n", done.Users, done.Unreadable, done.Retired)
		return nil
	})
}

package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"gatehouse/oauth"
)

type clientCommands struct {
	Create             clientCreateCommand       `cmd:"" help:"Create a client; its secret is printed this once."`
	List               clientListCommand         `cmd:"" help:"List clients."`
	Show               clientShowCommand         `cmd:"" help:"Show a client."`
	Update             clientUpdateCommand       `cmd:"" help:"Change members of a client, as a JSON object names them."`
	RotateSecret       clientRotateSecretCommand `cmd:"" help:"Give a client a new secret, printed this once; the old one ends at once."`
	Delete             clientDeleteCommand       `cmd:"" help:"Delete a client and end everything issued to it."`
	Export             clientExportCommand       `cmd:"" help:"Write every client as a JSON list."`
	Import             clientImportCommand       `cmd:"" help:"Create every client of a JSON list, or none."`
	Plan               clientPlanCommand         `cmd:"" help:"Say what apply would change; the exit code is 2 when there is something."`
	Apply              clientApplyCommand        `cmd:"" help:"Make the clients those of a client file."`
	Deliveries         clientDeliveriesCommand   `cmd:"" help:"Show which sign-outs clients were told of."`
	InitialAccessToken clientTokenCommand        `cmd:"" help:"Print a token that lets its holder register clients at /register."`
}

func printClient(w io.Writer, c *oauth.Client, secret string, asJSON bool) error {
	if asJSON {
		return printJSON(w, c.DocumentWithSecret(secret))
	}
	fmt.Fprintf(w, "client %s\n  name   %s\n", c.ID, c.Name)
	for _, name := range slices.Sorted(maps.Keys(c.Localised)) {
		fmt.Fprintf(w, "  %s %s\n", name, c.Localised[name])
	}
	fmt.Fprintf(w, "  grants %s\n  scopes %s\n", strings.Join(c.GrantTypes, " "), strings.Join(c.Scopes, " "))
	if secret != "" {
		fmt.Fprintf(w, "  secret %s\n\nKeep the secret now: it is not shown again.\n", secret)
	}
	return nil
}

type clientListCommand struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// Run lists every client.
func (c clientListCommand) Run(env *environment) error {
	return withApp(env, func(a *app) error {
		clients, err := a.clients.List(env.ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(env.stdout, clientDocuments(clients, (*oauth.Client).Document))
		}
		for _, client := range clients {
			fmt.Fprintf(env.stdout, "%s\t%s\n", client.ID, client.Name)
		}
		return nil
	})
}

// clientDocuments writes clients, as a list even when there is none.
func clientDocuments(clients []*oauth.Client, write func(c *oauth.Client) oauth.ClientDocument) []oauth.ClientDocument {
	all := make([]oauth.ClientDocument, 0, len(clients))
	for _, c := range clients {
		all = append(all, write(c))
	}
	return all
}

// clientNamed is what the commands on one client have in common.
type clientNamed struct {
	ID   string `arg:"" name:"id" help:"The client's id."`
	JSON bool   `name:"json" help:"Print JSON."`
}

type clientShowCommand struct{ clientNamed }

// Run shows the client, without its secret.
func (c clientShowCommand) Run(env *environment) error {
	return withApp(env, func(a *app) error {
		client, err := a.clients.Get(env.ctx, c.ID)
		if err != nil {
			return fmt.Errorf("client %s: %w", c.ID, err)
		}
		return printClient(env.stdout, client, "", c.JSON)
	})
}

type clientRotateSecretCommand struct{ clientNamed }

// Run replaces the client's secret and prints the new one.
func (c clientRotateSecretCommand) Run(env *environment) error {
	return withApp(env, func(a *app) error {
		secret, err := a.clients.RotateSecret(env.ctx, operator, c.ID)
		if err != nil {
			return fmt.Errorf("client %s: %w", c.ID, err)
		}
		client, err := a.clients.Get(env.ctx, c.ID)
		if err != nil {
			return fmt.Errorf("client %s: %w", c.ID, err)
		}
		return printClient(env.stdout, client, secret, c.JSON)
	})
}

type clientDeleteCommand struct{ clientNamed }

// Run deletes the client.
func (c clientDeleteCommand) Run(env *environment) error {
	return withApp(env, func(a *app) error {
		if err := a.clients.Delete(env.ctx, operator, c.ID); err != nil {
			return fmt.Errorf("client %s: %w", c.ID, err)
		}
		if c.JSON {
			return printJSON(env.stdout, map[string]string{"client_id": c.ID, "status": "deleted"})
		}
		fmt.Fprintln(env.stdout, "deleted", c.ID)
		return nil
	})
}

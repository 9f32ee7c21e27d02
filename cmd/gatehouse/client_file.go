package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"gatehouse/oauth"
)

type clientExportCommand struct {
	File             string `help:"Where to write; standard output when missing." placeholder:"PATH"`
	WithSecretHashes bool   `help:"Write the hashes of secrets too, so that an import keeps the secrets working."`
}

// Run writes every client but those that are fetched from their own addresses.
func (c clientExportCommand) Run(env *environment) error {
	return withApp(env, func(a *app) error {
		clients, err := a.clients.List(env.ctx)
		if err != nil {
			return err
		}
		clients = slices.DeleteFunc(clients, func(c *oauth.Client) bool { return c.Origin == oauth.OriginDocument })
		write := (*oauth.Client).Document
		if c.WithSecretHashes {
			write = (*oauth.Client).DocumentWithSecretHash
		}
		if c.File == "" {
			return printJSON(env.stdout, clientDocuments(clients, write))
		}
		return writeFile(c.File, func(w io.Writer) error { return printJSON(w, clientDocuments(clients, write)) })
	})
}

// writeFile writes a file that only its owner can read.
func writeFile(name string, write func(w io.Writer) error) error {
	file, err := os.OpenFile(filepath.Clean(name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if err := write(file); err != nil {
		_ = file.Close()
		return err
	}
	return file.Close()
}

// clientFile is what the commands on a client file have in common.
type clientFile struct {
	File string `arg:"" name:"file" help:"JSON list of clients, in the names that show prints; - for standard input."`
	JSON bool   `name:"json" help:"Print JSON."`
}

func (c clientFile) read(env *environment) ([]oauth.ClientDocument, error) {
	content, err := env.readDocument(c.File)
	if err != nil {
		return nil, err
	}
	return oauth.ParseClientFile(content)
}

type clientImportCommand struct{ clientFile }

// Run creates the clients and prints the secrets that were made.
func (c clientImportCommand) Run(env *environment) error {
	file, err := c.read(env)
	if err != nil {
		return err
	}
	return withApp(env, func(a *app) error {
		all, err := a.clients.Import(env.ctx, operator, file)
		if err != nil {
			return err
		}
		if c.JSON {
			out := make([]oauth.ClientDocument, 0, len(all))
			for _, i := range all {
				out = append(out, i.Client.DocumentWithSecret(i.Secret))
			}
			return printJSON(env.stdout, out)
		}
		for _, i := range all {
			if err := printClient(env.stdout, i.Client, i.Secret, false); err != nil {
				return err
			}
		}
		return nil
	})
}

type clientPlanCommand struct {
	clientFile
	Prune bool `help:"Plan to delete clients of an earlier file that are not in this one."`
}

// Run prints the plan. When there is something to apply, the exit code is 2.
func (c clientPlanCommand) Run(env *environment) error {
	file, err := c.read(env)
	if err != nil {
		return err
	}
	return withApp(env, func(a *app) error {
		plan, err := a.clients.Plan(env.ctx, file, c.Prune)
		if err != nil {
			return err
		}
		if err := printPlan(env.stdout, plan, c.JSON); err != nil {
			return err
		}
		if plan.Differences() {
			return exitStatus(exitDifferences)
		}
		return nil
	})
}

type clientApplyCommand struct {
	clientFile
	Prune bool `help:"Delete clients of an earlier file that are not in this one."`
}

// Run applies the file and prints what it did, new secrets among it.
func (c clientApplyCommand) Run(env *environment) error {
	file, err := c.read(env)
	if err != nil {
		return err
	}
	return withApp(env, func(a *app) error {
		plan, err := a.clients.Apply(env.ctx, operator, file, c.Prune)
		if err != nil {
			return err
		}
		return printPlan(env.stdout, plan, c.JSON)
	})
}

func printPlan(w io.Writer, plan *oauth.Plan, asJSON bool) error {
	if asJSON {
		return printJSON(w, plan)
	}
	signs := map[oauth.Action]string{
		oauth.CreateAction: "+", oauth.UpdateAction: "~", oauth.AdoptAction: "~", oauth.DeleteAction: "-", oauth.LeaveAction: "=",
	}
	notes := map[oauth.Action]string{
		oauth.AdoptAction: " (made with commands, the file takes it over)", oauth.LeaveAction: " (not in the file, --prune deletes it)",
	}
	count := map[oauth.Action]int{}
	drifted := 0
	for _, c := range plan.Changes {
		note := notes[c.Action]
		if c.Drift {
			note += " (changed by somebody else since it was applied)"
			drifted++
		}
		fmt.Fprintf(w, "%s %s %s%s\n", signs[c.Action], c.Action, c.ClientID, note)
		for _, f := range c.Fields {
			if c.Action == oauth.CreateAction && slices.Contains([]string{"false", "[]", `""`}, string(f.New)) {
				continue // a new client has what is not said at its default
			}
			fmt.Fprintf(w, "    %s: %s\n", f.Name, fieldText(c.Action, f))
		}
		if c.ClientSecret != "" {
			fmt.Fprintf(w, "    secret %s (not shown again)\n", c.ClientSecret)
		}
		count[c.Action]++
	}
	_, err := fmt.Fprintf(w, "%d to create, %d to update, %d to delete, %d left, %d drifted\n",
		count[oauth.CreateAction], count[oauth.UpdateAction]+count[oauth.AdoptAction], count[oauth.DeleteAction], count[oauth.LeaveAction], drifted)
	return err
}

func fieldText(action oauth.Action, f oauth.FieldChange) string {
	switch {
	case f.Name == "client_secret_sha256":
		return "another secret"
	case action == oauth.CreateAction:
		return string(f.New)
	default:
		return string(f.Old) + " -> " + string(f.New)
	}
}

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

type clientUpdateCommand struct {
	ID           string `arg:"" name:"id" help:"The client's id."`
	File         string `arg:"" name:"file" optional:"" default:"-" help:"JSON object with the members to change, in the names that show prints; - for standard input."`
	Shadow       string `help:"Change only which system the client relies on at /authenticate: off, upstream-first or local-first; default goes back to the configuration's." enum:"off,upstream-first,local-first,default," default:""`
	Organisation string `help:"Change only whose name, colour and logo the pages carry on the way to the client: the id of an organisation, or none." placeholder:"ID"`
	JSON         bool   `name:"json" help:"Print JSON."`
}

// Run changes the client. Members that the object does not name stay as they are.
func (c clientUpdateCommand) Run(env *environment) error {
	object, err := c.object(env)
	if err != nil {
		return err
	}
	return withApp(env, func(a *app) error {
		old, err := a.clients.Get(env.ctx, c.ID)
		if err != nil {
			return fmt.Errorf("client %s: %w", c.ID, err)
		}
		document := old.Document()
		if err := document.Merge(object); err != nil {
			return err
		}
		changed, err := document.Client()
		if err != nil {
			return err
		}
		if changed.ID != c.ID {
			return fmt.Errorf("client %s: a client cannot be given another id", c.ID)
		}
		changed.Origin, changed.Applied, changed.DocumentUntil = old.Origin, old.Applied, old.DocumentUntil
		updated, secret, err := a.clients.Update(env.ctx, operator, changed)
		if err != nil {
			return fmt.Errorf("client %s: %w", c.ID, err)
		}
		return printClient(env.stdout, updated, secret, c.JSON)
	})
}

// object is what the command changes.
func (c clientUpdateCommand) object(env *environment) ([]byte, error) {
	named := map[string]string{}
	if c.Shadow != "" {
		named["shadow"] = strings.TrimPrefix(c.Shadow, "default")
	}
	if c.Organisation != "" {
		named["organisation_id"] = strings.TrimPrefix(c.Organisation, "none")
	}
	if len(named) == 0 {
		return env.readDocument(c.File)
	}
	return json.Marshal(named)
}

// maxDocument bounds a file that a command reads, in bytes.
const maxDocument = 64 << 20

// readDocument reads a file, or standard input for "-".
func (e *environment) readDocument(name string) ([]byte, error) {
	in := e.stdin
	if name != "-" {
		file, err := os.Open(filepath.Clean(name))
		if err != nil {
			return nil, err
		}
		defer func() { _ = file.Close() }()
		in = file
	}
	content, err := io.ReadAll(io.LimitReader(in, maxDocument))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return content, nil
}

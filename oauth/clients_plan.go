package oauth

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gatehouse/directory"
)

// Action is what applying a client file does to a client.
type Action string

// Actions of a plan.
const (
	CreateAction Action = "create"
	UpdateAction Action = "update"
	// AdoptAction takes over a client that was made with commands.
	AdoptAction  Action = "adopt"
	DeleteAction Action = "delete"
	// LeaveAction does nothing to a client of an earlier file that is not in
	// this one, because nobody asked for its end.
	LeaveAction Action = "leave"
)

// Plan is what applying a client file would do, or did, in the order of the
// clients' ids. Clients that are as the file says are not in it.
type Plan struct {
	Changes []ClientChange `json:"changes"`
}

// ClientChange is what happens to one client.
type ClientChange struct {
	ClientID string        `json:"client_id"`
	Action   Action        `json:"action"`
	Fields   []FieldChange `json:"fields,omitempty"`
	// Drift says that somebody changed the client since a file was last applied to it.
	Drift bool `json:"drift,omitempty"`
	// ClientSecret is the secret that applying gave the client, this once.
	ClientSecret string `json:"client_secret,omitempty"`

	old, next *Client
}

// FieldChange is a member of a client's document that changes; null where it
// is not there. The value of a secret's hash is not told.
type FieldChange struct {
	Name string          `json:"name"`
	Old  json.RawMessage `json:"old"`
	New  json.RawMessage `json:"new"`
}

// Differences reports whether there is something to apply.
func (p *Plan) Differences() bool {
	return slices.ContainsFunc(p.Changes, func(c ClientChange) bool { return c.Action != LeaveAction })
}

// Plan tells what applying a client file would do. Clients of an earlier file
// that are not in this one are only deleted with prune. Errors name every
// client that is invalid, or not the operator's to describe.
func (cs *Clients) Plan(ctx context.Context, file []ClientDocument, prune bool) (*Plan, error) {
	wanted, err := cs.readFile(file)
	if err != nil {
		return nil, err
	}
	plan, err := cs.compare(ctx, wanted, prune)
	if err != nil {
		return nil, err
	}
	for _, change := range plan.Changes {
		if change.next == nil {
			continue
		}
		if err := cs.checkReferences(ctx, change.next); err != nil {
			return nil, fmt.Errorf("client %s: %w", change.ClientID, err)
		}
	}
	return plan, nil
}

// Apply makes the clients those of a file, in one transaction, and returns what
// it did, new secrets among it.
func (cs *Clients) Apply(ctx context.Context, by directory.Actor, file []ClientDocument, prune bool) (*Plan, error) {
	plan, err := cs.Plan(ctx, file, prune)
	if err != nil || !plan.Differences() {
		return plan, err
	}
	wanted, err := cs.readFile(file)
	if err != nil {
		return nil, err
	}
	err = cs.Store.InTx(ctx, func(ctx context.Context) error {
		if plan, err = cs.compare(ctx, wanted, prune); err != nil {
			return err
		}
		for i := range plan.Changes {
			if err := cs.carryOut(ctx, by, &plan.Changes[i]); err != nil {
				return fmt.Errorf("client %s: %w", plan.Changes[i].ClientID, err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("apply: %w", err)
	}
	return plan, nil
}

func (cs *Clients) carryOut(ctx context.Context, by directory.Actor, c *ClientChange) (err error) {
	switch c.Action {
	case CreateAction:
		c.ClientSecret, err = cs.create(ctx, by, c.next)
	case UpdateAction, AdoptAction:
		c.ClientSecret, err = cs.replace(ctx, by, c.old, c.next)
	case DeleteAction:
		err = cs.Delete(ctx, by, c.ClientID)
	}
	return err
}

// readFile returns the clients of a file, by their ids, with their fingerprints.
func (cs *Clients) readFile(file []ClientDocument) (map[string]*Client, error) {
	wanted := map[string]*Client{}
	var all faults
	for i := range file {
		c, err := file[i].Client()
		if err == nil {
			err = c.validate()
		}
		if err != nil {
			all = append(all, fmt.Errorf("client %s: %w", file[i].ClientID, err))
			continue
		}
		c.Origin = OriginFile
		c.Applied = propertiesHash(&c)
		wanted[c.ID] = &c
	}
	return wanted, all.err()
}

// compare holds what is against what is wanted.
func (cs *Clients) compare(ctx context.Context, wanted map[string]*Client, prune bool) (*Plan, error) {
	stored, err := cs.Store.Clients(ctx)
	if err != nil {
		return nil, err
	}
	plan := &Plan{Changes: []ClientChange{}}
	var all faults
	missing := maps.Clone(wanted)
	for _, old := range stored {
		next := wanted[old.ID]
		delete(missing, old.ID)
		if next != nil && old.Origin != OriginFile && old.Origin != OriginOperator {
			all = append(all, fmt.Errorf("client %s: was registered by itself and is not the operator's to describe", old.ID))
			continue
		}
		if change := changeOf(old, next, prune); change != nil {
			plan.Changes = append(plan.Changes, *change)
		}
	}
	for _, next := range missing {
		plan.Changes = append(plan.Changes, ClientChange{ClientID: next.ID, Action: CreateAction, Fields: fieldChanges(nil, next), next: next})
	}
	slices.SortFunc(plan.Changes, func(a, b ClientChange) int { return strings.Compare(a.ClientID, b.ClientID) })
	return plan, all.err()
}

// changeOf is what happens to a stored client; nil when it is as it should be.
func changeOf(old, next *Client, prune bool) *ClientChange {
	change := &ClientChange{ClientID: old.ID, Action: UpdateAction, old: old, next: next}
	change.Drift = old.Origin == OriginFile && old.Applied != "" && old.Applied != propertiesHash(old)
	switch {
	case next == nil && old.Origin != OriginFile:
		return nil
	case next == nil && prune:
		change.Action = DeleteAction
		return change
	case next == nil:
		change.Action = LeaveAction
		return change
	case old.Origin == OriginOperator:
		change.Action = AdoptAction
	}
	if change.Fields = fieldChanges(old, next); len(change.Fields) == 0 && change.Action == UpdateAction {
		return nil
	}
	return change
}

// fieldChanges are the members that differ, in the order of their names; with
// no old client, all that are given.
func fieldChanges(old, next *Client) []FieldChange {
	before, after := members(old), members(next)
	names := slices.Sorted(maps.Keys(after))
	for name := range before {
		if _, both := after[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var changes []FieldChange
	for _, name := range names {
		if !bytes.Equal(before[name], after[name]) {
			changes = append(changes, FieldChange{Name: name, Old: orNull(before[name]), New: orNull(after[name])})
		}
	}
	if old != nil && len(next.SecretHash) > 0 && !bytes.Equal(old.SecretHash, next.SecretHash) {
		changes = append(changes, FieldChange{Name: "client_secret_sha256", Old: orNull(nil), New: orNull(nil)})
	}
	return changes
}

func orNull(value json.RawMessage) json.RawMessage {
	if value == nil {
		return json.RawMessage("null")
	}
	return value
}

// members are those of a client's document that a file decides.
func members(c *Client) map[string]json.RawMessage {
	all := map[string]json.RawMessage{}
	if c == nil {
		return all
	}
	body, err := json.Marshal(c.Document())
	if err != nil || json.Unmarshal(body, &all) != nil {
		return all // keys that are no JSON, which validation lets nobody store
	}
	for _, name := range []string{"client_id", "client_id_issued_at", "origin"} {
		delete(all, name)
	}
	return all
}

// propertiesHash tells two states of a client's properties apart.
func propertiesHash(c *Client) string {
	body, _ := json.Marshal(members(c)) // the names of a map are sorted
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}
